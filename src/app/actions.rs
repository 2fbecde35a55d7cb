//! The actions of this session as the screen shows them: those under way, the lines that stay, and the watch of five
//! minutes that notices when something puts a version back. Owns no execution: the runtime drives the machines.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::{
    model::{
        id::{IntentId, PodHash, ReleaseId, Uid},
        incident::Fingerprint,
        rollout::Rollout,
        text::Safe,
    },
    ops::{
        intent::Verb,
        machine::{Outcome, OutcomeKind},
        plan::Plan,
        subject::Subject,
    },
};

/// For how long a version that comes back is a new outcome.
pub const WATCHED_FOR: SignedDuration = SignedDuration::from_mins(5);
/// How many lines are kept.
const KEPT: usize = 200;

#[derive(Clone, Debug, Default)]
pub struct Actions {
    /// Newest last.
    pub lines: Vec<Line>,
}

/// One action of this session.
#[derive(Clone, Debug)]
pub struct Line {
    pub id: IntentId,
    pub verb: Verb,
    pub target: Subject,
    pub uid: Uid,
    pub title: String,
    pub began: Timestamp,
    pub state: LineState,
    pub change: (String, String),
    /// What the metrics and the alerts said when it began, and what became of them.
    pub beside: Followed,
    guard: Aftermath,
}

/// The errors and the alerts of a release that was acted on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Followed {
    /// The share of errors when it began.
    pub errors_before: Option<f64>,
    /// And the newest since it is in effect.
    pub errors_after: Option<f64>,
    /// What fired when it began: title, and when it had stopped.
    pub alerts: Vec<(Fingerprint, String, Option<Timestamp>)>,
}

#[derive(Clone, Debug)]
pub enum LineState {
    UnderWay {
        words: String,
        /// Not yet all of its requests have left.
        may_send: bool,
    },
    Over {
        outcome: Outcome,
        at: Timestamp,
    },
    /// It had worked, and then something undid it.
    Reverted {
        words: String,
        at: Timestamp,
    },
}

/// What would show that an action was undone.
#[derive(Clone, Debug, Default)]
struct Aftermath {
    from_hash: Option<PodHash>,
    from_images: Arc<[Safe]>,
    to_hash: Option<PodHash>,
    to_images: Arc<[Safe]>,
}

impl Line {
    /// Whether what became of it is still being looked at.
    pub fn is_followed_up(&self, now: Timestamp) -> bool {
        match &self.state {
            LineState::UnderWay { .. } => true,
            LineState::Over { at, outcome } => {
                outcome.sent && now.duration_since(*at) < WATCHED_FOR
            }
            LineState::Reverted { .. } => false,
        }
    }

    /// Takes the share of errors and what fires now (`None`: not known). After five minutes the line stays as it is.
    pub fn follow_up(
        &mut self,
        now: Timestamp,
        share: Option<f64>,
        firing: Option<&[Fingerprint]>,
    ) {
        if !matches!(self.state, LineState::Over { .. }) || !self.is_followed_up(now) {
            return;
        }
        if share.is_some() {
            self.beside.errors_after = share;
        }
        let Some(firing) = firing else { return };
        for (fingerprint, _, resolved) in &mut self.beside.alerts {
            if firing.contains(fingerprint) {
                *resolved = None;
            } else {
                resolved.get_or_insert(now);
            }
        }
    }
}

impl Actions {
    pub fn begin(&mut self, plan: &Plan, beside: Followed, now: Timestamp) {
        if self.lines.len() >= KEPT {
            let over = self
                .lines
                .iter()
                .position(|line| !matches!(line.state, LineState::UnderWay { .. }));
            if let Some(over) = over {
                self.lines.remove(over);
            }
        }
        self.lines.push(Line {
            id: plan.intent.id.clone(),
            verb: plan.intent.verb,
            target: plan.intent.target.clone(),
            uid: plan.target.uid.clone(),
            title: plan.title.clone(),
            began: now,
            state: LineState::UnderWay {
                words: "checking".to_owned(),
                may_send: true,
            },
            change: (plan.change.from(), plan.change.to()),
            beside,
            guard: plan
                .change
                .versions()
                .map(|(from, to)| Aftermath {
                    from_hash: from.hash.clone(),
                    from_images: from.images.clone(),
                    to_hash: to.hash.clone(),
                    to_images: to.images.clone(),
                })
                .unwrap_or_default(),
        });
    }

    pub fn line(&self, id: &IntentId) -> Option<&Line> {
        self.lines.iter().rev().find(|line| line.id == *id)
    }

    pub fn line_mut(&mut self, id: &IntentId) -> Option<&mut Line> {
        self.lines.iter_mut().rev().find(|line| line.id == *id)
    }

    /// The action on this object that has no outcome yet.
    pub fn in_flight(&self, uid: &Uid) -> Option<&Line> {
        self.lines
            .iter()
            .rev()
            .find(|line| line.uid == *uid && matches!(line.state, LineState::UnderWay { .. }))
    }

    /// The same as the guards are told of it: an emergency may lie on top of an action that only looks, so there can be
    /// two, and one that may still send is enough.
    pub fn in_flight_for_guards(&self, uid: &Uid) -> Option<crate::ops::guard::InFlight<'_>> {
        let line = self.in_flight(uid)?;
        let may_send = self.lines.iter().any(|line| {
            line.uid == *uid && matches!(line.state, LineState::UnderWay { may_send: true, .. })
        });
        Some(crate::ops::guard::InFlight {
            id: &line.id,
            may_send,
        })
    }

    pub fn any_in_flight(&self) -> bool {
        self.lines
            .iter()
            .any(|line| matches!(line.state, LineState::UnderWay { .. }))
    }

    /// The last action on this object, if its outcome is unknown.
    pub fn last_unknown(&self, uid: &Uid) -> Option<&Line> {
        self.lines
            .iter()
            .rev()
            .find(|line| line.uid == *uid)
            .filter(|line| matches!(&line.state, LineState::Over { outcome, .. } if outcome.kind == OutcomeKind::Unknown))
    }

    /// The newest line about a release, for the Board and the Release view.
    pub fn last_of(&self, target: &ReleaseId) -> Option<&Line> {
        self.lines
            .iter()
            .rev()
            .find(|line| line.target.release() == Some(target))
    }

    /// A read of an object: which lines it shows to have been undone, as (intent, words).
    pub fn undone_by(&mut self, seen: &Rollout, now: Timestamp) -> Vec<IntentId> {
        let mut undone = Vec::new();
        for line in &mut self.lines {
            let LineState::Over { outcome, at } = &line.state else {
                continue;
            };
            if outcome.kind != OutcomeKind::Observed
                || line.uid != seen.uid
                || now.duration_since(*at) > WATCHED_FOR
            {
                continue;
            }
            if line.guard.undone(line.verb, seen) {
                line.state = LineState::Reverted {
                    words: "reverted".to_owned(),
                    at: now,
                };
                undone.push(line.id.clone());
            }
        }
        undone
    }
}

/// The line about an outcome: what it is called, then what was seen.
pub fn outcome_words(title: &str, outcome: &Outcome) -> String {
    let word = match outcome.kind {
        OutcomeKind::Observed => "done",
        OutcomeKind::Unreachable => "not sent",
        OutcomeKind::Interrupted => "interrupted",
        other => other.word(),
    };
    match &outcome.second_place {
        Some(place) => format!(
            "{title}: {word}, {} (audit log failed; recorded in {place})",
            outcome.words
        ),
        None => format!("{title}: {word}, {}", outcome.words),
    }
}

impl Aftermath {
    fn undone(&self, verb: Verb, seen: &Rollout) -> bool {
        match verb {
            Verb::Pause => !seen.paused_by_hand(),
            Verb::Abort => self.came_back_after_abort(seen),
            Verb::BackOut | Verb::Rollback => match seen.argo() {
                // Backed out by an abort: the template stays, so only a new start of it counts.
                Some(_) if self.from_hash == current(seen) && seen.aborted() => false,
                Some(_) => {
                    self.from_hash.is_some()
                        && self.from_hash != self.to_hash
                        && current(seen) == self.from_hash
                }
                None => {
                    !self.from_images.is_empty()
                        && self.from_images != self.to_images
                        && seen.images == self.from_images
                }
            },
            _ => false,
        }
    }

    fn came_back_after_abort(&self, seen: &Rollout) -> bool {
        !seen.aborted()
            && !seen.fully_promoted()
            && self.from_hash.is_some()
            && current(seen) == self.from_hash
    }
}

fn current(seen: &Rollout) -> Option<PodHash> {
    seen.argo().and_then(|argo| argo.current_hash.clone())
}
