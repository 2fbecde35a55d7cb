//! The life of an action, as data and pure functions:
//!
//! ```text
//! Intent -> Plan -> guards -> ceremony -> Approved -> execute -> Receipt -> observe -> Outcome
//! ```
//!
//! Owns what may be sent and when it counts as done. Never sends, reads a clock or touches a disk: the runtime drives
//! [`machine`] and does what it asks for.

pub mod basis;
pub mod ceremony;
pub mod goal;
pub mod guard;
pub mod intent;
pub mod machine;
pub mod offer;
pub mod plan;
pub mod record;
pub mod seen;
pub mod subject;

#[cfg(test)]
pub(crate) mod tests;
