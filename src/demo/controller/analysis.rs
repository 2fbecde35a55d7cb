//! Analysis: which runs a release is held by, and the measurements of each, appearing one by one.
//!
//! Nothing is measured; a script says how a version's runs end. Must keep the vendor's words for how a run ends,
//! because the rollout's abort message quotes them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::replica_set::ROLLOUTS;
use super::rollout::{BLUE_GREEN_PAUSE, CANARY_PAUSE, INCONCLUSIVE, Round, Stable};
use super::wire::{Analysis, RunStatus, Status, duration};
use crate::demo::cluster::Cluster;
use crate::demo::json;
use crate::demo::kind::Kind;
use crate::demo::script::Verdict;
use crate::demo::store::{Key, Object};

/// Finished runs that are kept: five that succeeded and five that did not, as the vendor's defaults say in sum.
const KEPT: usize = 10;

/// Measurements that are kept on a run; the counters are totals.
const RETAINED: usize = 10;

/// The run for one purpose, as far as the release is concerned.
#[derive(Clone, Debug)]
pub(super) struct Run {
    key: Key,
    pub(super) phase: String,
    message: String,
    step: String,
}

/// The runs in force: those that the status names.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs {
    pub(super) step: Option<Run>,
    pub(super) background: Option<Run>,
    pub(super) pre: Option<Run>,
    pub(super) post: Option<Run>,
}

impl Run {
    fn read(cluster: &Cluster, key: &Key) -> Option<Self> {
        let object = cluster.store.get(key)?;
        let value = object.value();
        Some(Self {
            key: key.clone(),
            phase: json::text(&value, &["status", "phase"]).to_owned(),
            message: json::text(&value, &["status", "message"]).to_owned(),
            step: object.label("step-index").unwrap_or_default().to_owned(),
        })
    }

    fn status(&self) -> RunStatus {
        RunStatus {
            name: self.key.name.to_string(),
            status: self.phase.clone(),
            message: self.message.clone(),
        }
    }
}

fn over(phase: &str) -> bool {
    matches!(phase, "Successful" | "Failed" | "Error" | "Inconclusive")
}

impl Runs {
    pub(super) fn read(cluster: &Cluster, rollout: &Object, status: &Status) -> Self {
        let read = |status: &Option<RunStatus>| {
            let name = &status.as_ref()?.name;
            Run::read(
                cluster,
                &Key::new(Kind::AnalysisRun, &rollout.key.namespace, name),
            )
        };
        Self {
            step: read(&status.canary.current_step_analysis_run_status),
            background: read(&status.canary.current_background_analysis_run_status),
            pre: read(&status.blue_green.pre_promotion_analysis_run_status),
            post: read(&status.blue_green.post_promotion_analysis_run_status),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Run> {
        [&self.step, &self.background, &self.pre, &self.post]
            .into_iter()
            .flatten()
    }
}

impl Round<'_> {
    /// The runs in force, as the status names them.
    pub(super) fn note_runs(&mut self) {
        let status = |run: &Option<Run>| run.as_ref().map(Run::status);
        self.status.canary.current_step_analysis_run_status = status(&self.runs.step);
        self.status.canary.current_background_analysis_run_status = status(&self.runs.background);
        self.status.blue_green.pre_promotion_analysis_run_status = status(&self.runs.pre);
        self.status.blue_green.post_promotion_analysis_run_status = status(&self.runs.post);
    }

    pub(super) fn reconcile_analysis(&mut self) {
        let before = self.runs.clone();
        let settled =
            matches!(self.stable, Stable::None | Stable::IsNew) || self.within_rollback_window();
        if self.old.fully_promoted()
            || settled
            || self.pauses.aborted(&self.old)
            || self.old.promote_full
        {
            self.cancel(&before);
            // Blue-green keeps its last runs in the status, a canary does not.
            self.runs.step = None;
            self.runs.background = None;
        } else if self.spec.strategy.blue_green.is_some() {
            self.reconcile_switch_analyses();
        } else {
            self.reconcile_step_analysis();
            self.reconcile_background_analysis();
        }
        self.cancel_superseded(&before);
        self.tell_changes(&before);
        self.limit_runs();
    }

    fn reconcile_step_analysis(&mut self) {
        if !self.old.pauses().is_empty() || self.old.abort {
            return;
        }
        let index = self.old.current_step_index.unwrap_or(0);
        let analysis = self.current_step().and_then(|step| step.analysis.clone());
        let Some(analysis) = analysis.filter(|_| {
            self.runs
                .step
                .as_ref()
                .is_none_or(|run| run.step == index.to_string())
        }) else {
            self.runs.step = None;
            return;
        };
        if self.needs_new(self.runs.step.as_ref()) {
            self.runs.step = Some(self.create_run(&analysis, &index.to_string(), "Step"));
            return;
        }
        self.judge(
            self.runs.step.clone(),
            "Step-based analysis phase error/failed",
        );
    }

    fn reconcile_background_analysis(&mut self) {
        let Some(analysis) = self
            .spec
            .strategy
            .canary
            .as_ref()
            .and_then(|canary| canary.analysis.clone())
        else {
            self.runs.background = None;
            return;
        };
        let index = self.old.current_step_index.unwrap_or(0);
        if analysis.templates.is_empty() || index < analysis.starting_step.unwrap_or(0) {
            self.runs.background = None;
            return;
        }
        if self.old.paused_for(INCONCLUSIVE) {
            return;
        }
        if self.needs_new(self.runs.background.as_ref()) {
            self.runs.background = Some(self.create_run(&analysis, "", "Background"));
            return;
        }
        self.judge(
            self.runs.background.clone(),
            "Background analysis phase error/failed",
        );
    }

    fn reconcile_switch_analyses(&mut self) {
        let Some(strategy) = self.spec.strategy.blue_green.clone() else {
            return;
        };
        let active = self.old.blue_green.active_selector.clone();
        let switched = active == self.new.hash;
        let ready = self.saturated(&self.new) && !active.is_empty();
        if let Some(analysis) = &strategy.pre_promotion_analysis
            && !switched
            && (ready || self.runs.pre.is_some())
            && !self.old.paused_for(INCONCLUSIVE)
        {
            if self.needs_new(self.runs.pre.as_ref()) {
                self.runs.pre = Some(self.create_run(analysis, "pre", "PrePromotion"));
            }
            self.judge(
                self.runs.pre.clone(),
                "Blue/green pre-promotion analysis phase error/failed",
            );
        }
        if let Some(analysis) = &strategy.post_promotion_analysis
            && switched
            && (ready || self.runs.post.is_some())
            && !self.old.paused_for(INCONCLUSIVE)
        {
            if self.needs_new(self.runs.post.as_ref()) {
                self.runs.post = Some(self.create_run(analysis, "post", "PostPromotion"));
            }
            self.judge(
                self.runs.post.clone(),
                "Blue/green post-promotion analysis phase error/failed",
            );
        }
    }

    /// A pause that was lifted at an inconclusive run means: run it again.
    fn needs_new(&self, run: Option<&Run>) -> bool {
        let Some(run) = run else {
            return true;
        };
        let held = self.old.paused_for(CANARY_PAUSE) || self.old.paused_for(BLUE_GREEN_PAUSE);
        if self.old.controller_pause && !held {
            return run.phase == "Inconclusive";
        }
        self.old.aborted_at.is_some()
    }

    fn judge(&mut self, run: Option<Run>, what: &str) {
        let Some(run) = run else {
            return;
        };
        match run.phase.as_str() {
            "Inconclusive" => self.pauses.add.push(INCONCLUSIVE),
            "Failed" | "Error" if run.message.is_empty() => {
                self.pauses.abort = Some(what.to_owned())
            }
            "Failed" | "Error" => self.pauses.abort = Some(format!("{what}: {}", run.message)),
            _ => {}
        }
    }

    fn create_run(&mut self, analysis: &Analysis, suffix: &str, purpose: &str) -> Run {
        let (namespace, rollout) = (
            self.object.key.namespace.to_string(),
            self.object.key.name.to_string(),
        );
        let mut name = format!("{rollout}-{}-{}", self.new.hash, self.revision);
        if !suffix.is_empty() {
            name = format!("{name}-{suffix}");
        }
        let taken = |cluster: &Cluster, name: &str| {
            cluster
                .store
                .get(&Key::new(Kind::AnalysisRun, &namespace, name))
                .is_some()
        };
        if taken(self.cluster, &name) {
            let free = (1..)
                .map(|number| format!("{name}.{number}"))
                .find(|name| !taken(self.cluster, name));
            name = free.unwrap_or(name);
        }
        let metrics: Vec<Value> = analysis
            .templates
            .iter()
            .filter_map(|template| {
                let key = Key::new(Kind::AnalysisTemplate, &namespace, &template.template_name);
                let value = self.cluster.store.get(&key)?.value();
                json::at(&value, &["spec", "metrics"])?.as_array().cloned()
            })
            .flatten()
            .collect();
        let mut labels = json::at(&self.spec.selector, &["matchLabels"])
            .cloned()
            .unwrap_or_else(|| json!({}));
        json::set(&mut labels, &[ROLLOUTS.hash_label], self.new.hash.as_str());
        json::set(&mut labels, &["rollout-type"], purpose);
        if purpose == "Step" {
            json::set(&mut labels, &["step-index"], suffix);
        }
        let run = json!({
            "metadata": {"name": name, "namespace": namespace, "labels": labels,
                "annotations": {(ROLLOUTS.revision): self.revision.to_string()},
                "ownerReferences": [{"apiVersion": Kind::Rollout.api_version(), "kind": "Rollout", "name": rollout,
                    "uid": &*self.object.uid, "controller": true, "blockOwnerDeletion": true}]},
            "spec": {"metrics": metrics, "args": []},
        });
        let object = self.cluster.create(Kind::AnalysisRun, run);
        Run {
            key: object.key.clone(),
            phase: String::new(),
            message: String::new(),
            step: object.label("step-index").unwrap_or_default().to_owned(),
        }
    }

    fn cancel(&mut self, runs: &Runs) {
        for run in runs.all().filter(|run| !over(&run.phase)) {
            terminate(self.cluster, &run.key);
        }
    }

    fn cancel_superseded(&mut self, before: &Runs) {
        let kept: Vec<Key> = self.runs.all().map(|run| run.key.clone()).collect();
        for run in before
            .all()
            .filter(|run| !over(&run.phase) && !kept.contains(&run.key))
        {
            terminate(self.cluster, &run.key);
        }
        // Also what an earlier version left running.
        for object in self
            .cluster
            .store
            .children(&self.object.uid, Kind::AnalysisRun)
        {
            let phase = json::text(&object.value(), &["status", "phase"]).to_owned();
            if !over(&phase) && !kept.contains(&object.key) {
                terminate(self.cluster, &object.key);
            }
        }
    }

    fn tell_changes(&mut self, before: &Runs) {
        let told = [
            (
                self.old.canary.current_step_analysis_run_status.clone(),
                before.step.clone(),
                "Step",
            ),
            (
                self.old
                    .canary
                    .current_background_analysis_run_status
                    .clone(),
                before.background.clone(),
                "Background",
            ),
            (
                self.old
                    .blue_green
                    .pre_promotion_analysis_run_status
                    .clone(),
                before.pre.clone(),
                "PrePromotion",
            ),
            (
                self.old
                    .blue_green
                    .post_promotion_analysis_run_status
                    .clone(),
                before.post.clone(),
                "PostPromotion",
            ),
        ];
        for (known, run, purpose) in told {
            let (Some(known), Some(run)) = (known, run) else {
                continue;
            };
            if known.status == run.phase || run.phase.is_empty() {
                continue;
            }
            let (name, phase) = (&run.key.name, &run.phase);
            let previous = if known.status.is_empty() {
                "NoPreviousStatus"
            } else {
                known.status.as_str()
            };
            let message = format!(
                "{purpose} Analysis Run '{name}' Status New: '{phase}' Previous: '{previous}'"
            );
            let reason = format!("AnalysisRun{phase}");
            if matches!(phase.as_str(), "Failed" | "Error") {
                self.warn(&reason, &message);
            } else {
                self.tell(&reason, &message);
            }
        }
    }

    fn limit_runs(&mut self) {
        let mut ended: Vec<(String, Key)> = self
            .cluster
            .store
            .children(&self.object.uid, Kind::AnalysisRun)
            .into_iter()
            .filter(|object| !self.runs.all().any(|run| run.key == object.key))
            .map(|object| {
                let created =
                    json::text(&object.value(), &["metadata", "creationTimestamp"]).to_owned();
                (created, object.key.clone())
            })
            .collect();
        ended.sort();
        let surplus = ended.len().saturating_sub(KEPT);
        for (_, key) in ended.into_iter().take(surplus) {
            self.cluster.store.remove(&key);
        }
    }
}

fn terminate(cluster: &mut Cluster, key: &Key) {
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

/// By the version that is on trial: the tag of the image in the ReplicaSet of the run's hash.
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
