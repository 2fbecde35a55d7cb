//! Scaling a Rollout's `ReplicaSets`: up and down, with the delays that keep a way back open.
//!
//! Must never decide how many replicas a strategy wants: the strategies do.

use std::time::Duration;

use super::replica_set::{self, ROLLOUTS, Set};
use super::rollout::{INCONCLUSIVE, Round, Stable};

impl Round<'_> {
    /// Says whether the size changed; the vendor then ends the look and lets the next one see the result.
    pub(super) fn scale(&mut self, which: &mut Set, replicas: i64) -> bool {
        let before = which.wanted;
        let desired = self.replicas();
        let changed = replica_set::scale(self.cluster, which, &ROLLOUTS, replicas, desired);
        if replicas == 0 && !self.delays_scale_down_on_abort() {
            replica_set::forget_scale_down(self.cluster, which);
        }
        if changed {
            let way = if replicas > before { "up" } else { "down" };
            let message = format!(
                "Scaled {way} ReplicaSet {} (revision {}) from {before} to {replicas}",
                which.name(),
                which.revision
            );
            self.tell("ScalingReplicaSet", &message);
        }
        changed
    }

    pub(super) fn scale_new(&mut self, replicas: i64) -> bool {
        let mut set = self.new.clone();
        let changed = self.scale(&mut set, replicas);
        self.new = set;
        changed
    }

    pub(super) fn scale_stable(&mut self, replicas: i64) -> bool {
        match self.stable.clone() {
            Stable::None => false,
            Stable::IsNew => self.scale_new(replicas),
            Stable::Other(mut set) => {
                let changed = self.scale(&mut set, replicas);
                self.stable = Stable::Other(set);
                changed
            }
        }
    }

    pub(super) fn scale_other(&mut self, place: usize, replicas: i64) -> bool {
        let Some(mut set) = self.others.get(place).cloned() else {
            return false;
        };
        let changed = self.scale(&mut set, replicas);
        if let Some(other) = self.others.get_mut(place) {
            *other = set;
        }
        changed
    }

    /// Why no `ReplicaSet` may change now.
    pub(super) fn halted(&self) -> bool {
        self.spec.paused || self.old.paused_for(INCONCLUSIVE)
    }

    /// How long the canary or preview stays up after an abort; None: for ever.
    pub(super) fn abort_delay(&self) -> Option<Duration> {
        let asked = match (&self.spec.strategy.blue_green, &self.spec.strategy.canary) {
            (Some(blue_green), _) => blue_green.abort_scale_down_delay_seconds,
            (None, Some(canary)) => canary.abort_scale_down_delay_seconds,
            (None, None) => None,
        };
        match asked {
            Some(0) => None,
            Some(seconds) => Some(Duration::from_secs(seconds)),
            None => Some(Duration::from_secs(30)),
        }
    }

    pub(super) fn routed(&self) -> bool {
        self.spec
            .strategy
            .canary
            .as_ref()
            .is_some_and(|canary| canary.traffic_routing.is_some())
    }

    pub(super) fn delays_scale_down_on_abort(&self) -> bool {
        self.pauses.aborted(&self.old)
            && !matches!(self.stable, Stable::None)
            && (self.spec.strategy.blue_green.is_some() || self.routed())
            && self.abort_delay().is_some()
    }

    /// The new `ReplicaSet`'s size, honouring the delay after an abort. Says whether it changed.
    pub(super) fn reconcile_new(&mut self, replicas: i64) -> bool {
        if self.delays_scale_down_on_abort() {
            if let Some(due) = replica_set::scale_down_due(self.cluster, &self.new) {
                if due <= self.cluster.clock.now() {
                    return self.scale_new(0);
                }
                self.wake(due);
                return false;
            }
            let stable_ready = self
                .stable_set()
                .is_some_and(|set| set.available >= self.replicas());
            if let (true, Some(delay)) = (stable_ready && self.new.wanted > 0, self.abort_delay()) {
                replica_set::delay_scale_down(self.cluster, &mut self.new, delay);
                self.wake(self.cluster.clock.now().after(delay));
            }
            return false;
        }
        self.scale_new(replicas)
    }

    pub(super) fn remove_scale_down_deadlines(&mut self) {
        if !self.delays_scale_down_on_abort() {
            replica_set::forget_scale_down(self.cluster, &mut self.new);
        }
        if let Stable::Other(set) = &mut self.stable {
            replica_set::forget_scale_down(self.cluster, set);
        }
    }

    /// An old `ReplicaSet` that still runs: keep it until its deadline. Answers the size it should have.
    pub(super) fn keep_until_deadline(&mut self, place: usize, delay: Duration) -> i64 {
        let Some(mut set) = self.others.get(place).cloned() else {
            return 0;
        };
        let keep = match replica_set::scale_down_due(self.cluster, &set) {
            None if set.wanted > 0 && !delay.is_zero() => {
                replica_set::delay_scale_down(self.cluster, &mut set, delay);
                self.wake(self.cluster.clock.now().after(delay));
                set.wanted
            }
            Some(due) if due > self.cluster.clock.now() => {
                self.wake(due);
                set.wanted
            }
            _ => 0,
        };
        if let Some(other) = self.others.get_mut(place) {
            *other = set;
        }
        keep
    }

    /// The oldest scaled-down `ReplicaSets` beyond the limit go.
    pub(super) fn limit_history(&mut self) {
        let limit = self.spec.revision_history_limit.unwrap_or(10);
        let surplus = self.others.len().saturating_sub(limit);
        let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.others)
            .into_iter()
            .enumerate()
            .partition(|(place, set)| *place < surplus && set.wanted == 0 && set.count == 0);
        self.others = kept.into_iter().map(|(_, set)| set).collect();
        for (_, set) in gone {
            self.cluster.store.remove(&set.key);
        }
    }
}
