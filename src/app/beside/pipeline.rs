//! The pipeline of a release: which run built its version, which one is on its way, which gates wait.

use std::sync::Arc;

use jiff::Timestamp;

use super::Beside;
use crate::{
    app::{
        releases::{Lift, LiftedBy, Releases},
        services::{Joined, PipelineRule, commit_of},
    },
    model::{
        id::{EnvironmentName, ReleaseId},
        pipeline::{Commit, Conclusion, Gate, GateId, Repository, RepositoryFacts, Run, RunPhase},
        release::{Release, tag_of},
        source::SourceState,
        text::Safe,
    },
};

/// What is known of a release's pipeline.
#[derive(Clone, Debug)]
pub struct Pipeline<'a> {
    pub rule: PipelineRule,
    pub because: String,
    pub state: PipelineState<'a>,
}

#[derive(Clone, Debug)]
pub enum PipelineState<'a> {
    /// Nothing was told of the repository yet.
    Waiting,
    /// Nothing was ever told of it, and why.
    Failed { state: SourceState, why: &'a Safe },
    /// Told, and it has no run of that workflow.
    NoRun { facts: &'a Arc<RepositoryFacts> },
    Here {
        facts: &'a Arc<RepositoryFacts>,
        /// The run of the release's version, or the newest one.
        run: &'a Arc<Run>,
        certainty: Certainty,
        /// A newer run that has not ended: the next version on its way. Or the newest of all, where it ended badly or was
        /// cancelled: it released nothing, and without it a failed pipeline could be neither seen nor run again.
        next: Option<&'a Arc<Run>>,
        /// Reading it fails now: what is shown is as old as it says.
        failing: Option<(SourceState, &'a Safe)>,
    },
}

/// Why this run is taken for the one that made the version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// Of exactly its commit: where the commit is written.
    Commit(String),
    /// Of exactly the tag that its image has.
    Tag,
    /// Nothing says so: it is the newest of the workflow.
    Newest,
}

impl Certainty {
    pub fn words(&self) -> String {
        match self {
            Self::Commit(because) => format!("its commit is {because}"),
            Self::Tag => "its tag is the tag of the image".to_owned(),
            Self::Newest => "the newest run; nothing says that it made this version".to_owned(),
        }
    }
}

/// A gate that waits for a human.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingGate {
    pub id: GateId,
    /// Ours, or under its own name where none of ours is it.
    pub environment: EnvironmentName,
    pub known_environment: bool,
    pub gate: Gate,
    pub run: Arc<Run>,
    pub since: Option<Timestamp>,
    /// Whose pipeline it holds; empty: it is joined to nothing.
    pub releases: Vec<ReleaseId>,
    pub read_at: Timestamp,
}

fn is_of(run: &Run, rule: &PipelineRule) -> bool {
    rule.workflow.as_deref().is_none_or(|wanted| {
        run.workflow_file.as_deref() == Some(wanted) || &*run.workflow == wanted
    })
}

/// Newer by when it was caused; a run again keeps its place.
fn is_newer(run: &Run, than: &Run) -> bool {
    (run.created, run.id.number) > (than.created, than.id.number)
}

/// It ended and did not do what it was for.
fn has_failed(phase: &RunPhase) -> bool {
    phase.is_bad() || matches!(phase, RunPhase::Ended(Conclusion::Cancelled))
}

/// Where no workflow is named, the checks of every branch are runs of the repository too: of those a failure says nothing
/// about the release.
fn is_alike(run: &Run, other: &Run) -> bool {
    run.workflow_file == other.workflow_file
        && run.workflow == other.workflow
        && run.event == other.event
}

impl Beside {
    pub fn pipeline(&self, release: &Release) -> Option<Pipeline<'_>> {
        let Joined { to: rule, because } = self
            .services
            .pipeline(&release.rollout)
            .or_else(|| self.pipeline_by_commit(release))?;
        let state = self.pipeline_state(&rule, release);
        Some(Pipeline {
            rule,
            because,
            state,
        })
    }

    /// A repository that is known for another reason and has a run of exactly the release's commit.
    fn pipeline_by_commit(&self, release: &Release) -> Option<Joined<PipelineRule>> {
        if self.repositories.is_empty() {
            return None;
        }
        let commit = commit_of(release)?;
        let repository = self.repositories.iter().find_map(|(repository, view)| {
            let facts = view.facts.as_ref()?;
            let here = facts.runs.iter().any(|run| run.commit == commit.to)
                || facts
                    .deployed
                    .iter()
                    .filter_map(|deployed| deployed.live.as_ref())
                    .any(|live| live.commit == commit.to);
            here.then_some(repository)
        })?;
        Some(Joined {
            to: PipelineRule {
                repository: repository.clone(),
                workflow: None,
            },
            because: format!("{} is of this repository", commit.because),
        })
    }

    fn pipeline_state(&self, rule: &PipelineRule, release: &Release) -> PipelineState<'_> {
        let Some(view) = self.repositories.get(&rule.repository) else {
            return PipelineState::Waiting;
        };
        let Some(facts) = &view.facts else {
            return match &view.failed {
                Some((state, why, _)) => PipelineState::Failed { state: *state, why },
                None => PipelineState::Waiting,
            };
        };
        let commit = commit_of(release);
        let current = release.current();
        let tag = current.images.first().and_then(|image| tag_of(image));
        let runs = || facts.runs.iter().filter(|run| is_of(run, rule));
        let newest =
            |a: &&Arc<Run>, b: &&Arc<Run>| (a.created, a.id.number).cmp(&(b.created, b.id.number));
        let by_commit = commit.as_ref().and_then(|commit| {
            let run = runs()
                .filter(|run| run.commit == commit.to)
                .max_by(newest)?;
            Some((run, Certainty::Commit(commit.because.clone())))
        });
        let by_tag = || {
            let tag = tag?;
            let run = runs()
                .filter(|run| run.reference.as_deref() == Some(tag))
                .max_by(newest)?;
            Some((run, Certainty::Tag))
        };
        let found = by_commit.or_else(by_tag).or_else(|| {
            let run = runs().max_by(newest)?;
            Some((run, Certainty::Newest))
        });
        let Some((run, certainty)) = found else {
            return PipelineState::NoRun { facts };
        };
        let newer = || runs().filter(|other| is_newer(other, run));
        let failed = || {
            let last = newer().max_by(newest)?;
            (has_failed(&last.phase) && is_alike(last, run)).then_some(last)
        };
        let next = newer()
            .filter(|other| !other.phase.has_ended())
            .max_by(newest)
            .or_else(failed);
        PipelineState::Here {
            facts,
            run,
            certainty,
            next,
            failing: view.failed.as_ref().map(|(state, why, _)| (*state, why)),
        }
    }

    /// The commit of the version that a release has now.
    pub fn commit(&self, release: &Release) -> Option<Commit> {
        if let Some(joined) = commit_of(release) {
            return Some(joined.to);
        }
        match self.pipeline(release)?.state {
            PipelineState::Here {
                run,
                certainty: Certainty::Commit(_) | Certainty::Tag,
                ..
            } => Some(run.commit.clone()),
            _ => None,
        }
    }

    /// The commits of the version that served before and of the one that is there, where both are known.
    pub(super) fn versions_to_compare(&self, release: &Release) -> Option<(Commit, Commit)> {
        let to = self.commit(release)?;
        let before = release.serving_before().or_else(|| release.previous())?;
        let tag = tag_of(before.images.first()?)?;
        let from = Commit::new(tag).or_else(|| {
            let rule = self.services.pipeline(&release.rollout)?.to;
            let facts = self.repositories.get(&rule.repository)?.facts.as_ref()?;
            let run = facts
                .runs
                .iter()
                .filter(|run| is_of(run, &rule))
                .find(|run| run.reference.as_deref() == Some(tag))?;
            Some(run.commit.clone())
        })?;
        (from != to).then_some((from, to))
    }

    pub(super) fn pipeline_lift(&self, release: &Release) -> Option<Lift> {
        let pipeline = self.pipeline(release)?;
        let PipelineState::Here {
            run,
            certainty,
            next,
            ..
        } = pipeline.state
        else {
            return None;
        };
        let on_its_way = match (next, certainty) {
            (Some(next), _) => next,
            (None, Certainty::Newest) if !run.phase.has_ended() => run,
            _ => return None,
        };
        let waits = self.gates.iter().find(|gate| {
            gate.run.id == on_its_way.id && gate.environment == release.rollout.id.environment
        });
        if let Some(gate) = waits {
            return Some(Lift {
                by: LiftedBy::Gate,
                since: gate.since,
            });
        }
        matches!(
            on_its_way.phase,
            RunPhase::Running | RunPhase::Queued | RunPhase::WaitsForOther
        )
        .then_some(Lift {
            by: LiftedBy::Pipeline,
            since: on_its_way.started.or(on_its_way.created),
        })
    }

    pub(super) fn join_gates<'a>(
        &mut self,
        releases: &Releases,
        environments: &(impl Iterator<Item = &'a EnvironmentName> + Clone),
    ) {
        let mut gates = Vec::new();
        for (repository, view) in &self.repositories {
            let Some(facts) = &view.facts else { continue };
            for run in &facts.runs {
                for gate in run
                    .gates
                    .iter()
                    .flatten()
                    .filter(|gate| gate.waits_for_human())
                {
                    let known = self
                        .services
                        .environment(&gate.environment, environments.clone());
                    let environment = known
                        .clone()
                        .unwrap_or_else(|| EnvironmentName::new(&gate.environment));
                    gates.push(WaitingGate {
                        id: GateId {
                            run: run.id.clone(),
                            attempt: run.attempt,
                            environment_id: gate.environment_id,
                            environment: gate.environment.clone(),
                            commit: run.commit.clone(),
                        },
                        releases: self.releases_of(repository, run, &environment, releases),
                        environment,
                        known_environment: known.is_some(),
                        gate: gate.clone(),
                        run: Arc::clone(run),
                        since: gate.since.or(run.updated),
                        read_at: facts.read_at,
                    });
                }
            }
        }
        gates.sort_by(|a, b| {
            (a.since.is_none(), a.since, &a.id).cmp(&(b.since.is_none(), b.since, &b.id))
        });
        self.gates = gates;
    }

    /// Where a run goes as far as it is known: where its gates are, and where what it releases runs.
    pub fn environments_of_run(
        &self,
        run: &Run,
        releases: &Releases,
    ) -> std::collections::BTreeSet<EnvironmentName> {
        let gates = self.gates.iter().filter(|gate| gate.run.id == run.id);
        let joined = releases.iter().filter_map(|(_, release)| {
            let joined = self.services.pipeline(&release.rollout)?;
            (joined.to.repository == run.id.repository && is_of(run, &joined.to))
                .then(|| release.rollout.id.environment.clone())
        });
        gates
            .map(|gate| gate.environment.clone())
            .chain(joined)
            .collect()
    }

    fn releases_of(
        &self,
        repository: &Repository,
        run: &Run,
        environment: &EnvironmentName,
        releases: &Releases,
    ) -> Vec<ReleaseId> {
        releases
            .iter()
            .map(|(_, release)| release)
            .filter(|release| release.rollout.id.environment == *environment)
            .filter(|release| {
                self.services
                    .pipeline(&release.rollout)
                    .is_some_and(|joined| {
                        joined.to.repository == *repository && is_of(run, &joined.to)
                    })
            })
            .map(|release| release.rollout.id.clone())
            .collect()
    }
}
