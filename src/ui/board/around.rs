//! What explains the selected release where something is known around it: what its version brings, the numbers of both
//! versions and their lines, the first alert, its pipeline. Facts side by side; no word here judges them.

use std::collections::BTreeSet;

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    super::{
        figures::{old, rough_share},
        ink::{Ink, bold},
        measured::{self, Pair, counted, pair, since_it_finished},
        strip::{Sheet, Strip, sheet},
        told::{alert_mark, job_mark, run_of, strip_of_jobs, worst},
        words,
    },
    detail::{git, last_action, pods_words},
};
use crate::{
    app::{
        beside::{Certainty, PipelineState, SourceKind},
        state::State,
    },
    model::{
        incident::Alert,
        metrics::{Arm, Compared, Measure, Metrics, Reading},
        pipeline::{Changes, Run},
        release::Release,
    },
};

/// Cells that the numbers take beside a chart, at the least and where there is room.
const NUMBERS: u16 = 66;
const ROOMY: u16 = 76;
/// The least that a chart is worth.
const CHART: u16 = 40;

/// Whether there is anything to say that the rollout itself does not.
pub(super) fn is_there(state: &State, release: &Release) -> bool {
    let id = &release.rollout.id;
    state.beside.metrics(id).is_some()
        || run_of(state, release).is_some()
        || !state.beside.firing(id).is_empty()
}

pub(super) fn full(
    state: &State,
    release: &Release,
    roomy: bool,
    area: Rect,
    buf: &mut Buffer,
    ink: &Ink,
) {
    let metrics = state.beside.metrics(&release.rollout.id);
    sheet(buf, area, 0, |sheet| {
        sheet.line(|line| head(state, release, line, ink));
    });
    let air = u16::from(roomy);
    let below = Rect {
        y: area.y + (1 + air).min(area.height),
        height: area.height.saturating_sub(1 + air),
        ..area
    };
    let numbers = match area.width {
        _ if metrics.is_none() => area.width,
        width if width >= ROOMY + 2 * CHART - 8 => ROOMY,
        width if width >= NUMBERS + CHART => NUMBERS,
        width => width,
    };
    let left = Rect {
        width: numbers,
        ..below
    };
    sheet(buf, left, 0, |sheet| {
        facts(state, release, roomy, sheet, ink);
    });
    if let Some(metrics) = metrics
        && numbers < area.width
    {
        let right = Rect {
            x: area.x + numbers,
            y: area.y + 1,
            width: area.width - numbers,
            height: area.height.saturating_sub(1),
        };
        let pair = pair(state, metrics);
        // An odd number of rows has a middle one, for the middle of the scale.
        let rows = (right.height.saturating_sub(3).min(8) / 2) * 2 + 1;
        sheet(buf, right, 0, |sheet| {
            sheet.line(|line| {
                line.gap(7);
                super::super::chart::legend(&pair.front_name, &pair.back_name, line, ink);
                line.gap(3).put("share of errors", ink.ghost);
            });
            measured::chart(release, metrics, &pair).draw(state, right.width, rows, sheet, ink);
        });
    }
}

/// Version, commit, its title, and how much it brings.
fn head(state: &State, release: &Release, line: &mut Strip<'_>, ink: &Ink) {
    git(release, line, ink);
    line.name(&release.current().label(), 20, bold(ink.text))
        .gap(2);
    let pipeline = state.beside.pipeline(release);
    if let Some(pipeline) = &pipeline
        && let PipelineState::Here {
            run,
            certainty: Certainty::Commit(_) | Certainty::Tag,
            ..
        } = &pipeline.state
    {
        let page = run.page_of(&run.commit);
        line.link(page.as_ref(), &ink.links, |line| {
            line.put(run.commit.short(), ink.ghost);
        });
        line.gap(2);
        let changes = state.beside.changes(&pipeline.rule.repository, &run.commit);
        let brings = changes.map_or_else(String::new, |changes| brings(changes));
        let cells = u16::try_from(crate::model::text::width(&brings)).unwrap_or(0);
        let room = line.left().saturating_sub(cells + 4);
        line.put_within(&run.title, room, ink.dim).gap(3);
        line.put(&brings, ink.dim);
    } else {
        line.put(release.rollout.id.kind.vendor(), ink.dim)
            .put(" in ", ink.ghost)
            .put(release.rollout.id.namespace.as_str(), ink.dim);
    }
}

/// `7 commits, 2 authors`; authors only where every commit was told.
fn brings(changes: &Changes) -> String {
    let total = usize::try_from(changes.total).unwrap_or(usize::MAX);
    let mut words = words::count(total, "commit");
    let authors: BTreeSet<&str> = changes
        .commits
        .iter()
        .filter_map(|change| change.author.as_deref())
        .collect();
    if changes.commits.len() == total && !authors.is_empty() {
        words.push_str(", ");
        words.push_str(&words::count(authors.len(), "author"));
    }
    words
}

const LABEL: u16 = 9;

fn facts(state: &State, release: &Release, roomy: bool, sheet: &mut Sheet<'_>, ink: &Ink) {
    let id = &release.rollout.id;
    if let Some(metrics) = state.beside.metrics(id) {
        numbers(state, metrics, sheet, ink);
        freshness(state, release, metrics, sheet, ink);
    }
    if let Some(worst) = worst(state, id, ink) {
        alert(state, worst.alert, worst.count, sheet, ink);
    }
    if let Some(run) = run_of(state, release) {
        pipeline(run, sheet, ink);
    }
    sheet.line(|line| {
        line.put("pods", ink.dim).to(LABEL);
        line.put(&pods_words(release.rollout.replicas), ink.text);
        if state.ringing.contains_key(id) {
            line.gap(3)
                .put("rings when it waits, fails or is done", ink.dim);
        }
    });
    if !release.rollout.message.is_empty() && roomy {
        sheet.labelled(("says", ink.dim), LABEL, &release.rollout.message, ink.text);
    }
    if let Some(what) = &release.rollout.not_undone {
        sheet.labelled(("not undone", ink.dim), LABEL + 2, what, ink.waiting);
    }
    last_action(state, release, sheet, ink);
}

fn numbers(state: &State, metrics: &Metrics, sheet: &mut Sheet<'_>, ink: &Ink) {
    let Pair {
        front,
        front_name,
        back,
        back_name,
    } = pair(state, metrics);
    let finished = matches!(metrics.compared, Compared::BeforeAndAfter { .. });
    let (first, second) = if finished {
        ((back, back_name), (front, front_name))
    } else {
        ((front, front_name), (back, back_name))
    };
    for measure in Measure::ALL {
        let of = |arm: &'_ Arm| -> Reading<crate::model::metrics::Counts> {
            match measure {
                Measure::Errors => arm.errors.clone(),
                Measure::Slow => arm.slow.clone(),
            }
        };
        sheet.line(|line| {
            line.put(measure.word(), ink.dim).to(LABEL);
            let half = line.left() / 2;
            line.put(&first.1, ink.ghost).gap(1);
            let room = (LABEL + half).saturating_sub(line.at() + 1);
            counted(state, &of(first.0), room, !finished, line, ink);
            line.to(LABEL + half).put(&second.1, ink.ghost).gap(1);
            let room = line.left();
            counted(state, &of(second.0), room, finished, line, ink);
        });
    }
}

/// How old the numbers are, and what is missing in them.
fn freshness(
    state: &State,
    release: &Release,
    metrics: &Metrics,
    sheet: &mut Sheet<'_>,
    ink: &Ink,
) {
    let source = state
        .beside
        .source(SourceKind::Prometheus, &release.rollout.id.environment);
    if let Some(source) = source.filter(|source| !source.health.state.is_live()) {
        let style = ink.source(source.health.state);
        let words = words::source_words(state, &source.health);
        sheet.line(|line| {
            line.put("Prometheus ", style).put(&words, style);
        });
    }
    if let Some(words) = since_it_finished(state, metrics) {
        sheet.line(|line| {
            line.to(LABEL).put(&words, bold(ink.text));
        });
    }
    let newest = metrics
        .newest
        .map(|newest| words::seconds_since(state, newest));
    sheet.line(|line| {
        line.to(LABEL);
        match newest {
            Some(seconds) => line.put(&format!("newest {} ago", old(seconds)), ink.ghost),
            None => line.put("no sample", ink.ghost),
        };
        if let Compared::CanaryAndStable { canary, stable } = &metrics.compared
            && let (Some(one), Some(other)) = (canary.traffic.value(), stable.traffic.value())
            && one + other > 0.0
        {
            let share = rough_share(one / (one + other));
            line.gap(3).put(&format!("{share} of the traffic"), ink.dim);
        }
        if !metrics.warnings.is_empty() {
            line.gap(3).put("▲ incomplete", ink.waiting);
        }
    });
}

fn alert(state: &State, alert: &Alert, count: usize, sheet: &mut Sheet<'_>, ink: &Ink) {
    let (mark, style) = alert_mark(alert, ink);
    sheet.line(|line| {
        line.put(mark, style).gap(1);
        line.link(alert.page().as_ref(), &ink.links, |line| {
            line.put(alert.title(), bold(ink.text));
        });
        if let Some(since) = alert.starts_at {
            line.put(", ", ink.dim)
                .put(&words::age(state, since), ink.text);
        }
        if let Some(receiver) = alert.receivers.first() {
            line.put(", told: ", ink.dim).put(receiver, ink.dim);
        }
        if count > 1 {
            line.gap(2).put(&format!("{} more", count - 1), ink.dim);
        }
    });
}

fn pipeline(run: &Run, sheet: &mut Sheet<'_>, ink: &Ink) {
    sheet.line(|line| {
        line.put("pipeline", ink.dim).to(LABEL);
        strip_of_jobs(run, 24, line, ink);
        line.gap(2)
            .link(run.page().as_ref(), &ink.links, |line| {
                line.put(&format!("#{}", run.number), ink.dim);
            })
            .gap(1)
            .put(job_mark(&run.phase), ink.job(&run.phase))
            .gap(1)
            .put(run.phase.words(), ink.job(&run.phase));
    });
}

/// `41 / 10 212 against 118 / 31 004`, at the end of a line; whether there was anything to say.
pub(super) fn counts(state: &State, release: &Release, line: &mut Strip<'_>, ink: &Ink) -> bool {
    let Some(metrics) = state.beside.metrics(&release.rollout.id) else {
        return false;
    };
    if let Compared::BeforeAndAfter { .. } = &metrics.compared {
        let Some(words) = since_it_finished(state, metrics) else {
            return false;
        };
        line.put(&words, ink.text);
        return true;
    }
    let pair = pair(state, metrics);
    line.put("errors ", ink.ghost);
    counted(state, &pair.front.errors, 0, true, line, ink);
    line.put(" against ", ink.ghost);
    counted(state, &pair.back.errors, 0, false, line, ink);
    true
}

/// The first alert and the pipeline, on a line each.
pub(super) fn terse(state: &State, release: &Release, sheet: &mut Sheet<'_>, ink: &Ink) {
    if let Some(worst) = worst(state, &release.rollout.id, ink) {
        alert(state, worst.alert, worst.count, sheet, ink);
    }
    if let Some(run) = run_of(state, release) {
        pipeline(run, sheet, ink);
    }
}
