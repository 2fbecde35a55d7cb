//! GitHub's words against the model's, above all where they mislead.

use serde_json::{Value, json};

use super::*;
use crate::model::pipeline::{DeployedTo, DeploymentState, ReviewState};

fn repository() -> Repository {
    Repository::new("acme/checkout").expect("a repository")
}

fn sha(digit: char) -> String {
    digit.to_string().repeat(40)
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("readable")
}

fn a_run(more: &Value) -> Run {
    let mut value = json!({"id": 30_433_642_000u64, "head_sha": sha('a'), "status": "in_progress", "run_attempt": 2,
        "updated_at": "2026-07-14T10:00:00Z"});
    let object = value.as_object_mut().expect("an object");
    object.extend(more.as_object().expect("an object").clone());
    run(&read(value), &repository()).expect("a run")
}

fn at(text: &str) -> Timestamp {
    format!("2026-07-14T{text}:00Z").parse().expect("a time")
}

#[test]
fn only_success_is_a_pass_and_nothing_counts_before_the_end() {
    let ended = |word| phase(Some("completed"), Some(word));
    assert!(ended("success").is_success());
    for word in [
        "failure",
        "cancelled",
        "skipped",
        "neutral",
        "timed_out",
        "action_required",
        "stale",
        "startup_failure",
        "brand_new",
    ] {
        assert!(!ended(word).is_success(), "{word}");
        assert!(ended(word).has_ended(), "{word}");
    }
    assert!(!phase(Some("completed"), None).is_success());
    // What an earlier attempt left there.
    assert_eq!(phase(Some("queued"), Some("success")), RunPhase::Queued);
    assert_eq!(phase(Some("waiting"), None), RunPhase::WaitsAtGate);
    assert_eq!(phase(Some("pending"), None), RunPhase::WaitsForOther);
    let odd = phase(Some("hib\u{1b}[2Jernating"), Some("success"));
    assert_eq!(odd, RunPhase::Unknown(sanitise("hibernating")));
    assert_eq!(phase(None, None), RunPhase::Unknown(sanitise("")));
    assert_eq!(ended("brand_new").words(), "brand_new");
    assert!(!ended("action_required").is_bad());
}

#[test]
fn a_run_is_read_with_what_it_has() {
    let run = a_run(&json!({
        "name": null, "path": ".github/workflows/release.yml@refs/heads/main", "run_number": 4812, "head_branch": null,
        "head_commit": {"message": "Fix the cart\n\nlong"}, "actor": {"login": "ann"}, "triggering_actor": {"login": "bob"},
        "run_started_at": "2026-07-14T09:00:00Z", "created_at": "2026-07-07T09:00:00Z"
    }));
    assert_eq!(run.id.number, 30_433_642_000);
    assert_eq!((run.attempt, run.number), (2, 4812));
    assert_eq!(&*run.workflow, "release.yml");
    assert_eq!(run.workflow_file.as_deref(), Some("release.yml"));
    assert_eq!(&*run.title, "Fix the cart");
    assert_eq!(run.reference, None);
    assert_eq!(run.actor.as_deref(), Some("ann"));
    assert_eq!(run.triggered_by.as_deref(), Some("bob"));
    assert_eq!(run.started, Some(at("09:00")));
    assert_eq!((run.jobs, run.gates), (None, None));
}

#[test]
fn a_run_whose_commit_is_not_told_is_no_run() {
    let wire = read(json!({"id": 1, "head_sha": "abc"}));
    assert_eq!(run(&wire, &repository()), None);
}

#[test]
fn jobs_of_another_attempt_are_not_of_this_run() {
    let jobs: Vec<wire::Job> = read(json!([
        {"id": 1, "run_attempt": 1, "name": "old", "status": "completed", "conclusion": "failure",
         "completed_at": "2026-07-14T12:00:00Z"},
        {"id": 2, "run_attempt": 2, "name": "build", "status": "completed", "conclusion": "success",
         "started_at": "2026-07-14T10:05:00Z", "completed_at": "2026-07-14T10:01:00Z",
         "steps": [{"name": "Set up", "number": 1, "status": "completed", "conclusion": "skipped"}]},
        {"id": 3, "name": "deploy", "status": "completed", "conclusion": "success", "completed_at": "2026-07-14T10:09:00Z"}
    ]));
    let run = a_run(&json!({"status": "completed", "conclusion": "success"}));
    let run = with_jobs(run, &jobs);
    let names: Vec<&str> = run.jobs.iter().flatten().map(|job| &*job.name).collect();
    assert_eq!(names, ["build", "deploy"]);
    assert_eq!(
        run.ended,
        Some(at("10:09")),
        "the latest end of its own jobs"
    );
    let build = &run.jobs.as_ref().expect("read")[0];
    assert_eq!(build.seconds(at("11:00")), Some(0), "never negative");
    assert_eq!(build.steps[0].phase, RunPhase::Ended(Conclusion::Skipped));
    assert_eq!(with_jobs(a_run(&json!({})), &jobs).ended, None, "it runs");
}

#[test]
fn a_gate_names_every_job_that_an_approval_may_release() {
    let jobs: Vec<wire::Job> = read(json!([
        {"id": 1, "name": "deploy (eu)", "status": "waiting", "created_at": "2026-07-14T10:02:00Z"},
        {"id": 2, "name": "deploy (us)", "status": "waiting", "created_at": "2026-07-14T10:01:00Z"},
        {"id": 3, "name": "test", "status": "in_progress", "created_at": "2026-07-14T09:00:00Z"}
    ]));
    let pending: Vec<wire::PendingDeployment> = read(json!([
        {"environment": {"id": 161, "name": "prod eu/west"}, "wait_timer": 30, "wait_timer_started_at": "2026-07-14T10:02:00Z",
         "current_user_can_approve": false, "reviewers": [
            {"type": "User", "reviewer": {"login": "ann", "id": 1}},
            {"type": "Team", "reviewer": {"id": 2, "name": "Justice League", "slug": "justice-league"}},
            {"type": "Robot", "reviewer": null}]},
        {"environment": {"id": 7, "name": "soak"}, "reviewers": []}
    ]));
    let gates = gates(&a_run(&json!({})), &jobs, &pending);
    let [prod, soak] = gates.as_slice() else {
        panic!("two gates: {gates:?}");
    };
    assert_eq!(
        (prod.environment_id, &*prod.environment),
        (161, "prod eu/west")
    );
    let names = |of: &[Safe]| of.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&prod.waiting_jobs), ["deploy (eu)", "deploy (us)"]);
    assert_eq!(
        names(&prod.reviewers),
        ["ann", "justice-league", "somebody"]
    );
    assert_eq!(prod.may_decide, Some(false));
    assert_eq!(
        (prod.timer_minutes, prod.timer_started),
        (30, Some(at("10:02")))
    );
    assert_eq!(prod.since, Some(at("10:01")));
    assert_eq!(
        prod.deadline,
        Some(at("10:01") + SignedDuration::from_hours(720))
    );
    assert!(prod.waits_for_human() && !soak.waits_for_human());
    assert_eq!(soak.may_decide, None);
    let alone = super::gates(&a_run(&json!({})), &[], &pending);
    assert_eq!(alone[0].since, Some(at("10:00")), "as the run was updated");
}

#[test]
fn a_review_in_a_new_word_is_neither() {
    let reviews: Vec<wire::Approval> = read(json!([
        {"state": "approved", "comment": "Ship it!", "environments": [{"id": 161, "name": "prod"}], "user": {"login": "ann"}},
        {"state": "rejected", "comment": null, "environments": null, "user": null},
        {"state": "pending"}
    ]));
    let reviews: Vec<_> = reviews.iter().map(review).collect();
    assert!(reviews[0].state == ReviewState::Approved);
    assert_eq!(reviews[0].environments, [(161, sanitise("prod"))]);
    assert!(reviews[1].state == ReviewState::Rejected && reviews[1].user.is_none());
    assert!(matches!(reviews[2].state, ReviewState::Unknown(_)));
}

/// A deployment with its statuses, `(state, time)`.
fn deployment(
    id: u64,
    commit: char,
    created: &str,
    statuses: &[(&str, &str)],
) -> (wire::Deployment, Vec<wire::DeploymentStatus>) {
    let time = |text: &str| format!("2026-07-14T{text}:00Z");
    let statuses: Vec<Value> = statuses
        .iter()
        .zip(1u64..)
        .map(|((state, at), nth)| {
            json!({"id": id * 100 + nth, "state": state, "created_at": time(at), "creator": {"login": "bot"}})
        })
        .collect();
    (
        read(json!({"id": id, "sha": sha(commit), "ref": "main", "created_at": time(created)})),
        read(json!(statuses)),
    )
}

fn in_prod(all: &[(wire::Deployment, Vec<wire::DeploymentStatus>)]) -> DeployedTo {
    deployed_to(&sanitise("prod"), all, at("13:00"))
}

fn commit_of(deployed: Option<&crate::model::pipeline::Deployed>) -> Option<char> {
    deployed.and_then(|one| one.commit.as_str().chars().next())
}

#[test]
fn what_succeeded_last_runs_and_not_what_was_created_last() {
    let to = in_prod(&[
        deployment(
            1,
            'a',
            "10:00",
            &[("waiting", "10:00"), ("success", "11:00")],
        ),
        deployment(2, 'b', "10:30", &[("success", "10:40")]),
    ]);
    assert_eq!(commit_of(to.live.as_ref()), Some('a'));
    assert!(!to.taken_down && to.incoming.is_none() && to.failed_since.is_none());
    assert_eq!(to.live.expect("live").by.as_deref(), Some("bot"));
}

#[test]
fn of_many_that_all_say_success_the_latest_runs() {
    let all = [
        deployment(1, 'a', "08:00", &[("success", "08:10")]),
        deployment(3, 'c', "10:00", &[("success", "10:10")]),
        deployment(2, 'b', "09:00", &[("success", "09:10")]),
    ];
    assert_eq!(commit_of(in_prod(&all).live.as_ref()), Some('c'));
}

#[test]
fn one_that_failed_does_not_run_and_what_ran_is_mixed_with_it() {
    let to = in_prod(&[
        deployment(
            1,
            'a',
            "08:00",
            &[("success", "08:10"), ("inactive", "10:00")],
        ),
        deployment(2, 'b', "09:00", &[("success", "09:10")]),
        deployment(
            3,
            'c',
            "10:00",
            &[("in_progress", "10:05"), ("failure", "10:10")],
        ),
    ]);
    assert_eq!(commit_of(to.live.as_ref()), Some('b'));
    assert_eq!(commit_of(to.failed_since.as_ref()), Some('c'));
    let over = in_prod(&[
        deployment(3, 'c', "10:00", &[("failure", "10:10")]),
        deployment(4, 'd', "11:00", &[("success", "11:10")]),
    ]);
    assert!(over.failed_since.is_none(), "a later success is over it");
}

#[test]
fn what_was_taken_down_is_not_live() {
    let to = in_prod(&[deployment(
        1,
        'a',
        "08:00",
        &[("success", "08:10"), ("inactive", "12:00")],
    )]);
    assert!(to.taken_down);
    assert_eq!(
        to.live.expect("the last one").state,
        DeploymentState::Inactive
    );
}

#[test]
fn what_comes_is_told_and_what_was_abandoned_is_not() {
    let to = in_prod(&[
        deployment(1, 'a', "07:00", &[("in_progress", "07:01")]),
        deployment(2, 'b', "09:00", &[("success", "09:10")]),
        deployment(3, 'c', "10:00", &[]),
    ]);
    let incoming = to.incoming.expect("c");
    assert_eq!(incoming.state, DeploymentState::Pending);
    assert_eq!(commit_of(Some(&incoming)), Some('c'));
    let abandoned = in_prod(&[
        deployment(1, 'a', "07:00", &[("in_progress", "07:01")]),
        deployment(2, 'b', "09:00", &[("success", "09:10")]),
    ]);
    assert!(abandoned.incoming.is_none());
    let waiting = in_prod(&[
        deployment(1, 'a', "07:00", &[("waiting", "07:01")]),
        deployment(2, 'b', "09:00", &[("success", "09:10")]),
    ]);
    assert_eq!(
        commit_of(waiting.incoming.as_ref()),
        Some('a'),
        "it may still be approved"
    );
}

#[test]
fn a_state_not_known_is_neither_live_nor_failed() {
    let to = in_prod(&[deployment(1, 'a', "07:00", &[("melted", "07:01")])]);
    assert_eq!((to.live, to.incoming, to.failed_since), (None, None, None));
}

#[test]
fn commits_come_newest_first_and_going_back_is_said() {
    let comparison: wire::Comparison = read(
        json!({"status": "diverged", "behind_by": 34, "total_commits": 2, "commits": [
            {"sha": sha('b'), "commit": {"message": "first\n\nmore", "author": {"name": "Ann", "date": "2026-07-01T00:00:00Z"},
                "committer": {"date": "2026-07-14T10:00:00Z"}}, "author": null},
            {"sha": sha('c'), "commit": {"message": "second"}, "author": {"login": "bob"}}
        ]}),
    );
    let commit = |digit| Commit::new(&sha(digit)).expect("a commit");
    let changes = changes(
        &commit('a'),
        &commit('c'),
        &comparison,
        &comparison.commits.all,
    );
    assert_eq!((changes.total, changes.behind), (2, 34));
    let titles: Vec<&str> = changes.commits.iter().map(|one| &*one.title).collect();
    assert_eq!(titles, ["second", "first"]);
    assert_eq!(changes.commits[1].author.as_deref(), Some("Ann"));
    assert_eq!(changes.commits[1].at, Some(at("10:00")));
}
