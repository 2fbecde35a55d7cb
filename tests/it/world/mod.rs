//! The demo's world for other programs: the addresses that it prints, the files that it writes, what is left of it when
//! it has ended, and that it looks at nothing of the user's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

mod clean;
mod queries;
pub(crate) mod served;
mod serving;
