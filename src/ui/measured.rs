//! What the metrics say of a release, as a table and as lines: counts and shares of two versions side by side, or of
//! before and since. Five outcomes of a question have five words. Compares nothing and judges nothing.

use jiff::Timestamp;
use ratatui::style::Style;

use super::{
    chart::{Chart, legend},
    figures::{absent, counts, from_to, old, rate, rough_share, share},
    ink::{Ink, bold},
    strip::{Sheet, Strip},
    told::source_line,
    words::{seconds_since, short_time},
};
use crate::{
    app::{beside::SourceKind, state::State},
    model::{
        metrics::{Arm, Compared, Counts, Measure, Metrics, Reading},
        release::Release,
        rollout::Phase,
        text::width,
    },
};

/// Where the first version's numbers begin.
const LABEL: u16 = 9;
/// Cells of one version's numbers, at most.
const NUMBERS: u16 = 25;

/// The two that are put beside each other, and what they are called; the one that is looked at is in front.
pub(super) struct Pair<'m> {
    pub(super) front: &'m Arm,
    pub(super) front_name: String,
    pub(super) back: &'m Arm,
    pub(super) back_name: String,
}

pub(super) fn pair<'m>(state: &State, metrics: &'m Metrics) -> Pair<'m> {
    match &metrics.compared {
        Compared::CanaryAndStable { canary, stable } => Pair {
            front: canary,
            front_name: "canary".to_owned(),
            back: stable,
            back_name: "stable".to_owned(),
        },
        Compared::BeforeAndAfter { at, before, after } => Pair {
            front: after,
            front_name: format!("since {}", short_time(state, *at)),
            back: before,
            back_name: "before".to_owned(),
        },
    }
}

fn error_share(arm: &Arm) -> Option<f64> {
    arm.errors.value()?.share()
}

/// `errors 0.3 → 4.1 % since 02:14`, of a release that has finished.
pub(super) fn since_it_finished(state: &State, metrics: &Metrics) -> Option<String> {
    let Compared::BeforeAndAfter { at, before, after } = &metrics.compared else {
        return None;
    };
    let change = from_to(error_share(before)?, error_share(after)?);
    Some(format!("errors {change} since {}", short_time(state, *at)))
}

/// `0.4 / 0.3 %`: the shares of errors of the canary and of stable, or why there is none.
pub(super) fn errors_beside(state: &State, metrics: &Metrics) -> Option<String> {
    let Compared::CanaryAndStable { canary, stable } = &metrics.compared else {
        return None;
    };
    if let (Some(canary), Some(stable)) = (error_share(canary), error_share(stable)) {
        return Some(super::figures::beside(canary, stable));
    }
    let words = |arm: &Arm| match &arm.errors {
        Reading::Value(counts) => counts
            .share()
            .map_or_else(|| "no traffic".to_owned(), rough_share),
        other => absent(state, other),
    };
    let (canary, stable) = (words(canary), words(stable));
    Some(if canary == stable {
        canary
    } else {
        format!("{canary} / {stable}")
    })
}

/// Everything about the metrics of the open release.
pub(super) fn content(
    state: &State,
    release: &Release,
    chart_rows: u16,
    sheet: &mut Sheet<'_>,
    ink: &Ink,
) {
    if !state.beside.has(SourceKind::Prometheus) {
        return;
    }
    let id = &release.rollout.id;
    let metrics = state.beside.metrics(id);
    if metrics.is_none() && !state.beside.asks_for_metrics(id) {
        return;
    }
    sheet.blank();
    if source_line(state, SourceKind::Prometheus, id, sheet, ink).is_none() {
        return;
    }
    let Some(metrics) = metrics else {
        sheet.wrapped(0, "asking for its metrics", ink.dim);
        return;
    };
    if let Some(words) = since_it_finished(state, metrics) {
        sheet.wrapped(0, &words, bold(ink.text));
    }
    let pair = pair(state, metrics);
    table(state, release, metrics, &pair, sheet, ink);
    sheet.line(|line| {
        line.to(LABEL);
        legend(&pair.front_name, &pair.back_name, line, ink);
        line.gap(3).put("share of errors", ink.ghost);
    });
    let columns = sheet.width().min(90);
    chart(release, metrics, &pair).draw(state, columns, chart_rows, sheet, ink);
    let newest = metrics.newest.map_or_else(
        || "no sample".to_owned(),
        |newest| format!("newest {} ago", old(seconds_since(state, newest))),
    );
    let since = short_time(state, metrics.since);
    sheet.wrapped(0, &format!("{newest}, counted since {since}"), ink.ghost);
    warnings(metrics, sheet, ink);
}

pub(super) fn chart<'m>(release: &Release, metrics: &'m Metrics, pair: &Pair<'m>) -> Chart<'m> {
    Chart {
        front: &pair.front.line,
        back: &pair.back.line,
        grid: metrics.grid,
        mark: mark(release, metrics),
    }
}

/// What is known to have begun at a time: the step at which it waits, or the version after which it was finished.
fn mark(release: &Release, metrics: &Metrics) -> Option<(Timestamp, String)> {
    match &metrics.compared {
        Compared::BeforeAndAfter { at, .. } => Some((*at, release.current().label().into_owned())),
        Compared::CanaryAndStable { .. } if release.rollout.phase == Phase::Paused => {
            let percent = super::board::percent(release)?;
            Some((release.since()?, format!("{percent} %")))
        }
        Compared::CanaryAndStable { .. } => None,
    }
}

pub(super) fn warnings(metrics: &Metrics, sheet: &mut Sheet<'_>, ink: &Ink) {
    for warning in &metrics.warnings {
        let words = format!("incomplete: {warning}");
        sheet.labelled(("▲", ink.waiting), 2, &words, ink.text);
    }
}

fn of(arm: &Arm, measure: Measure) -> &Reading<Counts> {
    match measure {
        Measure::Errors => &arm.errors,
        Measure::Slow => &arm.slow,
    }
}

fn table(
    state: &State,
    release: &Release,
    metrics: &Metrics,
    pair: &Pair<'_>,
    sheet: &mut Sheet<'_>,
    ink: &Ink,
) {
    let numbers = (sheet.width().saturating_sub(LABEL) / 2).min(NUMBERS);
    let second = LABEL + numbers;
    // Time goes from left to right; a canary comes before what it is held against.
    let finished = matches!(metrics.compared, Compared::BeforeAndAfter { .. });
    let (left, left_name, right, right_name) = if finished {
        (pair.back, &pair.back_name, pair.front, &pair.front_name)
    } else {
        (pair.front, &pair.front_name, pair.back, &pair.back_name)
    };
    sheet.line(|line| {
        line.to(LABEL).put(left_name, ink.ghost);
        line.to(second).put(right_name, ink.ghost);
    });
    for measure in Measure::ALL {
        sheet.line(|line| {
            line.put(measure.word(), ink.dim).to(LABEL);
            counted(state, of(left, measure), numbers, !finished, line, ink);
            line.to(second);
            counted(state, of(right, measure), numbers, finished, line, ink);
        });
    }
    let wanted = release.rollout.canary().and_then(|canary| {
        let percent = i64::from(canary.weight.set) * 100;
        let percent = percent.checked_div(i64::from(canary.weight.of))?;
        (!finished).then(|| format!("wanted {percent} %"))
    });
    let shares = traffic_share(left, right).filter(|_| !finished);
    let beside = wanted.as_ref().is_some_and(|wanted| {
        usize::from(second) + 12 + width(wanted) <= usize::from(sheet.width())
    });
    sheet.line(|line| {
        line.put("traffic", ink.dim).to(LABEL);
        traffic(state, &left.traffic, line, ink);
        if let Some(share) = shares {
            line.gap(3).put(&rough_share(share), bold(ink.text));
        }
        line.to(second);
        traffic(state, &right.traffic, line, ink);
        if beside && let Some(wanted) = &wanted {
            line.to(second + 10).gap(2).put(wanted, ink.dim);
        }
    });
    if !beside && let Some(wanted) = &wanted {
        sheet.line(|line| {
            line.to(LABEL).put(wanted, ink.dim);
        });
    }
    for (arm, name) in [(left, left_name), (right, right_name)] {
        for (what, reading) in [("errors", &arm.errors), ("slow", &arm.slow)] {
            if let Reading::Failed(why) = reading {
                failed(what, name, why, sheet, ink);
            }
        }
        if let Reading::Failed(why) = &arm.traffic {
            failed("traffic", name, why, sheet, ink);
        }
    }
}

fn failed(what: &str, name: &str, why: &str, sheet: &mut Sheet<'_>, ink: &Ink) {
    let words = format!("{what} of {name}: {why}");
    sheet.labelled(("✖", ink.bad), 2, &words, ink.text);
}

/// How much of the traffic really goes to the first one.
fn traffic_share(one: &Arm, other: &Arm) -> Option<f64> {
    let (one, other) = (*one.traffic.value()?, *other.traffic.value()?);
    (one + other > 0.0).then(|| one / (one + other))
}

/// `41 / 10 212   0.40 %`, as far as there is room.
pub(super) fn counted(
    state: &State,
    reading: &Reading<Counts>,
    room: u16,
    main: bool,
    line: &mut Strip<'_>,
    ink: &Ink,
) {
    let text = if main { bold(ink.text) } else { ink.text };
    match reading {
        Reading::Value(value) => {
            let counts = counts(value);
            let share = value.share().map_or_else(|| "no traffic".to_owned(), share);
            line.put(&counts, text);
            let left = usize::from(room).saturating_sub(width(&counts) + width(&share) + 1);
            if left > 0 {
                line.gap(u16::try_from(left.min(3)).unwrap_or(1))
                    .put(&share, ink.text);
            }
        }
        other => {
            line.put(&absent(state, other), style_of_absent(other, ink));
        }
    }
}

fn traffic(state: &State, reading: &Reading<f64>, line: &mut Strip<'_>, ink: &Ink) {
    match reading {
        Reading::Value(value) => line.put(&rate(*value), ink.text),
        other => line.put(&absent(state, other), style_of_absent(other, ink)),
    };
}

/// What is not there is never the colour of what is well.
fn style_of_absent<T>(reading: &Reading<T>, ink: &Ink) -> Style {
    match reading {
        Reading::Value(_) => ink.text,
        Reading::NaN | Reading::Empty => ink.dim,
        Reading::Stale { .. } => ink.waiting,
        Reading::Failed(_) => ink.bad,
    }
}
