//! One folder per system spoken to: its wire types, wire -> model, plan -> request, and the source that watches it.
//! Providers know the model and never each other, the reducer or the screen.

pub mod alertmanager;
pub mod beat;
pub mod github;
pub mod http;
pub mod kubernetes;
pub mod prometheus;
pub mod pulse;
