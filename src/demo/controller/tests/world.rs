//! What the stories lead to.

use super::*;

#[test]
fn the_story_leads_to_a_canary_that_waits_at_its_third_pause() {
    let lab = checkout();
    assert!(lab.is("Paused", "CanaryPauseStep"), "{:?}", lab.phase());
    let status = lab.status();
    assert_eq!(lab.index(), 5);
    assert_eq!(status["canary"]["weights"]["canary"]["weight"], 25);
    assert_eq!(status["controllerPause"], true);
    assert_eq!(status["pauseConditions"][0]["reason"], "CanaryPauseStep");
    assert_eq!(
        (
            status["updatedReplicas"].as_i64(),
            status["replicas"].as_i64()
        ),
        (Some(3), Some(15))
    );
    assert_eq!(
        status["observedGeneration"],
        lab.object()["metadata"]["generation"].to_string()
    );
    assert_eq!(lab.serving(), "v2.30.4");
    let versions: Vec<_> = lab
        .history()
        .into_iter()
        .map(|(version, revision, _)| (version, revision))
        .collect();
    let expected = [
        ("v2.29.1", 1),
        ("v2.30.0", 2),
        ("v2.30.4", 3),
        ("v2.31.0", 4),
    ];
    assert_eq!(
        versions,
        expected.map(|(version, revision)| (version.to_owned(), revision))
    );
    assert!(
        lab.events("RolloutStepCompleted")
            .contains(&"Rollout step 4/13 completed (pause)".to_owned())
    );
}

#[test]
fn the_same_seed_makes_the_same_world() {
    let dump = || {
        let lab = checkout();
        Kind::ALL.map(|kind| {
            let objects = lab.cluster.store.list(kind, None);
            objects
                .iter()
                .map(|object| object.value().to_string())
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(dump(), dump());
}

#[test]
fn an_idle_world_has_nothing_to_wake_up_for() {
    let mut lab = checkout();
    lab.seconds(3600);
    let version = lab.cluster.store.version();
    assert_eq!(lab.cluster.next_due(), None);
    lab.seconds(86_400);
    assert_eq!(lab.cluster.store.version(), version);
}

#[test]
fn the_morning_has_every_story_that_it_promises() {
    let lab = Lab::scenario("morning", Kind::Rollout, "shop", "checkout");
    let phase = |namespace: &str, name: &str| {
        let value = lab
            .cluster
            .store
            .get(&Key::new(Kind::Rollout, namespace, name))
            .unwrap()
            .value();
        json::text(&value, &["status", "message"]).to_owned()
    };
    assert_eq!(phase("shop", "checkout"), "CanaryPauseStep");
    assert!(phase("shop", "catalog").starts_with("RolloutAborted"));
    assert_eq!(phase("shop", "payments"), "BlueGreenPause");
    assert_eq!(phase("shop", "search"), "manually paused");
    assert_eq!(phase("shop", "images"), "");
    assert_eq!(phase("platform", "gateway"), "CanaryPauseStep");
    let ledger = lab
        .cluster
        .store
        .get(&Key::new(Kind::Rollout, "shop", "ledger"))
        .unwrap()
        .value();
    let run = json::text(
        &ledger,
        &["status", "canary", "currentStepAnalysisRunStatus", "name"],
    )
    .to_owned();
    let run = lab
        .cluster
        .store
        .get(&Key::new(Kind::AnalysisRun, "shop", &run))
        .unwrap()
        .value();
    assert_eq!(run["status"]["phase"], "Running");
    assert_eq!(run["status"]["metricResults"][0]["count"], 3);
    let media = lab
        .cluster
        .store
        .get(&Key::new(Kind::Deployment, "shop", "media"))
        .unwrap()
        .value();
    let updated = json::int(&media, &["status", "updatedReplicas"]);
    assert!((1..12).contains(&updated), "{updated}");
    let services: usize = [
        Kind::Rollout,
        Kind::Deployment,
        Kind::StatefulSet,
        Kind::DaemonSet,
    ]
    .map(|kind| lab.cluster.store.list(kind, None).len())
    .iter()
    .sum();
    assert_eq!(services, 40);
}

#[test]
fn moments_before_the_opening_are_in_the_past() {
    let lab = checkout();
    assert_eq!(lab.cluster.clock.now(), Moment::OPENING);
    let since = json::text(&lab.status()["pauseConditions"][0], &["startTime"]).to_owned();
    let waited = lab
        .cluster
        .clock
        .stamp_at(Moment::OPENING)
        .duration_since(since.parse().unwrap());
    assert!((200..260).contains(&waited.as_secs()), "{waited:?}");
}
