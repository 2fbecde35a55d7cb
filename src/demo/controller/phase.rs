//! The phase and its message, worked out in the vendor's order.
//!
//! Pure. Must never look at anything but spec and status: clients repeat this computation.

use super::wire::{Spec, Status};

/// `CalculateRolloutPhase`, in its order.
pub(super) fn phase(spec: &Spec, status: &Status) -> (String, String) {
    let is = |phase: &str, message: &str| (phase.to_owned(), message.to_owned());
    for condition in &status.conditions {
        if let reason @ ("RolloutAborted" | "ProgressDeadlineExceeded") = condition.reason.as_str()
        {
            return is("Degraded", &format!("{reason}: {}", condition.message));
        }
    }
    if spec.paused {
        return is("Paused", "manually paused");
    }
    if let Some(pause) = status.pauses().first() {
        return is("Paused", &pause.reason);
    }
    if spec.restart_at.is_some() && spec.restart_at != status.restarted_at {
        return is("Progressing", "rollout is restarting");
    }
    if status.updated_replicas < spec.replicas.unwrap_or(1) {
        return is("Progressing", "more replicas need to be updated");
    }
    if status.available_replicas < status.updated_replicas {
        return is(
            "Progressing",
            "updated replicas are still becoming available",
        );
    }
    let promoted = status.fully_promoted();
    if let Some(blue_green) = &spec.strategy.blue_green {
        let active = &status.blue_green.active_selector;
        if active.is_empty() || *active != status.current_pod_hash {
            return is("Progressing", "active service cutover pending");
        }
        if !promoted && blue_green.post_promotion_analysis.is_some() {
            return is("Progressing", "waiting for analysis to complete");
        }
        if !promoted {
            return is(
                "Progressing",
                "waiting for post-promotion verification to complete",
            );
        }
    } else if let Some(canary) = &spec.strategy.canary {
        if canary.traffic_routing.is_none() && status.replicas > status.updated_replicas {
            return is("Progressing", "old replicas are pending termination");
        }
        if !promoted {
            return is("Progressing", "waiting for all steps to complete");
        }
    }
    is("Healthy", "")
}
