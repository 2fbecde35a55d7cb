//! Reading from a GitHub on loopback that changes under the reader's eyes.

mod gaps;

use serde_json::{Value, json};

use super::*;
use crate::model::pipeline::{RepositoryWanted, RunPhase, Workflows};
use crate::providers::github::{
    act::{self, Sent},
    fake::{Answer, Asked, Fake},
    requests::{Decision, Write},
};
use crate::providers::http::{Credential, Limits};

fn name() -> Repository {
    Repository::new("acme/checkout").expect("a repository")
}

fn id() -> RunId {
    RunId {
        repository: name(),
        number: 9,
    }
}

fn sha(digit: char) -> String {
    digit.to_string().repeat(40)
}

fn a_run(number: u64, attempt: u64, status: &str) -> Value {
    json!({"id": number, "run_number": number, "run_attempt": attempt, "head_sha": sha('a'), "status": status,
        "conclusion": if status == "completed" { Some("success") } else { None },
        "created_at": format!("2026-07-14T10:{number:02}:00Z"), "updated_at": "2026-07-14T11:00:00Z"})
}

fn gate() -> Value {
    json!([{"environment": {"id": 161, "name": "prod"}, "wait_timer": 0, "current_user_can_approve": true,
        "reviewers": [{"type": "User", "reviewer": {"login": "ann"}}]}])
}

fn job(attempt: u64) -> Value {
    json!({"jobs": [{"id": 70 + attempt, "run_attempt": attempt, "name": "deploy", "status": "waiting",
        "created_at": "2026-07-14T10:30:00Z"}]})
}

#[tokio::test]
async fn a_run_started_again_while_it_is_read_is_read_anew() {
    let fake = Fake::start(|asked: &Asked| match asked.line.as_str() {
        // Attempt 1, then 2 from the second reading on.
        "GET /repos/acme/checkout/actions/runs/9" => {
            Answer::json(&a_run(9, 1 + u64::from(asked.nth > 0), "waiting"))
        }
        line if line.contains("/attempts/1/jobs") => Answer::json(&job(1)),
        line if line.contains("/attempts/2/jobs") => Answer::json(&job(2)),
        line if line.ends_with("/pending_deployments") => Answer::json(&gate()),
        line if line.ends_with("/approvals") => Answer::json(&json!([])),
        _ => Answer::not_found(),
    })
    .await;
    let read = run_read(&fake.server(), &id()).await.expect("read");
    assert_eq!(read.run.attempt, 2);
    assert_eq!(read.run.phase, RunPhase::WaitsAtGate);
    let jobs = read.run.jobs.expect("jobs");
    assert_eq!((jobs.len(), jobs[0].id), (1, 72));
    let gates = read.run.gates.expect("gates");
    assert_eq!(
        (gates[0].environment_id, gates[0].may_decide),
        (161, Some(true))
    );
}

#[tokio::test]
async fn a_run_that_never_rests_is_not_acted_on() {
    let fake = Fake::start(|asked: &Asked| match asked.line.as_str() {
        "GET /repos/acme/checkout/actions/runs/9" => {
            Answer::json(&a_run(9, 1 + asked.nth as u64, "waiting"))
        }
        line if line.contains("/jobs") => Answer::json(&job(1)),
        _ => Answer::json(&json!([])),
    })
    .await;
    let trouble = run_read(&fake.server(), &id()).await.expect_err("restless");
    assert!(trouble.sentence().contains("changes faster"), "{trouble}");
}

#[tokio::test]
async fn a_gate_that_cannot_be_read_is_not_no_gate() {
    let fake = Fake::start(|asked: &Asked| match asked.line.as_str() {
        "GET /repos/acme/checkout/actions/runs/9" => Answer::json(&a_run(9, 1, "waiting")),
        line if line.contains("/jobs") => Answer::json(&job(1)),
        line if line.ends_with("/pending_deployments") => {
            Answer::json(&json!([{"environment": {"name": "prod"}}]))
        }
        _ => Answer::json(&json!([])),
    })
    .await;
    assert!(run_read(&fake.server(), &id()).await.is_err());
}

#[tokio::test]
async fn pages_are_followed_as_the_links_say() {
    let fake = Fake::start(|asked: &Asked| {
        let next = format!("<{}/repositories/7/next?page=2>; rel=\"next\"", asked.base);
        match asked.line.as_str() {
            line if line.contains("/attempts/1/jobs") => Answer::json(&job(1)).with("link", &next),
            "GET /repositories/7/next?page=2" => Answer::json(&json!({"jobs": [{"id": 99}, {}]})),
            _ => Answer::not_found(),
        }
    })
    .await;
    let run: wire::Run = serde_json::from_value(a_run(9, 1, "waiting")).expect("a run");
    let run = map::run(&run, &name()).expect("a run");
    let jobs = wire_jobs(&fake.server(), &run).await.expect("jobs");
    assert_eq!(
        jobs.all.iter().map(|job| job.id).collect::<Vec<_>>(),
        [71, 99]
    );
    assert_eq!(jobs.unreadable, 1);
}

#[tokio::test]
async fn a_renamed_repository_is_read_and_not_written() {
    let fake = Fake::start(|asked: &Asked| {
        let place = format!("{}/repositories/7/x", asked.base);
        match asked.line.as_str() {
            "GET /repositories/7/x" => Answer::json(&a_run(9, 1, "completed")),
            line if line.starts_with("GET") => Answer::text(301, "{}").with("location", &place),
            _ => Answer::text(307, "{}").with("location", &place),
        }
    })
    .await;
    let server = fake.server();
    let (run, _) = run(&server, &id()).await.expect("read at the new place");
    assert_eq!(run.id, id());
    let Write { method, path, .. } = requests::cancel(&id());
    let sent = act::send(&server, method, &path, bytes::Bytes::new()).await;
    assert!(
        matches!(sent, Sent::Rejected { status: 307, .. }),
        "{sent:?}"
    );
    assert_eq!(
        fake.lines()
            .iter()
            .filter(|line| line.starts_with("POST"))
            .count(),
        1
    );
}

#[tokio::test]
async fn a_write_goes_out_once_as_it_was_built_and_its_answer_is_sorted() {
    let why = r#"{"message":"why"}"#;
    for (status, body, expected) in [
        (200, "[]", "Taken"),
        // What is not the documented answer says nothing of what was done.
        (200, "<html>log in", "Lost"),
        (200, why, "Lost"),
        (202, "[]", "Lost"),
        (409, why, "Conflict"),
        (403, why, "Rejected"),
        (422, why, "Rejected"),
        (502, why, "Lost"),
    ] {
        let fake = Fake::start(move |_: &Asked| Answer::text(status, body)).await;
        let write = requests::review(&id(), &[161], Decision::Approve, "Ship it");
        let sent = act::send(
            &fake.server(),
            write.method.clone(),
            &write.path,
            write.bytes(),
        )
        .await;
        assert!(
            format!("{sent:?}").starts_with(expected),
            "{status}: {sent:?}"
        );
        let [asked] = &fake.asked()[..] else {
            panic!("one request: {:?}", fake.lines());
        };
        let body: Value = serde_json::from_str(&asked.body).expect("json");
        assert_eq!(Some(body), write.body);
        assert_eq!(asked.header("content-type"), "application/vnd.github+json");
    }
    let fake = Fake::start(|_: &Asked| Answer::text(202, "{}")).await;
    let write = requests::cancel(&id());
    let sent = act::send(
        &fake.server(),
        write.method.clone(),
        &write.path,
        write.bytes(),
    )
    .await;
    assert_eq!(sent, Sent::Taken { status: 202 });
    assert_eq!(
        fake.asked()[0].header("content-length"),
        "0",
        "GitHub insists on a length"
    );
}

#[tokio::test]
async fn what_runs_is_found_without_asking_for_everything() {
    let fake = Fake::start(|asked: &Asked| {
        let one = |id: u64, updated: &str| {
            json!({"id": id, "sha": sha('b'), "updated_at": format!("2026-07-14T{updated}:00Z")})
        };
        let status = |state: &str, at: &str| {
            json!([{"id": 1, "state": state, "created_at": format!("2026-07-14T{at}:00Z")}])
        };
        Answer::json(&match asked.line.as_str() {
            "GET /repos/acme/checkout/deployments?environment=prod%20eu%2Fwest&per_page=30" => {
                json!([one(5, "09:00"), one(4, "11:00"), one(3, "10:30"), one(2, "08:00")])
            }
            line if line.contains("/4/") => status("failure", "11:00"),
            line if line.contains("/3/") => status("success", "10:30"),
            _ => panic!("not needed: {}", asked.line),
        })
    })
    .await;
    let (to, gap) = deployed_to(&fake.server(), &name(), "prod eu/west")
        .await
        .expect("read");
    assert_eq!(to.live.expect("live").id, 3);
    assert_eq!(to.failed_since.expect("failed").id, 4);
    assert_eq!(gap, None);
}

#[tokio::test]
async fn of_many_commits_the_newest_are_told() {
    let fake = Fake::start(|asked: &Asked| {
        let page = |of: &[char]| {
            let commits: Vec<Value> = of.iter().map(|digit| json!({"sha": sha(*digit)})).collect();
            Answer::json(&json!({"total_commits": 230, "behind_by": 0, "commits": commits}))
        };
        let link = |page: u32, rel: &str| format!("<{}/page/{page}>; rel=\"{rel}\"", asked.base);
        match asked.line.as_str() {
            "GET /page/3" => page(&['5', '6']).with("link", &link(2, "prev")),
            "GET /page/2" => page(&['3', '4']),
            _ => page(&['1', '2']).with("link", &link(3, "last")),
        }
    })
    .await;
    let commit = |digit| Commit::new(&sha(digit)).expect("a commit");
    let changes = compare(&fake.server(), &name(), &commit('0'), &commit('6'))
        .await
        .expect("changes");
    assert_eq!(changes.total, 230);
    let digits: String = changes
        .commits
        .iter()
        .filter_map(|one| one.commit.as_str().chars().next())
        .collect();
    assert_eq!(digits, "6543");
}

fn wanted() -> RepositoryWanted {
    RepositoryWanted {
        repository: name(),
        workflows: Workflows::of(Some("release.yml")),
        attention: crate::model::pipeline::Attention::Moving,
        environments: vec![
            ("prod".to_owned(), "prod-eu".into()),
            ("moon".to_owned(), "moon".into()),
        ],
        compare: Vec::new(),
    }
}

#[tokio::test]
async fn a_repository_is_told_whole_and_what_has_ended_is_asked_for_once() {
    let fake = Fake::start(|asked: &Asked| {
        let runs = |all: Value| Answer::json(&json!({"workflow_runs": all}));
        match asked.line.as_str() {
            "GET /repos/acme/checkout/actions/workflows/release.yml/runs?exclude_pull_requests=true&per_page=20" => {
                runs(json!([a_run(9, 1, "in_progress"), a_run(8, 1, "completed")]))
            }
            // An old one that is in no page, and one that has reached its gate meanwhile.
            line if line.ends_with("&status=waiting") => {
                runs(json!([a_run(2, 1, "waiting"), a_run(9, 1, "waiting")]))
            }
            line if line.contains("/jobs") => Answer::json(&job(1)),
            line if line.ends_with("/pending_deployments") => Answer::json(&gate()),
            line if line.contains("/environments?") => {
                Answer::json(&json!({"environments": [{"id": 161, "name": "Prod"}, {"id": 7, "name": "staging"}]}))
            }
            line if line.contains("/deployments?environment=prod&") => Answer::json(&json!([])),
            _ => Answer::not_found(),
        }
    })
    .await;
    let mut memory = Memory::default();
    let server = fake.server();
    let facts = repository(&server, &wanted(), &mut memory)
        .await
        .expect("facts");
    let numbers: Vec<u64> = facts.runs.iter().map(|run| run.number).collect();
    assert_eq!(numbers, [9, 8, 2]);
    assert_eq!(
        facts.runs[0].phase,
        RunPhase::WaitsAtGate,
        "the later answer counts"
    );
    assert!(facts.runs.iter().all(|run| run.jobs.is_some()));
    assert_eq!(facts.runs[2].gates.as_ref().map(Vec::len), Some(1));
    assert_eq!(facts.runs[1].gates, None, "it has ended");
    assert_eq!(facts.deployed.len(), 1);
    let missing: Vec<&str> = facts.missing.all().map(|part| &**part).collect();
    assert_eq!(
        missing,
        ["environment moon: the host knows none of that name; it has Prod, staging"]
    );
    repository(&server, &wanted(), &mut memory)
        .await
        .expect("facts");
    let asked = fake.lines();
    let of_ended = asked.iter().filter(|line| line.contains("/runs/8/"));
    assert_eq!(of_ended.count(), 1, "{asked:?}");
}

#[tokio::test]
async fn two_workflows_of_one_repository_are_both_read_and_of_more_the_whole_is() {
    let fake = Fake::start(|asked: &Asked| {
        let runs = |all: Value| Answer::json(&json!({"workflow_runs": all}));
        let line = asked.line.as_str();
        let waiting = line.ends_with("&status=waiting");
        if line.contains("/jobs") {
            return Answer::json(&job(1));
        }
        match line.split_once("/actions/").map_or("", |(_, rest)| rest) {
            rest if rest.starts_with("workflows/a.yml/") && waiting => runs(json!([])),
            rest if rest.starts_with("workflows/a.yml/") => runs(json!([a_run(8, 1, "completed")])),
            rest if rest.starts_with("workflows/b.yml/") => runs(json!([a_run(9, 1, "completed")])),
            rest if rest.starts_with("runs?") && !waiting => {
                runs(json!([a_run(7, 1, "completed")]))
            }
            _ => Answer::not_found(),
        }
    })
    .await;
    let server = fake.server();
    let read = async |files: &[&str]| {
        let files = files.iter().map(|file| (*file).to_owned()).collect();
        let wanted = RepositoryWanted {
            workflows: Workflows::Only(files),
            environments: Vec::new(),
            ..wanted()
        };
        let facts = repository(&server, &wanted, &mut Memory::default()).await;
        facts.map(|facts| {
            let numbers: Vec<u64> = facts.runs.iter().map(|run| run.number).collect();
            let missing: Vec<String> = facts.missing.all().map(ToString::to_string).collect();
            (numbers, missing)
        })
    };
    let (numbers, missing) = read(&["a.yml", "b.yml"]).await.expect("facts");
    assert_eq!((numbers, missing), (vec![9, 8], Vec::new()));
    let (numbers, missing) = read(&["a.yml", "gone.yml"]).await.expect("facts");
    assert_eq!(numbers, [8]);
    assert!(
        missing[0].starts_with("the runs of gone.yml: "),
        "{missing:?}"
    );
    let failed = read(&["away.yml", "gone.yml"]).await;
    assert!(failed.is_err(), "no workflow can be read: {failed:?}");
    let (numbers, _) = read(&["a.yml", "b.yml", "c.yml"]).await.expect("facts");
    assert_eq!(numbers, [7], "the repository as a whole");
}

#[tokio::test]
async fn a_part_that_fails_is_named_and_a_host_that_fails_is_the_hosts() {
    let fake = Fake::start(|asked: &Asked| {
        let line = asked.line.as_str();
        if line.contains("per_page=20") {
            Answer::json(&json!({"workflow_runs": [a_run(9, 1, "in_progress")]}))
        } else if line.contains("/jobs") {
            Answer::json(&job(1))
        } else if line.contains("/pending_deployments") && asked.nth > 0 {
            Answer::text(429, "slow down")
        } else {
            Answer::text(
                403,
                r#"{"message":"Resource not accessible by personal access token"}"#,
            )
        }
    })
    .await;
    let server = fake.server();
    let mut memory = Memory::default();
    let facts = repository(&server, &wanted(), &mut memory)
        .await
        .expect("facts");
    assert_eq!(facts.runs[0].jobs, None);
    assert_eq!(facts.missing.all().count(), 5, "{:?}", facts.missing);
    assert!(
        facts
            .missing
            .all()
            .all(|part| part.contains("not accessible"))
    );
    let trouble = repository(&server, &wanted(), &mut memory)
        .await
        .expect_err("limited");
    assert!(is_of_the_host(&trouble), "{trouble}");
}

#[tokio::test]
async fn a_read_whose_connection_broke_is_asked_once_more() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("bind");
    let base = format!("http://{}", listener.local_addr().expect("address"));
    let clock = std::sync::Arc::new(jiff::Timestamp::now);
    let server = Server::new(&base, Credential::None, Limits::default(), clock).expect("server");
    let answers = async {
        for answer in [
            "",
            "HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{\"login\":\"ann\"}",
        ] {
            let (mut socket, _) = listener.accept().await.expect("accept");
            let mut buffer = [0; 4096];
            let count = socket.read(&mut buffer).await.expect("a request");
            assert!(buffer[..count].starts_with(b"GET /user"));
            socket.write_all(answer.as_bytes()).await.expect("write");
        }
    };
    let ((), user) = futures::join!(answers, user(&server));
    assert_eq!(&*user.expect("the second time").0, "ann");
}
