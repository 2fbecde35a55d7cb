//! What is watched only while a release is open: its pods, analysis runs, experiments and events. Each part is told as
//! a complete sorted list when something in it has changed, at most ten times a second. A part that may not be seen
//! says so and does not silence the others.
//!
//! Pods and ReplicaSets are asked for by the workload's selector. Runs, experiments and events are not: no label or
//! field names the release on all of them (an experiment's own runs carry none), so the namespace's are read and kept
//! only where the owner's uid says that they belong here.

mod kept;
mod parts;
#[cfg(test)]
mod tests;

use std::{
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, sleep},
};

use self::{
    kept::Kept,
    parts::{Part, PartListener, Parts},
};
use super::{
    client::{ApiPath, Client},
    error::Error,
    read,
    watch::{Chance, Gate, Object, Stopped, StreamsLists, Watch, Watching, drive},
    wire,
};
use crate::model::{
    event::DetailFact,
    id::{ReleaseId, Uid, WorkloadKind},
};

/// A rollout that moves changes many objects at once; they are told together.
const TOGETHER: Duration = Duration::from_millis(100);

type Running<'a> = Pin<Box<dyn Future<Output = Stopped> + Send + 'a>>;

struct Detail {
    client: Client,
    target: ReleaseId,
    gate: Gate,
    streams: StreamsLists,
    start: Instant,
    chance: Mutex<Chance>,
    parts: Mutex<Parts>,
    changed: Notify,
}

/// Watches the parts of one release until dropped, or until nobody listens. `uid`: the workload as it is shown; another
/// object under its name is none of this.
pub async fn run(
    client: Client,
    target: ReleaseId,
    uid: Uid,
    sender: mpsc::Sender<DetailFact>,
) -> Result<(), Error> {
    let object = read::raw(&client, &target).await?;
    let selector = read::selector(&object);
    let detail = Detail {
        parts: Mutex::new(Parts::new(&target, uid)),
        client,
        target,
        gate: Gate::default(),
        streams: StreamsLists::default(),
        start: Instant::now(),
        chance: Mutex::new(Chance::from_system()),
        changed: Notify::new(),
    };
    let mut running: FuturesUnordered<Running<'_>> = FuturesUnordered::new();
    let selector = selector.as_deref();
    running.push(detail.watch::<wire::Pod>(&["api", "v1"], "pods", selector));
    running.push(detail.watch::<wire::Event>(&["api", "v1"], "events", None));
    let apps = ["apis", "apps", "v1"];
    running.push(detail.watch::<wire::ReplicaSet>(&apps, "replicasets", selector));
    if detail.target.kind == WorkloadKind::ArgoRollout {
        let argo = ["apis", "argoproj.io", "v1alpha1"];
        running.push(detail.watch::<wire::AnalysisRun>(&argo, "analysisruns", None));
        running.push(detail.watch::<wire::Experiment>(&argo, "experiments", None));
    }
    running.push(Box::pin(detail.tell(&sender)));
    while let Some(stopped) = running.next().await {
        if stopped == Stopped::Closed {
            break;
        }
    }
    Ok(())
}

impl Detail {
    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch<'a, T: Part + Object + 'a>(
        &'a self,
        api: &[&str],
        plural: &str,
        selector: Option<&str>,
    ) -> Running<'a> {
        let is_custom = api.contains(&"argoproj.io");
        let mut segments = api.to_vec();
        segments.extend(["namespaces", self.target.namespace.as_str(), plural]);
        let mut path = ApiPath::new(&segments);
        if let Some(selector) = selector {
            path = path.query("labelSelector", selector);
        }
        let chance = {
            let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
            chance.fork()
        };
        Box::pin(async move {
            let with = Watching {
                client: &self.client,
                gate: &self.gate,
                start: self.start,
                chance,
                leave_when_forbidden: false,
            };
            // A custom resource may be unknown to a server; its pods may not.
            let watch = Watch::new(path, is_custom, self.streams.clone());
            drive::<T, _>(with, watch, &mut PartListener::<T>::new(self)).await
        })
    }

    async fn tell(&self, sender: &mpsc::Sender<DetailFact>) -> Stopped {
        loop {
            tokio::select! {
                () = self.changed.notified() => {}
                () = sender.closed() => return Stopped::Closed,
            }
            sleep(TOGETHER).await;
            let facts = self.parts().news();
            for fact in facts {
                if sender.send(fact).await.is_err() {
                    return Stopped::Closed;
                }
            }
        }
    }
}
