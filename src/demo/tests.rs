//! The world as a client meets it: over HTTP, through `kube`, and through bare sockets where `kube` is too polite.

use std::time::Duration;

use http::{Method, Request as HttpRequest};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Options, World};

const ROLLOUTS: &str = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts";
const MERGE: &str = "application/merge-patch+json";
const OPERATIONS: &str = "application/json-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";

async fn world(scenario: &str, faults: &[&str]) -> World {
    let options = Options {
        scenario: scenario.to_owned(),
        speed: 1000.0,
        faults: faults.iter().map(|fault| fault.parse().unwrap()).collect(),
        ..Options::default()
    };
    World::start(options).await.unwrap()
}

struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// One request on a connection of its own; None where no answer came.
async fn send(world: &World, method: Method, path: &str, kind: &str, body: &str) -> Option<Reply> {
    let mut line = open(world, method, path, kind, body).await;
    let mut text = Vec::new();
    line.read_to_end(&mut text).await.ok()?;
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let body = if head.to_lowercase().contains("chunked") {
        unchunk(body)
    } else {
        body.to_owned()
    };
    Some(Reply {
        status,
        head: head.to_lowercase(),
        body,
    })
}

async fn open(world: &World, method: Method, path: &str, kind: &str, body: &str) -> TcpStream {
    let address = world.server();
    let mut line = TcpStream::connect(address.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: demo\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    line.write_all(head.as_bytes()).await.unwrap();
    line.write_all(body.as_bytes()).await.unwrap();
    line
}

fn unchunk(mut text: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = text.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        body.push_str(&rest[..size]);
        text = rest[size..].trim_start_matches("\r\n");
        if size == 0 {
            break;
        }
    }
    body
}

async fn get(world: &World, path: &str) -> Reply {
    send(world, Method::GET, path, "application/json", "")
        .await
        .unwrap()
}

async fn patch(world: &World, path: &str, kind: &str, body: &Value) -> Reply {
    send(world, Method::PATCH, path, kind, &body.to_string())
        .await
        .unwrap()
}

/// A watch, line by line.
struct Watch(BufReader<TcpStream>);

impl Watch {
    async fn open(world: &World, path: &str) -> Self {
        let mut lines = BufReader::new(open(world, Method::GET, path, "", "").await);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            lines.read_line(&mut line).await.unwrap();
        }
        Self(lines)
    }

    async fn next(&mut self) -> Option<Value> {
        loop {
            let mut line = String::new();
            let read =
                tokio::time::timeout(Duration::from_secs(20), self.0.read_line(&mut line)).await;
            if read.expect("the watch says nothing").unwrap() == 0 {
                return None;
            }
            // Chunk sizes and ends are no JSON objects.
            if line.starts_with('{') {
                return Some(serde_json::from_str(&line).unwrap());
            }
        }
    }

    async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.next().await.expect("the watch ended");
            if wanted(&event) {
                return event;
            }
        }
    }
}

fn phase_is(phase: &'static str) -> impl Fn(&Value) -> bool {
    move |event| event["object"]["status"]["phase"] == phase
}

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
        .find(super::Request::is_write)
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
async fn lists_come_in_pages_of_one_version_and_select() {
    let world = world("morning", &[]).await;
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
async fn logs_can_be_read_and_followed() {
    let world = world("bad-canary", &[]).await;
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
        .filter(super::Request::is_write)
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
    let world = world("canary", &[]).await;
    let server = world.server();
    let mut watch = Watch::open(&world, &format!("{ROLLOUTS}?watch=1&resourceVersion=0")).await;
    watch.next().await.unwrap();
    drop(world);
    assert_eq!(watch.next().await, None);
    let address = server.strip_prefix("http://").unwrap().to_owned();
    while TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
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
async fn a_wrong_option_is_refused_before_anything_listens() {
    let wrong = Options {
        speed: 0.0,
        ..Options::default()
    };
    assert!(matches!(
        World::start(wrong).await,
        Err(super::Error::Speed(_))
    ));
    let wrong = Options {
        scenario: "nowhere".to_owned(),
        ..Options::default()
    };
    assert!(matches!(
        World::start(wrong).await,
        Err(super::Error::UnknownScenario { .. })
    ));
    assert_eq!(World::scenarios().len(), 4);
}
