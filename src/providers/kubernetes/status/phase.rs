//! The phase of a Rollout as a client has to compute it (`GetRolloutPhase` of Argo Rollouts): the status is believed
//! only where the controller has seen what the spec says now.

use std::borrow::Cow;

use super::super::wire::{Rollout, RolloutStatus};

/// Phase and message in the vendor's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorPhase<'a> {
    pub phase: Cow<'a, str>,
    pub message: Cow<'a, str>,
}

/// Whether the workload that a `workloadRef` names takes part in "has the spec been observed".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferencedWorkload {
    /// As the plugin does: its test hangs on a flag that only the controller sets.
    NotAsked,
    /// As Argo CD does, and beyond it with the generation of the referenced object where that is known: the annotation
    /// is written by the controller too, so just after a change of the object both of its numbers are still old.
    Asked { generation: Option<i64> },
}

impl<'a> VendorPhase<'a> {
    fn progressing(message: &'a str) -> Self {
        Self::new("Progressing", message)
    }

    fn new(phase: &'a str, message: &'a str) -> Self {
        Self {
            phase: Cow::Borrowed(phase),
            message: Cow::Borrowed(message),
        }
    }
}

pub fn rollout_phase(rollout: &Rollout, referenced: ReferencedWorkload) -> VendorPhase<'_> {
    if !generation_observed(rollout) {
        return VendorPhase::progressing("waiting for rollout spec update to be observed");
    }
    if unpausing(&rollout.status) {
        // The status still says Paused until the controller looks.
        return VendorPhase::progressing("waiting for rollout to unpause");
    }
    if !workload_observed(rollout, referenced) {
        return VendorPhase::progressing(
            "waiting for rollout spec update to be observed for the reference workload",
        );
    }
    if !rollout.status.phase.is_empty() {
        return VendorPhase::new(&rollout.status.phase, &rollout.status.message);
    }
    computed(rollout)
}

/// A text that is no number is a hash of v0.9, and so is a number that is too large.
pub fn generation_observed(rollout: &Rollout) -> bool {
    rollout
        .status
        .observed_generation
        .parse::<i64>()
        .map_or(true, |observed| observed >= rollout.metadata.generation)
}

/// Pause conditions cleared while `controllerPause` stays: someone has unpaused it and the controller has not looked.
pub fn unpausing(status: &RolloutStatus) -> bool {
    status.controller_pause && status.pause_conditions.is_empty()
}

fn workload_observed(rollout: &Rollout, referenced: ReferencedWorkload) -> bool {
    let ReferencedWorkload::Asked { generation } = referenced else {
        return true;
    };
    if rollout.spec.workload_ref.is_none() {
        return true;
    }
    let number = |text: &str| text.parse::<i64>().ok();
    let observed = number(&rollout.status.workload_observed_generation);
    let annotated = &rollout.metadata.annotations.workload_generation;
    [annotated.as_deref().and_then(number), generation]
        .into_iter()
        .flatten()
        .all(|wanted| observed == Some(wanted))
}

/// For controllers up to v0.10, which do not write a phase.
fn computed(rollout: &Rollout) -> VendorPhase<'_> {
    if let Some(failure) = failure(&rollout.status) {
        return failure;
    }
    let (spec, status) = (&rollout.spec, &rollout.status);
    if spec.paused {
        return VendorPhase::new("Paused", "manually paused");
    }
    if let Some(condition) = status.pause_conditions.first() {
        return VendorPhase::new("Paused", &condition.reason);
    }
    if spec.restart_at.0.is_some() && spec.restart_at != status.restarted_at {
        return VendorPhase::progressing("rollout is restarting");
    }
    if status.updated_replicas < spec.desired() {
        return VendorPhase::progressing("more replicas need to be updated");
    }
    if status.available_replicas < status.updated_replicas {
        return VendorPhase::progressing("updated replicas are still becoming available");
    }
    match unfinished(rollout) {
        Some(message) => VendorPhase::progressing(message),
        None => VendorPhase::new("Healthy", ""),
    }
}

fn failure(status: &RolloutStatus) -> Option<VendorPhase<'_>> {
    status.conditions.iter().find_map(|condition| {
        let what = if condition.kind == "InvalidSpec" {
            &condition.kind
        } else if matches!(
            condition.reason.as_str(),
            "RolloutAborted" | "ProgressDeadlineExceeded"
        ) {
            &condition.reason
        } else {
            return None;
        };
        Some(VendorPhase {
            phase: Cow::Borrowed("Degraded"),
            message: Cow::Owned(format!("{what}: {}", condition.message)),
        })
    })
}

fn unfinished(rollout: &Rollout) -> Option<&'static str> {
    let (strategy, status) = (&rollout.spec.strategy, &rollout.status);
    let promoted = !status.stable_rs.is_empty() && status.stable_rs == status.current_pod_hash;
    if let Some(blue_green) = &strategy.blue_green {
        let active = &status.blue_green.active_selector;
        if active.is_empty() || *active != status.current_pod_hash {
            return Some("active service cutover pending");
        }
        if promoted {
            return None;
        }
        let run = &status.blue_green.post_promotion_analysis_run_status;
        let completed = run.as_ref().is_some_and(|run| is_final(&run.status));
        return Some(
            if blue_green.post_promotion_analysis.is_some() && !completed {
                "waiting for analysis to complete"
            } else {
                "waiting for post-promotion verification to complete"
            },
        );
    }
    let canary = strategy.canary.as_ref()?;
    if canary.traffic_routing.is_none() && status.replicas > status.updated_replicas {
        return Some("old replicas are pending termination");
    }
    (!promoted).then_some("waiting for all steps to complete")
}

fn is_final(phase: &str) -> bool {
    matches!(phase, "Successful" | "Failed" | "Error" | "Inconclusive")
}
