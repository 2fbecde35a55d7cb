//! Weights of a canary whose traffic is routed: what a traffic router would be told.
//!
//! Ported from the vendor's `rollout/trafficrouting.go`. Must never send traffic where no pod is available.

use super::rollout::Round;
use super::wire::{Destination, Weights};

impl Round<'_> {
    pub(super) fn route_traffic(&mut self) {
        if !self.routed() {
            self.status.canary.weights = None;
            return;
        }
        let Some(weight) = self.traffic_weight() else {
            return;
        };
        let stable = self.stable_set();
        let needed = (100 - weight) * self.replicas() / 100;
        if stable.is_none_or(|set| set.available < needed) {
            return;
        }
        let stable_hash = stable.map(|set| set.hash.clone()).unwrap_or_default();
        let canary = self.spec.strategy.canary.clone().unwrap_or_default();
        let weights = Weights {
            canary: Destination {
                weight,
                service_name: canary.canary_service,
                pod_template_hash: self.new.hash.clone(),
            },
            stable: Destination {
                weight: 100 - weight,
                service_name: canary.stable_service,
                pod_template_hash: stable_hash,
            },
        };
        let before = self.old.canary.weights.as_ref();
        if before == Some(&weights) {
            return;
        }
        let change = match before.map(|before| before.canary.weight) {
            None => format!("to {weight}"),
            Some(from) if from != weight => format!("from {from} to {weight}"),
            Some(_) => String::new(),
        };
        self.status.canary.weights = Some(weights);
        self.tell(
            "TrafficWeightUpdated",
            &format!("Traffic weight updated {change}"),
        );
    }

    /// None: leave the weights as they are.
    fn traffic_weight(&self) -> Option<i64> {
        if self.old.fully_promoted() || self.pauses.aborted(&self.old) || self.new.available == 0 {
            return Some(0);
        }
        if self.old.promote_full {
            // Traffic follows when the new version is whole; until then it stays where it is.
            return Some(
                self.old
                    .canary
                    .weights
                    .as_ref()
                    .map_or(0, |weights| weights.canary.weight),
            );
        }
        let index = self.old.current_step_index?;
        if !self.at_desired_counts() {
            let before = usize::try_from(index).unwrap_or(0);
            let weight = self
                .steps()
                .iter()
                .take(before)
                .rev()
                .find_map(|step| step.set_weight);
            return Some(weight.unwrap_or(0));
        }
        Some(if index == self.step_count() {
            100
        } else {
            self.set_weight()
        })
    }
}
