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
    let patience = Patience::new();
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
        patience.once_more().await;
    }
    assert_eq!(get(&world, ROLLOUTS).await.status, 200);
    drop(world);
    let mut rest = Vec::new();
    let _ = hanging.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
}

/// Something that each server answers to anybody who may ask.
fn somewhere(world: &World, server: &str) -> String {
    match server {
        "kubernetes" => format!("{}{ROLLOUTS}", world.server()),
        "github" => format!("{}/user", world.github()),
        "prometheus" => format!("{}/api/v1/query?query=vector(1)", world.prometheus()),
        _ => format!("{}/api/v2/alerts", world.alertmanager()),
    }
}

const SERVERS: [&str; 4] = ["kubernetes", "github", "prometheus", "alertmanager"];

const LOGIN: [&str; 2] = ["authorization: Bearer demo", "user-agent: test"];

#[tokio::test]
async fn every_server_has_every_fault_that_servers_have() {
    let world = world("canary", &[]).await;
    for server in SERVERS {
        let url = somewhere(&world, server);
        let asked = async || raw(&url, Method::GET, &LOGIN, "").await;
        for (fault, status) in [
            ("429", 429),
            ("500", 500),
            ("502", 502),
            ("503", 503),
            ("504", 504),
            ("unauthorized", 401),
        ] {
            world.inject(format!("{fault}:1@{server}").parse().unwrap());
            let reply = asked().await.unwrap();
            assert_eq!(reply.status, status, "{server} {fault}: {}", reply.body);
            assert_eq!(reply.head.contains("retry-after: 1"), fault == "429");
            assert_eq!(
                asked().await.unwrap().status,
                200,
                "{server}: {fault} is over"
            );
        }
        world.inject(format!("truncate:1@{server}").parse().unwrap());
        let half = asked().await.unwrap();
        assert!(
            serde_json::from_str::<Value>(&half.body).is_err(),
            "{server}: {}",
            half.body
        );
        for other in SERVERS.into_iter().filter(|other| *other != server) {
            world.inject(format!("503:1@{other}").parse().unwrap());
        }
        assert_eq!(
            asked().await.unwrap().status,
            200,
            "{server} is not the others"
        );
        world.heal();
    }
}

#[tokio::test]
async fn an_unknown_caller_is_told_in_the_words_of_each_server() {
    let world = world("canary", &["unauthorized"]).await;
    let said = async |server: &str| {
        let url = somewhere(&world, server);
        raw(&url, Method::GET, &LOGIN, "").await.unwrap()
    };
    let status = said("kubernetes").await.json();
    assert_eq!(
        (status["kind"].clone(), status["code"].clone()),
        (json!("Status"), json!(401))
    );
    assert_eq!(said("github").await.json()["message"], "Bad credentials");
    assert_eq!(said("prometheus").await.body, "Unauthorized\n");
}

#[tokio::test]
async fn a_clock_can_be_wrong_and_every_answer_says_so() {
    let world = world("canary", &["clock:+300"]).await;
    for server in SERVERS {
        let reply = raw(&somewhere(&world, server), Method::GET, &LOGIN, "")
            .await
            .unwrap();
        let dates: Vec<&str> = reply
            .head
            .lines()
            .filter_map(|line| line.strip_prefix("date: "))
            .collect();
        assert_eq!(dates.len(), 1, "{server}: {}", reply.head);
        // The head was made small.
        let read = jiff::fmt::rfc2822::DateTimeParser::new();
        let said = read.parse_timestamp(dates[0].to_uppercase()).unwrap();
        let ahead = said.as_second() - jiff::Timestamp::now().as_second();
        assert!((285..=300).contains(&ahead), "{server}: {ahead}");
    }
}

const AWAY: &str = r#"
about = "the API server goes away, and Prometheus answers half of what it is asked"
environment = "lab"
[[namespace]]
name = "shop"
[[service]]
name = "catalog"
namespace = "shop"
story = [{ ago = "2d", release = { version = "v1.0.0" } }]
[[fault]]
in = "30m"
for = "60m"
kind = "503"
server = "kubernetes"
[[fault]]
kind = "500"
server = "prometheus"
paths = ["/api/v1/query_range"]
"#;

#[tokio::test]
async fn an_outage_that_is_written_down_begins_ends_watches_and_is_over() {
    let patience = Patience::new();
    // Thirty minutes are six seconds.
    let world = world_of(AWAY, 300.0).await;
    let mut watch = Watch::open(&world, &format!("{ROLLOUTS}?watch=1")).await;
    assert_eq!(watch.next().await.unwrap()["type"], "ADDED");
    assert_eq!(get(&world, ROLLOUTS).await.status, 200);
    // The watch is open until the server goes away, and nobody has to ask for that to happen.
    while watch.next().await.is_some() {}
    assert_eq!(get(&world, ROLLOUTS).await.status, 503);
    let query = format!("{}/api/v1/query?query=vector(1)", world.prometheus());
    assert_eq!(raw(&query, Method::GET, &[], "").await.unwrap().status, 200);
    let range = format!(
        "{}/api/v1/query_range?query=vector(1)&start=0&end=9&step=1",
        world.prometheus()
    );
    assert_eq!(raw(&range, Method::GET, &[], "").await.unwrap().status, 500);
    while get(&world, ROLLOUTS).await.status == 503 {
        patience.once_more().await;
    }
    assert_eq!(get(&world, ROLLOUTS).await.status, 200);
}
