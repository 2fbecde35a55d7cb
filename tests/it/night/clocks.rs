//! T15: servers whose clocks are a day off, times in every way of writing them and beyond every calendar, a clock that
//! jumps by an hour, and a machine that slept for eight. Ages stay sane, what is known stays usable, and nothing storms.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use regex_lite::Regex;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{
    road::{Came, Road, Then},
    tell,
    user::{TOKEN, User, backs_out},
};
use crate::{
    screen::harness::{Windlass, text_of},
    whole::shop::{Hosts, Shop},
};

/// An age that nobody can have: below zero, or of thousands of years.
fn absurd(text: &str) -> Option<String> {
    let pattern = Regex::new(r"(^|[ (])-[0-9]+ ?(s|m|h|d|y|min)\b|[0-9]{6,} ?(d|h|y)\b").unwrap();
    pattern.find(text).map(|found| found.as_str().to_owned())
}

#[track_caller]
fn assert_sane(windlass: &mut Windlass, case: &str) {
    for key in ["1", "2", "9", "4", "1"] {
        windlass.key(key);
        windlass.until_live();
        let text = windlass.text();
        assert_eq!(absurd(&text), None, "{case}, view {key}:\n{text}");
    }
}

#[track_caller]
fn assert_ages(answer: &Value, case: &str) {
    for source in answer["sources"].as_array().unwrap() {
        assert_eq!(source["state"], "live", "{case}: {source}");
        let age = source["age_ms"].as_i64().unwrap();
        assert!((0..60_000).contains(&age), "{case}: {source}");
    }
    for release in answer["releases"].as_array().unwrap() {
        let age = release["fresh"]["age_ms"].as_i64().unwrap();
        assert!((0..60_000).contains(&age), "{case}: {release:#}");
    }
}

#[test]
#[ignore = "at night: the program in a terminal, twice"]
fn t15_servers_a_day_ahead_or_behind_are_live_and_can_be_acted_on() {
    for ahead in ["clock:+86400", "clock:-86400"] {
        let shop = Shop::open("canary");
        shop.inject(ahead);
        let ran = shop.run(&["status", "checkout", "--json"]).exits(0);
        assert_ages(&ran.json(), ahead);
        assert_eq!(absurd(&shop.run(&["status"]).out), None, "{ahead}");
        let mut windlass = shop.screen();
        windlass.until_live();
        assert_sane(&mut windlass, ahead);
        windlass.key("1");
        backs_out(&mut windlass);
        windlass.key("q");
        assert_eq!(windlass.ended().exit_code(), 0, "{ahead}");
    }
    tell("servers a day ahead and a day behind: live, acted on");
}

/// How a time may be written, and whether it is one.
const TIMES: [&str; 14] = [
    "2026-11-27T10:00:00.123456789Z",
    "2026-11-27t10:00:00z",
    "2026-11-27T10:00:00+14:00",
    "2026-11-27T10:00:00-00:00",
    "2026-11-27T10:00:00,5Z",
    "2016-12-31T23:59:60Z",
    "2026-03-29T02:30:00+01:00",
    "2026-10-25T02:30:00+02:00",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "0000-00-00T00:00:00Z",
    "-9999-01-01T00:00:00Z",
    "2026-02-30T25:61:61Z",
    "292277026596-12-04T15:30:08Z",
];

#[test]
#[ignore = "at night: the program over every way to write a time"]
fn t15_times_in_any_writing_cost_at_most_an_age() {
    let stamp = Regex::new(r#""[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9:]+)""#).unwrap();
    let shop = Shop::open("canary");
    let Hosts {
        github,
        prometheus: _,
        alertmanager,
    } = shop.hosts();
    let roads = [shop.cluster(), github, alertmanager].map(|base| Road::to(&base, None));
    let [cluster, github, alertmanager] = [0, 1, 2].map(|nth: usize| roads[nth].plain());
    let shop = shop.behind(|hosts| (hosts.github, hosts.alertmanager) = (github, alertmanager));
    let user = User::of(shop).at(&cluster, &json!({}), &json!({ "token": TOKEN }));
    for time in TIMES {
        for road in &roads {
            let (stamp, quoted) = (stamp.clone(), format!("\"{time}\""));
            road.now(move |_| {
                let (stamp, quoted) = (stamp.clone(), quoted.clone());
                Then::Edit(Box::new(move |line| {
                    stamp.replace_all(line, quoted.as_str()).into_owned()
                }))
            });
        }
        let ran = user.run(&["status", "checkout", "--json"]);
        let answer = ran.json();
        assert_ages(&answer, time);
        let release = &answer["releases"][0];
        assert_eq!(release["service"], "checkout", "{time}: {answer:#}");
        assert_eq!(release["rollout"]["phase"], "paused", "{time}");
        for command in [&["status"][..], &["history", "checkout"], &["inbox"]] {
            let ran = user.run(command);
            assert_eq!(ran.code, 0, "{time} {command:?}: {}", ran.err);
            assert_eq!(absurd(&ran.out), None, "{time} {command:?}: {}", ran.out);
        }
        let mut windlass = user.screen(&[]);
        windlass.until_live();
        windlass.until("checkout");
        assert_sane(&mut windlass, time);
        windlass.key("\r");
        windlass.until("Story of this release");
        let text = windlass.text();
        assert_eq!(absurd(&text), None, "{time}:\n{text}");
        windlass.key("q");
        windlass.key("q");
        windlass.ended();
    }
    tell(&format!(
        "{} writings of a time in three wires: live, no absurd age",
        TIMES.len()
    ));
}

/// The library that shows a process another clock, and the file in which it reads how much it is off.
fn with_clock(user: User, is_slept: bool) -> (User, PathBuf) {
    let library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
    assert!(
        Path::new(library).exists(),
        "{library} is missing: apt-get install faketime"
    );
    let file = user.place("clock");
    set(&file, "+0");
    let user = user
        .with("LD_PRELOAD", library)
        .with("FAKETIME_TIMESTAMP_FILE", file.to_str().unwrap())
        .with("FAKETIME_NO_CACHE", "1");
    let user = match is_slept {
        true => user,
        // Only the wall clock is off.
        false => user.with("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    };
    (user, file)
}

fn set(file: &Path, offset: &str) {
    let new = file.with_extension("new");
    fs::write(&new, format!("{offset}\n")).unwrap();
    fs::rename(new, file).unwrap();
}

/// Somebody whose four sources all lie behind roads.
fn behind_roads() -> (User, Vec<Road>) {
    let shop = Shop::open("canary");
    let Hosts {
        github,
        prometheus,
        alertmanager,
    } = shop.hosts();
    let bases = [shop.cluster(), github, prometheus, alertmanager];
    let roads: Vec<Road> = bases.iter().map(|base| Road::to(base, None)).collect();
    let [cluster, github, prometheus, alertmanager] =
        [0, 1, 2, 3].map(|nth: usize| roads[nth].plain());
    let shop = shop.behind(|hosts| {
        (hosts.github, hosts.prometheus, hosts.alertmanager) = (github, prometheus, alertmanager);
    });
    let user = User::of(shop).at(&cluster, &json!({}), &json!({ "token": TOKEN }));
    (user, roads)
}

fn came_since(roads: &[Road], since: Instant) -> Vec<Came> {
    let all = roads.iter().flat_map(Road::came);
    all.filter(|came| came.at >= since).collect()
}

/// The path that was asked for most often, without what makes each asking another one.
fn most_asked(came: &[Came]) -> (String, usize) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for one in came {
        let path = one.path.split('?').next().unwrap_or_default();
        // A query is a question of its own; a hundred of them are asked of one path.
        if one.method == "GET" && !path.starts_with("/api/v1/query") {
            *counts.entry(path.to_owned()).or_default() += 1;
        }
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.unwrap_or_default()
}

fn watched_for(windlass: &Windlass, seconds: u64) {
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(seconds) {
        windlass.beat();
    }
}

#[test]
#[ignore = "at night: needs libfaketime"]
fn t15_a_clock_that_jumps_by_an_hour_spoils_nothing() {
    let (mut told, mut waits) = (Vec::new(), Vec::new());
    for (jump, back) in [("+3600", "+0"), ("-3600", "+0")] {
        let (user, roads) = behind_roads();
        let (user, clock) = with_clock(user, false);
        let mut windlass = user.screen(&["--write=prod-eu"]);
        windlass.until_live();
        let began = Instant::now();
        watched_for(&windlass, 10);
        let quiet = came_since(&roads, began).len();
        for offset in [jump, back] {
            set(&clock, offset);
            let jumped = Instant::now();
            watched_for(&windlass, 10);
            let came = came_since(&roads, jumped);
            let (path, times) = most_asked(&came);
            assert!(times <= 4, "{offset}: {path} was asked {times} times");
            told.push(came.len());
            until_live_again(&windlass, offset);
            waits.push(jumped.elapsed().as_secs());
            assert_sane(&mut windlass, offset);
        }
        println!("{jump}: {quiet} requests in ten quiet seconds, {told:?} after each jump");
        windlass.key("q");
        assert_eq!(windlass.ended().exit_code(), 0);
    }
    tell(&format!(
        "jumps of an hour to and fro: at most {} requests in the 10 s after one, live again by {} s",
        told.iter().max().unwrap(),
        waits.iter().max().unwrap()
    ));
}

/// The age of what is watched goes by the wall clock: what was heard before the jump counts as old until the next word,
/// and a quiet watch has one a minute. Too careful is allowed; for ever is not.
#[track_caller]
fn until_live_again(windlass: &Windlass, case: &str) {
    let is_live = |screen: &vt100::Screen| {
        let text = text_of(screen);
        let header = text.lines().next().unwrap_or_default();
        header.contains("● ") && header.contains(" source")
    };
    windlass.for_a_while(Duration::from_secs(90), is_live);
    assert!(windlass.screen(is_live), "{case}: {}", windlass.text());
}

/// After a jump everything can be acted on: nothing is taken for too old for ever, nor for fresh because it is of the future.
#[test]
#[ignore = "at night: needs libfaketime"]
fn t15_after_a_jump_of_an_hour_an_emergency_goes_through() {
    for jump in ["+3600", "-3600"] {
        let (user, _roads) = behind_roads();
        let (user, clock) = with_clock(user, false);
        let mut windlass = user.screen(&["--write=prod-eu"]);
        windlass.until_live();
        set(&clock, jump);
        watched_for(&windlass, 2);
        until_live_again(&windlass, jump);
        if !windlass.text().contains("WRITE") {
            // An hour without a key: it disarmed itself, and says so. It is armed again by hand.
            windlass.key("W");
            windlass.until_listening();
            windlass.key("Y");
            windlass.until("WRITE");
        }
        windlass.key("1");
        backs_out(&mut windlass);
        windlass.key("q");
        assert_eq!(windlass.ended().exit_code(), 0, "{jump}");
        user.run(&["audit", "verify"]).exits(0);
    }
    tell("an emergency after a jump of an hour either way: done");
}

/// Everything stands still for eight hours, connections die, and it wakes.
#[test]
#[ignore = "at night: needs libfaketime"]
fn t15_a_machine_that_slept_asks_each_thing_once_when_it_wakes() {
    let mut told = Vec::new();
    // A suspended Linux stops the monotonic clock; other systems let it run.
    for is_slept in [false, true] {
        let (user, roads) = behind_roads();
        let (user, clock) = with_clock(user, is_slept);
        let mut windlass = user.screen(&[]);
        windlass.until_live();
        windlass.signal(Signal::STOP);
        set(&clock, "+28800");
        for road in &roads {
            road.cut();
        }
        let woken = Instant::now();
        windlass.signal(Signal::CONT);
        watched_for(&windlass, 5);
        let came = came_since(&roads, woken);
        let (path, times) = most_asked(&came);
        assert!(times <= 3, "{path} was asked {times} times: {came:#?}");
        windlass.until_live();
        assert_sane(&mut windlass, "slept");
        told.push(format!("{} requests, {times} the most of one", came.len()));
        windlass.key("q");
        assert_eq!(windlass.ended().exit_code(), 0);
    }
    tell(&format!(
        "woken after 8 h, in 5 s: {} (the monotonic clock stood still), {} (it ran on)",
        told[0], told[1]
    ));
}
