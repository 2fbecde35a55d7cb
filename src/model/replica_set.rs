//! One version of a workload that still has a ReplicaSet. Facts only.

use jiff::Timestamp;

use super::{
    id::{PodHash, Uid},
    text::Safe,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaSet {
    pub uid: Uid,
    pub name: Safe,
    /// The controlling owner: a Rollout, a Deployment or an Experiment. Labels are never trusted for this.
    pub owner: Uid,
    pub hash: Option<PodHash>,
    pub revision: u64,
    pub images: Box<[Safe]>,
    pub desired: i32,
    pub current: i32,
    pub ready: i32,
    pub available: i32,
    pub created: Option<Timestamp>,
    /// Until when an old blue-green version is kept up (`scale-down-deadline`).
    pub scale_down_deadline: Option<Timestamp>,
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
