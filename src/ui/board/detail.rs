//! What explains the selected release without opening it: facts that are known, and nothing else. While the selection
//! moves it stays quiet, so that a held key costs a few bytes and not a box at every row.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    super::{
        ink::{Ink, bold},
        key_bar,
        pane::{self, Titles},
        strip::{Sheet, Strip, sheet},
        words,
    },
    around,
};
use crate::{
    app::{actions::LineState, state::State},
    model::{
        release::{Release, Version},
        rollout::Replicas,
    },
    ops::intent::Verb,
};

pub(super) fn draw(state: &State, area: Rect, roomy: bool, buf: &mut Buffer, ink: &Ink) {
    let selected = state
        .board
        .selected
        .as_ref()
        .and_then(|id| state.releases.find(id));
    let explained =
        selected.filter(|release| state.board.explained.as_ref() == Some(&release.rollout.id));
    if !roomy {
        pane::rule(buf, area, 0, ink);
        let inner = Rect {
            x: area.x + 1,
            y: area.y + 1,
            width: area.width.saturating_sub(2),
            height: area.height.saturating_sub(1),
        };
        if let Some(release) = explained {
            sheet(buf, inner, 0, |sheet| terse(state, release, sheet, ink));
        }
        return;
    }
    let right = if selected.is_some() {
        "Enter opens it"
    } else {
        ""
    };
    let (name, environment) = explained.map_or(("", ""), |release| {
        let id = &release.rollout.id;
        (id.name.as_str(), id.environment.as_str())
    });
    let titles = Titles {
        left: name,
        also: environment,
        right,
    };
    let inner = pane::boxed(buf, area, titles, ink.line, ink);
    if let Some(release) = explained {
        let roomy = inner.height >= 9;
        if around::is_there(state, release) {
            around::full(state, release, roomy, inner, buf, ink);
            return;
        }
        sheet(buf, inner, 0, |sheet| {
            full(state, release, roomy, sheet, ink);
        });
    }
}

const LABEL: u16 = 10;

fn full(state: &State, release: &Release, roomy: bool, sheet: &mut Sheet<'_>, ink: &Ink) {
    let rollout = &release.rollout;
    let current = release.current();
    let before = release.serving_before();
    let label = |words| (words, ink.dim);
    sheet.line(|line| {
        line.put(rollout.id.kind.vendor(), ink.dim)
            .put(" in ", ink.ghost)
            .put(rollout.id.namespace.as_str(), ink.dim)
            .gap(3)
            .put(&pods_words(rollout.replicas), ink.text)
            .gap(3)
            .put(rollout.strategy_word(), ink.ghost);
        if state.ringing.contains_key(&rollout.id) {
            line.gap(3)
                .put("rings when it waits, fails or is done", ink.dim);
        }
        git(release, line, ink);
    });
    if roomy {
        sheet.blank();
    }
    let (first, second) = if before.is_some() {
        ("new", "serves")
    } else {
        ("serves", "")
    };
    sheet.line(|line| version(release, &current, first, line, ink, bold(ink.text)));
    if let Some(before) = &before {
        sheet.line(|line| version(release, before, second, line, ink, ink.text));
    }
    if !rollout.message.is_empty() {
        sheet.labelled(label("says"), LABEL, &rollout.message, ink.text);
    }
    if let Some(what) = &rollout.not_undone {
        sheet.labelled(label("not undone"), LABEL + 1, what, ink.waiting);
    }
    let environment = state.environment_of(&rollout.id);
    sheet.blank();
    sheet.line(|line| {
        for (key, verb) in [("p", Verb::Promote), ("x", Verb::BackOut)] {
            if let Some((does, lit)) = key_bar::what_it_does(verb, release, environment) {
                let style = if lit { ink.accent } else { ink.ghost };
                line.put(key, bold(style)).gap(1).put(&does, ink.dim).gap(4);
            }
        }
    });
    last_action(state, release, sheet, ink);
}

pub(super) fn git(release: &Release, line: &mut Strip<'_>, ink: &Ink) {
    if let Some(managed) = &release.rollout.managed_by {
        line.right(&format!("git: {managed}"), ink.dim);
    }
}

fn version(
    release: &Release,
    version: &Version,
    label: &str,
    line: &mut Strip<'_>,
    ink: &Ink,
    style: Style,
) {
    line.put(label, ink.dim).to(LABEL);
    line.name(&version.label(), 20, style).gap(2);
    if let Some(revision) = version.revision {
        line.put("revision ", ink.ghost)
            .put(&revision.to_string(), ink.dim)
            .gap(2);
    }
    if let Some(hash) = &version.hash {
        line.name(hash.as_str(), 12, ink.dim).gap(2);
        if let Some(set) = release.set_with_hash(hash) {
            line.put(
                &format!("{} of {} pods ready", set.ready, set.desired),
                ink.dim,
            )
            .gap(2);
        }
    }
    let mut first = true;
    for image in version.images.iter() {
        if !first {
            line.put(", ", ink.ghost);
        }
        first = false;
        let room = line.left();
        line.name(image, room, ink.ghost);
    }
}

fn terse(state: &State, release: &Release, sheet: &mut Sheet<'_>, ink: &Ink) {
    let rollout = &release.rollout;
    let current = release.current();
    sheet.line(|line| {
        let room = line.left() / 3;
        line.name(rollout.id.name.as_str(), room, bold(ink.text))
            .gap(1);
        if let Some(before) = release.serving_before() {
            line.name(&before.label(), 14, ink.dim).put(" → ", ink.dim);
        }
        line.name(&current.label(), 14, ink.text).gap(2);
        if around::counts(state, release, line, ink) {
            return;
        }
        if let Some(revision) = current.revision {
            line.put("revision ", ink.ghost)
                .put(&revision.to_string(), ink.dim)
                .gap(2);
        }
        if let Some(hash) = &current.hash {
            line.name(hash.as_str(), 12, ink.ghost);
        }
    });
    around::terse(state, release, sheet, ink);
    sheet.line(|line| {
        line.put(&pods_words(rollout.replicas), ink.text).gap(2);
        line.put(rollout.id.kind.vendor(), ink.ghost)
            .put(" in ", ink.ghost)
            .put(rollout.id.namespace.as_str(), ink.ghost);
        git(release, line, ink);
    });
    if words::news(state, &rollout.id).is_some() {
        last_action(state, release, sheet, ink);
    }
    if !rollout.message.is_empty() {
        sheet.labelled(("says", ink.dim), 5, &rollout.message, ink.text);
    }
    if let Some(next) = release.next() {
        sheet.labelled(("next", ink.dim), 5, &next, ink.text);
    }
}

pub(in super::super) fn pods_words(replicas: Replicas) -> String {
    format!(
        "{} of {} pods new, {} ready",
        replicas.updated, replicas.desired, replicas.ready
    )
}

pub(super) fn last_action(state: &State, release: &Release, sheet: &mut Sheet<'_>, ink: &Ink) {
    let Some(action) = state.actions.last_of(&release.rollout.id) else {
        return;
    };
    let (style, at) = match &action.state {
        LineState::UnderWay { .. } => (ink.moving, action.began),
        LineState::Over { outcome, at } => (ink.outcome(outcome.kind), *at),
        LineState::Reverted { at, .. } => (ink.bad, *at),
    };
    let time = words::clock_time(state, at);
    let text = if words::followed_words(state, action).is_empty() {
        format!("{time}  {}", words::stays_words(state, action))
    } else {
        words::stays_words(state, action)
    };
    sheet.labelled(("last", ink.dim), 6, &text, style);
}
