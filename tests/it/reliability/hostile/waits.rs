//! T9: every status, and every wait that a server can ask for. Nothing is asked before a wait has elapsed, no wait is
//! longer than five minutes, and those who wait do not come back together.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use http::Method;
use windlass::{
    model::text::sanitise,
    providers::{
        http::{Fate, JSON},
        kubernetes::{
            client::ApiPath,
            error::{self, Error, Said},
            watch::{Ask, Chance, StreamsLists, Watch},
        },
    },
};

use super::{Hand, SHORT, base, cluster, during, listen, server, whole};

const PAST: &str = "Tue, 14 Jul 2026 03:30:20 GMT";
const DATE: &str = "date: Tue, 14 Jul 2026 03:33:20 GMT\r\n";

/// What a server says, and for how long it is left alone; `None`: it did not say.
const WAITS: [(&str, Option<u64>); 9] = [
    ("0", Some(0)),
    ("30", Some(30)),
    ("1000000000", Some(300)),
    ("18446744073709551616", None),
    ("1e9", None),
    ("-5", None),
    (PAST, Some(0)),
    ("soon", None),
    ("", None),
];

#[tokio::test]
async fn t09_every_status_is_asked_once_and_only_success_is_one() {
    let listener = listen().await;
    let (hand, base) = (Hand::new(), base(&listener));
    let (path, merge) = (ApiPath::new(&["api", "x"]), "application/merge-patch+json");
    // One for all: making one costs more than asking. A server that says that it was too much is not asked again.
    let mut http = server(&base, SHORT, &hand);
    let cluster = cluster(&base);
    for status in 100..=599_u16 {
        // A status without a body must not have one: the connection would be out of step.
        let without_body = status < 200 || status == 204 || status == 304;
        let answer = if without_body {
            format!("HTTP/1.1 {status} Said\r\nconnection: close\r\n\r\n").into_bytes()
        } else {
            whole(&format!("{status} Said"), "", "{}")
        };
        let success = (200..300).contains(&status);
        let (got, came) = during(&listener, &answer, http.get("/x", JSON)).await;
        assert_eq!(got.is_ok(), success, "{status}: {got:?}");
        assert_eq!(came.len(), 1, "{status} is read once: {came:#?}");

        let write = http.send_once(Method::POST, "/x", JSON, Bytes::from_static(b"{}"));
        let (got, came) = during(&listener, &answer, write).await;
        assert_eq!(got.is_ok(), success, "{status}: {got:?}");
        assert_eq!(came.len(), 1, "{status} is written once: {came:#?}");
        if let Err(trouble) = got {
            // 408 comes of a server that did not wait; everything else from 400 to 499 is a refusal.
            let refused = (400..500).contains(&status) && status != 408;
            assert_eq!(trouble.fate() == Fate::Refused, refused, "{status}");
            assert_ne!(
                trouble.fate(),
                Fate::CertainlyNotSent,
                "{status}: it was sent"
            );
        }
        if status == 429 {
            http = server(&base, SHORT, &hand);
        }

        let (got, came) = during(&listener, &answer, cluster.get_bytes(&path)).await;
        assert_eq!(got.is_ok(), success, "{status}: {got:?}");
        assert_eq!(came.len(), 1, "{status} is read once: {came:#?}");
        let write = cluster.patch(&path, merge, Bytes::from_static(b"{}"));
        let (got, came) = during(&listener, &answer, write).await;
        assert_eq!(got.is_ok(), success, "{status}: {got:?}");
        assert_eq!(came.len(), 1, "{status} is written once: {came:#?}");
        if let Err(error) = got {
            assert_ne!(error.fate(), error::Fate::NotSent, "{status}: it was sent");
            let refused = error.fate() == error::Fate::Refused;
            assert!(!refused || (400..500).contains(&status), "{status}");
        }
    }
}

#[tokio::test]
async fn t09_nothing_is_asked_before_the_wait_is_over() {
    for (said, wait) in WAITS {
        let listener = listen().await;
        let hand = Hand::new();
        let http = server(&base(&listener), SHORT, &hand);
        let slower = whole(
            "429 Slower",
            &format!("{DATE}retry-after: {said}\r\n"),
            "{}",
        );
        let (got, _) = during(&listener, &slower, http.get("/x", JSON)).await;
        let trouble = got.unwrap_err();
        assert_eq!(
            trouble.retry_after().map(|wait| wait.as_secs()),
            wait,
            "{said:?}"
        );
        // Where it did not say, a minute.
        let held = i64::try_from(wait.unwrap_or(60)).unwrap();
        if held > 0 {
            hand.forward(held - 1);
            let (got, came) = during(&listener, &slower, http.get("/y", JSON)).await;
            assert_eq!(got.unwrap_err().fate(), Fate::CertainlyNotSent, "{said:?}");
            assert!(came.is_empty(), "{said:?}: asked too early");
            hand.forward(1);
        }
        let fine = whole("200 OK", "", "{}");
        let (got, came) = during(&listener, &fine, http.get("/y", JSON)).await;
        assert!(got.is_ok() && came.len() == 1, "{said:?}: {got:?}");
    }
}

#[tokio::test]
async fn t09_a_watch_waits_for_as_long_as_the_api_server_says() {
    for status in ["429 Slower", "503 Busy"] {
        for (said, wait) in WAITS {
            let listener = listen().await;
            let cluster = cluster(&base(&listener));
            let answer = whole(status, &format!("{DATE}retry-after: {said}\r\n"), "{}");
            let path = ApiPath::new(&["api", "x"]);
            let (got, came) = during(&listener, &answer, cluster.get_bytes(&path)).await;
            let error = got.unwrap_err();
            assert_eq!(came.len(), 1, "{said:?}");
            assert_eq!(
                error.retry_after().map(|wait| wait.as_secs()),
                wait,
                "{said:?}"
            );
            let now = Duration::from_secs(1_000);
            let until = next_try(&error, now, 1);
            assert!(
                until >= now + Duration::from_secs(wait.unwrap_or(0)),
                "{said:?}"
            );
            assert!(until <= now + Duration::from_secs(331), "{said:?}");
        }
    }
}

/// When a watch that met this error asks again.
fn next_try(error: &Error, now: Duration, seed: u64) -> Duration {
    let mut chance = Chance::seeded(seed);
    let mut watch = Watch::new(ApiPath::new(&["x"]), false, StreamsLists::default());
    watch.failed(now, &mut chance, error);
    match watch.next(now, &mut chance) {
        Ask::Wait { until } => until,
        asked => panic!("asked at once: {asked:?}"),
    }
}

#[test]
fn t09_a_thousand_who_were_told_the_same_do_not_come_together() {
    let busy = Error::Server {
        said: Said {
            status: 503,
            reason: sanitise(""),
            message: sanitise("busy"),
        },
        retry_after: Some(Duration::from_secs(5)),
    };
    let waits: Vec<u128> = (0..1_000)
        .map(|seed| next_try(&busy, Duration::from_secs(100), seed).as_millis() - 105_000)
        .collect();
    let different: BTreeSet<u128> = waits.iter().copied().collect();
    assert!(different.len() > 400, "{} different times", different.len());
    // Nor in a crowd: no tenth of the span has more than twice its share.
    let span = waits.iter().max().unwrap() + 1;
    let mut tenths = [0; 10];
    for wait in &waits {
        tenths[usize::try_from(wait * 10 / span).unwrap()] += 1;
    }
    assert!(tenths.iter().all(|share| *share < 200), "{tenths:?}");
}
