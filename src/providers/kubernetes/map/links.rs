//! Where a workload says it comes from: annotations of its own, and the commit that its pod template names.

use super::name;
use crate::{
    model::{pipeline::Commit, rollout::Links},
    providers::kubernetes::wire::{Meta, PodTemplate},
};

pub(super) fn links(meta: &Meta, commit: Option<Commit>) -> Option<Box<Links>> {
    let links = Links {
        repository: meta.annotations.repository.as_deref().map(name),
        workflow: meta.annotations.workflow.as_deref().map(name),
        commit,
    };
    (links != Links::default()).then(|| Box::new(links))
}

/// A whole commit; anything else is none, because a part of one is a likeness.
pub(super) fn commit(template: &PodTemplate) -> Option<Commit> {
    [&template.metadata.annotations, &template.metadata.labels]
        .into_iter()
        .flat_map(|origin| [&origin.commit, &origin.image_revision])
        .flatten()
        .find_map(|text| Commit::new(text))
}
