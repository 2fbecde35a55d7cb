//! The second place: where the record of an emergency goes when the log cannot be written. A log of its own, with a
//! chain of its own, in the runtime directory or in a directory of ours among the temporary ones.
//!
//! It must never be used while the log can be written, and never be taken for durable: it may be gone after a restart
//! of the machine. What it was given is sent to the system's log too, which may or may not keep it.

use std::{
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Environment, Error, Log, log::FILE, private, record::Entry, record::hex_digest};

const SYSTEM_LOG: &str = "/dev/log";

/// What a system log takes at the least (RFC 5424, 6.1: "SHOULD be able to accept messages of up to 2048").
const DATAGRAM: usize = 2048;

/// `LOG_AUTHPRIV` and `LOG_NOTICE`: what only the administrators of the machine read.
const PRIORITY: u8 = 10 << 3 | 5;

/// Keeps a record that the log of `dir` did not take, marked with `why`. Says where it is.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a record is handed over, and its caller is done with it"
)]
pub fn fallback(
    dir: &Path,
    at: Timestamp,
    intent: &str,
    kind: &str,
    body: Map<String, Value>,
    why: &str,
    environment: Environment<'_>,
) -> Result<String, Error> {
    let record = Record {
        at,
        intent,
        kind,
        body: &body,
        why,
    };
    keep(dir, &record, environment, Path::new(SYSTEM_LOG))
}

pub(super) struct Record<'a> {
    pub(super) at: Timestamp,
    pub(super) intent: &'a str,
    pub(super) kind: &'a str,
    pub(super) body: &'a Map<String, Value>,
    pub(super) why: &'a str,
}

pub(super) fn keep(
    dir: &Path,
    record: &Record<'_>,
    environment: Environment<'_>,
    system_log: &Path,
) -> Result<String, Error> {
    let mut refusals = Vec::new();
    for place in places(environment) {
        match keep_in(&place, dir, record) {
            Ok((path, entry)) => {
                let also = if tell(system_log, &entry) {
                    " and the system log"
                } else {
                    ""
                };
                return Ok(format!("{}{also}", path.display()));
            }
            Err(error) => refusals.push(error.to_string()),
        }
    }
    Err(Error::NoSecondPlace(refusals.join("; ")))
}

fn keep_in(place: &Path, dir: &Path, record: &Record<'_>) -> Result<(PathBuf, Entry), Error> {
    private::make_dir_among_strangers(place).map_err(Error::io(place))?;
    let mut log = Log::open_file(place, &name(dir))?;
    let entry = log.append_marked(
        record.at,
        record.intent,
        record.kind,
        record.body,
        Some(record.why),
    )?;
    Ok((log.path().to_owned(), entry))
}

/// The files of the second place of `dir` that are there and ours.
pub(super) fn files(dir: &Path, environment: Environment<'_>) -> Vec<PathBuf> {
    let is_usable = |place: &PathBuf| match private::check_among_strangers(place) {
        Ok(()) => true,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        // Somebody else's directory by our name has none of our records, and must not keep us from reading the log.
        Err(error) => {
            tracing::warn!(place = %place.display(), %error, "the second place of the audit log is left out");
            false
        }
    };
    places(environment)
        .into_iter()
        .filter(is_usable)
        .map(|place| place.join(name(dir)))
        .collect()
}

fn places(environment: Environment<'_>) -> Vec<PathBuf> {
    // A relative one would be another one with every working directory (so says the XDG specification too).
    let absolute = |name| {
        environment(name)
            .map(PathBuf::from)
            .filter(|dir| dir.is_absolute())
    };
    let user = rustix::process::geteuid().as_raw();
    let temporary = absolute("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"));
    let runtime = absolute("XDG_RUNTIME_DIR").map(|runtime| runtime.join("windlass"));
    runtime
        .into_iter()
        .chain([temporary.join(format!("windlass-{user}"))])
        .collect()
}

/// One file for each state directory: two of them are two logs, and a demonstration is neither.
fn name(dir: &Path) -> String {
    // Not resolved: the disk that fails may well be the one that this would have to ask.
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let digest = hex_digest(dir.as_os_str().as_encoded_bytes());
    format!("{}-{FILE}", digest.get(..16).unwrap_or(&digest))
}

/// Best effort, and so it must not wait: a system log that does not read blocks whoever writes to it.
fn tell(system_log: &Path, entry: &Entry) -> bool {
    let head = format!("<{PRIORITY}>windlass[{}]: audit ", std::process::id());
    let whole = format!("{head}{}", entry.line());
    let message = if whole.len() <= DATAGRAM {
        whole
    } else {
        format!(
            "{head}{} {} {} {}",
            entry.at, entry.intent, entry.kind, entry.hash
        )
    };
    let sent = UnixDatagram::unbound().and_then(|socket| {
        socket.set_nonblocking(true)?;
        socket.send_to(message.as_bytes(), system_log)
    });
    if let Err(error) = &sent {
        tracing::debug!(%error, "the system log did not take an audit record");
    }
    sent.is_ok()
}
