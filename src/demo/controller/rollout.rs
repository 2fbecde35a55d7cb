//! A look at a Rollout: read everything, number the revision, then do what its strategy says.
//!
//! Ported from the vendor's controller (argo-rollouts 1.10.1, `rollout/`), in its order. Must never keep state here:
//! a look starts from the objects each time.

use std::sync::Arc;

use serde::Deserialize;

use super::analysis::Runs;
use super::pause::Pauses;
use super::replica_set::{self, ROLLOUTS, Set};
use super::wire::{Condition, Spec, Status, Step};
use crate::demo::clock::Moment;
use crate::demo::cluster::{Cluster, template_hash};
use crate::demo::json;
use crate::demo::store::{Key, Object};

pub(super) const CANARY_PAUSE: &str = "CanaryPauseStep";
pub(super) const BLUE_GREEN_PAUSE: &str = "BlueGreenPause";
pub(super) const INCONCLUSIVE: &str = "InconclusiveAnalysisRun";

/// Where the stable version is.
#[derive(Clone, Debug)]
pub(super) enum Stable {
    None,
    IsNew,
    Other(Set),
}

/// One look, from reading to writing.
#[derive(Debug)]
pub(super) struct Round<'a> {
    pub(super) cluster: &'a mut Cluster,
    pub(super) object: Arc<Object>,
    pub(super) spec: Spec,
    pub(super) generation: i64,
    pub(super) revision: i64,
    /// As it was read.
    pub(super) old: Status,
    /// As it will be written.
    pub(super) status: Status,
    pub(super) new: Set,
    pub(super) stable: Stable,
    /// Neither new nor stable.
    pub(super) others: Vec<Set>,
    pub(super) pauses: Pauses,
    pub(super) runs: Runs,
}

#[derive(Deserialize)]
struct Read {
    spec: Spec,
    #[serde(default)]
    status: Status,
}

pub(super) fn look(cluster: &mut Cluster, key: &Key) {
    let Some(object) = cluster.store.get(key) else {
        return;
    };
    match serde_json::from_slice::<Read>(object.raw()) {
        Ok(read) => {
            if let Some(mut round) = Round::begin(cluster, &object, read) {
                round.go();
            }
        }
        Err(error) => refuse_spec(cluster, key, &error.to_string()),
    }
}

/// A spec that cannot be read freezes the Rollout: every request flag stays in its status without effect.
fn refuse_spec(cluster: &mut Cluster, key: &Key, why: &str) {
    let stamp = cluster.clock.stamp();
    cluster.edit(key, |value| {
        let generation = json::int(value, &["metadata", "generation"]).to_string();
        let condition = Condition {
            kind: "InvalidSpec".to_owned(),
            status: "True".to_owned(),
            reason: "InvalidSpec".to_owned(),
            message: why.to_owned(),
            last_update_time: stamp.clone(),
            last_transition_time: stamp,
        };
        json::set(
            value,
            &["status", "conditions"],
            serde_json::json!([condition]),
        );
        json::set(value, &["status", "phase"], "Degraded");
        json::set(value, &["status", "message"], format!("InvalidSpec: {why}"));
        json::set(value, &["status", "observedGeneration"], generation);
    });
}

impl<'a> Round<'a> {
    fn begin(cluster: &'a mut Cluster, object: &Arc<Object>, read: Read) -> Option<Self> {
        let Read {
            spec,
            status: mut old,
        } = read;
        old.conditions
            .retain(|condition| condition.kind != "InvalidSpec");
        let value = object.value();
        let generation = json::int(&value, &["metadata", "generation"]);
        let hash = template_hash(&spec.template, ROLLOUTS.hash_label);
        let mut sets = replica_set::owned(cluster, &object.uid, &ROLLOUTS);
        let highest = |sets: &[Set]| sets.iter().map(|set| set.revision).max().unwrap_or(0);
        let new = if let Some(place) = sets.iter().position(|set| set.hash == hash) {
            let mut new = sets.remove(place);
            let next = highest(&sets) + 1;
            if new.revision < next {
                replica_set::renumber(cluster, &new, &ROLLOUTS, next);
                new.revision = next;
            }
            new
        } else {
            let desired = spec.replicas.unwrap_or(1);
            let next = highest(&sets) + 1;
            let new = replica_set::create(cluster, object, &ROLLOUTS, &hash, next, desired);
            let message = format!("Created ReplicaSet {} (revision {next})", new.name());
            cluster.tell(
                object,
                ROLLOUTS.component,
                false,
                "NewReplicaSetCreated",
                &message,
            );
            new
        };
        let stable = match old.stable.as_str() {
            "" => Stable::None,
            stable if stable == new.hash => Stable::IsNew,
            stable => match sets.iter().position(|set| set.hash == stable) {
                Some(place) => Stable::Other(sets.remove(place)),
                None => Stable::None,
            },
        };
        note_revision(cluster, object, new.revision);
        let object = cluster.store.get(&object.key)?;
        let runs = Runs::read(cluster, &object, &old);
        let pauses = Pauses {
            // An abort of what is fully promoted is logged by the vendor, and removed.
            unabort: old.fully_promoted() && old.abort,
            ..Pauses::default()
        };
        let mut round = Self {
            revision: new.revision,
            status: Status::default(),
            cluster,
            object,
            spec,
            generation,
            old,
            new,
            stable,
            others: sets,
            pauses,
            runs,
        };
        round.start_status();
        Some(round)
    }

    /// What a new status carries over by itself; everything else is worked out in this look.
    fn start_status(&mut self) {
        self.status = Status {
            restarted_at: self.old.restarted_at.clone(),
            ..Status::default()
        };
        self.status
            .canary
            .weights
            .clone_from(&self.old.canary.weights);
    }

    fn go(&mut self) {
        if self.check_paused() {
            return;
        }
        self.start_status();
        if self.spec.strategy.blue_green.is_some() {
            self.blue_green();
        } else {
            self.canary();
        }
    }

    pub(super) fn replicas(&self) -> i64 {
        self.spec.replicas.unwrap_or(1)
    }

    pub(super) fn steps(&self) -> &[Step] {
        self.spec
            .strategy
            .canary
            .as_ref()
            .map(|canary| canary.steps.as_slice())
            .unwrap_or_default()
    }

    pub(super) fn step_count(&self) -> i64 {
        i64::try_from(self.steps().len()).unwrap_or(0)
    }

    /// None without steps, and past the last one.
    pub(super) fn current_step(&self) -> Option<&Step> {
        let index = usize::try_from(self.old.current_step_index.unwrap_or(0)).ok()?;
        self.steps().get(index)
    }

    pub(super) fn sets(&self) -> impl Iterator<Item = &Set> {
        let stable = match &self.stable {
            Stable::Other(set) => Some(set),
            Stable::None | Stable::IsNew => None,
        };
        std::iter::once(&self.new).chain(stable).chain(&self.others)
    }

    pub(super) fn stable_set(&self) -> Option<&Set> {
        match &self.stable {
            Stable::None => None,
            Stable::IsNew => Some(&self.new),
            Stable::Other(set) => Some(set),
        }
    }

    pub(super) fn tell(&mut self, reason: &str, message: &str) {
        let object = Arc::clone(&self.object);
        self.cluster
            .tell(&object, ROLLOUTS.component, false, reason, message);
    }

    pub(super) fn warn(&mut self, reason: &str, message: &str) {
        let object = Arc::clone(&self.object);
        self.cluster
            .tell(&object, ROLLOUTS.component, true, reason, message);
    }

    pub(super) fn wake(&mut self, due: Moment) {
        let key = self.object.key.clone();
        self.cluster.wake(&key, due);
    }

    /// What both strategies count alike.
    pub(super) fn base_status(&mut self) {
        let hash = self.new.hash.clone();
        self.status.replicas = self.sets().map(|set| set.count).sum();
        self.status.updated_replicas = self.new.count;
        self.status.ready_replicas = self.sets().map(|set| set.ready).sum();
        self.status.available_replicas = self.sets().map(|set| set.available).sum();
        self.status.hpa_replicas = self.status.replicas;
        self.status.selector = selector_text(&self.spec.selector);
        self.status.conditions.clone_from(&self.old.conditions);
        self.status.stable.clone_from(&self.old.stable);
        self.status.promote_full = hash != self.status.stable && self.old.promote_full;
        self.status.current_pod_hash = hash;
    }

    /// The template is another one than the status knows.
    pub(super) fn template_changed(&self) -> bool {
        !self.old.current_pod_hash.is_empty() && self.old.current_pod_hash != self.new.hash
    }

    /// As at the beginning of a new update. A promotion asked for before the template was seen is lost here.
    pub(super) fn reset(&mut self) {
        self.pauses.clear = true;
        self.pauses.unabort = true;
        self.status.restarted_at.clone_from(&self.spec.restart_at);
        self.status.promote_full = false;
        self.status.blue_green.pre_promotion_analysis_run_status = None;
        self.status.blue_green.post_promotion_analysis_run_status = None;
        self.status.canary.current_step_analysis_run_status = None;
        self.status.canary.current_background_analysis_run_status = None;
        self.status.current_step_index = (self.step_count() > 0).then_some(0);
    }

    /// Compared in whole seconds, as the vendor does: two made in one second do not count.
    pub(super) fn within_rollback_window(&self) -> bool {
        let Some(stable) = self.stable_set() else {
            return false;
        };
        let window = self
            .spec
            .rollback_window
            .as_ref()
            .map_or(0, |window| window.revisions);
        let between = |set: &&Set| set.created < stable.created && self.new.created < set.created;
        self.new.created < stable.created && self.sets().filter(between).count() < window
    }

    pub(super) fn promote_stable(&mut self, reason: &str) {
        self.pauses.clear = true;
        self.pauses.unabort = true;
        self.status.promote_full = false;
        if self.spec.strategy.blue_green.is_none() {
            let steps = self.step_count();
            self.status.current_step_index = (steps > 0).then_some(steps);
        }
        if self.status.stable != self.status.current_pod_hash {
            self.status.stable.clone_from(&self.status.current_pod_hash);
            let message = format!(
                "Rollout completed update to revision {} ({}): {reason}",
                self.revision, self.status.current_pod_hash
            );
            self.tell("RolloutCompleted", &message);
        }
    }
}

fn note_revision(cluster: &mut Cluster, object: &Object, revision: i64) {
    let text = revision.to_string();
    let value = object.value();
    if json::text(&value, &["metadata", "annotations", ROLLOUTS.revision]) == text {
        return;
    }
    cluster.edit(&object.key, |value| {
        json::set(
            value,
            &["metadata", "annotations", ROLLOUTS.revision],
            text.clone(),
        );
    });
    let message = format!("Rollout updated to revision {text}");
    cluster.tell(
        object,
        ROLLOUTS.component,
        false,
        "RolloutUpdated",
        &message,
    );
}

pub(super) fn selector_text(selector: &serde_json::Value) -> String {
    let labels = json::at(selector, &["matchLabels"]).and_then(serde_json::Value::as_object);
    let pairs = labels
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()));
    pairs.collect::<Vec<_>>().join(",")
}
