//! `apps/v1`: Deployment, ReplicaSet, StatefulSet, DaemonSet, with the names and images of their templates only.
//! Whole templates are read elsewhere, for one release at a time.

use super::{IntOrString, Meta, TemplateMeta, Time, wire};

wire! {
    pub struct Deployment {
        pub metadata: Meta,
        pub spec: DeploymentSpec,
        pub status: DeploymentStatus,
    }

    pub struct DeploymentSpec {
        pub replicas: Option<i32>,
        pub paused: bool,
        pub progress_deadline_seconds: Option<i64>,
        pub template: PodTemplate,
    }

    pub struct DeploymentStatus {
        pub observed_generation: i64,
        pub replicas: i32,
        pub updated_replicas: i32,
        pub ready_replicas: i32,
        pub available_replicas: i32,
        pub conditions: Vec<Condition>,
    }

    pub struct ReplicaSet {
        pub metadata: Meta,
        pub spec: ReplicaSetSpec,
        pub status: ReplicaSetStatus,
    }

    pub struct ReplicaSetSpec {
        pub replicas: Option<i32>,
        pub template: PodTemplate,
    }

    pub struct ReplicaSetStatus {
        pub observed_generation: i64,
        pub replicas: i32,
        pub ready_replicas: i32,
        pub available_replicas: i32,
        pub conditions: Vec<Condition>,
    }

    pub struct StatefulSet {
        pub metadata: Meta,
        pub spec: StatefulSetSpec,
        pub status: StatefulSetStatus,
    }

    pub struct StatefulSetSpec {
        pub replicas: Option<i32>,
        pub update_strategy: UpdateStrategy,
        pub template: PodTemplate,
    }

    pub struct StatefulSetStatus {
        pub observed_generation: i64,
        pub replicas: i32,
        pub updated_replicas: i32,
        pub ready_replicas: i32,
        pub available_replicas: i32,
        pub current_replicas: i32,
        pub current_revision: String,
        pub update_revision: String,
    }

    pub struct DaemonSet {
        pub metadata: Meta,
        pub spec: DaemonSetSpec,
        pub status: DaemonSetStatus,
    }

    pub struct DaemonSetSpec {
        pub update_strategy: UpdateStrategy,
        pub template: PodTemplate,
    }

    pub struct DaemonSetStatus {
        pub observed_generation: i64,
        pub desired_number_scheduled: i32,
        pub current_number_scheduled: i32,
        pub updated_number_scheduled: i32,
        pub number_ready: i32,
        pub number_available: i32,
    }

    /// `updateStrategy` of a StatefulSet or DaemonSet.
    pub struct UpdateStrategy {
        #[serde(rename = "type")]
        pub kind: String,
        pub rolling_update: Option<RollingUpdate>,
    }

    pub struct RollingUpdate {
        pub partition: Option<i32>,
        pub max_unavailable: Option<IntOrString>,
    }

    pub struct Condition {
        #[serde(rename = "type")]
        pub kind: String,
        pub status: String,
        pub reason: String,
        pub message: String,
        pub last_update_time: Time,
        pub last_transition_time: Time,
    }

    pub struct PodTemplate {
        pub metadata: TemplateMeta,
        pub spec: PodTemplateSpec,
    }

    pub struct PodTemplateSpec {
        pub containers: Vec<Container>,
    }

    pub struct Container {
        pub name: String,
        pub image: String,
    }
}

/// The condition of this type, where the object has it.
pub(super) fn condition<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.kind == kind)
}

impl DeploymentStatus {
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        condition(&self.conditions, kind)
    }
}

impl ReplicaSetStatus {
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        condition(&self.conditions, kind)
    }
}
