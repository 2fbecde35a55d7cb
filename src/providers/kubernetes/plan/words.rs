//! Sentences that several verbs share.

use crate::model::{
    id::ReleaseId, release::Release, replica_set::ReplicaSet, rollout::Rollout, step::Step,
};

/// `step 5 → 6 of 13`, in the vendor's numbers shown from 1.
pub(super) fn steps_left(release: &Release) -> Option<(usize, usize)> {
    let canary = release.rollout.canary()?;
    let index = usize::try_from(canary.index.unwrap_or(0)).ok()?;
    Some((index, canary.steps.len()))
}

/// `8 steps, 2 analyses`: what is not waited for when a release goes to the end at once.
pub(super) fn skipped(steps: &[Step], from: usize) -> Option<String> {
    let left = steps.get(from..)?;
    if left.is_empty() {
        return None;
    }
    let pauses = left
        .iter()
        .filter(|step| matches!(step, Step::Pause | Step::PauseFor { .. }))
        .count();
    let analyses = left
        .iter()
        .filter(|step| matches!(step, Step::Analysis | Step::Experiment))
        .count();
    let count = |n: usize, one: &str, many: &str| match n {
        0 => None,
        1 => Some(format!("1 {one}")),
        n => Some(format!("{n} {many}")),
    };
    let parts: Vec<String> = [
        count(left.len(), "step", "steps"),
        count(pauses, "pause", "pauses"),
        count(analyses, "analysis", "analyses"),
    ]
    .into_iter()
    .flatten()
    .collect();
    Some(parts.join(", "))
}

/// How long until a ReplicaSet that has `available` of `desired` pods serves everything, in words.
pub(super) fn pods_words(set: Option<&ReplicaSet>, desired: i32) -> String {
    match set {
        Some(set) if set.available >= desired => format!("its {} pods are up", set.available),
        Some(set) if set.available > 0 => format!(
            "{} of {desired} of its pods are up, the others must start",
            set.available
        ),
        _ => "its pods must start".to_owned(),
    }
}

/// `kubectl argo rollouts … NAME -n NS --context …`, without a context: the name of ours need not be one.
pub(super) fn argo(id: &ReleaseId, rest: &str) -> String {
    format!("kubectl argo rollouts {rest} -n {}", id.namespace)
}

pub(super) fn kubectl(rollout: &Rollout, rest: &str) -> String {
    let id = &rollout.id;
    format!(
        "kubectl rollout {rest} {}/{} -n {}",
        id.kind.word(),
        id.name,
        id.namespace
    )
}
