//! The vendors' JSON, reduced to the fields that are read.
//!
//! Owns the shapes and their tolerance: a field that is missing or `null` has its default, an unknown field is
//! skipped without being stored, an unknown word of an enum is kept as text. Never `managedFields`, never an
//! annotation that is not named here (one of them holds a copy of the whole object), and never a
//! `serde_json::Value` for what is streamed by the ten thousand.
//!
//! Nothing here decides anything: texts are as the server sent them and must pass `map` before they are shown.

mod analysis;
mod apps;
mod lenient;
mod list;
mod meta;
mod pod;
mod rollout;
mod status;

pub use analysis::{
    AnalysisRun, AnalysisRunSpec, AnalysisRunStatus, Experiment, ExperimentSpec, ExperimentStatus,
    ExperimentTemplate, Measurement, MeasurementMetadata, MetricMetadata, MetricResult, MetricSpec,
    TemplateStatus,
};
pub use apps::{
    Condition, Container, DaemonSet, DaemonSetSpec, DaemonSetStatus, Deployment, DeploymentSpec,
    DeploymentStatus, PodTemplate, PodTemplateSpec, ReplicaSet, ReplicaSetSpec, ReplicaSetStatus,
    RollingUpdate, StatefulSet, StatefulSetSpec, StatefulSetStatus, UpdateStrategy,
};
pub use lenient::{IntOrString, Time};
pub use list::{
    Identity, List, ListMeta, Malformed, Watch, decode, decode_list, decode_watch_line,
};
pub use meta::{Annotations, Labels, Meta, Origin, OwnerReference, TemplateMeta};
pub use pod::{
    ContainerState, ContainerStatus, Pod, PodContainer, PodSpec, PodStatus, Terminated, Waiting,
};
pub use rollout::{
    AnalysisRunRef, BlueGreenSpec, BlueGreenStatus, CanaryScale, CanarySpec, CanaryStatus, Named,
    Pause, PauseCondition, RollbackWindow, Rollout, RolloutSpec, RolloutStatus, Step, Steps,
    Strategy, TrafficRouting, TrafficWeights, WeightDestination, WorkloadRef,
};
pub use status::{
    Event, EventSeries, EventSource, InvolvedObject, Status, StatusCause, StatusDetails,
};

/// Declares wire types whose every field is lenient: absent and `null` are its default.
macro_rules! wire {
    ($($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[serde(deserialize_with = "super::lenient::Lenient::lenient")]
                pub $field: $type,
            )*
        }

        impl<'de> super::lenient::Lenient<'de> for $name {
            fn lenient<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(<Option<Self> as serde::Deserialize>::deserialize(deserializer)?.unwrap_or_default())
            }
        }
    )*};
}
use wire;

#[cfg(test)]
mod tests;
