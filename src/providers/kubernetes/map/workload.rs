//! Deployment, StatefulSet and DaemonSet as rollouts: kubectl's algorithm, with `spec.paused` asked first.

use super::{Facts, Interner, images, links, message, number, rollout_of, seconds32, since};
use crate::{
    model::{
        id::{EnvironmentName, WorkloadKind},
        rollout::{Phase, Replicas, Rollout, Workload},
        text::Safe,
    },
    providers::kubernetes::{
        status::{self, Progress, RolloutState},
        wire,
    },
};

/// The server's default for a Deployment that does not say.
const DEADLINE_S: i32 = 600;

pub fn deployment(
    object: &wire::Deployment,
    environment: &EnvironmentName,
    share: &mut Interner,
) -> Rollout {
    let (meta, spec, status) = (&object.metadata, &object.spec, &object.status);
    // Before anything else: a paused Deployment with a change pending waits for ever in kubectl's words.
    let (phase, words) = if spec.paused {
        (Phase::Paused, message("paused by hand"))
    } else {
        let exceeded = status.condition("Progressing").map(|c| c.message.as_str());
        let stuck = status
            .condition("ReplicaFailure")
            .filter(|condition| condition.status == "True")
            .map(|condition| condition.message.as_str());
        phase(&status::deployment(object), exceeded, stuck)
    };
    let since = since::deployment(object, &phase);
    let facts = Facts {
        kind: WorkloadKind::Deployment,
        generation_observed: meta.generation <= status.observed_generation,
        revision: number(meta.annotations.deployment_revision.as_deref()),
        phase,
        message: words,
        replicas: Replicas {
            desired: spec.replicas.unwrap_or(1),
            current: status.replicas,
            updated: status.updated_replicas,
            ready: status.ready_replicas,
            available: status.available_replicas,
        },
        images: images(&spec.template.spec.containers),
        commit: links::commit(&spec.template),
        since,
        progress_deadline_s: Some(spec.progress_deadline_seconds.map_or(DEADLINE_S, seconds32)),
        workload: Workload::Deployment {
            paused: spec.paused,
        },
    };
    rollout_of(meta, environment, share, facts)
}

pub fn stateful_set(
    object: &wire::StatefulSet,
    environment: &EnvironmentName,
    share: &mut Interner,
) -> Rollout {
    let (meta, spec, status) = (&object.metadata, &object.spec, &object.status);
    let desired = spec.replicas.unwrap_or(1);
    let state = status::stateful_set(object);
    let (phase, words) = match state.progress {
        Progress::NotRolling => on_delete(
            status.updated_replicas,
            status.ready_replicas,
            desired,
            status.observed_generation != 0 && meta.generation <= status.observed_generation,
        ),
        _ => phase(&state, None, None),
    };
    let facts = Facts {
        kind: WorkloadKind::StatefulSet,
        generation_observed: status.observed_generation != 0
            && meta.generation <= status.observed_generation,
        phase,
        message: words,
        replicas: Replicas {
            desired,
            current: status.replicas,
            updated: status.updated_replicas,
            ready: status.ready_replicas,
            available: status.available_replicas,
        },
        images: images(&spec.template.spec.containers),
        commit: links::commit(&spec.template),
        since: None,
        revision: None,
        progress_deadline_s: None,
        workload: Workload::StatefulSet,
    };
    rollout_of(meta, environment, share, facts)
}

pub fn daemon_set(
    object: &wire::DaemonSet,
    environment: &EnvironmentName,
    share: &mut Interner,
) -> Rollout {
    let (meta, status) = (&object.metadata, &object.status);
    let observed = meta.generation <= status.observed_generation;
    let state = status::daemon_set(object);
    let (phase, words) = match state.progress {
        Progress::NotRolling => on_delete(
            status.updated_number_scheduled,
            status.number_available,
            status.desired_number_scheduled,
            observed,
        ),
        _ => phase(&state, None, None),
    };
    let facts = Facts {
        kind: WorkloadKind::DaemonSet,
        generation_observed: observed,
        phase,
        message: words,
        replicas: Replicas {
            desired: status.desired_number_scheduled,
            current: status.current_number_scheduled,
            updated: status.updated_number_scheduled,
            ready: status.number_ready,
            available: status.number_available,
        },
        images: images(&object.spec.template.spec.containers),
        commit: links::commit(&object.spec.template),
        since: None,
        revision: None,
        progress_deadline_s: None,
        workload: Workload::DaemonSet,
    };
    rollout_of(meta, environment, share, facts)
}

/// kubectl's answer in our five words. `exceeded` and `stuck` are the controller's own sentences, which say more.
fn phase(state: &RolloutState, exceeded: Option<&str>, stuck: Option<&str>) -> (Phase, Safe) {
    match &state.progress {
        Progress::NotObserved => (
            Phase::Progressing,
            message("waiting for the spec update to be observed"),
        ),
        Progress::DeadlineExceeded => (
            Phase::Degraded,
            message(&format!(
                "ProgressDeadlineExceeded: {}",
                exceeded.unwrap_or_default()
            )),
        ),
        Progress::Waiting(what) => (
            Phase::Progressing,
            match stuck {
                Some(why) => message(&format!("{what}; ReplicaFailure: {why}")),
                None => message(what),
            },
        ),
        Progress::Done | Progress::NotRolling => (Phase::Healthy, Safe::default()),
    }
}

/// With `OnDelete` pods are replaced when somebody deletes them: old ones are no progress and no fault.
fn on_delete(updated: i32, serving: i32, desired: i32, observed: bool) -> (Phase, Safe) {
    if !observed {
        return (
            Phase::Progressing,
            message("waiting for the spec update to be observed"),
        );
    }
    if serving < desired {
        let words = format!("{serving} of {desired} pods are available");
        return (Phase::Progressing, message(&words));
    }
    let words = if updated < desired {
        message(&format!(
            "{updated} of {desired} pods have this version; the others change when deleted (OnDelete)"
        ))
    } else {
        Safe::default()
    };
    (Phase::Healthy, words)
}
