//! Watches and streaming lists.

use super::*;

#[tokio::test]
async fn a_streaming_list_ends_with_an_annotated_bookmark_and_goes_on_with_changes() {
    let world = world("canary", &[]).await;
    let options =
        "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = Watch::open(&world, &format!("{ROLLOUTS}?{options}")).await;
    assert_eq!(watch.next().await.unwrap()["type"], "ADDED");
    let bookmark = watch.next().await.unwrap();
    assert_eq!(bookmark["type"], "BOOKMARK");
    assert_eq!(
        bookmark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"],
        "true"
    );
    patch(
        &world,
        &format!("{ROLLOUTS}/checkout"),
        MERGE,
        &json!({"spec": {"paused": true}}),
    )
    .await;
    assert_eq!(watch.next().await.unwrap()["type"], "MODIFIED");
    let refused = get(
        &world,
        &format!("{ROLLOUTS}?watch=1&sendInitialEvents=true"),
    )
    .await;
    assert_eq!(refused.status, 422);
}

#[tokio::test]
async fn a_watch_ends_after_its_timeout_and_one_that_is_too_old_ends_with_an_error_line() {
    let world = world("canary", &[]).await;
    let version = get(&world, ROLLOUTS).await.json()["metadata"]["resourceVersion"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut watch = Watch::open(
        &world,
        &format!("{ROLLOUTS}?watch=1&resourceVersion={version}&timeoutSeconds=0"),
    )
    .await;
    assert_eq!(watch.next().await, None);
    let mut watch = Watch::open(&world, &format!("{ROLLOUTS}?watch=1&resourceVersion=7")).await;
    let error = watch.next().await.unwrap();
    assert_eq!(
        (error["type"].clone(), error["object"]["code"].clone()),
        (json!("ERROR"), json!(410))
    );
    assert!(
        error["object"]["message"]
            .as_str()
            .unwrap()
            .starts_with("too old resource version: 7 (")
    );
    assert_eq!(watch.next().await, None);
}

#[tokio::test]
async fn a_watch_with_a_selector_sees_objects_enter_and_leave() {
    let world = world("canary", &[]).await;
    let version = get(&world, ROLLOUTS).await.json()["metadata"]["resourceVersion"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("{ROLLOUTS}?watch=1&labelSelector=team%3Dpay&resourceVersion={version}");
    let mut watch = Watch::open(&world, &path).await;
    let label = |value: Value| json!({"metadata": {"labels": {"team": value}}});
    let path = format!("{ROLLOUTS}/checkout");
    patch(&world, &path, MERGE, &label(json!("pay"))).await;
    patch(&world, &path, MERGE, &label(json!(null))).await;
    assert_eq!(watch.next().await.unwrap()["type"], "ADDED");
    assert_eq!(watch.next().await.unwrap()["type"], "DELETED");
}

#[tokio::test]
async fn open_watches_expire_when_gone_is_injected_and_can_be_opened_again() {
    let world = world("canary", &[]).await;
    let version = get(&world, ROLLOUTS).await.json()["metadata"]["resourceVersion"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("{ROLLOUTS}?watch=1&resourceVersion={version}");
    let mut watch = Watch::open(&world, &path).await;
    world.inject("gone:1".parse().unwrap());
    assert_eq!(watch.next().await.unwrap()["object"]["reason"], "Expired");
    assert_eq!(watch.next().await, None);
    let mut watch = Watch::open(&world, &path).await;
    patch(
        &world,
        &format!("{ROLLOUTS}/checkout"),
        MERGE,
        &json!({"spec": {"paused": true}}),
    )
    .await;
    assert_eq!(watch.next().await.unwrap()["type"], "MODIFIED");
}

#[tokio::test]
async fn a_thousand_quiet_services_stream_at_once() {
    let options = Options {
        scenario: "canary".to_owned(),
        services: 1000,
        ..Options::default()
    };
    let world = World::start(options).await.unwrap();
    let options =
        "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let path = format!("/apis/argoproj.io/v1alpha1/rollouts?{options}");
    let mut watch = Watch::open(&world, &path).await;
    let mut count = 0;
    while watch.next().await.unwrap()["type"] == "ADDED" {
        count += 1;
    }
    assert_eq!(count, 1001);
}

#[tokio::test]
async fn a_quiet_watch_says_once_a_minute_where_it_is() {
    let world = world("canary", &[]).await;
    let path =
        format!("{ROLLOUTS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
    let mut watch = Watch::open(&world, &format!("{path}&allowWatchBookmarks=true")).await;
    watch.next().await.unwrap();
    watch.next().await.unwrap();
    // An idle runtime with paused time jumps to whatever is due next.
    tokio::time::pause();
    let before = tokio::time::Instant::now();
    let mut line = String::new();
    while !line.starts_with('{') {
        line.clear();
        watch.0.read_line(&mut line).await.unwrap();
    }
    let bookmark: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(bookmark["type"], "BOOKMARK");
    assert!(bookmark["object"]["metadata"].get("annotations").is_none());
    let waited = before.elapsed();
    assert!((50..=61).contains(&waited.as_secs()), "{waited:?}");
}
