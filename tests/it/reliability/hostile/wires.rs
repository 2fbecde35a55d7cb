//! T10: the JSON of every adapter, cut at every byte, with null and every wrong type in every place, with numbers that no
//! number is, and with what is no JSON at all. Each costs an error or at most the object that it is in; none is a panic,
//! and none makes an empty list of a full one.
//!
//! The objects of the API server are taken through the same by the tests over recorded ones.

use jiff::Timestamp;
use serde_json::{Value, json, value::RawValue};
use windlass::{
    model::{
        id::EnvironmentName,
        pipeline::{Commit, Repository},
    },
    providers::{
        alertmanager::{
            map::{self as incidents, Answers},
            wire::{self as am, List},
        },
        github::{map, wire as gh},
        http::JSON,
        kubernetes::wire as k8s,
        prometheus::{outcome, wire as prom},
    },
};

use super::{Hand, SHORT, base, during, listen, server, whole};

/// How many were told, and how many of them could not be read. One object is a list of one.
#[derive(Debug, PartialEq)]
struct Told {
    read: usize,
    unreadable: usize,
}

type Take = fn(&[u8]) -> Result<Told, String>;

fn all(read: usize) -> Told {
    Told {
        read,
        unreadable: 0,
    }
}

fn each<T>(each: &gh::Each<T>) -> Told {
    Told {
        read: each.all.len(),
        unreadable: each.unreadable,
    }
}

fn json_of<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn repository() -> Repository {
    Repository::new("acme/cart").unwrap()
}

fn run() -> gh::Run {
    serde_json::from_value(run_sample()).unwrap()
}

fn runs(body: &[u8]) -> Result<Told, String> {
    let runs: gh::Runs = json_of(body)?;
    for run in &runs.workflow_runs.all {
        map::run(run, &repository());
    }
    Ok(each(&runs.workflow_runs))
}

fn jobs(body: &[u8]) -> Result<Told, String> {
    let jobs: gh::Jobs = json_of(body)?;
    let run = map::run(&run(), &repository()).unwrap();
    map::with_jobs(run, &jobs.jobs.all);
    Ok(each(&jobs.jobs))
}

fn pending(body: &[u8]) -> Result<Told, String> {
    let pending: gh::Each<gh::PendingDeployment> = json_of(body)?;
    map::gates(&map::run(&run(), &repository()).unwrap(), &[], &pending.all);
    Ok(each(&pending))
}

fn deployments(body: &[u8]) -> Result<Told, String> {
    json_of(body).map(|list: gh::Each<gh::Deployment>| each(&list))
}

fn statuses(body: &[u8]) -> Result<Told, String> {
    json_of(body).map(|list: gh::Each<gh::DeploymentStatus>| each(&list))
}

fn environments(body: &[u8]) -> Result<Told, String> {
    json_of(body).map(|list: gh::Environments| each(&list.environments))
}

fn comparison(body: &[u8]) -> Result<Told, String> {
    let comparison: gh::Comparison = json_of(body)?;
    let commit = |digit: &str| Commit::new(&digit.repeat(40)).unwrap();
    map::changes(
        &commit("a"),
        &commit("b"),
        &comparison,
        &comparison.commits.all,
    );
    Ok(each(&comparison.commits))
}

fn reviews(body: &[u8]) -> Result<Told, String> {
    let reviews: gh::Each<gh::Approval> = json_of(body)?;
    for review in &reviews.all {
        map::review(review);
    }
    Ok(each(&reviews))
}

fn query(body: &[u8]) -> Result<Told, String> {
    let answered =
        outcome::query(200, "application/json", body).map_err(|f| f.sentence.to_string())?;
    Ok(match answered.answer {
        prom::Answer::Vector(samples) => all(samples.len()),
        prom::Answer::Matrix(series) => all(series.len()),
        prom::Answer::Scalar(_) | prom::Answer::Text(_) => all(1),
    })
}

fn targets(body: &[u8]) -> Result<Told, String> {
    outcome::data::<prom::Targets>(200, "application/json", body)
        .map(|answered| all(answered.answer.active.len()))
        .map_err(|failure| failure.sentence.to_string())
}

fn build_info(body: &[u8]) -> Result<Told, String> {
    outcome::data::<prom::BuildInfo>(200, "application/json", body)
        .map(|answered| {
            answered.answer.words();
            all(1)
        })
        .map_err(|failure| failure.sentence.to_string())
}

fn listed<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<(List<T>, Told), String> {
    let list = List::read(body).map_err(|error| error.to_string())?;
    let told = Told {
        read: list.items.len(),
        unreadable: list.unreadable,
    };
    Ok((list, told))
}

fn incident(change: impl FnOnce(&mut Answers)) {
    let none = || List {
        items: Vec::new(),
        unreadable: 0,
    };
    let mut answers = Answers {
        alerts: none(),
        groups: Ok(List {
            items: Vec::new(),
            unreadable: 0,
        }),
        silences: Ok(List {
            items: Vec::new(),
            unreadable: 0,
        }),
        cluster: String::new(),
    };
    change(&mut answers);
    incidents::incidents(
        &EnvironmentName::new("prod"),
        &answers,
        Timestamp::UNIX_EPOCH,
    );
}

fn alerts(body: &[u8]) -> Result<Told, String> {
    let (list, told) = listed::<am::Alert>(body)?;
    incident(|answers| answers.alerts = list);
    Ok(told)
}

fn groups(body: &[u8]) -> Result<Told, String> {
    let (list, told) = listed::<am::Group>(body)?;
    incident(|answers| answers.groups = Ok(list));
    Ok(told)
}

fn silences(body: &[u8]) -> Result<Told, String> {
    let (list, told) = listed::<am::Silence>(body)?;
    incident(|answers| answers.silences = Ok(list));
    Ok(told)
}

fn status(body: &[u8]) -> Result<Told, String> {
    json_of::<am::Status>(body).map(|_| all(1))
}

fn posted(body: &[u8]) -> Result<Told, String> {
    json_of::<am::Posted>(body).map(|_| all(1))
}

fn pods(body: &[u8]) -> Result<Told, String> {
    k8s::decode_list::<k8s::Pod>(body)
        .map(|list| Told {
            read: list.items.len(),
            unreadable: list.malformed.len(),
        })
        .map_err(|error| error.to_string())
}

fn run_sample() -> Value {
    let who = json!({"login": "ann", "name": "Ann", "slug": "team"});
    json!({
        "id": 30_433_642, "name": "release", "display_title": "Fix it", "run_number": 5, "run_attempt": 2,
        "event": "push", "status": "waiting", "conclusion": null, "head_branch": "main",
        "head_sha": "a".repeat(40), "path": ".github/workflows/release.yml",
        "created_at": "2026-01-20T09:42:40Z", "run_started_at": "2026-01-20T09:42:40Z",
        "updated_at": "2026-01-20T09:43:40Z", "actor": who, "triggering_actor": who,
        "html_url": "https://github.com/acme/cart/actions/runs/1", "head_commit": {"message": "Fix it\n\nall"}
    })
}

/// One answer of each kind, with everything in it that is read, and how many it tells of.
#[expect(
    clippy::too_many_lines,
    reason = "one answer of each kind, read side by side"
)]
fn samples() -> Vec<(&'static str, Take, Value, usize)> {
    let at = "2026-01-20T09:42:40Z";
    let who = json!({"login": "ann", "name": "Ann", "slug": "team"});
    let job = json!({
        "id": 7, "run_id": 30_433_642, "run_attempt": 2, "name": "deploy", "status": "completed",
        "conclusion": "success", "created_at": at, "started_at": at, "completed_at": at, "html_url": "https://x/7",
        "steps": [{"number": 1, "name": "one", "status": "completed", "conclusion": "failure", "started_at": at, "completed_at": at}]
    });
    let gate = json!({
        "environment": {"id": 4, "name": "prod"}, "wait_timer": 30, "wait_timer_started_at": at,
        "current_user_can_approve": true, "reviewers": [{"type": "User", "reviewer": who}]
    });
    let deployment = json!({
        "id": 9, "sha": "b".repeat(40), "ref": "main", "environment": "prod", "creator": who,
        "created_at": at, "updated_at": at
    });
    let commit = json!({
        "sha": "c".repeat(40), "author": who,
        "commit": {"message": "One", "author": {"name": "Ann", "date": at}, "committer": {"name": "Bo", "date": at}}
    });
    let sample =
        json!({"metric": {"__name__": "up", "job": "cart"}, "value": [1_784_000_000.5, "12.5"]});
    let histogram =
        json!({"count": "3", "sum": "2.5", "buckets": [[0, "0.5", "1", "2"], [0, "1", "2", "1"]]});
    let series = json!({
        "metric": {"job": "cart"},
        "values": [[1_784_000_000, "1"], [1_784_000_015, "NaN"], [1_784_000_030, "+Inf"]],
        "histograms": [[1_784_000_000, histogram]]
    });
    let prometheus =
        |data: Value| json!({"status": "success", "data": data, "warnings": ["w"], "infos": ["i"]});
    let alert = json!({
        "labels": {"alertname": "Slow", "severity": "page"}, "annotations": {"summary": "s"}, "fingerprint": "f1",
        "startsAt": at, "generatorURL": "http://x", "receivers": [{"name": "team"}],
        "status": {"state": "suppressed", "silencedBy": ["s1"], "inhibitedBy": ["f2"], "mutedBy": ["night"]}
    });
    let silence = json!({
        "id": "s1", "status": {"state": "active"}, "startsAt": at, "endsAt": at, "createdBy": "ann", "comment": "c",
        "matchers": [{"name": "a", "value": "b", "isRegex": false, "isEqual": true}]
    });
    let pod = json!({"metadata": {"name": "cart-1", "namespace": "shop", "uid": "u", "resourceVersion": "3"}, "status": {"phase": "Running"}});
    vec![
        (
            "runs",
            runs,
            json!({"total_count": 2, "workflow_runs": [run_sample(), run_sample()]}),
            2,
        ),
        (
            "jobs",
            jobs,
            json!({"total_count": 2, "jobs": [job, job]}),
            2,
        ),
        ("pending deployments", pending, json!([gate, gate]), 2),
        (
            "deployments",
            deployments,
            json!([deployment, deployment]),
            2,
        ),
        (
            "statuses",
            statuses,
            json!([{"id": 1, "state": "success", "creator": who, "created_at": at}]),
            1,
        ),
        (
            "environments",
            environments,
            json!({"environments": [{"id": 4, "name": "prod"}]}),
            1,
        ),
        (
            "comparison",
            comparison,
            json!({"behind_by": 0, "total_commits": 2, "commits": [commit, commit]}),
            2,
        ),
        (
            "reviews",
            reviews,
            json!([{"state": "approved", "comment": "ok", "environments": [{"id": 4, "name": "prod"}], "user": who}]),
            1,
        ),
        (
            "vector",
            query,
            prometheus(json!({"resultType": "vector", "result": [sample, sample]})),
            2,
        ),
        (
            "matrix",
            query,
            prometheus(json!({"resultType": "matrix", "result": [series, series]})),
            2,
        ),
        (
            "scalar",
            query,
            prometheus(json!({"resultType": "scalar", "result": [1_784_000_000.0, "1"]})),
            1,
        ),
        (
            "targets",
            targets,
            prometheus(
                json!({"activeTargets": [{"labels": {"job": "a"}, "scrapeInterval": "15s"}]}),
            ),
            1,
        ),
        (
            "build",
            build_info,
            prometheus(json!({"application": "x", "version": "3.5.0", "goVersion": "go1.24"})),
            1,
        ),
        ("alerts", alerts, json!([alert, alert]), 2),
        (
            "groups",
            groups,
            json!([{"receiver": {"name": "team"}, "labels": {}, "alerts": [alert]}]),
            1,
        ),
        ("silences", silences, json!([silence, silence]), 2),
        (
            "status",
            status,
            json!({"cluster": {"status": "ready"}, "versionInfo": {"version": "0.28"}}),
            1,
        ),
        ("posted", posted, json!({"silenceID": "s1"}), 1),
        (
            "pods",
            pods,
            json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "9"}, "items": [pod, pod]}),
            2,
        ),
    ]
}

fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let mut below = |key: &str, inner: &Value| {
        let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        found.push(at.clone());
        pointers(inner, &at, found);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| below(key, inner)),
        Value::Array(items) => {
            for (nth, inner) in items.iter().enumerate() {
                below(&nth.to_string(), inner);
            }
        }
        _ => {}
    }
}

fn places(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    pointers(value, "", &mut found);
    found
}

/// With `text`, which need not be JSON, in one place.
fn with(sample: &Value, pointer: &str, text: &str) -> Vec<u8> {
    const MARK: &str = "\"the place of it\"";
    let mut changed = sample.clone();
    *changed.pointer_mut(pointer).unwrap() = serde_json::from_str(MARK).unwrap();
    changed.to_string().replace(MARK, text).into_bytes()
}

#[test]
fn t10_an_answer_that_is_cut_at_any_byte_is_an_error() {
    for (kind, take, sample, told) in samples() {
        let whole = sample.to_string().into_bytes();
        assert_eq!(take(&whole), Ok(all(told)), "{kind}");
        for end in 0..whole.len() {
            assert!(take(&whole[..end]).is_err(), "{kind} cut at {end}");
        }
    }
}

/// Go writes an empty list as null where nobody forbids it. The API server does, and says by a version that it is a list.
const MAY_BE_NULL: [(&str, &str); 3] = [
    ("pods", "/items"),
    ("pods", "/items/0"),
    ("pods", "/items/1"),
];

#[test]
fn t10_null_and_every_wrong_type_in_every_place_cost_no_more_than_their_object() {
    let wrong = [
        "null",
        "true",
        "-1",
        "1.5",
        "\"\"",
        "\"x\"",
        "[]",
        "{}",
        "[null,1,{}]",
        "{\"a\":[]}",
        "\"\\u001b]0;x\\u0007\\u202e\"",
        "\"9999999999999999999999\"",
    ];
    for (kind, take, sample, told) in samples() {
        // How often something is scraped decides nothing: what is not told there is the usual.
        let counts = kind != "targets";
        for place in places(&sample) {
            for value in wrong {
                // An error tells that nothing is known, which is true. What is read must be all of it, and a list that
                // is replaced by an empty list is one.
                let Ok(found) = take(&with(&sample, &place, value)) else {
                    continue;
                };
                let replaced = (matches!(value, "[]" | "[null,1,{}]")
                    && sample.pointer(&place).is_some_and(Value::is_array))
                    || (value == "null" && MAY_BE_NULL.contains(&(kind, place.as_str())));
                assert!(
                    !counts || replaced || found.read + found.unreadable == told,
                    "{kind}{place} = {value}: {found:?} of {told}"
                );
            }
        }
    }
}

#[test]
fn t10_a_list_that_is_missing_is_not_an_empty_list() {
    let lists = [
        ("runs", "/workflow_runs"),
        ("jobs", "/jobs"),
        ("environments", "/environments"),
        ("comparison", "/commits"),
        ("vector", "/data/result"),
        ("matrix", "/data/result"),
        ("pods", "/items"),
    ];
    for (kind, take, sample, _) in samples() {
        let Some((_, list)) = lists.iter().find(|(known, _)| *known == kind) else {
            continue;
        };
        let (above, name) = list.rsplit_once('/').unwrap();
        let mut without = sample.clone();
        without
            .pointer_mut(above)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(name);
        // Kubernetes leaves an empty list out as null, and says by its version that it is a list.
        if kind != "pods" {
            assert!(
                take(without.to_string().as_bytes()).is_err(),
                "{kind} without {list}"
            );
            assert!(
                take(&with(&sample, list, "null")).is_err(),
                "{kind} with {list} null"
            );
        }
        // And for those the watch asks: a list without a version is none.
        let other = take(br#"{"message":"Bad gateway"}"#);
        assert!(
            kind == "pods" || other.is_err(),
            "{kind}: another object: {other:?}"
        );
    }
}

#[test]
fn t10_numbers_that_are_none_and_keys_that_come_twice_are_no_panic() {
    let numbers = [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "-1e999",
        "-0",
        "-0.0",
        "9223372036854775808",
        "18446744073709551616",
        "1e-400",
        "0x10",
        "01",
        "1.",
        "\"NaN\"",
        "\"+Inf\"",
        "\"1e999\"",
        "\"-0\"",
        "\"Infinity\"",
    ];
    for (kind, take, sample, told) in samples() {
        for place in places(&sample) {
            for number in numbers {
                let body = with(&sample, &place, number);
                let found = take(&body);
                let is_json = serde_json::from_slice::<&RawValue>(&body).is_ok();
                assert!(is_json || found.is_err(), "{kind}{place} = {number}");
                if let Ok(found) = found
                    && kind != "targets"
                {
                    assert_eq!(
                        found.read + found.unreadable,
                        told,
                        "{kind}{place} = {number}"
                    );
                }
            }
        }
        // Every object says everything twice, with another value first.
        let text = sample.to_string();
        for key in [
            "id",
            "status",
            "value",
            "fingerprint",
            "state",
            "metric",
            "result",
            "name",
        ] {
            let twice = text.replace(&format!("\"{key}\":"), &format!("\"{key}\":0,\"{key}\":"));
            let _read_or_refused = take(twice.as_bytes());
        }
    }
}

#[test]
fn t10_what_is_no_json_is_an_error_and_nothing_overflows() {
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let mut bom = b"\xef\xbb\xbf".to_vec();
    let nested = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    let whole_deep = [deep("[", "]"), deep("{\"a\":", "}"), "[".repeat(100_000)];
    for (kind, take, sample, _) in samples() {
        let whole = sample.to_string();
        bom.truncate(3);
        bom.extend_from_slice(whole.as_bytes());
        let latin = whole.clone().into_bytes();
        let invalid: Vec<u8> = latin
            .iter()
            .flat_map(|byte| {
                if *byte == b':' {
                    vec![b':', 0xff]
                } else {
                    vec![*byte]
                }
            })
            .collect();
        let utf16: Vec<u8> = whole.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let page = b"<!DOCTYPE html><html><title>Sign in</title>".as_slice();
        let bodies: [&[u8]; 10] = [
            b"",
            b" ",
            b"null",
            b"\"\"",
            b"0",
            page,
            b"not json",
            &invalid,
            &utf16,
            &[0; 64],
        ];
        for body in bodies {
            let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
            assert!(take(body).is_err(), "{kind}: {shown:?}");
        }
        for body in &whole_deep {
            // Its elements are counted as unreadable where the list itself is one.
            if let Ok(found) = take(body.as_bytes()) {
                assert!(found.read == 0 && found.unreadable > 0, "{kind}: {found:?}");
            }
        }
        // A mark of the byte order is refused or read past: it does not make less of the answer.
        if let Ok(found) = take(&bom) {
            assert_eq!(Ok(found), take(whole.as_bytes()), "{kind}");
        }
        // Deep inside of what is read.
        for place in places(&sample) {
            let _read_or_refused = take(&with(&sample, &place, &nested));
        }
    }
}

/// The same through the client, where a content type comes with it.
#[tokio::test]
async fn t10_a_success_without_an_answer_in_it_is_none() {
    let listener = listen().await;
    let http = server(&base(&listener), SHORT, &Hand::new());
    let page = "<!DOCTYPE html><title>Sign in</title>";
    for (kind, body) in [
        ("application/json", ""),
        ("text/html; charset=utf-8", page),
        ("application/json", page),
        ("text/html", "[]"),
        ("application/octet-stream", "\u{feff}<html>"),
        ("image/png", "\u{1}\u{2}"),
    ] {
        let answer = whole("200 OK", &format!("content-type: {kind}\r\n"), body);
        let (got, _) = during(
            &listener,
            &answer,
            http.get(&format!("/{}", body.len()), JSON),
        )
        .await;
        let read = got.unwrap().json::<Vec<Value>>();
        assert!(read.is_err(), "{kind} {body:?}: {read:?}");
    }
}
