//! The clock, the only place that reads it: that of everybody, or that of a world whose time stands still.
//!
//! The time of a session begins with what the wall clock says at the first question, and goes on with what has really
//! passed, asleep or awake. A wall clock that is set meanwhile is not followed: set back by an hour it would stop every age
//! and every deadline for an hour, so that old facts look fresh and no dialog takes a key.
//!
//! Must never be given another source once somebody has asked what time it is: what is shown would be of two times.

use std::{
    sync::{
        Arc, OnceLock,
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

/// A time that goes on whatever is done to the wall clock.
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
}

/// Further from the wall clock than this, somebody has set it.
const WAS_SET: SignedDuration = SignedDuration::from_secs(2);

static STILL: OnceLock<Still> = OnceLock::new();
static STEADY: OnceLock<Steady> = OnceLock::new();
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
    let (wall, passed) = (Timestamp::now(), passed());
    let ours = STEADY.get_or_init(|| Steady::new(wall, passed)).at(passed);
    let off = wall.duration_since(ours);
    if off.abs() > WAS_SET && !SAID.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            seconds = off.as_secs(),
            "the clock of this machine was set; this session keeps its own time, and so do its records"
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
    fn a_session_begins_with_the_time_on_the_wall() {
        let off = Timestamp::now().duration_since(now());
        assert!(off.abs() < WAS_SET, "{off:?}");
        assert!(now() <= now());
    }
}
