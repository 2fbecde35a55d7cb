//! One folder per system spoken to: its wire types, wire -> model, plan -> request, and the task that tells facts.
//! Providers never know each other, the screen or the reducer.

pub mod kubernetes;
