//! The program as a whole, over a world in the test process, found through a kubeconfig and a configuration of ten lines:
//! gates, runs, silences and incidents from the key or the command to the request that arrived and the effect that was
//! seen. What arrived is the judge.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod asking;
pub(crate) mod between;
mod changed;
mod deciding;
mod gates;
mod hostile;
mod incidents;
mod lost;
mod runs;
pub(crate) mod shop;
mod silences;
mod sources;
mod unread;
