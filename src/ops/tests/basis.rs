//! What a plan rests on: which changes make it untrue, and which do not.

use super::fixture::{canary, with};
use crate::{
    model::{
        id::{PodHash, ResourceVersion, Uid},
        rollout::{ArgoStrategy, PauseCondition, PauseReason, RunInForce, RunPhase, RunRole},
        text::{Safe, sanitise},
    },
    ops::basis::Basis,
};

#[test]
fn a_background_analysis_that_turns_inconclusive_during_a_pause_makes_a_promotion_untrue() {
    let basis = Basis::full(&canary());
    let another_reason = with(|_, argo| {
        argo.pause_conditions.push(PauseCondition {
            reason: PauseReason::InconclusiveAnalysis,
            since: None,
        });
    });
    assert!(basis.changed_rollout(&another_reason).is_some());
    let run = |phase| {
        with(|_, argo| {
            argo.runs_in_force = Box::new([RunInForce {
                role: RunRole::Background,
                name: sanitise("run"),
                phase,
                message: Safe::default(),
            }]);
        })
    };
    let basis = Basis::full(&run(RunPhase::Running));
    assert_eq!(basis.changed_rollout(&run(RunPhase::Running)), None);
    assert!(
        basis
            .changed_rollout(&run(RunPhase::Inconclusive))
            .is_some()
    );
}

#[test]
fn an_emergency_survives_another_step_weight_and_version_of_the_object() {
    let basis = Basis::emergency(&canary());
    let moved = with(|rollout, argo| {
        rollout.version = ResourceVersion::new("999");
        rollout.replicas.updated = 3;
        argo.pause_conditions.clear();
        if let ArgoStrategy::Canary(canary) = &mut argo.strategy {
            canary.index = Some(2);
            canary.weight.set = 50;
        }
    });
    assert_eq!(basis.changed_rollout(&moved), None);
}

#[test]
fn an_emergency_does_not_survive_another_object_or_another_version() {
    let basis = Basis::emergency(&canary());
    assert!(
        basis
            .changed_rollout(&with(|rollout, _| rollout.uid = Uid::new("uid-2")))
            .is_some()
    );
    assert!(
        basis
            .changed_rollout(&with(
                |_, argo| argo.current_hash = Some(PodHash::new("newer"))
            ))
            .is_some()
    );
    assert!(
        basis
            .changed_rollout(&with(
                |_, argo| argo.stable_hash = Some(PodHash::new("other"))
            ))
            .is_some()
    );
    assert!(
        basis
            .changed_rollout(&with(|_, argo| argo.promote_full = true))
            .is_some(),
        "it changes the request itself"
    );
}
