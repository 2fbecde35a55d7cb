//! What an answer is worth: of the bytes that came back, either an answer with what the server warned of, or a failure
//! in one sentence. And of the instant value of something, which of the five outcomes it is.
//!
//! Must never take a page of HTML, a proxy's login or an empty result for a number.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::value::RawValue;

use super::wire::{Answer, Envelope, Sampled};
use crate::{
    model::{
        metrics::Reading,
        source::SourceState,
        text::{Safe, sanitise, sanitise_line},
    },
    providers::http::Trouble,
};

/// Longer sentences of a server say the same again.
const SAID_MAX: usize = 300;

/// An answer, and what makes it less than whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered<T> {
    pub answer: T,
    /// The numbers are incomplete: shown, and nothing may be decided by them.
    pub warnings: Vec<Safe>,
    /// Hints about the expression: no reason for doubt.
    pub infos: Vec<Safe>,
}

/// A question that was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: Kind,
    /// One sentence: what failed and what to do.
    pub sentence: Safe,
    /// How long it wants to be left alone.
    pub wait: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The question is wrong: asking again does not help.
    BadQuestion,
    /// Too slow, cancelled or broken: it may be asked again.
    Overloaded,
    Unauthorized,
    Forbidden,
    RateLimited,
    /// There is a server, and it is no Prometheus, or not under this address.
    NotPrometheus,
    /// The method is not taken here: a proxy that lets only reading pass.
    Method,
    /// It says that it answered, and what it says cannot be read.
    Malformed,
}

impl Kind {
    /// The state of a source whose questions end like this.
    pub const fn state(self) -> SourceState {
        match self {
            Self::Overloaded => SourceState::Unreachable,
            Self::Unauthorized => SourceState::Unauthorized,
            Self::Forbidden | Self::Method => SourceState::Forbidden,
            Self::RateLimited => SourceState::RateLimited,
            Self::BadQuestion | Self::NotPrometheus | Self::Malformed => SourceState::Malformed,
        }
    }

    /// Whether it says something about the server rather than about this one question.
    pub const fn is_of_the_server(self) -> bool {
        !matches!(self, Self::BadQuestion)
    }
}

impl Failure {
    fn new(kind: Kind, sentence: &str) -> Self {
        Self {
            kind,
            sentence: sanitise_line(sentence, SAID_MAX),
            wait: None,
        }
    }

    pub(super) fn malformed(why: &str) -> Self {
        Self::new(
            Kind::Malformed,
            &format!("the answer cannot be read: {why}"),
        )
    }

    /// What the way there says. What the server itself said, in whatever form, is read as any other answer of it.
    pub fn of(trouble: &Trouble) -> Self {
        let mut failure = match trouble.said() {
            Some(said) => refused(said.status, &said.body),
            None => Self {
                kind: match trouble.state() {
                    SourceState::Unauthorized => Kind::Unauthorized,
                    SourceState::Forbidden => Kind::Forbidden,
                    SourceState::RateLimited => Kind::RateLimited,
                    SourceState::Malformed => Kind::NotPrometheus,
                    _ => Kind::Overloaded,
                },
                sentence: trouble.sentence(),
                wait: None,
            },
        };
        failure.wait = trouble.retry_after();
        failure
    }
}

/// A refusal of which only the status and the text are left.
fn refused(status: u16, body: &[u8]) -> Failure {
    match serde_json::from_slice::<Envelope<'_>>(body) {
        Ok(envelope) => failed(status, &envelope.error_type, &envelope.error),
        Err(_) => {
            let html = body.trim_ascii_start().starts_with(b"<");
            not_json(status, if html { "text/html" } else { "text/plain" }, body)
        }
    }
}

/// What a query answered.
pub fn query(status: u16, content_type: &str, body: &[u8]) -> Result<Answered<Answer>, Failure> {
    envelope(status, content_type, body, Answer::read)
}

/// What any other endpoint answered.
pub fn data<T: serde::de::DeserializeOwned>(
    status: u16,
    content_type: &str,
    body: &[u8],
) -> Result<Answered<T>, Failure> {
    envelope(status, content_type, body, |data| {
        serde_json::from_str(data.get())
    })
}

fn envelope<T>(
    status: u16,
    content_type: &str,
    body: &[u8],
    read: impl FnOnce(&RawValue) -> Result<T, serde_json::Error>,
) -> Result<Answered<T>, Failure> {
    if !content_type.to_ascii_lowercase().contains("json") {
        return Err(not_json(status, content_type, body));
    }
    let malformed = |e: &serde_json::Error| {
        if status >= 400 {
            // A proxy's own JSON: its status says more than that it is not an envelope.
            failed(status, "", &first_line(body))
        } else {
            Failure::new(Kind::Malformed, &format!("the answer cannot be read: {e}"))
        }
    };
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|e| malformed(&e))?;
    if envelope.status != "success" {
        return Err(failed(status, &envelope.error_type, &envelope.error));
    }
    if status >= 400 {
        return Err(failed(status, "", "it calls a failure a success"));
    }
    let Some(data) = envelope.data else {
        return Err(Failure::new(
            Kind::Malformed,
            "the answer cannot be read: it is called a success and holds nothing",
        ));
    };
    let answer = read(data).map_err(|e| malformed(&e))?;
    let mut warnings: Vec<Safe> = envelope
        .warnings
        .iter()
        .map(|warning| sanitise_line(warning, SAID_MAX))
        .collect();
    if envelope.is_partial {
        warnings.push(sanitise(
            "incomplete: a part of the server's storage did not answer",
        ));
    }
    Ok(Answered {
        answer,
        warnings,
        infos: envelope
            .infos
            .iter()
            .map(|info| sanitise_line(info, SAID_MAX))
            .collect(),
    })
}

/// A failure in the server's own words. The type decides where it is known, because a proxy may change the status.
fn failed(status: u16, error_type: &str, error: &str) -> Failure {
    let kind = match (error_type, status) {
        ("bad_data" | "execution" | "not_acceptable", _) => Kind::BadQuestion,
        ("timeout" | "canceled" | "internal" | "unavailable", _) => Kind::Overloaded,
        (_, 401) => Kind::Unauthorized,
        (_, 403) => Kind::Forbidden,
        (_, 405) => Kind::Method,
        (_, 429) => Kind::RateLimited,
        ("not_found", _) | (_, 404) => Kind::NotPrometheus,
        (_, 400 | 422) => Kind::BadQuestion,
        _ => Kind::Overloaded,
    };
    let says = if error.is_empty() { "no reason" } else { error };
    let sentence = match kind {
        Kind::BadQuestion => format!("the query is refused ({status}): {says}"),
        Kind::Overloaded => format!("the server did not answer the query ({status}): {says}"),
        Kind::Unauthorized => format!("the login is not accepted (401): {says}"),
        Kind::Forbidden => format!("not permitted (403): {says}"),
        Kind::RateLimited => format!("the server asks to slow down (429): {says}"),
        Kind::Method => format!("the method is not permitted here (405): {says}"),
        Kind::NotPrometheus | Kind::Malformed => format!("not found ({status}): {says}"),
    };
    Failure::new(kind, &sentence)
}

fn not_json(status: u16, content_type: &str, body: &[u8]) -> Failure {
    let html = content_type.to_ascii_lowercase().contains("html");
    let line = first_line(body);
    match status {
        401 => Failure::new(
            Kind::Unauthorized,
            "the login is not accepted (401): set the environment's prometheus.token",
        ),
        403 => Failure::new(Kind::Forbidden, "not permitted (403)"),
        405 => Failure::new(Kind::Method, "the method is not permitted here (405)"),
        429 => Failure::new(Kind::RateLimited, "the server asks to slow down (429)"),
        // What Prometheus itself says of a path that it does not have.
        404 if line.starts_with("404 page not found") => Failure::new(
            Kind::NotPrometheus,
            "there is no Prometheus API under this address (404): is a prefix missing in its url, as in https://host/prometheus?",
        ),
        404 => Failure::new(
            Kind::NotPrometheus,
            "there is no Prometheus API under this address (404)",
        ),
        _ if html && status < 400 => Failure::new(
            Kind::NotPrometheus,
            &format!(
                "a web page was answered ({status}) and not a Prometheus API: a login page stands in the way?"
            ),
        ),
        _ if status < 400 => Failure::new(
            Kind::NotPrometheus,
            &format!("this is not a Prometheus API: {status} of {content_type:?}"),
        ),
        _ if html || line.is_empty() => Failure::new(
            Kind::Overloaded,
            &format!("the server did not answer the query ({status})"),
        ),
        _ => Failure::new(
            Kind::Overloaded,
            &format!("the server did not answer the query ({status}): {line}"),
        ),
    }
}

fn first_line(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..body.len().min(1_000)).unwrap_or_default());
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// The one value of an answer. `aged`: when its sample was taken, from `timestamp(…)`, because an instant vector says the
/// time of the evaluation for a sample of five minutes ago as well.
pub fn single(
    outcome: &Result<Answered<Answer>, Failure>,
    aged: Option<Timestamp>,
    now: Timestamp,
    fresh_for: SignedDuration,
) -> Reading<f64> {
    let answer = match outcome {
        Ok(answered) => &answered.answer,
        Err(failure) => return Reading::Failed(failure.sentence.clone()),
    };
    let point = match answer {
        Answer::Scalar(point) => *point,
        Answer::Vector(samples) => match samples.as_slice() {
            [] => return Reading::Empty,
            [one] => match one.sampled {
                Sampled::Number(point) => point,
                Sampled::Histogram(..) => {
                    return Reading::Failed("a histogram, not a number".into());
                }
            },
            _ => return Reading::Failed("more than one series where one is wanted".into()),
        },
        Answer::Matrix(series) => match series.as_slice() {
            [] => return Reading::Empty,
            [one] => match one.points.last() {
                Some(point) => *point,
                None => return Reading::Empty,
            },
            _ => return Reading::Failed("more than one series where one is wanted".into()),
        },
        Answer::Text(_) => return Reading::Failed("a text, not a number".into()),
    };
    let taken = aged.unwrap_or(point.at);
    if now.duration_since(taken) > fresh_for {
        Reading::Stale { last: taken }
    } else if point.value.is_finite() {
        Reading::Value(point.value)
    } else {
        Reading::NaN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = "application/json";
    const NOW: i64 = 1_795_215_230;

    fn asked(body: &str) -> Result<Answered<Answer>, Failure> {
        query(200, JSON, body.as_bytes())
    }

    fn vector(result: &str) -> Result<Answered<Answer>, Failure> {
        asked(&format!(
            r#"{{"status":"success","data":{{"resultType":"vector","result":{result}}}}}"#
        ))
    }

    fn outcome(of: &Result<Answered<Answer>, Failure>, aged: Option<i64>) -> Reading<f64> {
        single(
            of,
            aged.map(|at| Timestamp::from_second(at).unwrap()),
            Timestamp::from_second(NOW).unwrap(),
            SignedDuration::from_secs(45),
        )
    }

    #[test]
    fn the_five_outcomes_are_five() {
        let one = vector(r#"[{"metric":{},"value":[1795215228,"0.5"]}]"#);
        assert_eq!(outcome(&one, None), Reading::Value(0.5));
        let nan = vector(r#"[{"metric":{},"value":[1795215228,"NaN"]}]"#);
        assert_eq!(outcome(&nan, None), Reading::NaN);
        assert_eq!(outcome(&vector("[]"), None), Reading::Empty);
        // The evaluation is of this moment, the sample is not.
        let last = Timestamp::from_second(NOW - 200).unwrap();
        assert_eq!(outcome(&one, Some(NOW - 200)), Reading::Stale { last });
        let failed = query(
            422,
            JSON,
            br#"{"status":"error","errorType":"execution","error":"many-to-many"}"#,
        );
        assert_eq!(
            outcome(&failed, None),
            Reading::Failed("the query is refused (422): many-to-many".into())
        );
    }

    #[test]
    fn a_failure_is_told_by_its_type_where_a_proxy_changed_the_status() {
        let body = br#"{"status":"error","errorType":"timeout","error":"query timed out"}"#;
        assert_eq!(query(200, JSON, body).unwrap_err().kind, Kind::Overloaded);
        assert_eq!(query(400, JSON, body).unwrap_err().kind, Kind::Overloaded);
        let body = br#"{"status":"error","errorType":"422","error":"cannot parse"}"#;
        assert_eq!(query(422, JSON, body).unwrap_err().kind, Kind::BadQuestion);
    }

    #[test]
    fn a_login_page_is_not_an_answer() {
        let failure = query(
            200,
            "text/html; charset=utf-8",
            b"<!doctype html><title>Log in",
        )
        .unwrap_err();
        assert_eq!(failure.kind, Kind::NotPrometheus);
        assert!(
            failure.sentence.contains("login page"),
            "{}",
            failure.sentence
        );
    }

    #[test]
    fn a_missing_prefix_is_said() {
        let failure = query(404, "text/plain; charset=utf-8", b"404 page not found\n").unwrap_err();
        assert_eq!(failure.kind, Kind::NotPrometheus);
        assert!(failure.sentence.contains("prefix"), "{}", failure.sentence);
        let failure = query(401, "text/plain", b"Unauthorized\n").unwrap_err();
        assert_eq!(failure.kind, Kind::Unauthorized);
    }

    #[test]
    fn what_is_partial_is_warned_of() {
        let answered = asked(
            r#"{"status":"success","isPartial":true,"warnings":["store \u001b[31mdown"],
                "data":{"resultType":"vector","result":[]}}"#,
        )
        .unwrap();
        assert_eq!(answered.warnings.len(), 2);
        assert_eq!(answered.warnings[0], "store down");
    }

    #[test]
    fn a_success_without_anything_is_malformed_and_a_proxys_own_json_is_told_by_its_status() {
        assert_eq!(
            asked(r#"{"status":"success"}"#).unwrap_err().kind,
            Kind::Malformed
        );
        assert_eq!(asked("[").unwrap_err().kind, Kind::Malformed);
        let failure = query(403, JSON, br#"{"message":"no such team"}"#).unwrap_err();
        assert_eq!(failure.kind, Kind::Forbidden);
        let failure = query(503, JSON, b"{}").unwrap_err();
        assert_eq!(failure.kind, Kind::Overloaded);
    }
}
