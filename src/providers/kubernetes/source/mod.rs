//! The source of one environment: watches its workloads and their ReplicaSets and tells facts, until it is dropped or
//! nobody listens. One future, no tasks of its own; keeps no object, only how each watch is doing. Fails alone.
//!
//! Rollouts and Deployments come first, because the first rows are made of them; the rest is asked for when those two
//! are listed. A Deployment that a Rollout's `workloadRef` names is told like any other, and the Rollout says so in
//! `Argo::workload_ref`: whose row it is, is for the listener to say.

mod health;
mod tell;
#[cfg(test)]
mod tests;

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::{sync::mpsc, time::Instant};

use self::{
    health::Board,
    tell::{Facts, Teller, Telling},
};
use super::{
    access,
    client::{ApiPath, Client, Reader},
    error::Fate,
    map::Interner,
    watch::{Chance, Gate, Object, Stopped, StreamsLists, Watch, Watching, drive},
    wire,
};
use crate::model::{
    event::{Collection, CollectionKind, Fact, SourceEvent},
    id::{EnvironmentName, Namespace, WorkloadKind},
};

/// The others wait no longer than this for a first list that takes its time.
const FIRST_ROWS_WITHIN: Duration = Duration::from_secs(2);

/// What to watch.
#[derive(Clone, Debug)]
pub struct Options {
    pub environment: EnvironmentName,
    /// None: all of them, or the context's own where listing across namespaces is forbidden.
    pub namespaces: Vec<Namespace>,
    /// Seeds the jitter; `None` takes it from the system.
    pub seed: Option<u64>,
}

type Part<'a> = Pin<Box<dyn Future<Output = Stopped> + Send + 'a>>;

struct Source {
    client: Reader,
    /// Asks who we are, which takes a POST; none where nothing but looking is possible.
    asks: Option<Client>,
    options: Options,
    sender: mpsc::Sender<Vec<SourceEvent>>,
    board: Board,
    gate: Gate,
    streams: StreamsLists,
    start: Instant,
    share: Arc<Mutex<Interner>>,
    chance: Mutex<Chance>,
}

/// Watches until it is dropped or the receiver is.
pub async fn run(client: Client, options: Options, sender: mpsc::Sender<Vec<SourceEvent>>) {
    watch(client.reader().clone(), Some(client), options, sender).await;
}

/// As [`run`], by one who can only look, and so never tells who we are.
pub async fn look(reader: Reader, options: Options, sender: mpsc::Sender<Vec<SourceEvent>>) {
    watch(reader, None, options, sender).await;
}

async fn watch(
    client: Reader,
    asks: Option<Client>,
    options: Options,
    sender: mpsc::Sender<Vec<SourceEvent>>,
) {
    let start = Instant::now();
    let source = Source {
        board: Board::new(client.clone(), start),
        client,
        asks,
        sender,
        gate: Gate::default(),
        streams: StreamsLists::default(),
        start,
        share: Arc::default(),
        chance: Mutex::new(
            options
                .seed
                .map_or_else(Chance::from_system, Chance::seeded),
        ),
        options,
    };
    let mut parts: FuturesUnordered<Part<'_>> = FuturesUnordered::new();
    source.workloads::<wire::Rollout>(&mut parts);
    source.workloads::<wire::Deployment>(&mut parts);
    source.workloads::<wire::StatefulSet>(&mut parts);
    source.workloads::<wire::DaemonSet>(&mut parts);
    source.workloads::<wire::ReplicaSet>(&mut parts);
    parts.push(Box::pin(source.tell_health()));
    parts.push(Box::pin(source.tell_who()));
    while let Some(stopped) = parts.next().await {
        if stopped == Stopped::Closed {
            return;
        }
    }
}

impl Source {
    fn workloads<'a, T: Facts + Object + 'a>(&'a self, parts: &mut FuturesUnordered<Part<'a>>) {
        if self.options.namespaces.is_empty() {
            parts.push(Box::pin(self.everywhere::<T>()));
        }
        for namespace in &self.options.namespaces {
            let slot = self.board.add(collection::<T>(Some(namespace.clone())));
            parts.push(Box::pin(self.collection::<T>(slot, false)));
        }
    }

    /// All namespaces; where that is forbidden from the start, the context's own.
    async fn everywhere<T: Facts + Object>(&self) -> Stopped {
        let slot = self.board.add(collection::<T>(None));
        let stopped = self.collection::<T>(slot, true).await;
        if let Stopped::Closed = stopped {
            return stopped;
        }
        let own = Namespace::new(self.client.namespace());
        self.board.narrow(slot, collection::<T>(Some(own)));
        self.collection::<T>(slot, false).await
    }

    async fn collection<T: Facts + Object>(&self, slot: usize, may_narrow: bool) -> Stopped {
        let collection = self.board.collection(slot);
        if !is_first(collection.kind) {
            // Not an error if it takes longer: then they share the connection's width.
            let _ = tokio::time::timeout(FIRST_ROWS_WITHIN, self.board.first_are_listed()).await;
        }
        let may_be_absent = collection.kind == CollectionKind::Workloads(WorkloadKind::ArgoRollout);
        let watch = Watch::new(path(&collection), may_be_absent, self.streams.clone());
        let mut teller = Teller::<T>::new(Telling {
            environment: self.options.environment.clone(),
            collection,
            slot,
            board: &self.board,
            sender: self.sender.clone(),
            share: Arc::clone(&self.share),
        });
        let with = Watching {
            client: &self.client,
            gate: &self.gate,
            start: self.start,
            chance: self.fork_chance(),
            leave_when_forbidden: may_narrow,
        };
        drive(with, watch, &mut teller).await
    }

    fn fork_chance(&self) -> Chance {
        self.chance
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .fork()
    }

    /// The state of the whole, whenever it changes.
    async fn tell_health(&self) -> Stopped {
        loop {
            if let Some(health) = self.board.news()
                && self.send(Fact::Health(health)).await.is_err()
            {
                return Stopped::Closed;
            }
            tokio::select! {
                () = self.board.changed() => {}
                () = self.sender.closed() => return Stopped::Closed,
            }
        }
    }

    /// Who we are, once. A server that cannot be reached is asked when it can be.
    async fn tell_who(&self) -> Stopped {
        let Some(client) = &self.asks else {
            return std::future::pending().await;
        };
        loop {
            match access::who(client).await {
                Ok(who) => {
                    return match self.send(Fact::Who(who)).await {
                        Ok(()) => std::future::pending().await,
                        Err(stopped) => stopped,
                    };
                }
                Err(error) if error.fate() == Fate::Refused => std::future::pending().await,
                Err(_) => self.board.live_again().await,
            }
        }
    }

    async fn send(&self, fact: Fact) -> Result<(), Stopped> {
        let event = SourceEvent {
            environment: self.options.environment.clone(),
            fact,
        };
        self.sender
            .send(vec![event])
            .await
            .map_err(|_| Stopped::Closed)
    }
}

/// What the first rows are made of.
const fn is_first(kind: CollectionKind) -> bool {
    matches!(
        kind,
        CollectionKind::Workloads(WorkloadKind::ArgoRollout | WorkloadKind::Deployment)
    )
}

fn collection<T: Facts>(namespace: Option<Namespace>) -> Collection {
    Collection {
        kind: T::KIND,
        namespace,
    }
}

const fn plural(kind: CollectionKind) -> &'static str {
    match kind {
        CollectionKind::Workloads(WorkloadKind::ArgoRollout) => "rollouts",
        CollectionKind::Workloads(WorkloadKind::Deployment) => "deployments",
        CollectionKind::Workloads(WorkloadKind::StatefulSet) => "statefulsets",
        CollectionKind::Workloads(WorkloadKind::DaemonSet) => "daemonsets",
        CollectionKind::ReplicaSets => "replicasets",
    }
}

fn path(collection: &Collection) -> ApiPath {
    let (group, version) = match collection.kind {
        CollectionKind::Workloads(WorkloadKind::ArgoRollout) => ("argoproj.io", "v1alpha1"),
        CollectionKind::Workloads(_) | CollectionKind::ReplicaSets => ("apps", "v1"),
    };
    let plural = plural(collection.kind);
    match &collection.namespace {
        None => ApiPath::new(&["apis", group, version, plural]),
        Some(namespace) => ApiPath::new(&[
            "apis",
            group,
            version,
            "namespaces",
            namespace.as_str(),
            plural,
        ]),
    }
}
