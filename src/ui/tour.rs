//! The tour's own lines at the bottom of the screen. The views know nothing of them and lie above.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    ink::{Ink, bold},
    pane,
    strip::Strip,
};
use crate::app::tour::Tour;

/// What of the screen the views have.
pub(super) fn above(tour: Option<&Tour>, area: Rect) -> Rect {
    Rect {
        height: area.height.saturating_sub(tour.map_or(0, Tour::taken)),
        ..area
    }
}

/// Draws into what the views have left.
pub(super) fn draw(tour: &Tour, screen: Rect, buf: &mut Buffer, ink: &Ink) {
    let Some(step) = tour.step() else { return };
    let taken = tour.taken().min(screen.height);
    let area = Rect {
        y: screen.bottom() - taken,
        height: taken,
        ..screen
    };
    let first = match taken {
        0 => return,
        1 | 2 => 0,
        _ => {
            pane::rule(buf, area, 0, ink);
            1
        }
    };
    let wide = area.width >= 60;
    let (nth, of) = tour.place();
    let mut line = Strip::new(buf, area, first);
    line.ground(ink.head).gap(1);
    if wide {
        line.put("tour ", ink.dim);
    }
    line.put(&format!("{nth}/{of}"), ink.dim).gap(2);
    let leaves = if wide {
        "Ctrl-t leaves it "
    } else {
        "Ctrl-t ends "
    };
    line.right(leaves, ink.dim);
    line.put(step.key, bold(ink.accent)).gap(1);
    line.put(step.what, bold(ink.text));
    if taken > 1 {
        let mut line = Strip::new(buf, area, first + 1);
        line.ground(ink.head).gap(1);
        line.put(step.why, ink.text);
    }
}
