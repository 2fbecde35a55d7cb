//! T29: a credential plugin is found as the shell finds it, says nothing on the screen, is named by the doctor, and is ended
//! with everything that it started when it takes too long.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    road::Road,
    tell,
    user::{TOKEN, User, opens_and_leaves_help, script},
};
use crate::whole::shop::Shop;

const NOISE: &str = "noise-of-a-plugin";

/// Somebody whose login is a program in a folder of its own on the path, and the road to their cluster.
fn with_plugin(text: &str) -> (User, Road) {
    let shop = Shop::open("canary");
    let road = Road::to(&shop.cluster(), None);
    let user = User::of(shop).at(
        &road.plain(),
        &json!({}),
        &json!({ "exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": "shop-login", "args": ["--for", "shop"],
            "interactiveMode": "IfAvailable",
        } }),
    );
    let folder = user.place("programs");
    fs::create_dir(&folder).unwrap();
    script(&folder.join("shop-login"), text);
    let path = format!("{}:/usr/bin:/bin", folder.display());
    (user.with("PATH", &path), road)
}

fn answers(token: &str) -> String {
    format!("echo '{{\"kind\":\"ExecCredential\",\"status\":{{\"token\":\"{token}\"}}}}'")
}

#[test]
#[ignore = "at night: the program in a terminal"]
fn t29_a_plugin_is_found_by_the_path_named_by_the_doctor_and_silent_on_the_screen() {
    let noisy = format!(
        "echo {NOISE} >&2; printf '\\033[2J{NOISE}\\007' >&2\n{}",
        answers(TOKEN)
    );
    let (user, road) = with_plugin(&noisy);
    let source = user.source("doctor", "kubernetes");
    assert_eq!(source["state"], "live", "{source}");
    assert_eq!(source["plugin"], "shop-login", "{source}");
    let ran = user.run(&["doctor"]).exits(0);
    assert!(ran.out.contains("shop-login"), "{}", ran.out);
    assert!(!ran.out.contains(NOISE) && !ran.err.contains(NOISE));
    let mut windlass = user.screen(&[]);
    windlass.until_live();
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
    let raw = String::from_utf8_lossy(&windlass.last_words()).into_owned();
    assert!(!raw.contains(NOISE), "{raw}");
    let bearer = format!("Bearer {TOKEN}");
    assert!(road.came().iter().all(|came| came.head.contains(&bearer)));
    tell("found by PATH, named by the doctor, 0 bytes of its stderr on the screen");
}

#[test]
#[ignore = "at night: the program in a terminal"]
fn t29_a_plugin_that_fails_is_quoted_and_named_and_nothing_is_sent() {
    let failing = format!(
        "printf '\\033[2J' >&2; echo 'session over: run shop-login again' >&2; echo {TOKEN}; exit 1"
    );
    let (user, road) = with_plugin(&failing);
    let source = user.source("doctor", "kubernetes");
    assert_eq!(source["state"], "unauthorized", "{source}");
    assert_eq!(source["plugin"], "shop-login", "{source}");
    let detail = source["detail"].as_str().unwrap();
    assert!(
        detail.contains("run shop-login again") && detail.contains("shop-login"),
        "{detail}"
    );
    assert!(!source.to_string().contains(TOKEN));
    let mut windlass = user.screen(&[]);
    windlass.until("run shop-login again");
    windlass.key("q");
    windlass.ended();
    assert!(!String::from_utf8_lossy(&windlass.last_words()).contains(TOKEN));
    assert_eq!(road.connected(), 0);
    tell("a failing one is quoted; 0 requests without a login");
}

/// Whether this process is over, or waits to be collected by whoever inherited it.
fn is_over(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
}

fn read_pid(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.ends_with('\n').then(|| text.trim().to_owned())
}

#[test]
#[ignore = "at night: waits for the limit of thirty seconds"]
fn t29_a_plugin_that_hangs_is_ended_with_its_group_and_holds_up_no_key() {
    let (user, road) = with_plugin(
        "cd \"$(dirname \"$0\")\"\nsleep 600 &\necho $! > child\necho $$ > leader\nwait",
    );
    let mut windlass = user.screen(&[]);
    let programs = user.place("programs");
    let (leader, child) = (programs.join("leader"), programs.join("child"));
    let began = Instant::now();
    let pids = loop {
        if let (Some(leader), Some(child)) = (read_pid(&leader), read_pid(&child)) {
            break [leader, child];
        }
        assert!(began.elapsed() < Duration::from_secs(20), "never started");
        windlass.beat();
    };
    let started = Instant::now();
    // Keys are answered meanwhile.
    windlass.key("9");
    windlass.until("SOURCE");
    opens_and_leaves_help(&mut windlass);
    assert!(started.elapsed() < Duration::from_secs(20) && !is_over(&pids[1]));
    while !pids.iter().all(|pid| is_over(pid)) {
        assert!(
            started.elapsed() < Duration::from_secs(45),
            "{pids:?} live on"
        );
        windlass.beat();
    }
    let took = started.elapsed();
    assert!(took > Duration::from_secs(25), "ended too soon: {took:?}");
    windlass.until("was ended");
    windlass.key("q");
    windlass.ended();
    assert_eq!(road.connected(), 0);
    tell(&format!("ended with its group after {} s", took.as_secs()));
}

/// Leaving does not wait for it, and does not leave it behind.
#[test]
#[ignore = "at night: the program in a terminal"]
fn t29_a_plugin_that_hangs_ends_with_the_program() {
    let (user, _road) = with_plugin("cd \"$(dirname \"$0\")\"\nsleep 600 &\necho $! > child\nwait");
    let mut windlass = user.screen(&[]);
    let began = Instant::now();
    let pid = loop {
        if let Some(pid) = read_pid(&user.place("programs").join("child")) {
            break pid;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "never started");
        windlass.beat();
    };
    let left = Instant::now();
    windlass.key("q");
    windlass.ended();
    let took = left.elapsed();
    while !is_over(&pid) {
        assert!(left.elapsed() < Duration::from_secs(10), "{pid} lives on");
        std::thread::yield_now();
    }
    assert!(took < Duration::from_secs(5), "{took:?}");
    tell(&format!(
        "left within {} ms while one hung",
        took.as_millis()
    ));
}
