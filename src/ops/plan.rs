//! A plan: everything the operator will see and the executor will do. A provider makes it from a fresh read; nothing
//! may be sent that is not in it. Plans name templates by revision and hash and never hold a variable's value.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{basis::Basis, goal::Goal, intent::Intent};
use crate::model::{
    detail::Difference,
    id::{PodHash, ResourceVersion, Uid},
    release::Version,
    source::{Need, Tier},
};

#[derive(Clone, Debug)]
pub struct Plan {
    pub intent: Intent,
    pub target: Target,
    /// What the dialog is called: `Promote checkout`, `Skip step 6 of 13 of checkout`.
    pub title: String,
    /// The next thing that will really happen.
    pub next: String,
    pub change: Change,
    /// In order. The second is sent when its own condition is observed.
    pub sends: Vec<Sending>,
    /// The vendor's commands that do the same, to copy.
    pub same_as: Vec<String>,
    /// How this is undone, and how long that takes.
    pub way_back: String,
    /// What git and GitOps will do about it, and when.
    pub git: Option<String>,
    /// What the action does not take back.
    pub not_undone: Vec<String>,
    pub skips: Option<String>,
    pub differs: Vec<Difference>,
    /// What must be observed afterwards, in words.
    pub expect: String,
    pub goal: Goal,
    /// Seconds until what is not in effect counts as not observed.
    pub time_s: i64,
    pub basis: Basis,
    pub risks: Vec<Risk>,
    /// The Kubernetes Event left on the object, best effort: (who, what). `None`: switched off.
    pub note: Option<String>,
    pub needs: Vec<Need>,
    pub read_at: Timestamp,
    /// Which version is expected to serve afterwards, for the five minutes in which a return of another is noticed.
    pub serves_after: Option<PodHash>,
}

/// The object as it was read for this plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub uid: Uid,
    pub version: ResourceVersion,
    pub tier: Tier,
    pub revision: Option<u64>,
    pub hash: Option<PodHash>,
}

/// What becomes what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Versions {
        from: Version,
        to: Version,
    },
    /// Where no version changes: a gate, a run, a silence.
    Words {
        from: String,
        to: String,
    },
}

impl Change {
    pub fn from(&self) -> String {
        match self {
            Self::Versions { from, .. } => from.label().into_owned(),
            Self::Words { from, .. } => from.clone(),
        }
    }

    pub fn to(&self) -> String {
        match self {
            Self::Versions { to, .. } => to.label().into_owned(),
            Self::Words { to, .. } => to.clone(),
        }
    }

    pub const fn versions(&self) -> Option<(&Version, &Version)> {
        match self {
            Self::Versions { from, to } => Some((from, to)),
            Self::Words { .. } => None,
        }
    }

    pub fn is_one(&self) -> bool {
        match self {
            Self::Versions { from, to } => from == to,
            Self::Words { from, to } => from == to,
        }
    }
}

/// One request of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Sending {
    /// In words, where the body is long: `template of revision 12`.
    pub says: Option<String>,
    pub method: &'static str,
    pub path: String,
    pub content_type: &'static str,
    /// Without preconditions: the executor adds the version of the read that it checked.
    pub body: Value,
    /// The same body for people and records: templates by revision and hash, no values.
    pub shown: Value,
    pub when: When,
    /// Where the request is about another object than the target (a template that a `workloadRef` names): the version of
    /// that object as it was read for this plan, which is the precondition then.
    pub holder_version: Option<ResourceVersion>,
    /// How often it may be sent again after a conflict, when nothing that the decision rests on has changed.
    pub resends: u8,
}

/// When a request goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    AtOnce,
    /// Once this version is the current one, as observed.
    CurrentIs {
        hash: PodHash,
        words: String,
    },
}

/// Facts of the plan that the guards weigh. A new kind of risk must be weighed in `guard`, or it does not compile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// The release is not waiting: this skips a step or ends a running analysis.
    SkipsStep { words: String },
    /// All traffic at once.
    BlueGreenSwitch,
    /// A revision that the operator chose.
    ChosenRevision,
    /// Starts a version again that was aborted.
    RunsAbortedAgain,
    /// To the end, skipping pauses and analyses.
    Fully,
    /// The release was aborted and this ships it all the same.
    OnAborted,
    /// An analysis that did not pass is overridden.
    OverridesAnalysis { words: String },
    /// Resume where a full promotion was asked for meanwhile: it ships everything.
    ResumesFullPromotion,
    /// Which version served last is a guess: the newest earlier revision.
    TargetIsGuessed,
    /// A single pod: a restart has a moment without any.
    SinglePod,
    /// The status is not one that this program knows.
    UnknownState { words: String },
    /// Something that is worth the environment's name: what, in words.
    Consequence { words: String },
}

/// Why there is no plan: every reason at once, each a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub kind: RefusalKind,
    pub because: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// A guard says no: the state does not allow it.
    Guard,
    /// The object or the revision is not there.
    NotFound,
    /// It could not be read: nothing is known.
    Unreachable,
}

impl Refusal {
    pub fn guard(because: impl Into<String>) -> Self {
        Self {
            kind: RefusalKind::Guard,
            because: vec![because.into()],
        }
    }

    pub fn not_found(because: impl Into<String>) -> Self {
        Self {
            kind: RefusalKind::NotFound,
            because: vec![because.into()],
        }
    }

    pub fn unreachable(because: impl Into<String>) -> Self {
        Self {
            kind: RefusalKind::Unreachable,
            because: vec![because.into()],
        }
    }

    pub fn words(&self) -> String {
        self.because.join("; ")
    }
}
