//! One release as one line.

use super::{
    super::{
        ink::{Ink, bold},
        measured::errors_beside,
        strip::Strip,
        told::{self, group_of_words, release_words, run_of, strip_of_jobs},
        words::{self, group_mark, news, stays_words},
    },
    columns::Columns,
};
use crate::{
    app::{
        actions::{Line, LineState},
        state::{Environment, State},
    },
    model::{
        release::{Group, Release, duration_words},
        rollout::Phase,
    },
};
use ratatui::style::Style;

/// A column with fewer cells says how many alerts there are, not which.
const TITLE: u16 = 10;

pub(super) fn draw(
    state: &State,
    release: &Release,
    group: Group,
    columns: &Columns,
    line: &mut Strip<'_>,
    ink: &Ink,
) {
    let id = &release.rollout.id;
    let environment = state.environment_of(id);
    let selected = state.board.selected.as_ref() == Some(id);
    if selected {
        line.ground(ink.selection).put("▌", ink.accent);
    }
    if columns.marks {
        line.to(1).put(group_mark(group), ink.group(group));
    }
    if state.board.marked.contains(id) {
        line.to(columns.service - 1).put("•", bold(ink.accent));
    }
    let name = match group {
        Group::Broken | Group::NeedsYou | Group::Moving => bold(ink.text),
        Group::Unknown => ink.dim,
        Group::Quiet => ink.text,
    };
    line.to(columns.service);
    line.name(
        id.name.as_str(),
        columns.environment - columns.service - 1,
        name,
    );
    line.to(columns.environment);
    line.name(
        id.environment.as_str(),
        columns.room_of_environment(),
        ink.dim,
    );
    since(state, release, environment, group, columns, line, ink);
    if let Some(version) = columns.version {
        line.to(version);
        versions(state, release, environment, group, columns, line, ink);
    }
    around(state, release, environment, columns, line, ink);
    line.to(columns.state);
    match news(state, id) {
        // What somebody has just done is what one looks for; the bar beside it says how far it is.
        Some(action) => {
            let own = group_of_words(state, release, group);
            progress(release, own, columns, line, ink);
            action_line(state, action, line, ink);
        }
        None => what_it_does(state, release, environment, group, columns, line, ink),
    }
}

fn since(
    state: &State,
    release: &Release,
    environment: Option<&Environment>,
    group: Group,
    columns: &Columns,
    line: &mut Strip<'_>,
    ink: &Ink,
) {
    let since = match environment {
        Some(environment) if group == Group::Unknown && !environment.is_fresh() => {
            Some(environment.health.since)
        }
        _ => state.releases.since(&release.rollout.id),
    };
    if columns.state + 12 > line.at() + line.left() {
        return;
    }
    if let Some(since) = since {
        let seconds = words::seconds_since(state, since);
        line.keep_right(1).right(&duration_words(seconds), ink.dim);
    } else {
        line.keep_right(1);
    }
}

fn versions(
    state: &State,
    release: &Release,
    environment: Option<&Environment>,
    group: Group,
    columns: &Columns,
    line: &mut Strip<'_>,
    ink: &Ink,
) {
    let start = line.at();
    let room = columns.version_cells;
    let current = release.current();
    let current = current.label();
    if let Some(environment) = environment
        && !environment.is_fresh()
    {
        line.name(&current, room, ink.dim);
        if let Some(heard) = environment.health.heard {
            let old = format!(" as of {} ago", words::age(state, heard));
            let room = (columns.state - 1).saturating_sub(line.at());
            line.name(&old, room, ink.dim);
        }
        return;
    }
    if let Some(before) = release.serving_before() {
        line.name(&before.label(), room, ink.dim);
        line.to(start + room).put("→", ink.dim);
        line.to(start + room + 2);
        line.name(&current, room + 1, ink.text);
    } else {
        let style = if group == Group::Quiet {
            ink.dim
        } else {
            ink.text
        };
        line.name(&current, 2 * room + 3, style);
    }
}

/// Weight and step of a canary under way.
fn progress(
    release: &Release,
    group: Group,
    columns: &Columns,
    line: &mut Strip<'_>,
    ink: &Ink,
) -> bool {
    let rollout = &release.rollout;
    let moving = matches!(rollout.phase, Phase::Paused | Phase::Progressing);
    let Some(canary) = rollout
        .canary()
        .filter(|canary| moving && !canary.steps.is_empty() && !rollout.fully_promoted())
    else {
        return false;
    };
    let start = line.at();
    let percent = percent(release);
    if columns.bar > 0 {
        match percent {
            Some(percent) => bar(percent, columns.bar, ink.group(group), line, ink),
            None => {
                line.gap(columns.bar);
            }
        }
        line.to(start + columns.bar + 1);
    }
    let at = line.at();
    let number = percent.map_or_else(|| "? %".to_owned(), |percent| format!("{percent} %"));
    let style = if columns.wide {
        bold(ink.text)
    } else {
        ink.group(group)
    };
    line.put(&number, style);
    if columns.narrow {
        line.gap(1);
        return true;
    }
    line.to(at + 6);
    let step = canary
        .current_step()
        .map_or(canary.steps.len(), |(index, _)| index + 1);
    let style = if columns.wide {
        ink.ghost
    } else {
        ink.group(group)
    };
    line.put(&format!("{step}/{}", canary.steps.len()), style);
    line.to(at + if columns.wide { 15 } else { 13 });
    true
}

/// The canary's share of the traffic, of a hundred.
pub(in super::super) fn percent(release: &Release) -> Option<i64> {
    let of = i64::from(release.rollout.canary()?.weight.of);
    let actual = i64::from(release.actual_weight()?);
    (actual * 100).checked_div(of)
}

/// A line that gets heavy from the left, in half cells.
pub(in super::super) fn bar(
    percent: i64,
    cells: u16,
    style: Style,
    line: &mut Strip<'_>,
    ink: &Ink,
) {
    let halves = (percent.clamp(0, 100) * i64::from(cells) * 2 + 50) / 100;
    // Something that has begun is never drawn as nothing.
    let halves = if percent > 0 { halves.max(1) } else { 0 };
    let full = u16::try_from(halves / 2).unwrap_or(cells).min(cells);
    line.fill("━", full, style);
    let mut rest = cells - full;
    if halves % 2 == 1 && rest > 0 {
        line.fill("╸", 1, style);
        rest -= 1;
    }
    line.fill("─", rest, ink.line);
}

fn action_line(state: &State, action: &Line, line: &mut Strip<'_>, ink: &Ink) {
    let style = match &action.state {
        LineState::UnderWay { .. } => ink.moving,
        LineState::Over { outcome, .. } => ink.outcome(outcome.kind),
        LineState::Reverted { .. } => ink.bad,
    };
    line.put(&stays_words(state, action), bold(style));
}

fn what_it_does(
    state: &State,
    release: &Release,
    environment: Option<&Environment>,
    group: Group,
    columns: &Columns,
    line: &mut Strip<'_>,
    ink: &Ink,
) {
    if let Some(environment) = environment
        && !environment.is_fresh()
    {
        let words = words::source_words(state, &environment.health);
        if columns.wide {
            line.put(environment.name.as_str(), ink.dim).gap(1);
        }
        line.put(&words, ink.dim);
        return;
    }
    let own = group_of_words(state, release, group);
    let firing = told::worst(state, &release.rollout.id, ink);
    // Where alerts have no column of their own, mark and number stand behind the words.
    let kept = match (&firing, columns.alerts) {
        (Some(_), None) if columns.narrow => 4,
        (Some(_), None) => 7,
        _ => 0,
    };
    progress(release, own, columns, line, ink);
    let style = match own {
        Group::Broken | Group::NeedsYou => bold(ink.group(own)),
        Group::Moving | Group::Unknown | Group::Quiet => ink.group(own),
    };
    let room = line.left().saturating_sub(kept);
    line.put_within(&release_words(state, release), room, style);
    if columns.version.is_none() && own == Group::Quiet {
        let room = line.left().saturating_sub(2);
        line.gap(2).name(&release.current().label(), room, ink.dim);
    }
    if columns.alerts.is_none()
        && let Some(worst) = firing
    {
        let gap = if columns.narrow { 1 } else { 3 };
        line.gap(gap).put(worst.mark, worst.style);
        line.gap(1).put(&worst.count.to_string(), bold(worst.style));
    }
}

/// What is beside the rollout: errors, jobs and alerts, in columns of their own where there is room for them. The words to
/// the left go on up to the first of them.
fn around(
    state: &State,
    release: &Release,
    environment: Option<&Environment>,
    columns: &Columns,
    line: &mut Strip<'_>,
    ink: &Ink,
) {
    if !environment.is_some_and(Environment::is_fresh) {
        return;
    }
    let id = &release.rollout.id;
    let mut first = None;
    if let Some((column, cells)) = columns.errors
        && let Some(errors) = state
            .beside
            .metrics(id)
            .and_then(|metrics| errors_beside(state, metrics))
    {
        first = first.or(Some(column));
        line.at_column(column, |line| {
            line.until(column + cells).put(&errors, ink.text);
        });
    }
    if let Some((column, cells)) = columns.pipeline
        && let Some(run) = run_of(state, release)
    {
        first = first.or(Some(column));
        line.at_column(column, |line| strip_of_jobs(run, cells, line, ink));
    }
    if let Some((column, cells)) = columns.alerts
        && let Some(worst) = told::worst(state, id, ink)
    {
        first = first.or(Some(column));
        line.at_column(column, |line| {
            line.put(worst.mark, worst.style)
                .gap(1)
                .put(&worst.count.to_string(), bold(worst.style))
                .gap(1)
                .until(column + cells);
            if cells >= TITLE {
                line.put(worst.alert.title(), worst.style);
            }
        });
    }
    if let Some(first) = first {
        line.until(first - 1);
    }
}
