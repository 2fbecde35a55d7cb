//! What is asked of a Prometheus, held against its own description of its API: by a server on loopback that writes down
//! the questions, and answers some of them in the way of proxies.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{Method, StatusCode, Uri, header},
    response::IntoResponse,
};
use jiff::Timestamp;
use windlass::{
    model::{
        id::{ReleaseId, WorkloadKind},
        metrics::{About, Compared, MetricsWanted, Reading},
    },
    providers::{
        http::{Credential, Server},
        prometheus::{
            queries::Asked,
            read::{Prometheus, limits},
        },
    },
};

use super::{folder, yaml};

#[derive(Clone, Debug)]
struct Question {
    method: Method,
    path: String,
    fields: BTreeMap<String, String>,
}

#[derive(Clone, Default)]
struct Fake {
    asked: Arc<Mutex<Vec<Question>>>,
    /// A proxy that lets only reading pass.
    only_get: bool,
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut hex = || char::from(rest.next().unwrap()).to_digit(16).unwrap();
        bytes.push(match byte {
            b'%' => u8::try_from(hex() * 16 + hex()).unwrap(),
            b'+' => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

async fn answer(
    State(fake): State<Fake>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> impl IntoResponse {
    let form = match method {
        Method::POST => String::from_utf8(body.to_vec()).unwrap(),
        _ => uri.query().unwrap_or_default().to_owned(),
    };
    let fields = form
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), decoded(value)))
        .collect();
    fake.asked.lock().unwrap().push(Question {
        method: method.clone(),
        path: uri.path().to_owned(),
        fields,
    });
    let json = [(header::CONTENT_TYPE, "application/json")];
    if fake.only_get && method == Method::POST {
        return (
            StatusCode::FORBIDDEN,
            json,
            r#"{"message":"read only"}"#.to_owned(),
        );
    }
    let data = match uri.path() {
        "/prefix/api/v1/query" => {
            r#"{"resultType":"vector","result":[{"metric":{},"value":[1795215230.5,"1"]}]}"#
        }
        "/prefix/api/v1/query_range" => r#"{"resultType":"matrix","result":[]}"#,
        "/prefix/api/v1/status/buildinfo" => r#"{"version":"3.5.3","goVersion":"go1"}"#,
        "/prefix/api/v1/targets" => {
            r#"{"activeTargets":[{"labels":{"namespace":"shop"},"scrapeInterval":"5s"}]}"#
        }
        _ => {
            let text = [(header::CONTENT_TYPE, "text/plain")];
            return (
                StatusCode::NOT_FOUND,
                text,
                "404 page not found\n".to_owned(),
            );
        }
    };
    (
        StatusCode::OK,
        json,
        format!(r#"{{"status":"success","data":{data}}}"#),
    )
}

async fn prometheus(fake: Fake, prefix: &str) -> Prometheus {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}{prefix}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(fake);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let now = || Timestamp::from_second(1_795_215_230).unwrap();
    let server = Server::new(&base, Credential::None, limits(), Arc::new(now)).unwrap();
    Prometheus::new("prometheus/prod".into(), server)
}

fn asked() -> Asked {
    let wanted = MetricsWanted {
        release: ReleaseId {
            environment: "prod".into(),
            namespace: "shop".into(),
            kind: WorkloadKind::ArgoRollout,
            name: "checkout".into(),
        },
        about: About::CanaryAndStable {
            canary: "7f9b5d6c8".into(),
            stable: "6d4f8c7b9".into(),
        },
        since: Timestamp::from_second(1_795_214_030).unwrap(),
        closely: true,
    };
    Asked::new(wanted, None)
}

#[tokio::test]
async fn questions_are_those_of_the_description_and_complete_answers_are_insisted_on() {
    let Some(folder) = folder("monitoring/prometheus") else {
        return;
    };
    let api = yaml(&folder.join("openapi-3.1-prometheus-3.14.yaml"));
    let fake = Fake::default();
    let server = prometheus(fake.clone(), "/prefix").await;
    let known = server.meet().await.unwrap();
    assert_eq!(known.words.as_deref(), Some("Prometheus 3.5.3"));
    assert!((450..=550).contains(&known.ahead_ms), "{}", known.ahead_ms);
    let told = server.read(&known, &asked()).await.unwrap();
    let Compared::CanaryAndStable { canary, .. } = told.compared else {
        panic!("not compared")
    };
    assert_eq!(canary.errors, Reading::Empty);
    // Of Thanos, and ignored by the others.
    let others = BTreeSet::from(["partial_response", "max_source_resolution"]);
    let questions = fake.asked.lock().unwrap().clone();
    let mut ranges = 0;
    for question in &questions {
        let path = question.path.strip_prefix("/prefix/api/v1").unwrap();
        let method = question.method.as_str().to_lowercase();
        let operation = &api["paths"][path][&method];
        assert!(operation.is_object(), "{method} {path}");
        let body = &operation["requestBody"]["content"]["application/x-www-form-urlencoded"];
        let Some(reference) = body["schema"]["$ref"].as_str() else {
            continue;
        };
        let schema = api.pointer(reference.strip_prefix('#').unwrap()).unwrap();
        for needed in schema["required"].as_array().unwrap() {
            assert!(
                question.fields.contains_key(needed.as_str().unwrap()),
                "{path}: {needed}"
            );
        }
        for name in question.fields.keys() {
            let known = schema["properties"][name].is_object() || others.contains(name.as_str());
            assert!(known, "{path}: {name}");
        }
        if path == "/query_range" {
            ranges += 1;
            assert_eq!(question.fields["partial_response"], "false");
            assert_eq!(question.fields["timeout"], "11000ms");
            assert_eq!(question.fields["step"], "10");
            assert_eq!(question.fields["lookback_delta"], "13s");
        }
    }
    assert_eq!(ranges, 4, "all and a part of it, twice");
}

#[tokio::test]
async fn where_only_reading_is_let_through_the_question_goes_into_the_address() {
    let fake = Fake {
        only_get: true,
        ..Fake::default()
    };
    let server = prometheus(fake.clone(), "/prefix").await;
    let known = server.meet().await.unwrap();
    server.read(&known, &asked()).await.unwrap();
    let questions = fake.asked.lock().unwrap().clone();
    let forms = questions
        .iter()
        .filter(|one| one.method == Method::POST)
        .count();
    assert_eq!(forms, 1, "the first is refused, and no other is tried");
    assert!(questions.iter().any(|one| {
        one.fields.get("query").is_some_and(|query| {
            query.contains(r#"{namespace="shop",rollouts_pod_template_hash=~"7f9b5d6c8|6d4f8c7b9""#)
        })
    }));
}

#[tokio::test]
async fn a_missing_prefix_is_said_instead_of_an_empty_pane() {
    let server = prometheus(Fake::default(), "").await;
    let failure = server.meet().await.unwrap_err();
    assert!(failure.sentence.contains("prefix"), "{}", failure.sentence);
}
