//! What must be observed for a silence, or the end of one, to be in force. An alert manager gives an id for a silence;
//! whether the alerts it is meant for are silent shows only at the next evaluation.

use jiff::Timestamp;

use super::{Goal, Progress};
use crate::model::incident::{
    Alert, IncidentFacts, Matcher, Silence, SilenceId, SilenceState, all_match,
};

pub(super) fn judge(goal: &Goal, facts: &IncidentFacts) -> Progress {
    match goal {
        Goal::Silenced { matchers, ends_at } => silenced(facts, matchers, *ends_at),
        Goal::SilenceEnded { silence } => ended(facts, silence),
        // No plan about alerts has these.
        _ => Progress::Unseen,
    }
}

/// A silence is recognised by what it says: its id comes with an answer that may be lost.
fn same_silence(silence: &Silence, matchers: &[Matcher], ends_at: Timestamp) -> bool {
    silence.matchers.len() == matchers.len()
        && matchers
            .iter()
            .all(|matcher| silence.matchers.contains(matcher))
        && silence
            .ends_at
            .is_some_and(|ends| ends.as_second() == ends_at.as_second())
}

fn silenced(facts: &IncidentFacts, matchers: &[Matcher], ends_at: Timestamp) -> Progress {
    let Some(silence) = facts.silences.iter().find(|silence| {
        same_silence(silence, matchers, ends_at)
            && matches!(silence.state, SilenceState::Active | SilenceState::Pending)
    }) else {
        return Progress::Unseen;
    };
    let meant: Vec<&Alert> = facts
        .alerts
        .iter()
        .map(|alert| &**alert)
        .filter(|alert| all_match(matchers, &alert.labels) == Some(true))
        .collect();
    let silent = meant
        .iter()
        .filter(|alert| alert.silenced_by.contains(&silence.id))
        .count();
    // An alert that could not be read may be meant and not silent.
    let all_seen = facts.incomplete().is_none();
    if silence.state == SilenceState::Active && silent == meant.len() && all_seen {
        Progress::InEffect(match meant.len() {
            0 => format!(
                "silence {} is active; nothing it matches fires now",
                &*silence.id.0
            ),
            1 => format!("silence {} is active, 1 alert is silent", &*silence.id.0),
            count => format!(
                "silence {} is active, {count} alerts are silent",
                &*silence.id.0
            ),
        })
    } else {
        Progress::Accepted
    }
}

fn ended(facts: &IncidentFacts, id: &SilenceId) -> Progress {
    match facts.silences.iter().find(|silence| silence.id == *id) {
        // It may be among those that could not be read.
        None if !facts.tells_all_silences() => Progress::Unseen,
        // Expired ones are forgotten after a while.
        None => Progress::InEffect("the silence is gone".to_owned()),
        Some(silence) if silence.state == SilenceState::Expired => {
            Progress::InEffect("the silence has ended".to_owned())
        }
        Some(_) => Progress::Unseen,
    }
}
