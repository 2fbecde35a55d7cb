//! Patches, creations, and what is refused.

use super::*;

#[tokio::test]
async fn stale_versions_wrong_uids_and_failed_tests_are_refused_as_the_server_refuses_them() {
    let world = world("canary", &[]).await;
    let path = format!("{ROLLOUTS}/checkout");
    let stale = json!({"metadata": {"resourceVersion": "1"}, "spec": {"paused": true}});
    for path in [path.clone(), format!("{path}/status")] {
        let refused = patch(&world, &path, MERGE, &stale).await;
        assert_eq!(
            (refused.status, refused.json()["reason"].clone()),
            (409, json!("Conflict"))
        );
        assert_eq!(
            refused.json()["message"],
            "Operation cannot be fulfilled on rollouts.argoproj.io \"checkout\": the object has been modified; \
             please apply your changes to the latest version and try again"
        );
    }
    let other = json!({"metadata": {"uid": "other"}});
    let refused = patch(&world, &path, MERGE, &other).await;
    assert_eq!(refused.status, 422);
    assert_eq!(
        refused.json()["details"]["causes"][0]["field"],
        "metadata.uid"
    );
    // On the status subresource a wrong uid is silently taken.
    assert_eq!(
        patch(&world, &format!("{path}/status"), MERGE, &other)
            .await
            .status,
        200
    );
    let test = json!([{"op": "test", "path": "/metadata/resourceVersion", "value": "1"}]);
    let refused = patch(&world, &path, OPERATIONS, &test).await;
    assert_eq!(
        (refused.status, refused.json()["details"].clone()),
        (422, json!({}))
    );
    let replace = json!([{"op": "replace", "path": "/metadata/resourceVersion", "value": "1"}]);
    assert_eq!(patch(&world, &path, OPERATIONS, &replace).await.status, 409);
    assert_eq!(
        patch(&world, &path, STRATEGIC, &json!({})).await.status,
        415
    );
    assert_eq!(
        patch(&world, &path, "application/json", &json!({}))
            .await
            .status,
        415
    );
}

#[tokio::test]
async fn each_half_of_a_rollout_is_dropped_by_the_other_halfs_endpoint() {
    let world = world("canary", &[]).await;
    let path = format!("{ROLLOUTS}/checkout");
    let before = get(&world, &path).await.json();
    let both = json!({"spec": {"paused": true}, "status": {"promoteFull": true}});
    let on_status = patch(&world, &format!("{path}/status?dryRun=All"), MERGE, &both)
        .await
        .json();
    assert_eq!(on_status["spec"], before["spec"]);
    assert_eq!(on_status["status"]["promoteFull"], true);
    let on_main = patch(&world, &format!("{path}?dryRun=All"), MERGE, &both)
        .await
        .json();
    assert_eq!(on_main["status"], before["status"]);
    assert_eq!(on_main["spec"]["paused"], true);
    let generation = |value: &Value| value["metadata"]["generation"].as_i64().unwrap();
    assert_eq!(generation(&on_main), generation(&before) + 1);
    assert_eq!(generation(&on_status), generation(&before));
    assert_eq!(
        get(&world, &path).await.json(),
        before,
        "a dry run stores nothing"
    );
    let other = patch(&world, &format!("{path}?dryRun=Some"), MERGE, &both).await;
    assert_eq!(other.status, 422);
    // Analysis runs have no status subresource, and the answer does not say so.
    let absent = patch(
        &world,
        "/apis/argoproj.io/v1alpha1/namespaces/shop/analysisruns/x/status",
        MERGE,
        &both,
    )
    .await;
    assert_eq!(
        absent.json()["message"],
        "analysisruns.argoproj.io \"x\" not found"
    );
}

#[tokio::test]
async fn a_patch_that_changes_nothing_makes_no_new_version() {
    let world = world("canary", &[]).await;
    let path = format!("{ROLLOUTS}/checkout");
    let before = get(&world, &path).await.json();
    let same = patch(&world, &path, MERGE, &json!({"spec": {"replicas": 12}}))
        .await
        .json();
    assert_eq!(same, before);
}

#[tokio::test]
async fn reviews_say_who_you_are_and_that_a_sealed_namespace_takes_no_writes() {
    let world = world("morning", &[]).await;
    let review = async |verb: &str, namespace: &str| {
        let body = json!({"spec": {"resourceAttributes": {"verb": verb, "namespace": namespace,
            "group": "argoproj.io", "resource": "rollouts", "subresource": "status"}}});
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let reply = send(
            &world,
            Method::POST,
            path,
            "application/json",
            &body.to_string(),
        )
        .await
        .unwrap();
        assert_eq!(reply.status, 201);
        reply.json()["status"]["allowed"].as_bool().unwrap()
    };
    assert!(review("patch", "shop").await);
    assert!(review("list", "vault").await);
    assert!(!review("patch", "vault").await);
    let path = "/apis/argoproj.io/v1alpha1/namespaces/vault/rollouts/secrets/status";
    let refused = patch(&world, path, MERGE, &json!({"status": {"abort": true}})).await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.json()["message"],
        "rollouts.argoproj.io \"secrets\" is forbidden: User \"you@demo\" cannot patch resource \"rollouts/status\" in \
         API group \"argoproj.io\" in the namespace \"vault\""
    );
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let reply = send(&world, Method::POST, path, "application/json", "{}")
        .await
        .unwrap();
    assert_eq!(reply.json()["status"]["userInfo"]["username"], "you@demo");
}

#[tokio::test]
async fn notes_can_be_left_as_events() {
    let world = world("canary", &[]).await;
    let event = json!({"metadata": {"generateName": "windlass-", "namespace": "shop"}, "reason": "Promoted",
        "involvedObject": {"kind": "Rollout", "name": "checkout", "namespace": "shop"}, "message": "by alice"});
    let path = "/api/v1/namespaces/shop/events";
    let made = send(
        &world,
        Method::POST,
        path,
        "application/json",
        &event.to_string(),
    )
    .await
    .unwrap();
    assert_eq!(made.status, 201);
    let name = made.json()["metadata"]["name"].as_str().unwrap().to_owned();
    assert_eq!(
        get(&world, &format!("{path}/{name}")).await.json()["message"],
        "by alice"
    );
    let mut again = event.clone();
    again["metadata"]["name"] = json!(name);
    let reply = send(
        &world,
        Method::POST,
        path,
        "application/json",
        &again.to_string(),
    )
    .await
    .unwrap();
    assert_eq!(reply.json()["reason"], "AlreadyExists");
}

#[tokio::test]
async fn a_scale_can_be_read_and_patched() {
    let world = world("canary", &[]).await;
    let path = format!("{ROLLOUTS}/checkout/scale");
    assert_eq!(get(&world, &path).await.json()["spec"]["replicas"], 12);
    let answer = patch(&world, &path, MERGE, &json!({"spec": {"replicas": 16}}))
        .await
        .json();
    assert_eq!(
        (answer["kind"].clone(), answer["spec"]["replicas"].clone()),
        (json!("Scale"), json!(16))
    );
    assert_eq!(
        get(&world, &format!("{ROLLOUTS}/checkout")).await.json()["spec"]["replicas"],
        16
    );
}
