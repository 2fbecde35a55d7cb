//! The source against a GitHub on loopback.

use serde_json::json;

use super::*;
use crate::providers::github::fake::{Answer, Asked, Fake};

fn wish(name: &str) -> RepositoryWanted {
    RepositoryWanted {
        repository: Repository::new(name).expect("a repository"),
        workflows: crate::model::pipeline::Workflows::All,
        attention: crate::model::pipeline::Attention::Moving,
        environments: Vec::new(),
        compare: Vec::new(),
    }
}

/// Facts until one says enough.
async fn told(host: Host, wanted: &[&str], until: impl Fn(&[Told]) -> bool) -> Vec<Told> {
    let wanted: Vec<_> = wanted.iter().map(|name| wish(name)).collect();
    let (_wishes, wishes) = watch::channel(wanted);
    let (sender, mut receiver) = mpsc::channel::<Vec<Tidings>>(4);
    let listen = async {
        let mut all = Vec::new();
        while let Some(tidings) = receiver.recv().await {
            assert!(
                tidings
                    .iter()
                    .all(|one| one.source.as_str() == "github/test")
            );
            all.extend(tidings.into_iter().map(|one| one.fact));
            if until(&all) {
                break;
            }
        }
        all
    };
    tokio::select! {
        () = run(host, wishes, sender) => panic!("it ended by itself"),
        all = tokio::time::timeout(Duration::from_secs(20), listen) => all.expect("told in time"),
    }
}

fn states(all: &[Told]) -> Vec<SourceState> {
    all.iter()
        .filter_map(|fact| match fact {
            Told::Health(health) => Some(health.state),
            _ => None,
        })
        .collect()
}

fn repositories(all: &[Told]) -> usize {
    all.iter()
        .filter(|fact| matches!(fact, Told::Repository(_)))
        .count()
}

fn ordinary(asked: &Asked) -> Answer {
    match asked.line.as_str() {
        "GET /user" => Answer::json(&json!({"login": "ann", "id": 1}))
            .with("x-github-enterprise-version", "3.19.1"),
        line if line.contains("/actions/runs?") => Answer::json(&json!({"workflow_runs": []}))
            .with("x-ratelimit-limit", "5000")
            .with("x-ratelimit-remaining", "4990")
            .with("x-ratelimit-reset", "3000"),
        _ => Answer::not_found(),
    }
}

#[tokio::test]
async fn it_says_who_we_are_what_it_is_and_what_it_has() {
    let fake = Fake::start(ordinary).await;
    let all = told(fake.host(), &["acme/checkout"], |all| {
        repositories(all) == 1
    })
    .await;
    assert_eq!(
        states(&all)[..2],
        [SourceState::Connecting, SourceState::Live]
    );
    assert!(
        all.iter()
            .any(|fact| matches!(fact, Told::Who(who) if &*who.name == "ann"))
    );
    assert!(all.iter().any(
        |fact| matches!(fact, Told::Server(server) if &**server == "GitHub Enterprise Server 3.19.1")
    ));
    assert!(
        all.iter()
            .any(|fact| matches!(fact, Told::Budget(budget) if budget.remaining == Some(4990)))
    );
    assert_eq!(fake.asked()[0].header("x-github-api-version"), "2022-11-28");
    assert_eq!(
        fake.asked()[0].header("accept"),
        "application/vnd.github+json"
    );
}

#[tokio::test]
async fn one_that_may_not_be_seen_does_not_hurt_the_other() {
    let fake = Fake::start(|asked: &Asked| {
        if asked.line.contains("/acme/secret/") {
            Answer::not_found()
        } else {
            ordinary(asked)
        }
    })
    .await;
    let all = told(fake.host(), &["acme/secret", "acme/checkout"], |all| {
        repositories(all) == 1
            && all
                .iter()
                .any(|fact| matches!(fact, Told::RepositoryFailed { .. }))
    })
    .await;
    let failed = all.iter().find_map(|fact| match fact {
        Told::RepositoryFailed {
            repository,
            state,
            why,
            ..
        } => Some((repository.as_str(), *state, why.clone())),
        _ => None,
    });
    let (repository, state, why) = failed.expect("told");
    assert_eq!((repository, state), ("acme/secret", SourceState::Forbidden));
    assert!(why.contains("not found or no permission"), "{why}");
    assert_eq!(states(&all).last(), Some(&SourceState::Live));
}

#[tokio::test]
async fn a_limit_is_told_with_its_end_and_nothing_more_is_asked() {
    let fake = Fake::start(|asked: &Asked| match asked.line.as_str() {
        "GET /user" => ordinary(asked),
        _ => Answer::text(
            403,
            r#"{"message":"You have exceeded a secondary rate limit"}"#,
        )
        .with("retry-after", "120"),
    })
    .await;
    let all = told(fake.host(), &["acme/a", "acme/b", "acme/c"], |all| {
        states(all).last() == Some(&SourceState::RateLimited)
    })
    .await;
    let next = all.iter().rev().find_map(|fact| match fact {
        Told::Health(health) => health.next_try,
        _ => None,
    });
    let wait = next
        .expect("a time")
        .duration_since(Timestamp::now())
        .as_secs();
    assert!((110..=125).contains(&wait), "{wait}");
    assert!(
        !all.iter()
            .any(|fact| matches!(fact, Told::RepositoryFailed { .. }))
    );
    // At most what was under way at the same time.
    assert!(fake.lines().len() <= 1 + 3, "{:?}", fake.lines());
}

#[tokio::test]
async fn without_a_token_it_says_what_to_do() {
    let fake = Fake::start(ordinary).await;
    let mut host = fake.host();
    host.token = Some(SecretSource::Env("NOT_SET".to_owned()));
    let all = told(host, &["acme/checkout"], |all| {
        states(all).last() == Some(&SourceState::Unauthorized)
    })
    .await;
    let Some(Told::Health(health)) = all.last() else {
        panic!("{all:?}");
    };
    assert!(health.detail.contains("NOT_SET"), "{}", health.detail);
    assert!(health.next_try.is_some());
    assert!(fake.lines().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn an_apps_token_reads_and_cannot_approve() {
    let fake = Fake::start(|asked: &Asked| match asked.line.as_str() {
        "GET /user" => Answer::text(
            403,
            r#"{"message":"Resource not accessible by integration"}"#,
        ),
        _ => ordinary(asked),
    })
    .await;
    let all = told(fake.host(), &["acme/checkout"], |all| {
        repositories(all) == 1
    })
    .await;
    let live = all.iter().find_map(|fact| match fact {
        Told::Health(health) if health.state == SourceState::Live => Some(health.detail.clone()),
        _ => None,
    });
    assert!(live.expect("live").contains("cannot approve"));
}

#[tokio::test]
async fn a_host_that_is_away_is_unreachable_and_tried_again() {
    let fake = Fake::start(|asked: &Asked| match asked.line.as_str() {
        "GET /user" => ordinary(asked),
        _ => Answer::text(502, "<html>bad gateway</html>"),
    })
    .await;
    let all = told(fake.host(), &["acme/checkout"], |all| {
        all.iter()
            .any(|fact| matches!(fact, Told::RepositoryFailed { .. }))
            && states(all).len() >= 3
    })
    .await;
    assert_eq!(states(&all).last(), Some(&SourceState::Unreachable));
    let text = format!("{all:?}");
    assert!(text.contains("it answered with a web page") && !text.contains("<html>"));
}

#[tokio::test]
async fn what_comes_is_compared_with_what_runs_once() {
    let sha = |digit: &str| digit.repeat(40);
    let fake = Fake::start(move |asked: &Asked| match asked.line.as_str() {
        "GET /user" => ordinary(asked),
        line if line.contains("status=waiting") => Answer::json(&json!({"workflow_runs": []})),
        line if line.contains("/actions/runs?") => Answer::json(&json!({"workflow_runs": [
            {"id": 1, "head_sha": sha("b"), "status": "completed", "conclusion": "startup_failure"}]})),
        line if line.contains("/environments") => Answer::json(&json!({"environments": [{"id": 1, "name": "prod"}]})),
        line if line.contains("/statuses") => Answer::json(&json!([
            {"id": 1, "state": "success", "created_at": "2026-07-14T10:00:00Z"}])),
        line if line.contains("/deployments?") => Answer::json(&json!([{"id": 1, "sha": sha("a")}])),
        line if line.contains("/compare/") => Answer::json(&json!({"behind_by": 2, "total_commits": 0, "commits": []})),
        _ => Answer::not_found(),
    })
    .await;
    let mut wanted = wish("acme/checkout");
    wanted.environments = vec![("prod".to_owned(), "prod".into())];
    let first = look(fake.server(), wanted.clone(), Known::default()).await;
    assert_eq!(first.changes.len(), 1);
    assert_eq!(first.changes[0].behind, 2);
    let facts = first.facts.expect("facts");
    assert_eq!(
        facts.runs[0].jobs.as_deref(),
        Some(&[][..]),
        "it could not start: no jobs"
    );
    let second = look(fake.server(), wanted, first.known).await;
    assert!(second.changes.is_empty());
    assert!(is_same(&facts, &second.facts.expect("facts")));
}

#[tokio::test]
async fn it_ends_when_nobody_listens() {
    let fake = Fake::start(ordinary).await;
    let (_wishes, wishes) = watch::channel(vec![wish("acme/checkout")]);
    let (sender, receiver) = mpsc::channel(4);
    drop(receiver);
    let running = run(fake.host(), wishes, sender);
    tokio::time::timeout(Duration::from_secs(10), running)
        .await
        .expect("it ended");
}
