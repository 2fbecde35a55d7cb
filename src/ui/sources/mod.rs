//! Where facts come from: each environment with its state, since when, what failed, who one is there and what one may
//! do, namespace by namespace; after them the sources beside the clusters.

mod beside;

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    ink::{Ink, bold},
    pane::{self, Titles},
    strip::{Sheet, Strip, sheet},
    words::{self, source_mark},
};
use crate::{
    app::{
        beside::Source,
        layout,
        state::{Environment, State},
    },
    model::{
        release::duration_words,
        source::{Access, Answer, SourceHealth},
    },
    ops::guard::Arming,
};

pub(super) fn draw(state: &State, screen: Rect, buf: &mut Buffer, ink: &Ink) {
    let (top, height) = layout::body(screen.width, screen.height);
    let area = Rect {
        y: screen.y + top,
        height,
        ..screen
    }
    .intersection(screen);
    if state.environments.is_empty() {
        Strip::new(buf, area, 0)
            .gap(1)
            .put("no environment is configured", ink.text);
        return;
    }
    let all = state.environments.len() + state.beside.sources.len();
    names(&mut Strip::new(buf, area, 0), ink);
    let selected = state.sources.selected;
    let (list, (below, detail)) = layout::sources(screen.width, screen.height, selected, all);
    let rows = Rect {
        y: screen.y + list.top,
        height: list.lines,
        ..screen
    }
    .intersection(screen);
    sheet(buf, rows, list.first, |sheet| {
        let environments = state.environments.values();
        for (nth, environment) in environments.enumerate() {
            sheet.line(|line| one(state, environment, nth == selected, line, ink));
        }
        for (nth, source) in state.beside.sources.values().enumerate() {
            let here = state.environments.len() + nth == selected;
            sheet.line(|line| one_beside(state, source, here, line, ink));
        }
    });
    let below = Rect {
        y: screen.y + below,
        height: detail,
        ..screen
    }
    .intersection(screen);
    if let Some(environment) = state.environments.values().nth(selected) {
        let titles = Titles::new(environment.name.as_str(), environment.tier.word());
        let inner = pane::boxed(buf, below, titles, ink.line, ink);
        let beyond = sheet(buf, inner, 0, |sheet| {
            details(state, environment, sheet, ink);
        });
        pane::beyond(buf, below, beyond, ink);
        return;
    }
    let nth = selected.saturating_sub(state.environments.len());
    if let Some(source) = state.beside.sources.values().nth(nth) {
        let titles = Titles::new(source.id.as_str(), source.kind.title());
        let inner = pane::boxed(buf, below, titles, ink.line, ink);
        let beyond = sheet(buf, inner, 0, |sheet| {
            beside::details(state, source, sheet, ink);
        });
        pane::beyond(buf, below, beyond, ink);
    }
}

/// What every row begins with.
fn head(
    state: &State,
    name: &str,
    health: &SourceHealth,
    selected: bool,
    line: &mut Strip<'_>,
    ink: &Ink,
) {
    if selected {
        line.ground(ink.selection).put("▌", ink.accent);
    }
    let style = ink.source(health.state);
    line.to(1).put(source_mark(health.state), style).to(3);
    line.name(name, STATE - 4, bold(ink.text)).to(STATE);
    line.put(health.state.word(), style).to(SINCE);
    line.put(&words::age(state, health.since), ink.dim).to(WHAT);
    match health.heard {
        Some(heard) => line.put(&format!("{} ago", words::age(state, heard)), ink.dim),
        None => line.put("never", ink.dim),
    };
}

/// A source beside the clusters in the same columns.
fn one_beside(state: &State, source: &Source, selected: bool, line: &mut Strip<'_>, ink: &Ink) {
    head(
        state,
        source.id.as_str(),
        &source.health,
        selected,
        line,
        ink,
    );
    for (remark, loud) in beside::remarks(state, source) {
        let style = if loud { bold(ink.waiting) } else { ink.ghost };
        line.gap(3).put(&remark, style);
    }
}

/// Columns: name, state, since, what.
const STATE: u16 = 26;
const SINCE: u16 = 40;
const WHAT: u16 = 46;

fn names(line: &mut Strip<'_>, ink: &Ink) {
    line.gap(3)
        .put("SOURCE", ink.ghost)
        .to(STATE)
        .put("STATE", ink.ghost);
    line.to(SINCE)
        .put("FOR", ink.ghost)
        .to(WHAT)
        .put("HEARD", ink.ghost);
}

fn one(state: &State, environment: &Environment, selected: bool, line: &mut Strip<'_>, ink: &Ink) {
    head(
        state,
        environment.name.as_str(),
        &environment.health,
        selected,
        line,
        ink,
    );
    line.gap(3).put(
        &arming_words(state, environment),
        match environment.arming {
            Arming::Armed { .. } => bold(ink.waiting),
            Arming::ReadOnly | Arming::Forbidden { .. } => ink.ghost,
        },
    );
    if environment.insecure {
        line.gap(3).put("insecure TLS", bold(ink.bad));
    }
}

fn arming_words(state: &State, environment: &Environment) -> String {
    match &environment.arming {
        Arming::Forbidden { .. } => "read-only, cannot be armed".to_owned(),
        Arming::ReadOnly => "read-only".to_owned(),
        Arming::Armed { until: None } => "WRITE".to_owned(),
        Arming::Armed { until: Some(until) } => {
            let left = until.duration_since(state.now).as_secs();
            format!("WRITE for {}", duration_words(left))
        }
    }
}

fn details(state: &State, environment: &Environment, sheet: &mut Sheet<'_>, ink: &Ink) {
    const LABEL: u16 = 10;
    let health = &environment.health;
    let mut row = |label, text: &str, style| sheet.labelled((label, ink.dim), LABEL, text, style);
    let says = if health.state.is_live() {
        "live: everything that is watched is in sync".to_owned()
    } else {
        words::source_words(state, health)
    };
    row("state", &says, ink.source(health.state));
    row("context", &environment.context, ink.text);
    match &environment.who {
        Some(who) => {
            row("you are", &who.name, bold(ink.text));
            let groups: Vec<&str> = who.groups.iter().map(|group| &**group).collect();
            if !groups.is_empty() {
                row("groups", &groups.join(", "), ink.dim);
            }
        }
        None => row("you are", "not told yet", ink.dim),
    }
    if let Arming::Forbidden { because } = &environment.arming {
        row("writing", because, ink.text);
    }
    if environment.insecure {
        row(
            "TLS",
            "the server's certificate is not verified: anyone in between can read and change what is said",
            bold(ink.bad),
        );
    }
    if environment.without_rollouts {
        row("kinds", "this cluster does not know Argo Rollouts", ink.dim);
    }
    sheet.blank();
    if environment.access.is_empty() {
        sheet.wrapped(
            0,
            "what you may do is asked for when a release is looked at",
            ink.ghost,
        );
    }
    let mut namespaces: Vec<&Access> = environment.access.values().collect();
    namespaces.sort_by(|a, b| a.namespace.cmp(&b.namespace));
    for access in namespaces {
        one_access(state, access, sheet, ink);
    }
}

fn one_access(state: &State, access: &Access, sheet: &mut Sheet<'_>, ink: &Ink) {
    sheet.line(|line| {
        line.put("in ", ink.dim);
        let room = line.left() / 2;
        line.name(access.namespace.as_str(), room, bold(ink.text))
            .gap(2);
        line.put(
            &format!("asked {} ago", words::age(state, access.asked)),
            ink.ghost,
        );
    });
    let per_line = usize::from((sheet.width() / 26).max(1));
    for chunk in access.answers.chunks(per_line) {
        sheet.line(|line| {
            for (nth, (need, answer)) in chunk.iter().enumerate() {
                line.to(2 + 26 * u16::try_from(nth).unwrap_or(0));
                let (mark, style, text) = match answer {
                    Answer::Allowed => ("✔", ink.ok, ink.text),
                    Answer::Denied => ("✖", ink.bad, ink.dim),
                    Answer::NotAnswered(_) => ("?", ink.waiting, ink.dim),
                };
                line.put(mark, style).gap(1).put(need.words(), text);
            }
        });
    }
    for (need, answer) in &access.answers {
        if let Answer::NotAnswered(why) = answer {
            sheet.wrapped(2, &format!("{}: {why}", need.words()), ink.dim);
        }
    }
}
