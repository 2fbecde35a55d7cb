//! What a write may do to an object: preconditions, subresources, versions and generations.
//!
//! The order of the checks is the server's (seen on kube-apiserver 1.35.4): patch, version, uid. Must never know
//! HTTP, faults or controllers.

use serde_json::{Value, json};

use super::answer::Refusal;
use super::cluster::Cluster;
use super::json;
use super::kind::{Kind, Origin};
use super::patch;
use super::store::{Key, Object};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subresource {
    None,
    Status,
    Scale,
}

impl Subresource {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Status => "status",
            Self::Scale => "scale",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Merge,
    Operations,
    Strategic,
}

/// The object as it is sent, whole.
pub(super) fn whole(object: &Object) -> Value {
    typed(object.key.kind, object.value())
}

fn typed(kind: Kind, mut value: Value) -> Value {
    json::set(&mut value, &["apiVersion"], kind.api_version());
    json::set(&mut value, &["kind"], kind.facts().kind);
    value
}

pub(super) fn patch(
    cluster: &mut Cluster,
    key: &Key,
    subresource: Subresource,
    format: Format,
    body: &Value,
    dry_run: bool,
) -> Result<Value, Refusal> {
    let (kind, name) = (key.kind, &*key.name);
    let facts = kind.facts();
    let served = match subresource {
        Subresource::None => true,
        Subresource::Status => facts.status,
        Subresource::Scale => facts.scale,
    };
    // "No such subresource" and "no such object" are answered alike, byte for byte.
    let object = cluster
        .store
        .get(key)
        .filter(|_| served)
        .ok_or_else(|| Refusal::not_found(kind, name))?;
    if format == Format::Strategic && facts.origin == Origin::Custom {
        return Err(Refusal::unsupported_media_type(accepted(kind)));
    }
    let old = object.value();
    if subresource == Subresource::Scale {
        return patch_scale(cluster, &object, format, body, dry_run);
    }
    let mut wanted = typed(kind, old.clone());
    apply(&mut wanted, format, body)?;
    check_version(key, &old, &wanted)?;
    let new = match subresource {
        Subresource::Status => with_status_of(&old, &wanted),
        _ => with_main_of(kind, name, &old, wanted)?,
    };
    if new == old {
        return Ok(whole(&object));
    }
    if dry_run {
        return Ok(typed(kind, new));
    }
    Ok(whole(&cluster.store.put(kind, new)))
}

pub(super) fn accepted(kind: Kind) -> &'static str {
    match kind.facts().origin {
        Origin::Custom => {
            "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
        }
        Origin::BuiltIn => {
            "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, \
             application/apply-patch+yaml"
        }
    }
}

fn apply(value: &mut Value, format: Format, body: &Value) -> Result<(), Refusal> {
    match format {
        Format::Merge => patch::merge(value, body),
        Format::Strategic => patch::strategic(value, body),
        Format::Operations => {
            patch::operations(value, body)
                .map_err(|patch::Unprocessable| Refusal::unprocessable_patch())?;
        }
    }
    Ok(())
}

fn check_version(key: &Key, old: &Value, wanted: &Value) -> Result<(), Refusal> {
    let path = ["metadata", "resourceVersion"];
    let asked = json::text(wanted, &path);
    if asked.is_empty() || asked == json::text(old, &path) {
        Ok(())
    } else {
        Err(Refusal::conflict(key.kind, &key.name))
    }
}

/// All metadata stays as stored, a wrong uid included: only the version guards `/status`.
fn with_status_of(old: &Value, wanted: &Value) -> Value {
    let mut new = old.clone();
    match wanted.get("status") {
        Some(status) => json::set(&mut new, &["status"], status.clone()),
        None => json::unset(&mut new, &["status"]),
    }
    new
}

fn with_main_of(kind: Kind, name: &str, old: &Value, mut wanted: Value) -> Result<Value, Refusal> {
    let asked = json::text(&wanted, &["metadata", "uid"]).to_owned();
    if !asked.is_empty() && asked != json::text(old, &["metadata", "uid"]) {
        return Err(Refusal::immutable(kind, name, "metadata.uid", &asked));
    }
    if json::text(&wanted, &["metadata", "name"]) != name {
        return Err(Refusal::bad_request(format!(
            "the name of the object ({}) does not match the name on the URL ({name})",
            json::text(&wanted, &["metadata", "name"])
        )));
    }
    json::unset(&mut wanted, &["apiVersion"]);
    json::unset(&mut wanted, &["kind"]);
    for owned in [
        "uid",
        "creationTimestamp",
        "generation",
        "resourceVersion",
        "namespace",
    ] {
        match json::at(old, &["metadata", owned]) {
            Some(value) => json::set(&mut wanted, &["metadata", owned], value.clone()),
            None => json::unset(&mut wanted, &["metadata", owned]),
        }
    }
    if kind.facts().status {
        match old.get("status") {
            Some(status) => json::set(&mut wanted, &["status"], status.clone()),
            None => json::unset(&mut wanted, &["status"]),
        }
    }
    if generation_rises(old, &wanted) {
        let generation = json::int(old, &["metadata", "generation"]) + 1;
        json::set(&mut wanted, &["metadata", "generation"], generation);
    }
    Ok(wanted)
}

/// Where there is no status subresource the status counts as spec; where there is one it was put back before.
fn generation_rises(old: &Value, new: &Value) -> bool {
    json::at(old, &["metadata", "generation"]).is_some()
        && ["spec", "status"]
            .iter()
            .any(|half| old.get(half) != new.get(half))
}

fn patch_scale(
    cluster: &mut Cluster,
    object: &Object,
    format: Format,
    body: &Value,
    dry_run: bool,
) -> Result<Value, Refusal> {
    let old = object.value();
    let mut wanted = scale(object);
    apply(&mut wanted, format, body)?;
    check_version(&object.key, &old, &wanted)?;
    let replicas = json::int(&wanted, &["spec", "replicas"]);
    if !dry_run {
        cluster.edit(&object.key, |value| {
            json::set(value, &["spec", "replicas"], replicas);
        });
    }
    Ok(cluster
        .store
        .get(&object.key)
        .map_or(wanted, |object| scale(&object)))
}

pub(super) fn scale(object: &Object) -> Value {
    let value = object.value();
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": &*object.key.name, "namespace": &*object.key.namespace, "uid": &*object.uid,
            "resourceVersion": object.version.to_string(),
            "creationTimestamp": json::text(&value, &["metadata", "creationTimestamp"])},
        "spec": {"replicas": json::int(&value, &["spec", "replicas"])},
        "status": {"replicas": json::int(&value, &["status", "replicas"]),
            "selector": json::text(&value, &["status", "selector"])}})
}

pub(super) fn create(
    cluster: &mut Cluster,
    kind: Kind,
    namespace: &str,
    mut body: Value,
    dry_run: bool,
) -> Result<Value, Refusal> {
    let asked = json::text(&body, &["metadata", "namespace"]).to_owned();
    if !asked.is_empty() && asked != namespace {
        return Err(Refusal::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if !namespace.is_empty() {
        json::set(&mut body, &["metadata", "namespace"], namespace);
    }
    if json::text(&body, &["metadata", "name"]).is_empty() {
        let prefix = json::text(&body, &["metadata", "generateName"]).to_owned();
        if prefix.is_empty() {
            return Err(Refusal::bad_request("name or generateName is required"));
        }
        let name = format!("{prefix}{}", cluster.chance.suffix());
        json::set(&mut body, &["metadata", "name"], name);
    }
    let name = json::text(&body, &["metadata", "name"]).to_owned();
    if cluster
        .store
        .get(&Key::new(kind, namespace, &name))
        .is_some()
    {
        return Err(Refusal::already_exists(kind, &name));
    }
    if dry_run {
        json::set(&mut body, &["metadata", "uid"], cluster.chance.uid());
        json::set(
            &mut body,
            &["metadata", "creationTimestamp"],
            cluster.clock.stamp(),
        );
        return Ok(typed(kind, body));
    }
    Ok(whole(&cluster.create(kind, body)))
}
