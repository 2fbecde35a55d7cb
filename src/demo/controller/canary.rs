//! The canary strategy: steps, weights, pauses.
//!
//! Ported from the vendor's `rollout/canary.go` and `trafficrouting.go`. Must never advance more than one step in a
//! look: clients watch the steps go by.

use super::replica_set::Set;
use super::rollout::{CANARY_PAUSE, Round, Stable};
use super::scale::{self, Basic, Size};
use super::wire::{self, Amount, CanaryScale, Pause};
use crate::demo::chance::short_hash;
use crate::demo::clock::Moment;
use crate::demo::json;

impl Round<'_> {
    pub(super) fn canary(&mut self) {
        if self.template_or_steps_changed() {
            self.sync_canary();
            return;
        }
        if self.restart_pods() > 0 {
            // The counts are not to be trusted until the pods are gone.
            return;
        }
        self.limit_history();
        self.route_traffic();
        self.reconcile_analysis();
        if self.pauses.add.is_empty() && !self.reconcile_replica_sets() {
            self.reconcile_pause();
        }
        self.sync_canary();
    }

    fn step_hash(&self) -> String {
        let value = self.object.value();
        let steps = json::at(&value, &["spec", "strategy", "canary", "steps"]);
        short_hash(
            steps
                .map(ToString::to_string)
                .unwrap_or_default()
                .as_bytes(),
        )
    }

    fn template_or_steps_changed(&self) -> bool {
        self.template_changed() || self.old.current_step_hash != self.step_hash()
    }

    fn reconcile_pause(&mut self) {
        if self.spec.paused || self.old.promote_full {
            return;
        }
        let Some(pause) = self.current_step().and_then(|step| step.pause.clone()) else {
            return;
        };
        if !self.old.paused_for(CANARY_PAUSE) {
            // controllerPause without a condition means that somebody just unpaused it.
            if !self.old.controller_pause {
                self.pauses.add.push(CANARY_PAUSE);
            }
        } else if let Some(due) = self.pause_ends(&pause)
            && due > self.cluster.clock.now()
        {
            self.wake(due);
        }
    }

    fn pause_ends(&self, pause: &Pause) -> Option<Moment> {
        let duration = wire::duration(pause.duration.as_ref()?)?;
        Some(self.paused_since(CANARY_PAUSE)?.after(duration))
    }

    fn pause_completed(&self, pause: &Pause) -> bool {
        if !self.old.paused_for(CANARY_PAUSE) {
            return self.old.controller_pause;
        }
        self.pause_ends(pause)
            .is_some_and(|due| due <= self.cluster.clock.now())
    }

    fn step_completed(&self) -> bool {
        if self.spec.paused {
            return false;
        }
        let Some(step) = self.current_step() else {
            return false;
        };
        if let Some(pause) = &step.pause {
            self.pause_completed(pause)
        } else if step.set_weight.is_some() || step.set_canary_scale.is_some() {
            self.at_desired_counts()
        } else if step.analysis.is_some() {
            self.runs
                .step
                .as_ref()
                .is_some_and(|run| run.phase == "Successful")
        } else {
            // Header and mirror routes are set at once; an experiment of the demo has nothing to compare.
            true
        }
    }

    fn sync_canary(&mut self) {
        self.base_status();
        self.note_runs();
        self.status.current_step_hash = self.step_hash();
        let steps = self.step_count();
        if self.template_or_steps_changed() {
            self.reset();
            self.skip_steps_of_a_rollback(steps);
            self.persist();
            return;
        }
        let mut index = self.old.current_step_index;
        if self.old.promote_full || self.within_rollback_window() {
            self.pauses.clear = true;
            self.pauses.unabort = true;
            index = if steps > 0 { Some(steps) } else { index };
        }
        if let Some(reason) = self.promotable() {
            self.promote_stable(&reason);
        } else if self.pauses.aborted(&self.old) {
            let done = self.status.fully_promoted();
            self.status.current_step_index = (steps > 0).then_some(if done { steps } else { 0 });
        } else {
            if self.step_completed()
                && let Some(label) = self.current_step().map(wire::Step::label)
                && !self.old.promote_full
            {
                let next = self.old.current_step_index.unwrap_or(0) + 1;
                index = Some(next);
                self.status.canary.current_step_analysis_run_status = None;
                self.tell(
                    "RolloutStepCompleted",
                    &format!("Rollout step {next}/{steps} completed ({label})"),
                );
                self.pauses.remove.push(CANARY_PAUSE);
            }
            self.status.current_step_index = index;
        }
        self.persist();
    }

    fn skip_steps_of_a_rollback(&mut self, steps: i64) {
        if steps == 0 {
            return;
        }
        if self.old.stable == self.new.hash {
            self.tell("SkipSteps", "Rollback to stable ReplicaSets");
            self.status.current_step_index = Some(steps);
        } else if self.within_rollback_window() && self.new.wanted > 0 {
            self.tell(
                "SkipSteps",
                "Rollback to active ReplicaSets within RollbackWindow",
            );
            self.status.current_step_index = Some(steps);
        }
    }

    /// Why the new version may be called stable now.
    fn promotable(&self) -> Option<String> {
        if matches!(self.stable, Stable::None) {
            return Some("Initial deploy".to_owned());
        }
        if self.pauses.aborted(&self.old) || self.new.available < self.replicas() {
            return None;
        }
        if self.old.promote_full {
            return Some("Full promotion requested".to_owned());
        }
        if self.within_rollback_window() {
            return Some("Rollback within window".to_owned());
        }
        if self.old.stable == self.new.hash {
            return Some("Fast rollback".to_owned());
        }
        let steps = self.step_count();
        let done = steps == 0 || self.old.current_step_index == Some(steps);
        done.then(|| format!("Completed all {steps} canary steps"))
    }

    /// `SetWeight` as of the current step.
    pub(super) fn set_weight(&self) -> i64 {
        if self.old.abort {
            return 0;
        }
        if self.current_step().is_none() {
            return 100;
        }
        self.steps_until_now()
            .find_map(|step| step.set_weight)
            .unwrap_or(0)
    }

    /// The current step and those before it, backwards.
    fn steps_until_now(&self) -> impl Iterator<Item = &wire::Step> {
        let index = usize::try_from(self.old.current_step_index.unwrap_or(0)).unwrap_or(0);
        self.steps().iter().take(index.saturating_add(1)).rev()
    }

    /// An explicit scale of the canary counts only with traffic routing.
    fn canary_scale(&self) -> Option<&CanaryScale> {
        if !self.routed() || (self.old.abort && self.abort_delay().is_some()) {
            return None;
        }
        self.current_step()?;
        self.steps_until_now()
            .find_map(|step| step.set_canary_scale.as_ref())
            .filter(|scale| !scale.match_traffic_weight)
    }

    fn whole_weight(&self) -> bool {
        self.old.promote_full || self.old.stable.is_empty() || self.old.fully_promoted()
    }

    fn desired_counts(&self) -> (i64, i64) {
        let replicas = self.replicas();
        let scale = if self.whole_weight() {
            None
        } else {
            self.canary_scale()
        };
        let weight = if self.whole_weight() {
            100
        } else {
            scale
                .and_then(|scale| scale.weight)
                .unwrap_or_else(|| self.set_weight())
        };
        if self.routed() {
            let canary = scale.and_then(|scale| scale.replicas);
            return (
                canary.unwrap_or_else(|| scale::routed(replicas, weight)),
                replicas,
            );
        }
        let (surge, unavailable) = self.room();
        let size = |set: &Set| Size {
            wanted: set.wanted,
            available: set.available,
        };
        Basic {
            replicas,
            weight,
            surge,
            unavailable,
            canary: size(&self.new),
            stable: match &self.stable {
                Stable::Other(set) => Some(size(set)),
                Stable::None | Stable::IsNew => None,
            },
            others_wanted: self.others.iter().map(|set| set.wanted).sum(),
        }
        .counts()
    }

    fn room(&self) -> (i64, i64) {
        let canary = self.spec.strategy.canary.as_ref();
        let quarter = Amount::Percent("25%".to_owned());
        let replicas = self.replicas();
        let surge = canary
            .and_then(|canary| canary.max_surge.as_ref())
            .unwrap_or(&quarter)
            .of(replicas, true);
        let unavailable = canary
            .and_then(|canary| canary.max_unavailable.as_ref())
            .unwrap_or(&quarter)
            .of(replicas, false);
        let unavailable = if surge == 0 && unavailable == 0 {
            1
        } else {
            unavailable.min(replicas)
        };
        (surge, unavailable)
    }

    pub(super) fn max_unavailable(&self) -> i64 {
        self.room().1
    }

    pub(super) fn at_desired_counts(&self) -> bool {
        let (canary, stable) = self.desired_counts();
        let created = match &self.stable {
            Stable::Other(set) => set.wanted == stable && set.count == stable,
            // Without a stable ReplicaSet of its own there is none that could be at its count.
            Stable::None | Stable::IsNew => false,
        };
        let canary_there = self.new.wanted == canary && self.new.available == canary;
        let others_gone = self.routed() || self.others.iter().all(|set| set.available == 0);
        canary_there && created && others_gone
    }

    /// Says whether something was scaled; then the look ends with the status.
    fn reconcile_replica_sets(&mut self) -> bool {
        if self.halted() {
            return false;
        }
        self.remove_scale_down_deadlines();
        if matches!(self.stable, Stable::Other(_)) {
            let (_, stable) = self.desired_counts();
            if self.scale_stable(stable) {
                return true;
            }
        }
        let (canary, _) = self.desired_counts();
        let canary = if matches!(self.stable, Stable::Other(_)) {
            canary
        } else {
            self.replicas()
        };
        if self.reconcile_new(canary) {
            return true;
        }
        self.scale_down_others()
    }

    fn scale_down_others(&mut self) -> bool {
        let available: i64 = self.sets().map(|set| set.available).sum();
        let mut spare = available - (self.replicas() - self.room().1);
        let mut scaled = false;
        for place in (0..self.others.len()).rev() {
            let Some(set) = self.others.get(place).cloned().filter(|set| set.wanted > 0) else {
                continue;
            };
            let wanted = if !self.routed() {
                if spare <= 0 {
                    break;
                }
                (set.wanted - spare).max(0)
            } else if self.old.fully_promoted() || set.deadline.is_some() {
                let canary = self.spec.strategy.canary.as_ref();
                let delay = canary
                    .and_then(|canary| canary.scale_down_delay_seconds)
                    .unwrap_or(30);
                self.keep_until_deadline(place, std::time::Duration::from_secs(delay))
            } else {
                // A version that was superseded while it was a canary: no traffic goes there.
                0
            };
            if wanted != set.wanted {
                scaled |= self.scale_other(place, wanted);
                spare -= set.wanted - wanted;
            }
        }
        scaled
    }
}
