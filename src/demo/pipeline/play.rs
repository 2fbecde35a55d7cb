//! How runs move: from stage to stage, through the gate, to the end.
//!
//! Must never skip a stage, and never move a run that nobody looks at.

use std::time::Duration;

use super::act::approve;
use super::deploy::{deployed, outcome, ship};
use super::people;
use super::{
    Attempt, Conclusion, Deployment, Family, Job, Person, Run, RunRef, Stage, State, Workflow,
    number,
};
use crate::demo::clock::Moment;
use crate::demo::cluster::Cluster;

/// How long a job waits for a runner.
pub(super) const QUEUED: Duration = Duration::from_secs(2);

/// In the past the deploy job begins so long before its story's release, and ends so long after it.
const DEPLOY_BEFORE: Duration = Duration::from_secs(8);
const DEPLOY_AFTER: Duration = Duration::from_secs(20);

/// From the beginning of a run until its deploy job exists.
pub(in crate::demo) fn until_gate(repository: &str) -> Duration {
    [Stage::Build, Stage::Test, Stage::Scan]
        .into_iter()
        .filter_map(|stage| Some(stage.length(repository)? + QUEUED))
        .sum()
}

/// How long before its story's release a run begins: its stages, and the time until somebody approved.
pub(in crate::demo) fn lead(repository: &str, version: &str, gated: bool) -> Duration {
    let waited = if gated {
        240 + number(version) % 1200
    } else {
        0
    };
    until_gate(repository) + DEPLOY_BEFORE + QUEUED + Duration::from_secs(waited)
}

/// Starts the release of a version. `told` is when the story itself releases it.
pub(in crate::demo) fn begin(
    cluster: &mut Cluster,
    repository: &str,
    version: &str,
    told: Option<Moment>,
) {
    let (now, id) = (cluster.clock.now(), cluster.pipelines.issue(Family::Run));
    let repos = &mut cluster.pipelines.repos;
    let Some((place, repo)) = repos
        .iter_mut()
        .enumerate()
        .find(|(_, repo)| repo.name == repository)
    else {
        return;
    };
    let Some(commit) = repo.history.find(version) else {
        return;
    };
    let actor = repo
        .commit(commit)
        .map_or(&people::YOU, |commit| commit.author);
    let at = RunRef {
        repo: place,
        run: repo.runs.len(),
    };
    repo.runs.push(Run {
        id,
        workflow: Workflow::Release,
        number: 1 + count(&repo.runs, Workflow::Release),
        event: "push",
        branch: version.to_owned(),
        commit,
        actor,
        created: now,
        updated: now,
        attempts: vec![attempt(1, now, actor)],
        reviews: Vec::new(),
        told,
        cancels: None,
    });
    look(cluster, at);
}

/// A finished run of a branch, which nothing follows from.
pub(in crate::demo) fn noted_ci(cluster: &mut Cluster, repository: &str, drawn: u64) {
    let now = cluster.clock.now();
    let (id, job) = (
        cluster.pipelines.issue(Family::Run),
        cluster.pipelines.issue(Family::Job),
    );
    let repos = &mut cluster.pipelines.repos;
    let Some(repo) = repos.iter_mut().find(|repo| repo.name == repository) else {
        return;
    };
    let branch = people::branch(drawn);
    let conclusion = match drawn % 5 {
        0 => Conclusion::Failure,
        1 => Conclusion::Cancelled,
        _ => Conclusion::Success,
    };
    let parent = repo
        .history
        .commits
        .iter()
        .rposition(|commit| commit.at < now && commit.parent.is_some())
        .unwrap_or(0);
    let commit = repo.history.find(branch).unwrap_or_else(|| {
        repo.history
            .branch_off(repository, branch, parent, now.before(QUEUED))
    });
    let actor = repo
        .commit(commit)
        .map_or(&people::YOU, |commit| commit.author);
    let length = Stage::Check.length(repository).unwrap_or_default();
    let since = now.after(QUEUED);
    let ended = since.after(length);
    let mut only = attempt(1, now, actor);
    only.jobs.push(Job {
        id: job,
        stage: Stage::Check,
        created: now,
        state: State::Ended {
            since: Some(since),
            at: ended,
            conclusion,
        },
    });
    repo.runs.push(Run {
        id,
        workflow: Workflow::Ci,
        number: 1 + count(&repo.runs, Workflow::Ci),
        event: "pull_request",
        branch: branch.to_owned(),
        commit,
        actor,
        created: now,
        updated: ended,
        attempts: vec![only],
        reviews: Vec::new(),
        told: None,
        cancels: None,
    });
}

pub(super) fn attempt(number: usize, started: Moment, by: &'static Person) -> Attempt {
    Attempt {
        number,
        started,
        by,
        jobs: Vec::new(),
    }
}

fn count(runs: &[Run], workflow: Workflow) -> usize {
    runs.iter().filter(|run| run.workflow == workflow).count()
}

/// Does what is due for the run, and asks to be woken for the rest.
pub(in crate::demo) fn look(cluster: &mut Cluster, at: RunRef) {
    while step(cluster, at) {}
}

/// One step; whether there may be another at once.
fn step(cluster: &mut Cluster, at: RunRef) -> bool {
    let now = cluster.clock.now();
    let Some((repo, run)) = cluster.pipelines.run(at) else {
        return false;
    };
    let Some(attempt) = run.latest() else {
        return false;
    };
    let told = run.told.filter(|_| attempt.number == 1);
    let (workflow, name) = (run.workflow, repo.name.clone());
    if let Some(due) = run.cancels {
        if due <= now {
            finish(cluster, at, Conclusion::Cancelled);
            return false;
        }
        cluster.wake_run(at, due);
    }
    let Some((run, attempt)) = cluster
        .pipelines
        .run(at)
        .and_then(|(_, run)| Some((run, run.latest()?)))
    else {
        return false;
    };
    let last = attempt.jobs.last().map(|job| (job.stage, job.state));
    let release = run.branch.clone();
    match last {
        None => enter(cluster, at, Stage::after(workflow, None)),
        Some((stage, State::Queued { due })) => {
            if due > now {
                cluster.wake_run(at, due);
                return false;
            }
            let length = match (stage, told) {
                (Stage::Deploy, Some(_)) => Some(DEPLOY_BEFORE + DEPLOY_AFTER),
                _ => stage.length(&name),
            };
            let until = length.map(|length| due.after(length));
            set(cluster, at, State::Running { since: due, until });
            if stage == Stage::Deploy {
                deployed(cluster, at, "in_progress");
            }
            true
        }
        Some((_, State::Waiting)) => {
            let Some(opens) = told.map(|told| told.before(DEPLOY_BEFORE + QUEUED)) else {
                return false;
            };
            if opens > now {
                cluster.wake_run(at, opens);
                return false;
            }
            approve(cluster, at, people::author(number(&release)), "");
            true
        }
        Some((stage, State::Running { since, until })) => {
            let conclusion = match until {
                Some(until) if until > now => {
                    cluster.wake_run(at, until);
                    return false;
                }
                Some(_) => Conclusion::Success,
                None => match outcome(cluster, at, &release) {
                    Some(conclusion) => conclusion,
                    None => return false,
                },
            };
            let ended = until.unwrap_or(now);
            end(cluster, at, Some(since), ended, conclusion);
            if stage == Stage::Deploy {
                deployed(cluster, at, "success");
                if told.is_none() {
                    ship(cluster, at, &release);
                }
            }
            true
        }
        Some((
            stage,
            State::Ended {
                conclusion: Conclusion::Success,
                ..
            },
        )) => enter(cluster, at, Stage::after(workflow, Some(stage))),
        Some((_, State::Ended { .. })) => false,
    }
}

/// Adds the job of the next stage.
fn enter(cluster: &mut Cluster, at: RunRef, stage: Option<Stage>) -> bool {
    let Some(stage) = stage else {
        return false;
    };
    let now = cluster.clock.now();
    let (id, deployment, status) = (
        cluster.pipelines.issue(Family::Job),
        cluster.pipelines.issue(Family::Deployment),
        cluster.pipelines.issue(Family::Deployment),
    );
    let Some(repo) = cluster.pipelines.repos.get_mut(at.repo) else {
        return false;
    };
    let gated = stage == Stage::Deploy && repo.environment.gated;
    let workload = repo.workload.clone();
    let Some(run) = repo.runs.get_mut(at.run) else {
        return false;
    };
    let (commit, of, run_id) = (run.commit, run.branch.clone(), run.id);
    let Some(attempt) = run.attempts.last_mut() else {
        return false;
    };
    let told = run
        .told
        .filter(|_| attempt.number == 1 && stage == Stage::Deploy);
    let due = told.map_or(now.after(QUEUED), |told| told.before(DEPLOY_BEFORE));
    attempt.jobs.push(Job {
        id,
        stage,
        created: now,
        state: if gated {
            State::Waiting
        } else {
            State::Queued { due }
        },
    });
    run.updated = now;
    if stage == Stage::Deploy {
        let first = if gated { "waiting" } else { "queued" };
        repo.deployments.push(Deployment {
            id: deployment,
            commit,
            of,
            run: run_id,
            job: id,
            created: now,
            statuses: vec![(status, first, now)],
        });
    }
    if stage == Stage::Smoke {
        cluster
            .pipelines
            .watching
            .entry(workload)
            .or_default()
            .push(at);
    }
    true
}

pub(super) fn set(cluster: &mut Cluster, at: RunRef, state: State) {
    let now = cluster.clock.now();
    if let Some(run) = cluster.pipelines.run_mut(at) {
        run.updated = now;
        let jobs = run.attempts.last_mut().map(|attempt| &mut attempt.jobs);
        if let Some(job) = jobs.and_then(|jobs| jobs.last_mut()) {
            job.state = state;
        }
    }
}

fn end(
    cluster: &mut Cluster,
    at: RunRef,
    since: Option<Moment>,
    ended: Moment,
    conclusion: Conclusion,
) {
    let state = State::Ended {
        since,
        at: ended,
        conclusion,
    };
    set(cluster, at, state);
    for runs in cluster.pipelines.watching.values_mut() {
        runs.retain(|run| *run != at);
    }
}

/// Ends what has not ended yet.
pub(super) fn finish(cluster: &mut Cluster, at: RunRef, conclusion: Conclusion) {
    let now = cluster.clock.now();
    let last = cluster
        .pipelines
        .run(at)
        .and_then(|(_, run)| run.latest()?.jobs.last())
        .map(|job| (job.stage, job.state));
    let since = match last {
        Some((_, State::Ended { .. })) => return,
        Some((_, State::Running { since, .. })) => Some(since),
        _ => None,
    };
    end(cluster, at, since, now, conclusion);
    if matches!(last, Some((Stage::Deploy, _))) {
        deployed(cluster, at, "failure");
    }
    if let Some(run) = cluster.pipelines.run_mut(at) {
        run.cancels = None;
    }
}
