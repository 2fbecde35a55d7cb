//! `argoproj.io/v1alpha1` Rollout. The list of steps keeps its length whatever is in it: the status points into it by
//! number.

use serde::{Deserializer, de::IgnoredAny};

use super::{
    Condition, IntOrString, Meta, PodTemplate, Time,
    apps::condition,
    lenient::{Lenient, positional},
    wire,
};

wire! {
    pub struct Rollout {
        pub metadata: Meta,
        pub spec: RolloutSpec,
        pub status: RolloutStatus,
    }

    pub struct RolloutSpec {
        pub replicas: Option<i32>,
        pub paused: bool,
        pub template: Option<PodTemplate>,
        pub workload_ref: Option<WorkloadRef>,
        pub progress_deadline_seconds: Option<i64>,
        pub restart_at: Time,
        pub rollback_window: Option<RollbackWindow>,
        pub strategy: Strategy,
    }

    pub struct WorkloadRef {
        pub api_version: String,
        pub kind: String,
        pub name: String,
    }

    pub struct RollbackWindow {
        pub revisions: Option<i32>,
    }

    pub struct Strategy {
        pub canary: Option<CanarySpec>,
        pub blue_green: Option<BlueGreenSpec>,
    }

    pub struct CanarySpec {
        pub steps: Steps,
        pub traffic_routing: Option<TrafficRouting>,
        pub ping_pong: Option<IgnoredAny>,
    }

    pub struct TrafficRouting {
        pub max_traffic_weight: Option<i32>,
    }

    pub struct BlueGreenSpec {
        pub auto_promotion_enabled: Option<bool>,
        pub auto_promotion_seconds: Option<i64>,
        pub scale_down_delay_seconds: Option<i64>,
        pub post_promotion_analysis: Option<IgnoredAny>,
    }

    /// An object with exactly one key, and nothing here that is set for a kind we do not know.
    pub struct Step {
        pub set_weight: Option<i32>,
        pub pause: Option<Pause>,
        pub experiment: Option<IgnoredAny>,
        pub analysis: Option<IgnoredAny>,
        pub set_canary_scale: Option<CanaryScale>,
        pub plugin: Option<Named>,
        pub set_header_route: Option<Named>,
        pub set_mirror_route: Option<Named>,
    }

    pub struct Pause {
        pub duration: Option<IntOrString>,
    }

    pub struct CanaryScale {
        pub weight: Option<i32>,
        pub replicas: Option<i32>,
        pub match_traffic_weight: bool,
    }

    pub struct Named {
        pub name: String,
    }

    pub struct RolloutStatus {
        pub phase: String,
        pub message: String,
        /// Text on the wire: a number since v0.10, a hash before.
        pub observed_generation: String,
        pub workload_observed_generation: String,
        pub current_pod_hash: String,
        #[serde(rename = "stableRS")]
        pub stable_rs: String,
        pub current_step_index: Option<i32>,
        pub current_step_hash: String,
        pub pause_conditions: Vec<PauseCondition>,
        pub controller_pause: bool,
        pub abort: bool,
        pub aborted_at: Time,
        pub promote_full: bool,
        pub replicas: i32,
        pub updated_replicas: i32,
        pub ready_replicas: i32,
        pub available_replicas: i32,
        pub canary: CanaryStatus,
        pub blue_green: BlueGreenStatus,
        pub restarted_at: Time,
        pub conditions: Vec<Condition>,
    }

    pub struct PauseCondition {
        pub reason: String,
        pub start_time: Time,
    }

    pub struct CanaryStatus {
        pub weights: Option<TrafficWeights>,
        pub current_step_analysis_run_status: Option<AnalysisRunRef>,
        pub current_background_analysis_run_status: Option<AnalysisRunRef>,
        pub current_experiment: String,
        pub stable_ping_pong: String,
        /// Up to v0.8; nowadays one level up.
        #[serde(rename = "stableRS")]
        pub stable_rs: String,
    }

    pub struct TrafficWeights {
        pub canary: WeightDestination,
        pub stable: WeightDestination,
        pub verified: Option<bool>,
    }

    pub struct WeightDestination {
        pub weight: i32,
    }

    pub struct BlueGreenStatus {
        pub active_selector: String,
        pub preview_selector: String,
        pub pre_promotion_analysis_run_status: Option<AnalysisRunRef>,
        pub post_promotion_analysis_run_status: Option<AnalysisRunRef>,
    }

    /// A run in force, as the Rollout's own status names it.
    pub struct AnalysisRunRef {
        pub name: String,
        pub status: String,
        pub message: String,
    }
}

/// The steps, none left out: a `null` among them is a step of an unknown kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steps(pub Vec<Step>);

impl<'de> Lenient<'de> for Steps {
    fn lenient<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        positional(deserializer).map(Self)
    }
}

impl RolloutStatus {
    /// Controllers up to v0.8 kept it with the canary.
    pub fn stable_hash(&self) -> &str {
        if self.stable_rs.is_empty() {
            &self.canary.stable_rs
        } else {
            &self.stable_rs
        }
    }

    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        condition(&self.conditions, kind)
    }
}

impl RolloutSpec {
    /// Absent means one.
    pub fn desired(&self) -> i32 {
        self.replicas.unwrap_or(1)
    }
}
