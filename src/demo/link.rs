//! What a configuration has to say so that the world's services find their pipelines.
//!
//! Must never say what the objects say themselves: then nobody would notice when their annotations are not read.

use super::scenario::{Join, Scenario, Workload};

/// One service, as a configuration would name it. Its alerts carry `service=<name>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceLink {
    pub name: String,
    pub namespace: String,
    /// `argo-rollout`, `deployment`, `statefulset` or `daemonset`.
    pub kind_word: &'static str,
    /// None where annotations say it, and where there is none.
    pub repository: Option<String>,
    /// The file of the workflow that releases it.
    pub workflow: Option<String>,
}

pub(super) fn all(scenario: &Scenario) -> Vec<ServiceLink> {
    let links = scenario.services.iter().map(|service| {
        let configured = service.join == Join::Config;
        ServiceLink {
            name: service.name.clone(),
            namespace: service.namespace.clone(),
            kind_word: match service.kind {
                Workload::Canary | Workload::BlueGreen => "argo-rollout",
                Workload::Deployment => "deployment",
                Workload::StatefulSet => "statefulset",
                Workload::DaemonSet => "daemonset",
            },
            repository: configured.then(|| format!("acme/{}", service.name)),
            workflow: configured.then(|| "release.yml".to_owned()),
        }
    });
    links.collect()
}
