//! Bodies as GitHub publishes them: everything is readable, and its words mean what the table says.

use serde::de::DeserializeOwned;
use serde_json::Value;
use windlass::{
    model::pipeline::{Conclusion, DeploymentState, Repository, ReviewState, RunPhase},
    providers::github::{map, wire},
};

use super::{Report, files, root};

fn decode<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_str(&value.to_string()).map_err(|error| error.to_string())
}

/// What the pair of words means. `None`: in the data, and not in this table.
fn expected(status: Option<&str>, conclusion: Option<&str>) -> Option<RunPhase> {
    Some(match (status?, conclusion) {
        ("queued" | "requested", _) => RunPhase::Queued,
        ("pending", _) => RunPhase::WaitsForOther,
        ("waiting", _) => RunPhase::WaitsAtGate,
        ("in_progress", _) => RunPhase::Running,
        ("completed", Some(word)) => RunPhase::Ended(match word {
            "success" => Conclusion::Success,
            "failure" => Conclusion::Failure,
            "cancelled" => Conclusion::Cancelled,
            "skipped" => Conclusion::Skipped,
            "neutral" => Conclusion::Neutral,
            "timed_out" => Conclusion::TimedOut,
            "action_required" => Conclusion::ActionRequired,
            "stale" => Conclusion::Stale,
            "startup_failure" => Conclusion::StartupFailure,
            _ => return None,
        }),
        _ => return None,
    })
}

fn word<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

fn check_run(report: &mut Report, case: &str, value: &Value) {
    let repository = Repository::new("acme/checkout").unwrap();
    match decode::<wire::Run>(value) {
        Ok(read) => {
            report.check(case, Some(read.id) == value["id"].as_u64(), || {
                format!("id {}", read.id)
            });
            let run = map::run(&read, &repository);
            let told = value.get("head_sha").is_some();
            report.check(case, run.is_some() == told, || format!("{run:?}"));
            if let Some(run) = run {
                let expected = expected(word(value, "status"), word(value, "conclusion"));
                report.check(case, Some(&run.phase) == expected.as_ref(), || {
                    format!("{:?}, expected {expected:?}", run.phase)
                });
                report.check(case, run.updated.is_some(), || "no time".to_owned());
            }
        }
        Err(error) => report.check(case, false, || error),
    }
}

fn check_job(report: &mut Report, case: &str, value: &Value) {
    match decode::<wire::Job>(value) {
        Ok(read) => {
            let job = map::job(&read, 1);
            let expected = expected(word(value, "status"), word(value, "conclusion"));
            report.check(case, Some(&job.phase) == expected.as_ref(), || {
                format!("{:?}, expected {expected:?}", job.phase)
            });
            let steps = value["steps"].as_array().map_or(0, Vec::len);
            report.check(case, job.steps.len() == steps, || {
                format!("{} of {steps} steps", job.steps.len())
            });
            for (step, value) in job
                .steps
                .iter()
                .zip(value["steps"].as_array().into_iter().flatten())
            {
                let expected = self::expected(word(value, "status"), word(value, "conclusion"));
                report.check(case, Some(&step.phase) == expected.as_ref(), || {
                    format!(
                        "step {}: {:?}, expected {expected:?}",
                        step.name, step.phase
                    )
                });
            }
        }
        Err(error) => report.check(case, false, || error),
    }
}

fn check_deployment(report: &mut Report, case: &str, value: &Value) {
    let read = decode::<wire::Deployment>(value);
    report.check(
        case,
        read.as_ref().is_ok_and(|read| {
            Some(read.id) == value["id"].as_u64() && read.sha.as_deref() == word(value, "sha")
        }),
        || format!("{read:?}"),
    );
}

fn check_status(report: &mut Report, case: &str, value: &Value) {
    let read = decode::<wire::DeploymentStatus>(value);
    report.check(
        case,
        read.as_ref()
            .is_ok_and(|read| read.state.as_deref() == word(value, "state")),
        || format!("{read:?}"),
    );
}

/// Lists whose every element has to be readable.
fn check_each<T: DeserializeOwned>(report: &mut Report, case: &str, value: &Value) {
    let read = decode::<wire::Each<T>>(value);
    report.check(
        case,
        read.as_ref().is_ok_and(|read| {
            read.unreadable == 0 && Some(read.all.len()) == value.as_array().map(Vec::len)
        }),
        || match read.as_ref() {
            Ok(read) => format!("{} unreadable", read.unreadable),
            Err(error) => error.clone(),
        },
    );
}

#[test]
fn every_official_example_is_readable() {
    let Some(root) = root() else { return };
    let mut report = Report::default();
    for (file, operation) in files(&root.join("github-openapi/examples")) {
        let responses = operation["responses"].as_object().unwrap();
        for (status, response) in responses
            .iter()
            .filter(|(status, _)| status.starts_with('2'))
        {
            let examples = response["examples"].as_object().into_iter().flatten();
            for (name, body) in examples {
                let case = format!("{file} {status} {name}");
                check_example(
                    &mut report,
                    operation["operationId"].as_str().unwrap(),
                    &case,
                    body,
                );
            }
        }
    }
    report.finish("github-openapi/examples", 25);
}

fn check_example(report: &mut Report, operation: &str, case: &str, body: &Value) {
    match operation {
        "actions/get-workflow-run" | "actions/get-workflow-run-attempt" => {
            check_run(report, case, body);
        }
        "actions/list-workflow-runs-for-repo" => {
            check_each::<wire::Run>(report, case, &body["workflow_runs"]);
            for run in body["workflow_runs"].as_array().unwrap() {
                check_run(report, case, run);
            }
        }
        "actions/list-jobs-for-workflow-run" => {
            check_each::<wire::Job>(report, case, &body["jobs"]);
            for job in body["jobs"].as_array().unwrap() {
                check_job(report, case, job);
            }
        }
        "actions/get-pending-deployments-for-run" => {
            check_each::<wire::PendingDeployment>(report, case, body);
            for one in body.as_array().unwrap() {
                let read: wire::PendingDeployment = decode(one).unwrap();
                let reviewers = one["reviewers"].as_array().unwrap().len();
                report.check(
                    case,
                    read.reviewers.as_ref().map(Vec::len) == Some(reviewers)
                        && read.current_user_can_approve
                            == one["current_user_can_approve"].as_bool()
                        && read.wait_timer == one["wait_timer"].as_u64()
                        && read.wait_timer_started_at.is_some(),
                    || format!("{read:?}"),
                );
            }
        }
        "actions/get-reviews-for-run" => {
            check_each::<wire::Approval>(report, case, body);
            for one in body.as_array().unwrap() {
                let review = map::review(&decode(one).unwrap());
                report.check(
                    case,
                    review.state == ReviewState::Approved
                        && review.environments.len() == 1
                        && review.user.is_some(),
                    || format!("{review:?}"),
                );
            }
        }
        "repos/get-all-environments" => {
            check_each::<wire::Environment>(report, case, &body["environments"]);
        }
        "repos/get-deployment" | "repos/create-deployment" if body.get("id").is_some() => {
            check_deployment(report, case, body);
        }
        // Merged first: nothing was deployed, and it does not look like a deployment.
        "repos/create-deployment" => {
            report.check(case, decode::<wire::Deployment>(body).is_err(), || {
                "a message was read as a deployment".to_owned()
            });
        }
        "repos/get-deployment-status" => check_status(report, case, body),
        "repos/list-deployment-statuses" => {
            check_each::<wire::DeploymentStatus>(report, case, body);
        }
        "repos/compare-commits-with-basehead" => {
            let read: wire::Comparison = decode(body).unwrap();
            report.check(
                case,
                read.commits.unreadable == 0
                    && read.total_commits == body["total_commits"].as_u64()
                    && read.behind_by == body["behind_by"].as_u64(),
                || format!("{read:?}"),
            );
        }
        "users/get-authenticated" => {
            let read: wire::User = decode(body).unwrap();
            report.check(
                case,
                map::name(&read).as_deref() == word(body, "login"),
                || format!("{read:?}"),
            );
        }
        "meta/get-all-versions" => {
            let read = decode::<Vec<String>>(body);
            report.check(case, read.is_ok(), || format!("{read:?}"));
        }
        // Not read by this program.
        _ => {}
    }
}

#[test]
fn every_object_in_a_webhook_payload_is_readable() {
    let Some(root) = root() else { return };
    let mut report = Report::default();
    for (file, payload) in files(&root.join("github-webhooks")) {
        let object = |key: &str| payload.get(key).filter(|value| value.is_object());
        if let Some(run) = object("workflow_run") {
            check_run(&mut report, &file, run);
        }
        if let Some(job) = object("workflow_job") {
            check_job(&mut report, &file, job);
        }
        if let Some(deployment) = object("deployment") {
            check_deployment(&mut report, &file, deployment);
        }
        if let Some(status) = object("deployment_status") {
            check_status(&mut report, &file, status);
        }
    }
    report.finish("github-webhooks", 40);
}

#[test]
fn partial_bodies_of_another_client_are_readable() {
    let Some(root) = root() else { return };
    let mut report = Report::default();
    for (file, test) in files(&root.join("github-go-github")) {
        let body = &test["body"];
        // This one is what is sent, not what is answered, and so has no id.
        if file.contains("CreateDeploymentStatus") {
            report.check(&file, body.get("id").is_none(), || {
                "it has an id".to_owned()
            });
        } else if file.starts_with("repos_environments") {
            let read = decode::<wire::Environment>(body);
            report.check(&file, read.is_ok(), || format!("{read:?}"));
        }
    }
    report.finish("github-go-github", 4);
}

/// Every word that the description allows is one that is known here.
#[test]
fn no_word_of_the_description_is_unknown() {
    let Some(root) = root() else { return };
    let all = super::json(&root.join("github-openapi/github-rest.trimmed.openapi.json"));
    let schema = |name: &str, field: &str| -> Vec<String> {
        let pointer = format!("/components/schemas/{name}/properties/{field}/enum");
        let words = all.pointer(&pointer).and_then(Value::as_array);
        words
            .unwrap_or_else(|| panic!("{pointer}"))
            .iter()
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect()
    };
    let mut report = Report::default();
    for status in schema("job", "status") {
        let phase = map::phase(Some(&status), Some("success"));
        report.check(&status, !matches!(phase, RunPhase::Unknown(_)), || {
            "unknown".to_owned()
        });
    }
    for word in schema("job", "conclusion") {
        let conclusion = map::conclusion(Some(&word));
        report.check(&word, !matches!(conclusion, Conclusion::Unknown(_)), || {
            "unknown".to_owned()
        });
        report.check(
            &word,
            (conclusion == Conclusion::Success) == (word == "success"),
            || "taken for success".to_owned(),
        );
    }
    let filter = all
        .pointer("/components/parameters/workflow-run-status/schema/enum")
        .and_then(Value::as_array)
        .expect("the words of the filter");
    for word in filter.iter().filter_map(Value::as_str) {
        let known = !matches!(map::phase(Some(word), None), RunPhase::Unknown(_))
            || !matches!(map::conclusion(Some(word)), Conclusion::Unknown(_));
        report.check(word, known, || "unknown".to_owned());
    }
    for word in schema("deployment-status", "state") {
        let wire: (wire::Deployment, Vec<wire::DeploymentStatus>) = (
            decode(&serde_json::json!({"id": 1, "sha": "a".repeat(40)})).unwrap(),
            decode(&serde_json::json!([{"id": 1, "state": word, "created_at": "2026-07-14T10:00:00Z"}])).unwrap(),
        );
        let now = "2026-07-14T11:00:00Z".parse().unwrap();
        let to = map::deployed_to(&"prod".into(), &[wire], now);
        let one = to.live.or(to.incoming).or(to.failed_since);
        report.check(
            &word,
            word == "inactive"
                || one.is_some_and(|one| !matches!(one.state, DeploymentState::Unknown(_))),
            || "unknown".to_owned(),
        );
    }
    report.finish("github words", 30);
}
