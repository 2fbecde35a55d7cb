//! The command line: everything that is on the screen, without a screen. Shares plans, guards, execution, observation and
//! audit with it; owns the words of standard output, and the exit codes.

mod aftermath;
pub mod args;
mod audit;
mod doctor;
pub mod exit;
mod find;
mod history;
mod out;
mod report;
mod run;
mod status;
mod target;
mod verb;
mod wait;

pub use run::run;
