//! Lines as GitHub's runner writes them, and where they come from.

use super::*;
use crate::{
    model::job_log::{LogColour, LogKind, LogSpan},
    providers::github::fake::{Answer, Asked, Fake},
};

const AT: &str = "2026-07-14T03:33:20.1234567Z";

fn repository() -> Repository {
    Repository::new("acme/checkout").expect("a repository")
}

#[test]
fn time_and_mark_are_taken_off_a_line() {
    for (text, kind, rest) in [
        (
            "##[group]Run actions/checkout@v4",
            LogKind::Group,
            "Run actions/checkout@v4",
        ),
        ("##[endgroup]", LogKind::EndGroup, ""),
        (
            "##[error]Process completed with exit code 1.",
            LogKind::Error,
            "Process completed with exit code 1.",
        ),
        ("##[warning]old", LogKind::Warning, "old"),
        ("##[command]git fetch", LogKind::Command, "git fetch"),
        (
            "[command]/usr/bin/git version",
            LogKind::Command,
            "/usr/bin/git version",
        ),
        ("##[debug]inner", LogKind::Plain, "inner"),
        ("::error file=a.rs,line=1::broken", LogKind::Error, "broken"),
        ("::group::Own part", LogKind::Group, "Own part"),
        ("##[unheard]of", LogKind::Plain, "##[unheard]of"),
        ("a::error::b", LogKind::Plain, "a::error::b"),
        ("2026 is a year", LogKind::Plain, "2026 is a year"),
    ] {
        let line = parse(&format!("{AT} {text}\r"));
        assert_eq!(line.at, AT.parse().ok(), "{text}");
        assert_eq!((line.kind, line.text().as_str()), (kind, rest), "{text}");
    }
    let plain = parse("\u{feff}no time at all");
    assert_eq!((plain.at, plain.text().as_str()), (None, "no time at all"));
}

#[test]
fn colours_are_kept_and_every_other_sequence_is_not() {
    let line = parse(&format!(
        "{AT} a\u{1b}[31mred\u{1b}[1;94mbold\u{1b}[0m\u{1b}[2J\u{1b}[10;5H\u{1b}]0;title\u{7}b\u{1b}[38;5;208;48;2;1;31;3mc\u{1b}[38:2:9:8:7md\u{1b}[mxy\u{202e}z\u{1b}P1m\u{1b}\\"
    ));
    let span = |colour, bold, text: &str| LogSpan {
        colour,
        bold,
        text: text.into(),
    };
    assert_eq!(
        line.spans,
        [
            span(None, false, "a"),
            span(Some(LogColour::Indexed(1)), false, "red"),
            span(Some(LogColour::Indexed(12)), true, "bold"),
            span(None, false, "b"),
            span(Some(LogColour::Indexed(208)), false, "c"),
            span(Some(LogColour::Rgb(9, 8, 7)), false, "d"),
            span(None, false, "xyz"),
        ]
    );
}

#[test]
fn the_end_of_a_long_log_is_kept_and_a_line_without_end_is_cut() {
    let mut tail = Tail::default();
    for nth in 0..LINES + 5 {
        // In pieces, as it flows.
        let (a, b) = (format!("line {}", nth / 10), format!("{}\n", nth % 10));
        tail.take(a.as_bytes());
        tail.take(b.as_bytes());
    }
    tail.take(&vec![b'x'; 10 * LINE_BYTES]);
    let JobLog::Lines { lines, left_out } = tail.finish() else {
        panic!("lines");
    };
    assert_eq!((lines.len(), left_out), (LINES, 6));
    assert_eq!(lines[0].text(), "line 06");
    assert!(lines[LINES - 1].text().len() <= LINE_BYTES);
}

#[tokio::test]
async fn a_log_is_fetched_from_elsewhere_without_the_token() {
    let blob =
        Fake::start(|_: &Asked| Answer::text(200, "2026-07-14T03:33:20Z one\nplain two")).await;
    let target = format!("{}/log?sig=secret", blob.base());
    let fake = Fake::start(move |_: &Asked| Answer::text(302, "").with("location", &target)).await;
    let log = job_log(&fake.server(), &repository(), 5, true)
        .await
        .expect("a log");
    let JobLog::Lines { lines, left_out: 0 } = log else {
        panic!("{log:?}");
    };
    assert_eq!(lines.len(), 2);
    assert_eq!(
        fake.lines(),
        ["GET /repos/acme/checkout/actions/jobs/5/logs"]
    );
    assert_eq!(blob.asked()[0].header("authorization"), "");
}

#[tokio::test]
async fn no_log_means_not_yet_while_the_job_runs_and_gone_afterwards() {
    let fake = Fake::start(|_: &Asked| Answer::not_found()).await;
    let server = fake.server();
    let log = job_log(&server, &repository(), 5, false).await;
    assert_eq!(log.expect("an answer"), JobLog::NotYet);
    let log = job_log(&server, &repository(), 5, true).await;
    assert!(matches!(log.expect("an answer"), JobLog::Gone(_)));
}

#[tokio::test]
async fn following_ends_with_the_log() {
    let fake = Fake::start(|asked: &Asked| {
        if asked.line.ends_with("/logs") {
            Answer::text(200, "done\n")
        } else {
            Answer::text(
                200,
                r#"{"id":5,"status":"completed","conclusion":"failure"}"#,
            )
        }
    })
    .await;
    let (sender, mut receiver) = mpsc::channel(4);
    follow(&fake.server(), &repository(), 5, sender).await;
    let told = receiver.recv().await.expect("told").expect("a log");
    assert!(matches!(told, JobLog::Lines { lines, .. } if lines[0].text() == "done"));
    assert!(receiver.recv().await.is_none());
}
