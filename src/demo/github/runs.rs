//! What is read about runs, their jobs and their gates.
//!
//! Must never change anything: that is `act`.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::body::{stamp, workflow_file};
use super::{Asked, GitHub, Reply, linked, not_found, of_id, page};
use crate::demo::clock::Clock;
use crate::demo::cluster::Cluster;
use crate::demo::pipeline::{Attempt, Repo, Run, Status, Workflow};

/// A filtered list ends there, whatever there is.
const FILTERED: usize = 1_000;

impl GitHub {
    pub(super) fn actions(
        &self,
        cluster: &Cluster,
        asked: &Asked,
        repo: &Repo,
        rest: &[&str],
    ) -> Reply {
        let clock = &cluster.clock;
        match rest {
            ["workflows"] => {
                let all = [Workflow::Release, Workflow::Ci];
                let show = |workflow: &Workflow| self.links.workflow(repo, *workflow, clock);
                self.counted(asked, repo, "workflows", &all, show)
            }
            ["workflows", name] => match workflow(repo, name) {
                Some(found) => Reply::json(200, &self.links.workflow(repo, found, clock)),
                None => not_found(),
            },
            ["workflows", name, "runs"] => match workflow(repo, name) {
                Some(found) => self.run_list(asked, repo, Some(found), clock),
                None => not_found(),
            },
            ["runs"] => self.run_list(asked, repo, None, clock),
            ["runs", id, rest @ ..] => match of_id(id, |id| repo.run(id)) {
                Some(run) => self.of_run(asked, repo, run, rest, clock),
                None => not_found(),
            },
            ["jobs", id, rest @ ..] => self.of_job(cluster, repo, id, rest),
            _ => not_found(),
        }
    }

    /// A list with its length, as Actions wraps them.
    pub(super) fn counted<T>(
        &self,
        asked: &Asked,
        repo: &Repo,
        name: &str,
        items: &[T],
        show: impl Fn(&T) -> Value,
    ) -> Reply {
        let total = items.len();
        let (shown, links) = page(&self.links, asked, repo, items, show);
        linked(
            Reply::json(200, &json!({"total_count": total, name: shown})),
            &links,
        )
    }

    fn run_list(
        &self,
        asked: &Asked,
        repo: &Repo,
        workflow: Option<Workflow>,
        clock: &Clock,
    ) -> Reply {
        let mut runs: Vec<&Run> = repo
            .runs
            .iter()
            .filter(|run| workflow.is_none_or(|workflow| run.workflow == workflow))
            .filter(|run| wanted(asked, repo, run, clock))
            .collect();
        runs.sort_by_key(|run| std::cmp::Reverse((run.created, run.id)));
        runs.truncate(FILTERED);
        self.counted(asked, repo, "workflow_runs", &runs, |run| {
            run.latest()
                .map(|attempt| self.links.run(repo, run, attempt, clock))
                .unwrap_or_default()
        })
    }

    fn of_run(&self, asked: &Asked, repo: &Repo, run: &Run, rest: &[&str], clock: &Clock) -> Reply {
        let attempt = |number: &str| {
            run.attempts
                .iter()
                .find(|attempt| attempt.number.to_string() == number)
        };
        match rest {
            [] => match run.latest() {
                Some(latest) => Reply::json(200, &self.links.run(repo, run, latest, clock)),
                None => not_found(),
            },
            ["attempts", number] => match attempt(number) {
                Some(attempt) => Reply::json(200, &self.links.run(repo, run, attempt, clock)),
                None => not_found(),
            },
            ["attempts", number, "jobs"] => match attempt(number) {
                Some(attempt) => self.jobs(asked, repo, run, &[attempt], clock),
                None => not_found(),
            },
            ["jobs"] => {
                let all: Vec<&Attempt> = run.attempts.iter().collect();
                let latest = all.len().saturating_sub(1);
                let from = if asked.parameter("filter") == "all" {
                    0
                } else {
                    latest
                };
                self.jobs(asked, repo, run, all.get(from..).unwrap_or_default(), clock)
            }
            ["pending_deployments"] => Reply::json(200, &self.pending(repo, run)),
            ["approvals"] => Reply::json(200, &self.approvals(repo, run, clock)),
            _ => not_found(),
        }
    }

    fn jobs(
        &self,
        asked: &Asked,
        repo: &Repo,
        run: &Run,
        attempts: &[&Attempt],
        clock: &Clock,
    ) -> Reply {
        let jobs: Vec<_> = attempts
            .iter()
            .flat_map(|attempt| attempt.jobs.iter().map(|job| (*attempt, job)))
            .collect();
        self.counted(asked, repo, "jobs", &jobs, |(attempt, job)| {
            self.links.job(repo, run, attempt, job, clock)
        })
    }

    fn of_job(&self, cluster: &Cluster, repo: &Repo, id: &str, rest: &[&str]) -> Reply {
        let find = |id| {
            let attempts = repo
                .runs
                .iter()
                .flat_map(|run| run.attempts.iter().map(move |attempt| (run, attempt)));
            attempts
                .flat_map(|(run, attempt)| attempt.jobs.iter().map(move |job| (run, attempt, job)))
                .find(|(_, _, job)| job.id == id)
        };
        match (of_id(id, find), rest) {
            (Some((run, attempt, job)), []) => Reply::json(
                200,
                &self.links.job(repo, run, attempt, job, &cluster.clock),
            ),
            // There is no log before the end.
            (Some((_, _, job)), ["logs"]) if matches!(job.status(), Status::Completed(_)) => {
                let place = self.signed(&repo.name, job.id, self.api.time.now());
                Reply::new(302, "text/html; charset=utf-8", String::new()).with("location", place)
            }
            _ => not_found(),
        }
    }

    fn pending(&self, repo: &Repo, run: &Run) -> Value {
        if run.status() != Status::Waiting {
            return json!([]);
        }
        let environment = &repo.environment;
        let (id, name) = (environment.id, &environment.name);
        json!([{"environment": {"id": id, "node_id": super::body::node("EN", id), "name": name,
                "url": format!("{}/environments/{name}", self.links.repo(repo)),
                "html_url": format!("{}/deployments/activity_log?environments_filter={name}", super::Links::web(repo))},
            "wait_timer": 0, "wait_timer_started_at": null, "current_user_can_approve": true,
            "reviewers": self.links.reviewers()}])
    }

    fn approvals(&self, repo: &Repo, run: &Run, clock: &Clock) -> Value {
        let environment = &repo.environment;
        let reviews = run.reviews.iter().map(|review| {
            json!({"state": if review.approved { "approved" } else { "rejected" }, "comment": review.comment,
                "user": self.links.person(review.by),
                "environments": [{"id": environment.id, "node_id": super::body::node("EN", environment.id),
                    "name": environment.name,
                    "url": format!("{}/environments/{}", self.links.repo(repo), environment.name),
                    "html_url": super::Links::web(repo), "created_at": stamp(clock, repo.created),
                    "updated_at": stamp(clock, repo.created)}]})
        });
        Value::Array(reviews.collect())
    }
}

fn workflow(repo: &Repo, name: &str) -> Option<Workflow> {
    [Workflow::Release, Workflow::Ci]
        .into_iter()
        .find(|known| workflow_file(*known) == name || repo.workflow_id(*known).to_string() == name)
}

fn wanted(asked: &Asked, repo: &Repo, run: &Run, clock: &Clock) -> bool {
    let is = |name: &str, value: &str| {
        let wanted = asked.parameter(name);
        wanted.is_empty() || wanted == value
    };
    let sha = repo.commit(run.commit).map(|commit| commit.sha.as_str());
    let status = run.status();
    is("branch", &run.branch)
        && is("event", run.event)
        && is("actor", run.actor.login)
        && is("head_sha", sha.unwrap_or_default())
        // The filter takes words of both columns.
        && (is("status", status.word()) || status.conclusion().is_some_and(|word| is("status", word)))
        && within(asked.parameter("created"), clock.stamp_at(run.created))
}

/// GitHub's way to write a range: `>=T`, `<T`, `A..B`, `*..B`, or a day.
fn within(range: &str, at: Timestamp) -> bool {
    let time = |text: &str| -> Option<Timestamp> {
        text.parse()
            .ok()
            .or_else(|| format!("{text}T00:00:00Z").parse().ok())
    };
    if let Some((from, to)) = range.split_once("..") {
        return (from == "*" || time(from).is_none_or(|from| at >= from))
            && (to == "*" || time(to).is_none_or(|to| at <= to));
    }
    let ordering = |text: &str| time(text).map(|than| at.cmp(&than));
    if let Some(text) = range.strip_prefix(">=") {
        return ordering(text).is_none_or(Ordering::is_ge);
    }
    if let Some(text) = range.strip_prefix("<=") {
        return ordering(text).is_none_or(Ordering::is_le);
    }
    if let Some(text) = range.strip_prefix('>') {
        return ordering(text).is_none_or(Ordering::is_gt);
    }
    if let Some(text) = range.strip_prefix('<') {
        return ordering(text).is_none_or(Ordering::is_lt);
    }
    range.is_empty() || at.to_string().starts_with(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn created_is_filtered_by_githubs_ranges() {
        let at: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        for range in [
            "",
            ">=2026-11-20",
            "<2026-11-20T10:00:01Z",
            "2026-11-19..2026-11-21",
            "*..2026-11-21",
            "2026-11-20",
        ] {
            assert!(within(range, at), "{range}");
        }
        for range in [
            ">2026-11-20T10:00:00Z",
            "<=2026-11-19",
            "2026-11-21..*",
            "2026-11-19",
        ] {
            assert!(!within(range, at), "{range}");
        }
    }
}
