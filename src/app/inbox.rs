//! The Inbox: everything that waits for a human, oldest first. Owns its order and selection, which is an identity; what
//! waits is in the facts. Never decides anything: a decision is a plan of its own.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::{
    beside::{SourceKind, WaitingGate},
    msg::Effect,
    queue::Item as QueueItem,
    state::{State, Tone, View},
};
use crate::{
    model::{
        event::Fact,
        id::{EnvironmentName, ReleaseId, Uid},
        moment::Moment,
        pipeline::{GateId, Repository},
        release::Group,
        source::{SourceHealth, SourceState},
        text::Safe,
    },
    ops::{
        intent::Verb,
        subject::{GateSubject, Subject},
    },
};

/// What waits: a rollout, or a gate of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Waiting {
    Release(ReleaseId),
    /// Boxed: a fleet of thousands has as many of the others.
    Gate(Box<GateId>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub waiting: Waiting,
    pub environment: EnvironmentName,
    pub since: Option<Moment>,
    /// When the system gives up waiting.
    pub deadline: Option<Moment>,
}

#[derive(Clone, Debug, Default)]
pub struct Inbox {
    /// Oldest first.
    pub entries: Vec<Entry>,
    pub selected: Option<Waiting>,
    pub marked: BTreeSet<GateId>,
    /// A finger has chosen: until then the first is selected, whatever comes first.
    touched: bool,
    /// Where the selection was when it vanished: the next key of movement begins there.
    left_at: usize,
    /// A key had just been pressed, and it is not the order that it would be: it is to be made anew.
    rests: bool,
}

impl Inbox {
    pub fn place(&self) -> Option<usize> {
        let selected = self.selected.as_ref()?;
        self.entries
            .iter()
            .position(|entry| entry.waiting == *selected)
    }

    /// Whether its order waits for the finger to rest.
    pub(super) const fn order_waits(&self) -> bool {
        self.rests
    }

    pub fn entry(&self) -> Option<&Entry> {
        self.entries.get(self.place()?)
    }

    pub(super) fn move_by(&mut self, by: isize) {
        self.touched = true;
        let Some(last) = self.entries.len().checked_sub(1) else {
            return;
        };
        // After the selected one vanished the first key only selects what is in its place.
        let place = self
            .place()
            .map_or(self.left_at, |place| place.saturating_add_signed(by))
            .min(last);
        self.selected = self.entries.get(place).map(|entry| entry.waiting.clone());
    }

    /// A finger chose the entry in this place; answers what it is.
    pub(super) fn choose(&mut self, place: usize) -> Option<Waiting> {
        let waiting = self.entries.get(place)?.waiting.clone();
        self.touched = true;
        self.selected = Some(waiting.clone());
        Some(waiting)
    }

    /// A key was pressed that may be about the selected one: from now on it stays selected, whatever comes before it.
    pub(super) fn touch(&mut self) {
        self.touched |= self.selected.is_some();
    }

    /// While the order rests those that were there keep their places, and what is new comes after them. Answers whether
    /// that is another order than they came in.
    fn keep_places(&self, entries: &mut [Entry]) -> bool {
        let places: HashMap<&Waiting, usize> = self
            .entries
            .iter()
            .enumerate()
            .map(|(place, entry)| (&entry.waiting, place))
            .collect();
        let place = |entry: &Entry| places.get(&entry.waiting).copied().unwrap_or(usize::MAX);
        let moves = !entries.is_sorted_by_key(place);
        entries.sort_by_key(place);
        moves
    }

    /// What is gone is not selected, and nothing else is in its place: the next key must not meet a neighbour.
    fn replace(&mut self, entries: Vec<Entry>) -> bool {
        if entries == self.entries {
            return false;
        }
        let place = self.place().unwrap_or(0);
        self.entries = entries;
        if !self.touched {
            self.selected = self.entries.first().map(|entry| entry.waiting.clone());
        } else if self.selected.is_some() && self.place().is_none() {
            self.selected = None;
            self.left_at = place;
        }
        let there: BTreeSet<&GateId> = self
            .entries
            .iter()
            .filter_map(|entry| match &entry.waiting {
                Waiting::Gate(id) => Some(&**id),
                Waiting::Release(_) => None,
            })
            .collect();
        self.marked.retain(|id| there.contains(id));
        true
    }
}

/// Why more may wait than is listed.
#[derive(Clone, Copy, Debug)]
pub enum Blind<'s> {
    /// A source that would tell cannot be believed now.
    Source {
        name: &'s str,
        health: &'s SourceHealth,
    },
    /// A repository cannot be read while its host can, and so many others.
    Failing {
        repository: &'s Repository,
        state: SourceState,
        why: &'s Safe,
        others: usize,
    },
    /// A part that may hide a gate was not read, and so many others.
    Missing {
        repository: &'s Repository,
        part: &'s Safe,
        others: usize,
    },
    /// So many repositories were not read yet.
    Unread(usize),
}

impl State {
    /// What is not known and might wait too.
    pub fn blind(&self) -> Vec<Blind<'_>> {
        let environments = self
            .environments
            .values()
            .map(|environment| (environment.name.as_str(), &environment.health));
        let hosts = self
            .beside
            .sources
            .values()
            .filter(|source| source.kind == SourceKind::GitHub)
            .map(|source| (source.kind.title(), &source.health));
        let mut blind: Vec<Blind<'_>> = environments
            .chain(hosts)
            .filter(|(_, health)| !health.state.is_live())
            .map(|(name, health)| Blind::Source { name, health })
            .collect();
        let mut failing = self.beside.repositories_failing();
        if let Some((repository, state, why)) = failing.next() {
            blind.push(Blind::Failing {
                repository,
                state,
                why,
                others: failing.count(),
            });
        }
        let mut missing = self.beside.repositories.iter().flat_map(|(name, view)| {
            let facts = view.facts.iter();
            facts
                .flat_map(|facts| &facts.missing.runs)
                .map(move |part| (name, part))
        });
        if let Some((repository, part)) = missing.next() {
            blind.push(Blind::Missing {
                repository,
                part,
                others: missing.count(),
            });
        }
        match self.beside.repositories_unread() {
            0 => {}
            unread => blind.push(Blind::Unread(unread)),
        }
        blind
    }

    /// Collects what waits. Looks at the few releases that need somebody, not at all of them.
    pub(super) fn collect_inbox(&mut self) {
        let mut entries: Vec<Entry> = self
            .board
            .slots_in(|group| matches!(group, Group::Broken | Group::NeedsYou))
            .filter_map(|slot| self.releases.get(slot))
            .filter(|release| release.waits_for_human())
            .map(|release| Entry {
                waiting: Waiting::Release(release.rollout.id.clone()),
                environment: release.rollout.id.environment.clone(),
                since: release.since().map(Moment::from),
                deadline: None,
            })
            .chain(self.beside.gates.iter().map(|gate| Entry {
                waiting: Waiting::Gate(Box::new(gate.id.clone())),
                environment: gate.environment.clone(),
                since: gate.since.map(Moment::from),
                deadline: gate.gate.deadline.map(Moment::from),
            }))
            .collect();
        entries.sort_by(|a, b| {
            (a.since.is_none(), a.since, &a.waiting).cmp(&(b.since.is_none(), b.since, &b.waiting))
        });
        entries.shrink_to_fit();
        self.inbox.rests = self.order_rests() && self.inbox.keep_places(&mut entries);
        self.dirty |= self.inbox.replace(entries);
    }

    /// Whether the release of this fact waits for a human, and since when: what the Inbox is made of.
    pub(super) fn waits_since(&self, fact: &Fact) -> (bool, Option<Timestamp>) {
        let release = match fact {
            Fact::Rollout(rollout) => self.releases.find(&rollout.id),
            _ => None,
        };
        match release.filter(|release| release.waits_for_human()) {
            Some(release) => (true, release.since()),
            None => (false, None),
        }
    }

    /// Something changed that every row depends on.
    pub(super) fn all_is_stale(&mut self) {
        self.board.order_is_stale();
        self.inbox_is_stale = true;
    }

    pub fn selected_gate(&self) -> Option<&WaitingGate> {
        match &self.inbox.selected {
            Some(Waiting::Gate(id)) => self.beside.gate(id),
            _ => None,
        }
    }

    /// The release that is selected in the Inbox: the one that waits, or the one whose gate waits.
    pub(super) fn inbox_target(&self) -> Option<(ReleaseId, Uid)> {
        let id = match self.inbox.selected.as_ref()? {
            Waiting::Release(id) => id,
            Waiting::Gate(gate) => self.beside.gate(gate)?.releases.first()?,
        };
        let uid = self.releases.find(id)?.rollout.uid.clone();
        Some((id.clone(), uid))
    }

    pub(super) fn mark_in_inbox(&mut self) {
        match self.inbox.selected.clone() {
            Some(Waiting::Gate(id)) => {
                toggle(&mut self.inbox.marked, *id);
            }
            Some(Waiting::Release(id)) => {
                toggle(&mut self.board.marked, id);
            }
            None => {}
        }
        self.inbox.move_by(1);
    }

    /// `a` and the menu's reject: the marked gates one after another, or the one that is meant. Where several wait on one
    /// release, which of them is asked.
    pub(super) fn decide_gate(&mut self, verb: Verb) -> Vec<Effect> {
        // Marks count where they are seen: elsewhere the key is about what is on the screen there.
        let marked: Vec<QueueItem> = self
            .inbox
            .entries
            .iter()
            .filter(|_| self.view == View::Inbox)
            .filter_map(|entry| match &entry.waiting {
                Waiting::Gate(id) if self.inbox.marked.contains(&**id) => self.beside.gate(id),
                _ => None,
            })
            .map(|gate| QueueItem::Gate(subject(gate)))
            .collect();
        if !marked.is_empty() {
            return self.start_queue_of(verb, marked);
        }
        if self.view == View::Board && !self.board.marked.is_empty() {
            let of_marked: Vec<QueueItem> = self
                .beside
                .gates
                .iter()
                .filter(|gate| {
                    gate.releases
                        .iter()
                        .any(|id| self.board.marked.contains(id))
                })
                .map(|gate| QueueItem::Gate(subject(gate)))
                .collect();
            if of_marked.is_empty() {
                self.say(Tone::Plain, "no gate waits on what is marked");
                return Vec::new();
            }
            return self.start_queue_of(verb, of_marked);
        }
        let gates = self.gates_meant();
        self.decide_one_of(verb, &gates)
    }

    /// The same from a menu, which is about one release, whatever is marked; in the Inbox about the selected gate of it.
    pub(super) fn decide_gate_of(&mut self, verb: Verb, id: &ReleaseId) -> Vec<Effect> {
        let selected = self
            .selected_gate()
            .filter(|gate| self.view == View::Inbox && gate.releases.contains(id))
            .map(subject);
        let gates = match selected {
            Some(gate) => vec![gate],
            None => self.gates_of(id),
        };
        self.decide_one_of(verb, &gates)
    }

    fn decide_one_of(&mut self, verb: Verb, gates: &[GateSubject]) -> Vec<Effect> {
        match gates {
            [] => {
                self.say(Tone::Plain, "no gate waits here");
                Vec::new()
            }
            [gate] => self.ask_gate(verb, gate.clone()),
            several => {
                self.choose_gate(verb, several.to_vec());
                Vec::new()
            }
        }
    }

    /// The gates that a key is about here.
    fn gates_meant(&self) -> Vec<GateSubject> {
        if self.view == View::Inbox {
            return self.selected_gate().map(subject).into_iter().collect();
        }
        self.target()
            .map(|(id, _)| self.gates_of(&id))
            .unwrap_or_default()
    }

    fn gates_of(&self, id: &ReleaseId) -> Vec<GateSubject> {
        self.beside
            .gates
            .iter()
            .filter(|gate| gate.releases.contains(id))
            .map(subject)
            .collect()
    }

    pub(super) fn ask_gate(&mut self, verb: Verb, gate: GateSubject) -> Vec<Effect> {
        if self.beside.gate(&gate.gate).is_none() {
            self.say(
                Tone::Bad,
                format!(
                    "nothing waits for {} in run {} any more: look again",
                    &*gate.gate.environment, gate.gate.run.number
                ),
            );
            return Vec::new();
        }
        self.open_plan_about(verb, Subject::Gate(gate))
    }
}

fn toggle<T: Ord>(marked: &mut BTreeSet<T>, id: T) {
    if !marked.remove(&id) {
        marked.insert(id);
    }
}

/// The identity that an action takes along.
pub fn subject(gate: &WaitingGate) -> GateSubject {
    GateSubject {
        environment: gate.environment.clone(),
        gate: gate.id.clone(),
    }
}

#[cfg(test)]
#[path = "inbox_tests.rs"]
mod tests;
