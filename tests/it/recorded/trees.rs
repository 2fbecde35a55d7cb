use serde::de::DeserializeOwned;
use serde_json::Value;
use windlass::{
    model::{
        detail::Difference,
        id::EnvironmentName,
        rollout::{Phase, Rollout},
    },
    providers::kubernetes::{
        history::{self, Recorded, Wanted},
        map,
        tree::{self, Around},
        wire,
    },
};

use super::{json, trees};

fn list<T: DeserializeOwned>(recorded: &Value, name: &str) -> Vec<T> {
    let body = serde_json::to_vec(&recorded["lists"][name]).unwrap();
    let list = wire::decode_list(&body).unwrap();
    assert_eq!(list.malformed, []);
    list.items
}

fn mapped(object: &wire::Rollout) -> Rollout {
    map::rollout(
        object,
        &EnvironmentName::new("test"),
        &mut map::Interner::default(),
    )
}

fn rollout_named(recorded: &Value, name: &str) -> wire::Rollout {
    list::<wire::Rollout>(recorded, "rollouts")
        .into_iter()
        .find(|rollout| rollout.metadata.name == name)
        .unwrap()
}

#[test]
fn the_tree_is_the_plugins_own_output_line_by_line() {
    for (file, recorded) in trees() {
        let replica_sets: Vec<wire::ReplicaSet> = list(&recorded, "replicasets");
        let pods: Vec<wire::Pod> = list(&recorded, "pods");
        let experiments: Vec<wire::Experiment> = list(&recorded, "experiments");
        let analysis_runs: Vec<wire::AnalysisRun> = list(&recorded, "analysisruns");
        let around = Around {
            replica_sets: &replica_sets,
            pods: &pods,
            experiments: &experiments,
            analysis_runs: &analysis_runs,
            now: recorded["now"].as_str().unwrap().parse().unwrap(),
        };
        let name = recorded["target"]["name"].as_str().unwrap();
        let tree = if recorded["target"]["kind"] == "rollout" {
            tree::rollout(&rollout_named(&recorded, name), &around)
        } else {
            let found = experiments.iter().find(|e| e.metadata.name == name);
            tree::experiment(found.unwrap(), &around)
        };
        let expected: Vec<&str> = recorded["expected"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line.as_str().unwrap())
            .collect();
        let lines = tree::lines(&tree);
        assert_eq!(lines.join("\n"), expected.join("\n"), "{file}");
    }
}

#[test]
fn the_status_command_says_and_returns_what_the_plugin_does() {
    for (file, recorded) in trees() {
        let status = &recorded["status"];
        if status.is_null() {
            continue;
        }
        let name = recorded["target"]["name"].as_str().unwrap();
        let said = tree::status_command(&rollout_named(&recorded, name));
        assert_eq!(said.stdout, status["stdout"].as_str().unwrap(), "{file}");
        assert_eq!(said.stderr, status["stderr"].as_str().unwrap(), "{file}");
        assert_eq!(i64::from(said.exit_code), status["rc"], "{file}");
    }
}

/// What Argo Rollouts and the server add to a ReplicaSet (hash label, metadata of the role, anti-affinity, defaults,
/// canonical units) is not what its author wrote.
#[test]
fn a_replica_set_made_from_a_template_is_the_same_template() {
    let mut compared = 0;
    for (file, recorded) in trees() {
        let raw_rollouts = recorded["lists"]["rollouts"]["items"].as_array().unwrap();
        let sets: Vec<Recorded> = list(&recorded, "replicasets");
        for raw in raw_rollouts
            .iter()
            .filter(|raw| raw["spec"]["template"].is_object())
        {
            let rollout = mapped(&serde_json::from_value(raw.clone()).unwrap());
            let Some(current) = rollout.argo().unwrap().current_hash.clone() else {
                continue;
            };
            let set = history::find(&rollout, &sets, &Wanted::Hash(current)).unwrap();
            let differences = history::differences(&raw["spec"]["template"], &set.clean_template());
            assert_eq!(differences, [], "{file} {}", rollout.id.name);
            compared += 1;
        }
    }
    assert!(compared >= 8, "only {compared} compared");
}

#[test]
fn revisions_of_a_canary_in_its_second_update_are_told_apart() {
    let recorded = json("trees/second-canary.json");
    let rollout = mapped(&rollout_named(&recorded, "checkout"));
    let sets: Vec<Recorded> = list(&recorded, "replicasets");
    let revisions = history::revisions(&rollout, None, &sets);
    let rows: Vec<_> = revisions
        .iter()
        .map(|r| {
            (
                r.number,
                r.is_stable,
                r.is_current,
                &*r.images[0],
                r.available,
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            (3, false, true, "checkout:3", 0),
            (2, false, false, "checkout:2", 1),
            (1, true, false, "checkout:1", 3),
        ]
    );
    let words: Vec<String> = revisions[2].differs.iter().map(Difference::words).collect();
    assert_eq!(words, ["containers[app].image checkout:3 → checkout:1"]);
    assert!(revisions[0].differs.is_empty());
}

#[test]
fn an_aborted_rollout_is_degraded_since_its_abort_and_stable_serves() {
    let recorded = json("trees/canary-aborted.json");
    let rollout = mapped(&rollout_named(&recorded, "cart"));
    assert_eq!(rollout.phase, Phase::Degraded);
    assert!(rollout.aborted());
    assert_eq!(rollout.since, rollout.argo().unwrap().aborted_at);
    assert!(rollout.since.is_some());
    assert_eq!(rollout.canary().unwrap().weight.set, 0);
}

#[test]
fn a_paused_deployment_with_a_change_pending_is_paused_and_not_waiting() {
    let body = super::text("deployments.json");
    let list = wire::decode_list::<wire::Deployment>(body.as_bytes()).unwrap();
    let web = list
        .items
        .iter()
        .find(|d| d.metadata.name == "web")
        .unwrap();
    let mut share = map::Interner::default();
    let rollout = map::deployment(web, &EnvironmentName::new("test"), &mut share);
    assert_eq!(rollout.phase, Phase::Paused);
    assert_eq!(&*rollout.message, "paused by hand");
    assert_eq!(rollout.replicas.updated, 0);
    assert_eq!(rollout.revision, Some(2));
    assert!(rollout.since.is_some());
}
