//! Intents that never got an outcome: what a program that was killed left behind.

use std::{collections::BTreeMap, path::Path};

use jiff::Timestamp;
use serde_json::Value;

use super::{Entry, Error, read};

/// How far back is looked: what is older has been seen at many starts.
const RECENT_DAYS: i64 = 14;

/// An intent without an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIntent {
    pub id: String,
    pub at: Timestamp,
    pub verb: String,
    pub target: String,
    /// How many requests were recorded as being sent: each may have arrived.
    pub sent: usize,
    pub of: usize,
    /// `Back out checkout in prod-eu`.
    pub words: String,
}

pub fn open_intents(dir: &Path) -> Result<Vec<OpenIntent>, Error> {
    Ok(among(&read(dir)?))
}

fn among(entries: &[Entry]) -> Vec<OpenIntent> {
    let newest = entries.iter().map(|entry| entry.at).max();
    let mut open: BTreeMap<&str, OpenIntent> = BTreeMap::new();
    for entry in entries {
        match entry.kind.as_str() {
            "intent" => {
                let old = newest.is_some_and(|newest| {
                    newest.duration_since(entry.at).as_hours() > RECENT_DAYS * 24
                });
                if !old {
                    open.insert(&entry.intent, opened(entry));
                }
            }
            "sending" => {
                if let Some(intent) = open.get_mut(entry.intent.as_str()) {
                    intent.sent += 1;
                }
            }
            "outcome" => {
                open.remove(entry.intent.as_str());
            }
            _ => {}
        }
    }
    let mut open: Vec<OpenIntent> = open.into_values().collect();
    open.sort_by_key(|intent| intent.at);
    open
}

fn opened(entry: &Entry) -> OpenIntent {
    let body = Value::Object(entry.body.clone());
    let text = |pointer: &str| {
        body.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let requests = body
        .pointer("/plan/requests")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    OpenIntent {
        id: entry.intent.clone(),
        at: entry.at,
        verb: text("/verb"),
        target: text("/target/id"),
        sent: 0,
        of: requests,
        words: format!("{} in {}", text("/plan/title"), text("/target/env")),
    }
}
