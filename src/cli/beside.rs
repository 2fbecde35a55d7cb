//! What is beside the rollouts, read once for a command: the same sources as on the screen, run until each has told what
//! was asked of it or why it cannot.

use std::{rc::Rc, time::Duration};

use tokio::{sync::mpsc, task::JoinHandle, time::Instant};

use crate::{
    app::{
        beside::{Beside, Source, SourceKind},
        msg::Msg,
        releases::Releases,
    },
    model::{
        id::{EnvironmentName, ReleaseId},
        metrics::MetricsWanted,
        pipeline::{Attention, RepositoryWanted},
        release::Release,
        source::SourceState,
    },
    runtime::{
        beside::{Besides, Wishes},
        clock::now,
    },
};

/// How long all of them together may take.
const AT_MOST: Duration = Duration::from_secs(20);
/// First looks at many repositories are spread out; whoever asks what waits would rather wait than not be told.
const GATES_AT_MOST: Duration = Duration::from_secs(90);
/// A source that fails is given this long to recover.
const FAILING: Duration = Duration::from_secs(3);
/// Reading more repositories than this for one command would eat the budget of everybody who shares the token.
pub(super) const REPOSITORIES_AT_MOST: usize = 25;

/// How much is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Pipelines and alerts of all of them, metrics of none.
    List,
    /// One release, with its metrics.
    One,
    /// Gates only.
    Gates,
}

/// Running sources; they end with it.
pub(super) struct Sources {
    messages: mpsc::Receiver<Msg>,
    wishes: Wishes,
    tasks: Vec<JoinHandle<()>>,
    depth: Depth,
    /// The release that alone is asked about.
    only: Option<ReleaseId>,
}

impl Drop for Sources {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Sources {
    /// `None`: no source will tell anything more.
    pub(super) async fn next(&mut self) -> Option<Msg> {
        self.messages.recv().await
    }

    /// Asks for what these releases are joined to now.
    pub(super) fn want(
        &self,
        beside: &mut Beside,
        releases: &Releases,
    ) -> (Vec<RepositoryWanted>, Vec<MetricsWanted>) {
        let looked_at: Vec<ReleaseId> = match (self.depth, &self.only) {
            (Depth::One, Some(only)) => vec![only.clone()],
            (Depth::One, None) => releases
                .iter()
                .map(|(_, release)| release.rollout.id.clone())
                .collect(),
            (Depth::List | Depth::Gates, _) => Vec::new(),
        };
        let mut repositories = Vec::new();
        if let Some(wanted) = beside.want_repositories(now(), releases, &looked_at) {
            repositories = match self.depth {
                // Its own only, and at once.
                Depth::One => wanted
                    .into_iter()
                    .filter(|wanted| wanted.attention == Attention::LookedAt)
                    .collect(),
                Depth::List if wanted.len() > REPOSITORIES_AT_MOST => Vec::new(),
                Depth::List | Depth::Gates => wanted,
            };
            self.wishes.repositories(repositories.clone());
        }
        let mut metrics = Vec::new();
        let measured = looked_at.iter().filter_map(|id| releases.find(id));
        let none = std::iter::empty::<&Release>();
        if self.depth == Depth::One
            && let Some(wanted) = beside.want_metrics(now(), measured, none)
        {
            metrics.clone_from(&wanted);
            self.wishes.metrics(wanted);
        }
        (repositories, metrics)
    }
}

/// Joins what the sources tell to these releases, once.
pub(super) async fn gather(
    besides: &Rc<Besides>,
    releases: &Releases,
    environments: &[EnvironmentName],
    depth: Depth,
) -> Beside {
    begin(besides, releases, environments, depth, None).await.0
}

/// The same, and the sources, which go on telling.
pub(super) async fn begin(
    besides: &Rc<Besides>,
    releases: &Releases,
    environments: &[EnvironmentName],
    depth: Depth,
    only: Option<ReleaseId>,
) -> (Beside, Option<Sources>) {
    let mut beside = Beside::new(besides.services.clone(), besides.sources());
    if !beside.is_configured() {
        return (beside, None);
    }
    let (sender, messages) = mpsc::channel(64);
    let (wishes, work) = besides.work(&sender);
    drop(sender);
    let mut sources = Sources {
        messages,
        wishes,
        tasks: Vec::new(),
        depth,
        only,
    };
    let (repositories, metrics) = sources.want(&mut beside, releases);
    sources.tasks = work
        .into_iter()
        .filter(|(id, _)| {
            depth != Depth::Gates || id.as_str().starts_with(SourceKind::GitHub.word())
        })
        .map(|(_, work)| tokio::task::spawn_local(work))
        .collect();
    let start = Instant::now();
    while !told_everything(&beside, &repositories, &metrics, depth, start.elapsed()) {
        let until = start
            + match depth {
                Depth::Gates => GATES_AT_MOST,
                Depth::List | Depth::One => AT_MOST,
            };
        let next = Instant::now() + Duration::from_millis(200);
        match tokio::time::timeout_at(next.min(until), sources.next()).await {
            Ok(Some(Msg::Beside(tidings))) => {
                for tidings in tidings {
                    beside.told(tidings);
                }
            }
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(_) if Instant::now() >= until => break,
            Err(_) => {}
        }
    }
    beside.join(releases, &environments.iter());
    (beside, Some(sources))
}

fn told_everything(
    beside: &Beside,
    repositories: &[RepositoryWanted],
    metrics: &[MetricsWanted],
    depth: Depth,
    waited: Duration,
) -> bool {
    let hopeless = |source: &Source| {
        source.health.state == SourceState::NotConfigured
            || waited >= FAILING
                && !matches!(
                    source.health.state,
                    SourceState::Connecting | SourceState::Live
                )
    };
    beside.sources.values().all(|source| {
        hopeless(source)
            || match (source.kind, &source.environment) {
                (SourceKind::GitHub, _) => {
                    repositories.iter().all(|wanted| {
                        beside
                            .repositories
                            .get(&wanted.repository)
                            .is_some_and(|view| view.facts.is_some() || view.failed.is_some())
                        // It asks who we are although nothing is wanted of it: before that it is not known to answer.
                    }) && source.health.state == SourceState::Live
                }
                (SourceKind::Prometheus, Some(name)) => {
                    metrics
                        .iter()
                        .filter(|wanted| wanted.release.environment == *name)
                        .all(|wanted| beside.metrics(&wanted.release).is_some())
                        && (depth != Depth::One || source.health.state == SourceState::Live)
                }
                (SourceKind::Alertmanager, Some(name)) => {
                    depth == Depth::Gates || beside.incidents.contains_key(name)
                }
                (_, None) => true,
            }
    })
}
