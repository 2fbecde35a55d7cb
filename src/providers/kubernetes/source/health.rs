//! How the watches of one environment are doing, and what that makes of the whole: one state, one sentence.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use super::{is_first, plural};
use crate::{
    model::{
        event::{Collection, CollectionKind},
        source::{SourceHealth, SourceState},
        text::sanitise,
    },
    providers::kubernetes::{client::Reader, watch::Condition, wire},
};

/// A newer time is told when it is newer by this.
const HEARD_STEP: SignedDuration = SignedDuration::from_secs(1);

/// What stands in the way of more than one watch is said first.
const SAID_FIRST: [SourceState; 4] = [
    SourceState::Unauthorized,
    SourceState::Unreachable,
    SourceState::RateLimited,
    SourceState::Malformed,
];

pub(super) struct Board {
    client: Reader,
    start: Instant,
    inner: Mutex<Inner>,
    changed: Notify,
    first_listed: watch::Sender<bool>,
    live: watch::Sender<bool>,
}

#[derive(Default)]
struct Inner {
    slots: Vec<Slot>,
    told: Option<SourceHealth>,
    heard_told: Option<Timestamp>,
}

struct Slot {
    collection: Collection,
    condition: Condition,
    heard: Option<Timestamp>,
    /// The context's own namespace instead of all.
    narrowed: bool,
    unreadable: usize,
    first_unreadable: String,
}

impl Board {
    pub(super) fn new(client: Reader, start: Instant) -> Self {
        Self {
            client,
            start,
            inner: Mutex::default(),
            changed: Notify::new(),
            first_listed: watch::Sender::new(false),
            live: watch::Sender::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, collection: Collection) -> usize {
        let mut inner = self.lock();
        inner.slots.push(Slot {
            collection,
            condition: Condition::Connecting,
            heard: None,
            narrowed: false,
            unreadable: 0,
            first_unreadable: String::new(),
        });
        inner.slots.len() - 1
    }

    pub(super) fn collection(&self, slot: usize) -> Collection {
        let inner = self.lock();
        match inner.slots.get(slot) {
            Some(slot) => slot.collection.clone(),
            // Slots are only ever added.
            None => Collection {
                kind: CollectionKind::ReplicaSets,
                namespace: None,
            },
        }
    }

    pub(super) fn narrow(&self, slot: usize, to: Collection) {
        self.change(slot, |slot| {
            slot.collection = to;
            slot.narrowed = true;
            slot.condition = Condition::Connecting;
        });
    }

    pub(super) fn forget_unreadable(&self, slot: usize) {
        self.change(slot, |slot| slot.unreadable = 0);
    }

    pub(super) fn unreadable(&self, slot: usize, malformed: &wire::Malformed) {
        self.change(slot, |slot| {
            slot.unreadable += 1;
            slot.first_unreadable = format!(
                "{}/{} ({})",
                malformed.namespace, malformed.name, malformed.error
            );
        });
    }

    pub(super) fn set(&self, slot: usize, condition: &Condition) {
        let changed = {
            let mut inner = self.lock();
            match inner.slots.get_mut(slot) {
                Some(slot) if slot.condition != *condition => {
                    slot.condition = condition.clone();
                    true
                }
                _ => false,
            }
        };
        if changed {
            self.after_change();
        }
    }

    fn change(&self, slot: usize, change: impl FnOnce(&mut Slot)) {
        if let Some(slot) = self.lock().slots.get_mut(slot) {
            change(slot);
        }
        self.after_change();
    }

    fn after_change(&self) {
        let inner = self.lock();
        let waits =
            |slot: &Slot| is_first(slot.collection.kind) && slot.condition == Condition::Connecting;
        let listed = !inner.slots.iter().any(waits);
        let live = inner.state() == SourceState::Live;
        drop(inner);
        self.first_listed
            .send_if_modified(|told| !std::mem::replace(told, listed) && listed);
        self.live
            .send_if_modified(|told| std::mem::replace(told, live) != live);
        self.changed.notify_one();
    }

    /// Something arrived on this watch. Answers with the time to tell, if it is worth telling: that of the watch which
    /// was heard least lately, because no fact of this source may look younger than it is.
    pub(super) fn heard(&self, slot: usize) -> Option<Timestamp> {
        let now = self.client.now();
        let mut inner = self.lock();
        if let Some(slot) = inner.slots.get_mut(slot) {
            slot.heard = Some(now);
        }
        let oldest = inner.heard()?;
        let newer = inner
            .heard_told
            .is_none_or(|told| oldest.duration_since(told) >= HEARD_STEP);
        if newer {
            inner.heard_told = Some(oldest);
        }
        newer.then_some(oldest)
    }

    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    pub(super) async fn first_are_listed(&self) {
        // The sender lives as long as this.
        let _ = self
            .first_listed
            .subscribe()
            .wait_for(|listed| *listed)
            .await;
    }

    pub(super) async fn live_again(&self) {
        let mut live = self.live.subscribe();
        // Being live now is no news: it is the next time that counts, unless there was none yet.
        if *live.borrow_and_update() {
            tokio::time::sleep(Duration::from_secs(300)).await;
        }
        let _ = live.wait_for(|live| *live).await;
    }

    /// The health of the whole, if it is not what was told last.
    pub(super) fn news(&self) -> Option<SourceHealth> {
        let now = self.client.now();
        let passed = self.start.elapsed();
        let mut inner = self.lock();
        let state = inner.state();
        let since = match &inner.told {
            Some(told) if told.state == state => told.since,
            _ => now,
        };
        let health = SourceHealth {
            state,
            since,
            detail: sanitise(&inner.detail(state)),
            next_try: inner.next_try().and_then(|at| {
                let wait = SignedDuration::try_from(at.saturating_sub(passed)).ok()?;
                now.checked_add(wait).ok()
            }),
            heard: inner.heard(),
        };
        let same = inner.told.as_ref().is_some_and(|told| {
            told.state == health.state
                && told.detail == health.detail
                && are_close(told.next_try, health.next_try)
        });
        (!same).then(|| {
            inner.told = Some(health.clone());
            health
        })
    }
}

/// The same moment, told from two clocks that run side by side.
fn are_close(a: Option<Timestamp>, b: Option<Timestamp>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.duration_since(b).abs() < SignedDuration::from_millis(500),
        (None, None) => true,
        _ => false,
    }
}

impl Inner {
    /// Those that are there and may be seen.
    fn seen(&self) -> impl Iterator<Item = &Slot> {
        self.slots
            .iter()
            .filter(|slot| slot.condition != Condition::Absent && !slot.is_forbidden())
    }

    fn state(&self) -> SourceState {
        let workloads = |slot: &&Slot| slot.collection.kind != CollectionKind::ReplicaSets;
        if self.slots.iter().any(Slot::is_forbidden) && !self.seen().any(|slot| workloads(&slot)) {
            return SourceState::Forbidden;
        }
        let failing = |state: &SourceState| self.seen().any(|slot| slot.failing() == Some(*state));
        if let Some(state) = SAID_FIRST.into_iter().find(failing) {
            return state;
        }
        let any = |condition: &Condition| self.seen().any(|slot| slot.condition == *condition);
        if self.slots.is_empty() || any(&Condition::Connecting) {
            SourceState::Connecting
        } else if any(&Condition::Late) {
            SourceState::Stale
        } else {
            SourceState::Live
        }
    }

    fn detail(&self, state: SourceState) -> String {
        match state {
            SourceState::Connecting | SourceState::NotConfigured => String::new(),
            SourceState::Stale => {
                "the connection was lost or silent and is being opened again".to_owned()
            }
            SourceState::Live => self.limits(),
            _ => self
                .slots
                .iter()
                .find(|slot| slot.failing() == Some(state))
                .map(Slot::sentence)
                .unwrap_or_default(),
        }
    }

    /// What a live source does not show.
    fn limits(&self) -> String {
        let mut limits = Vec::new();
        let forbidden: Vec<&str> = self
            .slots
            .iter()
            .filter(|slot| slot.is_forbidden())
            .map(|slot| plural(slot.collection.kind))
            .collect();
        if !forbidden.is_empty() {
            limits.push(format!("not permitted to see {}", forbidden.join(", ")));
        }
        let narrowed = self.slots.iter().find(|slot| slot.narrowed);
        if let Some(namespace) = narrowed.and_then(|slot| slot.collection.namespace.as_ref()) {
            limits.push(format!(
                "only namespace {namespace}: listing across namespaces is not permitted"
            ));
        }
        for slot in self.slots.iter().filter(|slot| slot.unreadable > 0) {
            limits.push(format!(
                "{} of the {} cannot be read, the last is {}",
                slot.unreadable,
                plural(slot.collection.kind),
                slot.first_unreadable
            ));
        }
        limits.join("; ")
    }

    fn next_try(&self) -> Option<Duration> {
        let next = |slot: &Slot| match &slot.condition {
            Condition::Failing { next_try, .. } => Some(*next_try),
            _ => None,
        };
        let of = |forbidden: bool| {
            self.slots
                .iter()
                .filter(move |slot| slot.is_forbidden() == forbidden)
                .filter_map(next)
                .min()
        };
        if self.state() == SourceState::Live {
            return None;
        }
        of(false).or_else(|| of(true))
    }

    fn heard(&self) -> Option<Timestamp> {
        let mut oldest = None;
        for slot in self.seen() {
            let heard = slot.heard?;
            oldest = Some(oldest.map_or(heard, |before: Timestamp| before.min(heard)));
        }
        oldest
    }
}

impl Slot {
    fn failing(&self) -> Option<SourceState> {
        match &self.condition {
            Condition::Failing { state, .. } => Some(*state),
            _ => None,
        }
    }

    fn is_forbidden(&self) -> bool {
        self.failing() == Some(SourceState::Forbidden)
    }

    fn sentence(&self) -> String {
        match &self.condition {
            Condition::Failing { why, .. } => format!("{}: {why}", plural(self.collection.kind)),
            _ => String::new(),
        }
    }
}
