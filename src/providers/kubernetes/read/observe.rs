//! One object, watched from a version that is known: what happens to it after a write, with nothing missed between the
//! write's answer and the first look.

use std::sync::Arc;

use serde::Deserialize;
use tokio::{sync::mpsc, time::Instant};

use super::{
    super::{
        client::{ApiPath, Client},
        error::Error,
        map::{self, Interner},
        watch::{
            Chance, Closed, Condition, Gate, Listener, News, Object, Stopped, StreamsLists, Watch,
            Watching, drive,
        },
        wire,
    },
    rollout,
};
use crate::model::{
    id::{EnvironmentName, ReleaseId, ResourceVersion, Uid, WorkloadKind},
    rollout::Rollout,
    text::Safe,
};

/// What became of the object.
#[derive(Clone, Debug)]
pub enum Observed {
    /// Its state, newest last. Look at the uid: a recreated object is another one under the same name.
    Seen(Arc<Rollout>),
    Deleted {
        uid: Option<Uid>,
    },
    /// It cannot be observed now, and why. It goes on by itself: `Mended`, or the next `Seen`.
    Trouble(Safe),
    Mended,
}

/// Observes until dropped, or until nobody listens. Without a version, it begins with a fresh read.
pub async fn observe(
    client: &Client,
    target: &ReleaseId,
    from: Option<ResourceVersion>,
    sender: mpsc::Sender<Observed>,
) -> Result<(), Error> {
    let from = if let Some(version) = from {
        version
    } else {
        let first = rollout(client, target).await?;
        let version = first.version.clone();
        if sender.send(Observed::Seen(Arc::new(first))).await.is_err() {
            return Ok(());
        }
        version
    };
    let listener = One {
        environment: target.environment.clone(),
        sender,
        queue: Vec::new(),
        share: Interner::default(),
        seen_in_list: None,
        in_trouble: false,
    };
    match target.kind {
        WorkloadKind::ArgoRollout => {
            run::<wire::Rollout>(client, target, &from, listener, map::rollout).await
        }
        WorkloadKind::Deployment => {
            run::<wire::Deployment>(client, target, &from, listener, map::deployment).await
        }
        WorkloadKind::StatefulSet => {
            run::<wire::StatefulSet>(client, target, &from, listener, map::stateful_set).await
        }
        WorkloadKind::DaemonSet => {
            run::<wire::DaemonSet>(client, target, &from, listener, map::daemon_set).await
        }
    }
}

type ToModel<T> = fn(&T, &EnvironmentName, &mut Interner) -> Rollout;

async fn run<T: Object + for<'de> Deserialize<'de>>(
    client: &Client,
    target: &ReleaseId,
    from: &ResourceVersion,
    listener: One,
    map: ToModel<T>,
) -> Result<(), Error> {
    // The object's own path without its name: a named object is watched through its collection (and a role for one
    // name allows just this form).
    let object = super::object(target);
    let collection = object
        .as_str()
        .rsplit_once('/')
        .map_or("", |(path, _)| path);
    let path = ApiPath::encoded(collection).query(
        "fieldSelector",
        &format!("metadata.name={}", target.name.as_str()),
    );
    let gate = Gate::default();
    let with = Watching {
        client,
        gate: &gate,
        start: Instant::now(),
        chance: Chance::from_system(),
        leave_when_forbidden: false,
    };
    let watch = Watch::since(path, from.as_str(), StreamsLists::default());
    let mut listener = Mapped { one: listener, map };
    match drive::<T, _>(with, watch, &mut listener).await {
        Stopped::Closed => Ok(()),
        Stopped::Forbidden(error) => Err(error),
    }
}

struct One {
    environment: EnvironmentName,
    sender: mpsc::Sender<Observed>,
    queue: Vec<Observed>,
    share: Interner,
    /// While the object is listed again: whether it was there.
    seen_in_list: Option<bool>,
    in_trouble: bool,
}

struct Mapped<T> {
    one: One,
    map: ToModel<T>,
}

impl<T: Send> Listener<T> for Mapped<T> {
    fn tell(&mut self, news: News<T>) {
        let one = &mut self.one;
        match news {
            News::Begin => one.seen_in_list = Some(false),
            News::Object(object) => {
                if let Some(seen) = &mut one.seen_in_list {
                    *seen = true;
                }
                let rollout = (self.map)(&object, &one.environment, &mut one.share);
                one.queue.push(Observed::Seen(Arc::new(rollout)));
            }
            News::Deleted(object) => {
                let rollout = (self.map)(&object, &one.environment, &mut one.share);
                one.queue.push(Observed::Deleted {
                    uid: Some(rollout.uid),
                });
            }
            News::Complete => {
                if one.seen_in_list.take() == Some(false) {
                    one.queue.push(Observed::Deleted { uid: None });
                }
            }
            News::Unreadable(malformed) => {
                let why = Error::malformed(&malformed.error).sentence();
                one.in_trouble = true;
                one.queue.push(Observed::Trouble(why));
            }
            News::Absent => one.queue.push(Observed::Deleted { uid: None }),
        }
    }

    fn is_full(&self) -> bool {
        self.one.queue.len() >= 16
    }

    async fn flush(&mut self, condition: &Condition, _: bool) -> Result<(), Closed> {
        let one = &mut self.one;
        let trouble = match condition {
            Condition::Failing { why, .. } => Some(why.clone()),
            _ => None,
        };
        match trouble {
            Some(why) if !one.in_trouble => {
                one.in_trouble = true;
                one.queue.push(Observed::Trouble(why));
            }
            None if one.in_trouble && *condition == Condition::Live => {
                one.in_trouble = false;
                one.queue.push(Observed::Mended);
            }
            _ => {}
        }
        for observed in one.queue.drain(..) {
            one.sender.send(observed).await.map_err(|_| Closed)?;
        }
        Ok(())
    }
}
