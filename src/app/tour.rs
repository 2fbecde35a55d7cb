//! A guided tour of the demo: a few steps, each over when what it asks for has been done, in whatever way. Pure, and beside
//! everything else: it takes no key but its own, and no line from the views that they do not know of.

use super::state::{Overlay, State, Tone, View};
use crate::{
    model::{id::ReleaseId, release::Group},
    ops::intent::Verb,
};

/// The tour, while somebody is on it.
#[derive(Clone, Debug)]
pub struct Tour {
    step: usize,
    /// What was selected when it began.
    from: Option<ReleaseId>,
    /// Lines at the bottom of the screen that are the tour's: the views have so many less.
    taken: u16,
}

/// What to press next, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub key: &'static str,
    pub what: &'static str,
    pub why: &'static str,
    done: Done,
}

/// What shows that a step has been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    /// Another release is selected, one that waits for somebody, or at least asks for him where none waits: only what waits
    /// has a step that can be planned next.
    SelectedNext,
    Opened,
    Planned,
    /// The plan was sent, or left: either is right.
    PlanLeft,
    BackOutPlanned,
    InboxShown,
    GateAsked,
    ChangesShown,
    HelpShown,
}

pub const STEPS: &[Step] = &[
    Step {
        key: "n",
        what: "until one waits for you",
        why: "What hurts comes first, then what waits for a human; the rest is quiet.",
        done: Done::SelectedNext,
    },
    Step {
        key: "Enter",
        what: "open it",
        why: "Its pipeline, its canary and its incidents side by side, and its story below.",
        done: Done::Opened,
    },
    Step {
        key: "p",
        what: "plan one step on",
        why: "A plan says what will really happen. Nothing is sent before it is confirmed.",
        done: Done::Planned,
    },
    Step {
        key: "Y",
        what: "confirms, Esc leaves",
        why: "The greater the risk, the more has to be typed. A dialog that just opened takes no key.",
        done: Done::PlanLeft,
    },
    Step {
        key: "x",
        what: "back out, then Esc",
        why: "The last version that served everything does so again: one plan, one confirmation.",
        done: Done::BackOutPlanned,
    },
    Step {
        key: "3",
        what: "the Inbox",
        why: "Everything that waits for a human, oldest first, gates of pipelines too.",
        done: Done::InboxShown,
    },
    Step {
        key: "a",
        what: "approve a gate",
        why: "j and k select one. It has a plan like everything else; Esc leaves it.",
        done: Done::GateAsked,
    },
    Step {
        key: "1 t",
        what: "what changed",
        why: "From the Board. Before an incident, nearest first: what changed is what one suspects.",
        done: Done::ChangesShown,
    },
    Step {
        key: "?",
        what: "all keys",
        why: "That was it. F makes things go wrong here, q leaves.",
        done: Done::HelpShown,
    },
];

/// How many lines it takes of a screen of so many.
pub const fn lines(rows: u16) -> u16 {
    match rows {
        0..6 => 0,
        6..22 => 1,
        22..40 => 2,
        _ => 3,
    }
}

impl Tour {
    /// From one, and of how many.
    pub const fn place(&self) -> (usize, usize) {
        (self.step + 1, STEPS.len())
    }

    pub fn step(&self) -> Option<&'static Step> {
        STEPS.get(self.step)
    }

    pub const fn taken(&self) -> u16 {
        self.taken
    }
}

impl State {
    /// Begins it, or leaves it.
    pub(super) fn switch_tour(&mut self) {
        if self.tour.is_some() {
            self.leave_tour();
            self.say(Tone::Plain, "the tour is over; Ctrl-t begins it again");
        } else {
            self.begin_tour();
        }
    }

    pub fn begin_tour(&mut self) {
        if !self.session.demo {
            return;
        }
        let taken = lines(self.rows);
        self.rows -= taken;
        self.tour = Some(Tour {
            step: 0,
            from: self.board.selected.clone(),
            taken,
        });
        self.notice = None;
        self.dirty = true;
    }

    fn leave_tour(&mut self) {
        if let Some(tour) = self.tour.take() {
            self.rows += tour.taken;
            self.dirty = true;
        }
    }

    /// The terminal has so many rows now; what the views have of them.
    pub(super) fn rows_without_tour(&mut self, rows: u16) -> u16 {
        match &mut self.tour {
            Some(tour) => {
                tour.taken = lines(rows);
                rows - tour.taken
            }
            None => rows,
        }
    }

    /// After everything that happens: what was asked for may have been done, and more than that.
    pub(super) fn tour_goes_on(&mut self) {
        let Some(mut tour) = self.tour.take() else {
            return;
        };
        // The first rows come after the beginning, and nobody has chosen among them.
        if tour.step == 0 && (tour.from.is_none() || self.board.untouched) {
            tour.from.clone_from(&self.board.selected);
        }
        let done = STEPS
            .iter()
            .enumerate()
            .skip(tour.step)
            .rev()
            .find(|(nth, step)| self.has_done(step.done, &tour, *nth == tour.step));
        if let Some((nth, _)) = done {
            tour.step = nth + 1;
            self.dirty = true;
        }
        let over = tour.step >= STEPS.len();
        self.tour = Some(tour);
        if over {
            self.leave_tour();
            self.say(Tone::Good, "that was the tour; Ctrl-t begins it again");
        }
    }

    fn has_done(&self, done: Done, tour: &Tour, is_next: bool) -> bool {
        let plan = match self.overlays.last() {
            Some(Overlay::Plan(dialog)) => Some(dialog.intent.verb),
            _ => None,
        };
        match done {
            Done::SelectedNext => {
                let selected = self.board.selected.as_ref();
                let group = selected.and_then(|id| {
                    let mut rows = self.board.rows().iter();
                    rows.find(|row| {
                        self.releases
                            .get(row.slot)
                            .is_some_and(|release| release.rollout.id == *id)
                    })
                    .map(|row| row.group)
                });
                let wanted = match self.board.counts.needs_you {
                    0 => Group::Broken,
                    _ => Group::NeedsYou,
                };
                selected != tour.from.as_ref() && group == Some(wanted)
            }
            Done::Opened => self.view == View::Release,
            Done::Planned => plan.is_some(),
            // Before there was one, its absence says nothing.
            Done::PlanLeft => is_next && plan.is_none(),
            Done::BackOutPlanned => plan == Some(Verb::BackOut),
            Done::InboxShown => self.view == View::Inbox,
            Done::GateAsked => {
                plan == Some(Verb::Approve)
                    || matches!(self.overlays.last(), Some(Overlay::ChooseGate { .. }))
            }
            Done::ChangesShown => matches!(self.overlays.last(), Some(Overlay::Changed(_))),
            Done::HelpShown => {
                is_next && matches!(self.overlays.last(), Some(Overlay::Help { .. }))
            }
        }
    }
}
