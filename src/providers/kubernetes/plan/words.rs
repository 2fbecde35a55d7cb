//! Sentences that several verbs share.

use crate::model::{
    id::ReleaseId,
    release::Release,
    replica_set::ReplicaSet,
    rollout::Rollout,
    step::Step,
    text::{shell_quoted, shell_word},
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

/// `kubectl argo rollouts VERB NAME -n NS …`, without a context: the name of ours need not be one. A server can name
/// things as it likes, so names are words of a shell.
pub(super) fn argo(id: &ReleaseId, verb: &str, options: &str) -> String {
    let (name, namespace) = names(id);
    format!("kubectl argo rollouts {verb} {name}{options} -n {namespace}")
}

/// `kubectl rollout VERB KIND/NAME -n NS …`
pub(super) fn kubectl(rollout: &Rollout, verb: &str, options: &str) -> String {
    let (name, namespace) = names(&rollout.id);
    let kind = rollout.id.kind.word();
    format!("kubectl rollout {verb} {kind}/{name} -n {namespace}{options}")
}

/// `kubectl patch rollouts.argoproj.io NAME -n NS … -p BODY`
pub(super) fn patch(id: &ReleaseId, options: &str, body: &str) -> String {
    let (name, namespace) = names(id);
    let body = shell_quoted(body);
    format!(
        "kubectl patch rollouts.argoproj.io {name} -n {namespace}{options} --type merge -p {body}"
    )
}

fn names(id: &ReleaseId) -> (String, String) {
    (
        shell_word(id.name.as_str()),
        shell_word(id.namespace.as_str()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{Namespace, ServiceName, WorkloadKind};

    #[test]
    fn a_name_from_a_server_stays_one_word_of_a_command() {
        let mut id = ReleaseId {
            environment: "prod".into(),
            namespace: Namespace::new("shop"),
            kind: WorkloadKind::ArgoRollout,
            name: ServiceName::new("checkout"),
        };
        assert_eq!(
            argo(&id, "promote", " --full"),
            "kubectl argo rollouts promote checkout --full -n shop"
        );
        id.name = ServiceName::new("x; id");
        id.namespace = Namespace::new("a'b");
        assert_eq!(
            argo(&id, "promote", " --full"),
            r"kubectl argo rollouts promote 'x; id' --full -n 'a'\''b'"
        );
        assert_eq!(
            patch(&id, "", "{}"),
            r"kubectl patch rollouts.argoproj.io 'x; id' -n 'a'\''b' --type merge -p '{}'"
        );
    }
}
