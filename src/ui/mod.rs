//! The views: `State` to cells, and nothing else. Mirrors `app`. Never changes the state, never fetches, and knows the
//! time only as `state.now`. What a frame costs depends on the rows it shows.

mod board;
mod header;
mod ink;
mod key_bar;
mod pane;
mod plan;
mod strip;
pub mod theme;
mod words;

use ratatui::Frame;

use crate::app::state::{Overlay, State, View};
use ink::Ink;
use theme::Theme;

/// Draws everything that `state` says.
pub fn draw(state: &State, theme: &Theme, frame: &mut Frame<'_>) {
    let area = frame.area();
    let ink = Ink::of(theme);
    let buf = frame.buffer_mut();
    buf.set_style(area, ink.base);
    match state.view {
        View::Board | View::Release | View::Audit | View::Sources => {
            board::draw(state, area, buf, &ink);
        }
    }
    key_bar::draw(state, area, buf, &ink);
    for overlay in &state.overlays {
        if let Overlay::Plan(dialog) = overlay {
            plan::draw(state, dialog, area, buf, &ink);
        }
    }
    header::draw(state, area, buf, &ink);
}
