//! Blue-green: all traffic goes at once, so what is confirmed and what is observed is the switch.

use serde_json::json;

use super::{
    objects::{Subject, blue_green, word},
    program::User,
    world::{World, shared},
};

/// The version that the active service sends traffic to.
fn served(world: &World, subject: Subject<'_>) -> String {
    let service = world.api.get(&format!(
        "/api/v1/namespaces/shop/services/{}-active",
        subject.name
    ));
    word(&service, "/spec/selector/rollouts-pod-template-hash")
}

#[test]
fn a_switch_wants_the_environment_typed_and_moves_the_active_service() {
    let Some(world) = shared() else { return };
    let subject = blue_green(world, "switch");
    let new = word(&subject.now(), "/status/currentPodHash");
    let operator = User::operator(world);
    operator.act("promote switch --yes").exits(4);
    assert_ne!(served(world, subject), new);
    operator.act("promote switch --confirm real").observed();
    assert_eq!(served(world, subject), new);
    subject.until_healthy();
    assert_eq!(world.verdict("switch"), "Healthy");
}

#[test]
fn an_abort_before_the_switch_leaves_the_traffic_where_it_was() {
    let Some(world) = shared() else { return };
    let subject = blue_green(world, "stay");
    let old = served(world, subject);
    User::operator(world).act("abort stay --yes").observed();
    assert_eq!(served(world, subject), old);
    assert!(
        world
            .verdict("stay")
            .starts_with("Degraded - RolloutAborted")
    );
}

#[test]
fn a_back_out_after_the_switch_brings_the_old_version_back() {
    let Some(world) = shared() else { return };
    let subject = blue_green(world, "back");
    let old = served(world, subject);
    let operator = User::operator(world);
    operator.act("promote back --confirm real").observed();
    subject.until_healthy();
    let ran = operator.act("backout back --yes");
    assert_eq!(ran.json()["plan"]["requests"].as_array().unwrap().len(), 2);
    ran.observed();
    assert_eq!(served(world, subject), old);
    assert_eq!(subject.stable(), old);
    assert_eq!(world.verdict("back"), "Healthy");
}

#[test]
fn a_roll_back_makes_the_old_version_the_preview_and_waits() {
    let Some(world) = shared() else { return };
    let subject = blue_green(world, "preview");
    let old = served(world, subject);
    let operator = User::operator(world);
    operator.act("promote preview --confirm real").observed();
    subject.until_healthy();
    let new = served(world, subject);
    let words = operator
        .act("rollback preview --to 1 --confirm real")
        .observed();
    assert!(words.contains("first stop"), "{words}");
    assert_eq!(served(world, subject), new);
    let now = subject.until_phase("Paused");
    assert_eq!(now["status"]["currentPodHash"], json!(old));
    assert_eq!(world.verdict("preview"), "Paused - BlueGreenPause");
}
