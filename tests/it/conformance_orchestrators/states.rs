//! Phases, step labels, kubectl's `rollout status`, the plugin's `status`.

use serde_json::{Value, json};
use windlass::{
    model::rollout::Rollout,
    providers::kubernetes::{
        status::{self, ReferencedWorkload},
        tree, wire,
    },
};

use super::tables::{Report, cases, decode, kind, name, rollout, root, text};

#[test]
fn conformance_argo_rollouts_phase() {
    let Some(root) = root() else { return };
    let mut report = Report::new("argo-rollouts/phase");
    for (nth, case) in cases(&root.join("argo-rollouts/phase")).iter().enumerate() {
        let object: wire::Rollout = decode(&case["rollout"]);
        let said = status::rollout_phase(&object, ReferencedWorkload::NotAsked);
        let got = (said.phase.to_string(), said.message.to_string());
        let expected = (
            text(case, "/expect/phase").to_owned(),
            text(case, "/expect/message").to_owned(),
        );
        report.check(&name(case, nth), &got, &expected);
        let mapped: Rollout = rollout(&case["rollout"]);
        let got = (mapped.phase.vendor().to_owned(), mapped.message.to_string());
        report.check(&format!("{} (mapped)", name(case, nth)), &got, &expected);
    }
    report.finish();
}

#[test]
fn conformance_argo_rollouts_step_string() {
    let Some(root) = root() else { return };
    let mut report = Report::new("argo-rollouts/step_string");
    for (nth, case) in cases(&root.join("argo-rollouts/step_string"))
        .iter()
        .enumerate()
    {
        let expected = text(case, "/expect").to_owned();
        let object = json!({"spec": {"strategy": {"canary": {"steps": [case["step"]]}}}});
        let wire: wire::Rollout = decode(&object);
        let steps = &wire.spec.strategy.canary.unwrap().steps.0;
        report.check(&name(case, nth), &status::step_words(&steps[0]), &expected);
        let mapped = rollout(&object).canary().unwrap().steps[0].to_string();
        report.check(&format!("{} (mapped)", name(case, nth)), &mapped, &expected);
    }
    report.finish();
}

#[test]
fn conformance_kubernetes_rollout_status() {
    let Some(root) = root() else { return };
    let mut report = Report::new("kubernetes/rollout_status");
    for (nth, case) in cases(&root.join("kubernetes/rollout_status"))
        .iter()
        .enumerate()
    {
        let object = &case["object"];
        let state = match kind(object) {
            "Deployment" => status::deployment(&decode(object)),
            "StatefulSet" => status::stateful_set(&decode(object)),
            "DaemonSet" => status::daemon_set(&decode(object)),
            other => {
                report.fail(&name(case, nth), &format!("no algorithm for {other}"));
                continue;
            }
        };
        let expect = &case["expect"];
        let expected = (
            text(expect, "/message").to_owned(),
            expect["done"].as_bool().unwrap_or(false),
            expect["error"].as_str().map(str::to_owned),
        );
        let got = (state.line, state.done, state.error);
        report.check(&name(case, nth), &got, &expected);
    }
    report.finish();
}

/// The objects of a scenario of upstream's are those of a tree, found by the Rollout's name or the scenario's.
fn scenario(root: &std::path::Path, named: &str) -> Option<Value> {
    let folders = std::fs::read_dir(root.join("argo-rollouts/tree")).ok()?;
    let mut found: Vec<Value> = folders
        .filter_map(Result::ok)
        .filter(|folder| {
            let case = folder.path().join("case.json");
            case.is_file()
        })
        .flat_map(|folder| {
            let of_this = super::trees::objects(&folder.path());
            let case = super::tables::json(&folder.path().join("case.json"));
            let target = text(&case, "/target/name").to_owned();
            let is_scenario = folder
                .file_name()
                .to_string_lossy()
                .to_lowercase()
                .contains(&named.replace('-', ""));
            of_this.into_iter().filter(move |object| {
                kind(object) == "Rollout"
                    && text(object, "/metadata/name") == target
                    && (is_scenario || target == named)
            })
        })
        .collect();
    found.dedup();
    found.into_iter().next()
}

#[test]
fn conformance_argo_rollouts_status_cmd() {
    let Some(root) = root() else { return };
    let mut report = Report::new("argo-rollouts/status_cmd");
    for (nth, case) in cases(&root.join("argo-rollouts/status_cmd"))
        .iter()
        .enumerate()
    {
        let objects = text(case, "/objects");
        let Some(object) = scenario(&root, objects) else {
            report.fail(
                &name(case, nth),
                &format!("no tree with the objects of {objects}"),
            );
            continue;
        };
        let got = tree::status_command(&decode(&object));
        let expected = tree::StatusCommand {
            stdout: text(case, "/stdout").to_owned(),
            stderr: text(case, "/stderr").to_owned(),
            exit_code: i32::try_from(case["rc"].as_i64().unwrap()).unwrap(),
        };
        report.check(objects, &got, &expected);
    }
    report.finish();
}

/// Specs as people write them, without a status: they must be read, and none may be called healthy.
#[test]
fn conformance_argo_rollouts_spec_examples() {
    let Some(root) = root() else { return };
    let mut report = Report::new("argo-rollouts/spec_examples");
    let folder = root.join("argo-rollouts/spec_examples");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml" || e == "yml"))
        .collect();
    files.sort();
    for path in files {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let text_of_file = std::fs::read_to_string(&path).unwrap();
        let documents: Vec<Value> = match serde_saphyr::from_multiple(&text_of_file) {
            Ok(documents) => documents,
            Err(error) => {
                assert!(
                    text_of_file.contains("{{"),
                    "{file}: neither YAML nor a template: {error}"
                );
                report.except(&file, "holds template placeholders and is no YAML");
                continue;
            }
        };
        for object in documents.iter().filter(|object| kind(object) == "Rollout") {
            let mapped = rollout(object);
            let case = format!("{file} {}", mapped.id.name);
            let steps = object.pointer("/spec/strategy/canary/steps");
            let expected = steps.and_then(Value::as_array).map_or(0, Vec::len);
            let got = mapped.canary().map_or(0, |canary| canary.steps.len());
            report.check(&format!("{case}: number of steps"), &got, &expected);
            report.check(
                &format!("{case}: healthy"),
                &(mapped.phase == windlass::model::rollout::Phase::Healthy),
                &false,
            );
        }
    }
    report.finish();
}
