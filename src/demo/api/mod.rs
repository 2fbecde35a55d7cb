//! The Kubernetes API over the simulated cluster: one function that every request goes through.
//!
//! Order: read the body, see which faults strike, do it, note it, answer. Must never answer before the request is in
//! the log, and never hold the cluster's lock across an await.

mod about;
mod change;
mod list;
mod log_lines;
mod read;
mod reply;
mod route;
mod watch;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Query, State};
use axum::response::Response;
use http::{HeaderMap, Method, Uri, header};
use http_body_util::{BodyExt, Limited};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::reply::{Answer, Shape};
use self::route::Route;
use super::answer::Refusal;
use super::cluster::Cluster;
use super::fault::{Faults, Only, Target, What};
use super::requests::{Log, Request};
use super::server::Cut;
use super::store::Key;

/// What the API server takes at most.
const BODY_LIMIT: usize = 3 * 1024 * 1024;

type Parameters = HashMap<String, String>;

/// What all requests share.
#[derive(Debug)]
pub(super) struct Api {
    cluster: Mutex<Cluster>,
    opened: Instant,
    /// Rings when the driver has to look at its next due time again.
    pub(super) wake: Notify,
    pub(super) closing: CancellationToken,
    pub(super) log: Log,
    faults: Mutex<Faults>,
    /// Rings when a fault was added that open watches must feel.
    expiry: tokio::sync::watch::Sender<u64>,
    pages: Mutex<list::Pages>,
}

/// A request, read.
struct Asked {
    method: Method,
    path: String,
    parameters: Parameters,
    headers: HeaderMap,
    body: Bytes,
}

impl Asked {
    fn parameter(&self, name: &str) -> &str {
        self.parameters
            .get(name)
            .map(String::as_str)
            .unwrap_or_default()
    }

    fn flag(&self, name: &str) -> bool {
        matches!(self.parameter(name), "true" | "1" | "True")
    }

    fn is_watch(&self) -> bool {
        self.method == Method::GET && self.flag("watch")
    }

    fn is_dry_run(&self) -> bool {
        !self.parameter("dryRun").is_empty()
    }

    fn content_type(&self) -> Option<String> {
        let value = self.headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        Some(
            value
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned(),
        )
    }

    fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    fn target(&self) -> Target {
        Target {
            verb: match self.method {
                Method::GET if self.is_watch() => Only::Watch,
                Method::GET => Only::Get,
                Method::PATCH => Only::Patch,
                _ => Only::Post,
            },
            dry_run: self.is_dry_run(),
            continues: !self.parameter("continue").is_empty(),
        }
    }
}

impl Api {
    pub(super) fn new(cluster: Cluster, log: Log) -> Self {
        Self {
            cluster: Mutex::new(cluster),
            opened: Instant::now(),
            wake: Notify::new(),
            closing: CancellationToken::new(),
            log,
            faults: Mutex::default(),
            expiry: tokio::sync::watch::Sender::new(0),
            pages: Mutex::default(),
        }
    }

    /// The cluster, as of now.
    pub(super) fn cluster(&self) -> MutexGuard<'_, Cluster> {
        let mut cluster = self.cluster.lock().unwrap_or_else(PoisonError::into_inner);
        let now = cluster.clock.moment_after_opening(self.opened.elapsed());
        cluster.advance(now);
        cluster
    }

    /// When something happens next by itself.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let cluster = self.cluster();
        let due = cluster.next_due()?;
        self.opened
            .checked_add(cluster.clock.real_after_opening(due))
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ring_watches(&self) {
        self.expiry.send_modify(|count| *count += 1);
    }
}

pub(super) async fn handle(
    State(api): State<Arc<Api>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let at = jiff::Timestamp::now();
    let parameters = Query::<Parameters>::try_from_uri(&uri)
        .map(|Query(parameters)| parameters)
        .unwrap_or_default();
    let body = Limited::new(body, BODY_LIMIT)
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes);
    let too_large = body.is_err();
    let asked = Asked {
        method,
        path: uri.path().to_owned(),
        parameters,
        headers,
        body: body.unwrap_or_default(),
    };
    let note = |status: Option<u16>| Request {
        at,
        method: asked.method.to_string(),
        path: uri
            .path_and_query()
            .map_or_else(String::new, ToString::to_string),
        content_type: asked.content_type(),
        body: asked.json(),
        status,
    };
    let struck = api.faults().strike(asked.target());
    for what in &struck {
        if let What::Latency(late) = what {
            tokio::time::sleep(*late).await;
        }
    }
    if struck.contains(&What::Hang) {
        if api.log.note(note(None)).is_ok() {
            api.closing.cancelled().await;
        }
        cut.now();
        return Response::default();
    }
    let answer = if too_large {
        Refusal::too_large().into()
    } else {
        answer(&api, &asked, &struck)
    };
    let lost = struck.contains(&What::LostAnswer);
    let status = answer.status();
    let noted = api.log.note(note((!lost).then_some(status)));
    if lost || noted.is_err() {
        cut.now();
        return Response::default();
    }
    answer.send(struck.contains(&What::Truncate))
}

fn answer(api: &Arc<Api>, asked: &Asked, struck: &[What]) -> Answer {
    for what in struck {
        match what {
            What::TooManyRequests => return Refusal::too_many_requests().into(),
            What::ServerError => return Refusal::internal().into(),
            What::Unavailable => return Refusal::unavailable().into(),
            _ => {}
        }
    }
    let result = match (route::route(&asked.path), &asked.method) {
        (Route::Collection { kind, namespace }, &Method::GET) if asked.is_watch() => {
            watch::watch(api, asked, kind, namespace.as_deref(), struck)
        }
        (Route::Collection { kind, namespace }, &Method::GET) => list::list(
            api,
            asked,
            kind,
            namespace.as_deref(),
            struck.contains(&What::Gone),
        ),
        (Route::Collection { kind, namespace }, &Method::POST) => {
            change::create(api, asked, kind, namespace.as_deref())
        }
        (
            Route::Item {
                kind,
                namespace,
                name,
                part,
            },
            &Method::GET,
        ) => read::item(api, asked, &Key::new(kind, &namespace, &name), part),
        (
            Route::Item {
                kind,
                namespace,
                name,
                part,
            },
            &Method::PATCH,
        ) => change::patch(api, asked, &Key::new(kind, &namespace, &name), part, struck),
        (Route::Review(review), &Method::POST) => Ok(about::review(api, asked, review)),
        (Route::Unknown, _) => Ok(not_served()),
        (route, &Method::GET) => Ok(about::discovery(&route).unwrap_or_else(|()| not_served())),
        _ => Err(Refusal::method_not_allowed()),
    };
    result.unwrap_or_else(Answer::Refused)
}

/// Not even a Status.
fn not_served() -> Answer {
    Answer::Raw {
        status: 404,
        kind: "text/plain; charset=utf-8",
        body: Bytes::from_static(b"404 page not found\n"),
    }
}

/// How often a quiet watch says where it is.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);
