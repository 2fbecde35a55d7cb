//! What must be observed for an action to have worked, in three different words: accepted, acted on, in effect.
//! A 200 from a server is none of them. Judged from facts, one read at a time, so that an effect that was too quick to
//! be seen in between is recognised by what it left behind.

mod incident;
mod pipeline;

pub use pipeline::said_of;

use jiff::Timestamp;

use super::seen::Seen;
use crate::model::{
    id::{PodHash, WorkloadKind},
    incident::{Matcher, SilenceId},
    pipeline::GateId,
    rollout::{ArgoStrategy, Phase, Rollout, RunRole},
};

/// What is waited for. Each holds what the plan saw, so that "further" has a meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// One step further: beyond `index`, or the next stop, or healthy.
    NextStep {
        hash: Option<PodHash>,
        index: Option<i32>,
        steps: usize,
    },
    /// The running analysis is asked again: another run than this one is in force, or the pause is over.
    SwitchTo {
        hash: PodHash,
    },
    /// `hash` serves everything and is healthy.
    Fully {
        hash: PodHash,
    },
    PausedByHand(PausedGoal),
    /// The canary that was aborted has nothing; stable serves everything.
    Aborted {
        canary: Option<PodHash>,
        stable: Option<PodHash>,
    },
    /// The template is the one of `hash` and the workload is healthy with it, or at its first stop.
    Template {
        hash: PodHash,
        fully: bool,
    },
    /// A Deployment's own roll back: rollout complete at a generation after this one.
    Complete {
        after_generation: i64,
    },
    /// This version has started again.
    RetryStarted {
        hash: Option<PodHash>,
    },
    RestartedSince {
        at: Timestamp,
    },
    /// The gate is gone, and what was said at it is what we said.
    GateDecided {
        gate: GateId,
        approved: bool,
        /// How many approvals and rejections there were of it before: an older one is not ours, and the host does not say
        /// in which order it lists them.
        approvals_before: usize,
        rejections_before: usize,
    },
    /// The next attempt exists.
    RunsAgain {
        after_attempt: u64,
    },
    RunCancelled {
        attempt: u64,
    },
    /// A silence of these matchers with this end is in force, and what it is for is silent.
    Silenced {
        matchers: Vec<Matcher>,
        ends_at: Timestamp,
    },
    SilenceEnded {
        silence: SilenceId,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PausedGoal {
    Paused,
    Resumed,
}

/// How far an action has come, as observed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Progress {
    /// Nothing of it can be seen.
    Unseen,
    /// The system has it.
    Accepted,
    /// In effect: what was seen, in words.
    InEffect(String),
    /// Seen to have failed: why.
    Failed(String),
}

impl Goal {
    /// Judges one read.
    pub fn judge(&self, seen: &Seen) -> Progress {
        match seen {
            Seen::Rollout(rollout) => self.judge_rollout(rollout),
            Seen::Run(read) => pipeline::judge(self, read),
            Seen::Incidents(facts) => incident::judge(self, facts),
        }
    }

    /// As [`Goal::judge`], of a rollout that is at hand.
    pub fn judge_rollout(&self, seen: &Rollout) -> Progress {
        match self {
            Self::NextStep { hash, index, steps } => next_step(seen, hash.as_ref(), *index, *steps),
            Self::SwitchTo { hash } => switch_to(seen, hash),
            Self::Fully { hash } => fully(seen, hash),
            Self::PausedByHand(goal) => paused(seen, *goal),
            Self::Aborted { canary, stable } => aborted(seen, canary.as_ref(), stable.as_ref()),
            Self::Template { hash, fully } => template(seen, hash, *fully),
            Self::Complete { after_generation } => complete(seen, *after_generation),
            Self::RetryStarted { hash } => retry(seen, hash.as_ref()),
            Self::RestartedSince { at } => restarted(seen, *at),
            // No plan about a rollout has these.
            Self::GateDecided { .. }
            | Self::RunsAgain { .. }
            | Self::RunCancelled { .. }
            | Self::Silenced { .. }
            | Self::SilenceEnded { .. } => Progress::Unseen,
        }
    }
}

fn next_step(seen: &Rollout, hash: Option<&PodHash>, index: Option<i32>, steps: usize) -> Progress {
    let Some(argo) = seen.argo() else {
        return Progress::Failed("it is no Rollout any more".to_owned());
    };
    if argo.current_hash.as_ref() != hash {
        return Progress::Failed("another version was released meanwhile".to_owned());
    }
    if argo.aborted {
        return Progress::Failed(failed_words(seen, "aborted"));
    }
    let now = seen.canary().and_then(|canary| canary.index);
    if seen.phase == Phase::Healthy && seen.fully_promoted() {
        return Progress::InEffect("healthy, serves everything".to_owned());
    }
    if now.unwrap_or(0) > index.unwrap_or(0) && seen.generation_observed {
        let at = now.unwrap_or(0);
        return Progress::InEffect(
            match seen.canary().and_then(|canary| canary.current_step()) {
                Some((_, step)) => format!("step {} of {steps}: {}", at + 1, step.words()),
                None => "all steps done".to_owned(),
            },
        );
    }
    if argo.pause_conditions.is_empty() {
        Progress::Accepted
    } else {
        Progress::Unseen
    }
}

fn switch_to(seen: &Rollout, hash: &PodHash) -> Progress {
    let Some(argo) = seen.argo() else {
        return Progress::Failed("it is no Rollout any more".to_owned());
    };
    if argo.current_hash.as_ref() != Some(hash) {
        return Progress::Failed("another version was released meanwhile".to_owned());
    }
    if argo.aborted {
        return Progress::Failed(failed_words(seen, "aborted"));
    }
    match &argo.strategy {
        ArgoStrategy::BlueGreen(blue_green) if blue_green.active.as_ref() == Some(hash) => {
            Progress::InEffect("all traffic switched".to_owned())
        }
        _ if argo.pause_conditions.is_empty() => Progress::Accepted,
        _ => Progress::Unseen,
    }
}

fn fully(seen: &Rollout, hash: &PodHash) -> Progress {
    let Some(argo) = seen.argo() else {
        return Progress::Failed("it is no Rollout any more".to_owned());
    };
    if argo.current_hash.as_ref() != Some(hash) {
        return Progress::Failed("another version was released meanwhile".to_owned());
    }
    let promoted = argo.stable_hash.as_ref() == Some(hash);
    if promoted && seen.phase == Phase::Healthy && seen.generation_observed {
        return Progress::InEffect("healthy, serves everything".to_owned());
    }
    if seen.phase == Phase::Degraded && !argo.promote_full && seen.generation_observed {
        return Progress::Failed(failed_words(seen, "degraded"));
    }
    if argo.promote_full || promoted {
        Progress::Accepted
    } else {
        Progress::Unseen
    }
}

fn paused(seen: &Rollout, goal: PausedGoal) -> Progress {
    let want = goal == PausedGoal::Paused;
    if seen.paused_by_hand() != want {
        return Progress::Unseen;
    }
    if !seen.generation_observed {
        return Progress::Accepted;
    }
    match (goal, &seen.phase) {
        (PausedGoal::Paused, Phase::Paused) => Progress::InEffect("paused by hand".to_owned()),
        // Degraded wins over paused in the vendor's phase; the pause holds all the same.
        (PausedGoal::Paused, Phase::Degraded) => {
            Progress::InEffect("paused by hand (still degraded)".to_owned())
        }
        (PausedGoal::Paused, _) => Progress::Accepted,
        (PausedGoal::Resumed, Phase::Paused)
            if seen
                .argo()
                .is_some_and(|argo| argo.pause_conditions.is_empty()) =>
        {
            Progress::Accepted
        }
        (PausedGoal::Resumed, phase) => Progress::InEffect(format!("resumed, {}", phase.word())),
    }
}

fn aborted(seen: &Rollout, canary: Option<&PodHash>, stable: Option<&PodHash>) -> Progress {
    let Some(argo) = seen.argo() else {
        return Progress::Failed("it is no Rollout any more".to_owned());
    };
    // A new version takes the abort away; where that one is aborted too, it was not by this request.
    if argo.current_hash.as_ref() != canary {
        return Progress::Failed("another version was released meanwhile".to_owned());
    }
    if argo.stable_hash.as_ref() != stable {
        return Progress::Failed("another version became stable meanwhile".to_owned());
    }
    if !argo.aborted {
        return if seen.fully_promoted() {
            // The controller removes an abort of a release that has finished (wire facts, 1.5).
            Progress::Failed(
                "the release had finished before the abort: nothing to abort".to_owned(),
            )
        } else {
            Progress::Unseen
        };
    }
    if seen.phase != Phase::Degraded || argo.promote_full {
        return Progress::Accepted;
    }
    let nothing_left = match &argo.strategy {
        ArgoStrategy::Canary(canary) if canary.traffic_routed => canary.weight.actual == Some(0),
        // Without a traffic router the pods are the traffic.
        ArgoStrategy::Canary(_) => seen.replicas.updated == 0,
        ArgoStrategy::BlueGreen(blue_green) => blue_green.active.as_ref() == stable,
        ArgoStrategy::Unknown => false,
    };
    if nothing_left && seen.replicas.available >= seen.replicas.desired {
        Progress::InEffect("stable serves everything".to_owned())
    } else {
        Progress::Accepted
    }
}

fn template(seen: &Rollout, hash: &PodHash, to_the_end: bool) -> Progress {
    let Some(argo) = seen.argo() else {
        return Progress::Failed("it is no Rollout any more".to_owned());
    };
    if argo.current_hash.as_ref() != Some(hash) || !seen.generation_observed {
        return Progress::Unseen;
    }
    if argo.stable_hash.as_ref() == Some(hash) && seen.phase == Phase::Healthy {
        return Progress::InEffect("healthy, serves everything".to_owned());
    }
    if seen.phase == Phase::Degraded {
        return Progress::Failed(failed_words(seen, "degraded"));
    }
    if !to_the_end && seen.phase == Phase::Paused && !argo.pause_conditions.is_empty() {
        return Progress::InEffect(
            "at its first stop, it does not serve everything yet".to_owned(),
        );
    }
    Progress::Accepted
}

fn complete(seen: &Rollout, after_generation: i64) -> Progress {
    if seen.generation <= after_generation {
        return Progress::Unseen;
    }
    if !seen.generation_observed {
        return Progress::Unseen;
    }
    match &seen.phase {
        Phase::Healthy => Progress::InEffect("rollout complete".to_owned()),
        Phase::Degraded => Progress::Failed(failed_words(seen, "degraded")),
        Phase::Paused | Phase::Progressing | Phase::Unknown(_) => Progress::Accepted,
    }
}

fn retry(seen: &Rollout, hash: Option<&PodHash>) -> Progress {
    if seen.argo().and_then(|argo| argo.current_hash.as_ref()) != hash {
        return Progress::Failed("another version was released meanwhile".to_owned());
    }
    if seen.aborted() {
        return Progress::Unseen;
    }
    match &seen.phase {
        Phase::Degraded => Progress::Accepted,
        phase => Progress::InEffect(format!("started again, {}", phase.word())),
    }
}

fn restarted(seen: &Rollout, at: Timestamp) -> Progress {
    match seen.argo() {
        Some(argo) => {
            if argo
                .restart_at
                .is_none_or(|restart_at| restart_at.time() < at)
            {
                return Progress::Unseen;
            }
            // The controller writes restartedAt when every pod is younger.
            match argo.restarted_at {
                Some(restarted_at) if restarted_at.time() >= at => {
                    Progress::InEffect("every pod is new".to_owned())
                }
                _ => Progress::Accepted,
            }
        }
        None => Progress::Failed("it is no Rollout any more".to_owned()),
    }
}

fn failed_words(seen: &Rollout, otherwise: &str) -> String {
    let failed = seen.argo().and_then(|argo| {
        argo.runs_in_force.iter().find(|run| {
            run.role != RunRole::Experiment && run.phase.is_final() && !run.message.is_empty()
        })
    });
    match failed {
        _ if !seen.message.is_empty() => seen.message.to_string(),
        Some(run) => run.message.to_string(),
        None => otherwise.to_owned(),
    }
}

/// Which kinds of workload a verb exists for at all.
pub const fn kind_can_roll_back(kind: WorkloadKind) -> bool {
    matches!(kind, WorkloadKind::ArgoRollout | WorkloadKind::Deployment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::tests::fixture::canary;

    #[test]
    fn a_retry_is_not_the_start_of_another_version() {
        let started = canary();
        let of = |hash| Goal::RetryStarted {
            hash: Some(PodHash::new(hash)),
        };
        assert!(matches!(
            of("new").judge_rollout(&started),
            Progress::InEffect(_)
        ));
        assert!(matches!(
            of("newest").judge_rollout(&started),
            Progress::Failed(_)
        ));
    }
}
