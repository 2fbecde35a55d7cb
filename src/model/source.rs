//! Where facts come from and how old they are: the state of a source, the age of a fact, who we are to it and what we
//! may do there. Seven states that are never confused with an empty table.

use jiff::{SignedDuration, Timestamp};

use super::{id::Namespace, text::Safe};

/// The state of one source. The words are promised by the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceState {
    Connecting,
    Live,
    Stale,
    Unreachable,
    Unauthorized,
    Forbidden,
    RateLimited,
    Malformed,
    NotConfigured,
}

impl SourceState {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Stale => "stale",
            Self::Unreachable => "unreachable",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::RateLimited => "rate-limited",
            Self::Malformed => "malformed",
            Self::NotConfigured => "not-configured",
        }
    }

    pub const fn is_live(self) -> bool {
        matches!(self, Self::Live)
    }
}

/// What a source says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceHealth {
    pub state: SourceState,
    /// Since when it has been in this state.
    pub since: Timestamp,
    /// One sentence: what failed and what to do. When live: what of it is not shown (not permitted, unreadable), or empty.
    pub detail: Safe,
    pub next_try: Option<Timestamp>,
    /// When its last byte arrived: the age of a watched fact counts from here.
    pub heard: Option<Timestamp>,
}

/// A watch that has been silent for longer is late: even a quiet one brings a bookmark a minute.
pub const WATCH_LATE_AFTER: SignedDuration = SignedDuration::from_secs(75);

/// Acting rests on a read that is younger than this.
pub const ACT_WITHIN: SignedDuration = SignedDuration::from_secs(10);

/// Who the system says we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhoAmI {
    pub name: Safe,
    pub groups: Vec<Safe>,
}

/// One thing one may or may not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    PatchRollouts,
    PatchRolloutsStatus,
    PatchDeployments,
    PatchStatefulSets,
    PatchDaemonSets,
    PatchReplicaSets,
    CreateEvents,
    ReadLogs,
}

impl Need {
    pub const ALL: [Self; 8] = [
        Self::PatchRollouts,
        Self::PatchRolloutsStatus,
        Self::PatchDeployments,
        Self::PatchStatefulSets,
        Self::PatchDaemonSets,
        Self::PatchReplicaSets,
        Self::CreateEvents,
        Self::ReadLogs,
    ];

    /// As one would say it: `patch rollouts/status`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::PatchRollouts => "patch rollouts",
            Self::PatchRolloutsStatus => "patch rollouts/status",
            Self::PatchDeployments => "patch deployments",
            Self::PatchStatefulSets => "patch statefulsets",
            Self::PatchDaemonSets => "patch daemonsets",
            Self::PatchReplicaSets => "patch replicasets",
            Self::CreateEvents => "create events",
            Self::ReadLogs => "get pods/log",
        }
    }
}

/// What one may do in one namespace, as the system answered, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    pub namespace: Namespace,
    pub answers: Vec<(Need, Answer)>,
    pub asked: Timestamp,
}

/// The answer to an access review. No opinion counts as no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Allowed,
    Denied,
    /// The question itself failed: not allowed, and said as what it is.
    NotAnswered(Safe),
}

impl Access {
    pub fn to(&self, need: Need) -> Option<&Answer> {
        self.answers
            .iter()
            .find(|(n, _)| *n == need)
            .map(|(_, answer)| answer)
    }
}

/// Tier of an environment, from which ceremony follows. One that nothing describes is `Prod`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    Dev,
    Staging,
    #[default]
    Prod,
}

impl Tier {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Staging => "staging",
            Self::Prod => "prod",
        }
    }
}
