//! An analysis of the real controller that asks a real Prometheus: it passes, then it fails, and both are shown as they
//! are, beside the numbers that the program counts for itself.

use std::path::Path;

use serde_json::json;

use super::{
    monitoring::programs::{Exporter, Program as Server, are_installed, start_prometheus},
    objects::{canary_object, word},
    program::User,
    world::{World, shared},
};
use crate::screen::harness::{Program, Windlass};

const NAME: &str = "analysed";

/// What each version has counted so far: requests, and how many of them failed.
struct Counted {
    canary: (u64, u64),
    stable: (u64, u64),
}

fn page(canary: &str, stable: &str, counted: &Counted) -> String {
    let of = |hash: &str, (all, bad): (u64, u64)| {
        let line = |code: u16, count: u64| {
            format!(
                "http_requests_total{{namespace=\"shop\",app=\"{NAME}\",rollouts_pod_template_hash=\"{hash}\",code=\"{code}\"}} {count}\n"
            )
        };
        line(200, all - bad) + &line(500, bad)
    };
    format!(
        "# TYPE http_requests_total counter\n{}{}",
        of(canary, counted.canary),
        of(stable, counted.stable)
    )
}

/// Three measurements, a second apart; one that fails is one too many.
fn create_template(world: &World, server: &Server) {
    let of_canary = r#"rollouts_pod_template_hash="{{args.canary}}""#;
    world.api.create(&json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": { "name": "errors", "namespace": "shop" },
        "spec": {
            "args": [{ "name": "canary" }],
            "metrics": [{
                "name": "error-share",
                "interval": "1s",
                "count": 3,
                "failureLimit": 0,
                "successCondition": "result[0] <= 0.05",
                "provider": { "prometheus": {
                    "address": server.base(),
                    "query": format!(
                        "sum(http_requests_total{{{of_canary},code=~\"5..\"}}) / sum(http_requests_total{{{of_canary}}})"
                    ),
                } },
            }],
        },
    }));
}

fn create_rollout(world: &World) {
    let mut rollout = canary_object("shop", NAME);
    let analysis = json!({ "analysis": {
        "templates": [{ "templateName": "errors" }],
        "args": [{ "name": "canary", "valueFrom": { "podTemplateHashValue": "Latest" } }],
    } });
    rollout["spec"]["strategy"]["canary"]["steps"] = json!([
        { "setWeight": 25 }, { "pause": {} }, analysis.clone(),
        { "setWeight": 50 }, { "pause": {} }, analysis,
        { "setWeight": 75 }, { "pause": {} },
    ]);
    world.api.create(&rollout);
}

/// The program at the release, with that Prometheus beside the cluster.
fn open(world: &World, server: &Server, home: tempfile::TempDir) -> Windlass {
    let config = home.path().join("windlass.toml");
    let text = format!(
        "[environments.real]\ntier = \"prod\"\nprometheus = {{ url = \"{}\" }}\n",
        server.base()
    );
    std::fs::write(&config, text).unwrap();
    let variable = |name: &str, value: &Path| (name.to_owned(), value.display().to_string());
    let requests = home.path().join("none");
    Program {
        columns: 160,
        rows: 48,
        arguments: vec!["open".to_owned(), format!("real/shop/{NAME}")],
        variables: vec![
            variable("KUBECONFIG", &world.kubeconfig("operator")),
            variable("WINDLASS_CONFIG", &config),
            variable("WINDLASS_STATE", &home.path().join("state")),
        ],
    }
    .start(home, requests)
}

#[tokio::test]
async fn an_analysis_that_asks_prometheus_passes_and_fails_and_is_shown_as_it_is() {
    let Some(world) = shared() else { return };
    if !are_installed() {
        return;
    }
    let exporter = Exporter::start();
    exporter.add("shop", &[]);
    let server = start_prometheus(&exporter, None);
    create_template(world, &server);
    create_rollout(world);
    let subject = super::objects::Subject {
        api: world.api,
        namespace: "shop",
        name: NAME,
    };
    subject.until_healthy();
    subject.release("v2");
    let at_pause = subject.until_paused_at(1);
    let (canary, stable) = (
        word(&at_pause, "/status/currentPodHash"),
        word(&at_pause, "/status/stableRS"),
    );
    let count = async |counted: Counted| {
        exporter
            .let_fetch("shop", page(&canary, &stable, &counted))
            .await;
    };
    // A first count is no increase: what is counted begins after it.
    count(Counted {
        canary: (0, 0),
        stable: (0, 0),
    })
    .await;
    count(Counted {
        canary: (500, 10),
        stable: (1500, 15),
    })
    .await;

    let user = User::operator(world);
    user.act(&format!("promote {NAME} --confirm real"))
        .observed();
    subject.until_paused_at(4);
    let mut screen = open(world, &server, tempfile::tempdir().unwrap());
    // What the program counted for itself: both versions, in numbers and not only in shares.
    screen.until("10 / 500");
    screen.until("15 / 1\u{2009}500");
    // Past the incidents and the pods.
    screen.key("\t\t\t");
    screen.until("Successful");
    screen.until("✔3/3");
    screen.until("[0.02]");

    count(Counted {
        canary: (1000, 410),
        stable: (3000, 30),
    })
    .await;
    // The way on leads through an analysis that fails at once.
    user.run(&format!(
        "promote {NAME} --confirm real --write --json --no-wait"
    ))
    .exits(0);
    subject.until_phase("Degraded");
    screen.until("Failed");
    screen.until("✖1");
    screen.until("[0.41]");
    screen.until("aborted");
    let told = user.run(&format!("status {NAME} --json")).json();
    let rollout = &told["releases"][0]["rollout"];
    assert_eq!(rollout["aborted"], json!(true), "{rollout}");
    assert_eq!(rollout["phase"], json!("degraded"), "{rollout}");
    assert!(world.is_aborted(NAME), "{}", world.verdict(NAME));
    screen.key("q");
    assert_eq!(screen.ended().exit_code(), 0);
}
