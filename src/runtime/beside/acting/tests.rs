//! What acts on a CI host and on an alert manager, against servers on loopback that answer a write in every way.

use std::{
    cell::RefCell,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::State,
    http::{Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::{
    model::{
        id::{IntentId, SourceId},
        incident::{Matcher, SilenceId},
        pipeline::{Commit, Repository},
    },
    ops::{
        intent::{Expects, Verb},
        plan::RefusalKind,
        subject::{ExpireSubject, RunSubject, SilenceSubject},
    },
    providers::http::{Credential, Server},
};

/// How a write is answered, what `/silences` says, and the writes that came.
#[derive(Clone)]
struct Fake {
    write: Arc<Mutex<(u16, &'static str)>>,
    silences: Arc<Mutex<(u16, &'static str)>>,
    came: Arc<Mutex<Vec<String>>>,
}

const SILENCE: &str = r#"[{"id":"s-1","status":{"state":"active"},"matchers":[{"name":"a","value":"b"}],
    "startsAt":"2026-07-14T10:00:00Z","endsAt":"2099-07-14T10:00:00Z","createdBy":"ann","comment":"why"}]"#;

async fn answer(State(fake): State<Fake>, method: Method, uri: Uri) -> Response {
    if method != Method::GET {
        let (status, body) = *fake.write.lock().unwrap();
        fake.came.lock().unwrap().push(format!("{method} {uri}"));
        let elsewhere = [(header::LOCATION, "/elsewhere")];
        return (StatusCode::from_u16(status).unwrap(), elsewhere, body).into_response();
    }
    let (status, body) = match uri.path() {
        "/api/v2/silences" => *fake.silences.lock().unwrap(),
        path if path.ends_with("/runs/9") => {
            let run = json!({"id": 9, "run_number": 9, "run_attempt": 1, "head_sha": "a".repeat(40),
                "status": "in_progress", "created_at": "2026-07-14T10:00:00Z",
                "updated_at": "2026-07-14T11:00:00Z"});
            return run.to_string().into_response();
        }
        path if path.ends_with("/jobs") => (200, r#"{"jobs":[]}"#),
        _ => (200, "[]"),
    };
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

impl Fake {
    async fn start() -> (Self, String) {
        let fake = Self {
            write: Arc::new(Mutex::new((200, ""))),
            silences: Arc::new(Mutex::new((200, SILENCE))),
            came: Arc::default(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (fake, base)
    }

    async fn alerts() -> (Self, Acting) {
        let (fake, base) = Self::start().await;
        let limits = alertmanager::read::limits();
        let http = Server::new(
            &base,
            Credential::None,
            limits,
            Arc::new(crate::runtime::clock::now),
        );
        let server = Alertmanager::new(
            SourceId::new("alertmanager/prod"),
            "prod".into(),
            http.unwrap(),
        );
        let acting = Acting::Alerts {
            longest: SignedDuration::from_hours(72),
            server: Rc::new(server),
            tier: Tier::Prod,
            user: "ann".to_owned(),
        };
        (fake, acting)
    }

    async fn host() -> (Self, Acting) {
        let (fake, base) = Self::start().await;
        let source = SourceId::new("github/test");
        let asked = github::source::Host::new(
            source.clone(),
            github::host::Address::parse(&base).unwrap(),
            Arc::new(crate::runtime::clock::now),
            Arc::new(|_| None),
        );
        let host = Host {
            source,
            name: sanitise("test"),
            asked: Ok(asked),
            who: RefCell::default(),
        };
        let acting = Acting::Host {
            host: Rc::new(host),
            tier: Tier::Prod,
            user: "ann".to_owned(),
        };
        (fake, acting)
    }

    fn writes(&self) -> usize {
        self.came.lock().unwrap().len()
    }
}

fn intent(verb: Verb, target: Subject) -> Intent {
    Intent {
        id: IntentId::new("t-1"),
        verb,
        target,
        seen: None,
        to_revision: None,
        expects: Expects::default(),
        reason: Some("why".to_owned()),
    }
}

fn expire() -> Intent {
    let subject = ExpireSubject {
        environment: "prod".into(),
        silence: SilenceId(sanitise("s-1")),
    };
    intent(Verb::Expire, Subject::Expire(subject))
}

fn silence() -> Intent {
    let now = crate::runtime::clock::now();
    let subject = SilenceSubject {
        environment: "prod".into(),
        matchers: vec![Matcher::equal("service", "checkout")],
        starts_at: now,
        ends_at: now + SignedDuration::from_mins(60),
        comment: "why".to_owned(),
    };
    intent(Verb::Silence, Subject::Silence(subject))
}

fn cancel() -> Intent {
    let subject = RunSubject {
        environment: "prod".into(),
        run: RunId {
            repository: Repository::new("acme/checkout").unwrap(),
            number: 9,
        },
        attempt: 1,
        commit: Commit::new(&"a".repeat(40)).unwrap(),
    };
    intent(Verb::Cancel, Subject::Run(subject))
}

/// What the machine is told of each answer to the write.
async fn sorted(
    (fake, acting): &(Fake, Acting),
    intent: &Intent,
    answers: &[(u16, &'static str, &str)],
) {
    let plan = acting.plan(intent).await.unwrap();
    for (nth, (status, body, expected)) in answers.iter().enumerate() {
        *fake.write.lock().unwrap() = (*status, *body);
        let version = ResourceVersion::new("read");
        let answer = acting.send(&plan, 0, version, Timestamp::MAX).await;
        let told = format!("{answer:?}");
        assert!(told.starts_with(expected), "{status} {body:?}: {told}");
        assert_eq!(fake.writes(), nth + 1);
    }
}

const PAGE: &str = "<html>log in";

#[tokio::test]
async fn the_end_of_a_silence_is_taken_only_where_an_alert_manager_says_so() {
    let answers = [
        (200, "", "Taken"),
        (200, PAGE, "Lost"),
        (302, "", "Lost"),
        (404, "", "Rejected { status: 404"),
        (499, "", "Lost"),
        (500, "silence not found", "Rejected { status: 500"),
        (500, "boom", "Lost"),
    ];
    sorted(&Fake::alerts().await, &expire(), &answers).await;
}

#[tokio::test]
async fn a_silence_is_taken_only_where_its_name_is_told() {
    let answers = [
        (200, r#"{"silenceID":"s-2"}"#, "Taken"),
        (200, PAGE, "Lost"),
        (200, "{}", "Lost"),
        (400, "no", "Rejected { status: 400"),
        (499, "", "Lost"),
    ];
    sorted(&Fake::alerts().await, &silence(), &answers).await;
}

#[tokio::test]
async fn a_cancel_is_taken_only_in_the_hosts_own_form_and_refused_under_an_old_name() {
    let answers = [
        (202, "{}", "Taken"),
        (202, "", "Taken"),
        (200, PAGE, "Lost"),
        (202, PAGE, "Lost"),
        (307, "{}", "Rejected { status: 307"),
        (409, "{}", "Rejected { status: 409"),
        (502, "", "Lost"),
    ];
    let world = Fake::host().await;
    sorted(&world, &cancel(), &answers).await;
    let plan = world.1.plan(&cancel()).await.unwrap();
    *world.0.write.lock().unwrap() = (301, "{}");
    let version = ResourceVersion::new("read");
    let answer = world.1.send(&plan, 0, version, Timestamp::MAX).await;
    assert!(format!("{answer:?}").contains("new name"), "{answer:?}");
}

#[tokio::test]
async fn what_was_read_too_long_ago_is_not_sent() {
    let worlds = [
        (Fake::alerts().await, expire()),
        (Fake::host().await, cancel()),
    ];
    for ((fake, acting), intent) in worlds {
        let plan = acting.plan(&intent).await.unwrap();
        let past = crate::runtime::clock::now() - SignedDuration::from_secs(1);
        let version = ResourceVersion::new("read");
        let answer = acting.send(&plan, 0, version, past).await;
        assert!(matches!(answer, Answer::NotSent(_)), "{answer:?}");
        assert_eq!(fake.writes(), 0);
    }
}

#[tokio::test]
async fn silences_that_cannot_be_read_are_unreachable_and_not_absent() {
    let (fake, acting) = Fake::alerts().await;
    let plan = acting.plan(&expire()).await.unwrap();
    for unread in [(503, ""), (200, r#"[{"id":7}]"#)] {
        *fake.silences.lock().unwrap() = unread;
        for intent in [expire(), silence()] {
            let refused = acting.plan(&intent).await.unwrap_err();
            assert_eq!(refused.kind, RefusalKind::Unreachable, "{refused:?}");
        }
        let read = acting.read(&plan).await;
        assert!(matches!(read, Err(ReadTrouble::Unreachable(_))), "{read:?}");
    }
}
