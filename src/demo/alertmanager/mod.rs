//! Alertmanager's API v2 over what is wrong in the world.
//!
//! Shapes and refusals were recorded from Alertmanager 0.33.1. Must never keep an alert of its own: only silences are
//! its own.

mod alerts;
mod silences;

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::response::Response;
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use self::silences::Silences;
use super::api::Api;
use super::fault::{Server, What};
use super::front::{self, Asked, Reply};
use super::server::Cut;

#[derive(Debug)]
pub(super) struct Alertmanager {
    api: Arc<Api>,
    /// Where alerts say that they come from.
    prometheus: String,
    silences: Mutex<Silences>,
    started: Timestamp,
}

impl Alertmanager {
    /// With the silences of the story.
    pub(super) fn new(api: Arc<Api>, prometheus: &str) -> Self {
        let silences = Silences::told(&api.cluster());
        let started = api.time.now();
        Self {
            api,
            prometheus: prometheus.to_owned(),
            silences: Mutex::new(silences),
            started,
        }
    }

    fn answer(&self, asked: &Asked, struck: &[What]) -> Reply {
        for what in struck {
            match what {
                What::TooManyRequests => {
                    return Reply::text(429, "Too Many Requests\n").with("retry-after", "1");
                }
                What::ServerError => return word(500, "internal error"),
                What::Unavailable => return Reply::text(503, "Service Unavailable\n"),
                What::Unauthorized => return Reply::text(401, "Unauthorized\n"),
                What::BadGateway | What::GatewayTimeout => {
                    return Reply::from_a_proxy(*what).unwrap_or_else(|| Reply::text(502, ""));
                }
                What::Forbidden => return Reply::text(403, "Forbidden\n"),
                _ => {}
            }
        }
        if asked.too_large {
            return Reply::text(413, "http: request body too large\n");
        }
        let segments = asked.segments();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        let now = front::server_time(&self.api, struck);
        let mut silences = self.silences.lock().unwrap_or_else(PoisonError::into_inner);
        let reply = match (path.as_slice(), &asked.method) {
            (["-", "ready" | "healthy"], &Method::GET) => return Reply::text(200, "OK"),
            (["api", "v1", ..], _) => {
                return plain(
                    410,
                    &json!({"status": "deprecated", "error": "The Alertmanager v1 API was deprecated in \
                    version 0.16.0 and is removed as of version 0.27.0 - please use the equivalent route in the v2 API"}),
                );
            }
            (["api", "v2", "alerts"], &Method::GET) => self.alerts(asked, &silences, now),
            (["api", "v2", "alerts", "groups"], &Method::GET) => self.groups(asked, &silences, now),
            (["api", "v2", "silences"], &Method::GET) => silences.list(asked, now),
            (["api", "v2", "silences"], &Method::POST) => silences.put(asked, now),
            (["api", "v2", "silence", id], &Method::GET) => silences.get(id, now),
            (["api", "v2", "silence", id], &Method::DELETE) => silences.expire(id, now),
            (["api", "v2", "status"], &Method::GET) => plain(200, &self.status()),
            (["api", "v2", "receivers"], &Method::GET) => {
                let named =
                    alerts::RECEIVERS.map(|name| json!({"name": name, "labels": {"name": name}}));
                plain(200, &json!(named))
            }
            (
                [
                    "api",
                    "v2",
                    "alerts" | "silences" | "silence" | "status" | "receivers",
                    ..,
                ],
                method,
            ) => {
                let message = format!("method {method} is not allowed, but [GET] are");
                plain(405, &json!({"code": 405, "message": message}))
            }
            (["api", "v2", ..], _) => {
                let message = format!(
                    "path {} was not found",
                    asked.path.trim_start_matches("/api/v2")
                );
                plain(404, &json!({"code": 404, "message": message}))
            }
            _ => return Reply::text(404, "404 page not found\n"),
        };
        reply
            .with("cache-control", "no-store")
            .with("vary", "Origin")
    }

    fn status(&self) -> Value {
        json!({"cluster": {"peers": [], "status": "disabled"}, "config": {"original": alerts::CONFIG},
            "uptime": millis(self.started), "versionInfo": {"branch": "HEAD", "buildDate": "20260929-12:08:01",
            "buildUser": "root@demo", "goVersion": "go1.27.1", "revision": "0.33.1", "version": "0.33.1"}})
    }
}

pub(super) async fn handle(
    State(alertmanager): State<Arc<Alertmanager>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: http::Request<Body>,
) -> Response {
    let target = |asked: &Asked| asked.plain_target(Server::Alertmanager);
    front::pass(&alertmanager.api, &cut, request, target, |asked, struck| {
        alertmanager.answer(asked, struck)
    })
    .await
}

fn plain(status: u16, value: &Value) -> Reply {
    Reply::new(status, "application/json", format!("{value}\n"))
}

/// Its own refusals are a JSON text and nothing else.
fn word(status: u16, text: &str) -> Reply {
    plain(status, &Value::from(text))
}

/// Times have three digits of a second.
fn millis(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
