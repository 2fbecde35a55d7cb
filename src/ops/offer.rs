//! Which verbs are offered for a release, and every reason why not, all at once. A hint for keys, menus and the JSON:
//! the plan asks the same questions of a fresh read, and only that decides.

use crate::model::{
    id::WorkloadKind,
    release::Release,
    rollout::{ArgoStrategy, Phase},
    source::{Access, Answer, Need},
};

use super::intent::Verb;

/// Why a verb is not offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// The release is not in a state for it.
    State(String),
    NotPermitted(String),
    /// Its facts cannot be believed now.
    Source(String),
    ReadOnly(String),
}

impl Because {
    pub fn words(&self) -> &str {
        match self {
            Self::State(words)
            | Self::NotPermitted(words)
            | Self::Source(words)
            | Self::ReadOnly(words) => words,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub verb: Verb,
    pub because: Vec<Because>,
}

impl Offer {
    pub fn offered(&self) -> bool {
        self.because.is_empty()
    }

    /// Whether its plan can be made at all, if only as a preview that cannot be sent.
    pub fn can_be_planned(&self) -> bool {
        !self
            .because
            .iter()
            .any(|because| matches!(because, Because::State(_)))
    }
}

/// Every verb with the reasons against it. `access` is `None` while it has not been asked.
pub fn offers(release: &Release, access: Option<&Access>) -> Vec<Offer> {
    Verb::OF_ROLLOUT
        .into_iter()
        .map(|verb| offer(verb, release, access))
        .collect()
}

pub fn offer(verb: Verb, release: &Release, access: Option<&Access>) -> Offer {
    let mut because: Vec<Because> = state(verb, release)
        .into_iter()
        .map(Because::State)
        .collect();
    if let Some(access) = access {
        for need in needs(verb, release) {
            if let Some(Answer::Denied | Answer::NotAnswered(_)) = access.to(need) {
                because.push(Because::NotPermitted(format!(
                    "not permitted: {} in {}",
                    need.words(),
                    access.namespace
                )));
            }
        }
    }
    Offer { verb, because }
}

/// What one must be allowed to do. The plan says it exactly; this is the most likely.
pub fn needs(verb: Verb, release: &Release) -> impl Iterator<Item = Need> + use<> {
    let rollout = &release.rollout;
    let status = Some(Need::PatchRolloutsStatus);
    let needs = match rollout.kind() {
        WorkloadKind::ArgoRollout => match verb {
            // The pause made by hand is ended too, and that is in the specification.
            Verb::Promote | Verb::PromoteFull if rollout.paused_by_hand() => {
                [status, Some(Need::PatchRollouts)]
            }
            Verb::Promote | Verb::PromoteFull | Verb::Abort | Verb::Retry => [status, None],
            Verb::Pause | Verb::Resume | Verb::Restart => [Some(Need::PatchRollouts), None],
            Verb::Rollback => [Some(template_need(release)), None],
            Verb::BackOut if rollout.fully_promoted() => [Some(template_need(release)), status],
            Verb::BackOut => [status, None],
            // The CI host and the alert manager are asked for permission by the plan.
            _ => [None, None],
        },
        _ if !verb.is_of_rollout() => [None, None],
        WorkloadKind::Deployment => [Some(Need::PatchDeployments), None],
        WorkloadKind::StatefulSet => [Some(Need::PatchStatefulSets), None],
        WorkloadKind::DaemonSet => [Some(Need::PatchDaemonSets), None],
    };
    needs.into_iter().flatten()
}

fn template_need(release: &Release) -> Need {
    match release
        .rollout
        .argo()
        .and_then(|argo| argo.workload_ref.as_ref())
        .map(|reference| &*reference.kind)
    {
        Some("Deployment") => Need::PatchDeployments,
        Some("ReplicaSet") => Need::PatchReplicaSets,
        _ => Need::PatchRollouts,
    }
}

/// The reasons that lie in the release itself.
pub fn state(verb: Verb, release: &Release) -> Vec<String> {
    let kind = release.rollout.kind();
    if !verb.is_of_rollout() {
        return Vec::new();
    }
    match (kind, verb) {
        (_, Verb::Restart) => restart(release),
        (WorkloadKind::StatefulSet | WorkloadKind::DaemonSet, _) => {
            vec![format!("a {} is shown and restarted only", kind.vendor())]
        }
        (
            WorkloadKind::Deployment,
            Verb::Promote | Verb::PromoteFull | Verb::Abort | Verb::Retry,
        ) => {
            vec![format!("a Deployment has no {}", verb.title())]
        }
        (WorkloadKind::Deployment, _) => deployment(verb, release),
        (WorkloadKind::ArgoRollout, _) => argo(verb, release),
    }
}

fn restart(release: &Release) -> Vec<String> {
    let paused_deployment =
        release.rollout.kind() == WorkloadKind::Deployment && release.rollout.paused_by_hand();
    if paused_deployment {
        vec!["it is paused by hand: resume it first".to_owned()]
    } else {
        Vec::new()
    }
}

fn deployment(verb: Verb, release: &Release) -> Vec<String> {
    let mut because = Vec::new();
    let paused = release.rollout.paused_by_hand();
    match verb {
        Verb::Pause if paused => because.push("it is paused by hand already".to_owned()),
        Verb::Resume if !paused => because.push("it is not paused".to_owned()),
        Verb::BackOut | Verb::Rollback => {
            if paused {
                because.push("it is paused by hand: nothing rolls until it is resumed".to_owned());
            }
            if release.previous().is_none() {
                because.push("no earlier revision is kept".to_owned());
            }
        }
        _ => {}
    }
    because
}

fn argo(verb: Verb, release: &Release) -> Vec<String> {
    let rollout = &release.rollout;
    let Some(argo) = rollout.argo() else {
        return vec!["it is no Rollout".to_owned()];
    };
    let done = rollout.fully_promoted();
    let mut because = Vec::new();
    let mut say = |words: &str| because.push(words.to_owned());
    match verb {
        Verb::BackOut => {
            if argo.aborted && !argo.promote_full {
                say("it is aborted: the stable version serves everything already");
            } else if done && release.previous().is_none() {
                say("no earlier revision is kept");
            } else if !done && argo.stable_hash.is_none() {
                say("no version has served everything yet: there is nothing to go back to");
            }
        }
        Verb::Pause => {
            if argo.paused_by_hand {
                say("it is paused by hand already");
            }
            if done {
                say("nothing is moving: it is fully promoted");
            }
            if argo.aborted {
                say("nothing is moving: it is aborted");
            }
        }
        Verb::Resume if !argo.paused_by_hand => {
            say(if argo.pause_conditions.is_empty() {
                "it is not paused by hand"
            } else {
                "its steps paused it, nobody did by hand: promote goes on"
            });
        }
        Verb::Promote => promote(release, &mut because),
        Verb::PromoteFull => {
            if done {
                say("it is fully promoted already");
            }
            if argo.promote_full {
                say("a full promotion is under way already");
            }
        }
        Verb::Abort => {
            if done {
                say("the release has finished: the vendor ignores an abort now, back out instead");
            }
            if argo.aborted && !argo.promote_full {
                say("it is aborted already");
            }
            if argo.stable_hash.is_none() {
                say("no version has served everything yet: there is nothing to go back to");
            }
        }
        Verb::Retry if !argo.aborted => say("it is not aborted"),
        Verb::Rollback if release.previous().is_none() => say("no earlier revision is kept"),
        _ => {}
    }
    because
}

fn promote(release: &Release, because: &mut Vec<String>) {
    let rollout = &release.rollout;
    let Some(argo) = rollout.argo() else { return };
    let mut say = |words: &str| because.push(words.to_owned());
    if rollout.fully_promoted() {
        say("it is fully promoted already");
        return;
    }
    if argo.aborted {
        say("it is aborted: retry starts it again");
    }
    if argo.promote_full {
        say("a full promotion is under way already");
    }
    if argo.waiting_to_unpause() {
        say(
            "it was let go on a moment ago and the controller has not acted yet: another promote would skip a step",
        );
    }
    if !rollout.generation_observed {
        say("the controller has not seen the latest change of its spec yet");
    }
    if argo.paused_by_hand && argo.pause_conditions.is_empty() {
        say("it is paused by hand: resume it first");
    }
    match &argo.strategy {
        ArgoStrategy::Canary(canary) if canary.steps.is_empty() => {
            say("it has no steps: it goes on by itself");
        }
        ArgoStrategy::Canary(canary)
            if canary.current_step().is_none() && argo.pause_conditions.is_empty() =>
        {
            say("all its steps are done");
        }
        ArgoStrategy::BlueGreen(_)
            if argo.pause_conditions.is_empty() && rollout.phase != Phase::Paused =>
        {
            say("the preview is not waiting for a switch");
        }
        ArgoStrategy::Unknown => say("its strategy is not one that this program knows"),
        ArgoStrategy::Canary(_) | ArgoStrategy::BlueGreen(_) => {}
    }
}
