//! The first lines of every screen: who you are, what you may touch, what hurts, and whether what is shown may be
//! believed. They are never covered.

use jiff::Timestamp;
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    ink::{Ink, bold, inverse},
    pane,
    strip::Strip,
    words::source_mark,
};
use crate::{
    app::{
        layout, mouse,
        state::{Environment, State, View},
    },
    model::{
        release::duration_words,
        source::{Answer, Need, SourceHealth, SourceState},
        text::width,
    },
    ops::guard::Arming,
};

pub(super) fn draw(state: &State, area: Rect, buf: &mut Buffer, ink: &Ink) {
    if area.height == 0 {
        return;
    }
    first_line(state, area, buf, ink);
    if layout::board(area.width, area.height).tabs {
        tabs(state, area, buf, ink);
        pane::rule(buf, area, 2, ink);
    }
}

/// Something at the right end of the first line.
struct Badge {
    mark: &'static str,
    text: String,
    mark_style: Style,
    style: Style,
    /// Where there is no room, the highest goes first.
    rank: u8,
}

impl Badge {
    fn new(text: String, style: Style, rank: u8) -> Self {
        Self {
            mark: "",
            text,
            mark_style: style,
            style,
            rank,
        }
    }

    fn cells(&self) -> usize {
        let mark = if self.mark.is_empty() {
            0
        } else {
            width(self.mark) + 1
        };
        mark + width(&self.text)
    }
}

fn first_line(state: &State, area: Rect, buf: &mut Buffer, ink: &Ink) {
    let wide = area.width >= 100;
    Strip::new(buf, area, 0).ground(ink.head);
    let gap: u16 = if wide { 3 } else { 2 };
    let mut badges = badges(state, area.width, ink);
    let taken = |badges: &[Badge]| -> usize {
        badges
            .iter()
            .map(|badge| badge.cells() + usize::from(gap))
            .sum()
    };
    while let Some((at, badge)) = badges
        .iter()
        .enumerate()
        .max_by_key(|(_, badge)| badge.rank)
    {
        // The name of the environment is worth more than most badges, but not than what must be seen.
        let left = match badge.rank {
            0..=2 => 1,
            _ if wide => 40,
            _ => 12,
        };
        if badges.len() == 1 || taken(&badges) + left <= usize::from(area.width) {
            break;
        }
        badges.remove(at);
    }
    let taken = u16::try_from(taken(&badges)).unwrap_or(u16::MAX);
    let left = Rect {
        width: area.width.saturating_sub(taken),
        ..area
    };
    left_part(state, wide, &mut Strip::new(buf, left, 0), ink);
    let mut line = Strip::new(buf, area, 0);
    line.to(left.width + gap - 1);
    for badge in &badges {
        if !badge.mark.is_empty() {
            line.put(badge.mark, badge.mark_style).gap(1);
        }
        line.put(&badge.text, badge.style).gap(gap);
    }
}

fn left_part(state: &State, wide: bool, line: &mut Strip<'_>, ink: &Ink) {
    line.gap(1);
    if line.left() >= 20 {
        line.put("windlass", bold(ink.accent)).gap(2);
    }
    let Some(environment) = shown_environment(state) else {
        return;
    };
    if wide && let Some(who) = environment.who.as_ref().or_else(|| state.who()) {
        let room = line.left() / 2;
        line.name(&who.name, room, bold(ink.text))
            .put(" @ ", ink.dim);
    }
    let style = if wide { bold(ink.text) } else { ink.text };
    let room = line.left();
    if room >= 4 {
        line.name(environment.name.as_str(), room, style);
    }
    let others = state.environments.len().saturating_sub(1);
    if others > 0 && line.left() >= 4 {
        line.put(" +", ink.dim).put(&others.to_string(), ink.dim);
    }
}

/// The environment of what is selected or open, else the first.
fn shown_environment(state: &State) -> Option<&Environment> {
    let id = match (state.view, &state.open) {
        (View::Release, Some(open)) => Some(&open.id),
        _ => state.board.selected.as_ref(),
    };
    id.and_then(|id| state.environment_of(id))
        .or_else(|| state.environments.values().next())
}

/// In the order on the screen.
fn badges(state: &State, columns: u16, ink: &Ink) -> Vec<Badge> {
    let wide = columns >= 100;
    let mut badges = Vec::with_capacity(8);
    if state.session.demo {
        badges.push(Badge::new(" DEMO ".to_owned(), inverse(ink.accent), 1));
    }
    if let Some(game) = state.session.game {
        let words = format!("game day {}", game.words(state.now));
        badges.push(Badge::new(words, bold(ink.accent), 2));
    }
    if let Some(words) = state.faults.words() {
        badges.push(Badge::new(words, bold(ink.waiting), 2));
    }
    let insecure = state
        .environments
        .values()
        .find(|environment| environment.insecure);
    if let Some(environment) = insecure {
        let text = if wide {
            format!("insecure TLS to {}", environment.name)
        } else {
            "insecure TLS".to_owned()
        };
        badges.push(Badge::new(text, bold(ink.bad), 2));
    }
    if let Some(queue) = &state.queue {
        badges.push(Badge::new(
            format!("{}/{} done", queue.done, queue.of),
            bold(ink.moving),
            5,
        ));
    } else if !state.board.marked.is_empty() {
        let marked = format!("{} marked", state.board.marked.len());
        badges.push(Badge::new(marked, ink.text, 6));
    }
    let counts = &state.board.counts;
    if counts.broken > 0 {
        badges.push(Badge::new(
            format!("{} broken", counts.broken),
            bold(ink.bad),
            3,
        ));
    }
    if counts.needs_you > 0 {
        badges.push(Badge::new(
            wait_words(state, counts.needs_you),
            bold(ink.waiting),
            4,
        ));
    }
    badges.extend(light(state, columns, ink));
    badges.push(write_badge(state, ink));
    if state.session.clock {
        let now = state.now.to_zoned(state.session.zone.clone());
        let format = if wide { "%H:%M:%S" } else { "%H:%M" };
        badges.push(Badge::new(now.strftime(format).to_string(), ink.dim, 9));
    }
    badges
}

/// "For you" is said only to someone who may decide somewhere.
fn wait_words(state: &State, count: usize) -> String {
    let may = state.environments.values().any(|environment| {
        !matches!(environment.arming, Arming::Forbidden { .. })
            && environment.access.values().any(|access| {
                [
                    Need::PatchRolloutsStatus,
                    Need::PatchRollouts,
                    Need::PatchDeployments,
                ]
                .into_iter()
                .any(|need| access.to(need) == Some(&Answer::Allowed))
            })
    });
    let verb = if count == 1 { "waits" } else { "wait" };
    let whom = if may { "for you" } else { "for a human" };
    format!("{count} {verb} {whom}")
}

/// Whether what is shown may be believed: the oldest byte of the sources that tell, or what fails.
fn light(state: &State, columns: u16, ink: &Ink) -> Option<Badge> {
    let healths: Vec<(&str, &SourceHealth)> = state
        .environments
        .values()
        .map(|environment| (environment.name.as_str(), &environment.health))
        .chain(
            state
                .beside
                .sources
                .values()
                .map(|source| (source.id.as_str(), &source.health)),
        )
        .collect();
    let failing = healths
        .iter()
        .filter(|(_, health)| health.state != SourceState::Live);
    let mut worst: Option<(&str, SourceState)> = None;
    let mut fail = 0_usize;
    for (name, health) in failing {
        fail += 1;
        if worst.is_none_or(|(_, worst)| urgency(health.state) > urgency(worst)) {
            worst = Some((name, health.state));
        }
    }
    let (state_of, text) = if let Some((name, failing)) = worst {
        // The mark alone tells that it fails; which word it is, its rows tell.
        let mut text = if columns < 60 {
            name.to_owned()
        } else {
            format!("{name} {}", failing.word())
        };
        if fail > 1 {
            text.push_str(" +");
            text.push_str(&(fail - 1).to_string());
        }
        (failing, text)
    } else {
        // A cluster is watched and heard from all the time; what is asked now and then has its age where it is shown.
        let oldest = state
            .environments
            .values()
            .filter_map(|environment| environment.health.heard)
            .min()?;
        let seconds = state.now.duration_since(oldest).as_secs().max(0);
        let sources = super::words::count(healths.len(), "source");
        (
            SourceState::Live,
            if columns >= 100 {
                format!("{sources}, {seconds} s")
            } else {
                format!("{seconds} s")
            },
        )
    };
    let style = ink.source(state_of);
    Some(Badge {
        mark: source_mark(state_of),
        text,
        mark_style: style,
        style: if state_of.is_live() { ink.dim } else { style },
        rank: if state_of.is_live() { 7 } else { 3 },
    })
}

const fn urgency(state: SourceState) -> u8 {
    match state {
        SourceState::Live => 0,
        SourceState::Connecting | SourceState::NotConfigured => 1,
        SourceState::RateLimited => 2,
        SourceState::Stale => 3,
        SourceState::Malformed => 4,
        SourceState::Forbidden => 5,
        SourceState::Unauthorized => 6,
        SourceState::Unreachable => 7,
    }
}

/// The quiet state is the safe one.
fn write_badge(state: &State, ink: &Ink) -> Badge {
    let armed: Vec<&Environment> = state
        .environments
        .values()
        .filter(|environment| matches!(environment.arming, Arming::Armed { .. }))
        .collect();
    let shown = shown_environment(state);
    let first = armed
        .iter()
        .find(|environment| shown.is_some_and(|shown| shown.name == environment.name))
        .or_else(|| armed.first());
    let Some(environment) = first else {
        return Badge::new("read-only".to_owned(), ink.dim, 8);
    };
    let mut text = format!(" WRITE {}", environment.name);
    if armed.len() > 1 {
        text.push_str(" +");
        text.push_str(&(armed.len() - 1).to_string());
    }
    if let Arming::Armed { until: Some(until) } = environment.arming {
        text.push(' ');
        text.push_str(&left_words(state.now, until));
    }
    text.push(' ');
    Badge::new(text, inverse(ink.waiting), 0)
}

fn left_words(now: Timestamp, until: Timestamp) -> String {
    duration_words(until.duration_since(now).as_secs().max(0))
}

fn tabs(state: &State, area: Rect, buf: &mut Buffer, ink: &Ink) {
    let mut line = Strip::new(buf, area, 1);
    line.gap(2);
    for tab in mouse::tabs(state) {
        let (key_style, name_style) = if tab.view == state.view {
            (bold(ink.accent), bold(ink.text))
        } else {
            (ink.ghost, ink.dim)
        };
        line.to(tab.from);
        if !tab.key.is_empty() {
            line.put(tab.key, key_style).gap(1);
        }
        line.put(tab.name, name_style);
        if let Some(waits) = &tab.waits {
            line.gap(1).put(waits, bold(ink.waiting));
        }
    }
}
