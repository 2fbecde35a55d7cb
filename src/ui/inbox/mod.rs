//! The Inbox: everything that waits for a human, oldest first: what, where, since when, who may decide, and when the
//! system gives up waiting. Draws the rows on the screen and explains the selected one below; decides nothing.

mod detail;

use jiff::{SignedDuration, Timestamp};
use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    board::percent,
    ink::{Ink, bold},
    pane,
    strip::{Strip, sheet},
    told::{gate_words, release_words},
    words::{self, may_act},
};
use crate::{
    app::{
        beside::{SourceKind, WaitingGate},
        inbox::{Blind, Entry, Waiting},
        layout, names,
        state::State,
    },
    model::{
        moment::Moment,
        release::{Release, duration_words},
        text::width,
    },
};

/// A deadline nearer than this is louder.
const NEAR: SignedDuration = SignedDuration::from_hours(72);

pub(super) fn draw(state: &State, area: Rect, buf: &mut Buffer, ink: &Ink) {
    let (top, height) = layout::body(area.width, area.height);
    let wide = layout::is_wide(area.width, area.height);
    let part = |(top, height)| {
        Rect {
            y: area.y + top,
            height,
            ..area
        }
        .intersection(area)
    };
    if state.inbox.entries.is_empty() {
        nothing(state, part((top, height)), buf, ink);
        return;
    }
    let blind = state.blind();
    let place = state.inbox.place().unwrap_or(0);
    let entries = &state.inbox.entries;
    let layout = layout::inbox(area.width, area.height, place, entries.len(), blind.len());
    let columns = Columns::new(state, area.width);
    if let Some(names) = layout.column_names {
        headings(&columns, &mut Strip::new(buf, part((names, 1)), 0), ink);
    }
    // What is listed is not everything: that is said where the list ends, however long it is.
    let told = part(layout.blind);
    let told = Rect {
        x: told.x + 1.min(told.width),
        width: told.width.saturating_sub(2),
        ..told
    };
    for (y, blind) in (0..told.height).zip(&blind) {
        Strip::new(buf, told, y)
            .put("▲ ", ink.waiting)
            .put("not everything is known: ", ink.dim)
            .put(&blind_words(state, blind), ink.text);
    }
    let list = part((layout.list.top, layout.list.lines));
    sheet(buf, list, layout.list.first, |sheet| {
        sheet.many(entries.len(), |nth, line| {
            if let Some(entry) = entries.get(nth) {
                row(state, entry, &columns, line, ink);
            }
        });
    });
    if let Some(below) = layout.detail {
        detail::draw(state, part(below), wide, buf, ink);
    }
}

/// Nothing waits, or it is not known whether something does.
fn nothing(state: &State, area: Rect, buf: &mut Buffer, ink: &Ink) {
    let indent = if area.width >= 60 { 3 } else { 1 };
    let area = Rect {
        x: area.x + indent.min(area.width),
        y: area.y + 1.min(area.height),
        width: area.width.saturating_sub(2 * indent),
        height: area.height.saturating_sub(1),
    };
    sheet(buf, area, 0, |sheet| {
        let blind = state.blind();
        if blind.is_empty() {
            sheet.wrapped(0, "nothing waits for a human", ink.text);
            if !state.beside.has(SourceKind::GitHub) {
                let words = "only rollouts are looked at: no CI host is configured";
                sheet.wrapped(0, words, ink.ghost);
            }
            return;
        }
        sheet.wrapped(0, "nothing is known to wait for a human", ink.text);
        for blind in &blind {
            let words = blind_words(state, blind);
            sheet.labelled(("▲", ink.waiting), 2, &words, ink.text);
        }
    });
}

fn blind_words(state: &State, blind: &Blind<'_>) -> String {
    let more = |more: usize| match more {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    match *blind {
        Blind::Source { name, health } => {
            format!("{name} {}", words::source_words(state, health))
        }
        Blind::Failing {
            repository,
            state,
            why,
            others,
        } => {
            let (word, more) = (state.word(), more(others));
            format!("{repository} {word}{more}: {}", why.as_str())
        }
        Blind::Missing {
            repository,
            part,
            others,
        } => format!("{repository}{}: {}", more(others), part.as_str()),
        Blind::Unread(1) => "one repository was not read yet".to_owned(),
        Blind::Unread(many) => format!("{many} repositories were not read yet"),
    }
}

/// Where the columns begin.
struct Columns {
    environment: u16,
    since: u16,
    /// Who may decide; elsewhere it is said below.
    who: Option<u16>,
    fails: Option<u16>,
}

impl Columns {
    fn new(state: &State, columns: u16) -> Self {
        let longest = state
            .inbox
            .entries
            .iter()
            .map(|entry| width(entry.environment.as_str()))
            .max()
            .unwrap_or(0);
        let environments = u16::try_from(longest)
            .unwrap_or(16)
            .clamp(3, columns / 6 + 4)
            + 2;
        if columns < 60 {
            let since = columns.saturating_sub(7);
            return Self {
                environment: since.saturating_sub(environments),
                since,
                who: None,
                fails: None,
            };
        }
        let who = if columns >= 140 { 34 } else { 22 };
        let fails = if columns >= 100 { 16 } else { 0 };
        let since = columns.saturating_sub(who + fails + 9);
        Self {
            environment: since.saturating_sub(environments),
            since,
            who: Some(since + 8),
            fails: (fails > 0).then(|| since + 8 + who),
        }
    }
}

fn headings(columns: &Columns, line: &mut Strip<'_>, ink: &Ink) {
    line.to(3).put("WAITS", ink.ghost);
    line.to(columns.environment).put("ENV", ink.ghost);
    line.to(columns.since).put("SINCE", ink.ghost);
    if let Some(who) = columns.who {
        line.to(who).put("FOR", ink.ghost);
    }
    if let Some(fails) = columns.fails {
        line.to(fails).put("UNTIL", ink.ghost);
    }
}

fn row(state: &State, entry: &Entry, columns: &Columns, line: &mut Strip<'_>, ink: &Ink) {
    if state.inbox.selected.as_ref() == Some(&entry.waiting) {
        line.ground(ink.selection).put("▌", ink.accent);
    }
    let marked = match &entry.waiting {
        Waiting::Gate(id) => state.inbox.marked.contains(&**id),
        Waiting::Release(id) => state.board.marked.contains(id),
    };
    line.to(1).put("◆", ink.waiting);
    if marked {
        line.to(2).put("•", bold(ink.accent));
    }
    line.to(3);
    line.at_column(columns.environment, |line| {
        line.until(columns.since - 1.min(columns.since));
        let room = line.left();
        line.name(entry.environment.as_str(), room, ink.dim);
    });
    if let Some(since) = entry.since.map(Moment::time) {
        line.at_column(columns.since, |line| {
            line.put(&words::age(state, since), ink.text);
        });
    }
    deadline(state, entry, columns, line, ink);
    if let Some(who) = columns.who {
        let text = who_may(state, &entry.waiting);
        let style = if text == YOU {
            bold(ink.waiting)
        } else {
            ink.dim
        };
        line.at_column(who, |line| {
            if let Some(fails) = columns.fails {
                line.until(fails - 1);
            }
            line.put(&text, style);
        });
    }
    line.until(columns.environment.saturating_sub(1));
    what(state, &entry.waiting, line, ink);
}

/// When the system gives up waiting: quiet while that is far, loud when it is near.
fn deadline(state: &State, entry: &Entry, columns: &Columns, line: &mut Strip<'_>, ink: &Ink) {
    let Some(deadline) = entry.deadline.map(Moment::time) else {
        return;
    };
    let left = deadline.duration_since(state.now);
    let words = fails_words(state.now, deadline);
    let near = left < NEAR;
    let style = if near { bold(ink.waiting) } else { ink.ghost };
    match columns.fails {
        Some(fails) => {
            line.at_column(fails, |line| {
                line.put(&words, style);
            });
        }
        // Without a column of its own only what is near is worth covering who may decide.
        None if near && columns.who.is_some() => {
            line.keep_right(1).right(&words, style);
        }
        None => {}
    }
}

fn fails_words(now: Timestamp, deadline: Timestamp) -> String {
    let left = deadline.duration_since(now).as_secs();
    if left <= 0 {
        "fails now".to_owned()
    } else {
        format!("fails in {}", duration_words(left))
    }
}

const YOU: &str = "you";

/// Who may decide. "You" is said only where that is known.
fn who_may(state: &State, waiting: &Waiting) -> String {
    match waiting {
        Waiting::Release(id) => {
            let Some(release) = state.releases.find(id) else {
                return String::new();
            };
            if may_act(state.environment_of(id), release) {
                YOU.to_owned()
            } else {
                "a human".to_owned()
            }
        }
        Waiting::Gate(id) => match state.beside.gate(id) {
            Some(gate) if gate.gate.may_decide == Some(true) => YOU.to_owned(),
            Some(gate) => names(&gate.gate.reviewers),
            None => String::new(),
        },
    }
}

fn what(state: &State, waiting: &Waiting, line: &mut Strip<'_>, ink: &Ink) {
    match waiting {
        Waiting::Release(id) => {
            let room = line.left() / 2;
            line.name(id.name.as_str(), room, bold(ink.text)).gap(1);
            if let Some(release) = state.releases.find(id) {
                line.put(&rollout_words(state, release), ink.waiting);
            }
        }
        Waiting::Gate(id) => {
            let run = state.beside.gate(id).map(|gate| &gate.run);
            let number = run.map_or(id.run.number, |run| run.number);
            let tail = format!(" #{number} → {}", &*id.environment);
            let cells = u16::try_from(width(&tail)).unwrap_or(u16::MAX);
            let room = line.left().saturating_sub(cells).max(8);
            let whole = id.run.repository.as_str();
            // Where both have no room, the name says more than its owner.
            let name = match whole.split_once('/') {
                Some((_, name)) if width(whole) > usize::from(room) => name,
                _ => whole,
            };
            let page = run.and_then(|run| run.page());
            line.link(page.as_ref(), &ink.links, |line| {
                line.name(name, room, bold(ink.text));
                line.put(&tail, ink.waiting);
            });
            if let Some(reference) = run.and_then(|run| run.reference.as_ref()) {
                line.gap(2).put(reference, ink.dim);
            }
        }
    }
}

/// `25 %, waits`: who it waits for has a column of its own.
fn rollout_words(state: &State, release: &Release) -> String {
    let words = release_words(state, release);
    let words = words
        .replace("waits for you", "waits")
        .replace("waits for a human", "waits");
    match percent(release) {
        Some(percent) if release.rollout.canary().is_some() => format!("{percent} %, {words}"),
        _ => words,
    }
}

/// What an approval of a gate would release, for those who look at one.
pub(super) fn gate_line(state: &State, gate: &WaitingGate) -> String {
    format!(
        "{} {}",
        &*gate.gate.environment,
        gate_words(state, &gate.gate)
    )
}

pub(super) fn rule(area: Rect, buf: &mut Buffer, ink: &Ink) {
    pane::rule(buf, area, 0, ink);
}
