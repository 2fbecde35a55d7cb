//! The API server is killed and comes back: while it is watched, and while it is written to. On a control plane of its
//! own, which no other test needs.

use std::{
    io::{BufRead as _, BufReader},
    process::Child,
    sync::{
        Mutex, MutexGuard,
        mpsc::{Receiver, channel},
    },
    thread,
    time::Instant,
};

use serde_json::{Value, json};

use super::{
    api::{Api, PATIENCE},
    objects::canary_at_a_pause,
    program::User,
    proxy::{Proxy, Then},
    world::{World, own},
};

/// One at a time, since each has every program of a control plane. A new one for each: pods are slow to come back after an
/// outage, and a test must not wait for what another one broke.
static ALONE: Mutex<()> = Mutex::new(());

fn apart() -> Option<(World, MutexGuard<'static, ()>)> {
    let alone = ALONE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    Some((own()?, alone))
}

/// A server that has just started refuses everybody until it has read its roles.
fn until_it_answers(api: Api) {
    api.until(
        "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts",
        "answered",
        |list| list["kind"] == "RolloutList",
    );
}

/// What a program that goes on says, a line at a time.
fn lines(child: &mut Child) -> Receiver<Value> {
    let (sender, receiver) = channel();
    let out = BufReader::new(child.stdout.take().unwrap());
    thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            if let Ok(object) = serde_json::from_str(&line)
                && sender.send(object).is_err()
            {
                return;
            }
        }
    });
    receiver
}

fn until(lines: &Receiver<Value>, what: &str, wanted: impl Fn(&Value) -> bool) {
    let end = Instant::now() + PATIENCE;
    let mut last = Value::Null;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let Ok(line) = lines.recv_timeout(left) else {
            panic!("it never said {what}: {last}")
        };
        if wanted(&line) {
            return;
        }
        last = line;
    }
}

fn shows(line: &Value, state: &str, step: i64) -> bool {
    line["sources"][0]["state"] == state
        && line["releases"][0]["rollout"]["step"]["index"] == step
        && line["releases"][0]["rollout"]["phase"] == "paused"
}

#[test]
fn a_watch_goes_on_after_the_server_was_killed() {
    let Some((world, _alone)) = apart() else {
        return;
    };
    let subject = canary_at_a_pause(&world, "watched");
    let operator = User::operator(&world);
    let mut child = operator.start("status watched --watch --json");
    let said = lines(&mut child);
    until(&said, "live at step 1", |line| shows(line, "live", 1));
    world.cluster("stop", "kube-apiserver");
    until(&said, "that the server is away", |line| {
        line["sources"][0]["state"] != "live"
    });
    world.cluster("start", "kube-apiserver");
    until_it_answers(world.api);
    subject.status(&json!({ "pauseConditions": null }));
    // How far the other programs of the control plane have recovered is not what is asked.
    until(&said, "live beyond step 1", |line| {
        let index = &line["releases"][0]["rollout"]["step"]["index"];
        line["sources"][0]["state"] == "live" && index.as_i64() > Some(1)
    });
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_write_is_seen_through_the_end_of_the_server_that_took_it() {
    let Some((world, _alone)) = apart() else {
        return;
    };
    let subject = canary_at_a_pause(&world, "survivor");
    let (told, arrived) = channel();
    let (go, back) = channel::<()>();
    let back = Mutex::new(back);
    let operator = world.operator;
    let proxy = Proxy::before(operator, move |before, written| {
        if before == 0 {
            // The server has it, and is gone before it has answered.
            let body = serde_json::from_str(&written.body).unwrap();
            operator.patch(&written.path, &body);
            told.send(()).unwrap();
            back.lock().unwrap().recv().unwrap();
        }
        Then::LoseTheRequest
    });
    let user = User::behind(&proxy);
    let child = user.start("promote survivor --yes --write --json");
    arrived.recv().unwrap();
    world.cluster("stop", "kube-apiserver");
    world.cluster("start", "kube-apiserver");
    // The connection ends when there is another server: its effect is looked for in what that one kept.
    until_it_answers(operator);
    go.send(()).unwrap();
    super::program::Ran::from(child.wait_with_output().unwrap()).observed();
    assert_eq!(proxy.written().len(), 1);
    // How far the other programs of the control plane have recovered is not what is asked.
    assert!([2, 3].contains(&subject.step()));
}

#[test]
fn a_server_that_died_before_it_took_a_write_leaves_it_unknown_and_not_repeated() {
    let Some((world, _alone)) = apart() else {
        return;
    };
    let subject = canary_at_a_pause(&world, "unheard");
    let (told, arrived) = channel();
    let (go, back) = channel::<()>();
    let back = Mutex::new(back);
    let proxy = Proxy::before(world.operator, move |_, _| {
        told.send(()).unwrap();
        back.lock().unwrap().recv().unwrap();
        // The vendor's proxy answers 502 for a server that is not there.
        Then::Forward
    });
    let user = User::behind(&proxy);
    let child = user.start("promote unheard --yes --write --json");
    arrived.recv().unwrap();
    world.cluster("stop", "kube-apiserver");
    go.send(()).unwrap();
    let ran = super::program::Ran::from(child.wait_with_output().unwrap());
    world.cluster("start", "kube-apiserver");
    assert_eq!(ran.exits(5).outcome(), "unknown");
    assert_eq!(proxy.written().len(), 1);
    until_it_answers(world.api);
    assert_eq!(subject.step(), 1);
}
