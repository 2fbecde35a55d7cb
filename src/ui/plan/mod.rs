//! The dialog of a plan: everything that would be sent, every guard with its sentence, and the ceremony. The confirming
//! line is always on the screen, whatever the size and however far one has scrolled; while the dialog does not listen
//! yet it is grey and nothing moves.

mod confirm;

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    ink::{Ink, bold},
    pane::{self, Titles},
    strip::{Sheet, lines_of, sheet},
    words::decision_mark,
};
use crate::{
    app::{
        dialog::{Dialog, READS_EVERY, Stage},
        state::State,
    },
    model::{
        detail::{Difference, Shown},
        text::{sanitise, spelled, width},
    },
    ops::{
        guard::{Decision, GuardAnswer},
        plan::{Plan, Refusal, RefusalKind, Sending, When},
    },
};

/// Where values begin beside their labels.
const LABEL: u16 = 11;

/// A label and its value; in a narrow dialog the value follows its label at once.
fn fact(sheet: &mut Sheet<'_>, label: &str, value: &str, style: Style, ink: &Ink) {
    let column = if sheet.width() < 50 {
        u16::try_from(width(label) + 1).unwrap_or(LABEL)
    } else {
        LABEL
    };
    sheet.labelled((label, ink.dim), column, value, style);
}

pub(super) fn draw(state: &State, dialog: &Dialog, screen: Rect, buf: &mut Buffer, ink: &Ink) {
    let roomy = screen.width >= 100 && screen.height >= 30;
    let columns = if roomy { 90 } else { screen.width };
    let inside = pane::inside(screen, columns);
    let tight = screen.height < 20;
    let content = |sheet: &mut Sheet<'_>| content(dialog, roomy, tight, sheet, ink);
    let title = title(dialog);
    let confirm = |sheet: &mut Sheet<'_>| {
        // What the border cuts off may be all that tells two targets apart.
        if width(&title) > usize::from(sheet.width()) {
            sheet.wrapped(0, &title, bold(ink.text));
        }
        confirm::confirm(state, dialog, roomy, sheet, ink);
    };
    let wanted = lines_of(buf, inside, content);
    let fixed = lines_of(buf, inside, confirm);
    let rows = u16::try_from(wanted + fixed + 2).unwrap_or(u16::MAX);
    let area = pane::place(screen, columns, rows);
    let emergency = dialog.intent.verb.is_emergency();
    let note = note(state, dialog);
    let border = if emergency { ink.bad } else { ink.accent };
    let inner = pane::dialog(buf, area, Titles::new(&title, &note), border, ink);
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
    let beyond = sheet(buf, top, usize::from(dialog.scroll), content);
    sheet(buf, bottom, 0, confirm);
    pane::beyond(buf, area, beyond, ink);
}

fn title(dialog: &Dialog) -> String {
    let target = dialog.target();
    let mut title = match &dialog.stage {
        Stage::Ready { plan, .. } => plan.title.clone(),
        Stage::Reading | Stage::Refused(_) | Stage::Dead { .. } => {
            let mut words = dialog.intent.verb.title().to_owned();
            if let Some(first) = words.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            format!("{words} {}", target.name())
        }
    };
    if !title.contains(target.environment().as_str()) {
        title.push_str(" in ");
        title.push_str(target.environment().as_str());
    }
    // A name of spaces and things that take no cell would look like another one.
    spelled(&title).into_owned()
}

/// How long it stays.
fn note(state: &State, dialog: &Dialog) -> String {
    if !matches!(dialog.stage, Stage::Ready { .. }) {
        return String::new();
    }
    match dialog.expires() {
        Some(expires) => {
            let left = expires.duration_since(state.now).as_secs().max(0);
            format!("expires in {left} s")
        }
        None => format!("stays open, reads again every {} s", READS_EVERY.as_secs()),
    }
}

fn content(dialog: &Dialog, roomy: bool, tight: bool, sheet: &mut Sheet<'_>, ink: &Ink) {
    let air = |sheet: &mut Sheet<'_>| {
        if roomy {
            sheet.blank();
        }
    };
    air(sheet);
    match &dialog.stage {
        Stage::Reading => {
            let target = dialog.target();
            let words = match target.release() {
                Some(id) => format!(
                    "reading {} {} in {} of {}",
                    id.kind.vendor(),
                    id.name,
                    id.namespace,
                    id.environment
                ),
                None => format!("reading {} of {}", target.name(), target.environment()),
            };
            sheet.wrapped(0, &words, ink.dim);
        }
        Stage::Refused(refusal) => refused(refusal, sheet, ink),
        Stage::Dead { why } => {
            sheet.line(|line| {
                line.put("✖ ", ink.bad)
                    .put("no longer true, nothing was sent", bold(ink.bad));
            });
            sheet.wrapped(2, why, ink.text);
        }
        Stage::Ready { plan, guards } => {
            what_happens(plan, sheet, ink);
            air(sheet);
            // Where most of it has to be scrolled to, what warns comes before what would be sent.
            let (first, last): (Vec<_>, Vec<_>) = guards
                .iter()
                .partition(|guard| tight && guard.answer > Decision::Allow);
            for guard in first {
                one_guard(guard, sheet, ink);
            }
            what_is_sent(plan, sheet, ink);
            consequences(plan, guards, dialog.reveal, sheet, ink);
            air(sheet);
            for guard in last {
                one_guard(guard, sheet, ink);
            }
        }
    }
    air(sheet);
}

fn refused(refusal: &Refusal, sheet: &mut Sheet<'_>, ink: &Ink) {
    let words = match refusal.kind {
        RefusalKind::Guard => "refused, nothing was sent",
        RefusalKind::NotFound => "not there, nothing was sent",
        RefusalKind::Unreachable => "it could not be read, nothing is known and nothing was sent",
    };
    sheet.wrapped(0, words, bold(ink.text));
    for because in &refusal.because {
        sheet.labelled(("✖", ink.bad), 2, because, ink.text);
    }
}

fn what_happens(plan: &Plan, sheet: &mut Sheet<'_>, ink: &Ink) {
    let (from, to) = (plan.change.from(), plan.change.to());
    let change = (from != to).then(|| format!("{from} → {to}"));
    let room = usize::from(sheet.width());
    let beside = change
        .as_ref()
        .is_some_and(|change| 6 + width(&plan.next) + 4 + width(change) <= room);
    if beside {
        sheet.line(|line| {
            line.put("next", ink.dim)
                .to(6)
                .put(&plan.next, bold(ink.text));
            line.gap(4)
                .put(change.as_deref().unwrap_or_default(), ink.dim);
        });
        return;
    }
    sheet.labelled(("next", ink.dim), 6, &plan.next, bold(ink.text));
    if let Some(change) = change {
        sheet.labelled(("", ink.dim), 6, &change, ink.dim);
    }
}

/// `…/rollouts/checkout/status`: the environment and the namespace are said elsewhere, and the rest tells what is changed.
fn short_path(path: &str) -> String {
    let rest = path
        .split_once("/namespaces/")
        .and_then(|(_, rest)| rest.split_once('/'))
        .map(|(_, rest)| rest);
    match rest {
        Some(rest) => format!("…/{rest}"),
        None => path.to_owned(),
    }
}

fn what_is_sent(plan: &Plan, sheet: &mut Sheet<'_>, ink: &Ink) {
    let many = plan.sends.len() > 1;
    for (nth, sending) in plan.sends.iter().enumerate() {
        let label = if many {
            format!("sends {}", nth + 1)
        } else {
            "sends".to_owned()
        };
        one_sending(plan, sending, nth, &label, sheet, ink);
    }
    for (nth, command) in plan.same_as.iter().enumerate() {
        let label = if nth == 0 { "same as" } else { "" };
        fact(sheet, label, command, ink.dim, ink);
    }
}

fn one_sending(
    plan: &Plan,
    sending: &Sending,
    nth: usize,
    label: &str,
    sheet: &mut Sheet<'_>,
    ink: &Ink,
) {
    let mut label = label;
    if let When::CurrentIs { words, .. } = &sending.when {
        fact(
            sheet,
            label,
            &format!("once {}:", words.trim_start_matches("once ")),
            ink.text,
            ink,
        );
        label = "";
    }
    let request = format!("{} {}", sending.method, short_path(&sending.path));
    // A request without a body is said to have none by saying nothing: `null` would look like one.
    let body = match &sending.says {
        Some(says) => Some(says.clone()),
        None => {
            (!sending.shown.is_null()).then(|| sanitise(&sending.shown.to_string()).to_string())
        }
    };
    // A template that a `workloadRef` names has a version of its own; what follows rests on what was observed before.
    let version = match &sending.holder_version {
        Some(version) => Some(version),
        None => (nth == 0).then_some(&plan.target.version),
    };
    // A gate, a run or a silence has no version that a request could be held to.
    let only = if plan.intent.target.release().is_none() {
        Some("re-read and compared just before it is sent".to_owned())
    } else {
        version.map(|version| format!("only if still at version {version}"))
    };
    let room = usize::from(sheet.width().saturating_sub(LABEL));
    // Request, body and condition, in this order, in as few lines as they fit into.
    let mut packed: Vec<String> = Vec::with_capacity(3);
    for part in [Some(request), body, only].into_iter().flatten() {
        match packed.last_mut() {
            Some(line) if width(line) + 3 + width(&part) <= room => {
                line.push_str("   ");
                line.push_str(&part);
            }
            _ => packed.push(part),
        }
    }
    for line in &packed {
        fact(sheet, label, line, ink.text, ink);
        label = "";
    }
}

fn consequences(
    plan: &Plan,
    guards: &[GuardAnswer],
    reveal: bool,
    sheet: &mut Sheet<'_>,
    ink: &Ink,
) {
    if let Some(skips) = &plan.skips {
        fact(sheet, "skips", skips, ink.text, ink);
    }
    fact(sheet, "way back", &plan.way_back, ink.text, ink);
    if let Some(git) = &plan.git {
        let undoes = guards
            .iter()
            .any(|guard| guard.name == "gitops" && guard.answer > Decision::Allow);
        let style = if undoes { ink.waiting } else { ink.dim };
        fact(sheet, "git", git, style, ink);
    }
    for (nth, what) in plan.not_undone.iter().enumerate() {
        let label = if nth == 0 { "not undone" } else { "" };
        fact(sheet, label, what, ink.waiting, ink);
    }
    for (nth, difference) in plan.differs.iter().enumerate() {
        let label = if nth == 0 { "changes" } else { "" };
        fact(
            sheet,
            label,
            &difference_words(difference, reveal),
            ink.text,
            ink,
        );
    }
    fact(sheet, "expect", &plan.expect, ink.text, ink);
    if let Some(note) = &plan.note {
        let words = format!("{note} (a Kubernetes Event, best effort)");
        fact(sheet, "note", &words, ink.dim, ink);
    }
}

/// A difference, with the values of environment variables only where they were asked for.
pub(super) fn difference_words(difference: &Difference, reveal: bool) -> String {
    if !reveal {
        return difference.words();
    }
    let path = &*difference.path;
    let side = |shown: &Option<Shown>| match shown {
        Some(shown) => shown.revealed().to_owned(),
        None => "(none)".to_owned(),
    };
    format!(
        "{path} {} → {}",
        side(&difference.from),
        side(&difference.to)
    )
}

pub(super) fn hides_something(differences: &[Difference]) -> bool {
    differences.iter().any(|difference| {
        matches!(difference.from, Some(Shown::Hidden(_)))
            || matches!(difference.to, Some(Shown::Hidden(_)))
    })
}

fn one_guard(guard: &GuardAnswer, sheet: &mut Sheet<'_>, ink: &Ink) {
    let style = match guard.answer {
        Decision::Allow => ink.dim,
        Decision::Warn | Decision::Strongest | Decision::Deny => ink.text,
    };
    let mark = (decision_mark(guard.answer), ink.decision(guard.answer));
    sheet.labelled(mark, 2, &guard.because, style);
}
