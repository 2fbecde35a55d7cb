//! Where a secret comes from, and fetching it when it is needed. Must never be kept longer than its use, never be
//! shown, and never be taken from the configuration's own text.

use std::{
    collections::BTreeSet,
    io::Read,
    path::PathBuf,
    process::Stdio,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use secrecy::{SecretString, zeroize::Zeroizing};
use serde::Deserialize;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
};

use crate::model::text::sanitise_line;

/// A command that asks a person (a fingerprint, a browser) needs a while; one that hangs must not hold a source up for
/// ever.
const LIMIT: Duration = Duration::from_secs(30);

/// No token is longer; what is longer is the wrong file.
const LARGEST: u64 = 64 * 1024;

/// How much of a command's complaint is shown.
const COMPLAINT: usize = 200;

pub(super) const OTHERS_READ: u32 = 0o004;

/// The variables that a configuration names as secrets. The environment belongs to the process, and so does this.
static NAMED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// From now on this variable is for its own server alone.
pub(super) fn keep(name: &str) {
    NAMED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(name.to_owned());
}

/// What is started inherits no secret that is another's. Called before the variables that are meant for it are set.
pub fn withhold(command: &mut Command) {
    for name in &*NAMED.lock().unwrap_or_else(PoisonError::into_inner) {
        command.env_remove(name);
    }
}

/// How the variables of the process are asked for; `Sync`, so that what awaits a secret may move between threads.
pub type Variables<'a> = dyn Fn(&str) -> Option<String> + Sync + 'a;

/// Where a secret is. Holds names only, so it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretSource {
    /// The name of a variable.
    Env(String),
    File(PathBuf),
    /// A program and its arguments; no shell.
    Command(Vec<String>),
    /// No secret at all: what the demo's own servers want to see. A configuration cannot name it.
    #[serde(skip)]
    Open(String),
}

/// Why there is no secret. Never holds any part of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("the environment variable {0} is not set")]
    Unset(String),
    #[error("{0} is empty")]
    Empty(String),
    #[error("{0} is no single line of text; a token is")]
    NotAToken(String),
    #[error("{0} is longer than any token")]
    TooLong(String),
    #[error("{path} cannot be read: {why}")]
    File { path: String, why: String },
    #[error("{program} cannot be started: {why}")]
    NotStarted { program: String, why: String },
    #[error("{program} failed ({status}){}{complaint}", if complaint.is_empty() { "" } else { ": " })]
    Failed {
        program: String,
        status: String,
        complaint: String,
    },
    #[error("{0} did not answer within {limit} s", limit = LIMIT.as_secs())]
    TimedOut(String),
}

impl SecretSource {
    /// Fetches it. Dropping the future ends a command that runs, with everything it started.
    pub async fn resolve(&self, variables: &Variables<'_>) -> Result<SecretString, SecretError> {
        match self {
            Self::Env(name) => {
                let value = variables(name).ok_or_else(|| SecretError::Unset(name.clone()))?;
                token(&Zeroizing::new(value.into_bytes()), name)
            }
            Self::File(path) => of_file(path.clone()).await,
            Self::Command(words) => of_command(words).await,
            Self::Open(word) => Ok(SecretString::from(word.as_str())),
        }
    }
}

/// Editors and `echo` end a text with a newline that no token holds. Anything else that could end a header line is
/// refused here and not by the first request.
fn token(bytes: &[u8], place: &str) -> Result<SecretString, SecretError> {
    let text = std::str::from_utf8(bytes).map_err(|_| SecretError::NotAToken(place.to_owned()))?;
    let text = text.trim_end_matches(['\n', '\r']);
    if text.is_empty() {
        return Err(SecretError::Empty(place.to_owned()));
    }
    if text.chars().any(char::is_control) {
        return Err(SecretError::NotAToken(place.to_owned()));
    }
    Ok(SecretString::from(text))
}

/// On a thread of its own and with a limit: the file may lie on a share that does not answer, or be a pipe.
async fn of_file(path: PathBuf) -> Result<SecretString, SecretError> {
    let place = path.display().to_string();
    let reading = tokio::task::spawn_blocking(move || {
        let mut bytes = room();
        let file = std::fs::File::open(path)?;
        file.take(LARGEST + 1).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(bytes)
    });
    let failed = |why: String| SecretError::File {
        path: place.clone(),
        why,
    };
    let bytes = tokio::time::timeout(LIMIT, reading)
        .await
        .map_err(|_| SecretError::TimedOut(place.clone()))?
        .map_err(|e| failed(e.to_string()))?
        .map_err(|e| failed(e.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(SecretError::TooLong(place));
    }
    token(&bytes, &place)
}

async fn of_command(words: &[String]) -> Result<SecretString, SecretError> {
    let (program, arguments) = words.split_first().ok_or_else(|| SecretError::NotStarted {
        program: "the command".to_owned(),
        why: "it names no program".to_owned(),
    })?;
    // A group of its own: at the limit everything it started ends with it, and Ctrl-C at our terminal does not reach
    // it. Its input is empty, so that it cannot read the keys of the screen.
    let mut command = Command::new(program);
    withhold(&mut command);
    let child = command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|e| SecretError::NotStarted {
            program: program.clone(),
            why: e.to_string(),
        })?;
    tokio::time::timeout(LIMIT, answer(Running(child), program))
        .await
        .map_err(|_| SecretError::TimedOut(program.clone()))?
}

async fn answer(mut running: Running, program: &str) -> Result<SecretString, SecretError> {
    let failed = |status: String, complaint: String| SecretError::Failed {
        program: program.to_owned(),
        status,
        complaint,
    };
    let stdout = running.0.stdout.take();
    let stderr = running.0.stderr.take();
    // Read to their ends first and waited for afterwards: until it is waited for its number, and so that of its group,
    // belongs to nobody else, and `Running` can end the right one.
    let (out, complaint) = tokio::join!(drain(stdout), drain(stderr));
    let out = out.map_err(|e| failed(e.to_string(), String::new()))?;
    if out.len() as u64 > LARGEST {
        return Err(SecretError::TooLong(program.to_owned()));
    }
    let status = running
        .0
        .wait()
        .await
        .map_err(|e| failed(e.to_string(), String::new()))?;
    if !status.success() {
        let complaint = complaint.map(|bytes| last_line(&bytes)).unwrap_or_default();
        return Err(failed(status.to_string(), complaint));
    }
    token(&out, program)
}

/// At most a little more than the largest; the pipe is closed then, which ends a command that goes on writing.
async fn drain(pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = room();
    if let Some(pipe) = pipe {
        pipe.take(LARGEST + 1).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// Wide enough from the start: a vector that grows leaves copies behind that nothing wipes.
fn room() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(
        usize::try_from(LARGEST).unwrap_or(0) + 64,
    ))
}

fn last_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    last.map(|line| sanitise_line(line.trim(), COMPLAINT).to_string())
        .unwrap_or_default()
}

/// A running command. Let go of before it has ended, it is killed with its group.
#[derive(Debug)]
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // `id` is none once it was waited for.
        let pid = self
            .0
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        let Some(group) = pid else { return };
        if let Err(e) = kill_process_group(group, Signal::KILL) {
            tracing::warn!(group = group.as_raw_nonzero().get(), error = %e, "a token command could not be ended");
        }
    }
}

#[cfg(test)]
#[path = "secret_tests.rs"]
mod tests;
