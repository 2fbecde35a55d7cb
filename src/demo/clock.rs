//! Simulated time, and how it maps to the stamps that clients read.
//!
//! Two rules shape it. A world is built by playing its past at full tilt, so before the opening simulated and stamped
//! time agree. After the opening, stamps are wall-clock time and only *delays* are divided by the speed: a client
//! writes its own clock into objects (`spec.restartAt`) and shows ages against it, so stamps that ran ahead of the
//! wall would make every object come from the future.
//!
//! Must never read the real clock: the world tells it how much time has passed.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Microseconds of simulated time since the world opened; negative while the past is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Moment(i64);

impl Moment {
    pub(super) const OPENING: Self = Self(0);

    pub(super) fn after(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(micros(delay)))
    }

    pub(super) fn before(self, delay: Duration) -> Self {
        Self(self.0.saturating_sub(micros(delay)))
    }

    /// Since the opening; negative before it.
    pub(super) fn micros(self) -> i64 {
        self.0
    }

    pub(super) fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    pub(super) fn since_opening(self) -> Duration {
        Duration::from_micros(u64::try_from(self.0).unwrap_or(0))
    }
}

fn micros(delay: Duration) -> i64 {
    i64::try_from(delay.as_micros()).unwrap_or(i64::MAX)
}

#[derive(Clone, Debug)]
pub(super) struct Clock {
    opened: Timestamp,
    speed: f64,
    now: Moment,
}

impl Clock {
    /// `now` starts in the past, so that there is a past to play.
    pub(super) fn new(opened: Timestamp, speed: f64, now: Moment) -> Self {
        Self { opened, speed, now }
    }

    pub(super) fn now(&self) -> Moment {
        self.now
    }

    pub(super) fn set(&mut self, now: Moment) {
        self.now = self.now.max(now);
    }

    /// The moment that is reached once `real` time has passed since the opening.
    pub(super) fn moment_after_opening(&self, real: Duration) -> Moment {
        Moment::OPENING.after(real.mul_f64(self.speed))
    }

    /// Real time from the opening until `moment`.
    pub(super) fn real_after_opening(&self, moment: Moment) -> Duration {
        moment.since_opening().div_f64(self.speed)
    }

    pub(super) fn stamp_at(&self, moment: Moment) -> Timestamp {
        let offset = if moment < Moment::OPENING {
            SignedDuration::from_micros(moment.0)
        } else {
            SignedDuration::try_from(self.real_after_opening(moment)).unwrap_or(SignedDuration::MAX)
        };
        self.opened.saturating_add(offset).unwrap_or(self.opened)
    }

    /// The inverse of `stamp_at`, for times that a client wrote.
    pub(super) fn moment_of(&self, stamp: Timestamp) -> Moment {
        let offset = stamp.duration_since(self.opened);
        match Duration::try_from(offset) {
            Ok(ahead) => self.moment_after_opening(ahead),
            Err(_) => Moment(i64::try_from(offset.as_micros()).unwrap_or(i64::MIN)),
        }
    }

    /// RFC 3339 in whole seconds, truncated, as `metav1.Time` prints it.
    pub(super) fn stamp(&self) -> String {
        seconds(self.stamp_at(self.now))
    }

    /// The same with microseconds, as `metav1.MicroTime` demands.
    pub(super) fn micro_stamp(&self) -> String {
        self.stamp_at(self.now)
            .strftime("%Y-%m-%dT%H:%M:%S.%6fZ")
            .to_string()
    }
}

pub(super) fn seconds(stamp: Timestamp) -> String {
    stamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_follow_the_wall_clock_however_fast_the_world_runs() {
        let opened: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        let past = Moment::OPENING.before(Duration::from_secs(60));
        let mut clock = Clock::new(opened, 100.0, past);
        assert_eq!(clock.stamp(), "2026-11-20T09:59:00Z");
        clock.set(clock.moment_after_opening(Duration::from_secs(3)));
        assert_eq!(clock.stamp(), "2026-11-20T10:00:03Z");
        assert_eq!(clock.now(), Moment::OPENING.after(Duration::from_secs(300)));
        assert_eq!(clock.moment_of(clock.stamp_at(past)), past);
        assert_eq!(clock.moment_of(clock.stamp_at(clock.now())), clock.now());
    }
}
