//! Argo CD's health of the kinds that are shown here, in its words. It differs from the Rollout's own phase in wording
//! and in two places in substance: it looks at the referenced workload, and it does not know "unpausing".

use super::{
    super::wire::{AnalysisRun, Experiment, Meta, Rollout},
    phase::generation_observed,
};
pub use super::{
    argocd_apps::{daemon_set, deployment, replica_set, stateful_set},
    argocd_pod::health as pod,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthStatus {
    Healthy,
    Suspended,
    Progressing,
    Degraded,
    Unknown,
}

impl HealthStatus {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Suspended => "Suspended",
            Self::Progressing => "Progressing",
            Self::Degraded => "Degraded",
            Self::Unknown => "Unknown",
        }
    }

    /// A Rollout's own phase, of which Argo CD renames one.
    fn of_phase(phase: &str) -> Self {
        match phase {
            "Healthy" => Self::Healthy,
            "Paused" => Self::Suspended,
            "Progressing" => Self::Progressing,
            "Degraded" => Self::Degraded,
            _ => Self::Unknown,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    pub status: HealthStatus,
    pub message: String,
}

impl Health {
    pub(super) fn new(status: HealthStatus, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    pub(super) fn progressing(message: impl Into<String>) -> Self {
        Self::new(HealthStatus::Progressing, message)
    }

    pub(super) fn healthy() -> Self {
        Self::new(HealthStatus::Healthy, "")
    }
}

pub(super) fn deletion(meta: &Meta) -> Option<Health> {
    meta.deletion_timestamp
        .0
        .map(|_| Health::progressing("Pending deletion"))
}

pub fn rollout(object: &Rollout) -> Health {
    let status = &object.status;
    if !has_status(object) || !generation_observed(object) || !workload_observed(object) {
        return Health::progressing("Waiting for rollout spec update to be observed");
    }
    if !status.phase.is_empty() {
        return Health::new(HealthStatus::of_phase(&status.phase), &*status.message);
    }
    let failed = status.conditions.iter().find(|condition| {
        condition.kind == "InvalidSpec"
            || (condition.kind == "Progressing"
                && matches!(
                    condition.reason.as_str(),
                    "RolloutAborted" | "ProgressDeadlineExceeded"
                ))
    });
    if let Some(condition) = failed {
        return Health::new(HealthStatus::Degraded, &*condition.message);
    }
    if object.spec.paused || !status.pause_conditions.is_empty() {
        return Health::new(HealthStatus::Suspended, "Rollout is paused");
    }
    match unfinished(object) {
        Some(message) => Health::progressing(message),
        None => Health::healthy(),
    }
}

/// Every controller writes at least one of these with the first status.
fn has_status(object: &Rollout) -> bool {
    let status = &object.status;
    !(status.observed_generation.is_empty()
        && status.phase.is_empty()
        && status.conditions.is_empty()
        && status.current_pod_hash.is_empty())
}

fn workload_observed(object: &Rollout) -> bool {
    let annotated = &object.metadata.annotations.workload_generation;
    let (Some(_), Some(annotated)) = (&object.spec.workload_ref, annotated) else {
        return true;
    };
    annotated.parse::<i64>().ok() == object.status.workload_observed_generation.parse().ok()
}

fn unfinished(object: &Rollout) -> Option<&'static str> {
    let (spec, status) = (&object.spec, &object.status);
    if status.current_pod_hash.is_empty() {
        return Some("Waiting for rollout to finish: status has not been reconciled.");
    }
    if status.updated_replicas < spec.desired() {
        return Some("Waiting for roll out to finish: More replicas need to be updated");
    }
    if status.available_replicas < status.updated_replicas {
        return Some(
            "Waiting for roll out to finish: updated replicas are still becoming available",
        );
    }
    let stable = status.stable_hash();
    let promoted = stable == status.current_pod_hash;
    if spec.strategy.blue_green.is_some() {
        if status.blue_green.active_selector != status.current_pod_hash {
            return Some("active service cutover pending");
        }
        // v0.7 had no stable hash for blue-green.
        return (!stable.is_empty() && !promoted).then_some("waiting for analysis to complete");
    }
    spec.strategy.canary.as_ref()?;
    if status.replicas > status.updated_replicas {
        return Some("Waiting for roll out to finish: old replicas are pending termination");
    }
    (!promoted).then_some("Waiting for rollout to finish steps")
}

pub fn analysis_run(object: &AnalysisRun) -> Health {
    let status = &object.status;
    let (health, otherwise) = match status.phase.as_str() {
        "Pending" | "Running" => return Health::progressing("Analysis run is running"),
        "Successful" => (HealthStatus::Healthy, "Analysis run completed successfully"),
        "Failed" => (HealthStatus::Degraded, "Analysis run failed"),
        "Error" => (HealthStatus::Degraded, "Analysis run had an error"),
        "Inconclusive" => (HealthStatus::Unknown, "Analysis run was inconclusive"),
        "" => {
            return Health::progressing(
                "Waiting for analysis run to finish: status has not been reconciled.",
            );
        }
        _ => (HealthStatus::Unknown, ""),
    };
    if status.message.is_empty() {
        Health::new(health, otherwise)
    } else {
        Health::new(health, &*status.message)
    }
}

pub fn experiment(object: &Experiment) -> Health {
    if let Some(health) = deletion(&object.metadata) {
        return health;
    }
    match object.status.phase.as_str() {
        "Pending" => Health::progressing("Experiment is pending"),
        "Running" => Health::progressing("Experiment is running"),
        "Successful" => Health::new(HealthStatus::Healthy, "Experiment is successful"),
        "Failed" => Health::new(HealthStatus::Degraded, "Experiment has failed"),
        "Error" => Health::new(HealthStatus::Degraded, "Experiment had an error"),
        "" => {
            Health::progressing("Waiting for experiment to finish: status has not been reconciled.")
        }
        _ => Health::new(HealthStatus::Unknown, ""),
    }
}
