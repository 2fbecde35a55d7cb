//! Since when an object has been as it is, where its conditions say so. Conditions move for other reasons too: where the
//! time of the change of phase cannot be told from them, there is no time.

use jiff::Timestamp;

use crate::{
    model::rollout::Phase,
    providers::kubernetes::wire::{Condition, Deployment, Rollout},
};

pub(super) fn rollout(object: &Rollout, phase: &Phase) -> Option<Timestamp> {
    let status = &object.status;
    let turned = |kind: &str, to: &str| turned(status.condition(kind), to);
    match phase {
        Phase::Paused => status
            .pause_conditions
            .iter()
            .filter_map(|condition| condition.start_time.0)
            .min()
            .or_else(|| turned("Paused", "True")),
        Phase::Degraded if status.abort => status
            .aborted_at
            .0
            .or_else(|| turned("Progressing", "False")),
        Phase::Degraded => turned("InvalidSpec", "True").or_else(|| turned("Progressing", "False")),
        Phase::Healthy => turned("Healthy", "True").or_else(|| turned("Completed", "True")),
        // An update begins with a new template and goes on after each pause.
        Phase::Progressing => turned("Completed", "False").max(turned("Paused", "False")),
        Phase::Unknown(_) => None,
    }
}

pub(super) fn deployment(object: &Deployment, phase: &Phase) -> Option<Timestamp> {
    let progressing = object.status.condition("Progressing");
    let updated = |reasons: &[&str]| {
        progressing
            .filter(|condition| reasons.contains(&condition.reason.as_str()))
            .and_then(|condition| condition.last_update_time.0)
    };
    match phase {
        Phase::Paused => updated(&["DeploymentPaused"]),
        Phase::Degraded => turned(progressing, "False"),
        // Complete, and with enough pods: whichever came last.
        Phase::Healthy => updated(&["NewReplicaSetAvailable"])
            .max(turned(object.status.condition("Available"), "True")),
        // `ReplicaSetUpdated` moves with every pod: only the first reasons are the beginning.
        Phase::Progressing => updated(&["NewReplicaSetCreated", "FoundNewReplicaSet"]),
        Phase::Unknown(_) => None,
    }
}

fn turned(condition: Option<&Condition>, to: &str) -> Option<Timestamp> {
    condition
        .filter(|condition| condition.status == to)
        .and_then(|condition| condition.last_transition_time.0)
}
