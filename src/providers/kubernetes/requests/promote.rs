//! Promote, decided exactly as the vendor's plugin does. Where it paused, the pause conditions are cleared; where it did
//! not, the index is moved, which skips the step: whoever shows the plan says which of the two it is.

use serde_json::{Value, json};

use super::{MERGE_PATCH, Request, object_path, status_path};
use crate::model::rollout::{Argo, ArgoStrategy, Canary, Rollout, RunPhase, RunRole};

/// The plugin's flags; they exclude each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// One step.
    Default,
    /// `--full`: to the end.
    Full,
    /// `--skip-current-step`, deprecated upstream.
    SkipCurrentStep,
    /// `--skip-all-steps`, deprecated upstream.
    SkipAllSteps,
}

/// The requests of one promotion, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Promotion {
    pub sends: Vec<Request>,
    /// What is sent instead where the first answer is 404 although the object exists: controllers up to v0.9 have no
    /// status subresource, and take both halves in one patch.
    pub without_status_subresource: Vec<Request>,
}

/// There is no step that could be skipped. The texts are the vendor's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSteps {
    #[error("Cannot skip steps of a bluegreen rollout. Run without a flags")]
    BlueGreen,
    #[error("Cannot skip steps of a rollout without steps")]
    CanaryWithoutSteps,
    #[error("only an Argo Rollout can be promoted")]
    NotARollout,
}

/// The three patches the plugin prepares.
#[derive(Default)]
struct Patches {
    status: Option<Value>,
    spec: Option<Value>,
    unified: Option<Value>,
}

pub fn promote(rollout: &Rollout, how: How) -> Result<Promotion, NoSteps> {
    let argo = rollout.argo().ok_or(NoSteps::NotARollout)?;
    let patches = match how {
        How::Default => one_step(argo),
        How::Full => full(argo),
        How::SkipCurrentStep => {
            let canary = with_steps(argo)?;
            to_index(next_index(canary))
        }
        How::SkipAllSteps => {
            let canary = with_steps(argo)?;
            to_index(i32::try_from(canary.steps.len()).unwrap_or(i32::MAX))
        }
    };
    Ok(patches.into_promotion(rollout))
}

/// To the end. Where nothing is left to promote, a pause by hand is still taken back; where there is none either, no
/// request is needed.
pub fn promote_full(rollout: &Rollout) -> Result<Promotion, NoSteps> {
    promote(rollout, How::Full)
}

fn with_steps(argo: &Argo) -> Result<&Canary, NoSteps> {
    match &argo.strategy {
        ArgoStrategy::BlueGreen(_) => Err(NoSteps::BlueGreen),
        ArgoStrategy::Canary(canary) if !canary.steps.is_empty() => Ok(canary),
        ArgoStrategy::Canary(_) | ArgoStrategy::Unknown => Err(NoSteps::CanaryWithoutSteps),
    }
}

fn next_index(canary: &Canary) -> i32 {
    let steps = i32::try_from(canary.steps.len()).unwrap_or(i32::MAX);
    let index = canary.index.unwrap_or(0);
    if index < steps {
        index.saturating_add(1)
    } else {
        index
    }
}

fn to_index(index: i32) -> Patches {
    let patch = json!({"status": {"currentStepIndex": index}});
    Patches {
        status: Some(patch.clone()),
        spec: None,
        unified: Some(patch),
    }
}

fn unpause(argo: &Argo) -> Option<Value> {
    argo.paused_by_hand
        .then(|| json!({"spec": {"paused": false}}))
}

fn full(argo: &Argo) -> Patches {
    Patches {
        status: (argo.current_hash != argo.stable_hash)
            .then(|| json!({"status": {"promoteFull": true}})),
        spec: unpause(argo),
        unified: Some(json!({"spec": {"paused": false}, "status": {"promoteFull": true}})),
    }
}

fn one_step(argo: &Argo) -> Patches {
    let stepped = match &argo.strategy {
        ArgoStrategy::Canary(canary) if !canary.steps.is_empty() => Some(canary),
        _ => None,
    };
    let is_canary = matches!(argo.strategy, ArgoStrategy::Canary(_));
    let paused = !argo.pause_conditions.is_empty();
    let inconclusive = is_canary
        && argo
            .run(RunRole::Step)
            .is_some_and(|run| run.phase == RunPhase::Inconclusive);
    let mut patches = Patches {
        status: None,
        spec: unpause(argo),
        unified: Some(json!({"spec": {"paused": false}, "status": {"pauseConditions": null}})),
    };
    if inconclusive && paused && argo.controller_pause {
        // All three, or the controller stays where the analysis left it.
        patches.status = stepped.map(|canary| {
            json!({"status": {
                "pauseConditions": null,
                "controllerPause": false,
                "currentStepIndex": next_index(canary),
            }})
        });
    } else if paused {
        patches.status = Some(json!({"status": {"pauseConditions": null}}));
    } else if let Some(canary) = stepped {
        let status = json!({"pauseConditions": null, "currentStepIndex": next_index(canary)});
        patches.unified = Some(json!({"spec": {"paused": false}, "status": status}));
        patches.status = Some(json!({"status": status}));
    }
    patches
}

impl Patches {
    fn into_promotion(self, rollout: &Rollout) -> Promotion {
        let merge = |path, body| Request::patch(path, MERGE_PATCH, body);
        let object = object_path(&rollout.id);
        let status = self
            .status
            .map(|body| merge(status_path(&rollout.id), body));
        let spec = self.spec.map(|body| merge(object.clone(), body));
        let second = match &status {
            Some(_) => self.unified.map(|body| merge(object, body)),
            None => spec.clone(),
        };
        Promotion {
            sends: status.iter().cloned().chain(spec).collect(),
            without_status_subresource: status.into_iter().chain(second).collect(),
        }
    }
}
