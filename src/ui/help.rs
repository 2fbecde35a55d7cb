//! Help and palette, both made from the command table: neither can say what the keys do not do.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    ink::{Ink, bold},
    input::{key_line, tail},
    pane::{self, Titles},
    strip::{Sheet, Strip, lines_of, sheet},
};
use crate::app::{
    command::{COMMANDS, Command, Danger, Scope, Spec},
    palette_matches,
    state::State,
};

pub(super) fn draw(state: &State, scroll: u16, screen: Rect, buf: &mut Buffer, ink: &Ink) {
    let columns = if screen.width >= 100 {
        90
    } else {
        screen.width
    };
    let content = |sheet: &mut Sheet<'_>| content(state, sheet, ink);
    let wanted = lines_of(buf, pane::inside(screen, columns), content);
    let rows = u16::try_from(wanted + 4).unwrap_or(u16::MAX);
    let area = pane::place(screen, columns, rows);
    let titles = Titles::new("Keys", "made from the command table");
    let inner = pane::dialog(buf, area, titles, ink.accent, ink);
    let body = Rect {
        height: inner.height.saturating_sub(1),
        ..inner
    };
    let beyond = sheet(buf, body, usize::from(scroll), content);
    pane::beyond(buf, area, beyond, ink);
    last_line(
        &[
            ("j k", "scroll"),
            (
                state
                    .session
                    .keys
                    .first(Command::Palette)
                    .unwrap_or_default(),
                "any command by name",
            ),
            ("Esc", "leaves"),
        ],
        inner,
        buf,
        ink,
    );
}

fn last_line(keys: &[(&str, &str)], inner: Rect, buf: &mut Buffer, ink: &Ink) {
    if let Some(y) = inner.height.checked_sub(1) {
        key_line(keys, &mut Strip::new(buf, inner, y), ink);
    }
}

type Belongs = fn(&Spec) -> bool;

fn content(state: &State, sheet: &mut Sheet<'_>, ink: &Ink) {
    let parts: [(&str, Belongs); 4] = [
        (
            "Act: each opens a plan, and nothing is sent without its ceremony",
            |spec| matches!(spec.danger, Danger::OpensPlan | Danger::Arms),
        ),
        ("On a release", |spec| {
            spec.danger == Danger::Reads && spec.scope == Scope::OnRelease
        }),
        ("Everywhere", |spec| {
            spec.danger == Danger::Reads && spec.scope == Scope::Everywhere
        }),
        ("In the demo", |spec| spec.scope == Scope::Demo),
    ];
    let keys = &state.session.keys;
    for (nth, (heading, belongs)) in parts.iter().enumerate() {
        let mut those = COMMANDS
            .iter()
            .filter(|spec| belongs(spec) && keys.has(spec))
            .peekable();
        if those.peek().is_none() {
            continue;
        }
        if nth > 0 {
            sheet.blank();
        }
        sheet.wrapped(0, heading, bold(ink.text));
        for spec in those {
            sheet.line(|line| one(state, spec, line, ink));
        }
    }
    sheet.blank();
    sheet.wrapped(0, "In a plan", bold(ink.text));
    for (key, does) in [
        ("Y", "confirms, where Y is asked for"),
        ("Enter", "confirms what was typed; alone it never confirms"),
        ("Ctrl-f", "all the way instead of one step"),
        ("Ctrl-y", "copies the vendor's command"),
        ("Ctrl-r", "shows the values of environment variables"),
        ("Esc", "leaves; nothing is sent"),
    ] {
        sheet.line(|line| {
            line.gap(2).put(key, ink.accent).to(16).put(does, ink.text);
        });
    }
}

fn one(state: &State, spec: &'static Spec, line: &mut Strip<'_>, ink: &Ink) {
    line.gap(2);
    let keys = &state.session.keys;
    if keys.of(spec).next().is_none() {
        let ways = [Command::Menu, Command::Palette].map(|way| keys.first(way).unwrap_or_default());
        line.put(&ways.join(" or "), ink.ghost);
    }
    for (nth, key) in keys.of(spec).enumerate() {
        if nth > 0 {
            line.gap(1);
        }
        line.put(key, ink.accent);
    }
    line.to(16)
        .put(spec.name, ink.text)
        .to(32)
        .put(spec.words, ink.dim);
}

pub(super) fn palette(
    state: &State,
    typed: &str,
    selected: usize,
    screen: Rect,
    buf: &mut Buffer,
    ink: &Ink,
) {
    let found = palette_matches(typed, &state.session.keys);
    let keys = &state.session.keys;
    let columns = if screen.width >= 100 {
        90
    } else {
        screen.width
    };
    let area = pane::place(screen, columns, 20);
    let titles = Titles::new("Command", "");
    let inner = pane::dialog(buf, area, titles, ink.accent, ink);
    let mut line = Strip::new(buf, inner, 0);
    line.put(":", bold(ink.accent)).gap(1);
    tail(typed, &mut line, bold(ink.text));
    line.put("█", ink.accent);
    let body = Rect {
        y: inner.y + 1,
        height: inner.height.saturating_sub(2),
        ..inner
    };
    let scroll = (selected + 1).saturating_sub(usize::from(body.height));
    let beyond = sheet(buf, body, scroll, |sheet| {
        if found.is_empty() {
            sheet.wrapped(0, "no command is called so", ink.dim);
        }
        sheet.many(found.len(), |nth, line| {
            let Some(spec) = found.get(nth) else { return };
            if nth == selected {
                line.ground(ink.selection).put("▌", ink.accent);
            }
            line.to(2).put(spec.name, bold(ink.text)).to(18);
            line.put(keys.first(spec.command).unwrap_or_default(), ink.accent)
                .to(26);
            line.put(spec.words, ink.dim);
        });
    });
    pane::beyond(buf, area, beyond, ink);
    last_line(&[("Enter", "does it"), ("Esc", "leaves")], inner, buf, ink);
}
