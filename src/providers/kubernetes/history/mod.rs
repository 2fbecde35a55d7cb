//! The history of one workload: its revisions from the ReplicaSets that are still there, and what differs between two
//! templates.
//!
//! Whole templates are held here as JSON, for the one release that is open; never for the Board. Values of environment
//! variables leave this module hidden.

mod defaults;
mod difference;
mod kept;

use std::cmp::Reverse;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

pub use difference::{differences, same_template};

use super::{
    map,
    requests::clean_template,
    wire::{self, Annotations},
};
use crate::model::{
    detail::Revision,
    id::PodHash,
    moment::Moment,
    replica_set::{Owned, ReplicaSet},
    rollout::{Phase, Rollout},
    text::{Safe, sanitise},
};

/// A ReplicaSet with its whole template.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorded {
    pub object: wire::ReplicaSet,
    pub template: Value,
}

impl<'de> Deserialize<'de> for Recorded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut whole = Value::deserialize(deserializer)?;
        let object = wire::ReplicaSet::deserialize(&whole).map_err(serde::de::Error::custom)?;
        let template = whole.pointer_mut("/spec/template");
        Ok(Self {
            object,
            template: template.map(Value::take).unwrap_or_default(),
        })
    }
}

impl Recorded {
    fn annotations(&self) -> &Annotations {
        &self.object.metadata.annotations
    }

    /// The template as its author wrote it: what a roll back sends.
    pub fn clean_template(&self) -> Value {
        clean_template(
            &self.template,
            self.annotations().ephemeral_metadata.as_deref(),
        )
    }
}

/// Where a revision is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    Revision(u64),
    Hash(PodHash),
}

/// The ReplicaSet of a revision or hash of this workload, by its controlling owner. "The previous revision" is no
/// question that is asked here: after two failed releases it is the other failed one.
pub fn find<'a>(rollout: &Rollout, sets: &'a [Recorded], wanted: &Wanted) -> Option<&'a Recorded> {
    sets.iter().find(|set| {
        map::replica_set(&set.object).is_some_and(|Owned { owner, set }| {
            owner == rollout.uid
                && match wanted {
                    Wanted::Revision(number) => set.revision == *number,
                    Wanted::Hash(hash) => set.hash.as_ref() == Some(hash),
                }
        })
    })
}

/// The revisions that can be gone back to, newest first. `template` is the template of the workload's own spec (or of
/// the object it refers to): it is what the others are compared with while the current one has no ReplicaSet yet.
pub fn revisions(rollout: &Rollout, template: Option<&Value>, sets: &[Recorded]) -> Vec<Revision> {
    let mut owned: Vec<_> = sets
        .iter()
        .filter_map(|set| Some((map::replica_set(&set.object)?, set)))
        .filter(|(mapped, _)| mapped.owner == rollout.uid)
        .map(|(mapped, set)| (mapped.set, set))
        .collect();
    owned.sort_by(|(a, _), (b, _)| {
        (Reverse(a.revision), &a.hash).cmp(&(Reverse(b.revision), &b.hash))
    });
    let argo = rollout.argo();
    let is_current = |mapped: &ReplicaSet| match argo {
        Some(argo) => mapped.hash.is_some() && mapped.hash == argo.current_hash,
        None => Some(mapped.revision) == rollout.revision,
    };
    // Two ReplicaSets are alike in what the server and the controllers added; a spec and a ReplicaSet are not.
    let now: Option<Value> = owned
        .iter()
        .find(|(mapped, _)| is_current(mapped) && rollout.generation_observed)
        .map(|(_, set)| set.clean_template())
        .or_else(|| template.map(|template| clean_template(template, None)));
    owned
        .into_iter()
        .map(|(mapped, set)| {
            let is_current = is_current(&mapped);
            Revision {
                is_stable: match argo {
                    Some(argo) => mapped.hash.is_some() && mapped.hash == argo.stable_hash,
                    // A Deployment has no other word for it: what is complete serves everything.
                    None => is_current && rollout.phase == Phase::Healthy,
                },
                is_current,
                differs: now
                    .as_ref()
                    .map(|now| differences(now, &set.clean_template()))
                    .unwrap_or_default(),
                number: mapped.revision,
                hash: mapped.hash,
                images: mapped.images,
                change_cause: change_cause(set.annotations()),
                created: mapped.created.map(Moment::time),
                available: mapped.available,
            }
        })
        .collect()
}

fn change_cause(annotations: &Annotations) -> Option<Safe> {
    let text = annotations.change_cause.as_deref()?;
    (!text.is_empty()).then(|| sanitise(text))
}

#[cfg(test)]
mod tests;
