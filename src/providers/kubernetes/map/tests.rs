use serde_json::{Value, json};

use super::*;
use crate::{
    model::{
        rollout::{FluxKind, ManagedBy, PauseReason, RunPhase, RunRole},
        step::Step,
    },
    providers::kubernetes::wire,
};

fn read<T: serde::de::DeserializeOwned>(object: Value) -> T {
    serde_json::from_value(object).unwrap()
}

fn canary(change: &Value) -> Value {
    let mut object = json!({
        "metadata": {"name": "guestbook", "namespace": "prod", "uid": "5e1c", "generation": 12,
            "resourceVersion": "88123", "annotations": {"rollout.argoproj.io/revision": "7"}},
        "spec": {"replicas": 10, "strategy": {"canary": {"steps": [
            {"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {"duration": "10m"}}]}}},
        "status": {"phase": "Paused", "message": "CanaryPauseStep", "observedGeneration": "12",
            "currentPodHash": "65fb5ffc84", "stableRS": "877894d5b", "currentStepIndex": 1,
            "controllerPause": true, "availableReplicas": 12,
            "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-11-20T09:58:01Z"}]},
    });
    merge(&mut object, change);
    object
}

fn merge(target: &mut Value, change: &Value) {
    match change {
        Value::Object(map) => map
            .iter()
            .for_each(|(key, value)| merge(&mut target[key], value)),
        other => *target = other.clone(),
    }
}

fn mapped(change: &Value, beside: Beside) -> Rollout {
    let object: wire::Rollout = read(canary(change));
    let environment = EnvironmentName::new("prod-eu");
    rollout_beside(&object, &environment, &mut Interner::default(), beside)
}

#[test]
fn a_canary_at_a_pause_is_told_whole() {
    let rollout = mapped(&json!({}), Beside::default());
    assert_eq!(
        rollout.id.to_string(),
        "prod-eu/prod/argo-rollout/guestbook"
    );
    assert_eq!(rollout.phase, Phase::Paused);
    assert_eq!(rollout.revision, Some(7));
    assert_eq!(
        rollout.since.map(Moment::time),
        "2026-11-20T09:58:01Z".parse().ok()
    );
    let argo = rollout.argo().unwrap();
    assert_eq!(
        argo.pause_conditions[0].reason,
        PauseReason::CanaryPauseStep
    );
    let canary = rollout.canary().unwrap();
    assert_eq!(canary.current_step(), Some((1, &Step::Pause)));
    assert_eq!(
        (canary.weight.set, canary.weight.actual, canary.weight.of),
        (20, None, 100)
    );
    let Step::PauseFor { seconds, .. } = &canary.steps[3] else {
        panic!()
    };
    assert_eq!(*seconds, Some(600));
}

#[test]
fn without_traffic_routing_the_actual_weight_is_the_canarys_share_of_available_pods() {
    let beside = Beside {
        canary_available: Some(2),
        ..Beside::default()
    };
    let rollout = mapped(&json!({}), beside);
    assert_eq!(rollout.canary().unwrap().weight.actual, Some(16));
}

#[test]
fn with_traffic_routing_the_router_says_the_weight_and_what_it_is_of() {
    let change = json!({
        "spec": {"strategy": {"canary": {"trafficRouting": {"maxTrafficWeight": 1000}}}},
        "status": {"canary": {"weights": {"canary": {"weight": 150}}}},
    });
    let weight = mapped(&change, Beside::default()).canary().unwrap().weight;
    assert_eq!((weight.actual, weight.of), (Some(150), 1000));
}

#[test]
fn a_status_that_has_not_seen_the_spec_is_not_believed() {
    let phase = |change: Value, beside| {
        let rollout = mapped(&change, beside);
        (rollout.phase.clone(), rollout.message.to_string())
    };
    let none = Beside::default();
    let (old, words) = phase(json!({"metadata": {"generation": 13}}), none);
    assert_eq!(old, Phase::Progressing);
    assert_eq!(words, "waiting for rollout spec update to be observed");
    let (_, words) = phase(json!({"status": {"pauseConditions": null}}), none);
    assert_eq!(words, "waiting for rollout to unpause");
    let referenced = json!({
        "metadata": {"annotations": {"rollout.argoproj.io/workload-generation": "4"}},
        "spec": {"workloadRef": {"kind": "Deployment", "name": "g"}},
        "status": {"workloadObservedGeneration": "4"},
    });
    assert_eq!(phase(referenced.clone(), none).0, Phase::Paused);
    // The annotation is the controller's own: only the Deployment knows that it has changed.
    let newer = Beside {
        workload_generation: Some(5),
        ..none
    };
    assert_eq!(phase(referenced, newer).0, Phase::Progressing);
}

#[test]
fn words_from_the_future_are_kept_and_never_healthy() {
    let change = json!({
        "spec": {"strategy": {"canary": {"steps": [null, {"teleport": {}}, {"setWeight": 5}]}}},
        "status": {"phase": "Transcended", "currentStepIndex": 2,
            "canary": {"currentStepAnalysisRunStatus": {"name": "r", "status": "Pondering"}}},
    });
    let rollout = mapped(&change, Beside::default());
    assert_eq!(rollout.phase.vendor(), "Transcended");
    assert_eq!(rollout.phase.word(), "unknown");
    let canary = rollout.canary().unwrap();
    assert_eq!(canary.current_step(), Some((2, &Step::SetWeight(5))));
    let run = rollout.argo().unwrap().run(RunRole::Step).unwrap();
    assert_eq!(run.phase, RunPhase::from_vendor("Pondering"));
    assert!(!run.phase.is_final());
}

#[test]
fn hostile_text_is_made_safe_in_every_name_and_message() {
    let change = json!({
        "metadata": {"name": "a\u{1b}]0;owned\u{7}b", "uid": "u\u{202e}"},
        "status": {"message": "x\u{9b}31my", "currentPodHash": "h\u{200b}"},
    });
    let debug = format!("{:?}", mapped(&change, Beside::default()));
    for c in ['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\u{200b}'] {
        let escaped = c.escape_debug().to_string();
        assert!(
            !debug.contains(c) && !debug.contains(&escaped),
            "{escaped} in {debug}"
        );
    }
}

#[test]
fn thousands_of_rollouts_share_their_steps_and_namespaces() {
    let object: wire::Rollout = read(canary(&json!({})));
    let environment = EnvironmentName::new("prod-eu");
    let mut share = Interner::default();
    let a = rollout(&object, &environment, &mut share);
    let b = rollout(&object, &environment, &mut share);
    assert!(Arc::ptr_eq(
        &a.canary().unwrap().steps,
        &b.canary().unwrap().steps
    ));
    assert!(std::ptr::eq(
        a.id.namespace.as_str(),
        b.id.namespace.as_str()
    ));
}

fn managed(labels: &Value, annotations: &Value) -> Option<ManagedBy> {
    let meta = json!({"name": "x", "labels": labels, "annotations": annotations});
    managed_by::managed_by(&read(meta))
}

#[test]
fn helms_label_alone_does_not_make_it_argo_cds() {
    let label = || json!({"app.kubernetes.io/instance": "shop"});
    let argo = |application: &str| {
        Some(ManagedBy::ArgoCd {
            application: name(application),
        })
    };
    assert_eq!(managed(&label(), &json!({})), None);
    assert_eq!(
        managed(&label(), &json!({"argocd.argoproj.io/sync-wave": "1"})),
        argo("shop")
    );
    let id = "ns_shop:argoproj.io/Rollout:prod/checkout";
    assert_eq!(
        managed(&json!({}), &json!({"argocd.argoproj.io/tracking-id": id})),
        argo("ns_shop")
    );
}

#[test]
fn flux_is_known_by_its_own_labels() {
    let labels = json!({
        "kustomize.toolkit.fluxcd.io/name": "apps",
        "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
        "app.kubernetes.io/instance": "shop",
    });
    let expected = ManagedBy::Flux {
        kind: FluxKind::Kustomization,
        name: name("apps"),
        namespace: Some(name("flux-system")),
    };
    assert_eq!(managed(&labels, &json!({})), Some(expected));
}

fn deployment_at(status: &Value, spec: &Value) -> Rollout {
    let object = json!({
        "metadata": {"name": "web", "generation": 2, "annotations": {"windlass.dev/not-undone": "schema 42"}},
        "spec": {"replicas": 3}, "status": {"observedGeneration": 2},
    });
    let mut object = object;
    merge(&mut object["status"], status);
    merge(&mut object["spec"], spec);
    deployment(
        &read(object),
        &EnvironmentName::new("e"),
        &mut Interner::default(),
    )
}

#[test]
fn a_deployment_past_its_deadline_is_degraded_in_the_controllers_words() {
    let rollout = deployment_at(
        &json!({"replicas": 4, "updatedReplicas": 1, "conditions": [{"type": "Progressing", "status": "False",
            "reason": "ProgressDeadlineExceeded", "message": "has timed out",
            "lastTransitionTime": "2026-11-20T09:58:01Z"}]}),
        &json!({}),
    );
    assert_eq!(rollout.phase, Phase::Degraded);
    assert_eq!(&*rollout.message, "ProgressDeadlineExceeded: has timed out");
    assert_eq!(
        rollout.since.map(Moment::time),
        "2026-11-20T09:58:01Z".parse().ok()
    );
    assert_eq!(
        rollout.not_undone.as_deref().map(Safe::as_str),
        Some("schema 42")
    );
}

#[test]
fn a_deployment_that_cannot_make_pods_says_why() {
    let rollout = deployment_at(
        &json!({"updatedReplicas": 1, "conditions": [{"type": "ReplicaFailure", "status": "True",
            "message": "exceeded quota"}]}),
        &json!({}),
    );
    assert_eq!(rollout.phase, Phase::Progressing);
    assert_eq!(
        &*rollout.message,
        "1 out of 3 new replicas have been updated; ReplicaFailure: exceeded quota"
    );
}

#[test]
fn a_replica_set_without_a_controller_is_no_version_of_anything() {
    let owned = json!({"ownerReferences": [{"uid": "d", "kind": "Deployment", "controller": true}],
        "labels": {"pod-template-hash": "6bf4dbc5"},
        "annotations": {"deployment.kubernetes.io/revision": "3", "rollout.argoproj.io/revision": "9"}});
    let set = replica_set(&read(json!({"metadata": owned}))).unwrap().set;
    assert_eq!((set.revision, set.hash), (3, hash("6bf4dbc5")));
    let merely_owned = json!({"ownerReferences": [{"uid": "d", "kind": "Deployment"}]});
    assert_eq!(replica_set(&read(json!({"metadata": merely_owned}))), None);
}

#[test]
fn on_delete_leaves_old_pods_alone_and_is_no_fault() {
    let object = json!({
        "metadata": {"name": "agent", "generation": 2},
        "spec": {"updateStrategy": {"type": "OnDelete"}},
        "status": {"observedGeneration": 2, "desiredNumberScheduled": 3, "numberAvailable": 3,
            "updatedNumberScheduled": 1},
    });
    let set = daemon_set(
        &read(object),
        &EnvironmentName::new("e"),
        &mut Interner::default(),
    );
    assert_eq!(set.phase, Phase::Healthy);
    assert!(set.message.contains("1 of 3"));
    assert_eq!(set.progress_deadline_s, None);
}

#[test]
fn an_event_happened_when_it_was_last_seen() {
    let object = json!({
        "metadata": {"creationTimestamp": "2026-11-20T09:00:00Z"}, "type": "Warning", "reason": "RolloutAborted",
        "lastTimestamp": null, "eventTime": "2026-11-20T09:00:00.000000Z",
        "series": {"count": 4, "lastObservedTime": "2026-11-20T09:30:00.000000Z"},
        "involvedObject": {"kind": "Rollout", "name": "checkout"}, "reportingComponent": "rollouts-controller",
    });
    let event = event(&read(object));
    assert_eq!(event.at, "2026-11-20T09:30:00Z".parse().ok());
    assert_eq!((event.warning, event.count), (true, 4));
    assert_eq!(&*event.object, "Rollout/checkout");
    assert_eq!(&*event.by, "rollouts-controller");
}
