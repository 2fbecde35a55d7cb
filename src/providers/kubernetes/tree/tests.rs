use super::*;

#[test]
fn ages_get_coarser_the_longer_they_are() {
    let cases = [
        (-2, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (121, "2m1s"),
        (599, "9m59s"),
        (600, "10m"),
        (3 * 3600 - 1, "179m"),
        (3 * 3600, "3h"),
        (4 * 3600 - 1, "3h59m"),
        (8 * 3600, "8h"),
        (48 * 3600 - 1, "47h"),
        (48 * 3600, "2d"),
        (49 * 3600, "2d1h"),
        (8 * 86_400, "8d"),
        (2 * 365 * 86_400 - 1, "729d"),
        (2 * 365 * 86_400, "2y"),
        (3 * 365 * 86_400 + 86_400, "3y1d"),
        (8 * 365 * 86_400, "8y"),
    ];
    for (seconds, words) in cases {
        assert_eq!(human_duration(seconds), words, "{seconds}");
    }
}

fn read<T: serde::de::DeserializeOwned>(object: serde_json::Value) -> T {
    serde_json::from_value(object).unwrap()
}

fn set(name: &str, owner: &str, revision: &str, hash: &str) -> wire::ReplicaSet {
    read(serde_json::json!({
        "metadata": {
            "name": name, "uid": name, "labels": {"rollouts-pod-template-hash": hash},
            "annotations": {"rollout.argoproj.io/revision": revision},
            "ownerReferences": [{"uid": owner, "controller": true}],
        },
        "spec": {"replicas": 0, "template": {"spec": {"containers": [{"image": "a:1"}]}}},
    }))
}

#[test]
fn ping_and_pong_say_which_service_has_which_version() {
    let rollout = |stable: &str| -> wire::Rollout {
        read(serde_json::json!({
            "metadata": {"name": "a", "uid": "r"},
            "spec": {"strategy": {"canary": {"pingPong": {}}}},
            "status": {"stableRS": "old", "currentPodHash": "new", "canary": {"stablePingPong": stable}},
        }))
    };
    let sets = [set("a-new", "r", "2", "new"), set("a-old", "r", "1", "old")];
    let roles = |stable: &str| -> Vec<String> {
        let around = Around {
            replica_sets: &sets,
            ..Around::default()
        };
        let tree = super::rollout(&rollout(stable), &around);
        let text = lines(&tree);
        let ends = |name: &str| {
            let line = text.iter().find(|line| line.contains(name)).unwrap();
            line.split_whitespace().next_back().unwrap().to_owned()
        };
        vec![ends("a-new"), ends("a-old")]
    };
    assert_eq!(roles("ping"), ["canary,pong", "stable,ping"]);
    assert_eq!(roles("pong"), ["canary,ping", "stable,pong"]);
}

#[test]
fn a_replica_set_of_somebody_else_is_not_in_the_tree_whatever_its_labels_say() {
    let rollout: wire::Rollout = read(serde_json::json!({
        "metadata": {"name": "a", "uid": "r"},
        "spec": {"strategy": {"canary": {}}}, "status": {"stableRS": "h"},
    }));
    let sets = [set("foreign", "other", "1", "h")];
    let around = Around {
        replica_sets: &sets,
        ..Around::default()
    };
    let tree = super::rollout(&rollout, &around);
    assert_eq!(tree.rows.len(), 1);
    assert!(tree.head.images.is_empty());
}

#[test]
fn hostile_names_do_not_reach_the_text() {
    let rollout: wire::Rollout = read(serde_json::json!({
        "metadata": {"name": "a\u{1b}[31mb", "uid": "r"},
        "status": {"phase": "Healthy\u{7}", "message": "line\u{202e}"},
    }));
    let text = lines(&super::rollout(&rollout, &Around::default())).join("\n");
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
}
