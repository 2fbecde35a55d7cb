//! Does what a [`Watch`] says: asks, reads, and tells a listener. Runs until dropped; starts no task of its own.
//! Wakes up when a line comes or something is due, never to look whether.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use tokio::{
    sync::{Notify, Semaphore, SemaphorePermit},
    time::{Instant, sleep_until, timeout_at},
};

use super::{Ask, Chance, Condition, Line, Marks, Watch};
use crate::providers::kubernetes::{
    client::{ApiPath, Lines, Reader, status_error, unreadable},
    error::Error,
    history, wire,
};

/// What is told of a collection, in this order: `Begin`, its objects, `Complete`, then changes.
#[derive(Debug)]
pub enum News<T> {
    Begin,
    Object(T),
    /// With its last state.
    Deleted(T),
    Unreadable(wire::Malformed),
    Complete,
    Absent,
}

/// Nobody wants to hear it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// Whom a watch tells. It collects what is told and hands it on when it is flushed: ten thousand objects are not ten
/// thousand wake-ups.
pub trait Listener<T>: Send {
    fn tell(&mut self, news: News<T>);

    fn is_full(&self) -> bool;

    /// Hands on what was told. `heard`: the server said something since the last time. The condition counts after
    /// what was told before it.
    fn flush(
        &mut self,
        condition: &Condition,
        heard: bool,
    ) -> impl Future<Output = Result<(), Closed>> + Send;
}

/// An object with metadata.
pub trait Object: DeserializeOwned + Send {
    fn metadata(&self) -> &wire::Meta;
}

macro_rules! objects {
    ($($name:ident),*) => {$(
        impl Object for wire::$name {
            fn metadata(&self) -> &wire::Meta {
                &self.metadata
            }
        }
    )*};
}
objects!(
    Rollout,
    Deployment,
    StatefulSet,
    DaemonSet,
    ReplicaSet,
    Pod,
    AnalysisRun,
    Experiment,
    Event
);

impl Object for history::Recorded {
    fn metadata(&self) -> &wire::Meta {
        &self.object.metadata
    }
}

/// Keeps the retries of one server apart: one at a time, none before the server wants to be asked again, and all at
/// once when one of them got through.
#[derive(Debug)]
pub struct Gate {
    turn: Semaphore,
    shut_until: Mutex<Option<Instant>>,
    recovered: Notify,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            turn: Semaphore::new(1),
            shut_until: Mutex::new(None),
            recovered: Notify::new(),
        }
    }
}

impl Gate {
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed; if it were, going on would be right.
        let permit = self.turn.acquire().await.ok();
        let until = *self.lock();
        if let Some(until) = until {
            sleep_until(until).await;
        }
        permit
    }

    fn shut(&self, until: Instant) {
        let mut shut = self.lock();
        *shut = Some(shut.map_or(until, |before| before.max(until)));
    }

    fn open(&self) {
        if self.lock().take().is_some() {
            self.recovered.notify_waiters();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.shut_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What comes within this of the last flush is told together with what follows. An API server sends its list object by
/// object, slower than they are read: without this, ten thousand objects would be ten thousand wake-ups all the same.
/// After a longer quiet nothing waits.
const TOGETHER: Duration = Duration::from_millis(30);

/// What of a stream has been handed on, and when.
struct Telling {
    untold: bool,
    flushed: Instant,
}

impl Telling {
    async fn flush<T, L: Listener<T>>(
        &mut self,
        watch: &Watch,
        listener: &mut L,
    ) -> Result<(), Closed> {
        listener.flush(watch.condition(), true).await?;
        self.untold = false;
        self.flushed = Instant::now();
        Ok(())
    }

    /// The next line. `None`: nothing came until the watch is late.
    async fn next_line<T, L: Listener<T>>(
        &mut self,
        with: &Watching<'_>,
        watch: &Watch,
        listener: &mut L,
        lines: &mut Lines,
    ) -> Result<Option<Result<Option<Bytes>, Error>>, Closed> {
        if let Some(next) = lines.ready() {
            return Ok(Some(next));
        }
        if self.untold {
            let due = self.flushed + TOGETHER;
            if due > Instant::now()
                && let Ok(next) = timeout_at(due, lines.next()).await
            {
                return Ok(Some(next));
            }
            self.flush(watch, listener).await?;
        }
        let late = with.start + watch.deadline();
        Ok(timeout_at(late, lines.next()).await.ok())
    }
}

/// What a watch works with.
#[derive(Debug)]
pub struct Watching<'a> {
    pub client: &'a Reader,
    pub gate: &'a Gate,
    /// The zero of the watch's time.
    pub start: Instant,
    pub chance: Chance,
    /// Where a first list is forbidden, stop with that instead of asking again now and then.
    pub leave_when_forbidden: bool,
}

/// Why a watch stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    Closed,
    Forbidden(Error),
}

impl From<Closed> for Stopped {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

/// Keeps one collection in sync until it is dropped or nobody listens.
pub async fn drive<T: Object, L: Listener<T>>(
    mut with: Watching<'_>,
    mut watch: Watch,
    listener: &mut L,
) -> Stopped {
    loop {
        match with.step::<T, L>(&mut watch, listener).await {
            Ok(()) => {}
            Err(stopped) => return stopped,
        }
    }
}

impl Watching<'_> {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    async fn step<T: Object, L: Listener<T>>(
        &mut self,
        watch: &mut Watch,
        listener: &mut L,
    ) -> Result<(), Stopped> {
        listener.flush(watch.condition(), false).await?;
        match watch.next(self.now(), &mut self.chance) {
            Ask::Wait { until } => {
                tokio::select! {
                    () = sleep_until(self.start + until) => {}
                    () = self.gate.recovered.notified() => watch.hurry(),
                }
                Ok(())
            }
            Ask::Page(path) => self.page::<T, L>(watch, listener, &path).await,
            Ask::Stream(path) => self.stream::<T, L>(watch, listener, &path).await,
        }
    }

    async fn page<T: Object, L: Listener<T>>(
        &mut self,
        watch: &mut Watch,
        listener: &mut L,
        path: &ApiPath,
    ) -> Result<(), Stopped> {
        let turn = self.take_turn(watch).await;
        let read = self.client.get_bytes(path).await.and_then(|bytes| {
            wire::decode_list::<T>(&bytes).map_err(|error| unreadable(&bytes, &error))
        });
        drop(turn);
        let list = match read {
            Ok(list) => list,
            Err(error) => return self.failed(watch, listener, &error),
        };
        self.gate.open();
        let meta = &list.metadata;
        let marks = match watch.page(self.now(), &meta.resource_version, &meta.continue_token) {
            Ok(marks) => marks,
            Err(error) => return self.failed(watch, listener, &error),
        };
        if marks.begin {
            listener.tell(News::Begin);
        }
        for malformed in list.malformed {
            listener.tell(News::Unreadable(malformed));
        }
        for object in list.items {
            listener.tell(News::Object(object));
            if listener.is_full() {
                listener.flush(watch.condition(), true).await?;
            }
        }
        if marks.complete {
            listener.tell(News::Complete);
        }
        Ok(listener.flush(watch.condition(), true).await?)
    }

    async fn stream<T: Object, L: Listener<T>>(
        &mut self,
        watch: &mut Watch,
        listener: &mut L,
        path: &ApiPath,
    ) -> Result<(), Stopped> {
        let turn = self.take_turn(watch).await;
        let opened = self.client.lines(path).await;
        drop(turn);
        let mut lines = match opened {
            Ok(lines) => lines,
            Err(error) => return self.failed(watch, listener, &error),
        };
        self.gate.open();
        if watch.opened(self.now()).begin {
            listener.tell(News::Begin);
        }
        let mut telling = Telling {
            untold: true,
            flushed: Instant::now(),
        };
        loop {
            let next = telling.next_line(self, watch, listener, &mut lines);
            let Some(next) = next.await? else {
                watch.overdue();
                return Ok(());
            };
            match next {
                Ok(Some(line)) => {
                    telling.untold = true;
                    match self.line(watch, listener, &line) {
                        Ok(marks) if marks.complete => telling.flush(watch, listener).await?,
                        Ok(_) => {}
                        Err(error) => return self.failed(watch, listener, &error),
                    }
                }
                Ok(None) => {
                    watch.ended(self.now(), &mut self.chance);
                    return Ok(());
                }
                Err(error) => return self.failed(watch, listener, &error),
            }
            if listener.is_full() {
                telling.flush(watch, listener).await?;
            }
        }
    }

    fn line<T: Object, L: Listener<T>>(
        &self,
        watch: &mut Watch,
        listener: &mut L,
        line: &[u8],
    ) -> Result<Marks, Error> {
        let now = self.now();
        let read = wire::decode_watch_line::<T>(line).map_err(|error| unreadable(line, &error))?;
        let mut change = |object: &T| {
            let version = Some(object.metadata().resource_version.as_str());
            watch.line(now, Line::Change { version });
        };
        match read {
            wire::Watch::Added(object) | wire::Watch::Modified(object) => {
                change(&object);
                listener.tell(News::Object(object));
            }
            wire::Watch::Deleted(object) => {
                change(&object);
                listener.tell(News::Deleted(object));
            }
            wire::Watch::Bookmark {
                resource_version,
                initial_events_end,
            } => {
                let line = Line::Bookmark {
                    version: &resource_version,
                    initial_events_end,
                };
                let marks = watch.line(now, line);
                if marks.complete {
                    listener.tell(News::Complete);
                }
                return Ok(marks);
            }
            wire::Watch::Malformed { malformed, .. } => {
                watch.line(now, Line::Change { version: None });
                listener.tell(News::Unreadable(malformed));
            }
            wire::Watch::Unknown(_) => {
                watch.line(now, Line::Change { version: None });
            }
            wire::Watch::Error(status) => {
                let code = u16::try_from(status.code).unwrap_or(500);
                return Err(status_error(&status, code, None));
            }
        }
        Ok(Marks::default())
    }

    fn failed<T, L: Listener<T>>(
        &mut self,
        watch: &mut Watch,
        listener: &mut L,
        error: &Error,
    ) -> Result<(), Stopped> {
        let was_absent = *watch.condition() == Condition::Absent;
        watch.failed(self.now(), &mut self.chance, error);
        match watch.condition() {
            Condition::Absent if !was_absent => listener.tell(News::Absent),
            Condition::Failing { next_try, .. } => match error {
                Error::Forbidden(_) if self.leave_when_forbidden && !watch.listed_once() => {
                    return Err(Stopped::Forbidden(error.clone()));
                }
                Error::Forbidden(_) => {}
                _ => self.gate.shut(self.start + *next_try),
            },
            _ => {}
        }
        Ok(())
    }

    async fn take_turn(&self, watch: &Watch) -> Option<SemaphorePermit<'_>> {
        if watch.is_retrying() {
            self.gate.turn().await
        } else {
            None
        }
    }
}
