//! The world as a whole: from its start to its end.

use super::*;

#[tokio::test]
async fn the_kube_client_talks_to_it_as_to_any_cluster() {
    let world = world("canary", &[]).await;
    let config = kube::Config::new(world.server().parse().unwrap());
    let client = kube::Client::try_from(config).unwrap();
    let version = client.apiserver_version().await.unwrap();
    assert_eq!(
        (version.major.as_str(), version.minor.as_str()),
        ("1", "35")
    );
    let request = HttpRequest::get(format!("{ROLLOUTS}?limit=500"))
        .body(Vec::new())
        .unwrap();
    let list: Value = client.request(request).await.unwrap();
    assert_eq!(list["items"][0]["metadata"]["name"], "checkout");
    let pods: kube::Api<k8s_openapi::api::core::v1::Pod> =
        kube::Api::namespaced(client.clone(), "shop");
    let pods = pods
        .list(&kube::api::ListParams::default().labels("app=checkout"))
        .await
        .unwrap();
    assert_eq!(pods.items.len(), 15);
    assert_eq!(world.environment(), "prod-eu");
}

#[tokio::test]
async fn a_paused_canary_is_promoted_by_the_request_the_vendor_sends() {
    let world = world("canary", &[]).await;
    let path = format!("{ROLLOUTS}/checkout");
    let before = get(&world, &path).await.json();
    let metadata = &before["metadata"];
    let from = metadata["resourceVersion"].as_str().unwrap();
    let mut watch = Watch::open(
        &world,
        &format!("{ROLLOUTS}?watch=1&resourceVersion={from}"),
    )
    .await;
    let body = json!({"metadata": {"uid": metadata["uid"], "resourceVersion": from},
        "status": {"pauseConditions": null}});
    let answer = patch(
        &world,
        &format!("{path}/status?fieldManager=windlass"),
        MERGE,
        &body,
    )
    .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["status"]["phase"], "Paused");
    assert_eq!(answer.json()["status"]["controllerPause"], true);
    assert!(answer.json()["status"].get("pauseConditions").is_none());
    // The watch hears of the patch first, and then of everything the controller makes of it.
    let first = watch.next().await.unwrap();
    assert_eq!(first["type"], "MODIFIED");
    assert_eq!(
        first["object"]["metadata"]["resourceVersion"],
        answer.json()["metadata"]["resourceVersion"]
    );
    watch.until(phase_is("Progressing")).await;
    watch
        .until(|event| event["object"]["status"]["currentStepIndex"] == 7)
        .await;
    let written = world
        .requests()
        .into_iter()
        .find(Request::is_write)
        .unwrap();
    assert_eq!(
        (written.method.as_str(), written.status),
        ("PATCH", Some(200))
    );
    assert_eq!(written.body, Some(body));
    assert_eq!(written.content_type.as_deref(), Some(MERGE));
    assert!(
        written
            .path
            .ends_with("/checkout/status?fieldManager=windlass")
    );
}

#[tokio::test]
async fn requests_are_on_disk_before_they_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.jsonl");
    let options = Options {
        scenario: "canary".to_owned(),
        request_log: Some(path.clone()),
        ..Options::default()
    };
    let world = World::start(options).await.unwrap();
    patch(
        &world,
        &format!("{ROLLOUTS}/checkout"),
        MERGE,
        &json!({"spec": {"paused": true}}),
    )
    .await;
    let text = std::fs::read_to_string(&path).unwrap();
    let line: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(
        (line["method"].clone(), line["status"].clone()),
        (json!("PATCH"), json!(200))
    );
    assert_eq!(line["body"], json!({"spec": {"paused": true}}));
}

#[tokio::test]
async fn a_world_ends_with_its_handle() {
    let patience = Patience::new();
    let world = world("canary", &[]).await;
    let server = world.server();
    let mut watch = Watch::open(&world, &format!("{ROLLOUTS}?watch=1&resourceVersion=0")).await;
    watch.next().await.unwrap();
    drop(world);
    assert_eq!(watch.next().await, None);
    let address = server.strip_prefix("http://").unwrap().to_owned();
    while TcpStream::connect(&address).await.is_ok() {
        patience.once_more().await;
    }
}

#[tokio::test]
async fn a_wrong_option_is_refused_before_anything_listens() {
    let wrong = Options {
        speed: 0.0,
        ..Options::default()
    };
    assert!(matches!(World::start(wrong).await, Err(Error::Speed(_))));
    let wrong = Options {
        scenario: "nowhere".to_owned(),
        ..Options::default()
    };
    assert!(matches!(
        World::start(wrong).await,
        Err(Error::UnknownScenario { .. })
    ));
    assert_eq!(World::scenarios().len(), 9);
}
