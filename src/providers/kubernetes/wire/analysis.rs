//! AnalysisRun and Experiment: measurements as the controller recorded them. Queries of the spec are not read, only
//! what the provider says it really asked.

use super::{IntOrString, Meta, Time, wire};

wire! {
    pub struct AnalysisRun {
        pub metadata: Meta,
        pub spec: AnalysisRunSpec,
        pub status: AnalysisRunStatus,
    }

    pub struct AnalysisRunSpec {
        pub metrics: Vec<MetricSpec>,
        pub terminate: bool,
    }

    pub struct MetricSpec {
        pub name: String,
        pub count: Option<IntOrString>,
        pub success_condition: String,
        pub failure_condition: String,
    }

    pub struct AnalysisRunStatus {
        pub phase: String,
        pub message: String,
        pub started_at: Time,
        pub completed_at: Time,
        pub metric_results: Vec<MetricResult>,
    }

    pub struct MetricResult {
        pub name: String,
        pub phase: String,
        pub message: String,
        pub dry_run: bool,
        pub successful: i32,
        pub failed: i32,
        pub inconclusive: i32,
        pub error: i32,
        pub metadata: MetricMetadata,
        pub measurements: Vec<Measurement>,
    }

    pub struct MetricMetadata {
        #[serde(rename = "ResolvedPrometheusQuery")]
        pub resolved_prometheus_query: Option<String>,
    }

    pub struct Measurement {
        pub phase: String,
        pub value: String,
        pub message: String,
        pub started_at: Time,
        pub finished_at: Time,
        pub metadata: MeasurementMetadata,
    }

    pub struct MeasurementMetadata {
        #[serde(rename = "job-name")]
        pub job_name: Option<String>,
        #[serde(rename = "job-namespace")]
        pub job_namespace: Option<String>,
    }

    pub struct Experiment {
        pub metadata: Meta,
        pub spec: ExperimentSpec,
        pub status: ExperimentStatus,
    }

    pub struct ExperimentSpec {
        pub templates: Vec<ExperimentTemplate>,
    }

    pub struct ExperimentTemplate {
        pub name: String,
        pub replicas: Option<i32>,
    }

    pub struct ExperimentStatus {
        pub phase: String,
        pub message: String,
        pub template_statuses: Vec<TemplateStatus>,
    }

    pub struct TemplateStatus {
        pub name: String,
        pub status: String,
        pub message: String,
        pub replicas: i32,
        pub ready_replicas: i32,
        pub available_replicas: i32,
    }
}
