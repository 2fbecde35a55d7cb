use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};

use super::*;
use crate::{
    model::id::{EnvironmentName, Namespace, ServiceName},
    providers::kubernetes::fake::{Answer, Asked, Fake, end_of_list, line},
};

fn target(kind: WorkloadKind) -> ReleaseId {
    ReleaseId {
        environment: EnvironmentName::new("test"),
        namespace: Namespace::new("shop"),
        kind,
        name: ServiceName::new("checkout"),
    }
}

fn owned(name: &str, kind: &str, owner: &str) -> Value {
    let owners = json!([{"kind": kind, "uid": owner, "name": "x", "controller": true}]);
    json!({"metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": "5", "ownerReferences": owners}})
}

fn event(name: &str, about: &str, uid: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": "5"},
        "reason": name, "involvedObject": {"kind": "Pod", "name": about, "uid": uid}})
}

fn list(objects: &[Value]) -> Answer {
    let mut lines: Vec<String> = objects.iter().map(|object| line("ADDED", object)).collect();
    lines.push(end_of_list("10"));
    Answer::hold(&lines)
}

/// A release with a ReplicaSet, an experiment with its own, a run of each, and neighbours that look alike.
fn world(asked: &Asked) -> Answer {
    let is = |plural: &str| asked.line.contains(&format!("/{plural}?"));
    if is("replicasets") {
        list(&[
            owned("own", "Rollout", "u"),
            owned("of-experiment", "Experiment", "experiment"),
            owned("foreign", "Rollout", "other"),
        ])
    } else if is("pods") {
        list(&[
            owned("pod-own", "ReplicaSet", "own"),
            owned("pod-experiment", "ReplicaSet", "of-experiment"),
            owned("pod-foreign", "ReplicaSet", "foreign"),
        ])
    } else if is("experiments") {
        list(&[
            owned("experiment", "Rollout", "u"),
            owned("other-experiment", "Rollout", "other"),
        ])
    } else if is("analysisruns") {
        list(&[
            owned("run-own", "Rollout", "u"),
            owned("run-experiment", "Experiment", "experiment"),
            owned("run-foreign", "Experiment", "other-experiment"),
        ])
    } else if is("events") {
        list(&[
            event("about-pod", "checkout-1", "pod-own"),
            event("about-rollout", "checkout", "u"),
            event("about-former", "checkout-0", "long-gone"),
            event("about-other", "payments", "u"),
        ])
    } else {
        let spec = json!({"selector": {"matchLabels": {"app": "checkout"}}});
        Answer::json(
            &json!({"metadata": {"name": "checkout", "uid": "u", "resourceVersion": "1"}, "spec": spec}),
        )
    }
}

fn in_words(fact: &DetailFact) -> String {
    match fact {
        DetailFact::Pods(pods) => format!("pods {}", join(pods.iter().map(|pod| &*pod.name))),
        DetailFact::Runs(runs) => format!("runs {}", join(runs.iter().map(|run| &*run.name))),
        DetailFact::Experiments(all) => {
            format!("experiments {}", join(all.iter().map(|e| &*e.name)))
        }
        DetailFact::Events(events) => {
            let mut reasons: Vec<&str> = events.iter().map(|event| &*event.reason).collect();
            reasons.sort_unstable();
            format!("events {}", join(reasons.into_iter()))
        }
        DetailFact::Failed { part, why } => format!("failed {part}: {why}"),
    }
}

fn join<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(" ")
}

/// Facts until all of these were the last word about their part.
async fn told(fake: &Fake, kind: WorkloadKind, wanted: &[&str]) -> Vec<String> {
    told_and(fake, kind, wanted, |_| {}).await
}

async fn told_and(
    fake: &Fake,
    kind: WorkloadKind,
    wanted: &[&str],
    heard: impl Fn(&str),
) -> Vec<String> {
    let (sender, mut receiver) = mpsc::channel(4);
    let read = async {
        let mut words: Vec<String> = Vec::new();
        while !wanted
            .iter()
            .all(|wanted| words.iter().any(|word| word == wanted))
        {
            let word = in_words(&receiver.recv().await.expect("more"));
            heard(&word);
            words.push(word);
        }
        words
    };
    tokio::select! {
        words = read => words,
        ended = run(fake.client(), target(kind), Uid::new("u"), sender) => panic!("{ended:?}"),
        () = sleep(Duration::from_secs(20)) => panic!("not all was told"),
    }
}

#[tokio::test]
async fn every_part_is_told_whole_and_only_what_belongs_here() {
    let fake = Fake::start(world).await;
    let wanted = [
        "pods pod-experiment pod-own",
        "experiments experiment",
        "runs run-experiment run-own",
        "events about-pod about-rollout",
    ];
    told(&fake, WorkloadKind::ArgoRollout, &wanted).await;
    let pods = fake
        .requests()
        .into_iter()
        .find(|r| r.contains("/pods?"))
        .expect("asked");
    assert!(pods.contains("labelSelector=app%3Dcheckout"), "{pods}");
}

#[tokio::test]
async fn a_part_that_may_not_be_seen_says_so_and_the_others_go_on() {
    let fake = Fake::start(|asked| {
        if asked.line.contains("/events?") {
            return Answer::text(403, "{\"message\":\"events is forbidden\"}");
        }
        world(asked)
    })
    .await;
    let wanted = [
        "failed events: not permitted (403): events is forbidden",
        "pods pod-experiment pod-own",
    ];
    let words = told(&fake, WorkloadKind::ArgoRollout, &wanted).await;
    assert_eq!(
        words
            .iter()
            .filter(|word| word.starts_with("failed"))
            .count(),
        1
    );
    assert!(
        !words.iter().any(|word| word.starts_with("events")),
        "not an empty list: {words:?}"
    );
}

#[tokio::test]
async fn pods_of_a_daemon_set_are_its_own_and_it_has_no_runs() {
    let fake = Fake::start(|asked| {
        if asked.line.contains("/pods?") {
            return list(&[
                owned("pod", "DaemonSet", "u"),
                owned("other", "DaemonSet", "v"),
            ]);
        }
        world(asked)
    })
    .await;
    told(&fake, WorkloadKind::DaemonSet, &["pods pod"]).await;
    assert!(
        !fake
            .requests()
            .iter()
            .any(|request| request.contains("analysisruns"))
    );
}

#[tokio::test]
async fn a_change_is_told_and_what_goes_is_gone() {
    let was_told = Arc::new(AtomicBool::new(false));
    let may_go = Arc::clone(&was_told);
    let fake = Fake::start(move |asked| {
        if !asked.line.contains("/pods?") {
            return world(asked);
        }
        let pod = owned("pod-own", "ReplicaSet", "own");
        match asked.since() {
            None => Answer::end(&[line("ADDED", &pod), end_of_list("10")]),
            Some("10") if may_go.load(Ordering::Relaxed) => Answer::hold(&[line("DELETED", &pod)]),
            Some("10") => Answer::end(&[]),
            Some(other) => panic!("from {other}"),
        }
    })
    .await;
    let words = told_and(
        &fake,
        WorkloadKind::ArgoRollout,
        &["pods pod-own", "pods "],
        |word| {
            was_told.fetch_or(word == "pods pod-own", Ordering::Relaxed);
        },
    );
    words.await;
}

#[tokio::test]
async fn a_workload_that_is_not_there_is_an_error() {
    let fake = Fake::start(|_| Answer::text(404, "{\"message\":\"not found\"}")).await;
    let (sender, _receiver) = mpsc::channel(4);
    let ended = run(
        fake.client(),
        target(WorkloadKind::Deployment),
        Uid::new("u"),
        sender,
    )
    .await;
    assert!(matches!(ended, Err(Error::NotFound(_))), "{ended:?}");
}
