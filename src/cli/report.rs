//! The JSON that is promised, made from facts. A fact that is not known is `null`, never 0 and never left out.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    model::{
        release::{Release, Version},
        rollout::{ArgoStrategy, Rollout, Workload},
        source::{Access, SourceHealth, Tier},
    },
    ops::{
        ceremony::{Ceremony, NotYet},
        guard::GuardAnswer,
        machine::Outcome,
        offer::{Because, offers},
        plan::Plan,
        record,
    },
};

/// One environment as a source of `status`.
#[derive(Clone, Debug)]
pub(super) struct SourceReport<'a> {
    pub id: String,
    pub health: &'a SourceHealth,
}

pub(super) fn status(now: Timestamp, sources: &[Value], releases: &[Value]) -> Value {
    json!({
        "schema": "windlass.status/1",
        "at": now,
        "sources": sources,
        "releases": releases,
    })
}

pub(super) fn source(now: Timestamp, source: &SourceReport<'_>) -> Value {
    let health = source.health;
    json!({
        "id": source.id,
        "kind": "kubernetes",
        "state": health.state.word(),
        "age_ms": health.heard.map(|heard| age_ms(now, heard)),
        "since": health.since,
        "detail": (!health.detail.is_empty()).then(|| health.detail.to_string()),
    })
}

fn age_ms(now: Timestamp, then: Timestamp) -> i64 {
    i64::try_from(now.duration_since(then).as_millis())
        .unwrap_or(i64::MAX)
        .max(0)
}

/// One release. `access` fills `actions`, which are `null` in a list.
pub(super) fn release(
    now: Timestamp,
    release: &Release,
    tier: Tier,
    health: &SourceHealth,
    access: Option<&Access>,
) -> Value {
    let rollout = &*release.rollout;
    let id = &rollout.id;
    json!({
        "id": id,
        "service": id.name,
        "env": id.environment,
        "tier": tier.word(),
        "namespace": id.namespace,
        "rollout": self::rollout(release),
        "pipeline": null,
        "metrics": null,
        "incidents": [],
        "managed_by": rollout.managed_by.as_ref().map(ToString::to_string),
        "fresh": { "state": health.state.word(), "age_ms": health.heard.map(|heard| age_ms(now, heard)) },
        "actions": access.map(|access| actions(release, access)),
    })
}

fn actions(release: &Release, access: &Access) -> Vec<Value> {
    offers(release, Some(access))
        .iter()
        .map(|offer| {
            json!({
                "verb": offer.verb,
                "offered": offer.offered(),
                "because": offer.because.iter().map(Because::words).collect::<Vec<_>>(),
            })
        })
        .collect()
}

fn rollout(release: &Release) -> Value {
    let rollout = &*release.rollout;
    let replicas = rollout.replicas;
    json!({
        "kind": rollout.id.kind,
        "name": rollout.id.name,
        "uid": rollout.uid,
        "revision": rollout.revision,
        "strategy": rollout.strategy_word(),
        "phase": rollout.phase.word(),
        "vendor_phase": rollout.phase.vendor(),
        "message": (!rollout.message.is_empty()).then(|| rollout.message.to_string()),
        "step": step(rollout),
        "weight": rollout.canary().map(|canary| json!({ "set": canary.weight.set, "actual": release.actual_weight() })),
        "aborted": rollout.argo().map(|argo| argo.aborted),
        "manually_paused": match rollout.workload {
            Workload::ArgoRollout(_) | Workload::Deployment { .. } => Some(rollout.paused_by_hand()),
            Workload::StatefulSet | Workload::DaemonSet => None,
        },
        "generation_observed": rollout.generation_observed,
        "replicas": {
            "desired": replicas.desired,
            "ready": replicas.ready,
            "updated": replicas.updated,
            "available": replicas.available,
        },
        "stable": stable(release).as_ref().map(version),
        "canary": (!rollout.fully_promoted()).then(|| version(&release.current())),
    })
}

/// What serves: the stable version, or the current one where that is all there is.
fn stable(release: &Release) -> Option<Version> {
    let rollout = &release.rollout;
    match rollout.argo() {
        Some(argo) => {
            argo.stable_hash.as_ref()?;
            Some(
                release
                    .serving_before()
                    .unwrap_or_else(|| release.current()),
            )
        }
        None if rollout.fully_promoted() => Some(release.current()),
        None => release.serving_before(),
    }
}

fn step(rollout: &Rollout) -> Value {
    let Some(argo) = rollout.argo() else {
        return Value::Null;
    };
    let ArgoStrategy::Canary(canary) = &argo.strategy else {
        return Value::Null;
    };
    if canary.steps.is_empty() {
        return Value::Null;
    }
    json!({
        "index": canary.index.unwrap_or(0),
        "count": canary.steps.len(),
        "label": canary.current_step().map(|(_, step)| step.to_string()),
    })
}

pub(super) fn version(version: &Version) -> Value {
    json!({
        "revision": version.revision,
        "hash": version.hash,
        "images": if version.images.is_empty() { Value::Null } else { json!(version.images) },
    })
}

/// The answer of a verb. `outcome` is a word of the promised set.
pub(super) fn action(
    plan: &Plan,
    guards: &[GuardAnswer],
    outcome: &str,
    observed: &Value,
    audit: Option<&str>,
) -> Value {
    json!({
        "schema": "windlass.action/1",
        "id": plan.intent.id,
        "verb": plan.intent.verb,
        "target": record::target(plan),
        "plan": record::plan_json(plan),
        "guards": guards,
        "outcome": outcome,
        "observed": observed,
        "audit_id": audit,
    })
}

/// The `observed` of an outcome.
pub(super) fn observed(outcome: &Outcome) -> Value {
    json!({ "words": outcome.words, "sent": outcome.sent, "second_place": outcome.second_place })
}

/// What is missing, as a sentence for standard error.
pub(super) fn missing(not_yet: &NotYet, ceremony: &Ceremony) -> String {
    match not_yet {
        NotYet::Refused(because) => because.join("\n"),
        NotYet::Yes => "not confirmed: --yes confirms it".to_owned(),
        NotYet::Type(text) => match ceremony {
            Ceremony::Environment { or, .. } => {
                format!("not confirmed: --confirm {text} (or --confirm {or}) confirms it")
            }
            Ceremony::Target { .. } | Ceremony::Yes => {
                format!("not confirmed: --confirm {text} and --reason TEXT confirm it")
            }
        },
        NotYet::Reason => "a reason is asked for: --reason TEXT".to_owned(),
    }
}
