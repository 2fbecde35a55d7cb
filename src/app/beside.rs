//! What is around the rollouts: pipelines, metrics and incidents as their sources told them, and which of them belong to
//! which release. Owns those facts and the joins; every join says why, and what is joined to nothing stays visible.
//!
//! Must never guess: a fact that no rule, annotation or exact commit joins to a release is nobody's.

mod pipeline;
#[cfg(test)]
pub(super) mod tests;
mod wants;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    releases::{Lift, LiftedBy, Releases},
    services::Services,
};
use crate::model::{
    event::{Tidings, Told},
    id::{EnvironmentName, ReleaseId, SourceId},
    incident::{Alert, IncidentFacts, all_match},
    metrics::{Metrics, MetricsWanted},
    pipeline::{
        Budget, Changes, Commit, GateId, Repository, RepositoryFacts, RepositoryWanted, Run,
    },
    source::{SourceHealth, SourceState, WhoAmI},
    text::{Safe, sanitise},
};

pub use pipeline::{Certainty, Pipeline, PipelineState, WaitingGate};
pub use wants::MOVING_ASKED_AT_MOST;

/// Which kind of system a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceKind {
    GitHub,
    Prometheus,
    Alertmanager,
}

impl SourceKind {
    /// As in its id.
    pub const fn word(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::Prometheus => "prometheus",
            Self::Alertmanager => "alertmanager",
        }
    }

    pub const fn title(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub",
            Self::Prometheus => "Prometheus",
            Self::Alertmanager => "Alertmanager",
        }
    }
}

/// One source beside the clusters.
#[derive(Clone, Debug)]
pub struct Source {
    pub id: SourceId,
    pub kind: SourceKind,
    /// Where it tells of; a CI host tells of all of them.
    pub environment: Option<EnvironmentName>,
    pub health: SourceHealth,
    pub who: Option<WhoAmI>,
    pub server: Option<Safe>,
    /// How far its clock is ahead of ours.
    pub ahead_ms: Option<i64>,
    pub budget: Option<Budget>,
}

impl Source {
    pub fn new(
        kind: SourceKind,
        name: &str,
        environment: Option<EnvironmentName>,
        health: SourceHealth,
    ) -> Self {
        Self {
            id: SourceId::new(&format!("{}/{name}", kind.word())),
            kind,
            environment,
            health,
            who: None,
            server: None,
            ahead_ms: None,
            budget: None,
        }
    }
}

/// What is known of one repository.
#[derive(Clone, Debug, Default)]
pub struct RepositoryView {
    pub facts: Option<Arc<RepositoryFacts>>,
    /// Why it cannot be read now; the facts stay and grow old.
    pub failed: Option<(SourceState, Safe, Timestamp)>,
    changes: Vec<Arc<Changes>>,
}

/// Alerts are asked for four times a minute: what is older was not told when it should have been.
pub(super) const ALERTS_HOLD: SignedDuration = SignedDuration::from_secs(75);

/// Comparisons kept for each repository.
const CHANGES_KEPT: usize = 8;

#[derive(Clone, Debug, Default)]
pub struct Beside {
    pub services: Services,
    pub sources: BTreeMap<SourceId, Source>,
    pub repositories: BTreeMap<Repository, RepositoryView>,
    metrics: HashMap<ReleaseId, Arc<Metrics>>,
    pub incidents: BTreeMap<EnvironmentName, Arc<IncidentFacts>>,
    /// What fires, by release, worst first.
    firing: HashMap<ReleaseId, Vec<Arc<Alert>>>,
    /// Firing and joined to no release.
    pub unjoined: Vec<Arc<Alert>>,
    /// Gates that wait for a human, oldest first.
    pub gates: Vec<WaitingGate>,
    /// The joins are older than the facts.
    stale: bool,
    wanted_repositories: Vec<RepositoryWanted>,
    /// When that was thought of last, and what was looked at then.
    thought_of: Option<(Timestamp, Vec<ReleaseId>)>,
    wanted_metrics: Vec<MetricsWanted>,
}

/// What tidings changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    /// Something that can be on the screen.
    pub drawn: bool,
    /// What a guard looks at.
    pub weighed: bool,
}

impl Beside {
    pub fn new(services: Services, sources: Vec<Source>) -> Self {
        Self {
            services,
            sources: sources
                .into_iter()
                .map(|source| (source.id.clone(), source))
                .collect(),
            ..Self::default()
        }
    }

    /// How many repositories were last asked for.
    pub fn repositories_wanted(&self) -> usize {
        self.wanted_repositories.len()
    }

    /// Repositories that were asked for and have not said anything yet: what waits in them is not known.
    pub fn repositories_unread(&self) -> usize {
        self.wanted_repositories
            .iter()
            .map(|wanted| &wanted.repository)
            .filter(|repository| {
                self.repositories
                    .get(*repository)
                    .is_none_or(|view| view.facts.is_none() && view.failed.is_none())
            })
            .count()
    }

    /// Repositories that cannot be read now, and why.
    pub fn repositories_failing(&self) -> impl Iterator<Item = (&Repository, SourceState, &Safe)> {
        self.repositories.iter().filter_map(|(repository, view)| {
            let (state, why, _) = view.failed.as_ref()?;
            Some((repository, *state, why))
        })
    }

    /// Whether any source beside the clusters is there at all.
    pub fn is_configured(&self) -> bool {
        !self.sources.is_empty()
    }

    pub fn has(&self, kind: SourceKind) -> bool {
        self.sources.values().any(|source| source.kind == kind)
    }

    /// The source of this kind that tells of an environment.
    pub fn source(&self, kind: SourceKind, environment: &EnvironmentName) -> Option<&Source> {
        self.sources.values().find(|source| {
            source.kind == kind
                && source
                    .environment
                    .as_ref()
                    .is_none_or(|of| of == environment)
        })
    }

    pub fn told(&mut self, tidings: Tidings) -> News {
        let Some(source) = self.sources.get_mut(&tidings.source) else {
            return News {
                drawn: false,
                weighed: false,
            };
        };
        let mut news = News {
            drawn: true,
            weighed: false,
        };
        match tidings.fact {
            Told::Health(health) => {
                source.health = health;
                news.weighed = true;
            }
            Told::Who(who) => source.who = Some(who),
            Told::Server(server) => source.server = Some(server),
            Told::Ahead(ms) => source.ahead_ms = Some(ms),
            Told::Budget(budget) => {
                news.drawn = source.budget != Some(budget);
                source.budget = Some(budget);
            }
            Told::Repository(facts) => {
                source.health.heard = Some(facts.read_at);
                let view = self
                    .repositories
                    .entry(facts.repository.clone())
                    .or_default();
                let same = view
                    .facts
                    .as_ref()
                    .is_some_and(|old| same_but_for_age(old, &facts));
                view.facts = Some(facts);
                view.failed = None;
                self.stale |= !same;
                news.weighed = !same;
            }
            Told::RepositoryFailed {
                repository,
                state,
                why,
                at,
            } => {
                self.repositories.entry(repository).or_default().failed = Some((state, why, at));
                news.weighed = true;
            }
            Told::Changes {
                repository,
                changes,
            } => {
                let view = self.repositories.entry(repository).or_default();
                view.changes
                    .retain(|old| (&old.from, &old.to) != (&changes.from, &changes.to));
                view.changes.insert(0, changes);
                view.changes.truncate(CHANGES_KEPT);
            }
            Told::Metrics(metrics) => {
                let metrics = by_our_clock(metrics, source.ahead_ms.unwrap_or(0));
                source.health.heard = Some(metrics.read_at);
                self.metrics.insert(metrics.release.clone(), metrics);
            }
            Told::Incidents(facts) => {
                source.health.heard = Some(facts.read_at);
                let same = self.incidents.get(&facts.environment).is_some_and(|old| {
                    // What could not be read is a fact too: guards weigh it.
                    (&old.alerts, &old.silences, &old.unread, &old.warnings)
                        == (
                            &facts.alerts,
                            &facts.silences,
                            &facts.unread,
                            &facts.warnings,
                        )
                });
                self.incidents.insert(facts.environment.clone(), facts);
                self.stale |= !same;
                news.weighed |= !same;
            }
        }
        news
    }

    /// An alert manager is asked whether anything happens or not: one that has told nothing for too long is not believed,
    /// whatever its connection says (a machine that slept, a task that hangs). The others are asked for what is wanted
    /// only, and each of their facts says its own age. It is live again when it says so, which it does with every answer.
    /// Answers whether anything changed.
    pub(super) fn grow_old(&mut self, now: Timestamp) -> bool {
        let mut changed = false;
        for source in self.sources.values_mut() {
            let old = source
                .health
                .heard
                .is_some_and(|heard| now.duration_since(heard) > ALERTS_HOLD);
            if source.kind == SourceKind::Alertmanager && source.health.state.is_live() && old {
                source.health.state = SourceState::Stale;
                source.health.since = now;
                source.health.detail = sanitise(&format!(
                    "nothing told for more than {} s",
                    ALERTS_HOLD.as_secs()
                ));
                changed = true;
            }
        }
        changed
    }

    /// When the next of them grows old.
    pub(super) fn grows_old_at(&self) -> Option<Timestamp> {
        self.sources
            .values()
            .filter(|source| source.kind == SourceKind::Alertmanager)
            .filter(|source| source.health.state.is_live())
            .filter_map(|source| source.health.heard)
            .filter_map(|heard| {
                heard
                    .checked_add(ALERTS_HOLD + SignedDuration::from_secs(1))
                    .ok()
            })
            .min()
    }

    /// Releases came or went, so the joins may be others.
    pub const fn joins_are_stale(&mut self) {
        self.stale = true;
    }

    /// The joins are new and the sources have not been told what to ask for: nothing may happen that would be the occasion.
    pub fn wants_are_stale(&self) -> bool {
        self.has(SourceKind::GitHub) && self.thought_of.is_none() && !self.stale
    }

    pub const fn needs_joins(&self) -> bool {
        self.stale
    }

    /// Joins what was told to the releases there are; the answer is what lifts releases on the Board.
    pub fn join<'a>(
        &mut self,
        releases: &Releases,
        environments: &(impl Iterator<Item = &'a EnvironmentName> + Clone),
    ) -> HashMap<ReleaseId, Lift> {
        self.stale = false;
        self.thought_of = None;
        let mut lifts = HashMap::new();
        if self.repositories.is_empty() && self.incidents.is_empty() {
            return lifts;
        }
        self.join_alerts(releases);
        self.join_gates(releases, environments);
        for (_, release) in releases.iter() {
            let id = &release.rollout.id;
            if let Some(firing) = self.firing.get(id) {
                let lift = Lift {
                    by: LiftedBy::Firing,
                    since: firing.iter().filter_map(|alert| alert.starts_at).min(),
                };
                lifts.insert(id.clone(), lift);
            } else if let Some(lift) = self.pipeline_lift(release) {
                lifts.insert(id.clone(), lift);
            }
        }
        lifts
    }

    /// Each release's rule is made once and held against every alert: the other way round would make it for each pair.
    fn join_alerts(&mut self, releases: &Releases) {
        self.firing.clear();
        self.unjoined.clear();
        let alerts: Vec<&Arc<Alert>> = self
            .incidents
            .values()
            .flat_map(|facts| &facts.alerts)
            .filter(|alert| is_incident(alert))
            .collect();
        if alerts.is_empty() {
            return;
        }
        let mut joined = vec![false; alerts.len()];
        for (_, release) in releases.iter() {
            let id = &release.rollout.id;
            let Some(rule) = self.services.alerts(id) else {
                continue;
            };
            for (alert, joined) in alerts.iter().zip(&mut joined) {
                if alert.environment == id.environment
                    && all_match(&rule.to, &alert.labels) == Some(true)
                {
                    *joined = true;
                    let of = self.firing.entry(id.clone()).or_default();
                    of.push(Arc::clone(alert));
                }
            }
        }
        let nobodys = alerts.iter().zip(&joined).filter(|(_, joined)| !**joined);
        self.unjoined = nobodys.map(|(alert, _)| Arc::clone(alert)).collect();
    }

    /// What fires on a release, worst first.
    pub fn firing(&self, id: &ReleaseId) -> &[Arc<Alert>] {
        self.firing.get(id).map_or(&[], Vec::as_slice)
    }

    /// Every alert of a release, silent ones too.
    pub fn alerts(&self, id: &ReleaseId) -> Vec<&Arc<Alert>> {
        let Some(facts) = self.incidents.get(&id.environment) else {
            return Vec::new();
        };
        facts
            .alerts
            .iter()
            .filter(|alert| !alert.is_heartbeat() && !alert.is_inhibitor())
            .filter(|alert| self.services.is_alert_of(id, alert))
            .collect()
    }

    pub fn metrics(&self, id: &ReleaseId) -> Option<&Arc<Metrics>> {
        self.metrics.get(id)
    }

    /// Whether the metrics of a release are being asked for.
    pub fn asks_for_metrics(&self, id: &ReleaseId) -> bool {
        self.wanted_metrics
            .iter()
            .any(|wanted| wanted.release == *id)
    }

    /// The share of the version that serves after an abort. The canary's own counts are of what it did before, and would
    /// still be bad when everything is well again.
    pub fn error_share_of_stable(&self, id: &ReleaseId) -> Option<f64> {
        use crate::model::metrics::Compared;
        match &self.metrics.get(id)?.compared {
            Compared::CanaryAndStable { stable, .. } => stable.errors.value()?.share(),
            Compared::BeforeAndAfter { .. } => self.error_share(id),
        }
    }

    /// The share of errors on a release now: of the canary while one runs, else since it finished.
    pub fn error_share(&self, id: &ReleaseId) -> Option<f64> {
        use crate::model::metrics::Compared;
        let metrics = self.metrics.get(id)?;
        let arm = match &metrics.compared {
            Compared::CanaryAndStable { canary, .. } => canary,
            Compared::BeforeAndAfter { after, .. } => after,
        };
        arm.errors.value()?.share()
    }

    /// The newest attempt of a run that any repository told.
    pub fn run(&self, id: &crate::model::pipeline::RunId) -> Option<&Arc<Run>> {
        self.repositories
            .get(&id.repository)?
            .facts
            .as_ref()?
            .runs
            .iter()
            .find(|run| run.id == *id)
    }

    pub fn gate(&self, id: &GateId) -> Option<&WaitingGate> {
        self.gates.iter().find(|gate| gate.id == *id)
    }

    /// The commits that a version brings, where the host has compared it with the one before.
    pub fn changes(&self, repository: &Repository, to: &Commit) -> Option<&Arc<Changes>> {
        self.repositories
            .get(repository)?
            .changes
            .iter()
            .find(|changes| changes.to == *to)
    }
}

/// An alert that somebody is told of, and that is about something.
pub fn is_incident(alert: &Alert) -> bool {
    alert.is_firing() && !alert.is_heartbeat() && !alert.is_inhibitor()
}

/// Its times are those of the server. An age is told by one clock, which is ours.
fn by_our_clock(metrics: Arc<Metrics>, ahead_ms: i64) -> Arc<Metrics> {
    if ahead_ms == 0 {
        return metrics;
    }
    let ours = |at: Timestamp| {
        at.checked_sub(SignedDuration::from_millis(ahead_ms))
            .unwrap_or(at)
    };
    Arc::new(Metrics {
        read_at: ours(metrics.read_at),
        newest: metrics.newest.map(ours),
        ..Metrics::clone(&metrics)
    })
}

/// A poll that found nothing new moves no row and asks no guard.
fn same_but_for_age(old: &RepositoryFacts, new: &RepositoryFacts) -> bool {
    old.runs == new.runs && old.deployed == new.deployed && old.missing == new.missing
}
