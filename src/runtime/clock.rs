//! The clock, the only place that reads it: that of everybody, or that of a world whose time stands still.
//!
//! The time of a session begins with what the wall clock says at the first question, and goes on with what has really
//! passed, asleep or awake. A wall clock that is set ahead is followed: facts look older than they are until they are read
//! again. One that is set back is not: it would stop every age and every deadline, so that old facts look fresh and no
//! dialog takes a key.
//!
//! Must never be given another source once somebody has asked what time it is: what is shown would be of two times.

use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use rustix::time::{ClockId, clock_gettime};
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

/// A time that never goes back, whatever is done to the wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Steady {
    wall: Timestamp,
    passed: Duration,
}

impl Steady {
    /// The wall clock says `wall`, and the machine has run for `passed`, its sleep included.
    pub const fn new(wall: Timestamp, passed: Duration) -> Self {
        Self { wall, passed }
    }

    /// What time it is when the machine has run for `passed`.
    pub fn at(&self, passed: Duration) -> Timestamp {
        SignedDuration::try_from(passed.saturating_sub(self.passed))
            .ok()
            .and_then(|since| self.wall.checked_add(since).ok())
            .unwrap_or(self.wall)
    }

    /// The same, where the wall clock is asked too and has been set ahead.
    pub fn with(&mut self, wall: Timestamp, passed: Duration) -> Timestamp {
        let ours = self.at(passed);
        if wall > ours {
            *self = Self::new(wall, passed);
            return wall;
        }
        ours
    }
}

/// Further behind than this, somebody has set the wall clock; less is slewed.
const WAS_SET: SignedDuration = SignedDuration::from_secs(2);

static STILL: OnceLock<Still> = OnceLock::new();
static STEADY: Mutex<Option<Steady>> = Mutex::new(None);
static SAID: AtomicBool = AtomicBool::new(false);

/// How long the machine has run, its sleep included.
fn passed() -> Duration {
    // The monotonic clock of Linux stands still while the machine sleeps; that of other systems does not.
    #[cfg(target_os = "linux")]
    let clock = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    let read = clock_gettime(clock);
    Duration::new(
        u64::try_from(read.tv_sec).unwrap_or(0),
        u32::try_from(read.tv_nsec).unwrap_or(0),
    )
}

fn going() -> Timestamp {
    let mut steady = STEADY.lock().unwrap_or_else(PoisonError::into_inner);
    let (wall, passed) = (Timestamp::now(), passed());
    let ours = steady
        .get_or_insert(Steady::new(wall, passed))
        .with(wall, passed);
    // Whoever writes the line down may ask what time it is.
    drop(steady);
    let ahead = ours.duration_since(wall);
    if ahead > WAS_SET && !SAID.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            seconds = ahead.as_secs(),
            "the clock of this machine was set back; this session's time goes on, and so does that of its records"
        );
    }
    ours
}

/// From now on time is what this says. Once, before anything is started.
pub fn stand(source: Box<dyn Source>) {
    let still = Still {
        source,
        beats: watch::Sender::new(0),
    };
    // A second one would find that somebody already lives in the first.
    drop(STILL.set(still));
}

pub fn is_still() -> bool {
    STILL.get().is_some()
}

pub fn now() -> Timestamp {
    STILL.get().map_or_else(going, |still| still.source.now())
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
            .map_or_else(going, |still| still.source.second())
    })
}

/// What tells sources that time has passed.
pub fn beat() -> Beat {
    Beat::of(STILL.get().map(|still| still.beats.subscribe()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_what_was_on_the_wall_and_what_has_passed_since() {
        let wall: Timestamp = "2026-11-27T03:00:00Z".parse().unwrap();
        let steady = Steady::new(wall, Duration::from_secs(1_000));
        assert_eq!(steady.at(Duration::from_secs(1_000)), wall);
        let night = steady.at(Duration::from_secs(1_000 + 8 * 3_600));
        assert_eq!(night, "2026-11-27T11:00:00Z".parse().unwrap());
        // A machine that has run for less than before does not exist; time stands still rather than go back.
        assert_eq!(steady.at(Duration::from_secs(1)), wall);
    }

    #[test]
    fn a_wall_clock_that_is_set_ahead_is_followed_and_one_that_is_set_back_is_not() {
        let wall = |second: i64| Timestamp::from_second(1_784_000_000 + second).unwrap();
        let mut steady = Steady::new(wall(0), Duration::from_secs(50));
        let mut next = |second: i64, passed: u64| {
            let now = steady.with(wall(second), Duration::from_secs(50 + passed));
            now.duration_since(wall(0)).as_secs()
        };
        assert_eq!(next(10, 10), 10);
        assert_eq!(next(9, 10), 10, "slewed by a second");
        assert_eq!(next(11, 12), 12);
        assert_eq!(next(12 - 3_600, 12), 12, "back by an hour");
        assert_eq!(
            next(32 - 3_600, 32),
            32,
            "and on at the pace of what passes"
        );
        assert_eq!(next(7_200, 33), 7_200, "ahead");
        assert_eq!(next(7_000, 34), 7_201);
        assert_eq!(next(7_500, 35), 7_500);
    }

    #[test]
    fn a_session_begins_with_the_time_on_the_wall() {
        let off = Timestamp::now().duration_since(now());
        assert!(off.abs() < WAS_SET, "{off:?}");
        assert!(now() <= now());
    }
}
