//! Every recorded answer of Prometheus 2.42 and 3.5 means the same, and means what it has to.

use jiff::SignedDuration;
use serde_json::Value;
use windlass::{
    model::metrics::Reading,
    providers::prometheus::{
        outcome::{self, Answered, Failure, Kind, single},
        wire::{self, Answer, Sampled},
    },
};

use super::{Exchange, exchanges, folder};

/// What a failed exchange has to be called.
fn failure(case: &str) -> Option<Kind> {
    Some(match case {
        "query_bad_time"
        | "query_dup_labelset_error"
        | "query_missing_param"
        | "query_parse_error"
        | "query_scalar"
        | "query_type_error"
        | "query_unknown_fn"
        | "range_end_before_start"
        | "range_matrix_type_error"
        | "range_string_type_error"
        | "range_too_many_points"
        | "range_zero_step" => Kind::BadQuestion,
        "method_not_allowed" => Kind::Method,
        "not_found" | "root_redirect" => Kind::NotPrometheus,
        _ => return None,
    })
}

fn asked(one: &Exchange) -> Result<Answered<Answer>, Failure> {
    outcome::query(one.status, &one.content_type, &one.body)
}

#[test]
fn every_recorded_answer_of_both_versions_has_its_right_outcome() {
    let Some(folder) = folder("monitoring/prometheus") else {
        return;
    };
    let mut ran = 0;
    for one in exchanges(&folder, &["prom2_", "prom3_"]) {
        ran += 1;
        let name = &one.name;
        if let Some(kind) = failure(one.case()) {
            let wrong = asked(&one).unwrap_err();
            assert_eq!(wrong.kind, kind, "{name}: {}", wrong.sentence);
            assert!(!wrong.sentence.is_empty(), "{name}");
            if let Some(error) = one.json()["error"].as_str() {
                assert!(
                    wrong.sentence.contains(error.lines().next().unwrap()),
                    "{name}: {}",
                    wrong.sentence
                );
            }
            continue;
        }
        let whole = one.json();
        let listed = |key: &str| whole[key].as_array().map_or(0, Vec::len);
        let is_query = whole["data"]["resultType"].is_string();
        let (warnings, infos) = if is_query {
            let answered = asked(&one).unwrap_or_else(|e| panic!("{name}: {}", e.sentence));
            holds_the_same(name, &answered.answer, &whole["data"]);
            (answered.warnings.len(), answered.infos.len())
        } else {
            let answered = outcome::data::<Value>(one.status, &one.content_type, &one.body)
                .unwrap_or_else(|e| panic!("{name}: {}", e.sentence));
            assert_eq!(answered.answer, whole["data"], "{name}");
            (answered.warnings.len(), answered.infos.len())
        };
        assert_eq!(
            (warnings, infos),
            (listed("warnings"), listed("infos")),
            "{name}"
        );
    }
    println!("conformance prometheus: {ran} exchanges");
    assert!(ran >= 90, "{ran} exchanges");
}

/// Number by number, read in another way.
fn holds_the_same(name: &str, answer: &Answer, data: &Value) {
    let rows = data["result"].as_array().unwrap();
    let same = |value: f64, point: &Value| {
        let expected: f64 = point[1].as_str().unwrap().parse().unwrap();
        assert!(
            value.to_bits() == expected.to_bits() || (value.is_nan() && expected.is_nan()),
            "{name}: {value} and {point}"
        );
    };
    match answer {
        Answer::Vector(samples) => {
            assert_eq!(samples.len(), rows.len(), "{name}");
            for (sample, row) in samples.iter().zip(rows) {
                assert_eq!(
                    serde_json::to_value(&sample.labels).unwrap(),
                    row["metric"],
                    "{name}"
                );
                match &sample.sampled {
                    Sampled::Number(point) => same(point.value, &row["value"]),
                    Sampled::Histogram(_, histogram) => {
                        let buckets = row["histogram"][1]["buckets"].as_array().unwrap();
                        assert_eq!(histogram.buckets.len(), buckets.len(), "{name}");
                        let sum: f64 = histogram.buckets.iter().map(|bucket| bucket.count).sum();
                        assert!((sum - histogram.count).abs() < 1e-6, "{name}: {sum}");
                    }
                }
            }
        }
        Answer::Matrix(series) => {
            assert_eq!(series.len(), rows.len(), "{name}");
            for (series, row) in series.iter().zip(rows) {
                let points = row["values"].as_array().unwrap();
                assert_eq!(series.points.len(), points.len(), "{name}");
                for (point, row) in series.points.iter().zip(points) {
                    same(point.value, row);
                }
            }
        }
        Answer::Scalar(point) => same(point.value, &data["result"]),
        Answer::Text(text) => assert_eq!(text, data["result"][1].as_str().unwrap(), "{name}"),
    }
}

#[test]
fn the_outcomes_that_look_alike_are_told_apart() {
    let Some(folder) = folder("monitoring/prometheus") else {
        return;
    };
    let mut seen = 0;
    for one in exchanges(
        &folder,
        &["prom2_query", "prom3_query", "prom3_auth_ok_prefix"],
    ) {
        let answered = asked(&one);
        let at = match &answered {
            Ok(Answered {
                answer: Answer::Vector(samples),
                ..
            }) => samples.first().map(|sample| match &sample.sampled {
                Sampled::Number(point) => point.at,
                Sampled::Histogram(at, _) => *at,
            }),
            _ => None,
        }
        .unwrap_or_default();
        let reading = single(&answered, None, at, SignedDuration::from_secs(45));
        let right = match one.case() {
            "query_empty"
            | "query_vanished_now"
            | "query_ratio_no_series_is_empty"
            | "query_long_get"
            | "query_native_exponential" => matches!(reading, Reading::Empty),
            "query_ratio_absent_is_nan" | "query_scalar_inf" => matches!(reading, Reading::NaN),
            "auth_ok_prefix" | "query_utf8_and_escapes" => reading == Reading::Value(1.0),
            case if failure(case).is_some() => matches!(reading, Reading::Failed(_)),
            // Several series, texts and histograms are no one number, and are not made one.
            _ => matches!(reading, Reading::Failed(_)),
        };
        assert!(right, "{}: {reading:?}", one.name);
        seen += 1;
    }
    assert!(seen >= 35, "{seen}");
}

#[test]
fn the_two_versions_call_themselves_by_their_names() {
    let Some(folder) = folder("monitoring/prometheus") else {
        return;
    };
    let words: Vec<String> = exchanges(&folder, &["prom2_buildinfo", "prom3_buildinfo"])
        .iter()
        .map(|one| {
            outcome::data::<wire::BuildInfo>(one.status, &one.content_type, &one.body)
                .unwrap()
                .answer
                .words()
        })
        .collect();
    assert_eq!(words, ["Prometheus 2.42.0", "Prometheus 3.5.3"]);
}
