//! Commits, comparisons, tags and releases.
//!
//! Must never sort by version: GitHub lists tags by name downwards and releases by their commit's time.

use serde_json::json;

use super::body::{Links, node};
use super::{Asked, GitHub, Reply, linked, not_found, page};
use crate::demo::clock::Clock;
use crate::demo::pipeline::{Commit, Repo, number};

/// What a name means by now: the default branch ends where it has come to, and a tag is not there before its time.
fn found(repo: &Repo, name: &str, clock: &Clock) -> Option<usize> {
    let place = repo.history.find(name)?;
    let is_there = |place: &usize| {
        repo.commit(*place)
            .is_some_and(|commit| is_past(commit, clock))
    };
    if is_there(&place) {
        return Some(place);
    }
    let mut line = std::iter::successors(Some(place), |place| repo.commit(*place)?.parent);
    line.find(is_there).filter(|_| name.ends_with("main"))
}

/// A story may tell of commits that are still to be made.
fn is_past(commit: &Commit, clock: &Clock) -> bool {
    commit.at <= clock.now()
}

impl GitHub {
    pub(super) fn commit(&self, repo: &Repo, name: &str, clock: &Clock) -> Reply {
        match found(repo, name, clock).and_then(|place| repo.commit(place)) {
            Some(commit) => Reply::json(200, &self.links.commit(repo, commit, clock)),
            None => super::problem(422, &format!("No commit found for SHA: {name}")),
        }
    }

    pub(super) fn commits(&self, asked: &Asked, repo: &Repo, clock: &Clock) -> Reply {
        let from = match asked.parameter("sha") {
            "" => "main",
            named => named,
        };
        let Some(head) = found(repo, from, clock) else {
            return not_found();
        };
        let line = std::iter::successors(Some(head), |place| repo.commit(*place)?.parent);
        let line: Vec<&Commit> = line.filter_map(|place| repo.commit(place)).collect();
        self.plain(asked, repo, &line, |commit| {
            self.links.commit(repo, commit, clock)
        })
    }

    pub(super) fn compare(&self, asked: &Asked, repo: &Repo, range: &str, clock: &Clock) -> Reply {
        let ends = range
            .split_once("...")
            .and_then(|(base, head)| Some((found(repo, base, clock)?, found(repo, head, clock)?)));
        let compared = ends.and_then(|(base, head)| {
            let difference = repo.history.compare(base, head)?;
            let merge_base = repo.commit(difference.merge_base)?;
            Some((difference, repo.commit(base)?, merge_base))
        });
        let Some((difference, base, merge_base)) = compared else {
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

    pub(super) fn tags(&self, asked: &Asked, repo: &Repo, clock: &Clock) -> Reply {
        let mut tags: Vec<(&str, &Commit)> = repo
            .history
            .tags
            .iter()
            .filter_map(|tag| Some((tag.name.as_str(), repo.commit(tag.commit)?)))
            .filter(|(_, commit)| is_past(commit, clock))
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
        let tags = repo.history.tags.iter().rev();
        let newest_first: Vec<_> = tags
            .filter(|tag| found(repo, &tag.name, clock).is_some())
            .collect();
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
        let tags = repo.history.tags.iter().rev();
        let mut known = tags.filter(|tag| found(repo, &tag.name, clock).is_some());
        let tag = match tag {
            Some(name) => known.find(|known| known.name == name),
            None => known.next(),
        };
        let shown = tag.and_then(|tag| {
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
