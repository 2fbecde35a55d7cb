//! Raw counters into honest counts: per series, with resets, births and missing steps; never `rate` or `increase`, which
//! extrapolate fractions and drop the first value of a new series, which is exactly the first errors.
//!
//! What is lost is lost in one direction: between the last scrape and a restart, or where a reset hides in a gap, too few
//! are counted, never too many. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{Excluded, Included},
};

use jiff::Timestamp;

use super::wire::{Labels, Point, Series};

/// What is counted: after `from`, up to and with `to`. The last sample at or before `from` is where a series is counted
/// from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Window {
    fn holds(&self, at: Timestamp) -> bool {
        at > self.from && at <= self.to
    }
}

/// Whose life the samples of a series are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// One process: when the counter falls, it began again at nothing.
    Process,
    /// A sum over processes, made before it came here: when it falls, one of them has gone, and what the others have
    /// counted since is not known.
    Sum,
}

impl Life {
    pub fn of(labels: &Labels) -> Self {
        if ["pod", "instance", "kubernetes_pod_name", "pod_name"]
            .iter()
            .any(|name| labels.contains_key(*name))
        {
            Self::Process
        } else {
            Self::Sum
        }
    }
}

/// Whether a series that was not there before the window began at nothing, or was only not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Birth {
    /// Something was scraped before the window and this was not among it: its first value counts in full.
    Counts,
    /// Nothing is known of the time before: its first value is only what the next are compared with.
    Reference,
}

impl Birth {
    /// `series`: everything that is known, of both versions, with some minutes before the window.
    pub fn in_window<'a>(mut series: impl Iterator<Item = &'a Series>, window: Window) -> Self {
        let before = |series: &Series| {
            series
                .points
                .first()
                .is_some_and(|point| point.at <= window.from)
        };
        if series.any(before) {
            Self::Counts
        } else {
            Self::Reference
        }
    }
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted {
    pub total: f64,
    /// At the time of the sample that told it.
    pub steps: BTreeMap<Timestamp, f64>,
    /// The times at which there was any sample: elsewhere is a gap and not nothing.
    pub sampled: BTreeSet<Timestamp>,
    /// A sum fell: too few are counted.
    pub fell: bool,
    /// There were samples, and some were no numbers.
    pub not_numbers: bool,
}

impl Counted {
    /// Events between two times, the first exclusive.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> f64 {
        if from >= to {
            return 0.0;
        }
        self.steps
            .range((Excluded(from), Included(to)))
            .map(|(_, events)| events)
            .sum()
    }

    pub fn was_sampled(&self, from: Timestamp, to: Timestamp) -> bool {
        from < to
            && self
                .sampled
                .range((Excluded(from), Included(to)))
                .next()
                .is_some()
    }
}

/// Adds up what all these series counted in the window.
pub fn count<'a>(
    series: impl IntoIterator<Item = &'a Series>,
    window: Window,
    birth: Birth,
) -> Counted {
    let mut counted = Counted::default();
    for series in series {
        let life = Life::of(&series.labels);
        for point in &series.points {
            if window.holds(point.at) {
                counted.sampled.insert(point.at);
                counted.not_numbers |= !point.value.is_finite();
            }
        }
        deltas(
            &series.points,
            window,
            birth,
            life,
            |at, delta| match delta {
                Some(delta) => {
                    counted.total += delta;
                    *counted.steps.entry(at).or_default() += delta;
                }
                None => counted.fell = true,
            },
        );
    }
    counted
}

/// `None`: it fell, and what was counted meanwhile is not known.
fn deltas(
    points: &[Point],
    window: Window,
    birth: Birth,
    life: Life,
    mut tell: impl FnMut(Timestamp, Option<f64>),
) {
    let mut previous: Option<f64> = None;
    for point in points.iter().filter(|point| point.value.is_finite()) {
        if !window.holds(point.at) {
            if point.at <= window.from {
                previous = Some(point.value);
            }
            continue;
        }
        let delta = match (previous, life, birth) {
            (Some(previous), _, _) if point.value >= previous => Some(point.value - previous),
            (Some(_), Life::Process, _) | (None, _, Birth::Counts) => Some(point.value),
            (Some(_), Life::Sum, _) => None,
            (None, _, Birth::Reference) => Some(0.0),
        };
        tell(point.at, delta);
        previous = Some(point.value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_200_000 + second).unwrap()
    }

    fn series(label: &str, points: &[(i64, f64)]) -> Series {
        Series {
            labels: [(label.to_owned(), "a".to_owned())].into(),
            points: points
                .iter()
                .map(|(second, value)| Point {
                    at: at(*second),
                    value: *value,
                })
                .collect(),
            histograms: Vec::new(),
        }
    }

    fn window(from: i64, to: i64) -> Window {
        Window {
            from: at(from),
            to: at(to),
        }
    }

    fn total(series: &Series, window: Window, birth: Birth) -> f64 {
        count([series], window, birth).total
    }

    #[test]
    fn a_restart_counts_what_came_after_it_and_a_sum_that_falls_counts_nothing_and_says_so() {
        let points = [(0, 10.0), (15, 12.0), (30, 3.0), (45, 4.0)];
        let window = window(0, 60);
        let one = count([&series("pod", &points)], window, Birth::Counts);
        assert!((one.total - 6.0).abs() < 1e-9 && !one.fell);
        let sum = count([&series("hash", &points)], window, Birth::Counts);
        assert!((sum.total - 3.0).abs() < 1e-9 && sum.fell);
    }

    #[test]
    fn the_sample_after_a_gap_carries_the_whole_of_it() {
        let gap = series("pod", &[(0, 10.0), (45, 25.0)]);
        let counted = count([&gap], window(0, 60), Birth::Counts);
        assert!((counted.between(at(30), at(45)) - 15.0).abs() < 1e-9);
        assert!(counted.between(at(0), at(30)).abs() < 1e-9);
        assert!(!counted.was_sampled(at(0), at(30)) && counted.was_sampled(at(30), at(45)));
    }

    #[test]
    fn a_series_is_counted_from_its_last_sample_before_the_window() {
        let known = series(
            "pod",
            &[(-30, 100.0), (-15, 104.0), (15, 110.0), (75, 500.0)],
        );
        assert!((total(&known, window(0, 60), Birth::Counts) - 6.0).abs() < 1e-9);
    }

    #[test]
    fn the_first_errors_of_a_new_series_count_where_something_was_scraped_before() {
        let born = series("pod", &[(30, 3.0), (45, 4.0)]);
        let known = series("pod", &[(-15, 1.0), (0, 1.0)]);
        let window = window(0, 60);
        assert_eq!(
            Birth::in_window([&born, &known].into_iter(), window),
            Birth::Counts
        );
        assert!((total(&born, window, Birth::Counts) - 4.0).abs() < 1e-9);
        // A server that itself was started inside the window sees the whole life of everything at once.
        assert_eq!(
            Birth::in_window([&born].into_iter(), window),
            Birth::Reference
        );
        assert!((total(&born, window, Birth::Reference) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_number_is_a_missing_step_and_is_told() {
        let odd = series("pod", &[(0, 1.0), (15, f64::NAN), (30, 4.0)]);
        let counted = count([&odd], window(0, 60), Birth::Counts);
        assert!((counted.total - 3.0).abs() < 1e-9 && counted.not_numbers);
    }
}
