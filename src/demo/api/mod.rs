//! The Kubernetes API over the simulated cluster: one function that every request goes through.
//!
//! Order: read the body, see which faults strike, do it, note it, answer. Must never answer before the request is in
//! the log, and never hold the cluster's lock across an await.

mod about;
mod list;
mod log_lines;
mod read;
mod route;
mod watch;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Query, State};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::route::{Part, Route};
use super::answer::Refusal;
use super::cluster::Cluster;
use super::fault::{Faults, Only, Target, What};
use super::json;
use super::kind::Kind;
use super::requests::{Log, Request};
use super::server::Cut;
use super::store::Key;
use super::write::{self, Format, Subresource};

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

/// What a request is answered with.
enum Answer {
    Json(u16, Value),
    Raw {
        status: u16,
        kind: &'static str,
        body: Bytes,
    },
    Stream {
        kind: &'static str,
        body: Body,
    },
    Refused(Refusal),
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
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
            create(api, asked, kind, namespace.as_deref())
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
        ) => patch(api, asked, &Key::new(kind, &namespace, &name), part, struck),
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

fn dry_run(asked: &Asked, options: &str) -> Result<bool, Refusal> {
    match asked.parameter("dryRun") {
        "" => Ok(false),
        "All" => Ok(true),
        other => {
            let why = format!("Unsupported value: [\"{other}\"]: supported values: \"All\"");
            Err(Refusal::invalid_options(
                options,
                "dryRun",
                "FieldValueNotSupported",
                &why,
            ))
        }
    }
}

fn patch(
    api: &Arc<Api>,
    asked: &Asked,
    key: &Key,
    part: Part,
    struck: &[What],
) -> Result<Answer, Refusal> {
    let subresource = match part {
        Part::Whole => Subresource::None,
        Part::Status => Subresource::Status,
        Part::Scale => Subresource::Scale,
        Part::Log => return Err(Refusal::method_not_allowed()),
    };
    let dry_run = dry_run(asked, "PatchOptions")?;
    let format = match asked.content_type().as_deref() {
        Some("application/merge-patch+json") => Format::Merge,
        Some("application/json-patch+json") => Format::Operations,
        Some("application/strategic-merge-patch+json") => Format::Strategic,
        _ => return Err(Refusal::unsupported_media_type(write::accepted(key.kind))),
    };
    let mut cluster = api.cluster();
    if cluster.sealed.contains(&*key.namespace) || struck.contains(&What::Forbidden) {
        return Err(Refusal::forbidden(
            key.kind,
            &key.namespace,
            &key.name,
            subresource.name(),
        ));
    }
    let body: Value = serde_json::from_slice(&asked.body)
        .map_err(|error| Refusal::bad_request(format!("error decoding patch: {error}")))?;
    if struck.contains(&What::Conflict) {
        let touched = cluster.clock.micro_stamp();
        cluster.edit(key, |value| {
            json::set(
                value,
                &["metadata", "annotations", "demo/touched-at"],
                touched,
            )
        });
    }
    let result = write::patch(&mut cluster, key, subresource, format, &body, dry_run);
    cluster.notice();
    drop(cluster);
    api.wake.notify_one();
    result.map(|value| Answer::Json(200, value))
}

fn create(
    api: &Arc<Api>,
    asked: &Asked,
    kind: Kind,
    namespace: Option<&str>,
) -> Result<Answer, Refusal> {
    let dry_run = dry_run(asked, "CreateOptions")?;
    if kind.facts().namespaced && namespace.is_none() {
        return Err(Refusal::method_not_allowed());
    }
    let body = asked
        .json()
        .ok_or_else(|| Refusal::bad_request("the request body is not JSON"))?;
    let mut cluster = api.cluster();
    if cluster.sealed.contains(namespace.unwrap_or_default()) {
        let name = json::text(&body, &["metadata", "name"]).to_owned();
        return Err(Refusal::forbidden(
            kind,
            namespace.unwrap_or_default(),
            &name,
            "",
        ));
    }
    let result = write::create(
        &mut cluster,
        kind,
        namespace.unwrap_or_default(),
        body,
        dry_run,
    );
    cluster.notice();
    drop(cluster);
    api.wake.notify_one();
    result.map(|value| Answer::Json(201, value))
}

impl Answer {
    fn status(&self) -> u16 {
        match self {
            Self::Json(status, _) | Self::Raw { status, .. } => *status,
            Self::Stream { .. } => 200,
            Self::Refused(refusal) => refusal.code,
        }
    }

    fn send(self, truncate: bool) -> Response {
        let status =
            StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut retry_after = None;
        let (kind, body) = match self {
            Self::Json(_, value) => (
                "application/json",
                Body::from(cut_short(value.to_string().into(), truncate)),
            ),
            Self::Raw { kind, body, .. } => (kind, Body::from(cut_short(body, truncate))),
            Self::Stream { kind, body } => (kind, body),
            Self::Refused(refusal) => {
                retry_after = refusal.retry_after();
                (
                    "application/json",
                    Body::from(cut_short(refusal.body().to_string().into(), truncate)),
                )
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-cache, private"),
        );
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Well-formed HTTP with half of its JSON: what a broken proxy delivers.
fn cut_short(body: Bytes, truncate: bool) -> Bytes {
    if truncate {
        body.slice(..body.len() / 2)
    } else {
        body
    }
}

/// How an object is wanted: whole, or its metadata only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Whole,
    Metadata,
}

impl Shape {
    fn of(asked: &Asked) -> Self {
        let accept = asked
            .headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if accept.contains("as=PartialObjectMetadata") {
            Self::Metadata
        } else {
            Self::Whole
        }
    }

    fn write(self, object: &super::store::Object, out: &mut Vec<u8>) {
        match self {
            Self::Whole => object.write_full(out),
            Self::Metadata => {
                let value = object.value();
                let metadata = json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                    "metadata": value.get("metadata")});
                out.extend_from_slice(metadata.to_string().as_bytes());
            }
        }
    }
}

/// How often a quiet watch says where it is.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);
