//! From a finished ratatui buffer to the fewest bytes that make the terminal show it.
//!
//! Owns the picture of what the terminal shows: cells, their links, pen and cursor. Must not do I/O, must never let a
//! control character of a cell through, whatever put it there (`Cell::set_symbol` filters nothing), and must never leave a
//! link open: not at the end of a frame, and not where the cursor goes to cells that are none of it.
//!
//! Over a slow link bytes are the latency, so: no byte where nothing changed; one pen kept over frames; a short gap is
//! written again where that is cheaper than a move; an empty stretch is erased instead of filled, where the terminal
//! erases with its background colour. Repeating a character (`CSI b`) would save more on rules and bars, and is left out:
//! mosh does not know it and still calls itself xterm.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Size};
use ratatui::style::Color;

use super::erase::Erase;
use super::links::{self, Cells, Link};
use super::motion::{self, Spot};
use super::pen::{Pen, push_number};
use super::shown::{Kind, Shown, is_skipped, kind, looks_alike};
use crate::ui::links::Linked;

/// What holds a frame together: a terminal that knows it shows nothing of a frame before all of it is there.
const SYNC_BEGIN: &[u8] = b"\x1b[?2026h";
const SYNC_END: &[u8] = b"\x1b[?2026l";
/// A frame of no more bytes that only writes into one line goes without: it is one write and one read, and none of its
/// cells is anything in between. A clock costs that much a second.
const AT_ONCE: usize = 64;
const ERASE_TO_EDGE: &[u8] = b"\x1b[K";

/// Written twice rather than jumped over: a move costs at least three bytes and mostly four or five.
const GAP_MAX: u16 = 6;

/// See the module's head.
#[derive(Debug)]
pub(super) struct Encoder {
    erase: Erase,
    size: Size,
    shown: Vec<Shown>,
    /// `None` where the terminal's state is not known: at the start and after somebody else has written.
    pen: Option<Pen>,
    spot: Option<Spot>,
    cursor: Option<Position>,
    /// `None` where the terminal is sent no links.
    links: Option<Cells>,
    /// The link that is open.
    open: Link,
    wipe: bool,
    /// What this frame touches.
    touched: Touched,
    out: Vec<u8>,
}

impl Encoder {
    /// For a terminal whose screen is in any state, with its cursor hidden.
    pub(super) fn new(erase: Erase, links: bool) -> Self {
        Self {
            erase,
            size: Size::ZERO,
            shown: Vec::new(),
            pen: None,
            spot: None,
            cursor: None,
            links: links.then(Cells::default),
            open: None,
            wipe: true,
            touched: Touched::Nothing,
            out: Vec::new(),
        }
    }

    /// Forgets everything about the screen: the next frame is painted in full.
    pub(super) fn forget(&mut self) {
        self.wipe = true;
        self.pen = None;
        self.spot = None;
        self.cursor = None;
    }

    /// Encodes the way from what is shown to `next`, in which these cells are links.
    pub(super) fn paint(&mut self, next: &Buffer, linked: &Linked) {
        self.out.clear();
        self.out.extend_from_slice(SYNC_BEGIN);
        self.touched = Touched::Nothing;
        if let Some(cells) = &mut self.links {
            cells.set(next.area.width, next.area.height, linked);
        }
        if self.wipe || self.size != next.area.as_size() {
            self.start_over(next.area.as_size());
        }
        let columns = usize::from(self.size.width);
        if columns > 0 {
            for (y, row) in (0..self.size.height).zip(next.content.chunks_exact(columns)) {
                self.row(y, row);
            }
        }
    }

    /// Ends a frame with the cursor at `cursor`, or hidden, and gives its bytes: none where nothing changed.
    pub(super) fn finish(&mut self, cursor: Option<Position>) -> &[u8] {
        self.close_unless(None);
        self.place_cursor(cursor);
        let changes = self.out.len() - SYNC_BEGIN.len();
        if changes == 0 || (changes <= AT_ONCE && self.touched != Touched::Much) {
            return self.out.get(SYNC_BEGIN.len()..).unwrap_or_default();
        }
        self.out.extend_from_slice(SYNC_END);
        &self.out
    }

    fn start_over(&mut self, size: Size) {
        self.size = size;
        // Who was here before may have left a link open, in which all of the screen would lie.
        if std::mem::take(&mut self.wipe) && self.links.is_some() {
            self.out.extend_from_slice(links::END);
        }
        self.shown.clear();
        self.shown.resize(
            usize::from(size.width) * usize::from(size.height),
            Shown::BLANK,
        );
        Pen::PLAIN.write(self.pen, &mut self.out);
        self.pen = Some(Pen::PLAIN);
        // A terminal that was resized may have reflowed the screen and moved its cursor.
        self.spot = None;
        self.out.extend_from_slice(b"\x1b[2J");
        self.touched = Touched::Much;
    }

    fn row(&mut self, y: u16, row: &[Cell]) {
        let mut x = 0;
        let mut untouched = true;
        while let Some(cell) = row.get(usize::from(x)) {
            let mut kind = self.unchanged(x, y, cell);
            if kind.is_none() && std::mem::take(&mut untouched) {
                self.erase_ahead(x, y, row);
                kind = self.unchanged(x, y, cell);
            }
            let step = kind.map_or_else(|| self.change(x, y, row), Kind::columns);
            x = x.saturating_add(step.max(1));
        }
    }

    /// What is shown at this cell, where that is what `cell` asks for.
    fn unchanged(&self, x: u16, y: u16, cell: &Cell) -> Option<Kind> {
        if is_skipped(cell) {
            return Some(Kind::Blank);
        }
        let shown = self.at(x, y)?;
        if shown.link != self.link(x, y) {
            return None;
        }
        // Comparing cells is cheaper than measuring characters, and settles nearly all of them.
        if shown.cell == *cell && shown.kind != Kind::Tail {
            return Some(shown.kind);
        }
        let kind = kind(cell, self.size.width - x);
        looks_alike(shown, cell, kind).then_some(kind)
    }

    /// Writes the cell at `x`, and what is cheap to write along with it; answers how many columns that were.
    fn change(&mut self, x: u16, y: u16, row: &[Cell]) -> u16 {
        let Some(cell) = row.get(usize::from(x)) else {
            return 1;
        };
        match kind(cell, self.size.width - x) {
            Kind::Blank | Kind::Tail => self.blanks(x, y, row),
            glyph @ Kind::Glyph(columns) => {
                self.glyph(x, y, cell, glyph);
                columns
            }
        }
    }

    /// Erases the row from its first change on, where putting words on the erased row is cheaper than filling the gaps
    /// between them one by one: a selection that comes or goes changes the background of a whole row.
    fn erase_ahead(&mut self, x: u16, y: u16, row: &[Cell]) {
        let Some(edge) = row.last() else { return };
        let wanted = Pen::of(edge);
        if self.erases(wanted) && self.saved_by_erasing(x, y, row, wanted) > 0 {
            let pen = self.pen.unwrap_or(Pen::PLAIN).for_blank(wanted);
            self.close_unless(None);
            self.go(Spot { x, y }, pen);
            self.set_pen(pen);
            self.out.extend_from_slice(ERASE_TO_EDGE);
            self.touched = Touched::Much;
            let mut empty = Cell::EMPTY;
            empty.bg = wanted.bg;
            for at in x..self.size.width {
                self.show(at, y, &empty, Kind::Blank, None);
            }
        }
    }

    /// A fair guess in bytes; a wrong one costs a few of them and never the picture.
    fn saved_by_erasing(&self, x: u16, y: u16, row: &[Cell], wanted: Pen) -> isize {
        let mut saved = -3;
        let mut empty = 0_isize;
        for (at, cell) in (x..).zip(row.iter().skip(usize::from(x))) {
            let unchanged = self.unchanged(at, y, cell);
            if is_skipped(cell) {
                return -1;
            }
            if kind(cell, self.size.width - at) == Kind::Blank
                && Pen::of(cell).same_on_blanks(wanted)
                && self.link(at, y).is_none()
            {
                empty += isize::from(unchanged.is_none());
                continue;
            }
            saved += saved_in_stretch(empty);
            empty = 0;
            if unchanged.is_some() {
                saved -= 2 + isize::try_from(cell.symbol().len()).unwrap_or(isize::MAX - 2);
            }
        }
        // The stretch at the edge would have been erased in the same way.
        saved + empty.min(3)
    }

    fn erases(&self, wanted: Pen) -> bool {
        wanted.erases() && (self.erase == Erase::Background || wanted.bg == Color::Reset)
    }

    fn glyph(&mut self, x: u16, y: u16, cell: &Cell, kind: Kind) {
        let pen = Pen::of(cell);
        let link = self.link(x, y);
        self.close_unless(link);
        self.go(Spot { x, y }, pen);
        self.set_pen(pen);
        self.open(link);
        self.out.extend_from_slice(cell.symbol().as_bytes());
        let columns = kind.columns();
        self.show(x, y, cell, kind, link);
        for tail in x.saturating_add(1)..x.saturating_add(columns) {
            self.show(tail, y, cell, Kind::Tail, link);
        }
        // Terminals disagree on the width of clusters of several characters: the cursor is placed anew after one, so
        // that a wrong guess spoils one cell and not the rest of the row.
        let one_character = cell.symbol().chars().nth(1).is_none();
        self.spot = one_character.then(|| Spot {
            x: x.saturating_add(columns),
            y,
        });
    }

    /// Writes the empty stretch at `x` and answers how many columns it dealt with.
    fn blanks(&mut self, x: u16, y: u16, row: &[Cell]) -> u16 {
        let Some(first) = row.get(usize::from(x)) else {
            return 1;
        };
        let wanted = Pen::of(first);
        let link = self.link(x, y);
        let stretch = self.stretch(x, y, row, wanted);
        let pen = self.pen.unwrap_or(Pen::PLAIN).for_blank(wanted);
        self.close_unless(link);
        self.go(Spot { x, y }, pen);
        self.set_pen(pen);
        // What is erased is a piece of no link.
        let erasable = self.erases(wanted) && link.is_none();
        let done = if erasable && stretch.to_the_edge && stretch.changed > 3 {
            self.out.extend_from_slice(ERASE_TO_EDGE);
            self.touched = Touched::Much;
            stretch.all
        } else if erasable && self.erase == Erase::Background && stretch.changed > 8 {
            // Erasing leaves the cursor where it is: it pays where count and the move behind it are shorter than spaces.
            self.out.extend_from_slice(b"\x1b[");
            push_number(&mut self.out, stretch.changed);
            self.out.push(b'X');
            self.touched = Touched::Much;
            stretch.changed
        } else {
            self.open(link);
            self.out
                .extend(std::iter::repeat_n(b' ', usize::from(stretch.changed)));
            self.spot = Some(Spot {
                x: x.saturating_add(stretch.changed),
                y,
            });
            stretch.changed
        };
        for (at, cell) in (x..).zip(row.iter().skip(usize::from(x)).take(usize::from(done))) {
            self.show(at, y, cell, Kind::Blank, link);
        }
        done
    }

    fn stretch(&self, x: u16, y: u16, row: &[Cell], wanted: Pen) -> Stretch {
        let mut stretch = Stretch {
            all: 0,
            changed: 0,
            to_the_edge: false,
        };
        let link = self.link(x, y);
        for (at, cell) in (x..).zip(row.iter().skip(usize::from(x))) {
            let room = self.size.width - at;
            if is_skipped(cell)
                || kind(cell, room) != Kind::Blank
                || !Pen::of(cell).same_on_blanks(wanted)
                || self.link(at, y) != link
            {
                return stretch;
            }
            stretch.all += 1;
            if self
                .at(at, y)
                .is_some_and(|shown| shown.link != link || !looks_alike(shown, cell, Kind::Blank))
            {
                stretch.changed = stretch.all;
            }
        }
        stretch.to_the_edge = true;
        stretch
    }

    /// Brings the cursor to `to`, where something is about to be written with `pen`.
    fn go(&mut self, to: Spot, pen: Pen) {
        self.touched = self.touched.and(to.y);
        if self.spot == Some(to) {
            return;
        }
        if let Some(from) = self.spot
            && from.y == to.y
            && (1..=GAP_MAX).contains(&to.x.saturating_sub(from.x))
        {
            let dearest = motion::cost(self.spot, to, self.size.width);
            let pens = [self.pen, Some(pen)];
            if let Some(fitting) = pens.into_iter().flatten().find(|pen| {
                self.gap_cost(from, to, *pen)
                    .is_some_and(|cost| cost <= dearest)
            }) {
                self.set_pen(fitting);
                self.write_gap(from, to);
                self.spot = Some(to);
                return;
            }
        }
        motion::write(self.spot, to, self.size.width, &mut self.out);
        self.spot = Some(to);
    }

    /// The bytes that writing the unchanged cells between two spots again takes, where `pen` and the open link are right
    /// for all of them.
    fn gap_cost(&self, from: Spot, to: Spot, pen: Pen) -> Option<usize> {
        (from.x..to.x).try_fold(0, |cost, x| {
            let shown = self.at(x, from.y)?;
            match shown.kind {
                _ if shown.link != self.open => None,
                Kind::Blank if pen.same_on_blanks(shown.pen()) => Some(cost + 1),
                Kind::Glyph(1)
                    if pen == shown.pen() && shown.cell.symbol().chars().nth(1).is_none() =>
                {
                    Some(cost + shown.cell.symbol().len())
                }
                _ => None,
            }
        })
    }

    fn write_gap(&mut self, from: Spot, to: Spot) {
        for x in from.x..to.x {
            let width = usize::from(self.size.width);
            if let Some(shown) = self.shown.get(usize::from(from.y) * width + usize::from(x)) {
                let text = if shown.kind == Kind::Blank {
                    " "
                } else {
                    shown.cell.symbol()
                };
                self.out.extend_from_slice(text.as_bytes());
            }
        }
    }

    fn set_pen(&mut self, pen: Pen) {
        pen.write(self.pen, &mut self.out);
        self.pen = Some(pen);
    }

    /// What the cell of this frame is a piece of.
    fn link(&self, x: u16, y: u16) -> Link {
        self.links.as_ref()?.at(x, y)
    }

    /// Before the cursor goes to cells of `link`.
    fn close_unless(&mut self, link: Link) {
        if self.open.is_some() && self.open != link {
            self.out.extend_from_slice(links::END);
            self.open = None;
        }
    }

    fn open(&mut self, link: Link) {
        if let (Some(cells), Some(number)) = (&self.links, link)
            && self.open != link
        {
            cells.begin(number, &mut self.out);
            self.open = link;
        }
    }

    fn place_cursor(&mut self, cursor: Option<Position>) {
        let cursor = cursor.map(|Position { x, y }| Position {
            x: x.min(self.size.width.saturating_sub(1)),
            y: y.min(self.size.height.saturating_sub(1)),
        });
        if self.cursor.is_some() != cursor.is_some() {
            self.touched = Touched::Much;
        }
        if let Some(Position { x, y }) = cursor {
            let to = Spot { x, y };
            if self.spot != Some(to) {
                motion::write(self.spot, to, self.size.width, &mut self.out);
                self.spot = Some(to);
            }
        }
        match (self.cursor, cursor) {
            (None, Some(_)) => self.out.extend_from_slice(b"\x1b[?25h"),
            (Some(_), None) => self.out.extend_from_slice(b"\x1b[?25l"),
            (None, None) | (Some(_), Some(_)) => {}
        }
        self.cursor = cursor;
    }

    fn at(&self, x: u16, y: u16) -> Option<&Shown> {
        self.shown
            .get(usize::from(y) * usize::from(self.size.width) + usize::from(x))
    }

    fn show(&mut self, x: u16, y: u16, cell: &Cell, kind: Kind, link: Link) {
        if x >= self.size.width {
            return;
        }
        if let Some(shown) = self
            .shown
            .get_mut(usize::from(y) * usize::from(self.size.width) + usize::from(x))
        {
            shown.cell.clone_from(cell);
            shown.kind = kind;
            shown.link = link;
        }
    }
}

/// How much of the screen a frame touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Touched {
    Nothing,
    /// Cells of this row, each from what it was to what it is to be.
    Row(u16),
    /// Cells of several rows, the cursor, or some that are empty for a moment.
    Much,
}

impl Touched {
    const fn and(self, row: u16) -> Self {
        match self {
            Self::Nothing => Self::Row(row),
            Self::Row(before) if before == row => self,
            Self::Row(_) | Self::Much => Self::Much,
        }
    }
}

/// An empty stretch of a row, in one background.
struct Stretch {
    all: u16,
    /// The columns up to the last one that has to change.
    changed: u16,
    to_the_edge: bool,
}

/// Spaces, or erasing and a move, against the move alone.
const fn saved_in_stretch(columns: isize) -> isize {
    match columns {
        ..=5 => 0,
        6..=8 => columns - 5,
        9.. => 5,
    }
}

#[cfg(test)]
#[path = "encoder_tests.rs"]
mod tests;
