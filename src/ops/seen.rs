//! One read of what an action is about, whatever it is: what the state machine holds against the plan.

use std::sync::Arc;

use jiff::Timestamp;

use super::subject::{alerts_uid, run_uid};
use crate::model::{
    id::{ResourceVersion, Uid},
    incident::IncidentFacts,
    pipeline::RunRead,
    rollout::Rollout,
};

#[derive(Clone, Debug)]
pub enum Seen {
    Rollout(Arc<Rollout>),
    Run(Arc<RunRead>),
    Incidents(Arc<IncidentFacts>),
}

impl Seen {
    pub fn uid(&self) -> Uid {
        match self {
            Self::Rollout(rollout) => rollout.uid.clone(),
            Self::Run(read) => run_uid(&read.run.id),
            Self::Incidents(facts) => alerts_uid(&facts.environment),
        }
    }

    /// The precondition of a request that rests on this read. Neither a CI host nor an alert manager has one: there it
    /// only says in the records which read it was.
    pub fn version(&self) -> ResourceVersion {
        match self {
            Self::Rollout(rollout) => rollout.version.clone(),
            Self::Run(read) => ResourceVersion::new(&format!(
                "attempt {} read {}",
                read.run.attempt, read.read_at
            )),
            Self::Incidents(facts) => ResourceVersion::new(&format!("read {}", facts.read_at)),
        }
    }

    /// `None`: it does not say, and has a version that does.
    pub fn read_at(&self) -> Option<Timestamp> {
        match self {
            Self::Rollout(_) => None,
            Self::Run(read) => Some(read.read_at),
            Self::Incidents(facts) => Some(facts.read_at),
        }
    }

    pub fn rollout(&self) -> Option<&Rollout> {
        match self {
            Self::Rollout(rollout) => Some(rollout),
            Self::Run(_) | Self::Incidents(_) => None,
        }
    }
}

impl From<Arc<Rollout>> for Seen {
    fn from(rollout: Arc<Rollout>) -> Self {
        Self::Rollout(rollout)
    }
}

impl From<Arc<RunRead>> for Seen {
    fn from(read: Arc<RunRead>) -> Self {
        Self::Run(read)
    }
}

impl From<Arc<IncidentFacts>> for Seen {
    fn from(facts: Arc<IncidentFacts>) -> Self {
        Self::Incidents(facts)
    }
}
