//! The head of the plugin's output: state, strategy, images in use, counts.

use std::collections::BTreeSet;

use super::{Around, Head, Image, Role, RolloutHead, Strategy};
use crate::{
    model::text::sanitise,
    providers::kubernetes::{
        status::{self, Icon, ReferencedWorkload},
        wire,
    },
};

/// A ReplicaSet with the parts it plays.
pub(super) struct Set<'a> {
    pub(super) object: &'a wire::ReplicaSet,
    pub(super) roles: Vec<Role>,
}

pub(super) fn rollout(
    object: &wire::Rollout,
    sets: &[Set<'_>],
    experiments: &[Vec<Set<'_>>],
) -> Head {
    let phase = status::rollout_phase(object, ReferencedWorkload::NotAsked);
    let mut images = Vec::new();
    for set in sets.iter().filter(|set| set.object.status.replicas > 0) {
        let tags = || {
            set.roles
                .iter()
                .map(|role| role.word().to_owned())
                .collect()
        };
        merge_set(set, tags, &mut images);
    }
    for sets in experiments {
        for image in experiment_images(sets) {
            merge(image, &mut images);
        }
    }
    Head {
        name: sanitise(&object.metadata.name),
        namespace: sanitise(&object.metadata.namespace),
        icon: Icon::of_rollout(&phase.phase),
        status: sanitise(&phase.phase),
        message: sanitise(&phase.message),
        rollout: Some(RolloutHead {
            strategy: strategy(object, sets),
            desired: object.spec.desired(),
            current: object.status.replicas,
            updated: object.status.updated_replicas,
            ready: object.status.ready_replicas,
            available: object.status.available_replicas,
        }),
        images: safe(images),
    }
}

pub(super) fn experiment(object: &wire::Experiment, sets: &[Set<'_>]) -> Head {
    Head {
        name: sanitise(&object.metadata.name),
        namespace: sanitise(&object.metadata.namespace),
        icon: Icon::of_run(&object.status.phase),
        status: sanitise(&object.status.phase),
        message: sanitise(&object.status.message),
        rollout: None,
        images: safe(experiment_images(sets)),
    }
}

fn strategy(object: &wire::Rollout, sets: &[Set<'_>]) -> Strategy {
    let Some(canary) = &object.spec.strategy.canary else {
        return match object.spec.strategy.blue_green {
            Some(_) => Strategy::BlueGreen,
            None => Strategy::Unknown,
        };
    };
    let available = sets
        .iter()
        .filter(|set| set.roles.contains(&Role::Canary))
        .map(|set| set.object.status.available_replicas)
        .next_back();
    Strategy::Canary {
        step: object
            .status
            .current_step_index
            .filter(|_| !canary.steps.0.is_empty())
            .map(|index| (index, canary.steps.0.len())),
        set_weight: status::set_weight(object),
        actual_weight: status::actual_weight(object, available).unwrap_or(0),
    }
}

/// Image and tags before they are made safe: order and identity are those of the raw text.
struct Found {
    image: String,
    tags: Vec<String>,
}

fn experiment_images(sets: &[Set<'_>]) -> Vec<Found> {
    let mut images = Vec::new();
    for set in sets.iter().filter(|set| set.object.status.replicas > 0) {
        let template = &set.object.metadata.annotations.experiment_template;
        let tags = || {
            let named = template.as_deref().filter(|name| !name.is_empty());
            named.map(|name| format!("Σ:{name}")).into_iter().collect()
        };
        merge_set(set, tags, &mut images);
    }
    images
}

fn merge_set(set: &Set<'_>, tags: impl Fn() -> Vec<String>, images: &mut Vec<Found>) {
    for container in &set.object.spec.template.spec.containers {
        let image = container.image.clone();
        merge(
            Found {
                image,
                tags: tags(),
            },
            images,
        );
    }
}

/// Tags are sorted only when an image is met again: that is upstream's way, and its output depends on it.
fn merge(found: Found, images: &mut Vec<Found>) {
    if let Some(known) = images.iter_mut().find(|known| known.image == found.image) {
        let all: BTreeSet<String> = known.tags.drain(..).chain(found.tags).collect();
        known.tags = all.into_iter().collect();
    } else {
        images.push(found);
    }
    images.sort_by(|a, b| a.image.cmp(&b.image));
}

fn safe(images: Vec<Found>) -> Vec<Image> {
    images
        .into_iter()
        .map(|found| Image {
            image: sanitise(&found.image),
            tags: found.tags.iter().map(|tag| sanitise(tag)).collect(),
        })
        .collect()
}

/// The ReplicaSets that `owner` owns, in the plugin's order: newest revision first, then by name.
pub(super) fn sets<'a>(
    owner: &str,
    rollout: Option<&wire::Rollout>,
    around: &Around<'a>,
) -> Vec<Set<'a>> {
    let mut sets: Vec<Set<'a>> = around
        .replica_sets
        .iter()
        .filter(|set| set.metadata.is_owned_by(owner))
        .map(|object| Set {
            object,
            roles: rollout.map_or_else(Vec::new, |rollout| roles(rollout, object)),
        })
        .collect();
    sets.sort_by(|a, b| {
        let (a, b) = (&a.object.metadata, &b.object.metadata);
        let by_revision = revision(b).cmp(&revision(a));
        by_revision.then_with(|| a.name.cmp(&b.name))
    });
    sets
}

pub(super) fn revision(meta: &wire::Meta) -> i64 {
    let annotation = meta.annotations.rollout_revision.as_deref();
    annotation.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// In the order in which the plugin tags an image. A set without the label has the empty hash, and so may the status.
fn roles(rollout: &wire::Rollout, set: &wire::ReplicaSet) -> Vec<Role> {
    let (spec, status) = (&rollout.spec.strategy, &rollout.status);
    let label = &set.metadata.labels.rollouts_pod_template_hash;
    let hash = label.as_deref().unwrap_or_default();
    let mut roles = Vec::new();
    if let Some(canary) = &spec.canary {
        let stable_is_ping = status.canary.stable_ping_pong == "ping";
        let service = |ping| if ping { Role::Ping } else { Role::Pong };
        let is_stable = status.stable_rs == hash;
        if is_stable || status.current_pod_hash == hash {
            roles.push(if is_stable {
                Role::Stable
            } else {
                Role::Canary
            });
            if canary.ping_pong.is_some() {
                roles.push(service(stable_is_ping == is_stable));
            }
        }
    }
    if spec.blue_green.is_some() {
        if status.stable_rs == hash {
            roles.push(Role::Stable);
        }
        if status.blue_green.active_selector == hash {
            roles.push(Role::Active);
        } else if status.blue_green.preview_selector == hash {
            roles.push(Role::Preview);
        }
    }
    roles
}
