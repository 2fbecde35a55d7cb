//! Promoting, pausing and restarting a canary.

use super::*;

#[test]
fn promoting_a_paused_canary_goes_on_to_the_next_stop() {
    let mut lab = guestbook();
    assert!(lab.is("Paused", "CanaryPauseStep"));
    assert_eq!(lab.index(), 1);
    let before = lab.cluster.store.version();
    let answer = lab.promote();
    // The answer is stale on purpose: phase Paused, nothing to wait for, and the controller not there yet.
    assert_eq!(answer["status"]["phase"], "Paused");
    assert_eq!(answer["status"].get("pauseConditions"), None);
    assert_eq!(answer["status"]["controllerPause"], true);
    lab.seconds(60);
    assert!(lab.is("Paused", "CanaryPauseStep"));
    assert_eq!(lab.index(), 3);
    let more = "more replicas need to be updated";
    let seen = lab.seen_since(before);
    let expected = [
        ("Paused", "CanaryPauseStep", 1),
        ("Progressing", more, 1),
        ("Progressing", more, 2),
        ("Progressing", more, 3),
        ("Paused", "CanaryPauseStep", 3),
    ];
    assert_eq!(
        seen,
        expected.map(|(phase, message, step)| (phase.to_owned(), message.to_owned(), step))
    );
}

#[test]
fn clearing_controller_pause_too_pauses_again_at_the_same_step() {
    let mut lab = guestbook();
    lab.patch_status(&json!({"pauseConditions": null, "controllerPause": false}));
    lab.seconds(60);
    assert!(lab.is("Paused", "CanaryPauseStep"));
    assert_eq!(lab.index(), 1);
}

#[test]
fn a_timed_pause_ends_by_itself() {
    let mut lab = Lab::service(
        Kind::Rollout,
        "replicas = 4\nsteps = [\"weight 25\", \"pause 10m\", \"weight 50\"]\nstory = [\n\
         { ago = \"2d\", release = { version = \"v1\" } },\n\
         { ago = \"8m\", release = { version = \"v2\", stays = true } }]",
    );
    assert!(lab.is("Paused", "CanaryPauseStep"));
    lab.seconds(100);
    assert!(lab.is("Paused", "CanaryPauseStep"));
    lab.seconds(60);
    assert!(lab.is("Healthy", ""), "{:?}", lab.phase());
    assert_eq!(lab.serving(), "v2");
}

#[test]
fn a_manual_pause_covers_the_pause_of_a_step_and_ends_where_it_was() {
    let mut lab = guestbook();
    lab.patch(Subresource::None, &json!({"spec": {"paused": true}}));
    lab.seconds(5);
    assert!(lab.is("Paused", "manually paused"));
    lab.patch(Subresource::None, &json!({"spec": {"paused": false}}));
    lab.seconds(60);
    assert!(lab.is("Paused", "CanaryPauseStep"));
    assert_eq!(lab.index(), 1);
}

#[test]
fn a_manual_pause_stops_a_rollout_between_two_steps() {
    let mut lab = guestbook();
    lab.promote();
    lab.step(Duration::from_millis(60));
    lab.patch(Subresource::None, &json!({"spec": {"paused": true}}));
    lab.seconds(60);
    assert!(lab.is("Paused", "manually paused"));
    assert_eq!(lab.index(), 2);
    lab.patch(Subresource::None, &json!({"spec": {"paused": false}}));
    lab.seconds(60);
    assert_eq!(lab.index(), 3);
}

#[test]
fn a_restart_replaces_every_pod_without_a_new_revision() {
    let mut lab = guestbook();
    lab.seconds(5);
    let at = lab.cluster.clock.stamp();
    let revision = lab.object()["metadata"]["annotations"]["rollout.argoproj.io/revision"].clone();
    lab.patch(Subresource::None, &json!({"spec": {"restartAt": at}}));
    lab.step(Duration::from_millis(15));
    lab.seconds(120);
    assert_eq!(lab.status()["restartedAt"], at);
    let pods = lab.cluster.store.list(Kind::Pod, Some("shop"));
    assert_eq!(pods.len(), 4);
    assert!(
        pods.iter()
            .all(|pod| json::text(&pod.value(), &["metadata", "creationTimestamp"]) >= at.as_str())
    );
    assert_eq!(
        lab.object()["metadata"]["annotations"]["rollout.argoproj.io/revision"],
        revision
    );
    assert!(lab.is("Paused", "CanaryPauseStep"), "{:?}", lab.phase());
}

#[test]
fn pods_that_never_become_ready_exceed_the_progress_deadline() {
    let mut lab = Lab::service(
        Kind::Rollout,
        "replicas = 2\nready-after = \"5h\"\nsteps = [\"weight 50\", \"pause\"]\nstory = [\n\
         { ago = \"3d\", release = { version = \"v1\" } }]",
    );
    lab.release("v2");
    lab.seconds(700);
    let (phase, message) = lab.phase();
    assert_eq!(phase, "Degraded");
    assert!(
        message.starts_with("ProgressDeadlineExceeded: ReplicaSet \"web-"),
        "{message}"
    );
}
