//! The one timer of the screen. On Linux a timer of the kernel: tokio's wheel wakes up two or three times on the way to a
//! deadline that is a second away, and an idle screen with a clock would be woken thirty times in ten seconds for ten.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

/// Rings once at the time for which it is set.
#[derive(Debug)]
pub(super) struct Alarm {
    at: Option<Timestamp>,
    #[cfg(target_os = "linux")]
    timer: Option<kernel::Timer>,
    deadline: Option<Instant>,
}

impl Alarm {
    /// Needs a runtime with I/O around it.
    pub(super) fn new() -> Self {
        Self {
            at: None,
            #[cfg(target_os = "linux")]
            timer: kernel::Timer::new()
                .inspect_err(|error| tracing::info!(%error, "no timer of the kernel's own"))
                .ok(),
            deadline: None,
        }
    }

    /// Deadlines are told in wall-clock time; the wait itself is monotonic.
    pub(super) fn set(&mut self, at: Option<Timestamp>, now: Timestamp) {
        if self.at == at {
            return;
        }
        self.at = at;
        let left = at.map(|at| Duration::try_from(at.duration_since(now)).unwrap_or_default());
        self.deadline = left.map(|left| Instant::now() + left);
        #[cfg(target_os = "linux")]
        if let Some(timer) = &self.timer
            && let Err(error) = timer.set(left)
        {
            tracing::warn!(%error, "the kernel's timer cannot be set");
            self.timer = None;
        }
    }

    /// Waits for it; for ever where it is not set. Nothing is lost when the wait is given up.
    pub(super) async fn rings(&mut self) {
        let Some(deadline) = self.deadline else {
            return std::future::pending().await;
        };
        #[cfg(target_os = "linux")]
        let waited = match &self.timer {
            Some(timer) => timer.rings().await,
            None => false,
        };
        #[cfg(not(target_os = "linux"))]
        let waited = false;
        if !waited {
            sleep_until(deadline).await;
        }
        self.at = None;
        self.deadline = None;
    }
}

#[cfg(target_os = "linux")]
mod kernel {
    use std::{io, os::fd::OwnedFd, time::Duration};

    use rustix::{
        io::Errno,
        time::{
            Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
            timerfd_settime,
        },
    };
    use tokio::io::{Interest, unix::AsyncFd};

    #[derive(Debug)]
    pub(super) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        #[expect(
            deprecated,
            reason = "its replacement is unsafe for the sake of types that may close their descriptor; an OwnedFd does not"
        )]
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            Ok(Self(AsyncFd::with_interest(timer, Interest::READABLE)?))
        }

        pub(super) fn set(&self, left: Option<Duration>) -> io::Result<()> {
            // A time of nothing would stop the timer.
            let left = left.map_or(Duration::ZERO, |left| left.max(Duration::from_nanos(1)));
            let time = |duration: Duration| Timespec {
                tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(duration.subsec_nanos()),
            };
            let spec = Itimerspec {
                it_interval: time(Duration::ZERO),
                it_value: time(left),
            };
            timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &spec)?;
            Ok(())
        }

        /// `false`: it cannot be waited for.
        pub(super) async fn rings(&self) -> bool {
            loop {
                let Ok(mut ready) = self.0.readable().await else {
                    return false;
                };
                ready.clear_ready();
                match rustix::io::read(&self.0, &mut [0; 8]) {
                    Ok(_) => return true,
                    // Set anew since it rang.
                    Err(Errno::AGAIN | Errno::INTR) => {}
                    Err(_) => return false,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon(now: Timestamp) -> Option<Timestamp> {
        now.checked_add(jiff::SignedDuration::from_millis(5)).ok()
    }

    #[tokio::test]
    async fn an_alarm_rings_once_and_a_past_one_at_once() {
        let (mut alarm, now) = (Alarm::new(), Timestamp::UNIX_EPOCH);
        alarm.set(Some(now), soon(now).unwrap());
        alarm.rings().await;
        alarm.set(soon(now), now);
        alarm.rings().await;
        let again = tokio::time::timeout(Duration::from_millis(1), alarm.rings()).await;
        assert!(again.is_err());
    }

    #[tokio::test]
    async fn an_alarm_that_is_put_off_does_not_ring_at_the_old_time() {
        let (mut alarm, now) = (Alarm::new(), Timestamp::UNIX_EPOCH);
        alarm.set(soon(now), now);
        alarm.set(
            now.checked_add(jiff::SignedDuration::from_hours(1)).ok(),
            now,
        );
        let rang = tokio::time::timeout(Duration::from_millis(20), alarm.rings()).await;
        assert!(rang.is_err());
    }
}
