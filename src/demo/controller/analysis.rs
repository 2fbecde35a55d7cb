//! Analysis as the release sees it: which runs it is held by, and what their ends do to it.
//!
//! Ported from the vendor's `rollout/analysis.go`. Must never judge a measurement: `measure` does.

use serde_json::{Value, json};

use super::measure::{over, terminate};
use super::replica_set::ROLLOUTS;
use super::rollout::{BLUE_GREEN_PAUSE, CANARY_PAUSE, INCONCLUSIVE, Round, Stable};
use super::wire::{Analysis, RunStatus, Status};
use crate::demo::cluster::Cluster;
use crate::demo::json;
use crate::demo::kind::Kind;
use crate::demo::store::{Key, Object};

/// Finished runs that are kept: five that succeeded and five that did not, as the vendor's defaults say in sum.
const KEPT: usize = 10;

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
                self.pauses.abort = Some(what.to_owned());
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
            let free = (1..100)
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
