//! What a frame costs at least: the bytes of a plain, careful encoder, to hold the program's own against.
//!
//! It keeps its pen from one change to the next, joins attributes and colours into one sequence, moves by the shorter of
//! two ways, writes a short gap again where the pen is right, and erases nothing. Counted with the sixteen bytes that hold
//! a frame together, where the program's frames have them: not around a few characters in one line.

use ratatui::{
    buffer::{Buffer, Cell},
    layout::Rect,
    style::{Color, Modifier},
};
use unicode_width::UnicodeWidthStr as _;

const SYNCHRONISED: usize = 16;
/// So many bytes in one line go without.
const AT_ONCE: usize = 64;

/// A screen as this encoder left it.
pub(crate) struct Floor {
    shown: Buffer,
    bytes: usize,
    pen: (Color, Color, Modifier),
    spot: Option<(u16, u16)>,
}

impl Floor {
    /// An empty screen of this size.
    pub(crate) fn new(area: Rect) -> Self {
        Self {
            shown: Buffer::empty(area),
            bytes: 0,
            pen: <_>::default(),
            spot: None,
        }
    }

    /// The bytes from what is shown to this picture.
    pub(crate) fn paint(&mut self, after: &Buffer) -> usize {
        let before = std::mem::replace(&mut self.shown, after.clone());
        assert_eq!(before.area, after.area);
        self.bytes = 0;
        let mut rows = 0;
        for y in 0..after.area.height {
            let mut x = 0;
            let sent = self.bytes;
            while x < after.area.width {
                let cell = &after[(x, y)];
                if !looks_alike(&before[(x, y)], cell) {
                    self.go(after, x, y);
                    self.put(cell);
                    self.spot = Some((x + columns(cell), y));
                }
                x += columns(cell);
            }
            rows += usize::from(self.bytes > sent);
        }
        match self.bytes {
            0 => 0,
            bytes if rows == 1 && bytes <= AT_ONCE => bytes,
            bytes => bytes + SYNCHRONISED,
        }
    }

    fn go(&mut self, row: &Buffer, x: u16, y: u16) {
        if self.spot == Some((x, y)) {
            return;
        }
        let address = 4 + digits(y + 1) + digits(x + 1);
        let Some((at, _)) = self.spot.filter(|spot| spot.1 == y && spot.0 < x) else {
            self.bytes += address;
            return;
        };
        let forward = 3 + if x - at == 1 { 0 } else { digits(x - at) };
        let gap: Option<usize> = (at..x)
            .map(|x| {
                let cell = &row[(x, y)];
                (pen(cell) == self.pen).then(|| cell.symbol().len())
            })
            .sum();
        self.bytes += gap.unwrap_or(usize::MAX).min(forward).min(address);
    }

    fn put(&mut self, cell: &Cell) {
        let wanted = pen(cell);
        if self.pen != wanted {
            let (fg, bg, modifier) = wanted;
            let (ink, ground, worn) = self.pen;
            let anew: Vec<usize> = [1]
                .into_iter()
                .chain((modifier.bits().count_ones() > 0).then(|| attributes(modifier)))
                .chain((fg != Color::Reset).then(|| colour(fg)))
                .chain((bg != Color::Reset).then(|| colour(bg)))
                .collect();
            let mut changes: Vec<usize> = Vec::new();
            changes.extend((fg != ink).then(|| colour(fg)));
            changes.extend((bg != ground).then(|| colour(bg)));
            let (on, off) = (modifier - worn, worn - modifier);
            changes.extend((!on.is_empty()).then(|| attributes(on)));
            // Each is switched off by a number of two digits.
            changes.extend((!off.is_empty()).then(|| off.bits().count_ones() as usize * 3 - 1));
            let sgr = |parts: &[usize]| 3 + parts.iter().sum::<usize>() + parts.len() - 1;
            self.bytes += sgr(&anew).min(sgr(&changes));
            self.pen = wanted;
        }
        self.bytes += cell.symbol().len();
    }
}

fn pen(cell: &Cell) -> (Color, Color, Modifier) {
    // The colour of what is not there is nobody's.
    let empty = cell.symbol() == " " && cell.modifier.is_empty();
    (
        if empty { Color::Reset } else { cell.fg },
        cell.bg,
        cell.modifier,
    )
}

fn looks_alike(before: &Cell, after: &Cell) -> bool {
    before.symbol() == after.symbol() && pen(before) == pen(after)
}

fn columns(cell: &Cell) -> u16 {
    u16::try_from(cell.symbol().width()).unwrap().max(1)
}

fn digits(number: u16) -> usize {
    number.to_string().len()
}

/// One digit each, and what stands between them.
fn attributes(modifier: Modifier) -> usize {
    modifier.bits().count_ones() as usize * 2 - 1
}

fn colour(colour: Color) -> usize {
    match colour {
        Color::Rgb(red, green, blue) => {
            7 + [red, green, blue]
                .map(|part| digits(part.into()))
                .iter()
                .sum::<usize>()
        }
        Color::Indexed(index) => 5 + digits(index.into()),
        _ => 2,
    }
}
