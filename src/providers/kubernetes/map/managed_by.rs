//! Who else writes this object, as its labels and annotations say.

use super::name;
use crate::{
    model::rollout::{FluxKind, ManagedBy},
    providers::kubernetes::wire::{Annotations, Labels, Meta},
};

/// `app.kubernetes.io/instance` is what Argo CD sets by default and what every Helm chart sets as well: it names the
/// application only beside another mark of Argo CD. Flux's labels are its own. Where both are there, Argo CD's
/// tracking id is the newer and more exact of the two.
pub(super) fn managed_by(meta: &Meta) -> Option<ManagedBy> {
    let (labels, annotations) = (&meta.labels, &meta.annotations);
    tracked(annotations)
        .or_else(|| flux(labels))
        .or_else(|| labelled(labels, annotations))
}

fn argo_cd(application: &str) -> Option<ManagedBy> {
    (!application.is_empty()).then(|| ManagedBy::ArgoCd {
        application: name(application),
    })
}

/// `<application>:<group>/<kind>:<namespace>/<name>`.
fn tracked(annotations: &Annotations) -> Option<ManagedBy> {
    let id = annotations.argo_tracking_id.as_deref()?;
    argo_cd(id.split(':').next().unwrap_or(id))
}

fn labelled(labels: &Labels, annotations: &Annotations) -> Option<ManagedBy> {
    if let Some(application) = labels.argo_instance.as_deref() {
        return argo_cd(application);
    }
    let marks = [
        &annotations.argo_sync_wave,
        &annotations.argo_sync_options,
        &annotations.argo_compare_options,
        &annotations.argo_installation_id,
    ];
    if marks.iter().all(|mark| mark.is_none()) {
        return None;
    }
    argo_cd(labels.instance.as_deref()?)
}

fn flux(labels: &Labels) -> Option<ManagedBy> {
    let helm = (
        FluxKind::HelmRelease,
        &labels.flux_helm_release,
        &labels.flux_helm_release_namespace,
    );
    let kustomization = (
        FluxKind::Kustomization,
        &labels.flux_kustomization,
        &labels.flux_kustomization_namespace,
    );
    // A HelmRelease is itself applied by a Kustomization, and its objects carry the HelmRelease's labels only.
    [helm, kustomization]
        .into_iter()
        .find_map(|(kind, label, namespace)| {
            let label = label.as_deref().filter(|label| !label.is_empty())?;
            Some(ManagedBy::Flux {
                kind,
                name: name(label),
                namespace: namespace.as_deref().map(name),
            })
        })
}
