//! What people do to a run: answer its gate, cancel it, run it again.
//!
//! Must never wait for what comes of it.

use std::time::Duration;

use super::deploy::deployed;
use super::play::{QUEUED, attempt, finish, look, set};
use super::{Conclusion, Family, Job, Person, Review, RunRef, State, Status, YOU};
use crate::demo::cluster::Cluster;

/// A cancellation is accepted at once and done a little later.
const CANCELS_AFTER: Duration = Duration::from_secs(2);

pub(super) fn approve(cluster: &mut Cluster, at: RunRef, by: &'static Person, comment: &str) {
    let due = cluster.clock.now().after(QUEUED);
    set(cluster, at, State::Queued { due });
    deployed(cluster, at, "queued");
    note_review(cluster, at, true, by, comment);
}

fn note_review(
    cluster: &mut Cluster,
    at: RunRef,
    approved: bool,
    by: &'static Person,
    comment: &str,
) {
    if let Some(run) = cluster.pipelines.run_mut(at) {
        run.reviews.push(Review {
            approved,
            comment: comment.to_owned(),
            by,
        });
    }
}

/// Answers the gate, in whatever attempt is current. False where nothing waits.
pub(in crate::demo) fn review(
    cluster: &mut Cluster,
    at: RunRef,
    approved: bool,
    comment: &str,
) -> bool {
    let waits = cluster
        .pipelines
        .run(at)
        .is_some_and(|(_, run)| run.status() == Status::Waiting);
    if !waits {
        return false;
    }
    if approved {
        approve(cluster, at, &YOU, comment);
        look(cluster, at);
    } else {
        note_review(cluster, at, false, &YOU, comment);
        finish(cluster, at, Conclusion::Failure);
    }
    true
}

/// Accepts a cancellation; false where the run is over.
pub(in crate::demo) fn cancel(cluster: &mut Cluster, at: RunRef) -> bool {
    let due = cluster.clock.now().after(CANCELS_AFTER);
    let Some(run) = cluster.pipelines.run_mut(at) else {
        return false;
    };
    if matches!(run.status(), Status::Completed(_)) {
        return false;
    }
    run.cancels.get_or_insert(due);
    look(cluster, at);
    true
}

/// Why a run is not run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) enum NotAgain {
    Running,
    TooOld,
    TooOften,
    NothingFailed,
}

/// Runs it again under the same id, from the same commit; `failed_only` keeps what succeeded.
pub(in crate::demo) fn rerun(
    cluster: &mut Cluster,
    at: RunRef,
    failed_only: bool,
) -> Result<(), NotAgain> {
    let now = cluster.clock.now();
    let next = cluster.pipelines.issue(Family::Job);
    let Some(run) = cluster.pipelines.run_mut(at) else {
        return Ok(());
    };
    if !matches!(run.status(), Status::Completed(_)) {
        return Err(NotAgain::Running);
    }
    if failed_only && run.status() == Status::Completed(Conclusion::Success) {
        return Err(NotAgain::NothingFailed);
    }
    if run.created < now.before(Duration::from_secs(30 * 86_400)) {
        return Err(NotAgain::TooOld);
    }
    if run.attempts.len() > 50 {
        return Err(NotAgain::TooOften);
    }
    let mut again = attempt(run.attempts.len() + 1, now, &YOU);
    if failed_only {
        let kept = run.latest().into_iter().flat_map(|attempt| &attempt.jobs);
        again.jobs = kept
            .take_while(|job| job.status() == Status::Completed(Conclusion::Success))
            .zip(next..)
            .map(|(job, id)| Job { id, ..job.clone() })
            .collect();
    }
    run.attempts.push(again);
    run.updated = now;
    look(cluster, at);
    Ok(())
}
