//! What the metrics say of a release, with the five outcomes of a question kept apart: a value, not a number, nothing,
//! too old, failed. Nothing here judges; a word that sounds like a verdict does not belong here.

use jiff::Timestamp;

use super::{
    id::{PodHash, ReleaseId},
    text::Safe,
};

/// The answer to one question. Only `Value` may be used for anything but being shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading<T> {
    Value(T),
    /// Asked, answered, and not a number: no traffic to divide by.
    NaN,
    /// Asked, answered, and no such series.
    Empty,
    /// There was something, and its newest sample is too old; since then nothing.
    Stale {
        last: Timestamp,
    },
    /// The question itself failed: why.
    Failed(Safe),
}

impl<T> Reading<T> {
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::NaN | Self::Empty | Self::Stale { .. } | Self::Failed(_) => None,
        }
    }
}

/// What is counted, and how much of that is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    Errors,
    Slow,
}

impl Measure {
    pub const ALL: [Self; 2] = [Self::Errors, Self::Slow];

    /// The key in the configuration and the word on screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::Slow => "slow",
        }
    }
}

/// Counted events over the span: raw counters with resets taken out, not a rate that was extrapolated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counts {
    pub bad: f64,
    pub all: f64,
}

impl Counts {
    /// `None` without traffic.
    pub fn share(&self) -> Option<f64> {
        (self.all > 0.0).then(|| self.bad / self.all)
    }
}

/// One version's numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// `None`: all versions together.
    pub hash: Option<PodHash>,
    pub errors: Reading<Counts>,
    pub slow: Reading<Counts>,
    /// Requests per second over the newest minutes.
    pub traffic: Reading<f64>,
    /// Error share per step of the grid; `None`: nothing there, which is drawn as a gap.
    pub line: Vec<Option<f64>>,
}

/// The times that `line` is about: point `k` covers the step that ends at `start + k * step`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    pub start: Timestamp,
    pub step_s: i64,
    pub points: usize,
}

/// Which two are put beside each other.
#[derive(Clone, Debug, PartialEq)]
pub enum Compared {
    /// While an update runs.
    CanaryAndStable { canary: Arm, stable: Arm },
    /// After one has finished: all versions together, before it began and since.
    BeforeAndAfter {
        at: Timestamp,
        before: Arm,
        after: Arm,
    },
}

/// Everything that the metrics say of one release, told anew as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    pub release: ReleaseId,
    /// When the server answered: the age on screen counts from the newest sample, not from here.
    pub read_at: Timestamp,
    /// The newest sample of either arm.
    pub newest: Option<Timestamp>,
    /// Where the counting began.
    pub since: Timestamp,
    pub grid: Grid,
    pub compared: Compared,
    /// What the server warned of, and what could not be asked: shown, and the numbers are incomplete then.
    pub warnings: Vec<Safe>,
}

/// A wish to know about one release.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MetricsWanted {
    pub release: ReleaseId,
    pub about: About,
    /// Where counting begins.
    pub since: Timestamp,
    /// Ask as often as the scrapes come: it is on the screen.
    pub closely: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum About {
    CanaryAndStable {
        canary: PodHash,
        stable: PodHash,
    },
    /// Finished at `since`: as long before as has passed since then, within limits.
    BeforeAndAfter {
        at: Timestamp,
    },
}
