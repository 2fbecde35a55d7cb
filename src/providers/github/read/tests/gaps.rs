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
        facts.unwrap().missing
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
