//! The incident pane: what fires on this release, what is silent, and what changed before it.

use super::{Ink, Sheet, Shown};

pub(super) fn content(shown: &Shown<'_>, sheet: &mut Sheet<'_>, ink: &Ink) {
    for alert in shown.state.beside.alerts(&shown.open.id) {
        sheet.wrapped(0, alert.title(), ink.text);
    }
}
