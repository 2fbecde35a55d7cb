//! Everything that can go wrong on the way.

use super::*;

#[tokio::test]
async fn the_server_can_be_busy_broken_or_away() {
    let world = world("canary", &["429:1", "500:1@patch", "503:1@patch"]).await;
    let busy = get(&world, ROLLOUTS).await;
    assert_eq!(busy.status, 429);
    assert!(busy.head.contains("retry-after: 1"));
    assert_eq!(busy.json()["details"]["retryAfterSeconds"], 1);
    assert_eq!(get(&world, ROLLOUTS).await.status, 200);
    let path = format!("{ROLLOUTS}/checkout");
    let pause = json!({"spec": {"paused": true}});
    assert_eq!(patch(&world, &path, MERGE, &pause).await.status, 500);
    assert_eq!(get(&world, &path).await.json()["spec"].get("paused"), None);
    assert_eq!(patch(&world, &path, MERGE, &pause).await.status, 200);
    world.inject("503".parse().unwrap());
    assert_eq!(get(&world, ROLLOUTS).await.status, 503);
    world.heal();
    assert_eq!(get(&world, ROLLOUTS).await.status, 200);
}

#[tokio::test]
async fn somebody_else_writes_first() {
    let world = world("canary", &["conflict:1"]).await;
    let path = format!("{ROLLOUTS}/checkout");
    let version = get(&world, &path).await.json()["metadata"]["resourceVersion"].clone();
    let pause = json!({"metadata": {"resourceVersion": version}, "spec": {"paused": true}});
    assert_eq!(patch(&world, &path, MERGE, &pause).await.status, 409);
    let fresh = get(&world, &path).await.json();
    assert_ne!(fresh["metadata"]["resourceVersion"], version);
    let again = json!({"metadata": {"resourceVersion": fresh["metadata"]["resourceVersion"]}, "spec": {"paused": true}});
    assert_eq!(patch(&world, &path, MERGE, &again).await.status, 200);
}

#[tokio::test]
async fn an_answer_can_be_lost_although_the_patch_took_effect() {
    let world = world("canary", &["lost-answer:1"]).await;
    let path = format!("{ROLLOUTS}/checkout");
    let lost = send(
        &world,
        Method::PATCH,
        &path,
        MERGE,
        "{\"spec\":{\"paused\":true}}",
    )
    .await;
    assert!(lost.is_none(), "no byte of an answer");
    assert_eq!(get(&world, &path).await.json()["spec"]["paused"], true);
    let written: Vec<_> = world
        .requests()
        .into_iter()
        .filter(Request::is_write)
        .collect();
    assert_eq!((written.len(), written[0].status), (1, None));
}

#[tokio::test]
async fn a_patch_can_be_forbidden_although_a_review_allowed_it() {
    let world = world("canary", &["forbidden:1"]).await;
    let path = format!("{ROLLOUTS}/checkout");
    let pause = json!({"spec": {"paused": true}});
    assert_eq!(patch(&world, &path, MERGE, &pause).await.status, 403);
    assert_eq!(patch(&world, &path, MERGE, &pause).await.status, 200);
}

#[tokio::test]
async fn bodies_can_be_cut_in_the_middle() {
    let world = world("canary", &["truncate:2"]).await;
    let reply = get(&world, ROLLOUTS).await;
    assert_eq!(reply.status, 200);
    assert!(
        serde_json::from_str::<Value>(&reply.body)
            .unwrap_err()
            .is_eof()
    );
    let path = format!("{ROLLOUTS}?watch=1");
    let reply = get(&world, &path).await;
    assert!(
        serde_json::from_str::<Value>(&reply.body)
            .unwrap_err()
            .is_eof()
    );
}

#[tokio::test]
async fn answers_can_be_late_or_never_come() {
    let world = world("canary", &["latency:120:1"]).await;
    let started = std::time::Instant::now();
    get(&world, ROLLOUTS).await;
    assert!(started.elapsed() >= Duration::from_millis(120));
    world.inject("hang:1".parse().unwrap());
    let mut hanging = open(&world, Method::GET, ROLLOUTS, "", "").await;
    // While it hangs, others are answered; and it ends with the world.
    while !world
        .requests()
        .iter()
        .any(|request| request.status.is_none())
    {
        tokio::task::yield_now().await;
    }
    assert_eq!(get(&world, ROLLOUTS).await.status, 200);
    drop(world);
    let mut rest = Vec::new();
    let _ = hanging.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
}
