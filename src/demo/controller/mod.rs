//! The controllers of the simulated cluster: what Argo Rollouts 1.10 and kube-controller-manager 1.35 would do.
//!
//! Each is level-triggered: `look` at an object, do what it calls for now, and ask to be woken when more is due. The
//! order of steps within a look follows the vendor's source, because operators and tests see it in the answers. Must
//! never act on anything but the stored objects and `Memory`.

mod analysis;
mod blue_green;
mod canary;
mod condition;
mod deployment;
mod measure;
mod pause;
mod phase;
mod pod;
mod replica_set;
mod restart;
mod rollout;
mod scale;
mod set;
mod size;
mod traffic;
mod wire;

#[cfg(test)]
mod tests;

use super::cluster::Cluster;
use super::kind::Kind;
use super::store::Key;

pub(super) use measure::template as analysis_template;
pub(super) use wire::duration as pause_duration;

pub(super) fn looks_after(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Rollout
            | Kind::AnalysisRun
            | Kind::Deployment
            | Kind::ReplicaSet
            | Kind::StatefulSet
            | Kind::DaemonSet
            | Kind::Pod
    )
}

pub(super) fn look(cluster: &mut Cluster, key: &Key) {
    match key.kind {
        Kind::Rollout => rollout::look(cluster, key),
        Kind::AnalysisRun => measure::look(cluster, key),
        Kind::Deployment => deployment::look(cluster, key),
        Kind::ReplicaSet => replica_set::look(cluster, key),
        Kind::StatefulSet | Kind::DaemonSet => set::look(cluster, key),
        Kind::Pod => pod::look(cluster, key),
        _ => {}
    }
}
