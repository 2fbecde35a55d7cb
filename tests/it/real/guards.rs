//! What is not sent, with the sentence and the exit code that say why.

use std::net::TcpListener;

use serde_json::json;

use super::{
    objects::{built_in, canary, canary_at_a_pause, canary_in, finished_canary},
    program::User,
    proxy::{Proxy, Then},
    world::shared,
};

#[test]
fn who_may_only_read_is_told_which_permission_is_missing() {
    let Some(world) = shared() else { return };
    let subject = canary_at_a_pause(world, "read-only-me");
    let viewer = User::of(world, "viewer");
    viewer
        .act("promote read-only-me --yes")
        .refused("not permitted: patch rollouts/status in shop");
    viewer
        .act("pause read-only-me --yes")
        .refused("not permitted: patch rollouts in shop");
    viewer
        .act("backout read-only-me --yes")
        .refused("not permitted");
    assert_eq!(subject.step(), 1);
}

#[test]
fn an_operator_of_one_namespace_is_refused_in_another() {
    let Some(world) = shared() else { return };
    let subject = canary_in(world, "payments", "elsewhere");
    subject.release("v2");
    subject.until_paused_at(1);
    User::operator(world)
        .act("promote elsewhere --yes")
        .refused("not permitted: patch rollouts/status in payments");
    assert_eq!(subject.step(), 1);
}

#[test]
fn nothing_is_written_without_being_armed_and_a_dry_run_needs_nothing() {
    let Some(world) = shared() else { return };
    let subject = canary_at_a_pause(world, "quiet");
    // The controller may still be writing its status: what counts is that nothing came from the program.
    let proxy = Proxy::before(world.operator, |_, _| Then::Forward);
    let operator = User::behind(&proxy);
    operator
        .run("promote quiet --yes --json")
        .refused("read-only");
    operator
        .run("promote quiet --yes --json --read-only")
        .refused("read-only");
    let ran = operator.run("promote quiet --dry-run --json").exits(0);
    assert_eq!(ran.outcome(), "dry-run");
    assert_eq!(
        ran.json()["plan"]["requests"][0]["body"],
        json!({ "status": { "pauseConditions": null } })
    );
    operator.run("backout quiet --dry-run --json").exits(0);
    operator
        .run("promote quiet --full --dry-run --json")
        .exits(0);
    assert!(proxy.written().is_empty());
    assert_eq!(subject.step(), 1);
}

#[test]
fn a_caller_who_expects_another_release_is_refused() {
    let Some(world) = shared() else { return };
    let subject = canary_at_a_pause(world, "expected");
    let hash = subject.now()["status"]["currentPodHash"].clone();
    let hash = hash.as_str().unwrap();
    let operator = User::operator(world);
    operator
        .act("promote expected --yes --expect-revision 7")
        .refused("revision 7 was expected, and it is 2");
    operator
        .act("promote expected --yes --expect-hash 0123456789")
        .refused(hash);
    assert_eq!(subject.step(), 1);
    operator
        .act(&format!(
            "promote expected --yes --expect-revision 2 --expect-hash {hash}"
        ))
        .observed();
}

#[test]
fn an_unknown_service_is_not_found_and_an_ambiguous_one_lists_its_candidates() {
    let Some(world) = shared() else { return };
    let operator = User::operator(world);
    let ran = operator.act("promote no-such-service --yes").exits(7);
    assert_eq!(ran.outcome(), "refused");
    canary(world, "twice");
    built_in(world, "Deployment", "twice", 1);
    canary_in(world, "payments", "twice");
    operator
        .act("restart twice --yes")
        .exits(7)
        .says("real/shop/argo-rollout/twice")
        .says("real/shop/deployment/twice")
        .says("real/payments/argo-rollout/twice");
    operator.act("restart argo-rollout/twice --yes").exits(7);
    let named = operator.run("restart argo-rollout/shop/twice --dry-run --json");
    assert_eq!(
        named.exits(0).json()["target"]["id"],
        "real/shop/argo-rollout/twice"
    );
}

#[test]
fn a_finished_release_is_neither_aborted_nor_promoted() {
    let Some(world) = shared() else { return };
    let subject = finished_canary(world, "finished");
    let proxy = Proxy::before(world.operator, |_, _| Then::Forward);
    let operator = User::behind(&proxy);
    let before = subject.now()["metadata"]["generation"].clone();
    operator
        .act("abort finished --yes")
        .refused("back out instead");
    operator
        .act("promote finished --yes")
        .refused("fully promoted");
    operator
        .act_because("promote finished --full --confirm real/finished", "why")
        .refused("fully promoted");
    operator
        .act("pause finished --yes")
        .refused("fully promoted");
    assert!(proxy.written().is_empty());
    assert_eq!(subject.now()["metadata"]["generation"], before);
}

#[test]
fn a_server_that_cannot_be_reached_is_exit_8() {
    let Some(_) = shared() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap().port();
    drop(listener);
    let user = User::at(closed);
    user.act("promote anything --yes").exits(8);
    user.run("status --json").exits(8);
    user.run("doctor --json").exits(8);
}

#[test]
fn without_waiting_the_answer_is_that_it_was_accepted() {
    let Some(world) = shared() else { return };
    let subject = canary_at_a_pause(world, "hurry");
    let ran = User::operator(world)
        .act("promote hurry --yes --no-wait")
        .exits(0);
    // Where the controller was quicker than the answer, more than that is known.
    assert!(
        ["accepted", "observed"].contains(&ran.outcome().as_str()),
        "{}",
        ran.out
    );
    subject.until_paused_at(3);
}
