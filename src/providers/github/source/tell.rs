//! What is told of the host as a whole, and only when it is news: its state, budget and clock.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use crate::{
    model::{
        event::{Tidings, Told},
        id::SourceId,
        pipeline::{Budget, Repository},
        source::{SourceHealth, SourceState},
        text::{Safe, sanitise},
    },
    providers::{beat::Beat, http::Server},
};

/// A source that is live says so again after so long, so that its silence can be told from its rest.
const HEARD_AGAIN: SignedDuration = SignedDuration::from_secs(20);

/// A clock that moves by less has not moved.
const AHEAD_BY: i64 = 1_000;

/// Nobody listens any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Closed;

pub(super) struct Teller {
    source: SourceId,
    out: mpsc::Sender<Vec<Tidings>>,
    health: Option<SourceHealth>,
    heard: Option<Timestamp>,
    /// How much younger it must be to be told for its own sake.
    heard_again: SignedDuration,
    budget: Option<Budget>,
    ahead: Option<i64>,
    /// Repositories that cannot be read, and why.
    failing: BTreeMap<Repository, (SourceState, Safe)>,
    /// What holds for all of them, as long as the source lives.
    note: Option<Safe>,
}

impl Teller {
    pub(super) fn new(source: SourceId, out: mpsc::Sender<Vec<Tidings>>, beat: &Beat) -> Self {
        Self {
            source,
            out,
            health: None,
            heard: None,
            // With a beat, everything is read at once and of the same second.
            heard_again: match beat.is_there() {
                true => SignedDuration::from_secs(1),
                false => HEARD_AGAIN,
            },
            budget: None,
            ahead: None,
            failing: BTreeMap::new(),
            note: None,
        }
    }

    pub(super) async fn closed(&self) {
        self.out.closed().await;
    }

    pub(super) async fn tell(&self, facts: Vec<Told>) -> Result<(), Closed> {
        if facts.is_empty() {
            return Ok(());
        }
        let tidings = |fact| Tidings {
            source: self.source.clone(),
            fact,
        };
        let tidings = facts.into_iter().map(tidings).collect();
        self.out.send(tidings).await.map_err(|_| Closed)
    }

    pub(super) fn note(&mut self, note: &str) {
        self.note = Some(sanitise(note));
    }

    pub(super) const fn heard(&mut self, at: Timestamp) {
        self.heard = Some(at);
    }

    pub(super) fn failing(&mut self, repository: &Repository, why: (SourceState, Safe)) {
        self.failing.insert(repository.clone(), why);
    }

    pub(super) fn reads(&mut self, repository: &Repository) {
        self.failing.remove(repository);
    }

    /// Only what is wanted can fail.
    pub(super) fn keep(&mut self, wanted: impl Fn(&Repository) -> bool) {
        self.failing.retain(|repository, _| wanted(repository));
    }

    /// It answers. Where it refuses every repository, that is its state.
    pub(super) fn live(&mut self, repositories: usize, now: Timestamp) -> Option<Told> {
        let none_reads = repositories > 0 && self.failing.len() >= repositories;
        let state = match self.failing.values().next() {
            Some((state, _)) if none_reads => *state,
            _ => SourceState::Live,
        };
        let mut parts: Vec<String> = self.note.iter().map(ToString::to_string).collect();
        let failing = self.failing.iter().take(3);
        parts.extend(failing.map(|(repository, (_, why))| format!("{repository}: {why}")));
        if self.failing.len() > 3 {
            parts.push(format!("and {} more", self.failing.len() - 3));
        }
        self.health(state, sanitise(&parts.join("; ")), None, now)
    }

    /// `None`: that is no news.
    pub(super) fn health(
        &mut self,
        state: SourceState,
        detail: Safe,
        next_try: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Told> {
        let before = self.health.as_ref();
        let since = before
            .filter(|before| before.state == state)
            .map_or(now, |before| before.since);
        let same = before.is_some_and(|before| {
            let rests = match (before.heard, self.heard) {
                (Some(before), Some(heard)) => heard.duration_since(before) < self.heard_again,
                (before, heard) => before == heard,
            };
            before.state == state && before.detail == detail && before.next_try == next_try && rests
        });
        if same {
            return None;
        }
        let health = SourceHealth {
            state,
            since,
            detail,
            next_try,
            heard: self.heard,
        };
        self.health = Some(health.clone());
        Some(Told::Health(health))
    }

    /// What the server object has learnt by the way.
    pub(super) fn of_server(&mut self, server: &Server) -> Vec<Told> {
        let mut facts = Vec::new();
        let budget = server.budget();
        if self.budget != Some(budget) {
            self.budget = Some(budget);
            facts.push(Told::Budget(budget));
        }
        if let Some(ahead) = server.ahead_ms()
            && self
                .ahead
                .is_none_or(|before| (before - ahead).abs() >= AHEAD_BY)
        {
            self.ahead = Some(ahead);
            facts.push(Told::Ahead(ahead));
        }
        facts
    }
}
