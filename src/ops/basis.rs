//! What an operator's decision rests on, and whether it still holds. A busy controller moves `resourceVersion` all the
//! time (pod counts); only a change of one of these facts makes a plan untrue (wire facts, 0.1).

mod incident;
mod pipeline;

pub use incident::{SilenceBasis, same_matchers};
pub use pipeline::{GateBasis, Phase, RunBasis};

use super::seen::Seen;
use crate::model::{
    id::{PodHash, Uid},
    rollout::{Rollout, RunPhase, Workload},
    text::Safe,
};

/// The decision inputs of a plan, as they were when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Everything that a promotion, resume, retry or roll back looks at.
    Full(Box<Inputs>),
    /// An emergency stays true while it is the same object with the same versions. A full promotion or an abort that
    /// began meanwhile changes the request itself, so it counts as well.
    Emergency {
        uid: Uid,
        current: Option<PodHash>,
        stable: Option<PodHash>,
        flags: Flags,
        deployment_generation: Option<i64>,
    },
    /// What a decision about a run rests on.
    Run(Box<RunBasis>),
    /// What a silence rests on.
    Silence(Box<SilenceBasis>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    pub aborted: bool,
    pub promote_full: bool,
    pub paused_by_hand: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    pub uid: Uid,
    pub generation: i64,
    pub current: Option<PodHash>,
    pub stable: Option<PodHash>,
    pub index: Option<i32>,
    pub step_hash: Option<Safe>,
    pub pause_reasons: Vec<String>,
    pub controller_pause: bool,
    pub flags: Flags,
    pub runs: Vec<(Safe, RunPhase)>,
}

impl Basis {
    pub fn full(rollout: &Rollout) -> Self {
        let argo = rollout.argo();
        let mut runs: Vec<(Safe, RunPhase)> = argo
            .map(|argo| {
                argo.runs_in_force
                    .iter()
                    .map(|run| (run.name.clone(), run.phase.clone()))
                    .collect()
            })
            .unwrap_or_default();
        runs.sort_by(|a, b| a.0.cmp(&b.0));
        Self::Full(Box::new(Inputs {
            uid: rollout.uid.clone(),
            generation: rollout.generation,
            current: argo.and_then(|argo| argo.current_hash.clone()),
            stable: argo.and_then(|argo| argo.stable_hash.clone()),
            index: rollout.canary().and_then(|canary| canary.index),
            step_hash: rollout.canary().and_then(|canary| canary.step_hash.clone()),
            pause_reasons: argo
                .map(|argo| {
                    argo.pause_conditions
                        .iter()
                        .map(|condition| condition.reason.vendor().to_owned())
                        .collect()
                })
                .unwrap_or_default(),
            controller_pause: argo.is_some_and(|argo| argo.controller_pause),
            flags: flags(rollout),
            runs,
        }))
    }

    pub fn emergency(rollout: &Rollout) -> Self {
        let argo = rollout.argo();
        Self::Emergency {
            uid: rollout.uid.clone(),
            current: argo.and_then(|argo| argo.current_hash.clone()),
            stable: argo.and_then(|argo| argo.stable_hash.clone()),
            flags: flags(rollout),
            // A Deployment tells its version by its generation only: any change of its spec may be a new template.
            deployment_generation: match rollout.workload {
                Workload::ArgoRollout(_) => None,
                Workload::Deployment { .. } | Workload::StatefulSet | Workload::DaemonSet => {
                    Some(rollout.generation)
                }
            },
        }
    }

    /// `None` when what was read still is what the plan was made from, else what changed, in words.
    pub fn changed(&self, seen: &Seen) -> Option<String> {
        match (self, seen) {
            (Self::Full(_) | Self::Emergency { .. }, Seen::Rollout(rollout)) => {
                self.changed_rollout(rollout)
            }
            (Self::Run(basis), Seen::Run(read)) => basis.changed(read),
            (Self::Silence(basis), Seen::Incidents(facts)) => basis.changed(facts),
            _ => Some("it is another kind of thing now".to_owned()),
        }
    }

    /// A later request of a plan follows one of our own, which has changed what the decision rested on. What must still
    /// hold is that it is the same object with the same versions.
    pub fn changed_since_our_own(&self, seen: &Seen) -> Option<String> {
        let (Self::Full(was), Seen::Rollout(rollout)) = (self, seen) else {
            return self.changed(seen);
        };
        let Self::Full(is) = Self::full(rollout) else {
            return None;
        };
        let other = was.uid != is.uid
            || was.current != is.current
            || was.stable != is.stable
            || was.step_hash != is.step_hash
            || (!was.flags.aborted && is.flags.aborted)
            || (!was.flags.promote_full && is.flags.promote_full);
        other.then(|| what_changed(was, &is))
    }

    /// As [`Basis::changed`], of a rollout that is at hand.
    pub fn changed_rollout(&self, rollout: &Rollout) -> Option<String> {
        let now = match self {
            Self::Full(_) => Self::full(rollout),
            Self::Emergency { .. } => Self::emergency(rollout),
            Self::Run(_) | Self::Silence(_) => return None,
        };
        if now == *self {
            return None;
        }
        Some(match (self, &now) {
            (Self::Full(was), Self::Full(is)) => what_changed(was, is),
            (Self::Emergency { uid: was, .. }, Self::Emergency { uid: is, .. }) if was != is => {
                RECREATED.to_owned()
            }
            (Self::Emergency { current: was, .. }, Self::Emergency { current: is, .. })
                if was != is =>
            {
                version_words(was.as_ref(), is.as_ref())
            }
            (Self::Emergency { stable: was, .. }, Self::Emergency { stable: is, .. })
                if was != is =>
            {
                format!("the stable version is now {}", hash_words(is.as_ref()))
            }
            (Self::Emergency { flags: was, .. }, Self::Emergency { flags: is, .. })
                if was != is =>
            {
                flag_words(*was, *is)
            }
            _ => "its spec was changed".to_owned(),
        })
    }
}

const RECREATED: &str = "it was deleted, and another object has its name now";

fn flags(rollout: &Rollout) -> Flags {
    let argo = rollout.argo();
    Flags {
        aborted: argo.is_some_and(|argo| argo.aborted),
        promote_full: argo.is_some_and(|argo| argo.promote_full),
        paused_by_hand: rollout.paused_by_hand(),
    }
}

fn what_changed(was: &Inputs, is: &Inputs) -> String {
    if was.uid != is.uid {
        return RECREATED.to_owned();
    }
    if was.current != is.current {
        return version_words(was.current.as_ref(), is.current.as_ref());
    }
    if was.stable != is.stable {
        return format!(
            "the stable version is now {}",
            hash_words(is.stable.as_ref())
        );
    }
    if was.flags != is.flags {
        return flag_words(was.flags, is.flags);
    }
    if was.step_hash != is.step_hash {
        return "its steps were edited".to_owned();
    }
    if was.index != is.index {
        return format!(
            "it moved from step {} to step {}",
            index_words(was.index),
            index_words(is.index)
        );
    }
    if was.pause_reasons != is.pause_reasons || was.controller_pause != is.controller_pause {
        return match is.pause_reasons.as_slice() {
            [] => "somebody has just let it go on".to_owned(),
            reasons => format!("it is now paused because of {}", reasons.join(", ")),
        };
    }
    if was.runs != is.runs {
        return match is.runs.iter().find(|run| !was.runs.contains(run)) {
            Some((name, phase)) => format!("analysis {} is now {}", &**name, phase.vendor()),
            None => "an analysis ended".to_owned(),
        };
    }
    "its spec was changed".to_owned()
}

fn flag_words(was: Flags, is: Flags) -> String {
    match () {
        () if !was.aborted && is.aborted => "it was aborted meanwhile",
        () if was.aborted && !is.aborted => "it is no longer aborted",
        () if !was.promote_full && is.promote_full => "a full promotion was asked for meanwhile",
        () if was.promote_full && !is.promote_full => "the full promotion has ended",
        () if is.paused_by_hand => "it was paused by hand meanwhile",
        () => "it was resumed meanwhile",
    }
    .to_owned()
}

fn version_words(was: Option<&PodHash>, is: Option<&PodHash>) -> String {
    format!(
        "the version changed from {} to {}",
        hash_words(was),
        hash_words(is)
    )
}

fn hash_words(hash: Option<&PodHash>) -> String {
    hash.map_or_else(|| "none".to_owned(), ToString::to_string)
}

/// Steps are counted from one wherever people read them, as in the plan that this sentence is shown beside.
fn index_words(index: Option<i32>) -> String {
    index.map_or_else(
        || "none".to_owned(),
        |index| index.saturating_add(1).to_string(),
    )
}
