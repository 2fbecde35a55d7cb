//! What a server, a proxy or a careless controller can do to an object costs at most that object, never the program.

use serde_json::{Value, json};
use windlass::{
    model::id::EnvironmentName,
    providers::kubernetes::{
        history::{self, Recorded},
        map,
        status::argocd,
        tree::{self, Around},
        wire::{self, Watch},
    },
};

use super::{json as recorded, text, trees};

/// Reads an object as its kind and takes it through everything that is made from it.
fn take(kind: &str, object: &[u8]) -> Result<(), serde_json::Error> {
    let environment = EnvironmentName::new("test");
    let share = &mut map::Interner::default();
    let around = Around::default();
    match kind {
        "Rollout" => {
            let object: wire::Rollout = wire::decode(object)?;
            map::rollout(&object, &environment, share);
            argocd::rollout(&object);
            tree::lines(&tree::rollout(&object, &around));
        }
        "Deployment" => {
            let object: wire::Deployment = wire::decode(object)?;
            map::deployment(&object, &environment, share);
            argocd::deployment(&object);
        }
        "StatefulSet" => {
            let object: wire::StatefulSet = wire::decode(object)?;
            map::stateful_set(&object, &environment, share);
            argocd::stateful_set(&object);
        }
        "DaemonSet" => {
            let object: wire::DaemonSet = wire::decode(object)?;
            map::daemon_set(&object, &environment, share);
            argocd::daemon_set(&object);
        }
        "ReplicaSet" => {
            let thin: wire::ReplicaSet = wire::decode(object)?;
            map::replica_set(&thin);
            argocd::replica_set(&thin);
            let whole: Recorded = wire::decode(object)?;
            history::differences(&whole.template, &json!({}));
        }
        "Pod" => {
            let object: wire::Pod = wire::decode(object)?;
            map::pod(&object);
            argocd::pod(&object);
        }
        "AnalysisRun" => {
            map::analysis_run(&wire::decode(object)?);
        }
        "Experiment" => {
            let object: wire::Experiment = wire::decode(object)?;
            map::experiment(&object);
            tree::lines(&tree::experiment(&object, &around));
        }
        "Event" => {
            map::event(&wire::decode(object)?);
        }
        other => panic!("no such kind: {other}"),
    }
    Ok(())
}

/// One recorded object of each kind, the richest where there are several.
fn samples() -> Vec<(&'static str, Value)> {
    let (_, busy) = trees()
        .into_iter()
        .find(|(name, _)| name == "second-canary.json")
        .unwrap();
    let richest = |list: &Value| {
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .max_by_key(|object| object.to_string().len())
            .unwrap()
            .clone()
    };
    let mut samples = vec![
        ("Rollout", richest(&busy["lists"]["rollouts"])),
        ("ReplicaSet", richest(&busy["lists"]["replicasets"])),
        ("Pod", richest(&busy["lists"]["pods"])),
        ("AnalysisRun", richest(&busy["lists"]["analysisruns"])),
        ("Experiment", richest(&busy["lists"]["experiments"])),
        ("Deployment", richest(&recorded("deployments.json"))),
        ("StatefulSet", richest(&recorded("statefulsets.json"))),
        ("DaemonSet", richest(&recorded("daemonsets.json"))),
        ("Event", richest(&recorded("events.json"))),
    ];
    for (_, object) in &mut samples {
        // Skipped while decoding, and the larger part of the object.
        object["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("managedFields");
    }
    samples
}

fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let mut below = |key: &str, inner: &Value| {
        let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        found.push(at.clone());
        pointers(inner, &at, found);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| below(key, inner)),
        Value::Array(items) => {
            for (nth, inner) in items.iter().enumerate() {
                below(&nth.to_string(), inner);
            }
        }
        _ => {}
    }
}

fn with(object: &Value, pointer: &str, value: &Value) -> Vec<u8> {
    let mut changed = object.clone();
    *changed.pointer_mut(pointer).unwrap() = value.clone();
    serde_json::to_vec(&changed).unwrap()
}

#[test]
fn null_in_any_place_is_read_as_absent() {
    for (kind, object) in samples() {
        let mut all = Vec::new();
        pointers(&object, "", &mut all);
        assert!(all.len() > 20, "{kind}");
        for pointer in all {
            take(kind, &with(&object, &pointer, &Value::Null))
                .unwrap_or_else(|error| panic!("{kind}{pointer}: {error}"));
        }
    }
}

#[test]
fn a_value_of_the_wrong_type_is_an_error_or_is_read_and_never_a_panic() {
    let wrong = [
        json!(true),
        json!(-1),
        json!(9_223_372_036_854_775_807_i64),
        json!(-9_223_372_036_854_775_808_i64),
        json!(2_147_483_647),
        json!(-2_147_483_648_i64),
        json!(1.5),
        json!(""),
        json!("9999999999999999999999"),
        json!("\u{1b}]0;x\u{7}\u{202e}"),
        json!([]),
        json!([null, 1, {}]),
        json!({}),
        json!({"a": []}),
    ];
    for (kind, object) in samples() {
        let mut all = Vec::new();
        pointers(&object, "", &mut all);
        for pointer in all {
            for value in &wrong {
                let _read_or_refused = take(kind, &with(&object, &pointer, value));
            }
        }
    }
}

#[test]
fn an_object_that_is_cut_off_anywhere_is_an_error() {
    for (kind, object) in samples() {
        let whole = serde_json::to_vec(&object).unwrap();
        take(kind, &whole).unwrap();
        for end in 0..whole.len() {
            assert!(take(kind, &whole[..end]).is_err(), "{kind} cut at {end}");
        }
    }
}

#[test]
fn a_watch_line_that_is_cut_off_anywhere_is_an_error() {
    let watch = text("watch-replicasets.jsonl");
    let line = watch.lines().next().unwrap().as_bytes();
    for end in 0..line.len() {
        assert!(wire::decode_watch_line::<wire::ReplicaSet>(&line[..end]).is_err());
    }
}

#[test]
fn a_streamed_list_is_objects_and_then_the_bookmark_that_ends_it() {
    let watch = text("watch-replicasets.jsonl");
    let lines: Vec<Watch<wire::ReplicaSet>> = watch
        .lines()
        .map(|line| wire::decode_watch_line(line.as_bytes()).unwrap())
        .collect();
    let [
        Watch::Added(set),
        Watch::Bookmark {
            resource_version,
            initial_events_end,
        },
    ] = &lines[..]
    else {
        panic!("{lines:?}");
    };
    assert!(set.metadata.name.starts_with("cart-"));
    assert_eq!(resource_version, "1159");
    assert!(*initial_events_end);
}

#[test]
fn one_object_that_cannot_be_read_does_not_cost_the_list_and_is_named() {
    let mut list = recorded("deployments.json");
    let items = list["items"].as_array_mut().unwrap();
    let before = items.len();
    items[0]["spec"]["replicas"] = json!("many");
    let name = items[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let body = serde_json::to_vec(&list).unwrap();
    let list = wire::decode_list::<wire::Deployment>(&body).unwrap();
    assert_eq!(list.items.len(), before - 1);
    assert_eq!(list.malformed.len(), 1);
    assert_eq!(list.malformed[0].name, name);
    assert_eq!(list.malformed[0].namespace, "rec");
}

#[test]
fn what_is_not_read_is_not_kept() {
    let (_, recorded) = trees().swap_remove(0);
    let object = &recorded["lists"]["rollouts"]["items"][0];
    assert!(object["metadata"]["managedFields"].is_array());
    let annotation = "kubectl.kubernetes.io/last-applied-configuration";
    assert!(object["metadata"]["annotations"][annotation].is_string());
    let read: wire::Rollout = serde_json::from_value(object.clone()).unwrap();
    let kept = format!("{read:?}");
    assert!(!kept.contains("managedFields") && !kept.contains("kubectl-client-side-apply"));
    assert!(!kept.contains("apiVersion"), "{kept}");
}
