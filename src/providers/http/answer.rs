//! The head of an answer: statuses as troubles, the server's own words, waits, dates and links. Pure. Never assumes
//! JSON: a proxy, a login page and an unknown path all answer in their own way.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use jiff::{Timestamp, fmt::rfc2822};
use serde_json::Value;

use super::trouble::{Location, Said, Why};
use crate::model::text::{Safe, sanitise_line};

/// What is kept of an error's text.
const MESSAGE_MAX: usize = 600;

/// A date further away than this is not believed: clocks are wrong, and the operator would be blind for as long. Nor is a
/// number of seconds that no host means.
const LONGEST_DOUBTED: Duration = Duration::from_secs(300);

/// A plain number of seconds is meant: whoever asks again before it is over is shut out for longer.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(3600);

pub(super) fn refusal(status: StatusCode, headers: &HeaderMap, body: Bytes) -> Why {
    if status.is_redirection() {
        return Why::Redirected {
            status: status.as_u16(),
            location: text(headers, header::LOCATION.as_str()).map(|url| Location(url.into())),
        };
    }
    let message = message(&body)
        .unwrap_or_else(|| sanitise_line(status.canonical_reason().unwrap_or("no message"), 64));
    let limited = is_rate_limit(status, headers, &message);
    let said = Said {
        status: status.as_u16(),
        message,
        body,
    };
    let retry_after = retry_after(headers);
    match status.as_u16() {
        _ if limited => Why::RateLimited { said, retry_after },
        401 | 407 => Why::Unauthorized(said),
        403 => Why::Forbidden(said),
        404 => Why::NotFound(said),
        409 => Why::Conflict(said),
        410 => Why::Gone(said),
        // The server, or a proxy, did not wait for the whole request: not a refusal.
        408 => Why::Server { said, retry_after },
        400..=499 => Why::Refused(said),
        _ => Why::Server { said, retry_after },
    }
}

/// GitHub answers 403 both for "you may not" and for "not so fast"; only the headers and the text tell them apart.
fn is_rate_limit(status: StatusCode, headers: &HeaderMap, message: &str) -> bool {
    match status.as_u16() {
        429 => true,
        403 => {
            let message = message.to_ascii_lowercase();
            message.contains("rate limit")
                || message.contains("abuse detection")
                || text(headers, "x-ratelimit-remaining") == Some("0")
        }
        _ => false,
    }
}

/// The words of an error: the forms that the vendors spoken to use, or a short plain text. Markup is named, not shown.
fn message(body: &[u8]) -> Option<Safe> {
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        return words(&value).map(|text| sanitise_line(&text, MESSAGE_MAX));
    }
    let plain = String::from_utf8_lossy(body);
    let plain = plain.trim();
    if is_markup(plain.as_bytes()) {
        Some(sanitise_line("it answered with a web page", MESSAGE_MAX))
    } else {
        (!plain.is_empty()).then(|| sanitise_line(plain, MESSAGE_MAX))
    }
}

fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(object) => {
            let text = |key: &str| object.get(key).and_then(Value::as_str);
            // GitHub's other form: which field, and one word.
            if let (None, Some(code)) = (text("message"), text("code")) {
                let parts = [text("resource"), text("field"), Some(code)];
                return Some(parts.into_iter().flatten().collect::<Vec<_>>().join(" "));
            }
            let head = ["message", "error", "error_description", "title", "detail"]
                .iter()
                .find_map(|key| object.get(*key))
                .and_then(words)?;
            let details: Vec<String> = match object.get("errors") {
                Some(Value::Array(errors)) => errors.iter().take(5).filter_map(words).collect(),
                Some(Value::String(text)) => vec![text.clone()],
                _ => Vec::new(),
            };
            Some(if details.is_empty() {
                head
            } else {
                format!("{head} ({})", details.join("; "))
            })
        }
        _ => None,
    }
    .filter(|text| !text.trim().is_empty())
}

pub(super) fn is_markup(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    body.trim_ascii_start().first() == Some(&b'<')
}

/// Seconds, or a date: told from the answer's own `Date`, so that no clock here has to agree with one there. Anything
/// else is no wait.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = text(headers, header::RETRY_AFTER.as_str())?;
    if let Ok(seconds) = text.parse::<u64>() {
        let wait = Duration::from_secs(seconds);
        return Some(if wait <= LONGEST_WAIT {
            wait
        } else {
            LONGEST_DOUBTED
        });
    }
    let until = rfc2822::parse(text).ok()?.timestamp();
    let wait = until.duration_since(date(headers)?);
    Some(
        Duration::try_from(wait)
            .unwrap_or_default()
            .min(LONGEST_DOUBTED),
    )
}

pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let date = rfc2822::parse(text(headers, header::DATE.as_str())?).ok()?;
    Some(date.timestamp())
}

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

/// The target of one relation of a `Link` header (RFC 8288), verbatim.
pub(super) fn link(headers: &HeaderMap, relation: &str) -> Option<String> {
    for value in headers.get_all(header::LINK) {
        let Ok(mut rest) = value.to_str() else {
            continue;
        };
        // A target may hold commas; what divides the links is the next `<`.
        while let Some((_, from)) = rest.split_once('<') {
            let Some((target, parameters)) = from.split_once('>') else {
                break;
            };
            let own = parameters.split('<').next().unwrap_or(parameters);
            let is_it = own.split([';', ',']).any(|parameter| {
                parameter.split_once('=').is_some_and(|(name, value)| {
                    name.trim().eq_ignore_ascii_case("rel")
                        && value
                            .trim()
                            .trim_matches('"')
                            .split_whitespace()
                            .any(|word| word.eq_ignore_ascii_case(relation))
                })
            });
            if is_it {
                return Some(target.to_owned());
            }
            rest = parameters;
        }
    }
    None
}
