//! What a run does outside: its deployments, its version in the cluster, and how the rollout ended.
//!
//! Must never release what was not built: a version's template is kept when its run begins.

use serde_json::Value;

use super::{Conclusion, Family, RunRef};
use crate::demo::cluster::Cluster;
use crate::demo::json;
use crate::demo::kind::Kind;
use crate::demo::store::Key;

/// The deployment of the run's current job has come so far.
pub(super) fn deployed(cluster: &mut Cluster, at: RunRef, word: &'static str) {
    let (now, id) = (
        cluster.clock.now(),
        cluster.pipelines.issue(Family::Deployment),
    );
    let Some(repo) = cluster.pipelines.repos.get_mut(at.repo) else {
        return;
    };
    let job = repo
        .runs
        .get(at.run)
        .and_then(|run| Some(run.latest()?.jobs.last()?.id));
    let found = repo
        .deployments
        .iter_mut()
        .rev()
        .find(|deployment| Some(deployment.job) == job);
    if let Some(deployment) = found {
        deployment.statuses.push((id, word, now));
    }
}

/// The version goes into the cluster, as a release of the story would.
pub(super) fn ship(cluster: &mut Cluster, at: RunRef, version: &str) {
    let Some(repo) = cluster.pipelines.repos.get(at.repo) else {
        return;
    };
    let (key, template) = (repo.workload.clone(), repo.templates.get(version).cloned());
    if let Some(template) = template {
        cluster.edit(&key, |value| {
            json::set(value, &["spec", "template"], template);
        });
    }
}

/// How the rollout of the version ended, if it has.
pub(super) fn outcome(cluster: &Cluster, at: RunRef, version: &str) -> Option<Conclusion> {
    let key = &cluster.pipelines.repos.get(at.repo)?.workload;
    let value = cluster.store.get(key)?.value();
    let image = value
        .pointer("/spec/template/spec/containers/0/image")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if image.rsplit_once(':').is_none_or(|(_, tag)| tag != version) {
        return Some(Conclusion::Failure);
    }
    if json::flag(&value, &["status", "abort"])
        || json::text(&value, &["status", "phase"]) == "Degraded"
    {
        return Some(Conclusion::Failure);
    }
    is_out(key, &value).then_some(Conclusion::Success)
}

fn is_out(key: &Key, value: &Value) -> bool {
    let generation = json::int(value, &["metadata", "generation"]);
    let observed = match json::at(value, &["status", "observedGeneration"]) {
        Some(Value::String(text)) => text.parse().unwrap_or(0),
        other => other.and_then(Value::as_i64).unwrap_or(0),
    };
    let count = |name: &str| json::int(value, &["status", name]);
    let wanted = json::int(value, &["spec", "replicas"]);
    observed == generation
        && match key.kind {
            Kind::Rollout => json::text(value, &["status", "phase"]) == "Healthy",
            Kind::DaemonSet => {
                let all = count("desiredNumberScheduled");
                count("updatedNumberScheduled") == all && count("numberAvailable") == all
            }
            _ => ["updatedReplicas", "availableReplicas", "replicas"]
                .into_iter()
                .all(|name| count(name) == wanted),
        }
}
