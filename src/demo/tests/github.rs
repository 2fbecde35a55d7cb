//! GitHub, as a client meets it.

use super::schema::Bundle;
use super::*;

/// One request with the demo's token; more headers as `name: value`.
pub(super) async fn ask(
    world: &World,
    method: Method,
    path: &str,
    headers: &[&str],
    body: &str,
) -> Reply {
    let url = if path.starts_with("http") {
        path.to_owned()
    } else {
        format!("{}{path}", world.github())
    };
    let mut all = vec!["user-agent: windlass", "authorization: Bearer demo"];
    all.extend(headers);
    raw(&url, method, &all, body).await.unwrap()
}

async fn read(world: &World, path: &str) -> Reply {
    ask(world, Method::GET, path, &[], "").await
}

fn of<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let mut lines = reply.head.lines();
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

const CART: &str = "/repos/acme/cart";

async fn waiting(world: &World) -> Value {
    let runs = read(world, &format!("{CART}/actions/runs?status=waiting"))
        .await
        .json();
    assert_eq!(runs["total_count"], 1);
    runs["workflow_runs"][0].clone()
}

#[tokio::test]
async fn a_gate_is_found_approved_and_the_version_released() {
    let world = world("gate", &[]).await;
    let run = waiting(&world).await;
    assert_eq!(run["head_branch"], "v2.3.0");
    let pending = format!("{CART}/actions/runs/{}/pending_deployments", run["id"]);
    let gates = read(&world, &pending).await.json();
    assert_eq!(gates[0]["environment"]["name"], "prod-eu");
    assert_eq!(gates[0]["current_user_can_approve"], true);
    assert_eq!(
        gates[0]["reviewers"][0]["reviewer"]["slug"],
        "release-managers"
    );
    let answer = |ids: Value| {
        json!({"environment_ids": ids, "state": "approved", "comment": "ship it"}).to_string()
    };
    let wrong = ask(&world, Method::POST, &pending, &[], &answer(json!([1]))).await;
    assert_eq!(wrong.status, 422);
    let body = answer(json!([gates[0]["environment"]["id"]]));
    let approved = ask(&world, Method::POST, &pending, &[], &body).await;
    assert_eq!(
        (approved.status, approved.json()[0]["sha"].clone()),
        (200, run["head_sha"].clone())
    );
    assert_eq!(
        ask(&world, Method::POST, &pending, &[], &body).await.status,
        422,
        "nothing is pending"
    );
    let path = format!("{ROLLOUTS}/cart");
    let mut watch = Watch::open(&world, &format!("{ROLLOUTS}?watch=1&resourceVersion=0")).await;
    watch
        .until(|event| {
            event["object"]["spec"]["template"]["spec"]["containers"][0]["image"]
                == "registry.example/shop/cart:v2.3.0"
        })
        .await;
    assert_eq!(get(&world, &path).await.status, 200);
    let approvals = read(
        &world,
        &format!("{CART}/actions/runs/{}/approvals", run["id"]),
    )
    .await
    .json();
    assert_eq!(approvals[0]["comment"], "ship it");
    let asked = world.requests();
    assert!(asked.iter().any(|request| request.server == "github"
        && request.is_write()
        && request.status == Some(200)));
}

#[tokio::test]
async fn only_the_demos_token_is_taken_and_a_name_must_be_given() {
    let world = world("gate", &[]).await;
    let url = format!("{}{CART}", world.github());
    let status = |headers: &'static [&'static str]| {
        let url = url.clone();
        async move { raw(&url, Method::GET, headers, "").await.unwrap() }
    };
    assert_eq!(status(&["authorization: Bearer demo"]).await.status, 403);
    let refused = status(&["user-agent: x", "authorization: Bearer ghp_real"]).await;
    assert_eq!(
        (refused.status, refused.json()["message"].clone()),
        (401, json!("Bad credentials"))
    );
    assert_eq!(status(&["user-agent: x"]).await.status, 401);
    assert_eq!(
        status(&["user-agent: x", "authorization: token demo"])
            .await
            .status,
        200
    );
    assert_eq!(read(&world, "/repos/acme/nothing").await.status, 404);
    assert_eq!(read(&world, "/repos/others/cart").await.status, 404);
    assert_eq!(read(&world, "/repos/acme/cart/").await.status, 404);
    let old = ask(
        &world,
        Method::GET,
        CART,
        &["x-github-api-version: 2019-01-01"],
        "",
    )
    .await;
    assert_eq!(old.status, 400);
}

#[tokio::test]
async fn what_has_not_changed_costs_nothing() {
    let world = world("gate", &[]).await;
    let path = format!("{CART}/actions/runs");
    let first = read(&world, &path).await;
    assert_eq!(of(&first, "x-ratelimit-remaining"), Some("4999"));
    // The test's own reading is in small letters, and a tag is compared byte for byte.
    let known = format!(
        "if-none-match: {}",
        of(&first, "etag").unwrap().replace("w/", "W/")
    );
    let again = ask(&world, Method::GET, &path, &[&known], "").await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    assert_eq!(of(&again, "x-ratelimit-remaining"), Some("4999"));
    let limit = read(&world, "/rate_limit").await.json();
    assert_eq!(limit["resources"]["core"]["used"], 1);
}

#[tokio::test]
async fn limits_are_said_as_github_says_them() {
    let world = world("gate", &["secondary:1", "forbidden:1@github+post"]).await;
    let too_much = read(&world, CART).await;
    assert_eq!(
        (too_much.status, of(&too_much, "retry-after")),
        (403, Some("60"))
    );
    assert!(too_much.body.contains("secondary rate limit"));
    let id = waiting(&world).await["id"].clone();
    let cancel = format!("{CART}/actions/runs/{id}/cancel");
    let forbidden = ask(&world, Method::POST, &cancel, &[], "").await;
    assert!(
        forbidden.status == 403
            && forbidden
                .body
                .contains("not accessible by personal access token")
    );
    world.inject("rate-limit:1".parse().unwrap());
    let spent = read(&world, CART).await;
    assert_eq!(
        (spent.status, of(&spent, "x-ratelimit-remaining")),
        (403, Some("0"))
    );
    assert!(of(&spent, "x-ratelimit-reset").is_some());
    world.inject("clock:7200".parse().unwrap());
    let late = read(&world, CART).await;
    assert_eq!(late.status, 200, "an hour later by its own clock");
    let date = of(&late, "date").unwrap();
    assert_ne!(
        date,
        of(&read(&world, "/versions").await, "x-none").unwrap_or_default()
    );
}

#[tokio::test]
async fn an_approval_can_take_effect_although_its_answer_is_lost() {
    let world = world("gate", &["lost-answer:1"]).await;
    let run = waiting(&world).await;
    let pending = format!("{CART}/actions/runs/{}/pending_deployments", run["id"]);
    let environment = read(&world, &pending).await.json()[0]["environment"]["id"].clone();
    let body =
        json!({"environment_ids": [environment], "state": "rejected", "comment": "no"}).to_string();
    let url = format!("{}{pending}", world.github());
    let headers = ["user-agent: windlass", "authorization: Bearer demo"];
    assert!(raw(&url, Method::POST, &headers, &body).await.is_none());
    let after = read(&world, &format!("{CART}/actions/runs/{}", run["id"]))
        .await
        .json();
    assert_eq!(
        (after["status"].clone(), after["conclusion"].clone()),
        (json!("completed"), json!("failure"))
    );
}

#[tokio::test]
async fn runs_are_cancelled_and_run_again_under_the_same_id() {
    let world = world("gate", &[]).await;
    let id = waiting(&world).await["id"].clone();
    let run = format!("{CART}/actions/runs/{id}");
    let post = async |verb: &str| {
        ask(&world, Method::POST, &format!("{run}/{verb}"), &[], "")
            .await
            .status
    };
    assert_eq!(post("rerun").await, 403, "it has not ended");
    assert_eq!(post("cancel").await, 202);
    let mut shown = read(&world, &run).await.json();
    let patience = Patience::new();
    while shown["status"] != "completed" {
        patience.once_more().await;
        shown = read(&world, &run).await.json();
    }
    assert_eq!(shown["conclusion"], "cancelled");
    assert_eq!(post("force-cancel").await, 409);
    assert_eq!(post("rerun").await, 201);
    let again = read(&world, &run).await.json();
    assert_eq!(
        (again["id"].clone(), again["run_attempt"].clone()),
        (id, json!(2))
    );
    assert_eq!(again["head_sha"], shown["head_sha"]);
    let first = read(&world, &format!("{run}/attempts/1")).await.json();
    assert_eq!(
        (first["run_attempt"].clone(), first["conclusion"].clone()),
        (json!(1), json!("cancelled"))
    );
}

#[tokio::test]
async fn pages_are_linked_by_the_repositorys_id() {
    let world = world("gate", &[]).await;
    let mut next = Some(format!("{CART}/actions/runs?per_page=2"));
    let mut seen = Vec::new();
    while let Some(path) = next {
        let reply = read(&world, &path).await;
        let body = reply.json();
        seen.extend(
            body["workflow_runs"]
                .as_array()
                .unwrap()
                .iter()
                .map(|run| run["id"].as_u64().unwrap()),
        );
        let link = of(&reply, "link").unwrap_or_default();
        next = link
            .split(", ")
            .find(|link| link.ends_with("rel=\"next\""))
            .map(|link| link.split(['<', '>']).nth(1).unwrap().to_owned());
        if let Some(next) = &next {
            assert!(next.contains("/repositories/"), "{next}");
        } else {
            assert_eq!(body["total_count"], seen.len());
        }
    }
    let newest_first = seen.windows(2).all(|pair| pair[0] > pair[1]);
    assert!(seen.len() > 5 && newest_first, "{seen:?}");
}

#[tokio::test]
async fn a_log_is_fetched_from_another_place_without_the_token() {
    let world = world("gate", &[]).await;
    let runs = read(
        &world,
        &format!("{CART}/actions/workflows/release.yml/runs?branch=v2.2.1"),
    )
    .await
    .json();
    let id = &runs["workflow_runs"][0]["id"];
    let jobs = read(&world, &format!("{CART}/actions/runs/{id}/jobs"))
        .await
        .json();
    let names: Vec<&str> = jobs["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["build", "test", "scan", "deploy", "smoke"]);
    let log = read(
        &world,
        &format!("{CART}/actions/jobs/{}/logs", jobs["jobs"][0]["id"]),
    )
    .await;
    assert_eq!(log.status, 302);
    let place = of(&log, "location").unwrap();
    assert!(!place.starts_with(&world.github()), "another origin");
    assert_eq!(
        raw(place, Method::GET, &["authorization: Bearer demo"], "")
            .await
            .unwrap()
            .status,
        400
    );
    let text = raw(place, Method::GET, &[], "").await.unwrap();
    assert_eq!(text.status, 200);
    assert!(text.body.contains("Z ##[group]Run docker build") && text.body.contains('\u{1b}'));
    let forged = place.replace("sig=", "sig=0");
    assert_eq!(
        raw(&forged, Method::GET, &[], "").await.unwrap().status,
        403
    );
    let running = waiting(&world).await;
    let jobs = read(
        &world,
        &format!("{CART}/actions/runs/{}/jobs", running["id"]),
    )
    .await
    .json();
    let gate = jobs["jobs"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (gate["name"].clone(), gate["status"].clone()),
        (json!("deploy"), json!("waiting"))
    );
    assert_eq!(
        read(&world, &format!("{CART}/actions/jobs/{}/logs", gate["id"]))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn the_current_version_is_the_deployment_that_succeeded_last() {
    let world = world("gate", &[]).await;
    let list = read(
        &world,
        &format!("{CART}/deployments?environment=prod-eu&per_page=100"),
    )
    .await
    .json();
    let all = list.as_array().unwrap();
    assert_eq!(all.len(), 4);
    let mut states = Vec::new();
    for deployment in all {
        let path = format!("{CART}/deployments/{}/statuses", deployment["id"]);
        states.push(read(&world, &path).await.json()[0]["state"].clone());
    }
    assert_eq!(states, ["waiting", "success", "success", "success"]);
    assert_eq!(all[1]["ref"], "v2.2.1");
    let between = read(&world, &format!("{CART}/compare/v2.2.1...v2.3.0"))
        .await
        .json();
    assert_eq!(between["status"], "ahead");
    assert_eq!(
        between["ahead_by"],
        between["commits"].as_array().unwrap().len()
    );
    let back = read(&world, &format!("{CART}/compare/v2.3.0...v2.2.1"))
        .await
        .json();
    assert_eq!(
        (back["status"].clone(), back["behind_by"].clone()),
        (json!("behind"), between["ahead_by"].clone())
    );
}

#[tokio::test]
async fn the_three_ways_from_a_service_to_its_pipeline_are_all_there() {
    let world = world("morning", &[]).await;
    let services = world.services();
    let link = |name: &str| services.iter().find(|link| link.name == name).unwrap();
    assert_eq!(
        link("checkout").repository.as_deref(),
        Some("acme/checkout")
    );
    assert_eq!(link("checkout").workflow.as_deref(), Some("release.yml"));
    assert_eq!(link("ledger").repository, None);
    let ledger = get(&world, &format!("{ROLLOUTS}/ledger")).await.json();
    assert_eq!(
        ledger["metadata"]["annotations"]["windlass.dev/repository"],
        "acme/ledger"
    );
    let sha = ledger["spec"]["template"]["metadata"]["annotations"]["windlass.dev/commit"]
        .as_str()
        .unwrap();
    let runs = read(
        &world,
        &format!("/repos/acme/ledger/actions/runs?head_sha={sha}"),
    )
    .await
    .json();
    assert_eq!(runs["workflow_runs"][0]["head_branch"], "v8.1.0");
    assert_eq!(link("orders-db").repository, None);
    assert_eq!(read(&world, "/repos/acme/orders-db").await.status, 404);
}

#[tokio::test]
async fn every_body_is_as_the_published_description_requires() {
    let Some(bundle) = Bundle::read() else {
        return;
    };
    let world = world("gate", &[]).await;
    let run = waiting(&world).await["id"].clone();
    let done = read(&world, &format!("{CART}/actions/runs?status=failure"))
        .await
        .json();
    assert!(done["total_count"].as_u64().is_some());
    let runs = format!("{CART}/actions/runs");
    let jobs = read(&world, &format!("{runs}/{run}/jobs")).await.json();
    let old = read(&world, &format!("{runs}?branch=v2.2.1")).await.json()["workflow_runs"][0]["id"]
        .clone();
    let deployment = read(&world, &format!("{CART}/deployments")).await.json()[0]["id"].clone();
    for (path, operation) in cases(&run, &old, &jobs, &deployment) {
        let reply = read(&world, &path).await;
        assert_eq!(reply.status, 200, "{path}");
        bundle.check(&format!("op:{operation}:200"), &reply.json(), &path);
    }
    let environment =
        read(&world, &format!("{CART}/environments")).await.json()["environments"][0]["id"].clone();
    let body = json!({"environment_ids": [environment], "state": "approved", "comment": ""});
    bundle.check(
        "op:actions/review-pending-deployments-for-run:request",
        &body,
        "what is posted",
    );
    let pending = format!("{runs}/{run}/pending_deployments");
    let reply = ask(&world, Method::POST, &pending, &[], &body.to_string()).await;
    bundle.check(
        "op:actions/review-pending-deployments-for-run:200",
        &reply.json(),
        &pending,
    );
}

/// What is asked for, and what the description calls it.
fn cases(
    run: &Value,
    old: &Value,
    jobs: &Value,
    deployment: &Value,
) -> Vec<(String, &'static str)> {
    let runs = format!("{CART}/actions/runs");
    vec![
        (CART.to_owned(), "repos/get"),
        (
            format!("{CART}/actions/workflows"),
            "actions/list-repo-workflows",
        ),
        (
            format!("{CART}/actions/workflows/release.yml"),
            "actions/get-workflow",
        ),
        (
            format!("{CART}/actions/workflows/release.yml/runs"),
            "actions/list-workflow-runs",
        ),
        (
            format!("{CART}/actions/workflows/ci.yml/runs"),
            "actions/list-workflow-runs",
        ),
        (runs.clone(), "actions/list-workflow-runs-for-repo"),
        (format!("{runs}/{run}"), "actions/get-workflow-run"),
        (
            format!("{runs}/{run}/attempts/1"),
            "actions/get-workflow-run-attempt",
        ),
        (
            format!("{runs}/{run}/jobs?filter=all"),
            "actions/list-jobs-for-workflow-run",
        ),
        (
            format!("{runs}/{old}/jobs"),
            "actions/list-jobs-for-workflow-run",
        ),
        (
            format!("{runs}/{run}/attempts/1/jobs"),
            "actions/list-jobs-for-workflow-run-attempt",
        ),
        (
            format!("{CART}/actions/jobs/{}", jobs["jobs"][0]["id"]),
            "actions/get-job-for-workflow-run",
        ),
        (
            format!("{runs}/{run}/pending_deployments"),
            "actions/get-pending-deployments-for-run",
        ),
        (
            format!("{runs}/{old}/approvals"),
            "actions/get-reviews-for-run",
        ),
        (format!("{CART}/environments"), "repos/get-all-environments"),
        (
            format!("{CART}/environments/prod-eu"),
            "repos/get-environment",
        ),
        (format!("{CART}/deployments"), "repos/list-deployments"),
        (
            format!("{CART}/deployments/{deployment}"),
            "repos/get-deployment",
        ),
        (
            format!("{CART}/deployments/{deployment}/statuses"),
            "repos/list-deployment-statuses",
        ),
        (
            format!("{CART}/compare/v2.2.0...v2.3.0"),
            "repos/compare-commits-with-basehead",
        ),
        (format!("{CART}/commits/v2.3.0"), "repos/get-commit"),
        (format!("{CART}/tags"), "repos/list-tags"),
        (format!("{CART}/releases"), "repos/list-releases"),
        (
            format!("{CART}/releases/latest"),
            "repos/get-latest-release",
        ),
        (
            format!("{CART}/releases/tags/v2.2.0"),
            "repos/get-release-by-tag",
        ),
        ("/user".to_owned(), "users/get-authenticated"),
        ("/rate_limit".to_owned(), "rate-limit/get"),
        ("/versions".to_owned(), "meta/get-all-versions"),
    ]
}
