//! Its alerts and silences in our words. Pure. Must never drop a state that it does not know, and never let one
//! receiver's mute stand for all.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use super::wire::{self, List};
use crate::model::{
    id::EnvironmentName,
    incident::{
        Alert, AlertState, Fingerprint, IncidentFacts, Labels, Matcher, Silence, SilenceId,
        SilenceState, Unread,
    },
    text::{Safe, sanitise, sanitise_lines},
};

/// Silences that ended longer ago are of no use to anyone who asks why an alert came back.
const EXPIRED_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// What was read of one server.
#[derive(Clone, Debug)]
pub struct Answers {
    pub alerts: List<wire::Alert>,
    /// Why not, where the groups could not be read.
    pub groups: Result<List<wire::Group>, Safe>,
    pub silences: Result<List<wire::Silence>, Safe>,
    /// `ready`, `settling`, `disabled`, `degraded`; empty where it is not known.
    pub cluster: String,
}

/// Everything that it tells.
pub fn incidents(
    environment: &EnvironmentName,
    answers: &Answers,
    read_at: Timestamp,
) -> IncidentFacts {
    let mutes = answers
        .groups
        .as_ref()
        .ok()
        .map(|groups| Mutes::of(&groups.items));
    // An alert can come twice, from a proxy over several servers: it is one.
    let mut alerts: BTreeMap<Fingerprint, Alert> = BTreeMap::new();
    for wire in &answers.alerts.items {
        let alert = alert(environment, wire, mutes.as_ref());
        alerts.entry(alert.fingerprint.clone()).or_insert(alert);
    }
    let mut alerts: Vec<Arc<Alert>> = alerts.into_values().map(Arc::new).collect();
    alerts.sort_by_cached_key(|alert| {
        let since = alert.starts_at.unwrap_or(Timestamp::MAX);
        (alert.severity(), since, alert.fingerprint.clone())
    });
    IncidentFacts {
        environment: environment.clone(),
        read_at,
        alerts,
        silences: silences(environment, answers, read_at),
        unread: unread(answers),
        warnings: warnings(answers),
    }
}

fn unread(answers: &Answers) -> Vec<Unread> {
    let alerts = match answers.alerts.unreadable {
        0 => None,
        count => Some(Unread::SomeAlerts(count)),
    };
    let silences = match &answers.silences {
        Err(why) => Some(Unread::Silences(why.clone())),
        Ok(list) if list.unreadable > 0 => Some(Unread::SomeSilences(list.unreadable)),
        Ok(_) => None,
    };
    alerts.into_iter().chain(silences).collect()
}

fn warnings(answers: &Answers) -> Vec<Safe> {
    let mut warnings: Vec<Safe> = unread(answers)
        .iter()
        .map(|part| sanitise(&part.words()))
        .collect();
    if let Ok(groups) = &answers.groups
        && groups.unreadable > 0
    {
        warnings.push(sanitise(&format!(
            "{} of the groups of alerts cannot be read",
            groups.unreadable
        )));
    }
    if let Err(why) = &answers.groups {
        warnings.push(sanitise(&format!(
            "which alerts are muted is not known: {why}"
        )));
    }
    if !matches!(answers.cluster.as_str(), "" | "ready" | "disabled") {
        warnings.push(sanitise(&format!(
            "the cluster of Alertmanagers is {}: what it says may not be complete",
            answers.cluster
        )));
    }
    warnings
}

/// Which alerts are muted by time, as the groups say. `/alerts` says `active` of them (seen with 0.25 and 0.33).
struct Mutes<'a> {
    /// By fingerprint: the intervals, and whether a group of some receiver is not muted.
    of: BTreeMap<&'a str, (BTreeSet<&'a str>, bool)>,
}

impl<'a> Mutes<'a> {
    fn of(groups: &'a [wire::Group]) -> Self {
        let mut of: BTreeMap<&str, (BTreeSet<&str>, bool)> = BTreeMap::new();
        for alert in groups.iter().flat_map(|group| &group.alerts) {
            let (by, told) = of.entry(&alert.fingerprint).or_default();
            by.extend(alert.status.muted_by.iter().map(String::as_str));
            *told |= alert.status.muted_by.is_empty();
        }
        Self { of }
    }

    /// The intervals, if no receiver at all is told. `None`: in no group, so not known.
    fn everywhere(&self, fingerprint: &str) -> Option<Vec<Safe>> {
        let (by, told) = self.of.get(fingerprint)?;
        Some(match told {
            true => Vec::new(),
            false => by.iter().map(|name| sanitise(name)).collect(),
        })
    }
}

fn alert(environment: &EnvironmentName, wire: &wire::Alert, mutes: Option<&Mutes<'_>>) -> Alert {
    let status = &wire.status;
    let in_groups = mutes.and_then(|mutes| mutes.everywhere(&wire.fingerprint));
    let heard = in_groups.as_ref().is_some_and(Vec::is_empty);
    let muted_by =
        in_groups.unwrap_or_else(|| status.muted_by.iter().map(|n| sanitise(n)).collect());
    let otherwise_quiet = !status.silenced_by.is_empty() || !status.inhibited_by.is_empty();
    let state = match status.state.as_str() {
        // It is called suppressed for the mute of one route, while another one's receiver is told.
        "suppressed" if heard && !otherwise_quiet && !status.muted_by.is_empty() => {
            AlertState::Firing
        }
        "active" if !muted_by.is_empty() => AlertState::Suppressed,
        "active" => AlertState::Firing,
        "suppressed" => AlertState::Suppressed,
        "unprocessed" => AlertState::Unprocessed,
        other => AlertState::Unknown(sanitise(other)),
    };
    Alert {
        environment: environment.clone(),
        fingerprint: Fingerprint(sanitise(&wire.fingerprint)),
        labels: labels(&wire.labels, sanitise),
        annotations: labels(&wire.annotations, sanitise_lines),
        state,
        silenced_by: status
            .silenced_by
            .iter()
            .map(|id| SilenceId(sanitise(id)))
            .collect(),
        inhibited_by: status
            .inhibited_by
            .iter()
            .map(|id| Fingerprint(sanitise(id)))
            .collect(),
        muted_by,
        starts_at: time(&wire.starts_at),
        receivers: wire
            .receivers
            .iter()
            .map(|receiver| sanitise(&receiver.name))
            .collect(),
        generator_url: web(&wire.generator_url),
    }
}

fn labels(wire: &BTreeMap<String, String>, value: fn(&str) -> Safe) -> Labels {
    wire.iter()
        .map(|(name, text)| (sanitise(name), value(text)))
        .collect()
}

fn web(url: &str) -> Option<Safe> {
    let scheme = url.split_once("://")?.0.to_ascii_lowercase();
    matches!(scheme.as_str(), "http" | "https").then(|| sanitise(url))
}

/// `0001-01-01T00:00:00Z` is how Go says never.
fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().filter(|at| *at > Timestamp::UNIX_EPOCH)
}

/// Filtered here, because 0.33 answers everything whatever is asked for.
fn silences(environment: &EnvironmentName, answers: &Answers, now: Timestamp) -> Vec<Arc<Silence>> {
    let Ok(list) = &answers.silences else {
        return Vec::new();
    };
    let mut silences: Vec<Arc<Silence>> = list
        .items
        .iter()
        .map(|wire| Arc::new(silence(environment, wire)))
        .filter(|silence| {
            silence.state != SilenceState::Expired
                || silence
                    .ends_at
                    .is_some_and(|at| now.duration_since(at) <= EXPIRED_WITHIN)
        })
        .collect();
    silences.sort_by_cached_key(|silence| {
        let ends = silence.ends_at.unwrap_or(Timestamp::MAX).as_nanosecond();
        match silence.state {
            SilenceState::Expired => (true, -ends, silence.id.clone()),
            _ => (false, ends, silence.id.clone()),
        }
    });
    silences
}

fn silence(environment: &EnvironmentName, wire: &wire::Silence) -> Silence {
    Silence {
        environment: environment.clone(),
        id: SilenceId(sanitise(&wire.id)),
        // As they are: they are compared and sent back, and whoever shows them sanitises.
        matchers: wire
            .matchers
            .iter()
            .map(|matcher| Matcher {
                name: matcher.name.clone(),
                value: matcher.value.clone(),
                is_regex: matcher.is_regex,
                is_equal: matcher.is_equal,
            })
            .collect(),
        starts_at: time(&wire.starts_at),
        ends_at: time(&wire.ends_at),
        created_by: sanitise(&wire.created_by),
        comment: sanitise(&wire.comment),
        state: match wire.status.state.as_str() {
            "active" => SilenceState::Active,
            "pending" => SilenceState::Pending,
            "expired" => SilenceState::Expired,
            other => SilenceState::Unknown(sanitise(other)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-20T23:00:00Z";

    fn answers(alerts: &str, groups: &str, silences: &str) -> Answers {
        Answers {
            alerts: List::read(alerts.as_bytes()).unwrap(),
            groups: Ok(List::read(groups.as_bytes()).unwrap()),
            silences: Ok(List::read(silences.as_bytes()).unwrap()),
            cluster: String::new(),
        }
    }

    fn facts(answers: &Answers) -> IncidentFacts {
        incidents(&"prod".into(), answers, NOW.parse().unwrap())
    }

    fn one(alerts: &str, groups: &str) -> Alert {
        let facts = facts(&answers(alerts, groups, "[]"));
        Alert::clone(&facts.alerts[0])
    }

    fn group(receiver: &str, muted_by: &str) -> String {
        format!(
            r#"{{"receiver":{{"name":"{receiver}"}},"alerts":[{{"fingerprint":"f","status":{{"state":"suppressed","mutedBy":[{muted_by}]}}}}]}}"#
        )
    }

    const ACTIVE: &str =
        r#"[{"fingerprint":"f","labels":{"alertname":"A"},"status":{"state":"active"}}]"#;

    #[test]
    fn an_alert_is_muted_only_when_every_receivers_group_says_so() {
        let night = r#""nights""#;
        let both = one(
            ACTIVE,
            &format!("[{},{}]", group("a", night), group("b", r#""weekends""#)),
        );
        assert_eq!(both.state, AlertState::Suppressed);
        assert!(!both.is_firing());
        assert_eq!(both.muted_by, ["nights", "weekends"]);
        let one_of_two = one(
            ACTIVE,
            &format!("[{},{}]", group("a", night), group("b", "")),
        );
        assert!(one_of_two.is_firing());
        // In no group yet: what the alert says itself.
        assert!(one(ACTIVE, "[]").is_firing());
    }

    #[test]
    fn what_newer_servers_call_suppressed_for_one_route_fires_for_the_other() {
        let alerts =
            r#"[{"fingerprint":"f","status":{"state":"suppressed","mutedBy":["nights"]}}]"#;
        let groups = format!("[{},{}]", group("a", r#""nights""#), group("b", ""));
        assert!(one(alerts, &groups).is_firing());
        let silenced = r#"[{"fingerprint":"f","status":{"state":"suppressed","silencedBy":["s"],"mutedBy":["nights"]}}]"#;
        assert_eq!(one(silenced, &groups).state, AlertState::Suppressed);
    }

    #[test]
    fn a_state_that_is_not_known_is_kept_and_does_not_fire() {
        let strange = one(
            r#"[{"fingerprint":"f","status":{"state":"resting"}}]"#,
            "[]",
        );
        assert_eq!(strange.state, AlertState::Unknown("resting".into()));
        assert!(!strange.is_firing());
    }

    #[test]
    fn text_is_made_safe_and_links_are_to_the_web() {
        let alert = one(
            r#"[{"fingerprint":"f","labels":{"alertname":"A\u001b[2J"},"annotations":{"description":"a\nb\u0007"},
                "generatorURL":"javascript://x","startsAt":"0001-01-01T00:00:00Z"}]"#,
            "[]",
        );
        assert_eq!(alert.name(), "A");
        assert_eq!(alert.annotation("description").unwrap(), "a\nb");
        assert_eq!(alert.generator_url, None);
        assert_eq!(alert.starts_at, None);
    }

    #[test]
    fn what_hurts_most_and_longest_comes_first() {
        let alert = |f: &str, severity: &str, at: &str| {
            format!(
                r#"{{"fingerprint":"{f}","labels":{{"severity":"{severity}"}},"startsAt":"2026-11-20T22:{at}:00Z","status":{{"state":"active"}}}}"#
            )
        };
        let alerts = [
            alert("late", "critical", "50"),
            alert("warn", "warning", "10"),
            alert("early", "critical", "20"),
            alert("odd", "sev2", "20"),
        ];
        let facts = facts(&answers(&format!("[{}]", alerts.join(",")), "[]", "[]"));
        let order: Vec<&str> = facts
            .alerts
            .iter()
            .map(|alert| alert.fingerprint.0.as_str())
            .collect();
        assert_eq!(order, ["early", "late", "odd", "warn"]);
    }

    #[test]
    fn of_the_expired_silences_those_of_a_day_are_kept_behind_the_others() {
        let silence = |id: &str, state: &str, ends: &str| {
            format!(r#"{{"id":"{id}","status":{{"state":"{state}"}},"endsAt":"{ends}"}}"#)
        };
        let silences = [
            silence("old", "expired", "2026-11-19T22:00:00Z"),
            silence("first", "expired", "2026-11-20T21:00:00Z"),
            silence("last", "expired", "2026-11-20T22:00:00Z"),
            silence("on", "active", "2026-11-20T23:30:00Z"),
            silence("odd", "dozing", "2026-11-20T23:10:00Z"),
        ];
        let facts = facts(&answers("[]", "[]", &format!("[{}]", silences.join(","))));
        let order: Vec<&str> = facts
            .silences
            .iter()
            .map(|silence| silence.id.0.as_str())
            .collect();
        assert_eq!(order, ["odd", "on", "last", "first"]);
    }

    #[test]
    fn what_could_not_be_read_is_warned_of() {
        let mut partly = answers(r#"[{"fingerprint":1}]"#, "[]", "[]");
        partly.groups = Err("no answer".into());
        partly.cluster = "settling".to_owned();
        let warnings = facts(&partly).warnings;
        assert_eq!(warnings.len(), 3, "{warnings:?}");
    }

    #[test]
    fn silences_that_could_not_be_read_are_not_no_silences() {
        let whole = facts(&answers("[]", "[]", "[]"));
        assert_eq!(
            (whole.incomplete(), whole.tells_all_silences()),
            (None, true)
        );
        let mut none = answers("[]", "[]", "[]");
        none.silences = Err("no answer".into());
        let one = answers("[]", "[]", r#"[{"id":7}]"#);
        for answers in [none, one] {
            let facts = facts(&answers);
            assert!(facts.silences.is_empty());
            assert!(!facts.tells_all_silences());
            assert!(facts.incomplete().unwrap().contains("silences"));
        }
        let alert = facts(&answers(r#"[{"fingerprint":1}]"#, "[]", "[]"));
        assert!(alert.tells_all_silences());
        assert!(alert.incomplete().unwrap().contains("alerts"));
    }
}
