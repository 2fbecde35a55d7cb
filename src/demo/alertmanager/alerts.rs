//! Alerts as Alertmanager has them: routed, grouped, silenced and inhibited.
//!
//! Must never send anybody anything: who would be told is all that is worked out.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::silences::Silences;
use super::{Alertmanager, Asked, Reply, millis, plain, word};
use crate::demo::alarm::{Alarm, alarms};
use crate::demo::matcher::Matcher;
use crate::demo::pattern::Pattern;

pub(super) const RECEIVERS: [&str; 3] = ["default", "pager", "shop-chat"];

/// What `routes`, `group` and `inhibits` do, as its administrator would have written it.
pub(super) const CONFIG: &str = "global:\n  resolve_timeout: 5m\nroute:\n  receiver: default\n  group_by:\n  - alertname\n  \
     - service\n  continue: false\n  routes:\n  - receiver: pager\n    matchers:\n    - severity=\"critical\"\n    \
     continue: true\n  - receiver: shop-chat\n    matchers:\n    - team=\"shop\"\n    continue: false\n  group_wait: \
     30s\n  group_interval: 5m\n  repeat_interval: 4h\ninhibit_rules:\n- source_matchers:\n  - severity=\"critical\"\n  \
     target_matchers:\n  - severity=\"warning\"\n  equal:\n  - namespace\n  - service\nreceivers:\n- name: default\n- name: \
     pager\n- name: shop-chat\ntemplates: []\n";

/// Prometheus says it again in so many seconds, and an alert that it does not repeat ends after four minutes.
const REPEATED: i64 = 15;
const ENDS: SignedDuration = SignedDuration::from_mins(4);

/// An alert with all that is said about it.
struct Shown {
    labels: BTreeMap<String, String>,
    fingerprint: String,
    receivers: Vec<&'static str>,
    silenced_by: Vec<String>,
    inhibited_by: Vec<String>,
    body: Value,
}

impl Shown {
    fn is_active(&self) -> bool {
        self.silenced_by.is_empty() && self.inhibited_by.is_empty()
    }
}

/// FNV-1a over the sorted labels, as `model.LabelSet.Fingerprint` has it.
fn fingerprint(labels: &BTreeMap<String, String>) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for byte in bytes.iter().chain(&[0xff]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    for (name, value) in labels {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    format!("{hash:016x}")
}

fn routes(labels: &BTreeMap<String, String>) -> Vec<&'static str> {
    let is = |name: &str, value: &str| labels.get(name).is_some_and(|known| known == value);
    let mut receivers = Vec::new();
    if is("severity", "critical") {
        receivers.push("pager");
    }
    if is("team", "shop") {
        receivers.push("shop-chat");
    }
    if receivers.is_empty() {
        receivers.push("default");
    }
    receivers
}

fn inhibits(source: &BTreeMap<String, String>, target: &BTreeMap<String, String>) -> bool {
    let is = |labels: &BTreeMap<String, String>, value: &str| {
        labels.get("severity").is_some_and(|known| known == value)
    };
    is(source, "critical")
        && is(target, "warning")
        && ["namespace", "service"]
            .into_iter()
            .all(|name| source.get(name) == target.get(name))
}

/// A word that is no boolean is false, silently.
fn flag(asked: &Asked, name: &str) -> bool {
    matches!(
        asked.parameter(name),
        "" | "true" | "True" | "TRUE" | "1" | "t" | "T" | "yes" | "on" | "ok"
    )
}

pub(super) fn filters(asked: &Asked) -> Result<Vec<Matcher>, Box<Reply>> {
    let texts = asked.pairs.iter().filter(|(name, _)| name == "filter");
    texts
        .map(|(_, text)| Matcher::parse(text).map_err(|why| Box::new(word(400, &why))))
        .collect()
}

impl Alertmanager {
    fn shown(&self, silences: &Silences, now: Timestamp) -> Vec<Shown> {
        let cluster = self.api.cluster();
        let firing: Vec<Alarm> = alarms(&cluster)
            .into_iter()
            .filter(|alarm| alarm.fires <= cluster.clock.now())
            .collect();
        let second = now.as_second();
        let repeated = Timestamp::from_second(second - second.rem_euclid(REPEATED)).unwrap_or(now);
        let mut shown: Vec<Shown> = firing
            .iter()
            .map(|alarm| {
                let labels = &alarm.labels;
                let sources = firing.iter().filter(|source| inhibits(&source.labels, labels));
                let inhibited_by: Vec<String> = sources.map(|source| fingerprint(&source.labels)).collect();
                let (silenced_by, receivers) = (silences.matching(labels, now), routes(labels));
                let state = if silenced_by.is_empty() && inhibited_by.is_empty() { "active" } else { "suppressed" };
                let starts = cluster.clock.stamp_at(alarm.fires);
                let updated = repeated.max(starts);
                let ends = updated.saturating_add(ENDS).unwrap_or(updated);
                let named: Vec<Value> = receivers.iter().map(|name| json!({"name": name})).collect();
                let fingerprint = fingerprint(labels);
                let body = json!({"annotations": alarm.annotations, "endsAt": millis(ends),
                    "fingerprint": fingerprint, "receivers": named, "startsAt": millis(starts),
                    "status": {"inhibitedBy": inhibited_by, "mutedBy": [], "silencedBy": silenced_by, "state": state},
                    "updatedAt": millis(updated), "generatorURL": self.generator(&alarm.query), "labels": labels});
                Shown {
                    labels: labels.clone(),
                    fingerprint,
                    receivers,
                    silenced_by,
                    inhibited_by,
                    body,
                }
            })
            .collect();
        shown.sort_by(|one, other| one.fingerprint.cmp(&other.fingerprint));
        shown
    }

    fn generator(&self, query: &str) -> String {
        let encoded: String = query
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    char::from(byte).to_string()
                }
                b' ' => "+".to_owned(),
                other => format!("%{other:02X}"),
            })
            .collect();
        format!("{}/graph?g0.expr={encoded}&g0.tab=1", self.prometheus)
    }

    fn wanted(
        &self,
        asked: &Asked,
        silences: &Silences,
        now: Timestamp,
    ) -> Result<Vec<Shown>, Box<Reply>> {
        let filters = filters(asked)?;
        let receiver = match asked.parameter("receiver") {
            "" => None,
            text => Some(Pattern::parse(text).map_err(|why| {
                let message =
                    format!("failed to parse receiver param: error parsing regexp: {why}");
                Box::new(word(400, &message))
            })?),
        };
        let with = ["active", "silenced", "inhibited"].map(|name| flag(asked, name));
        let mut shown = self.shown(silences, now);
        shown.retain(|alert| {
            let label = |name: &str| alert.labels.get(name).map_or("", String::as_str);
            filters
                .iter()
                .all(|matcher| matcher.matches(label(&matcher.name)))
                && receiver
                    .as_ref()
                    .is_none_or(|pattern| alert.receivers.iter().any(|name| pattern.matches(name)))
                && with
                    .into_iter()
                    .zip([
                        alert.is_active(),
                        !alert.silenced_by.is_empty(),
                        !alert.inhibited_by.is_empty(),
                    ])
                    .all(|(wanted, is)| wanted || !is)
        });
        Ok(shown)
    }

    pub(super) fn alerts(&self, asked: &Asked, silences: &Silences, now: Timestamp) -> Reply {
        match self.wanted(asked, silences, now) {
            Ok(shown) => {
                let bodies: Vec<Value> = shown.into_iter().map(|alert| alert.body).collect();
                plain(200, &Value::Array(bodies))
            }
            Err(refused) => *refused,
        }
    }

    /// One alert is in one group for each of its receivers.
    pub(super) fn groups(&self, asked: &Asked, silences: &Silences, now: Timestamp) -> Reply {
        let shown = match self.wanted(asked, silences, now) {
            Ok(shown) => shown,
            Err(refused) => return *refused,
        };
        let mut groups: BTreeMap<(BTreeMap<&str, &str>, &str), Vec<&Value>> = BTreeMap::new();
        for alert in &shown {
            let by = ["alertname", "service"].into_iter();
            let labels: BTreeMap<&str, &str> = by
                .filter_map(|name| Some((name, alert.labels.get(name)?.as_str())))
                .collect();
            for receiver in &alert.receivers {
                groups
                    .entry((labels.clone(), receiver))
                    .or_default()
                    .push(&alert.body);
            }
        }
        let groups: Vec<Value> = groups
            .into_iter()
            .map(|((labels, receiver), alerts)| {
                json!({"alerts": alerts, "labels": labels, "receiver": {"name": receiver}})
            })
            .collect();
        plain(200, &Value::Array(groups))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_the_one_that_alertmanager_makes() {
        let labels = |pairs: &[(&str, &str)]| {
            let owned = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            owned.collect()
        };
        // Recorded from Alertmanager 0.33.1.
        let recorded = labels(&[("alertname", "GoodOne"), ("service", "g")]);
        assert_eq!(fingerprint(&recorded), "9df2c4b3108b5031");
    }
}
