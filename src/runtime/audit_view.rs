//! The audit log as the screen shows it: read and verified beside the loop.

use super::{audit, recorder::AuditRecorder};
use crate::{
    app::{msg::Msg, state::AuditLine},
    model::text::{Safe, sanitise, sanitise_line},
};

/// How many of the newest records are shown.
const SHOWN: usize = 2_000;

pub async fn read(recorder: &AuditRecorder) -> Msg {
    let folder = recorder.folder().to_path_buf();
    let read = tokio::task::spawn_blocking(move || {
        let records = audit::read(&folder).map_err(|error| sanitise(&error.to_string()));
        let verified = match audit::verify(&folder) {
            Ok(verified) => Ok(sanitise(&format!(
                "{} records, chain whole",
                verified.records
            ))),
            Err(broken) => Err(sanitise(&broken.to_string())),
        };
        (records.map(|entries| lines(&entries)), verified)
    })
    .await;
    match read {
        Ok((records, verified)) => Msg::Audit { records, verified },
        Err(error) => Msg::Audit {
            records: Err(sanitise(&error.to_string())),
            verified: Err(Safe::default()),
        },
    }
}

/// Newest first.
fn lines(entries: &[audit::Entry]) -> Vec<AuditLine> {
    entries.iter().rev().take(SHOWN).map(line).collect()
}

fn line(entry: &audit::Entry) -> AuditLine {
    let body = serde_json::Value::Object(entry.body.clone());
    let detail = serde_json::to_string_pretty(&body).unwrap_or_default();
    AuditLine {
        at: sanitise_line(&entry.at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(), 32),
        kind: sanitise_line(&entry.kind, 32),
        intent: sanitise_line(&entry.intent, 64),
        words: sanitise_line(&words(entry), 300),
        detail: detail
            .lines()
            .map(|line| sanitise_line(line, 400))
            .collect(),
    }
}

/// One line about a record, for people.
pub fn words(entry: &audit::Entry) -> String {
    let text = |pointer: &str| {
        let mut value = None;
        for (place, part) in pointer.split('/').enumerate() {
            value = if place == 0 {
                entry.body.get(part)
            } else {
                value.and_then(|value: &serde_json::Value| value.get(part))
            };
        }
        value
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let mut words = match entry.kind.as_str() {
        "intent" => format!("{} {}", text("plan/title"), text("target/env")),
        "sending" => format!("{} {}", text("sends/method"), text("sends/path")),
        "outcome" => format!("{}: {}", text("outcome"), text("words")),
        "reason" => text("reason"),
        _ => text("words"),
    };
    if entry.fallback.is_some() {
        words.push_str(" (recorded in the second place)");
    }
    words
}
