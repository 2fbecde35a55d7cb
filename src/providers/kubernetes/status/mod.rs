//! The vendors' own algorithms for the state of an object, on their objects and in their words.
//!
//! Owns: the phase and weights of a Rollout as the plugin computes them, kubectl's `rollout status`, Argo CD's health,
//! kubectl's words for a pod. Must never say anything in our words and never look at freshness or permission:
//! `map` translates, the reducer judges.

pub mod argocd;
mod argocd_apps;
mod argocd_pod;
mod icon;
mod kubectl;
mod phase;
mod pod;
mod replica_set;
mod weight;

pub use icon::Icon;
pub use kubectl::{Progress, RolloutState, daemon_set, deployment, stateful_set};
pub use phase::{ReferencedWorkload, VendorPhase, generation_observed, rollout_phase, unpausing};
pub use pod::{PodWords, pod};
pub use replica_set::{ReplicaSetHealth, replica_set};
pub use weight::{actual_weight, current_step, max_weight, set_weight, step_words};
