//! The program as a human meets it: in a terminal, over the demo world, read from the screen and from the requests that
//! arrived. What no unit can show is shown here: that key, dialog, request and outcome are one thing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod faults;
mod game;
pub(crate) mod harness;
mod leaving;
mod safety;
mod tour;
mod verbs;
mod views;
mod wall;
