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
}

impl Default for Script {
    fn default() -> Self {
        Self {
            ready_after: Duration::from_secs(3),
            verdicts: HashMap::new(),
        }
    }
}

impl Script {
    pub(super) fn verdict(&self, version: &str) -> Verdict {
        self.verdicts.get(version).copied().unwrap_or_default()
    }
}
