//! Going back: abort, a chosen revision, backing out of what has finished. Must name the version that serves then.

use serde_json::{Value, json};

use super::{ABORT_TIME_S, deadline, stable_version};
use crate::{
    model::{
        id::{PodHash, ResourceVersion},
        replica_set::ReplicaSet,
        rollout::{Argo, ArgoStrategy, Rollout},
        source::Need,
    },
    ops::{
        goal::Goal,
        intent::Intent,
        plan::{Refusal, Risk, Sending, When},
    },
    providers::kubernetes::{
        plan::{
            Chosen, Draft, Facts, differences, last_that_served, not_undone, sending, template_of,
            version_of, with_revision,
            words::{argo as command, patch, pods_words, skipped},
        },
        requests,
    },
};

pub(super) fn abort(intent: &Intent, facts: &Facts, rollout: &Rollout, argo: &Argo) -> Draft {
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

pub(super) fn rollback(
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
    let second = |set: &ReplicaSet| set.created.map(|created| created.time().as_second());
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
pub(super) fn back_out_finished(
    intent: &Intent,
    facts: &Facts,
    rollout: &Rollout,
) -> Result<Draft, Refusal> {
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
