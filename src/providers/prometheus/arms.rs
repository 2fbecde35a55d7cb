//! From the answers to what is told of a release: which series are of which version, what each version counted, and
//! which of the five outcomes that is. Pure.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{
    counters::{Birth, Counted, Window, count},
    outcome::{Answered, Failure, Kind},
    plan::Plan,
    queries::{Asked, Part, Question},
    wire::{Answer, Labels, Sampled, Series},
};
use crate::model::{
    id::PodHash,
    metrics::{About, Arm, Compared, Counts, Measure, Metrics, Reading},
    text::{Safe, sanitise},
};

/// The labels that carry the hash, best known first; where none of them does, any label whose value is the hash.
const HASH_LABELS: [&str; 6] = [
    "rollouts_pod_template_hash",
    "pod_template_hash",
    "controller_revision_hash",
    "label_rollouts_pod_template_hash",
    "label_pod_template_hash",
    "label_controller_revision_hash",
];

/// How long a server repeats a series without new samples unless told otherwise.
const LOOKBACK: SignedDuration = SignedDuration::from_mins(5);

/// What one measure's questions were answered.
#[derive(Clone, Debug)]
pub enum Answers {
    Counted {
        all: Result<Vec<Series>, Failure>,
        part: Result<Vec<Series>, Failure>,
        /// When each series of `all` was last sampled; `None` where that cannot be asked.
        stamps: Option<Vec<(Labels, Timestamp)>>,
        warnings: Vec<Safe>,
    },
    Impossible(Safe),
}

/// The series of a range, and what came after its last step.
pub fn series(
    range: Result<Answered<Answer>, Failure>,
    tail: Option<Result<Answered<Answer>, Failure>>,
    warnings: &mut Vec<Safe>,
) -> Result<Vec<Series>, Failure> {
    let mut take = |answered: Answered<Answer>| {
        for warning in answered.warnings {
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
        answered.answer
    };
    let Answer::Matrix(mut series) = take(range?) else {
        return Err(Failure::malformed(
            "a range was asked for and something else came",
        ));
    };
    if let Some(tail) = tail {
        let Answer::Vector(samples) = take(tail?) else {
            return Err(Failure::malformed(
                "a value was asked for and something else came",
            ));
        };
        for sample in samples {
            let Sampled::Number(point) = sample.sampled else {
                return Err(histograms());
            };
            match series.iter_mut().find(|one| one.labels == sample.labels) {
                Some(one) => one.points.push(point),
                None => series.push(Series {
                    labels: sample.labels,
                    points: vec![point],
                    histograms: Vec::new(),
                }),
            }
        }
    }
    if series.iter().any(|one| !one.histograms.is_empty()) {
        return Err(histograms());
    }
    Ok(series)
}

fn histograms() -> Failure {
    Failure {
        kind: Kind::BadQuestion,
        sentence: "these are histograms and not counters: ask for histogram_count(…) and the like"
            .into(),
        wait: None,
    }
}

/// The times of an answer to `timestamp(…)`.
pub fn stamps(answered: &Answered<Answer>) -> Vec<(Labels, Timestamp)> {
    let Answer::Vector(samples) = &answered.answer else {
        return Vec::new();
    };
    samples
        .iter()
        .filter_map(|sample| match sample.sampled {
            Sampled::Number(point) => {
                Some((sample.labels.clone(), super::wire::time(point.value)?))
            }
            Sampled::Histogram(..) => None,
        })
        .collect()
}

/// Everything that is told of one release.
pub fn metrics(
    asked: &Asked,
    plan: &Plan,
    errors: &Answers,
    slow: &Answers,
    read_at: Timestamp,
) -> Metrics {
    let release = Release {
        asked,
        plan,
        errors,
        slow,
    };
    let mut warnings = Vec::new();
    for answers in [errors, slow] {
        if let Answers::Counted { warnings: more, .. } = answers {
            warnings.extend(more.iter().cloned());
        }
    }
    let whole = plan.whole();
    let mut arm = |which: Which<'_>, window: Window, is_now: bool| {
        let view = View {
            which,
            window,
            is_now,
        };
        release.arm(view, &mut warnings)
    };
    let (compared, newest) = match &asked.wanted.about {
        About::CanaryAndStable { canary, stable } => {
            let (of_canary, newest) = arm(Which::Hash(canary, stable), whole, true);
            let (of_stable, of_other) = arm(Which::Hash(stable, canary), whole, true);
            (
                Compared::CanaryAndStable {
                    canary: of_canary,
                    stable: of_stable,
                },
                newest.max(of_other),
            )
        }
        About::BeforeAndAfter { .. } => {
            let (before, earlier) = arm(Which::All, plan.before(), false);
            let (after, newest) = arm(Which::All, plan.after(), true);
            (
                Compared::BeforeAndAfter {
                    at: plan.split.unwrap_or(plan.from),
                    before,
                    after,
                },
                newest.max(earlier),
            )
        }
    };
    let unique: BTreeSet<Safe> = warnings.drain(..).collect();
    Metrics {
        release: asked.wanted.release.clone(),
        read_at,
        newest,
        since: plan.from,
        grid: plan.grid(),
        compared,
        warnings: unique.into_iter().collect(),
    }
}

/// Whose series: of one version and not of the other, or of all.
#[derive(Clone, Copy)]
enum Which<'a> {
    Hash(&'a PodHash, &'a PodHash),
    All,
}

impl Which<'_> {
    fn is_of(self, labels: &Labels) -> bool {
        let Self::Hash(hash, other) = self else {
            return true;
        };
        for label in HASH_LABELS {
            if let Some(value) = labels.get(label)
                && (value == hash.as_str() || value == other.as_str())
            {
                return value == hash.as_str();
            }
        }
        let any = |hash: &PodHash| labels.values().any(|value| value == hash.as_str());
        any(hash) && !any(other)
    }
}

/// Which series are looked at, and over which time.
#[derive(Clone, Copy)]
struct View<'a> {
    which: Which<'a>,
    window: Window,
    /// It goes on until now, so that its newest sample can be too old.
    is_now: bool,
}

impl View<'_> {
    fn of<'s>(&self, series: &'s [Series]) -> impl Iterator<Item = &'s Series> {
        series
            .iter()
            .filter(|series| self.which.is_of(&series.labels))
    }
}

struct Release<'a> {
    asked: &'a Asked,
    plan: &'a Plan,
    errors: &'a Answers,
    slow: &'a Answers,
}

impl Release<'_> {
    fn arm(&self, view: View<'_>, warnings: &mut Vec<Safe>) -> (Arm, Option<Timestamp>) {
        let errors = self.measured(Measure::Errors, self.errors, view);
        let slow = self.measured(Measure::Slow, self.slow, view);
        let fell = |measured: &Measured| {
            measured
                .counts
                .as_ref()
                .is_some_and(|counts| counts.all.fell || counts.bad.fell)
        };
        if fell(&errors) || fell(&slow) {
            warnings.push(
                "a counter fell that the query had added up before it could be counted: too little is counted".into(),
            );
        }
        let newest = errors.newest.max(slow.newest);
        let traffic = if errors.counts.is_some() {
            &errors
        } else {
            &slow
        };
        let arm = Arm {
            hash: match view.which {
                Which::Hash(hash, _) => Some(hash.clone()),
                Which::All => None,
            },
            traffic: self.traffic(traffic, view.window),
            line: errors.counts.as_ref().map_or_else(
                || vec![None; self.plan.grid().points],
                |counts| self.line(counts, view.window),
            ),
            errors: errors.reading,
            slow: slow.reading,
        };
        (arm, newest)
    }

    fn measured(&self, measure: Measure, answers: &Answers, view: View<'_>) -> Measured {
        let (all, part, stamps) = match answers {
            Answers::Counted {
                all: Ok(all),
                part: Ok(part),
                stamps,
                ..
            } => (all, part, stamps.as_deref()),
            Answers::Counted { all: Err(e), .. } | Answers::Counted { part: Err(e), .. } => {
                return Measured::failed(e.sentence.clone());
            }
            Answers::Impossible(why) => return Measured::failed(why.clone()),
        };
        let birth = Birth::in_window(all.iter().chain(part), view.window);
        let counted = count(view.of(all), view.window, birth);
        let newest = self.newest(all, stamps, &counted, view);
        if counted.sampled.is_empty() {
            return Measured {
                reading: match newest {
                    None => Reading::Empty,
                    Some(last) if self.is_old(last, view) || !view.is_now => {
                        Reading::Stale { last }
                    }
                    // It is there, and there was no step yet to count.
                    Some(_) => Reading::NaN,
                },
                counts: None,
                newest,
            };
        }
        let of_part = count(view.of(part), view.window, birth);
        match self.bad(measure, all, of_part, &counted, view) {
            Ok(bad) => {
                let counts = Two { all: counted, bad };
                Measured {
                    reading: self.reading(&counts, newest, view),
                    counts: Some(counts),
                    newest,
                }
            }
            Err(why) => Measured {
                newest,
                ..Measured::failed(why)
            },
        }
    }

    fn reading(&self, counts: &Two, newest: Option<Timestamp>, view: View<'_>) -> Reading<Counts> {
        match newest {
            Some(last) if self.is_old(last, view) => Reading::Stale { last },
            _ if counts.all.total > 0.0 => Reading::Value(Counts {
                bad: counts.bad.total,
                all: counts.all.total,
            }),
            _ => Reading::NaN,
        }
    }

    fn is_old(&self, last: Timestamp, view: View<'_>) -> bool {
        view.is_now && self.plan.now.duration_since(last) > self.plan.fresh_for()
    }

    /// When the newest sample of these series was taken: as asked, else the newest point of the grid. A server that
    /// does not heed how long a series may go without a sample repeats the last one for its own five minutes: there
    /// only a change proves one.
    fn newest(
        &self,
        all: &[Series],
        stamps: Option<&[(Labels, Timestamp)]>,
        counted: &Counted,
        view: View<'_>,
    ) -> Option<Timestamp> {
        let asked = stamps
            .filter(|_| view.is_now)
            .into_iter()
            .flatten()
            .filter(|(labels, _)| view.which.is_of(labels))
            .map(|(_, at)| *at)
            .max();
        let seen = || {
            let points = view.of(all).flat_map(|series| &series.points);
            points
                .map(|point| point.at)
                .filter(|at| *at <= view.window.to)
                .max()
        };
        let proven = |seen: Timestamp| {
            let changed = counted
                .steps
                .iter()
                .rev()
                .find(|(_, events)| **events > 0.0);
            let lives_on = seen.checked_sub(LOOKBACK).unwrap_or(seen);
            changed.map_or(lives_on, |(at, _)| (*at).max(lives_on))
        };
        match asked {
            Some(at) => Some(at),
            None if self.plan.server.heeds_lookback || !view.is_now => seen(),
            None => seen().map(proven),
        }
    }

    /// What failed of `counted`. A counter that never counted does not exist, so nothing bad is an ordinary zero; but
    /// where the label is missing by which bad would be told, or the bucket, a zero would be made up.
    fn bad(
        &self,
        measure: Measure,
        all: &[Series],
        of_part: Counted,
        counted: &Counted,
        view: View<'_>,
    ) -> Result<Counted, Safe> {
        let Question::Counted { part, guessed, .. } = self.asked.queries.question(measure) else {
            return Err("it was not asked".into());
        };
        let word = measure.word();
        match part {
            Part::Bad(_)
                if *guessed && !view.of(all).any(|one| one.labels.contains_key("code")) =>
            {
                Err(sanitise(&format!(
                    "http_requests_total has no label code here: say how it is measured in metrics.{word}"
                )))
            }
            Part::Bad(_) => Ok(at_most(of_part, counted)),
            Part::Good(_) if !of_part.sampled.is_empty() => Ok(rest(counted, &of_part)),
            Part::Good(_) if *guessed => Err(sanitise(&format!(
                "there is no bucket of {} s: say how it is measured in metrics.{word}",
                super::queries::SLOW_S
            ))),
            Part::Good(_) => Err(sanitise(&format!(
                "the query of metrics.{word}.good has no series"
            ))),
        }
    }

    /// Per second, over the newest minutes.
    fn traffic(&self, measured: &Measured, window: Window) -> Reading<f64> {
        let counts = match (&measured.reading, &measured.counts) {
            (Reading::Failed(why), _) => return Reading::Failed(why.clone()),
            (Reading::Stale { last }, _) => return Reading::Stale { last: *last },
            (Reading::Value(_) | Reading::NaN, Some(counts)) => counts,
            _ => return Reading::Empty,
        };
        let Some(last) = counts.all.sampled.last().copied() else {
            return Reading::Empty;
        };
        let span = self.plan.traffic_span();
        let from = Timestamp::from_second(last.as_second() - span)
            .unwrap_or(window.from)
            .max(window.from);
        // From sample to sample: the window's edge is somewhere between two of them.
        let first = counts
            .all
            .sampled
            .range(..=from)
            .next_back()
            .copied()
            .unwrap_or(from);
        let seconds = last.duration_since(first).as_secs_f64();
        if seconds <= 0.0 {
            return Reading::Empty;
        }
        Reading::Value(counts.all.between(first, last) / seconds)
    }

    fn line(&self, counts: &Two, window: Window) -> Vec<Option<f64>> {
        (0..i64::try_from(self.plan.grid().points).unwrap_or(0))
            .map(|n| {
                let (from, to) = (self.plan.block(n), self.plan.block(n + 1));
                if from < window.from || to > window.to || !counts.all.was_sampled(from, to) {
                    return None;
                }
                let all = counts.all.between(from, to);
                (all > 0.0).then(|| (counts.bad.between(from, to) / all).clamp(0.0, 1.0))
            })
            .collect()
    }
}

/// All and bad. The two were asked one after the other, and a scrape can fall between them.
fn at_most(mut bad: Counted, all: &Counted) -> Counted {
    bad.total = bad.total.min(all.total);
    bad
}

fn rest(all: &Counted, good: &Counted) -> Counted {
    let mut bad = all.clone();
    bad.fell |= good.fell;
    bad.total = (all.total - good.total).max(0.0);
    for (at, events) in &good.steps {
        *bad.steps.entry(*at).or_default() -= events;
    }
    bad
}

struct Two {
    all: Counted,
    bad: Counted,
}

struct Measured {
    reading: Reading<Counts>,
    counts: Option<Two>,
    newest: Option<Timestamp>,
}

impl Measured {
    const fn failed(why: Safe) -> Self {
        Self {
            reading: Reading::Failed(why),
            counts: None,
            newest: None,
        }
    }
}

#[cfg(test)]
mod tests;
