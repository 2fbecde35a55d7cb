//! Alertmanager, as a client meets it.

use super::*;

async fn ask(world: &World, method: Method, path: &str, body: &str) -> Reply {
    let url = format!("{}/api/v2/{path}", world.alertmanager());
    raw(&url, method, &["content-type: application/json"], body)
        .await
        .unwrap()
}

async fn read(world: &World, path: &str) -> Value {
    let reply = ask(world, Method::GET, path, "").await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    reply.json()
}

fn named<'a>(alerts: &'a Value, name: &str) -> &'a Value {
    let mut all = alerts.as_array().unwrap().iter();
    all.find(|alert| alert["labels"]["alertname"] == name)
        .unwrap_or(&Value::Null)
}

fn silence(value: &str, minutes: i64) -> Value {
    let now = jiff::Timestamp::now();
    let ends = now + jiff::SignedDuration::from_mins(minutes);
    json!({"matchers": [{"name": "service", "value": value, "isRegex": false, "isEqual": true}],
        "startsAt": now.to_string(), "endsAt": ends.to_string(), "createdBy": "you", "comment": "backing out"})
}

#[tokio::test]
async fn the_morning_has_one_firing_one_inhibited_and_one_silenced() {
    let world = World::start(Options::default()).await.unwrap();
    let alerts = read(&world, "alerts").await;
    let errors = named(&alerts, "HighErrorRate");
    assert_eq!(errors["status"]["state"], "active");
    let labels = &errors["labels"];
    for (name, value) in [
        ("service", "images"),
        ("namespace", "shop"),
        ("severity", "critical"),
        ("environment", "prod-eu"),
    ] {
        assert_eq!(labels[name], value);
    }
    for note in ["summary", "description", "runbook_url"] {
        assert!(errors["annotations"][note].is_string(), "{note}");
    }
    let backlog = named(&alerts, "QueueBacklog");
    assert_eq!(
        backlog["status"]["inhibitedBy"],
        json!([errors["fingerprint"]])
    );
    let mails = named(&alerts, "MailQueueDeep");
    assert_eq!(mails["status"]["state"], "suppressed");
    let held = read(
        &world,
        &format!(
            "silence/{}",
            mails["status"]["silencedBy"][0].as_str().unwrap()
        ),
    )
    .await;
    assert_eq!(held["status"]["state"], "active");
    assert_eq!(
        named(&alerts, "LatencyP99High")["labels"]["service"],
        "checkout"
    );
    assert_eq!(
        named(&alerts, "Watchdog")["receivers"][0]["name"],
        "default"
    );
    let firing = read(&world, "alerts?silenced=false&inhibited=false&active=true").await;
    let names: Vec<&str> = firing
        .as_array()
        .unwrap()
        .iter()
        .map(|alert| alert["labels"]["alertname"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(
        read(&world, "alerts?active=maybe")
            .await
            .as_array()
            .unwrap()
            .len(),
        2,
        "no boolean is false"
    );
    let groups = read(&world, "alerts/groups?filter=severity%3Dcritical").await;
    let receivers: Vec<&Value> = groups
        .as_array()
        .unwrap()
        .iter()
        .map(|group| &group["receiver"]["name"])
        .collect();
    assert_eq!(
        receivers,
        ["pager", "shop-chat"],
        "one alert, a group for each receiver"
    );
}

#[tokio::test]
async fn an_alert_ends_when_the_bad_version_serves_nothing() {
    let world = world_of(FAILING, 1000.0).await;
    let alerts = read(&world, "alerts?filter=alertname%3DHighErrorRate").await;
    assert_eq!(alerts[0]["labels"]["service"], "catalog");
    let path = format!("{ROLLOUTS}/catalog/status");
    let aborted = patch(&world, &path, MERGE, &json!({"status": {"abort": true}})).await;
    assert_eq!(aborted.status, 200);
    let mut left = 1;
    let patience = Patience::new();
    while left > 0 {
        patience.once_more().await;
        left = read(&world, "alerts?filter=service%3Dcatalog")
            .await
            .as_array()
            .unwrap()
            .len();
    }
    assert!(named(&read(&world, "alerts").await, "Watchdog").is_object());
}

#[tokio::test]
async fn a_silence_keeps_its_id_only_while_its_matchers_and_its_beginning_stay() {
    let world = world_of(FAILING, 1.0).await;
    let post = async |body: &Value| {
        ask(&world, Method::POST, "silences", &body.to_string())
            .await
            .json()["silenceID"]
            .clone()
    };
    let first = post(&silence("catalog", 60)).await;
    let alerts = read(&world, "alerts?filter=service%3D%22catalog%22").await;
    assert_eq!(alerts[0]["status"]["silencedBy"], json!([first]));
    let mut longer = read(&world, &format!("silence/{}", first.as_str().unwrap())).await;
    longer["endsAt"] = silence("x", 120)["endsAt"].clone();
    assert_eq!(post(&longer).await, first);
    longer["matchers"][0]["value"] = json!("cart");
    let second = post(&longer).await;
    assert_ne!(second, first);
    let expired = read(&world, &format!("silence/{}", first.as_str().unwrap())).await;
    assert_eq!(expired["status"]["state"], "expired");
    assert_eq!(
        read(&world, "alerts?filter=service%3Dcatalog").await[0]["status"]["state"],
        "active"
    );
    assert_ne!(
        post(&silence("catalog", 5)).await,
        post(&silence("catalog", 5)).await,
        "twice is two"
    );
    let gone = ask(
        &world,
        Method::DELETE,
        &format!("silence/{}", second.as_str().unwrap()),
        "",
    )
    .await;
    assert_eq!((gone.status, gone.body.as_str()), (200, ""));
    let written = world
        .requests()
        .into_iter()
        .filter(Request::is_write)
        .count();
    assert_eq!(written, 6);
    assert!(
        world
            .requests()
            .iter()
            .all(|request| request.server == "alertmanager")
    );
}

#[tokio::test]
async fn refusals_are_as_recorded() {
    let world = world_of(FAILING, 1.0).await;
    let with = |edit: &dyn Fn(&mut Value)| {
        let mut body = silence("catalog", 60);
        edit(&mut body);
        body.to_string()
    };
    let remove =
        |name: &'static str| with(&move |body| drop(body.as_object_mut().unwrap().remove(name)));
    let cases = [
        (
            remove("createdBy"),
            422,
            "{\"code\":602,\"message\":\"createdBy in body is required\"}\n",
        ),
        (
            with(&|body| body["endsAt"] = json!("2020-01-01T00:00:00Z")),
            400,
            "\"Failed to create silence: end time can't be in the past\"\n",
        ),
        (
            with(&|body| {
                body["matchers"][0] = json!({"name": "a", "value": ".*", "isRegex": true});
            }),
            400,
            "\"invalid silence: matcher set 0: at least one matcher must not match the empty string\"\n",
        ),
        (
            with(&|body| body["matchers"][0] = json!({"name": "a", "value": "(", "isRegex": true})),
            400,
            "\"invalid silence: invalid label matcher 0 in set 0: invalid regular expression \\\"(\\\": error parsing \
             regexp: missing closing ): `(`\"\n",
        ),
        (
            with(&|body| body["id"] = json!("00000000-0000-4000-8000-000000000000")),
            404,
            "\"silence not found\"\n",
        ),
        (
            with(&|body| body["startsAt"] = json!(1_795_215_295)),
            400,
            "{\"code\":400,\"message\":\"parsing silence body from \\\"\\\" failed, because json: cannot unmarshal number \
             into Go value of type string\"}\n",
        ),
    ];
    for (body, status, message) in cases {
        let reply = ask(&world, Method::POST, "silences", &body).await;
        assert_eq!(
            (reply.status, reply.body.as_str()),
            (status, message),
            "{body}"
        );
    }
    let bad = ask(&world, Method::GET, "alerts?filter=service", "").await;
    assert_eq!(
        (bad.status, bad.body.as_str()),
        (400, "\"bad matcher format: service\"\n")
    );
    let no_id = ask(&world, Method::DELETE, "silence/nope", "").await;
    assert_eq!(
        no_id.body,
        "{\"code\":601,\"message\":\"silenceID in path must be of type uuid: \\\"nope\\\"\"}\n"
    );
    let unknown = ask(
        &world,
        Method::GET,
        "silence/00000000-0000-4000-8000-000000000000",
        "",
    )
    .await;
    assert_eq!((unknown.status, unknown.body.as_str()), (404, ""));
    assert_eq!(
        read(&world, "status").await["versionInfo"]["version"],
        "0.33.1"
    );
    assert_eq!(read(&world, "receivers").await[1]["name"], "pager");
}
