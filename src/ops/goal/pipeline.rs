//! What must be observed of a run for a decision about it to have worked. The host answers an approval with the
//! deployments it made and a cancellation with "accepted": neither says what became of it.

use super::{Goal, Progress};
use crate::model::pipeline::{Conclusion, GateId, Review, ReviewState, RunPhase, RunRead};

pub(super) fn judge(goal: &Goal, read: &RunRead) -> Progress {
    match goal {
        Goal::GateDecided {
            gate,
            approved,
            approvals_before,
            rejections_before,
        } => decided(
            read,
            gate,
            *approved,
            (*approvals_before, *rejections_before),
        ),
        Goal::RunsAgain { after_attempt } => again(read, *after_attempt),
        Goal::RunCancelled { attempt } => cancelled(read, *attempt),
        // No plan about a run has these.
        _ => Progress::Unseen,
    }
}

/// Who approved (or rejected) this environment in this run, in any attempt.
pub fn said_of<'a>(
    read: &'a RunRead,
    environment_id: u64,
    state: &'a ReviewState,
) -> impl Iterator<Item = &'a Review> {
    read.reviews.iter().filter(move |review| {
        review.state == *state
            && review
                .environments
                .iter()
                .any(|(id, _)| *id == environment_id)
    })
}

fn decided(read: &RunRead, gate: &GateId, approved: bool, before: (usize, usize)) -> Progress {
    if read.run.attempt != gate.attempt {
        return Progress::Failed(format!(
            "the run was started again meanwhile: attempt {} waits or runs now",
            read.run.attempt
        ));
    }
    let more = |state: &ReviewState, before: usize| {
        said_of(read, gate.environment_id, state).count() > before
    };
    let (approvals, rejections) = before;
    let new_approval = more(&ReviewState::Approved, approvals);
    let new_rejection = more(&ReviewState::Rejected, rejections);
    match (approved, new_approval, new_rejection) {
        (_, false, false) => return Progress::Unseen,
        (true, false, true) => return Progress::Failed("somebody rejected it".to_owned()),
        (false, true, false) => return Progress::Failed("somebody approved it".to_owned()),
        _ => {}
    }
    let still = read.run.gates.as_ref().and_then(|gates| {
        gates
            .iter()
            .find(|open| open.environment_id == gate.environment_id)
    });
    match (approved, still, &read.run.phase) {
        (true, None, _) => Progress::InEffect(released(read)),
        (true, Some(open), _) if open.timer_minutes > 0 || !open.waits_for_human() => {
            Progress::InEffect("approved; a timer or another rule still holds it".to_owned())
        }
        (false, _, RunPhase::Ended(_)) | (false, None, _) => {
            Progress::InEffect("rejected, the run fails".to_owned())
        }
        // Said, and the host has not acted on it yet.
        (true | false, Some(_), _) => Progress::Accepted,
    }
}

fn released(read: &RunRead) -> String {
    let running: Vec<&str> = read
        .run
        .jobs
        .iter()
        .flatten()
        .filter(|job| matches!(job.phase, RunPhase::Running))
        .map(|job| &*job.name)
        .collect();
    if running.is_empty() {
        "approved, the gate is gone".to_owned()
    } else {
        format!("approved, {} runs", running.join(", "))
    }
}

fn again(read: &RunRead, after_attempt: u64) -> Progress {
    if read.run.attempt > after_attempt {
        Progress::InEffect(format!(
            "attempt {} {}",
            read.run.attempt,
            read.run.phase.words()
        ))
    } else {
        Progress::Unseen
    }
}

fn cancelled(read: &RunRead, attempt: u64) -> Progress {
    if read.run.attempt != attempt {
        return Progress::Failed(format!(
            "the run was started again meanwhile: attempt {} {}",
            read.run.attempt,
            read.run.phase.words()
        ));
    }
    match &read.run.phase {
        RunPhase::Ended(Conclusion::Cancelled) => Progress::InEffect("cancelled".to_owned()),
        // A step that always runs can fail while the run is cancelled; or it ended by itself. Nothing runs any more.
        RunPhase::Ended(_) => Progress::Failed(format!(
            "it ended as {}, not as cancelled",
            read.run.phase.words()
        )),
        _ => Progress::Unseen,
    }
}
