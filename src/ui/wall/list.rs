//! Pages that list: what is broken, what waits and since when, what is moving. As many as fit have their names in large
//! letters; how many more there are is said.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    super::{
        ink::{Ink, bold},
        strip::Strip,
        told::{gate_words, release_words},
        words::{age, group_heading, group_mark},
    },
    below,
    letters::{self, Face},
};
use crate::{
    app::{inbox::Waiting, state::State, wall::Wall},
    model::{id::ReleaseId, moment::Moment, release::Group},
};

/// One thing on a list.
struct Item {
    name: String,
    /// Where and in which version.
    place: String,
    words: String,
    style: Style,
}

pub(super) fn broken(wall: &Wall, area: Rect, buf: &mut Buffer, ink: &Ink) {
    let items = of_group(wall, Group::Broken, ink);
    page(wall, Group::Broken, &items, area, buf, ink);
}

pub(super) fn moving(wall: &Wall, area: Rect, buf: &mut Buffer, ink: &Ink) {
    let items = of_group(wall, Group::Moving, ink);
    page(wall, Group::Moving, &items, area, buf, ink);
}

pub(super) fn waits(wall: &Wall, area: Rect, buf: &mut Buffer, ink: &Ink) {
    let items = waiting(wall, ink);
    page(wall, Group::NeedsYou, &items, area, buf, ink);
}

/// Under the numbers: the worst that there is to say more about.
pub(super) fn what_is_next(wall: &Wall, area: Rect, buf: &mut Buffer, ink: &Ink) {
    let mut items = of_group(wall, Group::Broken, ink);
    items.extend(waiting(wall, ink));
    items.extend(of_group(wall, Group::Moving, ink));
    lines(&items, area, buf, ink);
}

fn of_group(wall: &Wall, group: Group, ink: &Ink) -> Vec<Item> {
    wall.of(group)
        .filter_map(|id| item(&wall.state, &id, ink.group(group)))
        .collect()
}

fn waiting(wall: &Wall, ink: &Ink) -> Vec<Item> {
    let state = &wall.state;
    let entries = state.inbox.entries.iter();
    entries
        .filter_map(|entry| match &entry.waiting {
            Waiting::Release(id) => item(state, id, ink.waiting),
            Waiting::Gate(id) => {
                let gate = state.beside.gate(id)?;
                let name = gate.releases.first().map_or_else(
                    || id.run.repository.to_string(),
                    |release| release.name.to_string(),
                );
                let mut words = gate_words(state, &gate.gate);
                if let Some(since) = entry.since.map(Moment::time) {
                    words.push_str(&format!(", since {}", age(state, since)));
                }
                Some(Item {
                    name,
                    place: format!("{}, gate {}", entry.environment, gate.gate.environment),
                    words,
                    style: ink.waiting,
                })
            }
        })
        .collect()
}

fn item(state: &State, id: &ReleaseId, style: Style) -> Option<Item> {
    let release = state.releases.find(id)?;
    let mut words = release_words(state, release).into_owned();
    if let Some(alert) = state.beside.firing(id).first() {
        words = format!("{} fires; {words}", alert.title());
    }
    words.push_str(&since_words(state, id));
    if let Some(canary) = release.rollout.canary()
        && !release.rollout.fully_promoted()
    {
        let weight = canary.weight.actual.unwrap_or(canary.weight.set);
        words.push_str(&format!(", canary {weight} of {}", canary.weight.of));
    }
    Some(Item {
        name: id.name.to_string(),
        place: format!("{} {}", id.environment, release.current().label()),
        words,
        style,
    })
}

/// Since when it hurts or waits. What lifts a release says it itself, or the page of its alerts does.
pub(super) fn since_words(state: &State, id: &ReleaseId) -> String {
    match state.releases.since(id) {
        Some(since) if state.releases.lift(id).is_none() => {
            format!(", since {}", age(state, since))
        }
        _ => String::new(),
    }
}

fn page(wall: &Wall, group: Group, items: &[Item], area: Rect, buf: &mut Buffer, ink: &Ink) {
    let style = bold(ink.group(group));
    let mut line = Strip::new(buf, area, 0);
    line.put(group_mark(group), style).gap(1);
    // Gates are among what waits, and nobody in front of a wall is "you".
    let heading = match group {
        Group::NeedsYou => "WAIT",
        other => group_heading(other),
    };
    line.put(&format!("{} {heading}", items.len()), style);
    let rest = below(area, if area.height >= 10 { 2 } else { 1 });
    if rest.height >= 12 && rest.width >= 60 {
        large(wall, items, rest, buf, ink);
    } else {
        lines(items, rest, buf, ink);
    }
}

/// A name in large letters, and a line about it.
fn large(wall: &Wall, items: &[Item], area: Rect, buf: &mut Buffer, ink: &Ink) {
    // The line that says how many more there are has its place whether it is needed or not.
    let mut left = Rect {
        height: area.height.saturating_sub(1),
        ..area
    };
    let mut shown = 0;
    let each = usize::from(left.height) / items.len().max(1);
    let most = match each {
        10.. => Face::Full,
        6.. => Face::Half,
        _ => Face::Quarter,
    };
    for item in items {
        let face = Face::fitting(&item.name, (left.width, left.height), most, wall.letters);
        let (_, high) = face.size(&item.name, wall.letters);
        if high + 2 > left.height {
            break;
        }
        letters::write(&item.name, face, wall.letters, left, buf, bold(item.style));
        Strip::new(buf, left, high)
            .put(&item.place, bold(ink.text))
            .gap(2)
            .put(&item.words, ink.text);
        left = below(left, high + 2);
        shown += 1;
    }
    more(items, shown, below(area, area.height - 1), buf, ink);
}

/// A line each.
fn lines(items: &[Item], area: Rect, buf: &mut Buffer, ink: &Ink) {
    let room = usize::from(area.height);
    let shown = if items.len() > room {
        room.saturating_sub(1)
    } else {
        items.len()
    };
    let name = area.width.min(60) / 3;
    for (y, item) in (0..).zip(items.iter().take(shown)) {
        let mut line = Strip::new(buf, area, y);
        line.name(&item.name, name.max(8), bold(item.style))
            .to(name.max(8) + 1);
        if area.width >= 60 {
            line.put(&item.place, ink.dim).gap(2);
        }
        line.put(&item.words, ink.text);
    }
    let last = u16::try_from(shown).unwrap_or(u16::MAX);
    more(items, shown, below(area, last), buf, ink);
}

fn more(items: &[Item], shown: usize, area: Rect, buf: &mut Buffer, ink: &Ink) {
    let rest = items.get(shown..).unwrap_or_default();
    if rest.is_empty() {
        return;
    }
    let names: Vec<&str> = rest.iter().map(|item| item.name.as_str()).collect();
    let words = format!("and {} more: {}", rest.len(), names.join(", "));
    Strip::new(buf, area, 0).put(&words, ink.dim);
}
