//! The commits of a repository, from its versions.
//!
//! A pure function of names and times: the same version has the same commit in every world. Must never depend on the
//! cluster's chance, or names of pods would change with the number of commits.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::people::{self, Person};
use crate::demo::clock::Moment;

#[derive(Debug)]
pub(in crate::demo) struct Commit {
    pub(in crate::demo) sha: String,
    pub(in crate::demo) parent: Option<usize>,
    pub(in crate::demo) message: String,
    pub(in crate::demo) author: &'static Person,
    pub(in crate::demo) at: Moment,
}

#[derive(Debug)]
pub(in crate::demo) struct Tag {
    pub(in crate::demo) name: String,
    pub(in crate::demo) commit: usize,
}

#[derive(Debug, Default)]
pub(in crate::demo) struct History {
    pub(in crate::demo) commits: Vec<Commit>,
    /// Oldest first.
    pub(in crate::demo) tags: Vec<Tag>,
    /// The default branch is called `main`.
    pub(in crate::demo) branches: Vec<(String, usize)>,
}

/// What lies between two commits.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::demo) struct Difference {
    pub(in crate::demo) merge_base: usize,
    /// Oldest first.
    pub(in crate::demo) ahead: Vec<usize>,
    pub(in crate::demo) behind: usize,
}

/// The commit of a version, forty digits.
pub(in crate::demo) fn sha(repository: &str, version: &str) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(format!("acme/{repository}@{version}"))
        .iter()
        .take(20)
    {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A number that belongs to a text.
pub(in crate::demo) fn number(text: &str) -> u64 {
    Sha256::digest(text)
        .iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

impl History {
    /// Of versions, oldest first, with the time at which each was tagged.
    pub(super) fn write(repository: &str, versions: &[(String, Moment)], hostile: bool) -> Self {
        let mut history = Self::default();
        let mut drawn = number(repository);
        let mut since = None;
        for (place, (version, tagged)) in versions.iter().enumerate() {
            if history.find(version).is_some() {
                continue;
            }
            let count = 3 + number(&format!("{repository}{version}")) % 5;
            let from = since.unwrap_or_else(|| tagged.before(Duration::from_secs(3 * 86_400)));
            let span = u64::try_from(tagged.micros() - from.micros()).unwrap_or(0);
            for step in 1..=count {
                let at = from.after(Duration::from_micros(span / (count + 1) * step));
                let last = place + 1 == versions.len();
                drawn += 1;
                if hostile && last && step == 2 {
                    history.push(repository, people::HOSTILE, drawn, at);
                } else {
                    let title = people::title(drawn.wrapping_mul(7));
                    let text = format!("{title} (#{})", 400 + drawn % 4000);
                    history.push(repository, &text, drawn, at);
                }
            }
            history.push(repository, &format!("release: {version}"), drawn, *tagged);
            let commit = history.commits.len().saturating_sub(1);
            if let Some(last) = history.commits.last_mut() {
                last.sha = sha(repository, version);
            }
            history.tags.push(Tag {
                name: version.clone(),
                commit,
            });
            since = Some(*tagged);
        }
        let main = history.commits.len().saturating_sub(1);
        history.branches.push(("main".to_owned(), main));
        history
    }

    /// One commit on a branch of its own, from a commit of the default branch.
    pub(super) fn branch_off(
        &mut self,
        repository: &str,
        name: &str,
        parent: usize,
        at: Moment,
    ) -> usize {
        let drawn = number(&format!("{repository}{name}"));
        self.push(repository, people::title(drawn), drawn, at);
        let commit = self.commits.len().saturating_sub(1);
        if let Some(last) = self.commits.last_mut() {
            last.parent = Some(parent);
            last.sha = sha(repository, name);
        }
        self.branches.push((name.to_owned(), commit));
        commit
    }

    fn push(&mut self, repository: &str, message: &str, drawn: u64, at: Moment) {
        let place = self.commits.len();
        self.commits.push(Commit {
            sha: sha(repository, &format!("{place} {message}")),
            parent: place.checked_sub(1),
            message: message.to_owned(),
            author: people::author_of(message, drawn),
            at,
        });
    }

    /// By tag, branch, or the beginning of a sha that is long enough to be one.
    pub(in crate::demo) fn find(&self, name: &str) -> Option<usize> {
        let name = name
            .strip_prefix("tags/")
            .or_else(|| name.strip_prefix("heads/"))
            .unwrap_or(name);
        let tag = self.tags.iter().find(|tag| tag.name == name);
        let branch = || self.branches.iter().find(|(branch, _)| branch == name);
        let by_sha = || {
            self.commits
                .iter()
                .position(|commit| name.len() >= 7 && commit.sha.starts_with(name))
        };
        tag.map(|tag| tag.commit)
            .or_else(|| branch().map(|(_, commit)| *commit))
            .or_else(by_sha)
    }

    pub(in crate::demo) fn compare(&self, base: usize, head: usize) -> Option<Difference> {
        let behind_of = self.ancestry(base);
        let known: HashSet<usize> = behind_of.iter().copied().collect();
        let line = self.ancestry(head);
        let split = line.iter().position(|commit| known.contains(commit))?;
        let merge_base = *line.get(split)?;
        let behind = behind_of.iter().position(|commit| *commit == merge_base)?;
        let mut ahead: Vec<usize> = line.into_iter().take(split).collect();
        ahead.reverse();
        Some(Difference {
            merge_base,
            ahead,
            behind,
        })
    }

    fn ancestry(&self, from: usize) -> Vec<usize> {
        std::iter::successors(Some(from), |place| self.commits.get(*place)?.parent).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> History {
        let at = |hours: u64| Moment::OPENING.before(Duration::from_secs(hours * 3600));
        let versions = [("v1.0.0".to_owned(), at(50)), ("v1.1.0".to_owned(), at(2))];
        let mut history = History::write("checkout", &versions, true);
        let first = history.find("v1.0.0").unwrap();
        history.branch_off("checkout", "feature/x", first, at(1));
        history
    }

    #[test]
    fn a_version_has_the_same_commit_in_every_world() {
        let history = history();
        let commit = &history.commits[history.find("v1.1.0").unwrap()];
        assert_eq!(commit.sha, sha("checkout", "v1.1.0"));
        assert_eq!(commit.sha.len(), 40);
        assert_ne!(commit.sha, sha("cart", "v1.1.0"));
        assert!(
            history
                .commits
                .iter()
                .any(|commit| commit.message.contains('\u{1b}'))
        );
    }

    #[test]
    fn comparing_says_ahead_behind_diverged_and_identical() {
        let history = history();
        let find = |name: &str| history.find(name).unwrap();
        let forward = history.compare(find("v1.0.0"), find("v1.1.0")).unwrap();
        assert!(forward.ahead.len() > 3 && forward.behind == 0);
        assert_eq!(forward.ahead.last(), Some(&find("main")));
        let back = history.compare(find("v1.1.0"), find("v1.0.0")).unwrap();
        assert_eq!((back.ahead.len(), back.behind), (0, forward.ahead.len()));
        let apart = history.compare(find("main"), find("feature/x")).unwrap();
        assert_eq!(apart.ahead.len(), 1);
        assert_eq!(apart.merge_base, find("v1.0.0"));
        assert!(apart.behind > 0);
    }
}
