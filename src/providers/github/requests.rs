//! What is asked and what is sent, as paths and bodies. Pure. Names from outside are encoded, so that none of them can
//! become another path.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::model::{
    pipeline::{Commit, Repository, RunId, percent},
    text::shell_quoted,
};

pub const JSON: &str = "application/vnd.github+json";

/// The largest page that GitHub gives.
const PAGE: u32 = 100;

/// One request that changes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    pub method: Method,
    pub path: String,
    pub body: Option<Value>,
    /// The same with GitHub's own tool, to copy.
    pub command: String,
}

impl Write {
    pub fn bytes(&self) -> Bytes {
        self.body
            .as_ref()
            .map_or_else(Bytes::new, |body| body.to_string().into())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Approve,
    Reject,
}

impl Decision {
    /// The vendor's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Reject => "rejected",
        }
    }
}

/// It names a run and environments, and neither an attempt nor a job: whatever attempt is current then is decided on,
/// with every job of it that waits for these environments.
pub fn review(run: &RunId, environment_ids: &[u64], decision: Decision, comment: &str) -> Write {
    let path = format!("{}/pending_deployments", run_path(run));
    let mut ids = String::new();
    for id in environment_ids {
        ids.push_str(&format!(" -F 'environment_ids[]={id}'"));
    }
    Write {
        command: format!(
            "gh api -X POST {}{ids} -f state={} -f comment={}",
            path.trim_start_matches('/'),
            decision.word(),
            shell_quoted(comment),
        ),
        method: Method::POST,
        path,
        // All three are required.
        body: Some(json!({
            "environment_ids": environment_ids,
            "state": decision.word(),
            "comment": comment,
        })),
    }
}

/// The whole run, on the same commit as before.
pub fn rerun(run: &RunId) -> Write {
    post(run, "rerun", Some(json!({})), "run rerun", "")
}

/// The failed jobs and what depends on them, on the same commit as before.
pub fn rerun_failed(run: &RunId) -> Write {
    let body = Some(json!({}));
    post(run, "rerun-failed-jobs", body, "run rerun", " --failed")
}

pub fn cancel(run: &RunId) -> Write {
    post(run, "cancel", None, "run cancel", "")
}

/// Without the steps that clean up: only where [`cancel`] did not help.
pub fn force_cancel(run: &RunId) -> Write {
    post(run, "force-cancel", None, "run cancel", " --force")
}

fn post(run: &RunId, what: &str, body: Option<Value>, verb: &str, more: &str) -> Write {
    Write {
        method: Method::POST,
        path: format!("{}/{what}", run_path(run)),
        body,
        command: format!("gh {verb} {} -R {}{more}", run.number, run.repository),
    }
}

fn repository_path(repository: &Repository) -> String {
    format!("/repos/{repository}")
}

fn run_path(run: &RunId) -> String {
    format!("/repos/{}/actions/runs/{}", run.repository, run.number)
}

pub fn run(run: &RunId) -> String {
    run_path(run)
}

/// Of one attempt: the other listing shows the newest one, whichever that is by then.
pub fn jobs(run: &RunId, attempt: u64) -> String {
    format!("{}/attempts/{attempt}/jobs?per_page={PAGE}", run_path(run))
}

pub fn pending_deployments(run: &RunId) -> String {
    format!("{}/pending_deployments", run_path(run))
}

pub fn approvals(run: &RunId) -> String {
    format!("{}/approvals", run_path(run))
}

/// The newest runs, of one workflow or of all.
pub fn runs(repository: &Repository, workflow: Option<&str>, count: u32) -> String {
    let of = workflow.map_or_else(String::new, |file| format!("/workflows/{}", percent(file)));
    format!(
        "{}/actions{of}/runs?exclude_pull_requests=true&per_page={count}",
        repository_path(repository)
    )
}

/// Runs that wait at a gate, however old.
pub fn waiting_runs(repository: &Repository, workflow: Option<&str>) -> String {
    format!("{}&status=waiting", runs(repository, workflow, PAGE))
}

pub fn job(repository: &Repository, job: u64) -> String {
    format!("{}/actions/jobs/{job}", repository_path(repository))
}

pub fn job_log(repository: &Repository, job: u64) -> String {
    format!("{}/actions/jobs/{job}/logs", repository_path(repository))
}

pub fn environments(repository: &Repository) -> String {
    format!(
        "{}/environments?per_page={PAGE}",
        repository_path(repository)
    )
}

pub fn deployments(repository: &Repository, environment: &str, count: u32) -> String {
    format!(
        "{}/deployments?environment={}&per_page={count}",
        repository_path(repository),
        percent(environment)
    )
}

pub fn deployment_statuses(repository: &Repository, deployment: u64) -> String {
    format!(
        "{}/deployments/{deployment}/statuses?per_page={PAGE}",
        repository_path(repository)
    )
}

pub fn compare(repository: &Repository, from: &Commit, to: &Commit) -> String {
    format!(
        "{}/compare/{from}...{to}?per_page={PAGE}",
        repository_path(repository)
    )
}

pub const USER: &str = "/user";
pub const VERSIONS: &str = "/versions";

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> RunId {
        RunId {
            repository: Repository::new("Acme/checkout").expect("a repository"),
            number: 30_433_642_000,
        }
    }

    #[test]
    fn a_decision_names_the_run_the_environments_and_the_reason() {
        let write = review(&id(), &[161, 7], Decision::Approve, "Ship it, it's fine");
        assert_eq!(write.method, Method::POST);
        assert_eq!(
            write.path,
            "/repos/acme/checkout/actions/runs/30433642000/pending_deployments"
        );
        assert_eq!(
            write.body,
            Some(
                json!({"environment_ids": [161, 7], "state": "approved", "comment": "Ship it, it's fine"})
            )
        );
        assert_eq!(
            write.command,
            "gh api -X POST repos/acme/checkout/actions/runs/30433642000/pending_deployments \
             -F 'environment_ids[]=161' -F 'environment_ids[]=7' -f state=approved -f comment='Ship it, it'\\''s fine'"
        );
        let write = review(&id(), &[1], Decision::Reject, "");
        assert_eq!(write.body.expect("a body")["state"], "rejected");
    }

    #[test]
    fn names_from_outside_stay_one_part_of_a_path() {
        let repository = Repository::new("acme/checkout").expect("a repository");
        assert_eq!(
            deployments(&repository, "prod eu/west&x", 30),
            "/repos/acme/checkout/deployments?environment=prod%20eu%2Fwest%26x&per_page=30"
        );
        assert_eq!(
            runs(&repository, Some("a/../b.yml?x"), 20),
            "/repos/acme/checkout/actions/workflows/a%2F..%2Fb.yml%3Fx/runs?exclude_pull_requests=true&per_page=20"
        );
    }

    #[test]
    fn a_cancel_has_no_body_and_its_command_is_ghs_own() {
        assert!(cancel(&id()).bytes().is_empty());
        assert_eq!(
            cancel(&id()).command,
            "gh run cancel 30433642000 -R acme/checkout"
        );
        assert!(force_cancel(&id()).path.ends_with("/force-cancel"));
        assert!(rerun_failed(&id()).command.ends_with(" --failed"));
        assert_eq!(rerun(&id()).bytes(), "{}");
    }
}
