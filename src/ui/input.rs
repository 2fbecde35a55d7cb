//! What is typed and which keys there are, as lines of a dialog.

use ratatui::style::Style;

use super::{
    ink::{Ink, bold},
    strip::{Sheet, Strip},
};
use crate::model::text::width;

/// The end of a text that is being typed: what one has just typed is what one looks at.
pub(super) fn tail(text: &str, line: &mut Strip<'_>, style: Style) {
    let room = usize::from(line.left().saturating_sub(1));
    let mut wide = width(text);
    let mut rest = text.chars();
    while wide > room && rest.next().is_some() {
        wide = width(rest.as_str());
    }
    line.put(rest.as_str(), style);
}

/// Keys and what they do, as the last line of something.
pub(super) fn keys(keys: &[(&str, &str)], sheet: &mut Sheet<'_>, ink: &Ink) {
    sheet.line(|line| key_line(keys, line, ink));
}

pub(super) fn key_line(keys: &[(&str, &str)], line: &mut Strip<'_>, ink: &Ink) {
    for (key, does) in keys {
        if usize::from(line.left()) < width(key) + width(does) + 1 {
            break;
        }
        line.put(key, bold(ink.accent))
            .gap(1)
            .put(does, ink.text)
            .gap(4);
    }
}
