//! Restarting a Rollout's pods in place: no new revision, at least one at a time.
//!
//! Ported from the vendor's `rollout/restart.go`. Must never touch a `ReplicaSet`: it replaces what was evicted.

use super::pod;
use super::rollout::Round;
use crate::demo::clock::seconds;

impl Round<'_> {
    /// Evicts what may be evicted now; answers how many.
    pub(super) fn restart_pods(&mut self) -> i64 {
        self.status.restarted_at.clone_from(&self.old.restarted_at);
        let Some(asked) = self.spec.restart_at.clone() else {
            return 0;
        };
        if self.old.restarted_at.as_ref() == Some(&asked) {
            return 0;
        }
        let Ok(at) = asked.parse::<jiff::Timestamp>() else {
            return 0;
        };
        let due = self.cluster.clock.moment_of(at);
        if due > self.cluster.clock.now() {
            self.wake(due);
            return 0;
        }
        let mut uids: Vec<String> = self.sets().map(|set| set.uid.clone()).collect();
        // Stable first: it serves.
        if let Some(stable) = self.stable_set().map(|set| set.uid.clone()) {
            uids.sort_by_key(|uid| *uid != stable);
        }
        let pods: Vec<_> = uids
            .iter()
            .flat_map(|uid| pod::living(self.cluster, uid))
            .collect();
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let available = count(pods.iter().filter(|pod| pod.ready).count());
        let wanted: i64 = self.sets().map(|set| set.wanted).sum();
        let at_once = self.max_unavailable().max(1);
        let mut allowed = available - (self.replicas().max(wanted) - at_once);
        // Creation times are whole seconds; a pod made within the asked-for second counts as new.
        let line = seconds(at);
        let old: Vec<_> = pods.iter().filter(|pod| pod.created < line).collect();
        let (needed, mut restarted) = (count(old.len()), 0);
        for pod in old {
            if allowed <= 0 {
                break;
            }
            pod::delete(self.cluster, &pod.object.key);
            allowed -= 1;
            restarted += 1;
        }
        if needed == restarted {
            self.status.restarted_at = Some(asked);
            if restarted > 0 {
                // The look ends here, so the mark must not wait for the next one.
                let mut status = self.old.clone();
                status.restarted_at.clone_from(&self.status.restarted_at);
                let value = serde_json::to_value(&status).unwrap_or_default();
                let key = self.object.key.clone();
                self.cluster.edit(&key, |object| {
                    crate::demo::json::set(object, &["status"], value);
                });
            }
        }
        restarted
    }
}
