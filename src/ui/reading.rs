//! What is read at length: the logs of a pod and an object as it is stored. Only the lines on the screen are looked at.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    ink::{Ink, bold},
    input::{key_line, tail},
    pane::{self, Titles},
    strip::{Beyond, Strip, sheet},
};
use crate::{
    app::state::{Loading, LogState, LogsOverlay},
    model::{
        job_log::{LogColour, LogKind, LogLine, LogSpan},
        text::Safe,
    },
};

pub(super) fn yaml(
    title: &str,
    text: &Loading<Vec<Safe>>,
    scroll: usize,
    screen: Rect,
    buf: &mut Buffer,
    ink: &Ink,
) {
    let area = pane::large(screen);
    let inner = pane::dialog(
        buf,
        area,
        Titles::new(title, "as it is stored"),
        ink.accent,
        ink,
    );
    let body = Rect {
        height: inner.height.saturating_sub(1),
        ..inner
    };
    let beyond = sheet(buf, body, scroll, |sheet| match text {
        Loading::Waiting => sheet.wrapped(0, "asking for it", ink.dim),
        Loading::Failed(why) => {
            sheet.labelled(
                ("✖", ink.bad),
                2,
                &format!("it cannot be told: {why}"),
                ink.text,
            );
        }
        Loading::Here(lines) => sheet.many(lines.len(), |nth, line| {
            if let Some(text) = lines.get(nth) {
                yaml_line(text, line, ink);
            }
        }),
    });
    pane::beyond(buf, area, beyond, ink);
    if let Some(y) = inner.height.checked_sub(1) {
        key_line(
            &[("j k", "scroll"), ("Esc", "leaves")],
            &mut Strip::new(buf, inner, y),
            ink,
        );
    }
}

fn yaml_line(text: &str, line: &mut Strip<'_>, ink: &Ink) {
    match text.split_once(':') {
        Some((key, value)) if !key.trim_start().starts_with('"') => {
            line.put(key, ink.dim)
                .put(":", ink.ghost)
                .put(value, ink.text);
        }
        _ => {
            line.put(text, ink.text);
        }
    }
}

pub(super) fn logs(logs: &LogsOverlay, screen: Rect, buf: &mut Buffer, ink: &Ink) {
    let area = pane::large(screen);
    let title = match &logs.container {
        Some(container) => format!("{} {container}", logs.pod),
        None => logs.pod.to_string(),
    };
    let pods = logs.pods.len();
    let place = logs
        .pods
        .iter()
        .position(|(name, _)| *name == logs.pod)
        .map_or(0, |at| at + 1);
    let right = if pods > 1 {
        format!(
            "{} {place} of {pods}",
            if logs.jobs.is_some() { "job" } else { "pod" }
        )
    } else {
        String::new()
    };
    let inner = pane::dialog(buf, area, Titles::new(&title, &right), ink.accent, ink);
    let body = Rect {
        height: inner.height.saturating_sub(2),
        ..inner
    };
    let beyond = log_lines(logs, body, buf, ink);
    pane::beyond(buf, area, beyond, ink);
    log_state(logs, inner, buf, ink);
    if let Some(y) = inner.height.checked_sub(1) {
        let mut line = Strip::new(buf, inner, y);
        if logs.filtering {
            line.put("/", bold(ink.accent));
            tail(&logs.filter, &mut line, bold(ink.text));
            line.put("█", ink.accent);
            return;
        }
        key_line(
            &[
                ("G", "follows"),
                ("k", "up"),
                ("/", "filter"),
                ("Tab", "next pod"),
                ("Esc", "leaves"),
            ],
            &mut line,
            ink,
        );
    }
}

/// From the end upwards, until the screen is full: the lines before cost nothing, except while a filter hides most.
fn log_lines(logs: &LogsOverlay, area: Rect, buf: &mut Buffer, ink: &Ink) -> Beyond {
    let needle = logs.filter.to_lowercase();
    let matches = |line: &LogLine| needle.is_empty() || line.contains(&needle);
    let height = usize::from(area.height);
    let mut shown: Vec<&LogLine> = logs
        .lines
        .iter()
        .rev()
        .filter(|line| matches(line))
        .skip(logs.up)
        .take(height)
        .collect();
    shown.reverse();
    for (y, line) in shown.iter().enumerate() {
        let y = u16::try_from(y).unwrap_or(u16::MAX);
        let mut strip = Strip::new(buf, area, y);
        for span in &line.spans {
            let style = log_style(line.kind, span, ink);
            strip.put(&span.text, if span.bold { bold(style) } else { style });
        }
    }
    let below = logs.up.min(logs.lines.len());
    let above = if needle.is_empty() {
        logs.lines.len().saturating_sub(below + shown.len())
    } else {
        0
    };
    Beyond { above, below }
}

/// What a job coloured stays coloured, in the colours of the theme: its own could be unreadable on this ground.
fn log_style(kind: LogKind, span: &LogSpan, ink: &Ink) -> Style {
    match (kind, span.colour) {
        (LogKind::Error, _) => ink.bad,
        (LogKind::Warning, _) => ink.waiting,
        (LogKind::Group, _) => bold(ink.text),
        (LogKind::EndGroup, _) => ink.ghost,
        (LogKind::Command, None) => ink.dim,
        (LogKind::Plain, None) => ink.text,
        (LogKind::Plain | LogKind::Command, Some(colour)) => hue(colour, ink),
    }
}

fn hue(colour: LogColour, ink: &Ink) -> Style {
    match colour {
        LogColour::Indexed(1 | 9) => ink.bad,
        LogColour::Indexed(2 | 10) => ink.ok,
        LogColour::Indexed(3 | 11) => ink.waiting,
        LogColour::Indexed(4 | 5 | 12 | 13) => ink.accent,
        LogColour::Indexed(6 | 14) => ink.moving,
        LogColour::Indexed(0 | 8) => ink.dim,
        LogColour::Indexed(_) => ink.text,
        LogColour::Rgb(red, green, blue) => {
            let most = red.max(green).max(blue);
            let least = red.min(green).min(blue);
            // Grey, or nearly.
            if most - least < 48 {
                return ink.text;
            }
            match (red == most, green == most) {
                (true, true) => ink.waiting,
                (true, false) if green > blue && green - blue > 64 => ink.waiting,
                (true, false) => ink.bad,
                (false, true) if blue > red && blue - red > 64 => ink.moving,
                (false, true) => ink.ok,
                (false, false) => ink.accent,
            }
        }
    }
}

fn log_state(logs: &LogsOverlay, inner: Rect, buf: &mut Buffer, ink: &Ink) {
    let Some(y) = inner.height.checked_sub(2) else {
        return;
    };
    let mut line = Strip::new(buf, inner, y);
    match &logs.state {
        LogState::NotYet(why) => line.put("◌ ", ink.waiting).put(why, ink.text),
        LogState::Connecting => line.put("○ asking for its log", ink.dim),
        LogState::Following if logs.follow => line.put("● following", ink.ok),
        LogState::Following => line.put("▲ held here, new lines go on below", ink.waiting),
        LogState::Ended => line.put("the log has ended", ink.dim),
        LogState::Failed(why) => line.put("✖ ", ink.bad).put(why, ink.text),
    };
    if !logs.filter.is_empty() {
        line.gap(3)
            .put("only lines with ", ink.dim)
            .put(&logs.filter, bold(ink.text));
    }
    if logs.dropped > 0 {
        line.right(&format!("{} older lines dropped", logs.dropped), ink.ghost);
    }
}
