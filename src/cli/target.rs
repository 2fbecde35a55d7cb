//! Looks up the one release that a command is about, with a small request a kind and environment.

use super::{exit::Exit, find::Wanted};
use crate::{
    app::releases::Releases,
    model::{event::Fact, id::WorkloadKind, release::Release},
    providers::kubernetes::{error::Error, find},
    runtime::session::{Ready, Session},
};

/// The release, with its ReplicaSets, and its environment.
pub(super) async fn find<'a>(
    session: &'a Session,
    wanted: &Wanted,
) -> Result<(&'a Ready, Release), (Exit, String)> {
    let asked: Vec<&Ready> = session
        .environments
        .iter()
        .filter(|ready| {
            wanted
                .environment
                .as_ref()
                .is_none_or(|environment| ready.name == *environment)
        })
        .collect();
    if asked.is_empty() {
        let known: Vec<&str> = session
            .environments
            .iter()
            .map(|ready| ready.name.as_str())
            .collect();
        let environment = wanted
            .environment
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        return Err((
            Exit::NotFound,
            format!(
                "there is no environment {environment} in this session; there is {}",
                known.join(", ")
            ),
        ));
    }
    let kinds: Vec<WorkloadKind> = wanted
        .kind
        .map_or_else(|| WorkloadKind::ALL.to_vec(), |kind| vec![kind]);
    let mut releases = Releases::default();
    let mut troubles = Vec::new();
    for ready in &asked {
        if let Err(why) = collect(ready, wanted, &kinds, &mut releases).await {
            troubles.push(why);
        }
    }
    // With one environment out of reach, "the one that fits" is not known to be the only one.
    if let Some((exit, why)) = troubles.into_iter().next() {
        return Err((exit, why));
    }
    if releases.is_empty() {
        look_around(&asked, wanted, &mut releases).await;
    }
    let found = wanted
        .find(&releases)
        .map_err(|why| (Exit::NotFound, why))?;
    let ready = asked
        .into_iter()
        .find(|ready| ready.name == found.rollout.id.environment)
        .ok_or_else(|| {
            (
                Exit::Internal,
                "its environment is not of this session".to_owned(),
            )
        })?;
    let cluster = ready
        .cluster
        .as_ref()
        .map_err(|why| (Exit::Unreachable, why.to_string()))?;
    let release = find::release(&cluster.client, (*found.rollout).clone())
        .await
        .map_err(|error| trouble(ready, &error))?;
    Ok((ready, release))
}

/// Nobody has this name: what there is instead is worth one list, for the sentence. Without it the sentence is shorter.
async fn look_around(asked: &[&Ready], wanted: &Wanted, releases: &mut Releases) {
    let only = wanted.namespace.as_ref().map(std::slice::from_ref);
    for ready in asked {
        let Ok(cluster) = &ready.cluster else {
            continue;
        };
        let namespaces = only.or(cluster.namespaces.as_deref());
        match find::all(&cluster.client, &ready.name, &WorkloadKind::ALL, namespaces).await {
            Ok(rollouts) => {
                for rollout in rollouts {
                    releases.apply(&ready.name, &Fact::Rollout(rollout.into()));
                }
            }
            Err(error) => {
                tracing::info!(environment = %ready.name, error = %error.sentence(), "what there is could not be listed");
            }
        }
    }
}

async fn collect(
    ready: &Ready,
    wanted: &Wanted,
    kinds: &[WorkloadKind],
    releases: &mut Releases,
) -> Result<(), (Exit, String)> {
    let cluster = ready
        .cluster
        .as_ref()
        .map_err(|why| (Exit::Unreachable, format!("{}: {}", ready.name, &**why)))?;
    let only = wanted
        .namespace
        .as_ref()
        .map(|namespace| vec![namespace.clone()]);
    let namespaces = only.as_deref().or(cluster.namespaces.as_deref());
    let found = find::named(
        &cluster.client,
        &ready.name,
        wanted.name.as_str(),
        kinds,
        namespaces,
    )
    .await
    .map_err(|error| trouble(ready, &error))?;
    for rollout in found {
        if rollout.id.kind == WorkloadKind::Deployment {
            // It may hold the template of a Rollout, to which it belongs then.
            let owners =
                find::rollouts_in(&cluster.client, &ready.name, &rollout.id.namespace).await;
            match owners {
                Ok(owners) => {
                    for owner in owners
                        .into_iter()
                        .filter(|owner| refers_to(owner, &rollout))
                    {
                        releases.apply(&ready.name, &Fact::Rollout(owner.into()));
                    }
                }
                Err(Error::Forbidden(_)) => {}
                Err(error) => return Err(trouble(ready, &error)),
            }
        }
        releases.apply(&ready.name, &Fact::Rollout(rollout.into()));
    }
    Ok(())
}

fn refers_to(
    owner: &crate::model::rollout::Rollout,
    deployment: &crate::model::rollout::Rollout,
) -> bool {
    owner
        .argo()
        .and_then(|argo| argo.workload_ref.as_ref())
        .is_some_and(|reference| {
            &*reference.kind == "Deployment" && &*reference.name == deployment.id.name.as_str()
        })
}

fn trouble(ready: &Ready, error: &Error) -> (Exit, String) {
    let exit = match error {
        Error::Forbidden(_) => Exit::Refused,
        Error::NotFound(_) => Exit::NotFound,
        _ => Exit::Unreachable,
    };
    (exit, format!("{}: {}", ready.name, error.sentence()))
}
