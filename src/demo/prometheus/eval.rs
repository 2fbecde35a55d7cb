//! Answers a query at each time of a grid.
//!
//! Steps, staleness and extrapolation are those of Prometheus 3.5 (`promql/functions.go`, `extrapolatedRate`). Must
//! never invent a point: where a line is gone there is none.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::query::{Expression, Grown, Lines};
use super::series::{self, Labels, Line, Pod, Sample};
use crate::demo::clock::{Clock, Moment};
use crate::demo::cluster::Cluster;
use crate::demo::matcher::Matcher;

/// A line that has stopped without a mark is seen for so long.
const LOOKBACK: i64 = 300_000;

/// Times in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub(super) start: i64,
    /// Included.
    pub(super) end: i64,
    pub(super) step: i64,
    /// By how much the server's clock is ahead of the world's.
    pub(super) skew: i64,
}

impl Grid {
    pub(super) fn times(self) -> impl Iterator<Item = i64> {
        let step = usize::try_from(self.step).unwrap_or(1).max(1);
        (self.start..=self.end).step_by(step)
    }
}

/// One line of the answer.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) labels: Labels,
    pub(super) values: Vec<Option<f64>>,
}

#[derive(Debug)]
pub(super) enum Result {
    Scalar(Vec<f64>),
    Vector(Vec<Answered>),
}

/// What has to be read of the world before the query can be answered without it.
#[derive(Debug)]
pub(super) struct Prepared {
    clock: Clock,
    pods: Vec<Pod>,
}

impl Prepared {
    pub(super) fn of(cluster: &Cluster, expression: &Expression) -> Self {
        let pods = match expression {
            Expression::Lines(lines) | Expression::Sum(_, lines) => {
                series::pods(cluster, &lines.selector)
            }
            Expression::Stamps(selector) => series::pods(cluster, selector),
            Expression::Number(_) | Expression::Time | Expression::Vector(_) => Vec::new(),
        };
        Self {
            clock: cluster.clock.clone(),
            pods,
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of this millennium fit"
    )]
    pub(super) fn evaluate(&self, expression: &Expression, grid: Grid) -> Result {
        let each = |value: f64| grid.times().map(|_| value).collect::<Vec<f64>>();
        match expression {
            Expression::Number(number) => Result::Scalar(each(*number)),
            Expression::Time => Result::Scalar(grid.times().map(|at| at as f64 / 1000.0).collect()),
            Expression::Vector(number) => Result::Vector(vec![Answered {
                labels: Labels::new(),
                values: each(*number).into_iter().map(Some).collect(),
            }]),
            Expression::Lines(lines) => Result::Vector(self.lines(lines, grid)),
            Expression::Stamps(selector) => Result::Vector(self.stamps(selector, grid)),
            Expression::Sum(by, lines) => Result::Vector(sum(
                self.lines(lines, grid),
                by.as_deref().unwrap_or_default(),
            )),
        }
    }

    fn lines(&self, wanted: &Lines, grid: Grid) -> Vec<Answered> {
        let found = series::lines(&self.pods, &wanted.selector);
        let answered = found.into_iter().map(|mut line| {
            let values = grid
                .times()
                .map(|at| match wanted.grown {
                    None => self.sample(&line, at - grid.skew),
                    Some(grown) => self.grown(&line, at - grid.skew, grown),
                })
                .collect();
            if wanted.grown.is_some() {
                line.labels.remove("__name__");
            }
            Answered {
                labels: line.labels,
                values,
            }
        });
        answered
            .filter(|line| line.values.iter().any(Option::is_some))
            .collect()
    }

    /// When each line was last sampled, by the server's clock, in seconds.
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of this millennium fit"
    )]
    fn stamps(&self, selector: &[Matcher], grid: Grid) -> Vec<Answered> {
        let found = series::lines(&self.pods, selector);
        let answered = found.into_iter().map(|mut line| {
            let sampled = |at: i64| {
                let sample = self.fresh(&line, at - grid.skew)?;
                Some((self.wall(sample.at) + grid.skew) as f64 / 1000.0)
            };
            let values = grid.times().map(sampled).collect();
            line.labels.remove("__name__");
            Answered {
                labels: line.labels,
                values,
            }
        });
        answered
            .filter(|line| line.values.iter().any(Option::is_some))
            .collect()
    }

    /// In microseconds of the world; nothing is stored of what is to come.
    fn moment(&self, at: i64) -> i64 {
        let stamp = Timestamp::from_millisecond(at).unwrap_or(Timestamp::MIN);
        self.clock.moment_of(stamp).min(self.clock.now()).micros()
    }

    /// The wall's milliseconds.
    fn wall(&self, moment: i64) -> i64 {
        self.clock
            .stamp_at(Moment::from_micros(moment))
            .as_millisecond()
    }

    fn sample(&self, line: &Line<'_>, at: i64) -> Option<f64> {
        self.fresh(line, at).map(|sample| sample.value)
    }

    /// The last sample, where it is not too old.
    fn fresh(&self, line: &Line<'_>, at: i64) -> Option<Sample> {
        let sample = line.sample(self.moment(at))?;
        (at - self.wall(sample.at) <= LOOKBACK).then_some(sample)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of this millennium fit"
    )]
    fn grown(&self, line: &Line<'_>, at: i64, grown: Grown) -> Option<f64> {
        let from = at - grown.range;
        let (first, last, count) = line.between(self.moment(from), self.moment(at))?;
        let (first_at, last_at) = (self.wall(first.at), self.wall(last.at));
        let sampled = (last_at - first_at) as f64 / 1000.0;
        if sampled <= 0.0 {
            return None;
        }
        let growth = last.value - first.value;
        let usual = sampled / (count - 1) as f64;
        let cut = |gap: f64| if gap >= usual * 1.1 { usual / 2.0 } else { gap };
        let mut to_start = cut((first_at - from) as f64 / 1000.0);
        if growth > 0.0 {
            // A counter does not come from below nothing.
            to_start = to_start.min(sampled * first.value / growth);
        }
        let to_end = cut((at - last_at) as f64 / 1000.0);
        let whole = growth * (sampled + to_start + to_end) / sampled;
        let seconds = grown.range as f64 / 1000.0;
        Some(if grown.per_second {
            whole / seconds
        } else {
            whole
        })
    }
}

fn sum(lines: Vec<Answered>, by: &[String]) -> Vec<Answered> {
    let mut groups: BTreeMap<Labels, Vec<Option<f64>>> = BTreeMap::new();
    for line in lines {
        let labels: Labels = by
            .iter()
            .filter_map(|name| Some((name.clone(), line.labels.get(name)?.clone())))
            .collect();
        let sums = groups
            .entry(labels)
            .or_insert_with(|| vec![None; line.values.len()]);
        for (sum, value) in sums.iter_mut().zip(line.values) {
            if let Some(value) = value {
                *sum = Some(sum.unwrap_or(0.0) + value);
            }
        }
    }
    groups
        .into_iter()
        .map(|(labels, values)| Answered { labels, values })
        .collect()
}

/// Labels of the lines that match and had a sample in the time.
pub(super) fn present(
    cluster: &Cluster,
    selectors: &[Vec<Matcher>],
    (from, to): (i64, i64),
) -> Vec<Labels> {
    let mut found = Vec::new();
    for matchers in selectors {
        let prepared = Prepared {
            clock: cluster.clock.clone(),
            pods: series::pods(cluster, matchers),
        };
        let (from, to) = (prepared.moment(from), prepared.moment(to));
        let lines = series::lines(&prepared.pods, matchers);
        found.extend(
            lines
                .into_iter()
                .filter(|line| line.lived(from, to))
                .map(|line| line.labels),
        );
    }
    found.sort();
    found.dedup();
    found
}
