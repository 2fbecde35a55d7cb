//! One version of a workload that still has a ReplicaSet. Facts only.

use std::sync::Arc;

use super::{
    id::{PodHash, Uid},
    moment::Moment,
    text::Safe,
};

/// One that has not come to its release yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The controlling owner: a Rollout, a Deployment or an Experiment. Labels are never trusted for this.
    pub owner: Uid,
    pub set: ReplicaSet,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaSet {
    pub uid: Uid,
    pub hash: Option<PodHash>,
    pub revision: u64,
    pub images: Arc<[Safe]>,
    pub desired: i32,
    pub current: i32,
    pub ready: i32,
    pub available: i32,
    pub created: Option<Moment>,
    /// Until when an old blue-green version is kept up (`scale-down-deadline`).
    pub scale_down_deadline: Option<Moment>,
    pub health: SetHealth,
}

/// The vendor's status of a ReplicaSet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetHealth {
    Healthy,
    Progressing,
    ScaledDown,
    ReplicaFailure,
}

impl SetHealth {
    pub const fn vendor(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Progressing => "Progressing",
            Self::ScaledDown => "ScaledDown",
            Self::ReplicaFailure => "ReplicaFailure",
        }
    }
}
