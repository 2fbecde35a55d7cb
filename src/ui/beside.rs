//! The overlays about what is beside the rollout: which gate, what changed, the form of a silence.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    ink::{Ink, bold},
    input::{key_line, tail},
    pane::{self, Titles},
    strip::{Broken, Sheet, Strip, lines_of, sheet},
    told::gate_words,
    words::{self, short_time},
};
use crate::{
    app::{
        changed::{ChangedBefore, Opens},
        state::{ChangedOverlay, SilenceForm, State},
    },
    model::{release::duration_words, text::sanitise},
    ops::{intent::Verb, subject::GateSubject},
};

/// Alerts listed in the preview of a silence.
const LISTED: usize = 8;
const HEADING: &str = "alerts with all of these labels are told to nobody:";

/// A dialog with a list in it of which the selected line is on the screen, and its keys in the last line.
struct ListDialog<'a> {
    titles: Titles<'a>,
    keys: &'a [(&'a str, &'a str)],
    /// Lines from the top to the end of the selected one.
    selected_ends: usize,
}

impl ListDialog<'_> {
    fn draw(&self, screen: Rect, buf: &mut Buffer, ink: &Ink, content: impl Fn(&mut Sheet<'_>)) {
        let columns = columns(screen);
        let wanted = lines_of(buf, pane::inside(screen, columns), &content);
        let rows = u16::try_from(wanted + 4).unwrap_or(u16::MAX);
        let area = pane::place(screen, columns, rows);
        let inner = pane::dialog(buf, area, self.titles, ink.accent, ink);
        let foot = if inner.height >= 6 { 2 } else { 1 };
        let body = Rect {
            height: inner.height.saturating_sub(foot),
            ..inner
        };
        let scroll = self.selected_ends.saturating_sub(usize::from(body.height));
        let beyond = sheet(buf, body, scroll, &content);
        pane::beyond(buf, area, beyond, ink);
        if let Some(y) = inner.height.checked_sub(1) {
            key_line(self.keys, &mut Strip::new(buf, inner, y), ink);
        }
    }
}

const fn columns(screen: Rect) -> u16 {
    if screen.width >= 100 {
        90
    } else {
        screen.width
    }
}

pub(super) fn choose_gate(
    state: &State,
    verb: Verb,
    gates: &[GateSubject],
    selected: usize,
    screen: Rect,
    buf: &mut Buffer,
    ink: &Ink,
) {
    let title = format!("Which gate to {}", verb.title());
    let count = words::count(gates.len(), "gate");
    let dialog = ListDialog {
        titles: Titles::new(&title, &count),
        keys: &[
            ("Enter", "opens its plan"),
            ("j k", "move"),
            ("Esc", "leaves"),
        ],
        selected_ends: 2 * (selected.min(gates.len()) + 1),
    };
    dialog.draw(screen, buf, ink, |sheet| {
        for (nth, gate) in gates.iter().enumerate() {
            one_gate(state, gate, nth == selected, sheet, ink);
        }
    });
}

fn one_gate(
    state: &State,
    subject: &GateSubject,
    selected: bool,
    sheet: &mut Sheet<'_>,
    ink: &Ink,
) {
    let gate = &subject.gate;
    let waiting = state.beside.gate(gate);
    sheet.line(|line| {
        if selected {
            line.ground(ink.selection).put("▌", ink.accent);
        }
        line.to(2).put("◆ ", ink.waiting);
        let room = line.left() / 3;
        line.name(&gate.environment, room, bold(ink.text)).gap(2);
        match waiting {
            Some(waiting) => {
                line.put(&gate_words(state, &waiting.gate), ink.waiting);
                if let Some(since) = waiting.since {
                    line.gap(1).put(&words::age(state, since), ink.dim);
                }
            }
            None => {
                line.put("waits no more", ink.dim);
            }
        }
    });
    sheet.line(|line| {
        let number = waiting.map_or(gate.run.number, |waiting| waiting.run.number);
        line.gap(4)
            .put(gate.run.repository.as_str(), ink.dim)
            .put(&format!(" #{number}"), ink.dim);
        if gate.attempt > 1 {
            line.put(&format!(" attempt {}", gate.attempt), ink.dim);
        }
        line.gap(2).put(gate.commit.short(), ink.ghost);
        if let Some(waiting) = waiting {
            line.gap(2).put(&waiting.run.title, ink.dim);
        }
    });
}

pub(super) fn changed(
    state: &State,
    changed: &ChangedOverlay,
    screen: Rect,
    buf: &mut Buffer,
    ink: &Ink,
) {
    let count = match changed.list.len() {
        0 => String::new(),
        many => format!("{many} within 6 hours"),
    };
    let dialog = ListDialog {
        titles: Titles::new(&changed.title, &count),
        keys: &[("Enter", "opens it"), ("j k", "move"), ("Esc", "leaves")],
        selected_ends: changed.selected.min(changed.list.len()) + 1,
    };
    let before = changed.title.starts_with("What changed before");
    dialog.draw(screen, buf, ink, |sheet| {
        if changed.list.is_empty() {
            let words = "nothing that is known here changed in the 6 hours before";
            sheet.wrapped(0, words, ink.dim);
        }
        sheet.many(changed.list.len(), |nth, line| {
            if let Some(entry) = changed.list.get(nth) {
                one_change(state, entry, nth == changed.selected, before, line, ink);
            }
        });
    });
}

fn one_change(
    state: &State,
    entry: &ChangedBefore,
    selected: bool,
    before: bool,
    line: &mut Strip<'_>,
    ink: &Ink,
) {
    if selected {
        line.ground(ink.selection).put("▌", ink.accent);
    }
    let time = short_time(state, entry.at);
    line.to(2).put(&time, ink.ghost).gap(2);
    let between = duration_words(entry.before.as_secs());
    let between = format!("{between:>5} {}", if before { "before" } else { "ago" });
    line.put(&between, ink.dim).gap(2);
    let style = if entry.own { ink.waiting } else { ink.text };
    if entry.opens != Opens::Nothing && selected && line.left() > 30 {
        line.right("Enter opens it", ink.ghost);
    }
    // Made of texts of several sources, each of which was looked at when it came in.
    line.put(&entry.what, style);
}

pub(super) fn silence(
    state: &State,
    form: &SilenceForm,
    screen: Rect,
    buf: &mut Buffer,
    ink: &Ink,
) {
    let title = format!("Silence {}", &*form.title);
    let room = usize::from(pane::inside(screen, columns(screen)).max(1));
    let heading = Broken::new(HEADING, room).count();
    // A blank line is between the labels and what follows them.
    let blank = usize::from(form.selected >= form.labels.len());
    let selected_ends = heading + form.selected.min(form.labels.len() + 1) + 1 + blank;
    let dialog = ListDialog {
        titles: Titles::new(&title, form.environment.as_str()),
        keys: &[
            ("space", "marks"),
            ("h l", "shorter, longer"),
            ("Enter", "opens its plan"),
            ("Esc", "leaves"),
        ],
        selected_ends,
    };
    dialog.draw(screen, buf, ink, |sheet| {
        form_lines(state, form, sheet, ink);
    });
}

fn form_lines(state: &State, form: &SilenceForm, sheet: &mut Sheet<'_>, ink: &Ink) {
    sheet.wrapped(0, HEADING, ink.dim);
    for (nth, (matcher, on)) in form.labels.iter().enumerate() {
        sheet.line(|line| {
            field(form.selected == nth, line, ink);
            let (mark, text) = if *on {
                ("[x] ", bold(ink.text))
            } else {
                ("[ ] ", ink.dim)
            };
            line.put(mark, text);
            let room = line.left() / 3;
            line.name(&sanitise(&matcher.name), room, text)
                .put(" = ", ink.ghost);
            let room = line.left();
            line.name(&sanitise(&matcher.value), room, text);
        });
    }
    sheet.blank();
    let minutes = duration_words(form.minutes.saturating_mul(60));
    let end = state
        .now
        .checked_add(jiff::SignedDuration::from_mins(form.minutes))
        .map_or_else(
            |_| String::new(),
            |end| format!("until {}", short_time(state, end)),
        );
    sheet.line(|line| {
        field(form.selected == form.labels.len(), line, ink);
        line.put("for     ", ink.dim)
            .put(&minutes, bold(ink.text))
            .gap(2)
            .put(&end, ink.dim);
    });
    sheet.line(|line| {
        let here = form.selected > form.labels.len();
        field(here, line, ink);
        line.put("because ", ink.dim);
        // Typed or pasted, and shown as what it will be.
        let comment = sanitise(&form.comment);
        tail(&comment, line, bold(ink.text));
        if here {
            line.put("█", ink.accent);
        }
    });
    sheet.blank();
    preview(form, sheet, ink);
}

fn preview(form: &SilenceForm, sheet: &mut Sheet<'_>, ink: &Ink) {
    if form.labels.iter().all(|(_, on)| !on) {
        let words = "without a label it would match everything: mark one";
        sheet.labelled(("▲", ink.waiting), 2, words, bold(ink.text));
        return;
    }
    let (words, style): (String, Style) = match form.matches.len() {
        0 => ("no alert of now would be silent".to_owned(), ink.waiting),
        1 => ("1 alert of now would be silent:".to_owned(), ink.text),
        many => (format!("{many} alerts of now would be silent:"), ink.text),
    };
    sheet.wrapped(0, &words, bold(style));
    for title in form.matches.iter().take(LISTED) {
        sheet.line(|line| {
            line.gap(2).put(title, ink.text);
        });
    }
    let more = form.matches.len().saturating_sub(LISTED);
    if more > 0 {
        sheet.wrapped(2, &format!("and {more} more"), ink.dim);
    }
}

fn field(here: bool, line: &mut Strip<'_>, ink: &Ink) {
    if here {
        line.ground(ink.selection).put("▌", ink.accent);
    }
    line.to(2);
}
