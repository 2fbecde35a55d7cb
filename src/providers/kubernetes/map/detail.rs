//! What is read for the release that is open: pods, runs, experiments, events.

use super::{hash, message, name, number, uid};
use crate::{
    model::{
        detail::{
            AnalysisRun, Event, Experiment, ExperimentTemplate, Measurement, Metric, Pod, PodIcon,
            RunCounts,
        },
        id::Uid,
        rollout::RunPhase,
        text::Safe,
    },
    providers::kubernetes::{
        status::{self, Icon},
        wire::{self, IntOrString, Meta},
    },
};

fn controller(meta: &Meta) -> Option<Uid> {
    meta.controller().map(|owner| uid(&owner.uid))
}

fn revision(meta: &Meta) -> u64 {
    number(meta.annotations.rollout_revision.as_deref()).unwrap_or(0)
}

pub fn pod(object: &wire::Pod) -> Pod {
    let (meta, labels) = (&object.metadata, &object.metadata.labels);
    let words = status::pod(object);
    let label = labels
        .rollouts_pod_template_hash
        .as_deref()
        .or(labels.pod_template_hash.as_deref());
    Pod {
        uid: uid(&meta.uid),
        name: name(&meta.name),
        owner: controller(meta),
        hash: label.and_then(hash),
        icon: match Icon::of_pod(&words.status) {
            Icon::Ok => PodIcon::Running,
            Icon::Progressing => PodIcon::Progressing,
            Icon::Warning => PodIcon::Warning,
            Icon::Bad => PodIcon::Failed,
            _ => PodIcon::Unknown,
        },
        status: name(&words.status),
        ready: words.ready,
        containers: object
            .spec
            .containers
            .iter()
            .map(|container| name(&container.name))
            .collect(),
        restarts: words.restarts,
        created: meta.creation_timestamp.0,
    }
}

pub fn analysis_run(object: &wire::AnalysisRun) -> AnalysisRun {
    let (meta, status) = (&object.metadata, &object.status);
    let metrics: Vec<Metric> = status
        .metric_results
        .iter()
        .map(|result| metric(&object.spec, result))
        .collect();
    AnalysisRun {
        uid: uid(&meta.uid),
        name: name(&meta.name),
        owner: controller(meta),
        revision: revision(meta),
        role: name(meta.labels.rollout_type.as_deref().unwrap_or_default()),
        step_index: meta
            .labels
            .step_index
            .as_deref()
            .and_then(|text| text.parse().ok()),
        phase: RunPhase::from_vendor(&status.phase),
        message: message(&status.message),
        counts: metrics
            .iter()
            .fold(RunCounts::default(), |sum, metric| RunCounts {
                successful: sum.successful.saturating_add(metric.counts.successful),
                failed: sum.failed.saturating_add(metric.counts.failed),
                inconclusive: sum.inconclusive.saturating_add(metric.counts.inconclusive),
                error: sum.error.saturating_add(metric.counts.error),
            }),
        metrics,
        created: meta.creation_timestamp.0,
        completed: status.completed_at.0,
    }
}

fn metric(spec: &wire::AnalysisRunSpec, result: &wire::MetricResult) -> Metric {
    let asked = spec
        .metrics
        .iter()
        .find(|metric| metric.name == result.name);
    let text =
        |of: fn(&wire::MetricSpec) -> &str| asked.map_or_else(Safe::default, |m| message(of(m)));
    Metric {
        name: name(&result.name),
        phase: RunPhase::from_vendor(&result.phase),
        message: message(&result.message),
        dry_run: result.dry_run,
        counts: RunCounts {
            successful: result.successful,
            failed: result.failed,
            inconclusive: result.inconclusive,
            error: result.error,
        },
        wanted: asked.and_then(|metric| match metric.count.as_ref()? {
            IntOrString::Int(count) => i32::try_from(*count).ok(),
            IntOrString::Text(text) => text.parse().ok(),
        }),
        success_condition: text(|metric| &metric.success_condition),
        failure_condition: text(|metric| &metric.failure_condition),
        query: result
            .metadata
            .resolved_prometheus_query
            .as_deref()
            .map(message),
        measurements: result.measurements.iter().map(measurement).collect(),
    }
}

fn measurement(measurement: &wire::Measurement) -> Measurement {
    Measurement {
        phase: RunPhase::from_vendor(&measurement.phase),
        value: message(&measurement.value),
        message: message(&measurement.message),
        started: measurement.started_at.0,
        finished: measurement.finished_at.0,
        job: measurement.metadata.job_name.as_deref().map(name),
    }
}

pub fn experiment(object: &wire::Experiment) -> Experiment {
    let (meta, status) = (&object.metadata, &object.status);
    Experiment {
        uid: uid(&meta.uid),
        name: name(&meta.name),
        owner: controller(meta),
        revision: revision(meta),
        phase: RunPhase::from_vendor(&status.phase),
        message: message(&status.message),
        templates: status
            .template_statuses
            .iter()
            .map(|template| {
                let asked = object
                    .spec
                    .templates
                    .iter()
                    .find(|t| t.name == template.name);
                ExperimentTemplate {
                    name: name(&template.name),
                    status: name(&template.status),
                    ready: template.ready_replicas,
                    desired: asked.and_then(|template| template.replicas).unwrap_or(1),
                }
            })
            .collect(),
        created: meta.creation_timestamp.0,
    }
}

pub fn event(object: &wire::Event) -> Event {
    let meta = &object.metadata;
    let series = object.series.as_ref();
    let by = if object.source.component.is_empty() {
        &object.reporting_component
    } else {
        &object.source.component
    };
    let involved = &object.involved_object;
    Event {
        uid: uid(&meta.uid),
        // Either of them may be missing, and which one depends on the program that wrote the event.
        at: [
            object.last_timestamp.0,
            series.and_then(|series| series.last_observed_time.0),
            object.event_time.0,
            meta.creation_timestamp.0,
        ]
        .into_iter()
        .max()
        .flatten(),
        warning: object.kind == "Warning",
        reason: name(&object.reason),
        message: message(&object.message),
        count: series
            .map_or(0, |series| series.count)
            .max(object.count)
            .max(1),
        object: name(&format!("{}/{}", involved.kind, involved.name)),
        by: name(by),
    }
}
