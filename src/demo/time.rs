//! What time it is in the world, and how it passes: with real time, or, where it stands still, only when it is told to.
//!
//! A world that stands still works to its rest within every second: what is due before the next happens as soon as
//! somebody looks, at the moment at which it was due. So what a client finds depends on the seconds that passed and on
//! what was written in each of them, and never on how fast anybody was.
//! Must never be asked before the world has opened. The only place of the demo that reads the real clock.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

use super::clock::{Clock, Moment};

/// When a world opens that stands still.
const OPENING: Timestamp = Timestamp::constant(1_773_135_000, 0);

/// Of each second, what passes by itself.
const REST: Duration = Duration::from_millis(950);

/// There it waits, so that a client that asked for something after its last key has an answer before less than half a
/// second is left: its dialogs take no keys for so long.
const WAITS_AT: Duration = Duration::from_millis(400);
const WAITS_FOR: Duration = Duration::from_millis(800);

/// How much of a second has passed by itself; never faster than real time.
fn passed_by_itself(real: Duration) -> Duration {
    let after = real.saturating_sub(WAITS_FOR).max(WAITS_AT);
    real.min(after).min(REST)
}

#[derive(Debug)]
pub(super) struct Time {
    /// How the world's time follows from that of its clients; its `now` says nothing.
    clock: Clock,
    opened: Instant,
    still: Option<Mutex<Stand>>,
    /// Rings when time was told to pass.
    passed: watch::Sender<()>,
}

/// Where time stands.
#[derive(Clone, Copy, Debug)]
struct Stand {
    /// Since the opening.
    passed: Duration,
    at: Instant,
}

impl Time {
    /// When a world opens.
    pub(super) fn opening(still: bool) -> Timestamp {
        if still { OPENING } else { Timestamp::now() }
    }

    /// From now on.
    pub(super) fn new(clock: Clock, still: bool) -> Self {
        let opened = Instant::now();
        let stand = Stand {
            passed: Duration::ZERO,
            at: opened,
        };
        Self {
            clock,
            opened,
            still: still.then(|| Mutex::new(stand)),
            passed: watch::Sender::new(()),
        }
    }

    pub(super) fn is_still(&self) -> bool {
        self.still.is_some()
    }

    fn stand(&self) -> Option<Stand> {
        let still = self.still.as_ref()?;
        Some(*still.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the world's servers call now; whole seconds where it stands still.
    pub(super) fn now(&self) -> Timestamp {
        match self.stand() {
            Some(stand) => Self::since_opening(stand.passed),
            None => Timestamp::now(),
        }
    }

    /// The same for somebody who waits for fractions of a second: they pass by themselves, and end before the second does.
    pub(super) fn now_finely(&self) -> Timestamp {
        match self.stand() {
            Some(stand) => Self::since_opening(stand.passed + passed_by_itself(stand.at.elapsed())),
            None => Timestamp::now(),
        }
    }

    fn since_opening(passed: Duration) -> Timestamp {
        let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
        OPENING.saturating_add(passed).unwrap_or(OPENING)
    }

    /// The fraction of this second has passed, and nothing more will by itself.
    pub(super) fn rests(&self) -> bool {
        self.stand()
            .is_some_and(|stand| passed_by_itself(stand.at.elapsed()) == REST)
    }

    pub(super) fn moment(&self) -> Moment {
        let passed = self.stand().map(|stand| stand.passed);
        self.clock
            .moment_after_opening(passed.unwrap_or_else(|| self.opened.elapsed()))
    }

    /// Until when things happen now.
    pub(super) fn until(&self) -> Moment {
        match self.stand() {
            Some(stand) => self.clock.moment_after_opening(stand.passed + REST),
            None => self.moment(),
        }
    }

    /// When a moment comes by itself.
    pub(super) fn instant_of(&self, moment: Moment) -> Option<Instant> {
        if self.is_still() {
            return None;
        }
        self.opened
            .checked_add(self.clock.real_after_opening(moment))
    }

    /// Whole seconds, so that what stands at rest is always as far into one. Nothing where time passes by itself.
    pub(super) fn pass(&self, seconds: u64) {
        if let Some(still) = &self.still {
            let mut stand = still.lock().unwrap_or_else(PoisonError::into_inner);
            stand.passed = stand.passed.saturating_add(Duration::from_secs(seconds));
            stand.at = Instant::now();
            drop(stand);
            self.passed.send_replace(());
        }
    }

    /// Tells of each time that it was told to pass; never, where it passes by itself.
    pub(super) fn passing(&self) -> watch::Receiver<()> {
        self.passed.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(still: bool) -> Time {
        let clock = Clock::new(Time::opening(still), 2.0, Moment::OPENING);
        Time::new(clock, still)
    }

    #[tokio::test(start_paused = true)]
    async fn where_it_stands_still_only_a_fraction_of_a_second_passes_by_itself() {
        let time = time(true);
        assert_eq!(time.now().to_string(), "2026-03-10T09:30:00Z");
        assert!(!time.rests());
        for (more, now) in [(300, "00.3"), (200, "00.4"), (700, "00.4"), (300, "00.7")] {
            tokio::time::advance(Duration::from_millis(more)).await;
            assert_eq!(
                time.now_finely().to_string(),
                format!("2026-03-10T09:30:{now}Z")
            );
        }
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(time.now_finely().to_string(), "2026-03-10T09:30:00.95Z");
        assert_eq!(time.now().to_string(), "2026-03-10T09:30:00Z");
        assert!(time.rests());
        time.pass(10);
        assert_eq!(time.now_finely().to_string(), "2026-03-10T09:30:10Z");
        assert!(!time.rests());
        // Twice as fast.
        assert_eq!(
            time.moment(),
            Moment::OPENING.after(Duration::from_secs(20))
        );
        assert_eq!(
            time.until(),
            Moment::OPENING.after(Duration::from_millis(21_900))
        );
        assert_eq!(time.instant_of(time.until()), None);
    }

    #[tokio::test(start_paused = true)]
    async fn elsewhere_it_passes_and_cannot_be_passed() {
        let time = time(false);
        time.pass(10);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(time.moment(), Moment::OPENING.after(Duration::from_secs(6)));
        assert_eq!(time.moment(), time.until());
        assert!(!time.rests());
    }
}
