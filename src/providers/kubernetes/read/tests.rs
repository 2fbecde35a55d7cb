use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use serde_json::json;
use tokio::sync::mpsc;

use super::*;
use crate::{
    model::id::{EnvironmentName, Namespace, ResourceVersion, ServiceName},
    providers::kubernetes::fake::{Answer, Fake, end_of_list, line},
};

fn target(kind: WorkloadKind) -> ReleaseId {
    ReleaseId {
        environment: EnvironmentName::new("test"),
        namespace: Namespace::new("shop"),
        kind,
        name: ServiceName::new("a"),
    }
}

fn object(version: &str, uid: &str) -> Value {
    json!({
        "metadata": {"name": "a", "namespace": "shop", "uid": uid, "resourceVersion": version, "generation": 1},
        "spec": {"selector": {"matchLabels": {"app": "a"}, "matchExpressions": [{"key": "tier", "operator": "In", "values": ["x", "y"]}]}},
    })
}

#[tokio::test]
async fn a_read_names_no_version_so_that_no_cache_answers() {
    let fake = Fake::start(|_| Answer::json(&object("7", "u"))).await;
    let read = rollout(&fake.client(), &target(WorkloadKind::Deployment))
        .await
        .expect("read");
    assert_eq!(read.version.as_str(), "7");
    assert_eq!(
        fake.requests(),
        ["GET /apis/apps/v1/namespaces/shop/deployments/a"]
    );
}

#[tokio::test]
async fn a_referenced_workload_ahead_of_its_rollout_makes_it_progressing() {
    let fake = Fake::start(|asked| {
        if asked.line.contains("deployments") {
            return Answer::json(&json!({"metadata": {"name": "d", "generation": 9}}));
        }
        Answer::json(&json!({
            "metadata": {"name": "a", "namespace": "shop", "uid": "u", "resourceVersion": "7", "generation": 1,
                "annotations": {"rollout.argoproj.io/workload-generation": "8"}},
            "spec": {"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}, "strategy": {"canary": {}}},
            "status": {"phase": "Healthy", "observedGeneration": "1", "workloadObservedGeneration": "8"},
        }))
    })
    .await;
    let read = rollout(&fake.client(), &target(WorkloadKind::ArgoRollout))
        .await
        .expect("read");
    assert_eq!(read.phase.word(), "progressing", "{}", read.message);
    let reference = read
        .argo()
        .and_then(|argo| argo.workload_ref.clone())
        .expect("reference");
    let holder = referenced_workload(&fake.client(), &read.id, &reference)
        .await
        .expect("holder");
    assert_eq!(holder.expect("is there")["metadata"]["generation"], 9);
}

#[tokio::test]
async fn versions_are_found_by_the_owners_uid_over_all_pages() {
    let set = |name: &str, owner: &str, revision: &str| {
        json!({"metadata": {"name": name, "namespace": "shop", "uid": name,
            "annotations": {"rollout.argoproj.io/revision": revision},
            "ownerReferences": [{"kind": "Rollout", "uid": owner, "name": "a", "controller": true}]},
            "spec": {"template": {"spec": {"containers": [{"name": "app", "image": name}]}}}})
    };
    let fake = Fake::start(move |asked| {
        let page = |items: Vec<Value>, token: &str| {
            Answer::json(
                &json!({"metadata": {"resourceVersion": "1", "continue": token}, "items": items}),
            )
        };
        match (
            asked.line.contains("replicasets"),
            asked.line.contains("continue"),
        ) {
            (false, _) => Answer::json(&object("7", "u")),
            (true, false) => page(
                vec![set("one", "u", "1"), set("foreign", "experiment", "9")],
                "t",
            ),
            (true, true) => page(vec![set("two", "u", "2")], ""),
        }
    })
    .await;
    let (client, target) = (fake.client(), target(WorkloadKind::ArgoRollout));
    let sets = replica_sets(&client, &target, &Uid::new("u"))
        .await
        .expect("sets");
    let uids: Vec<String> = sets.iter().map(|set| set.uid.to_string()).collect();
    assert_eq!(uids, ["two", "one"]);
    let request = fake
        .requests()
        .into_iter()
        .find(|r| r.contains("replicasets"))
        .expect("asked");
    assert!(
        request.contains("labelSelector=app%3Da%2Ctier%20in%20%28x%2Cy%29"),
        "{request}"
    );
    let recorded = recorded(&client, &target, &Uid::new("u"))
        .await
        .expect("recorded");
    assert_eq!(recorded.len(), 2);
    assert_eq!(
        recorded[0].template["spec"]["containers"][0]["image"],
        "one"
    );
}

#[tokio::test]
async fn a_history_with_an_unreadable_version_is_no_history() {
    let fake = Fake::start(|asked| { if !asked.line.contains("replicasets") { return Answer::json(&object("7", "u")); } Answer::json(&json!({"metadata": {"resourceVersion": "1"}, "items": [{"metadata": {"name": "bad"}, "spec": 7}]})) })
    .await;
    let sets = replica_sets(
        &fake.client(),
        &target(WorkloadKind::Deployment),
        &Uid::new("u"),
    )
    .await;
    assert!(matches!(sets, Err(Error::Malformed { .. })));
}

async fn observed(fake: &Fake, from: Option<&str>, count: usize) -> Vec<String> {
    let (sender, mut receiver) = mpsc::channel(4);
    let (client, target) = (fake.client(), target(WorkloadKind::Deployment));
    let from = from.map(ResourceVersion::new);
    let read = async {
        let mut words = Vec::new();
        while words.len() < count {
            words.push(match receiver.recv().await.expect("more") {
                Observed::Seen(rollout) => format!("seen {} {}", rollout.version, rollout.uid),
                Observed::Deleted { uid } => format!("deleted {uid:?}"),
                Observed::Trouble(why) => format!("trouble {why}"),
                Observed::Mended => "mended".to_owned(),
            });
        }
        words
    };
    tokio::select! {
        words = read => words,
        ended = observe(&client, &target, from, sender) => panic!("{ended:?}"),
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("not enough was seen"),
    }
}

#[tokio::test]
async fn an_object_is_observed_from_the_version_that_is_known() {
    let fake = Fake::start(|asked| match asked.since() {
        Some("7") => Answer::end(&[
            line("MODIFIED", &object("8", "u")),
            line("DELETED", &object("9", "u")),
            line("ADDED", &object("10", "other")),
        ]),
        _ => Answer::hold(&[]),
    })
    .await;
    let words = observed(&fake, Some("7"), 3).await;
    assert_eq!(words, ["seen 8 u", "deleted Some(\"u\")", "seen 10 other"]);
    let first = fake.requests().remove(0);
    assert!(first.contains("fieldSelector=metadata.name%3Da"), "{first}");
}

#[tokio::test]
async fn without_a_version_it_begins_with_a_read() {
    let fake = Fake::start(|asked| match asked.since() {
        None => Answer::json(&object("7", "u")),
        Some("7") => Answer::hold(&[line("MODIFIED", &object("8", "u"))]),
        Some(other) => panic!("from {other}"),
    })
    .await;
    assert_eq!(observed(&fake, None, 2).await, ["seen 7 u", "seen 8 u"]);
}

#[tokio::test]
async fn a_version_that_is_gone_reads_the_object_again_and_notices_that_it_is_gone_too() {
    let gone = || Answer::text(410, "{\"reason\":\"Expired\",\"message\":\"too old\"}");
    let there = Fake::start(move |asked| match asked.since() {
        Some("7") => gone(),
        _ => Answer::hold(&[line("ADDED", &object("20", "u")), end_of_list("21")]),
    })
    .await;
    assert_eq!(observed(&there, Some("7"), 1).await, ["seen 20 u"]);
    let deleted = Fake::start(move |asked| match asked.since() {
        Some("7") => gone(),
        _ => Answer::hold(&[end_of_list("21")]),
    })
    .await;
    assert_eq!(observed(&deleted, Some("7"), 1).await, ["deleted None"]);
}

#[tokio::test]
async fn trouble_is_told_once_and_so_is_its_end() {
    let tries = AtomicUsize::new(0);
    let fake = Fake::start(move |_| match tries.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => Answer::text(500, "down"),
        _ => Answer::hold(&[]),
    })
    .await;
    let words = observed(&fake, Some("7"), 2).await;
    assert!(
        words[0].starts_with("trouble the API server failed (500): down"),
        "{words:?}"
    );
    assert_eq!(words[1], "mended");
}

#[test]
fn the_last_writer_of_the_template_is_not_the_one_of_the_status() {
    let entry = |manager: &str, time: &str, part: &str, subresource: &str| {
        let fields = json!({"f:spec": {part: {}}});
        json!({"manager": manager, "time": time, "fieldsV1": fields, "subresource": subresource})
    };
    let object = json!({"metadata": {"managedFields": [
        entry("helm", "2026-11-20T09:00:00Z", "f:template", ""),
        entry("argocd-controller", "2026-11-20T10:00:00Z", "f:template", ""),
        entry("kubectl-scale", "2026-11-20T11:00:00Z", "f:replicas", ""),
        entry("rollouts-controller", "2026-11-20T12:00:00Z", "f:template", "status"),
    ]}});
    let writer = template_writer(&object).expect("writer");
    assert_eq!(&*writer.manager, "argocd-controller");
    assert_eq!(writer.at.expect("time").to_string(), "2026-11-20T10:00:00Z");
    assert_eq!(template_writer(&json!({})), None);
}

#[tokio::test]
async fn configuration_is_asked_for_without_its_content_and_hidden_secrets_are_left_out() {
    let fake = Fake::start(|asked| {
        if asked.line.contains("secrets") {
            return Answer::text(403, "no");
        }
        let metadata = json!({"name": "m", "managedFields": [{"time": "2026-11-20T10:00:00Z"}]});
        Answer::json(&json!({"kind": "PartialObjectMetadata", "metadata": metadata}))
    })
    .await;
    let template = json!({"spec": {"containers": [{"envFrom": [{"configMapRef": {"name": "m"}}, {"secretRef": {"name": "s"}}]}]}});
    let found = configuration(&fake.client(), &Namespace::new("shop"), &template)
        .await
        .expect("found");
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].kind, &*found[0].name),
        (ReferencedKind::ConfigMap, "m")
    );
    assert!(found[0].changed.is_some());
    let whole =
        Fake::start(|_| Answer::json(&json!({"kind": "Secret", "data": {"x": "c2VjcmV0"}}))).await;
    let refused = configuration(&whole.client(), &Namespace::new("shop"), &template).await;
    assert!(
        refused.is_err(),
        "a server that sends the content is not believed"
    );
}
