//! The clock, the only place that reads it.

use jiff::Timestamp;

pub fn now() -> Timestamp {
    Timestamp::now()
}

/// A clock as providers take one.
pub fn shared() -> std::sync::Arc<dyn Fn() -> Timestamp + Send + Sync> {
    std::sync::Arc::new(now)
}
