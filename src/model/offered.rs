//! From an alert to the matchers that a silence of it can be made of. Pure. Must never offer a matcher for a text that
//! is not exactly what the server holds: it would silence something else, or nothing.

use super::{
    incident::{Alert, Matcher},
    text::{Safe, sanitise},
};

/// What tells which service is wrong, wherever its pods are: these stay true for the next pod.
const LASTING: [&str; 6] = [
    "alertname",
    "service",
    "namespace",
    "cluster",
    "environment",
    "severity",
];

/// A matcher, and whether it is on to begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    pub matcher: Matcher,
    pub on: bool,
}

/// One for each label, those that are on first. Refused where the labels that are shown are not those that the server
/// holds, because something in them was not fit to be shown.
pub fn offered(alert: &Alert) -> Result<Vec<Offered>, Safe> {
    if fingerprint(alert) != alert.fingerprint.0.as_str() {
        return Err(sanitise(
            "a label of this alert holds characters that are not shown, so no matcher for it can be made here",
        ));
    }
    let mut offered: Vec<Offered> = alert
        .labels
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| Offered {
            matcher: Matcher::equal(name, value),
            on: LASTING.contains(&name.as_str()),
        })
        .collect();
    offered.sort_by_key(|one| {
        let place = LASTING.iter().position(|name| *name == one.matcher.name);
        place.unwrap_or(LASTING.len())
    });
    Ok(offered)
}

/// FNV-1a over the sorted labels, as Prometheus' `model.LabelSet.Fingerprint` computes it: when the labels here give
/// what the server says, they are byte for byte those that it holds.
fn fingerprint(alert: &Alert) -> String {
    const SEPARATOR: u8 = 0xff;
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |byte: u8| {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    };
    for (name, value) in &alert.labels {
        name.bytes().for_each(&mut add);
        add(SEPARATOR);
        value.bytes().for_each(&mut add);
        add(SEPARATOR);
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::incident::{AlertState, Fingerprint, Labels};

    fn alert(labels: &[(&str, &str)], fingerprint: &str) -> Alert {
        Alert {
            environment: "prod".into(),
            fingerprint: Fingerprint(sanitise(fingerprint)),
            labels: labels
                .iter()
                .map(|(name, value)| (sanitise(name), sanitise(value)))
                .collect(),
            annotations: Labels::new(),
            state: AlertState::Firing,
            silenced_by: Vec::new(),
            inhibited_by: Vec::new(),
            muted_by: Vec::new(),
            starts_at: None,
            receivers: Vec::new(),
            generator_url: None,
        }
    }

    #[test]
    fn what_lasts_is_on_and_what_changes_with_the_pods_is_off() {
        // Recorded from Alertmanager 0.33.1.
        let labels = [
            ("alertname", "CheckoutLatencyHigh"),
            ("cluster", "lab"),
            ("namespace", "shop"),
            ("service", "payments"),
            ("severity", "critical"),
            ("team", "shop"),
        ];
        let offered = offered(&alert(&labels, "4b29210e7f205261")).unwrap();
        let told: Vec<(&str, bool)> = offered
            .iter()
            .map(|one| (one.matcher.name.as_str(), one.on))
            .collect();
        assert_eq!(
            told,
            [
                ("alertname", true),
                ("service", true),
                ("namespace", true),
                ("cluster", true),
                ("severity", true),
                ("team", false)
            ]
        );
    }

    #[test]
    fn labels_that_were_changed_to_be_shown_are_not_offered() {
        // The fingerprint is of what the server holds; here an escape sequence was taken out of the value.
        let changed = alert(&[("alertname", "A\u{1b}[1m")], "0123456789abcdef");
        assert!(offered(&changed).is_err());
    }
}
