//! `StatefulSets` and `DaemonSets`: healthy, and rolled one pod at a time when their template changes.
//!
//! Enough to be seen and restarted; there is no partition and no roll back. Must never have two pods down at once.

use serde_json::{Value, json};

use super::pod;
use crate::demo::cluster::{Cluster, template_hash};
use crate::demo::json;
use crate::demo::kind::Kind;
use crate::demo::store::Key;

const HASH: &str = "controller-revision-hash";

/// How many nodes the demo cluster has for its `DaemonSets`.
const NODES: i64 = 6;

pub(super) fn look(cluster: &mut Cluster, key: &Key) {
    let Some(object) = cluster.store.get(key) else {
        return;
    };
    let value = object.value();
    let mut template = json::at(&value, &["spec", "template"])
        .cloned()
        .unwrap_or_default();
    let hash = template_hash(&template, HASH);
    json::set(&mut template, &["metadata", "labels", HASH], hash.as_str());
    let wanted = match key.kind {
        Kind::DaemonSet => NODES,
        _ => json::int(&value, &["spec", "replicas"]),
    };
    let pods = pod::living(cluster, &object.uid);
    let leaving = cluster.store.children(&object.uid, Kind::Pod).len() > pods.len();
    let count = i64::try_from(pods.len()).unwrap_or(i64::MAX);
    if count < wanted && !leaving {
        for name in missing_names(cluster, key, &pods, wanted) {
            pod::create(cluster, &object, &name, &template, &key.name);
        }
    } else if !leaving && pods.iter().all(|pod| pod.ready) {
        // The last one first, as a StatefulSet does.
        let outdated = pods
            .iter()
            .rev()
            .find(|pod| pod.object.label(HASH) != Some(hash.as_str()));
        if count > wanted
            && let Some(last) = pods.last()
        {
            pod::delete(cluster, &last.object.key);
        } else if let Some(outdated) = outdated {
            pod::delete(cluster, &outdated.object.key);
        }
    }
    count_back(cluster, key, &object.uid, &hash, wanted);
}

fn missing_names(cluster: &mut Cluster, key: &Key, pods: &[pod::Pod], wanted: i64) -> Vec<String> {
    let taken = |name: &String| pods.iter().any(|pod| *pod.object.key.name == **name);
    if key.kind == Kind::StatefulSet {
        let names = (0..wanted).map(|number| format!("{}-{number}", key.name));
        return names.filter(|name| !taken(name)).collect();
    }
    let present = i64::try_from(pods.len()).unwrap_or(i64::MAX);
    (present..wanted)
        .map(|_| format!("{}-{}", key.name, cluster.chance.suffix()))
        .collect()
}

fn count_back(cluster: &mut Cluster, key: &Key, uid: &str, hash: &str, wanted: i64) {
    let pods = pod::living(cluster, uid);
    let ready = pods.iter().filter(|pod| pod.ready).count();
    let updated = pods
        .iter()
        .filter(|pod| pod.object.label(HASH) == Some(hash))
        .count();
    let done = i64::try_from(updated).unwrap_or(0) == wanted && ready == updated;
    cluster.edit(key, |value| {
        let generation = json::int(value, &["metadata", "generation"]);
        let revision = format!("{}-{hash}", key.name);
        let status = if key.kind == Kind::DaemonSet {
            json!({"observedGeneration": generation, "desiredNumberScheduled": wanted,
                "currentNumberScheduled": pods.len(), "numberMisscheduled": 0, "numberReady": ready,
                "numberAvailable": ready, "updatedNumberScheduled": updated})
        } else {
            let before = json::text(value, &["status", "currentRevision"]).to_owned();
            let current = if done || before.is_empty() { revision.clone() } else { before };
            json!({"observedGeneration": generation, "replicas": pods.len(), "readyReplicas": ready,
                "availableReplicas": ready, "updatedReplicas": updated, "currentReplicas": pods.len(),
                "currentRevision": current, "updateRevision": revision, "collisionCount": 0})
        };
        json::set(value, &["status"], Value::clone(&status));
    });
}
