//! Pods: created pending, ready after a while, gone a moment after they are told to go.
//!
//! Nothing runs in them. Must never count or choose pods: the owners do.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::demo::clock::Moment;
use crate::demo::cluster::Cluster;
use crate::demo::json;
use crate::demo::kind::Kind;
use crate::demo::store::{Key, Object};

/// From the deletion stamp until the object is gone.
const TERMINATES: Duration = Duration::from_millis(1200);

/// Readiness varies by this share of the script's delay, so that a wave of pods does not turn ready at once.
const JITTER_PARTS: u64 = 4;

#[derive(Debug)]
pub(super) struct Pod {
    pub(super) object: Arc<Object>,
    pub(super) ready: bool,
    pub(super) created: String,
}

/// The owner's pods that are not on their way out.
pub(super) fn living(cluster: &Cluster, owner: &str) -> Vec<Pod> {
    cluster
        .store
        .children(owner, Kind::Pod)
        .into_iter()
        .filter_map(|object| {
            let value = object.value();
            if json::at(&value, &["metadata", "deletionTimestamp"]).is_some() {
                return None;
            }
            let created = json::text(&value, &["metadata", "creationTimestamp"]).to_owned();
            Some(Pod {
                ready: is_ready(&value),
                created,
                object,
            })
        })
        .collect()
}

fn is_ready(pod: &Value) -> bool {
    json::at(pod, &["status", "conditions"])
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .any(|condition| {
            json::text(condition, &["type"]) == "Ready"
                && json::text(condition, &["status"]) == "True"
        })
}

/// A pod of the owner's template. The workload is whose script says how long it takes to be ready.
pub(super) fn create(
    cluster: &mut Cluster,
    owner: &Object,
    name: &str,
    template: &Value,
    workload: &str,
) {
    let namespace = owner.key.namespace.to_string();
    let stamp = cluster.clock.stamp();
    let node = format!("node-{}", cluster.chance.below(6) + 1);
    let mut pod = json!({
        "metadata": {"name": name, "namespace": namespace, "labels": template.pointer("/metadata/labels"),
            "annotations": template.pointer("/metadata/annotations"),
            "ownerReferences": [{"apiVersion": owner.key.kind.api_version(), "kind": owner.key.kind.facts().kind,
                "name": &*owner.key.name, "uid": &*owner.uid, "controller": true, "blockOwnerDeletion": true}]},
        "spec": template.get("spec").cloned().unwrap_or_default(),
        "status": {"phase": "Pending", "startTime": stamp, "qosClass": "Burstable",
            "conditions": conditions(false, &stamp),
            "containerStatuses": containers(template, None)},
    });
    if json::at(&pod, &["metadata", "annotations"]).is_some_and(Value::is_null) {
        json::unset(&mut pod, &["metadata", "annotations"]);
    }
    json::set(&mut pod, &["spec", "nodeName"], node);
    let pod = cluster.create(Kind::Pod, pod);
    let due = cluster
        .clock
        .now()
        .after(ready_after(cluster, &namespace, workload));
    cluster.memory.pod_ready_at.insert(pod.uid.to_string(), due);
    cluster.wake(&pod.key, due);
}

fn ready_after(cluster: &mut Cluster, namespace: &str, workload: &str) -> Duration {
    let usual = cluster.script(namespace, workload).ready_after;
    if cluster.clock.now() < Moment::OPENING.before(Duration::from_secs(3600)) {
        // Nobody saw it: one wave, one change, and the past is played faster.
        return usual;
    }
    let part = usual / 100;
    let parts = u32::try_from(cluster.chance.below(100)).unwrap_or(0);
    usual + part * parts / u32::try_from(JITTER_PARTS).unwrap_or(1)
}

pub(super) fn delete(cluster: &mut Cluster, key: &Key) {
    let Some(pod) = cluster.store.get(key) else {
        return;
    };
    let stamp = cluster.clock.stamp();
    cluster.edit(key, |pod| {
        json::set(pod, &["metadata", "deletionTimestamp"], stamp.clone());
        json::set(pod, &["metadata", "deletionGracePeriodSeconds"], 30);
        json::set(pod, &["status", "conditions"], conditions(false, &stamp));
    });
    let due = cluster.clock.now().after(TERMINATES);
    cluster.memory.pod_ready_at.remove(&*pod.uid);
    cluster.memory.pod_gone_at.insert(pod.uid.to_string(), due);
    cluster.wake(key, due);
}

pub(super) fn look(cluster: &mut Cluster, key: &Key) {
    let Some(pod) = cluster.store.get(key) else {
        return;
    };
    let (uid, now) = (pod.uid.to_string(), cluster.clock.now());
    if let Some(due) = cluster.memory.pod_gone_at.get(&uid).copied() {
        if due > now {
            cluster.wake(key, due);
        } else {
            cluster.memory.pod_gone_at.remove(&uid);
            cluster.store.remove(key);
        }
        return;
    }
    let Some(due) = cluster.memory.pod_ready_at.get(&uid).copied() else {
        return;
    };
    if due > now {
        cluster.wake(key, due);
        return;
    }
    cluster.memory.pod_ready_at.remove(&uid);
    let stamp = cluster.clock.stamp();
    let ip = format!(
        "10.{}.{}.{}",
        1 + cluster.chance.below(6),
        cluster.chance.below(250),
        2 + cluster.chance.below(250)
    );
    cluster.edit(key, |pod| {
        let ready = containers(pod, Some(&stamp));
        json::set(pod, &["status", "phase"], "Running");
        json::set(pod, &["status", "podIP"], ip);
        json::set(pod, &["status", "conditions"], conditions(true, &stamp));
        json::set(pod, &["status", "containerStatuses"], ready);
    });
}

fn conditions(ready: bool, stamp: &str) -> Value {
    let condition = |kind: &str, status: bool| {
        json!({"type": kind, "status": if status { "True" } else { "False" }, "lastProbeTime": null,
            "lastTransitionTime": stamp})
    };
    json!([
        condition("Initialized", true),
        condition("Ready", ready),
        condition("ContainersReady", ready),
        condition("PodScheduled", true)
    ])
}

fn containers(template: &Value, running_since: Option<&str>) -> Value {
    let statuses = json::at(template, &["spec", "containers"])
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|container| {
            let state = match running_since {
                Some(since) => json!({"running": {"startedAt": since}}),
                None => json!({"waiting": {"reason": "ContainerCreating"}}),
            };
            json!({"name": json::text(container, &["name"]), "image": json::text(container, &["image"]),
                "imageID": "", "ready": running_since.is_some(), "started": running_since.is_some(),
                "restartCount": 0, "state": state, "lastState": {}})
        });
    Value::Array(statuses.collect())
}
