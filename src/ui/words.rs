//! Words and marks that several views share: ages, times, marks of groups, runs and sources. Every state has a mark or a
//! word of its own, so that nothing is told by colour alone.

use jiff::Timestamp;

use super::figures;
use crate::{
    app::{
        actions::{Line, LineState, WATCHED_FOR},
        outcome_words,
        state::{Environment, State},
    },
    model::{
        id::ReleaseId,
        release::{Group, Release, duration_words},
        rollout::{RunPhase, Workload},
        source::{Answer, SourceHealth, SourceState},
    },
    ops::{
        guard::{Arming, Decision},
        intent::Verb,
        machine::OutcomeKind,
        offer,
    },
};

pub(super) const fn group_mark(group: Group) -> &'static str {
    match group {
        Group::Broken => "✖",
        Group::NeedsYou => "◆",
        Group::Moving => "▸",
        Group::Unknown => "?",
        Group::Quiet => "✔",
    }
}

pub(super) const fn group_heading(group: Group) -> &'static str {
    match group {
        Group::Broken => "BROKEN",
        Group::NeedsYou => "NEEDS YOU",
        Group::Moving => "MOVING",
        Group::Unknown => "UNKNOWN",
        Group::Quiet => "QUIET",
    }
}

pub(super) const fn decision_mark(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "✔",
        Decision::Warn | Decision::Strongest => "▲",
        Decision::Deny => "✖",
    }
}

pub(super) const fn run_mark(phase: &RunPhase) -> &'static str {
    match phase {
        RunPhase::Pending | RunPhase::Running => "▸",
        RunPhase::Successful => "✔",
        RunPhase::Failed | RunPhase::Error => "✖",
        RunPhase::Inconclusive => "◆",
        RunPhase::Unknown(_) => "?",
    }
}

pub(super) const fn source_mark(state: SourceState) -> &'static str {
    match state {
        SourceState::Live => "●",
        SourceState::Connecting | SourceState::NotConfigured => "○",
        SourceState::Stale | SourceState::RateLimited => "▲",
        SourceState::Unreachable
        | SourceState::Unauthorized
        | SourceState::Forbidden
        | SourceState::Malformed => "✖",
    }
}

/// What confirming does, as the confirming line says it.
pub(super) const fn does(verb: Verb) -> &'static str {
    match verb {
        Verb::BackOut => "backs out",
        Verb::Pause => "pauses",
        Verb::Resume => "resumes",
        Verb::Promote => "promotes",
        Verb::PromoteFull => "promotes fully",
        Verb::Abort => "aborts",
        Verb::Retry => "retries",
        Verb::Rollback => "rolls back",
        Verb::Restart => "restarts",
        Verb::Approve => "approves",
        Verb::Reject => "rejects",
        Verb::Cancel => "cancels",
        Verb::Rerun => "runs it again",
        Verb::RerunFailed => "runs what failed again",
        Verb::Silence => "silences",
        Verb::Expire => "ends the silence",
    }
}

/// Seconds from `then` to now, never negative.
pub(super) fn seconds_since(state: &State, then: Timestamp) -> i64 {
    state.now.duration_since(then).as_secs().max(0)
}

pub(super) fn age(state: &State, then: Timestamp) -> String {
    duration_words(seconds_since(state, then))
}

/// The time of day, or the date where it was another day.
pub(super) fn clock_time(state: &State, at: Timestamp) -> String {
    let zone = &state.session.zone;
    let then = at.to_zoned(zone.clone());
    let now = state.now.to_zoned(zone.clone());
    if then.date() == now.date() {
        then.strftime("%H:%M:%S").to_string()
    } else {
        then.strftime("%d %b %H:%M").to_string()
    }
}

/// The time of day to the minute, or the date where it was another day.
pub(super) fn short_time(state: &State, at: Timestamp) -> String {
    let zone = &state.session.zone;
    let then = at.to_zoned(zone.clone());
    let now = state.now.to_zoned(zone.clone());
    let format = if then.date() == now.date() {
        "%H:%M"
    } else {
        "%d %b %H:%M"
    };
    then.strftime(format).to_string()
}

/// What a source that does not tell says of itself: its word, why, and when it is tried again.
pub(super) fn source_words(state: &State, health: &SourceHealth) -> String {
    let mut words = health.state.word().to_owned();
    if !health.detail.is_empty() {
        words.push_str(": ");
        words.push_str(&health.detail);
    }
    if let Some(next) = health.next_try {
        let left = next.duration_since(state.now).as_secs();
        if left > 0 {
            words.push_str(", next try in ");
            words.push_str(&left.to_string());
            words.push_str(" s");
        } else {
            words.push_str(", trying now");
        }
    }
    words
}

/// Whether this person may decide about a release, as far as is known: "waits for you" is said to nobody else.
pub(super) fn may_act(environment: Option<&Environment>, release: &Release) -> bool {
    let Some(environment) = environment else {
        return false;
    };
    if matches!(environment.arming, Arming::Forbidden { .. }) {
        return false;
    }
    let id = &release.rollout.id;
    let verb = match (&release.rollout.workload, release.rollout.paused_by_hand()) {
        (Workload::ArgoRollout(_), false) => Verb::Promote,
        _ => Verb::Resume,
    };
    let Some(access) = environment.access.get(&id.namespace) else {
        return false;
    };
    offer::needs(verb, release).all(|need| access.to(need) == Some(&Answer::Allowed))
}

/// The last action on a release, while it is news: under way, or over for less than the time it is watched.
pub(super) fn news<'s>(state: &'s State, target: &ReleaseId) -> Option<&'s Line> {
    let line = state.actions.last_of(target)?;
    let over = match &line.state {
        LineState::UnderWay { .. } => return Some(line),
        LineState::Over { at, .. } | LineState::Reverted { at, .. } => *at,
    };
    (state.now.duration_since(over) < WATCHED_FOR).then_some(line)
}

/// An action as a line: what it is, how far it is, how it ended.
pub(super) fn action_words(line: &Line) -> String {
    match &line.state {
        LineState::UnderWay { words, .. } | LineState::Reverted { words, .. } => {
            format!("{}: {words}", line.verb.title())
        }
        LineState::Over { outcome, .. } => outcome_words(line.verb.title(), outcome),
    }
}

/// What became of the errors and the alerts of a release that was acted on; empty where nothing is known of them.
pub(super) fn followed_words(state: &State, line: &Line) -> String {
    let LineState::Over { outcome, .. } = &line.state else {
        return String::new();
    };
    if !outcome.sent {
        return String::new();
    }
    let followed = &line.beside;
    let mut parts = Vec::with_capacity(2);
    if let (Some(before), Some(after)) = (followed.errors_before, followed.errors_after) {
        parts.push(format!("errors {}", figures::from_to(before, after)));
    }
    let resolved: Vec<Timestamp> = followed
        .alerts
        .iter()
        .filter_map(|(_, _, resolved)| *resolved)
        .collect();
    let of = followed.alerts.len();
    let last = resolved.iter().max();
    let words = match (of, resolved.len(), last) {
        (0, ..) => None,
        (1, _, Some(at)) => Some(format!("alert resolved {}", short_time(state, *at))),
        (1, ..) => Some("alert still fires".to_owned()),
        (_, 0, _) => Some(format!("{of} alerts still fire")),
        (_, some, Some(at)) if some == of => {
            Some(format!("{of} alerts resolved {}", short_time(state, *at)))
        }
        (_, some, _) => Some(format!("{some} of {of} alerts resolved")),
    };
    parts.extend(words);
    parts.join(", ")
}

/// An action as the one line that stays of it: `backed out 03:14, errors 4.1 → 0.4 %, alert resolved 03:17`.
pub(super) fn stays_words(state: &State, line: &Line) -> String {
    let followed = followed_words(state, line);
    match &line.state {
        LineState::Over { outcome, at }
            if outcome.kind == OutcomeKind::Observed && !followed.is_empty() =>
        {
            format!("{} {}, {followed}", did(line.verb), short_time(state, *at))
        }
        _ if followed.is_empty() => action_words(line),
        _ => format!("{}, {followed}", action_words(line)),
    }
}

/// An action with everything that is known of it, where there is room for it.
pub(super) fn whole_words(state: &State, line: &Line) -> String {
    let followed = followed_words(state, line);
    if followed.is_empty() {
        action_words(line)
    } else {
        format!("{}, {followed}", action_words(line))
    }
}

/// What was done, once it is.
const fn did(verb: Verb) -> &'static str {
    match verb {
        Verb::BackOut => "backed out",
        Verb::Pause => "paused",
        Verb::Resume => "resumed",
        Verb::Promote => "promoted",
        Verb::PromoteFull => "promoted fully",
        Verb::Abort => "aborted",
        Verb::Retry => "retried",
        Verb::Rollback => "rolled back",
        Verb::Restart => "restarted",
        Verb::Approve => "approved",
        Verb::Reject => "rejected",
        Verb::Cancel => "cancelled",
        Verb::Rerun => "run again",
        Verb::RerunFailed => "what failed run again",
        Verb::Silence => "silenced",
        Verb::Expire => "silence ended",
    }
}

/// `3 pods`, `1 pod`.
pub(super) fn count(number: usize, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}
