//! The picture that facts add up to, without a screen: what is known of every environment, and whether that is all of it.
//! Owns those facts; prints nothing, and never takes a silence for an answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::Value;
use tokio::{sync::mpsc, task::JoinHandle, time::Instant};

use super::words::row;
use crate::{
    app::{
        beside::Beside,
        msg::Msg,
        releases::{Releases, Slot},
    },
    cli::{
        beside::{Depth, REPOSITORIES_AT_MOST, Sources, begin},
        exit::Exit,
        out::Out,
        report::{self, SourceReport},
        report_beside,
        table::columns,
    },
    model::{
        event::{Collection, Fact, SourceEvent},
        id::{EnvironmentName, ReleaseId},
        release::Release,
        source::{SourceHealth, SourceState, Tier},
    },
    runtime::{
        clock::now,
        session::{Session, first_health},
    },
};

/// How long the first picture may take before it is printed as far as it has come.
const FIRST_PICTURE: Duration = Duration::from_secs(30);
/// A source that fails is given this long to recover before the others are printed without it.
const FAILING: Duration = Duration::from_secs(3);
/// The picture that facts add up to, without a screen.
pub(in crate::cli) struct Picture {
    pub releases: Releases,
    pub health: BTreeMap<EnvironmentName, SourceHealth>,
    tiers: BTreeMap<EnvironmentName, Tier>,
    /// Pipelines, metrics and incidents, where they were asked for.
    pub beside: Beside,
    /// Collections that began and are not complete yet, by environment.
    begun: BTreeSet<(EnvironmentName, Collection)>,
    heard: BTreeSet<EnvironmentName>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture")
            .field("releases", &self.releases.len())
            .finish_non_exhaustive()
    }
}

impl Picture {
    pub(in crate::cli) fn new(session: &Session) -> Self {
        let now = now();
        Self {
            releases: Releases::default(),
            health: session
                .environments
                .iter()
                .map(|ready| {
                    (
                        ready.name.clone(),
                        first_health(ready.cluster.as_ref().err(), now),
                    )
                })
                .collect(),
            tiers: session
                .environments
                .iter()
                .map(|ready| (ready.name.clone(), ready.tier))
                .collect(),
            beside: Beside::default(),
            begun: BTreeSet::new(),
            heard: BTreeSet::new(),
        }
    }

    /// Whether anything of a release changed.
    pub(in crate::cli) fn take(&mut self, event: &SourceEvent) -> bool {
        let name = &event.environment;
        match &event.fact {
            Fact::Health(health) => {
                self.health.insert(name.clone(), health.clone());
            }
            Fact::Heard(at) => {
                if let Some(health) = self.health.get_mut(name) {
                    health.heard = Some(*at);
                }
            }
            Fact::Begin(collection) => {
                self.heard.insert(name.clone());
                self.begun.insert((name.clone(), collection.clone()));
            }
            Fact::Complete(collection) | Fact::Absent(collection) => {
                self.begun.remove(&(name.clone(), collection.clone()));
            }
            _ => {}
        }
        self.releases.apply(name, &event.fact) != crate::app::releases::Changed::Nothing
    }

    /// Whether this environment has told everything that it will tell at first.
    fn is_whole(&self, name: &EnvironmentName) -> bool {
        self.health
            .get(name)
            .is_some_and(|health| health.state == SourceState::Live)
            && self.heard.contains(name)
            && !self.begun.iter().any(|(of, _)| of == name)
    }

    fn is_hopeless(&self, name: &EnvironmentName) -> bool {
        self.health.get(name).is_some_and(|health| {
            !matches!(
                health.state,
                SourceState::Connecting | SourceState::Live | SourceState::Stale
            )
        })
    }

    pub(in crate::cli) fn exit(&self) -> Exit {
        let beside = self.beside.sources.values().map(|source| &source.health);
        if self
            .health
            .values()
            .chain(beside)
            .all(|health| health.state == SourceState::Live)
        {
            Exit::Done
        } else {
            Exit::Unreachable
        }
    }

    pub(super) fn json(&self, filter: Option<&EnvironmentName>) -> Value {
        let now = now();
        let mut sorted: Vec<&Release> = self
            .releases
            .iter()
            .map(|(_, release)| release)
            .filter(|release| fits(release, filter))
            .collect();
        sorted.sort_by(|a, b| a.rollout.id.cmp(&b.rollout.id));
        let releases: Vec<Value> = sorted
            .iter()
            .filter_map(|release| self.one(now, release, None))
            .collect();
        report::status(now, &self.source_objects(now), &releases)
    }

    pub(super) fn source_objects(&self, now: Timestamp) -> Vec<Value> {
        let clusters = self.sources();
        clusters
            .iter()
            .map(|source| report::source(now, source))
            .chain(
                self.beside
                    .sources
                    .values()
                    .map(|source| report_beside::source(now, source)),
            )
            .collect()
    }

    pub(in crate::cli) fn sources(&self) -> Vec<SourceReport<'_>> {
        self.health
            .iter()
            .map(|(name, health)| SourceReport {
                id: format!("kubernetes/{name}"),
                health,
            })
            .collect()
    }

    pub(super) fn one(
        &self,
        now: Timestamp,
        release: &Release,
        access: Option<&crate::model::source::Access>,
    ) -> Option<Value> {
        let name = &release.rollout.id.environment;
        let mut object = report::release(
            now,
            release,
            *self.tiers.get(name)?,
            self.health.get(name)?,
            access,
        );
        report_beside::fill(&mut object, &self.beside, release, now);
        Some(object)
    }

    /// Reads what is beside the rollouts; the sources go on telling.
    pub(super) async fn look_beside(
        &mut self,
        session: &Session,
        only: Option<ReleaseId>,
        out: &mut Out,
    ) -> Option<Sources> {
        let depth = match only {
            Some(_) => Depth::One,
            None => Depth::List,
        };
        let environments: Vec<EnvironmentName> = self.health.keys().cloned().collect();
        let (beside, sources) =
            begin(&session.besides, &self.releases, &environments, depth, only).await;
        self.beside = beside;
        self.join();
        if self.beside.repositories.is_empty()
            && depth == Depth::List
            && self.beside.repositories_wanted() > REPOSITORIES_AT_MOST
        {
            out.note(&format!(
                "windlass: more than {REPOSITORIES_AT_MOST} repositories: their pipelines are left out of a list; name a service"
            ));
        }
        sources
    }

    pub(super) fn join(&mut self) {
        let environments: Vec<EnvironmentName> = self.health.keys().cloned().collect();
        let lifts = self.beside.join(&self.releases, &environments.iter());
        self.releases.set_lifts(&lifts);
    }

    pub(super) fn table(&self, filter: Option<&EnvironmentName>) -> String {
        let now = now();
        let fresh = |name: &EnvironmentName| {
            self.health
                .get(name)
                .is_some_and(|health| health.state.is_live())
        };
        let mut sorted: Vec<(Slot, &Release)> = self
            .releases
            .iter()
            .filter(|(_, release)| fits(release, filter))
            .collect();
        // As on the Board: what fires comes first, whatever its phase says.
        sorted.sort_by_cached_key(|(slot, release)| {
            let fresh = fresh(&release.rollout.id.environment);
            let key = self.releases.sort_key(*slot, release, fresh);
            (key, release.rollout.id.clone())
        });
        let mut rows = vec![
            [
                "SERVICE",
                "ENV",
                "NAMESPACE",
                "KIND",
                "VERSION",
                "STATE",
                "SINCE",
            ]
            .map(str::to_owned),
        ];
        rows.extend(sorted.iter().map(|(_, release)| {
            let fresh = fresh(&release.rollout.id.environment);
            row(now, release, &self.beside, fresh)
        }));
        let mut text = columns(&rows);
        for (name, health) in self
            .health
            .iter()
            .filter(|(_, health)| !health.state.is_live())
        {
            text.push_str(&format!(
                "\n{name}: {}: {}",
                health.state.word(),
                &*health.detail
            ));
        }
        for source in self
            .beside
            .sources
            .values()
            .filter(|source| !source.health.state.is_live())
        {
            text.push_str(&format!(
                "\n{}: {}: {}",
                source.id,
                source.health.state.word(),
                &*source.health.detail
            ));
        }
        text
    }
}

/// Starts watching every environment; what they tell comes out of the receiver.
pub(in crate::cli) fn watch_all(session: &Session) -> (mpsc::Receiver<Msg>, Vec<JoinHandle<()>>) {
    let (sender, messages) = mpsc::channel(64);
    let tasks = session
        .clusters()
        .into_values()
        .map(|cluster| {
            let sender = sender.clone();
            tokio::task::spawn_local(async move { cluster.watch(sender).await })
        })
        .collect();
    (messages, tasks)
}

pub(in crate::cli) async fn first_picture(
    picture: &mut Picture,
    messages: &mut mpsc::Receiver<Msg>,
) {
    let start = Instant::now();
    loop {
        let names: Vec<EnvironmentName> = picture.health.keys().cloned().collect();
        let settled = |name: &EnvironmentName| {
            picture.is_whole(name)
                || picture
                    .health
                    .get(name)
                    .is_some_and(|health| health.state == SourceState::NotConfigured)
                || picture.is_hopeless(name) && start.elapsed() >= FAILING
        };
        if names.iter().all(settled) {
            return;
        }
        let limit = if names.iter().any(|name| picture.is_hopeless(name)) {
            FAILING
        } else {
            FIRST_PICTURE
        };
        let deadline = (start + limit).max(Instant::now() + Duration::from_millis(50));
        match tokio::time::timeout_at(deadline, messages.recv()).await {
            Ok(Some(Msg::Source(events))) => {
                for event in &events {
                    picture.take(event);
                }
            }
            Ok(Some(_)) => {}
            Ok(None) => return,
            Err(_) if start.elapsed() >= FIRST_PICTURE => return,
            Err(_) => {}
        }
    }
}

fn fits(release: &Release, filter: Option<&EnvironmentName>) -> bool {
    filter.is_none_or(|environment| release.rollout.id.environment == *environment)
}
