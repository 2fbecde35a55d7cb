//! Analysis runs, measurement by measurement: what was asked, what came back, and what the vendor made of it.

use super::{
    super::{
        ink::{Ink, bold},
        strip::{Sheet, Strip},
        words::{self, run_mark},
    },
    Shown,
};
use crate::model::detail::{AnalysisRun, Measurement, Metric, RunCounts};

/// Measurements shown per metric: the vendor keeps about ten.
const MEASUREMENTS: usize = 6;

pub(super) fn content(shown: &Shown<'_>, sheet: &mut Sheet<'_>, ink: &Ink) {
    if shown.release.rollout.argo().is_none() {
        sheet.wrapped(0, "a Deployment has no analysis", ink.ghost);
        return;
    }
    if !shown.is_there("analysis runs", shown.open.runs.is_some(), sheet, ink) {
        return;
    }
    let runs = shown.open.runs.as_deref().unwrap_or_default();
    if runs.is_empty() {
        sheet.wrapped(0, "no analysis has run", ink.dim);
    }
    for (nth, run) in runs.iter().rev().enumerate() {
        if nth > 0 {
            sheet.blank();
        }
        one(shown, run, sheet, ink);
    }
    experiments(shown, sheet, ink);
}

fn one(shown: &Shown<'_>, run: &AnalysisRun, sheet: &mut Sheet<'_>, ink: &Ink) {
    sheet.line(|line| {
        line.put(run_mark(&run.phase), ink.run(&run.phase)).gap(1);
        if let Some(created) = run.created {
            line.right(&words::age(shown.state, created), ink.ghost);
        }
        line.put(run.phase.vendor(), bold(ink.run(&run.phase)))
            .gap(2);
        line.put(&run.role, ink.dim);
        if let Some(step) = run.step_index {
            line.put(&format!(" {}", step + 1), ink.dim);
        }
        line.gap(2).put(&format!("rev {}", run.revision), ink.ghost);
    });
    sheet.line(|line| {
        line.gap(2);
        let room = line.left();
        line.name(&run.name, room, ink.ghost);
    });
    if !run.message.is_empty() {
        sheet.wrapped(2, &run.message, ink.text);
    }
    for metric in &run.metrics {
        one_metric(shown, metric, sheet, ink);
    }
}

fn one_metric(shown: &Shown<'_>, metric: &Metric, sheet: &mut Sheet<'_>, ink: &Ink) {
    sheet.line(|line| {
        line.gap(2)
            .put(run_mark(&metric.phase), ink.run(&metric.phase))
            .gap(1);
        let room = line.left().saturating_sub(12);
        line.name(&metric.name, room, ink.text).gap(2);
        counts(metric.counts, metric.wanted, line, ink);
        if metric.dry_run {
            line.gap(1).put("dry run", ink.ghost);
        }
    });
    for (word, condition) in [
        ("ok if", &metric.success_condition),
        ("fails if", &metric.failure_condition),
    ] {
        if !condition.is_empty() {
            sheet.line(|line| {
                line.gap(4)
                    .put(word, ink.ghost)
                    .gap(1)
                    .put(condition, ink.dim);
            });
        }
    }
    if let Some(query) = &metric.query {
        sheet.line(|line| {
            line.gap(4).put("asks ", ink.ghost).put(query, ink.ghost);
        });
    }
    if !metric.message.is_empty() {
        sheet.wrapped(4, &metric.message, ink.text);
    }
    for measurement in metric.measurements.iter().rev().take(MEASUREMENTS) {
        sheet.line(|line| one_measurement(shown, measurement, line, ink));
    }
}

fn counts(counts: RunCounts, wanted: Option<i32>, line: &mut Strip<'_>, ink: &Ink) {
    let ok = match wanted {
        Some(wanted) => format!("✔{}/{wanted}", counts.successful),
        None => format!("✔{}", counts.successful),
    };
    line.put(&ok, ink.ok);
    for (mark, number, style) in [
        ("✖", counts.failed, ink.bad),
        ("◆", counts.inconclusive, ink.waiting),
        ("!", counts.error, ink.waiting),
    ] {
        if number > 0 {
            line.gap(1).put(&format!("{mark}{number}"), style);
        }
    }
}

fn one_measurement(shown: &Shown<'_>, measurement: &Measurement, line: &mut Strip<'_>, ink: &Ink) {
    line.gap(4);
    if let Some(at) = measurement.finished.or(measurement.started) {
        line.put(&words::clock_time(shown.state, at), ink.ghost)
            .gap(1);
    }
    line.put(run_mark(&measurement.phase), ink.run(&measurement.phase))
        .gap(1);
    line.put(&measurement.value, ink.text)
        .gap(1)
        .put(&measurement.message, ink.dim);
    if let Some(job) = &measurement.job {
        let room = line.left();
        line.gap(1).name(job, room, ink.ghost);
    }
}

fn experiments(shown: &Shown<'_>, sheet: &mut Sheet<'_>, ink: &Ink) {
    for experiment in shown.open.experiments.iter().flatten() {
        sheet.blank();
        sheet.line(|line| {
            line.put(run_mark(&experiment.phase), ink.run(&experiment.phase))
                .gap(1);
            line.put("experiment ", ink.dim)
                .put(experiment.phase.vendor(), ink.run(&experiment.phase))
                .gap(2);
            let room = line.left();
            line.name(&experiment.name, room, ink.ghost);
        });
        if !experiment.message.is_empty() {
            sheet.wrapped(2, &experiment.message, ink.text);
        }
        for template in &experiment.templates {
            sheet.line(|line| {
                line.gap(2)
                    .put(&template.name, ink.text)
                    .gap(2)
                    .put(&template.status, ink.dim)
                    .gap(2);
                line.put(&format!("{}/{}", template.ready, template.desired), ink.dim);
            });
        }
    }
}
