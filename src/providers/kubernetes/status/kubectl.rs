//! `kubectl rollout status`: its decisions and its texts, for the three built-in kinds. It does not look at
//! `spec.paused`; whoever shows a paused Deployment asks that first, or it waits for ever.

use super::super::wire::{DaemonSet, Deployment, StatefulSet};

/// What kubectl would print and do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutState {
    /// kubectl's line, its line feed included; empty where it reports an error instead.
    pub line: String,
    pub done: bool,
    pub error: Option<String>,
    pub progress: Progress,
}

/// The same without the name in it, for a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    NotObserved,
    DeadlineExceeded,
    /// What it waits for.
    Waiting(String),
    Done,
    /// The strategy replaces no pods by itself (`OnDelete`).
    NotRolling,
}

impl RolloutState {
    fn waiting(before: &str, what: String) -> Self {
        Self {
            line: format!("{before}{what}...\n"),
            done: false,
            error: None,
            progress: Progress::Waiting(what),
        }
    }

    fn not_observed(noun: &str) -> Self {
        Self {
            line: format!("Waiting for {noun} spec update to be observed...\n"),
            done: false,
            error: None,
            progress: Progress::NotObserved,
        }
    }

    fn done(line: String) -> Self {
        Self {
            line,
            done: true,
            error: None,
            progress: Progress::Done,
        }
    }

    fn not_rolling() -> Self {
        Self {
            line: String::new(),
            done: true,
            error: Some(
                "rollout status is only available for RollingUpdate strategy type".to_owned(),
            ),
            progress: Progress::NotRolling,
        }
    }
}

pub fn deployment(object: &Deployment) -> RolloutState {
    let (status, name) = (&object.status, &object.metadata.name);
    if object.metadata.generation > status.observed_generation {
        return RolloutState::not_observed("deployment");
    }
    let deadline_exceeded = status
        .condition("Progressing")
        .is_some_and(|condition| condition.reason == "ProgressDeadlineExceeded");
    if deadline_exceeded {
        return RolloutState {
            line: String::new(),
            done: false,
            error: Some(format!(
                "deployment {name:?} exceeded its progress deadline"
            )),
            progress: Progress::DeadlineExceeded,
        };
    }
    let before = format!("Waiting for deployment {name:?} rollout to finish: ");
    let updated = status.updated_replicas;
    if let Some(desired) = object.spec.replicas
        && updated < desired
    {
        let what = format!("{updated} out of {desired} new replicas have been updated");
        return RolloutState::waiting(&before, what);
    }
    if status.replicas > updated {
        let old = status.replicas.saturating_sub(updated);
        let what = format!("{old} old replicas are pending termination");
        return RolloutState::waiting(&before, what);
    }
    let available = status.available_replicas;
    if available < updated {
        let what = format!("{available} of {updated} updated replicas are available");
        return RolloutState::waiting(&before, what);
    }
    RolloutState::done(format!("deployment {name:?} successfully rolled out\n"))
}

pub fn daemon_set(object: &DaemonSet) -> RolloutState {
    let (status, name) = (&object.status, &object.metadata.name);
    if object.spec.update_strategy.kind != "RollingUpdate" {
        return RolloutState::not_rolling();
    }
    if object.metadata.generation > status.observed_generation {
        return RolloutState::not_observed("daemon set");
    }
    let before = format!("Waiting for daemon set {name:?} rollout to finish: ");
    let desired = status.desired_number_scheduled;
    if status.updated_number_scheduled < desired {
        let updated = status.updated_number_scheduled;
        let what = format!("{updated} out of {desired} new pods have been updated");
        return RolloutState::waiting(&before, what);
    }
    if status.number_available < desired {
        let available = status.number_available;
        let what = format!("{available} of {desired} updated pods are available");
        return RolloutState::waiting(&before, what);
    }
    RolloutState::done(format!("daemon set {name:?} successfully rolled out\n"))
}

pub fn stateful_set(object: &StatefulSet) -> RolloutState {
    let (spec, status) = (&object.spec, &object.status);
    if spec.update_strategy.kind != "RollingUpdate" {
        return RolloutState::not_rolling();
    }
    if status.observed_generation == 0 || object.metadata.generation > status.observed_generation {
        return RolloutState::not_observed("statefulset");
    }
    if let Some(desired) = spec.replicas
        && status.ready_replicas < desired
    {
        let missing = desired.saturating_sub(status.ready_replicas);
        return RolloutState::waiting("Waiting for ", format!("{missing} pods to be ready"));
    }
    let updated = status.updated_replicas;
    // With a block, even an empty one, revisions are not compared.
    if let Some(rolling) = &spec.update_strategy.rolling_update {
        if let (Some(desired), Some(partition)) = (spec.replicas, rolling.partition)
            && updated < desired.saturating_sub(partition)
        {
            let of = desired.saturating_sub(partition);
            let what = format!("{updated} out of {of} new pods have been updated");
            return RolloutState::waiting("Waiting for partitioned roll out to finish: ", what);
        }
        let line =
            format!("partitioned roll out complete: {updated} new pods have been updated...\n");
        return RolloutState::done(line);
    }
    if status.update_revision != status.current_revision {
        let revision = &status.update_revision;
        let what = format!("{updated} pods at revision {revision}");
        return RolloutState::waiting("waiting for statefulset rolling update to complete ", what);
    }
    RolloutState::done(format!(
        "statefulset rolling update complete {} pods at revision {}...\n",
        status.current_replicas, status.current_revision
    ))
}
