//! Prometheus and what speaks its HTTP API: Thanos, Mimir, `VictoriaMetrics`, Grafana's proxy.
//!
//! Owns the API's JSON (`wire`), what an answer is worth (`outcome`), honest counts out of raw counters (`counters`) and
//! which expression asks for them (`queries`). All of these are pure. Must never judge a release, and must never let
//! nothing, not-a-number, too old and failed pass for a number.

pub mod arms;
pub mod counters;
pub mod outcome;
pub mod plan;
pub mod queries;
pub mod read;
pub mod source;
pub mod wire;
