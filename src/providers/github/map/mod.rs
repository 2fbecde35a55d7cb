//! GitHub's words as the model's. Pure. A word not known stays as it is and is never success; the object's own fields
//! count, never the name of the event that brought it; and going backwards (a run again) is ordinary.

mod deployed;

use jiff::{SignedDuration, Timestamp};

use super::wire;
use crate::model::{
    pipeline::{
        Change, Changes, Commit, Conclusion, Gate, Job, JobStep, Repository, Review, ReviewState,
        Run, RunId, RunPhase,
    },
    text::{Safe, sanitise, sanitise_line},
};

pub use deployed::{deployed_to, succeeded_at};

/// After so long without an answer GitHub fails the job.
pub const GATE_WAITS: SignedDuration = SignedDuration::from_hours(24 * 30);

pub fn phase(status: Option<&str>, conclusion: Option<&str>) -> RunPhase {
    match status {
        Some("queued" | "requested") => RunPhase::Queued,
        Some("pending") => RunPhase::WaitsForOther,
        Some("waiting") => RunPhase::WaitsAtGate,
        Some("in_progress") => RunPhase::Running,
        Some("completed") => RunPhase::Ended(self::conclusion(conclusion)),
        other => RunPhase::Unknown(sanitise_line(other.unwrap_or_default(), 40)),
    }
}

/// Means something only once it has ended.
pub fn conclusion(word: Option<&str>) -> Conclusion {
    match word {
        Some("success") => Conclusion::Success,
        Some("failure") => Conclusion::Failure,
        Some("cancelled") => Conclusion::Cancelled,
        Some("skipped") => Conclusion::Skipped,
        Some("neutral") => Conclusion::Neutral,
        Some("timed_out") => Conclusion::TimedOut,
        Some("action_required") => Conclusion::ActionRequired,
        Some("stale") => Conclusion::Stale,
        Some("startup_failure") => Conclusion::StartupFailure,
        other => Conclusion::Unknown(sanitise_line(other.unwrap_or_default(), 40)),
    }
}

/// `None` where its commit is not told: without it a decision about it could not be checked.
pub fn run(wire: &wire::Run, repository: &Repository) -> Option<Run> {
    let commit = Commit::new(wire.head_sha.as_deref()?)?;
    let file = wire.path.as_deref().and_then(file_of);
    let first_line = wire
        .head_commit
        .as_ref()
        .and_then(|head| head.message.as_deref())
        .and_then(|message| message.lines().next());
    Some(Run {
        id: RunId {
            repository: repository.clone(),
            number: wire.id,
        },
        attempt: wire.run_attempt.unwrap_or(1).max(1),
        number: wire.run_number.unwrap_or(0),
        workflow: sanitise(wire.name.as_deref().or(file).unwrap_or_default()),
        workflow_file: file.map(sanitise),
        title: sanitise(
            wire.display_title
                .as_deref()
                .or(first_line)
                .unwrap_or_default(),
        ),
        event: sanitise(wire.event.as_deref().unwrap_or_default()),
        reference: safe(wire.head_branch.as_deref()),
        commit,
        phase: phase(wire.status.as_deref(), wire.conclusion.as_deref()),
        actor: wire.actor.as_ref().and_then(name),
        triggered_by: wire.triggering_actor.as_ref().and_then(name),
        created: wire.created_at,
        started: wire.run_started_at.or(wire.created_at),
        ended: None,
        updated: wire.updated_at,
        url: safe(wire.html_url.as_deref()),
        jobs: None,
        gates: None,
    })
}

/// `.github/workflows/release.yml@refs/heads/main` -> `release.yml`.
fn file_of(path: &str) -> Option<&str> {
    let path = path.split('@').next()?;
    path.rsplit('/').next().filter(|file| !file.is_empty())
}

/// The jobs of the run's own attempt: a listing may mix attempts. A run has no end of its own; its `updated_at` moves on
/// when its logs are deleted.
pub fn with_jobs(mut run: Run, jobs: &[wire::Job]) -> Run {
    let jobs: Vec<Job> = jobs
        .iter()
        .filter(|job| job.run_attempt.is_none_or(|attempt| attempt == run.attempt))
        .map(|wire| job(wire, run.attempt))
        .collect();
    run.ended = run
        .phase
        .has_ended()
        .then(|| jobs.iter().filter_map(|job| job.ended).max())
        .flatten();
    run.jobs = Some(jobs);
    run
}

pub fn job(wire: &wire::Job, attempt: u64) -> Job {
    Job {
        id: wire.id,
        attempt: wire.run_attempt.unwrap_or(attempt),
        name: sanitise(wire.name.as_deref().unwrap_or_default()),
        phase: phase(wire.status.as_deref(), wire.conclusion.as_deref()),
        started: wire.started_at,
        ended: wire.completed_at,
        steps: wire.steps.iter().flatten().map(step).collect(),
        url: safe(wire.html_url.as_deref()),
    }
}

fn step(wire: &wire::Step) -> JobStep {
    JobStep {
        number: wire.number.unwrap_or(0),
        name: sanitise(wire.name.as_deref().unwrap_or_default()),
        phase: phase(wire.status.as_deref(), wire.conclusion.as_deref()),
        started: wire.started_at,
        ended: wire.completed_at,
    }
}

/// What holds a run. A job does not say which environment it waits for, so each gate names all jobs that wait: an
/// approval may release any of them.
pub fn gates(run: &Run, jobs: &[wire::Job], pending: &[wire::PendingDeployment]) -> Vec<Gate> {
    let waiting: Vec<&wire::Job> = jobs
        .iter()
        .filter(|job| job.run_attempt.is_none_or(|attempt| attempt == run.attempt))
        .filter(|job| job.status.as_deref() == Some("waiting"))
        .collect();
    let since = waiting
        .iter()
        .filter_map(|job| job.created_at)
        .min()
        .or(run.updated);
    pending
        .iter()
        .map(|wire| Gate {
            environment_id: wire.environment.id,
            environment: sanitise(wire.environment.name.as_deref().unwrap_or_default()),
            reviewers: reviewers(wire),
            may_decide: wire.current_user_can_approve,
            timer_minutes: wire.wait_timer.unwrap_or(0),
            timer_started: wire.wait_timer_started_at,
            waiting_jobs: waiting
                .iter()
                .map(|job| sanitise(job.name.as_deref().unwrap_or_default()))
                .collect(),
            since,
            deadline: since.and_then(|since| since.checked_add(GATE_WAITS).ok()),
        })
        .collect()
}

/// One that cannot be named still is one: without it the gate would seem to wait for nobody.
fn reviewers(wire: &wire::PendingDeployment) -> Vec<Safe> {
    let named = |reviewer: &wire::Reviewer| {
        reviewer
            .reviewer
            .as_ref()
            .and_then(name)
            .unwrap_or_else(|| sanitise("somebody"))
    };
    wire.reviewers.iter().flatten().map(named).collect()
}

pub fn review(wire: &wire::Approval) -> Review {
    let state = wire.state.as_deref().unwrap_or_default();
    Review {
        state: match state {
            "approved" => ReviewState::Approved,
            "rejected" => ReviewState::Rejected,
            other => ReviewState::Unknown(sanitise_line(other, 64)),
        },
        environments: wire
            .environments
            .iter()
            .flatten()
            .map(|it| (it.id, sanitise(it.name.as_deref().unwrap_or_default())))
            .collect(),
        user: wire.user.as_ref().and_then(name),
        comment: sanitise(wire.comment.as_deref().unwrap_or_default()),
    }
}

/// `commits` as GitHub lists them, oldest first.
pub fn changes(
    from: &Commit,
    to: &Commit,
    comparison: &wire::Comparison,
    commits: &[wire::Commit],
) -> Changes {
    let commits: Vec<Change> = commits.iter().rev().filter_map(change).collect();
    Changes {
        from: from.clone(),
        to: to.clone(),
        total: comparison
            .total_commits
            .unwrap_or(commits.len() as u64)
            .max(commits.len() as u64),
        behind: comparison.behind_by.unwrap_or(0),
        commits,
    }
}

fn change(wire: &wire::Commit) -> Option<Change> {
    let commit = Commit::new(wire.sha.as_deref()?)?;
    let git = wire.commit.clone().unwrap_or_default();
    let signature = git.author.as_ref();
    Some(Change {
        commit,
        title: sanitise(
            git.message
                .as_deref()
                .and_then(|message| message.lines().next())
                .unwrap_or_default(),
        ),
        author: wire
            .author
            .as_ref()
            .and_then(name)
            .or_else(|| safe(signature.and_then(|author| author.name.as_deref()))),
        at: time_of(&git),
    })
}

/// When it came into the branch; when it was written may be long before.
fn time_of(git: &wire::GitCommit) -> Option<Timestamp> {
    let committed = git.committer.as_ref().and_then(|by| by.date);
    committed.or_else(|| git.author.as_ref().and_then(|by| by.date))
}

/// A login, a team's slug, or whatever else it is called.
pub fn name(user: &wire::User) -> Option<Safe> {
    safe(user.login.as_deref())
        .or_else(|| safe(user.slug.as_deref()))
        .or_else(|| safe(user.name.as_deref()))
}

fn safe(text: Option<&str>) -> Option<Safe> {
    text.map(sanitise).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
