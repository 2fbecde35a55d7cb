//! What is read: status, history, wait, and what an action leaves on its object.

use serde_json::{Value, json};

use super::{
    objects::{canary, canary_at_a_pause},
    program::{Ran, User},
    world::shared,
};

#[test]
fn a_canary_at_a_pause_reads_as_promised() {
    let Some(world) = shared() else { return };
    let subject = canary_at_a_pause(world, "words");
    let object = subject.now();
    let ran = User::operator(world).run("status words --json").exits(0);
    let answer = ran.json();
    assert_eq!(answer["schema"], "windlass.status/1");
    assert_eq!(answer["sources"][0]["id"], "kubernetes/real");
    assert_eq!(answer["sources"][0]["state"], "live");
    let release = &answer["releases"][0];
    assert_eq!(release["id"], "real/shop/argo-rollout/words");
    assert_eq!(
        [
            &release["service"],
            &release["env"],
            &release["tier"],
            &release["namespace"]
        ],
        ["words", "real", "prod", "shop"]
            .map(Value::from)
            .each_ref()
    );
    let rollout = &release["rollout"];
    for (pointer, expected) in [
        ("/kind", json!("argo-rollout")),
        ("/uid", object["metadata"]["uid"].clone()),
        ("/revision", json!(2)),
        ("/strategy", json!("canary")),
        ("/phase", json!("paused")),
        ("/vendor_phase", json!("Paused")),
        ("/message", json!("CanaryPauseStep")),
        ("/step", json!({ "index": 1, "count": 6, "label": "pause" })),
        ("/weight", json!({ "set": 25, "actual": 25 })),
        ("/aborted", json!(false)),
        ("/manually_paused", json!(false)),
        ("/generation_observed", json!(true)),
        (
            "/replicas",
            json!({ "desired": 4, "ready": 4, "updated": 1, "available": 4 }),
        ),
        ("/stable/revision", json!(1)),
        ("/stable/hash", object["status"]["stableRS"].clone()),
        ("/stable/images", json!(["words:v1"])),
        ("/canary/revision", json!(2)),
        ("/canary/hash", object["status"]["currentPodHash"].clone()),
        ("/canary/images", json!(["words:v2"])),
    ] {
        assert_eq!(rollout.pointer(pointer), Some(&expected), "{pointer}");
    }
    let offered = |verb: &str| {
        let actions = release["actions"].as_array().unwrap();
        let action = actions.iter().find(|action| action["verb"] == verb);
        action.unwrap()["offered"].as_bool().unwrap()
    };
    assert!(offered("promote") && offered("backout") && !offered("resume") && !offered("retry"));
}

#[test]
fn the_history_has_every_revision_and_what_differs() {
    let Some(world) = shared() else { return };
    canary_at_a_pause(world, "past");
    let answer = User::operator(world)
        .run("history past --json")
        .exits(0)
        .json();
    assert_eq!(answer["schema"], "windlass.history/1");
    let shown: Vec<(i64, bool, bool, &str)> = answer["revisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|revision| {
            (
                revision["number"].as_i64().unwrap(),
                revision["current"].as_bool().unwrap(),
                revision["stable"].as_bool().unwrap(),
                revision["images"][0].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [(2, true, false, "past:v2"), (1, false, true, "past:v1")]
    );
    let differs = answer["revisions"][1]["differs"].to_string();
    assert!(differs.contains("image"), "{differs}");
}

#[test]
fn waiting_ends_when_the_state_is_there_or_the_time_is_over() {
    let Some(world) = shared() else { return };
    let subject = canary_at_a_pause(world, "awaited");
    let operator = User::operator(world);
    for reached in ["paused", "step=1"] {
        let ran = operator.run(&format!(
            "wait awaited --for {reached} --timeout 60s --json"
        ));
        assert_eq!(ran.exits(0).json()["reached"], true);
    }
    operator
        .run("wait awaited --for healthy --timeout 1s")
        .exits(124)
        .says("paused");
    operator
        .run("wait awaited --for step=3 --timeout 1s")
        .exits(124);
    operator
        .run("wait no-such-service --for healthy --timeout 1s")
        .exits(7);
    let waiting = operator.start("wait awaited --for healthy --timeout 90s --json");
    subject.status(&json!({ "promoteFull": true }));
    Ran::from(waiting.wait_with_output().unwrap()).exits(0);
    let waiting = operator.start("wait awaited --for gone --timeout 90s");
    subject.api.delete(&subject.path());
    Ran::from(waiting.wait_with_output().unwrap()).exits(0);
    operator
        .run("wait awaited --for gone --timeout 1s")
        .exits(0);
}

#[test]
fn who_may_read_one_namespace_sees_that_one() {
    let Some(world) = shared() else { return };
    canary(world, "narrowly");
    let narrow = User::of(world, "narrow");
    let all = narrow.run("status --json").exits(0).json();
    let releases = all["releases"].as_array().unwrap();
    assert!(
        releases
            .iter()
            .any(|release| release["service"] == "narrowly")
    );
    assert!(
        releases
            .iter()
            .all(|release| release["namespace"] == "shop")
    );
    assert_eq!(all["sources"][0]["state"], "live");
    let one = narrow.run("status narrowly --json").exits(0).json();
    assert_eq!(one["releases"][0]["rollout"]["phase"], "healthy");
    narrow.run("history narrowly --json").exits(0);
    narrow
        .act("restart narrowly --yes")
        .refused("not permitted: patch rollouts in shop");
}

#[test]
fn an_action_leaves_a_note_on_its_object_and_a_whole_record() {
    let Some(world) = shared() else { return };
    let subject = canary_at_a_pause(world, "noted");
    let operator = User::operator(world);
    operator
        .act_because("promote noted --yes", "the numbers are good")
        .observed();
    let events = "/api/v1/namespaces/shop/events?fieldSelector=reason%3DWindlass,involvedObject.name%3Dnoted";
    let events = world.api.until(events, "noted", |list| {
        list["items"]
            .as_array()
            .is_some_and(|items| !items.is_empty())
    });
    let event = &events["items"][0];
    assert_eq!(
        event["involvedObject"]["uid"],
        subject.now()["metadata"]["uid"]
    );
    let message = event["message"].as_str().unwrap();
    assert!(message.contains("operator"), "{message}");
    operator.run("audit verify").exits(0);
    let records = operator.run("audit export").exits(0).out;
    assert!(records.contains("the numbers are good"), "{records}");
    assert!(records.contains(r#""outcome":"observed""#), "{records}");
}
