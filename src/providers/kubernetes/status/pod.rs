//! A pod in the words of `kubectl get pods`, as the plugin computes them.

use std::collections::HashSet;

use super::super::wire::{ContainerStatus, Pod};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodWords {
    pub status: String,
    pub ready: i32,
    pub containers: usize,
    /// Of the init containers while they run, of the regular ones afterwards.
    pub restarts: i32,
}

pub fn pod(object: &Pod) -> PodWords {
    let status = &object.status;
    let first = if status.reason.is_empty() {
        &status.phase
    } else {
        &status.reason
    };
    let (words, restarts, ready) = match initialising(object) {
        Some((words, restarts)) => (words, restarts, 0),
        None => running(first, &status.container_statuses),
    };
    let words = match object.metadata.deletion_timestamp.0 {
        None => words,
        Some(_) if status.reason == "NodeLost" => "Unknown".to_owned(),
        Some(_) => "Terminating".to_owned(),
    };
    PodWords {
        status: words,
        ready,
        containers: object.spec.containers.len(),
        restarts,
    }
}

/// The first init container that is not over decides.
fn initialising(object: &Pod) -> Option<(String, i32)> {
    let sidecars: HashSet<&str> = object
        .spec
        .init_containers
        .iter()
        .filter(|container| container.restart_policy.as_deref() == Some("Always"))
        .map(|container| container.name.as_str())
        .collect();
    let mut restarts = 0_i32;
    for (nth, container) in object.status.init_container_statuses.iter().enumerate() {
        restarts = restarts.saturating_add(container.restart_count);
        if let Some(terminated) = &container.state.terminated {
            if terminated.exit_code == 0 {
                continue;
            }
            let words = if !terminated.reason.is_empty() {
                format!("Init:{}", terminated.reason)
            } else if terminated.signal != 0 {
                format!("Init:Signal:{}", terminated.signal)
            } else {
                format!("Init:ExitCode:{}", terminated.exit_code)
            };
            return Some((words, restarts));
        }
        if sidecars.contains(container.name.as_str()) && container.started == Some(true) {
            if container.ready {
                continue;
            }
            // Upstream leaves its loop here without calling the pod initialising.
            return None;
        }
        let words = match &container.state.waiting {
            Some(waiting) if !matches!(waiting.reason.as_str(), "" | "PodInitializing") => {
                format!("Init:{}", waiting.reason)
            }
            _ => format!("Init:{nth}/{}", object.spec.init_containers.len()),
        };
        return Some((words, restarts));
    }
    None
}

/// The last container that has something to say is overruled by the ones before it.
fn running(first: &str, containers: &[ContainerStatus]) -> (String, i32, i32) {
    let mut words = first.to_owned();
    let (mut restarts, mut ready) = (0_i32, 0_i32);
    for container in containers.iter().rev() {
        restarts = restarts.saturating_add(container.restart_count);
        if let Some(waiting) = container
            .state
            .waiting
            .as_ref()
            .filter(|w| !w.reason.is_empty())
        {
            words.clone_from(&waiting.reason);
        } else if let Some(terminated) = &container.state.terminated {
            words = if !terminated.reason.is_empty() {
                terminated.reason.clone()
            } else if terminated.signal != 0 {
                format!("Signal:{}", terminated.signal)
            } else {
                format!("ExitCode:{}", terminated.exit_code)
            };
        } else if container.ready && container.state.running.is_some() {
            ready = ready.saturating_add(1);
        }
    }
    if words == "Completed" && ready > 0 {
        "Running".clone_into(&mut words);
    }
    (words, restarts, ready)
}
