//! The views: `State` to cells, and nothing else. Mirrors `app`. Never changes the state, never fetches, and knows the
//! time only as `state.now`. What a frame costs depends on the rows it shows.

mod audit;
mod beside;
mod board;
mod chart;
mod faults;
mod figures;
mod header;
mod help;
mod history;
mod inbox;
mod ink;
mod input;
mod key_bar;
pub mod links;
mod measured;
mod menu;
mod pane;
mod plan;
mod reading;
mod release;
mod small;
mod sources;
mod strip;
pub mod symbols;
#[cfg(test)]
mod tests;
pub mod theme;
mod told;
mod tour;
pub mod wall;
mod words;

use ratatui::{Frame, buffer::Buffer, layout::Rect};

use crate::app::state::{Overlay, State, View};
use ink::Ink;
use links::Linked;
use theme::Theme;

/// Draws everything that `state` says.
pub fn draw(state: &State, theme: &Theme, frame: &mut Frame<'_>) {
    draw_linked(state, theme, frame);
}

/// The same, and says which of it has an address.
pub fn draw_linked(state: &State, theme: &Theme, frame: &mut Frame<'_>) -> Linked {
    let screen = frame.area();
    let area = tour::above(state.tour.as_ref(), screen);
    let ink = Ink::of(theme);
    let buf = frame.buffer_mut();
    buf.set_style(screen, ink.base);
    match state.view {
        View::Board => board::draw(state, area, buf, &ink),
        View::Release => release::draw(state, area, buf, &ink),
        View::Inbox => inbox::draw(state, area, buf, &ink),
        View::Audit => audit::draw(state, area, buf, &ink),
        View::Sources => sources::draw(state, area, buf, &ink),
    }
    key_bar::draw(state, area, buf, &ink);
    for overlay in &state.overlays {
        draw_overlay(state, overlay, area, buf, &ink);
    }
    // Last, so that nothing lies over it: who one is, and whether this is the demo, is seen beside every dialog.
    header::draw(state, area, buf, &ink);
    if let Some(tour) = &state.tour {
        tour::draw(tour, screen, buf, &ink);
    }
    theme.symbols().apply(buf);
    ink.links.into_linked()
}

fn draw_overlay(state: &State, overlay: &Overlay, area: Rect, buf: &mut Buffer, ink: &Ink) {
    match overlay {
        Overlay::Help { scroll } => help::draw(state, *scroll, area, buf, ink),
        Overlay::Palette { typed, selected } => {
            help::palette(state, typed, *selected, area, buf, ink);
        }
        Overlay::Menu {
            target, selected, ..
        } => menu::draw(state, target, *selected, area, buf, ink),
        Overlay::Plan(dialog) => plan::draw(state, dialog, area, buf, ink),
        Overlay::Arm {
            environment, shown, ..
        } => small::arm(state, environment, *shown, area, buf, ink),
        Overlay::History(history) => history::draw(state, history, area, buf, ink),
        Overlay::Logs(logs) => reading::logs(logs, area, buf, ink),
        Overlay::Yaml {
            title,
            text,
            scroll,
        } => reading::yaml(title, text, *scroll, area, buf, ink),
        Overlay::Reason { title, typed, .. } => small::reason(title, typed, area, buf, ink),
        Overlay::ChooseGate {
            verb,
            gates,
            selected,
        } => beside::choose_gate(state, *verb, gates, *selected, area, buf, ink),
        Overlay::Changed(list) => beside::changed(state, list, area, buf, ink),
        Overlay::Silence(form) => beside::silence(state, form, area, buf, ink),
        Overlay::Faults(faults) => faults::draw(state, *faults, area, buf, ink),
        Overlay::Leaving => small::leaving(state, area, buf, ink),
        Overlay::OpenIntents => small::open_intents(state, area, buf, ink),
    }
}
