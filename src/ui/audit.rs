//! What was done, from the audit log of this machine, newest first as it is told, and whether the log is whole.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    ink::{Ink, bold},
    pane::{self, Titles},
    strip::{Strip, sheet},
};
use crate::app::{
    layout,
    state::{AuditLine, Loading, State},
};

pub(super) fn draw(state: &State, screen: Rect, buf: &mut Buffer, ink: &Ink) {
    let (top, height) = layout::body(screen.width, screen.height);
    let area = Rect {
        y: screen.y + top,
        height,
        ..screen
    }
    .intersection(screen);
    verified(state, &mut Strip::new(buf, area, 0), ink);
    let body = Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1),
        ..area
    };
    let inset = Rect {
        x: body.x + 1,
        width: body.width.saturating_sub(2),
        ..body
    }
    .intersection(body);
    match &state.audit.records {
        Loading::Waiting => {
            sheet(buf, inset, 0, |sheet| {
                sheet.wrapped(0, "reading the audit log", ink.dim);
            });
        }
        Loading::Failed(why) => {
            sheet(buf, inset, 0, |sheet| {
                sheet.labelled(
                    ("✖", ink.bad),
                    2,
                    &format!("the audit log cannot be read: {why}"),
                    ink.text,
                );
            });
        }
        Loading::Here(records) if records.is_empty() => {
            sheet(buf, inset, 0, |sheet| {
                sheet.wrapped(
                    0,
                    "nothing has been done by this program on this machine",
                    ink.dim,
                );
            });
        }
        Loading::Here(records) => here(state, records, screen, buf, ink),
    }
}

fn verified(state: &State, line: &mut Strip<'_>, ink: &Ink) {
    line.gap(1)
        .put("Audit log of this machine", bold(ink.text))
        .gap(3);
    match &state.audit.verified {
        None => line.put("not checked yet", ink.ghost),
        Some(Ok(words)) => line.put("✔ ", ink.ok).put(words, ink.dim),
        Some(Err(words)) => line.put("✖ ", ink.bad).put(words, bold(ink.bad)),
    };
}

fn here(state: &State, records: &[AuditLine], screen: Rect, buf: &mut Buffer, ink: &Ink) {
    let selected = state.audit.selected;
    let (rows, (below, detail)) =
        layout::audit(screen.width, screen.height, selected, records.len());
    let list = Rect {
        y: screen.y + rows.top,
        height: rows.lines,
        ..screen
    }
    .intersection(screen);
    let beyond = sheet(buf, list, rows.first, |sheet| {
        sheet.many(records.len(), |nth, line| {
            if let Some(record) = records.get(nth) {
                one(record, nth == state.audit.selected, line, ink);
            }
        });
    });
    let below = Rect {
        y: screen.y + below,
        height: detail,
        ..screen
    }
    .intersection(screen);
    let Some(record) = records.get(state.audit.selected) else {
        return;
    };
    let inner = pane::boxed(
        buf,
        below,
        Titles::new(&record.intent, &record.kind),
        ink.line,
        ink,
    );
    sheet(buf, inner, 0, |sheet| {
        sheet.many(record.detail.len(), |nth, line| {
            if let Some(text) = record.detail.get(nth) {
                line.put(text, ink.dim);
            }
        });
    });
    if beyond.above + beyond.below > 0 {
        let words = format!("{} of {}", state.audit.selected + 1, records.len());
        Strip::new(buf, below, 0)
            .gap(below.width / 2)
            .keep_right(16)
            .right(&words, ink.ghost);
    }
}

fn one(record: &AuditLine, selected: bool, line: &mut Strip<'_>, ink: &Ink) {
    if selected {
        line.ground(ink.selection).put("▌", ink.accent);
    }
    let wide = line.left() >= 70;
    line.to(2).put(&record.at, ink.dim).gap(2);
    // The kind in colour and in letters: an outcome is what one looks for.
    let style = match &*record.kind {
        "outcome" => bold(ink.text),
        "reverted" => bold(ink.bad),
        _ => ink.text,
    };
    line.name(&record.kind, 9, style).gap(1);
    if wide {
        let at = line.at();
        line.to(at.max(34));
        line.name(&record.intent, 16, ink.ghost).gap(2);
    }
    line.put(&record.words, ink.text);
}
