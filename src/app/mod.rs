//! The reducer: `update(&mut State, Msg) -> Vec<Effect>`, pure. Messages, state and effects are plain data, so a session
//! can be recorded and replayed, and every behaviour can be tested without a terminal. Time comes in only as a message.

pub mod actions;
pub mod board;
pub mod command;
pub mod dialog;
pub mod key;
pub mod release_view;
pub mod releases;
pub mod state;
