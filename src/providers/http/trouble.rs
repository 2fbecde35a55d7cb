//! What can go wrong with a request, sorted by what it means for a write: certainly not sent, refused, or perhaps sent.
//! When in doubt it is perhaps. Never carries a credential, a query, or text that was not sanitised.

use std::{fmt, time::Duration};

use bytes::Bytes;
use jiff::Timestamp;

use crate::model::{
    source::SourceState,
    text::{Safe, sanitise},
};

/// What a trouble means for a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It never left: it may be asked for again.
    CertainlyNotSent,
    /// It was answered with a refusal: nothing was changed.
    Refused,
    /// It may have been applied. Observe; never send it again.
    PerhapsSent,
}

/// A refusal as the server (or something before it) said it.
#[derive(Clone, PartialEq, Eq)]
pub struct Said {
    pub status: u16,
    pub message: Safe,
    /// As it came, for whoever knows the vendor's form of errors.
    pub body: Bytes,
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Said")
            .field("status", &self.status)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Where a redirect points. Its query is often a signature, so it is followed and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Location(pub(super) Box<str>);

impl Location {
    pub fn url(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Location(..)")
    }
}

/// Each is one sentence on the screen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// No connection: nothing was sent.
    #[error("cannot be reached: {why}")]
    Unreachable { why: Safe },
    /// No credential could be had: nothing was sent.
    #[error("no login: {why}")]
    Login { why: Safe },
    /// The request itself cannot be made: nothing was sent.
    #[error("the request cannot be made: {why}")]
    Request { why: Safe },
    /// The host asked to be left alone, or what is left is kept for actions: nothing was sent.
    #[error("nothing is asked of it until {until}: {why}")]
    Held { until: Timestamp, why: Safe },
    /// What a write rests on was read too long ago by the time it could leave: nothing was sent.
    #[error("it was not sent: by then, what it rests on had been read too long ago; read it again")]
    TooLate,
    #[error("the connection broke before the answer was complete: {why}")]
    Lost { why: Safe },
    #[error("no answer within {} s", .after.as_secs_f32())]
    Timeout { after: Duration },
    #[error(
        "it answered with a redirect ({status}), which is not followed: a token would travel with it; check the address"
    )]
    Redirected {
        status: u16,
        location: Option<Location>,
    },
    #[error("the login is not accepted (401): {0}; log in again or replace the token")]
    Unauthorized(Said),
    #[error("not permitted (403): {0}")]
    Forbidden(Said),
    #[error("it asks to slow down ({}): {said}", .said.status)]
    RateLimited {
        said: Said,
        retry_after: Option<Duration>,
    },
    /// Hosts answer so as well where one may not look.
    #[error("not found or no permission (404): {0}")]
    NotFound(Said),
    #[error("it is in another state by now (409): {0}")]
    Conflict(Said),
    #[error("gone (410): {0}")]
    Gone(Said),
    #[error("refused ({}): {}", .0.status, .0.message)]
    Refused(Said),
    #[error("the server failed ({}): {said}", .said.status)]
    Server {
        said: Said,
        retry_after: Option<Duration>,
    },
    /// An answer that is not what this API answers.
    #[error("the answer cannot be read: {why}")]
    Malformed { why: Safe },
    #[error("the answer is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the answer unpacks to more than {ratio} times its size")]
    Bomb { ratio: u32 },
}

/// A request that did not bring what was asked for: where, and why.
#[derive(Clone, PartialEq, Eq)]
pub struct Trouble(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    server: Safe,
    why: Why,
}

impl Trouble {
    pub fn new(server: &Safe, why: Why) -> Self {
        Self(Box::new(Inner {
            server: server.clone(),
            why,
        }))
    }

    pub fn malformed(server: &Safe, why: &str) -> Self {
        Self::new(server, Why::Malformed { why: sanitise(why) })
    }

    pub fn why(&self) -> &Why {
        &self.0.why
    }

    /// A failure on the server's side is unknown even where its code sounds like a refusal: a 503 or 504 of a proxy says
    /// nothing about the server behind it; nor does a redirect.
    pub const fn fate(&self) -> Fate {
        match self.0.why {
            Why::Unreachable { .. }
            | Why::Login { .. }
            | Why::Request { .. }
            | Why::TooLate
            | Why::Held { .. } => Fate::CertainlyNotSent,
            Why::Unauthorized(_)
            | Why::Forbidden(_)
            | Why::RateLimited { .. }
            | Why::NotFound(_)
            | Why::Conflict(_)
            | Why::Gone(_)
            | Why::Refused(_) => Fate::Refused,
            Why::Lost { .. }
            | Why::Timeout { .. }
            | Why::Redirected { .. }
            | Why::Server { .. }
            | Why::Malformed { .. }
            | Why::TooLarge { .. }
            | Why::Bomb { .. } => Fate::PerhapsSent,
        }
    }

    /// The state of a source whose requests end like this.
    pub const fn state(&self) -> SourceState {
        match self.0.why {
            Why::Unreachable { .. }
            | Why::Lost { .. }
            | Why::Timeout { .. }
            | Why::TooLate
            | Why::Server { .. } => SourceState::Unreachable,
            Why::Login { .. } | Why::Unauthorized(_) => SourceState::Unauthorized,
            Why::Forbidden(_) | Why::NotFound(_) => SourceState::Forbidden,
            Why::RateLimited { .. } | Why::Held { .. } => SourceState::RateLimited,
            Why::Request { .. }
            | Why::Redirected { .. }
            | Why::Conflict(_)
            | Why::Gone(_)
            | Why::Refused(_)
            | Why::Malformed { .. }
            | Why::TooLarge { .. }
            | Why::Bomb { .. } => SourceState::Malformed,
        }
    }

    /// How long the server wants to be left alone.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self.0.why {
            Why::RateLimited { retry_after, .. } | Why::Server { retry_after, .. } => retry_after,
            _ => None,
        }
    }

    /// Until when nothing is asked at all.
    pub const fn held_until(&self) -> Option<Timestamp> {
        match self.0.why {
            Why::Held { until, .. } => Some(until),
            _ => None,
        }
    }

    /// The status of the answer, where there was one.
    pub const fn status(&self) -> Option<u16> {
        match &self.0.why {
            Why::Redirected { status, .. } => Some(*status),
            _ => match self.said() {
                Some(said) => Some(said.status),
                None => None,
            },
        }
    }

    pub const fn said(&self) -> Option<&Said> {
        match &self.0.why {
            Why::Unauthorized(said)
            | Why::Forbidden(said)
            | Why::NotFound(said)
            | Why::Conflict(said)
            | Why::Gone(said)
            | Why::Refused(said)
            | Why::RateLimited { said, .. }
            | Why::Server { said, .. } => Some(said),
            _ => None,
        }
    }

    /// Where it was sent on to.
    pub fn location(&self) -> Option<&Location> {
        match &self.0.why {
            Why::Redirected { location, .. } => location.as_ref(),
            _ => None,
        }
    }

    pub fn sentence(&self) -> Safe {
        sanitise(&self.to_string())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.server, self.0.why)
    }
}

impl fmt::Debug for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Trouble {}
