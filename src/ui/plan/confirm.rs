//! The bottom of a plan's dialog: what confirms it, what has been typed, why a key did nothing, and the keys.

use ratatui::style::Style;

use super::{
    super::{
        ink::{Ink, bold},
        input::{keys, tail},
        strip::{Sheet, Strip},
        words::does,
    },
    hides_something,
};
use crate::{
    app::{
        dialog::{Dialog, Field, Stage},
        state::State,
    },
    model::text::spelled,
    ops::{
        ceremony::Ceremony,
        guard::{Decision, GuardAnswer},
        intent::Verb,
        plan::{Plan, Risk},
    },
};

/// What stays at the bottom: the confirming line, what is typed, why a key did nothing, and the keys.
pub(super) fn confirm(
    state: &State,
    dialog: &Dialog,
    roomy: bool,
    sheet: &mut Sheet<'_>,
    ink: &Ink,
) {
    match &dialog.stage {
        Stage::Reading => keys(&[("Esc", "leaves")], sheet, ink),
        Stage::Refused(_) | Stage::Dead { .. } => {
            keys(&[("r", "reads again"), ("Esc", "leaves")], sheet, ink);
        }
        Stage::Ready { plan, guards } => {
            ceremony_lines(state, dialog, plan, guards, sheet, ink);
            let hint = dialog.hint.as_deref();
            if roomy {
                sheet.blank();
                match hint {
                    Some(hint) => sheet.line(|line| {
                        line.put(hint, ink.waiting);
                    }),
                    None if dialog.intent.verb == Verb::Promote => sheet.line(|line| {
                        line.put(
                            "Ctrl-f all the way instead: skips what is left, asks for more",
                            ink.ghost,
                        );
                    }),
                    None => sheet.blank(),
                }
                sheet.blank();
                ready_keys(dialog, plan, sheet, ink);
                sheet.blank();
            } else {
                match hint {
                    Some(hint) => sheet.line(|line| {
                        line.put(hint, ink.waiting);
                    }),
                    None => ready_keys(dialog, plan, sheet, ink),
                }
            }
        }
    }
}

fn ceremony_lines(
    state: &State,
    dialog: &Dialog,
    plan: &Plan,
    guards: &[GuardAnswer],
    sheet: &mut Sheet<'_>,
    ink: &Ink,
) {
    let denied = guards.iter().find(|guard| guard.answer == Decision::Deny);
    if let Some(denied) = denied {
        let words = format!("cannot be sent: {}", denied.because);
        sheet.labelled(("✖", ink.bad), 2, &words, bold(ink.text));
        return;
    }
    let Some(ceremony) = dialog.ceremony() else {
        return;
    };
    let typing = !dialog.typed.is_empty() || !dialog.reason.is_empty();
    let listens = typing || dialog.listens(state.now);
    let quiet = |style: Style| if listens { style } else { ink.ghost };
    let verb = dialog.intent.verb;
    match &ceremony {
        Ceremony::Yes => sheet.line(|line| {
            line.put("Y", quiet(bold(ink.accent)))
                .gap(1)
                .put(does(verb), quiet(ink.text));
            if verb.is_emergency() {
                line.gap(6).put("the reason is asked afterwards", ink.dim);
            }
        }),
        Ceremony::Environment { text, .. } => {
            let text = spelled(text);
            let words = format!("Type {text} to {}:", what_typing_does(plan, guards, verb));
            sheet.wrapped(0, &words, quiet(ink.text));
            input(&dialog.typed, ">", true, listens, sheet, ink);
        }
        Ceremony::Target { text } => {
            let text = spelled(text);
            let words = format!(
                "Type {text} to {}, and why:",
                what_typing_does(plan, guards, verb)
            );
            sheet.wrapped(0, &words, quiet(ink.text));
            let typed = dialog.field == Field::Typed;
            input(&dialog.typed, ">", typed, listens, sheet, ink);
            input(&dialog.reason, "why", !typed, listens, sheet, ink);
        }
    }
}

fn what_typing_does(plan: &Plan, guards: &[GuardAnswer], verb: Verb) -> String {
    let skips = plan
        .risks
        .iter()
        .any(|risk| matches!(risk, Risk::SkipsStep { .. }));
    let does = if skips { "skip the step" } else { verb.title() };
    let warned = guards.iter().any(|guard| guard.answer > Decision::Allow);
    format!("{does}{}", if warned { " all the same" } else { "" })
}

fn input(text: &str, label: &str, here: bool, listens: bool, sheet: &mut Sheet<'_>, ink: &Ink) {
    let (mark, style, cursor) = if listens {
        (bold(ink.accent), bold(ink.text), ink.accent)
    } else {
        (ink.ghost, ink.ghost, ink.ghost)
    };
    sheet.line(|line| {
        line.put(label, if here { mark } else { ink.ghost }).gap(1);
        tail(text, line, style);
        if here {
            line.put("█", cursor);
        }
    });
}

fn ready_keys(dialog: &Dialog, plan: &Plan, sheet: &mut Sheet<'_>, ink: &Ink) {
    let typed = matches!(
        dialog.ceremony(),
        Some(Ceremony::Environment { .. } | Ceremony::Target { .. })
    );
    let copies = if plan.same_as.len() > 1 {
        "copies the commands"
    } else {
        "copies the command"
    };
    let hides = hides_something(&plan.differs);
    sheet.line(|line| {
        let narrow = line.left() < 70;
        let leaves = |line: &mut Strip<'_>| {
            line.put("Esc", bold(ink.accent))
                .put(" leaves", ink.text)
                .gap(4);
        };
        if typed && !narrow {
            line.put("Enter sends when complete", ink.ghost).gap(4);
        }
        if narrow {
            leaves(line);
        }
        line.put("Ctrl-y", bold(ink.accent)).gap(1);
        line.put(if narrow { "copies" } else { copies }, ink.text)
            .gap(4);
        if !narrow {
            leaves(line);
        }
        if hides && line.left() > 14 {
            let does = if dialog.reveal {
                " hides values"
            } else {
                " shows values"
            };
            line.put("Ctrl-r", bold(ink.accent)).put(does, ink.text);
        }
    });
}
