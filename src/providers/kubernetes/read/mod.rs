//! Reads of one release on demand: the object itself, afresh and consistently, for acting rests on that and not on what
//! a watch told before; its versions with their templates; who wrote last. Every read is one request (or one a page)
//! and is not repeated here.

mod configuration;
mod observe;
#[cfg(test)]
mod tests;
mod writer;

use serde_json::Value;

use super::{
    client::{ApiPath, Client, decode, unreadable},
    error::Error,
    history::Recorded,
    map::{self, Beside, Interner},
    requests::object_path,
    watch::Object,
    wire,
};
use crate::model::{
    id::{ReleaseId, Uid, WorkloadKind},
    replica_set::ReplicaSet,
    rollout::{Rollout, WorkloadRef},
};

pub use configuration::{Referenced, ReferencedKind, configuration};
pub use observe::{Observed, observe};
pub use writer::{Writer, last_writer, template_writer};

/// The object as it is now. No `resourceVersion` in the request: the server answers from a quorum, not from a cache.
///
/// With a `workloadRef`, the referenced Deployment's generation is read too: right after a change there, the Rollout
/// itself still looks as if nothing had happened.
pub async fn rollout(client: &Client, target: &ReleaseId) -> Result<Rollout, Error> {
    let bytes = client.get_bytes(&object(target)).await?;
    let (environment, mut share) = (&target.environment, Interner::default());
    let share = &mut share;
    Ok(match target.kind {
        WorkloadKind::Deployment => map::deployment(&decode(&bytes)?, environment, share),
        WorkloadKind::StatefulSet => map::stateful_set(&decode(&bytes)?, environment, share),
        WorkloadKind::DaemonSet => map::daemon_set(&decode(&bytes)?, environment, share),
        WorkloadKind::ArgoRollout => {
            let object: wire::Rollout = decode(&bytes)?;
            let told = map::rollout(&object, environment, share);
            match told.argo().and_then(|argo| argo.workload_ref.as_ref()) {
                None => told,
                Some(reference) => {
                    let beside = Beside {
                        workload_generation: generation(client, target, reference).await?,
                        ..Beside::default()
                    };
                    map::rollout_beside(&object, environment, share, beside)
                }
            }
        }
    })
}

/// The object as the server has it, whole.
pub async fn raw(client: &Client, target: &ReleaseId) -> Result<Value, Error> {
    client.get(&object(target)).await
}

/// The object that holds the template where the Rollout does not. `None` where it has no such reference, where the
/// reference is to a kind that is not known, or where nobody is there.
pub async fn referenced_workload(
    client: &Client,
    target: &ReleaseId,
    reference: &WorkloadRef,
) -> Result<Option<Value>, Error> {
    let Some(path) = referenced_path(target, reference) else {
        return Ok(None);
    };
    match client.get(&path).await {
        Ok(value) => Ok(Some(value)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A missing or hidden Deployment does not make its Rollout unreadable; it makes it less certain.
async fn generation(
    client: &Client,
    target: &ReleaseId,
    reference: &WorkloadRef,
) -> Result<Option<i64>, Error> {
    let Some(path) = referenced_path(target, reference) else {
        return Ok(None);
    };
    match client.get::<wire::Identity>(&path).await {
        Ok(identity) => Ok(Some(identity.metadata.generation)),
        Err(Error::NotFound(_) | Error::Forbidden(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn referenced_path(target: &ReleaseId, reference: &WorkloadRef) -> Option<ApiPath> {
    let plural = match &*reference.kind {
        "Deployment" => "deployments",
        "ReplicaSet" => "replicasets",
        _ => return None,
    };
    let namespace = target.namespace.as_str();
    Some(ApiPath::new(&[
        "apis",
        "apps",
        "v1",
        "namespaces",
        namespace,
        plural,
        &reference.name,
    ]))
}

/// The versions that still have a ReplicaSet, thin, newest first.
pub async fn replica_sets(
    client: &Client,
    target: &ReleaseId,
    owner: &Uid,
) -> Result<Vec<ReplicaSet>, Error> {
    let sets: Vec<wire::ReplicaSet> = owned(client, target, owner).await?;
    let mut sets: Vec<ReplicaSet> = sets
        .iter()
        .filter_map(|set| Some(map::replica_set(set)?.set))
        .collect();
    sets.sort_by(|a, b| (b.revision, &b.hash).cmp(&(a.revision, &a.hash)));
    Ok(sets)
}

/// The same with their whole templates: for a history, a difference or a roll back of this one release.
pub async fn recorded(
    client: &Client,
    target: &ReleaseId,
    owner: &Uid,
) -> Result<Vec<Recorded>, Error> {
    owned(client, target, owner).await
}

/// The ReplicaSets that this object controls. Its selector makes the answer smaller; only the owner's uid makes it
/// right, for an Experiment's ReplicaSets carry the same labels.
async fn owned<T: Object>(
    client: &Client,
    target: &ReleaseId,
    owner: &Uid,
) -> Result<Vec<T>, Error> {
    let selector = selector(&raw(client, target).await?);
    let namespace = target.namespace.as_str();
    let segments = ["apis", "apps", "v1", "namespaces", namespace, "replicasets"];
    let mut path = ApiPath::new(&segments);
    if let Some(selector) = &selector {
        path = path.query("labelSelector", selector);
    }
    let mine = |object: &T| {
        let controller = object.metadata().controller();
        controller.is_some_and(|controller| owner.is(&controller.uid))
    };
    match pages(client, &path, mine).await {
        // The list took longer than the server remembers its beginning.
        Err(Error::Gone(_)) => pages(client, &path, mine).await,
        other => other,
    }
}

async fn pages<T: Object>(
    client: &Client,
    path: &ApiPath,
    wanted: impl Fn(&T) -> bool,
) -> Result<Vec<T>, Error> {
    let (mut kept, mut token) = (Vec::new(), String::new());
    loop {
        let mut page = path.clone().query("limit", "500");
        if !token.is_empty() {
            page = page.query("continue", &token);
        }
        let bytes = client.get_bytes(&page).await?;
        let list = wire::decode_list::<T>(&bytes).map_err(|error| unreadable(&bytes, &error))?;
        if let Some(malformed) = list.malformed.first() {
            // A history with a hole would offer the wrong version to go back to.
            return Err(Error::malformed(&format!(
                "{}: {}",
                malformed.name, malformed.error
            )));
        }
        kept.extend(list.items.into_iter().filter(|object| wanted(object)));
        token = list.metadata.continue_token;
        if token.is_empty() {
            return Ok(kept);
        }
    }
}

/// `spec.selector` as a query has it; `None` where the object has none (or one that cannot be put so).
pub(super) fn selector(object: &Value) -> Option<String> {
    let selector = object.pointer("/spec/selector")?;
    let mut parts = Vec::new();
    for (key, value) in selector.get("matchLabels").and_then(Value::as_object)? {
        parts.push(format!("{key}={}", value.as_str()?));
    }
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    for expression in expressions.into_iter().flatten() {
        let key = expression.get("key")?.as_str()?;
        let values: Vec<&str> = expression
            .get("values")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let values = values.join(",");
        parts.push(match expression.get("operator")?.as_str()? {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            _ => return None,
        });
    }
    (!parts.is_empty()).then(|| parts.join(","))
}

fn object(target: &ReleaseId) -> ApiPath {
    ApiPath::encoded(&object_path(target))
}
