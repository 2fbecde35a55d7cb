//! The switch, and the way back.

use super::*;

#[test]
fn a_preview_waits_and_the_switch_keeps_the_old_version_for_a_while() {
    let mut lab = Lab::scenario("blue-green", Kind::Rollout, "shop", "payments");
    assert!(lab.is("Paused", "BlueGreenPause"), "{:?}", lab.phase());
    let status = lab.status();
    assert_ne!(
        status["blueGreen"]["activeSelector"],
        status["blueGreen"]["previewSelector"]
    );
    assert_eq!(
        status["blueGreen"]["previewSelector"],
        status["currentPodHash"]
    );
    lab.promote();
    lab.seconds(2);
    assert!(lab.is("Healthy", ""), "{:?}", lab.phase());
    let status = lab.status();
    assert_eq!(
        status["blueGreen"]["activeSelector"],
        status["currentPodHash"]
    );
    assert_eq!(lab.serving(), "v1.9.2");
    assert_eq!(lab.history()[1].2, 3, "the old version still runs");
    let old = lab
        .sets()
        .into_iter()
        .find(|set| image(set).ends_with("v1.9.1"))
        .unwrap();
    assert!(old["metadata"]["annotations"]["scale-down-deadline"].is_string());
    lab.seconds(40);
    assert_eq!(lab.history()[1].2, 0);
}

#[test]
fn a_blue_green_rollback_is_instant_while_the_old_version_runs() {
    let mut lab = Lab::scenario("blue-green", Kind::Rollout, "shop", "payments");
    lab.promote();
    lab.seconds(5);
    lab.roll_back_to("v1.9.1");
    lab.seconds(2);
    assert!(lab.is("Healthy", ""), "{:?}", lab.phase());
    assert_eq!(lab.serving(), "v1.9.1");
    let completed = lab.events("RolloutCompleted");
    assert!(
        completed
            .iter()
            .any(|message| message.ends_with("Fast rollback")),
        "{completed:?}"
    );
}

#[test]
fn a_later_blue_green_rollback_is_a_preview_until_it_is_promoted_fully() {
    let mut lab = Lab::scenario("blue-green", Kind::Rollout, "shop", "payments");
    lab.promote();
    lab.seconds(60);
    lab.roll_back_to("v1.9.1");
    lab.seconds(30);
    assert!(lab.is("Paused", "BlueGreenPause"), "{:?}", lab.phase());
    lab.patch_status(&json!({"promoteFull": true}));
    lab.seconds(5);
    assert!(lab.is("Healthy", ""), "{:?}", lab.phase());
    assert_eq!(lab.serving(), "v1.9.1");
}

#[test]
fn a_blue_green_abort_before_the_switch_leaves_the_active_version_alone() {
    let mut lab = Lab::scenario("blue-green", Kind::Rollout, "shop", "payments");
    let active = lab.status()["blueGreen"]["activeSelector"].clone();
    lab.patch_status(&json!({"abort": true}));
    lab.seconds(2);
    assert!(
        lab.is(
            "Degraded",
            "RolloutAborted: Rollout aborted update to revision 3"
        ),
        "{:?}",
        lab.phase()
    );
    assert_eq!(lab.status()["blueGreen"]["activeSelector"], active);
    lab.seconds(40);
    assert_eq!(lab.history()[2].2, 0, "the preview goes after its delay");
}
