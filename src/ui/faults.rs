//! The demo's faults: what can go wrong, at whom, and what does.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    ink::{Ink, bold},
    input::keys,
    pane::{self, Titles},
    strip::{Sheet, lines_of, sheet},
};
use crate::app::{
    faults::{Fault, FaultKind, FaultsOverlay, Whose},
    state::State,
};

pub(super) fn draw(
    state: &State,
    overlay: FaultsOverlay,
    screen: Rect,
    buf: &mut Buffer,
    ink: &Ink,
) {
    let columns = if screen.width >= 100 {
        72
    } else {
        screen.width
    };
    let content = |sheet: &mut Sheet<'_>| content(state, overlay, sheet, ink);
    let wanted = lines_of(buf, pane::inside(screen, columns), content);
    let rows = u16::try_from(wanted + 6).unwrap_or(u16::MAX);
    let area = pane::place(screen, columns, rows);
    let inner = pane::dialog(
        buf,
        area,
        Titles::new("What goes wrong", "in the demo's world"),
        ink.waiting,
        ink,
    );
    let [head, foot] = if inner.height >= 8 { [2, 2] } else { [1, 1] };
    sheet(
        buf,
        Rect {
            height: 1.min(inner.height),
            ..inner
        },
        0,
        |sheet| {
            whose(overlay.whose, sheet, ink);
        },
    );
    let body = Rect {
        y: inner.y + head.min(inner.height),
        height: inner.height.saturating_sub(head + foot),
        ..inner
    };
    let scroll = (overlay.selected + 1).saturating_sub(usize::from(body.height));
    let beyond = sheet(buf, body, scroll, content);
    pane::beyond(buf, area, beyond, ink);
    let last = Rect {
        y: inner.bottom().saturating_sub(1),
        height: 1,
        ..inner
    }
    .intersection(inner);
    sheet(buf, last, 0, |sheet| {
        keys(
            &[
                ("Enter", "on, off"),
                ("Tab", "whose"),
                ("0", "heals all"),
                ("Esc", "leaves"),
            ],
            sheet,
            ink,
        );
    });
}

/// At whom: all names where there is room, else the chosen one.
fn whose(chosen: Whose, sheet: &mut Sheet<'_>, ink: &Ink) {
    let all = sheet.width() >= 60;
    sheet.line(|line| {
        line.put("at ", ink.dim);
        for whose in Whose::ALL {
            if whose == chosen {
                line.put(whose.word(), bold(ink.accent)).gap(3);
            } else if all {
                line.put(whose.word(), ink.dim).gap(3);
            }
        }
    });
}

fn content(state: &State, overlay: FaultsOverlay, sheet: &mut Sheet<'_>, ink: &Ink) {
    for (nth, kind) in FaultKind::ALL.into_iter().enumerate() {
        let fits = kind.fits(overlay.whose);
        let here = Fault {
            kind,
            whose: overlay.whose,
        };
        let on = &state.faults.listed;
        let elsewhere = on
            .iter()
            .find(|fault| fault.kind == kind && fault.whose != overlay.whose);
        sheet.line(|line| {
            if nth == overlay.selected {
                line.ground(ink.selection).put("▌", ink.accent);
            }
            line.to(2);
            if on.contains(&here) {
                line.put("● on", bold(ink.waiting));
            } else {
                line.put("○", ink.ghost);
            }
            let style = if fits { ink.text } else { ink.ghost };
            line.to(8).put(kind.name(), style).to(26);
            match elsewhere {
                _ if !fits => line.put("not there", ink.ghost),
                Some(other) => line
                    .put("on at ", ink.waiting)
                    .put(other.whose.word(), ink.waiting),
                None => line.put(kind.words(), ink.dim),
            };
        });
    }
    if !state.faults.others.is_empty() {
        sheet.blank();
        let others: Vec<&str> = state.faults.others.iter().map(|words| &**words).collect();
        let words = format!("by the scenario or the command line: {}", others.join(", "));
        sheet.wrapped(2, &words, ink.waiting);
    }
}
