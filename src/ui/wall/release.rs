//! One release that hurts: its name across the room, what happens, its weight, canary beside stable, and its alerts.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    super::{
        ink::{Ink, bold},
        measured::{self, errors_beside, since_it_finished},
        strip::{Strip, sheet},
        told::{alert_mark, release_words},
        words::{age, group_mark},
    },
    below,
    letters::{self, Face},
    list::since_words,
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
    let mut words = release_words(state, release).into_owned();
    words.push_str(&since_words(state, id));
    Strip::new(buf, left, 1).put(&words, style);
    left = below(left, 2 + u16::from(area.height >= 16));
    left = numbers(wall, release, left, buf, ink);
    left = alerts(wall, id, left, buf, ink);
    measured(wall, release, left, buf, ink);
}

/// The share of traffic that the version under trial has, and the share of requests that fail, as large as fit.
fn numbers(wall: &Wall, release: &Release, area: Rect, buf: &mut Buffer, ink: &Ink) -> Rect {
    let state = &wall.state;
    let id = &release.rollout.id;
    let canary = release
        .rollout
        .canary()
        // An aborted one has no weight to look at: who serves is said in words.
        .filter(|_| !release.rollout.fully_promoted() && !release.rollout.aborted());
    let mut numbers: Vec<(String, String, Style)> = Vec::with_capacity(2);
    if let Some(canary) = canary {
        let now = canary.weight.actual.unwrap_or(canary.weight.set);
        let mut says = "canary".to_owned();
        if let Some((index, _)) = canary.current_step() {
            says.push_str(&format!(", step {} of {}", index + 1, canary.steps.len()));
        }
        numbers.push((format!("{now} %"), says, bold(ink.moving)));
    }
    if let Some(share) = state.beside.error_share(id) {
        let says = state
            .beside
            .metrics(id)
            .and_then(|metrics| {
                errors_beside(state, metrics)
                    .map(|errors| format!("errors {errors} (canary / stable)"))
                    .or_else(|| since_it_finished(state, metrics))
            })
            .unwrap_or_else(|| "errors".to_owned());
        numbers.push((format!("{:.1} %", share * 100.0), says, bold(ink.bad)));
    }
    if numbers.is_empty() {
        return area;
    }
    let column = area.width / 2;
    let room = (
        column.saturating_sub(2),
        (area.height / 3).saturating_sub(1),
    );
    let mut high = 0;
    for (nth, (number, says, style)) in (0..).zip(&numbers) {
        let place = Rect {
            x: area.x + nth * column,
            width: column.saturating_sub(2),
            ..area
        };
        let face = Face::fitting(number, room, Face::Half, wall.letters);
        let lines = letters::write(number, face, wall.letters, place, buf, *style);
        Strip::new(buf, place, lines).put(says, ink.text);
        high = high.max(lines + 1);
    }
    if let Some(canary) = canary.filter(|_| area.height >= 14) {
        let weight = (
            canary.weight.actual.unwrap_or(canary.weight.set),
            canary.weight.of,
        );
        bar(wall, weight, area, high, buf, ink);
        high += 1;
    }
    below(area, high + u16::from(area.height >= 12))
}

fn bar(wall: &Wall, (now, of): (i32, i32), area: Rect, y: u16, buf: &mut Buffer, ink: &Ink) {
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

/// Canary beside stable, with the line of errors, where there is room for them.
fn measured(wall: &Wall, release: &Release, area: Rect, buf: &mut Buffer, ink: &Ink) {
    if area.height < 4 || area.width < 60 {
        return;
    }
    let lines = if area.height >= 16 { 9 } else { 5 };
    sheet(buf, area, 0, |sheet| {
        measured::content(&wall.state, release, lines, sheet, ink);
    });
}

fn alerts(wall: &Wall, id: &ReleaseId, area: Rect, buf: &mut Buffer, ink: &Ink) -> Rect {
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
    let high = u16::try_from(shown).unwrap_or(u16::MAX);
    below(area, high.saturating_add(u16::from(shown < firing.len())))
}
