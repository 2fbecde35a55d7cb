//! Deployments and `StatefulSets`.

use super::*;

fn deployment() -> Lab {
    Lab::service(
        Kind::Deployment,
        "kind = \"deployment\"\nreplicas = 4\nstory = [\n{ ago = \"3d\", release = { version = \"v1\" } },\n\
         { ago = \"1d\", release = { version = \"v2\" } }]",
    )
}

#[test]
fn a_deployment_rolls_by_itself_and_a_rollback_reuses_and_renumbers() {
    let mut lab = deployment();
    let complete = |lab: &Lab| {
        let status = lab.status();
        status["updatedReplicas"] == 4
            && status["replicas"] == 4
            && status["availableReplicas"] == 4
            && status["observedGeneration"] == lab.object()["metadata"]["generation"]
    };
    assert!(complete(&lab), "{}", lab.status());
    lab.release("v3");
    lab.seconds(2);
    assert!(!complete(&lab));
    assert_eq!(lab.status()["conditions"][1]["reason"], "ReplicaSetUpdated");
    lab.seconds(60);
    assert!(complete(&lab), "{}", lab.status());
    lab.roll_back_to("v2");
    lab.seconds(60);
    assert!(complete(&lab));
    let history: Vec<_> = lab.history();
    assert_eq!(
        history,
        [
            ("v1".into(), 1, 0),
            ("v3".into(), 3, 0),
            ("v2".to_owned(), 4, 4)
        ]
    );
    assert_eq!(
        lab.object()["metadata"]["annotations"]["deployment.kubernetes.io/revision"],
        "4"
    );
}

#[test]
fn a_paused_deployment_makes_no_replica_set_and_counts_none_updated() {
    let mut lab = deployment();
    lab.patch(Subresource::None, &json!({"spec": {"paused": true}}));
    lab.release("v3");
    lab.seconds(60);
    assert_eq!(lab.history().len(), 2);
    assert_eq!(lab.status().get("updatedReplicas"), None);
    assert_eq!(lab.status()["conditions"][1]["reason"], "DeploymentPaused");
    lab.patch(Subresource::None, &json!({"spec": {"paused": null}}));
    lab.seconds(60);
    assert_eq!(lab.history().last().unwrap().0, "v3");
}

#[test]
fn a_stateful_set_restarts_one_pod_at_a_time() {
    let mut lab = Lab::service(
        Kind::StatefulSet,
        "kind = \"stateful-set\"\nreplicas = 3\nstory = [{ ago = \"1d\", release = { version = \"v1\" } }]",
    );
    assert_eq!(lab.status()["readyReplicas"], 3);
    let at = json!({"kubectl.kubernetes.io/restartedAt": "2027-01-15T08:00:00Z"});
    lab.patch(
        Subresource::None,
        &json!({"spec": {"template": {"metadata": {"annotations": at}}}}),
    );
    let mut least = 3;
    for _ in 0..120 {
        lab.step(Duration::from_millis(500));
        least = least.min(json::int(&lab.status(), &["readyReplicas"]));
    }
    assert_eq!(least, 2);
    let status = lab.status();
    assert_eq!(
        (
            status["updatedReplicas"].as_i64(),
            status["readyReplicas"].as_i64()
        ),
        (Some(3), Some(3))
    );
    assert_eq!(status["currentRevision"], status["updateRevision"]);
}
