//! The blue-green strategy: a preview beside the active version, one switch, and a short way back.
//!
//! Ported from the vendor's `rollout/bluegreen.go`. The selectors of the two services live in the status here: the
//! demo serves no Service objects. Must never switch before the preview is whole.

use std::time::Duration;

use super::replica_set;
use super::rollout::{BLUE_GREEN_PAUSE, INCONCLUSIVE, Round, Stable};
use super::wire::BlueGreen;

impl Round<'_> {
    pub(super) fn blue_green(&mut self) {
        let Some(strategy) = self.spec.strategy.blue_green.clone() else {
            return;
        };
        let fast = self.fast_rollback();
        let mut active = self.old.blue_green.active_selector.clone();
        let mut preview = self.old.blue_green.preview_selector.clone();
        if !strategy.preview_service.is_empty() && !self.halted() {
            self.tell_switch(&strategy.preview_service, &preview, &self.new.hash.clone());
            preview.clone_from(&self.new.hash);
        }
        if !self.template_changed() {
            if self.restart_pods() > 0 {
                return;
            }
            self.size_blue_green(&strategy);
            self.reconcile_blue_green_pause(&strategy, &active, fast);
            active = self.switch(&strategy, active, fast);
            self.reconcile_analysis();
        }
        self.sync_blue_green(&active, preview, fast);
    }

    fn fast_rollback(&self) -> bool {
        let still_up = replica_set::scale_down_due(self.cluster, &self.new)
            .is_some_and(|due| due > self.cluster.clock.now());
        let older = self
            .stable_set()
            .is_some_and(|stable| self.new.created < stable.created);
        let to_stable = self.old.stable == self.new.hash;
        (older || to_stable)
            && !matches!(self.stable, Stable::None)
            && (self.within_rollback_window() || still_up || to_stable)
    }

    fn size_blue_green(&mut self, strategy: &BlueGreen) {
        let replicas = self.replicas();
        self.remove_scale_down_deadlines();
        self.scale_stable(replicas);
        self.reconcile_new(replicas);
        if !self.old.paused_for(INCONCLUSIVE) {
            self.scale_down_previous(strategy);
        }
        self.limit_history();
    }

    fn scale_down_previous(&mut self, strategy: &BlueGreen) {
        let delay = Duration::from_secs(strategy.scale_down_delay_seconds.unwrap_or(30));
        for place in (0..self.others.len()).rev() {
            let Some(set) = self.others.get(place).cloned().filter(|set| set.wanted > 0) else {
                continue;
            };
            let selectors = &self.old.blue_green;
            let referenced = [
                &self.old.stable,
                &self.old.current_pod_hash,
                &selectors.active_selector,
                &selectors.preview_selector,
            ];
            if referenced.contains(&&set.hash) {
                continue;
            }
            let wanted = self.keep_until_deadline(place, delay);
            if wanted != set.wanted {
                self.scale_other(place, wanted);
            }
        }
    }

    fn whole(&self) -> bool {
        self.new.wanted == self.replicas() && self.new.available == self.replicas()
    }

    fn fast_tracked(&self, active: &str, fast: bool) -> bool {
        fast || self.old.promote_full || active.is_empty() || active == self.new.hash
    }

    fn reconcile_blue_green_pause(&mut self, strategy: &BlueGreen, active: &str, fast: bool) {
        if self.old.abort || !self.whole() || self.halted() {
            return;
        }
        let needed =
            strategy.auto_promotion_enabled == Some(false) || strategy.auto_promotion_seconds > 0;
        if self.fast_tracked(active, fast) || !needed {
            self.pauses.remove.push(BLUE_GREEN_PAUSE);
            return;
        }
        if !self.pre_promotion_done(strategy) {
            return;
        }
        if self.old.paused_for(BLUE_GREEN_PAUSE) {
            if self.blue_green_pause_completed(strategy) {
                self.pauses.remove.push(BLUE_GREEN_PAUSE);
            } else if let Some(since) = self.paused_since(BLUE_GREEN_PAUSE)
                && strategy.auto_promotion_seconds > 0
            {
                self.wake(since.after(Duration::from_secs(strategy.auto_promotion_seconds)));
            }
        } else if !self.old.controller_pause {
            self.pauses.add.push(BLUE_GREEN_PAUSE);
        }
    }

    fn pre_promotion_done(&self, strategy: &BlueGreen) -> bool {
        strategy.pre_promotion_analysis.is_none()
            || self
                .runs
                .pre
                .as_ref()
                .is_some_and(|run| run.phase == "Successful")
    }

    fn blue_green_pause_completed(&self, strategy: &BlueGreen) -> bool {
        if !self.pauses.add.is_empty() {
            return false;
        }
        if strategy.auto_promotion_enabled == Some(false) {
            return self.old.controller_pause && !self.old.paused_for(BLUE_GREEN_PAUSE);
        }
        let wait = Duration::from_secs(strategy.auto_promotion_seconds);
        wait.is_zero()
            || self
                .paused_since(BLUE_GREEN_PAUSE)
                .is_some_and(|since| since.after(wait) <= self.cluster.clock.now())
    }

    /// The active service's selector after this look.
    fn switch(&mut self, strategy: &BlueGreen, active: String, fast: bool) -> String {
        if self.halted() || !self.whole() || !self.saturated(&self.new) {
            return active;
        }
        let pause_over =
            self.blue_green_pause_completed(strategy) && self.pre_promotion_done(strategy);
        let mut next = active.clone();
        if self.fast_tracked(&active, fast) || pause_over {
            next.clone_from(&self.new.hash);
        }
        if self.old.abort && !self.pauses.unabort {
            next.clone_from(&self.old.stable);
        }
        self.tell_switch(&strategy.active_service, &active, &next);
        next
    }

    fn tell_switch(&mut self, service: &str, from: &str, to: &str) {
        if from != to {
            let message =
                format!("Switched selector for service '{service}' from '{from}' to '{to}'");
            self.tell("SwitchService", &message);
        }
    }

    fn sync_blue_green(&mut self, active: &str, preview: String, fast: bool) {
        self.base_status();
        self.note_runs();
        if self.template_changed() {
            self.reset();
        }
        if self.old.promote_full || self.within_rollback_window() {
            self.pauses.clear = true;
            self.pauses.unabort = true;
        }
        self.status.blue_green.preview_selector = preview;
        active.clone_into(&mut self.status.blue_green.active_selector);
        if let Some(reason) = self.switched(active, fast) {
            self.promote_stable(reason);
        }
        let serving = self.sets().find(|set| set.hash == active).cloned();
        if let Some(set) = serving {
            self.status.hpa_replicas = set.count;
            self.status.available_replicas = set.available;
            self.status.ready_replicas = set.ready;
            let mut selector = self.spec.selector.clone();
            crate::demo::json::set(
                &mut selector,
                &["matchLabels", replica_set::ROLLOUTS.hash_label],
                set.hash,
            );
            self.status.selector = super::rollout::selector_text(&selector);
        }
        self.persist();
    }

    fn switched(&self, active: &str, fast: bool) -> Option<&'static str> {
        if matches!(self.stable, Stable::None) || active.is_empty() {
            return Some("Initial deploy");
        }
        if active != self.status.current_pod_hash {
            return None;
        }
        if self.old.promote_full {
            return Some("Full promotion requested");
        }
        if fast {
            return Some("Fast rollback");
        }
        if self.pauses.aborted(&self.old) {
            return None;
        }
        let post = self
            .spec
            .strategy
            .blue_green
            .as_ref()?
            .post_promotion_analysis
            .as_ref();
        let verified = post.is_none()
            || self
                .runs
                .post
                .as_ref()
                .is_some_and(|run| run.phase == "Successful");
        verified.then_some("Completed blue-green update")
    }
}
