//! The reducer: `update(&mut State, Msg) -> Vec<Effect>`, pure. Messages, state and effects are plain data, so a session
//! can be recorded and replayed, and every behaviour can be tested without a terminal. Time comes in only as a message.

mod act;
pub mod actions;
pub mod beside;
mod beside_act;
pub mod board;
pub mod changed;
pub mod command;
mod counts;
pub mod dialog;
pub mod faults;
mod filter;
pub mod inbox;
mod index;
mod input;
pub mod key;
pub mod keymap;
pub mod layout;
pub mod mouse;
pub mod msg;
pub mod queue;
pub mod release_view;
pub mod releases;
pub mod services;
mod stale;
pub mod state;
pub mod tour;
mod update;
mod update_beside;
mod wake;
pub mod wall;

pub use actions::outcome_words;
pub use beside_act::names;
pub use input::palette_matches;
pub use update::update;
