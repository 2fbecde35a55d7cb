//! Which versions were seen serving everything: the evidence on which a back out of a finished release rests. Kept in the
//! state directory, since the release that has to be backed out tonight was shipped this morning.

use std::{collections::BTreeMap, path::PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    model::{
        id::{PodHash, ReleaseId},
        rollout::{Phase, Rollout},
    },
    providers::kubernetes::plan::Served,
};

/// Versions kept for one release.
const VERSIONS: usize = 5;
/// Releases kept at all.
const RELEASES: usize = 5_000;
const FILE: &str = "served.json";

/// One version of one release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Version {
    hash: String,
    since: Timestamp,
    until: Timestamp,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Book {
    #[serde(default)]
    releases: BTreeMap<String, Vec<Version>>,
}

/// What was seen. Nothing in it is a promise of health: only that it served everything and was called healthy.
#[derive(Debug, Default)]
pub struct Evidence {
    book: Book,
    file: Option<PathBuf>,
    changed: bool,
}

impl Evidence {
    /// Reads what earlier sessions saw. A file that cannot be read is kept aside and begun anew: it is evidence, and
    /// without it a back out says that its target is a guess.
    pub fn load(folder: Option<PathBuf>) -> Self {
        let file = folder.map(|folder| folder.join(FILE));
        let book = file.as_ref().and_then(|file| {
            let text = std::fs::read_to_string(file).ok()?;
            match serde_json::from_str(&text) {
                Ok(book) => Some(book),
                Err(error) => {
                    tracing::warn!(%error, "served.json cannot be read and is kept aside");
                    let _ = std::fs::rename(file, file.with_extension("json.bad"));
                    None
                }
            }
        });
        Self {
            book: book.unwrap_or_default(),
            file,
            changed: false,
        }
    }

    /// A read of a rollout.
    pub fn saw(&mut self, rollout: &Rollout, now: Timestamp) {
        let Some(argo) = rollout.argo() else { return };
        if rollout.phase != Phase::Healthy
            || !rollout.generation_observed
            || !rollout.fully_promoted()
        {
            return;
        }
        let Some(hash) = &argo.current_hash else {
            return;
        };
        let release = rollout.id.to_string();
        // Beyond that many nothing new is kept: what a back out then says is that its target is a guess.
        if self.book.releases.len() >= RELEASES && !self.book.releases.contains_key(&release) {
            return;
        }
        let versions = self.book.releases.entry(release).or_default();
        match versions
            .last_mut()
            .filter(|version| version.hash == hash.as_str())
        {
            // Every read of every release would otherwise be a change of the file.
            Some(version) if now.duration_since(version.until).as_secs() < 600 => return,
            Some(version) => version.until = now,
            None => {
                versions.retain(|version| version.hash != hash.as_str());
                versions.push(Version {
                    hash: hash.to_string(),
                    since: now,
                    until: now,
                });
                if versions.len() > VERSIONS {
                    versions.remove(0);
                }
            }
        }
        self.changed = true;
    }

    /// The versions of a release that were seen serving everything, the last one last.
    pub fn of(&self, id: &ReleaseId) -> impl Iterator<Item = Served> {
        let versions = self
            .book
            .releases
            .get(&id.to_string())
            .cloned()
            .unwrap_or_default();
        versions.into_iter().map(|version| Served {
            evidence: format!(
                "seen serving everything until {}",
                version.until.strftime("%Y-%m-%d %H:%MZ")
            ),
            until: Some(version.until),
            hash: PodHash::new(&version.hash),
        })
    }

    /// Writes it down, if anything changed: beside the old file, then in its place.
    pub fn save(&mut self) -> std::io::Result<()> {
        use std::io::Write as _;
        let Some(file) = self.file.as_ref().filter(|_| self.changed) else {
            return Ok(());
        };
        let beside = file.with_extension(format!("json.{}", std::process::id()));
        let text = serde_json::to_vec(&self.book)?;
        let mut out = std::fs::File::create(&beside)?;
        out.write_all(&text)?;
        out.sync_all()?;
        std::fs::rename(&beside, file)?;
        self.changed = false;
        Ok(())
    }
}
