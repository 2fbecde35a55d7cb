//! The small dialogs: arming, the reason after an emergency, leaving with something unobserved, and intents of earlier
//! sessions that never got an outcome.

use jiff::Timestamp;
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    ink::{Ink, bold},
    input::{keys, tail},
    pane::{self, Titles},
    strip::{Sheet, lines_of, sheet},
    words::{self, action_words},
};
use crate::{
    app::{actions::LineState, dialog::SILENCE, state::State},
    model::{id::EnvironmentName, source::Tier},
};

struct Small<'a> {
    title: &'a str,
    right: &'a str,
    border: Style,
}

fn small(
    head: &Small<'_>,
    screen: Rect,
    buf: &mut Buffer,
    ink: &Ink,
    content: impl Fn(&mut Sheet<'_>),
    last: impl Fn(&mut Sheet<'_>),
) {
    let columns = if screen.width >= 100 {
        80
    } else {
        screen.width
    };
    let inside = pane::inside(screen, columns);
    let wanted = lines_of(buf, inside, &content);
    let fixed = lines_of(buf, inside, &last);
    let rows = u16::try_from(wanted + fixed + 3).unwrap_or(u16::MAX);
    let area = pane::place(screen, columns, rows);
    let inner = pane::dialog(
        buf,
        area,
        Titles::new(head.title, head.right),
        head.border,
        ink,
    );
    // What is asked stays on the screen; what explains it may be cut.
    let fixed = u16::try_from(fixed).unwrap_or(u16::MAX).min(inner.height);
    let top = Rect {
        height: inner.height - fixed,
        ..inner
    };
    let bottom = Rect {
        y: inner.y + top.height,
        height: fixed,
        ..inner
    };
    sheet(buf, top, 0, &content);
    sheet(buf, bottom, 0, &last);
}

pub(super) fn arm(
    state: &State,
    name: &EnvironmentName,
    shown: Option<Timestamp>,
    screen: Rect,
    buf: &mut Buffer,
    ink: &Ink,
) {
    let title = format!("Arm {name}");
    let minutes = state.session.armed_minutes;
    let tier = state
        .environments
        .get(name)
        .map_or(Tier::Prod, |environment| environment.tier);
    let who = state
        .environments
        .get(name)
        .and_then(|environment| environment.who.as_ref());
    let listens = shown.is_some_and(|shown| state.now.duration_since(shown) >= SILENCE);
    let head = Small {
        title: &title,
        right: tier.word(),
        border: ink.waiting,
    };
    small(
        &head,
        screen,
        buf,
        ink,
        |sheet| {
            let words = format!(
                "Keys that act will lead to plans that can be sent to {name}, each with its own ceremony, until {minutes} minutes have passed without a key."
            );
            sheet.wrapped(0, &words, ink.text);
            if let Some(who) = who {
                sheet.wrapped(0, &format!("Everything is done as {}.", who.name), ink.dim);
            }
            sheet.blank();
        },
        |sheet| {
            let quiet = |style| if listens { style } else { ink.ghost };
            sheet.line(|line| {
                line.put("Y", quiet(bold(ink.accent))).gap(1);
                line.put("arms ", quiet(ink.text))
                    .put(name.as_str(), quiet(bold(ink.text)))
                    .gap(4);
                line.put("Esc", bold(ink.accent))
                    .put(" leaves it read-only", ink.text);
            });
        },
    );
}

pub(super) fn reason(title: &str, typed: &str, screen: Rect, buf: &mut Buffer, ink: &Ink) {
    let head = Small {
        title: "Why",
        right: "",
        border: ink.accent,
    };
    small(
        &head,
        screen,
        buf,
        ink,
        |sheet| {
            sheet.wrapped(0, &format!("{title}: sent. Why was it done?"), ink.text);
            sheet.wrapped(
                0,
                "The answer goes into the audit log; the object does not show it.",
                ink.dim,
            );
            sheet.blank();
        },
        |sheet| {
            sheet.line(|line| {
                line.put(">", bold(ink.accent)).gap(1);
                tail(typed, line, bold(ink.text));
                line.put("█", ink.accent);
            });
            keys(
                &[("Enter", "records it"), ("Esc", "leaves it without")],
                sheet,
                ink,
            );
        },
    );
}

pub(super) fn leaving(state: &State, screen: Rect, buf: &mut Buffer, ink: &Ink) {
    let head = Small {
        title: "Something is under way",
        right: "",
        border: ink.waiting,
    };
    small(
        &head,
        screen,
        buf,
        ink,
        |sheet| {
            for line in &state.actions.lines {
                if matches!(line.state, LineState::UnderWay { .. }) {
                    let words = format!(
                        "{} in {}: {}",
                        line.title,
                        line.target.environment(),
                        action_words(line)
                    );
                    sheet.labelled(("▸", ink.moving), 2, &words, ink.text);
                }
            }
            sheet.wrapped(0, "Leaving now finishes it unseen: 30 s at most, and its outcome is only in the audit log.", ink.dim);
            sheet.blank();
        },
        |sheet| {
            keys(
                &[
                    ("w", "waits for it, then leaves"),
                    ("Y", "leaves now"),
                    ("Esc", "stays"),
                ],
                sheet,
                ink,
            );
        },
    );
}

pub(super) fn open_intents(state: &State, screen: Rect, buf: &mut Buffer, ink: &Ink) {
    let head = Small {
        title: "Without an outcome",
        right: "from an earlier session",
        border: ink.waiting,
    };
    small(
        &head,
        screen,
        buf,
        ink,
        |sheet| {
            sheet.wrapped(
                0,
                "These were begun and the audit log does not say how they ended. Look at each release before you act on it.",
                ink.text,
            );
            sheet.blank();
            for intent in &state.session.open_intents {
                let at = intent
                    .at
                    .map_or_else(String::new, |at| words::clock_time(state, at));
                sheet.labelled(
                    ("?", ink.waiting),
                    2,
                    &format!("{at}  {}  {}", intent.words, intent.id),
                    ink.text,
                );
            }
        },
        |sheet| {
            keys(
                &[("Enter", "later"), ("Y", "looked at: do not say it again")],
                sheet,
                ink,
            );
        },
    );
}
