//! Every verb on a canary, as far as it changes which step or which version serves.

use serde_json::json;

use super::{
    objects::{canary_at_a_pause, finished_canary},
    program::User,
    world::shared,
};

#[test]
fn promote_goes_one_step_further_and_sees_it() {
    let Some(world) = shared() else { return };
    let subject = canary_at_a_pause(world, "one-step");
    let operator = User::operator(world);
    let words = operator.act("promote one-step --yes").observed();
    assert!(words.contains("of 6"), "{words}");
    subject.until_paused_at(3);
    assert_eq!(world.verdict("one-step"), "Paused - CanaryPauseStep");
}

#[test]
fn promoting_again_at_once_never_skips_a_step() {
    let Some(world) = shared() else { return };
    let subject = canary_at_a_pause(world, "again");
    let operator = User::operator(world);
    operator.act("promote again --yes --no-wait").exits(0);
    // Whatever the controller has done by now: refused, more to confirm, or one step from the next pause.
    let second = operator.act("promote again --yes");
    assert!([0, 3, 4].contains(&second.code), "{second:?}");
    let steps = if second.code == 0 { 5 } else { 3 };
    subject.until_paused_at(steps);
    assert_eq!(world.verdict("again"), "Paused - CanaryPauseStep");
}

#[test]
fn a_full_promotion_wants_its_target_typed_and_a_reason() {
    let Some(world) = shared() else { return };
    let subject = canary_at_a_pause(world, "full");
    let operator = User::operator(world);
    let full = "promote full --full";
    for short_of_it in ["--yes", "--confirm real", "--confirm real/full"] {
        let ran = operator.act(&format!("{full} {short_of_it}")).exits(4);
        assert_eq!(ran.outcome(), "needs-confirmation", "{short_of_it}");
    }
    assert_eq!(subject.step(), 1);
    operator
        .act_because(&format!("{full} --confirm real/full"), "the fix is urgent")
        .observed();
    assert_eq!(world.verdict("full"), "Healthy");
    assert_eq!(subject.now()["status"]["currentPodHash"], subject.stable());
}

#[test]
fn a_pause_by_hand_holds_and_resume_ends_it_and_nothing_else() {
    let Some(world) = shared() else { return };
    let subject = canary_at_a_pause(world, "hold");
    let operator = User::operator(world);
    operator.act("pause hold --yes").observed();
    assert_eq!(subject.now()["spec"]["paused"], true);
    operator
        .act("pause hold --yes")
        .refused("paused by hand already");
    operator.act("resume hold --yes").observed();
    let now = subject.until_paused_at(1);
    assert_ne!(now["spec"]["paused"], true);
    operator.act("resume hold --yes").refused("promote goes on");
    assert_eq!(world.verdict("hold"), "Paused - CanaryPauseStep");
}

#[test]
fn an_aborted_release_starts_again_from_its_first_step_only_by_retry() {
    let Some(world) = shared() else { return };
    let subject = canary_at_a_pause(world, "stopped");
    let stable = subject.stable();
    let operator = User::operator(world);
    operator.act("promote stopped --yes").observed();
    subject.until_paused_at(3);
    let words = operator.act("abort stopped --yes").observed();
    assert_eq!(words, "stable serves everything");
    assert!(world.is_aborted("stopped"));
    assert_eq!(subject.stable(), stable);
    operator.act("promote stopped --yes").refused("retry");
    operator
        .act("abort stopped --yes")
        .refused("aborted already");
    operator.act("backout stopped --yes").refused("aborted");
    operator.act("retry stopped --yes").exits(4);
    operator.act("retry stopped --confirm real").observed();
    subject.until_paused_at(1);
    operator
        .act("retry stopped --confirm real")
        .refused("not aborted");
}

#[test]
fn a_restart_replaces_every_pod_and_keeps_the_version() {
    let Some(world) = shared() else { return };
    let subject = finished_canary(world, "fresh-pods");
    let hash = subject.stable();
    let pods = || {
        let list = world
            .api
            .get("/api/v1/namespaces/shop/pods?labelSelector=app%3Dfresh-pods");
        let mut names: Vec<String> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null())
            .map(|pod| pod["metadata"]["name"].to_string())
            .collect();
        names.sort();
        names
    };
    let old = pods();
    let operator = User::operator(world);
    let words = operator.act("restart fresh-pods --yes").observed();
    assert_eq!(words, "every pod is new");
    assert!(pods().iter().all(|name| !old.contains(name)));
    assert_eq!(subject.stable(), hash);
    subject.until_healthy();
    assert_eq!(world.verdict("fresh-pods"), "Healthy");
}

#[test]
fn a_roll_back_without_a_revision_during_an_update_means_the_stable_version() {
    let Some(world) = shared() else { return };
    let subject = canary_at_a_pause(world, "to-stable");
    // The second newest revision is another version that never served: what the vendor's undo would take.
    subject.release("v3");
    subject.until("paused with the third version", |rollout| {
        rollout["status"]["phase"] == "Paused" && rollout["status"]["currentStepIndex"] == 1
    });
    let stable = subject.stable();
    let operator = User::operator(world);
    operator.act("rollback to-stable --yes").exits(4);
    operator.act("rollback to-stable --confirm real").observed();
    assert_eq!(subject.now()["status"]["currentPodHash"], stable);
    assert_eq!(subject.image(), "to-stable:v1");
    assert_eq!(world.verdict("to-stable"), "Healthy");
}

#[test]
fn a_roll_back_of_a_finished_release_must_name_its_revision() {
    let Some(world) = shared() else { return };
    let subject = finished_canary(world, "which");
    let operator = User::operator(world);
    let before = subject.now();
    operator
        .act("rollback which --confirm real")
        .exits(7)
        .says("--to")
        .says("REVISION")
        .says("which:v1");
    operator
        .act("rollback which --to 9 --confirm real")
        .exits(7);
    assert_eq!(
        subject.now()["metadata"]["generation"],
        before["metadata"]["generation"]
    );
    let words = operator
        .act("rollback which --to 1 --confirm real")
        .observed();
    assert!(words.contains("first stop"), "{words}");
    subject.until_paused_at(1);
    assert_eq!(subject.image(), "which:v1");
    assert_eq!(
        subject.now()["status"]["currentPodHash"],
        json!(hash_of(world, "which", "1"))
    );
}

/// The hash of the ReplicaSet that had this revision, by its own history when it was renumbered.
fn hash_of(world: &super::world::World, name: &str, revision: &str) -> String {
    let list = world.api.get(&format!(
        "/apis/apps/v1/namespaces/shop/replicasets?labelSelector=app%3D{name}"
    ));
    let key = |set: &serde_json::Value, word: &str| {
        set["metadata"]["annotations"][format!("rollout.argoproj.io/{word}")]
            .as_str()
            .unwrap_or_default()
            .split(',')
            .any(|one| one == revision)
    };
    let sets = list["items"].as_array().unwrap();
    let set = sets
        .iter()
        .find(|set| key(set, "revision") || key(set, "revision-history"))
        .unwrap();
    super::objects::word(set, "/metadata/labels/rollouts-pod-template-hash")
}
