//! The hour's requests of the one token, counted as GitHub counts them.
//!
//! Must never count what GitHub does not: an answer 304, the look at the limit itself, a refused login.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Reply;

const LIMIT: u32 = 5_000;
const HOUR: SignedDuration = SignedDuration::from_hours(1);

#[derive(Debug, Default)]
pub(super) struct Budget {
    /// By the server's clock.
    resets: Option<Timestamp>,
    used: u32,
}

impl Budget {
    /// Begins a new hour where the old one is over.
    pub(super) fn turn(&mut self, now: Timestamp) {
        if self.resets.is_none_or(|resets| resets <= now) {
            self.resets = now.saturating_add(HOUR).ok();
            self.used = 0;
        }
    }

    pub(super) fn is_spent(&self) -> bool {
        self.used >= LIMIT
    }

    pub(super) fn spend(&mut self) {
        self.used = (self.used + 1).min(LIMIT);
    }

    pub(super) fn spend_all(&mut self) {
        self.used = LIMIT;
    }

    fn resets(&self) -> i64 {
        self.resets.map_or(0, Timestamp::as_second)
    }

    pub(super) fn stamp(&self, reply: Reply) -> Reply {
        reply
            .with("x-ratelimit-limit", LIMIT.to_string())
            .with("x-ratelimit-remaining", (LIMIT - self.used).to_string())
            .with("x-ratelimit-used", self.used.to_string())
            .with("x-ratelimit-reset", self.resets().to_string())
            .with("x-ratelimit-resource", "core")
    }

    pub(super) fn overview(&self, version: &str) -> Value {
        let one = |limit: u32, used: u32| json!({"limit": limit, "used": used, "remaining": limit - used, "reset": self.resets()});
        let core = one(LIMIT, self.used);
        let mut overview = json!({"resources": {"core": core, "search": one(30, 0), "graphql": one(5000, 0),
            "code_search": one(10, 0)}});
        // Gone in the newest version.
        if version == "2022-11-28" {
            super::super::json::set(&mut overview, &["rate"], core);
        }
        overview
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_after_its_first_request_the_budget_is_whole_again() {
        let mut budget = Budget::default();
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        budget.turn(now);
        budget.spend_all();
        budget.turn(now.saturating_add(SignedDuration::from_mins(59)).unwrap());
        assert!(budget.is_spent());
        budget.turn(now.saturating_add(HOUR).unwrap());
        assert!(!budget.is_spent());
    }
}
