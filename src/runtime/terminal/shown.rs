//! What one cell of the terminal shows, and what a ratatui cell would put there.
//!
//! Owns the reading of a cell: empty, a character of so many columns, or nothing of its own. It is the last door before
//! the terminal, and must never call a symbol with a control character a character.

use ratatui::buffer::{Cell, CellDiffOption};
use unicode_width::UnicodeWidthStr;

use crate::model::text;

use super::links::Link;
use super::pen::Pen;

/// In one cell: a character and eight marks.
pub(super) const CHARACTERS_MAX: usize = 9;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Blank,
    /// A character and the columns it takes.
    Glyph(u16),
    /// A column covered by the character before it, or left undefined when that was overwritten.
    Tail,
}

#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) cell: Cell,
    pub(super) kind: Kind,
    pub(super) link: Link,
}

impl Shown {
    pub(super) const BLANK: Self = Self {
        cell: Cell::EMPTY,
        kind: Kind::Blank,
        link: None,
    };

    pub(super) fn pen(&self) -> Pen {
        Pen::of(&self.cell)
    }
}

impl Kind {
    pub(super) const fn columns(self) -> u16 {
        match self {
            Self::Blank | Self::Tail => 1,
            Self::Glyph(columns) => columns,
        }
    }
}

/// What a cell puts on the screen where `room` columns are left.
pub(super) fn kind(cell: &Cell, room: u16) -> Kind {
    let symbol = cell.symbol();
    if let [byte] = symbol.as_bytes() {
        return if byte.is_ascii_graphic() {
            Kind::Glyph(1)
        } else {
            Kind::Blank
        };
    }
    // The last door before the terminal. Text from outside was made safe long before; this holds for a symbol that
    // somebody put into a cell by hand. A mark without a character (width 0) would change the cell to its left.
    if symbol.chars().any(text::is_forbidden) || symbol.chars().nth(CHARACTERS_MAX).is_some() {
        return Kind::Blank;
    }
    match u16::try_from(symbol.width()) {
        Ok(width) if (1..=room).contains(&width) => Kind::Glyph(width),
        _ => Kind::Blank,
    }
}

pub(super) fn looks_alike(shown: &Shown, cell: &Cell, kind: Kind) -> bool {
    match (shown.kind, kind) {
        (Kind::Blank, Kind::Blank) => shown.pen().same_on_blanks(Pen::of(cell)),
        (Kind::Glyph(_), Kind::Glyph(_)) => {
            shown.pen() == Pen::of(cell) && shown.cell.symbol() == cell.symbol()
        }
        _ => false,
    }
}

pub(super) fn is_skipped(cell: &Cell) -> bool {
    matches!(cell.diff_option, CellDiffOption::Skip)
}
