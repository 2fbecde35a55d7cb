//! Every recorded exchange with Alertmanager 0.25 and 0.33, and what its description of the API asks of our requests.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;
use windlass::{
    model::{
        incident::{AlertState, Matcher, SilenceId},
        offered::offered,
        text::sanitise,
    },
    providers::alertmanager::{
        map::{Answers, incidents},
        requests::{self, Sent, SilenceDraft},
        wire::{Alert, Group, List, Silence, Status},
    },
};

use super::{Exchange, exchanges, folder, json, yaml};

fn recorded() -> Option<Vec<Exchange>> {
    let folder = folder("monitoring/alertmanager")?;
    Some(exchanges(&folder, &["am025_", "am033_"]))
}

fn facts(alerts: &[u8], groups: &[u8]) -> windlass::model::incident::IncidentFacts {
    let answers = Answers {
        alerts: List::read(alerts).unwrap(),
        groups: Ok(List::read(groups).unwrap()),
        silences: Ok(List::read(b"[]").unwrap()),
        cluster: "disabled".to_owned(),
    };
    incidents(
        &"lab".into(),
        &answers,
        "2026-11-20T23:00:00Z".parse().unwrap(),
    )
}

#[test]
fn every_recorded_exchange_is_read_as_what_it_was() {
    let Some(recorded) = recorded() else { return };
    let mut ran = 0;
    for one in &recorded {
        ran += 1;
        let name = &one.name;
        let path = one.path.split('?').next().unwrap();
        match (one.method.as_str(), path, one.status) {
            ("GET", "/api/v2/alerts", 200) => {
                let list: List<Alert> = List::read(&one.body).unwrap();
                assert_eq!(list.unreadable, 0, "{name}");
                assert_eq!(
                    list.items.len(),
                    one.json().as_array().unwrap().len(),
                    "{name}"
                );
                assert_eq!(
                    facts(&one.body, b"[]").alerts.len(),
                    list.items.len(),
                    "{name}"
                );
            }
            ("GET", "/api/v2/alerts/groups", 200) => {
                let list: List<Group> = List::read(&one.body).unwrap();
                assert_eq!(list.unreadable, 0, "{name}");
                assert!(
                    list.items
                        .iter()
                        .all(|group| !group.receiver.name.is_empty()),
                    "{name}"
                );
            }
            ("GET", "/api/v2/silences", 200) => {
                let list: List<Silence> = List::read(&one.body).unwrap();
                assert_eq!(
                    (list.unreadable, list.items.is_empty()),
                    (0, false),
                    "{name}"
                );
            }
            ("GET", "/api/v2/status", 200) => {
                let status: Status = serde_json::from_slice(&one.body).unwrap();
                assert_eq!(status.cluster.status, "disabled", "{name}");
                assert!(!status.version_info.version.is_empty(), "{name}");
            }
            ("GET", _, 200) if path.starts_with("/api/v2/silence/") => {
                let silence: Silence = serde_json::from_slice(&one.body).unwrap();
                assert!(
                    path.ends_with(&silence.id) && !silence.matchers.is_empty(),
                    "{name}"
                );
            }
            ("GET", "/api/v1/alerts", _) => {
                assert!(List::<Alert>::read(&one.body).is_err(), "{name}");
            }
            ("GET" | "POST", _, 400..=599) if !path.starts_with("/api/v2/silences") => {
                assert_eq!(
                    requests::said(&one.body).is_empty(),
                    one.body.is_empty(),
                    "{name}"
                );
            }
            ("POST", "/api/v2/alerts", 200) => assert!(one.body.is_empty(), "{name}"),
            ("POST", "/api/v2/silences", _) => posted(one),
            ("DELETE", _, _) => ended(one),
            other => panic!("{name}: nothing is known of {other:?}"),
        }
    }
    println!("conformance alertmanager: {ran} exchanges");
    assert!(ran >= 100, "{ran} exchanges");
}

fn posted(one: &Exchange) {
    let sent = requests::posted(one.status, &one.body);
    match one.status {
        200 => {
            let id = one.json()["silenceID"].as_str().map(sanitise).unwrap();
            assert_eq!(sent, Sent::Taken(SilenceId(id)), "{}", one.name);
        }
        _ => {
            let Sent::Rejected(why) = sent else {
                panic!("{}: {sent:?}", one.name)
            };
            let said = match one.json() {
                Value::String(text) => text,
                object => object["message"].as_str().unwrap().to_owned(),
            };
            let said = sanitise(said.trim());
            assert!(why.contains(said.as_str()), "{}: {why}", one.name);
        }
    }
}

fn ended(one: &Exchange) {
    let id = SilenceId(sanitise(one.path.rsplit('/').next().unwrap()));
    let sent = requests::expired(one.status, &one.body, &id);
    match one.status {
        200 => assert_eq!(sent, Sent::Taken(id), "{}", one.name),
        _ => assert!(matches!(sent, Sent::Rejected(_)), "{}: {sent:?}", one.name),
    }
}

#[test]
fn the_same_moment_looks_the_same_in_both_versions() {
    let Some(recorded) = recorded() else { return };
    let states = |name: &str| -> BTreeSet<(String, String)> {
        let one = recorded.iter().find(|one| one.name == name).unwrap();
        facts(&one.body, b"[]")
            .alerts
            .iter()
            .map(|alert| {
                (
                    alert.fingerprint.0.to_string(),
                    format!("{:?}", alert.state),
                )
            })
            .collect()
    };
    let old = states("am025_alerts_after_silence");
    assert_eq!(old, states("am033_alerts_after_silence"));
    assert!(
        old.iter()
            .all(|(_, state)| *state == format!("{:?}", AlertState::Suppressed))
    );
}

#[test]
fn every_recorded_alert_can_be_silenced_by_labels_that_are_exactly_its_own() {
    let Some(recorded) = recorded() else { return };
    let mut bodies: Vec<Vec<u8>> = recorded
        .iter()
        .filter(|one| {
            one.method == "GET" && one.path.starts_with("/api/v2/alerts") && one.status == 200
        })
        .map(|one| match one.path.contains("/groups") {
            true => {
                let groups = one.json();
                let alerts = groups.as_array().unwrap().iter();
                let alerts: Vec<&Value> = alerts
                    .flat_map(|g| g["alerts"].as_array().unwrap())
                    .collect();
                serde_json::to_vec(&alerts).unwrap()
            }
            false => one.body.clone(),
        })
        .collect();
    let hooks = json(
        &folder("monitoring/webhook")
            .unwrap()
            .join("alertmanager_webhook_v4_payloads.json"),
    );
    for hook in hooks.as_array().unwrap() {
        bodies.push(serde_json::to_vec(&hook["alerts"]).unwrap());
    }
    let mut seen = BTreeSet::new();
    for body in bodies {
        for alert in &facts(&body, b"[]").alerts {
            let offered = offered(alert).unwrap_or_else(|why| panic!("{:?}: {why}", alert.labels));
            assert_eq!(offered.len(), alert.labels.len(), "{:?}", alert.labels);
            let name = offered
                .iter()
                .find(|one| one.matcher.name == "alertname")
                .unwrap();
            assert!(name.on);
            seen.insert(alert.fingerprint.clone());
        }
    }
    assert!(seen.len() >= 8, "{} alerts", seen.len());
}

#[test]
fn a_silence_is_asked_for_as_the_description_of_the_api_wants_it() {
    let Some(folder) = folder("monitoring/alertmanager") else {
        return;
    };
    let api = yaml(&folder.join("openapi-v2-alertmanager-0.34.yaml"));
    let now: Timestamp = "2026-11-20T23:00:00Z".parse().unwrap();
    let draft = SilenceDraft {
        matchers: vec![
            Matcher::equal("service", "checkout"),
            Matcher {
                is_regex: true,
                is_equal: false,
                ..Matcher::equal("pod", "x|y")
            },
        ],
        starts_at: now,
        ends_at: now + jiff::SignedDuration::from_hours(1),
        created_by: "ann".to_owned(),
        comment: "why".to_owned(),
    };
    let body = requests::body(&draft).unwrap();
    keeps_to(&api, "silence", &body);
    for matcher in body["matchers"].as_array().unwrap() {
        keeps_to(&api, "matcher", matcher);
    }
    let path = |full: &str| full.strip_prefix("/api/v2").unwrap().to_owned();
    assert!(api["paths"][path(requests::POST)]["post"].is_object());
    let one = requests::path(&SilenceId("a-1".into()))
        .unwrap()
        .replace("a-1", "{silenceID}");
    assert!(api["paths"][path(&one)]["delete"].is_object());
    for read in ["/alerts", "/alerts/groups", "/silences", "/status"] {
        assert!(api["paths"][read]["get"].is_object(), "{read}");
    }
}

/// Every field that is required is there, every field that is there is known, and of its type.
fn keeps_to(api: &Value, definition: &str, object: &Value) {
    let schema = &api["definitions"][definition];
    let object = object.as_object().unwrap();
    for needed in schema["required"].as_array().unwrap() {
        assert!(
            object.contains_key(needed.as_str().unwrap()),
            "{definition}: no {needed}"
        );
    }
    for (name, value) in object {
        let property = &schema["properties"][name];
        assert!(property.is_object(), "{definition}: {name} is not known");
        let right = match property["type"].as_str() {
            Some("string") if property["format"] == "date-time" => {
                value.as_str().unwrap().parse::<Timestamp>().is_ok()
            }
            Some("string") => value.is_string(),
            Some("boolean") => value.is_boolean(),
            _ => property["$ref"].is_string() && (value.is_array() || value.is_object()),
        };
        assert!(right, "{definition}.{name}: {value}");
    }
}

/// What is read of an alert and a silence is what the description calls so: a misspelt name would be silently absent.
#[test]
fn what_is_read_is_called_so_in_the_description() {
    let Some(folder) = folder("monitoring/alertmanager") else {
        return;
    };
    let api = yaml(&folder.join("openapi-v2-alertmanager-0.34.yaml"));
    let text = api["definitions"].to_string();
    for name in [
        "labels",
        "annotations",
        "fingerprint",
        "startsAt",
        "generatorURL",
        "receivers",
        "state",
        "silencedBy",
        "inhibitedBy",
        "mutedBy",
        "receiver",
        "alerts",
        "createdBy",
        "comment",
        "endsAt",
        "isRegex",
        "isEqual",
        "cluster",
        "versionInfo",
        "version",
    ] {
        assert!(text.contains(&format!("\"{name}\":")), "{name}");
    }
    let recorded = exchanges(&folder, &["am033_"]);
    assert!(recorded.iter().any(|one| one.request.is_some()));
}
