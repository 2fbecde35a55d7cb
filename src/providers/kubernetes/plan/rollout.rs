//! Plans for Argo Rollouts.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    Chosen, Draft, Facts, differences, finish, last_that_served, not_undone, sending, template_of,
    version_of, with_revision,
    words::{argo as command, patch, pods_words, skipped, steps_left},
};
use crate::{
    model::{
        id::{PodHash, ResourceVersion},
        release::Version,
        replica_set::ReplicaSet,
        rollout::{Argo, ArgoStrategy, Canary, Phase, Rollout, RunPhase, RunRole},
        source::Need,
    },
    ops::{
        goal::{Goal, PausedGoal},
        intent::{Intent, Verb},
        plan::{Plan, Refusal, Risk, Sending, When},
    },
    providers::kubernetes::requests::{self, How},
};

const STEP_TIME_S: i64 = 60;
const PAUSE_TIME_S: i64 = 30;
const ABORT_TIME_S: i64 = 120;
const PROGRESS_DEADLINE_S: i64 = 600;

pub(super) fn plan(intent: &Intent, facts: &Facts) -> Result<Plan, Refusal> {
    let rollout = &*facts.release.rollout;
    let argo = rollout
        .argo()
        .ok_or_else(|| Refusal::guard("it is no Rollout"))?;
    let draft = match intent.verb {
        Verb::Promote => promote(intent, facts, rollout, argo)?,
        Verb::PromoteFull => fully(intent, facts, rollout, argo)?,
        Verb::Pause => pause(intent, facts, rollout, argo)?,
        Verb::Resume => resume(intent, facts, rollout, argo)?,
        Verb::Abort => abort(intent, facts, rollout, argo),
        Verb::BackOut if rollout.fully_promoted() => back_out_finished(intent, facts, rollout)?,
        Verb::BackOut => {
            let mut draft = abort(intent, facts, rollout, argo);
            draft.title = format!("Back out {}", rollout.id.name);
            draft
        }
        Verb::Retry => retry(intent, facts, rollout, argo),
        Verb::Rollback => rollback(intent, facts, rollout, argo)?,
        Verb::Restart => restart(intent, facts, rollout),
        _ => {
            return Err(Refusal::guard(format!(
                "{} is not asked of a Rollout",
                intent.verb.title()
            )));
        }
    };
    Ok(finish(intent, facts, draft))
}

fn deadline(rollout: &Rollout) -> i64 {
    rollout.progress_deadline_s.unwrap_or(PROGRESS_DEADLINE_S)
}

/// The vendor's own decision, as requests.
fn promotion(intent: &Intent, rollout: &Rollout, how: How) -> Result<Vec<Sending>, Refusal> {
    let promotion =
        requests::promote(rollout, how).map_err(|why| Refusal::guard(why.to_string()))?;
    if promotion.sends.is_empty() {
        return Err(Refusal::guard("there is nothing to promote"));
    }
    Ok(promotion
        .sends
        .into_iter()
        .map(|request| sending(request, intent, None, None, When::AtOnce))
        .collect())
}

fn stable_version(facts: &Facts) -> Version {
    facts
        .release
        .serving_before()
        .unwrap_or_else(|| facts.release.current())
}

/// `x: v2.30.4 serves everything again, its 9 pods are up`.
fn way_back(facts: &Facts, argo: &Argo) -> String {
    let Some(stable) = &argo.stable_hash else {
        return "none: no version has served everything yet".to_owned();
    };
    let set = facts.release.set_with_hash(stable);
    format!(
        "x: {} serves everything again, {}",
        stable_version(facts).label(),
        pods_words(set, facts.release.rollout.replicas.desired)
    )
}

fn promote(
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
    let mut needs = vec![Need::PatchRolloutsStatus];
    if argo.paused_by_hand {
        needs.push(Need::PatchRollouts);
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
        needs,
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
    let mut needs = vec![Need::PatchRolloutsStatus];
    if argo.paused_by_hand {
        needs.push(Need::PatchRollouts);
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
        needs,
        serves_after: Some(hash),
    })
}

fn fully(intent: &Intent, facts: &Facts, rollout: &Rollout, argo: &Argo) -> Result<Draft, Refusal> {
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
    let mut needs = vec![Need::PatchRolloutsStatus];
    if argo.paused_by_hand {
        needs.push(Need::PatchRollouts);
    }
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
        needs,
        serves_after: Some(hash),
    })
}

fn pause(intent: &Intent, facts: &Facts, rollout: &Rollout, argo: &Argo) -> Result<Draft, Refusal> {
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
        sends: super::one(requests::pause(id), intent)?,
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

fn resume(
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
        sends: super::one(requests::resume(id), intent)?,
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

fn abort(intent: &Intent, facts: &Facts, rollout: &Rollout, argo: &Argo) -> Draft {
    let id = &rollout.id;
    let stable = stable_version(facts);
    let set = argo
        .stable_hash
        .as_ref()
        .and_then(|hash| facts.release.set_with_hash(hash));
    // An abort alone is removed by the controller while a full promotion is under way: both in one patch.
    let request = if argo.promote_full {
        requests::abort_full_promotion(id)
    } else {
        requests::abort(id)
    };
    let same_as = if argo.promote_full {
        patch(id, " --subresource status", &request.body.to_string())
    } else {
        command(id, "abort", "")
    };
    Draft {
        title: format!("Abort {}", id.name),
        next: format!(
            "{} serves 100 %, {}",
            stable.label(),
            pods_words(set, rollout.replicas.desired)
        ),
        to: stable,
        sends: vec![sending(request, intent, None, None, When::AtOnce)],
        same_as: vec![same_as],
        way_back: format!(
            "retry starts {} again from its first step",
            facts.release.current().label()
        ),
        not_undone: rollout.not_undone.iter().map(ToString::to_string).collect(),
        skips: None,
        differs: Vec::new(),
        expect: format!("degraded by intent, the canary has nothing, within {ABORT_TIME_S} s"),
        goal: Goal::Aborted {
            canary: argo.current_hash.clone(),
            stable: argo.stable_hash.clone(),
        },
        time_s: ABORT_TIME_S,
        risks: Vec::new(),
        needs: vec![Need::PatchRolloutsStatus],
        serves_after: argo.stable_hash.clone(),
    }
}

fn retry(intent: &Intent, facts: &Facts, rollout: &Rollout, argo: &Argo) -> Draft {
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

fn restart(intent: &Intent, facts: &Facts, rollout: &Rollout) -> Draft {
    let id = &rollout.id;
    // The controller replaces pods that are older than this, in whole seconds: with the present second it would leave those
    // alone that were made in it, and call the restart done. It waits for a time that is to come.
    let at = super::whole_second(facts.now) + SignedDuration::from_secs(1);
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

/// Where the template is written: the Rollout itself, or what its `workloadRef` names.
fn template_sending(
    intent: &Intent,
    facts: &Facts,
    rollout: &Rollout,
    chosen: &Chosen<'_>,
) -> Result<(Sending, Need), Refusal> {
    let template = template_of(facts, chosen.set)?;
    let holder = requests::holder(rollout).map_err(|why| Refusal::guard(why.to_string()))?;
    let request = requests::template(&holder, template.clone());
    let shown = template_shown(chosen);
    let says = Some(format!("template of revision {}", chosen.set.revision));
    let mut send = sending(request, intent, Some(shown), says, When::AtOnce);
    let need = match rollout
        .argo()
        .and_then(|argo| argo.workload_ref.as_ref())
        .map(|reference| &*reference.kind)
    {
        None => Need::PatchRollouts,
        Some(kind) => {
            // Another object with a version of its own: only the one that was read for this plan may be replaced.
            let held = facts.template_holder.as_ref().ok_or_else(|| {
                Refusal::guard("the object that holds the template could not be read")
            })?;
            send.holder_version = Some(ResourceVersion::new(&held.version));
            send.resends = 0;
            if kind == "ReplicaSet" {
                Need::PatchReplicaSets
            } else {
                Need::PatchDeployments
            }
        }
    };
    Ok((send, need))
}

/// A template in a record: by revision, hash and digest, never with its values.
fn template_shown(chosen: &Chosen<'_>) -> Value {
    json!([{
        "op": "replace",
        "path": "/spec/template",
        "value": format!("template of revision {} ({})", chosen.set.revision, chosen.hash),
    }])
}

fn rollback(
    intent: &Intent,
    facts: &Facts,
    rollout: &Rollout,
    argo: &Argo,
) -> Result<Draft, Refusal> {
    let id = &rollout.id;
    let chosen = match intent.to_revision {
        Some(revision) => with_revision(facts, revision)?,
        None => default_target(facts, argo)?,
    };
    if argo.current_hash.as_ref() == Some(&chosen.hash) {
        return Err(Refusal::guard(format!(
            "revision {} is the current version already",
            chosen.set.revision
        )));
    }
    let to_stable = argo.stable_hash.as_ref() == Some(&chosen.hash);
    let (send, need) = template_sending(intent, facts, rollout, &chosen)?;
    let to = version_of(chosen.set);
    // The controller lets a version whose pods wait to be scaled down skip the pause before the switch, if it is the older
    // one; ages are compared in whole seconds.
    let current = argo
        .current_hash
        .as_ref()
        .and_then(|hash| facts.release.set_with_hash(hash));
    let second = |set: &ReplicaSet| set.created.map(Timestamp::as_second);
    let is_older = current.is_some_and(|current| second(chosen.set) < second(current));
    let switches = matches!(argo.strategy, ArgoStrategy::BlueGreen(_))
        && chosen.set.scale_down_deadline.is_some()
        && is_older;
    let (next, expect) = if to_stable {
        (
            format!("{} is stable: it serves everything at once", to.label()),
            "healthy".to_owned(),
        )
    } else if switches {
        (
            format!(
                "all traffic goes to {} at once, without a pause: its pods still run",
                to.label()
            ),
            "healthy".to_owned(),
        )
    } else {
        let words = match &argo.strategy {
            ArgoStrategy::Canary(canary) if !canary.steps.is_empty() => {
                format!(
                    "a canary of {} from its first step: {}",
                    to.label(),
                    crate::model::step::what_comes_next(&canary.steps, 0, None)
                )
            }
            ArgoStrategy::BlueGreen(_) => {
                format!("{} becomes the preview and waits for a switch", to.label())
            }
            _ => format!("{} rolls out", to.label()),
        };
        (words, "healthy, or at its first stop".to_owned())
    };
    let mut risks = Vec::new();
    if intent.to_revision.is_some() && !to_stable {
        risks.push(Risk::ChosenRevision);
    }
    if switches {
        risks.push(Risk::BlueGreenSwitch);
    }
    Ok(Draft {
        title: format!("Roll {} back to revision {}", id.name, chosen.set.revision),
        next,
        sends: vec![send],
        same_as: vec![command(
            id,
            "undo",
            &format!(" --to-revision={}", chosen.set.revision),
        )],
        way_back: format!(
            "b rolls back to revision {} again",
            rollout
                .revision
                .map_or_else(|| "?".to_owned(), |n| n.to_string())
        ),
        not_undone: not_undone(facts, chosen.set),
        skips: None,
        differs: differences(facts, chosen.set),
        expect: format!("{expect} within {} s", deadline(rollout)),
        goal: Goal::Template {
            hash: chosen.hash.clone(),
            fully: false,
        },
        time_s: deadline(rollout),
        risks,
        needs: vec![need],
        serves_after: None,
        to,
    })
}

/// Without a revision: the stable version, which is not the second-newest revision while an update runs.
fn default_target<'a>(facts: &'a Facts, argo: &Argo) -> Result<Chosen<'a>, Refusal> {
    if facts.release.rollout.fully_promoted() {
        let kept: Vec<String> = facts
            .release
            .sets
            .iter()
            .map(|set| format!("{} ({})", set.revision, version_of(set).label()))
            .collect();
        return Err(Refusal::not_found(format!(
            "the stable version serves alone already: name one with --to; kept are {}",
            kept.join(", ")
        )));
    }
    let stable: &PodHash = argo
        .stable_hash
        .as_ref()
        .ok_or_else(|| Refusal::guard("no version has served everything yet"))?;
    let set = facts.release.set_with_hash(stable).ok_or_else(|| {
        Refusal::not_found("the ReplicaSet of the stable version is not there any more")
    })?;
    Ok(Chosen {
        set,
        hash: stable.clone(),
        evidence: "stable".to_owned(),
        guessed: false,
    })
}

/// A finished release: two requests under one confirmation. A full promotion that arrives before the controller has seen
/// the new template is cleared and lost, so the second waits until the target is the current version (wire facts, 1.6).
fn back_out_finished(intent: &Intent, facts: &Facts, rollout: &Rollout) -> Result<Draft, Refusal> {
    let id = &rollout.id;
    let chosen = last_that_served(facts)?;
    let (first, need) = template_sending(intent, facts, rollout, &chosen)?;
    let when = When::CurrentIs {
        hash: chosen.hash.clone(),
        words: format!("once {} is the current version", chosen.hash),
    };
    let second = sending(requests::promote_full_patch(id), intent, None, None, when);
    let to = version_of(chosen.set);
    let skips = rollout
        .canary()
        .and_then(|canary| skipped(&canary.steps, 0));
    let mut risks = Vec::new();
    if chosen.guessed {
        risks.push(Risk::TargetIsGuessed);
    }
    Ok(Draft {
        title: format!("Back out {}", id.name),
        next: format!(
            "{} serves 100 %, {}",
            to.label(),
            pods_words(Some(chosen.set), rollout.replicas.desired)
        ),
        sends: vec![first, second],
        same_as: vec![
            command(
                id,
                "undo",
                &format!(" --to-revision={}", chosen.set.revision),
            ),
            command(id, "promote", " --full"),
        ],
        way_back: format!(
            "b rolls forward to {} again",
            facts.release.current().label()
        ),
        not_undone: not_undone(facts, chosen.set),
        skips,
        differs: differences(facts, chosen.set),
        expect: format!(
            "healthy with {} ({}) within {} s",
            to.label(),
            chosen.evidence,
            deadline(rollout)
        ),
        goal: Goal::Template {
            hash: chosen.hash.clone(),
            fully: true,
        },
        time_s: deadline(rollout),
        risks,
        needs: vec![need, Need::PatchRolloutsStatus],
        serves_after: Some(chosen.hash.clone()),
        to,
    })
}
