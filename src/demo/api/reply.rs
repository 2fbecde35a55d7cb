//! What a request is answered with, and how that becomes HTTP.
//!
//! Must never decide what to answer.

use axum::body::{Body, Bytes};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::{Asked, table};
use crate::demo::answer::Refusal;
use crate::demo::front::{Said, cut_short};
use crate::demo::store::Object;

/// What a request is answered with.
pub(super) enum Answer {
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

impl Said for Answer {
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

/// How an object is wanted: whole, its metadata only, or as a row to be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Whole,
    Metadata,
    Table,
}

impl Shape {
    pub(super) fn of(asked: &Asked) -> Self {
        let accept = asked
            .headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if accept.contains("as=PartialObjectMetadata") {
            Self::Metadata
        } else if accept.contains("as=Table") {
            Self::Table
        } else {
            Self::Whole
        }
    }

    pub(super) fn write(self, object: &Object, out: &mut Vec<u8>) {
        match self {
            Self::Whole => object.write_full(out),
            Self::Metadata => {
                let value = object.value();
                let metadata = json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                    "metadata": value.get("metadata")});
                out.extend_from_slice(metadata.to_string().as_bytes());
            }
            Self::Table => {
                out.extend_from_slice(table::of_one(object).to_string().as_bytes());
            }
        }
    }
}
