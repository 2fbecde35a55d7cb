//! The records for other programs: JSON, and a table for a spreadsheet. Must never let a spreadsheet run what is in a
//! record: names of releases come from whoever may write to a cluster.

use std::io::{self, Write};

use serde_json::Value;

use crate::model::text::is_forbidden;

use super::{
    Entry, Place,
    intents::{field, text},
};

/// An array with a record a line, each to the byte as it stands in the log, so that its hash can still be checked.
pub fn export_json(entries: &[Entry], out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"[")?;
    for (index, entry) in entries.iter().enumerate() {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        out.write_all(entry.line().as_bytes())?;
    }
    out.write_all(b"\n]\n")?;
    out.flush()
}

const COLUMNS: [&str; 15] = [
    "seq", "at", "intent", "kind", "verb", "target", "plan", "outcome", "words", "reason", "place",
    "chained", "prev", "hash", "body",
];

/// As RFC 4180 has it, every field quoted.
pub fn export_csv(entries: &[Entry], out: &mut dyn Write) -> io::Result<()> {
    row(out, COLUMNS.map(str::to_owned))?;
    for entry in entries {
        let of_body = |name| text(entry.body.get(name));
        let place = match &entry.place {
            Place::Log => "log".to_owned(),
            Place::Second(path) => path.display().to_string(),
        };
        row(
            out,
            [
                entry.seq.to_string(),
                entry.at.to_string(),
                entry.intent.clone(),
                entry.kind.clone(),
                of_body("verb"),
                text(field(&entry.body, "target", "id")),
                text(field(&entry.body, "plan", "title")),
                of_body("outcome"),
                of_body("words"),
                of_body("reason"),
                place,
                if entry.chained { "yes" } else { "no" }.to_owned(),
                entry.prev.clone(),
                entry.hash.clone(),
                Value::Object(entry.body.clone()).to_string(),
            ],
        )?;
    }
    out.flush()
}

fn row(out: &mut dyn Write, cells: [String; COLUMNS.len()]) -> io::Result<()> {
    let cells = cells.map(|cell| quoted(&cell));
    out.write_all(cells.join(",").as_bytes())?;
    out.write_all(b"\r\n")
}

fn quoted(cell: &str) -> String {
    // A cell that begins so is a formula to a spreadsheet, quoted or not (OWASP, "CSV Injection").
    let defused = if cell.starts_with(['=', '+', '-', '@']) {
        "'"
    } else {
        ""
    };
    let cell: String = cell
        .chars()
        .map(|c| if is_forbidden(c) { '\u{fffd}' } else { c })
        .collect();
    format!("\"{defused}{}\"", cell.replace('"', "\"\""))
}
