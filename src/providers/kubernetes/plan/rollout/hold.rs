//! Holding still and starting again: pause, resume, retry, restart. No version changes by any of them.

use jiff::SignedDuration;

use super::{PAUSE_TIME_S, STEP_TIME_S, deadline, way_back};
use crate::{
    model::{
        rollout::{Argo, ArgoStrategy, Rollout},
        source::Need,
    },
    ops::{
        goal::{Goal, PausedGoal},
        intent::Intent,
        plan::{Refusal, Risk, When},
    },
    providers::kubernetes::{
        plan::{
            Draft, Facts, one, sending, whole_second,
            words::{argo as command, patch},
        },
        requests,
    },
};

pub(super) fn pause(
    intent: &Intent,
    facts: &Facts,
    rollout: &Rollout,
    argo: &Argo,
) -> Result<Draft, Refusal> {
    let id = &rollout.id;
    let share = match (facts.release.actual_weight(), &argo.strategy) {
        (Some(weight), ArgoStrategy::Canary(canary)) => format!(
            "the canary keeps its {weight} of {} of the traffic",
            canary.weight.of
        ),
        _ => "traffic stays where it is".to_owned(),
    };
    Ok(Draft {
        title: format!("Pause {}", id.name),
        next: share,
        to: facts.release.current(),
        sends: one(requests::pause(id), intent)?,
        same_as: vec![command(id, "pause", "")],
        way_back: "u resumes it".to_owned(),
        not_undone: Vec::new(),
        skips: None,
        differs: Vec::new(),
        expect: format!("paused by hand within {PAUSE_TIME_S} s"),
        goal: Goal::PausedByHand(PausedGoal::Paused),
        time_s: PAUSE_TIME_S,
        risks: Vec::new(),
        needs: vec![Need::PatchRollouts],
        serves_after: None,
    })
}

pub(super) fn resume(
    intent: &Intent,
    facts: &Facts,
    rollout: &Rollout,
    argo: &Argo,
) -> Result<Draft, Refusal> {
    let id = &rollout.id;
    let mut risks = Vec::new();
    let next = if argo.promote_full {
        risks.push(Risk::ResumesFullPromotion);
        format!(
            "{} goes on to serve everything",
            facts.release.current().label()
        )
    } else if argo.pause_conditions.is_empty() {
        facts
            .release
            .next()
            .unwrap_or_else(|| "it goes on".to_owned())
    } else {
        "it waits at its step again".to_owned()
    };
    Ok(Draft {
        title: format!("Resume {}", id.name),
        next,
        to: facts.release.current(),
        sends: one(requests::resume(id), intent)?,
        same_as: vec![patch(id, "", r#"{"spec":{"paused":false}}"#)],
        way_back: "z pauses it again".to_owned(),
        not_undone: Vec::new(),
        skips: None,
        differs: Vec::new(),
        expect: format!("no longer paused by hand within {PAUSE_TIME_S} s"),
        goal: Goal::PausedByHand(PausedGoal::Resumed),
        time_s: PAUSE_TIME_S,
        risks,
        needs: vec![Need::PatchRollouts],
        serves_after: None,
    })
}

pub(super) fn retry(intent: &Intent, facts: &Facts, rollout: &Rollout, argo: &Argo) -> Draft {
    let id = &rollout.id;
    let first = match &argo.strategy {
        ArgoStrategy::Canary(canary) => crate::model::step::what_comes_next(&canary.steps, 0, None),
        ArgoStrategy::BlueGreen(_) | ArgoStrategy::Unknown => "the preview starts again".to_owned(),
    };
    Draft {
        title: format!("Retry {}", id.name),
        next: format!("{} starts again: {first}", facts.release.current().label()),
        to: facts.release.current(),
        sends: vec![sending(
            requests::retry(id),
            intent,
            None,
            None,
            When::AtOnce,
        )],
        same_as: vec![command(id, "retry rollout", "")],
        way_back: way_back(facts, argo),
        not_undone: Vec::new(),
        skips: None,
        differs: Vec::new(),
        expect: format!("no longer degraded within {STEP_TIME_S} s"),
        goal: Goal::RetryStarted {
            hash: argo.current_hash.clone(),
        },
        time_s: STEP_TIME_S,
        risks: vec![Risk::RunsAbortedAgain],
        needs: vec![Need::PatchRolloutsStatus],
        serves_after: None,
    }
}

pub(super) fn restart(intent: &Intent, facts: &Facts, rollout: &Rollout) -> Draft {
    let id = &rollout.id;
    // The controller replaces pods that are older than this, in whole seconds: with the present second it would leave those
    // alone that were made in it, and call the restart done. It waits for a time that is to come.
    let at = whole_second(facts.now) + SignedDuration::from_secs(1);
    Draft {
        title: format!("Restart {}", id.name),
        next: format!(
            "its {} pods are replaced, a few at a time",
            rollout.replicas.current
        ),
        to: facts.release.current(),
        sends: vec![sending(
            requests::restart(id, at),
            intent,
            None,
            None,
            When::AtOnce,
        )],
        same_as: vec![command(id, "restart", "")],
        way_back: "none needed: the version stays".to_owned(),
        not_undone: Vec::new(),
        skips: None,
        differs: Vec::new(),
        expect: format!("every pod is new within {} s", deadline(rollout)),
        goal: Goal::RestartedSince { at },
        time_s: deadline(rollout),
        risks: if rollout.replicas.desired <= 1 {
            vec![Risk::SinglePod]
        } else {
            Vec::new()
        },
        needs: vec![Need::PatchRollouts],
        serves_after: None,
    }
}
