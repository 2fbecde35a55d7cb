//! One record: how its line is written, and how a line proves to be one.
//!
//! Owns the exact bytes. It must never accept a line whose hash is not that of its bytes, and never write one that it
//! would not accept itself.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::Place;
use crate::model::text::escaped_json;

pub(super) const SCHEMA: &str = "windlass.audit/1";

/// The `prev` of the first record.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The longest line that is written or taken for a record. Plans are some kilobytes; the limit keeps a reader's memory
/// bounded whatever the file holds.
pub(super) const MAX_LINE: usize = 1 << 20;

/// The names of the record itself, which a body cannot use: with one of them twice in a line, readers would disagree
/// about which one counts.
const RESERVED: [&str; 9] = [
    "schema", "seq", "at", "prev", "intent", "kind", "torn", "fallback", "hash",
];

/// `,"hash":"` + 64 + `"}`
const HASH_FIELD: &str = ",\"hash\":\"";
const SUFFIX: usize = HASH_FIELD.len() + 64 + 2;

/// One record of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its number in its file, from 1.
    pub seq: u64,
    pub at: Timestamp,
    /// The id of the intent that it belongs to.
    pub intent: String,
    /// `intent`, `sending`, `outcome`, `reverted`, `reason`.
    pub kind: String,
    /// The hash of the record before it.
    pub prev: String,
    /// The hash of this one.
    pub hash: String,
    /// The bytes of an interrupted write that lie between the record before and this one.
    pub torn: Option<Scrap>,
    /// Why it is in the second place and not in the log: the error that the log gave.
    pub fallback: Option<String>,
    /// Everything else in it.
    pub body: Map<String, Value>,
    /// Where it was read.
    pub place: Place,
    /// Whether every record before it in its file is as it was written. False after the first break of the chain.
    pub chained: bool,
    pub(super) line: String,
}

impl Entry {
    /// The line as it stands in the file, without its line feed: what can be checked with `sha256sum`.
    pub fn line(&self) -> &str {
        &self.line
    }
}

/// Bytes between two records that are no record: what a crash or a full disk left of one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Scrap {
    pub bytes: u64,
    pub sha256: String,
}

/// The fields in front of the body.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) prev: &'a str,
    pub(super) intent: &'a str,
    pub(super) kind: &'a str,
    pub(super) torn: Option<&'a Scrap>,
    pub(super) fallback: Option<&'a str>,
}

/// Why a record could not be made. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error("an audit record of {0} bytes is over the limit of {MAX_LINE}")]
    TooLarge(usize),
    #[error("an audit record could not be written as JSON that can be read again: {0}")]
    Unreadable(String),
}

/// What a line of the file is.
#[derive(Debug)]
pub(super) enum Line {
    Record(Box<Entry>),
    /// No JSON object: the rest of an interrupted write.
    Scrap,
    /// A JSON object, and so not the rest of an interrupted write, but not as windlass wrote it.
    Forged(String),
}

/// Makes a record's line, without a line feed.
pub(super) fn compose(head: &Head<'_>, body: &Map<String, Value>) -> Result<Entry, Unfit> {
    let mut line = String::from("{");
    field(&mut line, "schema", &SCHEMA)?;
    field(&mut line, "seq", &head.seq)?;
    field(&mut line, "at", &head.at.to_string())?;
    field(&mut line, "prev", &head.prev)?;
    field(&mut line, "intent", &head.intent)?;
    field(&mut line, "kind", &head.kind)?;
    if let Some(torn) = head.torn {
        field(&mut line, "torn", torn)?;
    }
    if let Some(why) = head.fallback {
        field(&mut line, "fallback", &why)?;
    }
    for (name, value) in body {
        field(&mut line, &free_name(name, body), value)?;
    }
    // JSON leaves DEL, the C1 controls and what turns or hides text as they are, and people read this file with `tail -f`.
    let mut line = escaped_json(line);
    let hash = hex_digest(line.as_bytes());
    line.push_str(HASH_FIELD);
    line.push_str(&hash);
    line.push_str("\"}");
    if line.len() > MAX_LINE {
        return Err(Unfit::TooLarge(line.len()));
    }
    // Read back before it is written: JSON nested deeper than the reader's limit can be written, and would then be a
    // break in the chain for ever.
    match classify(line.as_bytes()) {
        Line::Record(entry) => Ok(*entry),
        Line::Scrap => Err(Unfit::Unreadable("nested too deeply".to_owned())),
        Line::Forged(why) => Err(Unfit::Unreadable(why)),
    }
}

/// A name that the record has taken is put under `body_NAME`: an action must not be refused, nor go unrecorded, over
/// the name of a field.
fn free_name(name: &str, body: &Map<String, Value>) -> String {
    let mut free = name.to_owned();
    while RESERVED.contains(&free.as_str()) || (free != name && body.contains_key(&free)) {
        free.insert_str(0, "body_");
    }
    free
}

fn field(line: &mut String, name: &str, value: &impl serde::Serialize) -> Result<(), Unfit> {
    let unreadable = |error: serde_json::Error| Unfit::Unreadable(error.to_string());
    if line.len() > 1 {
        line.push(',');
    }
    line.push_str(&serde_json::to_string(name).map_err(unreadable)?);
    line.push(':');
    line.push_str(&serde_json::to_string(value).map_err(unreadable)?);
    Ok(())
}

/// Says what a line, without its line feed, is.
pub(super) fn classify(line: &[u8]) -> Line {
    if line.len() > MAX_LINE {
        return Line::Scrap;
    }
    let Ok(line) = std::str::from_utf8(line) else {
        return Line::Scrap;
    };
    let Ok(mut fields) = serde_json::from_str::<Map<String, Value>>(line) else {
        return Line::Scrap;
    };
    let Some((covered, hash)) = split_hash(line) else {
        return Line::Forged("it is a JSON object without a hash at its end".to_owned());
    };
    if hex_digest(covered.as_bytes()) != hash {
        return Line::Forged(
            "its hash is not that of its text: it was changed after it was written".to_owned(),
        );
    }
    if fields.get("schema").and_then(Value::as_str) != Some(SCHEMA) {
        return Line::Forged(format!(
            "its schema is not {SCHEMA}: another version of windlass may have written it"
        ));
    }
    fields.remove("schema");
    fields.remove("hash");
    let mut text = |name: &str| match fields.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let (at, prev, intent, kind) = (text("at"), text("prev"), text("intent"), text("kind"));
    let fallback = text("fallback");
    let seq = fields.remove("seq").and_then(|seq| seq.as_u64());
    let torn = fields
        .remove("torn")
        .map(serde_json::from_value::<Scrap>)
        .transpose();
    let at = at.and_then(|at| at.parse().ok());
    let (Some(seq), Some(at), Some(prev), Some(intent), Some(kind), Ok(torn)) =
        (seq, at, prev, intent, kind, torn)
    else {
        return Line::Forged("one of its own fields is missing or of the wrong type".to_owned());
    };
    Line::Record(Box::new(Entry {
        seq,
        at,
        intent,
        kind,
        prev,
        hash: hash.to_owned(),
        torn,
        fallback,
        body: fields,
        place: Place::Log,
        chained: true,
        line: line.to_owned(),
    }))
}

/// The bytes that the hash covers, and the hash. Only the very end of the line counts: a body may well hold a field
/// of that name further in.
fn split_hash(line: &str) -> Option<(&str, &str)> {
    let (covered, suffix) = line.split_at_checked(line.len().checked_sub(SUFFIX)?)?;
    let hash = suffix.strip_prefix(HASH_FIELD)?.strip_suffix("\"}")?;
    Some((covered, hash))
}

pub(super) fn hex_digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn hex(digest: &[u8]) -> String {
    let mut hex = String::with_capacity(digest.len() * 2);
    for byte in digest {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
