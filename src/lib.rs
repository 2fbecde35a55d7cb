//! windlass: release operations in a terminal.
#![doc = include_str!("architecture.md")]

pub mod app;
pub mod cli;
pub mod config;
pub mod demo;
pub mod model;
pub mod ops;
pub mod providers;
pub mod runtime;
pub mod ui;
