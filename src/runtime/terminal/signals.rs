//! The signals that concern a terminal.
//!
//! Owns their handlers. Must not act on one: it only says which came.

use std::io;

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::key::Ended;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caught {
    Ended(Ended),
    Resized,
    StopAsked,
    Continued,
}

#[derive(Debug)]
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
    quit: Signal,
    resized: Signal,
    stop: Signal,
    continued: Signal,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            quit: signal(SignalKind::quit())?,
            resized: signal(SignalKind::window_change())?,
            stop: signal(SignalKind::from_raw(Number::TSTP.as_raw()))?,
            continued: signal(SignalKind::from_raw(Number::CONT.as_raw()))?,
        })
    }

    /// Waits for the next one; nothing is lost when the wait is given up.
    pub(super) async fn next(&mut self) -> Caught {
        tokio::select! {
            biased;
            Some(()) = self.terminate.recv() => Caught::Ended(Ended::Terminate),
            Some(()) = self.hang_up.recv() => Caught::Ended(Ended::HangUp),
            Some(()) = self.interrupt.recv() => Caught::Ended(Ended::Interrupt),
            Some(()) = self.quit.recv() => Caught::Ended(Ended::Quit),
            Some(()) = self.continued.recv() => Caught::Continued,
            Some(()) = self.stop.recv() => Caught::StopAsked,
            Some(()) = self.resized.recv() => Caught::Resized,
            // A runtime that is shutting down sends no more signals.
            else => std::future::pending().await,
        }
    }
}
