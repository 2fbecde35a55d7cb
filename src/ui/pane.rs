//! Boxes: panes with a title in their border, and dialogs that lie over a view. Owns borders, nothing inside them.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    ink::{Ink, bold},
    strip::{Beyond, Strip},
};
use crate::{app::layout, model::text::width};

/// What stands in a border.
#[derive(Clone, Copy, Debug)]
pub(super) struct Titles<'t> {
    pub(super) left: &'t str,
    /// After the title, quieter.
    pub(super) also: &'t str,
    pub(super) right: &'t str,
}

impl<'t> Titles<'t> {
    pub(super) const fn new(left: &'t str, right: &'t str) -> Self {
        Self {
            left,
            also: "",
            right,
        }
    }
}

/// Draws a box and returns what is inside it, with a column of air on both sides.
pub(super) fn boxed(
    buf: &mut Buffer,
    area: Rect,
    titles: Titles<'_>,
    border: Style,
    ink: &Ink,
) -> Rect {
    let area = area.intersection(buf.area);
    if area.width < 4 || area.height < 3 {
        return area;
    }
    let inner_width = area.width - 2;
    let air = u16::from(airy(buf.area));
    for (y, [left, middle, right]) in [(0, ["┌", "─", "┐"]), (area.height - 1, ["└", "─", "┘"])]
    {
        Strip::new(buf, area, y)
            .fill(left, 1, border)
            .fill(middle, inner_width, border)
            .fill(right, 1, border);
    }
    for y in 1..area.height - 1 {
        Strip::new(buf, area, y)
            .fill("│", 1, border)
            .gap(inner_width)
            .fill("│", 1, border);
    }
    let title = Rect {
        x: area.x + 1 + air,
        width: inner_width.saturating_sub(1 + 2 * air),
        height: 1,
        ..area
    };
    let mut line = Strip::new(buf, title, 0);
    if !titles.right.is_empty()
        && width(titles.left) + width(titles.also) + width(titles.right) + 10
            <= usize::from(inner_width)
    {
        let wide = u16::try_from(width(titles.right)).unwrap_or(0);
        let mut right = Strip::new(
            line.buffer(),
            Rect {
                x: title.right().saturating_sub(wide + 2),
                width: wide + 2,
                ..title
            },
            0,
        );
        right
            .put(" ", ink.dim)
            .put(titles.right, ink.dim)
            .put(" ", ink.dim);
        line.keep_right(wide + 3);
    }
    if !titles.left.is_empty() {
        line.put(" ", ink.text);
        let room = line.left().saturating_sub(1);
        line.name(titles.left, room, bold(ink.text))
            .put(" ", ink.text);
        if !titles.also.is_empty() && line.left() > 4 {
            line.put(titles.also, ink.dim).put(" ", ink.dim);
        }
    }
    Rect {
        x: area.x + 2 + air,
        y: area.y + 1,
        width: (area.width - 4).saturating_sub(2 * air),
        height: area.height - 2,
    }
}

/// Whether there is room for margins.
const fn airy(screen: Rect) -> bool {
    screen.width >= 100 && screen.height >= 30
}

/// A dialog: its own ground, a border, and around both a margin where there is room for it.
pub(super) fn dialog(
    buf: &mut Buffer,
    area: Rect,
    titles: Titles<'_>,
    border: Style,
    ink: &Ink,
) -> Rect {
    let area = area.intersection(buf.area);
    let ground = if airy(buf.area) {
        Rect {
            x: area.x.saturating_sub(1),
            y: area.y.saturating_sub(1),
            width: area.width + 2,
            height: area.height + 2,
        }
        .intersection(buf.area)
    } else {
        area
    };
    ink.links.clear(ground);
    for y in ground.top()..ground.bottom() {
        for x in ground.left()..ground.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
                cell.set_style(ink.base).set_style(ink.head);
            }
        }
    }
    // A wide character that the dialog cut in half must not stay on the screen as a half.
    if ground.x > 0 {
        for y in ground.top()..ground.bottom() {
            if let Some(cell) = buf.cell_mut((ground.x - 1, y))
                && width(cell.symbol()) > 1
            {
                cell.set_symbol(" ");
            }
        }
    }
    if area.width < 24 || area.height < 6 {
        return area;
    }
    boxed(buf, area, titles, border, ink)
}

/// The columns inside a dialog that is so many wide.
pub(super) const fn inside(screen: Rect, columns: u16) -> u16 {
    let taken = if airy(screen) {
        6
    } else if columns < 24 {
        0
    } else {
        4
    };
    columns.saturating_sub(taken)
}

/// Where a dialog of this size lies: a little above the middle, below the header, above the keys.
pub(super) fn place(screen: Rect, columns: u16, rows: u16) -> Rect {
    // The header is drawn over everything: a border below it would be read as half of each.
    let tabs = layout::board(screen.width, screen.height).tabs;
    let head = u16::from(screen.height > 3) + 2 * u16::from(tabs);
    let foot = u16::from(screen.height > 8);
    let room = screen.height.saturating_sub(head + foot);
    let width = columns.min(screen.width);
    let height = rows.min(room);
    let wanted = screen.height / 6;
    let y = wanted.clamp(head, head.max(screen.height.saturating_sub(foot + height)));
    Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + y,
        width,
        height,
    }
}

/// Nearly the whole screen, for what is read at length.
pub(super) fn large(screen: Rect) -> Rect {
    let margin = if screen.width >= 100 { 3 } else { 0 };
    let head = u16::from(screen.height > 3) + 2 * u16::from(screen.height >= 30);
    let foot = u16::from(screen.height > 8) + u16::from(screen.height >= 30);
    Rect {
        x: screen.x + margin,
        y: screen.y + head,
        width: screen.width - 2 * margin,
        height: screen.height.saturating_sub(head + foot),
    }
}

/// Says in the lower border that there is more.
pub(super) fn beyond(buf: &mut Buffer, area: Rect, beyond: Beyond, ink: &Ink) {
    let words = match (beyond.above, beyond.below) {
        (0, 0) => return,
        (0, below) => format!(" {below} more "),
        (above, 0) => format!(" {above} above "),
        (above, below) => format!(" {above} above, {below} more "),
    };
    let Some(y) = area.height.checked_sub(1) else {
        return;
    };
    let line = Rect {
        width: area.width.saturating_sub(1),
        ..area
    };
    Strip::new(buf, line, y).gap(1).right(&words, ink.ghost);
}

/// A horizontal rule.
pub(super) fn rule(buf: &mut Buffer, area: Rect, y: u16, ink: &Ink) {
    Strip::new(buf, area, y).fill("─", area.width, ink.line);
}
