//! A GitHub on loopback for tests: a function from what is asked to what is answered.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::Request, response::Response};
use jiff::Timestamp;
use serde_json::Value;

use super::{host::Address, source::Host};
use crate::{
    model::id::SourceId,
    providers::http::{Credential, Limits, Server, Setup},
};

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// `GET /repos/a/b?x=1`
    pub(super) line: String,
    headers: http::HeaderMap,
    pub(super) body: String,
    /// How many there were before with the same line.
    pub(super) nth: usize,
    pub(super) base: String,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
    }
}

pub(super) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Answer {
    pub(super) fn json(value: &Value) -> Self {
        Self::text(200, &value.to_string())
    }

    pub(super) fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.to_owned(),
        }
    }

    pub(super) fn not_found() -> Self {
        Self::text(404, r#"{"message":"Not Found"}"#)
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

type Answers = dyn Fn(&Asked) -> Answer + Send + Sync;

#[derive(Clone)]
pub(super) struct Fake {
    answers: Arc<Answers>,
    asked: Arc<Mutex<Vec<Asked>>>,
    address: SocketAddr,
}

impl Fake {
    pub(super) async fn start(answers: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("bind");
        let fake = Self {
            answers: Arc::new(answers),
            asked: Arc::default(),
            address: listener.local_addr().expect("address"),
        };
        let router = Router::new().fallback(answer).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    pub(super) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn server(&self) -> Server {
        Server::with(Setup {
            base: self.base(),
            credential: Credential::None,
            headers: Vec::new(),
            authority: None,
            limits: Limits::default(),
            clock: Arc::new(Timestamp::now),
            variables: Arc::new(|_| None),
        })
        .expect("server")
    }

    pub(super) fn host(&self) -> Host {
        let address = Address::parse(&self.base()).expect("an address");
        let source = SourceId::new("github/test");
        let mut host = Host::new(
            source,
            address,
            Arc::new(Timestamp::now),
            Arc::new(|_| None),
        );
        host.seed = Some(1);
        host
    }

    /// Everything asked so far, as lines.
    pub(super) fn lines(&self) -> Vec<String> {
        let asked = self.asked.lock().expect("not poisoned");
        asked.iter().map(|one| one.line.clone()).collect()
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("not poisoned").clone()
    }
}

async fn answer(State(fake): State<Fake>, request: Request<axum::body::Body>) -> Response {
    let (head, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let line = format!("{} {}", head.method, head.uri);
    let asked = {
        let mut all = fake.asked.lock().expect("not poisoned");
        let asked = Asked {
            nth: all.iter().filter(|one| one.line == line).count(),
            line,
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
            base: fake.base(),
        };
        all.push(asked.clone());
        asked
    };
    let answer = (fake.answers)(&asked);
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(answer.body.into()).expect("a response")
}
