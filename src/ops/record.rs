//! What the audit log says of an action: the bodies of its records. Owns which facts are kept, and that none of them is
//! the value of an environment variable or a secret: requests are recorded as they are shown.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    ceremony::{Approved, ceremony},
    machine::Outcome,
    plan::{Plan, Sending},
};
use crate::model::{
    id::{IntentId, ResourceVersion},
    release::Version,
};

/// One record to be made durable.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub at: Timestamp,
    pub intent: IntentId,
    /// `intent`, `sending`, `outcome`, `reverted`, `reason`.
    pub kind: &'static str,
    pub body: Map<String, Value>,
    /// Whether it goes to a second place when the audit log cannot be written.
    pub emergency: bool,
}

fn of(approved: &Approved, kind: &'static str, at: Timestamp, body: Value) -> Record {
    let intent = &approved.plan().intent;
    Record {
        at,
        intent: intent.id.clone(),
        kind,
        body: into_map(body),
        emergency: intent.verb.is_emergency(),
    }
}

fn into_map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => Map::from_iter([("value".to_owned(), other)]),
    }
}

/// Before anything is read or sent: the whole plan.
pub fn intent(approved: &Approved, at: Timestamp) -> Record {
    let plan = approved.plan();
    of(
        approved,
        "intent",
        at,
        json!({
            "verb": plan.intent.verb.word(),
            "target": target(plan),
            "plan": plan_json(plan),
            "guards": approved.guards(),
            "ceremony": ceremony(plan, approved.guards()),
            "reason": approved.reason(),
        }),
    )
}

/// Before request `index` leaves.
pub fn sending(
    approved: &Approved,
    index: usize,
    tries: u8,
    version: &ResourceVersion,
    at: Timestamp,
) -> Record {
    let request = approved.plan().sends.get(index).map(request_json);
    of(
        approved,
        "sending",
        at,
        json!({ "request": index + 1, "of": approved.plan().sends.len(), "try": tries + 1, "resource_version": version, "sends": request }),
    )
}

pub fn outcome(approved: &Approved, outcome: &Outcome, at: Timestamp) -> Record {
    of(
        approved,
        "outcome",
        at,
        json!({
            "verb": approved.plan().intent.verb.word(),
            "target": target(approved.plan()),
            "outcome": outcome.kind.word(),
            "words": outcome.words,
            "sent": outcome.sent,
            "second_place": outcome.second_place,
        }),
    )
}

/// After an emergency: the reason, asked when there is time for it.
pub fn reason(intent: &IntentId, reason: &str, at: Timestamp) -> Record {
    Record {
        at,
        intent: intent.clone(),
        kind: "reason",
        body: into_map(json!({ "reason": reason })),
        emergency: false,
    }
}

/// An intent that an earlier session left without an outcome was looked at by a human: nobody will know more.
pub fn looked_at(intent: &IntentId, at: Timestamp) -> Record {
    let body = json!({
        "outcome": super::machine::OutcomeKind::Unknown.word(),
        "words": "left without an outcome by an earlier session; looked at by its operator",
    });
    Record {
        at,
        intent: intent.clone(),
        kind: "outcome",
        body: into_map(body),
        emergency: false,
    }
}

/// Something undid it within five minutes.
pub fn reverted(intent: &IntentId, words: &str, at: Timestamp) -> Record {
    Record {
        at,
        intent: intent.clone(),
        kind: "reverted",
        body: into_map(json!({ "words": words })),
        emergency: false,
    }
}

/// Whom it is about.
pub fn target(plan: &Plan) -> Value {
    let mut target = plan.intent.target.json();
    if let Value::Object(map) = &mut target {
        let rest = into_map(json!({
            "tier": plan.target.tier.word(),
            "uid": plan.target.uid,
            "resource_version": plan.target.version,
            "revision": plan.target.revision,
            "hash": plan.target.hash,
        }));
        map.extend(rest);
    }
    target
}

/// A plan as recorded and as printed by `--json`.
pub fn plan_json(plan: &Plan) -> Value {
    json!({
        "title": plan.title,
        "next": plan.next,
        "from": change(plan.change.versions().map(|(from, _)| from), &plan.change.from()),
        "to": change(plan.change.versions().map(|(_, to)| to), &plan.change.to()),
        "requests": plan.sends.iter().map(request_json).collect::<Vec<_>>(),
        "vendor_command": plan.same_as.join(" && "),
        "way_back": plan.way_back,
        "git": plan.git,
        "skips": plan.skips,
        "not_undone": plan.not_undone,
        "differs": plan.differs.iter().map(crate::model::detail::Difference::words).collect::<Vec<_>>(),
        "expect": plan.expect,
        "time_s": plan.time_s,
        "risks": plan.risks,
        "note": plan.note,
        "read_at": plan.read_at,
    })
}

fn request_json(sending: &Sending) -> Value {
    let when = match &sending.when {
        super::plan::When::AtOnce => Value::Null,
        super::plan::When::CurrentIs { words, .. } => Value::String(words.clone()),
    };
    json!({
        "method": sending.method,
        "path": sending.path,
        "content_type": sending.content_type,
        "body": sending.shown,
        "when": when,
        "resends": sending.resends,
    })
}

/// A version, or what there is instead of one.
fn change(version_of: Option<&Version>, words: &str) -> Value {
    match version_of {
        Some(of) => version(of),
        None => json!({ "label": words }),
    }
}

fn version(version: &Version) -> Value {
    json!({ "label": version.label(), "revision": version.revision, "hash": version.hash, "images": version.images })
}
