//! What a server is made of, and what it may cost.

use std::{fmt, time::Duration};

use http::{HeaderName, HeaderValue};

use super::{Clock, Credential, Variables};

/// What an answer may cost, and how many may be under way.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Name, TCP and TLS together.
    pub connect: Duration,
    /// Until the head of the answer is here, once connected.
    pub header: Duration,
    /// Between two pieces of the answer.
    pub idle: Duration,
    pub total: Duration,
    /// After unpacking.
    pub body: usize,
    /// How much larger an answer of more than a mebibyte may be unpacked than packed.
    pub ratio: u32,
    /// Of an answer that tells an error.
    pub error_body: usize,
    /// Of everything kept for conditional requests.
    pub kept_bytes: usize,
    pub kept_entries: usize,
    /// Reads at the same time.
    pub at_once: usize,
    /// Between two writes.
    pub write_gap: Duration,
    /// So many requests of the host's budget are left to what a human asks for ([`Server::urgent`]).
    pub reserve: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            header: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            total: Duration::from_secs(60),
            body: 64 << 20,
            ratio: 100,
            error_body: 256 << 10,
            kept_bytes: 32 << 20,
            kept_entries: 1024,
            at_once: 4,
            write_gap: Duration::ZERO,
            reserve: 0,
        }
    }
}

/// Everything that a [`Server`] is made of.
#[derive(Clone)]
pub struct Setup {
    /// With its path prefix; no user, query or fragment.
    pub base: String,
    pub credential: Credential,
    /// Sent with every request to it.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The only authorities to trust, as PEM; `None`: those of the system.
    pub authority: Option<Vec<u8>>,
    pub limits: Limits,
    pub clock: Clock,
    pub variables: Variables,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").finish_non_exhaustive()
    }
}
