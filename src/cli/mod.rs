//! The command line: everything that is on the screen, without a screen. Shares plans, guards, execution, observation and
//! audit with it; owns the words of standard output, and the exit codes.

mod aftermath;
mod alias;
pub mod args;
mod audit;
mod beside;
mod bundle;
mod decide;
mod demo;
mod doctor;
mod doctor_beside;
pub mod exit;
mod find;
mod history;
mod inbox;
mod init;
mod out;
mod redact;
mod report;
mod report_beside;
mod run;
mod status;
mod table;
mod target;
mod verb;
mod wait;

pub use run::run;
