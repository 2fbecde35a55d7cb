//! The Board: the rows on the screen and nothing else, so that what a frame costs depends on the height of the screen
//! and not on the size of the fleet.

mod around;
mod columns;
mod detail;
mod empty;
mod row;

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    ink::{Ink, bold},
    strip::Strip,
    words::{self, group_heading, group_mark},
};
use crate::{
    app::{
        layout::{self, BoardLayout},
        state::State,
    },
    model::release::Group,
};
use columns::Columns;
pub(super) use detail::pods_words;
pub(super) use row::{bar, percent};

pub(super) fn draw(state: &State, area: Rect, buf: &mut Buffer, ink: &Ink) {
    let layout = layout::board(area.width, area.height);
    let columns = Columns::new(
        area.width,
        layout.headings,
        state.board.widest,
        &state.beside,
    );
    if state.board.rows().is_empty() {
        nothing(state, &layout, area, buf, ink);
        return;
    }
    if let Some(y) = layout.column_names {
        names(state, &columns, &mut Strip::new(buf, area, y), ink);
    }
    let list = part(area, layout.list, layout.lines);
    rows(state, &layout, &columns, list, area, buf, ink);
    if let Some((top, height)) = layout.detail {
        let area = part(area, top, height);
        detail::draw(state, area, layout.headings, buf, ink);
    }
}

/// Nothing to list: why, over the whole view. A heading without a column below it would say nothing.
fn nothing(state: &State, layout: &BoardLayout, area: Rect, buf: &mut Buffer, ink: &Ink) {
    if let Some(y) = layout.column_names {
        filter(state, Strip::new(buf, area, y).gap(1), ink);
    }
    let end = layout.rule.or(layout.key_bar).unwrap_or(area.height);
    let body = part(area, layout.list, end.saturating_sub(layout.list));
    empty::draw(state, body, buf, ink);
}

fn part(area: Rect, top: u16, height: u16) -> Rect {
    Rect {
        y: area.y + top,
        height,
        ..area
    }
    .intersection(area)
}

fn names(state: &State, columns: &Columns, line: &mut Strip<'_>, ink: &Ink) {
    line.to(columns.service).put("SERVICE", ink.ghost);
    line.to(columns.environment).put("ENV", ink.ghost);
    if let Some(version) = columns.version {
        line.to(version).put("VERSION", ink.ghost);
    }
    let state_name = if columns.version.is_some() {
        "ROLLOUT"
    } else {
        "STATE"
    };
    line.keep_right(1).right("SINCE", ink.ghost);
    for (column, name) in [
        (columns.errors, "ERRORS, CANARY / STABLE"),
        (columns.pipeline, "PIPELINE"),
        (columns.alerts, "ALERTS"),
    ] {
        if let Some((column, cells)) = column {
            let name = if usize::from(cells) < name.len() {
                name.split(',').next().unwrap_or(name)
            } else {
                name
            };
            line.at_column(column, |line| {
                line.put(name, ink.ghost);
            });
        }
    }
    let first = [columns.errors, columns.pipeline, columns.alerts];
    line.to(columns.state).put(state_name, ink.ghost);
    if let Some((first, _)) = first.into_iter().flatten().next() {
        line.until(first.saturating_sub(1));
    }
    filter(state, line, ink);
}

/// What is typed into the filter, and what it leaves.
pub(super) fn filter(state: &State, line: &mut Strip<'_>, ink: &Ink) {
    let board = &state.board;
    if !board.filtering && board.filter.is_empty() {
        return;
    }
    line.gap(3).put("/", bold(ink.accent));
    let room = line.left().saturating_sub(20).max(4);
    line.name(&board.filter, room, bold(ink.text));
    if board.filtering {
        line.put("█", ink.accent);
    }
    let left = format!("  {} of {}", board.counts.shown, board.counts.all);
    line.put(&left, ink.dim);
    let how = if board.filtering {
        "  Enter keeps it, Esc clears it"
    } else {
        "  0 clears it"
    };
    if line.left() as usize > how.len() {
        line.put(how, ink.ghost);
    }
}

fn rows(
    state: &State,
    layout: &BoardLayout,
    columns: &Columns,
    list: Rect,
    area: Rect,
    buf: &mut Buffer,
    ink: &Ink,
) {
    let rows = state.board.rows();
    let top = state.board.top.min(rows.len().saturating_sub(1));
    let mut y = 0;
    let mut shown = 0;
    let mut group = None;
    for row in rows.iter().skip(top) {
        if layout.headings && group != Some(row.group) {
            if group.is_some() {
                y += 1;
            }
            // A heading without a row below it says nothing.
            if y + 1 >= list.height {
                break;
            }
            heading(state, row.group, &mut Strip::new(buf, list, y), ink);
            group = Some(row.group);
            y += 1;
        }
        if y >= list.height {
            break;
        }
        if let Some(release) = state.releases.get(row.slot) {
            row::draw(
                state,
                release,
                row.group,
                columns,
                &mut Strip::new(buf, list, y),
                ink,
            );
        }
        y += 1;
        shown += 1;
    }
    let below = rows.len() - top - shown;
    if let Some(more) = layout.more
        && (top > 0 || below > 0)
    {
        let mut line = Strip::new(buf, area, more);
        line.to(columns.service);
        if top > 0 {
            line.put(&format!("{top} above"), ink.ghost).gap(2);
        }
        if below > 0 {
            line.put(&format!("{below} more"), ink.ghost);
        }
    } else if below == 0 {
        let rest = Rect {
            y: list.y + y,
            height: list.height.saturating_sub(y),
            ..list
        };
        empty::failing(state, rest, columns.service, buf, ink);
    }
}

fn heading(state: &State, group: Group, line: &mut Strip<'_>, ink: &Ink) {
    let style = match group {
        Group::Unknown => bold(ink.dim),
        _ => bold(ink.group(group)),
    };
    line.gap(1).put(group_mark(group), style).gap(1);
    line.put(group_heading(group), style).gap(2);
    let places = state.board.places_of(group);
    let shown = places.len();
    let all = state.board.counts.of(group);
    let count = if state.board.filter.is_empty() || shown == all {
        shown.to_string()
    } else {
        format!("{shown} of {all}")
    };
    line.put(&count, ink.dim);
    match group {
        Group::NeedsYou => {
            let oldest = state
                .board
                .rows()
                .get(places.start)
                .and_then(|row| state.releases.get(row.slot))
                .and_then(|release| state.releases.since(&release.rollout.id));
            if let Some(oldest) = oldest {
                line.put(", oldest ", ink.dim)
                    .put(&words::age(state, oldest), ink.dim);
            }
        }
        Group::Unknown => {
            line.put(", cannot be acted on", ink.dim);
        }
        Group::Quiet => {
            line.put(", newest first", ink.dim);
        }
        Group::Broken | Group::Moving => {}
    }
}
