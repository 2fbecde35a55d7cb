//! Back out: one plan, whatever the release is doing, after which the version that served before serves everything.

use serde_json::json;

use super::{
    objects::{canary, canary_at_a_pause, finished_canary, word},
    program::User,
    proxy::{Proxy, Then},
    world::shared,
};

#[test]
fn while_an_update_runs_it_is_the_vendors_abort() {
    let Some(world) = shared() else { return };
    let subject = canary_at_a_pause(world, "out-running");
    let stable = subject.stable();
    let ran = User::operator(world).act("backout out-running --yes");
    assert_eq!(
        ran.json()["plan"]["requests"][0]["body"],
        json!({ "status": { "abort": true } })
    );
    ran.observed();
    assert!(world.is_aborted("out-running"));
    assert_eq!(subject.stable(), stable);
}

#[test]
fn a_finished_release_goes_back_with_two_requests_under_one_confirmation() {
    let Some(world) = shared() else { return };
    let subject = canary(world, "out-finished");
    let old = subject.stable();
    subject.release("v2");
    subject.until_paused_at(1);
    subject.status(&json!({ "promoteFull": true }));
    let new = word(&subject.until_healthy(), "/status/stableRS");
    assert_ne!(old, new);
    let proxy = Proxy::before(world.operator, |_, _| Then::Forward);
    let ran = User::behind(&proxy).act("backout out-finished --yes");
    assert_eq!(ran.json()["plan"]["to"]["hash"], old);
    ran.observed();
    let mut paths: Vec<String> = proxy
        .written()
        .iter()
        .map(|written| written.path.split('?').next().unwrap().to_owned())
        .collect();
    // Against a busy controller a request may meet a conflict, which did nothing, and is sent again.
    paths.dedup();
    assert_eq!(
        paths,
        [subject.path(), format!("{}/status", subject.path())]
    );
    assert_eq!(world.verdict("out-finished"), "Healthy");
    assert_eq!(subject.stable(), old);
    assert_eq!(subject.image(), "out-finished:v1");
}

#[test]
fn a_second_back_out_goes_forward_to_what_served_before_it() {
    let Some(world) = shared() else { return };
    let subject = finished_canary(world, "out-and-in");
    let new = subject.stable();
    let operator = User::operator(world);
    operator.act("backout out-and-in --yes").observed();
    assert_ne!(subject.stable(), new);
    operator.act("backout out-and-in --yes").observed();
    assert_eq!(subject.stable(), new);
    assert_eq!(world.verdict("out-and-in"), "Healthy");
}

/// The controller removes an abort while a full promotion is under way: both go in one patch.
#[test]
fn a_full_promotion_under_way_is_stopped() {
    let Some(world) = shared() else { return };
    let subject = canary(world, "out-full");
    let stable = subject.stable();
    // No node fits, so the new pods never become ready and the promotion never ends by itself.
    subject.spec(&json!({ "template": { "spec": { "nodeSelector": { "no-such": "node" } } } }));
    subject.until("progressing with a new version", |rollout| {
        rollout["status"]["phase"] == "Progressing" && rollout["status"]["currentPodHash"] != stable
    });
    subject.status(&json!({ "promoteFull": true }));
    subject.until("promoting fully", |rollout| {
        rollout["status"]["promoteFull"] == true
    });
    let operator = User::operator(world);
    operator
        .act("promote out-full --yes")
        .refused("a full promotion is under way");
    let ran = operator.act("backout out-full --yes");
    assert_eq!(
        ran.json()["plan"]["requests"][0]["body"],
        json!({ "status": { "promoteFull": false, "abort": true } })
    );
    ran.observed();
    assert!(world.is_aborted("out-full"));
    assert_eq!(subject.stable(), stable);
}
