//! The dialog of a plan: which keys count, when it expires, and when it dies. It is the last thing between a finger and
//! a request, so every rule errs on the side of not sending:
//!
//! * keys count after half a second without any key, from the moment its frame was written out (type-ahead);
//! * paste, key repeat and Alt-modified keys never count;
//! * Enter alone never confirms;
//! * it expires, and dies when its plan is no longer true. An emergency's does not expire: it reads again.

use jiff::{SignedDuration, Timestamp};

use super::key::{Code, Key};
use crate::{
    model::{id::IntentId, rollout::Rollout},
    ops::{
        ceremony::{Ceremony, ceremony},
        guard::GuardAnswer,
        intent::{Intent, Verb},
        plan::{Plan, Refusal},
        subject::Subject,
    },
};

/// Silence before keys count.
pub const SILENCE: SignedDuration = SignedDuration::from_millis(500);
/// Until a dialog that is no emergency's expires.
pub const EXPIRES_AFTER: SignedDuration = SignedDuration::from_secs(60);
/// How often an emergency's dialog reads again, and any other one keeps its plan fresh.
pub const READS_EVERY: SignedDuration = SignedDuration::from_secs(2);
/// The same where each read is several requests that a CI host or an alert manager counts.
pub const READS_BESIDE_EVERY: SignedDuration = SignedDuration::from_secs(5);
/// A reason longer than this is not a reason.
pub const REASON_LIMIT: usize = 500;

/// A dialog about one intent.
#[derive(Clone, Debug)]
pub struct Dialog {
    pub intent: Intent,
    pub stage: Stage,
    pub opened: Timestamp,
    /// When a frame with the present content was written out. `None`: it may not have been seen.
    pub shown: Option<Timestamp>,
    /// The last key of any kind, for the silence.
    pub last_key: Option<Timestamp>,
    pub typed: String,
    pub reason: String,
    pub field: Field,
    /// Values of environment variables are shown.
    pub reveal: bool,
    pub scroll: u16,
    /// A key was accepted after the silence: in a typed ceremony the next ones may follow quickly. Ends with every change of
    /// what is confirmed.
    pub engaged: bool,
    /// A read is under way.
    pub reading: bool,
    /// Why the last attempt to confirm did nothing, in words.
    pub hint: Option<String>,
}

#[derive(Clone, Debug)]
pub enum Stage {
    /// Being read and planned.
    Reading,
    Ready {
        plan: Box<Plan>,
        guards: Vec<GuardAnswer>,
    },
    /// No plan: every reason.
    Refused(Refusal),
    /// It was true and is no longer.
    Dead { why: String },
}

/// Which input has the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Typed,
    Reason,
}

/// What a key did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaction {
    Nothing,
    Redraw,
    Close,
    /// Confirm with what was given: the caller asks the guards once more and approves.
    Confirm,
    /// The same target, all the way instead.
    Instead(Verb),
    CopyCommand(String),
    ReadAgain,
}

impl Dialog {
    pub fn new(intent: Intent, now: Timestamp) -> Self {
        Self {
            intent,
            stage: Stage::Reading,
            opened: now,
            shown: None,
            last_key: Some(now),
            typed: String::new(),
            reason: String::new(),
            field: Field::Typed,
            reveal: false,
            scroll: 0,
            engaged: false,
            reading: true,
            hint: None,
        }
    }

    pub fn target(&self) -> &Subject {
        &self.intent.target
    }

    pub fn id(&self) -> &IntentId {
        &self.intent.id
    }

    pub fn ceremony(&self) -> Option<Ceremony> {
        match &self.stage {
            Stage::Ready { plan, guards } => Some(ceremony(plan, guards)),
            Stage::Reading | Stage::Refused(_) | Stage::Dead { .. } => None,
        }
    }

    /// Whether keys count at `now`: shown, and half a second without any.
    pub fn listens(&self, now: Timestamp) -> bool {
        let Some(shown) = self.shown else {
            return false;
        };
        let quiet_since = self.last_key.map_or(shown, |key| key.max(shown));
        now.duration_since(quiet_since) >= SILENCE
    }

    /// When it begins to listen, for a wake-up that redraws its hint.
    pub fn listens_at(&self) -> Option<Timestamp> {
        let shown = self.shown?;
        let quiet_since = self.last_key.map_or(shown, |key| key.max(shown));
        quiet_since.checked_add(SILENCE).ok()
    }

    pub fn expires(&self) -> Option<Timestamp> {
        if self.intent.verb.is_emergency() {
            return None;
        }
        self.opened.checked_add(EXPIRES_AFTER).ok()
    }

    /// A frame that holds it has left for the terminal.
    pub fn was_shown(&mut self, at: Timestamp) {
        if self.shown.is_none() {
            self.shown = Some(at);
        }
    }

    /// A plan arrived. A first one starts the silence anew: what it says has not been read yet. A later one of the same
    /// content does not, or an emergency's dialog could never be confirmed.
    pub fn planned(&mut self, result: Result<(Plan, Vec<GuardAnswer>), Refusal>) {
        self.reading = false;
        // What was not true once is not confirmed in the next moment: it is asked for anew.
        if matches!(self.stage, Stage::Dead { .. }) {
            return;
        }
        let before = self.content();
        match result {
            Ok((plan, guards)) => {
                if let Stage::Ready { plan: old, .. } = &self.stage
                    && let Some(why) = untrue(old, &plan)
                {
                    self.die(why);
                    return;
                }
                self.stage = Stage::Ready {
                    plan: Box::new(plan),
                    guards,
                };
            }
            // A failed reread of a dialog that has a plan: the guards see that the read gets old; the words say why.
            Err(refusal) => match &self.stage {
                Stage::Ready { .. }
                    if refusal.kind == crate::ops::plan::RefusalKind::Unreachable =>
                {
                    self.hint = Some(refusal.words());
                }
                Stage::Ready { .. } => self.die(refusal.words()),
                Stage::Reading | Stage::Refused(_) => self.stage = Stage::Refused(refusal),
                Stage::Dead { .. } => {}
            },
        }
        if self.content() != before {
            self.shown = None;
            self.engaged = false;
            self.typed.clear();
        }
    }

    /// What an operator's decision is about: another one must be read before it can be confirmed.
    fn content(&self) -> Option<(String, Vec<String>, Option<Ceremony>)> {
        match &self.stage {
            Stage::Ready { plan, .. } => Some((
                plan.title.clone(),
                plan.sends
                    .iter()
                    .map(|send| format!("{} {} {}", send.method, send.path, send.shown))
                    .collect(),
                self.ceremony(),
            )),
            Stage::Reading | Stage::Refused(_) | Stage::Dead { .. } => None,
        }
    }

    /// The watch showed the object. A plan that no longer holds dies, whatever is being typed.
    pub fn seen(&mut self, rollout: &Rollout) {
        if Some(&rollout.id) != self.intent.target.release() {
            return;
        }
        if let Stage::Ready { plan, .. } = &self.stage {
            let why = if rollout.uid == plan.target.uid {
                // The watch may lag behind the read that made the plan: what it shows is older then, and proves nothing.
                match rollout.generation >= plan_generation(plan) {
                    true => plan.basis.changed_rollout(rollout),
                    false => None,
                }
            } else {
                Some("it was deleted, and another object has its name now".to_owned())
            };
            if why.is_some() {
                // Read again rather than believe an old line: the answer decides.
                self.hint = why.map(|why| format!("{why}; reading again"));
                self.reading = false;
            }
        }
    }

    pub fn die(&mut self, why: String) {
        self.stage = Stage::Dead { why };
        self.typed.clear();
        self.shown = None;
    }

    fn reads_every(&self) -> SignedDuration {
        match self.intent.target.release() {
            Some(_) => READS_EVERY,
            None => READS_BESIDE_EVERY,
        }
    }

    /// Time passed: whether it should read again now.
    pub fn tick(&mut self, now: Timestamp) -> bool {
        if let Some(expires) = self.expires()
            && now >= expires
            && matches!(self.stage, Stage::Ready { .. })
        {
            self.die("it expired: open it again".to_owned());
            return false;
        }
        match &self.stage {
            Stage::Ready { plan, .. } => {
                !self.reading && now.duration_since(plan.read_at) >= self.reads_every()
            }
            Stage::Reading | Stage::Refused(_) | Stage::Dead { .. } => false,
        }
    }

    /// One key.
    pub fn key(&mut self, key: Key, now: Timestamp) -> Reaction {
        let listens = self.listens(now);
        self.last_key = Some(now);
        // Leaving is always allowed: it sends nothing.
        if key.code == Code::Esc {
            return Reaction::Close;
        }
        if key.repeat || key.alt {
            return Reaction::Nothing;
        }
        match key.code {
            Code::Up => return self.scrolled(-1),
            Code::Down => return self.scrolled(1),
            Code::PageUp => return self.scrolled(-10),
            Code::PageDown => return self.scrolled(10),
            _ => {}
        }
        match &self.stage {
            Stage::Ready { .. } => {}
            Stage::Reading => return Reaction::Nothing,
            Stage::Refused(_) | Stage::Dead { .. } => {
                return match key.code {
                    Code::Char('q') | Code::Enter => Reaction::Close,
                    Code::Char('r') => Reaction::ReadAgain,
                    _ => Reaction::Nothing,
                };
            }
        }
        // What is typed follows itself quickly; only its first key needs the silence. A Y always does.
        let follows = self.engaged && !matches!(self.ceremony(), Some(Ceremony::Yes) | None);
        if !listens && !follows {
            self.hint = Some(
                "that key came too soon after the dialog was drawn; it did nothing".to_owned(),
            );
            return Reaction::Redraw;
        }
        self.engaged = true;
        self.hint = None;
        self.confirming_key(key)
    }

    fn confirming_key(&mut self, key: Key) -> Reaction {
        if key.ctrl {
            return match key.code {
                Code::Char('y') => match &self.stage {
                    Stage::Ready { plan, .. } => Reaction::CopyCommand(plan.same_as.join(" && ")),
                    Stage::Reading | Stage::Refused(_) | Stage::Dead { .. } => Reaction::Nothing,
                },
                Code::Char('f') if self.intent.verb == Verb::Promote => {
                    Reaction::Instead(Verb::PromoteFull)
                }
                Code::Char('r') => {
                    self.reveal = !self.reveal;
                    Reaction::Redraw
                }
                Code::Char('u') => {
                    self.field_mut().clear();
                    Reaction::Redraw
                }
                _ => Reaction::Nothing,
            };
        }
        let Some(ceremony) = self.ceremony() else {
            return Reaction::Nothing;
        };
        match (&ceremony, key.code) {
            (Ceremony::Yes, Code::Char('Y')) => Reaction::Confirm,
            (Ceremony::Yes, _) => Reaction::Nothing,
            (Ceremony::Target { .. }, Code::Tab | Code::BackTab) => {
                self.field = if self.field == Field::Typed {
                    Field::Reason
                } else {
                    Field::Typed
                };
                Reaction::Redraw
            }
            (_, Code::Backspace) => {
                self.field_mut().pop();
                Reaction::Redraw
            }
            (_, Code::Char(c)) => {
                if self.field_mut().chars().count() < REASON_LIMIT {
                    self.field_mut().push(c);
                }
                Reaction::Redraw
            }
            (_, Code::Enter) => self.enter(&ceremony),
            _ => Reaction::Nothing,
        }
    }

    fn enter(&mut self, ceremony: &Ceremony) -> Reaction {
        if !ceremony.accepts(&self.typed) {
            self.hint = Some("that is not what was asked for".to_owned());
            return Reaction::Redraw;
        }
        if ceremony.asks_reason() && self.reason.trim().is_empty() && self.intent.reason.is_none() {
            self.field = Field::Reason;
            self.hint = Some("a reason is asked for".to_owned());
            return Reaction::Redraw;
        }
        Reaction::Confirm
    }

    fn field_mut(&mut self) -> &mut String {
        match self.field {
            Field::Typed => &mut self.typed,
            Field::Reason => &mut self.reason,
        }
    }

    fn scrolled(&mut self, by: i16) -> Reaction {
        self.scroll = self.scroll.saturating_add_signed(by);
        Reaction::Redraw
    }
}

fn plan_generation(plan: &Plan) -> i64 {
    match &plan.basis {
        crate::ops::basis::Basis::Full(inputs) => inputs.generation,
        crate::ops::basis::Basis::Emergency {
            deployment_generation,
            ..
        } => deployment_generation.unwrap_or(0),
        // Not about an object with generations.
        crate::ops::basis::Basis::Run(_) | crate::ops::basis::Basis::Silence(_) => 0,
    }
}

/// Why a dialog that shows `old` may not become one that shows `new`.
fn untrue(old: &Plan, new: &Plan) -> Option<String> {
    if old.target.uid != new.target.uid {
        return Some("it was deleted, and another object has its name now".to_owned());
    }
    if old.intent.verb.is_emergency() {
        // Not another step, weight or resourceVersion: only another uid, target or version.
        return (old.change != new.change
            || old.title != new.title
            || requests(old) != requests(new))
        .then(|| "what it would do has changed: open it again".to_owned());
    }
    (old.basis != new.basis).then(|| "it changed under you: open it again".to_owned())
}

fn requests(plan: &Plan) -> Vec<(&str, &str, &serde_json::Value)> {
    plan.sends
        .iter()
        .map(|send| (send.method, send.path.as_str(), &send.body))
        .collect()
}

#[cfg(test)]
#[path = "dialog_tests.rs"]
mod tests;
