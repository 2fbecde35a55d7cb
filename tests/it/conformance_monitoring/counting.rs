//! Counts out of recorded counters: what has to come out was worked out by others.

use jiff::Timestamp;
use serde_json::Value;
use windlass::{
    config,
    model::{
        id::{ReleaseId, WorkloadKind},
        metrics::{About, Arm, Compared, Counts, MetricsWanted, Reading},
    },
    providers::prometheus::{
        arms::{self, Answers},
        counters::{Birth, Window, count},
        outcome,
        plan::{Plan, Scrapes},
        queries::Asked,
        wire::{Answer, Point, Series},
    },
};

use super::{folder, json};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn every_case_of_the_counter_table_counts_what_it_has_to() {
    let Some(folder) = folder("analysis") else {
        return;
    };
    let table = json(&folder.join("counter_delta.json"));
    let cases = table["cases"].as_array().unwrap();
    for case in cases {
        let born = case["series_born_after_analysis_start"].as_bool().unwrap();
        // What was there before has its first sample at the beginning; what was born has it after.
        let offset = i64::from(born);
        let points = case["samples"].as_array().unwrap().iter().enumerate();
        let series = Series {
            labels: [("pod".to_owned(), "a".to_owned())].into(),
            points: points
                .filter_map(|(nth, value)| {
                    Some(Point {
                        at: at((i64::try_from(nth).unwrap() + offset) * 15),
                        value: value.as_f64()?,
                    })
                })
                .collect(),
            histograms: Vec::new(),
        };
        let window = Window {
            from: at(0),
            to: at(1_000),
        };
        let counted = count([&series], window, Birth::Counts).total;
        let expected = case["expected_increase"].as_f64().unwrap();
        assert!(
            (counted - expected).abs() < 1e-9,
            "{}: {counted} and not {expected}",
            case["name"]
        );
    }
    assert!(cases.len() >= 7);
}

const SCENARIOS: [&str; 7] = [
    "healthy",
    "low_traffic",
    "regressed",
    "restarts",
    "shared_outage",
    "slow",
    "zero_errors",
];

fn series(fixture: &Value, which: &str) -> Vec<Series> {
    let body = serde_json::to_vec(&fixture["prometheus"][which]["body"]).unwrap();
    let answered = outcome::query(200, "application/json", &body).unwrap();
    let Answer::Matrix(series) = answered.answer else {
        panic!("{which} is no matrix")
    };
    series
}

fn is_bad(series: &Series) -> bool {
    series.labels["code"].starts_with('5')
}

#[test]
fn blocks_of_a_minute_hold_what_was_counted_in_them() {
    let Some(folder) = folder("analysis") else {
        return;
    };
    for scenario in SCENARIOS {
        let fixture = json(&folder.join(format!("prom_canary_{scenario}.json")));
        let start = fixture["analysis_start"].as_i64().unwrap();
        let all = series(&fixture, "requests");
        let window = Window {
            from: at(start),
            to: at(start + 3_600),
        };
        let birth = Birth::in_window(all.iter(), window);
        let of = |hash: &str, bad: bool| {
            let mine = all
                .iter()
                .filter(|one| one.labels["rollouts_pod_template_hash"] == hash)
                .filter(|one| !bad || is_bad(one));
            count(mine, window, birth)
        };
        let counted = [
            of("canary1", true),
            of("stable1", true),
            of("canary1", false),
            of("stable1", false),
        ];
        let blocks = fixture["blocks_bad_canary_bad_stable_n_canary_n_stable"]
            .as_array()
            .unwrap();
        for (nth, block) in (0..).zip(blocks) {
            let (from, to) = (at(start + 60 * nth), at(start + 60 * (nth + 1)));
            let got = counted.each_ref().map(|one| one.between(from, to));
            let expected: Vec<f64> = serde_json::from_value(block.clone()).unwrap();
            assert_eq!(got.to_vec(), expected, "{scenario}, block {nth}");
        }
        assert_eq!(blocks.len(), 60);
    }
}

fn asked(start: i64) -> Asked {
    let service = config::parse(
        "[services.a.metrics.errors]\ngood_and_bad = 'http_requests_total'\nbad = 'http_requests_total{code=~\"5..\"}'\n",
        "c",
    )
    .unwrap()
    .services["a"]
        .clone();
    let wanted = MetricsWanted {
        release: ReleaseId {
            environment: "prod".into(),
            namespace: "shop".into(),
            kind: WorkloadKind::ArgoRollout,
            name: "a".into(),
        },
        about: About::CanaryAndStable {
            canary: "canary1".into(),
            stable: "stable1".into(),
        },
        since: at(start),
        closely: true,
    };
    Asked::new(wanted, Some(&service))
}

#[test]
fn an_hour_of_a_release_is_told_as_it_was() {
    let Some(folder) = folder("analysis") else {
        return;
    };
    for scenario in SCENARIOS {
        let fixture = json(&folder.join(format!("prom_canary_{scenario}.json")));
        let start = fixture["analysis_start"].as_i64().unwrap();
        let asked = asked(start);
        let scrapes = Scrapes {
            every_s: 15,
            heeds_lookback: true,
        };
        let plan = Plan::new(&asked.wanted, at(start + 3_600), scrapes);
        let all = series(&fixture, "requests");
        let answers = Answers::Counted {
            part: Ok(all.iter().filter(|one| is_bad(one)).cloned().collect()),
            all: Ok(all),
            stamps: None,
            warnings: Vec::new(),
        };
        let nothing = Answers::Impossible("not asked".into());
        let told = arms::metrics(&asked, &plan, &answers, &nothing, at(start + 3_600));
        let Compared::CanaryAndStable { canary, stable } = &told.compared else {
            panic!("not compared")
        };
        let totals = fixture["trace"].as_array().unwrap().last().unwrap()["totals"].clone();
        let totals: Vec<f64> = serde_json::from_value(totals).unwrap();
        let counts = |arm: &Arm| match arm.errors {
            Reading::Value(Counts { bad, all }) => [bad, all],
            ref other => panic!("{scenario}: {other:?}"),
        };
        let ([bad_c, all_c], [bad_s, all_s]) = (counts(canary), counts(stable));
        assert_eq!(vec![bad_c, bad_s, all_c, all_s], totals, "{scenario}");
        assert_eq!(told.newest, Some(at(start + 3_600)), "{scenario}");
        assert!(matches!(canary.slow, Reading::Failed(_)), "{scenario}");
        let drawn = canary.line.iter().flatten().count();
        assert!(drawn > 50, "{scenario}: {drawn} points");
        assert!(
            stable
                .line
                .iter()
                .flatten()
                .all(|share| (0.0..=1.0).contains(share))
        );
    }
}

#[test]
fn a_version_that_stopped_reporting_is_too_old_and_one_that_never_did_is_nothing() {
    let Some(folder) = folder("analysis") else {
        return;
    };
    let fixture = json(&folder.join("prom_canary_healthy.json"));
    let start = fixture["analysis_start"].as_i64().unwrap();
    let asked = asked(start);
    let scrapes = Scrapes {
        every_s: 15,
        heeds_lookback: true,
    };
    let plan = Plan::new(&asked.wanted, at(start + 3_600), scrapes);
    let mut all = series(&fixture, "requests");
    for one in &mut all {
        if one.labels["rollouts_pod_template_hash"] == "canary1" {
            one.points.retain(|point| point.at <= at(start + 1_800));
        }
    }
    let tell = |all: Vec<Series>| {
        let answers = Answers::Counted {
            part: Ok(all.iter().filter(|one| is_bad(one)).cloned().collect()),
            all: Ok(all),
            stamps: None,
            warnings: Vec::new(),
        };
        let nothing = Answers::Impossible("not asked".into());
        arms::metrics(&asked, &plan, &answers, &nothing, at(start + 3_600)).compared
    };
    let Compared::CanaryAndStable { canary, stable } = tell(all.clone()) else {
        panic!("not compared")
    };
    let last = at(start + 1_800);
    assert_eq!(canary.errors, Reading::Stale { last });
    assert_eq!(canary.traffic, Reading::Stale { last });
    assert!(matches!(stable.errors, Reading::Value(_)));
    assert!(canary.line.last().unwrap().is_none(), "a gap is drawn");
    all.retain(|one| one.labels["rollouts_pod_template_hash"] != "canary1");
    let Compared::CanaryAndStable { canary, .. } = tell(all) else {
        panic!("not compared")
    };
    assert_eq!(canary.errors, Reading::Empty);
}
