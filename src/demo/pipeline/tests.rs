//! Runs, from their beginning to their end.

use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::demo::cluster::Cluster;
use crate::demo::kind::Kind;
use crate::demo::{json, scenario, seed};

fn gate() -> Cluster {
    let scenario = scenario::load("gate").unwrap();
    let opened = "2026-11-20T10:00:00Z".parse().unwrap();
    seed::build(&scenario, opened, 1.0, 1)
}

fn newest(cluster: &Cluster, repo: &str) -> (u64, Status) {
    let repo = cluster.pipelines.repo(repo).unwrap();
    let run = repo
        .runs
        .iter()
        .rfind(|run| run.workflow == Workflow::Release)
        .unwrap();
    (run.id, run.status())
}

fn image(cluster: &Cluster, name: &str) -> String {
    let key = Key::new(Kind::Rollout, "shop", name);
    let value = cluster.store.get(&key).unwrap().value();
    let image = value.pointer("/spec/template/spec/containers/0/image");
    image.and_then(Value::as_str).unwrap().to_owned()
}

fn jobs(cluster: &Cluster, repo: &str) -> Vec<(&'static str, &'static str)> {
    let repo = cluster.pipelines.repo(repo).unwrap();
    let run = repo
        .runs
        .iter()
        .rfind(|run| run.workflow == Workflow::Release)
        .unwrap();
    let jobs = &run.latest().unwrap().jobs;
    jobs.iter()
        .map(|job| {
            (
                job.stage.name(),
                job.status().conclusion().unwrap_or(job.status().word()),
            )
        })
        .collect()
}

fn seconds(cluster: &mut Cluster, count: u64) {
    let to = cluster.clock.now().after(Duration::from_secs(count));
    cluster.advance(to);
}

#[test]
fn every_release_of_the_past_has_a_finished_run_and_a_deployment() {
    let cluster = gate();
    let repo = cluster.pipelines.repo("cart").unwrap();
    let told: Vec<&Run> = repo.runs.iter().filter(|run| run.told.is_some()).collect();
    assert_eq!(told.len(), 3);
    for run in told {
        assert_eq!(
            run.status(),
            Status::Completed(Conclusion::Success),
            "{}",
            run.branch
        );
        assert_eq!(run.latest().unwrap().jobs.len(), 5);
        assert_eq!(run.reviews.len(), 1, "somebody approved it");
        let deployment = repo
            .deployments
            .iter()
            .find(|deployment| deployment.run == run.id);
        assert_eq!(deployment.unwrap().statuses.last().unwrap().1, "success");
        assert!(repo.commit(run.commit).unwrap().sha == sha("cart", &run.branch));
    }
    let mut ids: Vec<u64> = repo.runs.iter().map(|run| run.id).collect();
    ids.dedup();
    assert!(ids.is_sorted() && ids.iter().all(|id| *id > u64::from(u32::MAX)));
}

#[test]
fn an_approved_gate_releases_the_version_into_the_cluster() {
    let mut cluster = gate();
    let (id, status) = newest(&cluster, "cart");
    assert_eq!(status, Status::Waiting);
    assert!(image(&cluster, "cart").ends_with(":v2.2.1"));
    let at = cluster.pipelines.find("cart", id).unwrap();
    assert!(review(&mut cluster, at, true, "ship it"));
    assert!(
        !review(&mut cluster, at, true, "again"),
        "nothing waits any more"
    );
    seconds(&mut cluster, 30);
    assert!(image(&cluster, "cart").ends_with(":v2.3.0"));
    assert_eq!(
        jobs(&cluster, "cart").last(),
        Some(&("smoke", "in_progress"))
    );
    let key = Key::new(Kind::Rollout, "shop", "cart");
    cluster.edit(&key, |value| {
        json::set(value, &["status", "promoteFull"], true);
    });
    seconds(&mut cluster, 120);
    assert_eq!(
        newest(&cluster, "cart").1,
        Status::Completed(Conclusion::Success)
    );
}

#[test]
fn a_rejected_gate_fails_the_run_and_changes_nothing() {
    let mut cluster = gate();
    let (id, _) = newest(&cluster, "cart");
    let at = cluster.pipelines.find("cart", id).unwrap();
    assert!(review(&mut cluster, at, false, "not during the sale"));
    seconds(&mut cluster, 600);
    assert_eq!(
        newest(&cluster, "cart").1,
        Status::Completed(Conclusion::Failure)
    );
    assert!(image(&cluster, "cart").ends_with(":v2.2.1"));
}

#[test]
fn a_waiting_run_can_be_cancelled_and_run_again_to_the_gate() {
    let mut cluster = gate();
    let (id, _) = newest(&cluster, "cart");
    let at = cluster.pipelines.find("cart", id).unwrap();
    assert_eq!(rerun(&mut cluster, at, false), Err(NotAgain::Running));
    assert!(cancel(&mut cluster, at));
    assert_eq!(
        newest(&cluster, "cart").1,
        Status::Waiting,
        "accepted is not done"
    );
    seconds(&mut cluster, 5);
    assert_eq!(
        newest(&cluster, "cart").1,
        Status::Completed(Conclusion::Cancelled)
    );
    assert!(!cancel(&mut cluster, at));
    assert_eq!(rerun(&mut cluster, at, true), Ok(()));
    seconds(&mut cluster, 5);
    let (again, status) = newest(&cluster, "cart");
    assert_eq!((again, status), (id, Status::Waiting));
    let run = cluster.pipelines.repo("cart").unwrap().run(id).unwrap();
    assert_eq!(run.latest().unwrap().number, 2);
}

#[test]
fn what_is_being_built_reaches_the_cluster_by_itself() {
    let mut cluster = gate();
    assert_eq!(newest(&cluster, "checkout").1, Status::InProgress);
    seconds(&mut cluster, 600);
    assert!(image(&cluster, "checkout").ends_with(":v2.31.0"));
    assert_eq!(
        jobs(&cluster, "checkout").last(),
        Some(&("smoke", "in_progress"))
    );
    let (id, _) = newest(&cluster, "checkout");
    let key = Key::new(Kind::Rollout, "shop", "checkout");
    cluster.edit(&key, |value| json::set(value, &["status", "abort"], true));
    seconds(&mut cluster, 60);
    assert_eq!(
        newest(&cluster, "checkout"),
        (id, Status::Completed(Conclusion::Failure))
    );
}
