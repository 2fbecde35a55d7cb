//! Decisions as requests: what has to be sent, to which half of the object, with which content type.
//!
//! A Rollout has a status subresource: a patch of the wrong half answers 200 and changes nothing, so each function here
//! knows its half. Never sends anything, never decides whether it is allowed, and never adds a precondition by itself:
//! a plan is made once and each of its requests gets the version of the read that was checked last.

mod promote;
mod template;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

pub use promote::{How, NoSteps, Promotion, promote, promote_full};
pub use template::{TemplateHolder, UnsupportedWorkload, clean_template, holder, template};

use crate::model::id::{Namespace, ReleaseId, ResourceVersion, Uid, WorkloadKind};

pub const MERGE_PATCH: &str = "application/merge-patch+json";
/// For built-in kinds only: a custom resource answers 415.
pub const STRATEGIC_MERGE_PATCH: &str = "application/strategic-merge-patch+json";
pub const JSON_PATCH: &str = "application/json-patch+json";

/// One request, without preconditions.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub content_type: &'static str,
    pub body: Value,
}

impl Request {
    fn patch(path: String, content_type: &'static str, body: Value) -> Self {
        Self {
            method: "PATCH",
            path,
            content_type,
            body,
        }
    }

    /// The same request, refused with a 409 when the object is not the one that was read. Without this a patch is
    /// "last write wins" and two operators never see each other.
    ///
    /// A JSON patch replaces the version instead of testing it: a failed test is a 422 that cannot be told from a patch
    /// that makes no sense. A recreated object has another version, so its uid needs no operation of its own.
    #[must_use]
    pub fn with_precondition(mut self, version: &ResourceVersion, uid: &Uid) -> Self {
        match &mut self.body {
            Value::Array(operations) => operations.insert(
                0,
                json!({"op": "replace", "path": "/metadata/resourceVersion", "value": version.as_str()}),
            ),
            Value::Object(body) => {
                let metadata = body
                    .entry("metadata")
                    .or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(metadata) = metadata {
                    metadata.insert("resourceVersion".to_owned(), version.as_str().into());
                    metadata.insert("uid".to_owned(), uid.to_string().into());
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        self
    }
}

/// Where a workload object lives.
pub fn object_path(id: &ReleaseId) -> String {
    let (group, plural) = match id.kind {
        WorkloadKind::ArgoRollout => ("argoproj.io/v1alpha1", "rollouts"),
        WorkloadKind::Deployment => ("apps/v1", "deployments"),
        WorkloadKind::StatefulSet => ("apps/v1", "statefulsets"),
        WorkloadKind::DaemonSet => ("apps/v1", "daemonsets"),
    };
    named(
        &format!("/apis/{group}"),
        &id.namespace,
        plural,
        id.name.as_str(),
    )
}

fn named(root: &str, namespace: &Namespace, plural: &str, name: &str) -> String {
    format!(
        "{root}/namespaces/{}/{plural}/{}",
        segment(namespace.as_str()),
        segment(name)
    )
}

/// One path segment. The server's own names need no escape; anything else must not become another path.
fn segment(text: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    // A name of dots alone would be resolved away by a client.
    if matches!(escaped.as_str(), "." | "..") {
        escaped = escaped.replace('.', "%2E");
    }
    escaped
}

fn status_path(id: &ReleaseId) -> String {
    format!("{}/status", object_path(id))
}

/// A Rollout or a Deployment; nothing else can be paused.
pub fn pause(id: &ReleaseId) -> Option<Request> {
    set_paused(id, &Value::Bool(true))
}

/// Takes back a pause by hand and nothing else: no pause step is passed, no step is skipped.
pub fn resume(id: &ReleaseId) -> Option<Request> {
    match id.kind {
        // kubectl takes the field away instead of setting it to false.
        WorkloadKind::Deployment => set_paused(id, &Value::Null),
        _ => set_paused(id, &Value::Bool(false)),
    }
}

fn set_paused(id: &ReleaseId, paused: &Value) -> Option<Request> {
    let content_type = match id.kind {
        WorkloadKind::ArgoRollout => MERGE_PATCH,
        WorkloadKind::Deployment => STRATEGIC_MERGE_PATCH,
        WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => return None,
    };
    let body = json!({"spec": {"paused": paused}});
    Some(Request::patch(object_path(id), content_type, body))
}

/// Ends the controller's pause and leaves the index alone: at a pause step it goes on, at an inconclusive analysis the
/// same analysis runs again. `controllerPause` stays: that it is true without a reason is how the controller learns of it,
/// and a patch that clears both is paused again at the same step.
pub fn clear_pause(id: &ReleaseId) -> Request {
    Request::patch(
        status_path(id),
        MERGE_PATCH,
        json!({"status": {"pauseConditions": null}}),
    )
}

pub fn abort(id: &ReleaseId) -> Request {
    Request::patch(
        status_path(id),
        MERGE_PATCH,
        json!({"status": {"abort": true}}),
    )
}

/// While a full promotion runs, the controller removes an abort that comes alone: both go in one patch.
pub fn abort_full_promotion(id: &ReleaseId) -> Request {
    Request::patch(
        status_path(id),
        MERGE_PATCH,
        json!({"status": {"promoteFull": false, "abort": true}}),
    )
}

/// To the end, whatever the rollout's hashes say at the moment: the second request of a back out, which is decided before
/// the version that it promotes is the current one.
pub fn promote_full_patch(id: &ReleaseId) -> Request {
    Request::patch(
        status_path(id),
        MERGE_PATCH,
        json!({"status": {"promoteFull": true}}),
    )
}

pub fn retry(id: &ReleaseId) -> Request {
    Request::patch(
        status_path(id),
        MERGE_PATCH,
        json!({"status": {"abort": false}}),
    )
}

/// A Rollout's controller evicts the pods in place; the built-in kinds roll, because their template changes.
pub fn restart(id: &ReleaseId, at: Timestamp) -> Request {
    let at = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    if id.kind == WorkloadKind::ArgoRollout {
        let body = json!({"spec": {"restartAt": at}});
        return Request::patch(object_path(id), MERGE_PATCH, body);
    }
    let annotations = json!({"kubectl.kubernetes.io/restartedAt": at});
    let body = json!({"spec": {"template": {"metadata": {"annotations": annotations}}}});
    Request::patch(object_path(id), STRATEGIC_MERGE_PATCH, body)
}

#[cfg(test)]
mod tests;
