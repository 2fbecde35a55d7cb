//! `ReplicaSets`: as many pods as asked for, counted back in the status. And how their owners read and scale them.
//!
//! Must never know why a number was asked for.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::pod;
use crate::demo::clock::Moment;
use crate::demo::cluster::Cluster;
use crate::demo::json;
use crate::demo::kind::Kind;
use crate::demo::store::{Key, Object};

/// What distinguishes the two families of owners.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) owner: Kind,
    pub(super) hash_label: &'static str,
    pub(super) revision: &'static str,
    pub(super) history: &'static str,
    pub(super) desired: &'static str,
    pub(super) component: &'static str,
}

pub(super) static ROLLOUTS: Family = Family {
    owner: Kind::Rollout,
    hash_label: "rollouts-pod-template-hash",
    revision: "rollout.argoproj.io/revision",
    history: "rollout.argoproj.io/revision-history",
    desired: "rollout.argoproj.io/desired-replicas",
    component: "rollouts-controller",
};

pub(super) static DEPLOYMENTS: Family = Family {
    owner: Kind::Deployment,
    hash_label: "pod-template-hash",
    revision: "deployment.kubernetes.io/revision",
    history: "deployment.kubernetes.io/revision-history",
    desired: "deployment.kubernetes.io/desired-replicas",
    component: "deployment-controller",
};

pub(super) const SCALE_DOWN_DEADLINE: &str = "scale-down-deadline";

/// A `ReplicaSet` as its owner sees it.
#[derive(Clone, Debug)]
pub(super) struct Set {
    pub(super) key: Key,
    pub(super) uid: String,
    pub(super) hash: String,
    pub(super) revision: i64,
    /// In whole seconds, as compared by the vendor.
    pub(super) created: String,
    pub(super) desired: Option<i64>,
    pub(super) deadline: Option<String>,
    pub(super) wanted: i64,
    pub(super) count: i64,
    pub(super) ready: i64,
    pub(super) available: i64,
}

impl Set {
    fn read(object: &Arc<Object>, family: &Family) -> Self {
        let value = object.value();
        let annotation =
            |name: &str| json::text(&value, &["metadata", "annotations", name]).to_owned();
        let deadline = annotation(SCALE_DOWN_DEADLINE);
        Self {
            key: object.key.clone(),
            uid: object.uid.to_string(),
            hash: object
                .label(family.hash_label)
                .unwrap_or_default()
                .to_owned(),
            revision: annotation(family.revision).parse().unwrap_or(0),
            created: json::text(&value, &["metadata", "creationTimestamp"]).to_owned(),
            desired: annotation(family.desired).parse().ok(),
            deadline: (!deadline.is_empty()).then_some(deadline),
            wanted: json::int(&value, &["spec", "replicas"]),
            count: json::int(&value, &["status", "replicas"]),
            ready: json::int(&value, &["status", "readyReplicas"]),
            available: json::int(&value, &["status", "availableReplicas"]),
        }
    }

    /// As a Rollout calls it in its events.
    pub(super) fn name(&self) -> &str {
        &self.key.name
    }
}

/// Those that the owner controls, oldest first.
pub(super) fn owned(cluster: &Cluster, owner: &str, family: &Family) -> Vec<Set> {
    let mut sets: Vec<Set> = cluster
        .store
        .children(owner, Kind::ReplicaSet)
        .iter()
        .map(|object| Set::read(object, family))
        .collect();
    sets.sort_by(|one, other| (&one.created, one.revision).cmp(&(&other.created, other.revision)));
    sets
}

/// With no replicas yet: scaling is another step, and another event.
pub(super) fn create(
    cluster: &mut Cluster,
    owner: &Object,
    family: &Family,
    hash: &str,
    revision: i64,
    desired: i64,
) -> Set {
    let value = owner.value();
    let mut template = json::at(&value, &["spec", "template"])
        .cloned()
        .unwrap_or_default();
    json::set(
        &mut template,
        &["metadata", "labels", family.hash_label],
        hash,
    );
    let mut selector = json::at(&value, &["spec", "selector"])
        .cloned()
        .unwrap_or_default();
    json::set(&mut selector, &["matchLabels", family.hash_label], hash);
    let mut annotations = json!({});
    if let Some(cause) = json::at(
        &value,
        &["metadata", "annotations", "kubernetes.io/change-cause"],
    ) {
        json::set(
            &mut annotations,
            &["kubernetes.io/change-cause"],
            cause.clone(),
        );
    }
    json::set(&mut annotations, &[family.revision], revision.to_string());
    json::set(&mut annotations, &[family.desired], desired.to_string());
    let set = json!({
        "metadata": {"name": format!("{}-{hash}", owner.key.name), "namespace": &*owner.key.namespace,
            "labels": json::at(&template, &["metadata", "labels"]), "annotations": annotations,
            "ownerReferences": [{"apiVersion": family.owner.api_version(), "kind": family.owner.facts().kind,
                "name": &*owner.key.name, "uid": &*owner.uid, "controller": true, "blockOwnerDeletion": true}]},
        "spec": {"replicas": 0, "selector": selector, "template": template},
        "status": {"replicas": 0},
    });
    Set::read(&cluster.create(Kind::ReplicaSet, set), family)
}

/// Gives a reused `ReplicaSet` the newest number; the old one moves to its history.
pub(super) fn renumber(cluster: &mut Cluster, set: &Set, family: &Family, revision: i64) {
    let old = set.revision.to_string();
    cluster.edit(&set.key, |value| {
        let history = json::text(value, &["metadata", "annotations", family.history]).to_owned();
        let history = if history.is_empty() {
            old
        } else {
            format!("{history},{old}")
        };
        json::set(value, &["metadata", "annotations", family.history], history);
        json::set(
            value,
            &["metadata", "annotations", family.revision],
            revision.to_string(),
        );
    });
}

/// Asks for `replicas`, and notes how many the owner wants in all. Says whether the size changed.
pub(super) fn scale(
    cluster: &mut Cluster,
    set: &mut Set,
    family: &Family,
    replicas: i64,
    desired: i64,
) -> bool {
    let changed = set.wanted != replicas;
    if !changed && set.desired == Some(desired) {
        return false;
    }
    cluster.edit(&set.key, |value| {
        json::set(value, &["spec", "replicas"], replicas);
        json::set(
            value,
            &["metadata", "annotations", family.desired],
            desired.to_string(),
        );
    });
    set.wanted = replicas;
    set.desired = Some(desired);
    changed
}

pub(super) fn delay_scale_down(cluster: &mut Cluster, set: &mut Set, delay: Duration) {
    let due = cluster.clock.now().after(delay);
    let stamp = crate::demo::clock::seconds(cluster.clock.stamp_at(due));
    cluster.memory.scale_down_at.insert(set.uid.clone(), due);
    cluster.edit(&set.key, |value| {
        json::set(
            value,
            &["metadata", "annotations", SCALE_DOWN_DEADLINE],
            stamp.clone(),
        );
    });
    set.deadline = Some(stamp);
}

pub(super) fn forget_scale_down(cluster: &mut Cluster, set: &mut Set) {
    if set.deadline.take().is_some() {
        cluster.memory.scale_down_at.remove(&set.uid);
        cluster.edit(&set.key, |value| {
            json::unset(value, &["metadata", "annotations", SCALE_DOWN_DEADLINE]);
        });
    }
}

/// When the deadline on the `ReplicaSet` is reached.
pub(super) fn scale_down_due(cluster: &Cluster, set: &Set) -> Option<Moment> {
    let stamp = set.deadline.as_ref()?;
    cluster
        .memory
        .scale_down_at
        .get(&set.uid)
        .copied()
        .or_else(|| Some(cluster.clock.moment_of(stamp.parse().ok()?)))
}

pub(super) fn look(cluster: &mut Cluster, key: &Key) {
    let Some(object) = cluster.store.get(key) else {
        return;
    };
    let value = object.value();
    let wanted = json::int(&value, &["spec", "replicas"]);
    let pods = pod::living(cluster, &object.uid);
    let count = i64::try_from(pods.len()).unwrap_or(i64::MAX);
    if count < wanted {
        let template = json::at(&value, &["spec", "template"])
            .cloned()
            .unwrap_or_default();
        let workload = object.owner.as_ref().and_then(|owner| owner.key.as_ref());
        let workload = workload.map_or_else(|| key.name.to_string(), |key| key.name.to_string());
        for _ in count..wanted {
            let name = format!("{}-{}", key.name, cluster.chance.suffix());
            pod::create(cluster, &object, &name, &template, &workload);
        }
    } else if count > wanted {
        remove_some(cluster, pods, count - wanted);
    }
    count_back(cluster, key, &object);
}

/// The least useful first: not ready before ready, then the youngest.
fn remove_some(cluster: &mut Cluster, mut pods: Vec<pod::Pod>, surplus: i64) {
    pods.sort_by(|one, other| (one.ready, &other.created).cmp(&(other.ready, &one.created)));
    for pod in pods.iter().take(usize::try_from(surplus).unwrap_or(0)) {
        pod::delete(cluster, &pod.object.key);
    }
}

fn count_back(cluster: &mut Cluster, key: &Key, object: &Object) {
    let pods = pod::living(cluster, &object.uid);
    let count = pods.len();
    let ready = pods.iter().filter(|pod| pod.ready).count();
    cluster.edit(key, |value| {
        let mut status = json!({"replicas": count,
            "observedGeneration": json::int(value, &["metadata", "generation"])});
        // Zeroes are left out, as in the vendor's types.
        for (name, number) in [
            ("fullyLabeledReplicas", count),
            ("readyReplicas", ready),
            ("availableReplicas", ready),
        ] {
            if number > 0 {
                json::set(&mut status, &[name], Value::from(number));
            }
        }
        json::set(value, &["status"], status);
    });
}
