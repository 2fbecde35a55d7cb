//! How one collection is kept in sync: what to ask next, and what an answer means. Pure: no network, no clock, no
//! waiting; time comes in as what has passed since the source began. [`drive`] does what this says.
//!
//! Rules (Kubernetes API concepts, client-go's Reflector): list by a stream where the server offers it, by pages where
//! not; resume at the last version after any break; list again only when the server says that the version is gone, or
//! when nothing but that can help. Versions are opaque and compared with nothing.

mod chance;
mod drive;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{client::ApiPath, error::Error};
use crate::model::{source::SourceState, text::Safe};

pub use chance::Chance;
pub use drive::{Closed, Gate, Listener, News, Object, Stopped, Watching, drive};

/// Objects a page: small enough for a first row, large enough for ten thousand.
const PAGE: &str = "500";
/// A streamed list whose end has not come this long after its last event will have none: the server does not know how.
const STREAM_END_WITHIN: Duration = Duration::from_secs(5);
/// Even a quiet watch brings a bookmark a minute.
const LATE_AFTER: Duration = Duration::from_secs(75);
/// A stream that ends sooner was no working stream.
const SHORT_LIVED: Duration = Duration::from_secs(5);
/// A kind that is not there, or may not be seen, is asked for again after this.
const ASK_AGAIN: Duration = Duration::from_secs(300);
/// So many refusals in a row of what was permitted before are taken for the server's start rather than for an answer.
const REFUSED_AT_START: u32 = 10;
/// As client-go: the server ends a watch after a time between these, so that they do not all end together.
const STREAM_SECONDS: (u64, u64) = (300, 600);

/// Whether this server lists by streams. Shared by all watches of one server, which therefore find out once.
#[derive(Clone, Debug)]
pub struct StreamsLists(Arc<AtomicBool>);

impl Default for StreamsLists {
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl StreamsLists {
    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn no(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    Wait {
        until: Duration,
    },
    /// One page of a list.
    Page(ApiPath),
    /// A stream of lines.
    Stream(ApiPath),
}

/// What a line of the stream was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// An object, with its version where it could be read.
    Change { version: Option<&'a str> },
    Bookmark {
        version: &'a str,
        initial_events_end: bool,
    },
}

/// What has to be told besides the objects themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Before the objects of this answer: everything is told anew.
    pub begin: bool,
    /// After them: that was everything.
    pub complete: bool,
}

/// How the collection is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Not listed yet, nothing has failed.
    Connecting,
    Live,
    /// Listed before, and not in sync now; nobody has refused anything.
    Late,
    /// The server does not know the kind.
    Absent,
    Failing {
        state: SourceState,
        why: Safe,
        next_try: Duration,
    },
}

#[derive(Clone, Debug)]
enum Phase {
    /// From nothing, as one stream.
    StreamedList,
    /// From nothing or from the middle, page by page.
    Pages { token: Option<String> },
    /// In sync at this version, or about to be again.
    Changes { version: String },
}

/// The state of one watched collection.
#[derive(Clone, Debug)]
pub struct Watch {
    collection: ApiPath,
    /// A server without this kind is an ordinary server (custom resources only).
    may_be_absent: bool,
    streams: StreamsLists,
    phase: Phase,
    condition: Condition,
    wait_until: Option<Duration>,
    attempt: u32,
    /// When the stream was opened, while it is open; and when it was heard last.
    opened: Option<Duration>,
    heard: Duration,
    lines: u64,
    listed_once: bool,
    /// A `Begin` was told and its `Complete` was not.
    listing: bool,
    saw_bookmark: bool,
    silent_streams: u32,
    unreadable_streams: u32,
    listed_at: Duration,
    gone_in_a_row: u32,
}

impl Watch {
    /// The collection at this path (with its selectors), from nothing.
    pub fn new(collection: ApiPath, may_be_absent: bool, streams: StreamsLists) -> Self {
        let phase = first_phase(&streams);
        Self {
            collection,
            may_be_absent,
            streams,
            phase,
            condition: Condition::Connecting,
            wait_until: None,
            attempt: 0,
            opened: None,
            heard: Duration::ZERO,
            lines: 0,
            listed_once: false,
            listing: false,
            saw_bookmark: false,
            silent_streams: 0,
            unreadable_streams: 0,
            listed_at: Duration::ZERO,
            gone_in_a_row: 0,
        }
    }

    /// The changes since a version that is known from elsewhere.
    pub fn since(collection: ApiPath, version: &str, streams: StreamsLists) -> Self {
        let mut watch = Self::new(collection, false, streams);
        watch.phase = Phase::Changes {
            version: version.to_owned(),
        };
        watch.listed_once = true;
        watch
    }

    pub const fn condition(&self) -> &Condition {
        &self.condition
    }

    pub const fn listed_once(&self) -> bool {
        self.listed_once
    }

    /// The last try failed: the next one is a retry, of which a server gets one at a time.
    pub const fn is_retrying(&self) -> bool {
        self.attempt > 0
    }

    pub fn next(&self, now: Duration, chance: &mut Chance) -> Ask {
        if let Some(until) = self.wait_until.filter(|until| *until > now) {
            return Ask::Wait { until };
        }
        let path = self.collection.clone();
        let seconds = chance
            .between(STREAM_SECONDS.0, STREAM_SECONDS.1)
            .to_string();
        let stream = |path: ApiPath| {
            path.query("watch", "1")
                .query("allowWatchBookmarks", "true")
                .query("timeoutSeconds", &seconds)
        };
        match &self.phase {
            Phase::Pages { token: None } => Ask::Page(path.query("limit", PAGE)),
            Phase::Pages { token: Some(token) } => {
                Ask::Page(path.query("limit", PAGE).query("continue", token))
            }
            Phase::StreamedList => Ask::Stream(
                stream(path)
                    .query("sendInitialEvents", "true")
                    .query("resourceVersionMatch", "NotOlderThan"),
            ),
            Phase::Changes { version } => {
                Ask::Stream(stream(path).query("resourceVersion", version))
            }
        }
    }

    /// Somebody else reached the server: no reason to wait any longer.
    pub fn hurry(&mut self) {
        if matches!(&self.condition, Condition::Failing { state, .. } if *state == SourceState::Unreachable)
        {
            self.wait_until = None;
        }
    }

    /// The head of the stream is here: the server takes the version.
    pub fn opened(&mut self, now: Duration) -> Marks {
        self.opened = Some(now);
        self.heard = now;
        self.lines = 0;
        self.wait_until = None;
        match self.phase {
            Phase::StreamedList => self.begin(),
            Phase::Changes { .. } => {
                self.condition = Condition::Live;
                Marks::default()
            }
            Phase::Pages { .. } => Marks::default(),
        }
    }

    /// A page that could be read. `Err`: it is no list of this API.
    pub fn page(&mut self, now: Duration, version: &str, token: &str) -> Result<Marks, Error> {
        // A list always has a version. An answer without one is some other JSON, and would be shown as "nothing there".
        if version.is_empty() {
            return Err(Error::malformed("a list without a resourceVersion"));
        }
        let first = matches!(self.phase, Phase::Pages { token: None });
        self.heard = now;
        self.wait_until = None;
        self.attempt = 0;
        let mut marks = if first || !self.listing {
            self.begin()
        } else {
            Marks::default()
        };
        if token.is_empty() {
            marks.complete = true;
            self.listed(now, version);
        } else {
            self.phase = Phase::Pages {
                token: Some(token.to_owned()),
            };
        }
        Ok(marks)
    }

    /// A line that could be read.
    pub fn line(&mut self, now: Duration, line: Line<'_>) -> Marks {
        self.heard = now;
        self.lines += 1;
        self.attempt = 0;
        self.silent_streams = 0;
        let version = match line {
            Line::Change { version } => version,
            Line::Bookmark {
                version,
                initial_events_end,
            } => {
                self.saw_bookmark = true;
                if initial_events_end && matches!(self.phase, Phase::StreamedList) {
                    self.listed(now, version);
                    return Marks {
                        begin: false,
                        complete: true,
                    };
                }
                Some(version)
            }
        };
        // The versions of a list's own objects lie behind it: none of them may be resumed from.
        if let (Phase::Changes { version: last }, Some(version)) = (&mut self.phase, version)
            && !version.is_empty()
        {
            self.unreadable_streams = 0;
            version.clone_into(last);
        }
        Marks::default()
    }

    /// When the stream that is open is given up if nothing comes.
    pub fn deadline(&self) -> Duration {
        match self.phase {
            Phase::StreamedList => self.heard + STREAM_END_WITHIN,
            Phase::Pages { .. } | Phase::Changes { .. } => self.heard + LATE_AFTER,
        }
    }

    /// Nothing came until the deadline.
    pub fn overdue(&mut self) {
        self.opened = None;
        match self.phase {
            Phase::StreamedList => {
                self.streams.no();
                self.phase = first_phase(&self.streams);
            }
            Phase::Pages { .. } => {}
            Phase::Changes { .. } => {
                self.condition = Condition::Late;
                self.silent_streams += 1;
                // A watch from a version of the future is silent for ever (the server's data were restored from a
                // backup). Where bookmarks are usual, a second silent stream in a row means that.
                if self.silent_streams > 1 && self.saw_bookmark {
                    self.silent_streams = 0;
                    self.list_again();
                }
            }
        }
    }

    /// The server closed the stream after a whole line, which it does every few minutes.
    pub fn ended(&mut self, now: Duration, chance: &mut Chance) {
        let was_short = !self.worked_until(now);
        match self.phase {
            Phase::StreamedList => {
                self.failed(
                    now,
                    chance,
                    &Error::lost("the list ended before it was complete"),
                );
            }
            _ if !was_short => self.opened = None,
            _ if self.lines == 0 && self.attempt > 2 => {
                self.failed(
                    now,
                    chance,
                    &Error::lost("the watch ends as soon as it begins"),
                );
            }
            _ => {
                self.opened = None;
                self.wait_until = Some(now + chance.wait(self.attempt));
                self.attempt += 1;
            }
        }
    }

    /// Whether the stream that is open has been so for long enough to call it a success, even without a line.
    fn worked_until(&mut self, now: Duration) -> bool {
        let worked = self
            .opened
            .is_some_and(|opened| now.saturating_sub(opened) >= SHORT_LIVED);
        if worked {
            self.attempt = 0;
        }
        worked
    }

    /// A request failed, the stream broke, or its last line was an error.
    pub fn failed(&mut self, now: Duration, chance: &mut Chance, error: &Error) {
        self.worked_until(now);
        self.opened = None;
        match error {
            Error::Invalid(said)
                if matches!(said.status, 400 | 422)
                    && matches!(self.phase, Phase::StreamedList) =>
            {
                self.streams.no();
                self.phase = first_phase(&self.streams);
                return;
            }
            Error::Gone(_) => {
                self.list_again();
                // Once is ordinary. A server to which its own fresh list is too old is not asked for lists in a row.
                if now.saturating_sub(self.listed_at) < SHORT_LIVED && self.listed_once {
                    self.wait_until = Some(now + chance.wait(self.gone_in_a_row));
                    self.gone_in_a_row += 1;
                } else {
                    self.wait_until = None;
                    self.gone_in_a_row = 0;
                }
                return;
            }
            Error::NotFound(_) if self.may_be_absent => {
                self.list_again();
                self.condition = Condition::Absent;
                self.wait_until = Some(now + ASK_AGAIN);
                return;
            }
            Error::Malformed { .. } | Error::TooLarge { .. } => {
                self.unreadable_streams += 1;
                // The same line would come again and again from the same version.
                if self.unreadable_streams > 1 {
                    self.list_again();
                }
            }
            _ => {}
        }
        self.fail(now, chance, error);
    }

    fn fail(&mut self, now: Duration, chance: &mut Chance, error: &Error) {
        // A server that is back and asks for a second's patience is not made to wait for as long as it was away.
        if let Condition::Failing { state, .. } = &self.condition
            && *state != error.state()
        {
            self.attempt = 1;
        }
        let wait = match error {
            // A server that has just started denies what it permits until it has read its roles (seen with
            // kube-apiserver 1.35): five minutes of that would look like a permission that was taken away.
            Error::Forbidden(_) if !self.listed_once || self.attempt >= REFUSED_AT_START => {
                ASK_AGAIN
            }
            // The server says when; a little more, so that not all who were told the same come at once.
            _ => match error.retry_after() {
                Some(asked) => asked + chance.wait(self.attempt.min(2)),
                None => chance.wait(self.attempt),
            },
        };
        let next_try = now + wait;
        // A first break of something that worked is mended within a second: late, not yet unreachable.
        let first = self.attempt == 0 && self.condition == Condition::Live;
        self.condition = if first && error.state() == SourceState::Unreachable {
            Condition::Late
        } else {
            Condition::Failing {
                state: error.state(),
                why: error.sentence(),
                next_try,
            }
        };
        self.attempt = self.attempt.saturating_add(1);
        self.wait_until = Some(next_try);
    }

    fn begin(&mut self) -> Marks {
        self.listing = true;
        Marks {
            begin: true,
            complete: false,
        }
    }

    fn listed(&mut self, now: Duration, version: &str) {
        self.listed_at = now;
        self.phase = Phase::Changes {
            version: version.to_owned(),
        };
        self.listing = false;
        self.listed_once = true;
        self.unreadable_streams = 0;
        self.condition = Condition::Live;
    }

    fn list_again(&mut self) {
        self.phase = first_phase(&self.streams);
        self.listing = false;
        if self.condition == Condition::Live {
            self.condition = Condition::Late;
        }
    }
}

fn first_phase(streams: &StreamsLists) -> Phase {
    if streams.get() {
        Phase::StreamedList
    } else {
        Phase::Pages { token: None }
    }
}
