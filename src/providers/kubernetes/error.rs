//! What can go wrong on the way to an API server, sorted by what it means for a write: certainly not sent, answered
//! with a refusal, or unknown. When in doubt it is unknown. Never carries a credential or text that was not sanitised.

use std::time::Duration;

use crate::model::{
    source::SourceState,
    text::{Safe, sanitise},
};

/// A refusal as the server (or something before it) said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub status: u16,
    /// The API's own word (`Conflict`, `Invalid`, `Expired`); empty where the answer was not a `Status`.
    pub reason: Safe,
    /// Cut from both ends: a refused patch of a custom resource repeats the whole object before it says why.
    pub message: Safe,
}

/// Each is one sentence on the screen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No connection: nothing was sent.
    #[error("the API server cannot be reached: {why}")]
    Unreachable { why: Safe },
    /// No credential could be had: nothing was sent.
    #[error("no login: {why}")]
    Login { why: Safe },
    /// The request itself cannot be made: nothing was sent.
    #[error("the request cannot be made: {why}")]
    Request { why: Safe },
    /// Sent, or perhaps sent, and no whole answer.
    #[error("the connection broke before the answer was complete: {why}")]
    Lost { why: Safe },
    /// Sent, or perhaps sent, and no whole answer in time.
    #[error("no answer within {} s", .after.as_secs_f32())]
    Timeout { after: Duration },
    #[error("the login is not accepted (401): {}; log in again", .0.message)]
    Unauthorized(Said),
    #[error("not permitted (403): {}", .0.message)]
    Forbidden(Said),
    #[error("the API server asks to slow down ({}): {}", .said.status, .said.message)]
    RateLimited {
        said: Said,
        retry_after: Option<Duration>,
    },
    #[error("not found (404): {}", .0.message)]
    NotFound(Said),
    #[error("changed meanwhile (409): {}", .0.message)]
    Conflict(Said),
    #[error("refused ({}): {}", .0.status, .0.message)]
    Invalid(Said),
    #[error("the version asked for is too old (410): {}", .0.message)]
    Gone(Said),
    #[error("the API server failed ({}): {}", .said.status, .said.message)]
    Server {
        said: Said,
        retry_after: Option<Duration>,
    },
    /// An answer that is not what this API answers.
    #[error("the answer cannot be read: {why}")]
    Malformed { why: Safe },
    #[error("{what} is larger than {} MiB", .limit >> 20)]
    TooLarge { what: &'static str, limit: usize },
}

/// What an error means for a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It never left: it may be asked for again.
    NotSent,
    /// It was answered with a refusal: nothing was changed.
    Refused,
    /// It may have been applied. Observe; never send it again.
    Unknown,
}

impl Error {
    pub(crate) fn unreachable(why: &str) -> Self {
        Self::Unreachable { why: sanitise(why) }
    }

    pub(crate) fn login(why: &str) -> Self {
        Self::Login { why: sanitise(why) }
    }

    pub(crate) fn lost(why: &str) -> Self {
        Self::Lost { why: sanitise(why) }
    }

    pub(crate) fn malformed(why: &str) -> Self {
        Self::Malformed { why: sanitise(why) }
    }

    /// What the error means for a write. A failure on the server's side is unknown even where its code sounds like a
    /// refusal: a 503 or 504 of a proxy says nothing about the server behind it.
    pub const fn fate(&self) -> Fate {
        match self {
            Self::Unreachable { .. } | Self::Login { .. } | Self::Request { .. } => Fate::NotSent,
            Self::Unauthorized(_)
            | Self::Forbidden(_)
            | Self::RateLimited { .. }
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::Invalid(_)
            | Self::Gone(_) => Fate::Refused,
            Self::Lost { .. }
            | Self::Timeout { .. }
            | Self::Server { .. }
            | Self::Malformed { .. }
            | Self::TooLarge { .. } => Fate::Unknown,
        }
    }

    /// The state of a source whose requests end like this.
    pub const fn state(&self) -> SourceState {
        match self {
            Self::Unreachable { .. }
            | Self::Lost { .. }
            | Self::Timeout { .. }
            | Self::Server { .. } => SourceState::Unreachable,
            Self::Login { .. } | Self::Unauthorized(_) => SourceState::Unauthorized,
            Self::Forbidden(_) => SourceState::Forbidden,
            Self::RateLimited { .. } => SourceState::RateLimited,
            Self::NotFound(_)
            | Self::Conflict(_)
            | Self::Invalid(_)
            | Self::Gone(_)
            | Self::Request { .. }
            | Self::Malformed { .. }
            | Self::TooLarge { .. } => SourceState::Malformed,
        }
    }

    /// How long the server wants to be left alone.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::Server { retry_after, .. } => {
                *retry_after
            }
            _ => None,
        }
    }

    pub fn sentence(&self) -> Safe {
        sanitise(&self.to_string())
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
