//! Pod logs: plausible lines, made from the pod's name and the time, so that they are the same at every look.
//!
//! Must never grow: nothing is stored, and without a reader nothing happens.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use jiff::{SignedDuration, Timestamp};

use super::{Answer, Api, Asked};
use crate::demo::answer::Refusal;
use crate::demo::chance::Chance;
use crate::demo::json;
use crate::demo::script::Verdict;
use crate::demo::store::Object;

/// One line each; also the pace of following.
const EVERY: Duration = Duration::from_millis(700);

/// How far back a log reaches when nobody says.
const USUAL: i64 = 120;

/// More is not handed out at once.
const MOST: i64 = 5_000;

/// What the lines are made from.
#[derive(Clone, Debug)]
struct Voice {
    service: String,
    failing: bool,
    seed: u64,
    timestamps: bool,
}

pub(super) fn log(api: &Arc<Api>, asked: &Asked, pod: &Object) -> Result<Answer, Refusal> {
    let value = pod.value();
    let containers =
        json::at(&value, &["spec", "containers"]).and_then(serde_json::Value::as_array);
    let container = containers
        .and_then(|list| list.first())
        .cloned()
        .unwrap_or_default();
    let (name, wanted) = (
        json::text(&container, &["name"]),
        asked.parameter("container"),
    );
    if !wanted.is_empty() && wanted != name {
        return Err(Refusal::bad_request(format!(
            "container {wanted} is not valid for pod {}",
            pod.key.name
        )));
    }
    if json::text(&value, &["status", "phase"]) != "Running" {
        let why = format!(
            "container \"{name}\" in pod \"{}\" is waiting to start: ContainerCreating",
            pod.key.name
        );
        return Err(Refusal::bad_request(why));
    }
    if asked.flag("previous") {
        let why = format!(
            "previous terminated container \"{name}\" in pod \"{}\" not found",
            pod.key.name
        );
        return Err(Refusal::bad_request(why));
    }
    let voice = Voice {
        service: name.to_owned(),
        failing: failing(api, pod, json::text(&container, &["image"])),
        seed: pod.uid.bytes().fold(7, |seed: u64, byte| {
            seed.wrapping_mul(31).wrapping_add(byte.into())
        }),
        timestamps: asked.flag("timestamps"),
    };
    let started = json::text(&value, &["status", "startTime"])
        .parse()
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let (first, now) = span(asked, api.time.now(), started);
    let past: String = (first..=now).map(|number| voice.line(number)).collect();
    if asked.flag("follow") {
        return Ok(follow(api, voice, past, now));
    }
    Ok(Answer::Raw {
        status: 200,
        kind: "text/plain",
        body: Bytes::from(past),
    })
}

/// A version whose analysis fails also says so in its log.
fn failing(api: &Api, pod: &Object, image: &str) -> bool {
    let version = image.rsplit_once(':').map_or("", |(_, tag)| tag);
    let app = pod.label("app").unwrap_or_default();
    api.cluster()
        .script(&pod.key.namespace, app)
        .verdict(version)
        == Verdict::Failed
}

/// Lines are numbered by time, from the epoch.
fn number(at: Timestamp) -> i64 {
    at.as_millisecond() / i64::try_from(EVERY.as_millis()).unwrap_or(1)
}

/// The first line and the last to be sent.
fn span(asked: &Asked, time: Timestamp, started: Timestamp) -> (i64, i64) {
    let now = number(time);
    let since = asked.parameter("sinceSeconds").parse::<i64>().ok();
    let since =
        since.map(|seconds| number(time - SignedDuration::from_secs(seconds.clamp(0, 86_400))));
    let tail = asked.parameter("tailLines").parse::<i64>().ok();
    let first = match (tail, since) {
        (Some(lines), _) => now - lines.clamp(0, MOST) + 1,
        (None, Some(since)) => since,
        (None, None) => now - USUAL,
    };
    (first.max(number(started)).max(now - MOST), now)
}

fn follow(api: &Arc<Api>, voice: Voice, past: String, now: i64) -> Answer {
    let passing = api.time.passing();
    let start = (Arc::clone(api), voice, now, Some(past), passing);
    let body = futures::stream::unfold(start, |(api, voice, last, past, mut passing)| async move {
        if let Some(past) = past.filter(|past| !past.is_empty()) {
            return Some((
                Ok::<_, Infallible>(Bytes::from(past)),
                (api, voice, last, None, passing),
            ));
        }
        let mut next = last + 1;
        tokio::select! {
            () = tokio::time::sleep(EVERY), if !api.time.is_still() => {}
            // As many as belong to the time that has passed.
            Ok(()) = passing.changed() => next = number(api.time.now()),
            () = api.closing.cancelled() => return None,
        }
        let lines: String = (last + 1..=next).map(|line| voice.line(line)).collect();
        Some((Ok(Bytes::from(lines)), (api, voice, next, None, passing)))
    });
    Answer::Stream {
        kind: "text/plain",
        body: Body::from_stream(body),
    }
}

impl Voice {
    fn line(&self, number: i64) -> String {
        let mut chance = Chance::new(self.seed ^ number.unsigned_abs());
        let millis = number.saturating_mul(i64::try_from(EVERY.as_millis()).unwrap_or(1));
        let at = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH);
        let path = match chance.below(5) {
            0 => "/healthz".to_owned(),
            1 => format!("/v1/{}/search?page={}", self.service, chance.below(9)),
            _ => format!("/v1/{}/{}", self.service, 1000 + chance.below(9000)),
        };
        let (took, trace) = (3 + chance.below(40), chance.next() & 0xffff_ffff);
        let text = if self.failing && chance.below(4) == 0 {
            format!(
                "level=error msg=\"request failed\" path={path} status=500 took={}ms err=\"index: segment missing\" trace={trace:08x}",
                took * 30
            )
        } else {
            format!(
                "level=info msg=\"request served\" path={path} status=200 took={took}ms trace={trace:08x}"
            )
        };
        if self.timestamps {
            format!("{} {text}\n", at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ"))
        } else {
            format!("{text}\n")
        }
    }
}
