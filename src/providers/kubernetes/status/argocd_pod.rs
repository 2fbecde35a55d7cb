//! Argo CD's health of a Pod.

use super::{
    super::wire::{ContainerStatus, Pod},
    argocd::{Health, HealthStatus, deletion},
};

pub fn health(object: &Pod) -> Health {
    if let Some(health) = deletion(&object.metadata) {
        return health;
    }
    let (spec, status) = (&object.spec, &object.status);
    let always = restarts_for_ever(object);
    if always && let Some(health) = stuck(&status.container_statuses) {
        return health;
    }
    let say = |health| Health::new(health, &*status.message);
    match status.phase.as_str() {
        "Pending" => say(HealthStatus::Progressing),
        "Succeeded" => say(HealthStatus::Healthy),
        "Failed" => failed(object),
        "Running" if always => {
            if is_ready(object) {
                return say(HealthStatus::Healthy);
            }
            let fell_over = |container: &ContainerStatus| container.last_state.terminated.is_some();
            if status.container_statuses.iter().any(fell_over) {
                return say(HealthStatus::Degraded);
            }
            say(HealthStatus::Progressing)
        }
        // A pod with an end, such as a hook's: running is on its way, not there.
        "Running" if matches!(spec.restart_policy.as_str(), "OnFailure" | "Never") => {
            say(HealthStatus::Progressing)
        }
        _ => say(HealthStatus::Unknown),
    }
}

/// An annotation makes a pod with an end count as one without, unless it is a hook's.
fn restarts_for_ever(object: &Pod) -> bool {
    let annotations = &object.metadata.annotations;
    let is_hook = annotations.argo_hook.is_some() || annotations.helm_hook.is_some();
    object.spec.restart_policy == "Always"
        || (annotations.argo_ignore_restart_policy.as_deref() == Some("true") && !is_hook)
}

fn is_ready(object: &Pod) -> bool {
    object
        .status
        .conditions
        .iter()
        .any(|condition| condition.kind == "Ready" && condition.status == "True")
}

fn stuck(containers: &[ContainerStatus]) -> Option<Health> {
    let messages: Vec<&str> = containers
        .iter()
        .filter_map(|container| container.state.waiting.as_ref())
        .filter(|waiting| {
            let reason = &waiting.reason;
            reason.starts_with("Err") || reason.ends_with("Error") || reason.ends_with("BackOff")
        })
        .map(|waiting| waiting.message.as_str())
        .collect();
    (!messages.is_empty()).then(|| Health::new(HealthStatus::Degraded, messages.join(", ")))
}

fn failed(object: &Pod) -> Health {
    let status = &object.status;
    if !status.message.is_empty() {
        return Health::new(HealthStatus::Degraded, &*status.message);
    }
    let message = status
        .init_container_statuses
        .iter()
        .chain(&status.container_statuses)
        .find_map(|container| {
            let terminated = container.state.terminated.as_ref()?;
            if !terminated.message.is_empty() {
                Some(terminated.message.clone())
            } else if terminated.reason == "OOMKilled" {
                Some(terminated.reason.clone())
            } else if terminated.exit_code != 0 {
                Some(format!(
                    "container {:?} failed with exit code {}",
                    container.name, terminated.exit_code
                ))
            } else {
                None
            }
        });
    Health::new(HealthStatus::Degraded, message.unwrap_or_default())
}
