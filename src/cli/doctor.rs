//! `doctor`: what is reachable, who we are there, what we may do, and where this program keeps its things.

use serde_json::{Value, json};

use super::{doctor_beside, exit::Exit, out::Out};
use crate::{
    model::{
        id::Namespace,
        source::{Answer, SourceState},
        text::sanitise,
    },
    providers::kubernetes::{access, client::ApiPath},
    runtime::{
        audit,
        clock::now,
        cluster::Cluster,
        session::{Ready, Session},
    },
};

pub(super) async fn run(session: &Session, out: &mut Out) -> Exit {
    let (exit, object) = look(session).await;
    out.result(&object, || text(&object));
    exit
}

/// Everything that is found, as `windlass.doctor/1`, and how the command ends with it.
pub(super) async fn look(session: &Session) -> (Exit, Value) {
    let mut sources = Vec::new();
    let mut exit = Exit::Done;
    for ready in &session.environments {
        let source = match &ready.cluster {
            Ok(cluster) => ask(ready, cluster).await,
            Err(why) => {
                json!({ "id": format!("kubernetes/{}", ready.name), "state": SourceState::NotConfigured.word(), "detail": why })
            }
        };
        if source.get("state").and_then(Value::as_str) != Some(SourceState::Live.word()) {
            exit = Exit::Unreachable;
        }
        sources.push(source);
    }
    for source in doctor_beside::run(&session.besides).await {
        if source.get("state").and_then(Value::as_str) != Some(SourceState::Live.word()) {
            exit = Exit::Unreachable;
        }
        sources.push(source);
    }
    let log = match audit::verify(&session.state_dir) {
        Ok(verified) => {
            json!({ "path": session.state_dir, "records": verified.records, "whole": true })
        }
        Err(error) => {
            json!({ "path": session.state_dir, "whole": false, "detail": error.to_string() })
        }
    };
    let open: Vec<String> = audit::open_intents(&session.state_dir)
        .unwrap_or_default()
        .iter()
        .map(crate::runtime::start::open_words)
        .collect();
    let object = json!({
        "schema": "windlass.doctor/1",
        "at": now(),
        "version": env!("CARGO_PKG_VERSION"),
        "sources": sources,
        "audit": log,
        "open_intents": open,
        "warnings": session.warnings,
    });
    (exit, object)
}

async fn ask(ready: &Ready, cluster: &Cluster) -> Value {
    let client = &cluster.client;
    let id = format!("kubernetes/{}", ready.name);
    let plugin = client.plugin().map(sanitise);
    let started = now();
    let version = client.get::<Value>(&ApiPath::new(&["version"])).await;
    let millis = i64::try_from(now().duration_since(started).as_millis()).unwrap_or(i64::MAX);
    let server = match version {
        Ok(version) => version
            .get("gitVersion")
            .and_then(Value::as_str)
            .unwrap_or("unknown")
            .to_owned(),
        Err(error) => {
            return json!({ "id": id, "state": error.state().word(), "detail": error.sentence(), "context": ready.context, "tier": ready.tier.word(), "plugin": plugin });
        }
    };
    let who = match access::who(client).await {
        Ok(who) => json!({ "name": who.name, "groups": who.groups }),
        Err(error) => json!({ "name": cluster.user, "groups": null, "detail": error.sentence() }),
    };
    let rollouts = client
        .get_bytes(&ApiPath::new(&["apis", "argoproj.io", "v1alpha1"]))
        .await
        .is_ok();
    let namespaces = cluster
        .namespaces
        .clone()
        .unwrap_or_else(|| vec![Namespace::new(client.namespace())]);
    let mut may = Vec::new();
    for namespace in &namespaces {
        let access = cluster.access(namespace).await;
        let answers: serde_json::Map<String, Value> = access
            .answers
            .iter()
            .map(|(need, answer)| {
                let word = match answer {
                    Answer::Allowed => "allowed".to_owned(),
                    Answer::Denied => "denied".to_owned(),
                    Answer::NotAnswered(why) => format!("not answered: {}", &**why),
                };
                (need.words().to_owned(), Value::String(word))
            })
            .collect();
        may.push(json!({ "namespace": namespace, "may": answers }));
    }
    json!({
        "id": id,
        "state": SourceState::Live.word(),
        "detail": null,
        "context": ready.context,
        "tier": ready.tier.word(),
        "server": server,
        "answered_ms": millis,
        "tls_verified": !ready.insecure,
        "plugin": plugin,
        "who": who,
        "argo_rollouts": rollouts,
        "access": may,
    })
}

/// For people.
pub(super) fn text(object: &Value) -> String {
    let mut lines = Vec::new();
    for source in object
        .get("sources")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let word = |name: &str| source.get(name).and_then(Value::as_str).unwrap_or_default();
        lines.push(
            format!("{}  {}  {}", word("id"), word("state"), word("detail"))
                .trim_end()
                .to_owned(),
        );
        if source.get("context").is_none() {
            if let Some(who) = source.pointer("/who/name").and_then(Value::as_str) {
                lines.push(format!("  you are {who}"));
            }
            doctor_beside::text(source, &mut lines);
        } else if let Some(who) = source.pointer("/who/name").and_then(Value::as_str) {
            lines.push(format!(
                "  you are {who}, tier {}, server {}",
                word("tier"),
                word("server")
            ));
            let rollouts = source.get("argo_rollouts") == Some(&Value::Bool(true));
            lines.push(format!(
                "  Argo Rollouts: {}",
                if rollouts {
                    "yes"
                } else {
                    "no, an ordinary cluster"
                }
            ));
        }
        if let Some(plugin) = source.get("plugin").and_then(Value::as_str) {
            lines.push(format!("  its login comes from the program {plugin}"));
        }
        if source.get("tls_verified") == Some(&Value::Bool(false)) {
            lines.push("  TLS IS NOT VERIFIED (insecure-skip-tls-verify)".to_owned());
        }
        for access in source
            .get("access")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            lines.push(format!(
                "  in {}:",
                access
                    .get("namespace")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            ));
            for (need, answer) in access
                .get("may")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                lines.push(format!(
                    "    {:<24}{}",
                    need,
                    answer.as_str().unwrap_or_default()
                ));
            }
        }
    }
    if let Some(path) = object.pointer("/audit/path").and_then(Value::as_str) {
        let whole = object.pointer("/audit/whole") == Some(&Value::Bool(true));
        let records = object
            .pointer("/audit/records")
            .and_then(Value::as_u64)
            .unwrap_or(0);
        lines.push(format!(
            "audit log in {path}: {}",
            if whole {
                format!("{records} records, chain whole")
            } else {
                "NOT WHOLE: windlass audit verify says where".to_owned()
            }
        ));
    }
    for key in ["open_intents", "warnings"] {
        for words in object
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            lines.push(words.to_owned());
        }
    }
    lines.join("\n")
}
