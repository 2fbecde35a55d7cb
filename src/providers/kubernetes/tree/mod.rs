//! The plugin's `get rollout` and `get experiment`: a head and a tree of revisions, ReplicaSets, pods, experiments, runs
//! and Jobs.
//!
//! Owns the rules (who belongs to whom, in which order, with which tags) as a [`Tree`] that a screen can draw in its own
//! colours, and the plugin's plain text of it. Ownership is by uid, never by labels: an experiment's ReplicaSets match
//! the rollout's selector. Where a `workloadRef` leads nowhere the plugin fails; nothing here needs the object it names.

mod age;
mod build;
mod head;
mod text;

use jiff::Timestamp;

pub use age::human_duration;
pub use build::{experiment, rollout};
pub use text::{StatusCommand, lines, status_command};

use super::{status::Icon, wire};
use crate::model::text::Safe;

/// Everything of the namespace that may belong to the object; what does not is left out of the tree.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around<'a> {
    pub replica_sets: &'a [wire::ReplicaSet],
    pub pods: &'a [wire::Pod],
    pub experiments: &'a [wire::Experiment],
    pub analysis_runs: &'a [wire::AnalysisRun],
    pub now: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    pub head: Head,
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub name: Safe,
    pub namespace: Safe,
    pub icon: Icon,
    pub status: Safe,
    pub message: Safe,
    /// `None` for an experiment.
    pub rollout: Option<RolloutHead>,
    pub images: Vec<Image>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutHead {
    pub strategy: Strategy,
    pub desired: i32,
    pub current: i32,
    pub updated: i32,
    pub ready: i32,
    pub available: i32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strategy {
    Canary {
        /// Index and number of steps; `None` without steps or before the first.
        step: Option<(i32, usize)>,
        set_weight: i32,
        actual_weight: i32,
    },
    BlueGreen,
    Unknown,
}

/// An image that runs, and in which roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub image: Safe,
    pub tags: Vec<Safe>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Rollout,
    Revision,
    ReplicaSet,
    Pod,
    Experiment,
    AnalysisRun,
    Job,
}

impl Kind {
    pub const fn glyph(self) -> &'static str {
        match self {
            Self::Rollout => "⟳",
            Self::Revision => "#",
            Self::ReplicaSet => "⧉",
            Self::Pod => "□",
            Self::Experiment => "Σ",
            Self::AnalysisRun => "α",
            Self::Job => "⊞",
        }
    }

    /// As in the plugin's column; a revision is no object and has none.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Rollout => "Rollout",
            Self::Revision => "",
            Self::ReplicaSet => "ReplicaSet",
            Self::Pod => "Pod",
            Self::Experiment => "Experiment",
            Self::AnalysisRun => "AnalysisRun",
            Self::Job => "Job",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The lines of the tree in front of it.
    pub prefix: String,
    pub depth: usize,
    pub kind: Kind,
    pub name: Safe,
    /// `None` for a revision.
    pub state: Option<State>,
    pub info: Vec<Info>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub icon: Icon,
    pub words: Safe,
    pub age: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Info {
    Role(Role),
    /// Until an old version is scaled down: `3h59m`, `passed`.
    Delay(String),
    Ready {
        ready: i32,
        of: usize,
    },
    Restarts(i32),
    /// Measurements with this outcome.
    Count(Icon, i32),
}

/// The part a ReplicaSet plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Stable,
    Canary,
    Active,
    Preview,
    Ping,
    Pong,
}

impl Role {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Canary => "canary",
            Self::Active => "active",
            Self::Preview => "preview",
            Self::Ping => "ping",
            Self::Pong => "pong",
        }
    }
}

#[cfg(test)]
mod tests;
