//! The watch without a network: answers go in, requests and marks come out. The last test plays whole lives of a
//! collection against a model of the server, with every fault between.

use std::collections::BTreeMap;

use super::*;
use crate::{model::text::sanitise, providers::kubernetes::error::Said};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn said(status: u16) -> Said {
    Said {
        status,
        reason: sanitise(""),
        message: sanitise("said"),
    }
}

fn gone() -> Error {
    Error::Gone(said(410))
}

fn lost() -> Error {
    Error::lost("reset by peer")
}

struct Played {
    watch: Watch,
    chance: Chance,
    streams: StreamsLists,
}

fn new() -> Played {
    let streams = StreamsLists::default();
    Played {
        watch: Watch::new(ApiPath::new(&["apis", "x"]), true, streams.clone()),
        chance: Chance::seeded(1),
        streams,
    }
}

/// In sync at version 10 since second 1.
fn in_sync() -> Played {
    let mut played = new();
    assert!(played.watch.opened(secs(1)).begin);
    assert!(played.bookmark(1, "10", true).complete);
    played
}

impl Played {
    fn ask(&mut self, at: u64) -> String {
        self.ask_at(secs(at))
    }

    fn ask_at(&mut self, at: Duration) -> String {
        match self.watch.next(at, &mut self.chance) {
            Ask::Wait { until } => format!("wait {}", until.saturating_sub(at).as_millis()),
            Ask::Page(path) => format!("page {path}"),
            Ask::Stream(path) => format!("stream {path}"),
        }
    }

    fn change(&mut self, at: u64, version: &str) -> Marks {
        let version = Some(version);
        self.watch.line(secs(at), Line::Change { version })
    }

    fn bookmark(&mut self, at: u64, version: &str, initial_events_end: bool) -> Marks {
        let line = Line::Bookmark {
            version,
            initial_events_end,
        };
        self.watch.line(secs(at), line)
    }

    fn fail(&mut self, at: u64, error: &Error) {
        self.watch.failed(secs(at), &mut self.chance, error);
    }

    /// How long it waits now, in milliseconds.
    fn wait(&mut self, at: u64) -> Option<u64> {
        self.ask(at).strip_prefix("wait ")?.parse().ok()
    }

    fn state(&self) -> Option<SourceState> {
        match self.watch.condition() {
            Condition::Failing { state, .. } => Some(*state),
            _ => None,
        }
    }
}

#[test]
fn a_list_is_asked_for_as_a_stream_first() {
    let mut played = new();
    let ask = played.ask(0);
    for part in [
        "stream /apis/x?watch=1",
        "allowWatchBookmarks=true",
        "sendInitialEvents=true",
        "resourceVersionMatch=NotOlderThan",
    ] {
        assert!(ask.contains(part), "{ask}");
    }
    assert!(!ask.contains("resourceVersion="), "{ask}");
    let seconds: u64 = ask
        .split("timeoutSeconds=")
        .nth(1)
        .and_then(|rest| rest.split('&').next()?.parse().ok())
        .expect("seconds");
    assert!((300..=600).contains(&seconds));
}

#[test]
fn the_end_bookmark_completes_the_list_and_is_where_the_watch_resumes() {
    let mut played = new();
    played.watch.opened(secs(1));
    assert_eq!(played.change(1, "7"), Marks::default());
    assert_eq!(*played.watch.condition(), Condition::Connecting);
    assert!(played.bookmark(1, "10", true).complete);
    assert_eq!(*played.watch.condition(), Condition::Live);
    played.watch.ended(secs(400), &mut played.chance);
    assert!(
        played.ask(400).contains("&resourceVersion=10"),
        "no wait, no list"
    );
}

#[test]
fn a_server_that_refuses_streamed_lists_is_asked_for_pages_and_this_is_remembered() {
    for status in [400, 422] {
        let mut played = new();
        played.fail(0, &Error::Invalid(said(status)));
        assert_eq!(played.ask(0), "page /apis/x?limit=500");
        let other = Watch::new(ApiPath::new(&["y"]), false, played.streams.clone());
        let ask = other.next(secs(0), &mut played.chance);
        assert_eq!(ask, Ask::Page(ApiPath::encoded("/y?limit=500")));
    }
}

#[test]
fn a_streamed_list_without_an_end_falls_back_five_seconds_after_its_last_event() {
    let mut played = new();
    played.watch.opened(secs(1));
    played.change(3, "5");
    assert_eq!(played.watch.deadline(), secs(8));
    played.watch.overdue();
    assert_eq!(played.ask(8), "page /apis/x?limit=500");
    let marks = played.watch.page(secs(9), "20", "").expect("page");
    assert!(marks.begin && marks.complete, "what was told is told anew");
    assert!(played.ask(9).contains("resourceVersion=20"));
}

#[test]
fn pages_begin_once_and_complete_once() {
    let mut played = new();
    played.fail(0, &Error::Invalid(said(422)));
    let first = played.watch.page(secs(1), "20", "t o").expect("page");
    assert_eq!((first.begin, first.complete), (true, false));
    assert_eq!(played.ask(1), "page /apis/x?limit=500&continue=t%20o");
    let middle = played.watch.page(secs(1), "20", "u").expect("page");
    assert_eq!((middle.begin, middle.complete), (false, false));
    let last = played.watch.page(secs(1), "20", "").expect("page");
    assert_eq!((last.begin, last.complete), (false, true));
}

#[test]
fn a_continue_token_that_expired_starts_the_list_again() {
    let mut played = new();
    played.fail(0, &Error::Invalid(said(422)));
    played.watch.page(secs(1), "20", "t").expect("page");
    played.fail(700, &gone());
    assert_eq!(played.ask(700), "page /apis/x?limit=500");
    assert!(played.watch.page(secs(701), "30", "").expect("page").begin);
}

#[test]
fn a_list_without_a_version_is_not_an_empty_collection() {
    let mut played = new();
    played.fail(0, &Error::Invalid(said(422)));
    assert!(played.watch.page(secs(1), "", "").is_err());
}

#[test]
fn bookmarks_move_the_version_and_events_do() {
    let mut played = in_sync();
    played.change(2, "12");
    played.bookmark(60, "40", false);
    played.fail(61, &lost());
    let wait = played.wait(61).expect("a wait");
    assert!(wait <= 800);
    assert!(played.ask(62).contains("resourceVersion=40"));
    assert!(!played.ask(62).contains("sendInitialEvents"));
}

#[test]
fn versions_are_opaque_a_smaller_one_is_followed_like_any_other() {
    let mut played = in_sync();
    played.change(2, "9");
    played.fail(3, &lost());
    assert!(played.ask(5).contains("resourceVersion=9"));
}

#[test]
fn versions_inside_of_a_streamed_list_are_never_resumed_from() {
    let mut played = new();
    played.watch.opened(secs(1));
    played.change(1, "7");
    played.fail(2, &lost());
    assert!(played.ask(10).contains("sendInitialEvents=true"));
    assert!(
        played.watch.opened(secs(10)).begin,
        "told anew from its beginning"
    );
}

#[test]
fn a_version_that_is_gone_lists_once_and_at_once() {
    let mut played = in_sync();
    played.watch.opened(secs(400));
    played.fail(400, &gone());
    assert!(played.ask(400).contains("sendInitialEvents=true"));
    assert_eq!(
        *played.watch.condition(),
        Condition::Late,
        "old facts until the list is complete"
    );
}

#[test]
fn a_server_to_which_every_version_is_gone_is_not_asked_for_lists_in_a_row() {
    let mut played = in_sync();
    let mut at = secs(1);
    let mut lists = 0;
    while at < secs(60) {
        let ask = played.ask_at(at);
        if let Some(wait) = ask.strip_prefix("wait ") {
            at += Duration::from_millis(wait.parse().expect("wait"));
            continue;
        }
        played.watch.opened(at);
        if ask.contains("sendInitialEvents") {
            lists += 1;
            let line = Line::Bookmark {
                version: "10",
                initial_events_end: true,
            };
            played.watch.line(at, line);
        } else {
            played.watch.failed(at, &mut played.chance, &gone());
        }
        at += Duration::from_millis(1);
    }
    assert!(lists < 40, "{lists} lists in a minute");
}

#[test]
fn a_quiet_stream_that_lasted_was_a_success() {
    let mut played = in_sync();
    for at in [10, 20, 30, 40] {
        played.watch.opened(secs(at));
        played.fail(at + 6, &lost());
        assert!(played.wait(at + 6).expect("wait") <= 800);
        assert_eq!(*played.watch.condition(), Condition::Late);
    }
}

#[test]
fn failures_back_off_and_success_resets() {
    let mut played = in_sync();
    let mut at = 2;
    for _ in 0..20 {
        played.fail(at, &Error::unreachable("refused"));
        assert!(played.wait(at).expect("wait") <= 30_000);
        at += 31;
    }
    assert_eq!(played.state(), Some(SourceState::Unreachable));
    assert!(played.watch.is_retrying());
    played.watch.opened(secs(at));
    assert_eq!(*played.watch.condition(), Condition::Live);
    played.change(at, "11");
    assert!(!played.watch.is_retrying());
    played.fail(at, &lost());
    assert!(played.wait(at).expect("wait") <= 800);
    assert_eq!(
        *played.watch.condition(),
        Condition::Late,
        "the first break is not an outage yet"
    );
}

#[test]
fn retry_after_is_obeyed() {
    let mut played = in_sync();
    let error = Error::RateLimited {
        said: said(429),
        retry_after: Some(secs(120)),
    };
    played.fail(5, &error);
    assert_eq!(played.state(), Some(SourceState::RateLimited));
    let wait = played.wait(5).expect("a wait");
    assert!((120_000..=120_800).contains(&wait), "{wait}");
    played.watch.hurry();
    assert!(
        played.wait(5).is_some(),
        "somebody else's success is no permission"
    );
}

#[test]
fn a_server_that_is_back_but_not_ready_is_asked_when_it_wants_to_be() {
    let mut played = in_sync();
    for at in 0..12 {
        played.fail(at * 31, &Error::unreachable("refused"));
    }
    let error = Error::RateLimited {
        said: said(429),
        retry_after: Some(secs(1)),
    };
    played.fail(400, &error);
    let wait = played.wait(400).expect("wait");
    assert!((1_000..=2_600).contains(&wait), "{wait}");
}

#[test]
fn somebody_elses_success_ends_the_wait_for_an_unreachable_server() {
    let mut played = in_sync();
    played.fail(5, &Error::unreachable("refused"));
    played.fail(6, &Error::unreachable("refused"));
    assert!(played.wait(6).is_some());
    played.watch.hurry();
    assert!(played.ask(6).starts_with("stream"));
}

#[test]
fn a_silent_watch_is_late_and_opened_again_at_the_last_version() {
    let mut played = in_sync();
    assert_eq!(played.watch.deadline(), secs(76));
    played.watch.overdue();
    assert_eq!(*played.watch.condition(), Condition::Late);
    assert!(played.ask(76).contains("resourceVersion=10"));
    played.watch.opened(secs(76));
    assert_eq!(*played.watch.condition(), Condition::Live);
}

#[test]
fn silence_from_a_version_of_the_future_ends_in_a_list() {
    let mut played = in_sync();
    for at in [76, 151] {
        assert!(played.ask(at).contains("resourceVersion=10"));
        played.watch.opened(secs(at));
        played.watch.overdue();
    }
    assert!(played.ask(226).contains("sendInitialEvents=true"));
}

#[test]
fn a_server_that_never_sends_bookmarks_is_not_listed_for_its_silence() {
    let mut played = new();
    played.fail(0, &Error::Invalid(said(422)));
    played.watch.page(secs(1), "20", "").expect("page");
    for round in 1..10 {
        let at = round * 75;
        assert!(played.ask(at).contains("resourceVersion=20"));
        played.watch.opened(secs(at));
        played.watch.overdue();
    }
}

#[test]
fn a_kind_that_is_not_there_is_asked_for_again_after_five_minutes() {
    let mut played = new();
    played.fail(1, &Error::NotFound(said(404)));
    assert_eq!(*played.watch.condition(), Condition::Absent);
    assert_eq!(played.wait(1), Some(300_000));
    assert!(played.ask(302).contains("sendInitialEvents=true"));
    let mut built_in = Watch::new(ApiPath::new(&["y"]), false, StreamsLists::default());
    built_in.failed(secs(1), &mut played.chance, &Error::NotFound(said(404)));
    let condition = built_in.condition();
    assert!(
        matches!(condition, Condition::Failing { .. }),
        "a proxy's 404 is not an empty cluster"
    );
}

#[test]
fn forbidden_is_asked_again_after_five_minutes() {
    let mut played = new();
    played.fail(1, &Error::Forbidden(said(403)));
    assert_eq!(played.state(), Some(SourceState::Forbidden));
    assert_eq!(played.wait(1), Some(300_000));
}

#[test]
fn what_was_permitted_before_is_asked_again_at_once_when_a_server_has_just_started() {
    let mut played = in_sync();
    for at in (100..).step_by(31).take(10) {
        played.fail(at, &Error::Forbidden(said(403)));
        assert_eq!(played.state(), Some(SourceState::Forbidden));
        assert!(played.wait(at).is_some_and(|wait| wait <= 30_000));
    }
    played.fail(500, &Error::Forbidden(said(403)));
    assert_eq!(played.wait(500), Some(300_000));
}

#[test]
fn a_line_that_cannot_be_read_twice_from_the_same_version_ends_in_a_list() {
    let mut played = in_sync();
    played.fail(2, &Error::malformed("cut"));
    assert!(played.ask(40).contains("resourceVersion=10"));
    played.watch.opened(secs(40));
    played.fail(40, &Error::malformed("cut"));
    assert!(played.ask(80).contains("sendInitialEvents=true"));
}

#[test]
fn a_watch_that_ends_as_soon_as_it_begins_is_not_opened_in_a_circle() {
    let mut played = in_sync();
    let mut at = secs(10);
    let mut opened = 0;
    while at < secs(70) {
        let ask = played.ask_at(at);
        if let Some(wait) = ask.strip_prefix("wait ") {
            at += Duration::from_millis(wait.parse().expect("wait"));
            continue;
        }
        opened += 1;
        played.watch.opened(at);
        played.watch.ended(at, &mut played.chance);
    }
    assert!(opened < 40, "{opened} in a minute");
    assert_eq!(played.state(), Some(SourceState::Unreachable));
}

/// What a server has, what it still remembers, and how often it was asked for everything.
#[derive(Default)]
struct Server {
    version: u64,
    objects: BTreeMap<u64, u64>,
    log: Vec<(u64, u64, bool)>,
    oldest: u64,
    lists: u64,
    gones: u64,
}

impl Server {
    fn churn(&mut self, chance: &mut Chance) {
        for _ in 0..chance.between(0, 4) {
            self.version += 1;
            let name = chance.between(0, 9);
            let deleted = chance.between(0, 2) == 0 && self.objects.remove(&name).is_some();
            if !deleted {
                self.objects.insert(name, self.version);
            }
            self.log.push((self.version, name, deleted));
        }
    }
}

/// What a listener has: as `Fact`'s rules say.
#[derive(Default)]
struct Copy {
    objects: BTreeMap<u64, u64>,
    told: Option<Vec<u64>>,
}

impl Copy {
    fn marks(&mut self, marks: Marks) {
        if marks.begin {
            self.told = Some(Vec::new());
        }
        if marks.complete
            && let Some(told) = self.told.take()
        {
            self.objects.retain(|name, _| told.contains(name));
        }
    }

    fn object(&mut self, name: u64, version: u64, deleted: bool) {
        if deleted {
            self.objects.remove(&name);
            return;
        }
        self.objects.insert(name, version);
        if let Some(told) = &mut self.told {
            told.push(name);
        }
    }
}

fn query(path: &str, key: &str) -> Option<u64> {
    path.split(['?', '&'])
        .find_map(|part| part.strip_prefix(key)?.strip_prefix('='))?
        .parse()
        .ok()
}

/// One life of a collection: a server, a copy, and the watch between them.
struct Life {
    server: Server,
    copy: Copy,
    played: Played,
    chance: Chance,
    at: Duration,
    broken_lists: u64,
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut played = new();
        if seed.is_multiple_of(2) {
            played.streams.no();
            played.watch = Watch::new(ApiPath::new(&["x"]), false, played.streams.clone());
        }
        Self {
            server: Server::default(),
            copy: Copy::default(),
            played,
            chance: Chance::seeded(seed),
            at: secs(1),
            broken_lists: 0,
        }
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.chance.between(1, count) == 1
    }

    fn break_off(&mut self, error: &Error) {
        self.played
            .watch
            .failed(self.at, &mut self.played.chance, error);
    }

    fn bookmark(&mut self, initial_events_end: bool) {
        let version = self.server.version.to_string();
        let line = Line::Bookmark {
            version: &version,
            initial_events_end,
        };
        let marks = self.played.watch.line(self.at, line);
        self.copy.marks(marks);
    }

    fn send(&mut self, name: u64, version: u64, deleted: bool) {
        self.copy.object(name, version, deleted);
        let version = version.to_string();
        let version = Some(version.as_str());
        self.played.watch.line(self.at, Line::Change { version });
    }

    /// One request and its answer, with faults or without.
    fn request(&mut self, faulty: bool) {
        let text = self.played.ask_at(self.at);
        if let Some(wait) = text.strip_prefix("wait ") {
            self.at += Duration::from_millis(wait.parse().expect("wait"));
        } else if text.starts_with("page") {
            self.page();
        } else if let Some(from) = query(&text, "resourceVersion") {
            self.changes(from, faulty);
        } else {
            self.streamed_list(faulty);
        }
    }

    fn page(&mut self) {
        self.server.lists += 1;
        let version = self.server.version.to_string();
        let marks = self.played.watch.page(self.at, &version, "").expect("page");
        self.copy.marks(Marks {
            complete: false,
            ..marks
        });
        for (name, version) in self.server.objects.clone() {
            self.copy.object(name, version, false);
        }
        self.copy.marks(Marks {
            begin: false,
            ..marks
        });
    }

    fn streamed_list(&mut self, faulty: bool) {
        self.server.lists += 1;
        let marks = self.played.watch.opened(self.at);
        self.copy.marks(marks);
        let breaks_after = if faulty && self.one_in(4) {
            3
        } else {
            usize::MAX
        };
        for (name, version) in self.server.objects.clone().into_iter().take(breaks_after) {
            self.send(name, version, false);
        }
        if breaks_after == usize::MAX {
            self.bookmark(true);
        } else {
            self.broken_lists += 1;
            self.break_off(&lost());
        }
    }

    fn changes(&mut self, from: u64, faulty: bool) {
        self.played.watch.opened(self.at);
        if from < self.server.oldest {
            self.server.gones += 1;
            self.break_off(&gone());
            return;
        }
        let since: Vec<_> = self
            .server
            .log
            .iter()
            .filter(|event| event.0 > from)
            .copied()
            .collect();
        let reset_after = if faulty { 3 } else { usize::MAX };
        for (version, name, deleted) in since.iter().take(reset_after).copied() {
            // Every now and then an event comes twice.
            for _ in 0..=self.chance.between(0, 1) {
                self.send(name, version, deleted);
            }
        }
        match self.chance.between(0, 2) {
            _ if since.len() > reset_after => self.break_off(&lost()),
            0 => self
                .played
                .watch
                .ended(self.at + secs(10), &mut self.played.chance),
            1 => {
                self.bookmark(false);
                self.played.watch.overdue();
            }
            _ => self.played.watch.ended(self.at, &mut self.played.chance),
        }
    }
}

#[test]
fn whatever_breaks_the_copy_ends_as_the_server_is_and_lists_are_rare() {
    for seed in 0..300 {
        let mut life = Life::new(seed);
        for _ in 0..400 {
            life.server.churn(&mut life.chance);
            life.at += Duration::from_millis(life.chance.between(1, 20_000));
            if life.one_in(30) {
                life.server.oldest = life.server.version;
            }
            life.request(true);
        }
        // Then the server rests and nothing breaks any more.
        for _ in 0..20 {
            life.at += secs(31);
            life.request(false);
        }
        let server = &life.server;
        assert_eq!(life.copy.objects, server.objects, "seed {seed}");
        assert!(
            server.lists <= server.gones + 1 + life.broken_lists,
            "seed {seed}: {} lists, {} gone, {} broken",
            server.lists,
            server.gones,
            life.broken_lists
        );
    }
}
