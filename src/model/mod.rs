//! The words of the field as types: service, environment, release, rollout, step, phase, revision, freshness.
//! Pure data. Knows nothing of providers, of the screen or of how anything is fetched, and never reads a clock.

pub mod address;
pub mod detail;
pub mod event;
pub mod id;
pub mod incident;
pub mod job_log;
pub mod metrics;
pub mod moment;
pub mod offered;
pub mod pipeline;
pub mod release;
pub mod replica_set;
pub mod rollout;
mod short;
pub mod source;
pub mod step;
pub mod text;
mod uid;
