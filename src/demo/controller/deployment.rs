//! Deployments: rolling updates, pausing, and the numbering of revisions.
//!
//! After kube-controller-manager's deployment controller. Must never make a `ReplicaSet` while paused: that is what
//! makes `rollout status` of a paused one hang at 0 updated.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::replica_set::{self, DEPLOYMENTS, Set};
use super::wire::Amount;
use crate::demo::cluster::{Cluster, template_hash};
use crate::demo::json;
use crate::demo::store::{Key, Object};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    replicas: Option<i64>,
    paused: bool,
    template: Value,
    strategy: Strategy,
    revision_history_limit: Option<usize>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Strategy {
    rolling_update: Rolling,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Rolling {
    max_surge: Option<Amount>,
    max_unavailable: Option<Amount>,
}

pub(super) fn look(cluster: &mut Cluster, key: &Key) {
    let Some(object) = cluster.store.get(key) else {
        return;
    };
    let value = object.value();
    let spec = value.get("spec").cloned().unwrap_or_default();
    let Ok(spec) = serde_json::from_value::<Spec>(spec) else {
        return;
    };
    let hash = template_hash(&spec.template, DEPLOYMENTS.hash_label);
    let mut old = replica_set::owned(cluster, &object.uid, &DEPLOYMENTS);
    let found = old
        .iter()
        .position(|set| set.hash == hash)
        .map(|place| old.remove(place));
    let highest = old.iter().map(|set| set.revision).max().unwrap_or(0);
    let new = match found {
        Some(mut new) if new.revision <= highest && !spec.paused => {
            replica_set::renumber(cluster, &new, &DEPLOYMENTS, highest + 1);
            new.revision = highest + 1;
            Some(new)
        }
        Some(new) => Some(new),
        None if spec.paused => None,
        None => {
            let desired = spec.replicas.unwrap_or(1);
            Some(replica_set::create(
                cluster,
                &object,
                &DEPLOYMENTS,
                &hash,
                highest + 1,
                desired,
            ))
        }
    };
    if let Some(new) = &new
        && !spec.paused
    {
        note_revision(cluster, key, new.revision);
    }
    let mut rolling = Look {
        cluster,
        object,
        spec,
        new,
        old,
    };
    if !rolling.spec.paused {
        rolling.roll();
        rolling.limit_history();
    }
    rolling.count_back();
}

fn note_revision(cluster: &mut Cluster, key: &Key, revision: i64) {
    cluster.edit(key, |value| {
        json::set(
            value,
            &["metadata", "annotations", DEPLOYMENTS.revision],
            revision.to_string(),
        );
    });
}

/// One look at a Deployment.
struct Look<'a> {
    cluster: &'a mut Cluster,
    object: Arc<Object>,
    spec: Spec,
    new: Option<Set>,
    old: Vec<Set>,
}

impl Look<'_> {
    fn replicas(&self) -> i64 {
        self.spec.replicas.unwrap_or(1)
    }

    /// Surge and unavailability; both zero would never move.
    fn room(&self) -> (i64, i64) {
        let quarter = Amount::Percent("25%".to_owned());
        let rolling = &self.spec.strategy.rolling_update;
        let surge = rolling
            .max_surge
            .as_ref()
            .unwrap_or(&quarter)
            .of(self.replicas(), true);
        let unavailable = rolling
            .max_unavailable
            .as_ref()
            .unwrap_or(&quarter)
            .of(self.replicas(), false);
        (
            surge,
            if surge == 0 && unavailable == 0 {
                1
            } else {
                unavailable
            },
        )
    }

    fn roll(&mut self) {
        let (surge, unavailable) = self.room();
        let replicas = self.replicas();
        let Some(new) = self.new.clone() else {
            return;
        };
        let total: i64 = new.wanted + self.old.iter().map(|set| set.wanted).sum::<i64>();
        let grown = if new.wanted > replicas {
            replicas
        } else {
            new.wanted + (replicas + surge - total).clamp(0, replicas - new.wanted)
        };
        self.scale(None, grown);
        let available: i64 = self.old.iter().map(|set| set.available).sum();
        let not_ready = (grown - new.available).max(0);
        let total = grown + self.old.iter().map(|set| set.wanted).sum::<i64>();
        // Pods that are not available cost nothing to remove; available ones only beyond the minimum.
        let mut spare = (total - (replicas - unavailable) - not_ready)
            .min(available + new.available - (replicas - unavailable));
        for place in 0..self.old.len() {
            let Some(wanted) = self.old.get(place).map(|set| set.wanted) else {
                continue;
            };
            let down = wanted.min(spare.max(0));
            if down > 0 {
                spare -= down;
                self.scale(Some(place), wanted - down);
            }
        }
    }

    /// The new one, or the old one at that place.
    fn scale(&mut self, which: Option<usize>, replicas: i64) {
        let desired = self.replicas();
        let set = match which {
            None => self.new.as_mut(),
            Some(place) => self.old.get_mut(place),
        };
        let Some(set) = set else { return };
        let before = set.wanted;
        if replica_set::scale(self.cluster, set, &DEPLOYMENTS, replicas, desired) {
            let way = if replicas > before { "up" } else { "down" };
            let message = format!(
                "Scaled {way} replica set {} from {before} to {replicas}",
                set.name()
            );
            self.cluster.tell(
                &self.object,
                DEPLOYMENTS.component,
                false,
                "ScalingReplicaSet",
                &message,
            );
        }
    }

    fn limit_history(&mut self) {
        let limit = self.spec.revision_history_limit.unwrap_or(10);
        let idle: Vec<Key> = self
            .old
            .iter()
            .filter(|set| set.wanted == 0 && set.count == 0)
            .map(|set| set.key.clone())
            .collect();
        let surplus = self.old.len().saturating_sub(limit);
        for key in idle.into_iter().take(surplus) {
            self.cluster.store.remove(&key);
        }
    }

    fn count_back(&mut self) {
        let sum = |count: fn(&Set) -> i64| self.old.iter().chain(&self.new).map(count).sum::<i64>();
        let (replicas, ready, available) = (
            sum(|set| set.count),
            sum(|set| set.ready),
            sum(|set| set.available),
        );
        let updated = self.new.as_ref().map_or(0, |set| set.count);
        let wanted = self.replicas();
        let complete = updated == wanted && replicas == wanted && available == wanted;
        let least = wanted - self.room().1;
        let stamp = self.cluster.clock.stamp();
        let new = self
            .new
            .as_ref()
            .map(|set| set.name().to_owned())
            .unwrap_or_default();
        let paused = self.spec.paused;
        self.cluster.edit(&self.object.key, |value| {
            let mut status =
                json!({"observedGeneration": json::int(value, &["metadata", "generation"])});
            let counts = [
                ("replicas", replicas),
                ("updatedReplicas", updated),
                ("readyReplicas", ready),
                ("availableReplicas", available),
                ("unavailableReplicas", (wanted - available).max(0)),
            ];
            for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
                json::set(&mut status, &[name], count);
            }
            let available = if available >= least {
                (
                    "Available",
                    "True",
                    "MinimumReplicasAvailable",
                    "Deployment has minimum availability.".to_owned(),
                )
            } else {
                (
                    "Available",
                    "False",
                    "MinimumReplicasUnavailable",
                    "Deployment does not have minimum availability.".to_owned(),
                )
            };
            let progressing = if paused {
                (
                    "Progressing",
                    "Unknown",
                    "DeploymentPaused",
                    "Deployment is paused".to_owned(),
                )
            } else if complete {
                (
                    "Progressing",
                    "True",
                    "NewReplicaSetAvailable",
                    format!("ReplicaSet \"{new}\" has successfully progressed."),
                )
            } else {
                (
                    "Progressing",
                    "True",
                    "ReplicaSetUpdated",
                    format!("ReplicaSet \"{new}\" is progressing."),
                )
            };
            let conditions = [available, progressing].map(|new| condition(value, &new, &stamp));
            json::set(
                &mut status,
                &["conditions"],
                Value::from(conditions.to_vec()),
            );
            json::set(value, &["status"], status);
        });
    }
}

/// Times move only with what they are about.
fn condition(
    object: &Value,
    (kind, status, reason, message): &(&str, &str, &str, String),
    stamp: &str,
) -> Value {
    let before = json::at(object, &["status", "conditions"])
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .find(|condition| json::text(condition, &["type"]) == *kind);
    let same =
        |name: &str, new: &str| before.is_some_and(|before| json::text(before, &[name]) == new);
    let kept = |name: &str, keep: bool| match before {
        Some(before) if keep => json::text(before, &[name]).to_owned(),
        _ => stamp.to_owned(),
    };
    let unchanged = same("status", status) && same("reason", reason);
    json!({"type": kind, "status": status, "reason": reason, "message": message,
        "lastUpdateTime": kept("lastUpdateTime", unchanged),
        "lastTransitionTime": kept("lastTransitionTime", same("status", status))})
}
