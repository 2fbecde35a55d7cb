//! A ReplicaSet as one version of a workload.

use super::{hash, images, number, uid};
use crate::{
    model::{
        moment::Moment,
        replica_set::{Owned, ReplicaSet},
    },
    providers::kubernetes::{
        status,
        wire::{self, Time},
    },
};

/// `None` for a ReplicaSet that nothing controls: it is no version of anything.
pub fn replica_set(object: &wire::ReplicaSet) -> Option<Owned> {
    let meta = &object.metadata;
    let owner = meta.controller()?;
    let (labels, annotations) = (&meta.labels, &meta.annotations);
    // A ReplicaSet that moved from a Deployment to a Rollout with `workloadRef` carries the marks of both.
    let (label, revision) = if owner.kind == "Deployment" {
        (&labels.pod_template_hash, &annotations.deployment_revision)
    } else {
        (
            &labels.rollouts_pod_template_hash,
            &annotations.rollout_revision,
        )
    };
    let set = ReplicaSet {
        uid: uid(&meta.uid),
        hash: label.as_deref().and_then(hash),
        revision: number(revision.as_deref()).unwrap_or(0),
        images: images(&object.spec.template.spec.containers),
        desired: object.spec.replicas.unwrap_or(1),
        current: object.status.replicas,
        ready: object.status.ready_replicas,
        available: object.status.available_replicas,
        created: meta.creation_timestamp.0.map(Moment::from),
        scale_down_deadline: annotations
            .scale_down_deadline
            .as_deref()
            .and_then(|text| Time::parse(text).0)
            .map(Moment::from),
        health: status::replica_set(object),
    };
    Some(Owned {
        owner: uid(&owner.uid),
        set,
    })
}
