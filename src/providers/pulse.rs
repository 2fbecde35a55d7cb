//! How a source that is polled is doing, and when it is asked again: its state and since when, jitter and back-off.
//! Owns no request and no clock.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use super::beat::{self, Beat};
use crate::model::{
    source::{SourceHealth, SourceState},
    text::Safe,
};

const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// Waits that differ between sources and sessions, so that they do not all ask at the same moment.
#[derive(Debug)]
pub struct Pace {
    state: u64,
    failures: u32,
    /// Told by others when to ask: nothing is spread out.
    told: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self::seeded(RandomState::new().hash_one(0_u8))
    }
}

impl Pace {
    /// The same waits for the same seed.
    pub const fn seeded(seed: u64) -> Self {
        Self {
            state: seed | 1,
            failures: 0,
            told: false,
        }
    }

    /// Where a beat tells when to ask, waits are always the same.
    pub fn with(beat: &Beat) -> Self {
        Self {
            told: beat.is_there(),
            ..Self::default()
        }
    }

    /// Something was answered: the next failure is the first again.
    pub const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// How long to leave it alone after a failure: twice as long each time, and never shorter than it asks for.
    pub fn after_failure(&mut self, asked_for: Option<Duration>) -> Duration {
        if self.told {
            return beat::WAIT;
        }
        let wait = FIRST_WAIT
            .saturating_mul(2_u32.saturating_pow(self.failures.min(8)))
            .min(LONGEST_WAIT);
        self.failures = self.failures.saturating_add(1);
        self.around(wait).max(asked_for.unwrap_or_default())
    }

    /// Within a fifth of it.
    pub fn around(&mut self, wait: Duration) -> Duration {
        if self.told {
            return wait;
        }
        // xorshift64: nothing rests on it being hard to guess.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let percent = u32::try_from(self.state % 41).unwrap_or_default();
        wait.saturating_mul(80 + percent) / 100
    }
}

/// What a source says of itself.
#[derive(Debug)]
pub struct Pulse {
    state: SourceState,
    since: Timestamp,
    heard: Option<Timestamp>,
}

impl Pulse {
    pub const fn new(now: Timestamp) -> Self {
        Self {
            state: SourceState::Connecting,
            since: now,
            heard: None,
        }
    }

    /// `detail`: what of it is not shown, or empty.
    pub fn live(&mut self, now: Timestamp, detail: Safe) -> SourceHealth {
        self.heard = Some(now);
        self.health(SourceState::Live, now, detail, None)
    }

    pub fn failing(
        &mut self,
        state: SourceState,
        now: Timestamp,
        why: Safe,
        wait: Duration,
    ) -> SourceHealth {
        let next = SignedDuration::try_from(wait)
            .ok()
            .and_then(|wait| now.checked_add(wait).ok());
        self.health(state, now, why, next)
    }

    pub fn connecting(&mut self, now: Timestamp) -> SourceHealth {
        self.health(SourceState::Connecting, now, Safe::default(), None)
    }

    fn health(
        &mut self,
        state: SourceState,
        now: Timestamp,
        detail: Safe,
        next_try: Option<Timestamp>,
    ) -> SourceHealth {
        if state != self.state {
            self.state = state;
            self.since = now;
        }
        SourceHealth {
            state,
            since: self.since,
            detail,
            next_try,
            heard: self.heard,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_asked_about_ever_more_seldom_up_to_two_minutes() {
        let mut pace = Pace::seeded(7);
        let waits: Vec<u64> = (0..8).map(|_| pace.after_failure(None).as_secs()).collect();
        assert!((4..=6).contains(&waits[0]), "{waits:?}");
        assert!((8..=12).contains(&waits[1]), "{waits:?}");
        assert!(waits.iter().all(|wait| *wait <= 144), "{waits:?}");
        assert!(waits[7] >= 96, "{waits:?}");
        assert_eq!(
            pace.after_failure(Some(Duration::from_secs(300))).as_secs(),
            300
        );
        pace.succeeded();
        assert!(pace.after_failure(None).as_secs() <= 6);
    }

    #[test]
    fn with_a_beat_every_wait_is_the_same() {
        let (_sender, receiver) = tokio::sync::watch::channel(0);
        let mut pace = Pace::with(&Beat::of(Some(receiver)));
        let wait = Duration::from_secs(15);
        assert!((0..9).all(|_| pace.around(wait) == wait));
        assert!((0..9).all(|_| pace.after_failure(None) == beat::WAIT));
    }

    #[test]
    fn a_state_keeps_its_beginning_and_what_was_heard_last() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut pulse = Pulse::new(at(0));
        assert_eq!(pulse.live(at(5), Safe::default()).since, at(5));
        assert_eq!(pulse.live(at(9), Safe::default()).since, at(5));
        let wait = Duration::from_secs(10);
        let down = pulse.failing(SourceState::Unreachable, at(20), "down".into(), wait);
        assert_eq!(down.heard, Some(at(9)));
        assert_eq!(down.next_try, Some(at(30)));
        assert_eq!(down.since, at(20));
    }
}
