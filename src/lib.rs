//! windlass

pub mod demo;
