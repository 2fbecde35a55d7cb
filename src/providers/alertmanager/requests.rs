//! What is sent to silence and to end a silence, and what the answers mean. Pure.
//!
//! Must never send what the server would take and nobody wants: it accepts an empty comment, and the same silence twice.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::wire::Posted;
use crate::model::{
    incident::{Matcher, SilenceId},
    text::{Safe, sanitise, sanitise_line},
};

/// A silence that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SilenceDraft {
    pub matchers: Vec<Matcher>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub created_by: String,
    pub comment: String,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Taken: the silence has this name from now on.
    Taken(SilenceId),
    /// Answered with a refusal: nothing was changed.
    Rejected(Safe),
    /// It never left.
    NotSent(Safe),
    /// It may have been taken. Observe; never send it again.
    Lost(Safe),
}

pub const POST: &str = "/api/v2/silences";

/// The body of the request, or what is wrong with the draft, told before anything is sent.
pub fn body(draft: &SilenceDraft) -> Result<Value, Safe> {
    let wrong = if draft.matchers.is_empty() {
        "a silence needs a matcher"
    } else if !draft.matchers.iter().any(rules_out_nothing) {
        // The server refuses these, because they match alerts that have none of the labels, which is most of them.
        "a silence needs a matcher that holds only where the label is there"
    } else if draft.ends_at <= draft.starts_at {
        "a silence ends after it begins"
    } else if draft.comment.trim().is_empty() {
        "a silence needs a comment: why"
    } else if draft.created_by.trim().is_empty() {
        "a silence needs a name: who"
    } else {
        return Ok(json!({
            "matchers": draft.matchers,
            "startsAt": draft.starts_at.to_string(),
            "endsAt": draft.ends_at.to_string(),
            "createdBy": draft.created_by,
            "comment": draft.comment,
        }));
    };
    Err(wrong.into())
}

/// Whether it does not hold for a label that is absent, as far as that can be said without evaluating a regular expression.
fn rules_out_nothing(matcher: &Matcher) -> bool {
    if matcher.is_regex {
        // What matches the empty text is for the server to say.
        return !matcher.value.is_empty() || !matcher.is_equal;
    }
    matcher.is_equal != matcher.value.is_empty()
}

/// The path of one silence, or `None` where the name is none that a server gives and would become part of the path.
pub fn path(id: &SilenceId) -> Option<String> {
    let name = id.0.as_str();
    let plain = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    plain.then(|| format!("/api/v2/silence/{name}"))
}

/// What the answer to a new silence means. Grafana answers 201 or 202.
pub fn posted(status: u16, body: &[u8]) -> Sent {
    if matches!(status, 200..=299) {
        return match serde_json::from_slice::<Posted>(body) {
            Ok(posted) if !posted.silence_id.is_empty() => {
                Sent::Taken(SilenceId(sanitise(&posted.silence_id)))
            }
            _ => Sent::Lost("it was taken, and the answer does not say under which name".into()),
        };
    }
    refused(status, body)
}

/// What the answer to the end of a silence means. One that has ended already answers 200 as well.
pub fn expired(status: u16, body: &[u8], id: &SilenceId) -> Sent {
    let gone = || Sent::Rejected("there is no such silence any more".into());
    match status {
        // Nothing, or some JSON of a proxy that knows the API. A login page answers 200 as well.
        200..=299 if is_nothing_or_json(body) => Sent::Taken(id.clone()),
        200..=299 => Sent::Lost("the answer is not one of an alert manager".into()),
        404 => gone(),
        // 0.25 says this of an unknown one with 500, which otherwise says nothing about what was done.
        500 if said(body).contains("not found") => gone(),
        _ => refused(status, body),
    }
}

fn is_nothing_or_json(body: &[u8]) -> bool {
    body.trim_ascii().is_empty() || serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

/// A failure on the server's side is unknown: a proxy's 503 says nothing about the server behind it. A redirect is none
/// of its own answers.
fn refused(status: u16, body: &[u8]) -> Sent {
    let said = said(body);
    let says = if said.is_empty() { "no reason" } else { &said };
    match status {
        401 => Sent::Rejected(sanitise(&format!(
            "the login is not accepted (401): {says}"
        ))),
        403 => Sent::Rejected(sanitise(&format!("not permitted (403): {says}"))),
        // Whether 408 or 499 was said before or after it was done is not known.
        408 | 499 => Sent::Lost(sanitise(&format!("no answer in time ({status}): {says}"))),
        400..=498 => Sent::Rejected(sanitise(&format!("refused ({status}): {says}"))),
        _ => Sent::Lost(sanitise(&format!("the server failed ({status}): {says}"))),
    }
}

/// The server's own words, which come as a JSON text, as an object of two kinds, as plain text, or not at all.
pub fn said(body: &[u8]) -> Safe {
    let words = match serde_json::from_slice::<Value>(body) {
        Ok(Value::String(text)) => text,
        Ok(Value::Object(fields)) => ["message", "error"]
            .iter()
            .find_map(|name| fields.get(*name)?.as_str())
            .unwrap_or_default()
            .to_owned(),
        Ok(_) => String::new(),
        Err(_) => {
            let text = String::from_utf8_lossy(body.get(..body.len().min(2_000)).unwrap_or(body));
            let text = text.trim();
            if text.starts_with('<') {
                "a web page".to_owned()
            } else {
                text.lines().next().unwrap_or_default().to_owned()
            }
        }
    };
    sanitise_line(&words, 300)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> SilenceDraft {
        SilenceDraft {
            matchers: vec![Matcher::equal("service", "checkout")],
            starts_at: "2026-11-20T22:00:00Z".parse().unwrap(),
            ends_at: "2026-11-20T23:00:00Z".parse().unwrap(),
            created_by: "ann".to_owned(),
            comment: "backing out".to_owned(),
        }
    }

    #[test]
    fn a_request_says_everything_that_the_server_wants() {
        assert_eq!(
            body(&draft()).unwrap(),
            json!({
                "matchers": [{"name": "service", "value": "checkout", "isRegex": false, "isEqual": true}],
                "startsAt": "2026-11-20T22:00:00Z",
                "endsAt": "2026-11-20T23:00:00Z",
                "createdBy": "ann",
                "comment": "backing out",
            })
        );
    }

    #[test]
    fn what_would_silence_nearly_everything_is_not_sent() {
        let with = |matchers: Vec<Matcher>| SilenceDraft {
            matchers,
            ..draft()
        };
        let not_equal = Matcher {
            is_equal: false,
            ..Matcher::equal("service", "checkout")
        };
        assert!(body(&with(Vec::new())).is_err());
        assert!(body(&with(vec![not_equal.clone()])).is_err());
        assert!(body(&with(vec![Matcher::equal("team", "")])).is_err());
        assert!(body(&with(vec![not_equal, Matcher::equal("alertname", "A")])).is_ok());
    }

    #[test]
    fn a_silence_says_why_and_for_how_long() {
        let mut why = draft();
        why.comment = " ".to_owned();
        let mut long = draft();
        long.ends_at = long.starts_at;
        let mut who = draft();
        who.created_by = String::new();
        for wrong in [why, long, who] {
            assert!(body(&wrong).is_err());
        }
    }

    #[test]
    fn three_shapes_of_a_refusal_are_read() {
        assert_eq!(
            posted(400, b"\"end time can't be in the past\"\n"),
            Sent::Rejected("refused (400): end time can't be in the past".into())
        );
        assert_eq!(
            posted(
                422,
                br#"{"code":602,"message":"createdBy in body is required"}"#
            ),
            Sent::Rejected("refused (422): createdBy in body is required".into())
        );
        assert_eq!(
            posted(404, b""),
            Sent::Rejected("refused (404): no reason".into())
        );
    }

    #[test]
    fn a_lost_answer_is_neither_a_success_nor_a_refusal() {
        for status in [302, 500, 502, 503, 504] {
            assert!(matches!(posted(status, b""), Sent::Lost(_)), "{status}");
        }
        assert!(matches!(posted(200, b"<html>"), Sent::Lost(_)));
        let id = SilenceId("a-b".into());
        assert!(matches!(expired(500, b"boom", &id), Sent::Lost(_)));
        assert!(matches!(expired(499, b"", &id), Sent::Lost(_)));
        assert!(matches!(expired(200, b"<html>", &id), Sent::Lost(_)));
        assert_eq!(expired(200, b"", &id), Sent::Taken(id.clone()));
        assert!(matches!(
            expired(500, b"\"silence not found\"\n", &id),
            Sent::Rejected(_)
        ));
    }

    #[test]
    fn a_name_cannot_lead_to_another_path() {
        assert_eq!(path(&SilenceId("../status".into())), None);
        assert_eq!(path(&SilenceId("a?b".into())), None);
        assert_eq!(
            path(&SilenceId("1-a".into())).as_deref(),
            Some("/api/v2/silence/1-a")
        );
    }
}
