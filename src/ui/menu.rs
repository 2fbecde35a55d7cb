//! Every verb for one release, with the vendor's word, and every reason why one is refused: nothing is hidden because it
//! cannot be done now.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    ink::{Ink, bold},
    pane::{self, Titles},
    plan::keys,
    strip::{Sheet, lines_of, sheet},
};
use crate::{
    app::{
        command::{self, Command},
        state::State,
    },
    model::id::ReleaseId,
    ops::{
        guard::Arming,
        intent::Verb,
        offer::{self, Because, Offer},
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
    let columns = if screen.width >= 100 {
        90
    } else {
        screen.width
    };
    let first_lines = first_lines(&offers, pane::inside(screen, columns), buf, ink);
    let content = |sheet: &mut Sheet<'_>| {
        for (nth, offer) in offers.iter().enumerate() {
            one(offer, target, nth == selected, sheet, ink);
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
    let end = first_lines.get(selected + 1).copied().unwrap_or(wanted);
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

/// The offers, with what the environment and the session have to say.
fn offers(state: &State, target: &ReleaseId) -> Vec<Offer> {
    let Some(release) = state.releases.find(target) else {
        return Vec::new();
    };
    let environment = state.environment_of(target);
    let access = environment.and_then(|environment| environment.access.get(&target.namespace));
    let mut offers = offer::offers(release, access);
    let Some(environment) = environment else {
        return offers;
    };
    for offer in &mut offers {
        if !environment.is_fresh() && !offer.verb.is_emergency() {
            let words = format!(
                "{} is {}: what is shown may be old",
                environment.name,
                environment.health.state.word()
            );
            offer.because.push(Because::Source(words));
        }
        match &environment.arming {
            Arming::Armed { .. } => {}
            Arming::ReadOnly => {
                let words = format!(
                    "read-only: W arms {}; until then a preview",
                    environment.name
                );
                offer.because.push(Because::ReadOnly(words));
            }
            Arming::Forbidden { because } => {
                offer.because.push(Because::ReadOnly(because.clone()));
            }
        }
    }
    offers
}

fn first_lines(offers: &[Offer], columns: u16, buf: &mut Buffer, ink: &Ink) -> Vec<usize> {
    let mut at = 0;
    offers
        .iter()
        .map(|offer| {
            let first = at;
            at += lines_of(buf, columns, |sheet| reasons(offer, sheet, ink)) + 1;
            first
        })
        .collect()
}

fn one(offer: &Offer, target: &ReleaseId, selected: bool, sheet: &mut Sheet<'_>, ink: &Ink) {
    let plannable = offer.can_be_planned();
    sheet.line(|line| {
        if selected {
            line.ground(ink.selection).put("▌", ink.accent);
        }
        line.to(2);
        let key = command::key_of(Command::Act(offer.verb)).unwrap_or(" ");
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
        line.to(REASONS).put(words_of(offer.verb), ink.dim).gap(2);
        line.right(&format!("({})", offer.verb.vendor(target.kind)), ink.ghost);
    });
    reasons(offer, sheet, ink);
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
        let indent = if sheet.width() >= 60 { REASONS } else { 4 };
        let words = format!("{mark} {}", because.words());
        sheet.wrapped(indent, &words, style);
    }
}
