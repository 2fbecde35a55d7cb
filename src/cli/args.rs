//! The command line as types. The names, shapes and exit codes are a promise to scripts: add to them, do not bend them.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::runtime::session::Wanted;

/// Release operations in a terminal: promote, pause and roll back, safely.
#[derive(Debug, Parser)]
#[command(name = "windlass", version, about, long_about = None, max_term_width = 100, disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes: 0 done and observed, 1 internal error, 2 usage or configuration, 3 refused by a guard, 4 confirmation missing, \
5 outcome unknown (do not send again), 6 refused by the system or failed, 7 not found or ambiguous, 8 unreachable, 124 wait ran out of time, 130 interrupted before anything was sent."
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of the screen and of every command that reads a cluster.
#[derive(Clone, Debug, Default, Args)]
pub struct Global {
    /// Kubeconfig context; may be given several times
    #[arg(long, value_name = "CTX", global = true)]
    pub context: Vec<String>,
    /// Namespace; default: every one that may be listed
    #[arg(long, short = 'n', value_name = "NS", global = true)]
    pub namespace: Vec<String>,
    /// Configuration file
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Allow writing: everywhere, or to these environments only
    #[arg(long, value_name = "ENV", num_args = 0..=1, require_equals = true, default_missing_value = "", global = true)]
    pub write: Vec<String>,
    /// Never allow writing in this session
    #[arg(long, conflicts_with = "write", global = true)]
    pub read_only: bool,
    /// Kubeconfig file, before KUBECONFIG and the default place
    #[arg(long, value_name = "FILE", global = true)]
    pub kubeconfig: Option<PathBuf>,
    /// Theme of the screen: dark, light, high-contrast, colour-blind, terminal, or a file
    #[arg(long, value_name = "THEME", global = true)]
    pub theme: Option<String>,
}

impl Global {
    /// In the words of the session, which knows no command line.
    pub fn wanted(&self) -> Wanted {
        Wanted {
            context: self.context.clone(),
            namespace: self.namespace.clone(),
            config: self.config.clone(),
            write: self.write.clone(),
            read_only: self.read_only,
            kubeconfig: self.kubeconfig.clone(),
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// The screen, at one release: ENV/NAMESPACE/SERVICE
    Open { place: String },
    /// The same program over a simulated world; needs no cluster and no configuration
    Demo(DemoArgs),
    /// A screen to be read across a room: pages that turn by themselves, what hurts first; cannot write
    Wall(WallArgs),
    /// What runs where, and how it is
    Status(StatusArgs),
    /// One step further; --full: to the end, skipping pauses and analyses
    Promote {
        #[command(flatten)]
        verb: VerbArgs,
        /// To the end
        #[arg(long)]
        full: bool,
    },
    /// Hold it where it is
    Pause(VerbArgs),
    /// End a pause made by hand, and nothing else
    Resume(VerbArgs),
    /// The last version that served everything does so again, as fast as can be
    Backout(VerbArgs),
    /// The vendor's abort: stable serves everything, the release stays as failed
    Abort(VerbArgs),
    /// An aborted release starts again from its first step
    Retry(VerbArgs),
    /// Back to the stable version, or to a chosen revision
    Rollback {
        #[command(flatten)]
        verb: VerbArgs,
        /// Which revision
        #[arg(long, value_name = "REVISION")]
        to: Option<u64>,
    },
    /// New pods of the same version
    Restart(VerbArgs),
    /// Everything that waits for a human, oldest first: paused rollouts and gates of pipelines
    Inbox {
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Approve a gate of a pipeline; ID as windlass inbox prints it
    Approve(DecideArgs),
    /// Reject a gate of a pipeline: its run fails
    Reject(DecideArgs),
    /// Silence the alerts that match, for a while; or end a silence
    Silence(SilenceArgs),
    /// Revisions: number, images, commit, when, stable or not, what differs from now
    History(TargetArgs),
    /// Wait until a release is in a state
    Wait(WaitArgs),
    /// What is reachable, who we are, what we may do
    Doctor {
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// What helps to find a mistake, without secrets, in one file to read and send
    Report(ReportArgs),
    /// What was done, by this program on this machine
    #[command(subcommand)]
    Audit(AuditCommand),
    /// The configuration file
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Completions for a shell
    Completions { shell: clap_complete::Shell },
    /// The manual page
    Man,
}

/// How long a page stays: `15s`, `1m`, `500ms` is refused.
fn page_stays(text: &str) -> Result<Duration, String> {
    let wanted = || format!("{text:?} is no duration from 1s to 24h, like 15s or 1m");
    let span: jiff::SignedDuration = text.trim().parse().map_err(|_| wanted())?;
    let most = jiff::SignedDuration::from_hours(24);
    if span < jiff::SignedDuration::from_secs(1) || span > most {
        return Err(wanted());
    }
    Duration::try_from(span).map_err(|_| wanted())
}

#[derive(Clone, Debug, Args)]
pub struct WallArgs {
    /// How long a page stays; what hurts stays twice as long
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = page_stays)]
    pub every: Duration,
    /// Large letters of # instead of blocks; without a UTF-8 locale they always are
    #[arg(long)]
    pub ascii: bool,
}

#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// The wallboard instead of the screen
    #[arg(long)]
    pub wall: bool,
    /// With --wall: how long a page stays
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = page_stays, requires = "wall")]
    pub every: Duration,
    /// Which world: a name, a file, or list to see which there are
    #[arg(long, value_name = "NAME", default_value = "morning")]
    pub scenario: String,
    /// So many quiet services more
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub services: usize,
    /// The same seed makes the same world
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How fast its time goes
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    pub speed: f64,
    /// Its time stands still: each key lets a second pass, > lets ten. The same seed and keys give the same screens
    #[arg(long, conflicts_with_all = ["serve", "wall"])]
    pub still: bool,
    /// What goes wrong on the way, as 503, latency:300 or lost-answer:1@github; --help tells which there are
    #[arg(long, value_name = "KIND", long_help = FAULTS)]
    pub fault: Vec<String>,
    /// Without a screen, for other programs: writes a kubeconfig and a configuration, says where everything is, and keeps
    /// the world until Ctrl-C
    #[arg(long)]
    pub serve: bool,
    /// The first of five ports in a row: Kubernetes, GitHub, Prometheus, Alertmanager, GitHub's logs
    #[arg(long, value_name = "N", requires = "serve", value_parser = clap::value_parser!(u16).range(1..=65531))]
    pub port: Option<u16>,
    /// With a guided tour: what to press next, and why
    #[arg(long, conflicts_with_all = ["wall", "serve"])]
    pub tour: bool,
    /// The score of a game as JSON
    #[arg(long)]
    pub json: bool,
    /// Write every request that arrives at the world into this file, one JSON object a line
    #[arg(long, value_name = "FILE", hide = true)]
    pub requests: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub struct ReportArgs {
    /// Where to; default: windlass-report-DATE-TIME.txt here. Never over a file that is there
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Other names for environments, namespaces, services, people and hosts: name-1, name-2, ...
    #[arg(long)]
    pub anonymous: bool,
}

#[derive(Clone, Debug, Args)]
pub struct StatusArgs {
    /// [kind/][namespace/]name
    pub service: Option<String>,
    /// Environment
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    /// One JSON object; with --watch one a line
    #[arg(long)]
    pub json: bool,
    /// Go on, and print each change
    #[arg(long)]
    pub watch: bool,
}

#[derive(Clone, Debug, Args)]
pub struct TargetArgs {
    /// [kind/][namespace/]name
    pub service: String,
    /// Environment; needed only where more than one fits
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Debug, Args)]
pub struct VerbArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// Print the plan, send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Confirm
    #[arg(long)]
    pub yes: bool,
    /// The typed text, where the ceremony asks for it: ENV, or ENV/SERVICE
    #[arg(long, value_name = "TEXT")]
    pub confirm: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Refuse when the release is at another revision
    #[arg(long, value_name = "N")]
    pub expect_revision: Option<u64>,
    /// Refuse when the release is another version
    #[arg(long, value_name = "HASH")]
    pub expect_hash: Option<String>,
    /// Return once the system has accepted it
    #[arg(long)]
    pub no_wait: bool,
    /// How long to wait for the effect
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<i64>,
    /// Stay afterwards, to see whether something reverts it
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub watch_after: Option<i64>,
}

/// How an action that is not about a rollout is confirmed and waited for.
#[derive(Clone, Debug, Args)]
pub struct ActArgs {
    /// One JSON object
    #[arg(long)]
    pub json: bool,
    /// Print the plan, send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Confirm
    #[arg(long)]
    pub yes: bool,
    /// The typed text, where the ceremony asks for it: ENV, or ENV/NAME
    #[arg(long, value_name = "TEXT")]
    pub confirm: Option<String>,
    /// Why; at a gate it is the comment of the review
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Return once the system has accepted it
    #[arg(long)]
    pub no_wait: bool,
    /// How long to wait for the effect
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<i64>,
}

#[derive(Clone, Debug, Args)]
pub struct DecideArgs {
    /// OWNER/REPOSITORY/RUN/ATTEMPT/ENVIRONMENT/COMMIT; any difference to what waits refuses
    pub id: String,
    #[command(flatten)]
    pub act: ActArgs,
}

#[derive(Clone, Debug, Args)]
pub struct SilenceArgs {
    /// LABEL=VALUE; all of them must match
    pub matchers: Vec<String>,
    /// Environment; needed only where more than one has an alert manager
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    /// For how long
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, default_value = "1h")]
    pub duration: i64,
    /// Why: kept with the silence
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
    /// End this silence instead
    #[arg(long, value_name = "ID")]
    pub expire: Option<String>,
    #[command(flatten)]
    pub act: ActArgs,
}

#[derive(Clone, Debug, Args)]
pub struct WaitArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// healthy, paused, degraded, step=N or gone
    #[arg(long = "for", value_name = "STATE", value_parser = wait_for)]
    pub state: WaitState,
    /// How long
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10m")]
    pub timeout: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitState {
    Healthy,
    Paused,
    Degraded,
    Step(i32),
    Gone,
}

#[derive(Clone, Debug, Subcommand)]
pub enum AuditCommand {
    /// Every record, oldest first
    List {
        #[arg(long)]
        json: bool,
    },
    /// Every record of one intent
    Show { id: String },
    /// Whether the chain of records is whole
    Verify,
    /// For other tools
    Export {
        /// As comma-separated values
        #[arg(long, conflicts_with = "json")]
        csv: bool,
        /// As JSON lines (the default)
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Writes a first one from what is found: contexts, ingresses, logins, the repository one stands in
    Init {
        /// Only show it
        #[arg(long)]
        print: bool,
    },
    /// Every mistake in it, with its line
    Check,
    /// One with every key, commented
    Sample,
    /// Its JSON schema
    Schema,
    /// Where it is looked for
    Path,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

/// What `--fault` takes.
const FAULTS: &str = "\
What goes wrong on the way; may be given several times. A kind, then perhaps how often, then perhaps where:
KIND[:COUNT][@WHERE]

  latency:MS      every answer is late by so many milliseconds
  429             too many requests, come again in a second
  500, 502, 503, 504
                  the server fails, or a proxy before it does
  truncate        the answer ends in the middle of its JSON
  conflict        somebody else changes the object just before the patch (kubernetes)
  gone            watches and continue tokens have expired (kubernetes)
  lost-answer     the write is done, and the connection ends without an answer
  unauthorized    401, whoever asks
  forbidden       writes are refused with 403
  hang            the request is taken and never answered
  rate-limit      the hour's requests are used up (github)
  secondary       too much at once (github)
  clock:SECONDS   the server's clock is ahead, or behind: clock:+300, clock:-90

WHERE is a server (kubernetes, github, prometheus, alertmanager), a kind of request (get, watch, patch, post), or both: \
lost-answer:1@github+post. Faults that begin and end in time are written into a scenario.";

/// `90`, `90s`, `10m`, `1h`: seconds.
pub fn duration(text: &str) -> Result<i64, String> {
    let wrong = || format!("{text:?} is not a duration; write 90s, 10m or 1h");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.strip_prefix(digits).unwrap_or_default();
    let number: i64 = digits.parse().map_err(|_| wrong())?;
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    number
        .checked_mul(factor)
        .filter(|seconds| *seconds >= 0)
        .ok_or_else(wrong)
}

fn wait_for(text: &str) -> Result<WaitState, String> {
    match text {
        "healthy" => Ok(WaitState::Healthy),
        "paused" => Ok(WaitState::Paused),
        "degraded" => Ok(WaitState::Degraded),
        "gone" => Ok(WaitState::Gone),
        _ => text
            .strip_prefix("step=")
            .and_then(|number| number.parse().ok())
            .map(WaitState::Step)
            .ok_or_else(|| {
                format!(
                    "{text:?} is not a state; valid are healthy, paused, degraded, step=N, gone"
                )
            }),
    }
}
