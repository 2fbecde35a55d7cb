//! The fields that are read of GitHub's answers. Tolerant: everything but an id may be absent, null or of another type,
//! because a quarter of GitHub's own published examples break its own schema. Never guesses a value.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

/// A value that does not fit is no value: a fact that is merely odd must not cost the whole object.
fn soft<'de, D: Deserializer<'de>, T: DeserializeOwned>(d: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(d)?).ok())
}

/// Text, or what is written without quotes.
fn text<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(d)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

fn number<'de, D: Deserializer<'de>>(d: D) -> Result<Option<u64>, D::Error> {
    Ok(as_number(&Value::deserialize(d)?))
}

/// Without its id an object cannot be named, and so not be acted on.
fn id<'de, D: Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
    as_number(&Value::deserialize(d)?).ok_or_else(|| serde::de::Error::custom("no id"))
}

fn as_number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn time<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(match Value::deserialize(d)? {
        Value::String(text) => text.parse().ok(),
        // Some events count seconds.
        Value::Number(seconds) => seconds
            .as_i64()
            .and_then(|seconds| Timestamp::from_second(seconds).ok()),
        _ => None,
    })
}

/// A list whose elements are read one by one: an odd one is counted, and the others stay. A list that is not there is an
/// error and not an empty one: an answer that is another object would read as "no runs".
#[derive(Debug)]
pub struct Each<T> {
    pub all: Vec<T>,
    pub unreadable: usize,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Each<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let raw: Vec<Box<RawValue>> = Vec::deserialize(d)?;
        let mut each = Self {
            all: Vec::with_capacity(raw.len()),
            unreadable: 0,
        };
        for element in raw {
            match serde_json::from_str(element.get()) {
                Ok(element) => each.all.push(element),
                Err(_) => each.unreadable += 1,
            }
        }
        Ok(each)
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct User {
    #[serde(default, deserialize_with = "text")]
    pub login: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
    /// Of a team.
    #[serde(default, deserialize_with = "text")]
    pub slug: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Run {
    #[serde(deserialize_with = "id")]
    pub id: u64,
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub display_title: Option<String>,
    #[serde(default, deserialize_with = "number")]
    pub run_number: Option<u64>,
    #[serde(default, deserialize_with = "number")]
    pub run_attempt: Option<u64>,
    #[serde(default, deserialize_with = "text")]
    pub event: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub status: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub conclusion: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub head_branch: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub head_sha: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub path: Option<String>,
    #[serde(default, deserialize_with = "time")]
    pub created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    pub run_started_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    pub updated_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "soft")]
    pub actor: Option<User>,
    #[serde(default, deserialize_with = "soft")]
    pub triggering_actor: Option<User>,
    #[serde(default, deserialize_with = "text")]
    pub html_url: Option<String>,
    #[serde(default, deserialize_with = "soft")]
    pub head_commit: Option<HeadCommit>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct HeadCommit {
    #[serde(default, deserialize_with = "text")]
    pub message: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Runs {
    pub workflow_runs: Each<Run>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Job {
    #[serde(deserialize_with = "id")]
    pub id: u64,
    #[serde(default, deserialize_with = "number")]
    pub run_id: Option<u64>,
    #[serde(default, deserialize_with = "number")]
    pub run_attempt: Option<u64>,
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub status: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub conclusion: Option<String>,
    #[serde(default, deserialize_with = "time")]
    pub created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    pub started_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    pub completed_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "text")]
    pub html_url: Option<String>,
    #[serde(default, deserialize_with = "soft")]
    pub steps: Option<Vec<Step>>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Step {
    #[serde(default, deserialize_with = "number")]
    pub number: Option<u64>,
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub status: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub conclusion: Option<String>,
    #[serde(default, deserialize_with = "time")]
    pub started_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    pub completed_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
pub struct Jobs {
    pub jobs: Each<Job>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct PendingDeployment {
    pub environment: Environment,
    #[serde(default, deserialize_with = "number")]
    pub wait_timer: Option<u64>,
    #[serde(default, deserialize_with = "time")]
    pub wait_timer_started_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "soft")]
    pub current_user_can_approve: Option<bool>,
    #[serde(default, deserialize_with = "soft")]
    pub reviewers: Option<Vec<Reviewer>>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Reviewer {
    #[serde(default, deserialize_with = "soft")]
    pub reviewer: Option<User>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Environment {
    #[serde(deserialize_with = "id")]
    pub id: u64,
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Environments {
    pub environments: Each<Environment>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Approval {
    #[serde(default, deserialize_with = "text")]
    pub state: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub comment: Option<String>,
    #[serde(default, deserialize_with = "soft")]
    pub environments: Option<Vec<Environment>>,
    #[serde(default, deserialize_with = "soft")]
    pub user: Option<User>,
}

/// Its `payload` is an object or text, its state is elsewhere: neither is read here.
#[derive(Clone, Debug, Deserialize)]
pub struct Deployment {
    #[serde(deserialize_with = "id")]
    pub id: u64,
    #[serde(default, deserialize_with = "text")]
    pub sha: Option<String>,
    #[serde(default, rename = "ref", deserialize_with = "text")]
    pub reference: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub environment: Option<String>,
    #[serde(default, deserialize_with = "soft")]
    pub creator: Option<User>,
    #[serde(default, deserialize_with = "time")]
    pub created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    pub updated_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct DeploymentStatus {
    #[serde(deserialize_with = "id")]
    pub id: u64,
    #[serde(default, deserialize_with = "text")]
    pub state: Option<String>,
    #[serde(default, deserialize_with = "soft")]
    pub creator: Option<User>,
    #[serde(default, deserialize_with = "time")]
    pub created_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
pub struct Comparison {
    #[serde(default, deserialize_with = "number")]
    pub behind_by: Option<u64>,
    #[serde(default, deserialize_with = "number")]
    pub total_commits: Option<u64>,
    pub commits: Each<Commit>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Commit {
    #[serde(default, deserialize_with = "text")]
    pub sha: Option<String>,
    #[serde(default, deserialize_with = "soft")]
    pub commit: Option<GitCommit>,
    #[serde(default, deserialize_with = "soft")]
    pub author: Option<User>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct GitCommit {
    #[serde(default, deserialize_with = "text")]
    pub message: Option<String>,
    #[serde(default, deserialize_with = "soft")]
    pub author: Option<Signature>,
    #[serde(default, deserialize_with = "soft")]
    pub committer: Option<Signature>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Signature {
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "time")]
    pub date: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_run_costs_neither_its_neighbours_nor_its_own_other_fields() {
        let runs: Runs = serde_json::from_str(
            r#"{"workflow_runs":[
                {"id":"30433642000","name":7,"run_number":"562","actor":"ann","head_branch":null,
                 "created_at":"2020-01-20T09:42:40.000-08:00","updated_at":"yesterday","new":{"a":1}},
                {"name":"no id"},
                {"id":2,"head_commit":{"message":null},"steps":3}
            ]}"#,
        )
        .expect("readable");
        let [first, last] = runs.workflow_runs.all.as_slice() else {
            panic!("two runs: {runs:?}");
        };
        assert_eq!(runs.workflow_runs.unreadable, 1);
        assert_eq!((first.id, last.id), (30_433_642_000, 2));
        assert_eq!(first.name.as_deref(), Some("7"));
        assert_eq!(first.run_number, Some(562));
        assert!(first.actor.is_none() && first.updated_at.is_none());
        assert_eq!(
            first.created_at,
            "2020-01-20T17:42:40Z".parse::<Timestamp>().ok()
        );
    }

    #[test]
    fn a_list_that_is_null_or_not_there_is_no_empty_list() {
        for answer in [r#"{"jobs":null}"#, "{}", r#"{"message":"Bad gateway"}"#] {
            serde_json::from_str::<Jobs>(answer).expect_err(answer);
        }
        let jobs: Jobs = serde_json::from_str(r#"{"jobs":[]}"#).expect("readable");
        assert!(jobs.jobs.all.is_empty() && jobs.jobs.unreadable == 0);
    }

    #[test]
    fn a_deployment_is_read_whatever_its_payload_is() {
        for payload in [r#"{"a":1}"#, r#""text""#, "null", "[1]"] {
            let text = format!(r#"{{"id":4294967297,"payload":{payload},"environment":"a b/c"}}"#);
            let deployment: Deployment = serde_json::from_str(&text).expect("readable");
            assert_eq!(deployment.id, 4_294_967_297);
            assert_eq!(deployment.environment.as_deref(), Some("a b/c"));
        }
    }
}
