//! Pause and abort fields of a Rollout, and when a pause ends.
//!
//! `controllerPause` without a condition means that somebody just lifted the pause: it is the only trace of that, so
//! it must never be cleared or set anywhere but here.

use super::rollout::Round;
use super::wire::{PauseCondition, Status};
use crate::demo::clock::Moment;

/// What a look decided about pausing and aborting, kept apart from the status until the end.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    pub(super) add: Vec<&'static str>,
    pub(super) remove: Vec<&'static str>,
    pub(super) clear: bool,
    pub(super) abort: Option<String>,
    pub(super) unabort: bool,
}

impl Pauses {
    pub(super) fn aborted(&self, old: &Status) -> bool {
        !self.unabort && (self.abort.is_some() || old.abort)
    }
}

impl Round<'_> {
    pub(super) fn settle_pauses(&mut self) {
        self.status.abort = self.pauses.aborted(&self.old);
        self.status.aborted_at = None;
        self.status.controller_pause = false;
        self.status.pause_conditions = None;
        let stamp = self.cluster.clock.stamp();
        if self.status.abort {
            self.status.aborted_at = self.old.aborted_at.clone().or(Some(stamp));
            return;
        }
        if self.pauses.clear {
            return;
        }
        let mut controller_pause = self.old.controller_pause;
        let mut pauses = self.old.pauses().to_vec();
        pauses.retain(|pause| !self.pauses.remove.contains(&pause.reason.as_str()));
        for reason in &self.pauses.add {
            if !self.old.paused_for(reason) {
                controller_pause = true;
                pauses.push(PauseCondition {
                    reason: (*reason).to_owned(),
                    start_time: stamp.clone(),
                });
                let now = self.cluster.clock.now();
                self.cluster
                    .memory
                    .paused_since
                    .insert(self.object.uid.to_string(), now);
            }
        }
        if !pauses.is_empty() {
            self.status.controller_pause = controller_pause;
            self.status.pause_conditions = Some(pauses);
        }
    }

    pub(super) fn paused_since(&self, reason: &str) -> Option<Moment> {
        let pause = self
            .old
            .pauses()
            .iter()
            .find(|pause| pause.reason == reason)?;
        let exact = self
            .cluster
            .memory
            .paused_since
            .get(&*self.object.uid)
            .copied();
        exact.or_else(|| Some(self.cluster.clock.moment_of(pause.start_time.parse().ok()?)))
    }
}
