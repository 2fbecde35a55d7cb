//! The command line: types, headless commands, exit codes.
pub mod args;
pub mod exit;
pub mod report;
