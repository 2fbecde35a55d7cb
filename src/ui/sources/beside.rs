//! A source beside the clusters: a CI host, a metrics server, an alert manager. What it says of itself, who one is to it,
//! how far its clock is off, and how much it may still be asked.

use jiff::Timestamp;

use super::super::{
    figures::{grouped_whole, old},
    ink::{Ink, bold},
    strip::Sheet,
    words::{self, short_time},
};
use crate::{
    app::{
        beside::{Source, SourceKind},
        state::State,
    },
    model::{pipeline::Budget, release::duration_words},
};

/// A clock that is off by less is not worth a word.
const CLOCK_OFF_MS: u64 = 2_000;

/// What stands in its row: what the server is, its budget, and what is off.
pub(super) fn remarks(state: &State, source: &Source) -> Vec<(String, bool)> {
    let mut remarks = Vec::with_capacity(3);
    if let Some(server) = &source.server {
        remarks.push((server.to_string(), false));
    }
    if let Some(off) = clock(source) {
        remarks.push((off, true));
    }
    if let Some(budget) = &source.budget {
        if let Some(until) = held(state, budget) {
            remarks.push((until, true));
        }
        remarks.extend(left(budget).map(|left| (left, false)));
    }
    remarks
}

pub(super) fn details(state: &State, source: &Source, sheet: &mut Sheet<'_>, ink: &Ink) {
    const LABEL: u16 = 10;
    let health = &source.health;
    let mut row = |label, text: &str, style| sheet.labelled((label, ink.dim), LABEL, text, style);
    let says = if health.state.is_live() && health.detail.is_empty() {
        "live".to_owned()
    } else {
        words::source_words(state, health)
    };
    row("state", &says, ink.source(health.state));
    row("id", source.id.as_str(), ink.text);
    match &source.environment {
        Some(environment) => row("tells of", environment.as_str(), ink.text),
        None => row("tells of", "every environment", ink.text),
    }
    match &source.server {
        Some(server) => row("server", server, ink.text),
        None => row("server", "not told yet", ink.dim),
    }
    match (&source.who, source.kind) {
        (Some(who), _) => row("you are", &who.name, bold(ink.text)),
        (None, SourceKind::GitHub) => row("you are", "not told yet", ink.dim),
        // These have no users of their own.
        (None, SourceKind::Prometheus | SourceKind::Alertmanager) => {}
    }
    if let Some(off) = clock(source) {
        row("clock", &off, ink.waiting);
    }
    if let Some(budget) = &source.budget {
        row("budget", &budget_words(state, budget), ink.text);
        if let Some(held) = held(state, budget) {
            row("held", &held, bold(ink.waiting));
        }
    }
    what_it_told(state, source, sheet, ink);
}

/// How much came of it, so that a source that is live and tells nothing is seen.
fn what_it_told(state: &State, source: &Source, sheet: &mut Sheet<'_>, ink: &Ink) {
    match (source.kind, &source.environment) {
        (SourceKind::GitHub, _) => {
            sheet.blank();
            for (repository, view) in &state.beside.repositories {
                sheet.line(|line| {
                    let room = line.left() / 2;
                    let column = room.min(30);
                    line.name(repository.as_str(), column.saturating_sub(2), ink.text);
                    line.to(column);
                    match (&view.failed, &view.facts) {
                        (Some((failed, why, _)), _) => {
                            line.put(failed.word(), ink.source(*failed))
                                .gap(1)
                                .put(why, ink.dim);
                        }
                        (None, Some(facts)) => {
                            let age = old(words::seconds_since(state, facts.read_at));
                            let runs = words::count(facts.runs.len(), "run");
                            line.put(&format!("{runs}, read {age} ago"), ink.dim);
                        }
                        (None, None) => {
                            line.put("asking for it", ink.dim);
                        }
                    }
                });
            }
        }
        (SourceKind::Alertmanager, Some(environment)) => {
            if let Some(facts) = state.beside.incidents.get(environment) {
                let alerts = words::count(facts.alerts.len(), "alert");
                let silences = if facts.tells_all_silences() {
                    words::count(facts.silences.len(), "silence")
                } else {
                    "silences not known".to_owned()
                };
                let age = old(words::seconds_since(state, facts.read_at));
                let words = format!("{alerts}, {silences}, read {age} ago");
                sheet.labelled(("told", ink.dim), 10, &words, ink.text);
            }
        }
        (SourceKind::Alertmanager, None) | (SourceKind::Prometheus, _) => {}
    }
}

/// `its clock is 3 s ahead`, where that matters.
fn clock(source: &Source) -> Option<String> {
    let ahead = source.ahead_ms?;
    if ahead.unsigned_abs() <= CLOCK_OFF_MS {
        return None;
    }
    let seconds = i64::try_from(ahead.unsigned_abs() / 1_000).unwrap_or(i64::MAX);
    let side = if ahead > 0 { "ahead" } else { "behind" };
    Some(format!("its clock is {} {side}", duration_words(seconds)))
}

/// `4 812 of 5 000 left`.
fn left(budget: &Budget) -> Option<String> {
    let remaining = grouped_whole(budget.remaining?);
    Some(match budget.limit {
        Some(limit) => format!("{remaining} of {} left", grouped_whole(limit)),
        None => format!("{remaining} left"),
    })
}

/// `4 812 of 5 000 left, resets 14:20, 61 % of 2 310 asked unchanged`.
fn budget_words(state: &State, budget: &Budget) -> String {
    let mut parts = Vec::with_capacity(3);
    match left(budget) {
        Some(left) => parts.push(left),
        None if budget.limit.is_none() => parts.push("no limit is told".to_owned()),
        None => {}
    }
    if let Some(resets) = budget.resets {
        parts.push(format!("resets {}", short_time(state, resets)));
    }
    if budget.asked > 0 {
        let asked = u128::from(budget.asked);
        let percent = (u128::from(budget.unchanged) * 100 + asked / 2) / asked;
        let asked = grouped_whole(budget.asked);
        parts.push(format!("{percent} % of {asked} asked unchanged"));
    } else {
        parts.push("nothing asked yet".to_owned());
    }
    parts.join(", ")
}

/// Until when nothing is asked, because the host said so.
fn held(state: &State, budget: &Budget) -> Option<String> {
    let until: Timestamp = budget.held_until.filter(|until| *until > state.now)?;
    let left = until.duration_since(state.now).as_secs();
    Some(format!(
        "nothing is asked until {}, {} left",
        short_time(state, until),
        duration_words(left)
    ))
}
