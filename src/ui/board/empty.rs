//! What is said where there are no rows: connecting, nothing there, not allowed, expired, unreachable, slowed down,
//! unreadable and old are different things, and a blank table would be none of them.

use ratatui::{buffer::Buffer, layout::Rect};

use super::super::{
    ink::{Ink, bold},
    strip::{Sheet, sheet},
    words::{self, source_mark, source_words},
};
use crate::{
    app::state::{Environment, State},
    model::source::SourceState,
};

pub(super) fn draw(state: &State, area: Rect, buf: &mut Buffer, ink: &Ink) {
    let indent = if area.width >= 60 { 3 } else { 1 };
    let area = Rect {
        x: area.x + indent.min(area.width),
        width: area.width.saturating_sub(2 * indent),
        ..area
    };
    sheet(buf, area, 0, |sheet| content(state, sheet, ink));
}

fn content(state: &State, sheet: &mut Sheet<'_>, ink: &Ink) {
    if !state.board.filter.is_empty() && state.board.counts.all > 0 {
        let words = format!(
            "Nothing matches /{}: {} are hidden by it.",
            state.board.filter,
            words::count(state.board.counts.all, "release")
        );
        sheet.wrapped(0, &words, ink.text);
        sheet.line(|line| {
            line.put("0", bold(ink.accent))
                .put(" shows everything", ink.dim);
        });
        return;
    }
    if state.environments.is_empty() {
        sheet.wrapped(
            0,
            "No environment is configured, and no kubeconfig context was found.",
            ink.text,
        );
        return;
    }
    for environment in state.environments.values() {
        one(state, environment, sheet, ink);
        sheet.blank();
    }
}

fn one(state: &State, environment: &Environment, sheet: &mut Sheet<'_>, ink: &Ink) {
    let health = &environment.health;
    let style = ink.source(health.state);
    sheet.line(|line| {
        line.put(source_mark(health.state), style).gap(1);
        let room = line.left();
        line.name(environment.name.as_str(), room, bold(ink.text))
            .gap(2);
        line.put(health.state.word(), bold(style));
        line.put(" for ", ink.ghost)
            .put(&words::age(state, health.since), ink.ghost);
    });
    sheet.wrapped(2, &sentence(environment), ink.text);
    if !health.detail.is_empty() {
        sheet.wrapped(2, &health.detail, ink.dim);
    }
    if let Some(next) = health.next_try {
        let left = next.duration_since(state.now).as_secs();
        let words = if left > 0 {
            format!("next try in {left} s, r tries now")
        } else {
            "trying now".to_owned()
        };
        sheet.wrapped(2, &words, ink.ghost);
    }
}

fn sentence(environment: &Environment) -> String {
    let context = &*environment.context;
    match environment.health.state {
        SourceState::Connecting => format!("asking {context} what runs there"),
        SourceState::Live => {
            let kinds = if environment.without_rollouts {
                "no Deployment (and this cluster does not know Rollouts)"
            } else {
                "no Rollout and no Deployment"
            };
            format!("really nothing: {kinds} in the namespaces looked at in {context}")
        }
        SourceState::Stale => format!("{context} has said nothing for too long to believe it"),
        SourceState::Unreachable => format!("{context} does not answer: nothing is known of it"),
        SourceState::Unauthorized => {
            format!("{context} does not accept the login: log in again")
        }
        SourceState::Forbidden => {
            format!("{context} knows who you are and does not let you look")
        }
        SourceState::RateLimited => format!("{context} asks to be asked less often"),
        SourceState::Malformed => format!("what {context} answers cannot be read"),
        SourceState::NotConfigured => format!("{context} is not configured"),
    }
}

/// Below rows that are shown: the sources that fail, where there is room. The header says it in any case.
pub(super) fn failing(state: &State, area: Rect, indent: u16, buf: &mut Buffer, ink: &Ink) {
    let failing = || {
        state
            .environments
            .values()
            .filter(|environment| !environment.is_fresh())
    };
    if area.height < 2 || failing().next().is_none() {
        return;
    }
    sheet(
        buf,
        Rect {
            y: area.y + 1,
            height: area.height - 1,
            ..area
        },
        0,
        |sheet| {
            for environment in failing() {
                sheet.line(|line| {
                    let style = ink.source(environment.health.state);
                    line.gap(indent.saturating_sub(2))
                        .put(source_mark(environment.health.state), style)
                        .gap(1)
                        .put(environment.name.as_str(), ink.dim)
                        .gap(1)
                        .put(&source_words(state, &environment.health), ink.dim);
                });
            }
        },
    );
}
