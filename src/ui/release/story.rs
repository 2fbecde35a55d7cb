//! What happened to a release, newest first: what the cluster says, and what this session did. What somebody did with
//! windlass from elsewhere stands out: two people must see each other.

use jiff::Timestamp;
use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    super::{
        ink::{Ink, bold},
        strip::{Beyond, Strip, sheet},
        words,
    },
    Shown,
};
use crate::{
    app::actions::{Line, LineState},
    model::detail::Event,
};

/// Who reports the events that windlass leaves.
const OURS: &str = "windlass";

enum Item<'s> {
    Event(&'s Event),
    Action(&'s Line),
}

pub(super) fn draw(
    shown: &Shown<'_>,
    area: Rect,
    scroll: usize,
    buf: &mut Buffer,
    ink: &Ink,
) -> Beyond {
    let actions = shown
        .state
        .actions
        .lines
        .iter()
        .filter(|line| line.target.release() == Some(&shown.open.id))
        .map(|line| (Some(when(line)), Item::Action(line)));
    let events = shown
        .open
        .events
        .iter()
        .flatten()
        .map(|event| (event.at, Item::Event(event)));
    let mut items: Vec<(Option<Timestamp>, Item<'_>)> = actions.chain(events).collect();
    items.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    sheet(buf, area, scroll, |sheet| {
        let told = shown.is_there("events", shown.open.events.is_some(), sheet, ink);
        if told && items.is_empty() {
            sheet.wrapped(
                0,
                "nothing in the last hour: a cluster keeps its events no longer",
                ink.dim,
            );
        }
        sheet.many(items.len(), |nth, line| {
            if let Some((at, item)) = items.get(nth) {
                one(shown, *at, item, line, ink);
            }
        });
    })
}

const fn when(line: &Line) -> Timestamp {
    match &line.state {
        LineState::UnderWay { .. } => line.began,
        LineState::Over { at, .. } | LineState::Reverted { at, .. } => *at,
    }
}

fn one(shown: &Shown<'_>, at: Option<Timestamp>, item: &Item<'_>, line: &mut Strip<'_>, ink: &Ink) {
    let wide = line.left() >= 60;
    if let Some(at) = at {
        let time = words::clock_time(shown.state, at);
        line.put(&time, ink.ghost);
    }
    line.to(if wide { 14 } else { 9 });
    match item {
        Item::Action(action) => {
            let style = match &action.state {
                LineState::UnderWay { .. } => ink.moving,
                LineState::Over { outcome, .. } => ink.outcome(outcome.kind),
                LineState::Reverted { .. } => ink.bad,
            };
            if wide {
                line.put("you", bold(ink.text)).to(36);
            }
            line.put(&words::whole_words(shown.state, action), bold(style));
        }
        Item::Event(event) => {
            let by_windlass = event.by.starts_with(OURS);
            let style = match (by_windlass, event.warning) {
                (true, _) => bold(ink.text),
                (false, true) => ink.waiting,
                (false, false) => ink.text,
            };
            if wide {
                let by = if by_windlass { bold(ink.text) } else { ink.dim };
                line.name(&event.by, 20, by).to(36);
            }
            if event.warning {
                line.put("▲ ", ink.waiting);
            }
            line.put(&event.message, style);
            if event.count > 1 {
                line.put(&format!("  ×{}", event.count), ink.ghost);
            }
            line.gap(2).put(&event.reason, ink.ghost);
        }
    }
}
