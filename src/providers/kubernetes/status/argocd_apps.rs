//! Argo CD's health of the built-in workloads.

use super::{
    super::wire::{DaemonSet, Deployment, ReplicaSet, StatefulSet},
    argocd::{Health, HealthStatus, deletion},
};

pub fn deployment(object: &Deployment) -> Health {
    if let Some(health) = deletion(&object.metadata) {
        return health;
    }
    if object.spec.paused {
        return Health::new(HealthStatus::Suspended, "Deployment is paused");
    }
    let (status, name) = (&object.status, &object.metadata.name);
    if object.metadata.generation > status.observed_generation {
        return Health::progressing(
            "Waiting for rollout to finish: observed deployment generation less than desired generation",
        );
    }
    let exceeded = status
        .condition("Progressing")
        .is_some_and(|condition| condition.reason == "ProgressDeadlineExceeded");
    if exceeded {
        let message = format!("Deployment {name:?} exceeded its progress deadline");
        return Health::new(HealthStatus::Degraded, message);
    }
    let updated = status.updated_replicas;
    let what = match object.spec.replicas {
        Some(desired) if updated < desired => {
            format!("{updated} out of {desired} new replicas have been updated")
        }
        _ if status.replicas > updated => format!(
            "{} old replicas are pending termination",
            status.replicas.saturating_sub(updated)
        ),
        _ if status.available_replicas < updated => format!(
            "{} of {updated} updated replicas are available",
            status.available_replicas
        ),
        _ => return Health::healthy(),
    };
    Health::progressing(format!("Waiting for rollout to finish: {what}..."))
}

pub fn replica_set(object: &ReplicaSet) -> Health {
    if let Some(health) = deletion(&object.metadata) {
        return health;
    }
    let status = &object.status;
    if object.metadata.generation > status.observed_generation {
        return Health::progressing(
            "Waiting for rollout to finish: observed replica set generation less than desired generation",
        );
    }
    let failure = status
        .condition("ReplicaFailure")
        .filter(|condition| condition.status == "True");
    if let Some(condition) = failure {
        return Health::new(HealthStatus::Degraded, &*condition.message);
    }
    let available = status.available_replicas;
    match object.spec.replicas {
        Some(desired) if available < desired => Health::progressing(format!(
            "Waiting for rollout to finish: {available} out of {desired} new replicas are available..."
        )),
        _ => Health::healthy(),
    }
}

pub fn stateful_set(object: &StatefulSet) -> Health {
    if let Some(health) = deletion(&object.metadata) {
        return health;
    }
    let (spec, status) = (&object.spec, &object.status);
    if status.observed_generation == 0 || object.metadata.generation > status.observed_generation {
        return Health::progressing("Waiting for statefulset spec update to be observed...");
    }
    if let Some(desired) = spec.replicas
        && status.ready_replicas < desired
    {
        let missing = desired.saturating_sub(status.ready_replicas);
        return Health::progressing(format!("Waiting for {missing} pods to be ready..."));
    }
    let updated = status.updated_replicas;
    match (
        spec.update_strategy.kind.as_str(),
        &spec.update_strategy.rolling_update,
    ) {
        ("RollingUpdate", Some(rolling)) => {
            let of = spec
                .replicas
                .zip(rolling.partition)
                .map(|(desired, partition)| desired.saturating_sub(partition));
            match of {
                Some(of) if updated < of => Health::progressing(format!(
                    "Waiting for partitioned roll out to finish: {updated} out of {of} new pods have been updated..."
                )),
                _ => Health::new(
                    HealthStatus::Healthy,
                    format!(
                        "partitioned roll out complete: {updated} new pods have been updated..."
                    ),
                ),
            }
        }
        ("OnDelete", _) => Health::new(
            HealthStatus::Healthy,
            format!("statefulset has {} ready pods", status.ready_replicas),
        ),
        _ if status.update_revision != status.current_revision => Health::progressing(format!(
            "waiting for statefulset rolling update to complete {updated} pods at revision {}...",
            status.update_revision
        )),
        _ => Health::new(
            HealthStatus::Healthy,
            format!(
                "statefulset rolling update complete {} pods at revision {}...",
                status.current_replicas, status.current_revision
            ),
        ),
    }
}

pub fn daemon_set(object: &DaemonSet) -> Health {
    if let Some(health) = deletion(&object.metadata) {
        return health;
    }
    let (status, name) = (&object.status, &object.metadata.name);
    if object.metadata.generation > status.observed_generation {
        return Health::progressing(
            "Waiting for rollout to finish: observed daemon set generation less than desired generation",
        );
    }
    let (updated, desired) = (
        status.updated_number_scheduled,
        status.desired_number_scheduled,
    );
    if object.spec.update_strategy.kind == "OnDelete" {
        let message = format!("daemon set {updated} out of {desired} new pods have been updated");
        return Health::new(HealthStatus::Healthy, message);
    }
    let what = if updated < desired {
        format!("{updated} out of {desired} new pods have been updated")
    } else if status.number_available < desired {
        format!(
            "{} of {desired} updated pods are available",
            status.number_available
        )
    } else {
        return Health::healthy();
    };
    Health::progressing(format!(
        "Waiting for daemon set {name:?} rollout to finish: {what}..."
    ))
}
