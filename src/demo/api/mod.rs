//! The Kubernetes API over the simulated cluster, and what all servers of the world share.
//!
//! Must never hold the cluster's lock across an await.

mod about;
mod change;
mod list;
mod log_lines;
mod read;
mod reply;
mod route;
mod table;
mod watch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::response::Response;
use http::Method;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::reply::{Answer, Shape};
use self::route::Route;
use super::answer::Refusal;
use super::clock::Moment;
use super::cluster::Cluster;
use super::fault::{Faults, Only, Server, Target, What};
use super::front::{self, Asked, BAD_GATEWAY, GATEWAY_TIMEOUT};
use super::requests::Log;
use super::server::Cut;
use super::store::Key;
use super::time::Time;

/// What all requests share, whichever server they go to.
#[derive(Debug)]
pub(super) struct Api {
    cluster: Mutex<Cluster>,
    pub(super) time: Time,
    /// Rings when the driver has to look at its next due time again.
    pub(super) wake: Notify,
    pub(super) closing: CancellationToken,
    pub(super) log: Log,
    faults: Mutex<Faults>,
    /// Rings when a fault was added that open watches must feel.
    expiry: tokio::sync::watch::Sender<u64>,
    pages: Mutex<list::Pages>,
}

impl Asked {
    fn is_watch(&self) -> bool {
        self.method == Method::GET && self.flag("watch")
    }

    fn is_dry_run(&self) -> bool {
        !self.parameter("dryRun").is_empty()
    }

    fn target(&self) -> Target {
        Target {
            server: Server::Kubernetes,
            verb: match self.method {
                Method::GET if self.is_watch() => Only::Watch,
                Method::GET => Only::Get,
                Method::PATCH => Only::Patch,
                _ => Only::Post,
            },
            writes: self.method != Method::GET,
            dry_run: self.is_dry_run(),
            continues: !self.parameter("continue").is_empty(),
        }
    }
}

impl Api {
    pub(super) fn new(cluster: Cluster, log: Log, still: bool) -> Self {
        Self {
            time: Time::new(cluster.clock.clone(), still),
            cluster: Mutex::new(cluster),
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
        if self.time.is_still() {
            cluster.work(self.moment(), self.time.until());
        } else {
            cluster.advance(self.moment());
        }
        cluster
    }

    /// What time it is in the world.
    pub(super) fn moment(&self) -> Moment {
        self.time.moment()
    }

    /// When something happens next by itself.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let due = self.cluster().next_due();
        let now = self.moment();
        self.feel_faults();
        let begins = self.faults().next(now);
        let next = due.into_iter().chain(begins).min()?;
        self.time.instant_of(next)
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Open watches are told of the faults that have begun.
    pub(super) fn feel_faults(&self) {
        let now = self.moment();
        if self.faults().tells_watches(now) {
            self.expiry.send_modify(|count| *count += 1);
        }
    }
}

pub(super) async fn handle(
    State(api): State<Arc<Api>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: http::Request<Body>,
) -> Response {
    front::pass(&api, &cut, request, Asked::target, |asked, struck| {
        if asked.too_large {
            Refusal::too_large().into()
        } else {
            answer(&api, asked, struck)
        }
    })
    .await
}

fn answer(api: &Arc<Api>, asked: &Asked, struck: &[What]) -> Answer {
    for what in struck {
        match what {
            What::TooManyRequests => return Refusal::too_many_requests().into(),
            What::ServerError => return Refusal::internal().into(),
            What::Unavailable => return Refusal::unavailable().into(),
            What::BadGateway => return from_a_proxy(502, BAD_GATEWAY),
            What::GatewayTimeout => return from_a_proxy(504, GATEWAY_TIMEOUT),
            What::Unauthorized => return Refusal::unauthorized().into(),
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

/// Whatever is in the way speaks for itself, and knows no Status.
fn from_a_proxy(status: u16, page: &'static str) -> Answer {
    Answer::Raw {
        status,
        kind: "text/html",
        body: Bytes::from_static(page.as_bytes()),
    }
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
