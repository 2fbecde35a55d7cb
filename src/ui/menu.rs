//! Every verb for one release, with the vendor's word, and every reason why one is refused: nothing is hidden because it
//! cannot be done now.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    ink::{Ink, bold},
    input::keys,
    pane::{self, Titles},
    strip::{Sheet, lines_of, sheet},
};
use crate::{
    app::{
        command::{self, Command},
        keymap::Keymap,
        state::State,
    },
    model::{id::ReleaseId, text::width},
    ops::{
        guard::Arming,
        intent::Verb,
        offer::{Because, Offer},
    },
};

/// Where the reasons begin.
const REASONS: u16 = 20;

pub(super) fn draw(
    state: &State,
    target: &ReleaseId,
    selected: usize,
    screen: Rect,
    buf: &mut Buffer,
    ink: &Ink,
) {
    let offers = offers(state, target);
    let before = before_all(state, target);
    let columns = if screen.width >= 100 {
        90
    } else {
        screen.width
    };
    let content = |sheet: &mut Sheet<'_>| {
        preface(&before, sheet, ink);
        for (nth, offer) in offers.iter().enumerate() {
            heading(&offers, nth, sheet, ink);
            one(
                &state.session.keys,
                offer,
                target,
                nth == selected,
                sheet,
                ink,
            );
        }
        if offers.is_empty() {
            sheet.wrapped(0, "it is gone", ink.waiting);
        }
    };
    let wanted = lines_of(buf, pane::inside(screen, columns), content);
    let rows = u16::try_from(wanted + 5).unwrap_or(u16::MAX);
    let area = pane::place(screen, columns, rows);
    let title = format!("{} in {}", target.name, target.environment);
    let titles = Titles::new(&title, target.kind.vendor());
    let inner = pane::dialog(buf, area, titles, ink.accent, ink);
    let foot = if inner.height >= 6 { 2 } else { 1 };
    let body = Rect {
        height: inner.height.saturating_sub(foot),
        ..inner
    };
    // Scrolled just so far that the selected verb and its reasons are seen.
    let end = lines_of(buf, inner.width, |sheet| {
        preface(&before, sheet, ink);
        for (nth, offer) in offers.iter().enumerate().take(selected + 1) {
            heading(&offers, nth, sheet, ink);
            one(&state.session.keys, offer, target, false, sheet, ink);
        }
    });
    let scroll = end.saturating_sub(usize::from(body.height));
    let beyond = sheet(buf, body, scroll, content);
    pane::beyond(buf, area, beyond, ink);
    let last = Rect {
        y: inner.y + body.height + foot - 1,
        height: 1,
        ..inner
    }
    .intersection(inner);
    sheet(buf, last, 0, |sheet| {
        keys(
            &[
                ("Enter", "opens its plan"),
                ("j k", "move"),
                ("Esc", "leaves"),
            ],
            sheet,
            ink,
        );
    });
}

/// Every verb of the menu with the reasons against it, but for those that are said once for all of them.
fn offers(state: &State, target: &ReleaseId) -> Vec<Offer> {
    if state.releases.find(target).is_none() {
        return Vec::new();
    }
    let mut offers: Vec<Offer> = state
        .menu_verbs()
        .into_iter()
        .map(|verb| state.offer(verb, target))
        .collect();
    for offer in &mut offers {
        offer
            .because
            .retain(|because| !matches!(because, Because::ReadOnly(_) | Because::Source(_)));
    }
    offers
}

/// What a verb is about.
const fn about(verb: Verb) -> &'static str {
    match verb {
        Verb::Approve | Verb::Reject | Verb::Cancel | Verb::Rerun | Verb::RerunFailed => "Pipeline",
        Verb::Silence | Verb::Expire => "Alerts",
        Verb::BackOut
        | Verb::Pause
        | Verb::Resume
        | Verb::Promote
        | Verb::PromoteFull
        | Verb::Abort
        | Verb::Retry
        | Verb::Rollback
        | Verb::Restart => "Rollout",
    }
}

/// Before the first verb of a group, where there is more than one group.
fn heading(offers: &[Offer], nth: usize, sheet: &mut Sheet<'_>, ink: &Ink) {
    let about_of = |nth: usize| offers.get(nth).map(|offer| about(offer.verb));
    let several = about_of(0) != about_of(offers.len().saturating_sub(1));
    let begins = nth == 0 || about_of(nth) != about_of(nth.wrapping_sub(1));
    if !several || !begins {
        return;
    }
    if nth > 0 {
        sheet.blank();
    }
    sheet.line(|line| {
        line.gap(2)
            .put(about_of(nth).unwrap_or_default(), bold(ink.dim));
    });
}

/// What stands before every verb alike, said once.
fn before_all(state: &State, target: &ReleaseId) -> Vec<String> {
    let mut words = Vec::with_capacity(2);
    let Some(environment) = state.environment_of(target) else {
        return words;
    };
    if !environment.is_fresh() {
        words.push(format!(
            "{} is {}: what is shown may be old, only emergencies can be sent",
            environment.name,
            environment.health.state.word()
        ));
    }
    match &environment.arming {
        Arming::Armed { .. } => {}
        Arming::ReadOnly => words.push(format!(
            "read-only: W arms {}; until then every plan is a preview",
            environment.name
        )),
        Arming::Forbidden { because } => {
            words.push(format!("every plan is a preview: {because}"));
        }
    }
    words
}

fn preface(before: &[String], sheet: &mut Sheet<'_>, ink: &Ink) {
    for words in before {
        sheet.labelled(("▲", ink.waiting), 2, words, ink.text);
    }
    if !before.is_empty() {
        sheet.blank();
    }
}

fn one(
    keys: &Keymap,
    offer: &Offer,
    target: &ReleaseId,
    selected: bool,
    sheet: &mut Sheet<'_>,
    ink: &Ink,
) {
    let plannable = offer.can_be_planned();
    let words = words_of(offer.verb);
    let vendor = format!("({})", offer.verb.vendor(target.kind));
    let beside =
        usize::from(REASONS) + width(words) + width(&vendor) + 3 <= usize::from(sheet.width());
    sheet.line(|line| {
        if selected {
            line.ground(ink.selection).put("▌", ink.accent);
        }
        line.to(2);
        let key = keys.first(Command::Act(offer.verb)).unwrap_or(" ");
        let (key_style, name_style) = if offer.offered() {
            (bold(ink.accent), bold(ink.text))
        } else if plannable {
            (ink.ghost, ink.text)
        } else {
            (ink.ghost, ink.ghost)
        };
        line.put(key, key_style)
            .to(4)
            .put(offer.verb.title(), name_style);
        line.to(REASONS).put(words, ink.dim).gap(2);
        if beside {
            line.right(&vendor, ink.ghost);
        }
    });
    if !beside {
        sheet.wrapped(indent(sheet), &vendor, ink.ghost);
    }
    reasons(offer, sheet, ink);
}

const fn indent(sheet: &Sheet<'_>) -> u16 {
    if sheet.width() >= 60 { REASONS } else { 4 }
}

fn words_of(verb: Verb) -> &'static str {
    command::spec(Command::Act(verb)).map_or("", |spec| spec.words)
}

fn reasons(offer: &Offer, sheet: &mut Sheet<'_>, ink: &Ink) {
    for because in &offer.because {
        let (mark, style) = match because {
            Because::ReadOnly(_) => ("·", ink.ghost),
            Because::State(_) => ("✖", ink.dim),
            Because::NotPermitted(_) => ("✖", ink.text),
            Because::Source(_) => ("?", ink.text),
        };
        let words = format!("{mark} {}", because.words());
        sheet.wrapped(indent(sheet), &words, style);
    }
}
