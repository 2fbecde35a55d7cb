//! T16: a token that expires, a name that comes and goes, a certificate that expires in the middle of a session. Each costs
//! one new login at most, no storm of requests, and no secret in what is said.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    amount,
    identity::{Authority, Wrong},
    road::{Came, Road, Then, said},
    tell,
    user::{TOKEN, User, base64, script},
};
use crate::{
    screen::harness::{Windlass, text_of},
    whole::shop::Shop,
};

/// A token with a number, and the number that the server takes.
fn bearer(came: &Came) -> Option<u64> {
    let line = came.head.lines().find(|line| {
        line.to_ascii_lowercase()
            .starts_with("authorization: bearer ")
    })?;
    line.rsplit_once('-')?.1.trim().parse().ok()
}

/// 401 with a body that repeats what was sent, as careless servers do.
fn refused(came: &Came) -> Then {
    let repeated = came
        .head
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("authorization:"))
        .unwrap_or_default();
    let body = json!({ "kind": "Status", "code": 401, "reason": "Unauthorized",
        "message": format!("not accepted: {repeated}"), "error": format!("not accepted: {repeated}") });
    Then::Say(said("401 Unauthorized", "", &body.to_string()))
}

/// A program that prints the next token each time, and how often it was run.
fn counting(user: &User, wrap: &str) -> impl Fn() -> u64 + use<> {
    let runs = user.place("runs");
    let path = runs.display();
    let text = format!(
        "echo run >> {path}\nn=$(wc -l < {path})\n{}",
        wrap.replace("TOKEN", &format!("{TOKEN}-'$n'"))
    );
    script(&user.place("login"), &text);
    move || fs::read_to_string(&runs).map_or(0, |text| text.lines().count() as u64)
}

const CREDENTIAL: &str = "echo '{\"kind\":\"ExecCredential\",\"status\":{\"token\":\"TOKEN\"}}'";

/// That what happened did not end up as a secret on the screen.
#[track_caller]
fn leaves_without_a_secret(windlass: &mut Windlass) {
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
    let raw = windlass.last_words();
    assert!(!String::from_utf8_lossy(&raw).contains(TOKEN));
}

/// As the view of the sources names it.
const CLUSTER: &str = "prod-eu";

fn source_says(windlass: &Windlass, kind: &str, words: &str) {
    windlass.until_screen(&format!("{kind} to say {words:?}"), |screen| {
        text_of(screen)
            .lines()
            .map(|line| line.trim_start_matches(|c: char| !c.is_alphabetic()))
            .any(|line| line.starts_with(kind) && line.contains(words))
    });
}

#[test]
#[ignore = "at night: waits until a plugin may be run again"]
fn t16_a_token_that_expires_in_the_middle_is_one_new_login() {
    let shop = Shop::open("canary");
    let road = Road::to(&shop.cluster(), None);
    let taken = Arc::new(AtomicU64::new(1));
    let refusals = Arc::new(AtomicU64::new(0));
    let (valid, counted) = (Arc::clone(&taken), Arc::clone(&refusals));
    road.now(move |came| {
        if bearer(came) == Some(valid.load(Ordering::SeqCst)) {
            return Then::Forward;
        }
        counted.fetch_add(1, Ordering::SeqCst);
        refused(came)
    });
    let user = User::of(shop);
    let runs = counting(&user, CREDENTIAL);
    let login = user.place("login").display().to_string();
    let exec = json!({ "exec": { "apiVersion": "client.authentication.k8s.io/v1", "command": login, "interactiveMode": "Never" } });
    let user = user.at(&road.plain(), &json!({}), &exec);
    let mut windlass = user.screen(&[]);
    windlass.until_live();
    assert_eq!(runs(), 1, "everything shares one login");
    assert_eq!(refusals.load(Ordering::SeqCst), 0);
    taken.store(2, Ordering::SeqCst);
    road.cut();
    windlass.key("9");
    source_says(&windlass, CLUSTER, "unauthorized");
    source_says(&windlass, CLUSTER, "live");
    assert_eq!(runs(), 2, "one new login");
    let refusals = refusals.load(Ordering::SeqCst);
    assert!(refusals <= 40, "{refusals} refused requests are a storm");
    tell(&format!(
        "an expired token: 1 new login, {refusals} refused requests"
    ));
    leaves_without_a_secret(&mut windlass);
}

/// It never becomes right: the command behind it may be asking a person each time.
#[test]
#[ignore = "at night: watches a minute and a half"]
fn t16_a_token_that_is_never_taken_is_not_asked_for_in_a_storm() {
    let watched = amount("WINDLASS_NIGHT_REFUSED_SECONDS", 95);
    let shop = Shop::open("canary");
    let road = Road::to(&shop.hosts().prometheus, None);
    road.now(refused);
    let user = User::of(shop);
    let runs = counting(&user, "echo 'TOKEN'");
    let configuration = format!(
        "[environments.prod-eu]\nprometheus = {{ url = \"{}\", token = {{ command = [\"{}\"] }} }}\n",
        road.plain(),
        user.place("login").display()
    );
    let user = user.configured(&configuration);
    let mut windlass = user.screen(&[]);
    windlass.key("9");
    source_says(&windlass, "prometheus", "unauthorized");
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(watched) {
        windlass.beat();
    }
    let (runs, asked) = (runs(), road.came().len() as u64);
    // Each half minute one, and what is asked with each: the old token once more, the new one, and a repetition.
    assert!(runs <= 2 + watched / 30, "{runs} logins in {watched} s");
    assert!(asked <= 6 + watched / 5, "{asked} requests in {watched} s");
    tell(&format!(
        "a token that is never taken: {runs} logins and {asked} requests in {watched} s"
    ));
    leaves_without_a_secret(&mut windlass);
}

/// Looks names up in a file of ours.
fn with_names(user: User, file: &Path) -> User {
    let library = "/usr/lib/x86_64-linux-gnu/libnss_wrapper.so";
    assert!(
        Path::new(library).exists(),
        "{library} is missing: apt-get install libnss-wrapper"
    );
    user.with("LD_PRELOAD", library)
        .with("NSS_WRAPPER_HOSTS", file.to_str().unwrap())
}

/// Another file under the same name: whoever looks for a change sees one.
fn names(file: &Path, text: &str) {
    let new = file.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, file).unwrap();
}

#[test]
#[ignore = "at night: waits for what comes and goes"]
fn t16_a_name_that_comes_and_goes_is_no_storm_and_is_found_again() {
    let rounds = amount("WINDLASS_NIGHT_FLAPS", 10);
    let authority = Authority::new();
    let trust = json!({ "certificate-authority-data": base64(authority.pem.as_bytes()) });
    let shop = Shop::open("canary");
    let cluster = Road::to(&shop.cluster(), authority.identity(Wrong::Nothing));
    let metrics = Road::to(&shop.hosts().prometheus, None);
    let file = shop.place("hosts");
    names(&file, "127.0.0.1 world.test\n");
    let server = format!("https://world.test:{}", cluster.port);
    let configuration = format!(
        "[environments.prod-eu]\nprometheus = {{ url = \"http://world.test:{}\" }}\n",
        metrics.port
    );
    let user =
        User::of(shop)
            .configured(&configuration)
            .at(&server, &trust, &json!({ "token": TOKEN }));
    let user = with_names(user, &file);
    let mut windlass = user.screen(&[]);
    windlass.until_live();
    windlass.key("9");
    let before = cluster.connected() + metrics.connected();
    for _ in 0..rounds {
        names(&file, "127.0.0.1 nobody.test\n");
        cluster.cut();
        metrics.cut();
        source_says(&windlass, CLUSTER, "unreachable");
        windlass.until("Name or service");
        names(&file, "127.0.0.1 world.test\n");
        windlass.key("r");
        source_says(&windlass, CLUSTER, "live");
    }
    let connected = cluster.connected() + metrics.connected() - before;
    let each = connected / rounds;
    assert!(each <= 40, "{each} connections a time are a storm");
    tell(&format!(
        "{rounds} times without its name: found again each time, {each} connections a time"
    ));
    leaves_without_a_secret(&mut windlass);
}

#[test]
#[ignore = "at night: waits for what comes and goes"]
fn t16_a_certificate_that_expires_in_the_middle_is_said_and_nothing_is_sent() {
    let watched = amount("WINDLASS_NIGHT_EXPIRED_SECONDS", 60);
    let authority = Authority::new();
    let trust = json!({ "certificate-authority-data": base64(authority.pem.as_bytes()) });
    let shop = Shop::open("canary");
    let good = authority.identity(Wrong::Nothing);
    let road = Road::to(&shop.cluster(), good.clone());
    let server = format!("https://127.0.0.1:{}", road.port);
    let user = User::of(shop).at(&server, &trust, &json!({ "token": TOKEN }));
    let mut windlass = user.screen(&[]);
    windlass.until_live();
    windlass.key("9");
    road.is(authority.identity(Wrong::Expired));
    road.cut();
    source_says(&windlass, CLUSTER, "unreachable");
    windlass.until("expired");
    let (heard, tried) = (road.came().len(), road.connected());
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(watched) {
        windlass.beat();
    }
    let tried = road.connected() - tried;
    assert_eq!(road.came().len(), heard, "something was said to it");
    assert!(tried <= 10 + watched * 2, "{tried} tries in {watched} s");
    road.is(good);
    windlass.key("r");
    source_says(&windlass, CLUSTER, "live");
    tell(&format!(
        "an expired certificate: 0 requests and {tried} tries in {watched} s, then live again"
    ));
    leaves_without_a_secret(&mut windlass);
}
