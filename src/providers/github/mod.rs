//! GitHub Actions, environments and deployments: github.com, its data-residency hosts and Enterprise Server.
//!
//! `wire` is what is read of the answers, `map` makes the model's words of it, `requests` says what is asked and sent,
//! `read` asks, `act` sends once, `logs` fetches a job's log, `source` looks again and again. Nothing here sends a write
//! twice, and nothing follows a redirect with the token to another origin.

pub mod act;
#[cfg(test)]
mod fake;
pub mod host;
pub mod logs;
pub mod map;
pub mod plan;
pub mod read;
pub mod requests;
pub mod source;
pub mod token;
pub mod wire;
