//! The audit log: append-only JSON lines with a hash chain, on the disk before an append returns. Two processes may share
//! it; a crash leaves a tear that is found, kept and named by the next record. Owns no word of what is recorded.
//!
//! To check a record by hand: the text of its line up to `,"hash":"` (without it) is what its hash covers, and its `prev`
//! is the hash of the record before it:
//! `printf %s "$(sed -n 3p audit.jsonl | sed 's/,"hash":"[0-9a-f]*"}$//')" | sha256sum`

mod chain;
mod export;
mod open;
mod record;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde_json::{Map, Value};

pub use chain::{Broken, Torn};
pub use export::{export_csv, export_json};
pub use open::{OpenIntent, open_intents};
pub use record::{Entry, Scrap, Unfit};

use super::private;
use chain::{Met, Spoilt, Tail, tail, walk};
use record::{GENESIS, Head, MAX_LINE, compose};

const FILE: &str = "audit.jsonl";
/// Names of the record itself; a body that uses one gets `body_` in front of it.
const OWN: [&str; 9] = [
    "schema", "seq", "at", "prev", "intent", "kind", "torn", "fallback", "hash",
];

/// Where a record was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Log,
    /// The second place, where the records of emergencies go while the log cannot be written.
    Second(PathBuf),
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the audit log {} cannot be used: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("the audit log {} is not as it was written: {why}; move it away to begin a new one", path.display())]
    Spoilt { path: PathBuf, why: String },
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error("there is no place for the state of windlass: set WINDLASS_STATE to a folder, or HOME")]
    NoPlace,
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> Error + '_ {
    |error| Error::Io {
        path: path.to_path_buf(),
        error,
    }
}

/// The state directory, made for its owner only.
pub fn state_dir(variables: &dyn Fn(&str) -> Option<String>) -> Result<PathBuf, Error> {
    let named = variables("WINDLASS_STATE")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    let dir = match named {
        Some(dir) => dir,
        None => {
            let dirs = directories::ProjectDirs::from("", "", "windlass").ok_or(Error::NoPlace)?;
            dirs.state_dir()
                .unwrap_or_else(|| dirs.data_local_dir())
                .to_path_buf()
        }
    };
    private::make_dir(&dir).map_err(io_error(&dir))?;
    Ok(dir)
}

/// The log, open for appending.
#[derive(Debug)]
pub struct Log {
    file: File,
    path: PathBuf,
}

impl Log {
    /// Opens the log of a folder, or begins it.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        private::make_dir(dir).map_err(io_error(dir))?;
        let path = dir.join(FILE);
        let is_new = !path.exists();
        let file = private::open_append(&path).map_err(io_error(&path))?;
        if is_new {
            private::sync_dir(dir).map_err(io_error(dir))?;
        }
        Ok(Self { file, path })
    }

    /// Makes one record durable. An error means that it cannot be relied upon to be there; after one the log must be
    /// opened anew, since a failed sync says nothing about what is on the disk.
    pub fn append(
        &mut self,
        at: Timestamp,
        intent: &str,
        kind: &str,
        body: Map<String, Value>,
    ) -> Result<Entry, Error> {
        self.file.lock().map_err(io_error(&self.path))?;
        let appended = self.append_locked(at, intent, kind, body, None);
        let unlocked = self.file.unlock().map_err(io_error(&self.path));
        let entry = appended?;
        unlocked?;
        Ok(entry)
    }

    fn append_locked(
        &mut self,
        at: Timestamp,
        intent: &str,
        kind: &str,
        body: Map<String, Value>,
        fallback: Option<&str>,
    ) -> Result<Entry, Error> {
        let tail = self.tail()?;
        let head = Head {
            seq: tail.seq,
            at,
            prev: &tail.prev,
            intent,
            kind,
            torn: tail.torn.as_ref(),
            fallback,
        };
        let entry = compose(&head, &renamed(body))?;
        let mut bytes = Vec::with_capacity(entry.line().len() + 2);
        if tail.unfinished {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(entry.line().as_bytes());
        bytes.push(b'\n');
        // One write: with O_APPEND no other process's bytes can come in between.
        self.file
            .write_all(&bytes)
            .and_then(|()| self.file.sync_data())
            .map_err(io_error(&self.path))?;
        Ok(entry)
    }

    /// The end of the chain, read under the lock: another process may have written since.
    fn tail(&mut self) -> Result<Tail, Error> {
        let length = self.file.metadata().map_err(io_error(&self.path))?.len();
        let mut window = 64 << 10;
        loop {
            let from = length.saturating_sub(window);
            self.file
                .seek(SeekFrom::Start(from))
                .map_err(io_error(&self.path))?;
            let mut bytes = Vec::new();
            (&mut self.file)
                .take(length - from)
                .read_to_end(&mut bytes)
                .map_err(io_error(&self.path))?;
            match tail(&bytes, from == 0) {
                Ok(Some(tail)) => return Ok(tail),
                Ok(None) => window = window.saturating_mul(8),
                Err(Spoilt(why)) => {
                    return Err(Error::Spoilt {
                        path: self.path.clone(),
                        why,
                    });
                }
            }
        }
    }
}

fn renamed(body: Map<String, Value>) -> Map<String, Value> {
    body.into_iter()
        .map(|(name, value)| {
            if OWN.contains(&name.as_str()) {
                (format!("body_{name}"), value)
            } else {
                (name, value)
            }
        })
        .collect()
}

/// Writes the record of an emergency into the second place, because the log failed with `why`. Says where it went.
pub fn fallback(
    dir: &Path,
    at: Timestamp,
    intent: &str,
    kind: &str,
    body: Map<String, Value>,
    why: &str,
    variables: &dyn Fn(&str) -> Option<String>,
) -> Result<String, Error> {
    let mut last = Error::NoPlace;
    for place in second_places(variables) {
        // The same place as the log is no second one.
        if place == dir {
            continue;
        }
        match append_second(&place, at, intent, kind, body.clone(), why) {
            Ok(()) => return Ok(place.join(FILE).display().to_string()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn append_second(
    place: &Path,
    at: Timestamp,
    intent: &str,
    kind: &str,
    body: Map<String, Value>,
    why: &str,
) -> Result<(), Error> {
    private::make_dir_among_strangers(place).map_err(io_error(place))?;
    let path = place.join(FILE);
    let file = private::open_append(&path).map_err(io_error(&path))?;
    let mut log = Log { file, path };
    log.file.lock().map_err(io_error(&log.path))?;
    log.append_locked(at, intent, kind, body, Some(why))?;
    log.file.unlock().map_err(io_error(&log.path))
}

/// The user's runtime directory, else one of our own among everybody's temporary files.
fn second_places(variables: &dyn Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let runtime = variables("XDG_RUNTIME_DIR")
        .filter(|dir| !dir.is_empty())
        .map(|dir| PathBuf::from(dir).join("windlass"));
    let uid = rustix::process::geteuid().as_raw();
    runtime
        .into_iter()
        .chain([std::env::temp_dir().join(format!("windlass-{uid}"))])
        .collect()
}

fn each(path: &Path, mut met: impl FnMut(Met)) -> Result<bool, Error> {
    let file = match private::open_read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(io_error(path)(error)),
    };
    walk(BufReader::new(file), &mut met).map_err(io_error(path))?;
    Ok(true)
}

/// Every record, oldest first, and those of the second place after them, marked.
pub fn read(dir: &Path) -> Result<Vec<Entry>, Error> {
    read_with(dir, &[])
}

/// The same, with the second places that this session would use.
pub fn read_with(dir: &Path, second: &[PathBuf]) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    each(&dir.join(FILE), |met| {
        if let Met::Record(entry) = met {
            entries.push(*entry);
        }
    })?;
    for place in second.iter().filter(|place| *place != dir) {
        let path = place.join(FILE);
        each(&path, |met| {
            if let Met::Record(mut entry) = met {
                entry.place = Place::Second(path.clone());
                entries.push(*entry);
            }
        })?;
    }
    Ok(entries)
}

/// The places that [`fallback`] would try.
pub fn second(variables: &dyn Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    second_places(variables)
}

/// A log whose chain is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub records: u64,
    pub last_hash: String,
    /// What interrupted writes left; each but the last is named by the record after it.
    pub torn: Vec<Torn>,
}

#[derive(Debug, thiserror::Error)]
pub enum Unverified {
    #[error("the audit log is not as it was written: {0}")]
    Broken(#[from] Broken),
    #[error(transparent)]
    Unreadable(#[from] Error),
}

/// Checks every record and the whole chain.
pub fn verify(dir: &Path) -> Result<Verified, Unverified> {
    let mut verified = Verified {
        records: 0,
        last_hash: GENESIS.to_owned(),
        torn: Vec::new(),
    };
    let mut broken = None;
    each(&dir.join(FILE), |met| match met {
        Met::Record(entry) => {
            verified.records += 1;
            verified.last_hash = entry.hash;
        }
        Met::Torn(torn) => verified.torn.push(torn),
        Met::Broken(first) => {
            broken.get_or_insert(first);
        }
    })?;
    match broken {
        Some(broken) => Err(broken.into()),
        None => Ok(verified),
    }
}

/// A record longer than this is refused when it is made.
pub const LONGEST: usize = MAX_LINE;
