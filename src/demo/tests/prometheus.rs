//! Prometheus, as a client meets it.

use super::*;

pub(super) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

async fn ask(world: &World, path: &str) -> Reply {
    let url = format!("{}/{path}", world.prometheus());
    raw(&url, Method::GET, &[], "").await.unwrap()
}

async fn query(world: &World, text: &str) -> Value {
    let reply = ask(world, &format!("api/v1/query?query={}", encoded(text))).await;
    assert_eq!(reply.status, 200, "{text}: {}", reply.body);
    reply.json()["data"]["result"].clone()
}

/// Over the last so many seconds.
async fn range(world: &World, text: &str, back: i64, step: i64) -> Vec<Value> {
    let now = jiff::Timestamp::now().as_second();
    let path = format!(
        "api/v1/query_range?query={}&start={}&end={now}&step={step}",
        encoded(text),
        now - back
    );
    let reply = ask(world, &path).await;
    assert_eq!(reply.status, 200, "{text}: {}", reply.body);
    reply.json()["data"]["result"].as_array().unwrap().clone()
}

fn number(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

/// By one label, the value of an instant answer.
fn by(result: &Value, label: &str) -> std::collections::BTreeMap<String, f64> {
    let lines = result.as_array().unwrap().iter();
    lines
        .map(|line| {
            let name = line["metric"][label].as_str().unwrap_or_default();
            (name.to_owned(), number(&line["value"][1]))
        })
        .collect()
}

async fn hashes(world: &World, service: &str) -> (String, String) {
    let status = get(world, &format!("{ROLLOUTS}/{service}")).await.json()["status"].clone();
    let text = |name: &str| status[name].as_str().unwrap().to_owned();
    (text("currentPodHash"), text("stableRS"))
}

#[tokio::test]
async fn traffic_follows_the_weights() {
    let world = World::start(Options {
        scenario: "canary".to_owned(),
        ..Options::default()
    })
    .await
    .unwrap();
    let (canary, stable) = hashes(&world, "checkout").await;
    let text = "sum by (rollouts_pod_template_hash) (rate(http_requests_total{namespace=\"shop\",service=\"checkout\"}[3m]))";
    let rates = by(&query(&world, text).await, "rollouts_pod_template_hash");
    let share = rates[&canary] / (rates[&canary] + rates[&stable]);
    assert!((0.2..0.3).contains(&share), "25 % are wanted: {rates:?}");
    let counted = query(&world, "sum(http_requests_total{service=\"checkout\"})").await;
    let in_histogram = query(
        &world,
        "sum(http_request_duration_seconds_bucket{service=\"checkout\",le=\"+Inf\"})",
    )
    .await;
    // Between the two answers a pod may have been asked again.
    let (one, other) = (
        number(&counted[0]["value"][1]),
        number(&in_histogram[0]["value"][1]),
    );
    assert!((one - other).abs() < 20_000.0 && one > 1e6, "{one} {other}");
}

#[tokio::test]
async fn a_version_that_fails_shows_it_and_the_stable_one_does_not() {
    let world = world_of(FAILING, 1.0).await;
    let (canary, stable) = hashes(&world, "catalog").await;
    let sums = async |more: &str| {
        let text = format!(
            "sum by (rollouts_pod_template_hash) (increase(http_requests_total{{service=\"catalog\"{more}}}[10m]))"
        );
        by(&query(&world, &text).await, "rollouts_pod_template_hash")
    };
    let (all, failed) = (sums("").await, sums(",code=~\"5..\"").await);
    let share = |hash: &str| failed[hash] / all[hash];
    assert!((0.04..0.06).contains(&share(&canary)), "{}", share(&canary));
    assert!(share(&stable) < 0.006, "{}", share(&stable));
}

#[tokio::test]
async fn counters_never_go_down_and_fit_together() {
    let world = world_of(FAILING, 1.0).await;
    let lines = range(&world, "http_requests_total", 3_000, 7).await;
    // Four stable pods and, for a third of the time, two of the canary; three codes each.
    assert!(lines.len() >= 18, "{}", lines.len());
    for line in &lines {
        let values: Vec<f64> = line["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|point| number(&point[1]))
            .collect();
        assert!(values.is_sorted(), "{}", line["metric"]);
    }
    let now = jiff::Timestamp::now().as_second() - 60;
    let at = async |text: &str| {
        let reply = ask(
            &world,
            &format!("api/v1/query?query={}&time={now}", encoded(text)),
        )
        .await;
        by(&reply.json()["data"]["result"], "pod")
    };
    let codes = at("sum by (pod) (http_requests_total)").await;
    assert_eq!(codes, at("http_request_duration_seconds_count").await);
    assert_eq!(
        codes,
        at("http_request_duration_seconds_bucket{le=\"+Inf\"}").await
    );
    assert!(at("http_request_duration_seconds_bucket{le=\"0.25\"}").await < codes);
}

#[tokio::test]
async fn what_is_gone_is_absent_and_not_nothing() {
    let patience = Patience::new();
    let world = world_of(FAILING, 1000.0).await;
    let (canary, _) = hashes(&world, "catalog").await;
    let text = format!("http_requests_total{{rollouts_pod_template_hash=\"{canary}\"}}");
    assert!(!query(&world, &text).await.as_array().unwrap().is_empty());
    let path = format!("{ROLLOUTS}/catalog/status");
    patch(&world, &path, MERGE, &json!({"status": {"abort": true}})).await;
    while !query(&world, &text).await.as_array().unwrap().is_empty() {
        patience.once_more().await;
    }
    let before = range(&world, &text, 900, 15).await;
    assert_eq!(
        before.len(),
        6,
        "two pods, three codes: they are still there in the past"
    );
    assert_eq!(query(&world, "nothing_of_the_kind").await, json!([]));
    assert_eq!(
        query(&world, &format!("sum({text})")).await,
        json!([]),
        "empty is not zero"
    );
}

#[tokio::test]
async fn queries_are_answered_as_the_real_one_would() {
    let world = world_of(FAILING, 1.0).await;
    assert_eq!(query(&world, "vector(1)").await[0]["value"][1], "1");
    assert_eq!(
        by(&query(&world, "up{namespace=\"shop\"}").await, "pod").len(),
        6
    );
    let scalar = ask(&world, "api/v1/query?query=time()&time=1795215228.38")
        .await
        .json()["data"]
        .clone();
    assert_eq!(
        scalar,
        json!({"resultType": "scalar", "result": [1_795_215_228.38, "1795215228.38"]})
    );
    let refused = async |path: &str| {
        let reply = ask(&world, &format!("api/v1/{path}")).await;
        (
            reply.status,
            reply.json()["errorType"].as_str().unwrap().to_owned(),
        )
    };
    let bad = |status| {
        (
            status,
            if status == 400 {
                "bad_data"
            } else {
                "execution"
            }
            .to_owned(),
        )
    };
    assert_eq!(refused("query?query=up%2B1").await, bad(422));
    assert_eq!(refused("query?query=sum(").await, bad(400));
    assert_eq!(refused("query?query=up&time=yesterday").await, bad(400));
    assert_eq!(
        refused("query_range?query=up&start=0&end=11001&step=1").await,
        bad(400)
    );
    assert_eq!(
        refused("query_range?query=up&start=10&end=1&step=1").await,
        bad(400)
    );
    assert_eq!(
        refused("query_range?query=up&start=1&end=10&step=0").await,
        bad(400)
    );
    assert_eq!(refused("series").await, bad(400));
}

#[tokio::test]
async fn forms_ranges_and_lists_are_answered_as_the_real_one_would() {
    let world = world_of(FAILING, 1.0).await;
    let exactly = ask(
        &world,
        "api/v1/query_range?query=vector(1)&start=0&end=11000&step=1",
    )
    .await;
    assert_eq!(
        exactly.json()["data"]["result"][0]["values"]
            .as_array()
            .unwrap()
            .len(),
        11_001
    );
    let url = format!("{}/api/v1/query", world.prometheus());
    let form = ["content-type: application/x-www-form-urlencoded"];
    let posted = raw(
        &url,
        Method::POST,
        &form,
        "query=sum+by+%28code%29+%28http_requests_total%29",
    )
    .await
    .unwrap();
    assert_eq!(posted.json()["data"]["result"].as_array().unwrap().len(), 3);
    assert!(
        !world.requests().iter().any(Request::is_write),
        "a posted query is a read"
    );
    assert_eq!(raw(&url, Method::PUT, &[], "").await.unwrap().status, 405);
    assert_eq!(
        ask(&world, "api/v1/nope").await.body,
        "404 page not found\n"
    );
    assert_eq!(ask(&world, "-/ready").await.status, 200);
    let values =
        async |path: &str| ask(&world, &format!("api/v1/{path}")).await.json()["data"].clone();
    assert_eq!(
        values("label/code/values").await,
        json!(["200", "404", "500"])
    );
    assert_eq!(
        values("labels?match%5B%5D=up")
            .await
            .as_array()
            .unwrap()
            .len(),
        8
    );
    assert_eq!(
        values("series?match%5B%5D=up")
            .await
            .as_array()
            .unwrap()
            .len(),
        6
    );
    assert_eq!(values("targets").await["activeTargets"][0]["health"], "up");
    assert_eq!(values("status/buildinfo").await["version"], "3.5.3");
    assert_eq!(values("alerts").await["alerts"][0]["state"], "firing");
    assert_eq!(
        values("rules?type=alert").await["groups"][0]["rules"][0]["health"],
        "ok"
    );
}

#[tokio::test]
async fn a_server_whose_clock_is_wrong_stores_and_answers_by_it() {
    let world = world_of(FAILING, 1.0).await;
    world.inject("clock:-3600@prometheus".parse().unwrap());
    let answer = query(&world, "sum(http_requests_total)").await;
    let now = jiff::Timestamp::now().as_second();
    let said = answer[0]["value"][0].as_f64().unwrap();
    assert!(
        (f64::from(i32::try_from(now).unwrap()) - said - 3600.0).abs() < 30.0,
        "{said}"
    );
}

#[tokio::test]
async fn a_sample_says_when_it_was_taken() {
    let world = world_of(FAILING, 1.0).await;
    let now = jiff::Timestamp::now().as_second();
    let stamps = query(
        &world,
        "timestamp(http_requests_total{service=\"catalog\",code=\"200\"})",
    )
    .await;
    let stamps = stamps.as_array().unwrap();
    assert_eq!(stamps.len(), 6, "a line each");
    for line in stamps {
        assert!(line["metric"].get("__name__").is_none());
        let taken = number(&line["value"][1]);
        let age = f64::from(i32::try_from(now).unwrap()) - taken;
        assert!(
            (-5.0..=16.0).contains(&age),
            "pods are asked every fifteen seconds: {age}"
        );
    }
}

#[tokio::test]
async fn generated_services_are_counted_when_somebody_asks() {
    let world = World::start(Options {
        scenario: "canary".to_owned(),
        services: 300,
        ..Options::default()
    })
    .await
    .unwrap();
    let rates = query(
        &world,
        "sum by (service) (rate(http_requests_total{namespace=\"fleet\"}[5m]))",
    )
    .await;
    let rates = by(&rates, "service");
    assert_eq!(rates.len(), 300);
    assert!(
        rates.values().all(|rate| (1.0..40.0).contains(rate)),
        "{rates:?}"
    );
}
