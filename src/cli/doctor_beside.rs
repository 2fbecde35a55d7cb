//! `doctor` of what is beside the clusters: reachable, authorised, what may be done, clock difference, budget.

use serde_json::{Value, json};

use crate::{
    model::{id::EnvironmentName, pipeline::Repository, source::SourceState, text::Safe},
    providers::{
        alertmanager::read::Alertmanager,
        github,
        http::{Server, Trouble},
        prometheus::read::Prometheus,
    },
    runtime::{
        beside::{Besides, Host},
        clock::now,
    },
};

/// A clock that is further off than this makes ages and time limits wrong.
const CLOCK_MAY_DIFFER_MS: i64 = 2_000;

pub(super) async fn run(besides: &Besides) -> Vec<Value> {
    let mut sources = Vec::new();
    if let Some(host) = besides.github() {
        sources.push(ask_host(host, &besides.repositories()).await);
    }
    for (name, server) in besides.prometheuses() {
        sources.push(match server {
            Ok(server) => metrics(name, server).await,
            Err(why) => not_configured("prometheus", name.as_str(), why),
        });
    }
    for (name, server) in besides.alertmanagers() {
        sources.push(match server {
            Ok(server) => alerts(name, server).await,
            Err(why) => not_configured("alertmanager", name.as_str(), why),
        });
    }
    sources
}

fn not_configured(kind: &str, name: &str, why: &Safe) -> Value {
    json!({ "id": format!("{kind}/{name}"), "kind": kind, "state": SourceState::NotConfigured.word(), "detail": why })
}

fn failed(id: &str, kind: &str, trouble: &Trouble) -> Value {
    json!({ "id": id, "kind": kind, "state": trouble.state().word(), "detail": trouble.sentence() })
}

fn clock(ahead_ms: Option<i64>) -> Value {
    json!({
        "ahead_ms": ahead_ms,
        "differs": ahead_ms.map(|ms| ms.abs() > CLOCK_MAY_DIFFER_MS),
    })
}

fn budget(server: &Server) -> Value {
    let budget = server.budget();
    json!({
        "limit": budget.limit,
        "remaining": budget.remaining,
        "resets": budget.resets,
        "held_until": budget.held_until,
    })
}

async fn ask_host(host: &Host, repositories: &[Repository]) -> Value {
    let id = host.source.to_string();
    let server = match host.server().await {
        Ok(server) => server,
        Err(why) => {
            return json!({ "id": id, "kind": "github", "state": SourceState::Unauthorized.word(), "detail": why });
        }
    };
    let started = now();
    let (login, version) = match github::read::user(&server).await {
        Ok(user) => user,
        Err(trouble) => return failed(&id, "github", &trouble),
    };
    let millis = now().duration_since(started).as_millis();
    let mut access = Vec::new();
    for repository in repositories {
        let may = match github::read::repository_access(&server, repository).await {
            Ok(may) => {
                json!({ "repository": repository, "state": "live", "read": true, "write": may.push, "detail": null })
            }
            Err(trouble) => {
                json!({ "repository": repository, "state": trouble.state().word(), "read": false, "write": null, "detail": trouble.sentence() })
            }
        };
        access.push(may);
    }
    json!({
        "id": id,
        "kind": "github",
        "state": SourceState::Live.word(),
        "detail": null,
        "who": { "name": login },
        "server": version,
        "answered_ms": i64::try_from(millis).unwrap_or(i64::MAX),
        "clock": clock(server.ahead_ms()),
        "budget": budget(&server),
        "repositories": access,
    })
}

async fn metrics(name: &EnvironmentName, server: &Prometheus) -> Value {
    let id = format!("prometheus/{name}");
    let started = now();
    match server.meet().await {
        Ok(known) => json!({
            "id": id,
            "kind": "prometheus",
            "state": SourceState::Live.word(),
            "detail": null,
            "server": known.words,
            "answered_ms": i64::try_from(now().duration_since(started).as_millis()).unwrap_or(i64::MAX),
            "clock": clock(Some(known.ahead_ms)),
            "may": { "query": true },
        }),
        Err(failure) => {
            json!({ "id": id, "kind": "prometheus", "state": failure.kind.state().word(), "detail": failure.sentence })
        }
    }
}

async fn alerts(name: &EnvironmentName, server: &Alertmanager) -> Value {
    let id = format!("alertmanager/{name}");
    let started = now();
    match crate::providers::alertmanager::read::silences_and_alerts(server).await {
        Ok(facts) => json!({
            "id": id,
            "kind": "alertmanager",
            "state": SourceState::Live.word(),
            "detail": null,
            "alerts": facts.alerts.len(),
            "silences": facts.tells_all_silences().then_some(facts.silences.len()),
            "answered_ms": i64::try_from(now().duration_since(started).as_millis()).unwrap_or(i64::MAX),
            "clock": clock(server.http().ahead_ms()),
            // It has no permissions of its own: whoever can read can silence, unless a proxy says no.
            "may": { "read": true, "silence": null },
        }),
        Err(trouble) => failed(&id, "alertmanager", &trouble),
    }
}

/// The lines about one of these.
pub(super) fn text(source: &Value, lines: &mut Vec<String>) {
    let number = |pointer: &str| source.pointer(pointer).and_then(Value::as_i64);
    if let Some(server) = source.get("server").and_then(Value::as_str) {
        lines.push(format!("  {server}"));
    }
    if let Some(ahead) = number("/clock/ahead_ms") {
        let differs = source.pointer("/clock/differs") == Some(&Value::Bool(true));
        let words = if differs {
            format!(
                "  ITS CLOCK DIFFERS by {:.1} s",
                f64::from(i32::try_from(ahead).unwrap_or(i32::MAX)) / 1000.0
            )
        } else {
            format!("  clock: {ahead} ms ahead")
        };
        lines.push(words);
    }
    if let Some(remaining) = number("/budget/remaining") {
        lines.push(format!(
            "  budget: {remaining} of {} requests left",
            number("/budget/limit").map_or_else(|| "?".to_owned(), |limit| limit.to_string())
        ));
    }
    for repository in source
        .get("repositories")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let word = |name: &str| {
            repository
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let write = match repository.get("write") {
            Some(Value::Bool(true)) => "read and write",
            Some(Value::Bool(false)) => "read only",
            _ => word("detail"),
        };
        lines.push(format!("  {:<32}{write}", word("repository")));
    }
}
