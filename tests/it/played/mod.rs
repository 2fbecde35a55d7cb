//! Every scenario of the demo, played to its end by keys, in a world whose time stands still: what is on the screen
//! depends on the seed and the keys alone, so whole screens are compared, at every size and depth of colour.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod ends;
mod player;
mod twice;
