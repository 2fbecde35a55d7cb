//! Letters that are read across a room, built of blocks, or of `#` where there are none. Owns the shapes and the choice of
//! the largest that fits. What has no shape here is written as it is, never left out.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::super::strip::Strip;
use crate::{app::wall::Letters, model::text::width};

/// Dots of a letter.
const WIDE: u16 = 5;
const HIGH: u16 = 7;

/// How large letters are drawn, largest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    /// A dot is two cells.
    Full,
    /// A dot is half a cell, one above the other.
    Half,
    /// A dot is a quarter of a cell.
    Quarter,
    /// Letters of the terminal.
    Plain,
}

impl Face {
    const LARGEST_FIRST: [Self; 4] = [Self::Full, Self::Half, Self::Quarter, Self::Plain];

    /// Columns and lines of a text.
    pub(super) fn size(self, text: &str, letters: Letters) -> (u16, u16) {
        let count = u16::try_from(text.chars().count()).unwrap_or(u16::MAX);
        let dots = count.saturating_mul(WIDE + 1).saturating_sub(1);
        match (self, letters) {
            (Self::Full, _) => (dots.saturating_mul(2), HIGH),
            (Self::Half, Letters::Blocks) => (dots, HIGH.div_ceil(2)),
            (Self::Quarter, Letters::Blocks) => (dots.div_ceil(2), HIGH.div_ceil(2)),
            // A dot is a character: as wide as half blocks are, and twice as high.
            (Self::Half, Letters::Ascii) => (dots, HIGH),
            (Self::Quarter, Letters::Ascii) => (u16::MAX, u16::MAX),
            (Self::Plain, _) => (u16::try_from(width(text)).unwrap_or(u16::MAX), 1),
        }
    }

    /// The largest in which a text fits, none larger than `most`.
    pub(super) fn fitting(text: &str, room: (u16, u16), most: Self, letters: Letters) -> Self {
        let known = text.chars().all(|c| dots_of(c).is_some());
        Self::LARGEST_FIRST
            .into_iter()
            .skip_while(|face| *face != most)
            .find(|face| {
                let (columns, lines) = face.size(text, letters);
                known && columns <= room.0 && lines <= room.1
            })
            .unwrap_or(Self::Plain)
    }
}

/// Writes a text at the top left of `area`, and says how many lines that took.
pub(super) fn write(
    text: &str,
    face: Face,
    letters: Letters,
    area: Rect,
    buf: &mut Buffer,
    style: Style,
) -> u16 {
    if face == Face::Plain {
        Strip::new(buf, area, 0).put(text, style);
        return 1;
    }
    let (columns, lines) = face.size(text, letters);
    for y in 0..lines.min(area.height) {
        let mut line = Strip::new(buf, area, y);
        for x in 0..columns {
            line.put(cell(text, face, letters, x, y), style);
        }
    }
    lines
}

/// The character of one cell.
fn cell(text: &str, face: Face, letters: Letters, x: u16, y: u16) -> &'static str {
    let on = |x, y| is_dot(text, x, y);
    let block = if letters == Letters::Blocks {
        "█"
    } else {
        "#"
    };
    match (face, letters) {
        (Face::Full, _) if on(x / 2, y) => block,
        (Face::Half, Letters::Ascii) if on(x, y) => block,
        (Face::Half, Letters::Blocks) => match (on(x, 2 * y), on(x, 2 * y + 1)) {
            (true, true) => "█",
            (true, false) => "▀",
            (false, true) => "▄",
            (false, false) => " ",
        },
        (Face::Quarter, Letters::Blocks) => {
            let quarters = [
                on(2 * x, 2 * y),
                on(2 * x + 1, 2 * y),
                on(2 * x, 2 * y + 1),
                on(2 * x + 1, 2 * y + 1),
            ];
            quarter(quarters)
        }
        _ => " ",
    }
}

/// Upper left, upper right, lower left, lower right.
const fn quarter(on: [bool; 4]) -> &'static str {
    match on {
        [false, false, false, false] => " ",
        [true, false, false, false] => "▘",
        [false, true, false, false] => "▝",
        [true, true, false, false] => "▀",
        [false, false, true, false] => "▖",
        [true, false, true, false] => "▌",
        [false, true, true, false] => "▞",
        [true, true, true, false] => "▛",
        [false, false, false, true] => "▗",
        [true, false, false, true] => "▚",
        [false, true, false, true] => "▐",
        [true, true, false, true] => "▜",
        [false, false, true, true] => "▄",
        [true, false, true, true] => "▙",
        [false, true, true, true] => "▟",
        [true, true, true, true] => "█",
    }
}

fn is_dot(text: &str, x: u16, y: u16) -> bool {
    let column = x % (WIDE + 1);
    column < WIDE
        && text
            .chars()
            .nth(usize::from(x / (WIDE + 1)))
            .and_then(dots_of)
            .and_then(|dots| dots.get(usize::from(y)).copied())
            .is_some_and(|row| row >> (WIDE - 1 - column) & 1 == 1)
}

/// The dots of a character, line by line, the leftmost in the highest bit. Small letters have the shape of capitals.
#[rustfmt::skip]
const fn dots_of(c: char) -> Option<[u8; HIGH as usize]> {
    Some(match c.to_ascii_uppercase() {
        '0' => [0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110],
        '1' => [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
        '2' => [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111],
        '3' => [0b11111, 0b00010, 0b00100, 0b00010, 0b00001, 0b10001, 0b01110],
        '4' => [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
        '5' => [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
        '6' => [0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
        '7' => [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000],
        '8' => [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
        '9' => [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100],
        'A' => [0b01110, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001],
        'B' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10001, 0b10001, 0b11110],
        'C' => [0b01110, 0b10001, 0b10000, 0b10000, 0b10000, 0b10001, 0b01110],
        'D' => [0b11110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b11110],
        'E' => [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b11111],
        'F' => [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b10000],
        'G' => [0b01110, 0b10001, 0b10000, 0b10111, 0b10001, 0b10001, 0b01111],
        'H' => [0b10001, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001],
        'I' => [0b01110, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
        'J' => [0b00111, 0b00010, 0b00010, 0b00010, 0b00010, 0b10010, 0b01100],
        'K' => [0b10001, 0b10010, 0b10100, 0b11000, 0b10100, 0b10010, 0b10001],
        'L' => [0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b11111],
        'M' => [0b10001, 0b11011, 0b10101, 0b10101, 0b10001, 0b10001, 0b10001],
        'N' => [0b10001, 0b11001, 0b11001, 0b10101, 0b10011, 0b10011, 0b10001],
        'O' => [0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
        'P' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10000, 0b10000, 0b10000],
        'Q' => [0b01110, 0b10001, 0b10001, 0b10001, 0b10101, 0b10010, 0b01101],
        'R' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10100, 0b10010, 0b10001],
        'S' => [0b01111, 0b10000, 0b10000, 0b01110, 0b00001, 0b00001, 0b11110],
        'T' => [0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100],
        'U' => [0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
        'V' => [0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01010, 0b00100],
        'W' => [0b10001, 0b10001, 0b10001, 0b10101, 0b10101, 0b11011, 0b10001],
        'X' => [0b10001, 0b10001, 0b01010, 0b00100, 0b01010, 0b10001, 0b10001],
        'Y' => [0b10001, 0b10001, 0b01010, 0b00100, 0b00100, 0b00100, 0b00100],
        'Z' => [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b10000, 0b11111],
        '-' => [0b00000, 0b00000, 0b00000, 0b11111, 0b00000, 0b00000, 0b00000],
        '.' => [0b00000, 0b00000, 0b00000, 0b00000, 0b00000, 0b01100, 0b01100],
        '/' => [0b00001, 0b00001, 0b00010, 0b00100, 0b01000, 0b10000, 0b10000],
        '%' => [0b11001, 0b11001, 0b00010, 0b00100, 0b01000, 0b10011, 0b10011],
        '+' => [0b00000, 0b00100, 0b00100, 0b11111, 0b00100, 0b00100, 0b00000],
        '?' => [0b01110, 0b10001, 0b00001, 0b00110, 0b00100, 0b00000, 0b00100],
        ' ' => [0b00000, 0b00000, 0b00000, 0b00000, 0b00000, 0b00000, 0b00000],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &str, face: Face, letters: Letters) -> Vec<String> {
        let (columns, lines) = face.size(text, letters);
        let area = Rect::new(0, 0, columns, lines);
        let mut buf = Buffer::empty(area);
        write(text, face, letters, area, &mut buf, Style::new());
        (0..lines)
            .map(|y| (0..columns).map(|x| buf[(x, y)].symbol()).collect())
            .collect()
    }

    #[test]
    fn the_largest_that_fits_is_chosen() {
        let fits =
            |columns, lines| Face::fitting("12", (columns, lines), Face::Full, Letters::Blocks);
        assert_eq!(fits(22, 7), Face::Full);
        assert_eq!(fits(21, 7), Face::Half);
        assert_eq!(fits(10, 4), Face::Quarter);
        assert_eq!(fits(5, 4), Face::Plain);
        assert_eq!(fits(0, 0), Face::Plain);
    }

    #[test]
    fn what_has_no_shape_is_written_as_it_is() {
        let face = Face::fitting("café", (200, 50), Face::Full, Letters::Blocks);
        assert_eq!(face, Face::Plain);
    }

    #[test]
    fn every_character_of_a_service_name_has_a_shape() {
        for c in ('a'..='z').chain('0'..='9').chain(['-', '.']) {
            assert!(dots_of(c).is_some(), "{c}");
        }
    }

    #[test]
    fn letters_are_built_of_blocks_or_of_ascii() {
        assert_eq!(
            drawn("1-", Face::Half, Letters::Blocks),
            [" ▄█        ", "  █   ▄▄▄▄▄", "  █        ", " ▀▀▀       "]
        );
        let ascii = drawn("L", Face::Half, Letters::Ascii);
        assert_eq!(ascii.last().map(String::as_str), Some("#####"));
        assert!(ascii.concat().is_ascii());
    }
}
