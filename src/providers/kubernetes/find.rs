//! Looks up the few workloads that a command names, with a small request a kind: a command about one release does not
//! list ten thousand. Owns no cache; whoever asks decides what an ambiguous name means.

use std::sync::Arc;

use super::{
    client::{ApiPath, Client},
    error::Error,
    map::{self, Interner},
    read, wire,
};
use crate::model::{
    id::{EnvironmentName, Namespace, WorkloadKind},
    release::Release,
    rollout::Rollout,
};

/// The workloads of one name, of these kinds, in these namespaces (`None`: every one that may be listed, else the
/// context's own). One small request a kind: a command about one release does not list ten thousand.
pub async fn named(
    client: &Client,
    environment: &EnvironmentName,
    name: &str,
    kinds: &[WorkloadKind],
    namespaces: Option<&[Namespace]>,
) -> Result<Vec<Rollout>, Error> {
    let selector = format!("metadata.name={name}");
    selected(client, environment, Some(&selector), kinds, namespaces).await
}

/// All of these kinds in these namespaces, as [`named`] takes them: for saying what there is instead of a name that nobody
/// has.
pub async fn all(
    client: &Client,
    environment: &EnvironmentName,
    kinds: &[WorkloadKind],
    namespaces: Option<&[Namespace]>,
) -> Result<Vec<Rollout>, Error> {
    selected(client, environment, None, kinds, namespaces).await
}

async fn selected(
    client: &Client,
    environment: &EnvironmentName,
    selector: Option<&str>,
    kinds: &[WorkloadKind],
    namespaces: Option<&[Namespace]>,
) -> Result<Vec<Rollout>, Error> {
    let own = [Namespace::new(client.namespace())];
    let mut found = Vec::new();
    for kind in kinds {
        let wide = match namespaces {
            None => list_of(client, environment, *kind, None, selector).await,
            Some(namespaces) => narrow(client, environment, *kind, namespaces, selector).await,
        };
        match wide {
            Ok(rollouts) => found.extend(rollouts),
            Err(Error::Forbidden(_)) if namespaces.is_none() => {
                found.extend(narrow(client, environment, *kind, &own, selector).await?);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

async fn narrow(
    client: &Client,
    environment: &EnvironmentName,
    kind: WorkloadKind,
    namespaces: &[Namespace],
    selector: Option<&str>,
) -> Result<Vec<Rollout>, Error> {
    let mut found = Vec::new();
    for namespace in namespaces {
        found.extend(list_of(client, environment, kind, Some(namespace), selector).await?);
    }
    Ok(found)
}

/// Every Rollout of a namespace: which Deployments belong to one is known only from these.
pub async fn rollouts_in(
    client: &Client,
    environment: &EnvironmentName,
    namespace: &Namespace,
) -> Result<Vec<Rollout>, Error> {
    list_of(
        client,
        environment,
        WorkloadKind::ArgoRollout,
        Some(namespace),
        None,
    )
    .await
}

/// An unknown kind (no Rollouts CRD) has no objects: an ordinary cluster.
async fn list_of(
    client: &Client,
    environment: &EnvironmentName,
    kind: WorkloadKind,
    namespace: Option<&Namespace>,
    selector: Option<&str>,
) -> Result<Vec<Rollout>, Error> {
    let (group, version, plural) = resource(kind);
    let mut path = match namespace {
        Some(namespace) => ApiPath::new(&[
            "apis",
            group,
            version,
            "namespaces",
            namespace.as_str(),
            plural,
        ]),
        None => ApiPath::new(&["apis", group, version, plural]),
    };
    if let Some(selector) = selector {
        path = path.query("fieldSelector", selector);
    }
    let bytes = match client.get_bytes(&path).await {
        Ok(bytes) => bytes,
        Err(Error::NotFound(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let share = &mut Interner::default();
    let unreadable = |error: serde_json::Error| Error::malformed(&error.to_string());
    Ok(match kind {
        WorkloadKind::ArgoRollout => wire::decode_list(&bytes)
            .map_err(unreadable)?
            .items
            .iter()
            .map(|object| map::rollout(object, environment, share))
            .collect(),
        WorkloadKind::Deployment => wire::decode_list(&bytes)
            .map_err(unreadable)?
            .items
            .iter()
            .map(|object| map::deployment(object, environment, share))
            .collect(),
        WorkloadKind::StatefulSet => wire::decode_list(&bytes)
            .map_err(unreadable)?
            .items
            .iter()
            .map(|object| map::stateful_set(object, environment, share))
            .collect(),
        WorkloadKind::DaemonSet => wire::decode_list(&bytes)
            .map_err(unreadable)?
            .items
            .iter()
            .map(|object| map::daemon_set(object, environment, share))
            .collect(),
    })
}

/// A rollout with its ReplicaSets, newest first.
pub async fn release(client: &Client, rollout: Rollout) -> Result<Release, Error> {
    let sets = match rollout.id.kind {
        WorkloadKind::ArgoRollout | WorkloadKind::Deployment => {
            read::replica_sets(client, &rollout.id, &rollout.uid).await?
        }
        WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => Vec::new(),
    };
    Ok(Release {
        rollout: Arc::new(rollout),
        sets,
    })
}

const fn resource(kind: WorkloadKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        WorkloadKind::ArgoRollout => ("argoproj.io", "v1alpha1", "rollouts"),
        WorkloadKind::Deployment => ("apps", "v1", "deployments"),
        WorkloadKind::StatefulSet => ("apps", "v1", "statefulsets"),
        WorkloadKind::DaemonSet => ("apps", "v1", "daemonsets"),
    }
}
