//! Which versions served everything, as far as windlass saw it: kept over restarts, so that a version to go back to is
//! a fact with a time, and not a guess from the order of the revisions.
//!
//! Owns `served.json` in the state directory. It is a memory and no record: it must never be needed for an action, and
//! a file that cannot be understood is kept aside and never a reason not to start.

use std::{
    collections::BTreeMap,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::private;

const FILE: &str = "served.json";
const ASIDE: &str = "served.json.bad";
const SCHEMA: &str = "windlass.served/1";

/// How many versions of a release are remembered, and how many releases. The oldest are forgotten.
const VERSIONS: usize = 5;
const RELEASES: usize = 5_000;

/// Above what all of it can need with the limits above: what is larger was not written here.
const MAX_BYTES: u64 = 64 << 20;

/// A version that served all of a release's traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The hash of its pod template.
    pub hash: String,
    pub revision: Option<u64>,
    pub images: Vec<String>,
    /// When it was first and last seen so, the last time that it was.
    pub since: Timestamp,
    pub until: Timestamp,
}

#[derive(Debug)]
pub struct Served {
    dir: PathBuf,
    releases: BTreeMap<String, Vec<Seen>>,
    /// What was wrong with the file that was there, for the operator.
    trouble: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    schema: String,
    releases: BTreeMap<String, Vec<Seen>>,
}

impl Served {
    /// What was kept in a state directory: nothing, where nothing can be read.
    pub fn load(dir: &Path) -> Self {
        let (releases, trouble) = match read(&dir.join(FILE)) {
            Ok(releases) => (releases, None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (BTreeMap::new(), None),
            Err(error) => (BTreeMap::new(), Some(put_aside(dir, &error))),
        };
        let mut served = Self {
            dir: dir.to_owned(),
            releases,
            trouble,
        };
        for seen in served.releases.values_mut() {
            forget_the_oldest_versions(seen);
        }
        served.forget_the_oldest_releases();
        served
    }

    /// What was wrong with the file when it was loaded.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Notes that a version serves all of a release at `at`. Says whether that is news: another version than before.
    pub fn saw(
        &mut self,
        release: &str,
        hash: &str,
        revision: Option<u64>,
        images: &[String],
        at: Timestamp,
    ) -> bool {
        let seen = self.releases.entry(release.to_owned()).or_default();
        if let Some(latest) = seen.last_mut().filter(|latest| latest.hash == hash) {
            // A rollback to the same template gives it a new revision: the number is that of the last time.
            latest.revision = revision.or(latest.revision);
            // Never backwards: the clock may have been set.
            latest.until = latest.until.max(at);
            return false;
        }
        // A version that comes back is the latest again, and not in the list twice: two of five places would tell of one.
        seen.retain(|seen| seen.hash != hash);
        // One version is what most have; the room for four that a first push takes would be most of this memory.
        seen.reserve_exact(1);
        seen.push(Seen {
            hash: hash.to_owned(),
            revision,
            images: images.to_vec(),
            since: at,
            until: at,
        });
        forget_the_oldest_versions(seen);
        self.forget_the_oldest_releases();
        true
    }

    /// The versions that served all of a release, the latest last.
    pub fn of(&self, release: &str) -> &[Seen] {
        self.releases.get(release).map_or(&[], Vec::as_slice)
    }

    /// Puts all of it on disk: a crash leaves the file as it was before or as it is now. With two programs running the
    /// later one wins; what the other saw it will see again.
    pub fn save(&self) -> io::Result<()> {
        let stored = Stored {
            schema: SCHEMA.to_owned(),
            releases: self.releases.clone(),
        };
        private::make_dir(&self.dir)?;
        private::replace(&self.dir, FILE, &serde_json::to_vec(&stored)?)
    }

    fn forget_the_oldest_releases(&mut self) {
        let surplus = self.releases.len().saturating_sub(RELEASES);
        if surplus == 0 {
            return;
        }
        let last_seen = |seen: &Vec<Seen>| seen.last().map(|seen| seen.until);
        let mut by_age: Vec<_> = self
            .releases
            .iter()
            .map(|(release, seen)| (last_seen(seen), release.clone()))
            .collect();
        by_age.sort();
        for (_, release) in by_age.into_iter().take(surplus) {
            self.releases.remove(&release);
        }
    }
}

fn forget_the_oldest_versions(seen: &mut Vec<Seen>) {
    seen.drain(..seen.len().saturating_sub(VERSIONS));
}

fn read(path: &Path) -> io::Result<BTreeMap<String, Vec<Seen>>> {
    let mut bytes = Vec::new();
    private::open_read(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is too large",
        ));
    }
    let stored: Stored = serde_json::from_slice(&bytes)?;
    if stored.schema != SCHEMA {
        let why = format!("its schema is {:?} and not {SCHEMA}", stored.schema);
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    Ok(stored.releases)
}

/// Renamed rather than overwritten by the next save: another version of windlass may understand it.
fn put_aside(dir: &Path, error: &io::Error) -> String {
    let file = dir.join(FILE);
    match std::fs::rename(&file, dir.join(ASIDE)) {
        Ok(()) => format!("{} was put aside as {ASIDE}: {error}", file.display()),
        Err(rename) => format!(
            "{} cannot be read ({error}) nor put aside ({rename})",
            file.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn hashes(seen: &[Seen]) -> Vec<&str> {
        seen.iter().map(|seen| seen.hash.as_str()).collect()
    }

    #[test]
    fn what_was_seen_is_there_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let mut served = Served::load(dir.path());
        let images = ["shop/cart:1.2".to_owned()];
        assert!(served.saw("prod/shop/cart", "6d9f", Some(4), &images, at(0)));
        assert!(!served.saw("prod/shop/cart", "6d9f", Some(4), &images, at(60)));
        assert!(served.saw("prod/shop/cart", "77aa", None, &[], at(90)));
        served.save().unwrap();
        let served = Served::load(dir.path());
        assert_eq!(hashes(served.of("prod/shop/cart")), ["6d9f", "77aa"]);
        let first = &served.of("prod/shop/cart")[0];
        assert_eq!((first.since, first.until), (at(0), at(60)));
        assert_eq!(
            (first.revision, first.images.as_slice()),
            (Some(4), images.as_slice())
        );
        assert_eq!(
            (served.of("another"), served.trouble()),
            ([].as_slice(), None)
        );
    }

    #[test]
    fn a_version_that_comes_back_is_the_latest_and_listed_once() {
        let dir = tempfile::tempdir().unwrap();
        let mut served = Served::load(dir.path());
        for (hash, second) in [("a", 0), ("b", 10), ("a", 20)] {
            served.saw("r", hash, None, &[], at(second));
        }
        assert_eq!(hashes(served.of("r")), ["b", "a"]);
        assert_eq!(served.of("r")[1].since, at(20));
    }

    #[test]
    fn a_clock_that_is_set_back_shortens_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut served = Served::load(dir.path());
        served.saw("r", "a", None, &[], at(100));
        served.saw("r", "a", None, &[], at(50));
        assert_eq!(served.of("r")[0].until, at(100));
    }

    #[test]
    fn the_oldest_versions_and_releases_are_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let mut served = Served::load(dir.path());
        for number in 0..8 {
            served.saw("r", &format!("h{number}"), None, &[], at(number));
        }
        assert_eq!(hashes(served.of("r")), ["h3", "h4", "h5", "h6", "h7"]);
        for number in 0..5_000 {
            served.saw(
                &format!("release-{number}"),
                "h",
                None,
                &[],
                at(100 + number),
            );
        }
        assert_eq!(served.of("r"), []);
        assert_eq!(served.of("release-0").len(), 1);
        assert_eq!(served.releases.len(), RELEASES);
    }

    #[test]
    fn a_file_that_cannot_be_understood_is_kept_aside() {
        for bad in ["{", "{\"schema\":\"windlass.served/9\",\"releases\":{}}"] {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(FILE), bad).unwrap();
            let mut served = Served::load(dir.path());
            assert!(served.trouble().unwrap().contains("put aside"));
            assert_eq!(fs::read_to_string(dir.path().join(ASIDE)).unwrap(), bad);
            served.saw("r", "a", None, &[], at(0));
            served.save().unwrap();
            assert_eq!(Served::load(dir.path()).of("r").len(), 1);
        }
    }

    #[test]
    fn a_save_that_fails_leaves_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        let mut served = Served::load(dir.path());
        served.saw("r", "a", None, &[], at(0));
        served.save().unwrap();
        // A directory by the name of the temporary file is in its way.
        let temporary = dir.path().join(format!(".{FILE}.{}", std::process::id()));
        fs::create_dir(&temporary).unwrap();
        served.saw("r", "b", None, &[], at(1));
        served.save().unwrap_err();
        assert_eq!(hashes(Served::load(dir.path()).of("r")), ["a"]);
    }
}
