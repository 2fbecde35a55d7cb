//! The file of the log: appending to it under its lock, and reading it.

use std::{
    fs::{File, TryLockError},
    io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    Error, Place,
    chain::{self, Broken, Met, Tail, Torn},
    private,
    record::{Entry, GENESIS, Head, compose},
    second,
};

pub(super) const FILE: &str = "audit.jsonl";

/// How long another process may hold the lock. An append holds it for one fsync; one that was stopped in the middle
/// holds it for ever, and an emergency must not wait for it.
const PATIENCE: Duration = Duration::from_secs(3);

/// How far back a record is looked for. What is longer than this without one is not a log.
const TAIL_LIMIT: u64 = 64 << 20;

/// A log open for appending. Another process may have the same one open.
#[derive(Debug)]
pub struct Log {
    dir: PathBuf,
    path: PathBuf,
    file: File,
    pub(super) patience: Duration,
}

impl Log {
    pub fn open(dir: &Path) -> Result<Self, Error> {
        private::make_dir(dir).map_err(Error::io(dir))?;
        Self::open_file(dir, FILE)
    }

    pub(super) fn open_file(dir: &Path, name: &str) -> Result<Self, Error> {
        let path = dir.join(name);
        let file = open_durably(dir, &path).map_err(Error::io(&path))?;
        Ok(Self {
            dir: dir.to_owned(),
            path,
            file,
            patience: PATIENCE,
        })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps one record. It is on disk when this returns, and may be there, whole or in part, when this fails.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a record is handed over, and its caller is done with it"
    )]
    pub fn append(
        &mut self,
        at: Timestamp,
        intent: &str,
        kind: &str,
        body: Map<String, Value>,
    ) -> Result<Entry, Error> {
        self.append_marked(at, intent, kind, &body, None)
    }

    pub(super) fn append_marked(
        &mut self,
        at: Timestamp,
        intent: &str,
        kind: &str,
        body: &Map<String, Value>,
        fallback: Option<&str>,
    ) -> Result<Entry, Error> {
        self.follow_the_name().map_err(Error::io(&self.path))?;
        let held = Held::exclusive(&self.file, self.patience).map_err(Error::io(&self.path))?;
        let Some(held) = held else {
            return Err(Error::Busy {
                path: self.path.clone(),
            });
        };
        // Under the lock only: another process may have appended since our last record.
        let tail = self.tail()?;
        let (prev, torn) = (tail.prev.as_str(), tail.torn.as_ref());
        let entry = compose(
            &Head {
                seq: tail.seq,
                at,
                prev,
                intent,
                kind,
                torn,
                fallback,
            },
            body,
        )?;
        let mut bytes = Vec::with_capacity(entry.line().len() + 2);
        if tail.unfinished {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(entry.line().as_bytes());
        bytes.push(b'\n');
        put(held.0, &bytes).map_err(Error::io(&self.path))?;
        Ok(entry)
    }

    /// Opens the file again when another one has its name, or none: it was moved away, and a record written to the
    /// one that is open would be found by nobody.
    fn follow_the_name(&mut self) -> io::Result<()> {
        let open = self.file.metadata()?;
        let named = match self.path.symlink_metadata() {
            Ok(named) => Some((named.dev(), named.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if named != Some((open.dev(), open.ino())) {
            self.file = open_durably(&self.dir, &self.path)?;
        }
        Ok(())
    }

    fn tail(&self) -> Result<Tail, Error> {
        let io_error = || Error::io(&self.path);
        let mut file = &self.file;
        let length = file.metadata().map_err(io_error())?.len();
        let mut window = 16 << 10;
        loop {
            let start = length.saturating_sub(window);
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(start)).map_err(io_error())?;
            file.take(length - start)
                .read_to_end(&mut bytes)
                .map_err(io_error())?;
            let spoilt = |why| Error::Spoilt {
                path: self.path.clone(),
                why,
            };
            match chain::tail(&bytes, start == 0) {
                Ok(Some(tail)) => return Ok(tail),
                Ok(None) if window < TAIL_LIMIT => window *= 4,
                Ok(None) => {
                    return Err(spoilt(format!("there is none in its last {window} bytes")));
                }
                Err(chain::Spoilt(why)) => return Err(spoilt(why)),
            }
        }
    }
}

fn open_durably(dir: &Path, path: &Path) -> io::Result<File> {
    let file = private::open_append(path)?;
    // An empty file is a new one, or one whose maker was cut off before it came to this.
    if file.metadata()?.len() == 0 {
        private::sync_dir(dir)?;
    }
    Ok(file)
}

/// Writes at the end, and waits for the disk. Where the fsync fails the record is not taken back: that would be one
/// more write to a failing disk. Should it turn out to be lost later, the chain shows it.
pub(super) fn put(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_data()
}

/// A lock on a file, held until this is dropped.
struct Held<'a>(&'a File);

impl<'a> Held<'a> {
    /// `None` when somebody else had it all the time.
    fn exclusive(file: &'a File, patience: Duration) -> io::Result<Option<Self>> {
        Self::wait(file, patience, File::try_lock)
    }

    fn shared(file: &'a File, patience: Duration) -> io::Result<Option<Self>> {
        Self::wait(file, patience, File::try_lock_shared)
    }

    fn wait(
        file: &'a File,
        patience: Duration,
        lock: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> io::Result<Option<Self>> {
        let since = Instant::now();
        loop {
            match lock(file) {
                Ok(()) => return Ok(Some(Self(file))),
                Err(TryLockError::WouldBlock) if since.elapsed() >= patience => return Ok(None),
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(2)),
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "the lock of the audit log could not be given back");
        }
    }
}

/// A log that is as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub records: u64,
    /// What the next record will follow. Kept elsewhere, it proves later that nothing was cut off the end.
    pub last_hash: String,
    /// What interrupted writes left. One that is not `accounted` for is at the very end.
    pub torn: Vec<Torn>,
    /// How many records are in the second place.
    pub elsewhere: u64,
}

/// Every record of the log and of its second place, in the order of their times.
pub fn read(dir: &Path) -> Result<Vec<Entry>, Error> {
    read_with(dir, &|name| std::env::var(name).ok())
}

pub(super) fn read_with(
    dir: &Path,
    environment: super::Environment<'_>,
) -> Result<Vec<Entry>, Error> {
    let path = dir.join(FILE);
    let mut entries = Vec::new();
    walk_file(&path, |met| entries.extend(record_of(met))).map_err(Error::io(&path))?;
    let log = entries.len();
    for place in second::files(dir, environment) {
        walk_file(&place, |met| {
            entries.extend(record_of(met).map(|entry| Entry {
                place: Place::Second(place.clone()),
                ..entry
            }));
        })
        .map_err(Error::io(&place))?;
    }
    if entries.len() > log {
        // Stable, and only where it must be: the order of the log is that of its chain, whatever the clock said.
        entries.sort_by_key(|entry| entry.at);
    }
    Ok(entries)
}

fn record_of(met: Met) -> Option<Entry> {
    match met {
        Met::Record(entry) => Some(*entry),
        Met::Torn(_) | Met::Broken(_) => None,
    }
}

/// Whether the log, and what is in its second place, is as it was written.
pub fn verify(dir: &Path) -> Result<Verified, Broken> {
    verify_with(dir, &|name| std::env::var(name).ok())
}

pub(super) fn verify_with(
    dir: &Path,
    environment: super::Environment<'_>,
) -> Result<Verified, Broken> {
    let mut verified = verify_file(&dir.join(FILE))?;
    for place in second::files(dir, environment) {
        let in_place = |broken: Broken| Broken {
            why: format!("{} (in the second place, {})", broken.why, place.display()),
            ..broken
        };
        verified.elsewhere += verify_file(&place).map_err(in_place)?.records;
    }
    Ok(verified)
}

fn verify_file(path: &Path) -> Result<Verified, Broken> {
    let mut verified = Verified {
        records: 0,
        last_hash: GENESIS.to_owned(),
        torn: Vec::new(),
        elsewhere: 0,
    };
    let mut first_break = None;
    walk_file(path, |met| match met {
        Met::Record(entry) => {
            verified.records += 1;
            verified.last_hash = entry.hash;
        }
        Met::Torn(torn) => verified.torn.push(torn),
        Met::Broken(broken) => {
            first_break.get_or_insert(broken);
        }
    })
    .map_err(|error| Broken {
        line: 0,
        why: format!("{} could not be read: {error}", path.display()),
    })?;
    first_break.map_or(Ok(verified), Err)
}

fn walk_file(path: &Path, met: impl FnMut(Met)) -> io::Result<()> {
    let file = match private::open_read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    // The length is taken under the lock, so that a record that is being written is not mistaken for a torn one. The
    // lock is not held while reading: an append would have to wait for it.
    let length = {
        let held = Held::shared(&file, PATIENCE)?;
        if held.is_none() {
            tracing::warn!(file = %path.display(), "the audit log is read while another process is writing to it");
        }
        file.metadata()?.len()
    };
    chain::walk(BufReader::new(file.take(length)), met)
}
