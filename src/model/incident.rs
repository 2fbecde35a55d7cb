//! What is wrong now: alerts, what silences them, and the label matchers that both are found by.
//!
//! Owns the matching of labels, once for joining alerts to services, for previews of a silence and for tests. Never owns
//! a rule about what an alert means for a release.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{address::Address, id::EnvironmentName, text::Safe};

/// The hash of an alert's label set, as its system computes it: the same for the same labels, wherever it is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Fingerprint(pub Safe);

/// A silence as its system names it. An update can give it another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct SilenceId(pub Safe);

pub type Labels = BTreeMap<Safe, Safe>;

/// Where an alert stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlertState {
    /// Somebody is told of it.
    Firing,
    /// It is wrong, and nobody is told: why is in `silenced_by`, `inhibited_by` and `muted_by`.
    Suppressed,
    /// Arrived this moment.
    Unprocessed,
    /// A word that this program does not know.
    Unknown(Safe),
}

/// Severity as the label says it. One that is not known is above a warning: it is shown, not ranked away.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Critical,
    Unknown(Safe),
    Warning,
    Info,
    None,
}

impl Severity {
    pub fn read(word: Option<&Safe>) -> Self {
        match word.map(|word| word.to_ascii_lowercase()) {
            None => Self::Unknown(Safe::default()),
            Some(word) => match word.as_str() {
                "critical" | "page" => Self::Critical,
                "warning" => Self::Warning,
                "info" => Self::Info,
                "none" => Self::None,
                word => Self::Unknown(super::text::sanitise_line(word, 40)),
            },
        }
    }

    pub fn word(&self) -> &str {
        match self {
            Self::Critical => "critical",
            Self::Unknown(word) if word.is_empty() => "no severity",
            Self::Unknown(word) => word,
            Self::Warning => "warning",
            Self::Info => "info",
            Self::None => "none",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    pub environment: EnvironmentName,
    pub fingerprint: Fingerprint,
    pub labels: Labels,
    pub annotations: Labels,
    pub state: AlertState,
    pub silenced_by: Vec<SilenceId>,
    pub inhibited_by: Vec<Fingerprint>,
    /// Names of the time intervals that mute it, as the groups say.
    pub muted_by: Vec<Safe>,
    /// Since when it fires.
    pub starts_at: Option<Timestamp>,
    pub receivers: Vec<Safe>,
    /// Only `http` and `https`.
    pub generator_url: Option<Safe>,
}

impl Alert {
    pub fn label(&self, name: &str) -> Option<&Safe> {
        self.labels.get(name)
    }

    pub fn annotation(&self, name: &str) -> Option<&Safe> {
        self.annotations.get(name)
    }

    /// Where the page is that made it.
    pub fn page(&self) -> Option<Address> {
        Address::new(self.generator_url.as_ref()?)
    }

    pub fn name(&self) -> &str {
        self.label("alertname")
            .map_or("unnamed alert", Safe::as_str)
    }

    /// What is wrong in a sentence, else its name.
    pub fn title(&self) -> &str {
        self.annotation("summary")
            .filter(|summary| !summary.is_empty())
            .map_or_else(|| self.name(), Safe::as_str)
    }

    pub fn severity(&self) -> Severity {
        Severity::read(self.label("severity"))
    }

    /// Whether somebody is being told of it now.
    pub fn is_firing(&self) -> bool {
        matches!(self.state, AlertState::Firing) && self.muted_by.is_empty()
    }

    /// One that always fires, so that its silence can be noticed. It is no incident; its absence is one.
    pub fn is_heartbeat(&self) -> bool {
        matches!(self.name(), "Watchdog" | "DeadMansSwitch")
    }

    /// One that only exists to inhibit others.
    pub fn is_inhibitor(&self) -> bool {
        self.name() == "InfoInhibitor"
    }
}

/// One condition on labels. A label that is absent is the empty text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Matcher {
    pub name: String,
    pub value: String,
    pub is_regex: bool,
    pub is_equal: bool,
}

impl Matcher {
    pub fn equal(name: &str, value: &str) -> Self {
        Self {
            name: name.to_owned(),
            value: value.to_owned(),
            is_regex: false,
            is_equal: true,
        }
    }

    /// Whether it holds for these labels. `None` for a regular expression, which only the system itself evaluates:
    /// a preview that guesses would show the wrong alerts.
    pub fn matches(&self, labels: &Labels) -> Option<bool> {
        if self.is_regex {
            return None;
        }
        let value = labels.get(self.name.as_str()).map_or("", Safe::as_str);
        Some((value == self.value) == self.is_equal)
    }

    /// As people and query parameters write it: `service="checkout"`.
    pub fn words(&self) -> String {
        let operator = match (self.is_regex, self.is_equal) {
            (false, true) => "=",
            (false, false) => "!=",
            (true, true) => "=~",
            (true, false) => "!~",
        };
        let mut value = String::with_capacity(self.value.len() + 2);
        for character in self.value.chars() {
            match character {
                '"' => value.push_str("\\\""),
                '\\' => value.push_str("\\\\"),
                '\n' => value.push_str("\\n"),
                other => value.push(other),
            }
        }
        format!("{}{operator}\"{value}\"", self.name)
    }
}

/// Whether all hold. `None`: one is a regular expression, and the others do not rule it out.
pub fn all_match(matchers: &[Matcher], labels: &Labels) -> Option<bool> {
    let mut unsure = false;
    for matcher in matchers {
        match matcher.matches(labels) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => unsure = true,
        }
    }
    (!unsure).then_some(true)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SilenceState {
    Active,
    Pending,
    Expired,
    Unknown(Safe),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    pub environment: EnvironmentName,
    pub id: SilenceId,
    pub matchers: Vec<Matcher>,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    pub created_by: Safe,
    pub comment: Safe,
    pub state: SilenceState,
}

/// Everything that one system tells, told anew as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentFacts {
    pub environment: EnvironmentName,
    pub read_at: Timestamp,
    /// By severity, then by how long.
    pub alerts: Vec<std::sync::Arc<Alert>>,
    /// Active and pending ones; of the expired those of the last hours, newest first.
    pub silences: Vec<std::sync::Arc<Silence>>,
    /// What there is and could not be read. What is not in the lists above is absent only where this is empty.
    pub unread: Vec<Unread>,
    pub warnings: Vec<Safe>,
}

/// A part of the answers that is not in the facts, though it may be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// So many of the alerts.
    SomeAlerts(usize),
    /// So many of the silences.
    SomeSilences(usize),
    /// All of the silences, and why.
    Silences(Safe),
}

impl Unread {
    pub fn words(&self) -> String {
        match self {
            Self::SomeAlerts(count) => format!("{count} of the alerts cannot be read"),
            Self::SomeSilences(count) => format!("{count} of the silences cannot be read"),
            Self::Silences(why) => format!("the silences are not known: {why}"),
        }
    }
}

impl IncidentFacts {
    /// Why an action must not rest on them, where something of alerts or silences could not be read.
    pub fn incomplete(&self) -> Option<String> {
        let words: Vec<String> = self.unread.iter().map(Unread::words).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }

    /// Whether a silence that is not told is not there.
    pub fn tells_all_silences(&self) -> bool {
        self.unread
            .iter()
            .all(|part| matches!(part, Unread::SomeAlerts(_)))
    }
}
