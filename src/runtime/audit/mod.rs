//! The audit log: what was done, by whom and when, one JSON object a line, each chained to the one before by its hash.
//!
//! Owns the file, its lock, its fsyncs and its chain. It must never change or remove a byte that stands in the log, never
//! answer that a record is kept before it is on disk, and never chain to a record that is not as it was written.
//!
//! The hash of a record is that of its line without its last field. To check one by hand:
//! `sed -n 3p audit.jsonl | sed 's/,"hash":"[0-9a-f]*"}$//' | tr -d '\n' | sha256sum`. The chain shows that a record was
//! changed, added, moved, or removed from the middle. It cannot show that the last ones were cut off, nor that somebody
//! wrote all of it anew: for that, keep the last hash that `verify` gives in another place.

mod chain;
mod export;
mod intents;
mod log;
mod record;
mod second;
#[cfg(test)]
mod tests;

use std::{
    io,
    path::{Path, PathBuf},
};

pub use chain::{Broken, Torn};
pub use export::{export_csv, export_json};
pub use intents::{OpenIntent, open_intents};
pub use log::{Log, Verified, read, verify};
pub use record::{Entry, Scrap, Unfit};
pub use second::fallback;

use super::private;

/// How a function asks for an environment variable. Handed in, so that no test depends on the one it runs in.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Where a record was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Log,
    /// Where the record of an emergency went when the log could not be written.
    Second(PathBuf),
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the audit log in {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("the audit log {} is held by another process", path.display())]
    Busy { path: PathBuf },
    #[error(
        "the last record of the audit log {} is not as it was written ({why}); keep that file elsewhere, and a new log begins", path.display()
    )]
    Spoilt { path: PathBuf, why: String },
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error("no second place takes the record: {0}")]
    NoSecondPlace(String),
    #[error("no directory to keep the audit log in is known; name one in WINDLASS_STATE")]
    NoStateDir,
}

impl Error {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

/// The directory that the log and what else outlives the program is kept in, made where there is none.
pub fn state_dir(environment: Environment<'_>) -> Result<PathBuf, Error> {
    let named = environment("WINDLASS_STATE")
        .filter(|dir| !dir.is_empty())
        .map(PathBuf::from);
    let of_user = || {
        let dirs = directories::ProjectDirs::from("", "", "windlass")?;
        Some(dirs.state_dir().unwrap_or(dirs.data_local_dir()).to_owned())
    };
    let dir = named.or_else(of_user).ok_or(Error::NoStateDir)?;
    let dir = std::path::absolute(&dir).map_err(Error::io(&dir))?;
    private::make_dir(&dir).map_err(Error::io(&dir))?;
    Ok(dir)
}
