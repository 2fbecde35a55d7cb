//! The demo's Prometheus answers what the program asks of it, exactly, and nothing that it does not know.

use std::fs;

use serde_json::{Value, json};

use super::served::Served;
use crate::screen::harness::Program;

#[test]
fn every_query_that_the_program_asks_is_answered() {
    let home = tempfile::tempdir().unwrap();
    let requests = home.path().join("requests.jsonl");
    let arguments = [
        "demo",
        "--scenario",
        "canary",
        "--speed",
        "20",
        "--requests",
    ];
    let mut arguments: Vec<String> = arguments.map(str::to_owned).into();
    arguments.push(requests.display().to_string());
    let program = Program {
        columns: 120,
        rows: 36,
        arguments,
        variables: Vec::new(),
    };
    let mut windlass = program.start(home, requests.clone());
    windlass.until_live();
    windlass.key("\r");
    let asked = || -> Vec<Value> {
        let text = fs::read_to_string(&requests).unwrap();
        let all = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        all.filter(|request| request["server"] == "prometheus")
            .collect()
    };
    let is_query = |request: &&Value| {
        request["path"]
            .as_str()
            .unwrap()
            .starts_with("/api/v1/query")
    };
    // The program draws at least once a second, so what arrived is looked at again and again.
    windlass.until_screen("it has asked for numbers", |_| {
        asked().iter().filter(is_query).count() > 4
    });
    for request in asked() {
        assert_eq!(request["status"], 200, "{request:#}");
    }
    windlass.key("q");
}

#[test]
fn a_query_that_it_does_not_know_is_refused_in_the_envelope_of_the_real_one() {
    let served = Served::start(&["--scenario", "canary"]);
    for query in [
        "up%2B1",
        "avg(up)",
        "topk(3,up)",
        "histogram_quantile(0.9,up)",
        "up%20offset%205m",
    ] {
        let (status, body) = served.get("prometheus", &format!("/api/v1/query?query={query}"), &[]);
        assert_eq!(status, 422, "{query}: {body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            body,
            json!({"status": "error", "errorType": "execution", "error": "the demo world does not know this query"})
        );
    }
    let (status, body) = served.get("prometheus", "/api/v1/query?query=vector(1)&time=7", &[]);
    assert_eq!(status, 200);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        body,
        json!({"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [7, "1"]}]}})
    );
}
