//! What is told of two versions is what the exporter has counted, to the last request.

use jiff::Timestamp;
use windlass::{
    model::{
        id::{ReleaseId, WorkloadKind},
        metrics::{About, Arm, Compared, Counts, MetricsWanted, Reading},
    },
    providers::prometheus::{
        queries::Asked,
        read::{Known, Prometheus},
    },
};

use super::programs::{Exporter, are_installed, start_prometheus, to_prometheus, until};

const CANARY: &str = "7f9b5d6c8";
const STABLE: &str = "6d4f8c7b9";

fn page(good: u64, bad: u64, fast: u64) -> String {
    let all = good + bad;
    let bad = match bad {
        // A counter that never counted is not there.
        0 => String::new(),
        bad => format!("http_requests_total{{code=\"500\"}} {bad}\n"),
    };
    format!(
        "# TYPE http_requests_total counter\nhttp_requests_total{{code=\"200\"}} {good}\n{bad}\
         # TYPE http_request_duration_seconds histogram\n\
         http_request_duration_seconds_bucket{{le=\"0.5\"}} {fast}\n\
         http_request_duration_seconds_bucket{{le=\"+Inf\"}} {all}\n\
         http_request_duration_seconds_sum {all}\nhttp_request_duration_seconds_count {all}\n"
    )
}

fn pod(exporter: &Exporter, path: &str, hash: &str, pod: &str) {
    exporter.add(
        path,
        &[
            ("namespace", "shop"),
            ("pod", pod),
            ("rollouts_pod_template_hash", hash),
        ],
    );
}

fn wanted(about: About, since: Timestamp) -> Asked {
    let wanted = MetricsWanted {
        release: ReleaseId {
            environment: "lab".into(),
            namespace: "shop".into(),
            kind: WorkloadKind::ArgoRollout,
            name: "checkout".into(),
        },
        about,
        since,
        closely: true,
    };
    Asked::new(wanted, None)
}

fn compared(canary: &str, stable: &str, since: Timestamp) -> Asked {
    let about = About::CanaryAndStable {
        canary: canary.into(),
        stable: stable.into(),
    };
    wanted(about, since)
}

fn two(compared: &Compared) -> (&Arm, &Arm) {
    match compared {
        Compared::CanaryAndStable { canary, stable } => (canary, stable),
        Compared::BeforeAndAfter { before, after, .. } => (before, after),
    }
}

/// One that was just started does not know its targets yet.
async fn met(server: &Prometheus) -> Known {
    until("Prometheus", || async {
        let known = server
            .meet()
            .await
            .map_err(|failure| failure.sentence.to_string())?;
        match known.limits().as_str() {
            "" => Ok(known),
            limits => Err(limits.to_owned()),
        }
    })
    .await
}

const fn value(bad: f64, all: f64) -> Reading<Counts> {
    Reading::Value(Counts { bad, all })
}

#[tokio::test]
async fn what_is_told_is_what_was_counted_and_what_went_down_is_not_zero() {
    if !are_installed() {
        return;
    }
    let exporter = Exporter::start();
    pod(&exporter, "stable", STABLE, "checkout-6d4f8c7b9-aaaaa");
    pod(&exporter, "other", STABLE, "checkout-6d4f8c7b9-bbbbb");
    pod(&exporter, "canary", CANARY, "checkout-7f9b5d6c8-ccccc");
    pod(&exporter, "frozen", "frozen1", "checkout-frozen1-ddddd");
    exporter.set("other", Some(page(400, 4, 400)));
    let program = start_prometheus(&exporter, None);
    let server = to_prometheus(&program);
    let known = met(&server).await;
    assert!(
        known
            .words
            .as_ref()
            .is_some_and(|words| words.starts_with("Prometheus "))
    );
    assert!(known.ahead_ms.abs() < 1_000, "{}", known.ahead_ms);

    // It has served for long before this release, and no canary was there.
    // Longer than a step of the question about before and after, which is some seconds for ten minutes.
    for _ in 0..3 {
        exporter.let_fetch("stable", page(1_000, 50, 900)).await;
    }
    let since = Timestamp::now();
    let nothing_yet = server
        .read(&known, &compared(CANARY, STABLE, since))
        .await
        .unwrap();
    assert_eq!(two(&nothing_yet.compared).0.errors, Reading::Empty);

    // The canary's first scrape has counted already: its first errors count.
    exporter.let_fetch("canary", page(7, 3, 9)).await;
    exporter.let_fetch("canary", page(90, 10, 80)).await;
    exporter.let_fetch("stable", page(1_090, 52, 980)).await;
    // Of all versions together, since the moment at which the canary was not there yet. In longer steps, so without
    // a restart, which would hide in one of them.
    exporter.let_fetch("stable", page(1_090, 52, 980)).await;
    let told = server
        .read(&known, &wanted(About::BeforeAndAfter { at: since }, since))
        .await
        .unwrap();
    let (before, after) = two(&told.compared);
    assert_eq!(after.errors, value(12.0, 192.0));
    assert!(
        !matches!(before.errors, Reading::Value(Counts { all, .. }) if all > 0.0),
        "{before:?}"
    );

    // A restart: what is there after it was counted after it.
    exporter.let_fetch("stable", page(20, 0, 20)).await;
    exporter.let_fetch("stable", page(40, 1, 40)).await;
    exporter.let_fetch("other", page(404, 4, 403)).await;

    let asked = compared(CANARY, STABLE, since);
    let told = server.read(&known, &asked).await.unwrap();
    let (canary, stable) = two(&told.compared);
    assert_eq!(canary.errors, value(10.0, 100.0));
    assert_eq!(canary.slow, value(20.0, 100.0));
    // 90 good and 2 bad, 20 after the restart, 20 and 1 bad, and 4 of the other pod.
    assert_eq!(stable.errors, value(3.0, 137.0));
    assert_eq!(told.warnings, Vec::<windlass::model::text::Safe>::new());
    assert!(
        told.newest
            .is_some_and(|newest| { Timestamp::now().duration_since(newest).as_secs() <= 3 })
    );
    assert!(matches!(canary.traffic, Reading::Value(per_second) if per_second > 0.0));
    let drawn: Vec<f64> = canary.line.iter().flatten().copied().collect();
    assert!(
        drawn.contains(&0.3),
        "three of the first ten failed: {drawn:?}"
    );

    // A target that is down is too old after a while, and before that what it said last; never nothing, never zero.
    exporter.set("canary", None);
    let last = until("the canary is too old", || async {
        let told = server
            .read(&known, &asked)
            .await
            .map_err(|e| e.failure.sentence.to_string())?;
        match two(&told.compared).0.errors.clone() {
            Reading::Stale { last } => Ok(last),
            Reading::Value(Counts { bad, all }) => {
                assert_eq!((bad, all), (10.0, 100.0));
                Err("still fresh".to_owned())
            }
            other => panic!("{other:?}"),
        }
    })
    .await;
    let age = Timestamp::now().duration_since(last).as_secs();
    assert!((17..=60).contains(&age), "{age} s");

    // It is scraped, and its samples stand still: without a stale marker a series would live on for five minutes.
    let then = since.as_millisecond();
    let frozen = format!("http_requests_total{{code=\"200\"}} 5 {then}\n");
    exporter.let_fetch("frozen", frozen).await;
    let told = server
        .read(&known, &compared("frozen1", STABLE, since))
        .await
        .unwrap();
    let (frozen, stable) = two(&told.compared);
    assert!(
        !matches!(frozen.errors, Reading::Value(_) | Reading::NaN),
        "{:?}",
        frozen.errors
    );
    assert!(
        matches!(stable.errors, Reading::Value(_)),
        "{:?}",
        stable.errors
    );
}

#[tokio::test]
async fn a_question_that_is_wrong_fails_alone_and_in_the_servers_own_words() {
    if !are_installed() {
        return;
    }
    let exporter = Exporter::start();
    pod(&exporter, "stable", STABLE, "checkout-6d4f8c7b9-aaaaa");
    exporter.set("stable", Some(page(10, 1, 10)));
    let program = start_prometheus(&exporter, None);
    let server = to_prometheus(&program);
    let known = met(&server).await;
    exporter.let_fetch("stable", page(10, 1, 10)).await;
    let since = Timestamp::now();
    exporter.let_fetch("stable", page(20, 3, 20)).await;
    let service = windlass::config::parse(
        "[services.checkout.metrics]\n\
         errors = { good_and_bad = 'sum by (rollouts_pod_template_hash) (http_requests_total)', bad = 'http_requests_total{code=~\"5..\"}' }\n\
         slow = { good_and_bad = 'sum(', bad = 'up' }\n",
        "c",
    )
    .unwrap()
    .services["checkout"]
        .clone();
    let asked = Asked::new(compared(CANARY, STABLE, since).wanted, Some(&service));
    let told = server.read(&known, &asked).await.unwrap();
    let (_, stable) = two(&told.compared);
    assert_eq!(stable.errors, value(2.0, 12.0));
    let Reading::Failed(why) = &stable.slow else {
        panic!("{:?}", stable.slow)
    };
    assert!(why.contains("parse error"), "{why}");
}
