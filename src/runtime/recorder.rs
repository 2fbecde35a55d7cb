//! Makes records durable: the audit log, and the second place for emergencies when that fails. Writing waits for the disk,
//! so it is done beside the loop and never in it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::{audit, execute::Recorder};
use crate::ops::{machine::Place, record::Record};

/// Cheap to clone; all clones write into the same log, one record at a time.
#[derive(Clone, Debug)]
pub struct AuditRecorder {
    folder: PathBuf,
    log: Arc<Mutex<Option<audit::Log>>>,
    /// Where a second place may be: asked once, since records are written beside the loop.
    runtime_dir: Option<String>,
}

impl AuditRecorder {
    /// The log itself is opened with the first record: a full disk must not keep anybody from watching.
    pub fn open(folder: PathBuf, variables: &dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            folder,
            log: Arc::new(Mutex::new(None)),
            runtime_dir: variables("XDG_RUNTIME_DIR"),
        }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn write(&self, record: &Record) -> Result<Place, String> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        match append(&mut log, &self.folder, record) {
            Ok(()) => Ok(Place::Audit),
            Err(why) if record.emergency => {
                // A log that failed is opened anew next time: a failed sync says nothing about what is on the disk.
                *log = None;
                let runtime_dir = self.runtime_dir.clone();
                let variables = move |name: &str| {
                    if name == "XDG_RUNTIME_DIR" {
                        runtime_dir.clone()
                    } else {
                        None
                    }
                };
                audit::fallback(
                    &self.folder,
                    record.at,
                    record.intent.as_str(),
                    record.kind,
                    record.body.clone(),
                    &why,
                    &variables,
                )
                .map(Place::Second)
                .map_err(|second| format!("{why}; {second}"))
            }
            Err(why) => {
                *log = None;
                Err(why)
            }
        }
    }
}

fn append(log: &mut Option<audit::Log>, folder: &Path, record: &Record) -> Result<(), String> {
    let log = match log {
        Some(log) => log,
        None => log.insert(audit::Log::open(folder).map_err(|error| error.to_string())?),
    };
    log.append(
        record.at,
        record.intent.as_str(),
        record.kind,
        record.body.clone(),
    )
    .map(|_| ())
    .map_err(|error| error.to_string())
}

impl Recorder for AuditRecorder {
    async fn record(&self, record: Record) -> Result<Place, String> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.write(&record))
            .await
            .map_err(|error| error.to_string())?
    }
}
