//! Environments and deployments: which version is where.
//!
//! Must never give a deployment a state of its own: GitHub has none, the newest status is it.

use serde_json::{Value, json};

use super::{Asked, GitHub, Reply, linked, not_found, of_id, page};
use crate::demo::clock::Clock;
use crate::demo::pipeline::{Deployment, Repo};

impl GitHub {
    pub(super) fn environments(&self, asked: &Asked, repo: &Repo, clock: &Clock) -> Reply {
        self.counted(asked, repo, "environments", &[()], |()| {
            self.links.environment(repo, clock)
        })
    }

    pub(super) fn deployments(&self, asked: &Asked, repo: &Repo, clock: &Clock) -> Reply {
        let is = |name: &str, value: &str| {
            let wanted = asked.parameter(name);
            wanted.is_empty() || wanted == "none" || wanted == value
        };
        let mut found: Vec<&Deployment> = repo
            .deployments
            .iter()
            .filter(|deployment| {
                let sha = repo
                    .commit(deployment.commit)
                    .map(|commit| commit.sha.as_str());
                is("environment", &repo.environment.name)
                    && is("task", "deploy")
                    && is("ref", &deployment.of)
                    && is("sha", sha.unwrap_or_default())
            })
            .collect();
        found.sort_by_key(|deployment| std::cmp::Reverse((deployment.created, deployment.id)));
        self.plain(asked, repo, &found, |deployment| {
            self.links.deployment(repo, deployment, clock)
        })
    }

    pub(super) fn statuses(&self, asked: &Asked, repo: &Repo, id: &str, clock: &Clock) -> Reply {
        let find = |id| {
            repo.deployments
                .iter()
                .find(|deployment| deployment.id == id)
        };
        let Some(deployment) = of_id(id, find) else {
            return not_found();
        };
        let newest_first: Vec<_> = deployment.statuses.iter().rev().copied().collect();
        self.plain(asked, repo, &newest_first, |status| {
            self.links.status(repo, deployment, *status, clock)
        })
    }

    /// A list without its length, as everything but Actions has it.
    pub(super) fn plain<T>(
        &self,
        asked: &Asked,
        repo: &Repo,
        items: &[T],
        show: impl Fn(&T) -> Value,
    ) -> Reply {
        let (shown, links) = page(&self.links, asked, repo, items, show);
        linked(Reply::json(200, &json!(shown)), &links)
    }
}
