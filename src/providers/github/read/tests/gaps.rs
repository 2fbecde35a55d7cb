//! Jobs and runs that are there and are not read.

use super::*;

/// A run at its gate with these jobs, of which every page leads to one more where `on` says so.
async fn with_jobs(jobs: Value, on: bool) -> Fake {
    Fake::start(move |asked: &Asked| {
        let next = format!("<{}/more/jobs?page=2>; rel=\"next\"", asked.base);
        match asked.line.as_str() {
            "GET /repos/acme/checkout/actions/runs/9" => Answer::json(&a_run(9, 1, "waiting")),
            line if line.contains("/jobs") && on => Answer::json(&jobs).with("link", &next),
            line if line.contains("/jobs") => Answer::json(&jobs),
            line if line.ends_with("/pending_deployments") => Answer::json(&gate()),
            line if line.contains("/runs?") => {
                Answer::json(&json!({"workflow_runs": [a_run(9, 1, "waiting")]}))
            }
            _ => Answer::json(&json!([])),
        }
    })
    .await
}

#[tokio::test]
async fn an_action_rests_on_all_jobs_or_on_none() {
    let whole = with_jobs(job(1), false).await;
    assert!(run_read(&whole.server(), &id()).await.is_ok());
    let unreadable = with_jobs(json!({"jobs": [{}]}), false).await;
    let trouble = run_read(&unreadable.server(), &id()).await.unwrap_err();
    let words = trouble.sentence();
    assert!(words.contains("1 of its jobs cannot be read"), "{words}");
    let endless = with_jobs(job(1), true).await;
    let trouble = run_read(&endless.server(), &id()).await.unwrap_err();
    let words = trouble.sentence();
    assert!(words.contains("more than the 10 of its jobs"), "{words}");
}

#[tokio::test]
async fn jobs_that_are_not_read_are_named_in_the_background() {
    let missing = async |jobs: Value, on: bool| {
        let fake = with_jobs(jobs, on).await;
        let (server, mut memory) = (fake.server(), Memory::default());
        let facts = repository(&server, &wanted(), &mut memory).await;
        facts.unwrap().missing.runs
    };
    let of_jobs = |missing: Vec<Safe>| missing.iter().any(|part| part.contains("jobs of #9"));
    assert!(!of_jobs(missing(job(1), false).await));
    assert!(of_jobs(missing(json!({"jobs": [{}]}), false).await));
    assert!(of_jobs(missing(job(1), true).await));
}

#[tokio::test]
async fn all_runs_that_wait_are_read_and_an_end_before_the_last_is_told() {
    let start = async |pages: usize| {
        let fake = Fake::start(move |asked: &Asked| {
            let next = format!("<{}/more?page=2>; rel=\"next\"", asked.base);
            let number = 1 + u64::try_from(asked.nth).unwrap();
            if asked.line.ends_with("&status=waiting") {
                let page = json!({"workflow_runs": [a_run(20, 1, "waiting")]});
                return Answer::json(&page).with("link", &next);
            }
            let page = Answer::json(&json!({"workflow_runs": [a_run(number, 1, "waiting")]}));
            if asked.nth + 2 < pages {
                page.with("link", &next)
            } else {
                page
            }
        })
        .await;
        waiting_runs(&fake.server(), &name(), None).await.unwrap()
    };
    let two = start(3).await;
    let numbers: Vec<u64> = two.all.iter().map(|run| run.number).collect();
    assert_eq!((numbers, two.goes_on), (vec![20, 1, 2], false));
    let many = start(PAGES + 1).await;
    assert_eq!((many.all.len(), many.goes_on), (PAGES, true));
}

#[tokio::test]
async fn a_run_that_waits_is_looked_into_behind_any_number_that_are_under_way() {
    let fake = Fake::start(|asked: &Asked| {
        let line = asked.line.as_str();
        let runs: Vec<Value> = (21..=40)
            .map(|number| a_run(number, 1, "in_progress"))
            .collect();
        if line.ends_with("&status=waiting") {
            Answer::json(&json!({"workflow_runs": [a_run(9, 1, "waiting")]}))
        } else if line.contains("/runs?") {
            Answer::json(&json!({"workflow_runs": runs}))
        } else if line.contains("/jobs") {
            Answer::json(&job(1))
        } else if line.contains("/9/pending_deployments") {
            Answer::json(&gate())
        } else {
            Answer::json(&json!([]))
        }
    })
    .await;
    let facts = repository(&fake.server(), &wanted(), &mut Memory::default()).await;
    let facts = facts.unwrap();
    let waits = facts.runs.iter().find(|run| run.number == 9).unwrap();
    assert_eq!(waits.gates.as_ref().map(Vec::len), Some(1));
    let of_runs: Vec<&str> = facts.missing.runs.iter().map(|part| &**part).collect();
    assert_eq!(of_runs.len(), 10, "{of_runs:?}");
    assert!(
        of_runs
            .iter()
            .all(|part| part.ends_with("10 newer runs are under way"))
    );
}

#[tokio::test]
async fn an_environment_may_be_there_where_the_list_of_them_was_not_read_to_its_end() {
    let fake = Fake::start(|asked: &Asked| {
        let line = asked.line.as_str();
        let next = format!("<{}/more/environments?page=2>; rel=\"next\"", asked.base);
        if line.contains("/environments") {
            let page = json!({"environments": [{"id": 1, "name": "staging"}]});
            Answer::json(&page).with("link", &next)
        } else if line.contains("/runs?") {
            Answer::json(&json!({"workflow_runs": []}))
        } else {
            Answer::json(&json!([]))
        }
    })
    .await;
    let facts = repository(&fake.server(), &wanted(), &mut Memory::default()).await;
    let facts = facts.unwrap();
    let told: Vec<&str> = facts
        .missing
        .deployments
        .iter()
        .map(|part| &**part)
        .collect();
    assert_eq!(
        told,
        ["the list of environments: there are more than the 10 of them that were read"]
    );
    assert_eq!(facts.deployed.len(), 2, "each was asked for all the same");
}

#[tokio::test]
async fn nothing_is_said_to_run_nowhere_while_older_deployments_were_not_looked_at() {
    let fake = Fake::start(|asked: &Asked| {
        let line = asked.line.as_str();
        if line.contains("/statuses") {
            return Answer::json(
                &json!([{"id": 1, "state": "failure", "created_at": "2026-07-14T11:00:00Z"}]),
            );
        }
        let all: Vec<Value> = (1..=13)
            .map(|id| json!({"id": id, "sha": sha('b'), "updated_at": "2026-07-14T11:00:00Z"}))
            .collect();
        Answer::json(&json!(all))
    })
    .await;
    let (to, gap) = deployed_to(&fake.server(), &name(), "prod").await.unwrap();
    assert_eq!(to.live, None);
    assert_eq!(
        gap.as_deref(),
        Some("none of the newest 12 succeeded, and there are more")
    );
}
