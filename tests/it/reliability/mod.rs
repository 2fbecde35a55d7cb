//! What the program promises where things go wrong, one numbered promise a test: `cargo test t06` runs the sixth. Owns no
//! promise about what a screen looks like or what a verb does; those are beside it. The numbers are those of the list of
//! reliability tests, of which these are the ones that every change has to pass, so each is sized for seconds.
//!
//! acting: nothing is done twice, and accepted is not done. stale: what is not known is neither zero nor healthy. audit: no
//! record is lost or forged. hostile: servers that do everything wrong. watch: a copy never goes back in time. terminal:
//! it is given back, whatever happens. text: no text commands. files: they are private, and where they belong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod acting;
mod audit;
mod files;
mod hostile;
mod parsers;
mod stale;
mod terminal;
mod text;
mod watch;
