//! One release that hurts: its name across the room, what happens, its weight, canary beside stable, and its alerts.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    super::{
        ink::{Ink, bold},
        measured::{errors_beside, since_it_finished},
        strip::Strip,
        told::{alert_mark, release_words},
        words::{age, group_mark},
    },
    below,
    letters::{self, Face},
};
use crate::{
    app::wall::{Letters, Wall},
    model::{
        id::ReleaseId,
        release::{Group, Release},
    },
};

pub(super) fn draw(wall: &Wall, id: &ReleaseId, area: Rect, buf: &mut Buffer, ink: &Ink) {
    let state = &wall.state;
    let Some(release) = state.releases.find(id) else {
        Strip::new(buf, area, 0).put(&format!("{} is gone", id.name), ink.dim);
        return;
    };
    let style = bold(ink.group(Group::Broken));
    let name = id.name.as_str();
    // Half of the screen at most: the reason matters as much as the name.
    let room = (area.width, area.height / 2);
    let face = Face::fitting(name, room, Face::Full, wall.letters);
    let high = letters::write(name, face, wall.letters, area, buf, style);
    let mut left = below(area, high + u16::from(area.height >= 10));

    let mut line = Strip::new(buf, left, 0);
    line.put(group_mark(Group::Broken), style)
        .gap(1)
        .put(id.environment.as_str(), bold(ink.text))
        .gap(2)
        .put(&release.current().label(), bold(ink.text));
    if let Some(before) = release.serving_before() {
        line.gap(2)
            .put(&format!("serving before: {}", before.label()), ink.dim);
    }
    let mut words = release_words(state, release);
    if let Some(since) = state.releases.since(id) {
        words.push_str(&format!(", since {}", age(state, since)));
    }
    Strip::new(buf, left, 1).put(&words, style);
    left = below(left, 2 + u16::from(area.height >= 16));
    left = weight(wall, release, left, buf, ink);
    left = measured(wall, id, left, buf, ink);
    alerts(wall, id, left, buf, ink);
}

/// The share of traffic that the version under trial has, as a number and as a bar.
fn weight(wall: &Wall, release: &Release, area: Rect, buf: &mut Buffer, ink: &Ink) -> Rect {
    let Some(canary) = release
        .rollout
        .canary()
        .filter(|_| !release.rollout.fully_promoted())
    else {
        return area;
    };
    let weight = &canary.weight;
    let now = weight.actual.unwrap_or(weight.set);
    let words = format!("{now} %");
    let style = bold(ink.moving);
    let room = (area.width / 3, area.height.saturating_sub(4));
    let face = Face::fitting(&words, room, Face::Half, wall.letters);
    let high = letters::write(&words, face, wall.letters, area, buf, style);
    let (columns, _) = face.size(&words, wall.letters);
    let beside = Rect {
        x: area.x + (columns + 3).min(area.width),
        width: area.width.saturating_sub(columns + 3),
        ..area
    };
    let mut line = Strip::new(buf, beside, high / 2);
    line.put("canary", ink.text);
    if let Some((index, _)) = canary.current_step() {
        line.put(
            &format!(", step {} of {}", index + 1, canary.steps.len()),
            ink.dim,
        );
    }
    if high >= 3 {
        bar(wall, (now, weight.of), beside, high / 2 + 1, buf, ink);
    }
    below(area, high + u16::from(area.height >= 12))
}

fn bar(
    wall: &Wall,
    (now, of): (i32, i32),
    area: Rect,
    y: u16,
    buf: &mut Buffer,
    ink: &Ink,
) {
    let columns = i64::from(area.width);
    let filled = i64::from(now.max(0)) * columns / i64::from(of.max(1));
    let filled = u16::try_from(filled.min(columns)).unwrap_or(0);
    let (full, empty) = match wall.letters {
        Letters::Blocks => ("█", "░"),
        Letters::Ascii => ("#", "-"),
    };
    Strip::new(buf, area, y)
        .fill(full, filled, ink.moving)
        .fill(empty, area.width - filled, ink.ghost);
}

fn measured(wall: &Wall, id: &ReleaseId, area: Rect, buf: &mut Buffer, ink: &Ink) -> Rect {
    let state = &wall.state;
    let Some(metrics) = state.beside.metrics(id) else {
        return area;
    };
    let words = errors_beside(state, metrics)
        .map(|errors| format!("errors {errors} (canary / stable)"))
        .or_else(|| since_it_finished(state, metrics));
    let Some(words) = words else { return area };
    Strip::new(buf, area, 0)
        .put(&words, bold(ink.text))
        .gap(2)
        .put(&format!("read {} ago", age(state, metrics.read_at)), ink.dim);
    below(area, 1 + u16::from(area.height >= 8))
}

fn alerts(wall: &Wall, id: &ReleaseId, area: Rect, buf: &mut Buffer, ink: &Ink) {
    let state = &wall.state;
    let firing = state.beside.firing(id);
    let room = usize::from(area.height);
    let shown = if firing.len() > room {
        room.saturating_sub(1)
    } else {
        firing.len()
    };
    for (y, alert) in (0..).zip(firing.iter().take(shown)) {
        let (mark, style): (&str, Style) = alert_mark(alert, ink);
        let mut line = Strip::new(buf, area, y);
        line.put(mark, bold(style)).gap(1);
        if let Some(since) = alert.starts_at {
            line.right(&age(state, since), ink.dim);
        }
        line.put(alert.name(), bold(style))
            .gap(2)
            .put(alert.title(), ink.text);
    }
    if shown < firing.len() {
        let y = u16::try_from(shown).unwrap_or(u16::MAX);
        Strip::new(buf, area, y).put(
            &format!("and {} more alerts fire", firing.len() - shown),
            ink.dim,
        );
    }
}
