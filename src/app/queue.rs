//! Several marked releases, decided one after another: each with its own plan and ceremony, stopping at the first that
//! does not end well. Owns the order and the count, and no shortcut around a dialog.

use super::{
    msg::Effect,
    state::{State, Tone},
};
use crate::{
    model::id::{IntentId, ReleaseId, Uid},
    ops::{
        intent::Verb,
        machine::OutcomeKind,
        subject::{GateSubject, Subject},
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
    pub left: Vec<Item>,
    pub done: usize,
    pub of: usize,
}

impl State {
    /// Starts with everything that is marked, in the order of the Board.
    pub(super) fn start_queue(&mut self, verb: Verb) -> Vec<Effect> {
        let left: Vec<Item> = self
            .board
            .rows()
            .iter()
            .filter_map(|row| self.releases.get(row.slot))
            .filter(|release| self.board.marked.contains(&release.rollout.id))
            .map(|release| Item::Release(release.rollout.id.clone(), release.rollout.uid.clone()))
            .collect();
        self.start_queue_of(verb, left)
    }

    pub(super) fn start_queue_of(&mut self, verb: Verb, mut left: Vec<Item>) -> Vec<Effect> {
        // Taken from the end.
        left.reverse();
        self.queue = Some(Queue {
            verb,
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
            self.board.marked.clear();
            self.inbox.marked.clear();
            self.say(Tone::Good, words);
            return Vec::new();
        };
        let depth = self.overlays.len();
        let effects = match item {
            Item::Release(id, uid) => self.ask(verb, Some((id, uid))),
            Item::Gate(gate) => self.ask_gate(verb, gate),
        };
        if self.overlays.len() == depth {
            // Refused: the reasons are in the notice.
            self.queue = None;
        }
        effects
    }

    /// An action of the queue ended.
    pub(super) fn queue_goes_on(&mut self, intent: &IntentId, kind: OutcomeKind) -> Vec<Effect> {
        let Some(queue) = &mut self.queue else {
            return Vec::new();
        };
        if self
            .actions
            .line(intent)
            .is_none_or(|line| line.verb != queue.verb)
        {
            return Vec::new();
        }
        if kind == OutcomeKind::Observed {
            queue.done += 1;
            if let Some(line) = self.actions.line(intent) {
                match &line.target {
                    Subject::Release(id) => {
                        self.board.marked.remove(id);
                    }
                    Subject::Gate(subject) => {
                        self.inbox.marked.remove(&subject.gate);
                        // Marked on the Board by its release.
                        if let Some(gate) = self.beside.gate(&subject.gate) {
                            for id in &gate.releases {
                                self.board.marked.remove(id);
                            }
                        }
                    }
                    Subject::Run(_) | Subject::Silence(_) | Subject::Expire(_) => {}
                }
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
