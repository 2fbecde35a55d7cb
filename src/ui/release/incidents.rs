//! The incident pane: what fires on this release and who is told, what is silent and why, what changed before it, and
//! the loops that are open. A source that fails or joins nothing never looks like peace.

use std::sync::Arc;

use super::{
    super::{
        figures::old,
        ink::{Ink, bold},
        strip::{Sheet, Strip},
        told::{alert_mark, source_line},
        words::{self, short_time},
    },
    Shown,
};
use crate::{
    app::{
        beside::{SourceKind, is_incident},
        changed::ChangedBefore,
    },
    model::{
        address::Address,
        incident::{Alert, AlertState, IncidentFacts, Matcher, Severity, Silence, SilenceState},
        release::duration_words,
        text::{Safe, width},
    },
};

/// Lines of what changed before it.
const CHANGES: usize = 12;

pub(super) fn content(shown: &Shown<'_>, sheet: &mut Sheet<'_>, ink: &Ink) {
    let state = shown.state;
    let id = &shown.open.id;
    let Some(source) = source_line(state, SourceKind::Alertmanager, id, sheet, ink) else {
        before(shown, sheet, ink);
        return;
    };
    let facts = state.beside.incidents.get(&id.environment);
    match facts {
        Some(facts) => {
            alerts(shown, facts, source.health.state.is_live(), sheet, ink);
        }
        None if source.health.state.is_live() => sheet.wrapped(0, "asking for alerts", ink.dim),
        None => sheet.wrapped(0, "nothing is known of its alerts", ink.text),
    }
    before(shown, sheet, ink);
    if let Some(facts) = facts {
        silences(shown, facts, sheet, ink);
        let unjoined = state.unjoined_in(&id.environment);
        if unjoined > 0 {
            rule(sheet, ink);
            let words = match unjoined {
                1 => "1 alert here is joined to no service".to_owned(),
                many => format!("{many} alerts here are joined to no service"),
            };
            sheet.labelled(("▲", ink.waiting), 2, &words, ink.text);
        }
        for warning in &facts.warnings {
            sheet.labelled(("▲", ink.waiting), 2, warning, ink.text);
        }
        rule(sheet, ink);
        let age = old(words::seconds_since(state, facts.read_at));
        sheet.wrapped(0, &format!("read {age} ago"), ink.ghost);
    }
    if let Some(joined) = state.beside.services.alerts(id) {
        let matchers: Vec<String> = joined.to.iter().map(Matcher::words).collect();
        let words = format!("joined by {}: {}", joined.because, matchers.join(" "));
        sheet.wrapped(0, &words, ink.ghost);
    }
}

fn alerts(shown: &Shown<'_>, facts: &IncidentFacts, live: bool, sheet: &mut Sheet<'_>, ink: &Ink) {
    let state = shown.state;
    let id = &shown.open.id;
    if state.beside.services.alerts(id).is_none() {
        sheet.wrapped(0, "nothing joins alerts to it", ink.text);
        let hint = format!("[services.{}] alerts in the configuration would", id.name);
        sheet.wrapped(0, &hint, ink.ghost);
        return;
    }
    let mut alerts: Vec<&Arc<Alert>> = state.beside.alerts(id);
    // What somebody is told of before what is silent, then the worst.
    alerts.sort_by_key(|alert| (!is_incident(alert), alert.severity(), alert.starts_at));
    if alerts.is_empty() {
        if live {
            sheet.wrapped(0, "no alert of it fires", ink.dim);
        } else {
            let age = words::age(state, facts.read_at);
            sheet.wrapped(0, "whether one fires is not known now", ink.text);
            sheet.wrapped(0, &format!("none of it did {age} ago"), ink.dim);
        }
    }
    for (nth, alert) in alerts.into_iter().enumerate() {
        if nth > 0 {
            sheet.blank();
        }
        one(shown, facts, alert, sheet, ink);
    }
}

fn one(shown: &Shown<'_>, facts: &IncidentFacts, alert: &Alert, sheet: &mut Sheet<'_>, ink: &Ink) {
    let state = shown.state;
    let (mark, style) = alert_mark(alert, ink);
    let loud = is_incident(alert);
    let severity = alert.severity();
    let word_style = match severity {
        Severity::Unknown(_) => ink.dim,
        _ => style,
    };
    sheet.line(|line| {
        line.put(mark, style)
            .gap(1)
            .put(severity.word(), bold(word_style))
            .gap(2);
        if let Some(since) = alert.starts_at {
            line.put(
                &words::age(state, since),
                if loud { style } else { ink.dim },
            );
        }
        if alert.title() != alert.name() {
            line.gap(2).put(alert.name(), ink.ghost);
        }
    });
    let title = if loud { bold(ink.text) } else { ink.text };
    sheet.wrapped_link(2, alert.title(), title, alert.page().as_ref(), &ink.links);
    // Why nobody is told says that nobody is told.
    if loud || (alert.silenced_by.is_empty() && alert.inhibited_by.is_empty()) {
        told(alert, sheet, ink);
    }
    for id in &alert.silenced_by {
        let by = facts.silences.iter().find(|silence| silence.id == *id);
        let words = match by {
            Some(silence) => format!("silenced by {}", silence_words(shown, silence)),
            None => format!("silenced by {}, which is not told", &*id.0),
        };
        sheet.wrapped(2, &words, ink.text);
    }
    for fingerprint in &alert.inhibited_by {
        let by = facts
            .alerts
            .iter()
            .find(|other| other.fingerprint == *fingerprint);
        let name = by.map_or_else(|| &*fingerprint.0, |other| other.name());
        sheet.wrapped(2, &format!("inhibited by {name}"), ink.text);
    }
    if !alert.muted_by.is_empty() {
        let names: Vec<&str> = alert.muted_by.iter().map(|name| &**name).collect();
        sheet.wrapped(2, &format!("muted by {}", names.join(", ")), ink.text);
    }
    if !loud {
        return;
    }
    for (name, annotation) in [("runbook", "runbook_url"), ("dashboard", "dashboard_url")] {
        if let Some(url) = alert.annotation(annotation).filter(|url| is_link(url)) {
            sheet.line(|line| {
                let page = Address::new(url);
                line.gap(2).put(name, ink.dim).gap(1);
                line.link(page.as_ref(), &ink.links, |line| {
                    line.put(url, ink.accent);
                });
            });
        }
    }
}

fn told(alert: &Alert, sheet: &mut Sheet<'_>, ink: &Ink) {
    match &alert.state {
        AlertState::Firing if alert.muted_by.is_empty() => {
            let receivers: Vec<&str> = alert.receivers.iter().map(|name| &**name).collect();
            if receivers.is_empty() {
                sheet.wrapped(2, "nobody is told", ink.waiting);
            } else {
                sheet.wrapped(2, &format!("told: {}", receivers.join(", ")), ink.dim);
            }
        }
        // What mutes it is said below.
        AlertState::Firing => {}
        AlertState::Suppressed => sheet.wrapped(2, "suppressed, nobody is told", ink.dim),
        AlertState::Unprocessed => sheet.wrapped(2, "arrived this moment", ink.dim),
        AlertState::Unknown(word) => {
            let word = if word.is_empty() { "no state" } else { word };
            sheet.wrapped(2, word, ink.dim);
        }
    }
}

/// Anything else could be a command to whatever opens it.
fn is_link(url: &Safe) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

fn silence_words(shown: &Shown<'_>, silence: &Silence) -> String {
    let mut words = if silence.created_by.is_empty() {
        "somebody".to_owned()
    } else {
        silence.created_by.to_string()
    };
    match silence.ends_at {
        Some(end) => {
            let left = end.duration_since(shown.state.now).as_secs();
            words.push_str(" until ");
            words.push_str(&short_time(shown.state, end));
            words.push_str(", ");
            words.push_str(&duration_words(left));
            words.push_str(" left");
        }
        None => words.push_str(", without an end"),
    }
    if !silence.comment.is_empty() {
        words.push_str(": ");
        words.push_str(&silence.comment);
    }
    words
}

fn before(shown: &Shown<'_>, sheet: &mut Sheet<'_>, ink: &Ink) {
    let changed = &shown.open.changed;
    if changed.is_empty() {
        return;
    }
    rule(sheet, ink);
    let fires = shown.state.incident_began(&shown.open.id).is_some();
    let heading = if fires {
        "What changed before it"
    } else {
        "What changed here"
    };
    sheet.line(|line| {
        line.put(heading, bold(ink.text));
        if usize::from(line.left()) > 14 {
            line.right("t shows all", ink.ghost);
        }
    });
    for entry in changed.iter().take(CHANGES) {
        sheet.line(|line| one_change(shown, entry, fires, line, ink));
    }
    if changed.len() > CHANGES {
        let more = format!("{} more", changed.len() - CHANGES);
        sheet.wrapped(7, &more, ink.ghost);
    }
}

fn one_change(
    shown: &Shown<'_>,
    entry: &ChangedBefore,
    fires: bool,
    line: &mut Strip<'_>,
    ink: &Ink,
) {
    line.put(&short_time(shown.state, entry.at), ink.ghost)
        .gap(2);
    let between = duration_words(entry.before.as_secs());
    let after = if fires { "before" } else { "ago" };
    let words = format!("{between} {after}");
    // In a narrow pane its heading says before what.
    if usize::from(line.left()) > width(&entry.what) + width(&words) + 2 {
        line.right(&words, ink.ghost);
    } else {
        line.right(&between, ink.ghost);
    }
    let style = if entry.own { ink.waiting } else { ink.dim };
    line.put(&entry.what, style);
}

/// Silences in force or to come in this environment: each is an open loop until it has ended.
fn silences(shown: &Shown<'_>, facts: &IncidentFacts, sheet: &mut Sheet<'_>, ink: &Ink) {
    let open = facts
        .silences
        .iter()
        .filter(|silence| !matches!(silence.state, SilenceState::Expired));
    for (nth, silence) in open.enumerate() {
        if nth == 0 {
            rule(sheet, ink);
            sheet.line(|line| {
                line.put("Silences", bold(ink.text));
            });
        }
        let matchers: Vec<String> = silence.matchers.iter().map(Matcher::words).collect();
        let pending = match &silence.state {
            SilenceState::Pending => ", not yet in force",
            SilenceState::Unknown(word) => word,
            SilenceState::Active | SilenceState::Expired => "",
        };
        let words = format!("{}{pending}", matchers.join(" "));
        sheet.labelled(("◇", ink.waiting), 2, &words, ink.text);
        sheet.wrapped(2, &silence_words(shown, silence), ink.dim);
    }
}

fn rule(sheet: &mut Sheet<'_>, ink: &Ink) {
    let columns = sheet.width();
    sheet.blank();
    sheet.line(|line| {
        line.fill("─", columns, ink.line);
    });
}
