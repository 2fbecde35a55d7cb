//! The steps of a canary as a line with dots, or as a bar where there is no room for it.

use ratatui::style::Style;

use super::super::{
    board::{bar, percent},
    ink::{Ink, bold},
    strip::Sheet,
};
use crate::model::{release::Release, rollout::Canary, step::Step, text::width};

/// The stops of the line: weights and analyses; pauses belong to the weight before them.
struct Stop {
    label: String,
    /// Steps from here to the next stop.
    first: usize,
}

fn stops(canary: &Canary) -> Vec<Stop> {
    let mut stops: Vec<Stop> = Vec::new();
    for (index, step) in canary.steps.iter().enumerate() {
        let label = match step {
            Step::SetWeight(weight) => weight.to_string(),
            Step::Analysis | Step::Experiment | Step::Plugin(_) | Step::Unknown => step.words(),
            // What only waits or prepares belongs to the stop before it; at the very beginning it is a stop of its own.
            Step::Pause | Step::PauseFor { .. } if stops.is_empty() => "pause".to_owned(),
            Step::Pause
            | Step::PauseFor { .. }
            | Step::SetCanaryScale(_)
            | Step::SetHeaderRoute(_)
            | Step::SetMirrorRoute(_) => continue,
        };
        stops.push(Stop {
            label,
            first: index,
        });
    }
    if !matches!(canary.steps.last(), Some(Step::SetWeight(weight)) if *weight >= canary.weight.of)
    {
        stops.push(Stop {
            label: "100".to_owned(),
            first: canary.steps.len(),
        });
    }
    stops
}

pub(super) fn steps(
    release: &Release,
    canary: &Canary,
    style: Style,
    sheet: &mut Sheet<'_>,
    ink: &Ink,
) {
    let stops = stops(canary);
    let index = if release.rollout.fully_promoted() {
        usize::MAX
    } else {
        canary
            .current_step()
            .map_or(canary.steps.len(), |(index, _)| index)
    };
    let current = stops
        .iter()
        .rposition(|stop| stop.first <= index)
        .unwrap_or(0);
    let done = release.rollout.fully_promoted();
    let room = usize::from(sheet.width());
    let labels: usize = stops.iter().map(|stop| width(&stop.label) + 2).sum();
    if labels > room {
        crowded(release, canary, &stops, current, style, sheet, ink);
        return;
    }
    // What the labels leave is shared out between the dots, so that the line is as wide as the pane.
    let spare = (room - labels) / stops.len().max(1);
    let cells: Vec<u16> = stops
        .iter()
        .map(|stop| u16::try_from(width(&stop.label) + 2 + spare.min(6)).unwrap_or(8))
        .collect();
    let centre = |stop: &Stop| u16::try_from(width(&stop.label) / 2).unwrap_or(0);
    sheet.line(|line| {
        let mut x = 0;
        for (nth, (stop, cells)) in stops.iter().zip(&cells).enumerate() {
            let style = if nth == current && !done {
                bold(ink.text)
            } else {
                ink.dim
            };
            line.to(x).put(&stop.label, style);
            x += cells;
        }
    });
    sheet.line(|line| {
        let mut x = 0;
        for (nth, (stop, cells)) in stops.iter().zip(&cells).enumerate() {
            let at = x + centre(stop);
            let reached = nth <= current || done;
            let (track, track_style) = if reached {
                ("━", style)
            } else {
                ("─", ink.line)
            };
            if nth > 0 {
                let gap = at.saturating_sub(line.at());
                line.fill(track, gap, track_style);
            }
            line.to(at);
            match nth {
                _ if done => line.put("●", style),
                nth if nth < current => line.put("●", style),
                nth if nth == current => line.put("◉", style),
                _ => line.put("○", ink.dim),
            };
            x += cells;
        }
    });
}

/// Where the stops have no room side by side: a bar, and the current step in words.
fn crowded(
    release: &Release,
    canary: &Canary,
    stops: &[Stop],
    current: usize,
    style: Style,
    sheet: &mut Sheet<'_>,
    ink: &Ink,
) {
    sheet.line(|line| {
        if let Some(percent) = percent(release) {
            let cells = line.left().saturating_sub(16).min(40);
            bar(percent, cells, style, line, ink);
            line.gap(1).put(&format!("{percent} %"), bold(ink.text));
        }
        let step = canary
            .current_step()
            .map_or(canary.steps.len(), |(index, _)| index + 1);
        line.gap(2)
            .put(&format!("{step}/{}", canary.steps.len()), ink.ghost);
    });
    sheet.line(|line| {
        for (nth, stop) in stops.iter().enumerate().skip(current.saturating_sub(1)) {
            let (mark, text) = match nth {
                nth if nth < current => ("● ", ink.dim),
                nth if nth == current => ("◉ ", bold(ink.text)),
                _ => ("○ ", ink.dim),
            };
            if usize::from(line.left()) < width(&stop.label) + 4 {
                break;
            }
            line.put(mark, if nth <= current { style } else { ink.dim });
            line.put(&stop.label, text).gap(2);
        }
    });
}
