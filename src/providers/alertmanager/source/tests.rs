//! The source against a server on loopback, turn by turn, so that nothing waits for a clock.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri, header},
    response::IntoResponse,
};
use jiff::Timestamp;

use super::*;
use crate::{
    model::source::{SourceHealth, SourceState},
    providers::{
        alertmanager::read::limits,
        http::{Credential, Server},
    },
};

#[derive(Clone)]
struct Fake(Arc<Mutex<(u16, &'static str)>>);

async fn answer(State(fake): State<Fake>, uri: Uri) -> impl IntoResponse {
    let (status, alerts) = *fake.0.lock().unwrap();
    let body = match uri.path() {
        "/api/v2/alerts" => alerts,
        "/api/v2/status" => r#"{"cluster":{"status":"ready"},"versionInfo":{"version":"0.27.0"}}"#,
        _ => "[]",
    };
    let json = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::from_u16(status).unwrap(), json, body)
}

struct World {
    fake: Fake,
    source: Source,
    tidings: mpsc::Receiver<Vec<Tidings>>,
    known: Option<(Known, Instant)>,
    pace: Pace,
}

impl World {
    async fn new() -> Self {
        let fake = Fake(Arc::new(Mutex::new((200, "[]"))));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let now = || Timestamp::from_second(1_795_215_230).unwrap();
        let http = Server::new(&base, Credential::None, limits(), Arc::new(now)).unwrap();
        let server = Alertmanager::new("alertmanager/prod".into(), "prod".into(), http);
        let (out, tidings) = mpsc::channel(8);
        Self {
            fake,
            source: Source {
                pulse: Pulse::new(server.http().now()),
                heartbeats: BTreeSet::new(),
                server_told: None,
                server,
                out,
            },
            tidings,
            known: None,
            pace: Pace::seeded(3),
        }
    }

    async fn turn(&mut self, status: u16, alerts: &'static str) -> (Vec<Told>, Duration) {
        *self.fake.0.lock().unwrap() = (status, alerts);
        let wait = self.source.turn(&mut self.known, &mut self.pace).await;
        let batch = self.tidings.recv().await.unwrap();
        let told = batch.into_iter().map(|one| one.fact).collect();
        (told, wait.unwrap())
    }
}

fn facts(told: &[Told]) -> Arc<IncidentFacts> {
    let found = told.iter().find_map(|told| match told {
        Told::Incidents(facts) => Some(Arc::clone(facts)),
        _ => None,
    });
    found.expect("nothing was told of incidents")
}

fn health(told: &[Told]) -> SourceHealth {
    let found = told.iter().find_map(|told| match told {
        Told::Health(health) => Some(health.clone()),
        _ => None,
    });
    found.expect("no health was told")
}

const WATCHDOG: &str =
    r#"[{"fingerprint":"w","labels":{"alertname":"Watchdog"},"status":{"state":"active"}}]"#;

#[tokio::test]
async fn a_heartbeat_that_stopped_is_warned_of_and_one_that_never_was_is_not() {
    let mut world = World::new().await;
    let (told, _) = world.turn(200, "[]").await;
    assert!(facts(&told).warnings.is_empty());
    let (told, _) = world.turn(200, WATCHDOG).await;
    assert!(facts(&told).warnings.is_empty());
    let (told, _) = world.turn(200, "[]").await;
    let warnings = facts(&told).warnings.clone();
    assert!(warnings[0].starts_with("Watchdog"), "{warnings:?}");
    assert_eq!(health(&told).detail, warnings[0]);
    let (told, _) = world.turn(200, WATCHDOG).await;
    assert!(facts(&told).warnings.is_empty());
}

#[tokio::test]
async fn a_failure_is_told_and_what_was_heard_before_keeps_its_age() {
    let mut world = World::new().await;
    let (told, wait) = world.turn(200, "[]").await;
    assert!(
        told.iter()
            .any(|told| matches!(told, Told::Server(words) if words == "Alertmanager 0.27.0"))
    );
    assert!((12..=18).contains(&wait.as_secs()), "{wait:?}");
    let heard = health(&told).heard;
    assert!(heard.is_some());
    let (told, wait) = world.turn(503, "upstream").await;
    assert!(!told.iter().any(|told| matches!(told, Told::Incidents(_))));
    assert_eq!(health(&told).state, SourceState::Unreachable);
    assert_eq!(health(&told).heard, heard);
    let (_, longer) = world.turn(503, "upstream").await;
    assert!(longer > wait, "{wait:?}, {longer:?}");
    let (told, _) = world.turn(200, WATCHDOG).await;
    assert_eq!(health(&told).state, SourceState::Live);
    assert_eq!(facts(&told).alerts.len(), 1);
}

#[tokio::test]
async fn a_web_page_is_not_an_empty_list_of_alerts() {
    let mut world = World::new().await;
    let (told, _) = world
        .turn(200, "<!doctype html><title>Log in</title>")
        .await;
    assert_eq!(health(&told).state, SourceState::Malformed);
    let (told, _) = world.turn(200, r#"{"status":"deprecated"}"#).await;
    assert_eq!(health(&told).state, SourceState::Malformed);
}

#[tokio::test]
async fn it_ends_when_nobody_listens() {
    let world = World::new().await;
    let (out, tidings) = mpsc::channel(8);
    let source = tokio::spawn(run(world.source.server.clone(), out, Beat::default()));
    drop(tidings);
    source.await.unwrap();
}
