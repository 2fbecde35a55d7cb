//! From objects to facts, in batches: a small one first, so that the first rows come at once, then large ones.

use std::{
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::mpsc;

use super::health::Board;
use crate::{
    model::{
        event::{Collection, CollectionKind, Fact, SourceEvent},
        id::{EnvironmentName, WorkloadKind},
        rollout::Rollout,
    },
    providers::kubernetes::{
        map::{self, Interner},
        watch::{Closed, Condition, Listener, News},
        wire,
    },
};

const FIRST_BATCH: usize = 32;
const BATCH: usize = 256;

/// A kind that is watched, and the facts its objects are.
pub(super) trait Facts: Send {
    const KIND: CollectionKind;

    /// `None`: not of our business.
    fn fact(&self, environment: &EnvironmentName, share: &mut Interner) -> Option<Fact>;

    fn gone(&self, environment: &EnvironmentName, share: &mut Interner) -> Option<Fact>;
}

macro_rules! workloads {
    ($($object:ident: $kind:ident, $map:path;)*) => {$(
        impl Facts for wire::$object {
            const KIND: CollectionKind = CollectionKind::Workloads(WorkloadKind::$kind);

            fn fact(&self, environment: &EnvironmentName, share: &mut Interner) -> Option<Fact> {
                Some(Fact::Rollout(Arc::new($map(self, environment, share))))
            }

            fn gone(&self, environment: &EnvironmentName, share: &mut Interner) -> Option<Fact> {
                let Rollout { id, uid, .. } = $map(self, environment, share);
                Some(Fact::RolloutGone { id, uid })
            }
        }
    )*};
}
workloads! {
    Rollout: ArgoRollout, map::rollout;
    Deployment: Deployment, map::deployment;
    StatefulSet: StatefulSet, map::stateful_set;
    DaemonSet: DaemonSet, map::daemon_set;
}

impl Facts for wire::ReplicaSet {
    const KIND: CollectionKind = CollectionKind::ReplicaSets;

    fn fact(&self, _: &EnvironmentName, _: &mut Interner) -> Option<Fact> {
        is_of_a_release(self)
            .then(|| map::replica_set(self))
            .flatten()
            .map(Fact::ReplicaSet)
    }

    fn gone(&self, _: &EnvironmentName, _: &mut Interner) -> Option<Fact> {
        let owned = is_of_a_release(self)
            .then(|| map::replica_set(self))
            .flatten()?;
        Some(Fact::ReplicaSetGone {
            owner: owned.owner,
            uid: owned.set.uid,
        })
    }
}

/// A ReplicaSet of its own, of an Experiment or of somebody else's controller is no version of a release.
fn is_of_a_release(set: &wire::ReplicaSet) -> bool {
    set.metadata
        .controller()
        .is_some_and(|owner| matches!(owner.kind.as_str(), "Rollout" | "Deployment"))
}

pub(super) struct Telling<'a> {
    pub(super) environment: EnvironmentName,
    pub(super) collection: Collection,
    pub(super) slot: usize,
    pub(super) board: &'a Board,
    pub(super) sender: mpsc::Sender<Vec<SourceEvent>>,
    pub(super) share: Arc<Mutex<Interner>>,
}

/// Listens to one watch.
pub(super) struct Teller<'a, T> {
    to: Telling<'a>,
    batch: Vec<SourceEvent>,
    full: usize,
    kind: PhantomData<fn(T)>,
}

impl<'a, T> Teller<'a, T> {
    pub(super) fn new(to: Telling<'a>) -> Self {
        Self {
            to,
            batch: Vec::new(),
            full: FIRST_BATCH,
            kind: PhantomData,
        }
    }

    fn push(&mut self, fact: Fact) {
        self.batch.push(SourceEvent {
            environment: self.to.environment.clone(),
            fact,
        });
    }
}

impl<T: Facts> Listener<T> for Teller<'_, T> {
    fn tell(&mut self, news: News<T>) {
        let to = &self.to;
        let mut share = to.share.lock().unwrap_or_else(PoisonError::into_inner);
        let fact = match news {
            News::Begin => {
                to.board.forget_unreadable(to.slot);
                Some(Fact::Begin(to.collection.clone()))
            }
            News::Object(object) => object.fact(&to.environment, &mut share),
            News::Deleted(object) => object.gone(&to.environment, &mut share),
            News::Unreadable(malformed) => {
                to.board.unreadable(to.slot, &malformed);
                None
            }
            News::Complete => Some(Fact::Complete(to.collection.clone())),
            News::Absent => Some(Fact::Absent(to.collection.clone())),
        };
        drop(share);
        if let Some(fact) = fact {
            self.push(fact);
        }
    }

    fn is_full(&self) -> bool {
        self.batch.len() >= self.full
    }

    async fn flush(&mut self, condition: &Condition, heard: bool) -> Result<(), Closed> {
        if heard && let Some(at) = self.to.board.heard(self.to.slot) {
            self.push(Fact::Heard(at));
        }
        if !self.batch.is_empty() {
            self.full = BATCH;
            let batch = std::mem::take(&mut self.batch);
            self.to.sender.send(batch).await.map_err(|_| Closed)?;
        }
        // After its facts: whoever sees "live" has everything that makes it so.
        self.to.board.set(self.to.slot, condition);
        Ok(())
    }
}
