//! Several marked releases, decided one after another: each with its own plan and ceremony, stopping at the first that
//! does not end well. Owns the order and the count, and no shortcut around a dialog.

use super::{
    inbox::Waiting,
    msg::Effect,
    state::{Overlay, State, Tone, View},
};
use crate::{
    model::{
        id::{IntentId, ReleaseId, Uid},
        pipeline::GateId,
    },
    ops::{
        ceremony::Approved, guard::Decision, intent::Verb, machine::OutcomeKind,
        subject::GateSubject,
    },
};

/// What is decided next: a release as the object that was marked, or a gate, whose identity holds everything.
#[derive(Clone, Debug)]
pub enum Item {
    Release(ReleaseId, Uid),
    Gate(GateSubject),
}

#[derive(Clone, Debug)]
pub struct Queue {
    pub verb: Verb,
    /// The action that is being decided now: the outcome of any other is not its business.
    current: Option<Current>,
    pub left: Vec<Item>,
    pub done: usize,
    pub of: usize,
}

#[derive(Clone, Debug)]
struct Current {
    intent: IntentId,
    /// What was marked for it.
    gate: Option<GateId>,
    releases: Vec<ReleaseId>,
    /// What a guard warned of when it was approved: with this one the queue ends, however well it goes.
    warned: Option<String>,
}

/// The first write of a session warns once, whatever is written: it says nothing of the one that it comes first for.
const OF_THE_SESSION: &str = "tier";

impl State {
    /// Starts with everything that is marked, in the order of the Board.
    pub(super) fn start_queue(&mut self, verb: Verb) -> Vec<Effect> {
        let here =
            |id: &ReleaseId| {
                self.view != View::Inbox
                    || self.inbox.entries.iter().any(
                        |entry| matches!(&entry.waiting, Waiting::Release(waits) if waits == id),
                    )
            };
        let left: Vec<Item> = self
            .board
            .rows()
            .iter()
            .filter_map(|row| self.releases.get(row.slot))
            .filter(|release| self.board.marked.contains(&release.rollout.id))
            .filter(|release| here(&release.rollout.id))
            .map(|release| Item::Release(release.rollout.id.clone(), release.rollout.uid.clone()))
            .collect();
        self.start_queue_of(verb, left)
    }

    pub(super) fn start_queue_of(&mut self, verb: Verb, mut left: Vec<Item>) -> Vec<Effect> {
        // Taken from the end.
        left.reverse();
        self.queue = Some(Queue {
            verb,
            current: None,
            of: left.len(),
            left,
            done: 0,
        });
        self.next_in_queue()
    }

    fn next_in_queue(&mut self) -> Vec<Effect> {
        let Some(queue) = &mut self.queue else {
            return Vec::new();
        };
        let verb = queue.verb;
        let Some(item) = queue.left.pop() else {
            let words = format!("{}/{} done", queue.done, queue.of);
            self.queue = None;
            self.say(Tone::Good, words);
            return Vec::new();
        };
        let depth = self.overlays.len();
        let (gate, releases) = match &item {
            Item::Release(id, _) => (None, vec![id.clone()]),
            Item::Gate(subject) => {
                // By the time it is decided it waits no more, and nobody knows whose it was.
                let gate = self.beside.gate(&subject.gate);
                let releases = gate.map(|gate| gate.releases.clone());
                (Some(subject.gate.clone()), releases.unwrap_or_default())
            }
        };
        let effects = match item {
            Item::Release(id, uid) => self.ask(verb, Some((id, uid))),
            Item::Gate(gate) => self.ask_gate(verb, gate),
        };
        let opened = match self.overlays.get(depth..).unwrap_or_default() {
            [Overlay::Plan(dialog)] => Some(dialog.intent.id.clone()),
            // Refused: the reasons are in the notice. Or it has to be chosen first, which is no queue's business.
            _ => None,
        };
        match (opened, &mut self.queue) {
            (Some(intent), Some(queue)) => {
                queue.current = Some(Current {
                    intent,
                    gate,
                    releases,
                    warned: None,
                });
            }
            _ => self.queue = None,
        }
        effects
    }

    /// An action was approved. A guard that asked for more ceremony has said that this one is not like the others, so the
    /// others are not decided in its wake. An emergency's guards ask for nothing, and going back must not be slowed down.
    pub(super) fn queue_approved(&mut self, approved: &Approved) {
        let intent = &approved.plan().intent;
        if intent.verb.is_emergency() {
            return;
        }
        let current = self
            .queue
            .as_mut()
            .and_then(|queue| queue.current.as_mut())
            .filter(|current| current.intent == intent.id);
        if let Some(current) = current {
            current.warned = approved
                .guards()
                .iter()
                .find(|guard| guard.answer >= Decision::Warn && guard.name != OF_THE_SESSION)
                .map(|guard| format!("{} warned: {}", guard.name, guard.because));
        }
    }

    /// An action of the queue ended.
    pub(super) fn queue_goes_on(&mut self, intent: &IntentId, kind: OutcomeKind) -> Vec<Effect> {
        let Some(queue) = &mut self.queue else {
            return Vec::new();
        };
        let Some(current) = queue.current.take_if(|current| current.intent == *intent) else {
            return Vec::new();
        };
        if kind == OutcomeKind::Observed {
            queue.done += 1;
            if let Some(gate) = &current.gate {
                self.inbox.marked.remove(gate);
            }
            for id in &current.releases {
                self.board.marked.remove(id);
            }
            if let Some(warned) = current.warned.filter(|_| !queue.left.is_empty()) {
                self.queue_stopped(&warned);
                return Vec::new();
            }
            return self.next_in_queue();
        }
        self.queue_stopped(kind.word());
        Vec::new()
    }

    /// It stops at the first warning, failure or unknown, and when a dialog is left.
    pub(super) fn queue_stopped(&mut self, why: &str) {
        if let Some(queue) = self.queue.take() {
            let words = format!(
                "stopped after {}/{}: {why}; the rest stays marked",
                queue.done, queue.of
            );
            self.say(Tone::Waiting, words);
        }
    }
}
