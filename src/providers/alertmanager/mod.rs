//! Alertmanager, API v2, and what speaks it: Grafana, Mimir.
//!
//! Owns its JSON (`wire`), what an alert is in our words (`map`), which matchers a silence can be made of (`matchers`),
//! what is asked to silence and to end a silence, and what the answers mean (`requests`). All of these are pure. Must
//! never rank what is wrong, and never take a refusal for a success or a lost answer for a refusal.

pub mod map;
pub mod plan;
pub mod read;
pub mod requests;
pub mod source;
pub mod wire;
