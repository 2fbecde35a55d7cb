//! How a simulated workload behaves: how long its pods take, and how its analyses end.
//!
//! Plain data, from a scenario. Must never say what the operator does: stories do.

use std::collections::HashMap;
use std::time::Duration;

use serde::Deserialize;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    #[default]
    Successful,
    Failed,
    Inconclusive,
}

#[derive(Clone, Debug)]
pub(super) struct Script {
    /// From a pod's creation until it is ready.
    pub(super) ready_after: Duration,
    /// By version, the tag of the image; any other version's analyses succeed.
    pub(super) verdicts: HashMap<String, Verdict>,
    /// By version: how its requests end.
    pub(super) services: HashMap<String, Serves>,
}

/// How the requests of a version end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Serves {
    /// The share that fails, 0 to 1.
    pub(super) errors: f64,
    /// The share that takes seconds.
    pub(super) slow: f64,
    /// It does well until it gets more than this share of the service's requests.
    pub(super) above: Option<f64>,
}

impl Serves {
    const WELL: Self = Self {
        errors: 0.003,
        slow: 0.0005,
        above: None,
    };

    /// From a scenario's percentages. A version whose analysis fails gives its analysis a reason.
    pub(super) fn of(
        verdict: Verdict,
        errors: Option<f64>,
        slow: Option<f64>,
        above: Option<f64>,
    ) -> Self {
        let usual = match verdict {
            Verdict::Failed => Self {
                errors: 0.041,
                slow: 0.02,
                above: None,
            },
            Verdict::Successful | Verdict::Inconclusive => Self::WELL,
        };
        let share = |percent: Option<f64>, usual: f64| {
            percent.map_or(usual, |percent| (percent / 100.0).clamp(0.0, 0.9))
        };
        Self {
            errors: share(errors, usual.errors),
            slow: share(slow, usual.slow),
            above: above.map(|percent| percent / 100.0),
        }
    }

    /// How they end while it gets this share of the service's requests.
    pub(super) fn under(self, share: f64) -> Self {
        match self.above {
            Some(above) if share <= above => Self::WELL,
            _ => self,
        }
    }
}

impl Default for Script {
    fn default() -> Self {
        Self {
            ready_after: Duration::from_secs(3),
            verdicts: HashMap::new(),
            services: HashMap::new(),
        }
    }
}

impl Script {
    pub(super) fn verdict(&self, version: &str) -> Verdict {
        self.verdicts.get(version).copied().unwrap_or_default()
    }

    pub(super) fn serves(&self, version: &str) -> Serves {
        self.services.get(version).copied().unwrap_or(Serves::WELL)
    }
}
