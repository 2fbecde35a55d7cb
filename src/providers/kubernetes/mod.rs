//! Kubernetes and Argo Rollouts.

pub mod client;
pub mod error;
pub mod kubeconfig;
