//! The end of every look at a Rollout: pause and abort fields, conditions, phase, and the write.
//!
//! The order of the conditions matters: the phase is the first that says aborted or timed out. Must never write a
//! status that did not change: that would be noticed, and looked at, for ever.

use std::time::Duration;

use super::phase::phase;
use super::replica_set::Set;
use super::rollout::Round;
use super::wire::Condition;
use crate::demo::json;

pub(super) fn find<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.kind == kind)
}

impl Round<'_> {
    fn condition(&self, kind: &str, status: &str, reason: &str, message: &str) -> Condition {
        let stamp = self.cluster.clock.stamp();
        Condition {
            kind: kind.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
            last_update_time: stamp.clone(),
            last_transition_time: stamp,
        }
    }

    /// A condition with the same status and reason stays as it is, its message included.
    pub(super) fn set_condition(
        &mut self,
        kind: &str,
        status: &str,
        reason: &str,
        message: &str,
    ) -> bool {
        let mut new = self.condition(kind, status, reason, message);
        if let Some(old) = find(&self.status.conditions, kind) {
            if old.status == status && old.reason == reason {
                return false;
            }
            if old.status == status {
                new.last_transition_time
                    .clone_from(&old.last_transition_time);
            }
        }
        self.status
            .conditions
            .retain(|condition| condition.kind != kind);
        self.status.conditions.push(new);
        true
    }

    /// A look that only notes that a pause began or ended; the next one goes on. This is where a client sees
    /// `Progressing` with the step unchanged right after a promotion.
    pub(super) fn check_paused(&mut self) -> bool {
        let paused = !self.old.pauses().is_empty() || self.spec.paused;
        let progressing =
            find(&self.old.conditions, "Progressing").map(|condition| condition.reason.clone());
        let was_aborted = progressing.as_deref() == Some("RolloutAborted");
        let was_paused = progressing.as_deref() == Some("RolloutPaused");
        let condition_says =
            find(&self.old.conditions, "Paused").is_some_and(|paused| paused.status == "True");
        self.status = self.old.clone();
        if paused != was_paused && !was_aborted && !self.old.fully_promoted() {
            let (reason, message) = if paused {
                ("RolloutPaused", "Rollout is paused")
            } else {
                ("RolloutResumed", "Rollout is resumed")
            };
            self.set_condition("Progressing", "Unknown", reason, message);
        }
        if !self.old.abort && was_aborted {
            self.set_condition(
                "Progressing",
                "Unknown",
                "RolloutRetry",
                "Retrying Rollout after abort",
            );
        }
        if paused != condition_says && !was_aborted {
            let status = if paused { "True" } else { "False" };
            self.set_condition("Paused", status, "RolloutPaused", "Rollout is paused");
        }
        if self.status.conditions == self.old.conditions {
            return false;
        }
        self.status.observed_generation = self.generation.to_string();
        (self.status.phase, self.status.message) = phase(&self.spec, &self.status);
        self.write();
        true
    }

    /// Resolves what the look decided into the status, and stores it.
    pub(super) fn persist(&mut self) {
        self.status.observed_generation = self.generation.to_string();
        self.settle_pauses();
        self.settle_conditions();
        (self.status.phase, self.status.message) = phase(&self.spec, &self.status);
        let (paused, was_paused) = (
            !self.status.pauses().is_empty(),
            !self.old.pauses().is_empty(),
        );
        if self.status == self.old {
            self.watch_for_stall();
            return;
        }
        self.write();
        if paused && !was_paused {
            let reason = self
                .status
                .pauses()
                .first()
                .map(|pause| pause.reason.clone())
                .unwrap_or_default();
            self.tell("RolloutPaused", &format!("Rollout is paused ({reason})"));
        } else if was_paused && !paused && self.status.aborted_at.is_none() {
            self.tell("RolloutResumed", "Rollout is resumed");
        }
    }

    fn write(&mut self) {
        let status = serde_json::to_value(&self.status).unwrap_or_default();
        let key = self.object.key.clone();
        self.cluster
            .edit(&key, |value| json::set(value, &["status"], status));
    }

    fn settle_conditions(&mut self) {
        let paused = !self.status.pauses().is_empty() || self.spec.paused;
        let aborted = self.pauses.aborted(&self.old);
        let healthy = self.healthy();
        let mut became_unhealthy = false;
        if !paused && healthy {
            self.set_condition("Healthy", "True", "RolloutHealthy", "Rollout is healthy");
        } else if find(&self.status.conditions, "Healthy").is_some() {
            became_unhealthy = self.set_condition(
                "Healthy",
                "False",
                "RolloutHealthy",
                "Rollout is not healthy",
            );
        }
        if aborted {
            self.note_abort();
        } else {
            self.note_progress(healthy, became_unhealthy);
        }
        self.note_availability();
        if self.status.fully_promoted() {
            self.set_condition("Completed", "True", "RolloutCompleted", "RolloutCompleted");
        } else if self.set_condition("Completed", "False", "RolloutCompleted", "RolloutCompleted") {
            let message = format!(
                "Rollout not completed, started update to revision {} ({})",
                self.revision, self.status.current_pod_hash
            );
            self.tell("RolloutNotCompleted", &message);
        }
    }

    fn note_abort(&mut self) {
        let mut message = format!("Rollout aborted update to revision {}", self.revision);
        if let Some(why) = self.pauses.abort.as_deref().filter(|why| !why.is_empty()) {
            message = format!("{message}: {why}");
        }
        if self.set_condition("Progressing", "False", "RolloutAborted", &message) {
            self.warn("RolloutAborted", &message);
        }
    }

    fn note_progress(&mut self, healthy: bool, became_unhealthy: bool) {
        let name = self.new.name().to_owned();
        if healthy {
            let message = format!("ReplicaSet \"{name}\" has successfully progressed.");
            self.set_condition("Progressing", "True", "NewReplicaSetAvailable", &message);
        } else if self.progressed() || became_unhealthy {
            let now = self.cluster.clock.now();
            self.cluster
                .memory
                .progressed_at
                .insert(self.object.uid.to_string(), now);
            let (reason, message) = if self.status.fully_promoted() && became_unhealthy {
                (
                    "ReplicaSetNotAvailable",
                    "Rollout does not have minimum availability".to_owned(),
                )
            } else {
                (
                    "ReplicaSetUpdated",
                    format!("ReplicaSet \"{name}\" is progressing."),
                )
            };
            let mut new = self.condition("Progressing", "True", reason, &message);
            if let Some(old) =
                find(&self.old.conditions, "Progressing").filter(|old| old.status == "True")
            {
                new.last_transition_time
                    .clone_from(&old.last_transition_time);
            }
            self.status
                .conditions
                .retain(|condition| condition.kind != "Progressing");
            self.status.conditions.push(new);
        } else if !self.may_take_long() && self.stalled() {
            let message = format!("ReplicaSet \"{name}\" has timed out progressing.");
            self.set_condition("Progressing", "False", "ProgressDeadlineExceeded", &message);
        }
    }

    fn note_availability(&mut self) {
        let enough = if self.spec.strategy.blue_green.is_some() {
            let active = self.status.blue_green.active_selector.clone();
            self.sets()
                .any(|set| set.hash == active && self.saturated(set))
        } else {
            self.sets().map(|set| set.available).sum::<i64>() >= self.replicas()
        };
        let (status, message) = if enough {
            ("True", "Rollout has minimum availability")
        } else {
            ("False", "Rollout does not have minimum availability")
        };
        self.set_condition("Available", status, "AvailableReason", message);
    }

    pub(super) fn saturated(&self, set: &Set) -> bool {
        let replicas = self.replicas();
        set.wanted == replicas && set.desired == Some(replicas) && set.available == replicas
    }

    fn healthy(&self) -> bool {
        let (status, replicas) = (&self.status, self.replicas());
        let complete = if let Some(blue_green) = &self.spec.strategy.blue_green {
            let selectors = &status.blue_green;
            selectors.active_selector == status.current_pod_hash
                && (blue_green.preview_service.is_empty()
                    || selectors.preview_selector == status.current_pod_hash)
        } else {
            let steps = self.step_count();
            let all_done =
                steps == 0 || status.current_step_index.is_none_or(|index| index == steps);
            all_done && status.fully_promoted() && status.replicas == replicas
        };
        status.updated_replicas == replicas
            && status.available_replicas == replicas
            && self.old.observed_generation == self.generation.to_string()
            && complete
    }

    fn progressed(&self) -> bool {
        let (old, new) = (&self.old, &self.status);
        let moved = if self.spec.strategy.blue_green.is_some() {
            old.blue_green.active_selector != new.blue_green.active_selector
                || old.blue_green.preview_selector != new.blue_green.preview_selector
        } else {
            old.stable != new.stable
                || old.current_step_index != new.current_step_index
                || old.current_step_hash != new.current_step_hash
        };
        new.updated_replicas != old.updated_replicas
            || new.replicas - new.updated_replicas < old.replicas - old.updated_replicas
            || new.ready_replicas > old.ready_replicas
            || new.available_replicas > old.available_replicas
            || moved
    }

    /// Pauses, analyses and scale-down delays are not a lack of progress.
    fn may_take_long(&self) -> bool {
        let step = self.current_step();
        step.is_some_and(|step| {
            step.pause.is_some() || step.analysis.is_some() || step.experiment.is_some()
        }) || find(&self.old.conditions, "Paused").is_some_and(|paused| paused.status == "True")
            || self.others.iter().any(|set| set.deadline.is_some())
    }

    fn deadline(&self) -> Duration {
        Duration::from_secs(self.spec.progress_deadline_seconds.unwrap_or(600))
    }

    fn stalled(&self) -> bool {
        let Some(condition) = find(&self.status.conditions, "Progressing") else {
            return false;
        };
        match condition.reason.as_str() {
            "RolloutAborted" | "RolloutPaused" => false,
            "ProgressDeadlineExceeded" => true,
            _ => self
                .cluster
                .memory
                .progressed_at
                .get(&*self.object.uid)
                .is_some_and(|at| at.after(self.deadline()) <= self.cluster.clock.now()),
        }
    }

    /// Nothing happened: come back when nothing has happened for too long.
    fn watch_for_stall(&mut self) {
        let timed_out = find(&self.status.conditions, "Progressing")
            .is_some_and(|condition| condition.reason == "ProgressDeadlineExceeded");
        let paused = !self.status.pauses().is_empty() || self.spec.paused;
        if self.healthy() || timed_out || paused || self.status.abort || self.may_take_long() {
            return;
        }
        if let Some(at) = self
            .cluster
            .memory
            .progressed_at
            .get(&*self.object.uid)
            .copied()
        {
            let due = at.after(self.deadline()).after(Duration::from_secs(1));
            if due > self.cluster.clock.now() {
                let key = self.object.key.clone();
                self.cluster.wake(&key, due);
            }
        }
    }
}
