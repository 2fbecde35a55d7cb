//! Going on: the next step, all of it at once, a switch. Must say what is skipped, and never ship more than is asked.

use super::{STEP_TIME_S, deadline, promotion, stable_version, way_back};
use crate::{
    model::{
        rollout::{Argo, ArgoStrategy, Canary, Phase, Rollout, RunPhase, RunRole},
        source::Need,
    },
    ops::{
        goal::Goal,
        intent::Intent,
        plan::{Refusal, Risk},
    },
    providers::kubernetes::{
        plan::{
            Draft, Facts,
            words::{argo as command, skipped, steps_left},
        },
        requests::How,
    },
};

pub(super) fn promote(
    intent: &Intent,
    facts: &Facts,
    rollout: &Rollout,
    argo: &Argo,
) -> Result<Draft, Refusal> {
    match &argo.strategy {
        ArgoStrategy::Canary(canary) => promote_canary(intent, facts, rollout, argo, canary),
        ArgoStrategy::BlueGreen(_) => switch(intent, facts, rollout, argo),
        ArgoStrategy::Unknown => Err(Refusal::guard(
            "its strategy is not one that this program knows",
        )),
    }
}

fn promote_canary(
    intent: &Intent,
    facts: &Facts,
    rollout: &Rollout,
    argo: &Argo,
    canary: &Canary,
) -> Result<Draft, Refusal> {
    let id = &rollout.id;
    let (index, count) = steps_left(&facts.release).unwrap_or((0, canary.steps.len()));
    let waits = rollout.phase == Phase::Paused && !argo.pause_conditions.is_empty();
    let inconclusive = argo
        .run(RunRole::Step)
        .is_some_and(|run| run.phase == RunPhase::Inconclusive)
        && waits;
    let background_inconclusive = waits
        && argo
            .run(RunRole::Background)
            .is_some_and(|run| run.phase == RunPhase::Inconclusive);
    let mut risks = Vec::new();
    let mut skips = None;
    let title = if waits {
        format!("Promote {}", id.name)
    } else {
        let running = argo
            .run(RunRole::Step)
            .is_some_and(|run| !run.phase.is_final());
        let step = canary
            .current_step()
            .map_or_else(|| "a step".to_owned(), |(_, step)| step.words());
        let words = match running {
            true => format!(
                "it is not waiting: this ends the running analysis ({step}) and goes on without its result"
            ),
            false => format!("it is not waiting: this skips {step}"),
        };
        skips = Some(format!("step {} of {count}: {step}", index + 1));
        risks.push(Risk::SkipsStep { words });
        format!("Skip step {} of {count} of {}", index + 1, id.name)
    };
    if inconclusive || background_inconclusive {
        risks.push(Risk::OverridesAnalysis {
            words: "an analysis was inconclusive: this goes on all the same".to_owned(),
        });
    }
    if argo.paused_by_hand {
        risks.push(Risk::OverridesAnalysis {
            words: "it was also paused by hand: this ends that pause too".to_owned(),
        });
    }
    let sends = promotion(intent, rollout, How::Default)?;
    let next =
        crate::model::step::what_comes_next(&canary.steps, index + 1, Some(canary.weight.set));
    Ok(Draft {
        title,
        next: format!(
            "{next}    step {} → {} of {count}",
            index + 1,
            (index + 2).min(count)
        ),
        to: facts.release.current(),
        sends,
        same_as: vec![command(id, "promote", "")],
        way_back: way_back(facts, argo),
        not_undone: Vec::new(),
        skips,
        differs: Vec::new(),
        expect: format!("{next} within {STEP_TIME_S} s"),
        goal: Goal::NextStep {
            hash: argo.current_hash.clone(),
            index: canary.index,
            steps: count,
        },
        time_s: STEP_TIME_S,
        risks,
        needs: needs(argo),
        serves_after: None,
    })
}

/// Blue-green: all traffic at once.
fn switch(
    intent: &Intent,
    facts: &Facts,
    rollout: &Rollout,
    argo: &Argo,
) -> Result<Draft, Refusal> {
    let id = &rollout.id;
    let to = facts.release.current();
    let hash = argo
        .current_hash
        .clone()
        .ok_or_else(|| Refusal::guard("its current version is not known"))?;
    let delay = rollout
        .blue_green()
        .map_or(30, |blue_green| blue_green.scale_down_delay_s);
    let mut risks = vec![Risk::BlueGreenSwitch];
    if argo
        .run(RunRole::PrePromotion)
        .is_some_and(|run| run.phase == RunPhase::Inconclusive)
    {
        risks.push(Risk::OverridesAnalysis {
            words: "the analysis before the switch was inconclusive".to_owned(),
        });
    }
    let sends = promotion(intent, rollout, How::Default)?;
    Ok(Draft {
        title: format!("Switch ALL traffic of {} to {}", id.name, to.label()),
        next: format!("all traffic goes to {} at once", to.label()),
        to,
        sends,
        same_as: vec![command(id, "promote", "")],
        way_back: format!(
            "instant for {delay} s after the switch, afterwards its pods must start again"
        ),
        not_undone: Vec::new(),
        skips: None,
        differs: Vec::new(),
        expect: format!("the active service points at {hash} within {STEP_TIME_S} s"),
        goal: Goal::SwitchTo { hash: hash.clone() },
        time_s: STEP_TIME_S,
        risks,
        needs: needs(argo),
        serves_after: Some(hash),
    })
}

pub(super) fn fully(
    intent: &Intent,
    facts: &Facts,
    rollout: &Rollout,
    argo: &Argo,
) -> Result<Draft, Refusal> {
    let id = &rollout.id;
    let hash = argo
        .current_hash
        .clone()
        .ok_or_else(|| Refusal::guard("its current version is not known"))?;
    let mut risks = vec![Risk::Fully];
    if argo.aborted {
        risks.push(Risk::OnAborted);
    }
    let skips = match (&argo.strategy, steps_left(&facts.release)) {
        (ArgoStrategy::Canary(canary), Some((index, _))) => skipped(&canary.steps, index),
        (ArgoStrategy::BlueGreen(_), _) => {
            Some("the pause before the switch and its analysis".to_owned())
        }
        _ => None,
    };
    let sends = promotion(intent, rollout, How::Full)?;
    let to = facts.release.current();
    Ok(Draft {
        title: format!("Promote {} fully", id.name),
        next: format!("{} serves everything", to.label()),
        to,
        sends,
        same_as: vec![command(id, "promote", " --full")],
        way_back: format!(
            "x stops it while it runs; afterwards x rolls back to {}",
            stable_version(facts).label()
        ),
        not_undone: Vec::new(),
        skips,
        differs: Vec::new(),
        expect: format!("healthy, {hash} is stable, within {} s", deadline(rollout)),
        goal: Goal::Fully { hash: hash.clone() },
        time_s: deadline(rollout),
        risks,
        needs: needs(argo),
        serves_after: Some(hash),
    })
}

/// A pause made by hand is ended too, and that is in the specification.
fn needs(argo: &Argo) -> Vec<Need> {
    let mut needs = vec![Need::PatchRolloutsStatus];
    if argo.paused_by_hand {
        needs.push(Need::PatchRollouts);
    }
    needs
}
