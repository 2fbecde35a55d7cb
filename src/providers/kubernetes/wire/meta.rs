//! The metadata of an object: who it is, whose it is, and the few labels and annotations that mean something here.
//! Every other label and annotation is skipped while decoding and costs no memory.

use super::{Time, wire};

wire! {
    /// `metadata`.
    pub struct Meta {
        pub name: String,
        pub namespace: String,
        pub uid: String,
        pub resource_version: String,
        pub generation: i64,
        pub creation_timestamp: Time,
        pub deletion_timestamp: Time,
        pub labels: Labels,
        pub annotations: Annotations,
        pub owner_references: Vec<OwnerReference>,
    }

    /// One owner. An object has at most one controller.
    pub struct OwnerReference {
        pub uid: String,
        pub kind: String,
        pub name: String,
        pub controller: bool,
    }

    /// The labels that are read.
    pub struct Labels {
        #[serde(rename = "pod-template-hash")]
        pub pod_template_hash: Option<String>,
        #[serde(rename = "rollouts-pod-template-hash")]
        pub rollouts_pod_template_hash: Option<String>,
        /// Argo CD's mark by default, and Helm's as well: alone it proves nothing.
        #[serde(rename = "app.kubernetes.io/instance")]
        pub instance: Option<String>,
        #[serde(rename = "argocd.argoproj.io/instance")]
        pub argo_instance: Option<String>,
        #[serde(rename = "kustomize.toolkit.fluxcd.io/name")]
        pub flux_kustomization: Option<String>,
        #[serde(rename = "kustomize.toolkit.fluxcd.io/namespace")]
        pub flux_kustomization_namespace: Option<String>,
        #[serde(rename = "helm.toolkit.fluxcd.io/name")]
        pub flux_helm_release: Option<String>,
        #[serde(rename = "helm.toolkit.fluxcd.io/namespace")]
        pub flux_helm_release_namespace: Option<String>,
        #[serde(rename = "rollout-type")]
        pub rollout_type: Option<String>,
        #[serde(rename = "step-index")]
        pub step_index: Option<String>,
    }

    /// The annotations that are read.
    pub struct Annotations {
        #[serde(rename = "rollout.argoproj.io/revision")]
        pub rollout_revision: Option<String>,
        #[serde(rename = "rollout.argoproj.io/workload-generation")]
        pub workload_generation: Option<String>,
        #[serde(rename = "rollout.argoproj.io/ephemeral-metadata")]
        pub ephemeral_metadata: Option<String>,
        #[serde(rename = "scale-down-deadline")]
        pub scale_down_deadline: Option<String>,
        #[serde(rename = "experiment.argoproj.io/template-name")]
        pub experiment_template: Option<String>,
        #[serde(rename = "deployment.kubernetes.io/revision")]
        pub deployment_revision: Option<String>,
        #[serde(rename = "kubernetes.io/change-cause")]
        pub change_cause: Option<String>,
        #[serde(rename = "argocd.argoproj.io/tracking-id")]
        pub argo_tracking_id: Option<String>,
        #[serde(rename = "argocd.argoproj.io/sync-wave")]
        pub argo_sync_wave: Option<String>,
        #[serde(rename = "argocd.argoproj.io/sync-options")]
        pub argo_sync_options: Option<String>,
        #[serde(rename = "argocd.argoproj.io/compare-options")]
        pub argo_compare_options: Option<String>,
        #[serde(rename = "argocd.argoproj.io/installation-id")]
        pub argo_installation_id: Option<String>,
        #[serde(rename = "argocd.argoproj.io/hook")]
        pub argo_hook: Option<String>,
        #[serde(rename = "helm.sh/hook")]
        pub helm_hook: Option<String>,
        #[serde(rename = "argocd.argoproj.io/ignore-restart-policy")]
        pub argo_ignore_restart_policy: Option<String>,
        #[serde(rename = "windlass.dev/not-undone")]
        pub not_undone: Option<String>,
        #[serde(rename = "windlass.dev/repository")]
        pub repository: Option<String>,
        #[serde(rename = "windlass.dev/workflow")]
        pub workflow: Option<String>,
        /// On the last bookmark of a streamed list.
        #[serde(rename = "k8s.io/initial-events-end")]
        pub initial_events_end: Option<String>,
    }
}

wire! {
    /// The metadata of a pod template: only where its version comes from.
    pub struct TemplateMeta {
        pub labels: Origin,
        pub annotations: Origin,
    }

    /// Where a version says which commit it was made of.
    pub struct Origin {
        #[serde(rename = "windlass.dev/commit")]
        pub commit: Option<String>,
        #[serde(rename = "org.opencontainers.image.revision")]
        pub image_revision: Option<String>,
    }
}

impl Meta {
    /// The owner that controls this object. Labels are never asked: experiments and foreign objects match them too.
    pub fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references.iter().find(|owner| owner.controller)
    }

    pub fn is_owned_by(&self, uid: &str) -> bool {
        self.owner_references.iter().any(|owner| owner.uid == uid)
    }
}
