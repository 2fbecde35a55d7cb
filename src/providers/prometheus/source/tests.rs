//! The source against a server on loopback. Nothing waits for a clock: what is told is waited for.

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
    model::{
        id::{ReleaseId, WorkloadKind},
        metrics::{About, Compared, Reading},
        source::SourceState,
    },
    providers::{
        http::{Credential, Server},
        prometheus::read::limits,
    },
};

const NOW: i64 = 1_795_215_230;

#[derive(Clone, Default)]
struct Fake {
    status: u16,
    /// A gateway that gives up on everything but the easiest.
    is_slow: bool,
    asked: Arc<Mutex<Vec<String>>>,
}

async fn answer(State(fake): State<Fake>, uri: Uri) -> impl IntoResponse {
    fake.asked.lock().unwrap().push(uri.path().to_owned());
    let status = StatusCode::from_u16(fake.status).unwrap();
    if !status.is_success() {
        let text = [(header::CONTENT_TYPE, "text/plain")];
        return (status, text, "Unauthorized\n".to_owned());
    }
    if fake.is_slow && uri.path() == "/api/v1/query_range" {
        let html = [(header::CONTENT_TYPE, "text/html")];
        return (StatusCode::GATEWAY_TIMEOUT, html, "<h1>504</h1>".to_owned());
    }
    let data = match uri.path() {
        "/api/v1/query" => {
            r#"{"resultType":"vector","result":[{"metric":{},"value":[1795215230,"1"]}]}"#
        }
        "/api/v1/query_range" => r#"{"resultType":"matrix","result":[]}"#,
        "/api/v1/targets" => r#"{"activeTargets":[{"scrapeInterval":"15s"}]}"#,
        _ => r#"{"version":"3.5.3","goVersion":"go1"}"#,
    };
    let json = [(header::CONTENT_TYPE, "application/json")];
    let body = format!(r#"{{"status":"success","data":{data}}}"#);
    (status, json, body)
}

async fn server(fake: Fake) -> Prometheus {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(fake);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let now = || Timestamp::from_second(NOW).unwrap();
    let http = Server::new(&base, Credential::None, limits(), Arc::new(now)).unwrap();
    Prometheus::new("prometheus/prod".into(), http)
}

fn asked(name: &str) -> Asked {
    let wanted = MetricsWanted {
        release: ReleaseId {
            environment: "prod".into(),
            namespace: "shop".into(),
            kind: WorkloadKind::ArgoRollout,
            name: name.into(),
        },
        about: About::CanaryAndStable {
            canary: "a".into(),
            stable: "b".into(),
        },
        since: Timestamp::from_second(NOW - 600).unwrap(),
        closely: true,
    };
    Asked::new(wanted, None)
}

/// Told until this one comes.
async fn told(
    tidings: &mut mpsc::Receiver<Vec<Tidings>>,
    is_last: impl Fn(&Told) -> bool,
) -> Vec<Told> {
    let mut all = Vec::new();
    loop {
        let batch = tidings.recv().await.expect("the source ended");
        all.extend(batch.into_iter().map(|one| {
            assert_eq!(one.source, "prometheus/prod".into());
            one.fact
        }));
        if all.iter().any(&is_last) {
            return all;
        }
    }
}

fn state(told: &Told) -> Option<SourceState> {
    match told {
        Told::Health(health) => Some(health.state),
        _ => None,
    }
}

#[tokio::test]
async fn who_it_is_comes_before_what_is_wanted_and_a_new_wish_is_asked_for_at_once() {
    let (wish, wanted) = watch::channel(vec![asked("checkout")]);
    let (out, mut tidings) = mpsc::channel(8);
    let fake = Fake {
        status: 200,
        ..Fake::default()
    };
    let source = tokio::spawn(run(server(fake).await, wanted, out, Beat::default()));
    let is_metrics = |told: &Told| matches!(told, Told::Metrics(_));
    let all = told(&mut tidings, is_metrics).await;
    let states: Vec<SourceState> = all.iter().filter_map(state).collect();
    assert_eq!(states.first(), Some(&SourceState::Connecting));
    assert!(states.contains(&SourceState::Live));
    let place = |what: &dyn Fn(&Told) -> bool| all.iter().position(what).unwrap();
    let named = place(&|told| matches!(told, Told::Server(words) if words == "Prometheus 3.5.3"));
    assert!(named < place(&is_metrics));
    let Told::Metrics(metrics) = &all[place(&is_metrics)] else {
        unreachable!()
    };
    let Compared::CanaryAndStable { canary, .. } = &metrics.compared else {
        panic!("not compared")
    };
    assert_eq!(canary.errors, Reading::Empty);

    wish.send_replace(vec![asked("payments")]);
    let other = told(&mut tidings, is_metrics).await;
    assert!(other.iter().any(
        |told| matches!(told, Told::Metrics(metrics) if metrics.release.name == "payments".into())
    ));

    drop(tidings);
    source.await.unwrap();
}

#[tokio::test]
async fn a_refused_login_is_told_with_when_it_is_tried_again() {
    let (_wish, wanted) = watch::channel(vec![asked("checkout")]);
    let (out, mut tidings) = mpsc::channel(8);
    let fake = Fake {
        status: 401,
        ..Fake::default()
    };
    let asked = Arc::clone(&fake.asked);
    let source = tokio::spawn(run(server(fake).await, wanted, out, Beat::default()));
    let refused = |told: &Told| state(told) == Some(SourceState::Unauthorized);
    let all = told(&mut tidings, refused).await;
    let Some(Told::Health(health)) = all.into_iter().find(refused) else {
        unreachable!()
    };
    let now = Timestamp::from_second(NOW).unwrap();
    let wait = health.next_try.unwrap().duration_since(now).as_secs();
    assert!((3..=6).contains(&wait), "{wait} s");
    assert!(health.detail.contains("401"), "{}", health.detail);
    assert_eq!(health.heard, None);
    assert_eq!(
        *asked.lock().unwrap(),
        ["/api/v1/query"],
        "no release is asked about"
    );
    drop(tidings);
    source.await.unwrap();
}

#[tokio::test]
async fn a_release_that_is_too_heavy_to_ask_about_fails_alone() {
    let (_wish, wanted) = watch::channel(vec![asked("checkout")]);
    let (out, mut tidings) = mpsc::channel(8);
    let fake = Fake {
        status: 200,
        is_slow: true,
        ..Fake::default()
    };
    let source = tokio::spawn(run(server(fake).await, wanted, out, Beat::default()));
    let all = told(&mut tidings, |told| matches!(told, Told::Metrics(_))).await;
    let metrics = all.iter().find_map(|told| match told {
        Told::Metrics(metrics) => Some(Arc::clone(metrics)),
        _ => None,
    });
    let Compared::CanaryAndStable { canary, .. } = &metrics.unwrap().compared else {
        panic!("not compared")
    };
    assert!(matches!(&canary.errors, Reading::Failed(why) if why.contains("504")));
    let states: Vec<SourceState> = all.iter().filter_map(state).collect();
    assert_eq!(states.last(), Some(&SourceState::Live));
    drop(tidings);
    source.await.unwrap();
}

/// As long as there are places for all of them on the way, one that fails is no reason to wait for the others.
#[tokio::test]
async fn releases_that_are_too_heavy_do_not_hold_each_other_up() {
    let (_wish, wanted) = watch::channel(["a", "b", "c"].map(asked).to_vec());
    let (out, mut tidings) = mpsc::channel(8);
    let fake = Fake {
        status: 200,
        is_slow: true,
        ..Fake::default()
    };
    let source = tokio::spawn(run(server(fake).await, wanted, out, Beat::default()));
    let mut answered = std::collections::BTreeSet::new();
    let all = async {
        while answered.len() < 3 {
            let one = told(&mut tidings, |told| matches!(told, Told::Metrics(_))).await;
            answered.extend(one.into_iter().filter_map(|told| match told {
                Told::Metrics(metrics) => Some(metrics.release.name.to_string()),
                _ => None,
            }));
        }
    };
    let limit = Duration::from_secs(20);
    let within = tokio::time::timeout(limit, all).await;
    within.expect("all three are told to have failed");
    drop(tidings);
    source.await.unwrap();
}

#[tokio::test]
async fn a_beat_has_everything_read_again_at_once() {
    let (_wish, wanted) = watch::channel(vec![asked("checkout")]);
    let (out, mut tidings) = mpsc::channel(8);
    let fake = Fake {
        status: 200,
        ..Fake::default()
    };
    let (beats, beat) = watch::channel(0);
    let server = server(fake).await;
    let source = tokio::spawn(run(server, wanted, out, Beat::of(Some(beat))));
    let is_metrics = |told: &Told| matches!(told, Told::Metrics(_));
    for count in 1..4 {
        let limit = Duration::from_secs(8);
        let again = tokio::time::timeout(limit, told(&mut tidings, is_metrics)).await;
        again.expect("read at once, and not after its own pace");
        beats.send_replace(count);
    }
    drop(tidings);
    source.await.unwrap();
}

#[tokio::test]
async fn a_source_ends_when_nobody_wants_anything_any_more() {
    let (wish, wanted) = watch::channel(Vec::new());
    let (out, mut tidings) = mpsc::channel(8);
    let fake = Fake {
        status: 200,
        ..Fake::default()
    };
    let source = tokio::spawn(run(server(fake).await, wanted, out, Beat::default()));
    told(&mut tidings, |told| state(told) == Some(SourceState::Live)).await;
    drop(wish);
    source.await.unwrap();
}
