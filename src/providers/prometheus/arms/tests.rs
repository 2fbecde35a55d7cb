//! Which series are of which version, and what must not pass for a number.

use super::*;
use crate::{
    config,
    model::{
        id::{ReleaseId, WorkloadKind},
        metrics::MetricsWanted,
    },
    providers::prometheus::{
        plan::Scrapes,
        wire::{Point, Sample},
    },
};

const NOW: i64 = 1_795_215_225;
const HEEDS: Scrapes = Scrapes {
    every_s: 15,
    heeds_lookback: true,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn asked(service: Option<&config::Service>) -> Asked {
    let wanted = MetricsWanted {
        release: ReleaseId {
            environment: "prod".into(),
            namespace: "shop".into(),
            kind: WorkloadKind::ArgoRollout,
            name: "checkout".into(),
        },
        about: About::CanaryAndStable {
            canary: "c4n4ry".into(),
            stable: "st4bl3".into(),
        },
        since: at(NOW - 600),
        closely: true,
    };
    Asked::new(wanted, service)
}

/// One value each quarter of a minute, the last at `NOW - ago`.
fn series(labels: &[(&str, &str)], ago: i64, values: &[f64]) -> Series {
    let count = i64::try_from(values.len()).unwrap();
    Series {
        labels: labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        points: (0..)
            .zip(values)
            .map(|(nth, value)| Point {
                at: at(NOW - ago - 15 * (count - 1 - nth)),
                value: *value,
            })
            .collect(),
        histograms: Vec::new(),
    }
}

const LABEL: &str = "rollouts_pod_template_hash";

fn canary(code: &str, values: &[f64]) -> Series {
    series(
        &[(LABEL, "c4n4ry"), ("pod", "c"), ("code", code)],
        0,
        values,
    )
}

fn stable(code: &str, values: &[f64]) -> Series {
    series(
        &[(LABEL, "st4bl3"), ("pod", "s"), ("code", code)],
        0,
        values,
    )
}

fn answers(all: Vec<Series>, part: Vec<Series>) -> Answers {
    Answers::Counted {
        all: Ok(all),
        part: Ok(part),
        stamps: None,
        warnings: Vec::new(),
    }
}

fn told(asked: &Asked, scrapes: Scrapes, errors: &Answers, slow: &Answers) -> (Arm, Arm, Metrics) {
    let plan = Plan::new(&asked.wanted, at(NOW), scrapes);
    let metrics = metrics(asked, &plan, errors, slow, at(NOW));
    let Compared::CanaryAndStable { canary, stable } = metrics.compared.clone() else {
        panic!("not compared")
    };
    (canary, stable, metrics)
}

fn nothing() -> Answers {
    Answers::Impossible("not asked".into())
}

const fn value(bad: f64, all: f64) -> Reading<Counts> {
    Reading::Value(Counts { bad, all })
}

#[test]
fn without_a_single_error_there_is_no_series_and_that_is_an_ordinary_zero() {
    let all = vec![canary("200", &[1.0, 5.0, 9.0]), stable("200", &[0.0; 60])];
    let (canary, stable, _) = told(&asked(None), HEEDS, &answers(all, Vec::new()), &nothing());
    assert_eq!(
        canary.errors,
        value(0.0, 9.0),
        "born in the window: its first counts"
    );
    assert_eq!(stable.errors, Reading::NaN, "no traffic to divide by");
    assert!(matches!(stable.traffic, Reading::Value(per_second) if per_second == 0.0));
}

#[test]
fn a_zero_is_not_made_up_where_errors_are_told_by_another_label() {
    let status = series(&[(LABEL, "c4n4ry"), ("status", "500")], 0, &[1.0, 5.0]);
    let (canary, ..) = told(
        &asked(None),
        HEEDS,
        &answers(vec![status], Vec::new()),
        &nothing(),
    );
    assert!(
        matches!(&canary.errors, Reading::Failed(why) if why.contains("metrics.errors")),
        "{:?}",
        canary.errors
    );
}

#[test]
fn without_the_bucket_not_everything_is_slow() {
    let all = vec![canary("", &[1.0, 5.0])];
    let (arm, ..) = told(
        &asked(None),
        HEEDS,
        &nothing(),
        &answers(all.clone(), Vec::new()),
    );
    assert!(matches!(&arm.slow, Reading::Failed(why) if why.contains("0.5 s")));
    let fast = series(
        &[(LABEL, "c4n4ry"), ("pod", "c"), ("le", "0.5")],
        0,
        &[1.0, 3.0],
    );
    let before = stable("", &[0.0; 60]);
    let all = vec![canary("", &[1.0, 5.0]), before];
    let (arm, ..) = told(&asked(None), HEEDS, &nothing(), &answers(all, vec![fast]));
    assert_eq!(arm.slow, value(2.0, 5.0));
}

#[test]
fn the_hash_is_found_in_the_label_that_is_known_and_else_in_any_other() {
    let which = |labels: &[(&str, &str)]| {
        let labels: Labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let (c, s) = (PodHash::new("c"), PodHash::new("s"));
        (
            Which::Hash(&c, &s).is_of(&labels),
            Which::Hash(&s, &c).is_of(&labels),
        )
    };
    assert_eq!(which(&[(LABEL, "c")]), (true, false));
    assert_eq!(which(&[("version", "s")]), (false, true));
    assert_eq!(which(&[(LABEL, "c"), ("older", "s")]), (true, false));
    assert_eq!(
        which(&[("a", "c"), ("b", "s")]),
        (false, false),
        "it could be either"
    );
    assert_eq!(which(&[(LABEL, "other")]), (false, false));
}

#[test]
fn a_sum_that_fell_is_counted_too_low_and_says_so() {
    let service = config::parse(
        "[services.a.metrics.errors]\ngood_and_bad = 'sum(a) + sum(b)'\nbad = 'c'\n",
        "c",
    )
    .unwrap()
    .services["a"]
        .clone();
    let sum = series(&[(LABEL, "c4n4ry")], 0, &[100.0, 110.0, 60.0, 65.0]);
    let before = stable("200", &[0.0; 60]);
    let (canary, _, metrics) = told(
        &asked(Some(&service)),
        HEEDS,
        &answers(vec![sum, before], Vec::new()),
        &nothing(),
    );
    assert_eq!(canary.errors, value(0.0, 115.0));
    assert_eq!(metrics.warnings.len(), 1, "{:?}", metrics.warnings);
}

#[test]
fn where_a_dead_series_lives_on_only_a_change_proves_a_sample() {
    let mut values = vec![1.0; 60];
    values.splice(..20, (0..20).map(f64::from));
    let all = vec![stable("200", &values)];
    let (_, heeded, _) = told(
        &asked(None),
        HEEDS,
        &answers(all.clone(), Vec::new()),
        &nothing(),
    );
    assert!(matches!(heeded.errors, Reading::Value(_)));
    let unheeded = Scrapes {
        heeds_lookback: false,
        ..HEEDS
    };
    let (_, old, _) = told(
        &asked(None),
        unheeded,
        &answers(all.clone(), Vec::new()),
        &nothing(),
    );
    assert_eq!(
        old.errors,
        Reading::Stale {
            last: at(NOW - 300)
        }
    );
    // Asked for the times of its samples, it is known.
    let stamped = Answers::Counted {
        stamps: Some(vec![(all[0].labels.clone(), at(NOW - 5))]),
        all: Ok(all),
        part: Ok(Vec::new()),
        warnings: Vec::new(),
    };
    let (_, known, metrics) = told(&asked(None), unheeded, &stamped, &nothing());
    assert!(matches!(known.errors, Reading::Value(_)));
    assert_eq!(metrics.newest, Some(at(NOW - 5)));
}

#[test]
fn what_came_after_the_last_step_continues_its_series() {
    let range = Ok(Answered {
        answer: Answer::Matrix(vec![canary("200", &[1.0, 2.0])]),
        warnings: vec!["slow store".into()],
        infos: Vec::new(),
    });
    let labels = canary("200", &[]).labels;
    let sample = |labels: Labels, value: f64| Sample {
        labels,
        sampled: Sampled::Number(Point {
            at: at(NOW + 7),
            value,
        }),
    };
    let tail = Ok(Answered {
        answer: Answer::Vector(vec![sample(labels, 3.0), sample(Labels::new(), 9.0)]),
        warnings: vec!["slow store".into()],
        infos: Vec::new(),
    });
    let mut warnings = Vec::new();
    let all = series_of(range, Some(tail), &mut warnings);
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].points.len(), 3);
    assert_eq!(warnings, ["slow store"], "said once");
}

fn series_of(
    range: Result<Answered<Answer>, Failure>,
    tail: Option<Result<Answered<Answer>, Failure>>,
    warnings: &mut Vec<Safe>,
) -> Vec<Series> {
    super::series(range, tail, warnings).unwrap()
}
