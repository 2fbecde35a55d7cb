//! Walking through a log: which lines are records, where the chain holds, and what interrupted writes left behind.
//!
//! It only reads. It must never repair: a repair belongs to the next append, under the lock.

use std::io::{self, BufRead, Read as _};

use sha2::{Digest as _, Sha256};

use super::record::{Entry, GENESIS, Line, MAX_LINE, Scrap, classify, hex, hex_digest};

/// What an interrupted write left in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// The line it begins on, from 1.
    pub line: u64,
    pub bytes: u64,
    /// Whether the record after it names it. The last one of a log is named by the next append.
    pub accounted: bool,
}

/// The first place where the log is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct Broken {
    /// From 1; 0 where the log could not be read at all.
    pub line: u64,
    pub why: String,
}

/// What a walk meets, in the order of the file.
#[derive(Debug)]
pub(super) enum Met {
    Record(Box<Entry>),
    Torn(Torn),
    Broken(Broken),
}

/// Hands every record, tear and break of a log to `met`.
pub(super) fn walk(mut log: impl BufRead, mut met: impl FnMut(Met)) -> io::Result<()> {
    let mut chain = Chain::default();
    let mut line = Vec::new();
    let mut number = 0_u64;
    // A line over the limit is no record. It is taken in pieces, none of which may be mistaken for one.
    let mut in_long_line = false;
    loop {
        line.clear();
        let read = (&mut log)
            .take(MAX_LINE as u64 + 2)
            .read_until(b'\n', &mut line)?;
        if read == 0 {
            break;
        }
        if !in_long_line {
            number += 1;
        }
        let text = line.strip_suffix(b"\n");
        let is_piece = in_long_line || (text.is_none() && read > MAX_LINE);
        in_long_line = is_piece && text.is_none();
        let found = if is_piece {
            Line::Scrap
        } else {
            classify(text.unwrap_or(&line))
        };
        match found {
            Line::Scrap => chain.scrap(number, &line),
            Line::Forged(why) => chain.forged(number, why, &mut met),
            Line::Record(entry) => chain.record(number, entry, &mut met),
        }
    }
    if let Some((torn, _)) = chain.gap.finish(false) {
        met(Met::Torn(torn));
    }
    Ok(())
}

/// What the next record has to follow.
#[derive(Debug)]
struct Chain {
    prev: String,
    seq: u64,
    gap: Gap,
    holds: bool,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            prev: GENESIS.to_owned(),
            seq: 1,
            gap: Gap::default(),
            holds: true,
        }
    }
}

impl Chain {
    fn scrap(&mut self, number: u64, bytes: &[u8]) {
        self.gap.line.get_or_insert(number);
        self.gap.bytes += bytes.len() as u64;
        self.gap.hasher.update(bytes);
    }

    fn forged(&mut self, number: u64, why: String, met: &mut impl FnMut(Met)) {
        self.holds = false;
        self.gap = Gap::default();
        met(Met::Broken(Broken { line: number, why }));
    }

    fn record(&mut self, number: u64, mut entry: Box<Entry>, met: &mut impl FnMut(Met)) {
        let gap = std::mem::take(&mut self.gap).finish(true);
        let broken = self.objection(&entry, gap.as_ref().map(|(_, scrap)| scrap));
        if let Some((torn, _)) = gap {
            met(Met::Torn(Torn {
                accounted: broken.is_none(),
                ..torn
            }));
        }
        if let Some(why) = broken {
            self.holds = false;
            met(Met::Broken(Broken { line: number, why }));
        }
        // The chain is taken up again from here, so that what comes after a break can still be listed.
        self.prev.clone_from(&entry.hash);
        self.seq = entry.seq.saturating_add(1);
        entry.chained = self.holds;
        met(Met::Record(entry));
    }

    fn objection(&self, entry: &Entry, gap: Option<&Scrap>) -> Option<String> {
        if entry.prev != self.prev {
            return Some(
                "it does not follow the record before it: one was changed, removed, added or moved"
                    .to_owned(),
            );
        }
        if entry.seq != self.seq {
            return Some(format!(
                "its number is {} where {} was due",
                entry.seq, self.seq
            ));
        }
        match (gap, &entry.torn) {
            (None, None) => None,
            (Some(gap), Some(torn)) if gap == torn => None,
            (Some(gap), None) => Some(format!(
                "before it are {} bytes that are no record, and it does not name them",
                gap.bytes
            )),
            (None, Some(torn)) => Some(format!(
                "it names {} bytes of an interrupted write before it, which are gone",
                torn.bytes
            )),
            (Some(_), Some(_)) => {
                Some("the interrupted write before it was changed afterwards".to_owned())
            }
        }
    }
}

/// The scraps since the last record.
#[derive(Debug, Default)]
struct Gap {
    line: Option<u64>,
    bytes: u64,
    hasher: Sha256,
}

impl Gap {
    fn finish(self, accounted: bool) -> Option<(Torn, Scrap)> {
        let torn = Torn {
            line: self.line?,
            bytes: self.bytes,
            accounted,
        };
        Some((
            torn,
            Scrap {
                bytes: self.bytes,
                sha256: hex(&self.hasher.finalize()),
            },
        ))
    }
}

/// What the next record is chained to.
#[derive(Debug, PartialEq)]
pub(super) struct Tail {
    pub(super) prev: String,
    pub(super) seq: u64,
    pub(super) torn: Option<Scrap>,
    /// Whether a line feed has to go in front of the next record.
    pub(super) unfinished: bool,
}

/// Why there is nothing to chain to: the last record of the log is not as it was written.
#[derive(Debug)]
pub(super) struct Spoilt(pub(super) String);

/// Finds the end of the chain in the last bytes of a log. `None` when they hold no whole record and are not all there is.
pub(super) fn tail(bytes: &[u8], is_whole_file: bool) -> Result<Option<Tail>, Spoilt> {
    let unfinished = !bytes.is_empty() && !bytes.ends_with(b"\n");
    let mut end = bytes.len();
    loop {
        let closed = bytes.get(..end).unwrap_or_default();
        let text = closed.strip_suffix(b"\n").unwrap_or(closed);
        let start = text
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        if start == 0 && !is_whole_file {
            return Ok(None);
        }
        match classify(text.get(start..).unwrap_or_default()) {
            Line::Record(entry) => {
                let after = bytes.get(end..).unwrap_or_default();
                let torn = (!after.is_empty()).then(|| scrap(after, unfinished));
                return Ok(Some(Tail {
                    prev: entry.hash,
                    seq: entry.seq.saturating_add(1),
                    torn,
                    unfinished,
                }));
            }
            Line::Forged(why) => return Err(Spoilt(why)),
            Line::Scrap if start == 0 => {
                let torn = (!bytes.is_empty()).then(|| scrap(bytes, unfinished));
                return Ok(Some(Tail {
                    prev: GENESIS.to_owned(),
                    seq: 1,
                    torn,
                    unfinished,
                }));
            }
            Line::Scrap => end = start,
        }
    }
}

/// Names an interrupted write as it will stand in the file: with the line feed that ends it.
fn scrap(bytes: &[u8], unfinished: bool) -> Scrap {
    let mut bytes = bytes.to_vec();
    if unfinished {
        bytes.push(b'\n');
    }
    Scrap {
        bytes: bytes.len() as u64,
        sha256: hex_digest(&bytes),
    }
}
