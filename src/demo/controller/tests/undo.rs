//! Abort, retry, full promotion, and the ways back.

use super::*;

#[test]
fn an_abort_gives_everything_back_to_stable_and_stays_degraded() {
    let mut lab = guestbook();
    lab.patch_status(&json!({"abort": true}));
    lab.seconds(1);
    assert!(
        lab.is(
            "Degraded",
            "RolloutAborted: Rollout aborted update to revision 3"
        ),
        "{:?}",
        lab.phase()
    );
    let status = lab.status();
    assert_eq!((status["abort"].as_bool(), lab.index()), (Some(true), 0));
    assert!(status["abortedAt"].is_string());
    assert_eq!(status.get("pauseConditions"), None);
    lab.seconds(60);
    let sizes: Vec<_> = lab.history().into_iter().map(|(_, _, size)| size).collect();
    assert_eq!(sizes, [0, 4, 0]);
    assert!(lab.phase().0 == "Degraded");
    assert_eq!(
        lab.events("RolloutAborted"),
        ["Rollout aborted update to revision 3"]
    );
}

#[test]
fn a_routed_canary_keeps_its_pods_for_thirty_seconds_after_an_abort() {
    let mut lab = checkout();
    lab.patch_status(&json!({"abort": true}));
    lab.seconds(10);
    assert_eq!(lab.status()["canary"]["weights"]["canary"]["weight"], 0);
    assert_eq!(lab.history()[3].2, 3);
    lab.seconds(30);
    assert_eq!(lab.history()[3].2, 0);
}

#[test]
fn a_retry_starts_again_from_the_first_step() {
    let mut lab = guestbook();
    lab.patch_status(&json!({"abort": true}));
    lab.seconds(60);
    lab.patch_status(&json!({"abort": false}));
    lab.step(Duration::from_millis(15));
    assert!(
        lab.is("Progressing", "more replicas need to be updated"),
        "{:?}",
        lab.phase()
    );
    lab.seconds(60);
    assert!(lab.is("Paused", "CanaryPauseStep"));
    assert_eq!(
        (lab.index(), lab.status().get("abortedAt").cloned()),
        (1, None)
    );
}

#[test]
fn a_full_promotion_skips_what_is_left_and_is_healthy_when_all_pods_are() {
    let mut lab = guestbook();
    lab.patch_status(&json!({"promoteFull": true}));
    lab.step(Duration::from_millis(50));
    assert_eq!(lab.phase().0, "Progressing");
    assert_eq!(lab.index(), 4);
    lab.seconds(60);
    assert!(lab.is("Healthy", ""), "{:?}", lab.phase());
    assert_eq!(lab.serving(), "v3");
    assert_eq!(lab.status().get("promoteFull"), None);
    let completed = lab.events("RolloutCompleted");
    assert!(
        completed
            .iter()
            .any(|message| message.ends_with("Full promotion requested")),
        "{completed:?}"
    );
}

#[test]
fn an_abort_is_ignored_while_a_full_promotion_runs_unless_both_are_patched_at_once() {
    let mut lab = guestbook();
    lab.patch_status(&json!({"promoteFull": true}));
    lab.step(Duration::from_millis(50));
    lab.patch_status(&json!({"abort": true}));
    lab.step(Duration::from_millis(50));
    assert_eq!(lab.status().get("abort"), None);
    lab.patch_status(&json!({"promoteFull": false, "abort": true}));
    lab.seconds(4);
    assert_eq!(lab.phase().0, "Degraded");
    assert_eq!(lab.index(), 0);
}

#[test]
fn a_full_promotion_of_an_aborted_release_ships_it() {
    let mut lab = Lab::scenario("analysis", Kind::Rollout, "shop", "catalog");
    assert_eq!(lab.phase().0, "Degraded");
    lab.patch_status(&json!({"promoteFull": true}));
    lab.seconds(60);
    assert!(lab.is("Healthy", ""), "{:?}", lab.phase());
    assert_eq!(lab.serving(), "v3.2.0");
}

#[test]
fn an_abort_of_what_is_fully_promoted_is_dropped() {
    let mut lab = guestbook();
    lab.patch_status(&json!({"promoteFull": true}));
    lab.seconds(60);
    lab.patch_status(&json!({"abort": true}));
    lab.seconds(5);
    assert!(lab.is("Healthy", ""));
    assert_eq!(lab.status().get("abort"), None);
}

#[test]
fn backing_out_a_finished_release_is_a_new_canary_of_the_old_one_and_then_a_full_promotion() {
    let mut lab = guestbook();
    lab.patch_status(&json!({"promoteFull": true}));
    lab.seconds(60);
    lab.roll_back_to("v2");
    lab.seconds(30);
    assert!(lab.is("Paused", "CanaryPauseStep"), "{:?}", lab.phase());
    let history: Vec<_> = lab
        .history()
        .into_iter()
        .map(|(version, revision, _)| (version, revision))
        .collect();
    assert_eq!(
        history,
        [("v1".into(), 1), ("v3".into(), 3), ("v2".to_owned(), 4)],
        "renumbered to the newest"
    );
    let reused = lab
        .sets()
        .into_iter()
        .find(|set| image(set).ends_with("v2"))
        .unwrap();
    assert_eq!(
        reused["metadata"]["annotations"]["rollout.argoproj.io/revision-history"],
        "2"
    );
    lab.patch_status(&json!({"promoteFull": true}));
    lab.seconds(60);
    assert!(lab.is("Healthy", ""));
    assert_eq!(lab.serving(), "v2");
}

#[test]
fn a_full_promotion_asked_for_before_the_template_is_seen_is_lost() {
    let mut lab = guestbook();
    lab.patch_status(&json!({"promoteFull": true}));
    lab.seconds(60);
    lab.roll_back_to("v2");
    lab.patch_status(&json!({"promoteFull": true}));
    lab.seconds(60);
    assert!(lab.is("Paused", "CanaryPauseStep"), "{:?}", lab.phase());
    assert_eq!(lab.status().get("promoteFull"), None);
}

#[test]
fn going_back_to_stable_in_the_middle_skips_the_steps() {
    let mut lab = guestbook();
    lab.roll_back_to("v2");
    lab.seconds(60);
    assert!(lab.is("Healthy", ""), "{:?}", lab.phase());
    assert_eq!((lab.serving(), lab.index()), ("v2".to_owned(), 4));
    assert_eq!(lab.events("SkipSteps"), ["Rollback to stable ReplicaSets"]);
}

#[test]
fn within_the_rollback_window_the_template_alone_brings_the_old_version_back() {
    let mut lab = Lab::service(
        Kind::Rollout,
        "replicas = 4\nrollback-window = 3\nsteps = [\"weight 25\", \"pause\"]\nstory = [\n\
         { ago = \"3d\", release = { version = \"v1\" } },\n{ ago = \"1d\", release = { version = \"v2\" } }]",
    );
    assert!(lab.is("Healthy", ""));
    lab.roll_back_to("v1");
    lab.seconds(60);
    assert!(lab.is("Healthy", ""), "{:?}", lab.phase());
    assert_eq!(lab.serving(), "v1");
}

#[test]
fn editing_the_steps_starts_an_aborted_release_again() {
    let mut lab = guestbook();
    lab.patch_status(&json!({"abort": true}));
    lab.seconds(60);
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    lab.patch(
        Subresource::None,
        &json!({"spec": {"strategy": {"canary": {"steps": steps}}}}),
    );
    lab.seconds(60);
    assert!(lab.is("Paused", "CanaryPauseStep"), "{:?}", lab.phase());
}
