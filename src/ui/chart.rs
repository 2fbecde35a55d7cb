//! Two lines over time in braille dots: the version under trial in the accent colour and unbroken, the other one grey and
//! dotted, so that they are told apart without colour. Where there is no point there is a gap: a line through it would be
//! a claim that nobody made. Draws numbers, judges none.

use jiff::{SignedDuration, Timestamp};
use ratatui::style::Style;

use super::{
    ink::Ink,
    strip::{Sheet, Strip},
    words::short_time,
};
use crate::{
    app::state::State,
    model::{metrics::Grid, text::width},
};

/// What is drawn.
pub(super) struct Chart<'c> {
    pub(super) front: &'c [Option<f64>],
    pub(super) back: &'c [Option<f64>],
    pub(super) grid: Grid,
    /// When something began, in words.
    pub(super) mark: Option<(Timestamp, String)>,
}

/// Cells for what stands at the y axis.
const AXIS: u16 = 7;
/// The least plot that can be read.
const LEAST: u16 = 16;

/// Tops of the y axis in percent: each has a half that reads well.
const TOPS: [f64; 16] = [
    0.02, 0.04, 0.1, 0.2, 0.4, 0.8, 1.0, 2.0, 4.0, 8.0, 10.0, 20.0, 40.0, 60.0, 80.0, 100.0,
];

/// Dots of a braille cell, from its bottom up: left column, right column.
const LEFT: [u32; 4] = [0x40, 0x04, 0x02, 0x01];
const RIGHT: [u32; 4] = [0x80, 0x20, 0x10, 0x08];

/// Dots filled in each column of dots: from and to, counted from the bottom.
type Dots = Vec<Option<(u16, u16)>>;

fn shares(line: &[Option<f64>]) -> impl Iterator<Item = f64> {
    line.iter()
        .flatten()
        .copied()
        .filter(|share| share.is_finite())
}

impl Chart<'_> {
    pub(super) fn draw(
        &self,
        state: &State,
        columns: u16,
        rows: u16,
        sheet: &mut Sheet<'_>,
        ink: &Ink,
    ) {
        let plot = columns.saturating_sub(AXIS);
        if plot < LEAST || rows < 2 {
            return;
        }
        let Some(highest) = shares(self.front).chain(shares(self.back)).reduce(f64::max) else {
            sheet.wrapped(0, "no points yet", ink.ghost);
            return;
        };
        let top = TOPS
            .into_iter()
            .find(|top| highest * 100.0 <= *top)
            .unwrap_or(100.0);
        let front = dots(self.front, plot, rows, top, true);
        let back = dots(self.back, plot, rows, top, false);
        let mark = self.mark_at(plot);
        for row in 0..rows {
            sheet.line(|line| {
                let label = label(row, rows, top);
                let gap = usize::from(AXIS).saturating_sub(width(&label) + 1);
                line.gap(u16::try_from(gap).unwrap_or(0))
                    .put(&label, ink.ghost);
                line.to(AXIS);
                let from_bottom = rows - 1 - row;
                for column in 0..plot {
                    let (front, back) = (
                        bits(&front, column, from_bottom),
                        bits(&back, column, from_bottom),
                    );
                    cell(front, back, mark == Some(column), line, ink);
                }
            });
        }
        self.axis(state, plot, mark, sheet, ink);
    }

    fn end(&self) -> Timestamp {
        let points = i64::try_from(self.grid.points).unwrap_or(i64::MAX);
        let span = SignedDuration::from_secs(self.grid.step_s.max(0).saturating_mul(points));
        self.grid
            .start
            .saturating_add(span)
            .unwrap_or(self.grid.start)
    }

    fn mark_at(&self, plot: u16) -> Option<u16> {
        let (at, _) = self.mark.as_ref()?;
        let whole = self.end().duration_since(self.grid.start).as_secs();
        let before = at.duration_since(self.grid.start).as_secs();
        if before < 0 || before >= whole {
            return None;
        }
        u16::try_from(i128::from(before) * i128::from(plot) / i128::from(whole)).ok()
    }

    fn axis(&self, state: &State, plot: u16, mark: Option<u16>, sheet: &mut Sheet<'_>, ink: &Ink) {
        let end = self.end();
        let is_now = state.now.duration_since(end).as_secs() <= self.grid.step_s.saturating_mul(2);
        let last = if is_now {
            "now".to_owned()
        } else {
            short_time(state, end)
        };
        let half = SignedDuration::from_secs(end.duration_since(self.grid.start).as_secs() / 2);
        let middle = self
            .grid
            .start
            .saturating_add(half)
            .map_or_else(|_| String::new(), |at| short_time(state, at));
        let first = short_time(state, self.grid.start);
        let cells = |text: &str| u16::try_from(width(text)).unwrap_or(u16::MAX);
        let last_at = plot.saturating_sub(cells(&last));
        let mut labels: Vec<(u16, String, Style)> = vec![(last_at, last, ink.ghost)];
        if let (Some(at), Some((_, words))) = (mark, &self.mark) {
            let at = at.min(plot.saturating_sub(cells(words)));
            labels.push((at, words.clone(), ink.waiting));
        }
        labels.push((0, first, ink.ghost));
        labels.push((plot / 2, middle, ink.ghost));
        // In this order of worth; one that would touch another is left out.
        let mut kept: Vec<(u16, String, Style)> = Vec::with_capacity(4);
        for (at, text, style) in labels {
            let end = at.saturating_add(cells(&text));
            let free = kept.iter().all(|(other, text, _)| {
                end + 1 < *other || at > other.saturating_add(cells(text)) + 1
            });
            // "now" and the mark may be one: then the mark is what is worth saying.
            if free && end <= plot {
                kept.push((at, text, style));
            }
        }
        kept.sort_by_key(|(at, _, _)| *at);
        sheet.line(|line| {
            for (at, text, style) in &kept {
                line.to(AXIS + at).put(text, *style);
            }
        });
    }
}

/// What stands beside a row: the top, the middle and the bottom of the scale.
fn label(row: u16, rows: u16, top: f64) -> String {
    let value = match row {
        0 => top,
        row if row == rows - 1 => 0.0,
        row if rows % 2 == 1 && row == rows / 2 => top / 2.0,
        _ => return String::new(),
    };
    let decimals = if top >= 10.0 {
        0
    } else if top >= 0.2 {
        1
    } else {
        2
    };
    format!("{value:.decimals$} %")
}

/// The dots of one line. Where several points fall into one column of dots, the highest counts: a spike is not averaged
/// away.
fn dots(line: &[Option<f64>], plot: u16, rows: u16, top: f64, joined: bool) -> Dots {
    let columns = usize::from(plot) * 2;
    let levels = rows * 4;
    let mut before: Option<u16> = None;
    (0..columns)
        .map(|column| {
            let from = column * line.len() / columns;
            let to = ((column + 1) * line.len() / columns).max(from + 1);
            let value = shares(line.get(from..to.min(line.len()))?).reduce(f64::max);
            let Some(value) = value else {
                before = None;
                return None;
            };
            let level = level(value * 100.0, top, levels);
            let last = before.replace(level);
            if !joined {
                return (column % 2 == 0).then_some((level, level));
            }
            Some(match last {
                Some(last) if last < level => (last + 1, level),
                Some(last) if last > level => (level, last - 1),
                _ => (level, level),
            })
        })
        .collect()
}

/// The highest dot at or below which a value lies.
fn level(percent: f64, top: f64, levels: u16) -> u16 {
    let step = top / f64::from(levels.max(2) - 1);
    (0..levels)
        .rev()
        .find(|level| percent >= (f64::from(*level) - 0.5) * step)
        .unwrap_or(0)
}

fn bits(dots: &Dots, column: u16, from_bottom: u16) -> u32 {
    let mut bits = 0;
    for (side, values) in [LEFT, RIGHT].into_iter().enumerate() {
        let Some(Some((from, to))) = dots.get(usize::from(column) * 2 + side) else {
            continue;
        };
        for (nth, bit) in (0..4_u16).zip(values) {
            let level = from_bottom * 4 + nth;
            if (*from..=*to).contains(&level) {
                bits |= bit;
            }
        }
    }
    bits
}

/// A cell has one colour: where both lines pass, it shows the one in front.
fn cell(front: u32, back: u32, marked: bool, line: &mut Strip<'_>, ink: &Ink) {
    let (bits, style) = match (front, back) {
        (0, 0) => {
            if marked {
                line.fill("┊", 1, ink.line);
            } else {
                line.gap(1);
            }
            return;
        }
        (0, back) => (back, ink.dim),
        (front, _) => (front, ink.accent),
    };
    if let Some(symbol) = char::from_u32(0x2800 + bits) {
        line.fill(symbol.encode_utf8(&mut [0; 4]), 1, style);
    }
}

/// Which line is which.
pub(super) fn legend(front: &str, back: &str, line: &mut Strip<'_>, ink: &Ink) {
    line.put("━ ", ink.accent)
        .put(front, ink.accent)
        .gap(2)
        .put("┅ ", ink.dim)
        .put(back, ink.dim);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_point_is_a_gap_and_a_spike_stays() {
        let mut line = vec![Some(0.001); 100];
        line[50] = Some(0.02);
        for point in &mut line[20..30] {
            *point = None;
        }
        let dots = dots(&line, 20, 4, 2.0, true);
        assert_eq!(dots.len(), 40);
        assert!(dots[9..11].iter().all(Option::is_none));
        let highest = dots.iter().flatten().map(|(_, to)| *to).max();
        assert_eq!(highest, Some(15));
    }

    #[test]
    fn the_ends_of_the_scale_are_the_ends_of_the_plot() {
        assert_eq!(level(0.0, 2.0, 16), 0);
        assert_eq!(level(2.0, 2.0, 16), 15);
        assert_eq!(level(1.0, 2.0, 16), 8);
        assert_eq!(level(-3.0, 2.0, 16), 0);
        assert_eq!(level(900.0, 2.0, 16), 15);
    }

    #[test]
    fn no_line_at_all_has_no_dots() {
        assert!(dots(&[], 20, 4, 2.0, true).iter().all(Option::is_none));
        let nothing = [Some(f64::NAN), None];
        assert!(dots(&nothing, 20, 4, 2.0, true).iter().all(Option::is_none));
    }
}
