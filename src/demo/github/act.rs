//! What is done to runs: approved, rejected, cancelled, run again.
//!
//! Answers are GitHub's: accepted is said at once, what comes of it is seen in the run. Must never wait for it.

use serde_json::{Value, json};

use super::{Asked, GitHub, Reply, not_found, of_id, problem};
use crate::demo::cluster::Cluster;
use crate::demo::pipeline::{self, NotAgain, RunRef};

impl GitHub {
    pub(super) fn act(
        &self,
        cluster: &mut Cluster,
        asked: &Asked,
        repo: &str,
        rest: &[&str],
    ) -> Reply {
        let ["actions", "runs", id, verb] = rest else {
            return not_found();
        };
        let Some(at) = of_id(id, |id| cluster.pipelines.find(repo, id)) else {
            return not_found();
        };
        match *verb {
            "pending_deployments" => self.review(cluster, asked, repo, id, at),
            "cancel" | "force-cancel" => {
                if pipeline::cancel(cluster, at) {
                    Reply::json(202, &json!({}))
                } else {
                    problem(409, "Cannot cancel a workflow run that is completed.")
                }
            }
            "rerun" => again(pipeline::rerun(cluster, at, false)),
            "rerun-failed-jobs" => again(pipeline::rerun(cluster, at, true)),
            _ => not_found(),
        }
    }

    /// By run and environment: neither an attempt nor a job can be named.
    fn review(
        &self,
        cluster: &mut Cluster,
        asked: &Asked,
        name: &str,
        id: &str,
        at: RunRef,
    ) -> Reply {
        let body = asked.json().unwrap_or_default();
        let ids: Option<Vec<u64>> = body
            .get("environment_ids")
            .and_then(Value::as_array)
            .map(|ids| ids.iter().filter_map(Value::as_u64).collect());
        let state = body.get("state").and_then(Value::as_str);
        let comment = body.get("comment").and_then(Value::as_str);
        let (Some(ids), Some(state @ ("approved" | "rejected")), Some(comment)) =
            (ids, state, comment)
        else {
            return invalid(
                "Invalid request.\n\n\"environment_ids\", \"state\" and \"comment\" are required.",
            );
        };
        let Some(environment) = cluster.pipelines.repo(name).map(|repo| repo.environment.id) else {
            return not_found();
        };
        if !ids.contains(&environment)
            || !pipeline::review(cluster, at, state == "approved", comment)
        {
            return invalid("No pending deployment requests to approve or reject");
        }
        let Some(repo) = cluster.pipelines.repo(name) else {
            return not_found();
        };
        let deployment = of_id(id, |id| {
            repo.deployments
                .iter()
                .rfind(|deployment| deployment.run == id)
        });
        let shown: Vec<Value> = deployment
            .map(|deployment| self.links.deployment(repo, deployment, &cluster.clock))
            .into_iter()
            .collect();
        Reply::json(200, &Value::Array(shown))
    }
}

fn invalid(message: &str) -> Reply {
    problem(422, message)
}

fn again(result: Result<(), NotAgain>) -> Reply {
    match result {
        Ok(()) => Reply::json(201, &json!({})),
        Err(NotAgain::Running) => problem(403, "This workflow is already running"),
        Err(NotAgain::NothingFailed) => {
            problem(403, "This workflow run cannot be retried: no jobs failed")
        }
        Err(NotAgain::TooOld) => problem(
            403,
            "Unable to retry this workflow run because it was created over a month ago",
        ),
        Err(NotAgain::TooOften) => problem(403, "This workflow run was run again too often"),
    }
}
