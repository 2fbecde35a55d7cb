//! The Inbox: everything that waits for a human, oldest first.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{ink::Ink, strip::sheet};
use crate::app::{layout, state::State};

pub(super) fn draw(state: &State, area: Rect, buf: &mut Buffer, ink: &Ink) {
    let (top, height) = layout::body(area.width, area.height);
    let body = Rect {
        y: area.y + top,
        height,
        ..area
    }
    .intersection(area);
    sheet(buf, body, 0, |sheet| {
        for entry in &state.inbox.entries {
            sheet.wrapped(0, entry.environment.as_str(), ink.text);
        }
    });
}
