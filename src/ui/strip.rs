//! Writing text into cells: one line at a time ([`Strip`]), many lines of which only some are on the screen ([`Sheet`]),
//! and text that is broken at its width. Owns clipping; nothing drawn through it leaves its area or panics at any size.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use unicode_segmentation::UnicodeSegmentation;

use super::links::Marks;
use crate::model::{
    address::Address,
    text::{clip, clip_middle, width},
};

/// One line of cells, written from left to right.
#[derive(Debug)]
pub(super) struct Strip<'b> {
    buf: &'b mut Buffer,
    x: u16,
    start: u16,
    end: u16,
    y: u16,
}

fn cells(text: &str) -> u16 {
    u16::try_from(width(text)).unwrap_or(u16::MAX)
}

impl<'b> Strip<'b> {
    /// The line `y` of `area`, counted from its top. Nothing is written where that is outside.
    pub(super) fn new(buf: &'b mut Buffer, area: Rect, y: u16) -> Self {
        let area = area.intersection(buf.area);
        let inside = y < area.height;
        let (start, end) = if inside {
            (area.left(), area.right())
        } else {
            (0, 0)
        };
        Self {
            x: start,
            start,
            end,
            y: area.top().saturating_add(y),
            buf,
        }
    }

    pub(super) const fn left(&self) -> u16 {
        self.end.saturating_sub(self.x)
    }

    pub(super) const fn at(&self) -> u16 {
        self.x.saturating_sub(self.start)
    }

    pub(super) fn buffer(&mut self) -> &mut Buffer {
        self.buf
    }

    /// The ground of the whole line.
    pub(super) fn ground(&mut self, style: Style) -> &mut Self {
        if self.end > self.start {
            let area = Rect::new(self.start, self.y, self.end - self.start, 1);
            self.buf.set_style(area, style);
        }
        self
    }

    /// Writes on from where it stands; what does not fit ends in an ellipsis.
    pub(super) fn put(&mut self, text: &str, style: Style) -> &mut Self {
        let room = self.left();
        self.put_within(text, room, style)
    }

    /// As [`Self::put`], over so many columns at most.
    pub(super) fn put_within(&mut self, text: &str, room: u16, style: Style) -> &mut Self {
        let room = room.min(self.left());
        if room > 0 && !text.is_empty() {
            let text = clip(text, usize::from(room));
            let (x, _) = self
                .buf
                .set_stringn(self.x, self.y, text, usize::from(room), style);
            self.x = x.min(self.end);
        }
        self
    }

    /// What `draw` writes on from where it stands is a link, where there is an address.
    pub(super) fn link(
        &mut self,
        to: Option<&Address>,
        marks: &Marks,
        draw: impl FnOnce(&mut Self),
    ) -> &mut Self {
        let from = self.x;
        draw(self);
        if let Some(address) = to {
            marks.add(self.y, from, self.x, address);
        }
        self
    }

    /// An identity: cut in the middle, so that two that differ at either end never look the same.
    pub(super) fn name(&mut self, text: &str, room: u16, style: Style) -> &mut Self {
        let room = room.min(self.left());
        let cut = clip_middle(text, usize::from(room));
        self.put_within(&cut, room, style)
    }

    pub(super) fn gap(&mut self, columns: u16) -> &mut Self {
        self.x = self.x.saturating_add(columns).min(self.end);
        self
    }

    /// Goes on at this column of the line, if it is not beyond it already.
    pub(super) fn to(&mut self, column: u16) -> &mut Self {
        self.x = self.x.max(self.start.saturating_add(column)).min(self.end);
        self
    }

    /// At the right end. What was written to the left stays: a text that does not fit beside it is not written.
    pub(super) fn right(&mut self, text: &str, style: Style) -> &mut Self {
        let wide = cells(text);
        if wide > 0 && wide < self.left() {
            let x = self.end - wide;
            self.buf
                .set_stringn(x, self.y, text, usize::from(wide), style);
            self.end = x.saturating_sub(1);
        }
        self
    }

    /// Something at a column of its own; what is written next stands where it would have stood without it.
    pub(super) fn at_column(&mut self, column: u16, draw: impl FnOnce(&mut Self)) -> &mut Self {
        let (x, end) = (self.x, self.end);
        self.to(column);
        draw(self);
        (self.x, self.end) = (x, end);
        self
    }

    /// Nothing more is written at this column of the line or beyond it.
    pub(super) fn until(&mut self, column: u16) -> &mut Self {
        self.end = self.end.min(self.start.saturating_add(column)).max(self.x);
        self
    }

    /// Keeps the last columns free of what is written next.
    pub(super) fn keep_right(&mut self, columns: u16) -> &mut Self {
        self.end = self.end.saturating_sub(columns).max(self.x);
        self
    }

    /// The same character over so many cells.
    pub(super) fn fill(&mut self, symbol: &str, columns: u16, style: Style) -> &mut Self {
        let columns = columns.min(self.left());
        for _ in 0..columns {
            if let Some(cell) = self.buf.cell_mut((self.x, self.y)) {
                cell.set_symbol(symbol).set_style(style);
            }
            self.x += 1;
        }
        self
    }
}

/// Lines of which only those on the screen are drawn: the others cost a count.
#[derive(Debug)]
pub(super) struct Sheet<'b> {
    buf: &'b mut Buffer,
    area: Rect,
    skip: usize,
    at: usize,
}

impl Sheet<'_> {
    pub(super) const fn width(&self) -> u16 {
        self.area.width
    }

    fn visible(&self) -> Option<u16> {
        let line = self.at.checked_sub(self.skip)?;
        u16::try_from(line)
            .ok()
            .filter(|line| *line < self.area.height)
    }

    pub(super) fn line(&mut self, draw: impl FnOnce(&mut Strip<'_>)) {
        if let Some(y) = self.visible() {
            draw(&mut Strip::new(self.buf, self.area, y));
        }
        self.at += 1;
    }

    pub(super) fn blank(&mut self) {
        self.at += 1;
    }

    /// Text broken at the width, from `indent` on.
    pub(super) fn wrapped(&mut self, indent: u16, text: &str, style: Style) {
        self.wrapped_lines(indent, text, |part, line| {
            line.put(part, style);
        });
    }

    /// The same, and all of it is one link, where there is an address.
    pub(super) fn wrapped_link(
        &mut self,
        indent: u16,
        text: &str,
        style: Style,
        to: Option<&Address>,
        marks: &Marks,
    ) {
        self.wrapped_lines(indent, text, |part, line| {
            line.link(to, marks, |line| {
                line.put(part, style);
            });
        });
    }

    fn wrapped_lines(&mut self, indent: u16, text: &str, draw: impl Fn(&str, &mut Strip<'_>)) {
        let room = usize::from(self.area.width.saturating_sub(indent).max(1));
        for part in Broken::new(text, room) {
            self.line(|line| draw(part, line.gap(indent)));
        }
    }

    /// A label, and a text beside it that is broken within its own column.
    pub(super) fn labelled(&mut self, label: (&str, Style), column: u16, text: &str, style: Style) {
        let room = usize::from(self.area.width.saturating_sub(column).max(1));
        for (nth, part) in Broken::new(text, room).enumerate() {
            self.line(|line| {
                if nth == 0 {
                    line.put(label.0, label.1);
                }
                line.to(column).put(part, style);
            });
        }
    }

    /// Many lines of one kind, of which only those on the screen are made.
    pub(super) fn many(&mut self, count: usize, mut draw: impl FnMut(usize, &mut Strip<'_>)) {
        let first = self.skip.saturating_sub(self.at).min(count);
        let shown = usize::from(self.area.height);
        let start = self.at;
        for nth in first..count.min(first + shown) {
            self.at = start + nth;
            if let Some(y) = self.visible() {
                draw(nth, &mut Strip::new(self.buf, self.area, y));
            }
        }
        self.at = start + count;
    }
}

/// How much of a sheet lies outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Beyond {
    pub(super) above: usize,
    pub(super) below: usize,
}

/// Draws `content` from line `scroll` on; never so far that the end would leave the bottom.
pub(super) fn sheet(
    buf: &mut Buffer,
    area: Rect,
    scroll: usize,
    content: impl Fn(&mut Sheet<'_>),
) -> Beyond {
    let mut measure = Sheet {
        buf: &mut *buf,
        area: Rect { height: 0, ..area },
        skip: 0,
        at: 0,
    };
    content(&mut measure);
    let total = measure.at;
    let height = usize::from(area.height);
    let skip = scroll.min(total.saturating_sub(height));
    content(&mut Sheet {
        buf,
        area,
        skip,
        at: 0,
    });
    Beyond {
        above: skip,
        below: total.saturating_sub(skip + height),
    }
}

/// How many lines `content` has at this width.
pub(super) fn lines_of(buf: &mut Buffer, columns: u16, content: impl Fn(&mut Sheet<'_>)) -> usize {
    let mut measure = Sheet {
        buf,
        area: Rect::new(0, 0, columns, 0),
        skip: 0,
        at: 0,
    };
    content(&mut measure);
    measure.at
}

/// A text broken into lines: at spaces, and inside a word only where it alone is too long.
#[derive(Clone, Debug)]
pub(super) struct Broken<'t> {
    rest: Option<&'t str>,
    room: usize,
}

impl<'t> Broken<'t> {
    pub(super) const fn new(text: &'t str, room: usize) -> Self {
        Self {
            rest: Some(text),
            room,
        }
    }
}

impl<'t> Iterator for Broken<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let rest = self.rest?;
        if width(rest) <= self.room {
            self.rest = None;
            return Some(rest);
        }
        let mut used = 0;
        let mut space = None;
        let mut end = 0;
        for (at, grapheme) in rest.grapheme_indices(true) {
            used += width(grapheme);
            if grapheme == " " && !before_unit(rest, at) {
                space = Some(at);
            }
            // A first character wider than the room is taken all the same, or it would never end.
            if used > self.room && at > 0 {
                break;
            }
            end = at + grapheme.len();
        }
        let cut = match space {
            Some(space) if space > 0 => space,
            _ => end,
        };
        let (line, rest) = rest.split_at_checked(cut).unwrap_or((rest, ""));
        let rest = rest.trim_start_matches(' ');
        self.rest = (!rest.is_empty()).then_some(rest);
        Some(line)
    }
}

/// `25 %` and `600 s` are one word each.
fn before_unit(text: &str, space: usize) -> bool {
    let (before, after) = text.split_at_checked(space).unwrap_or((text, ""));
    let unit = after.trim_start().split(' ').next().unwrap_or_default();
    before.ends_with(|c: char| c.is_ascii_digit()) && !unit.is_empty() && unit.len() <= 3
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_broken_at_spaces_and_long_words_inside() {
        let broken: Vec<&str> = Broken::new("one two threefourfive six", 7).collect();
        assert_eq!(broken, ["one two", "threefo", "urfive", "six"]);
        assert_eq!(Broken::new("", 5).collect::<Vec<_>>(), [""]);
        let percent: Vec<&str> = Broken::new("analysis at 25 %", 14).collect();
        assert_eq!(percent, ["analysis at", "25 %"]);
        let unit: Vec<&str> = Broken::new("within 600 s", 10).collect();
        assert_eq!(unit, ["within", "600 s"]);
    }

    #[test]
    fn a_sheet_never_scrolls_beyond_its_end() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 4, 3));
        let area = buf.area;
        let content = |sheet: &mut Sheet<'_>| {
            sheet.many(10, |nth, line| {
                line.put(&nth.to_string(), Style::new());
            });
        };
        let beyond = sheet(&mut buf, area, 500, content);
        assert_eq!(beyond, Beyond { above: 7, below: 0 });
        assert_eq!(buf[(0, 0)].symbol(), "7");
    }

    #[test]
    fn only_lines_on_the_screen_are_made() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 4, 3));
        let area = buf.area;
        let made = std::cell::Cell::new(0);
        sheet(&mut buf, area, 5_000, |sheet| {
            sheet.many(10_000, |_, _| made.set(made.get() + 1));
        });
        assert_eq!(made.get(), 3);
    }

    #[test]
    fn a_text_at_the_right_end_never_covers_what_is_on_the_left() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 6, 1));
        let area = buf.area;
        Strip::new(&mut buf, area, 0)
            .put("abcd", Style::new())
            .right("xy", Style::new());
        assert_eq!(buf[(4, 0)].symbol(), " ");
        assert_eq!(buf[(3, 0)].symbol(), "d");
    }

    proptest! {
        #[test]
        fn broken_text_fits_and_loses_no_word(text in "[a-z東 ]{0,60}", room in 2_usize..20) {
            for line in Broken::new(&text, room) {
                prop_assert!(width(line) <= room);
            }
            let all: String = Broken::new(&text, room).collect::<String>().replace(' ', "");
            prop_assert_eq!(all, text.replace(' ', ""));
        }
    }
}
