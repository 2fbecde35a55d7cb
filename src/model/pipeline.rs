//! The CI/CD side of a release: runs, jobs, steps, gates, deployments and commits, as any provider tells them.
//!
//! Two axes that are never mixed: where something is (its phase) and, once it has ended, how (its conclusion). A word
//! that this program does not know is kept raw and is never success. Owns no rule about which service a run is of.

mod page;
mod wanted;

use jiff::Timestamp;
use serde::Serialize;

use super::text::Safe;
pub use wanted::{Attention, RepositoryWanted, Workflows};

/// A repository as its host names it, `acme/checkout`. Compared without regard to case, as the host does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository(std::sync::Arc<str>);

impl Repository {
    /// `None` when it is not `owner/name` of the characters that a host takes, because it becomes part of a path.
    pub fn new(text: &str) -> Option<Self> {
        let (owner, name) = text.split_once('/')?;
        let plain = |part: &str| {
            !part.is_empty()
                && part.len() <= 100
                && part != "."
                && part != ".."
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        };
        (plain(owner) && plain(name)).then(|| Self(text.to_ascii_lowercase().into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Repository {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A whole commit id: 40 hexadecimal digits (64 where the repository uses SHA-256), in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commit(std::sync::Arc<str>);

impl Commit {
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then(|| Self(text.to_ascii_lowercase().into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The seven digits that people read.
    pub fn short(&self) -> &str {
        self.0.get(..7).unwrap_or(&self.0)
    }
}

impl std::fmt::Display for Commit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Commit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// One run, through all its attempts. A run is an object; what was on the screen is a run *and* an attempt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId {
    pub repository: Repository,
    pub number: u64,
}

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.repository, self.number)
    }
}

/// Where a run, a job or a step is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RunPhase {
    Queued,
    /// Held back by another run (a concurrency group).
    WaitsForOther,
    /// Held back by a gate: a review, a timer or a rule.
    WaitsAtGate,
    Running,
    Ended(Conclusion),
    /// A word that this program does not know.
    Unknown(Safe),
}

/// How it ended. Only `Success` is a pass; nothing else is ever shown as one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Conclusion {
    Success,
    Failure,
    Cancelled,
    /// Nothing ran: not a pass.
    Skipped,
    /// A check without an opinion: not a pass.
    Neutral,
    TimedOut,
    /// Ended, and a human has to allow it first.
    ActionRequired,
    /// The host gave up on it.
    Stale,
    /// The workflow could not be started: it has no jobs.
    StartupFailure,
    /// Ended, and how is not told, or in a word that this program does not know.
    Unknown(Safe),
}

impl RunPhase {
    pub const fn has_ended(&self) -> bool {
        matches!(self, Self::Ended(_))
    }

    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Ended(Conclusion::Success))
    }

    /// Ended in a way that asks somebody to look.
    pub const fn is_bad(&self) -> bool {
        matches!(
            self,
            Self::Ended(Conclusion::Failure | Conclusion::TimedOut | Conclusion::StartupFailure)
        )
    }

    pub fn words(&self) -> &str {
        match self {
            Self::Queued => "queued",
            Self::WaitsForOther => "waits for another run",
            Self::WaitsAtGate => "waits at a gate",
            Self::Running => "running",
            Self::Ended(Conclusion::Success) => "success",
            Self::Ended(Conclusion::Failure) => "failed",
            Self::Ended(Conclusion::Cancelled) => "cancelled",
            Self::Ended(Conclusion::Skipped) => "skipped",
            Self::Ended(Conclusion::Neutral) => "neutral",
            Self::Ended(Conclusion::TimedOut) => "timed out",
            Self::Ended(Conclusion::ActionRequired) => "action required",
            Self::Ended(Conclusion::Stale) => "stale",
            Self::Ended(Conclusion::StartupFailure) => "could not start",
            Self::Ended(Conclusion::Unknown(word)) | Self::Unknown(word) => {
                if word.is_empty() {
                    "unknown"
                } else {
                    word
                }
            }
        }
    }
}

/// One attempt of a run, as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub id: RunId,
    /// From 1. A run again has the same id and commit and the next attempt.
    pub attempt: u64,
    /// The number people see, `#4812`; the same for all attempts.
    pub number: u64,
    /// The workflow's name, and its file without the path (`release.yml`) where it is told.
    pub workflow: Safe,
    pub workflow_file: Option<Safe>,
    pub title: Safe,
    pub event: Safe,
    /// The branch or tag.
    pub reference: Option<Safe>,
    pub commit: Commit,
    pub phase: RunPhase,
    /// Who caused it first, and who this attempt.
    pub actor: Option<Safe>,
    pub triggered_by: Option<Safe>,
    pub created: Option<Timestamp>,
    /// Of this attempt.
    pub started: Option<Timestamp>,
    /// The latest end of its jobs; a run has none of its own. `None` while it has not ended or its jobs were not read.
    pub ended: Option<Timestamp>,
    pub updated: Option<Timestamp>,
    pub url: Option<Safe>,
    /// Of this attempt, in the host's order. `None`: not read.
    pub jobs: Option<Vec<Job>>,
    /// What waits for a decision in it now. `None`: not read.
    pub gates: Option<Vec<Gate>>,
}

/// One job of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub id: u64,
    pub attempt: u64,
    pub name: Safe,
    pub phase: RunPhase,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    pub steps: Vec<JobStep>,
    pub url: Option<Safe>,
}

impl Job {
    /// Seconds it took or has taken; never negative (a skipped job can end before it began).
    pub fn seconds(&self, now: Timestamp) -> Option<i64> {
        let started = self.started?;
        let end = match self.phase {
            RunPhase::Ended(_) => self.ended?,
            _ => now,
        };
        Some(end.duration_since(started).as_secs().max(0))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobStep {
    pub number: u64,
    pub name: Safe,
    pub phase: RunPhase,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
}

/// What holds a run back until somebody or something lets it go on: one environment of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The host's id of its environment, which is what an approval names.
    pub environment_id: u64,
    pub environment: Safe,
    /// Who may decide: users and teams by name. Empty: nobody is asked, it waits for a timer or another rule.
    pub reviewers: Vec<Safe>,
    /// Whether this token's user may. `None`: not told.
    pub may_decide: Option<bool>,
    /// Minutes of a timer that has to pass as well, and when it began.
    pub timer_minutes: u64,
    pub timer_started: Option<Timestamp>,
    /// Names of the jobs that wait in the run: an approval releases all of those that wait for this environment.
    pub waiting_jobs: Vec<Safe>,
    /// Since when it waits, as far as that is told.
    pub since: Option<Timestamp>,
    /// When the host gives up waiting and fails the job.
    pub deadline: Option<Timestamp>,
}

impl Gate {
    pub fn waits_for_human(&self) -> bool {
        !self.reviewers.is_empty()
    }
}

/// The identity of a gate as it was on the screen. Everything in it is compared again before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GateId {
    pub run: RunId,
    pub attempt: u64,
    pub environment_id: u64,
    pub environment: Safe,
    pub commit: Commit,
}

/// `acme/checkout/30433642/1/prod-eu/9f3c1e2…`: repository, run, attempt, environment and commit, as the command line
/// prints it and takes it back. An environment with a slash is percent-encoded.
impl std::fmt::Display for GateId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}/{}/{}/{}",
            self.run,
            self.attempt,
            percent(&self.environment),
            self.commit
        )
    }
}

impl Serialize for GateId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a person can write down of a gate: all but the environment's number, which only the host knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateName {
    pub run: RunId,
    pub attempt: u64,
    pub environment: String,
    pub commit: Commit,
}

impl GateName {
    /// Reads what [`GateId`] prints. The error says which part is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        const FORM: &str =
            "an id is OWNER/REPOSITORY/RUN/ATTEMPT/ENVIRONMENT/COMMIT, as windlass inbox prints it";
        let parts: Vec<&str> = text.split('/').collect();
        let [owner, name, run, attempt, environment, commit] = parts.as_slice() else {
            return Err(FORM.to_owned());
        };
        let number = |what: &str, text: &str| {
            text.parse::<u64>()
                .map_err(|_| format!("the {what} {text:?} is not a number: {FORM}"))
        };
        Ok(Self {
            run: RunId {
                repository: Repository::new(&format!("{owner}/{name}"))
                    .ok_or_else(|| format!("{owner}/{name} is not a repository: {FORM}"))?,
                number: number("run", run)?,
            },
            attempt: number("attempt", attempt)?,
            environment: unpercent(environment).ok_or_else(|| {
                format!("the environment {environment:?} is not readable: {FORM}")
            })?,
            commit: Commit::new(commit)
                .ok_or_else(|| format!("the commit {commit:?} is not a whole commit id: {FORM}"))?,
        })
    }
}

/// Encodes for one segment of a path.
pub fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn unpercent(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

/// Where one deployment stands: the word of its newest status.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DeploymentState {
    Success,
    InProgress,
    Queued,
    Pending,
    Waiting,
    Failure,
    Error,
    Inactive,
    Unknown(Safe),
}

/// What runs in one of the host's environments, by time of success and not by time of creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployedTo {
    pub environment: Safe,
    pub live: Option<Deployed>,
    /// Not ended yet.
    pub incoming: Option<Deployed>,
    /// Failed after `live` succeeded: what runs is probably mixed.
    pub failed_since: Option<Deployed>,
    /// The last one that succeeded was taken down again.
    pub taken_down: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    pub id: u64,
    pub commit: Commit,
    pub reference: Option<Safe>,
    pub state: DeploymentState,
    /// When its newest status was written.
    pub at: Option<Timestamp>,
    pub by: Option<Safe>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub commit: Commit,
    pub title: Safe,
    pub author: Option<Safe>,
    pub at: Option<Timestamp>,
}

/// The commits between two versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    pub from: Commit,
    pub to: Commit,
    /// Newest first; may be fewer than `total`.
    pub commits: Vec<Change>,
    pub total: u64,
    /// Commits that are in `from` and not in `to`: it goes back, or the two have grown apart.
    pub behind: u64,
}

/// Everything told of one repository, told anew as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryFacts {
    pub repository: Repository,
    /// When it was read: every fact in it is so old.
    pub read_at: Timestamp,
    /// Newest first: the last runs of the workflow, and every run that waits at a gate.
    pub runs: Vec<std::sync::Arc<Run>>,
    pub deployed: Vec<DeployedTo>,
    pub missing: Missing,
}

/// What could not be read of a repository, in words, each a part and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Of its runs, their jobs and gates: a gate that waits may be among it.
    pub runs: Vec<Safe>,
    /// Of where its versions are deployed, which hides no gate.
    pub deployments: Vec<Safe>,
}

impl Missing {
    pub fn all(&self) -> impl Iterator<Item = &Safe> {
        self.runs.iter().chain(&self.deployments)
    }
}

/// One run, read for a decision: its current attempt with jobs and gates, and who decided what so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRead {
    pub run: Run,
    /// Newest first.
    pub reviews: Vec<Review>,
    pub read_at: Timestamp,
}

/// What somebody said at a gate. The host does not tell in which attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    pub state: ReviewState,
    /// Ids and names.
    pub environments: Vec<(u64, Safe)>,
    pub user: Option<Safe>,
    pub comment: Safe,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReviewState {
    Approved,
    Rejected,
    Unknown(Safe),
}

/// How much may still be asked of a host with one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// `None`: the host sets no limit.
    pub limit: Option<u64>,
    pub remaining: Option<u64>,
    pub resets: Option<Timestamp>,
    /// Until when nothing is asked, because the host said so.
    pub held_until: Option<Timestamp>,
    /// Requests since the start, and how many of them cost nothing (not modified).
    pub asked: u64,
    pub unchanged: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::text::sanitise;

    fn commit() -> Commit {
        Commit::new("9F3C1E2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").expect("40 digits")
    }

    #[test]
    fn a_gate_is_read_back_as_it_was_printed() {
        let gate = GateId {
            run: RunId {
                repository: Repository::new("Acme/Checkout").expect("a repository"),
                number: 30_433_642_000,
            },
            attempt: 2,
            environment_id: 7,
            environment: sanitise("prod eu/west"),
            commit: commit(),
        };
        let text = gate.to_string();
        assert!(
            text.starts_with("acme/checkout/30433642000/2/prod%20eu%2Fwest/9f3c1e2"),
            "{text}"
        );
        let name = GateName::parse(&text).expect("readable");
        assert_eq!(name.run, gate.run);
        assert_eq!(name.attempt, 2);
        assert_eq!(name.environment, "prod eu/west");
        assert_eq!(name.commit, gate.commit);
    }

    #[test]
    fn a_wrong_id_is_answered_with_what_is_wrong() {
        let why = |text: &str| GateName::parse(text).expect_err("wrong");
        assert!(why("acme/checkout").contains("OWNER/REPOSITORY"));
        assert!(why(&format!("acme/checkout/x/1/prod/{}", commit())).contains("run \"x\""));
        assert!(why("acme/checkout/1/1/prod/9f3c1e2").contains("not a whole commit"));
        assert!(why(&format!("../checkout/1/1/prod/{}", commit())).contains("not a repository"));
    }

    #[test]
    fn a_repository_is_a_safe_part_of_a_path() {
        for bad in [
            "acme", "acme/", "/x", "a/b/c", "a/..", "a b/c", "a/b?c", "a/%2e",
        ] {
            assert_eq!(Repository::new(bad), None, "{bad}");
        }
        assert_eq!(
            Repository::new("Acme/x.y-z_1").expect("good").as_str(),
            "acme/x.y-z_1"
        );
    }

    #[test]
    fn only_success_is_a_pass() {
        let all = [
            Conclusion::Failure,
            Conclusion::Cancelled,
            Conclusion::Skipped,
            Conclusion::Neutral,
            Conclusion::TimedOut,
            Conclusion::ActionRequired,
            Conclusion::Stale,
            Conclusion::StartupFailure,
            Conclusion::Unknown(sanitise("new")),
        ];
        assert!(
            all.into_iter()
                .all(|conclusion| !RunPhase::Ended(conclusion).is_success())
        );
        assert!(RunPhase::Ended(Conclusion::Success).is_success());
    }
}
