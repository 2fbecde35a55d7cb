//! An answer that is not a success, as an [`Error`]. Never assumes JSON: a proxy, a login page and a 404 of an unknown
//! resource all answer in their own way.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use jiff::fmt::rfc2822;

use super::super::{
    error::{Error, Said},
    wire,
};
use crate::model::text::{Safe, sanitise, sanitise_line};

/// What is kept of an error's text.
const MESSAGE_MAX: usize = 1024;

/// A `Retry-After` beyond this is not believed: the operator would be blind for as long.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

/// The error that a `Status` tells: as the body of an answer, or as the last line of a watch.
pub(crate) fn status_error(status: &wire::Status, code: u16, header: Option<Duration>) -> Error {
    let body = status
        .details
        .retry_after_seconds
        .and_then(|seconds| u64::try_from(seconds).ok())
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs);
    let retry_after = header.or(body).map(|wait| wait.min(RETRY_AFTER_MAX));
    let said = Said {
        status: code,
        reason: sanitise_line(&status.reason, 64),
        message: if status.message.trim().is_empty() {
            sanitise(
                StatusCode::from_u16(code)
                    .ok()
                    .and_then(|code| code.canonical_reason())
                    .unwrap_or("no message"),
            )
        } else {
            cut(&status.message)
        },
    };
    sorted(said, retry_after)
}

/// The error of an answer with this status, these headers and this (possibly cut) body.
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    if status.is_redirection() {
        return Error::malformed(&format!(
            "it is a redirect ({}), which is never followed: a credential would travel with it; check the server's address",
            status.as_u16()
        ));
    }
    let said = serde_json::from_slice(body).unwrap_or_else(|_| wire::Status {
        message: plain(body),
        ..wire::Status::default()
    });
    status_error(&said, status.as_u16(), retry_after(headers))
}

fn sorted(said: Said, retry_after: Option<Duration>) -> Error {
    match said.status {
        401 | 407 => Error::Unauthorized(said),
        403 => Error::Forbidden(said),
        404 => Error::NotFound(said),
        409 => Error::Conflict(said),
        410 => Error::Gone(said),
        429 => Error::RateLimited { said, retry_after },
        // The server did not wait for the whole request, or a proxy did not: not a refusal of the server.
        408 => Error::Server { said, retry_after },
        400..=499 => Error::Invalid(said),
        _ => Error::Server { said, retry_after },
    }
}

/// Seconds, or a date: told from the answer's own `Date`, so that no clock here has to agree with one there.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX));
    }
    let until = rfc2822::parse(text).ok()?.timestamp();
    let now = rfc2822::parse(headers.get(header::DATE)?.to_str().ok()?)
        .ok()?
        .timestamp();
    let wait = until.duration_since(now);
    Some(
        Duration::try_from(wait)
            .unwrap_or_default()
            .min(RETRY_AFTER_MAX),
    )
}

/// The text of a body that is not JSON. Markup is named, not shown.
fn plain(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    if looks_like_markup(&text) {
        "a web page answered instead of the API server (a proxy or a login page?)".to_owned()
    } else {
        text.trim().to_owned()
    }
}

pub(super) fn looks_like_markup(text: &str) -> bool {
    text.trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('<')
}

/// Both ends of a long message: what it is about comes first, why it was refused comes last.
fn cut(message: &str) -> Safe {
    let message = message.trim();
    if message.len() <= MESSAGE_MAX {
        return sanitise(message);
    }
    let head: String = message.chars().take(MESSAGE_MAX / 2).collect();
    let tail: Vec<char> = message.chars().rev().take(MESSAGE_MAX / 2).collect();
    let tail: String = tail.into_iter().rev().collect();
    sanitise(&format!("{head} … {tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    http::HeaderName::from_static(name),
                    value.parse().expect("header"),
                )
            })
            .collect()
    }

    #[test]
    fn every_status_becomes_an_error_and_only_refusals_say_that_nothing_changed() {
        use super::super::super::error::Fate;
        for code in 100..=599u16 {
            let Ok(status) = StatusCode::from_u16(code) else {
                continue;
            };
            if status.is_success() || status.is_informational() {
                continue;
            }
            let error = refusal(status, &HeaderMap::new(), b"nonsense");
            let refused = (400..500).contains(&code) && code != 408;
            assert_eq!(error.fate() == Fate::Refused, refused, "{code}: {error}");
            assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn a_retry_after_is_obeyed_within_reason() {
        let wait = |text: &str| {
            retry_after(&headers(&[
                ("retry-after", text),
                ("date", "Fri, 20 Nov 2026 10:00:00 GMT"),
            ]))
        };
        assert_eq!(wait("0"), Some(Duration::ZERO));
        assert_eq!(wait("30"), Some(Duration::from_secs(30)));
        assert_eq!(wait("1000000000"), Some(RETRY_AFTER_MAX));
        assert_eq!(wait("99999999999999999999999"), None);
        assert_eq!(wait("-5"), None);
        assert_eq!(wait("soon"), None);
        assert_eq!(
            wait("Fri, 20 Nov 2026 10:00:20 GMT"),
            Some(Duration::from_secs(20))
        );
        assert_eq!(wait("Fri, 20 Nov 2026 09:00:00 GMT"), Some(Duration::ZERO));
    }

    #[test]
    fn the_seconds_in_the_body_count_where_there_is_no_header() {
        let body =
            br#"{"kind":"Status","code":429,"message":"slow","details":{"retryAfterSeconds":7}}"#;
        let error = refusal(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), body);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    }

    #[test]
    fn a_long_message_keeps_both_ends() {
        let message = format!(
            "Rollout is invalid: {} unknown field \"spec.bogus\"",
            "x".repeat(9000)
        );
        let body = serde_json::json!({ "message": message, "reason": "Invalid", "code": 422 });
        let error = refusal(
            StatusCode::UNPROCESSABLE_ENTITY,
            &HeaderMap::new(),
            body.to_string().as_bytes(),
        );
        let Error::Invalid(said) = &error else {
            panic!("{error:?}")
        };
        assert!(said.message.starts_with("Rollout is invalid"));
        assert!(said.message.ends_with("\"spec.bogus\""));
        assert!(said.message.len() < 1100);
    }

    #[test]
    fn plain_text_and_web_pages_are_not_taken_for_json() {
        let text = refusal(
            StatusCode::NOT_FOUND,
            &HeaderMap::new(),
            b"404 page not found\n",
        );
        assert_eq!(text.to_string(), "not found (404): 404 page not found");
        let page = refusal(
            StatusCode::BAD_GATEWAY,
            &HeaderMap::new(),
            b"<html>secret</html>",
        );
        assert!(page.to_string().contains("web page"), "{page}");
        assert!(!page.to_string().contains("secret"));
        let empty = refusal(StatusCode::SERVICE_UNAVAILABLE, &HeaderMap::new(), b"");
        assert!(empty.to_string().contains("Service Unavailable"), "{empty}");
    }

    #[test]
    fn a_redirect_is_named_and_not_followed() {
        let error = refusal(StatusCode::MOVED_PERMANENTLY, &HeaderMap::new(), b"");
        assert!(error.to_string().contains("redirect (301)"), "{error}");
    }
}
