//! A rollout as one read of its object told it: phase, steps, weights, hashes, counts. Facts only; no words for the
//! screen and no decision about what may be done. A number that the system did not tell is `None`, never 0.

use std::{fmt, sync::Arc};

use super::{
    id::{PodHash, ReleaseId, ResourceVersion, Uid, WorkloadKind},
    moment::Moment,
    pipeline::Commit,
    step::Step,
    text::Safe,
};

/// What a rollout is doing, in our five words. `Unknown` holds what the vendor said and we do not know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    Healthy,
    Progressing,
    Paused,
    Degraded,
    Unknown(Safe),
}

impl Phase {
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Progressing => "progressing",
            Self::Paused => "paused",
            Self::Degraded => "degraded",
            Self::Unknown(_) => "unknown",
        }
    }

    /// The vendor's word.
    pub fn vendor(&self) -> &str {
        match self {
            Self::Healthy => "Healthy",
            Self::Progressing => "Progressing",
            Self::Paused => "Paused",
            Self::Degraded => "Degraded",
            Self::Unknown(said) => said,
        }
    }

    pub fn from_vendor(said: &str) -> Self {
        match said {
            "Healthy" => Self::Healthy,
            "Progressing" => Self::Progressing,
            "Paused" => Self::Paused,
            "Degraded" => Self::Degraded,
            other => Self::Unknown(super::text::sanitise_line(other, 64)),
        }
    }
}

/// Pod counts of the whole workload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replicas {
    pub desired: i32,
    pub current: i32,
    pub updated: i32,
    pub ready: i32,
    pub available: i32,
}

/// Why the vendor's controller paused, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PauseCondition {
    pub reason: PauseReason,
    pub since: Option<Moment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PauseReason {
    CanaryPauseStep,
    BlueGreenPause,
    InconclusiveAnalysis,
    InconclusiveExperiment,
    Other(Safe),
}

impl PauseReason {
    pub fn vendor(&self) -> &str {
        match self {
            Self::CanaryPauseStep => "CanaryPauseStep",
            Self::BlueGreenPause => "BlueGreenPause",
            Self::InconclusiveAnalysis => "InconclusiveAnalysisRun",
            Self::InconclusiveExperiment => "InconclusiveExperiment",
            Self::Other(said) => said,
        }
    }

    pub fn from_vendor(said: &str) -> Self {
        match said {
            "CanaryPauseStep" => Self::CanaryPauseStep,
            "BlueGreenPause" => Self::BlueGreenPause,
            "InconclusiveAnalysisRun" => Self::InconclusiveAnalysis,
            "InconclusiveExperiment" => Self::InconclusiveExperiment,
            other => Self::Other(super::text::sanitise_line(other, 64)),
        }
    }
}

/// A run that is in force according to the rollout's own status: name and phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunInForce {
    pub role: RunRole,
    pub name: Safe,
    pub phase: RunPhase,
    pub message: Safe,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunRole {
    Step,
    Background,
    PrePromotion,
    PostPromotion,
    Experiment,
}

impl RunRole {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Background => "background",
            Self::PrePromotion => "before the switch",
            Self::PostPromotion => "after the switch",
            Self::Experiment => "experiment",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunPhase {
    Pending,
    Running,
    Successful,
    Failed,
    Error,
    Inconclusive,
    Unknown(Safe),
}

impl RunPhase {
    pub fn vendor(&self) -> &str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Successful => "Successful",
            Self::Failed => "Failed",
            Self::Error => "Error",
            Self::Inconclusive => "Inconclusive",
            Self::Unknown(said) => said,
        }
    }

    /// An empty word means that the controller has not looked at the run yet.
    pub fn from_vendor(said: &str) -> Self {
        match said {
            "" | "Pending" => Self::Pending,
            "Running" => Self::Running,
            "Successful" => Self::Successful,
            "Failed" => Self::Failed,
            "Error" => Self::Error,
            "Inconclusive" => Self::Inconclusive,
            other => Self::Unknown(super::text::sanitise_line(other, 64)),
        }
    }

    pub const fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Successful | Self::Failed | Self::Error | Self::Inconclusive
        )
    }
}

/// A weight in the vendor's units: of 100 unless the traffic router says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    pub set: i32,
    /// `None` where the object alone does not tell: without traffic routing it follows from the ReplicaSets.
    pub actual: Option<i32>,
    pub of: i32,
}

/// What an Argo Rollout has beyond a Deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argo {
    pub strategy: ArgoStrategy,
    pub current_hash: Option<PodHash>,
    pub stable_hash: Option<PodHash>,
    /// `spec.paused`: paused by hand.
    pub paused_by_hand: bool,
    pub controller_pause: bool,
    pub pause_conditions: Vec<PauseCondition>,
    pub aborted: bool,
    pub aborted_at: Option<Moment>,
    pub promote_full: bool,
    pub runs_in_force: Box<[RunInForce]>,
    pub restart_at: Option<Moment>,
    pub restarted_at: Option<Moment>,
    /// The Deployment (or other object) that holds the template, if the Rollout does not. Boxed: few have one.
    pub workload_ref: Option<Box<WorkloadRef>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadRef {
    pub api_version: Safe,
    pub kind: Safe,
    pub name: Safe,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgoStrategy {
    Canary(Canary),
    BlueGreen(BlueGreen),
    /// Neither of the two: an invalid spec, or one from the future.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    /// Shared: thousands of rollouts tend to have the same few step lists.
    pub steps: Arc<[Step]>,
    /// As the status has it: `None` = 0 or no steps; equal to the number of steps = all done.
    pub index: Option<i32>,
    pub step_hash: Option<Safe>,
    pub weight: Weight,
    pub traffic_routed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlueGreen {
    pub active: Option<PodHash>,
    pub preview: Option<PodHash>,
    /// Absent in the spec means true.
    pub auto_promotion: bool,
    pub scale_down_delay_s: i64,
    pub has_post_promotion_analysis: bool,
}

/// What kind of workload, and what only that kind has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Workload {
    ArgoRollout(Box<Argo>),
    Deployment { paused: bool },
    StatefulSet,
    DaemonSet,
}

/// Who else writes this object's spec, as its labels and annotations say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ManagedBy {
    ArgoCd {
        application: Safe,
    },
    Flux {
        kind: FluxKind,
        name: Safe,
        namespace: Option<Safe>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FluxKind {
    Kustomization,
    HelmRelease,
}

impl fmt::Display for ManagedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ArgoCd { application } => write!(f, "Argo CD {}", &**application),
            Self::Flux {
                kind: FluxKind::Kustomization,
                name,
                ..
            } => write!(f, "Flux Kustomization {}", &**name),
            Self::Flux {
                kind: FluxKind::HelmRelease,
                name,
                ..
            } => write!(f, "Flux HelmRelease {}", &**name),
        }
    }
}

/// One workload object, as one read told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    pub id: ReleaseId,
    pub uid: Uid,
    pub version: ResourceVersion,
    pub generation: i64,
    /// Whether the controller's status speaks of this generation.
    pub generation_observed: bool,
    /// The vendor's revision number of the current template.
    pub revision: Option<u64>,
    pub phase: Phase,
    pub message: Safe,
    pub replicas: Replicas,
    /// Images of the current template, in the order of its containers; empty where the template is elsewhere. Shared with the
    /// ReplicaSet that has the same.
    pub images: Arc<[Safe]>,
    /// Boxed: in a fleet of thousands its room is empty in most of them.
    pub managed_by: Option<Box<ManagedBy>>,
    /// Since when it has been in this phase, where the object says so.
    pub since: Option<Moment>,
    /// Seconds without progress after which the vendor calls it failed; `None` for kinds that never do.
    pub progress_deadline_s: Option<i32>,
    /// An annotation on the object that declares what a roll back does not take back (`windlass.dev/not-undone`).
    pub not_undone: Option<Box<Safe>>,
    /// What it says of where it comes from. Boxed: most say nothing.
    pub links: Option<Box<Links>>,
    pub workload: Workload,
}

/// What a workload and its pod template say of their origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// `windlass.dev/repository` and `windlass.dev/workflow` on the workload.
    pub repository: Option<Safe>,
    pub workflow: Option<Safe>,
    /// `windlass.dev/commit` or `org.opencontainers.image.revision` on the pod template.
    pub commit: Option<Commit>,
}

impl Rollout {
    pub const fn kind(&self) -> WorkloadKind {
        self.id.kind
    }

    pub fn argo(&self) -> Option<&Argo> {
        match &self.workload {
            Workload::ArgoRollout(argo) => Some(argo),
            Workload::Deployment { .. } | Workload::StatefulSet | Workload::DaemonSet => None,
        }
    }

    pub fn canary(&self) -> Option<&Canary> {
        match &self.argo()?.strategy {
            ArgoStrategy::Canary(canary) => Some(canary),
            ArgoStrategy::BlueGreen(_) | ArgoStrategy::Unknown => None,
        }
    }

    pub fn blue_green(&self) -> Option<&BlueGreen> {
        match &self.argo()?.strategy {
            ArgoStrategy::BlueGreen(blue_green) => Some(blue_green),
            ArgoStrategy::Canary(_) | ArgoStrategy::Unknown => None,
        }
    }

    pub fn paused_by_hand(&self) -> bool {
        match &self.workload {
            Workload::ArgoRollout(argo) => argo.paused_by_hand,
            Workload::Deployment { paused } => *paused,
            Workload::StatefulSet | Workload::DaemonSet => false,
        }
    }

    pub fn aborted(&self) -> bool {
        self.argo().is_some_and(|argo| argo.aborted)
    }

    /// Equal hashes mean that the current template serves everything (wire facts, 1.2).
    pub fn fully_promoted(&self) -> bool {
        match self.argo() {
            Some(argo) => argo.current_hash.is_some() && argo.current_hash == argo.stable_hash,
            None => self.phase == Phase::Healthy,
        }
    }

    /// The strategy in one word, as in the JSON.
    pub fn strategy_word(&self) -> &'static str {
        match &self.workload {
            Workload::ArgoRollout(argo) => match argo.strategy {
                ArgoStrategy::Canary(_) => "canary",
                ArgoStrategy::BlueGreen(_) => "blue-green",
                ArgoStrategy::Unknown => "unknown",
            },
            Workload::Deployment { .. } | Workload::StatefulSet | Workload::DaemonSet => "rolling",
        }
    }
}

impl Argo {
    /// Paused conditions gone and `controllerPause` still true: somebody has just unpaused it and the controller has
    /// not looked yet. A promote now would skip a step.
    pub fn waiting_to_unpause(&self) -> bool {
        self.controller_pause && self.pause_conditions.is_empty()
    }

    pub fn run(&self, role: RunRole) -> Option<&RunInForce> {
        self.runs_in_force.iter().find(|run| run.role == role)
    }
}

impl Canary {
    /// The index as a place in `steps`: `None` when there are no steps or all are done.
    pub fn current_step(&self) -> Option<(usize, &Step)> {
        let index = usize::try_from(self.index.unwrap_or(0)).ok()?;
        self.steps.get(index).map(|step| (index, step))
    }
}
