//! The only part that acts: spawns tasks, sleeps, reads the clock, takes the terminal and writes into the state
//! directory. Decides nothing: it tells the reducer and the machines what happened, and does what they ask for.

mod alarm;
pub mod audit;
pub mod audit_view;
pub mod beside;
pub mod clock;
pub mod cluster;
pub mod effects;
pub mod execute;
pub mod log;
pub mod meddle;
mod private;
pub mod recorder;
pub mod screen;
pub mod served;
pub mod session;
pub mod start;
pub mod terminal;
pub mod wall;
