//! What `kubectl get` prints: the server chooses the columns and says what stands in them.
//!
//! Columns and words are those of kube-apiserver 1.35 and of the vendor's resource definitions. Must never refuse: what
//! an object does not say is left empty.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::demo::json;
use crate::demo::kind::Kind;
use crate::demo::store::Object;

/// A column: its name, its type, and whether it is shown only when everything is wanted.
struct Column(&'static str, &'static str, bool);

const fn text(name: &'static str) -> Column {
    Column(name, "string", false)
}

const fn count(name: &'static str) -> Column {
    Column(name, "integer", false)
}

const fn wide(name: &'static str) -> Column {
    Column(name, "string", true)
}

fn columns(kind: Kind) -> &'static [Column] {
    const AGE: Column = text("Age");
    const POD: &[Column] = &[
        text("Ready"),
        text("Status"),
        text("Restarts"),
        AGE,
        wide("IP"),
        wide("Node"),
        wide("Nominated Node"),
        wide("Readiness Gates"),
    ];
    const DEPLOYMENT: &[Column] = &[
        text("Ready"),
        count("Up-to-date"),
        count("Available"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ];
    const REPLICA_SET: &[Column] = &[
        count("Desired"),
        count("Current"),
        count("Ready"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ];
    const STATEFUL_SET: &[Column] = &[text("Ready"), AGE, wide("Containers"), wide("Images")];
    const DAEMON_SET: &[Column] = &[
        count("Desired"),
        count("Current"),
        count("Ready"),
        count("Up-to-date"),
        count("Available"),
        text("Node Selector"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ];
    const ROLLOUT: &[Column] = &[
        count("Desired"),
        count("Current"),
        count("Up-to-date"),
        count("Available"),
        AGE,
    ];
    const EVENT: &[Column] = &[
        text("Last Seen"),
        text("Type"),
        text("Reason"),
        text("Object"),
        wide("Subobject"),
        wide("Source"),
        text("Message"),
        wide("First Seen"),
        Column("Count", "integer", true),
        wide("Name"),
    ];
    const PHASE: &[Column] = &[text("Status"), AGE];
    const DATA: &[Column] = &[count("Data"), AGE];
    const REVISION: &[Column] = &[text("Controller"), count("Revision"), AGE];
    const ONLY_AGE: &[Column] = &[AGE];
    match kind {
        Kind::Pod => POD,
        Kind::Deployment => DEPLOYMENT,
        Kind::ReplicaSet => REPLICA_SET,
        Kind::StatefulSet => STATEFUL_SET,
        Kind::DaemonSet => DAEMON_SET,
        Kind::Rollout => ROLLOUT,
        Kind::Event => EVENT,
        Kind::Namespace | Kind::AnalysisRun | Kind::Experiment => PHASE,
        Kind::ConfigMap => DATA,
        Kind::ControllerRevision => REVISION,
        Kind::AnalysisTemplate | Kind::ClusterAnalysisTemplate => ONLY_AGE,
    }
}

/// Everything is called by its name, and an event by what it says.
fn named_first(kind: Kind) -> bool {
    kind != Kind::Event
}

/// The columns of a kind, as a table defines them.
pub(super) fn definitions(kind: Kind) -> Value {
    let first = named_first(kind).then_some(&Column("Name", "string", false));
    first
        .into_iter()
        .chain(columns(kind))
        .map(|Column(name, form, wide)| {
            let format = if *name == "Name" { "name" } else { "" };
            json!({"name": name, "type": form, "format": format, "description": "", "priority": u8::from(*wide)})
        })
        .collect()
}

/// One object as a row, with its metadata.
pub(super) fn row(object: &Object, now: Timestamp) -> Value {
    let value = object.value();
    let name = named_first(object.key.kind).then(|| Value::from(&*object.key.name));
    let mut cells: Vec<Value> = name.into_iter().collect();
    cells.extend(cells_of(object.key.kind, &value, now));
    json!({"cells": cells, "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
        "metadata": value.get("metadata")}})
}

/// A table of its own for one object.
pub(super) fn of_one(object: &Object) -> Value {
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": object.version.to_string()},
        "columnDefinitions": definitions(object.key.kind), "rows": [row(object, Timestamp::now())]})
}

fn cells_of(kind: Kind, value: &Value, now: Timestamp) -> Vec<Value> {
    let status = |name: &str| json::int(value, &["status", name]);
    let wanted = json::int(value, &["spec", "replicas"]);
    let age = since(json::text(value, &["metadata", "creationTimestamp"]), now);
    match kind {
        Kind::Pod => pod(value, age),
        Kind::Deployment => {
            let ready = format!("{}/{wanted}", status("readyReplicas"));
            let counts = [status("updatedReplicas"), status("availableReplicas")];
            let mut cells = vec![Value::from(ready)];
            cells.extend(counts.map(Value::from));
            cells.push(age);
            cells.extend(template(value));
            cells.push(selector(value));
            cells
        }
        Kind::ReplicaSet => {
            let counts = [wanted, status("replicas"), status("readyReplicas")];
            let mut cells: Vec<Value> = counts.map(Value::from).into();
            cells.push(age);
            cells.extend(template(value));
            cells.push(selector(value));
            cells
        }
        Kind::StatefulSet => {
            let ready = format!("{}/{wanted}", status("readyReplicas"));
            let mut cells = vec![Value::from(ready), age];
            cells.extend(template(value));
            cells
        }
        Kind::DaemonSet => {
            let names = [
                "desiredNumberScheduled",
                "currentNumberScheduled",
                "numberReady",
                "updatedNumberScheduled",
                "numberAvailable",
            ];
            let mut cells: Vec<Value> = names.map(|name| Value::from(status(name))).into();
            cells.extend([Value::from("<none>"), age]);
            cells.extend(template(value));
            cells.push(selector(value));
            cells
        }
        // A resource definition's column is empty where its path leads nowhere.
        Kind::Rollout => [
            ["spec", "replicas"],
            ["status", "replicas"],
            ["status", "updatedReplicas"],
            ["status", "availableReplicas"],
        ]
        .map(|path| json::at(value, &path).cloned().unwrap_or_default())
        .into_iter()
        .chain([age])
        .collect(),
        Kind::Event => event(value, now),
        Kind::Namespace | Kind::AnalysisRun | Kind::Experiment => {
            let phase = json::at(value, &["status", "phase"]).cloned();
            vec![phase.unwrap_or_default(), age]
        }
        Kind::ConfigMap => {
            let data = value.get("data").and_then(Value::as_object);
            vec![Value::from(data.map_or(0, serde_json::Map::len)), age]
        }
        Kind::ControllerRevision => {
            let owner = value.pointer("/metadata/ownerReferences/0");
            let of = |name: &str| owner.map_or("", |owner| json::text(owner, &[name]));
            let controller = format!("{}/{}", of("kind").to_lowercase(), of("name"));
            let revision = json::int(value, &["revision"]);
            vec![Value::from(controller), Value::from(revision), age]
        }
        Kind::AnalysisTemplate | Kind::ClusterAnalysisTemplate => vec![age],
    }
}

fn pod(value: &Value, age: Value) -> Vec<Value> {
    let list = |path: &[&str]| {
        let found = json::at(value, path).and_then(Value::as_array);
        found.cloned().unwrap_or_default()
    };
    let statuses = list(&["status", "containerStatuses"]);
    let ready = statuses
        .iter()
        .filter(|status| json::flag(status, &["ready"]))
        .count();
    let restarts: i64 = statuses
        .iter()
        .map(|status| json::int(status, &["restartCount"]))
        .sum();
    let waits = statuses
        .iter()
        .map(|status| json::text(status, &["state", "waiting", "reason"]))
        .find(|reason| !reason.is_empty());
    let word = if json::at(value, &["metadata", "deletionTimestamp"]).is_some() {
        "Terminating"
    } else {
        waits.unwrap_or_else(|| json::text(value, &["status", "phase"]))
    };
    let all = list(&["spec", "containers"]).len();
    let or_none = |text: &str| Value::from(if text.is_empty() { "<none>" } else { text });
    vec![
        Value::from(format!("{ready}/{all}")),
        Value::from(word),
        Value::from(restarts.to_string()),
        age,
        or_none(json::text(value, &["status", "podIP"])),
        or_none(json::text(value, &["spec", "nodeName"])),
        Value::from("<none>"),
        Value::from("<none>"),
    ]
}

fn event(value: &Value, now: Timestamp) -> Vec<Value> {
    let said = |path: &[&str]| Value::from(json::text(value, path));
    let about = format!(
        "{}/{}",
        json::text(value, &["involvedObject", "kind"]).to_lowercase(),
        json::text(value, &["involvedObject", "name"])
    );
    vec![
        since(json::text(value, &["lastTimestamp"]), now),
        said(&["type"]),
        said(&["reason"]),
        Value::from(about),
        said(&["involvedObject", "fieldPath"]),
        said(&["source", "component"]),
        said(&["message"]),
        since(json::text(value, &["firstTimestamp"]), now),
        Value::from(json::int(value, &["count"])),
        said(&["metadata", "name"]),
    ]
}

/// Names and images of a template's containers.
fn template(value: &Value) -> [Value; 2] {
    let containers = json::at(value, &["spec", "template", "spec", "containers"])
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    ["name", "image"].map(|field| {
        let all: Vec<&str> = containers
            .iter()
            .map(|container| json::text(container, &[field]))
            .collect();
        Value::from(all.join(","))
    })
}

fn selector(value: &Value) -> Value {
    let labels = json::at(value, &["spec", "selector", "matchLabels"]).and_then(Value::as_object);
    let pairs: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()))
        .collect();
    Value::from(pairs.join(","))
}

fn since(stamp: &str, now: Timestamp) -> Value {
    let then = stamp.parse::<Timestamp>();
    Value::from(then.map_or_else(
        |_| "<unknown>".to_owned(),
        |then| short(now.as_second() - then.as_second()),
    ))
}

/// Seconds as `kubectl` writes an age: the nearer, the finer.
fn short(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let two = |whole: i64, unit: char, rest: i64, finer: char| {
        if rest == 0 {
            format!("{whole}{unit}")
        } else {
            format!("{whole}{unit}{rest}{finer}")
        }
    };
    match seconds {
        ..=-2 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, 'm', seconds % 60, 's'),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, 'h', minutes % 60, 'm'),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, 'd', hours % 24, 'h'),
        691_200..63_072_000 => format!("{days}d"),
        _ => two(days / 365, 'y', days % 365, 'd'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_the_finer_the_nearer_it_is() {
        let ages = [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (599, "9m59s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_860, "3h1m"),
            (28_800, "8h"),
            (172_800, "2d"),
            (180_000, "2d2h"),
            (691_200, "8d"),
            (-5, "<invalid>"),
        ];
        for (seconds, words) in ages {
            assert_eq!(short(seconds), words, "{seconds}");
        }
    }

    #[test]
    fn every_kind_says_as_much_as_it_has_columns() {
        for kind in Kind::ALL {
            let cells = cells_of(kind, &json!({}), Timestamp::UNIX_EPOCH);
            assert_eq!(cells.len(), columns(kind).len(), "{kind:?}");
        }
    }
}
