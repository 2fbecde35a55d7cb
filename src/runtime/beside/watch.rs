//! The sources beside the clusters while they run: what each is asked for, and its work until it is dropped.

use std::{collections::BTreeMap, rc::Rc};

use tokio::sync::{mpsc, watch};

use super::super::clock;
use super::{Besides, Host, source_id};
use crate::{
    app::{beside::SourceKind, msg::Msg, services::Services},
    config::Config,
    model::{
        event::{Tidings, Told},
        id::{EnvironmentName, SourceId},
        metrics::MetricsWanted,
        pipeline::RepositoryWanted,
    },
    providers::{
        alertmanager, github,
        prometheus::{self, queries::Asked},
    },
};

/// Messages of a source that wait for the screen.
const QUEUE: usize = 16;

/// What the running sources are asked for, changed while they run.
#[derive(Debug)]
pub struct Wishes {
    repositories: watch::Sender<Vec<RepositoryWanted>>,
    metrics: BTreeMap<EnvironmentName, watch::Sender<Vec<Asked>>>,
    /// Which queries the configuration names for a release.
    services: Services,
    config: Config,
}

impl Wishes {
    pub fn repositories(&self, wanted: Vec<RepositoryWanted>) {
        self.repositories.send_replace(wanted);
    }

    pub fn metrics(&self, wanted: Vec<MetricsWanted>) {
        let mut by_environment: BTreeMap<EnvironmentName, Vec<Asked>> = self
            .metrics
            .keys()
            .map(|name| (name.clone(), Vec::new()))
            .collect();
        for wanted in wanted {
            let name = wanted.release.environment.clone();
            if let Some(all) = by_environment.get_mut(&name) {
                let service = self.services.measured(&wanted.release, &self.config);
                all.push(Asked::new(wanted, service.as_ref()));
            }
        }
        for (name, asked) in by_environment {
            if let Some(sender) = self.metrics.get(&name) {
                sender.send_replace(asked);
            }
        }
    }
}

/// One source's work, to be spawned under its id.
pub type Work = std::pin::Pin<Box<dyn Future<Output = ()>>>;

impl Besides {
    /// Every source as work that runs until it is dropped, and what it is asked for.
    pub fn work(self: &Rc<Self>, sources: &mpsc::Sender<Msg>) -> (Wishes, Vec<(SourceId, Work)>) {
        let (repositories, _) = watch::channel(Vec::new());
        let wishes = Wishes {
            repositories,
            metrics: self
                .metrics
                .keys()
                .map(|name| (name.clone(), watch::channel(Vec::new()).0))
                .collect(),
            services: self.services.clone(),
            config: self.config.clone(),
        };
        let ids: Vec<SourceId> = self.sources().into_iter().map(|source| source.id).collect();
        let work = ids
            .into_iter()
            .filter_map(|id| {
                let work = self.work_of(&id, &wishes, sources)?;
                Some((id, work))
            })
            .collect();
        (wishes, work)
    }

    /// The work of one source, again: after a refresh it begins anew.
    pub fn work_of(
        self: &Rc<Self>,
        id: &SourceId,
        wishes: &Wishes,
        sources: &mpsc::Sender<Msg>,
    ) -> Option<Work> {
        let sources = sources.clone();
        if let Some(host) = self.github.as_ref().filter(|host| host.source == *id) {
            let (host, wanted) = (Rc::clone(host), wishes.repositories.subscribe());
            return Some(Box::pin(watch_host(host, wanted, sources)));
        }
        for (name, server) in &self.metrics {
            if source_id(SourceKind::Prometheus, name.as_str()) == *id
                && let Ok(server) = server
            {
                let (server, wanted) = (server.clone(), wishes.metrics.get(name)?.subscribe());
                return Some(Box::pin(forwarded(sources, |out| {
                    prometheus::source::run(server, wanted, out, clock::beat())
                })));
            }
        }
        for (name, server) in &self.alerts {
            if source_id(SourceKind::Alertmanager, name.as_str()) == *id
                && let Ok(server) = server
            {
                let server = (**server).clone();
                return Some(Box::pin(forwarded(sources, |out| {
                    alertmanager::source::run(server, out, clock::beat())
                })));
            }
        }
        None
    }
}

/// Runs a source and gives what it tells to the screen.
async fn forwarded<F: Future<Output = ()>>(
    sources: mpsc::Sender<Msg>,
    run: impl FnOnce(mpsc::Sender<Vec<Tidings>>) -> F,
) {
    let (sender, mut told) = mpsc::channel(QUEUE);
    let forward = async {
        while let Some(tidings) = told.recv().await {
            if sources.send(Msg::Beside(tidings)).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(run(sender), forward);
}

/// As [`forwarded`], and remembers who the host says we are.
async fn watch_host(
    host: Rc<Host>,
    wanted: watch::Receiver<Vec<RepositoryWanted>>,
    sources: mpsc::Sender<Msg>,
) {
    let Ok(asked) = host.asked.clone() else {
        return;
    };
    let (sender, mut told) = mpsc::channel::<Vec<Tidings>>(QUEUE);
    let forward = async {
        while let Some(tidings) = told.recv().await {
            for one in &tidings {
                if let Told::Who(who) = &one.fact {
                    *host.who.borrow_mut() = Some(who.clone());
                }
            }
            if sources.send(Msg::Beside(tidings)).await.is_err() {
                return;
            }
        }
    };
    let run = github::source::run(asked, wanted, sender);
    tokio::join!(run, forward);
}
