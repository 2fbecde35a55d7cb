//! Marks and words of what is beside a rollout, which several views share: jobs, gates, deployments, alerts, and what the
//! sources of them say of themselves. A word that this program does not know stays raw and grey.

use std::borrow::Cow;

use ratatui::style::Style;

use super::{
    ink::{Ink, bold},
    measured::since_it_finished,
    strip::{Sheet, Strip},
    words::{self, source_mark, source_words},
};
use crate::{
    app::{
        beside::{PipelineState, Source, SourceKind, is_incident},
        names,
        releases::LiftedBy,
        state::State,
    },
    model::{
        id::ReleaseId,
        incident::{Alert, AlertState, Severity},
        pipeline::{Conclusion, DeploymentState, Gate, Job, Run, RunPhase},
        release::{Group, Release, duration_words},
        rollout::Phase,
    },
};

pub(super) const fn job_mark(phase: &RunPhase) -> &'static str {
    match phase {
        RunPhase::Queued | RunPhase::WaitsForOther => "·",
        RunPhase::WaitsAtGate | RunPhase::Ended(Conclusion::ActionRequired) => "◆",
        RunPhase::Running => "◌",
        RunPhase::Ended(Conclusion::Success) => "✔",
        RunPhase::Ended(
            Conclusion::Failure | Conclusion::TimedOut | Conclusion::StartupFailure,
        ) => "✖",
        RunPhase::Ended(
            Conclusion::Cancelled | Conclusion::Skipped | Conclusion::Neutral | Conclusion::Stale,
        ) => "–",
        RunPhase::Ended(Conclusion::Unknown(_)) | RunPhase::Unknown(_) => "?",
    }
}

pub(super) const fn severity_mark(severity: &Severity) -> &'static str {
    match severity {
        Severity::Critical => "■",
        Severity::Unknown(_) | Severity::Warning => "▲",
        Severity::Info | Severity::None => "○",
    }
}

pub(super) fn deployment_words(state: &DeploymentState) -> &str {
    match state {
        DeploymentState::Success => "success",
        DeploymentState::InProgress => "in progress",
        DeploymentState::Queued => "queued",
        DeploymentState::Pending => "pending",
        DeploymentState::Waiting => "waiting",
        DeploymentState::Failure => "failed",
        DeploymentState::Error => "error",
        DeploymentState::Inactive => "inactive",
        DeploymentState::Unknown(word) => word.as_str(),
    }
}

/// Whom or what a gate waits for. "You" is said only where the host said so.
pub(super) fn gate_words(state: &State, gate: &Gate) -> String {
    if gate.may_decide == Some(true) {
        return "waits for you".to_owned();
    }
    if gate.reviewers.is_empty() && gate.timer_minutes > 0 {
        let minutes = i64::try_from(gate.timer_minutes).unwrap_or(i64::MAX);
        let whole = minutes.saturating_mul(60);
        return match gate.timer_started {
            Some(started) => {
                let left = whole.saturating_sub(words::seconds_since(state, started));
                format!("waits for a timer, {} left", duration_words(left))
            }
            None => format!("waits for a timer of {}", duration_words(whole)),
        };
    }
    format!("waits for {}", names(&gate.reviewers))
}

/// The gate that holds a job.
pub(super) fn gate_of<'r>(run: &'r Run, job: &Job) -> Option<&'r Gate> {
    run.gates
        .iter()
        .flatten()
        .find(|gate| gate.waiting_jobs.contains(&job.name))
}

/// The run that a release's strip of marks is about: the one on its way, else the one of its version.
pub(super) fn run_of<'s>(state: &'s State, release: &Release) -> Option<&'s Run> {
    match state.beside.pipeline(release)?.state {
        PipelineState::Here { run, next, .. } => Some(next.unwrap_or(run)),
        _ => None,
    }
}

/// One mark a job, with air between them where there is room for it.
pub(super) fn strip_of_jobs(run: &Run, room: u16, line: &mut Strip<'_>, ink: &Ink) {
    let jobs = run.jobs.as_deref().unwrap_or_default();
    if jobs.is_empty() {
        line.put(job_mark(&run.phase), ink.job(&run.phase));
        return;
    }
    let room = usize::from(room);
    let air = u16::from(jobs.len() * 2 <= room + 1);
    let shown = if air == 0 && jobs.len() > room {
        room.saturating_sub(1)
    } else {
        jobs.len()
    };
    for job in jobs.iter().take(shown) {
        line.put(job_mark(&job.phase), ink.job(&job.phase)).gap(air);
    }
    if shown < jobs.len() {
        line.put("…", ink.dim);
    }
}

/// Mark and colour of an alert: loud while somebody is told of it.
pub(super) fn alert_mark(alert: &Alert, ink: &Ink) -> (&'static str, Style) {
    let severity = alert.severity();
    let style = match &alert.state {
        AlertState::Firing if is_incident(alert) => ink.severity(&severity),
        AlertState::Firing
        | AlertState::Suppressed
        | AlertState::Unprocessed
        | AlertState::Unknown(_) => ink.dim,
    };
    (severity_mark(&severity), style)
}

/// What fires on a release: mark and colour of the worst, how many, and what the worst is.
pub(super) fn worst<'s>(state: &'s State, id: &ReleaseId, ink: &Ink) -> Option<Worst<'s>> {
    let firing = state.beside.firing(id);
    let worst = firing.iter().min_by_key(|alert| alert.severity())?;
    let (mark, style) = alert_mark(worst, ink);
    Some(Worst {
        mark,
        style,
        count: firing.len(),
        alert: worst,
    })
}

pub(super) struct Worst<'s> {
    pub(super) mark: &'static str,
    pub(super) style: Style,
    pub(super) count: usize,
    pub(super) alert: &'s Alert,
}

/// What the source of a part of the screen says when it cannot be believed, or that there is none. Returns it where there
/// is one, live or not: what it told before stays, and is as old as is said here.
pub(super) fn source_line<'s>(
    state: &'s State,
    kind: SourceKind,
    id: &ReleaseId,
    sheet: &mut Sheet<'_>,
    ink: &Ink,
) -> Option<&'s Source> {
    let Some(source) = state.beside.source(kind, &id.environment) else {
        let words = if state.beside.has(kind) {
            format!("no {} is configured for {}", kind.title(), id.environment)
        } else {
            format!("no {} is configured", kind.title())
        };
        sheet.wrapped(0, &words, ink.dim);
        return None;
    };
    let health = &source.health;
    if !health.state.is_live() {
        let style = ink.source(health.state);
        let words = format!("{} {}", kind.title(), source_words(state, health));
        sheet.labelled((source_mark(health.state), style), 2, &words, bold(style));
        if let Some(heard) = health.heard {
            let old = format!("what is below is as of {} ago", words::age(state, heard));
            sheet.wrapped(2, &old, ink.dim);
        }
    }
    Some(source)
}

/// What a release is doing: the words of its rollout, unless what is around it says that they would mislead. One on which
/// an alert fires is never called healthy.
pub(super) fn release_words<'r>(state: &State, release: &'r Release) -> Cow<'r, str> {
    let id = &release.rollout.id;
    let environment = state.environment_of(id);
    let plain = release.words(state.now, words::may_act(environment, release));
    if release.rollout.phase != Phase::Healthy {
        return plain;
    }
    match state.releases.lift(id).map(|lift| lift.by) {
        None => plain,
        Some(LiftedBy::Pipeline) => "next version is on its way".into(),
        Some(LiftedBy::Gate) => {
            let gate = state
                .beside
                .gates
                .iter()
                .find(|gate| gate.environment == id.environment && gate.releases.contains(id));
            let name = gate.map_or("", |gate| &*gate.gate.environment);
            format!("waits at gate {name}").trim_end().to_owned().into()
        }
        Some(LiftedBy::Firing) => {
            let mut said = "rolled out".to_owned();
            if let Some(since) = release.since() {
                said.push_str(&format!(" {} ago", words::age(state, since)));
            }
            let errors = state
                .beside
                .metrics(id)
                .and_then(|metrics| since_it_finished(state, metrics));
            if let Some(errors) = errors {
                said.push_str(", ");
                said.push_str(&errors);
            }
            said.into()
        }
    }
}

/// The group whose colour those words have: of the rollout itself where it says something, else of what lifts it.
pub(super) fn group_of_words(state: &State, release: &Release, lifted: Group) -> Group {
    let id = &release.rollout.id;
    if state.releases.lift(id).is_none() {
        return lifted;
    }
    let fresh = state
        .environment_of(id)
        .is_some_and(crate::app::state::Environment::is_fresh);
    match release.group(fresh) {
        Group::Quiet => lifted,
        own => own,
    }
}
