//! What a CI host is asked for: which repositories, whose runs, how closely. Owns the wishes and how two of them are one;
//! knows nothing of when they are granted.

use std::collections::BTreeSet;

use super::{Commit, Repository};
use crate::model::id::EnvironmentName;

/// Whose runs matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Workflows {
    All,
    /// By the name of the file. Never empty.
    Only(BTreeSet<String>),
}

impl Workflows {
    /// `None`: any.
    pub fn of(file: Option<&str>) -> Self {
        file.map_or(Self::All, |file| {
            Self::Only(BTreeSet::from([file.to_owned()]))
        })
    }

    /// Those of either.
    pub fn join(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Only(ours), Self::Only(theirs)) => ours.extend(theirs.iter().cloned()),
            (Self::All, _) => {}
            (Self::Only(_), Self::All) => *self = Self::All,
        }
    }
}

/// A wish to know: which repository, which workflows' runs matter, and how closely it is looked at. One for each
/// repository, however many services are built from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryWanted {
    pub repository: Repository,
    /// The workflows that release.
    pub workflows: Workflows,
    pub attention: Attention,
    /// Our environments by the host's names.
    pub environments: Vec<(String, EnvironmentName)>,
    /// Commits that somebody wants to see between: the version that serves, and the one that is to.
    pub compare: Vec<(Commit, Commit)>,
}

impl RepositoryWanted {
    /// What either of two wishes about the same repository asks for.
    pub fn join(&mut self, other: &Self) {
        self.workflows.join(&other.workflows);
        self.attention = self.attention.max(other.attention);
        for pair in &other.environments {
            if !self.environments.contains(pair) {
                self.environments.push(pair.clone());
            }
        }
        for pair in &other.compare {
            if !self.compare.contains(pair) {
                self.compare.push(pair.clone());
            }
        }
    }
}

/// How often a repository is worth asking for; more comes later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attention {
    #[default]
    Quiet,
    /// A release or a run of it is under way.
    Moving,
    /// Somebody has it before their eyes.
    LookedAt,
}
