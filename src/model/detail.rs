//! What is read only for the release that is open: pods, analysis runs measurement by measurement, experiments,
//! events, revisions and their differences. Facts only.

use std::{fmt, sync::Arc};

use jiff::Timestamp;

use super::{
    id::{PodHash, Uid},
    rollout::RunPhase,
    text::Safe,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    pub uid: Uid,
    pub name: Safe,
    pub owner: Option<Uid>,
    pub hash: Option<PodHash>,
    /// As `kubectl get pods` says it.
    pub status: Safe,
    pub icon: PodIcon,
    pub ready: i32,
    pub containers: Box<[Safe]>,
    pub restarts: i32,
    pub created: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodIcon {
    Running,
    Progressing,
    Warning,
    Failed,
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalysisRun {
    pub uid: Uid,
    pub name: Safe,
    pub owner: Option<Uid>,
    pub revision: u64,
    /// `Step`, `Background`, `PrePromotion`, `PostPromotion`, as the vendor labels it.
    pub role: Safe,
    pub step_index: Option<i32>,
    pub phase: RunPhase,
    pub message: Safe,
    pub counts: RunCounts,
    pub metrics: Vec<Metric>,
    pub created: Option<Timestamp>,
    pub completed: Option<Timestamp>,
}

/// Totals over all measurements of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunCounts {
    pub successful: i32,
    pub failed: i32,
    pub inconclusive: i32,
    pub error: i32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    pub name: Safe,
    pub phase: RunPhase,
    pub message: Safe,
    pub dry_run: bool,
    pub counts: RunCounts,
    /// How many measurements the spec asks for, where it says so.
    pub wanted: Option<i32>,
    pub success_condition: Safe,
    pub failure_condition: Safe,
    /// What was really asked (`ResolvedPrometheusQuery`), where the provider tells.
    pub query: Option<Safe>,
    /// The newest are last. The vendor keeps about ten.
    pub measurements: Vec<Measurement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measurement {
    pub phase: RunPhase,
    /// The vendor's text: often JSON such as `[0.97]`.
    pub value: Safe,
    pub message: Safe,
    pub started: Option<Timestamp>,
    pub finished: Option<Timestamp>,
    /// The Job that measured, where one did.
    pub job: Option<Safe>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Experiment {
    pub uid: Uid,
    pub name: Safe,
    pub owner: Option<Uid>,
    pub revision: u64,
    pub phase: RunPhase,
    pub message: Safe,
    pub templates: Vec<ExperimentTemplate>,
    pub created: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExperimentTemplate {
    pub name: Safe,
    pub status: Safe,
    pub ready: i32,
    pub desired: i32,
}

/// A Kubernetes Event: what somebody says happened. Kept about an hour, best effort; no state is derived from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub uid: Uid,
    pub at: Option<Timestamp>,
    pub warning: bool,
    pub reason: Safe,
    pub message: Safe,
    pub count: i32,
    pub object: Safe,
    pub by: Safe,
}

/// One version in the history of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    pub number: u64,
    pub hash: Option<PodHash>,
    pub images: Arc<[Safe]>,
    pub change_cause: Option<Safe>,
    pub created: Option<Timestamp>,
    pub is_stable: bool,
    pub is_current: bool,
    /// Pods of it that can serve now.
    pub available: i32,
    /// What differs from the current template.
    pub differs: Vec<Difference>,
}

/// One difference between two templates, by path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// `containers[app].image`, `containers[app].env[CACHE_MB]`.
    pub path: Safe,
    pub from: Option<Shown>,
    pub to: Option<Shown>,
}

/// A value as it may be shown.
#[derive(Clone, PartialEq, Eq)]
pub enum Shown {
    Plain(Safe),
    /// The value of an environment variable: revealed by a key on the screen, written nowhere.
    Hidden(Safe),
}

impl Shown {
    /// The text for a record, a log or the JSON: hidden values stay hidden.
    pub fn recorded(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Hidden(_) => "(hidden)",
        }
    }

    pub fn revealed(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Hidden(text) => text,
        }
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.recorded())
    }
}

impl Difference {
    /// `image 7.0.0 → 6.9.2`, or `env CACHE_MB changed` where the value is hidden.
    pub fn words(&self) -> String {
        let hidden = matches!(
            (&self.from, &self.to),
            (Some(Shown::Hidden(_)), _) | (_, Some(Shown::Hidden(_)))
        );
        let path = &*self.path;
        match (&self.from, &self.to) {
            (Some(_), Some(_)) if hidden => format!("{path} changed"),
            (Some(from), Some(to)) => format!("{path} {} → {}", from.recorded(), to.recorded()),
            (None, Some(_)) if hidden => format!("{path} added"),
            (Some(_), None) if hidden => format!("{path} removed"),
            (None, Some(to)) => format!("{path} added: {}", to.recorded()),
            (Some(from), None) => format!("{path} removed: {}", from.recorded()),
            (None, None) => path.to_owned(),
        }
    }
}
