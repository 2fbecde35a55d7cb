//! How many releases are in each group, in numbers as large as fit. A number that nobody told is not zero.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    super::{
        ink::{Ink, bold},
        strip::Strip,
        words::{group_heading, group_mark},
    },
    below,
    letters::{self, Face},
    list,
};
use crate::{app::wall::Wall, model::release::Group};

/// The mark of the worst that there is, for a screen of a few cells.
pub(super) fn worst(wall: &Wall, ink: &Ink) -> (&'static str, Style) {
    let counts = &wall.state.board.counts;
    let worst = Group::ALL.into_iter().find(|group| counts.of(*group) > 0);
    worst.map_or(("?", ink.dim), |group| {
        (group_mark(group), ink.group(group))
    })
}

pub(super) fn draw(wall: &Wall, area: Rect, buf: &mut Buffer, ink: &Ink) {
    let state = &wall.state;
    let known = state
        .environments
        .values()
        .any(|environment| environment.health.heard.is_some());
    let number = |group| {
        if known {
            state.board.counts.of(group).to_string()
        } else {
            "?".to_owned()
        }
    };
    let style = |group| match (known, state.board.counts.of(group)) {
        (true, 0) => ink.ghost,
        (true, _) => bold(ink.group(group)),
        (false, _) => ink.dim,
    };
    let column = area.width / 5;
    if column < 12 || area.height < 8 {
        for (y, group) in (0..).zip(Group::ALL) {
            Strip::new(buf, area, y)
                .put(group_mark(group), style(group))
                .gap(1)
                .put(&format!("{:>4}", number(group)), style(group))
                .gap(1)
                .put(group_heading(group), style(group));
        }
        return;
    }
    // One face for all of them, so that a large number does not look small.
    let room = (column.saturating_sub(2), area.height.saturating_sub(3));
    let faces =
        Group::ALL.map(|group| Face::fitting(&number(group), room, Face::Full, wall.letters));
    let face = [Face::Plain, Face::Quarter, Face::Half, Face::Full]
        .into_iter()
        .find(|face| faces.contains(face))
        .unwrap_or(Face::Plain);
    let (_, high) = face.size("0", wall.letters);
    for (nth, group) in (0..).zip(Group::ALL) {
        let place = Rect {
            x: area.x + nth * column,
            width: column.saturating_sub(1),
            ..area
        };
        letters::write(&number(group), face, wall.letters, place, buf, style(group));
        Strip::new(buf, place, high + 1)
            .put(group_mark(group), style(group))
            .gap(1)
            .put(group_heading(group), style(group));
    }
    list::what_is_next(wall, below(area, high + 4), buf, ink);
}
