//! Who wrote the template last, as `metadata.managedFields` has it: how "reverted by argocd-controller" is known.

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    model::{
        id::ReleaseId,
        text::{Safe, sanitise},
    },
    providers::kubernetes::{client::Client, error::Error, read::raw},
};

/// A program that owns a part of the object, and when it wrote last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    pub manager: Safe,
    pub at: Option<Timestamp>,
}

/// Reads the object and tells who wrote its template last.
pub async fn last_writer(client: &Client, target: &ReleaseId) -> Result<Option<Writer>, Error> {
    Ok(template_writer(&raw(client, target).await?))
}

/// The controllers that write a whole object back after they have looked at it, and so own a part of every template.
/// None of them ever decides what is in one.
const CARETAKERS: [&str; 3] = [
    "rollouts-controller",
    "argo-rollouts",
    "kube-controller-manager",
];

/// The newest writer that owns a part of `spec.template`, controllers that only look after it apart.
pub fn template_writer(object: &Value) -> Option<Writer> {
    let owns_template = |entry: &&Value| {
        entry.pointer("/fieldsV1/f:spec/f:template").is_some()
            && entry
                .get("subresource")
                .and_then(Value::as_str)
                .is_none_or(str::is_empty)
    };
    object
        .pointer("/metadata/managedFields")?
        .as_array()?
        .iter()
        .filter(owns_template)
        .map(|entry| Writer {
            manager: sanitise(entry.get("manager").and_then(Value::as_str).unwrap_or("")),
            at: written(entry),
        })
        .max_by_key(|writer| (!CARETAKERS.contains(&&*writer.manager), writer.at))
}

fn written(entry: &Value) -> Option<Timestamp> {
    entry.get("time")?.as_str()?.parse().ok()
}

/// When anything of this object was written last.
pub(super) fn last_write(object: &Value) -> Option<Timestamp> {
    let created = || {
        object
            .pointer("/metadata/creationTimestamp")?
            .as_str()?
            .parse()
            .ok()
    };
    object
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(written)
        .max()
        .or_else(created)
}
