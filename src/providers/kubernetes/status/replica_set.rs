//! The state of a ReplicaSet as the plugin shows it.

use super::super::wire::ReplicaSet;
use crate::model::replica_set::SetHealth;

/// The plugin's four words are the model's: they are the vendor's already.
pub type ReplicaSetHealth = SetHealth;

pub fn replica_set(object: &ReplicaSet) -> ReplicaSetHealth {
    if object.metadata.generation > object.status.observed_generation {
        return SetHealth::Progressing;
    }
    if object
        .status
        .condition("ReplicaFailure")
        .is_some_and(|condition| condition.status == "True")
    {
        return SetHealth::ReplicaFailure;
    }
    match object.spec.replicas {
        Some(desired) if object.status.available_replicas < desired => SetHealth::Progressing,
        Some(0) => SetHealth::ScaledDown,
        _ => SetHealth::Healthy,
    }
}
