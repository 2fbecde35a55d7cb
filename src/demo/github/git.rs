//! Commits, comparisons, tags and releases.
//!
//! Must never sort by version: GitHub lists tags by name downwards and releases by their commit's time.

use serde_json::json;

use super::body::{Links, node};
use super::{Asked, GitHub, Reply, linked, not_found, page};
use crate::demo::clock::Clock;
use crate::demo::pipeline::{Commit, Repo, number};

impl GitHub {
    pub(super) fn commit(&self, repo: &Repo, name: &str, clock: &Clock) -> Reply {
        match repo.history.find(name).and_then(|place| repo.commit(place)) {
            Some(commit) => Reply::json(200, &self.links.commit(repo, commit, clock)),
            None => super::problem(422, &format!("No commit found for SHA: {name}")),
        }
    }

    pub(super) fn commits(&self, asked: &Asked, repo: &Repo, clock: &Clock) -> Reply {
        let from = match asked.parameter("sha") {
            "" => "main",
            named => named,
        };
        let Some(head) = repo.history.find(from) else {
            return not_found();
        };
        let line = std::iter::successors(Some(head), |place| repo.commit(*place)?.parent);
        let found: Vec<&Commit> = line.filter_map(|place| repo.commit(place)).collect();
        self.plain(asked, repo, &found, |commit| {
            self.links.commit(repo, commit, clock)
        })
    }

    pub(super) fn compare(&self, asked: &Asked, repo: &Repo, range: &str, clock: &Clock) -> Reply {
        let ends = range
            .split_once("...")
            .and_then(|(base, head)| Some((repo.history.find(base)?, repo.history.find(head)?)));
        let found = ends.and_then(|(base, head)| {
            let difference = repo.history.compare(base, head)?;
            let merge_base = repo.commit(difference.merge_base)?;
            Some((difference, repo.commit(base)?, merge_base))
        });
        let Some((difference, base, merge_base)) = found else {
            return not_found();
        };
        let (ahead, behind) = (difference.ahead.len(), difference.behind);
        let status = match (ahead, behind) {
            (0, 0) => "identical",
            (_, 0) => "ahead",
            (0, _) => "behind",
            _ => "diverged",
        };
        let commits: Vec<&Commit> = difference
            .ahead
            .iter()
            .filter_map(|place| repo.commit(*place))
            .collect();
        let show = |commit: &&Commit| self.links.commit(repo, commit, clock);
        let (shown, links) = page(&self.links, asked, repo, &commits, show);
        let web = format!("{}/compare/{range}", Links::web(repo));
        let body = json!({"url": format!("{}/compare/{range}", self.links.repo(repo)), "html_url": web,
            "permalink_url": web, "diff_url": format!("{web}.diff"), "patch_url": format!("{web}.patch"),
            "base_commit": self.links.commit(repo, base, clock),
            "merge_base_commit": self.links.commit(repo, merge_base, clock), "status": status, "ahead_by": ahead,
            "behind_by": behind, "total_commits": ahead, "commits": shown, "files": []});
        linked(Reply::json(200, &body), &links)
    }

    pub(super) fn tags(&self, asked: &Asked, repo: &Repo) -> Reply {
        let mut tags: Vec<(&str, &Commit)> = repo
            .history
            .tags
            .iter()
            .filter_map(|tag| Some((tag.name.as_str(), repo.commit(tag.commit)?)))
            .collect();
        tags.sort_by(|(one, _), (other, _)| other.cmp(one));
        let api = self.links.repo(repo);
        self.plain(asked, repo, &tags, |(name, commit)| {
            json!({"name": name, "zipball_url": format!("{api}/zipball/refs/tags/{name}"),
                "tarball_url": format!("{api}/tarball/refs/tags/{name}"), "node_id": node("REF", number(name) >> 20),
                "commit": {"sha": commit.sha, "url": format!("{api}/commits/{}", commit.sha)}})
        })
    }

    pub(super) fn releases(&self, asked: &Asked, repo: &Repo, clock: &Clock) -> Reply {
        let newest_first: Vec<_> = repo.history.tags.iter().rev().collect();
        self.plain(asked, repo, &newest_first, |tag| {
            repo.commit(tag.commit)
                .map(|commit| {
                    self.links
                        .release(repo, &tag.name, commit, release_id(repo, &tag.name), clock)
                })
                .unwrap_or_default()
        })
    }

    /// The newest, or that of a tag.
    pub(super) fn release(&self, repo: &Repo, tag: Option<&str>, clock: &Clock) -> Reply {
        let tags = &repo.history.tags;
        let found = match tag {
            Some(name) => tags.iter().find(|known| known.name == name),
            None => tags.last(),
        };
        let shown = found.and_then(|tag| {
            let commit = repo.commit(tag.commit)?;
            Some(
                self.links
                    .release(repo, &tag.name, commit, release_id(repo, &tag.name), clock),
            )
        });
        match shown {
            Some(release) => Reply::json(200, &release),
            None => not_found(),
        }
    }
}

fn release_id(repo: &Repo, tag: &str) -> u64 {
    200_000_000 + number(&format!("{}{tag}", repo.name)) % 90_000_000
}
