//! Kubernetes and Argo Rollouts, from one API server.
//!
//! Owns everything that is the vendors' and not ours: their JSON (`wire`), what it means in our words (`map`), their own
//! algorithms for state (`status`), the plugin's tree (`tree`), the history of a workload (`history`) and the requests
//! that change something (`requests`). All of these are pure. Nothing outside of this folder may know a field name.
//!
//! And the way there: which cluster and as whom (`kubeconfig`), requests within limits (`client`, `error`), collections kept
//! in sync (`watch`).

pub mod access;
pub mod act;
pub mod client;
pub mod detail;
pub mod error;
#[cfg(test)]
mod fake;
pub mod find;
pub mod history;
pub mod kubeconfig;
pub mod logs;
pub mod map;
pub mod plan;
pub mod read;
pub mod requests;
pub mod source;
pub mod status;
pub mod tree;
pub mod watch;
pub mod wire;
mod yaml;
