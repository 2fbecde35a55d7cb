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
    assert!(world.is_aborted("stay"));
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

/// While the pods of the old version wait to be scaled down, the controller skips the pause: the plan must say so.
#[test]
fn a_roll_back_soon_after_the_switch_switches_at_once_and_the_plan_says_so() {
    let Some(world) = shared() else { return };
    let subject = blue_green(world, "soon");
    let old = served(world, subject);
    let operator = User::operator(world);
    operator.act("promote soon --confirm real").observed();
    subject.until_healthy();
    operator.act("rollback soon --to 1 --yes").exits(4);
    let ran = operator.act("rollback soon --to 1 --confirm real");
    let next = word(&ran.json(), "/plan/next");
    assert!(next.starts_with("all traffic goes to"), "{next}");
    ran.observed();
    assert_eq!(served(world, subject), old);
    assert_eq!(world.verdict("soon"), "Healthy");
}

#[test]
fn a_roll_back_to_a_version_that_is_down_makes_it_the_preview_and_waits() {
    let Some(world) = shared() else { return };
    let subject = blue_green(world, "preview");
    let old = served(world, subject);
    subject.spec(&json!({ "strategy": { "blueGreen": { "scaleDownDelaySeconds": 1 } } }));
    let operator = User::operator(world);
    operator.act("promote preview --confirm real").observed();
    subject.until_healthy();
    let new = served(world, subject);
    let sets = "/apis/apps/v1/namespaces/shop/replicasets?labelSelector=app%3Dpreview";
    world.api.until(sets, "down but for one", |list| {
        let items = list["items"].as_array();
        items.is_some_and(|sets| {
            sets.iter()
                .filter(|set| set["status"]["replicas"] != json!(0))
                .count()
                == 1
        })
    });
    let ran = operator.act("rollback preview --to 1 --confirm real");
    let next = word(&ran.json(), "/plan/next");
    assert!(next.contains("becomes the preview"), "{next}");
    let words = ran.observed();
    assert!(words.contains("first stop"), "{words}");
    assert_eq!(served(world, subject), new);
    let now = subject.until_phase("Paused");
    assert_eq!(now["status"]["currentPodHash"], json!(old));
    assert_eq!(world.verdict("preview"), "Paused - BlueGreenPause");
}
