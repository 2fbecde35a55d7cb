//! The plugin's `get rollout` and `get experiment`, character by character.

use std::{fs, path::Path};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use windlass::providers::kubernetes::{
    tree::{self, Around},
    wire,
};

use super::tables::{Report, decode, json as read_json, kind, now, root, text, yaml};

/// In the order of the file names, which a modification may refer to.
pub(super) fn objects(folder: &Path) -> Vec<Value> {
    let Ok(files) = fs::read_dir(folder.join("objects")) else {
        return Vec::new();
    };
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|path| yaml(path)).collect()
}

/// As each case prescribes: everything was created seven days ago, and so were the measurements of the first metric.
fn set_times(object: &mut Value, then: &str) {
    object["metadata"]["creationTimestamp"] = json!(then);
    if kind(object) == "AnalysisRun"
        && let Some(measurements) = object
            .pointer_mut("/status/metricResults/0/measurements")
            .and_then(Value::as_array_mut)
    {
        for measurement in measurements {
            measurement["startedAt"] = json!(then);
            measurement["finishedAt"] = json!(then);
        }
    }
}

/// The modifications that the cases know, in words. An unknown one is a failure, not a skip.
fn modify(objects: &mut [Value], words: &str, now: Timestamp) -> Result<(), String> {
    if !(words.contains("on the third ReplicaSet file in directory order")
        && words.contains("scale-down-deadline = now+4h")
        && words.contains("DELETE label rollouts-pod-template-hash"))
    {
        return Err(format!("unknown modification: {words}"));
    }
    let set = objects
        .iter_mut()
        .filter(|object| kind(object) == "ReplicaSet")
        .nth(2)
        .ok_or("there is no third ReplicaSet")?;
    let deadline = now + SignedDuration::from_hours(4);
    set["metadata"]["annotations"]["scale-down-deadline"] = json!(deadline.to_string());
    set["metadata"]["labels"]
        .as_object_mut()
        .ok_or("it has no labels")?
        .remove("rollouts-pod-template-hash");
    Ok(())
}

fn all<T: serde::de::DeserializeOwned>(objects: &[Value], wanted: &str) -> Vec<T> {
    objects
        .iter()
        .filter(|object| kind(object) == wanted)
        .map(decode)
        .collect()
}

fn render(objects: &[Value], target: &Value, now: Timestamp) -> Result<Vec<String>, String> {
    let replica_sets: Vec<wire::ReplicaSet> = all(objects, "ReplicaSet");
    let pods: Vec<wire::Pod> = all(objects, "Pod");
    let experiments: Vec<wire::Experiment> = all(objects, "Experiment");
    let analysis_runs: Vec<wire::AnalysisRun> = all(objects, "AnalysisRun");
    let around = Around {
        replica_sets: &replica_sets,
        pods: &pods,
        experiments: &experiments,
        analysis_runs: &analysis_runs,
        // Some time passes between creation and output, upstream too: `delay:3h59m` of four hours.
        now: now + SignedDuration::from_millis(100),
    };
    let (wanted, name) = (text(target, "/kind"), text(target, "/name"));
    let of_name = |object: &&Value| text(object, "/metadata/name") == name;
    let find = |wanted: &str| {
        objects
            .iter()
            .filter(|object| kind(object) == wanted)
            .find(of_name)
            .ok_or_else(|| format!("there is no {wanted} {name}"))
    };
    let tree = match wanted {
        "rollout" => tree::rollout(&decode(find("Rollout")?), &around),
        "experiment" => tree::experiment(&decode(find("Experiment")?), &around),
        other => return Err(format!("unknown target {other}")),
    };
    Ok(tree::lines(&tree))
}

#[test]
fn conformance_argo_rollouts_tree() {
    let Some(root) = root() else { return };
    let mut report = Report::new("argo-rollouts/tree");
    let mut folders: Vec<_> = fs::read_dir(root.join("argo-rollouts/tree"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("case.json").is_file())
        .collect();
    folders.sort();
    let then = (now() - SignedDuration::from_hours(24 * 7)).to_string();
    for folder in folders {
        let id = folder.file_name().unwrap().to_string_lossy().into_owned();
        let case = read_json(&folder.join("case.json"));
        let mut objects = objects(&folder);
        for object in &mut objects {
            set_times(object, &then);
        }
        if let Some(words) = case["modification"].as_str()
            && let Err(why) = modify(&mut objects, words, now())
        {
            report.fail(&id, &why);
            continue;
        }
        let expected: Vec<String> = fs::read_to_string(folder.join("expected.txt"))
            .unwrap()
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        match render(&objects, &case["target"], now()) {
            Err(why) => report.fail(&id, &why),
            Ok(got) if got == expected => report.check(&id, &got, &expected),
            Ok(got) => report.fail(
                &id,
                &format!(
                    "expected:\n{}\ngot:\n{}",
                    expected.join("\n"),
                    got.join("\n")
                ),
            ),
        }
    }
    report.finish();
}
