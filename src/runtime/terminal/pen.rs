//! The pen: the colours and attributes that the terminal applies to what is written next.
//!
//! Owns the shortest SGR sequence from one pen to another. Must not choose or change a colour: mapping by colour depth
//! is the theme's. Underline colour is left out on purpose: terminals that do not know SGR 58 read its parameters as
//! attributes of their own (`58;2;…` as dim).

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// Attributes that show on an empty cell.
const ON_BLANKS: Modifier = Modifier::REVERSED
    .union(Modifier::UNDERLINED)
    .union(Modifier::CROSSED_OUT);

/// Each attribute with the code that switches it on and the one that switches it off. Bold and dim share the latter,
/// and so do the two kinds of blinking.
const ATTRIBUTES: [(Modifier, u8, u8); 9] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::RAPID_BLINK, 6, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::HIDDEN, 8, 28),
    (Modifier::CROSSED_OUT, 9, 29),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pen {
    pub(super) fg: Color,
    pub(super) bg: Color,
    pub(super) modifier: Modifier,
}

impl Pen {
    pub(super) const PLAIN: Self = Self {
        fg: Color::Reset,
        bg: Color::Reset,
        modifier: Modifier::empty(),
    };

    pub(super) const fn of(cell: &Cell) -> Self {
        Self {
            fg: cell.fg,
            bg: cell.bg,
            modifier: cell.modifier,
        }
    }

    /// Whether an empty cell of this pen looks like one of `other`.
    pub(super) fn same_on_blanks(self, other: Self) -> bool {
        let (ours, theirs) = (
            self.modifier.intersection(ON_BLANKS),
            other.modifier.intersection(ON_BLANKS),
        );
        self.bg == other.bg && ours == theirs && (ours.is_empty() || self.fg == other.fg)
    }

    /// Whether an empty cell of this pen is its background and nothing else, which is what erasing leaves.
    pub(super) const fn erases(self) -> bool {
        !self.modifier.intersects(ON_BLANKS)
    }

    /// The pen nearest to this one that draws the empty cells of `blank` right: what does not show on them stays.
    pub(super) const fn for_blank(self, blank: Self) -> Self {
        if !blank.erases() {
            return blank;
        }
        Self {
            fg: self.fg,
            bg: blank.bg,
            modifier: self.modifier.difference(ON_BLANKS),
        }
    }

    /// Writes the shorter of two ways to get here: the differences, or a reset and everything anew. With no pen known
    /// before, only the latter is right.
    pub(super) fn write(self, before: Option<Self>, out: &mut Vec<u8>) {
        if before == Some(self) {
            return;
        }
        let start = out.len();
        self.write_anew(out);
        let Some(before) = before else { return };
        let anew = out.len() - start;
        self.write_differences(before, out);
        let differences = out.len() - start - anew;
        if differences < anew {
            out.drain(start..start + anew);
        } else {
            out.truncate(start + anew);
        }
    }

    fn write_anew(self, out: &mut Vec<u8>) {
        let mut sgr = Sgr::open(out);
        if self != Self::PLAIN {
            sgr.number(0);
        }
        sgr.attributes(self.modifier);
        if self.fg != Color::Reset {
            sgr.colour(self.fg, Ground::Fore);
        }
        if self.bg != Color::Reset {
            sgr.colour(self.bg, Ground::Back);
        }
        sgr.close();
    }

    fn write_differences(self, before: Self, out: &mut Vec<u8>) {
        let mut sgr = Sgr::open(out);
        let gone = before.modifier.difference(self.modifier);
        let mut cleared = Modifier::empty();
        let mut last_off = 0;
        for (attribute, _, off) in ATTRIBUTES {
            if gone.intersects(attribute) && off != last_off {
                sgr.number(off);
                last_off = off;
            }
        }
        for (attribute, _, off) in ATTRIBUTES {
            if ATTRIBUTES
                .iter()
                .any(|(other, _, theirs)| *theirs == off && gone.intersects(*other))
            {
                cleared = cleared.union(attribute);
            }
        }
        sgr.attributes(
            self.modifier
                .difference(before.modifier.difference(cleared)),
        );
        if self.fg != before.fg {
            sgr.colour(self.fg, Ground::Fore);
        }
        if self.bg != before.bg {
            sgr.colour(self.bg, Ground::Back);
        }
        sgr.close();
    }
}

#[derive(Clone, Copy)]
enum Ground {
    Fore,
    Back,
}

/// One `CSI … m` in the making.
struct Sgr<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Sgr<'a> {
    fn open(out: &'a mut Vec<u8>) -> Self {
        out.extend_from_slice(b"\x1b[");
        Self { out, first: true }
    }

    fn close(self) {
        self.out.push(b'm');
    }

    fn number(&mut self, number: u8) {
        if !self.first {
            self.out.push(b';');
        }
        self.first = false;
        push_number(self.out, u16::from(number));
    }

    fn attributes(&mut self, modifier: Modifier) {
        for (attribute, on, _) in ATTRIBUTES {
            if modifier.intersects(attribute) {
                self.number(on);
            }
        }
    }

    fn colour(&mut self, colour: Color, ground: Ground) {
        let (normal, bright, extended, reset) = match ground {
            Ground::Fore => (30, 90, 38, 39),
            Ground::Back => (40, 100, 48, 49),
        };
        match colour {
            Color::Reset => self.number(reset),
            Color::Indexed(index) => [extended, 5, index]
                .into_iter()
                .for_each(|n| self.number(n)),
            Color::Rgb(r, g, b) => [extended, 2, r, g, b]
                .into_iter()
                .for_each(|n| self.number(n)),
            named => {
                let (index, is_bright) = ansi_index(named);
                self.number(index + if is_bright { bright } else { normal });
            }
        }
    }
}

/// ratatui's names: its `Gray` is the palette's white, its `DarkGray` the bright black.
const fn ansi_index(colour: Color) -> (u8, bool) {
    match colour {
        Color::Red => (1, false),
        Color::Green => (2, false),
        Color::Yellow => (3, false),
        Color::Blue => (4, false),
        Color::Magenta => (5, false),
        Color::Cyan => (6, false),
        Color::Gray => (7, false),
        Color::DarkGray => (0, true),
        Color::LightRed => (1, true),
        Color::LightGreen => (2, true),
        Color::LightYellow => (3, true),
        Color::LightBlue => (4, true),
        Color::LightMagenta => (5, true),
        Color::LightCyan => (6, true),
        Color::White => (7, true),
        Color::Black | Color::Reset | Color::Rgb(..) | Color::Indexed(_) => (0, false),
    }
}

pub(super) fn push_number(out: &mut Vec<u8>, number: u16) {
    let mut digits = [0_u8; 5];
    let mut rest = number;
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    out.extend(digits.iter().skip(digits.len() - used));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sgr(before: Option<Pen>, after: Pen) -> String {
        let mut out = Vec::new();
        after.write(before, &mut out);
        String::from_utf8(out).unwrap().replace('\u{1b}', "^")
    }

    fn pen(fg: Color, bg: Color, modifier: Modifier) -> Pen {
        Pen { fg, bg, modifier }
    }

    #[test]
    fn an_unknown_pen_is_reset_first() {
        assert_eq!(sgr(None, Pen::PLAIN), "^[m");
        assert_eq!(
            sgr(None, pen(Color::Red, Color::Reset, Modifier::BOLD)),
            "^[0;1;31m"
        );
    }

    #[test]
    fn only_differences_are_written() {
        let quiet = pen(
            Color::Rgb(200, 208, 218),
            Color::Rgb(16, 19, 24),
            Modifier::empty(),
        );
        assert_eq!(sgr(Some(quiet), quiet), "");
        assert_eq!(
            sgr(
                Some(quiet),
                Pen {
                    fg: Color::Indexed(110),
                    ..quiet
                }
            ),
            "^[38;5;110m"
        );
        assert_eq!(
            sgr(
                Some(quiet),
                Pen {
                    modifier: Modifier::BOLD,
                    ..quiet
                }
            ),
            "^[1m"
        );
        assert_eq!(
            sgr(
                Some(quiet),
                Pen {
                    bg: Color::LightBlue,
                    ..quiet
                }
            ),
            "^[104m"
        );
    }

    #[test]
    fn a_reset_is_used_where_it_is_shorter() {
        let loud = pen(
            Color::Rgb(200, 208, 218),
            Color::Rgb(16, 19, 24),
            Modifier::BOLD | Modifier::ITALIC,
        );
        assert_eq!(sgr(Some(loud), Pen::PLAIN), "^[m");
        assert_eq!(
            sgr(Some(loud), pen(Color::Red, Color::Reset, Modifier::empty())),
            "^[0;31m"
        );
    }

    #[test]
    fn dim_survives_the_code_that_ends_bold() {
        let both = pen(
            Color::Rgb(1, 2, 3),
            Color::Reset,
            Modifier::BOLD | Modifier::DIM,
        );
        assert_eq!(
            sgr(
                Some(both),
                Pen {
                    modifier: Modifier::DIM,
                    ..both
                }
            ),
            "^[22;2m"
        );
        assert_eq!(
            sgr(
                Some(both),
                Pen {
                    modifier: Modifier::empty(),
                    ..both
                }
            ),
            "^[22m"
        );
    }

    #[test]
    fn numbers_are_written_in_full() {
        for number in [0, 7, 10, 99, 100, 255, 1_000, u16::MAX] {
            let mut out = Vec::new();
            push_number(&mut out, number);
            assert_eq!(out, number.to_string().as_bytes());
        }
    }
}
