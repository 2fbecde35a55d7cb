//! What an action is about: a release, a gate or a run of a pipeline, alerts to be silenced, a silence to be ended.
//! Holds the identity that was on the screen, so that every later read is compared with it.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::{
    id::{EnvironmentName, ReleaseId, Uid},
    incident::{Matcher, SilenceId},
    pipeline::{Commit, GateId, RunId},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Release(ReleaseId),
    Gate(GateSubject),
    Run(RunSubject),
    Silence(SilenceSubject),
    Expire(ExpireSubject),
}

/// A gate, in the environment of ours that its own one stands for (or under its own name where none does).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateSubject {
    pub environment: EnvironmentName,
    pub gate: GateId,
}

/// One attempt of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSubject {
    pub environment: EnvironmentName,
    pub run: RunId,
    pub attempt: u64,
    pub commit: Commit,
}

/// Alerts that are to be silent: what will match, for how long and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SilenceSubject {
    pub environment: EnvironmentName,
    pub matchers: Vec<Matcher>,
    /// Fixed when it is asked for, so that reading again does not make another request of it. A start that has passed is
    /// now to the server.
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub comment: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpireSubject {
    pub environment: EnvironmentName,
    pub silence: SilenceId,
}

impl Subject {
    /// Where it is armed, and what is typed.
    pub fn environment(&self) -> &EnvironmentName {
        match self {
            Self::Release(id) => &id.environment,
            Self::Gate(gate) => &gate.environment,
            Self::Run(run) => &run.environment,
            Self::Silence(silence) => &silence.environment,
            Self::Expire(expire) => &expire.environment,
        }
    }

    pub fn release(&self) -> Option<&ReleaseId> {
        match self {
            Self::Release(id) => Some(id),
            Self::Gate(_) | Self::Run(_) | Self::Silence(_) | Self::Expire(_) => None,
        }
    }

    /// Its name after the environment's, as in `prod-eu/checkout`.
    pub fn name(&self) -> String {
        match self {
            Self::Release(id) => id.name.to_string(),
            Self::Gate(gate) => gate.gate.run.repository.to_string(),
            Self::Run(run) => run.run.repository.to_string(),
            Self::Silence(_) => "silence".to_owned(),
            Self::Expire(_) => "silence".to_owned(),
        }
    }

    /// The object that every read is held against.
    pub fn uid(&self) -> Option<Uid> {
        match self {
            Self::Release(_) => None,
            Self::Gate(gate) => Some(run_uid(&gate.gate.run)),
            Self::Run(run) => Some(run_uid(&run.run)),
            Self::Silence(silence) => Some(alerts_uid(&silence.environment)),
            Self::Expire(expire) => Some(alerts_uid(&expire.environment)),
        }
    }

    /// For records and `--json`.
    pub fn json(&self) -> Value {
        match self {
            Self::Release(id) => json!({
                "id": id, "env": id.environment, "namespace": id.namespace, "kind": id.kind, "service": id.name,
            }),
            Self::Gate(subject) => json!({
                "id": subject.gate, "env": subject.environment, "kind": "gate",
                "repository": subject.gate.run.repository, "run": subject.gate.run.number,
                "attempt": subject.gate.attempt, "gate": subject.gate.environment, "commit": subject.gate.commit,
            }),
            Self::Run(subject) => json!({
                "id": self.to_string(), "env": subject.environment, "kind": "run",
                "repository": subject.run.repository, "run": subject.run.number,
                "attempt": subject.attempt, "commit": subject.commit,
            }),
            Self::Silence(subject) => json!({
                "id": self.to_string(), "env": subject.environment, "kind": "alerts",
                "matchers": subject.matchers.iter().map(Matcher::words).collect::<Vec<_>>(),
                "ends_at": subject.ends_at, "comment": subject.comment,
            }),
            Self::Expire(subject) => json!({
                "id": self.to_string(), "env": subject.environment, "kind": "silence", "silence": subject.silence,
            }),
        }
    }
}

/// A run is one object through all its attempts.
pub fn run_uid(run: &RunId) -> Uid {
    Uid::new(&format!("run/{run}"))
}

/// All that an alert manager tells is one object here: a silence is judged by what it leaves behind in it.
pub fn alerts_uid(environment: &EnvironmentName) -> Uid {
    Uid::new(&format!("alerts/{environment}"))
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Release(id) => id.fmt(f),
            Self::Gate(subject) => subject.gate.fmt(f),
            Self::Run(subject) => write!(f, "{}/{}", subject.run, subject.attempt),
            Self::Silence(subject) => {
                let matchers: Vec<String> = subject.matchers.iter().map(Matcher::words).collect();
                write!(f, "{}/{{{}}}", subject.environment, matchers.join(","))
            }
            Self::Expire(subject) => {
                write!(f, "{}/silence/{}", subject.environment, &*subject.silence.0)
            }
        }
    }
}

impl From<ReleaseId> for Subject {
    fn from(id: ReleaseId) -> Self {
        Self::Release(id)
    }
}
