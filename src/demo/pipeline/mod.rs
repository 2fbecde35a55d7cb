//! The pipelines of the demo's shop: repositories, their runs, and the gates before the environment.
//!
//! A run moves when the scheduler looks at it, in the past that is played as in the present. Must never poll: a stage
//! that waits for a rollout is looked at when the rollout changed.

mod act;
mod deploy;
mod history;
mod people;
mod play;
mod stage;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

pub(super) use act::{NotAgain, cancel, rerun, review};
pub(super) use history::{Commit, History, number, sha};
pub(super) use people::{ACTIONS, Person, YOU};
pub(super) use play::{begin, lead, look, noted_ci, until_gate};
pub(super) use stage::Stage;

use super::clock::Moment;
use super::store::Key;

/// Which run of which repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct RunRef {
    repo: usize,
    run: usize,
}

/// What gets an id.
#[derive(Clone, Copy, Debug)]
enum Family {
    Run,
    Job,
    /// And its statuses.
    Deployment,
}

#[derive(Debug, Default)]
pub(super) struct Pipelines {
    repos: Vec<Repo>,
    /// Runs that wait for what becomes of a workload.
    watching: HashMap<Key, Vec<RunRef>>,
    issued: u64,
}

/// A repository with everything that hangs on it.
#[derive(Debug)]
pub(super) struct Repo {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) created: Moment,
    pub(super) environment: Environment,
    pub(super) history: History,
    /// Oldest first.
    pub(super) runs: Vec<Run>,
    /// Oldest first.
    pub(super) deployments: Vec<Deployment>,
    /// What it deploys to.
    workload: Key,
    /// The pod template of each version.
    templates: BTreeMap<String, Value>,
}

#[derive(Debug)]
pub(super) struct Environment {
    pub(super) id: u64,
    pub(super) name: String,
    /// Somebody has to approve.
    pub(super) gated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Workflow {
    Release,
    Ci,
}

#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: u64,
    pub(super) workflow: Workflow,
    /// Counted per workflow.
    pub(super) number: usize,
    pub(super) event: &'static str,
    /// The tag's name, where a tag started it.
    pub(super) branch: String,
    pub(super) commit: usize,
    pub(super) actor: &'static Person,
    pub(super) created: Moment,
    pub(super) updated: Moment,
    pub(super) attempts: Vec<Attempt>,
    pub(super) reviews: Vec<Review>,
    /// The story's own moment of deployment: the first attempt is only told, and releases nothing itself.
    told: Option<Moment>,
    cancels: Option<Moment>,
}

#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) number: usize,
    pub(super) started: Moment,
    pub(super) by: &'static Person,
    pub(super) jobs: Vec<Job>,
}

#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) id: u64,
    pub(super) stage: Stage,
    pub(super) created: Moment,
    pub(super) state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Until a runner takes it.
    Queued { due: Moment },
    /// At the gate of its environment.
    Waiting,
    /// Without an end where something else ends it.
    Running {
        since: Moment,
        until: Option<Moment>,
    },
    /// Without a beginning where no runner ever took it.
    Ended {
        since: Option<Moment>,
        at: Moment,
        conclusion: Conclusion,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conclusion {
    Success,
    Failure,
    Cancelled,
}

impl Conclusion {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Where a run or a job is, as GitHub words it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Queued,
    Waiting,
    InProgress,
    Completed(Conclusion),
}

impl Status {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Waiting => "waiting",
            Self::InProgress => "in_progress",
            Self::Completed(_) => "completed",
        }
    }

    pub(super) fn conclusion(self) -> Option<&'static str> {
        match self {
            Self::Completed(conclusion) => Some(conclusion.word()),
            _ => None,
        }
    }
}

#[derive(Debug)]
pub(super) struct Review {
    pub(super) approved: bool,
    pub(super) comment: String,
    pub(super) by: &'static Person,
}

#[derive(Debug)]
pub(super) struct Deployment {
    pub(super) id: u64,
    pub(super) commit: usize,
    /// What was deployed, by name.
    pub(super) of: String,
    pub(super) run: u64,
    pub(super) job: u64,
    pub(super) created: Moment,
    /// Oldest first.
    pub(super) statuses: Vec<(u64, &'static str, Moment)>,
}

impl Job {
    pub(super) fn status(&self) -> Status {
        match self.state {
            State::Queued { .. } => Status::Queued,
            State::Waiting => Status::Waiting,
            State::Running { .. } => Status::InProgress,
            State::Ended { conclusion, .. } => Status::Completed(conclusion),
        }
    }
}

impl Attempt {
    /// Stages follow each other, so the last job says where the attempt is.
    pub(super) fn status(&self, workflow: Workflow) -> Status {
        match self.jobs.last() {
            None => Status::Queued,
            Some(job) => match job.status() {
                Status::Completed(Conclusion::Success)
                    if Stage::after(workflow, Some(job.stage)).is_some() =>
                {
                    Status::InProgress
                }
                status => status,
            },
        }
    }
}

impl Run {
    pub(super) fn latest(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    pub(super) fn status(&self) -> Status {
        self.latest()
            .map_or(Status::Queued, |attempt| attempt.status(self.workflow))
    }
}

impl Repo {
    pub(super) fn run(&self, id: u64) -> Option<&Run> {
        self.runs.iter().find(|run| run.id == id)
    }

    pub(super) fn commit(&self, place: usize) -> Option<&Commit> {
        self.history.commits.get(place)
    }

    pub(super) fn workflow_id(&self, workflow: Workflow) -> u64 {
        match workflow {
            Workflow::Release => self.id / 5 + 17,
            Workflow::Ci => self.id / 5 + 18,
        }
    }
}

/// What a repository is made from.
#[derive(Debug)]
pub(super) struct Founding<'a> {
    pub(super) name: &'a str,
    pub(super) environment: &'a str,
    pub(super) gated: bool,
    pub(super) workload: Key,
    /// Oldest first, with the moment of each tag.
    pub(super) versions: &'a [(String, Moment)],
    /// One of its commits attacks the terminal.
    pub(super) hostile: bool,
}

impl Pipelines {
    pub(super) fn found(&mut self, founding: &Founding<'_>) {
        let drawn = number(founding.name);
        let history = History::write(founding.name, founding.versions, founding.hostile);
        let created = history
            .commits
            .first()
            .map_or(Moment::OPENING, |commit| commit.at);
        self.repos.push(Repo {
            id: 610_000_000 + drawn % 90_000_000,
            name: founding.name.to_owned(),
            created,
            environment: Environment {
                id: 6_100_000_000 + drawn % 700_000_000,
                name: founding.environment.to_owned(),
                gated: founding.gated,
            },
            history,
            runs: Vec::new(),
            deployments: Vec::new(),
            workload: founding.workload.clone(),
            templates: BTreeMap::new(),
        });
    }

    /// Keeps what a version is, so that it can be deployed again.
    pub(super) fn keep_template(&mut self, name: &str, version: &str, template: Value) {
        if let Some(repo) = self.repos.iter_mut().find(|repo| repo.name == name) {
            repo.templates.insert(version.to_owned(), template);
        }
    }

    /// Names of repositories are compared without regard to case, as GitHub does.
    pub(super) fn repo(&self, name: &str) -> Option<&Repo> {
        self.repos
            .iter()
            .find(|repo| repo.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn repo_by_id(&self, id: u64) -> Option<&Repo> {
        self.repos.iter().find(|repo| repo.id == id)
    }

    pub(super) fn find(&self, name: &str, run: u64) -> Option<RunRef> {
        let repo = self.repos.iter().position(|repo| repo.name == name)?;
        let run = self
            .repos
            .get(repo)?
            .runs
            .iter()
            .position(|known| known.id == run)?;
        Some(RunRef { repo, run })
    }

    /// The runs that want to know when this object changes.
    pub(super) fn watching(&self, key: &Key) -> Vec<RunRef> {
        self.watching.get(key).cloned().unwrap_or_default()
    }

    fn run(&self, at: RunRef) -> Option<(&Repo, &Run)> {
        let repo = self.repos.get(at.repo)?;
        Some((repo, repo.runs.get(at.run)?))
    }

    fn run_mut(&mut self, at: RunRef) -> Option<&mut Run> {
        self.repos.get_mut(at.repo)?.runs.get_mut(at.run)
    }

    /// Ids grow with time, and most of GitHub's no longer fit into 32 bits.
    fn issue(&mut self, family: Family) -> u64 {
        self.issued += 1;
        let first = match family {
            Family::Run => 19_400_000_000,
            Family::Job => 55_200_000_000,
            Family::Deployment => 5_300_000_000,
        };
        first + self.issued * 131
    }
}
