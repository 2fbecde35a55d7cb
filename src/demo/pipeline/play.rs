//! How runs move: from stage to stage, through the gate, into the cluster.
//!
//! Must never release what was not built: a version's template is kept when its run begins.

use std::time::Duration;

use serde_json::Value;

use super::people;
use super::{
    Attempt, Conclusion, Deployment, Job, Person, Review, Run, RunRef, Stage, State, Status,
    Workflow, number,
};
use crate::demo::clock::Moment;
use crate::demo::cluster::Cluster;
use crate::demo::json;
use crate::demo::kind::Kind;
use crate::demo::store::Key;

/// How long a job waits for a runner.
const QUEUED: Duration = Duration::from_secs(2);

/// A cancellation is accepted at once and done a little later.
const CANCELS_AFTER: Duration = Duration::from_secs(2);

/// In the past the deploy job begins so long before its story's release, and ends so long after it.
const DEPLOY_BEFORE: Duration = Duration::from_secs(8);
const DEPLOY_AFTER: Duration = Duration::from_secs(20);

const RUNS: u64 = 19_400_000_000;
const JOBS: u64 = 55_200_000_000;
const DEPLOYMENTS: u64 = 5_300_000_000;

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
    let (now, id) = (cluster.clock.now(), cluster.pipelines.issue(RUNS));
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
    let (id, job) = (cluster.pipelines.issue(RUNS), cluster.pipelines.issue(JOBS));
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

fn attempt(number: usize, started: Moment, by: &'static Person) -> Attempt {
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
        cluster.pipelines.issue(JOBS),
        cluster.pipelines.issue(DEPLOYMENTS),
        cluster.pipelines.issue(DEPLOYMENTS),
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

fn set(cluster: &mut Cluster, at: RunRef, state: State) {
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
fn finish(cluster: &mut Cluster, at: RunRef, conclusion: Conclusion) {
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

/// The deployment of the run's current job has come so far.
fn deployed(cluster: &mut Cluster, at: RunRef, word: &'static str) {
    let (now, id) = (cluster.clock.now(), cluster.pipelines.issue(DEPLOYMENTS));
    let Some(repo) = cluster.pipelines.repos.get_mut(at.repo) else {
        return;
    };
    let job = repo
        .runs
        .get(at.run)
        .and_then(|run| Some(run.latest()?.jobs.last()?.id));
    let found = repo
        .deployments
        .iter_mut()
        .rev()
        .find(|deployment| Some(deployment.job) == job);
    if let Some(deployment) = found {
        deployment.statuses.push((id, word, now));
    }
}

/// The version goes into the cluster, as a release of the story would.
fn ship(cluster: &mut Cluster, at: RunRef, version: &str) {
    let Some(repo) = cluster.pipelines.repos.get(at.repo) else {
        return;
    };
    let (key, template) = (repo.workload.clone(), repo.templates.get(version).cloned());
    if let Some(template) = template {
        cluster.edit(&key, |value| {
            json::set(value, &["spec", "template"], template);
        });
    }
}

/// How the rollout of the version ended, if it has.
fn outcome(cluster: &Cluster, at: RunRef, version: &str) -> Option<Conclusion> {
    let key = &cluster.pipelines.repos.get(at.repo)?.workload;
    let value = cluster.store.get(key)?.value();
    let image = value
        .pointer("/spec/template/spec/containers/0/image")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if image.rsplit_once(':').is_none_or(|(_, tag)| tag != version) {
        return Some(Conclusion::Failure);
    }
    if json::flag(&value, &["status", "abort"])
        || json::text(&value, &["status", "phase"]) == "Degraded"
    {
        return Some(Conclusion::Failure);
    }
    is_out(key, &value).then_some(Conclusion::Success)
}

fn is_out(key: &Key, value: &Value) -> bool {
    let generation = json::int(value, &["metadata", "generation"]);
    let observed = match json::at(value, &["status", "observedGeneration"]) {
        Some(Value::String(text)) => text.parse().unwrap_or(0),
        other => other.and_then(Value::as_i64).unwrap_or(0),
    };
    let count = |name: &str| json::int(value, &["status", name]);
    let wanted = json::int(value, &["spec", "replicas"]);
    observed == generation
        && match key.kind {
            Kind::Rollout => json::text(value, &["status", "phase"]) == "Healthy",
            Kind::DaemonSet => {
                let all = count("desiredNumberScheduled");
                count("updatedNumberScheduled") == all && count("numberAvailable") == all
            }
            _ => ["updatedReplicas", "availableReplicas", "replicas"]
                .into_iter()
                .all(|name| count(name) == wanted),
        }
}

fn approve(cluster: &mut Cluster, at: RunRef, by: &'static Person, comment: &str) {
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
        approve(cluster, at, &people::YOU, comment);
        look(cluster, at);
    } else {
        note_review(cluster, at, false, &people::YOU, comment);
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
    let next = cluster.pipelines.issue(JOBS);
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
    let mut again = attempt(run.attempts.len() + 1, now, &people::YOU);
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
