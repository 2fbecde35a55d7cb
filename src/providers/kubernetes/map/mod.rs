//! The vendors' objects in our words.
//!
//! Owns the translation, one function a kind: every text that comes out has passed `model::text`, every number that the
//! object does not tell is `None`, every vendor's word that is not known is kept as it is. Never decides what may be
//! done, never reads a clock, and keeps nothing of the wire type it was given.

mod detail;
mod links;
mod managed_by;
mod replica_set;
mod rollout;
mod share;
mod since;
mod workload;

pub use detail::{analysis_run, event, experiment, pod};
pub use replica_set::replica_set;
pub use rollout::{Beside, rollout, rollout_beside};
pub use share::Interner;
pub use workload::{daemon_set, deployment, stateful_set};

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    model::{
        id::{
            EnvironmentName, PodHash, ReleaseId, ResourceVersion, ServiceName, Uid, WorkloadKind,
        },
        moment::Moment,
        pipeline::Commit,
        rollout::{Phase, Replicas, Rollout, Workload},
        text::{Safe, sanitise, sanitise_line},
    },
    providers::kubernetes::wire::{Container, Meta},
};

/// The server allows names of 253 characters.
const NAME_CHARS: usize = 253;

/// An image reference: a registry, a path, a tag and a digest.
const IMAGE_CHARS: usize = 512;

fn name(text: &str) -> Safe {
    sanitise_line(text, NAME_CHARS)
}

fn message(text: &str) -> Safe {
    sanitise(text)
}

fn hash(text: &str) -> Option<PodHash> {
    (!text.is_empty()).then(|| PodHash::new(&name(text)))
}

fn uid(text: &str) -> Uid {
    Uid::new(&name(text))
}

fn images(containers: &[Container]) -> Arc<[Safe]> {
    containers
        .iter()
        .map(|container| sanitise_line(&container.image, IMAGE_CHARS))
        .collect()
}

fn number(text: Option<&str>) -> Option<u64> {
    text?.parse().ok()
}

/// A deadline of more than a lifetime is one.
fn seconds32(seconds: i64) -> i32 {
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

/// What differs from kind to kind in a workload.
struct Facts {
    kind: WorkloadKind,
    generation_observed: bool,
    revision: Option<u64>,
    phase: Phase,
    message: Safe,
    replicas: Replicas,
    images: Arc<[Safe]>,
    commit: Option<Commit>,
    since: Option<Timestamp>,
    progress_deadline_s: Option<i32>,
    workload: Workload,
}

fn rollout_of(
    meta: &Meta,
    environment: &EnvironmentName,
    share: &mut Interner,
    facts: Facts,
) -> Rollout {
    Rollout {
        id: ReleaseId {
            environment: environment.clone(),
            namespace: share.namespace(&meta.namespace),
            kind: facts.kind,
            name: ServiceName::new(&name(&meta.name)),
        },
        uid: uid(&meta.uid),
        version: ResourceVersion::new(&name(&meta.resource_version)),
        generation: meta.generation,
        generation_observed: facts.generation_observed,
        revision: facts.revision,
        phase: facts.phase,
        message: facts.message,
        replicas: facts.replicas,
        images: facts.images,
        managed_by: managed_by::managed_by(meta).map(Box::new),
        since: facts.since.map(Moment::from),
        progress_deadline_s: facts.progress_deadline_s,
        not_undone: meta
            .annotations
            .not_undone
            .as_deref()
            .map(|what| Box::new(message(what))),
        links: links::links(meta, facts.commit),
        workload: facts.workload,
    }
}

#[cfg(test)]
mod tests;
