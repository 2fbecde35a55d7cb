//! A GitHub of a hundred repositories on a clock that is set by hand. Each has a few releases a day; a release is built
//! for seven minutes, waits at its gate, and is deployed for three. Answers are as large as GitHub's own, carry an
//! `ETag`, and an unchanged one costs nothing of the budget.

use std::{
    collections::{HashMap, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Request, Response, StatusCode},
};
use serde_json::{Value, json};

pub(crate) const OPENING: i64 = 1_795_219_200;
const LIMIT: u64 = 5_000;
const BUILT_AFTER: i64 = 7 * 60;
const DEPLOYED_AFTER: i64 = 3 * 60;
/// GitHub repeats the repository, twice, in each run of a list.
const PADDING: usize = 6_000;

/// What the host has counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    /// Seconds since the opening.
    pub(crate) now: i64,
    /// Of each hour: asked, and of these not answered with 304.
    pub(crate) hours: Vec<(u64, u64)>,
    /// Of the busiest minute.
    pub(crate) busiest_minute: u64,
    minute: (i64, u64),
    pub(crate) refused: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct GitHub {
    pub(crate) counted: Arc<Mutex<Counted>>,
    /// Bodies by path and query, with until when they hold: making them anew each time would be all that is measured.
    made: Arc<Mutex<HashMap<String, Made>>>,
}

#[derive(Clone, Debug)]
struct Made {
    until: i64,
    status: StatusCode,
    body: Bytes,
    etag: String,
}

/// One release of a repository, in seconds since the opening.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Release {
    pub(crate) number: u64,
    pub(crate) begins: i64,
    pub(crate) waits_for: i64,
}

impl Release {
    pub(crate) fn waits_from(&self) -> i64 {
        self.begins + BUILT_AFTER
    }

    fn approved(&self) -> i64 {
        self.waits_from() + self.waits_for
    }

    pub(crate) fn ends(&self) -> i64 {
        self.approved() + DEPLOYED_AFTER
    }
}

fn spread(seed: (u64, u64), within: u64) -> i64 {
    let mut hasher = DefaultHasher::new();
    seed.hash(&mut hasher);
    i64::try_from(hasher.finish() % within).unwrap()
}

/// The releases of the day before and of this one: one or two in twenty-four hours.
pub(crate) fn releases(repository: u64) -> Vec<Release> {
    let period = 12 * 3600 + spread((repository, 1), 12 * 3600);
    let first = -24 * 3600 + spread((repository, 2), 12 * 3600);
    // Three in two days at the most, and a fourth for the sake of the bound.
    (0..4u64)
        .map(|nth| (nth, first + i64::try_from(nth).unwrap() * period))
        .take_while(|(_, begins)| *begins < 24 * 3600)
        .map(|(nth, begins)| Release {
            number: repository * 1_000 + nth + 1,
            begins,
            waits_for: 5 * 60 + spread((repository, 100 + nth), 35 * 60),
        })
        .collect()
}

fn repository_of(path: &str) -> Option<u64> {
    path.split('/')
        .find_map(|part| part.strip_prefix("service-"))?
        .parse()
        .ok()
}

/// Until then nothing of the repository is another thing.
fn next_change(path: &str, now: i64) -> i64 {
    let Some(repository) = repository_of(path) else {
        return i64::MAX;
    };
    releases(repository)
        .iter()
        .flat_map(|it| [it.begins, it.waits_from(), it.approved(), it.ends()])
        .filter(|change| *change > now)
        .min()
        .unwrap_or(i64::MAX)
}

fn stamp(seconds: i64) -> String {
    jiff::Timestamp::from_second(OPENING + seconds)
        .unwrap()
        .to_string()
}

pub(crate) fn commit(number: u64) -> String {
    format!("{number:040x}")
}

fn run(release: &Release, now: i64) -> Value {
    let (status, conclusion, updated) = match now {
        now if now >= release.ends() => ("completed", json!("success"), release.ends()),
        now if now >= release.approved() => ("in_progress", Value::Null, release.approved()),
        now if now >= release.waits_from() => ("waiting", Value::Null, release.waits_from()),
        _ => ("in_progress", Value::Null, release.begins),
    };
    json!({
        "id": release.number, "name": "release", "run_number": release.number, "run_attempt": 1, "event": "push",
        "status": status, "conclusion": conclusion, "head_branch": format!("v{}", release.number),
        "head_sha": commit(release.number), "path": ".github/workflows/release.yml", "workflow_id": 7,
        "created_at": stamp(release.begins), "run_started_at": stamp(release.begins), "updated_at": stamp(updated),
        "actor": { "login": "ann", "id": 1 }, "html_url": "https://github.example/run",
        "repository": { "description": "x".repeat(PADDING) },
    })
}

impl GitHub {
    pub(crate) async fn start() -> (Self, String) {
        let github = Self {
            counted: Arc::default(),
            made: Arc::default(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(github.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (github, base)
    }

    fn made(&self, path: &str, query: &str, now: i64) -> Made {
        let key = format!("{path}?{query}");
        let known = self.made.lock().unwrap().get(&key).cloned();
        if let Some(known) = known.filter(|made| now < made.until) {
            return known;
        }
        let (status, body) = match body(path, query, now) {
            Some(body) => (StatusCode::OK, body.to_string()),
            None => (
                StatusCode::NOT_FOUND,
                json!({ "message": "Not Found" }).to_string(),
            ),
        };
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        let made = Made {
            until: next_change(path, now),
            status,
            body: body.into(),
            etag: format!("W/\"{:016x}\"", hasher.finish()),
        };
        self.made.lock().unwrap().insert(key, made.clone());
        made
    }
}

/// What the path names, as it is now.
fn body(path: &str, query: &str, now: i64) -> Option<Value> {
    let mut parts = path.trim_start_matches('/').split('/');
    if path == "/user" {
        return Some(json!({ "login": "ann", "id": 1 }));
    }
    (parts.next() == Some("repos")).then_some(())?;
    parts.next()?;
    let repository: u64 = parts.next()?.strip_prefix("service-")?.parse().ok()?;
    let mut begun = releases(repository);
    begun.retain(|release| release.begins <= now);
    begun.reverse();
    let rest: Vec<&str> = parts.collect();
    let named = |number: &str| {
        let number: u64 = number.parse().ok()?;
        begun.iter().find(|release| release.number == number)
    };
    match *rest.as_slice() {
        ["actions", "runs"] | ["actions", "workflows", _, "runs"] => {
            let waits = query.contains("status=waiting");
            let runs: Vec<Value> = begun
                .iter()
                .map(|release| run(release, now))
                .filter(|run| !waits || run["status"] == "waiting")
                .collect();
            Some(json!({ "total_count": runs.len(), "workflow_runs": runs }))
        }
        ["actions", "runs", number, "attempts", "1", "jobs"] => {
            let release = named(number)?;
            let run = run(release, now);
            Some(json!({ "jobs": [{
                "id": release.number * 10, "run_id": release.number, "run_attempt": 1, "name": "deploy",
                "status": run["status"], "conclusion": run["conclusion"], "started_at": stamp(release.begins),
                "steps": [],
            }] }))
        }
        ["actions", "runs", number, "pending_deployments"] => {
            let release = named(number)?;
            let gate = json!({ "environment": { "id": 5, "name": "prod-eu" }, "wait_timer": 0,
                "current_user_can_approve": true, "reviewers": [] });
            let waits = run(release, now)["status"] == "waiting";
            Some(json!(if waits { vec![gate] } else { Vec::new() }))
        }
        ["environments"] => {
            Some(json!({ "environments": [{ "id": 5, "name": "prod-eu" }] }))
        }
        ["deployments"] => Some(json!(
            begun
                .iter()
                .filter(|release| now >= release.approved())
                .map(|release| json!({
                    "id": release.number, "sha": commit(release.number), "environment": "prod-eu",
                    "created_at": stamp(release.approved()),
                    "updated_at": stamp(if now >= release.ends() { release.ends() } else { release.approved() }),
                }))
                .collect::<Vec<_>>()
        )),
        ["deployments", number, "statuses"] => {
            let release = named(number)?;
            let mut statuses = vec![json!({ "id": 1, "state": "in_progress",
                "created_at": stamp(release.approved()) })];
            if now >= release.ends() {
                statuses.insert(0, json!({ "id": 2, "state": "success", "created_at": stamp(release.ends()) }));
            }
            Some(json!(statuses))
        }
        ["compare", _] => Some(json!({ "behind_by": 0, "total_commits": 0, "commits": [] })),
        _ => None,
    }
}

async fn answer(State(github): State<GitHub>, request: Request<Body>) -> Response<Body> {
    let now = github.counted.lock().unwrap().now;
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or(""));
    let made = github.made(path, query, now);
    let unchanged = is_known(request.headers(), &made.etag);
    let mut counted = github.counted.lock().unwrap();
    counted.asks(!unchanged);
    let hour = usize::try_from(now / 3600).unwrap();
    let used = counted.hours[hour].1;
    let answer = Response::builder()
        .header("etag", &made.etag)
        .header("content-type", "application/json")
        .header("x-ratelimit-limit", LIMIT)
        .header("x-ratelimit-remaining", LIMIT.saturating_sub(used))
        .header("x-ratelimit-used", used)
        .header("x-ratelimit-resource", "core")
        .header("x-ratelimit-reset", OPENING + (now / 3600 + 1) * 3600);
    if used > LIMIT {
        counted.refused += 1;
        let body = json!({ "message": "API rate limit exceeded" }).to_string();
        return answer.status(403).body(body.into()).unwrap();
    }
    match unchanged {
        true => answer.status(304).body(Body::empty()),
        false => answer.status(made.status).body(made.body.into()),
    }
    .unwrap()
}

fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let theirs = headers.get("if-none-match").and_then(|it| it.to_str().ok());
    theirs == Some(etag) && headers.contains_key("authorization")
}

impl Counted {
    fn asks(&mut self, costs: bool) {
        let hour = usize::try_from(self.now / 3600).unwrap();
        if self.hours.len() <= hour {
            self.hours.resize(hour + 1, (0, 0));
        }
        self.hours[hour].0 += 1;
        self.hours[hour].1 += u64::from(costs);
        let minute = self.now / 60;
        if self.minute.0 != minute {
            self.minute = (minute, 0);
        }
        self.minute.1 += 1;
        self.busiest_minute = self.busiest_minute.max(self.minute.1);
    }
}
