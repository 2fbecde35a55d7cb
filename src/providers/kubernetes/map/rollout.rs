//! An Argo Rollout in our words.

use std::sync::Arc;

use jiff::SignedDuration;

use super::{
    Facts, Interner, hash, images, links, message, name, number, rollout_of, seconds32, since,
};
use crate::{
    model::{
        id::{EnvironmentName, WorkloadKind},
        moment::Moment,
        rollout::{
            Argo, ArgoStrategy, BlueGreen, Canary, PauseCondition, PauseReason, Phase, Replicas,
            Rollout, RunInForce, RunPhase, RunRole, Weight, Workload, WorkloadRef,
        },
        step::{CanaryScale, Step},
        text::sanitise_line,
    },
    providers::kubernetes::{
        status::{self, ReferencedWorkload},
        wire::{self, IntOrString},
    },
};

/// The controller's defaults.
const DEADLINE_S: i32 = 600;
const SCALE_DOWN_DELAY_S: i64 = 30;

/// What is known from elsewhere and changes what the object means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// `metadata.generation` of the object that `workloadRef` names.
    pub workload_generation: Option<i64>,
    /// Pods of the canary's ReplicaSet that can serve.
    pub canary_available: Option<i32>,
}

pub fn rollout(
    object: &wire::Rollout,
    environment: &EnvironmentName,
    share: &mut Interner,
) -> Rollout {
    rollout_beside(object, environment, share, Beside::default())
}

pub fn rollout_beside(
    object: &wire::Rollout,
    environment: &EnvironmentName,
    share: &mut Interner,
    beside: Beside,
) -> Rollout {
    let (meta, spec, status) = (&object.metadata, &object.spec, &object.status);
    let said = status::rollout_phase(
        object,
        ReferencedWorkload::Asked {
            generation: beside.workload_generation,
        },
    );
    let phase = Phase::from_vendor(&said.phase);
    let facts = Facts {
        kind: WorkloadKind::ArgoRollout,
        generation_observed: status::generation_observed(object),
        revision: number(meta.annotations.rollout_revision.as_deref()),
        since: since::rollout(object, &phase),
        phase,
        message: message(&said.message),
        replicas: Replicas {
            desired: spec.desired(),
            current: status.replicas,
            updated: status.updated_replicas,
            ready: status.ready_replicas,
            available: status.available_replicas,
        },
        // With a workloadRef the Rollout's own template is empty or a stale copy.
        images: match (&spec.template, &spec.workload_ref) {
            (Some(template), None) => images(&template.spec.containers),
            _ => Arc::default(),
        },
        commit: match (&spec.template, &spec.workload_ref) {
            (Some(template), None) => links::commit(template),
            _ => None,
        },
        progress_deadline_s: Some(spec.progress_deadline_seconds.map_or(DEADLINE_S, seconds32)),
        workload: Workload::ArgoRollout(Box::new(argo(object, share, beside))),
    };
    rollout_of(meta, environment, share, facts)
}

fn argo(object: &wire::Rollout, share: &mut Interner, beside: Beside) -> Argo {
    let (spec, status) = (&object.spec, &object.status);
    let current_hash = hash(&status.current_pod_hash);
    // Equal most of the time: one allocation for both.
    let stable_hash = if status.stable_hash() == status.current_pod_hash {
        current_hash.clone()
    } else {
        hash(status.stable_hash())
    };
    Argo {
        strategy: strategy(object, share, beside),
        current_hash,
        stable_hash,
        paused_by_hand: spec.paused,
        controller_pause: status.controller_pause,
        pause_conditions: status
            .pause_conditions
            .iter()
            .map(|condition| PauseCondition {
                reason: PauseReason::from_vendor(&condition.reason),
                since: condition.start_time.0.map(Moment::from),
            })
            .collect(),
        aborted: status.abort,
        aborted_at: status.aborted_at.0.map(Moment::from),
        promote_full: status.promote_full,
        runs_in_force: runs_in_force(status).into_boxed_slice(),
        restart_at: spec.restart_at.0.map(Moment::from),
        restarted_at: status.restarted_at.0.map(Moment::from),
        workload_ref: spec.workload_ref.as_ref().map(|reference| {
            Box::new(WorkloadRef {
                api_version: name(&reference.api_version),
                kind: name(&reference.kind),
                name: name(&reference.name),
            })
        }),
    }
}

fn strategy(object: &wire::Rollout, share: &mut Interner, beside: Beside) -> ArgoStrategy {
    let status = &object.status;
    let strategy = &object.spec.strategy;
    // The vendor asks for the canary first, too.
    if let Some(canary) = &strategy.canary {
        return ArgoStrategy::Canary(Canary {
            steps: share.steps(canary.steps.0.iter().map(step).collect()),
            index: status.current_step_index,
            step_hash: (!status.current_step_hash.is_empty())
                .then(|| name(&status.current_step_hash)),
            weight: Weight {
                set: status::set_weight(object),
                actual: status::actual_weight(object, beside.canary_available),
                of: status::max_weight(object),
            },
            traffic_routed: canary.traffic_routing.is_some(),
        });
    }
    if let Some(blue_green) = &strategy.blue_green {
        return ArgoStrategy::BlueGreen(BlueGreen {
            active: hash(&status.blue_green.active_selector),
            preview: hash(&status.blue_green.preview_selector),
            auto_promotion: blue_green.auto_promotion_enabled.unwrap_or(true),
            scale_down_delay_s: blue_green
                .scale_down_delay_seconds
                .unwrap_or(SCALE_DOWN_DELAY_S),
            has_post_promotion_analysis: blue_green.post_promotion_analysis.is_some(),
        });
    }
    ArgoStrategy::Unknown
}

fn step(step: &wire::Step) -> Step {
    if let Some(weight) = step.set_weight {
        return Step::SetWeight(weight);
    }
    if let Some(pause) = &step.pause {
        return match &pause.duration {
            None => Step::Pause,
            Some(duration) => Step::PauseFor {
                text: name(&duration.to_string()),
                seconds: seconds(duration),
            },
        };
    }
    if step.experiment.is_some() {
        return Step::Experiment;
    }
    if step.analysis.is_some() {
        return Step::Analysis;
    }
    if let Some(scale) = &step.set_canary_scale {
        return Step::SetCanaryScale(match (scale.weight, scale.replicas) {
            (Some(weight), _) => CanaryScale::Weight(weight),
            (None, _) if scale.match_traffic_weight => CanaryScale::MatchTrafficWeight,
            (None, Some(replicas)) => CanaryScale::Replicas(replicas),
            (None, None) => CanaryScale::Unset,
        });
    }
    let named = |named: &wire::Named| name(&named.name);
    None.or_else(|| step.plugin.as_ref().map(named).map(Step::Plugin))
        .or_else(|| {
            step.set_header_route
                .as_ref()
                .map(named)
                .map(Step::SetHeaderRoute)
        })
        .or_else(|| {
            step.set_mirror_route
                .as_ref()
                .map(named)
                .map(Step::SetMirrorRoute)
        })
        .unwrap_or(Step::Unknown)
}

/// A bare number is seconds, whether the object has it as a number or as text. What cannot be understood is not known;
/// the controller waits at such a step for a human.
fn seconds(duration: &IntOrString) -> Option<i64> {
    match duration {
        IntOrString::Int(seconds) => Some(*seconds),
        IntOrString::Text(text) => text.parse().ok().or_else(|| {
            // Go's `1h30m`, `90s`, `1.5h`; jiff reads these, and more, which the controller refused already.
            let parsed: SignedDuration = text.parse().ok()?;
            Some(parsed.as_secs())
        }),
    }
}

fn runs_in_force(status: &wire::RolloutStatus) -> Vec<RunInForce> {
    let (canary, blue_green) = (&status.canary, &status.blue_green);
    let runs = [
        (RunRole::Step, &canary.current_step_analysis_run_status),
        (
            RunRole::Background,
            &canary.current_background_analysis_run_status,
        ),
        (
            RunRole::PrePromotion,
            &blue_green.pre_promotion_analysis_run_status,
        ),
        (
            RunRole::PostPromotion,
            &blue_green.post_promotion_analysis_run_status,
        ),
    ];
    let mut in_force: Vec<RunInForce> = runs
        .into_iter()
        .filter_map(|(role, run)| {
            let run = run.as_ref()?;
            Some(RunInForce {
                role,
                name: name(&run.name),
                phase: RunPhase::from_vendor(&run.status),
                message: message(&run.message),
            })
        })
        .collect();
    if !canary.current_experiment.is_empty() {
        // The Rollout names its experiment and does not say how that one is.
        in_force.push(RunInForce {
            role: RunRole::Experiment,
            name: name(&canary.current_experiment),
            phase: RunPhase::Unknown(sanitise_line("", 0)),
            message: message(""),
        });
    }
    in_force
}
