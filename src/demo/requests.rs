//! Every request that arrived, for tests to read: in memory, and as JSON lines where a path is given.
//!
//! A write is on disk before its answer leaves, so that a killed client's request is still known. Must never forget a
//! write; reads are kept in a bounded number.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::fault::Server;

/// How many reads are remembered.
const READS: usize = 5_000;

/// A request as it arrived, and what it was answered with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Request {
    /// `kubernetes`, `github`, `prometheus` or `alertmanager`.
    pub server: &'static str,
    pub at: Timestamp,
    pub method: String,
    /// With the query.
    pub path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// None where there was none, or it was neither JSON nor a form; a form is a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// None where no answer was given.
    pub status: Option<u16>,
}

impl Request {
    /// Whether it could have changed something.
    pub fn is_write(&self) -> bool {
        self.method != "GET"
            && !self.path.contains("/selfsubject")
            && self.server != Server::Prometheus.word()
    }
}

#[derive(Debug, Default)]
struct Kept {
    arrived: u64,
    writes: Vec<(u64, Request)>,
    reads: VecDeque<(u64, Request)>,
    file: Option<File>,
}

#[derive(Debug)]
pub(super) struct Log(Mutex<Kept>);

impl Log {
    pub(super) fn new(path: Option<&Path>) -> std::io::Result<Self> {
        let file = path
            .map(|path| OpenOptions::new().create(true).append(true).open(path))
            .transpose()?;
        Ok(Self(Mutex::new(Kept {
            file,
            ..Kept::default()
        })))
    }

    /// An error means that the line is not on disk, and the request must not be answered as if it were.
    pub(super) fn note(&self, request: Request) -> std::io::Result<()> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &mut kept.file {
            let mut line = serde_json::to_vec(&request)?;
            line.push(b'\n');
            file.write_all(&line)?;
            file.flush()?;
        }
        kept.arrived += 1;
        let place = kept.arrived;
        if request.is_write() {
            kept.writes.push((place, request));
        } else {
            kept.reads.push_back((place, request));
            if kept.reads.len() > READS {
                kept.reads.pop_front();
            }
        }
        Ok(())
    }

    pub(super) fn all(&self) -> Vec<Request> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = kept.writes.iter().chain(&kept.reads).cloned().collect();
        all.sort_by_key(|(place, _)| *place);
        all.into_iter().map(|(_, request)| request).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_never_dropped_however_many_reads_follow() {
        let log = Log::new(None).unwrap();
        let request = |method: &str, path: &str| Request {
            server: "kubernetes",
            at: Timestamp::UNIX_EPOCH,
            method: method.to_owned(),
            path: path.to_owned(),
            content_type: None,
            body: None,
            status: Some(200),
        };
        log.note(request("PATCH", "/first")).unwrap();
        for _ in 0..READS + 10 {
            log.note(request("GET", "/read")).unwrap();
        }
        let all = log.all();
        assert_eq!(all.len(), READS + 1);
        assert_eq!(all[0].path, "/first");
    }
}
