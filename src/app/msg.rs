//! What can happen and what can be asked for: the two closed vocabularies between the reducer and the runtime.

use jiff::Timestamp;

use super::{
    faults::{Change, InForce},
    key::Key,
    mouse::Mouse,
    state::AuditLine,
};
use crate::{
    model::{
        detail::Revision,
        event::{DetailFact, SourceEvent, Tidings},
        id::{EnvironmentName, IntentId, Namespace, ReleaseId, SourceId, Uid},
        job_log::LogLine,
        metrics::MetricsWanted,
        pipeline::{RepositoryWanted, RunId},
        text::Safe,
    },
    ops::{
        ceremony::Approved,
        intent::Intent,
        machine::Outcome,
        plan::{Plan, Refusal},
        record::Record,
    },
};

/// Something happened. The runtime sends these; `update` is the only reader.
#[derive(Clone, Debug)]
pub enum Msg {
    Key(Key),
    /// A bracketed paste: text for an input field, never keys.
    Paste(String),
    /// Where the operator wants it: the mouse selects and scrolls.
    Mouse(Mouse),
    Resized {
        columns: u16,
        rows: u16,
    },
    /// Time passed and nothing else happened.
    Tick,
    /// A frame was written out completely.
    Shown(Timestamp),
    Source(Vec<SourceEvent>),
    /// From a source beside the clusters.
    Beside(Vec<Tidings>),
    Detail {
        uid: Uid,
        fact: DetailFact,
    },
    Planned {
        intent: IntentId,
        result: Box<Result<Plan, Refusal>>,
    },
    Action {
        intent: IntentId,
        update: ActionUpdate,
    },
    History {
        uid: Uid,
        result: Result<Vec<Revision>, Safe>,
    },
    Yaml {
        uid: Uid,
        result: Result<Vec<Safe>, Safe>,
    },
    Log {
        pod: Safe,
        event: LogEvent,
    },
    Audit {
        records: Result<Vec<AuditLine>, Safe>,
        verified: Result<Safe, Safe>,
    },
    /// Who put a version back, as the object's own metadata says.
    RevertedBy {
        intent: IntentId,
        by: Option<Safe>,
    },
    /// The demo's faults that are in force.
    Faults(InForce),
    /// Something that the runtime did ended, in words.
    Said {
        good: bool,
        words: String,
    },
}

#[derive(Clone, Debug)]
pub enum ActionUpdate {
    /// `may_send`: a request of it may still leave.
    UnderWay {
        words: String,
        may_send: bool,
    },
    Over(Outcome),
}

#[derive(Clone, Debug)]
pub enum LogEvent {
    Following,
    /// There is none yet, and why; asked again by itself.
    NotYet(Safe),
    Lines(Vec<LogLine>),
    Ended,
    Failed(Safe),
}

/// Something to do. `update` returns these; the runtime is the only one that acts on them.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Read afresh and make a plan: [`Msg::Planned`].
    Plan(Intent),
    /// Drive the machine of an approved plan: [`Msg::Action`] until it is over.
    Execute(Box<Approved>),
    /// Watch this release's pods, runs and events: [`Msg::Detail`]. Ends the one before.
    Open {
        id: ReleaseId,
        uid: Uid,
    },
    CloseRelease,
    History {
        id: ReleaseId,
        uid: Uid,
    },
    Yaml {
        id: ReleaseId,
        uid: Uid,
    },
    /// Follow the logs of a pod: [`Msg::Log`]. Ends the one before.
    Logs {
        id: ReleaseId,
        pod: Safe,
        container: Option<Safe>,
    },
    /// Read the log of a job, which its host keeps back until the job has ended: [`Msg::Log`] under this name.
    JobLog {
        run: RunId,
        job: u64,
        name: Safe,
    },
    StopLogs,
    /// Read these repositories from now on, and no others.
    WantRepositories(Vec<RepositoryWanted>),
    /// Read the metrics of these releases from now on, and no others.
    WantMetrics(Vec<MetricsWanted>),
    /// Ask a source beside the clusters again at once.
    RefreshSource(SourceId),
    /// Ask what may be done there.
    Access {
        environment: EnvironmentName,
        namespace: Namespace,
    },
    /// Connect again at once instead of waiting for the next try.
    Refresh(EnvironmentName),
    ReadAudit,
    Record(Record),
    WhoReverted {
        intent: IntentId,
        id: ReleaseId,
    },
    /// To the clipboard.
    Copy(String),
    /// The bell, and a notice where the terminal has one.
    Ring(String),
    /// Of the demo's faults: [`Msg::Faults`]. Nobody does it outside the demo.
    Fault(Change),
    Suspend,
    /// Let ten seconds pass, where time stands still.
    Later,
    Quit,
}
