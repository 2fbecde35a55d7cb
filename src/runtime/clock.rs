//! The clock, the only place that reads it: that of everybody, or that of a world whose time stands still.
//!
//! Must never be given another source once somebody has asked what time it is: what is shown would be of two times.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
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

pub fn is_still() -> bool {
    STILL.get().is_some()
}

pub fn now() -> Timestamp {
    STILL
        .get()
        .map_or_else(Timestamp::now, |still| still.source.now())
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
            .map_or_else(Timestamp::now, |still| still.source.second())
    })
}

/// What tells sources that time has passed.
pub fn beat() -> Beat {
    Beat::of(STILL.get().map(|still| still.beats.subscribe()))
}
