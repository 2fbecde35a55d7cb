//! What happens after the opening, by the world's own clock, and what follows from it.

use super::*;

async fn alerts_of(world: &World, service: &str) -> Vec<Value> {
    let url = format!(
        "{}/api/v2/alerts?filter=service%3D{service}",
        world.alertmanager()
    );
    let reply = raw(&url, Method::GET, &[], "").await.unwrap();
    reply.json().as_array().unwrap().clone()
}

async fn rollout(world: &World, name: &str) -> Value {
    get(world, &format!("{ROLLOUTS}/{name}")).await.json()
}

/// Percent of the last so many seconds' requests that failed, as the metrics have it.
async fn failed(world: &World, service: &str, seconds: u32) -> f64 {
    let count = async |more: &str| {
        let query = format!(
            "sum(increase(http_requests_total{{service=\"{service}\"{more}}}[{seconds}s]))"
        );
        let url = format!("{}/api/v1/query", world.prometheus());
        let form = ["content-type: application/x-www-form-urlencoded"];
        let body = format!("query={}", prometheus::encoded(&query));
        let answer = raw(&url, Method::POST, &form, &body).await.unwrap().json();
        let value = answer["data"]["result"][0]["value"][1].as_str();
        value.map_or(0.0, |value| value.parse::<f64>().unwrap())
    };
    100.0 * count(",code=\"500\"").await / count("").await.max(1.0)
}

const LATER: &str = r#"
about = "things to come"
environment = "lab"
[[namespace]]
name = "shop"
[[service]]
name = "catalog"
namespace = "shop"
replicas = 2
steps = ["weight 50", "pause"]
story = [
  { ago = "2d", release = { version = "v1.0.0" } },
  { in = "20m", release = { version = "v1.1.0" } },
  { in = "40m", act = "promote" },
  { in = "60m", alert = { name = "Odd", severity = "warning", summary = "something is odd", for = "30m" } },
]
"#;

#[tokio::test]
async fn a_story_goes_on_after_the_opening() {
    let patience = Patience::new();
    // Twenty minutes are two seconds.
    let world = world_of(LATER, 600.0).await;
    let before = rollout(&world, "catalog").await;
    assert_eq!(before["status"]["phase"], "Healthy");
    let tags = format!("{}/repos/acme/catalog/tags", world.github());
    let login = ["authorization: Bearer demo", "user-agent: test"];
    let there = async || raw(&tags, Method::GET, &login, "").await.unwrap().json();
    assert_eq!(
        there().await.as_array().unwrap().len(),
        1,
        "nothing comes from the future"
    );
    let mut watch = Watch::open(&world, &format!("{ROLLOUTS}?watch=1")).await;
    let paused = watch.until(phase_is("Paused")).await;
    let image = &paused["object"]["spec"]["template"]["spec"]["containers"][0]["image"];
    assert!(image.as_str().unwrap().ends_with(":v1.1.0"), "{image}");
    assert_eq!(there().await.as_array().unwrap().len(), 2);
    let healthy = watch.until(phase_is("Healthy")).await;
    assert_eq!(
        healthy["object"]["status"]["stableRS"],
        healthy["object"]["status"]["currentPodHash"]
    );
    while alerts_of(&world, "catalog").await.is_empty() {
        patience.once_more().await;
    }
    while !alerts_of(&world, "catalog").await.is_empty() {
        patience.once_more().await;
    }
}

#[tokio::test]
async fn the_bad_canary_fails_only_when_it_is_promoted_and_recovers_when_it_is_backed_out() {
    let patience = Patience::new();
    let options = Options {
        scenario: "bad-canary".to_owned(),
        speed: 60.0,
        ..Options::default()
    };
    let world = World::start(options).await.unwrap();
    let path = format!("{ROLLOUTS}/catalog/status");
    assert_eq!(
        rollout(&world, "catalog").await["status"]["phase"],
        "Paused"
    );
    assert!(failed(&world, "catalog", 500).await < 1.0);
    assert_eq!(alerts_of(&world, "catalog").await, Vec::<Value>::new());
    patch(
        &world,
        &path,
        MERGE,
        &json!({"status": {"pauseConditions": null}}),
    )
    .await;
    while alerts_of(&world, "catalog").await.is_empty() {
        patience.once_more().await;
    }
    let alert = alerts_of(&world, "catalog").await.remove(0);
    assert_eq!(alert["labels"]["alertname"], "HighErrorRate");
    let words = alert["annotations"]["summary"].as_str().unwrap();
    assert!(
        words.contains("9.0 %") && words.contains("v3.2.0"),
        "{words}"
    );
    // Half of the requests, of which nine in a hundred fail; windows are of real seconds.
    while failed(&world, "catalog", 2).await < 3.0 {
        patience.once_more().await;
    }
    patch(&world, &path, MERGE, &json!({"status": {"abort": true}})).await;
    while !alerts_of(&world, "catalog").await.is_empty() {
        patience.once_more().await;
    }
    while failed(&world, "catalog", 2).await > 1.0 {
        patience.once_more().await;
    }
}

#[tokio::test]
async fn an_analysis_fails_while_one_watches() {
    let options = Options {
        scenario: "analysis".to_owned(),
        speed: 40.0,
        ..Options::default()
    };
    let world = World::start(options).await.unwrap();
    let before = rollout(&world, "ledger").await;
    assert_eq!(before["status"]["phase"], "Progressing");
    assert_eq!(
        before["status"]["canary"]["currentStepAnalysisRunStatus"]["status"],
        "Running"
    );
    let mut watch = Watch::open(&world, &format!("{ROLLOUTS}?watch=1")).await;
    let aborted = watch
        .until(|event| {
            event["object"]["metadata"]["name"] == "ledger" && phase_is("Degraded")(event)
        })
        .await;
    assert_eq!(aborted["object"]["status"]["abort"], true);
}

#[tokio::test]
async fn a_quarter_of_the_morning_wants_somebody_and_more_happens_by_itself() {
    let patience = Patience::new();
    let world = World::start(Options {
        speed: 150.0,
        ..Options::default()
    })
    .await
    .unwrap();
    assert_eq!(world.services().len(), 40);
    let phases = async || {
        let list = get(&world, "/apis/argoproj.io/v1alpha1/rollouts")
            .await
            .json();
        let items = list["items"].as_array().unwrap().clone();
        let by_name = items.into_iter().map(|item| {
            let name = item["metadata"]["name"].as_str().unwrap().to_owned();
            (name, item["status"].clone())
        });
        by_name.collect::<std::collections::BTreeMap<String, Value>>()
    };
    let first = phases().await;
    let stuck = first.values().filter(|status| {
        let waits = status["pauseConditions"]
            .as_array()
            .is_some_and(|pauses| !pauses.is_empty());
        waits || status["abort"] == true
    });
    let stuck = stuck.count();
    assert!((7..=12).contains(&stuck), "{stuck} of 40");
    // Nobody touches anything: canaries step on, a build is released, a gate opens, an alert fires.
    let healthy = |status: &Value| status["phase"] == "Healthy";
    for moved in ["shipping", "tax"] {
        assert!(!healthy(&first[moved]), "{moved}");
        while !healthy(&phases().await[moved]) {
            patience.once_more().await;
        }
    }
    while phases().await["pricing"]["currentPodHash"] == first["pricing"]["currentPodHash"] {
        patience.once_more().await;
    }
    let login = ["authorization: Bearer demo", "user-agent: test"];
    let runs = format!(
        "{}/repos/acme/returns/actions/runs?status=waiting",
        world.github()
    );
    while raw(&runs, Method::GET, &login, "").await.unwrap().json()["total_count"] == 0 {
        patience.once_more().await;
    }
    let written = world
        .requests()
        .into_iter()
        .filter(Request::is_write)
        .count();
    assert_eq!(written, 0);
}
