//! The wallboard: one page at a time, large, with the age of what it shows, and loud where a source fails. Draws what
//! `app::wall` says and nothing that a key could do.

mod letters;
mod list;
mod overview;
mod release;

use ratatui::{Frame, buffer::Buffer, layout::Rect};

use super::{
    ink::{Ink, bold, inverse},
    pane,
    strip::Strip,
    theme::Theme,
    words::{age, source_mark, source_words},
};
use crate::{
    app::{
        state::{Environment, State},
        wall::{Page, Wall},
    },
    model::{
        source::{SourceHealth, SourceState},
        text::width,
    },
};

/// Sources that fail and have a line of their own.
const FAILING: usize = 3;

/// Draws the page that is shown.
pub fn draw(wall: &Wall, theme: &Theme, frame: &mut Frame<'_>) {
    let area = frame.area();
    let ink = Ink::of(theme);
    let buf = frame.buffer_mut();
    buf.set_style(area, ink.base);
    if area.height == 0 {
        return;
    }
    header(wall, area, buf, &ink);
    let mut top = 1;
    if area.height >= 20 {
        pane::rule(buf, area, 1, &ink);
        top = 2;
    }
    top += failing(&wall.state, below(area, top), buf, &ink);
    let page = inset(below(area, top));
    match &wall.page {
        Page::Overview => overview::draw(wall, page, buf, &ink),
        Page::Broken => list::broken(wall, page, buf, &ink),
        Page::Waits => list::waits(wall, page, buf, &ink),
        Page::Moving => list::moving(wall, page, buf, &ink),
        Page::Release(id) => release::draw(wall, id, page, buf, &ink),
    }
    theme.symbols().apply(buf);
}

/// What is left of an area under its first lines.
fn below(area: Rect, lines: u16) -> Rect {
    let lines = lines.min(area.height);
    Rect {
        y: area.y + lines,
        height: area.height - lines,
        ..area
    }
}

/// Air at the sides and above, where there is enough of it.
fn inset(area: Rect) -> Rect {
    let sides = if area.width >= 60 { 3 } else { 1 };
    let above = u16::from(area.height >= 16);
    let area = below(area, above);
    Rect {
        x: area.x + sides.min(area.width),
        width: area.width.saturating_sub(2 * sides),
        ..area
    }
}

/// That this is a wallboard, which page, how old its data are, and the time.
fn header(wall: &Wall, area: Rect, buf: &mut Buffer, ink: &Ink) {
    let state = &wall.state;
    let mut line = Strip::new(buf, area, 0);
    line.ground(ink.head).gap(1);
    let counts = &state.board.counts;
    if area.width < 20 {
        let (mark, style) = overview::worst(wall, ink);
        line.put(mark, bold(style));
        return;
    }
    if state.session.demo {
        line.put(" DEMO ", inverse(ink.accent)).gap(1);
    }
    if state.session.clock {
        let now = state.now.to_zoned(state.session.zone.clone());
        let format = if area.width >= 100 {
            "%H:%M:%S "
        } else {
            "%H:%M "
        };
        line.right(&now.strftime(format).to_string(), bold(ink.text));
    }
    let (words, style) = data_age(state, ink);
    line.right(&words, style);
    let pages = wall.pages();
    if let Some(at) = pages.iter().position(|page| *page == wall.page)
        && area.width >= 60
    {
        line.right(&format!("page {} of {}", at + 1, pages.len()), ink.dim);
    }
    let insecure = state
        .environments
        .values()
        .find(|environment| environment.insecure);
    if let Some(environment) = insecure {
        line.put(
            &format!("insecure TLS to {}", environment.name),
            bold(ink.bad),
        )
        .gap(2);
    }
    if counts.broken > 0 {
        line.put(&format!("{} broken", counts.broken), bold(ink.bad))
            .gap(2);
    }
    if counts.needs_you > 0 {
        let verb = if counts.needs_you == 1 {
            "waits"
        } else {
            "wait"
        };
        line.put(&format!("{} {verb}", counts.needs_you), bold(ink.waiting))
            .gap(2);
    }
    if area.width >= 100 {
        line.put("wall: looks only, q leaves", ink.dim);
    }
}

/// How old the oldest of what is watched is, or that nothing was heard.
fn data_age(state: &State, ink: &Ink) -> (String, ratatui::style::Style) {
    let environments = || state.environments.values();
    let heard: Option<Vec<_>> = environments()
        .map(|environment| environment.health.heard)
        .collect();
    let live = environments().all(Environment::is_fresh);
    match heard.and_then(|heard| heard.into_iter().min()) {
        None => ("nothing heard yet".to_owned(), bold(ink.waiting)),
        Some(oldest) if live => (format!("data {} old", age(state, oldest)), ink.dim),
        Some(oldest) => (format!("DATA {} OLD", age(state, oldest)), inverse(ink.bad)),
    }
}

/// A line right across the screen for each source that fails. Answers how many lines that were.
fn failing(state: &State, area: Rect, buf: &mut Buffer, ink: &Ink) -> u16 {
    let clusters = state
        .environments
        .values()
        .map(|environment| (environment.name.to_string(), &environment.health));
    let others = state
        .beside
        .sources
        .values()
        .map(|source| (source.id.to_string(), &source.health));
    let failing: Vec<(String, &SourceHealth)> = clusters
        .chain(others)
        .filter(|(_, health)| {
            !matches!(health.state, SourceState::Live | SourceState::Connecting)
                || (health.state == SourceState::Connecting && health.heard.is_some())
        })
        .collect();
    let room = if area.height >= 12 {
        FAILING
    } else {
        usize::from(area.height.min(1))
    };
    let mut y = 0;
    for (nth, (name, health)) in failing.iter().take(room).enumerate() {
        let style = inverse(ink.source(health.state));
        let mut line = Strip::new(buf, area, y);
        line.ground(style).gap(1);
        let mut words = format!(
            "{} {} {}",
            source_mark(health.state),
            name.to_uppercase(),
            source_words(state, health)
        );
        if let Some(heard) = health.heard {
            words.push_str(&format!(
                "; what is shown of it is {} old",
                age(state, heard)
            ));
        }
        let more = failing.len().saturating_sub(room);
        if more > 0 && nth + 1 == room {
            let more = format!("+{more} more ");
            if width(&more) * 3 < usize::from(area.width) {
                line.right(&more, style);
            }
        }
        line.put(&words, style);
        y += 1;
    }
    y
}
