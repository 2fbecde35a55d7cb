//! The way of every request, whichever server it goes to.
//!
//! Order: read the body, see which faults strike, do it, note it, answer. Must never answer before the request is in
//! the log, and never decide what the answer is.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::api::Api;
use super::fault::{Only, Server, Target, What};
use super::requests::Request;
use super::server::Cut;

/// What an API server takes at most.
const BODY_LIMIT: usize = 3 * 1024 * 1024;

/// What a proxy in front of any server says when that cannot be reached, or takes too long.
pub(super) const BAD_GATEWAY: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad \
     Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
pub(super) const GATEWAY_TIMEOUT: &str = "<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<body>\r\n<center><h1>504 \
     Gateway Time-out</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";

/// A request, read.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    parameters: HashMap<String, String>,
    /// In order, with repetitions.
    pub(super) pairs: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) too_large: bool,
}

impl Asked {
    fn new(method: Method, uri: &Uri, headers: HeaderMap, body: Option<Bytes>) -> Self {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map(|Query(pairs)| pairs)
            .unwrap_or_default();
        Self {
            method,
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
            parameters: pairs.iter().cloned().collect(),
            pairs,
            headers,
            too_large: body.is_none(),
            body: body.unwrap_or_default(),
        }
    }

    pub(super) fn parameter(&self, name: &str) -> &str {
        self.parameters
            .get(name)
            .map(String::as_str)
            .unwrap_or_default()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.parameter(name), "true" | "1" | "True")
    }

    pub(super) fn header(&self, name: HeaderName) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    pub(super) fn content_type(&self) -> Option<String> {
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

    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// As text, for the log.
    fn posted_form(&self) -> Option<Value> {
        let form = self.content_type()? == "application/x-www-form-urlencoded";
        form.then(|| String::from_utf8_lossy(&self.body).into())
    }

    /// The path's pieces, decoded; an empty last one stands for a slash at the end.
    pub(super) fn segments(&self) -> Vec<String> {
        self.path
            .trim_start_matches('/')
            .split('/')
            .map(decoded)
            .collect()
    }

    /// What a fault may hit, on servers without watches.
    pub(super) fn plain_target(&self, server: Server) -> Target {
        let reads = matches!(self.method, Method::GET | Method::HEAD);
        Target {
            server,
            verb: if reads { Only::Get } else { Only::Post },
            writes: !reads && server != Server::Prometheus,
            dry_run: false,
            continues: false,
        }
    }
}

/// The pairs of a posted form; None where it is none.
pub(super) fn form(body: &[u8]) -> Option<Vec<(String, String)>> {
    // A form is written as a query is, so the query's reader reads it.
    let uri = Uri::builder()
        .path_and_query(format!("/?{}", std::str::from_utf8(body).ok()?))
        .build()
        .ok()?;
    Query::try_from_uri(&uri).ok().map(|Query(pairs)| pairs)
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                rest = ahead;
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a server says to a request.
pub(super) trait Said {
    fn status(&self) -> u16;
    fn send(self, truncate: bool) -> Response;
}

/// A whole answer, for servers that need no more.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) fn json(status: u16, value: &Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", value.to_string())
    }

    pub(super) fn text(status: u16, text: impl Into<String>) -> Self {
        Self::new(status, "text/plain; charset=utf-8", text.into())
    }

    pub(super) fn new(status: u16, kind: &'static str, body: String) -> Self {
        Self {
            status,
            kind,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// Where something in the way answers instead.
    pub(super) fn from_a_proxy(what: What) -> Option<Self> {
        let (status, page) = match what {
            What::BadGateway => (502, BAD_GATEWAY),
            What::GatewayTimeout => (504, GATEWAY_TIMEOUT),
            _ => return None,
        };
        Some(Self::new(status, "text/html", page.to_owned()))
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Said for Reply {
    fn status(&self) -> u16 {
        self.status
    }

    fn send(self, truncate: bool) -> Response {
        let mut response = Response::new(Body::from(cut_short(self.body, truncate)));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if !self.kind.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        }
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.append(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

/// Well-formed HTTP with half of its JSON: what a broken proxy delivers.
pub(super) fn cut_short(body: Bytes, truncate: bool) -> Bytes {
    if truncate {
        body.slice(..body.len() / 2)
    } else {
        body
    }
}

pub(super) async fn pass<S: Said>(
    api: &Arc<Api>,
    cut: &Cut,
    request: http::Request<Body>,
    target: impl FnOnce(&Asked) -> Target,
    answer: impl FnOnce(&Asked, &[What]) -> S,
) -> Response {
    let at = api.time.now();
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, BODY_LIMIT).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).ok();
    let asked = Asked::new(parts.method, &parts.uri, parts.headers, body);
    let target = target(&asked);
    let note = |status: Option<u16>| Request {
        server: target.server.word(),
        at,
        method: asked.method.to_string(),
        path: parts
            .uri
            .path_and_query()
            .map_or_else(String::new, ToString::to_string),
        content_type: asked.content_type(),
        body: asked.json().or_else(|| asked.posted_form()),
        status,
    };
    let struck = api.faults().strike(target, &asked.path, api.moment());
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
    let said = answer(&asked, &struck);
    let lost = struck.contains(&What::LostAnswer);
    let noted = api.log.note(note((!lost).then_some(said.status())));
    if lost || noted.is_err() {
        cut.now();
        return Response::default();
    }
    let mut response = said.send(struck.contains(&What::Truncate));
    if skew(&struck) != 0 || api.time.is_still() {
        let date = server_time(api, &struck)
            .strftime("%a, %d %b %Y %H:%M:%S GMT")
            .to_string();
        if let Ok(date) = HeaderValue::from_str(&date) {
            response.headers_mut().insert(header::DATE, date);
        }
    }
    response
}

/// By how many seconds the server's clock is ahead.
pub(super) fn skew(struck: &[What]) -> i64 {
    struck
        .iter()
        .map(|what| match what {
            What::Clock(seconds) => *seconds,
            _ => 0,
        })
        .sum()
}

/// What time the server thinks it is.
pub(super) fn server_time(api: &Api, struck: &[What]) -> Timestamp {
    let now = api.time.now();
    now.saturating_add(SignedDuration::from_secs(skew(struck)))
        .unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_cut_before_it_is_decoded() {
        let uri: Uri = "/repos/acme/checkout/environments/prod%2Feu/"
            .parse()
            .unwrap();
        let asked = Asked::new(Method::GET, &uri, HeaderMap::new(), None);
        assert_eq!(
            asked.segments(),
            ["repos", "acme", "checkout", "environments", "prod/eu", ""]
        );
    }

    #[test]
    fn a_form_is_read_as_a_query_is() {
        let pairs = form(b"query=up%7Bjob%3D%22a+b%22%7D&time=1").unwrap();
        assert_eq!(pairs[0], ("query".to_owned(), "up{job=\"a b\"}".to_owned()));
        assert_eq!(pairs.len(), 2);
    }
}
