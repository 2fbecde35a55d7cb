//! Argo CD's resource actions, where they are our verbs. An action of Argo CD's is a change of the object; ours is a
//! patch: applied to the input, it must give the object that the table expects.

use std::{path::Path, sync::Arc};

use jiff::Timestamp;
use serde_json::{Value, json};
use windlass::{
    model::{
        id::{EnvironmentName, Namespace, ReleaseId, ServiceName, WorkloadKind},
        release::Release,
    },
    ops::{intent::Verb, offer},
    providers::kubernetes::requests::{self, How, JSON_PATCH, Request},
};

use super::tables::{Report, json as read_json, kind, rollout, root, text, yaml};

fn id(object: &Value) -> Option<ReleaseId> {
    let kind = WorkloadKind::ALL
        .into_iter()
        .find(|known| known.vendor() == kind(object))?;
    Some(ReleaseId {
        environment: EnvironmentName::new("test"),
        namespace: Namespace::new(text(object, "/metadata/namespace")),
        kind,
        name: ServiceName::new(text(object, "/metadata/name")),
    })
}

/// RFC 7396. On these objects a strategic merge does the same: no list is patched.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut target[key], value);
        }
    }
}

/// The server's rule: each half of an object with a status subresource takes only its own part.
fn apply(object: &Value, request: &Request) -> Value {
    assert_ne!(request.content_type, JSON_PATCH);
    let mut body = request.body.clone();
    let keep = if request.path.ends_with("/status") {
        "status"
    } else {
        "spec"
    };
    body.as_object_mut().unwrap().retain(|part, _| part == keep);
    let mut after = object.clone();
    merge(&mut after, &body);
    without_nulls(&mut after);
    after
}

/// A Go client and a Lua script write `null` and `false` where a merge patch leaves nothing.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, inner| !inner.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// What the controller writes in answer to the action, and the tables of whole objects show: not ours to send.
fn without_controller_part(object: &mut Value) {
    if kind(object) == "Deployment" || kind(object) == "StatefulSet" || kind(object) == "DaemonSet"
    {
        object["status"] = json!(null);
        object["metadata"] = json!({"name": object["metadata"]["name"]});
    }
    without_nulls(object);
}

/// Our request for an action, or why there is none.
fn request(action: &str, input: &str, object: &Value) -> Result<Vec<Request>, &'static str> {
    let id = id(object).ok_or("not a kind that is acted on")?;
    // The table's clock.
    let at: Timestamp = "0001-01-01T00:00:00Z".parse().unwrap();
    Ok(match action {
        "restart" => vec![requests::restart(&id, at)],
        "abort" => vec![requests::abort(&id)],
        "retry" => vec![requests::retry(&id)],
        "pause" => requests::pause(&id).into_iter().collect(),
        "resume" => {
            let mut sends: Vec<Request> = requests::resume(&id).into_iter().collect();
            if object.pointer("/status/pauseConditions").is_some() {
                sends.push(requests::clear_pause(&id));
            }
            sends
        }
        "promote-full" if input.starts_with("v0.9") => {
            return Err(
                "Argo CD emulates a full promotion for controllers of v0.9 by moving the index and dropping the abort; \
                 ours asks the controller, which v0.10 (2020) and later understand",
            );
        }
        "promote-full" => {
            requests::promote(&rollout(object), How::Full)
                .unwrap()
                .sends
        }
        "skip-current-step" => {
            return Err("Argo CD clears the pause as well; ours is the plugin's, in its own table");
        }
        "scale" => return Err("scaling is not an action of this program"),
        _ => return Err("not an action of this program"),
    })
}

fn run_actions(folder: &Path, table: &Value, report: &mut Report) {
    for case in table["actions"].as_array().into_iter().flatten() {
        let (action, input) = (text(case, "/action"), text(case, "/input"));
        let case_name = format!("{action} on {input}");
        let object = yaml(&folder.join(input));
        let requests = match request(action, input, &object) {
            Ok(requests) => requests,
            Err(because) => {
                report.except(&case_name, because);
                continue;
            }
        };
        let Some(expected) = case["expect_object"].as_str() else {
            report.except(&case_name, "the error is one of Argo CD's parameters");
            continue;
        };
        let mut expected = yaml(&folder.join(expected));
        let mut got = requests.iter().fold(object, |object, r| apply(&object, r));
        for object in [&mut got, &mut expected] {
            without_controller_part(object);
            // "Not paused" has two spellings.
            if object.pointer("/spec/paused") == Some(&json!(false)) {
                object["spec"].as_object_mut().unwrap().remove("paused");
            }
        }
        report.check(&case_name, &got, &expected);
    }
}

/// Whether we offer what Argo CD calls so, as far as the object's own state goes.
fn offered(action: &str, release: &Release) -> Result<bool, &'static str> {
    let offers = |verb| offer::state(verb, release).is_empty();
    let aborted = release.rollout.aborted();
    Ok(match action {
        "restart" => offers(Verb::Restart),
        // Argo CD's resume takes back a pause by hand and passes a pause step; ours are two verbs.
        "resume" => {
            let argo = release.rollout.argo();
            let waits = argo.is_some_and(|argo| !argo.pause_conditions.is_empty());
            offers(Verb::Resume) || (waits && offers(Verb::Promote))
        }
        "abort" => offers(Verb::Abort),
        "retry" => offers(Verb::Retry),
        "promote-full" => offers(Verb::PromoteFull),
        "pause" => offers(Verb::Pause),
        "skip-current-step" if aborted => {
            return Err(
                "the controller sets the index of an aborted Rollout back: retry is offered instead",
            );
        }
        "skip-current-step" => offers(Verb::Promote),
        "scale" => return Err("scaling is not an action of this program"),
        _ => return Err("not an action of this program"),
    })
}

/// Cases in which we answer differently on purpose.
fn on_purpose(action: &str, input: &str) -> Option<&'static str> {
    if !input.starts_with("pre_v0.6") {
        return None;
    }
    // Nothing tells which version of these serves.
    match action {
        "promote-full" => Some(
            "a blue-green Rollout of v0.5 has no stable hash; Argo CD hides what its controller cannot do",
        ),
        "abort" => Some(
            "a Rollout of v0.5 has no stable hash: there is nothing that an abort could go back to",
        ),
        _ => None,
    }
}

fn run_discovery(folder: &Path, table: &Value, report: &mut Report) {
    for case in table["discovery"].as_array().into_iter().flatten() {
        let input = text(case, "/input");
        let object = yaml(&folder.join(input));
        let seen = match kind(&object) {
            "Rollout" => rollout(&object),
            "Deployment" => windlass::providers::kubernetes::map::deployment(
                &super::tables::decode(&object),
                &EnvironmentName::new("test"),
                &mut windlass::providers::kubernetes::map::Interner::default(),
            ),
            other => {
                report.fail(input, &format!("no discovery for {other}"));
                continue;
            }
        };
        let release = Release {
            rollout: Arc::new(seen),
            sets: Vec::new(),
        };
        for action in case["expect"].as_array().into_iter().flatten() {
            let name = text(action, "/name");
            let case_name = format!("{name} offered on {input}");
            if let Some(because) = on_purpose(name, input) {
                report.except(&case_name, because);
                continue;
            }
            match offered(name, &release) {
                Ok(offered) => report.check(
                    &case_name,
                    &!offered,
                    &action["disabled"].as_bool().unwrap_or(false),
                ),
                Err(because) => report.except(&case_name, because),
            }
        }
    }
}

#[test]
fn conformance_argo_cd_actions() {
    let Some(root) = root() else { return };
    let mut folders: Vec<_> = std::fs::read_dir(root.join("argo-cd/actions"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("cases.json").is_file())
        .collect();
    folders.sort();
    let mut reports = Vec::new();
    for folder in folders {
        let kind = folder.file_name().unwrap().to_string_lossy().into_owned();
        let mut report = Report::new(&format!("argo-cd/actions/{kind}"));
        let table = read_json(&folder.join("cases.json"));
        run_actions(&folder, &table, &mut report);
        run_discovery(&folder, &table, &mut report);
        reports.push(report);
    }
    reports.into_iter().for_each(Report::finish);
}
