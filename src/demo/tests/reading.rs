//! Lists, pages, logs and discovery.

use super::*;

#[tokio::test]
async fn lists_come_in_pages_of_one_version_and_select() {
    // At its own pace: a pipeline of this morning would make a ReplicaSet in between.
    let world = World::start(Options::default()).await.unwrap();
    let path = "/apis/apps/v1/replicasets";
    let whole = get(&world, path).await.json();
    assert!(
        whole["items"][0].get("kind").is_none(),
        "items of a built-in list carry no kind"
    );
    let total = whole["items"].as_array().unwrap().len();
    let first = get(&world, &format!("{path}?limit=10")).await.json();
    assert_eq!(first["metadata"]["remainingItemCount"], total - 10);
    let token = first["metadata"]["continue"].as_str().unwrap();
    // What changes in between does not show in the second page.
    patch(
        &world,
        &format!("{ROLLOUTS}/checkout/status"),
        MERGE,
        &json!({"status": {"abort": true}}),
    )
    .await;
    let second = get(&world, &format!("{path}?limit=1000&continue={token}"))
        .await
        .json();
    assert_eq!(
        second["metadata"]["resourceVersion"],
        first["metadata"]["resourceVersion"]
    );
    assert_eq!(second["items"].as_array().unwrap().len(), total - 10);
    assert!(second["metadata"].get("continue").is_none());
    let custom = get(
        &world,
        &format!("{ROLLOUTS}?fieldSelector=metadata.name=catalog"),
    )
    .await
    .json();
    assert_eq!(custom["items"][0]["kind"], "Rollout");
    assert_eq!(custom["items"].as_array().unwrap().len(), 1);
    let events = "/api/v1/namespaces/shop/events?fieldSelector=involvedObject.kind=Rollout,involvedObject.name=catalog";
    let events = get(&world, events).await.json();
    let reasons: Vec<_> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["reason"].clone())
        .collect();
    assert!(reasons.contains(&json!("RolloutAborted")), "{reasons:?}");
    assert_eq!(
        get(&world, &format!("{path}?continue=zz")).await.status,
        400
    );
    assert_eq!(
        get(&world, &format!("{path}?resourceVersion=999999999"))
            .await
            .status,
        504
    );
}

#[tokio::test]
async fn metadata_alone_is_sent_to_whoever_asks_for_it() {
    let world = world("canary", &[]).await;
    let config = kube::Config::new(world.server().parse().unwrap());
    let client = kube::Client::try_from(config).unwrap();
    let request = HttpRequest::get("/apis/apps/v1/replicasets")
        .header(
            "accept",
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
        )
        .body(Vec::new())
        .unwrap();
    let list: Value = client.request(request).await.unwrap();
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    assert_eq!(list["items"][0]["kind"], "PartialObjectMetadata");
    assert!(list["items"][0].get("spec").is_none());
}

#[tokio::test]
async fn an_expired_continue_token_comes_with_a_fresh_one() {
    let world = world("canary", &[]).await;
    let path = "/api/v1/pods?limit=5";
    let token = get(&world, path).await.json()["metadata"]["continue"]
        .as_str()
        .unwrap()
        .to_owned();
    world.inject("gone:1".parse().unwrap());
    let expired = get(&world, &format!("{path}&continue={token}")).await;
    assert_eq!(
        (expired.status, expired.json()["reason"].clone()),
        (410, json!("Expired"))
    );
    let fresh = expired.json()["metadata"]["continue"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        get(&world, &format!("{path}&continue={fresh}"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn what_is_not_served_is_no_status_at_all() {
    let world = world("canary", &[]).await;
    let reply = get(&world, "/apis/flagger.app/v1beta1/canaries").await;
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (404, "404 page not found\n")
    );
    assert!(reply.head.contains("text/plain"));
    let reply = send(
        &world,
        Method::DELETE,
        &format!("{ROLLOUTS}/checkout"),
        MERGE,
        "",
    )
    .await
    .unwrap();
    assert_eq!(
        (reply.status, reply.json()["reason"].clone()),
        (405, json!("MethodNotAllowed"))
    );
    assert_eq!(
        get(&world, &format!("{ROLLOUTS}/nope")).await.json()["reason"],
        "NotFound"
    );
    assert_eq!(get(&world, "/readyz").await.body, "ok");
    let resources = get(&world, "/apis/argoproj.io/v1alpha1").await.json();
    let names: Vec<_> = resources["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].clone())
        .collect();
    assert!(names.contains(&json!("rollouts/status")), "{names:?}");
}

#[tokio::test]
async fn logs_can_be_read_and_followed() {
    let world = world("analysis", &[]).await;
    let pods = get(&world, "/api/v1/namespaces/shop/pods").await.json();
    let pod = pods["items"][0]["metadata"]["name"].as_str().unwrap();
    let path = format!("/api/v1/namespaces/shop/pods/{pod}/log");
    let tail = get(&world, &format!("{path}?tailLines=20&timestamps=true")).await;
    assert_eq!(tail.body.lines().count(), 20);
    assert!(
        tail.body.lines().all(|line| line.contains("Z level=")),
        "{}",
        tail.body
    );
    let mut follow = BufReader::new(
        open(
            &world,
            Method::GET,
            &format!("{path}?follow=true&tailLines=1"),
            "",
            "",
        )
        .await,
    );
    let mut lines = 0;
    while lines < 2 {
        let mut line = String::new();
        assert_ne!(follow.read_line(&mut line).await.unwrap(), 0);
        lines += usize::from(line.starts_with("level="));
    }
    assert_eq!(
        get(&world, &format!("{path}?container=other")).await.status,
        400
    );
}
