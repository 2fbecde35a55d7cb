//! The way of the cursor from one cell to another, in the fewest bytes.
//!
//! Owns the choice between absolute and relative moves. Must use only sequences that every terminal since the VT100
//! has, apart from column-absolute (`CSI G`), and no bare line feed: whoever switches output processing back on
//! (`stty sane` in another shell) would turn it into a move to the first column.

use super::pen::push_number;

/// Where the terminal's cursor is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    /// Equal to the number of columns after the last one was written: the terminal then holds the wrap back until the
    /// next character, and only a carriage return or an absolute move means the same everywhere.
    pub(super) x: u16,
    pub(super) y: u16,
}

#[derive(Clone, Copy)]
enum Across {
    Stay,
    Return,
    Back(u16),
    Forward(u16),
    Column(u16),
}

#[derive(Clone, Copy)]
enum Down {
    Stay,
    /// Carriage return, then line feeds.
    Feed(u16),
    Rows(u16),
}

#[derive(Clone, Copy)]
enum Way {
    Absolute(Spot),
    Relative(Down, Across),
}

/// Moves from `from` (or from anywhere) to `to` on a screen of `columns`.
pub(super) fn write(from: Option<Spot>, to: Spot, columns: u16, out: &mut Vec<u8>) {
    best(from, to, columns).write(out);
}

/// The bytes that [`write`] would take.
pub(super) fn cost(from: Option<Spot>, to: Spot, columns: u16) -> usize {
    best(from, to, columns).cost()
}

fn best(from: Option<Spot>, to: Spot, columns: u16) -> Way {
    let absolute = Way::Absolute(to);
    let Some(from) = from else { return absolute };
    let wrap_held_back = from.x >= columns;
    let candidates = match to.y.checked_sub(from.y) {
        None => [absolute; 3],
        Some(0) => [
            absolute,
            Way::Relative(Down::Stay, across(from.x, to.x, wrap_held_back)),
            absolute,
        ],
        Some(rows) => {
            let fed = Way::Relative(Down::Feed(rows), across(0, to.x, false));
            let straight = Way::Relative(Down::Rows(rows), across(from.x, to.x, wrap_held_back));
            [
                absolute,
                fed,
                if wrap_held_back { absolute } else { straight },
            ]
        }
    };
    candidates
        .into_iter()
        .min_by_key(|way| way.cost())
        .unwrap_or(absolute)
}

fn across(from: u16, to: u16, wrap_held_back: bool) -> Across {
    if wrap_held_back {
        return if to == 0 {
            Across::Return
        } else {
            Across::Column(to)
        };
    }
    let candidates = match to.cmp(&from) {
        std::cmp::Ordering::Equal => return Across::Stay,
        _ if to == 0 => return Across::Return,
        std::cmp::Ordering::Less => [Across::Back(from - to), Across::Column(to)],
        std::cmp::Ordering::Greater => [Across::Forward(to - from), Across::Column(to)],
    };
    candidates
        .into_iter()
        .min_by_key(|across| across.cost())
        .unwrap_or(Across::Column(to))
}

const fn digits(number: u16) -> usize {
    match number {
        0..=9 => 1,
        10..=99 => 2,
        100..=999 => 3,
        1_000..=9_999 => 4,
        10_000.. => 5,
    }
}

/// The length of a CSI sequence with a count, which is left out where it is one.
const fn counted(count: u16) -> usize {
    if count == 1 { 3 } else { 3 + digits(count) }
}

fn write_counted(count: u16, end: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b[");
    if count != 1 {
        push_number(out, count);
    }
    out.push(end);
}

impl Way {
    fn cost(self) -> usize {
        match self {
            Self::Absolute(Spot { x: 0, y }) => counted(y.saturating_add(1)),
            Self::Absolute(Spot { x, y }) => {
                4 + digits(y.saturating_add(1)) + digits(x.saturating_add(1))
            }
            Self::Relative(down, across) => down.cost() + across.cost(),
        }
    }

    fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Absolute(Spot { x: 0, y }) => write_counted(y.saturating_add(1), b'H', out),
            Self::Absolute(Spot { x, y }) => {
                out.extend_from_slice(b"\x1b[");
                push_number(out, y.saturating_add(1));
                out.push(b';');
                push_number(out, x.saturating_add(1));
                out.push(b'H');
            }
            Self::Relative(down, across) => {
                down.write(out);
                across.write(out);
            }
        }
    }
}

impl Down {
    fn cost(self) -> usize {
        match self {
            Self::Stay => 0,
            Self::Feed(rows) => 1 + usize::from(rows),
            Self::Rows(rows) => counted(rows),
        }
    }

    fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Stay => {}
            Self::Feed(rows) => {
                out.push(b'\r');
                out.extend(std::iter::repeat_n(b'\n', usize::from(rows)));
            }
            Self::Rows(rows) => write_counted(rows, b'B', out),
        }
    }
}

impl Across {
    fn cost(self) -> usize {
        match self {
            Self::Stay => 0,
            Self::Return => 1,
            Self::Back(columns) => usize::from(columns),
            Self::Forward(columns) => counted(columns),
            Self::Column(x) => counted(x.saturating_add(1)),
        }
    }

    fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Stay => {}
            Self::Return => out.push(b'\r'),
            Self::Back(columns) => out.extend(std::iter::repeat_n(b'\x08', usize::from(columns))),
            Self::Forward(columns) => write_counted(columns, b'C', out),
            Self::Column(x) => write_counted(x.saturating_add(1), b'G', out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(from: Option<(u16, u16)>, to: (u16, u16)) -> String {
        let spot = |(x, y)| Spot { x, y };
        let mut out = Vec::new();
        write(from.map(spot), spot(to), 80, &mut out);
        assert_eq!(
            out.len(),
            cost(from.map(spot), spot(to), 80),
            "the cost is that of what is written"
        );
        String::from_utf8(out).unwrap().replace('\u{1b}', "^")
    }

    #[test]
    fn a_lost_cursor_is_placed_absolutely() {
        assert_eq!(moved(None, (0, 0)), "^[H");
        assert_eq!(moved(None, (0, 9)), "^[10H");
        assert_eq!(moved(None, (9, 9)), "^[10;10H");
    }

    #[test]
    fn a_known_cursor_takes_the_shortest_way() {
        assert_eq!(moved(Some((5, 3)), (5, 3)), "");
        assert_eq!(moved(Some((5, 3)), (6, 3)), "^[C");
        assert_eq!(moved(Some((5, 3)), (3, 3)), "\u{8}\u{8}");
        assert_eq!(moved(Some((70, 3)), (0, 3)), "\r");
        assert_eq!(moved(Some((70, 3)), (5, 3)), "^[6G");
        assert_eq!(moved(Some((70, 3)), (0, 4)), "\r\n");
        assert_eq!(moved(Some((40, 3)), (40, 5)), "^[2B");
        assert_eq!(moved(Some((40, 9)), (40, 5)), "^[6;41H");
    }

    #[test]
    fn a_wrap_held_back_is_never_left_by_a_relative_move() {
        assert_eq!(moved(Some((80, 3)), (79, 3)), "^[80G");
        assert_eq!(moved(Some((80, 3)), (0, 4)), "\r\n");
        assert_eq!(moved(Some((80, 9)), (79, 10)), "\r\n^[79C");
    }
}
