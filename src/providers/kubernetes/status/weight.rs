//! Steps and weights of a canary as the plugin shows them.

use super::super::wire::{CanarySpec, Rollout, Step};

/// Weights are of 100 unless the traffic routing says otherwise.
pub fn max_weight(rollout: &Rollout) -> i32 {
    rollout
        .spec
        .strategy
        .canary
        .as_ref()
        .and_then(|canary| canary.traffic_routing.as_ref())
        .and_then(|routing| routing.max_traffic_weight)
        .unwrap_or(100)
}

/// The step that is current and its place; `None` without steps and past their end.
pub fn current_step(rollout: &Rollout) -> Option<(usize, &Step)> {
    let canary = rollout.spec.strategy.canary.as_ref()?;
    let index = usize::try_from(rollout.status.current_step_index.unwrap_or(0)).ok()?;
    canary.steps.0.get(index).map(|step| (index, step))
}

/// The weight that is wished for now.
pub fn set_weight(rollout: &Rollout) -> i32 {
    if rollout.status.abort {
        return 0;
    }
    match (current_step(rollout), &rollout.spec.strategy.canary) {
        (Some((index, _)), Some(CanarySpec { steps, .. })) => steps
            .0
            .iter()
            .take(index.saturating_add(1))
            .rev()
            .find_map(|step| step.set_weight)
            .unwrap_or(0),
        _ => max_weight(rollout),
    }
}

/// The weight that is there. `canary_available` is how many pods of the canary's ReplicaSet can serve, which the
/// Rollout itself does not say: without it, and where it is needed, there is no answer.
pub fn actual_weight(rollout: &Rollout, canary_available: Option<i32>) -> Option<i32> {
    let max = max_weight(rollout);
    if current_step(rollout).is_none() {
        return Some(max);
    }
    let available = rollout.status.available_replicas;
    if available <= 0 {
        return Some(0);
    }
    let routed = rollout
        .spec
        .strategy
        .canary
        .as_ref()
        .is_some_and(|canary| canary.traffic_routing.is_some());
    if routed {
        return Some(match &rollout.status.canary.weights {
            Some(weights) => weights.canary.weight,
            None => set_weight(rollout),
        });
    }
    let share = i64::from(canary_available?) * i64::from(max) / i64::from(available);
    Some(i32::try_from(share).unwrap_or(max))
}

/// The vendor's label of a step (`CanaryStepString`).
pub fn step_words(step: &Step) -> String {
    if let Some(weight) = step.set_weight {
        return format!("setWeight: {weight}");
    }
    if let Some(pause) = &step.pause {
        return match &pause.duration {
            Some(duration) => format!("pause: {duration}"),
            None => "pause".to_owned(),
        };
    }
    if step.experiment.is_some() {
        return "experiment".to_owned();
    }
    if step.analysis.is_some() {
        return "analysis".to_owned();
    }
    if let Some(scale) = &step.set_canary_scale {
        if let Some(weight) = scale.weight {
            return format!("setCanaryScale{{weight: {weight}}}");
        }
        if scale.match_traffic_weight {
            return "setCanaryScale{matchTrafficWeight: true}".to_owned();
        }
        if let Some(replicas) = scale.replicas {
            return format!("setCanaryScale{{replicas: {replicas}}}");
        }
    }
    if let Some(plugin) = &step.plugin {
        return format!("plugin: {}", plugin.name);
    }
    if let Some(route) = &step.set_header_route {
        return format!("setHeaderRoute: {}", route.name);
    }
    if let Some(route) = &step.set_mirror_route {
        return format!("setMirrorRoute: {}", route.name);
    }
    "invalid".to_owned()
}
