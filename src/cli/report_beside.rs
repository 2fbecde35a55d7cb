//! The JSON of what is beside a rollout: pipeline, metrics, incidents, gates. What is not known is `null`.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    app::beside::{Beside, PipelineState, Source, WaitingGate},
    model::{
        incident::{Alert, AlertState},
        metrics::{Arm, Compared, Counts, Metrics, Reading},
        pipeline::{Conclusion, Deployed, Job, Run, RunPhase},
        release::Release,
    },
};

pub(super) fn source(now: Timestamp, source: &Source) -> Value {
    let health = &source.health;
    json!({
        "id": source.id,
        "kind": source.kind.word(),
        "state": health.state.word(),
        "age_ms": health.heard.map(|heard| age_ms(now, heard)),
        "since": health.since,
        "detail": (!health.detail.is_empty()).then(|| health.detail.to_string()),
    })
}

pub(super) fn age_ms(now: Timestamp, then: Timestamp) -> i64 {
    i64::try_from(now.duration_since(then).as_millis())
        .unwrap_or(i64::MAX)
        .max(0)
}

/// Fills `pipeline`, `metrics` and `incidents` of a release that was reported without them.
pub(super) fn fill(object: &mut Value, beside: &Beside, release: &Release, now: Timestamp) {
    let Value::Object(map) = object else { return };
    map.insert("pipeline".to_owned(), pipeline(beside, release, now));
    let metrics = beside.metrics(&release.rollout.id);
    map.insert(
        "metrics".to_owned(),
        metrics.map_or(Value::Null, |metrics| self::metrics(metrics, now)),
    );
    map.insert("incidents".to_owned(), incidents(beside, release));
}

/// `null` where nothing joins one or its host says nothing; then `sources` says why.
fn pipeline(beside: &Beside, release: &Release, now: Timestamp) -> Value {
    let Some(pipeline) = beside.pipeline(release) else {
        return Value::Null;
    };
    let common = |rest: Value| {
        let mut object = json!({
            "repository": pipeline.rule.repository,
            "workflow": pipeline.rule.workflow,
            "because": pipeline.because,
        });
        if let (Value::Object(object), Value::Object(rest)) = (&mut object, rest) {
            object.extend(rest);
        }
        object
    };
    match &pipeline.state {
        PipelineState::Waiting => Value::Null,
        PipelineState::Failed { state, why } => {
            common(json!({ "state": state.word(), "detail": why, "run": null, "next": null }))
        }
        PipelineState::NoRun { facts } => common(json!({
            "state": "live", "detail": null, "run": null, "next": null, "age_ms": age_ms(now, facts.read_at),
        })),
        PipelineState::Here {
            facts,
            run: shown,
            certainty,
            next,
            failing,
        } => common(json!({
            "state": failing.map_or("live", |(state, _)| state.word()),
            "detail": failing.map(|(_, why)| why),
            "age_ms": age_ms(now, facts.read_at),
            "run": run(shown),
            "run_because": certainty.words(),
            "next": next.map(|next| run(next)),
            "deployments": facts.deployed.iter().map(|to| json!({
                "environment": to.environment,
                "live": to.live.as_ref().map(deployed),
                "incoming": to.incoming.as_ref().map(deployed),
                "failed_since": to.failed_since.as_ref().map(deployed),
                "taken_down": to.taken_down,
            })).collect::<Vec<_>>(),
            "missing": facts.missing.all().collect::<Vec<_>>(),
        })),
    }
}

fn deployed(of: &Deployed) -> Value {
    json!({ "commit": of.commit, "ref": of.reference, "at": of.at, "by": of.by })
}

fn run(run: &Run) -> Value {
    json!({
        "id": run.id.number,
        "number": run.number,
        "attempt": run.attempt,
        "workflow": run.workflow,
        "title": run.title,
        "ref": run.reference,
        "commit": run.commit,
        "phase": phase(&run.phase),
        "outcome": outcome(&run.phase),
        "words": run.phase.words(),
        "actor": run.actor,
        "created": run.created,
        "started": run.started,
        "ended": run.ended,
        "url": run.url,
        "jobs": run.jobs.as_ref().map(|jobs| jobs.iter().map(job).collect::<Vec<_>>()),
        "gates": run.gates.as_ref().map(|gates| gates.iter().map(|gate| json!({
            "environment": gate.environment,
            "reviewers": gate.reviewers,
            "may_decide": gate.may_decide,
            "timer_minutes": gate.timer_minutes,
            "waiting_jobs": gate.waiting_jobs,
            "since": gate.since,
            "deadline": gate.deadline,
        })).collect::<Vec<_>>()),
    })
}

fn job(job: &Job) -> Value {
    json!({
        "id": job.id,
        "name": job.name,
        "phase": phase(&job.phase),
        "outcome": outcome(&job.phase),
        "words": job.phase.words(),
        "started": job.started,
        "ended": job.ended,
    })
}

/// Where it is, apart from how it ended.
const fn phase(phase: &RunPhase) -> &'static str {
    match phase {
        RunPhase::Queued => "queued",
        RunPhase::WaitsForOther => "waiting-for-run",
        RunPhase::WaitsAtGate => "waiting-at-gate",
        RunPhase::Running => "running",
        RunPhase::Ended(_) => "ended",
        RunPhase::Unknown(_) => "unknown",
    }
}

const fn outcome(phase: &RunPhase) -> Option<&'static str> {
    let RunPhase::Ended(conclusion) = phase else {
        return None;
    };
    Some(match conclusion {
        Conclusion::Success => "success",
        Conclusion::Failure => "failure",
        Conclusion::Cancelled => "cancelled",
        Conclusion::Skipped => "skipped",
        Conclusion::Neutral => "neutral",
        Conclusion::TimedOut => "timed-out",
        Conclusion::ActionRequired => "action-required",
        Conclusion::Stale => "stale",
        Conclusion::StartupFailure => "startup-failure",
        Conclusion::Unknown(_) => "unknown",
    })
}

fn metrics(metrics: &Metrics, now: Timestamp) -> Value {
    let compared = match &metrics.compared {
        Compared::CanaryAndStable { canary, stable } => {
            json!({ "canary": arm(canary), "stable": arm(stable) })
        }
        Compared::BeforeAndAfter { at, before, after } => {
            json!({ "at": at, "before": arm(before), "after": arm(after) })
        }
    };
    let mut object = json!({
        "since": metrics.since,
        "age_ms": metrics.newest.map(|newest| age_ms(now, newest)),
        "warnings": metrics.warnings,
    });
    if let (Value::Object(object), Value::Object(compared)) = (&mut object, compared) {
        object.extend(compared);
    }
    object
}

fn arm(arm: &Arm) -> Value {
    json!({
        "hash": arm.hash,
        "errors": reading(&arm.errors, counts),
        "slow": reading(&arm.slow, counts),
        "requests_per_s": reading(&arm.traffic, |value| json!(value)),
    })
}

fn counts(counts: &Counts) -> Value {
    json!({ "bad": counts.bad, "all": counts.all, "share": counts.share() })
}

/// The five outcomes of a question, by word.
fn reading<T>(reading: &Reading<T>, value: impl Fn(&T) -> Value) -> Value {
    match reading {
        Reading::Value(of) => json!({ "outcome": "value", "value": value(of) }),
        Reading::NaN => json!({ "outcome": "nan", "value": null }),
        Reading::Empty => json!({ "outcome": "empty", "value": null }),
        Reading::Stale { last } => json!({ "outcome": "stale", "value": null, "last": last }),
        Reading::Failed(why) => json!({ "outcome": "failed", "value": null, "detail": why }),
    }
}

/// `null` where the system that would tell is configured and does not.
fn incidents(beside: &Beside, release: &Release) -> Value {
    let id = &release.rollout.id;
    let told = beside.incidents.contains_key(&id.environment);
    let configured = beside
        .source(
            crate::app::beside::SourceKind::Alertmanager,
            &id.environment,
        )
        .is_some();
    if configured && !told {
        return Value::Null;
    }
    beside
        .alerts(id)
        .into_iter()
        .map(|alert| self::alert(alert))
        .collect()
}

pub(super) fn alert(alert: &Alert) -> Value {
    json!({
        "id": alert.fingerprint,
        "name": alert.name(),
        "title": alert.title(),
        "severity": alert.severity().word(),
        "state": match &alert.state {
            AlertState::Firing if alert.muted_by.is_empty() => "firing",
            AlertState::Firing | AlertState::Suppressed => "suppressed",
            AlertState::Unprocessed => "unprocessed",
            AlertState::Unknown(word) => word,
        },
        "since": alert.starts_at,
        "silenced_by": alert.silenced_by,
        "inhibited_by": alert.inhibited_by,
        "muted_by": alert.muted_by,
        "receivers": alert.receivers,
        "labels": alert.labels.iter().map(|(name, value)| (name.to_string(), json!(value))).collect::<serde_json::Map<_, _>>(),
    })
}

pub(super) fn gate(gate: &WaitingGate) -> Value {
    json!({
        "kind": "gate",
        "id": gate.id,
        "env": gate.environment,
        "repository": gate.id.run.repository,
        "run": gate.id.run.number,
        "number": gate.run.number,
        "attempt": gate.id.attempt,
        "gate": gate.id.environment,
        "commit": gate.id.commit,
        "title": gate.run.title,
        "since": gate.since,
        "deadline": gate.gate.deadline,
        "who": gate.gate.reviewers,
        "may_decide": gate.gate.may_decide,
        "jobs": gate.gate.waiting_jobs,
        "releases": gate.releases,
    })
}

/// A few lines about one release.
pub(super) fn words(beside: &Beside, release: &Release, now: Timestamp) -> String {
    let mut text = String::new();
    if let Some(pipeline) = beside.pipeline(release) {
        let words = match &pipeline.state {
            PipelineState::Waiting => "not told yet".to_owned(),
            PipelineState::Failed { state, why } => format!("{}: {why}", state.word()),
            PipelineState::NoRun { .. } => "no run of its workflow".to_owned(),
            PipelineState::Here { run, next, .. } => {
                let next = next.map_or_else(String::new, |next| {
                    let where_it_is = match next.phase.has_ended() {
                        true => "newer",
                        false => "on its way",
                    };
                    format!("; {where_it_is}: #{} {}", next.number, next.phase.words())
                });
                format!("#{} {}{next}", run.number, run.phase.words())
            }
        };
        text.push_str(&format!(
            "\n  pipeline      {} {words}",
            pipeline.rule.repository
        ));
    }
    if let Some(metrics) = beside.metrics(&release.rollout.id) {
        let (first, one, second, other) = match &metrics.compared {
            Compared::CanaryAndStable { canary, stable } => ("canary", canary, "stable", stable),
            Compared::BeforeAndAfter { before, after, .. } => ("before", before, "after", after),
        };
        text.push_str(&format!(
            "\n  errors        {first} {}, {second} {}",
            share_words(&one.errors),
            share_words(&other.errors)
        ));
    }
    for alert in beside.alerts(&release.rollout.id) {
        let since = alert.starts_at.map_or_else(String::new, |since| {
            format!(
                ", {}",
                crate::model::release::duration_words(now.duration_since(since).as_secs())
            )
        });
        let silent = if alert.is_firing() {
            ""
        } else {
            " (suppressed)"
        };
        text.push_str(&format!(
            "\n  alert         {} {}{since}{silent}",
            alert.severity().word(),
            alert.title()
        ));
    }
    text
}

fn share_words(reading: &Reading<Counts>) -> String {
    match reading {
        Reading::Value(counts) => match counts.share() {
            Some(share) => format!(
                "{:.0} of {:.0} ({:.2} %)",
                counts.bad,
                counts.all,
                share * 100.0
            ),
            None => "no traffic".to_owned(),
        },
        Reading::NaN => "no traffic".to_owned(),
        Reading::Empty => "no such series".to_owned(),
        Reading::Stale { last } => format!("nothing since {last}"),
        Reading::Failed(why) => format!("failed: {why}"),
    }
}
