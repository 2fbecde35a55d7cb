//! The state of the whole screen, as plain data: no handle, closure, future or clock in it. What is drawn depends on
//! this and on nothing else.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::{
    actions::Actions,
    beside::Beside,
    board,
    changed::ChangedBefore,
    dialog::Dialog,
    faults::{FaultsOverlay, InForce},
    inbox::Inbox,
    keymap::Keymap,
    mouse::Clicked,
    queue::Queue,
    release_view,
    releases::Releases,
    tour::Tour,
};
use crate::{
    model::{
        detail::Revision,
        id::{EnvironmentName, IntentId, Namespace, ReleaseId, Uid},
        incident::Matcher,
        job_log::LogLine,
        pipeline::RunId,
        source::{Access, SourceHealth, SourceState, Tier, WATCH_LATE_AFTER, WhoAmI},
        text::{Safe, sanitise},
    },
    ops::{guard::Arming, intent::Verb, subject::GateSubject},
};

/// Everything that the screen shows.
#[derive(Debug)]
pub struct State {
    pub now: Timestamp,
    pub columns: u16,
    pub rows: u16,
    pub session: Session,
    pub environments: BTreeMap<EnvironmentName, Environment>,
    pub releases: Releases,
    pub view: View,
    pub board: board::Board,
    pub open: Option<release_view::OpenRelease>,
    /// Pipelines, metrics and incidents, and what of them is whose.
    pub beside: Beside,
    pub inbox: Inbox,
    /// What waits may be other things than when it was collected.
    pub inbox_is_stale: bool,
    pub audit: AuditView,
    pub sources: SourcesView,
    /// The topmost takes the keys.
    pub overlays: Vec<Overlay>,
    pub actions: Actions,
    /// Several marked releases, decided one after another.
    pub queue: Option<Queue>,
    /// One line at the bottom: what a key did, or why it did nothing.
    pub notice: Option<Notice>,
    /// Releases that ring when they wait, fail or are done.
    pub ringing: HashMap<ReleaseId, Ring>,
    /// What goes wrong on the way to the demo's world.
    pub faults: InForce,
    pub tour: Option<Tour>,
    pub last_key: Option<Timestamp>,
    /// The last row that was clicked, and when: a second click soon after opens it.
    pub clicked: Option<(Clicked, Timestamp)>,
    /// Something that is drawn has changed since the last frame.
    pub dirty: bool,
    pub leaving: bool,
}

/// What this session is.
#[derive(Clone, Debug)]
pub struct Session {
    pub demo: bool,
    /// The demo's scenario is a game.
    pub game: Option<Game>,
    /// Its time passes only with keys.
    pub still: bool,
    /// `--read-only`: nothing can be armed.
    pub read_only: bool,
    /// Minutes without a key after which an armed environment is read-only again.
    pub armed_minutes: i64,
    /// What the keys mean.
    pub keys: Keymap,
    /// Whether a clock is drawn, which costs a wake-up a second.
    pub clock: bool,
    /// The zone that times of day are shown in. Found once at the start: drawing asks the system for nothing.
    pub zone: jiff::tz::TimeZone,
    /// Unique per session, the first part of every intent's id.
    pub id: String,
    pub next_intent: u64,
    /// Intents of earlier sessions that never got an outcome: the first thing shown.
    pub open_intents: Vec<OpenIntent>,
}

/// A game that is played: its clock is the world's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Game {
    pub began: Timestamp,
    pub speed: f64,
}

impl Game {
    /// `03:12`, by the world's clock.
    pub fn words(self, now: Timestamp) -> String {
        let real = now.duration_since(self.began).as_secs_f64().max(0.0);
        // A game that is left alone for a day has been lost already.
        let seconds = jiff::SignedDuration::try_from_secs_f64(real * self.speed)
            .map_or(0, |since| since.as_secs());
        format!("{:02}:{:02}", seconds / 60, seconds % 60)
    }
}

/// An intent without an outcome, found in the audit log at the start.
#[derive(Clone, Debug)]
pub struct OpenIntent {
    pub id: Safe,
    pub at: Option<Timestamp>,
    pub words: Safe,
}

/// One environment: where releases run.
#[derive(Clone, Debug)]
pub struct Environment {
    pub name: EnvironmentName,
    pub context: Safe,
    pub tier: Tier,
    pub arming: Arming,
    pub health: SourceHealth,
    pub who: Option<WhoAmI>,
    pub access: HashMap<Namespace, Access>,
    /// Namespaces whose access was asked for because something waits there.
    pub asked: std::collections::HashSet<Namespace>,
    /// Whether this session has written here.
    pub wrote: bool,
    /// TLS is not verified: said as long as it is so.
    pub insecure: bool,
    /// Where a cluster has no Rollouts CRD.
    pub without_rollouts: bool,
}

/// Why a source is stale that did not say so itself.
const SILENT: &str = "nothing heard for more than 75 s";

impl Environment {
    /// Whether its facts may be believed now.
    pub fn is_fresh(&self) -> bool {
        self.health.state == SourceState::Live
    }

    /// A watch that has been silent too long is not believed, even before its connection says anything. Answers whether
    /// that is news.
    pub(super) fn doubt(&mut self, now: Timestamp) -> bool {
        let health = &mut self.health;
        let is_silent = health
            .heard
            .is_some_and(|heard| now.duration_since(heard) > WATCH_LATE_AFTER);
        if health.state != SourceState::Live || !is_silent {
            return false;
        }
        health.state = SourceState::Stale;
        health.since = now;
        health.detail = sanitise(SILENT);
        true
    }

    /// Its watch said something. One that was only doubted here is believed again: to its source it never stopped (the
    /// machine slept, or its clock jumped), so nobody else will say that it goes on. Answers whether that is news.
    pub(super) fn was_heard(&mut self, at: Timestamp, now: Timestamp) -> bool {
        let health = &mut self.health;
        health.heard = Some(at);
        let is_doubted = health.state == SourceState::Stale && &*health.detail == SILENT;
        if !is_doubted || now.duration_since(at) > WATCH_LATE_AFTER {
            return false;
        }
        health.state = SourceState::Live;
        health.since = now;
        health.detail = sanitise("");
        true
    }
}

/// Which view fills the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    Board,
    Release,
    Inbox,
    Audit,
    Sources,
}

/// What lies over the view.
#[derive(Clone, Debug)]
pub enum Overlay {
    Help {
        scroll: u16,
    },
    Palette {
        typed: String,
        selected: usize,
    },
    Menu {
        target: ReleaseId,
        uid: Uid,
        selected: usize,
    },
    Plan(Box<Dialog>),
    Arm {
        environment: EnvironmentName,
        opened: Timestamp,
        shown: Option<Timestamp>,
    },
    History(HistoryOverlay),
    Logs(LogsOverlay),
    Yaml {
        title: String,
        text: Loading<Vec<Safe>>,
        scroll: usize,
    },
    /// Several gates wait on one release: which one is decided.
    ChooseGate {
        verb: Verb,
        gates: Vec<GateSubject>,
        selected: usize,
    },
    /// What changed before an incident, nearest first.
    Changed(ChangedOverlay),
    /// An alert is to be silenced: which labels, for how long, why.
    Silence(Box<SilenceForm>),
    /// After an emergency: why it was done.
    Reason {
        intent: IntentId,
        title: String,
        typed: String,
    },
    /// Leaving with an action that has no outcome.
    Leaving,
    OpenIntents,
    /// The demo's faults.
    Faults(FaultsOverlay),
}

/// Something asked for that may not have come yet.
#[derive(Clone, Debug)]
pub enum Loading<T> {
    Waiting,
    Here(T),
    Failed(Safe),
}

/// What changed before something broke.
#[derive(Clone, Debug)]
pub struct ChangedOverlay {
    pub title: String,
    pub list: Vec<ChangedBefore>,
    pub selected: usize,
}

/// The form of a silence. Its plan shows what it matches; nothing is sent from here.
#[derive(Clone, Debug)]
pub struct SilenceForm {
    pub environment: EnvironmentName,
    pub title: Safe,
    /// Each label of the alert, and whether it is to match.
    pub labels: Vec<(Matcher, bool)>,
    pub minutes: i64,
    pub comment: String,
    /// Index into the labels, then duration, then comment.
    pub selected: usize,
    /// How many current alerts would be silent: titles.
    pub matches: Vec<Safe>,
}

#[derive(Clone, Debug)]
pub struct HistoryOverlay {
    pub target: ReleaseId,
    pub uid: Uid,
    pub revisions: Loading<Vec<Revision>>,
    pub selected: usize,
    pub reveal: bool,
    /// Whether Enter rolls back to the selected revision (opened by `b`) or does nothing (opened by `h`).
    pub purpose: HistoryPurpose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryPurpose {
    Read,
    ChooseRevision,
}

/// The logs of one pod.
#[derive(Clone, Debug)]
pub struct LogsOverlay {
    pub target: ReleaseId,
    pub pod: Safe,
    pub pods: Vec<(Safe, Box<[Safe]>)>,
    /// Where the logs are those of a run's jobs: the run, and the jobs in the order of `pods`.
    pub jobs: Option<(RunId, Vec<u64>)>,
    pub container: Option<Safe>,
    /// The newest lines, bounded.
    pub lines: std::collections::VecDeque<LogLine>,
    pub dropped: usize,
    pub follow: bool,
    /// Lines up from the end.
    pub up: usize,
    pub state: LogState,
    pub filter: String,
    pub filtering: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogState {
    Connecting,
    /// Kept back by its system for now: why.
    NotYet(Safe),
    Following,
    Ended,
    Failed(Safe),
}

/// How many log lines are kept.
pub const LOG_LINES: usize = 5_000;

#[derive(Clone, Debug)]
pub struct AuditView {
    pub records: Loading<Vec<AuditLine>>,
    pub selected: usize,
    pub verified: Option<Result<Safe, Safe>>,
}

/// One record as a line.
#[derive(Clone, Debug)]
pub struct AuditLine {
    pub at: Safe,
    pub kind: Safe,
    pub intent: Safe,
    pub words: Safe,
    /// The whole record, as JSON lines.
    pub detail: Vec<Safe>,
}

#[derive(Clone, Debug, Default)]
pub struct SourcesView {
    pub selected: usize,
}

#[derive(Clone, Debug)]
pub struct Notice {
    pub words: String,
    pub tone: Tone,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Good,
    Waiting,
    Bad,
}

/// What a release was when ringing was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    pub was: &'static str,
}

impl State {
    /// What is shown before anything was told or pressed.
    pub fn new(
        now: Timestamp,
        (columns, rows): (u16, u16),
        session: Session,
        environments: BTreeMap<EnvironmentName, Environment>,
        beside: Beside,
    ) -> Self {
        Self {
            now,
            columns,
            rows,
            session,
            environments,
            releases: Releases::default(),
            view: View::Board,
            board: board::Board::wanting(None),
            open: None,
            beside,
            inbox: Inbox::default(),
            inbox_is_stale: false,
            audit: AuditView {
                records: Loading::Waiting,
                selected: 0,
                verified: None,
            },
            sources: SourcesView::default(),
            overlays: Vec::new(),
            actions: Actions::default(),
            queue: None,
            notice: None,
            ringing: HashMap::new(),
            faults: InForce::default(),
            tour: None,
            last_key: None,
            clicked: None,
            dirty: true,
            leaving: false,
        }
    }

    /// The environment of a release.
    pub fn environment_of(&self, id: &ReleaseId) -> Option<&Environment> {
        self.environments.get(&id.environment)
    }

    /// Who we are, for the header: the first environment that told.
    pub fn who(&self) -> Option<&WhoAmI> {
        self.environments
            .values()
            .find_map(|environment| environment.who.as_ref())
    }

    /// The release that a verb would be about: the open one, or the selected one.
    pub fn target(&self) -> Option<(ReleaseId, Uid)> {
        match (self.view, &self.open) {
            (View::Release, Some(open)) => Some((open.id.clone(), open.uid.clone())),
            (View::Inbox, _) => self.inbox_target(),
            _ => {
                let id = self.board.selected.clone()?;
                let uid = self.releases.find(&id)?.rollout.uid.clone();
                Some((id, uid))
            }
        }
    }

    /// Before a frame is drawn: puts the rows in order and keeps the selection within it.
    pub fn settle(&mut self) {
        self.arrange();
        let Self {
            board,
            releases,
            columns,
            rows,
            ..
        } = self;
        board.scroll_to_selection(releases, *columns, *rows);
    }

    pub fn say(&mut self, tone: Tone, words: impl Into<String>) {
        self.notice = Some(Notice {
            words: words.into(),
            tone,
            at: self.now,
        });
        self.dirty = true;
    }
}
