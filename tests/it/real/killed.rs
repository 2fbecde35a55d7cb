//! A program that is killed in the middle of a plan of two requests.

use std::sync::{Arc, OnceLock};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    objects::{canary, finished_canary},
    program::{Ran, User},
    proxy::{Proxy, Then},
    world::shared,
};

/// A proxy that signals a program when its first request arrives, and forwards that request all the same.
fn signalled(upstream: super::api::Api, signal: Signal) -> (Proxy, Arc<OnceLock<u32>>) {
    let whom = Arc::new(OnceLock::<u32>::new());
    let told = Arc::clone(&whom);
    let proxy = Proxy::before(upstream, move |before, _| {
        if before == 0 {
            let pid = i32::try_from(*told.wait()).unwrap();
            kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
        }
        Then::Forward
    });
    (proxy, whom)
}

#[test]
fn a_plan_that_has_begun_is_finished_when_the_terminal_vanishes() {
    let Some(world) = shared() else { return };
    let subject = canary(world, "hung-up");
    let old = subject.stable();
    subject.release("v2");
    subject.until_paused_at(1);
    subject.status(&serde_json::json!({ "promoteFull": true }));
    subject.until_healthy();
    let (proxy, whom) = signalled(world.operator, Signal::HUP);
    let user = User::behind(&proxy);
    let child = user.start("backout hung-up --yes --write --json");
    whom.set(child.id()).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    ran.observed();
    // One that met a conflict did nothing, and was sent again.
    let mut paths: Vec<String> = proxy.written().into_iter().map(|sent| sent.path).collect();
    paths.dedup();
    assert_eq!(paths.len(), 2, "{paths:?}");
    assert_eq!(subject.stable(), old);
    assert_eq!(world.verdict("hung-up"), "Healthy");
}

#[test]
fn the_next_start_says_what_a_killed_one_left_open() {
    let Some(world) = shared() else { return };
    let subject = finished_canary(world, "killed");
    let (proxy, whom) = signalled(world.operator, Signal::KILL);
    let user = User::behind(&proxy);
    let child = user.start("backout killed --yes --write --json");
    whom.set(child.id()).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, -1, "{ran:?}");
    // The first request arrived all the same, and nobody sends the second.
    subject.until("at the first pause of the old version", |rollout| {
        rollout["status"]["phase"] == "Paused"
            && rollout["spec"]["template"]["spec"]["containers"][0]["image"] == "killed:v1"
    });
    user.run("status killed --json")
        .exits(0)
        .says("without an outcome")
        .says("Back out killed in real: one request was sent or perhaps sent");
    let open = user.run("doctor --json").exits(0).json()["open_intents"].clone();
    assert!(
        open[0].as_str().unwrap().contains("Back out killed"),
        "{open}"
    );
    user.run("audit verify").exits(0);
    assert_eq!(proxy.written().len(), 1);
    let listed = user.run("audit list --json").exits(0).out;
    let kinds: Vec<String> = listed
        .lines()
        .map(|line| {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            record["kind"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(kinds, ["intent", "sending"]);
}
