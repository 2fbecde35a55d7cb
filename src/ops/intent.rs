//! What an operator wants, as data. Nothing here knows how it is done.

use serde::Serialize;

use super::subject::Subject;
use crate::model::id::{IntentId, PodHash, Uid, WorkloadKind};

/// The verbs. The order is the order in menus: what saves a release comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    BackOut,
    Pause,
    Resume,
    Promote,
    PromoteFull,
    Abort,
    Retry,
    Rollback,
    Restart,
    /// At a gate.
    Approve,
    Reject,
    /// A run.
    Cancel,
    Rerun,
    RerunFailed,
    /// Alerts.
    Silence,
    Expire,
}

impl Verb {
    /// What is asked of a release's rollout.
    pub const OF_ROLLOUT: [Self; 9] = [
        Self::BackOut,
        Self::Pause,
        Self::Resume,
        Self::Promote,
        Self::PromoteFull,
        Self::Abort,
        Self::Retry,
        Self::Rollback,
        Self::Restart,
    ];

    pub const ALL: [Self; 16] = [
        Self::BackOut,
        Self::Pause,
        Self::Resume,
        Self::Promote,
        Self::PromoteFull,
        Self::Abort,
        Self::Retry,
        Self::Rollback,
        Self::Restart,
        Self::Approve,
        Self::Reject,
        Self::Cancel,
        Self::Rerun,
        Self::RerunFailed,
        Self::Silence,
        Self::Expire,
    ];

    /// The word on the command line and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::BackOut => "backout",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Promote => "promote",
            Self::PromoteFull => "promote-full",
            Self::Abort => "abort",
            Self::Retry => "retry",
            Self::Rollback => "rollback",
            Self::Restart => "restart",
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Cancel => "cancel",
            Self::Rerun => "rerun",
            Self::RerunFailed => "rerun-failed",
            Self::Silence => "silence",
            Self::Expire => "expire-silence",
        }
    }

    /// The word in a sentence.
    pub const fn title(self) -> &'static str {
        match self {
            Self::BackOut => "back out",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Promote => "promote",
            Self::PromoteFull => "promote fully",
            Self::Abort => "abort",
            Self::Retry => "retry",
            Self::Rollback => "roll back",
            Self::Restart => "restart",
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Cancel => "cancel",
            Self::Rerun => "re-run",
            Self::RerunFailed => "re-run failed",
            Self::Silence => "silence",
            Self::Expire => "end the silence",
        }
    }

    /// What the vendors call it.
    pub const fn vendor(self, kind: WorkloadKind) -> &'static str {
        match (self, kind) {
            (Self::BackOut, WorkloadKind::ArgoRollout) => "Argo: abort, or undo and promote --full",
            (Self::Approve, _) => "GitHub: approve and deploy",
            (Self::Reject, _) => "GitHub: reject",
            (Self::Cancel, _) => "GitHub: cancel workflow",
            (Self::Rerun, _) => "GitHub: re-run all jobs",
            (Self::RerunFailed, _) => "GitHub: re-run failed jobs",
            (Self::Silence, _) => "Alertmanager: silence",
            (Self::Expire, _) => "Alertmanager: expire",
            (Self::BackOut | Self::Rollback, _) => "kubectl: rollout undo",
            (Self::Pause, WorkloadKind::ArgoRollout) => "Argo: pause",
            (Self::Resume, WorkloadKind::ArgoRollout) => "Argo CD: resume",
            (Self::Promote, _) => "Argo: promote, Argo CD: resume",
            (Self::PromoteFull, _) => "Argo: promote --full",
            (Self::Abort, _) => "Argo: abort",
            (Self::Retry, _) => "Argo: retry",
            (Self::Restart, WorkloadKind::ArgoRollout) => "Argo: restart",
            (Self::Pause, _) => "kubectl: rollout pause",
            (Self::Resume, _) => "kubectl: rollout resume",
            (Self::Restart, _) => "kubectl: rollout restart",
        }
    }

    /// Emergencies are never slower than promotion: no risk asks for more than `Y`, and nothing but truth stops them.
    pub const fn is_emergency(self) -> bool {
        matches!(self, Self::BackOut | Self::Abort | Self::Pause)
    }

    /// Whether it is about a rollout, and not about what is beside it.
    pub fn is_of_rollout(self) -> bool {
        Self::OF_ROLLOUT.contains(&self)
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.word() == word)
    }
}

impl Serialize for Verb {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// One wish of one operator about one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    pub id: IntentId,
    pub verb: Verb,
    pub target: Subject,
    /// The object that was on the screen when the key was pressed. Another one under the same name is refused.
    /// `None` on a command line, which names a place and not an object.
    pub seen: Option<Uid>,
    /// `roll back --to`: which revision.
    pub to_revision: Option<u64>,
    /// What the caller thinks the release is; any difference refuses.
    pub expects: Expects,
    /// Why, where it was said beforehand.
    pub reason: Option<String>,
}

/// `--expect-revision` and `--expect-hash`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expects {
    pub revision: Option<u64>,
    pub hash: Option<PodHash>,
}
