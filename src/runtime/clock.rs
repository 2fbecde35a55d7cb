//! The clock, the only place that reads it: that of everybody, or that of a world whose time stands still.
//!
//! Must never be given another source once somebody has asked what time it is: what is shown would be of two times.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Instant,
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::providers::beat::Beat;

/// Another time than everybody's.
pub trait Source: Send + Sync + std::fmt::Debug {
    /// Up to a fraction of a second passes by itself, so that what waits for a silence of the keys is not waiting for ever.
    fn now(&self) -> Timestamp;
    /// Without what passes by itself.
    fn second(&self) -> Timestamp;
    /// Nothing passes any more until it is told to.
    fn rests(&self) -> bool;
    fn pass(&self, seconds: u64);
}

#[derive(Debug)]
struct Still {
    source: Box<dyn Source>,
    beats: watch::Sender<u64>,
}

static STILL: OnceLock<Still> = OnceLock::new();

/// From now on time is what this says. Once, before anything is started.
pub fn stand(source: Box<dyn Source>) {
    let still = Still {
        source,
        beats: watch::Sender::new(0),
    };
    // A second one would find that somebody already lives in the first.
    drop(STILL.set(still));
}

/// What is less than this behind is slewed, not set back.
const STEP: SignedDuration = SignedDuration::from_secs(2);

/// Everybody's clock, which never goes back while we live. Where it was set back, time goes on from where it was until the
/// clock has caught up: of two times, one that went back and one that did not, what was read just now would be an hour old.
struct Onward {
    last: Timestamp,
    at: Instant,
}

impl Onward {
    fn next(&mut self, wall: Timestamp, at: Instant) -> Timestamp {
        let passed = SignedDuration::try_from(at.saturating_duration_since(self.at));
        let expected = passed
            .ok()
            .and_then(|passed| self.last.checked_add(passed).ok())
            .unwrap_or(self.last);
        let now = if expected.duration_since(wall) > STEP {
            expected
        } else {
            wall.max(self.last)
        };
        (self.last, self.at) = (now, at);
        now
    }
}

static ONWARD: Mutex<Option<Onward>> = Mutex::new(None);

fn everybodys() -> Timestamp {
    let mut onward = ONWARD.lock().unwrap_or_else(PoisonError::into_inner);
    let (wall, at) = (Timestamp::now(), Instant::now());
    onward
        .get_or_insert(Onward { last: wall, at })
        .next(wall, at)
}

pub fn is_still() -> bool {
    STILL.get().is_some()
}

pub fn now() -> Timestamp {
    STILL
        .get()
        .map_or_else(everybodys, |still| still.source.now())
}

/// Whether time goes no further by itself.
pub fn rests() -> bool {
    STILL.get().is_some_and(|still| still.source.rests())
}

/// Lets time pass where it stands still, and has everything read that is read now and then.
pub fn pass(seconds: u64) {
    if let Some(still) = STILL.get() {
        still.source.pass(seconds);
        still.beats.send_modify(|count| *count += 1);
    }
}

/// A clock as providers take one: what is read is of a whole second where time stands still.
pub fn shared() -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
    Arc::new(|| {
        STILL
            .get()
            .map_or_else(everybodys, |still| still.source.second())
    })
}

/// What tells sources that time has passed.
pub fn beat() -> Beat {
    Beat::of(STILL.get().map(|still| still.beats.subscribe()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_that_is_set_back_goes_on_and_one_that_jumps_ahead_is_followed() {
        let wall = |second: i64| Timestamp::from_second(1_784_000_000 + second).unwrap();
        let start = Instant::now();
        let mut onward = Onward {
            last: wall(0),
            at: start,
        };
        let mut next = |second, passed| {
            let at = start + Duration::from_secs(passed);
            onward
                .next(wall(second), at)
                .duration_since(wall(0))
                .as_secs()
        };
        assert_eq!(next(10, 10), 10);
        // Slewed by a second: it waits for that.
        assert_eq!(next(9, 10), 10);
        assert_eq!(next(11, 12), 11);
        // Back by an hour, and on from there at the pace of the seconds that pass.
        assert_eq!(next(11 - 3_600, 12), 11);
        assert_eq!(next(31 - 3_600, 32), 31);
        // The machine slept, and only the clock of the wall went on.
        assert_eq!(next(7_200, 33), 7_200);
        // Until it has caught up.
        assert_eq!(next(7_000, 33), 7_200);
        assert_eq!(next(7_200, 233), 7_400);
        assert_eq!(next(7_500, 234), 7_500);
    }
}
