//! The vendors' own test tables, run against the Kubernetes provider.
//!
//! The tables are not part of this project: `WINDLASS_CONFORMANCE` names their folder, by default `../shared/conformance`
//! beside the crate. Without them these tests say that they did not run; with `WINDLASS_REQUIRE` set that is a failure.
//! Every case of a table is run, whatever its number, and all failures of a table are reported at once. What is
//! left out is left out here, by name and with its reason.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod actions;
mod health;
mod promote;
mod states;
mod tables;
mod trees;
