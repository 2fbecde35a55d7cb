//! How much may still be asked of one server with one token, and until when nothing is asked at all. Pure: told what
//! came, asked what may go.

use std::time::Duration;

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};

use super::{answer, trouble::Why};
use crate::model::{
    pipeline::Budget,
    text::{Safe, sanitise},
};

/// Where a host says "slow down" and not for how long: a minute (GitHub's advice), and twice as long each time it says
/// so again.
const FIRST_HOLD: Duration = Duration::from_secs(60);
const LONGEST_HOLD: Duration = Duration::from_secs(900);

/// No budget lasts longer than an hour; one that says so is not believed.
const LONGEST_WINDOW: SignedDuration = SignedDuration::from_secs(7200);

/// A number above this is a point in time, one below a number of seconds: both are sent under the same name.
const EPOCH_FROM: i64 = 1_000_000_000;

#[derive(Debug)]
pub(super) struct Ledger {
    told: Budget,
    why: Safe,
    holds: u32,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            told: Budget {
                limit: None,
                remaining: None,
                resets: None,
                held_until: None,
                asked: 0,
                unchanged: 0,
            },
            why: Safe::default(),
            holds: 0,
        }
    }
}

impl Ledger {
    pub(super) const fn budget(&self) -> Budget {
        self.told
    }

    /// Whether a read may go now, leaving `reserve` requests for what a human asks for.
    pub(super) fn may_ask(&self, now: Timestamp, reserve: u64) -> Result<(), Why> {
        if let Some(until) = self.told.held_until.filter(|until| *until > now) {
            let why = self.why.clone();
            return Err(Why::Held { until, why });
        }
        // A small budget is not all reserve.
        let reserve = self
            .told
            .limit
            .map_or(reserve, |limit| reserve.min(limit / 10));
        match (self.told.remaining, self.told.resets) {
            (Some(remaining), Some(resets)) if resets > now && remaining <= reserve => {
                Err(Why::Held {
                    until: resets,
                    why: sanitise(&format!(
                        "{remaining} requests are left until then, kept for actions"
                    )),
                })
            }
            _ => Ok(()),
        }
    }

    pub(super) const fn asked(&mut self) {
        self.told.asked += 1;
    }

    pub(super) const fn unchanged(&mut self) {
        self.told.unchanged += 1;
    }

    /// What the head of any answer says. A server that says nothing of limits sets none: absent is not zero.
    pub(super) fn note(&mut self, headers: &HeaderMap, now: Timestamp) {
        // GitHub counts searches and GraphQL apart.
        if answer::text(headers, "x-ratelimit-resource").is_some_and(|resource| resource != "core")
        {
            return;
        }
        let either = |name: &str| {
            answer::text(headers, &format!("x-ratelimit-{name}"))
                .or_else(|| answer::text(headers, &format!("ratelimit-{name}")))
                .and_then(|text| text.parse::<i64>().ok())
                .and_then(|number| u64::try_from(number).ok())
        };
        if let Some(limit) = either("limit") {
            self.told.limit = Some(limit);
        }
        if let Some(remaining) = either("remaining") {
            self.told.remaining = Some(remaining);
        }
        if let Some(resets) = either("reset").and_then(|number| resets(number, headers, now)) {
            self.told.resets = Some(resets);
        }
    }

    pub(super) const fn succeeded(&mut self) {
        self.holds = 0;
    }

    /// The server said that it was too much.
    pub(super) fn slow_down(&mut self, retry_after: Option<Duration>, why: &Safe, now: Timestamp) {
        let spent = self.told.remaining == Some(0);
        let until = match (
            retry_after,
            self.told.resets.filter(|at| spent && *at > now),
        ) {
            (Some(wait), _) => after(now, wait),
            (None, Some(resets)) => resets,
            (None, None) => {
                let wait = FIRST_HOLD.saturating_mul(2u32.saturating_pow(self.holds.min(8)));
                after(now, wait.min(LONGEST_HOLD))
            }
        };
        self.holds += 1;
        self.why = why.clone();
        self.told.held_until = self.told.held_until.max(Some(until));
    }
}

/// By our clock: the server's own `Date` beside it says how far the two are apart.
fn resets(number: u64, headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let number = i64::try_from(number).ok()?;
    let wait = if number >= EPOCH_FROM {
        let at = Timestamp::from_second(number).ok()?;
        at.duration_since(answer::date(headers).unwrap_or(now))
    } else {
        SignedDuration::from_secs(number)
    };
    (wait <= LONGEST_WINDOW)
        .then(|| now.checked_add(wait).ok())
        .flatten()
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    http::HeaderName::from_static(name),
                    value.parse().expect("a value"),
                )
            })
            .collect()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn a_server_without_rate_headers_sets_no_limit() {
        let mut ledger = Ledger::default();
        ledger.note(&HeaderMap::new(), at(0));
        assert_eq!(ledger.budget().remaining, None);
        assert_eq!(ledger.may_ask(at(0), 500), Ok(()));
    }

    #[test]
    fn the_reset_is_told_by_the_servers_clock_and_kept_by_ours() {
        let mut ledger = Ledger::default();
        let head = headers(&[
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "20"),
            ("x-ratelimit-reset", "1784000600"),
            // Ten minutes before, by its clock; ours is an hour behind.
            ("date", "Tue, 14 Jul 2026 03:33:20 GMT"),
        ]);
        let now = at(1_784_000_000 - 3600);
        ledger.note(&head, now);
        assert_eq!(
            ledger.budget().resets,
            Some(now + SignedDuration::from_mins(10))
        );
        assert_eq!(ledger.may_ask(now, 19), Ok(()));
        assert!(matches!(ledger.may_ask(now, 20), Err(Why::Held { .. })));
        assert_eq!(
            ledger.may_ask(now + SignedDuration::from_mins(11), 20),
            Ok(())
        );
    }

    #[test]
    fn seconds_that_are_left_are_read_as_such() {
        let mut ledger = Ledger::default();
        ledger.note(
            &headers(&[("ratelimit-remaining", "1"), ("ratelimit-reset", "42")]),
            at(100),
        );
        assert_eq!(ledger.budget().resets, Some(at(142)));
    }

    #[test]
    fn another_resource_does_not_count() {
        let mut ledger = Ledger::default();
        ledger.note(
            &headers(&[
                ("x-ratelimit-remaining", "0"),
                ("x-ratelimit-resource", "search"),
            ]),
            at(0),
        );
        assert_eq!(ledger.budget().remaining, None);
    }

    #[test]
    fn a_hold_follows_the_hosts_word_then_the_reset_then_grows() {
        let why = sanitise("secondary rate limit");
        let mut ledger = Ledger::default();
        ledger.slow_down(Some(Duration::from_secs(30)), &why, at(0));
        assert_eq!(ledger.budget().held_until, Some(at(30)));

        let mut spent = Ledger::default();
        spent.note(
            &headers(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "900")]),
            at(0),
        );
        spent.slow_down(None, &why, at(0));
        assert_eq!(spent.budget().held_until, Some(at(900)));

        let mut silent = Ledger::default();
        silent.slow_down(None, &why, at(0));
        assert_eq!(silent.budget().held_until, Some(at(60)));
        silent.slow_down(None, &why, at(60));
        assert_eq!(silent.budget().held_until, Some(at(180)));
        silent.succeeded();
        silent.slow_down(None, &why, at(180));
        assert_eq!(silent.budget().held_until, Some(at(240)));
        assert!(matches!(silent.may_ask(at(239), 0), Err(Why::Held { .. })));
        assert_eq!(silent.may_ask(at(240), 0), Ok(()));
    }
}
