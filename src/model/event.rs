//! What a source tells: facts as they come, in the order they came. Plain data, so that a session can be recorded.
//! The runtime carries these from a provider to the reducer; neither of the two knows the other.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    detail::{AnalysisRun, Event, Experiment, Pod},
    id::{EnvironmentName, Namespace, ReleaseId, SourceId, Uid, WorkloadKind},
    incident::IncidentFacts,
    metrics::Metrics,
    pipeline::{Budget, Changes, Repository, RepositoryFacts},
    replica_set::Owned,
    rollout::Rollout,
    source::{Access, SourceHealth, SourceState, WhoAmI},
    text::Safe,
};

/// One watched collection of one environment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Collection {
    pub kind: CollectionKind,
    /// `None`: every namespace.
    pub namespace: Option<Namespace>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CollectionKind {
    Workloads(WorkloadKind),
    ReplicaSets,
}

/// A fact from one environment's source.
#[derive(Clone, Debug)]
pub struct SourceEvent {
    pub environment: EnvironmentName,
    pub fact: Fact,
}

#[derive(Clone, Debug)]
pub enum Fact {
    /// The state of the source as a whole. It is live when every collection that exists is in sync and heard of lately.
    Health(SourceHealth),
    /// Something arrived, a bookmark at least: the age of every fact of this source counts from here.
    Heard(Timestamp),
    Who(WhoAmI),
    Access(Access),
    /// A collection is told anew. What is not told again before its `Complete` is gone; until then the old facts stay.
    Begin(Collection),
    Rollout(Arc<Rollout>),
    RolloutGone {
        id: ReleaseId,
        uid: Uid,
    },
    ReplicaSet(Owned),
    ReplicaSetGone {
        owner: Uid,
        uid: Uid,
    },
    /// Everything of this collection has been told; the following facts are changes.
    Complete(Collection),
    /// The server does not know the kind (no Rollouts CRD): an ordinary cluster.
    Absent(Collection),
}

/// What a source beside the clusters tells: a CI host, a metrics server, an alert manager.
#[derive(Clone, Debug)]
pub struct Tidings {
    pub source: SourceId,
    pub fact: Told,
}

/// Each fact replaces the one before of the same thing as a whole, so that nothing has to be taken back piece by piece.
#[derive(Clone, Debug)]
pub enum Told {
    Health(SourceHealth),
    Who(WhoAmI),
    /// What the server says it is, `Prometheus 3.5.3`.
    Server(Safe),
    /// How far its clock is ahead of ours, in milliseconds.
    Ahead(i64),
    Budget(Budget),
    Repository(Arc<RepositoryFacts>),
    /// One repository cannot be read while the host can: what was told before stays, and grows old.
    RepositoryFailed {
        repository: Repository,
        state: SourceState,
        why: Safe,
        at: Timestamp,
    },
    Changes {
        repository: Repository,
        changes: Arc<Changes>,
    },
    Metrics(Arc<Metrics>),
    Incidents(Arc<IncidentFacts>),
}

/// What is told of the release that is open. Each list is complete and sorted, newest last except where noted.
#[derive(Clone, Debug)]
pub enum DetailFact {
    Pods(Vec<Pod>),
    Runs(Vec<AnalysisRun>),
    Experiments(Vec<Experiment>),
    /// Newest first.
    Events(Vec<Event>),
    /// One part cannot be told: which, and why in one sentence.
    Failed {
        part: &'static str,
        why: Safe,
    },
}
