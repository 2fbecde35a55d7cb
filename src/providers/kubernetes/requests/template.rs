//! A roll back of the template: the ReplicaSet's template, without what the controllers put into it, as a JSON patch of
//! whichever object holds the template.
//!
//! kubectl's undo of a Deployment sends a second operation that swaps the annotations for those of the ReplicaSet:
//! annotations that were added since are dropped and the change cause becomes the old one. Only the template goes back
//! here; what else the operator has written on the object stays.

use serde_json::{Map, Value};

use super::{JSON_PATCH, Request, named, object_path};
use crate::model::{
    id::{Namespace, ReleaseId},
    rollout::{Rollout, WorkloadRef},
};

/// The labels that name a version; the controllers add them and must add them anew.
const HASH_LABELS: [&str; 2] = ["rollouts-pod-template-hash", "pod-template-hash"];

/// The object whose template is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateHolder {
    path: String,
    /// Where the template is in it.
    pointer: &'static str,
}

impl TemplateHolder {
    pub(super) fn of_object(id: &ReleaseId) -> Self {
        Self {
            path: object_path(id),
            pointer: "/spec/template",
        }
    }

    /// The object's path.
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// A `workloadRef` to a kind whose template nobody knows how to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("workload of type {kind} is not supported")]
pub struct UnsupportedWorkload {
    pub kind: String,
}

/// Which object holds the template of this workload.
pub fn holder(rollout: &Rollout) -> Result<TemplateHolder, UnsupportedWorkload> {
    match rollout.argo().and_then(|argo| argo.workload_ref.as_ref()) {
        Some(reference) => referenced(&rollout.id.namespace, reference),
        None => Ok(TemplateHolder::of_object(&rollout.id)),
    }
}

pub(super) fn referenced(
    namespace: &Namespace,
    reference: &WorkloadRef,
) -> Result<TemplateHolder, UnsupportedWorkload> {
    let (root, plural, pointer) = match &*reference.kind {
        "Deployment" => ("/apis/apps/v1", "deployments", "/spec/template"),
        "ReplicaSet" => ("/apis/apps/v1", "replicasets", "/spec/template"),
        // Not under spec; the vendor's own undo fails here.
        "PodTemplate" => ("/api/v1", "podtemplates", "/template"),
        other => {
            return Err(UnsupportedWorkload {
                kind: other.to_owned(),
            });
        }
    };
    Ok(TemplateHolder {
        path: named(root, namespace, plural, &reference.name),
        pointer,
    })
}

/// The patch that puts `clean` (see [`clean_template`]) in place.
pub fn template(holder: &TemplateHolder, clean: Value) -> Request {
    let operation = Map::from_iter([
        ("op".to_owned(), Value::from("replace")),
        ("path".to_owned(), Value::from(holder.pointer)),
        ("value".to_owned(), clean),
    ]);
    let body = Value::Array(vec![Value::Object(operation)]);
    Request::patch(holder.path.clone(), JSON_PATCH, body)
}

/// A ReplicaSet's template as its author wrote it, API defaults apart: without the hash labels, the metadata that Argo
/// Rollouts injects for the time of a role (`ephemeral`: the annotation that lists it) and its anti-affinity rule.
pub fn clean_template(template: &Value, ephemeral: Option<&str>) -> Value {
    let mut clean = template.clone();
    if let Some(metadata) = object_at(&mut clean, "metadata") {
        if metadata
            .get("creationTimestamp")
            .is_some_and(Value::is_null)
        {
            metadata.remove("creationTimestamp");
        }
        let injected = injected_keys(ephemeral);
        remove_keys(metadata, "labels", HASH_LABELS.into_iter());
        for part in ["labels", "annotations"] {
            let keys = injected.get(part).and_then(Value::as_object);
            remove_keys(metadata, part, keys.into_iter().flat_map(Map::keys));
        }
    }
    if let Some(spec) = object_at(&mut clean, "spec") {
        remove_injected_anti_affinity(spec);
    }
    clean
}

fn injected_keys(ephemeral: Option<&str>) -> Value {
    ephemeral
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

fn object_at<'a>(value: &'a mut Value, key: &str) -> Option<&'a mut Map<String, Value>> {
    value.get_mut(key)?.as_object_mut()
}

/// Removes keys from a map, and the map itself when that was all it held.
fn remove_keys<K: AsRef<str>>(
    parent: &mut Map<String, Value>,
    part: &str,
    keys: impl Iterator<Item = K>,
) {
    let Some(map) = parent.get_mut(part).and_then(Value::as_object_mut) else {
        return;
    };
    let before = map.len();
    for key in keys {
        map.remove(key.as_ref());
    }
    if map.is_empty() && before > 0 {
        parent.remove(part);
    }
}

/// `strategy.canary.antiAffinity` becomes a rule against pods of another hash. Written back into the spec it would keep
/// pods away from a version that is long gone.
fn remove_injected_anti_affinity(spec: &mut Map<String, Value>) {
    let Some(affinity) = spec.get_mut("affinity").and_then(Value::as_object_mut) else {
        return;
    };
    let Some(anti) = affinity
        .get_mut("podAntiAffinity")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    let mut removed = false;
    anti.retain(|_, terms| {
        let Some(terms) = terms.as_array_mut() else {
            return true;
        };
        let before = terms.len();
        terms.retain(|term| !names_a_hash(term));
        removed |= terms.len() < before;
        !(terms.is_empty() && before > 0)
    });
    if removed && anti.is_empty() {
        affinity.remove("podAntiAffinity");
        if affinity.is_empty() {
            spec.remove("affinity");
        }
    }
}

fn names_a_hash(term: &Value) -> bool {
    // A preferred rule has its term one level deeper.
    let term = term.get("podAffinityTerm").unwrap_or(term);
    term.pointer("/labelSelector/matchExpressions")
        .and_then(Value::as_array)
        .is_some_and(|expressions| {
            expressions
                .iter()
                .any(|e| e.get("key").and_then(Value::as_str) == Some("rollouts-pod-template-hash"))
        })
}
