//! What a silence rests on: the alerts that were shown as matching, and that no equal silence exists. An alert that ends
//! meanwhile changes nothing; one more that would be silenced unseen refuses.

use crate::model::incident::{
    Fingerprint, IncidentFacts, Matcher, SilenceId, SilenceState, all_match,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SilenceBasis {
    New {
        matchers: Vec<Matcher>,
        /// Sorted.
        shown: Vec<Fingerprint>,
    },
    End {
        silence: SilenceId,
    },
}

impl SilenceBasis {
    pub(super) fn changed(&self, facts: &IncidentFacts) -> Option<String> {
        // What could not be read may be one more alert, or the same silence.
        if let Some(why) = facts.incomplete() {
            return Some(format!("not everything of it could be read: {why}"));
        }
        match self {
            Self::New { matchers, shown } => {
                let more: Vec<&str> = facts
                    .alerts
                    .iter()
                    .filter(|alert| all_match(matchers, &alert.labels) != Some(false))
                    .filter(|alert| !shown.contains(&alert.fingerprint))
                    .map(|alert| alert.title())
                    .collect();
                if let Some(first) = more.first() {
                    return Some(format!("it would silence more than was shown: {first}"));
                }
                same_matchers(facts, matchers)
                    .map(|id| format!("the same silence exists already: {}", &*id.0))
            }
            Self::End { silence } => match facts.silences.iter().find(|s| s.id == *silence) {
                None => Some("the silence is gone".to_owned()),
                Some(found) if found.state == SilenceState::Expired => {
                    Some("the silence has ended already".to_owned())
                }
                Some(_) => None,
            },
        }
    }
}

/// An active or pending silence of exactly these matchers.
pub fn same_matchers<'a>(facts: &'a IncidentFacts, matchers: &[Matcher]) -> Option<&'a SilenceId> {
    facts
        .silences
        .iter()
        .find(|silence| {
            matches!(silence.state, SilenceState::Active | SilenceState::Pending)
                && silence.matchers.len() == matchers.len()
                && matchers
                    .iter()
                    .all(|matcher| silence.matchers.contains(matcher))
        })
        .map(|silence| &silence.id)
}
