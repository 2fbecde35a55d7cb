//! The log for other tools: JSON lines as they stand, or comma-separated values that no spreadsheet runs as a formula.

use std::io::{self, Write};

use serde_json::Value;

use super::{Entry, Place};

pub fn export_json(entries: &[Entry], out: &mut dyn Write) -> io::Result<()> {
    for entry in entries {
        writeln!(out, "{}", entry.line())?;
    }
    Ok(())
}

const COLUMNS: [&str; 12] = [
    "seq",
    "at",
    "intent",
    "kind",
    "verb",
    "env",
    "namespace",
    "service",
    "outcome",
    "words",
    "place",
    "hash",
];

pub fn export_csv(entries: &[Entry], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", COLUMNS.join(","))?;
    for entry in entries {
        let body = Value::Object(entry.body.clone());
        let text = |pointer: &str| {
            body.pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let place = match &entry.place {
            Place::Log => "log".to_owned(),
            Place::Second(path) => path.display().to_string(),
        };
        let words = match entry.kind.as_str() {
            "reason" => text("/reason"),
            "intent" => text("/plan/title"),
            _ => text("/words"),
        };
        let cells = [
            entry.seq.to_string(),
            entry.at.to_string(),
            entry.intent.clone(),
            entry.kind.clone(),
            text("/verb"),
            text("/target/env"),
            text("/target/namespace"),
            text("/target/service"),
            text("/outcome"),
            words,
            place,
            entry.hash.clone(),
        ];
        let row: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
        writeln!(out, "{}", row.join(","))?;
    }
    Ok(())
}

/// Quoted, and with an apostrophe in front of what a spreadsheet would take for a formula.
fn quoted(cell: &str) -> String {
    let defused = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    format!("\"{}\"", defused.replace('"', "\"\""))
}
