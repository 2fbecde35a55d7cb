//! Plans for the built-in kinds: Deployments, and restarts of StatefulSets and DaemonSets.

use serde_json::json;

use super::{
    Chosen, Draft, Facts, differences, finish, last_that_served, not_undone, sending, template_of,
    version_of, with_revision,
    words::{kubectl, pods_words},
};
use crate::{
    model::{id::WorkloadKind, rollout::Rollout, source::Need},
    ops::{
        goal::{Goal, PausedGoal},
        intent::{Intent, Verb},
        plan::{Plan, Refusal, Risk, When},
    },
    providers::kubernetes::requests,
};

const PAUSE_TIME_S: i64 = 30;
const PROGRESS_DEADLINE_S: i64 = 600;

pub(super) fn plan(intent: &Intent, facts: &Facts) -> Result<Plan, Refusal> {
    let rollout = &*facts.release.rollout;
    let draft = match intent.verb {
        Verb::Pause => pause(intent, facts, rollout)?,
        Verb::Resume => resume(intent, facts, rollout)?,
        Verb::Restart => restart(intent, facts, rollout),
        Verb::BackOut => template(intent, facts, rollout, &last_that_served(facts)?)?,
        Verb::Rollback => {
            let chosen = match intent.to_revision {
                Some(revision) => with_revision(facts, revision)?,
                None if rollout.fully_promoted() => {
                    let kept: Vec<String> = facts
                        .release
                        .sets
                        .iter()
                        .map(|set| format!("{} ({})", set.revision, version_of(set).label()))
                        .collect();
                    return Err(Refusal::not_found(format!(
                        "the current version serves alone already: name one with --to; kept are {}",
                        kept.join(", ")
                    )));
                }
                None => last_that_served(facts)?,
            };
            template(intent, facts, rollout, &chosen)?
        }
        _ => {
            return Err(Refusal::guard(format!(
                "a {} has no {}",
                rollout.id.kind.vendor(),
                intent.verb.title()
            )));
        }
    };
    Ok(finish(intent, facts, draft))
}

fn deadline(rollout: &Rollout) -> i64 {
    rollout
        .progress_deadline_s
        .map_or(PROGRESS_DEADLINE_S, i64::from)
}

const fn need(kind: WorkloadKind) -> Need {
    match kind {
        WorkloadKind::StatefulSet => Need::PatchStatefulSets,
        WorkloadKind::DaemonSet => Need::PatchDaemonSets,
        WorkloadKind::Deployment | WorkloadKind::ArgoRollout => Need::PatchDeployments,
    }
}

fn pause(intent: &Intent, facts: &Facts, rollout: &Rollout) -> Result<Draft, Refusal> {
    let replicas = rollout.replicas;
    Ok(Draft {
        title: format!("Pause {}", rollout.id.name),
        next: format!(
            "{} of {} pods stay new, the others stay old",
            replicas.updated, replicas.desired
        ),
        to: facts.release.current(),
        sends: super::one(requests::pause(&rollout.id), intent)?,
        same_as: vec![kubectl(rollout, "pause", "")],
        way_back: "u resumes it".to_owned(),
        not_undone: Vec::new(),
        skips: None,
        differs: Vec::new(),
        expect: format!("paused within {PAUSE_TIME_S} s"),
        goal: Goal::PausedByHand(PausedGoal::Paused),
        time_s: PAUSE_TIME_S,
        risks: Vec::new(),
        needs: vec![Need::PatchDeployments],
        serves_after: None,
    })
}

fn resume(intent: &Intent, facts: &Facts, rollout: &Rollout) -> Result<Draft, Refusal> {
    Ok(Draft {
        title: format!("Resume {}", rollout.id.name),
        next: "it rolls on to the end".to_owned(),
        to: facts.release.current(),
        sends: super::one(requests::resume(&rollout.id), intent)?,
        same_as: vec![kubectl(rollout, "resume", "")],
        way_back: "z pauses it again".to_owned(),
        not_undone: Vec::new(),
        skips: None,
        differs: Vec::new(),
        expect: format!("no longer paused within {PAUSE_TIME_S} s"),
        goal: Goal::PausedByHand(PausedGoal::Resumed),
        time_s: PAUSE_TIME_S,
        risks: Vec::new(),
        needs: vec![Need::PatchDeployments],
        serves_after: None,
    })
}

fn restart(intent: &Intent, facts: &Facts, rollout: &Rollout) -> Draft {
    let at = super::whole_second(facts.now);
    Draft {
        title: format!("Restart {}", rollout.id.name),
        next: format!(
            "its {} pods are replaced as its strategy allows",
            rollout.replicas.desired
        ),
        to: facts.release.current(),
        sends: vec![sending(
            requests::restart(&rollout.id, at),
            intent,
            None,
            None,
            When::AtOnce,
        )],
        same_as: vec![kubectl(rollout, "restart", "")],
        way_back: "none needed: the version stays".to_owned(),
        not_undone: Vec::new(),
        skips: None,
        differs: Vec::new(),
        expect: format!("every pod is new within {} s", deadline(rollout)),
        goal: Goal::Complete {
            after_generation: rollout.generation,
        },
        time_s: deadline(rollout),
        risks: if rollout.replicas.desired <= 1 && rollout.kind() != WorkloadKind::DaemonSet {
            vec![Risk::SinglePod]
        } else {
            Vec::new()
        },
        needs: vec![need(rollout.kind())],
        serves_after: None,
    }
}

fn template(
    intent: &Intent,
    facts: &Facts,
    rollout: &Rollout,
    chosen: &Chosen<'_>,
) -> Result<Draft, Refusal> {
    let template = template_of(facts, chosen.set)?;
    if let Some(current) = &facts.current_template
        && super::history::same_template(current, template)
    {
        return Err(Refusal::guard(format!(
            "revision {} is the current template already",
            chosen.set.revision
        )));
    }
    let holder = requests::holder(rollout).map_err(|why| Refusal::guard(why.to_string()))?;
    let request = requests::template(&holder, template.clone());
    let shown = json!([{
        "op": "replace",
        "path": "/spec/template",
        "value": format!("template of revision {} ({})", chosen.set.revision, chosen.hash),
    }]);
    let to = version_of(chosen.set);
    let mut risks = Vec::new();
    if chosen.guessed && intent.verb == Verb::BackOut {
        risks.push(Risk::TargetIsGuessed);
    }
    if intent.verb == Verb::Rollback && intent.to_revision.is_some() {
        risks.push(Risk::ChosenRevision);
    }
    let title = match intent.verb {
        Verb::BackOut => format!("Back out {}", rollout.id.name),
        _ => format!(
            "Roll {} back to revision {}",
            rollout.id.name, chosen.set.revision
        ),
    };
    Ok(Draft {
        title,
        next: format!(
            "{} rolls out and serves 100 %, {}",
            to.label(),
            pods_words(Some(chosen.set), rollout.replicas.desired)
        ),
        sends: vec![sending(
            request,
            intent,
            Some(shown),
            Some(format!("template of revision {}", chosen.set.revision)),
            When::AtOnce,
        )],
        same_as: vec![kubectl(
            rollout,
            "undo",
            &format!(" --to-revision={}", chosen.set.revision),
        )],
        way_back: format!(
            "b rolls forward to {} again",
            facts.release.current().label()
        ),
        not_undone: not_undone(facts, chosen.set),
        skips: None,
        differs: differences(facts, chosen.set),
        expect: format!(
            "rollout complete ({}) within {} s",
            chosen.evidence,
            deadline(rollout)
        ),
        goal: Goal::Complete {
            after_generation: rollout.generation,
        },
        time_s: deadline(rollout),
        risks,
        needs: vec![Need::PatchDeployments],
        serves_after: Some(chosen.hash.clone()),
        to,
    })
}
