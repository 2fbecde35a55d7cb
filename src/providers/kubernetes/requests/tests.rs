use serde_json::{Value, json};

use super::*;
use crate::model::{
    id::{EnvironmentName, ServiceName},
    rollout::WorkloadRef,
};

fn id(kind: WorkloadKind) -> ReleaseId {
    ReleaseId {
        environment: EnvironmentName::new("prod-eu"),
        namespace: Namespace::new("shop"),
        kind,
        name: ServiceName::new("checkout"),
    }
}

fn locked(request: Request) -> Value {
    request
        .with_precondition(&ResourceVersion::new("88123"), &Uid::new("5e1c"))
        .body
}

#[test]
fn a_merge_patch_carries_version_and_uid_beside_its_change() {
    let body = locked(abort(&id(WorkloadKind::ArgoRollout)));
    let metadata = json!({"resourceVersion": "88123", "uid": "5e1c"});
    assert_eq!(
        body,
        json!({"metadata": metadata, "status": {"abort": true}})
    );
}

#[test]
fn a_precondition_replaces_that_of_an_earlier_read() {
    let first = abort(&id(WorkloadKind::ArgoRollout))
        .with_precondition(&ResourceVersion::new("1"), &Uid::new("5e1c"));
    assert_eq!(locked(first)["metadata"]["resourceVersion"], "88123");
}

#[test]
fn a_json_patch_replaces_the_version_first_because_a_failed_test_is_no_conflict() {
    let holder = TemplateHolder::of_object(&id(WorkloadKind::Deployment));
    let body = locked(template(&holder, json!({"spec": {}})));
    let version = json!({"op": "replace", "path": "/metadata/resourceVersion", "value": "88123"});
    let change = json!({"op": "replace", "path": "/spec/template", "value": {"spec": {}}});
    assert_eq!(body, json!([version, change]));
}

#[test]
fn each_change_goes_to_its_own_half_of_a_rollout() {
    let rollout = id(WorkloadKind::ArgoRollout);
    let object = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/checkout";
    let half = |request: Request| (request.path, request.content_type, request.body);
    let status = format!("{object}/status");
    assert_eq!(
        half(abort(&rollout)),
        (
            status.clone(),
            MERGE_PATCH,
            json!({"status": {"abort": true}})
        )
    );
    assert_eq!(
        half(retry(&rollout)),
        (
            status.clone(),
            MERGE_PATCH,
            json!({"status": {"abort": false}})
        )
    );
    assert_eq!(
        half(abort_full_promotion(&rollout)),
        (
            status.clone(),
            MERGE_PATCH,
            json!({"status": {"promoteFull": false, "abort": true}})
        )
    );
    assert_eq!(
        half(clear_pause(&rollout)),
        (
            status,
            MERGE_PATCH,
            json!({"status": {"pauseConditions": null}})
        )
    );
    assert_eq!(
        half(pause(&rollout).unwrap()),
        (
            object.to_owned(),
            MERGE_PATCH,
            json!({"spec": {"paused": true}})
        )
    );
    assert_eq!(
        half(resume(&rollout).unwrap()),
        (
            object.to_owned(),
            MERGE_PATCH,
            json!({"spec": {"paused": false}})
        )
    );
}

#[test]
fn a_deployment_is_paused_and_resumed_as_kubectl_does_and_other_kinds_cannot_be() {
    let deployment = id(WorkloadKind::Deployment);
    let request = resume(&deployment).unwrap();
    assert_eq!(
        request.path,
        "/apis/apps/v1/namespaces/shop/deployments/checkout"
    );
    assert_eq!(request.content_type, STRATEGIC_MERGE_PATCH);
    assert_eq!(request.body, json!({"spec": {"paused": null}}));
    assert_eq!(pause(&id(WorkloadKind::StatefulSet)), None);
    assert_eq!(resume(&id(WorkloadKind::DaemonSet)), None);
}

#[test]
fn a_restart_is_a_time_in_whole_seconds() {
    let at: Timestamp = "2026-11-20T10:00:00.987Z".parse().unwrap();
    let rollout = restart(&id(WorkloadKind::ArgoRollout), at);
    assert_eq!(
        rollout.body,
        json!({"spec": {"restartAt": "2026-11-20T10:00:00Z"}})
    );
    assert!(rollout.path.ends_with("/rollouts/checkout"));
    let set = restart(&id(WorkloadKind::StatefulSet), at);
    assert_eq!(set.content_type, STRATEGIC_MERGE_PATCH);
    let annotation = "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt";
    assert_eq!(
        set.body.pointer(annotation),
        Some(&json!("2026-11-20T10:00:00Z"))
    );
}

#[test]
fn a_name_cannot_lead_to_another_path() {
    let mut hostile = id(WorkloadKind::ArgoRollout);
    hostile.name = ServiceName::new("../../secrets?x=1#");
    let path = object_path(&hostile);
    assert!(
        path.ends_with("/rollouts/..%2F..%2Fsecrets%3Fx%3D1%23"),
        "{path}"
    );
    hostile.name = ServiceName::new("..");
    assert!(object_path(&hostile).ends_with("/rollouts/%2E%2E"));
}

fn injected() -> Value {
    json!({
        "metadata": {
            "creationTimestamp": null,
            "labels": {"app": "a", "role": "canary", "rollouts-pod-template-hash": "65fb5ffc84"},
            "annotations": {"note": "canary"},
        },
        "spec": {
            "containers": [{"name": "app", "image": "a:1"}],
            "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 1, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", "labelSelector": {
                    "matchExpressions": [{"key": "rollouts-pod-template-hash", "operator": "NotIn", "values": ["x"]}]}}},
            ]}},
        },
    })
}

#[test]
fn a_template_goes_back_as_its_author_wrote_it() {
    let ephemeral = r#"{"labels":{"role":"canary"},"annotations":{"note":"canary"}}"#;
    let expected = json!({
        "metadata": {"labels": {"app": "a"}},
        "spec": {"containers": [{"name": "app", "image": "a:1"}]},
    });
    assert_eq!(clean_template(&injected(), Some(ephemeral)), expected);
}

#[test]
fn a_rule_of_affinity_that_a_human_wrote_stays() {
    let mut template = injected();
    let terms = "/spec/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution";
    let own = json!({"weight": 5, "podAffinityTerm": {"topologyKey": "zone"}});
    let list = template.pointer_mut(terms).unwrap().as_array_mut().unwrap();
    list.push(own.clone());
    let clean = clean_template(&template, Some("not json"));
    assert_eq!(clean.pointer(terms), Some(&json!([own])));
    assert_eq!(clean["metadata"]["labels"]["role"], "canary");
}

#[test]
fn a_referenced_workload_is_patched_where_its_template_is() {
    let namespace = Namespace::new("shop");
    let reference = |kind: &str| WorkloadRef {
        api_version: crate::model::text::sanitise("v1"),
        kind: crate::model::text::sanitise(kind),
        name: crate::model::text::sanitise("base"),
    };
    let patch = |kind: &str| {
        let holder = template::referenced(&namespace, &reference(kind)).unwrap();
        let request = template(&holder, json!({}));
        (request.path, request.body[0]["path"].clone())
    };
    assert_eq!(
        patch("Deployment"),
        (
            "/apis/apps/v1/namespaces/shop/deployments/base".to_owned(),
            json!("/spec/template")
        )
    );
    assert_eq!(
        patch("PodTemplate"),
        (
            "/api/v1/namespaces/shop/podtemplates/base".to_owned(),
            json!("/template")
        )
    );
    let error = template::referenced(&namespace, &reference("CronJob")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "workload of type CronJob is not supported"
    );
}
