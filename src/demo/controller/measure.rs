//! The life of an analysis run: measurements that appear one by one, and how it ends.
//!
//! Nothing is measured; a script says how a version's runs end. Must keep the vendor's words for how a run ends,
//! because the rollout's abort message quotes them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::replica_set::ROLLOUTS;
use super::wire::duration;
use crate::demo::cluster::Cluster;
use crate::demo::json;
use crate::demo::kind::Kind;
use crate::demo::script::Verdict;
use crate::demo::store::{Key, Object};

/// Measurements that are kept on a run; the counters are totals.
const RETAINED: usize = 10;

/// Whether a run has ended, in one way or another.
pub(super) fn over(phase: &str) -> bool {
    matches!(phase, "Successful" | "Failed" | "Error" | "Inconclusive")
}

pub(super) fn terminate(cluster: &mut Cluster, key: &Key) {
    cluster.edit(key, |run| json::set(run, &["spec", "terminate"], true));
}

/// Takes the measurement that is due, and says how the run stands.
pub(super) fn look(cluster: &mut Cluster, key: &Key) {
    let Some(object) = cluster.store.get(key) else {
        return;
    };
    let value = object.value();
    let phase = json::text(&value, &["status", "phase"]);
    if over(phase) {
        return;
    }
    let (uid, now) = (object.uid.to_string(), cluster.clock.now());
    if json::flag(&value, &["spec", "terminate"]) {
        cluster.memory.measured_at.remove(&uid);
        finish(cluster, key, "Successful", "Run Terminated");
        return;
    }
    let due = cluster.memory.measured_at.get(&uid).copied().unwrap_or(now);
    if due > now {
        cluster.wake(key, due);
        return;
    }
    let metrics = json::at(&value, &["spec", "metrics"])
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let Some(first) = metrics.first() else {
        finish(
            cluster,
            key,
            "Error",
            "unable to resolve the run's metrics: no template found",
        );
        return;
    };
    let interval = first
        .get("interval")
        .and_then(duration)
        .unwrap_or(Duration::from_secs(60));
    let next = due.after(interval);
    cluster.memory.measured_at.insert(uid, next);
    measure(cluster, &object, &metrics);
    cluster.wake(key, next);
}

fn measure(cluster: &mut Cluster, object: &Arc<Object>, metrics: &[Value]) {
    let verdict = verdict(cluster, object);
    let stamp = cluster.clock.stamp();
    let mut status = json::at(&object.value(), &["status"])
        .cloned()
        .unwrap_or_else(|| json!({}));
    if json::text(&status, &["startedAt"]).is_empty() {
        json::set(&mut status, &["startedAt"], stamp.clone());
    }
    let mut results = status
        .get("metricResults")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let mut worst = None;
    let mut all_done = true;
    for (place, metric) in metrics.iter().enumerate() {
        // Only the first metric tells; the others are there to be compared with it.
        let verdict = if place == 0 {
            verdict
        } else {
            Verdict::Successful
        };
        let taken = results
            .get(place)
            .map_or(0, |result| json::int(result, &["count"]));
        let phase = match verdict {
            Verdict::Inconclusive if taken > 0 => "Inconclusive",
            Verdict::Failed if taken > 0 => "Failed",
            _ => "Successful",
        };
        let value = reading(cluster, json::text(metric, &["name"]), phase);
        let result = record(results.get(place), metric, phase, &value, &stamp);
        match json::text(&result, &["phase"]) {
            "Running" => all_done = false,
            "Successful" => {}
            bad => worst = Some(ending(&result, metric, bad)),
        }
        match results.get_mut(place) {
            Some(old) => *old = result,
            None => results.push(result),
        }
    }
    json::set(&mut status, &["metricResults"], Value::Array(results));
    json::set(&mut status, &["phase"], "Running");
    let key = object.key.clone();
    cluster.edit(&key, |run| json::set(run, &["status"], status));
    if let Some((phase, message)) = worst {
        finish(cluster, &key, &phase, &message);
    } else if all_done {
        finish(cluster, &key, "Successful", "");
    }
}

/// By the version that is on trial: the tag of the image in the `ReplicaSet` of the run's hash.
fn verdict(cluster: &Cluster, run: &Object) -> Verdict {
    let rollout = run.owner.as_ref().and_then(|owner| owner.key.clone());
    let (Some(rollout), Some(hash)) = (rollout, run.label(ROLLOUTS.hash_label)) else {
        return Verdict::Successful;
    };
    let name = format!("{}-{hash}", rollout.name);
    let set = cluster
        .store
        .get(&Key::new(Kind::ReplicaSet, &rollout.namespace, &name));
    let value = set.map(|set| set.value()).unwrap_or_default();
    let image = value
        .pointer("/spec/template/spec/containers/0/image")
        .and_then(Value::as_str);
    let version = image
        .and_then(|image| image.rsplit_once(':'))
        .map_or("", |(_, tag)| tag);
    cluster
        .script(&rollout.namespace, &rollout.name)
        .verdict(version)
}

/// A value that fits the metric and its judgement, as Prometheus answers it: a vector of one.
fn reading(cluster: &mut Cluster, metric: &str, phase: &str) -> String {
    let noise = cluster.chance.below(9);
    match (metric.contains("latency"), phase) {
        (true, "Successful") => format!("[0.2{noise}]"),
        (true, _) => format!("[1.{noise}3]"),
        (false, "Successful") => format!("[0.00{noise}]"),
        (false, "Inconclusive") => "[]".to_owned(),
        (false, _) => format!("[0.04{noise}]"),
    }
}

fn record(before: Option<&Value>, metric: &Value, phase: &str, value: &str, stamp: &str) -> Value {
    let mut result = before.cloned().unwrap_or_else(|| json!({}));
    let counter = match phase {
        "Failed" => "failed",
        "Inconclusive" => "inconclusive",
        _ => "successful",
    };
    for name in ["count", counter] {
        let count = json::int(&result, &[name]) + 1;
        json::set(&mut result, &[name], count);
    }
    let mut taken = result
        .get("measurements")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    taken.push(json!({"phase": phase, "value": value, "startedAt": stamp, "finishedAt": stamp}));
    let surplus = taken.len().saturating_sub(RETAINED);
    json::set(
        &mut result,
        &["measurements"],
        Value::Array(taken.into_iter().skip(surplus).collect()),
    );
    json::set(&mut result, &["name"], json::text(metric, &["name"]));
    if let Some(query) = json::at(metric, &["provider", "prometheus", "query"]) {
        json::set(
            &mut result,
            &["metadata", "ResolvedPrometheusQuery"],
            query.clone(),
        );
    }
    let (failed, unclear) = (
        json::int(&result, &["failed"]),
        json::int(&result, &["inconclusive"]),
    );
    let phase = if failed > json::int(metric, &["failureLimit"]) {
        "Failed"
    } else if unclear > json::int(metric, &["inconclusiveLimit"]) {
        "Inconclusive"
    } else if metric
        .get("count")
        .is_some_and(|count| json::int(&result, &["count"]) >= number(count))
    {
        "Successful"
    } else {
        "Running"
    };
    json::set(&mut result, &["phase"], phase);
    result
}

/// Counts and limits may be numbers or numeric strings.
fn number(value: &Value) -> i64 {
    value
        .as_i64()
        .or_else(|| value.as_str()?.parse().ok())
        .unwrap_or(0)
}

fn ending(result: &Value, metric: &Value, phase: &str) -> (String, String) {
    let (counter, limit) = if phase == "Failed" {
        ("failed", "failureLimit")
    } else {
        ("inconclusive", "inconclusiveLimit")
    };
    let message = format!(
        "Metric \"{}\" assessed {phase} due to {counter} ({}) > {limit} ({})",
        json::text(metric, &["name"]),
        json::int(result, &[counter]),
        json::int(metric, &[limit])
    );
    (phase.to_owned(), message)
}

fn finish(cluster: &mut Cluster, key: &Key, phase: &str, message: &str) {
    let stamp = cluster.clock.stamp();
    cluster.edit(key, |run| {
        json::set(run, &["status", "phase"], phase);
        if !message.is_empty() {
            json::set(run, &["status", "message"], message);
        }
        json::set(run, &["status", "completedAt"], stamp);
        let results = json::at(run, &["status", "metricResults"])
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let mut summary = json!({"count": results.len()});
        for result in &results {
            let counter = match json::text(result, &["phase"]) {
                "Failed" => "failed",
                "Inconclusive" => "inconclusive",
                "Error" => "error",
                _ => "successful",
            };
            let count = json::int(&summary, &[counter]) + 1;
            json::set(&mut summary, &[counter], count);
        }
        json::set(run, &["status", "runSummary"], summary);
    });
    if let Some(run) = cluster.store.get(key) {
        cluster.memory.measured_at.remove(&*run.uid);
    }
}

/// The template that a scenario's analyses name: errors first, then latency.
pub(in crate::demo) fn template(
    namespace: &str,
    name: &str,
    interval: &str,
    count: Option<u32>,
) -> Value {
    let metric = |name: &str, condition: &str, query: &str| {
        let mut metric = json!({"name": name, "interval": interval, "failureLimit": 1, "successCondition": condition,
            "provider": {"prometheus": {"address": "http://prometheus.monitoring:9090", "query": query}}});
        if let Some(count) = count {
            json::set(&mut metric, &["count"], count);
        }
        metric
    };
    json!({"metadata": {"name": name, "namespace": namespace}, "spec": {"metrics": [
        metric("error-share", "result[0] <= 0.01",
            "sum(rate(http_requests_total{code=~\"5..\"}[2m])) / sum(rate(http_requests_total[2m]))"),
        metric("latency-p99", "result[0] <= 0.5",
            "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[2m])))")
    ]}})
}
