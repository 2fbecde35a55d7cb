//! The state machine of one approved action, pure: events in, things to do out. It decides what is recorded, read,
//! sent and watched, and in which order; it never does any of it.
//!
//! What it holds under every order of events, lost answers and double deliveries (property tests at the end):
//! * no request before its record is durable and the object was read again and found unchanged;
//! * a request whose answer was lost is never sent again;
//! * a request is sent at most `1 + resends` times, and again only after a conflict, which proves that it did nothing;
//! * exactly one outcome, recorded before it is announced.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{
    ceremony::Approved,
    goal::Progress,
    plan::{Sending, When},
    record::{self, Record},
    seen::Seen,
};
use crate::model::{
    id::{PodHash, ResourceVersion, Uid},
    text::Safe,
};

/// How long an effect is looked for after an answer was lost. Short, because an operator in an emergency must be
/// offered the emergency again as soon as reading shows that nothing happened.
pub const LOST_WINDOW: SignedDuration = SignedDuration::from_secs(10);

/// How long a plan that has begun is finished without a terminal.
pub const ABANDONED_WINDOW: SignedDuration = SignedDuration::from_secs(30);

/// What the machine asks for. Each is answered by the event named.
#[derive(Clone, Debug, PartialEq)]
pub enum Do {
    /// Make this durable, then [`Event::Recorded`].
    Record(Record),
    /// Read the object itself, then [`Event::Read`].
    Read,
    /// Send request `index` of the plan with this version as its precondition, once, then [`Event::Answered`].
    Send {
        index: usize,
        version: ResourceVersion,
    },
    /// Watch the object from this version on (from a fresh read where there is none): [`Event::Seen`] for each state.
    Observe { from: Option<ResourceVersion> },
    /// Leave the note on the object, best effort; nothing waits for it.
    Note,
    /// [`Event::Woke`] at this time; a later one replaces it.
    WakeAt(Timestamp),
    /// Over. Nothing follows.
    Finish(Outcome),
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    Recorded(Result<Place, String>),
    Read(Result<Seen, ReadTrouble>),
    Answered(Answer),
    Seen(Seen),
    Deleted,
    Woke,
    /// The terminal vanished: what has begun is finished, [`ABANDONED_WINDOW`] at most.
    Abandoned,
    /// The operator gave up waiting (Ctrl-C on a command line).
    Interrupted,
}

/// Where a record went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Audit,
    /// The audit log failed; the record of an emergency went here instead.
    Second(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadTrouble {
    NotFound,
    Unreachable(Safe),
    Refused(Safe),
}

/// The answer to a request, as far as it is certain.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The server has it: the object as it is now.
    Applied(Seen),
    /// The server took it and says nothing of what it did. Only a read can tell.
    Taken,
    /// The precondition failed: it did nothing.
    Conflict,
    /// The server refused it: it did nothing.
    Rejected { status: u16, message: Safe },
    /// Certain that it never left: no connection.
    NotSent(Safe),
    /// Sent or perhaps sent, and no answer that says which.
    Lost(Safe),
}

/// How an action ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub kind: OutcomeKind,
    pub words: String,
    /// Where records went, when not all of them went into the audit log.
    pub second_place: Option<String>,
    /// Whether any request was sent or perhaps sent.
    pub sent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeKind {
    Observed,
    Accepted,
    Partial,
    Reverted,
    Unknown,
    Rejected,
    Failed,
    Refused,
    /// Refused because what is needed could not be read or reached; nothing was sent.
    Unreachable,
    Interrupted,
}

impl OutcomeKind {
    /// The word in JSON and in the audit log; the set is promised by the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Accepted => "accepted",
            Self::Partial => "partial",
            Self::Reverted => "reverted",
            Self::Unknown => "unknown",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Refused | Self::Unreachable | Self::Interrupted => "refused",
        }
    }
}

/// Whether the caller waits for the effect or only for the system to take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitFor {
    Effect,
    Acceptance,
}

#[derive(Clone, Debug, PartialEq)]
enum Stage {
    RecordingIntent,
    Reading {
        index: usize,
        tries: u8,
    },
    RecordingSend {
        index: usize,
        tries: u8,
        version: ResourceVersion,
    },
    Sending {
        index: usize,
        tries: u8,
    },
    /// Watching for the condition of the next request, or for the goal after the last one.
    Observing {
        next: Option<usize>,
    },
    RecordingOutcome(Outcome),
    Done,
}

/// One action under way.
#[derive(Debug)]
pub struct Machine {
    approved: Approved,
    wait: WaitFor,
    /// Overrides the plan's own time, in seconds.
    time_s: i64,
    stage: Stage,
    /// How many requests left or perhaps left.
    sent: usize,
    lost: Option<Safe>,
    progress: Progress,
    deadline: Option<Timestamp>,
    second_place: Option<String>,
    abandoned: bool,
    noted: bool,
}

impl Machine {
    pub fn new(approved: Approved, wait: WaitFor, timeout_s: Option<i64>) -> Self {
        let time_s = timeout_s.unwrap_or(approved.plan().time_s);
        Self {
            approved,
            wait,
            time_s,
            stage: Stage::RecordingIntent,
            sent: 0,
            lost: None,
            progress: Progress::Unseen,
            deadline: None,
            second_place: None,
            abandoned: false,
            noted: false,
        }
    }

    pub fn approved(&self) -> &Approved {
        &self.approved
    }

    pub fn uid(&self) -> &Uid {
        &self.approved.plan().target.uid
    }

    pub const fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The line about this action while it has no outcome.
    pub fn words(&self) -> String {
        match (&self.stage, &self.lost, &self.progress) {
            (
                Stage::RecordingIntent | Stage::Reading { .. } | Stage::RecordingSend { .. },
                _,
                _,
            ) => "checking".to_owned(),
            (Stage::Sending { .. }, _, _) => "sending".to_owned(),
            (_, Some(_), _) => "answer lost, looking for the effect".to_owned(),
            (Stage::Observing { next: Some(_) }, _, _) => {
                "first request in, waiting for the version to be current".to_owned()
            }
            (_, None, Progress::Accepted) => "accepted, not in effect yet".to_owned(),
            (_, None, _) => "sent, nothing seen yet".to_owned(),
        }
    }

    /// Whether a request may still leave. Afterwards it only looks for its effect, and whoever has to go back need not wait.
    pub const fn may_send(&self) -> bool {
        !matches!(
            self.stage,
            Stage::Observing { next: None } | Stage::RecordingOutcome(_) | Stage::Done
        )
    }

    /// The first thing to do. Called once.
    pub fn start(&self, now: Timestamp) -> Vec<Do> {
        vec![Do::Record(record::intent(&self.approved, now))]
    }

    /// Takes one event. An event that does not belong to the stage it arrives in changes nothing: answers can be
    /// delivered late or twice, and nothing may be sent because of that.
    pub fn step(&mut self, now: Timestamp, event: Event) -> Vec<Do> {
        match event {
            Event::Recorded(result) => self.recorded(now, result),
            Event::Read(result) => self.read(now, result),
            Event::Answered(answer) => self.answered(now, answer),
            Event::Seen(seen) => self.seen(now, &seen),
            Event::Deleted => self.deleted(now),
            Event::Woke => self.woke(now),
            Event::Abandoned => self.abandon(now),
            Event::Interrupted => self.interrupted(now),
        }
    }

    fn sending(&self, index: usize) -> Option<&Sending> {
        self.approved.plan().sends.get(index)
    }

    fn recorded(&mut self, now: Timestamp, result: Result<Place, String>) -> Vec<Do> {
        let emergency = self.approved.plan().intent.verb.is_emergency();
        match result {
            Ok(Place::Audit) => {}
            Ok(Place::Second(place)) if emergency => self.second_place = Some(place),
            Ok(Place::Second(_)) => {
                return self.not_recorded(now, "the audit log could not be written");
            }
            Err(why) => return self.not_recorded(now, &why),
        }
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::RecordingIntent => {
                self.stage = Stage::Reading { index: 0, tries: 0 };
                vec![Do::Read]
            }
            Stage::RecordingSend {
                index,
                tries,
                version,
            } => {
                self.stage = Stage::Sending { index, tries };
                // Counted before it leaves: a crash of the connection must not make it look unsent.
                self.sent += 1;
                vec![Do::Send { index, version }]
            }
            Stage::RecordingOutcome(outcome) => vec![Do::Finish(outcome)],
            other => {
                self.stage = other;
                Vec::new()
            }
        }
    }

    fn not_recorded(&mut self, now: Timestamp, why: &str) -> Vec<Do> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::RecordingIntent => vec![Do::Finish(self.outcome(
                OutcomeKind::Refused,
                format!("not sent: its audit record could not be written ({why})"),
            ))],
            Stage::RecordingSend { index: 0, .. } => vec![Do::Finish(self.outcome(
                OutcomeKind::Refused,
                format!("not sent: its audit record could not be written ({why})"),
            ))],
            Stage::RecordingSend { .. } => self.finish(
                now,
                OutcomeKind::Partial,
                format!(
                    "the second request was not sent: its audit record could not be written ({why})"
                ),
            ),
            // What happened has happened: it is announced, and that the record is missing is part of the words.
            Stage::RecordingOutcome(mut outcome) => {
                outcome.words = format!(
                    "{} (this outcome could not be recorded: {why})",
                    outcome.words
                );
                vec![Do::Finish(outcome)]
            }
            other => {
                self.stage = other;
                Vec::new()
            }
        }
    }

    fn read(&mut self, now: Timestamp, result: Result<Seen, ReadTrouble>) -> Vec<Do> {
        let Stage::Reading { index, tries } = self.stage else {
            return Vec::new();
        };
        let seen = match result {
            Ok(seen) => seen,
            Err(ReadTrouble::NotFound) => {
                return self.stop_before(
                    now,
                    index,
                    OutcomeKind::Refused,
                    "it was deleted meanwhile".to_owned(),
                );
            }
            Err(ReadTrouble::Unreachable(why)) => {
                return self.stop_before(
                    now,
                    index,
                    OutcomeKind::Unreachable,
                    format!("could not be read again: {}", &*why),
                );
            }
            Err(ReadTrouble::Refused(why)) => {
                return self.stop_before(
                    now,
                    index,
                    OutcomeKind::Refused,
                    format!("could not be read again: {}", &*why),
                );
            }
        };
        let plan = self.approved.plan();
        let changed = if seen.uid() == plan.target.uid {
            match self.sending(index).map(|sending| &sending.when) {
                Some(When::CurrentIs { hash, .. }) => (current_of(&seen) != Some(hash))
                    .then(|| "another version is the current one now".to_owned()),
                Some(When::AtOnce) if index > 0 => plan.basis.changed_since_our_own(&seen),
                Some(When::AtOnce) | None => plan.basis.changed(&seen),
            }
        } else {
            Some("it was deleted, and another object has its name now".to_owned())
        };
        if let Some(what) = changed {
            return self.stop_before(
                now,
                index,
                OutcomeKind::Refused,
                format!("changed under you: {what}"),
            );
        }
        self.record_send(now, index, tries, seen.version())
    }

    fn record_send(
        &mut self,
        now: Timestamp,
        index: usize,
        tries: u8,
        version: ResourceVersion,
    ) -> Vec<Do> {
        let record = record::sending(&self.approved, index, tries, &version, now);
        self.stage = Stage::RecordingSend {
            index,
            tries,
            version,
        };
        vec![Do::Record(record)]
    }

    fn answered(&mut self, now: Timestamp, answer: Answer) -> Vec<Do> {
        let Stage::Sending { index, tries } = self.stage else {
            return Vec::new();
        };
        let mut all = Vec::new();
        match answer {
            Answer::Applied(seen) => {
                if !self.noted && self.approved.plan().note.is_some() {
                    self.noted = true;
                    all.push(Do::Note);
                }
                let deadline =
                    self.observe_after(now, index, SignedDuration::from_secs(self.time_s));
                all.push(Do::Observe {
                    from: Some(seen.version()),
                });
                all.push(Do::WakeAt(deadline));
                all.extend(self.seen(now, &seen));
            }
            Answer::Taken => {
                self.progress = Progress::Accepted;
                let deadline =
                    self.observe_after(now, index, SignedDuration::from_secs(self.time_s));
                if self.wait == WaitFor::Acceptance {
                    return self.finish(
                        now,
                        OutcomeKind::Accepted,
                        "accepted; its effect was not waited for".to_owned(),
                    );
                }
                all.push(Do::Observe { from: None });
                all.push(Do::WakeAt(deadline));
            }
            Answer::Conflict => {
                // The precondition failed, so it did nothing: it does not count as sent.
                self.sent -= 1;
                let allowed = self.sending(index).map_or(0, |sending| sending.resends);
                if tries >= allowed {
                    return self.stop_before(
                        now,
                        index,
                        OutcomeKind::Refused,
                        "somebody else keeps changing it: look again".to_owned(),
                    );
                }
                self.stage = Stage::Reading {
                    index,
                    tries: tries + 1,
                };
                all.push(Do::Read);
            }
            Answer::Rejected { message, .. } => {
                self.sent -= 1;
                return self.stop_before(now, index, OutcomeKind::Rejected, message.to_string());
            }
            Answer::NotSent(why) => {
                self.sent -= 1;
                if index == 0 {
                    return self.stop_before(
                        now,
                        index,
                        OutcomeKind::Unreachable,
                        format!("not sent: {}", &*why),
                    );
                }
                // The plan has begun: what it still has to send is sent when the system can be reached again.
                self.stage = Stage::Observing { next: Some(index) };
                all.push(Do::Observe { from: None });
            }
            Answer::Lost(why) => {
                self.lost = Some(why);
                let window = LOST_WINDOW.min(SignedDuration::from_secs(self.time_s));
                let deadline = self.observe_after(now, index, window);
                all.push(Do::Observe { from: None });
                all.push(Do::WakeAt(deadline));
            }
        }
        all
    }

    fn observe_after(&mut self, now: Timestamp, index: usize, window: SignedDuration) -> Timestamp {
        let next = index + 1;
        self.stage = Stage::Observing {
            next: (next < self.approved.plan().sends.len()).then_some(next),
        };
        let mut deadline = now.saturating_add(window).unwrap_or(now);
        if self.abandoned
            && let Some(earlier) = self.deadline
        {
            deadline = deadline.min(earlier);
        }
        self.deadline = Some(deadline);
        deadline
    }

    fn seen(&mut self, now: Timestamp, seen: &Seen) -> Vec<Do> {
        let Stage::Observing { next } = self.stage else {
            return Vec::new();
        };
        if seen.uid() != *self.uid() {
            return self.deleted(now);
        }
        let progress = self.approved.plan().goal.judge(seen);
        if let Progress::InEffect(words) = progress {
            return self.finish(now, OutcomeKind::Observed, words);
        }
        if let Some(index) = next {
            return match self.sending(index).map(|sending| &sending.when) {
                Some(When::CurrentIs { hash, .. })
                    if current_of(seen) == Some(hash)
                        && seen
                            .rollout()
                            .is_some_and(|rollout| rollout.generation_observed) =>
                {
                    self.lost = None;
                    self.record_send(now, index, 0, seen.version())
                }
                Some(When::AtOnce) => self.record_send(now, index, 0, seen.version()),
                Some(When::CurrentIs { .. }) | None => Vec::new(),
            };
        }
        match progress {
            Progress::Failed(words) => self.finish(now, OutcomeKind::Failed, words),
            Progress::Accepted => {
                self.progress = Progress::Accepted;
                if self.wait == WaitFor::Acceptance {
                    return self.finish(
                        now,
                        OutcomeKind::Accepted,
                        "accepted; its effect was not waited for".to_owned(),
                    );
                }
                if self.lost.take().is_some() {
                    // It arrived after all: from here on it has the plan's own time.
                    let deadline = now
                        .saturating_add(SignedDuration::from_secs(self.time_s))
                        .unwrap_or(now);
                    self.deadline = Some(deadline);
                    return vec![Do::WakeAt(deadline)];
                }
                Vec::new()
            }
            Progress::Unseen | Progress::InEffect(_) => Vec::new(),
        }
    }

    fn deleted(&mut self, now: Timestamp) -> Vec<Do> {
        if !matches!(self.stage, Stage::Observing { .. }) {
            return Vec::new();
        }
        self.finish(
            now,
            OutcomeKind::Unknown,
            "the object was deleted before an effect was seen".to_owned(),
        )
    }

    fn woke(&mut self, now: Timestamp) -> Vec<Do> {
        let Stage::Observing { next } = self.stage else {
            return Vec::new();
        };
        match self.deadline {
            Some(deadline) if now < deadline => vec![Do::WakeAt(deadline)],
            _ => self.out_of_time(now, next),
        }
    }

    fn out_of_time(&mut self, now: Timestamp, next: Option<usize>) -> Vec<Do> {
        if next.is_some() && self.lost.is_none() {
            return self.finish(now, OutcomeKind::Partial, "the first request is in; its effect was not seen in time, and the second was not sent".to_owned());
        }
        let words = match (&self.lost, &self.progress) {
            (Some(why), _) => format!(
                "the answer was lost ({}), and no effect was seen: it may still arrive",
                &**why
            ),
            (None, Progress::Accepted) => "accepted, and not seen in effect in time".to_owned(),
            (None, _) => "sent, and no effect seen in time".to_owned(),
        };
        let kind = if self.progress == Progress::Accepted && self.wait == WaitFor::Acceptance {
            OutcomeKind::Accepted
        } else {
            OutcomeKind::Unknown
        };
        self.finish(now, kind, words)
    }

    fn abandon(&mut self, now: Timestamp) -> Vec<Do> {
        self.abandoned = true;
        match self.stage {
            // Nothing has left yet: it is let go.
            Stage::RecordingIntent
            | Stage::Reading { index: 0, .. }
            | Stage::RecordingSend { index: 0, .. } => self.finish(
                now,
                OutcomeKind::Interrupted,
                "the terminal vanished before anything was sent".to_owned(),
            ),
            Stage::Reading { .. }
            | Stage::RecordingSend { .. }
            | Stage::Sending { .. }
            | Stage::Observing { .. } => {
                let latest = now.saturating_add(ABANDONED_WINDOW).unwrap_or(now);
                let deadline = self
                    .deadline
                    .map_or(latest, |deadline| deadline.min(latest));
                self.deadline = Some(deadline);
                vec![Do::WakeAt(deadline)]
            }
            Stage::RecordingOutcome(_) | Stage::Done => Vec::new(),
        }
    }

    fn interrupted(&mut self, now: Timestamp) -> Vec<Do> {
        match self.stage {
            Stage::RecordingOutcome(_) | Stage::Done => Vec::new(),
            _ if self.sent == 0 => self.finish(
                now,
                OutcomeKind::Interrupted,
                "interrupted before anything was sent".to_owned(),
            ),
            _ => self.finish(
                now,
                OutcomeKind::Unknown,
                "interrupted after it was sent; its effect was not waited for".to_owned(),
            ),
        }
    }

    /// Ends an action whose request `index` has not left: refused as a whole, or partial when an earlier one is in.
    fn stop_before(
        &mut self,
        now: Timestamp,
        index: usize,
        kind: OutcomeKind,
        words: String,
    ) -> Vec<Do> {
        if index == 0 {
            self.finish(now, kind, words)
        } else {
            self.finish(
                now,
                OutcomeKind::Partial,
                format!("the first request is in; the second is not: {words}"),
            )
        }
    }

    fn outcome(&self, kind: OutcomeKind, words: String) -> Outcome {
        Outcome {
            kind,
            words,
            second_place: self.second_place.clone(),
            sent: self.sent > 0,
        }
    }

    fn finish(&mut self, now: Timestamp, kind: OutcomeKind, words: String) -> Vec<Do> {
        let outcome = self.outcome(kind, words);
        let record = record::outcome(&self.approved, &outcome, now);
        self.stage = Stage::RecordingOutcome(outcome);
        vec![Do::Record(record)]
    }
}

/// The version that is current, where what was read has versions.
fn current_of(seen: &Seen) -> Option<&PodHash> {
    seen.rollout()?.argo()?.current_hash.as_ref()
}
