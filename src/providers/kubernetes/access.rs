//! Who we are to the server and what we may do there, as the server says it. Asked beforehand, so that a key that
//! cannot work says so before it is pressed. Decides nothing.

use bytes::Bytes;
use futures::future::join_all;
use serde::Deserialize;
use serde_json::json;

use super::{
    client::{ApiPath, Client, decode},
    error::Error,
};
use crate::model::{
    id::Namespace,
    source::{Access, Answer, Need, WhoAmI},
    text::sanitise,
};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Review {
    status: ReviewStatus,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ReviewStatus {
    allowed: Option<bool>,
    denied: Option<bool>,
    evaluation_error: Option<String>,
    user_info: Option<UserInfo>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct UserInfo {
    username: Option<String>,
    groups: Option<Vec<String>>,
}

/// The server's name for us. A server older than 1.28, or one that does not let us ask, leaves the kubeconfig's name,
/// marked as that: it is what somebody called the login, not who it is.
pub async fn who(client: &Client) -> Result<WhoAmI, Error> {
    let path = ApiPath::new(&["apis", "authentication.k8s.io", "v1", "selfsubjectreviews"]);
    let body = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "SelfSubjectReview",
    });
    match client.ask(&path, Bytes::from(body.to_string())).await {
        Ok(answer) => {
            let review: Review = decode(&answer)?;
            let user = review.status.user_info.unwrap_or_default();
            match user.username.filter(|name| !name.is_empty()) {
                Some(name) => Ok(WhoAmI {
                    name: sanitise(&name),
                    groups: user
                        .groups
                        .unwrap_or_default()
                        .iter()
                        .map(|group| sanitise(group))
                        .collect(),
                }),
                None => Ok(by_kubeconfig(client)),
            }
        }
        Err(Error::NotFound(_) | Error::Forbidden(_)) => Ok(by_kubeconfig(client)),
        Err(error) => Err(error),
    }
}

fn by_kubeconfig(client: &Client) -> WhoAmI {
    let name = client.user().map_or_else(
        || "unknown (the server does not say)".to_owned(),
        |user| format!("{user} (the kubeconfig's name)"),
    );
    WhoAmI {
        name: sanitise(&name),
        groups: Vec::new(),
    }
}

/// What we may do in this namespace, all questions at once. A question that fails is an answer of its own: not allowed,
/// and said as what it is.
pub async fn review(client: &Client, namespace: &Namespace, needs: &[Need]) -> Access {
    let questions = needs.iter().map(|need| async move {
        let answer = match ask(client, namespace, *need).await {
            Ok(answer) => answer,
            Err(error) => Answer::NotAnswered(error.sentence()),
        };
        (*need, answer)
    });
    let answers = join_all(questions).await;
    Access {
        namespace: namespace.clone(),
        answers,
        asked: client.now(),
    }
}

async fn ask(client: &Client, namespace: &Namespace, need: Need) -> Result<Answer, Error> {
    let (verb, group, resource, subresource) = attributes(need);
    let mut what = json!({
        "namespace": namespace.as_str(),
        "verb": verb,
        "group": group,
        "resource": resource,
    });
    if let (Some(subresource), Some(what)) = (subresource, what.as_object_mut()) {
        what.insert("subresource".to_owned(), subresource.into());
    }
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": what },
    });
    let path = ApiPath::new(&[
        "apis",
        "authorization.k8s.io",
        "v1",
        "selfsubjectaccessreviews",
    ]);
    let answer = client.ask(&path, Bytes::from(body.to_string())).await?;
    let status = decode::<Review>(&answer)?.status;
    Ok(
        match (status.allowed, status.denied, status.evaluation_error) {
            (Some(true), denied, _) if denied != Some(true) => Answer::Allowed,
            (_, Some(true), _) => Answer::Denied,
            // Nobody said yes, and somebody could not be asked (a webhook that is down).
            (_, _, Some(error)) if !error.is_empty() => Answer::NotAnswered(sanitise(&error)),
            _ => Answer::Denied,
        },
    )
}

const fn attributes(
    need: Need,
) -> (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
) {
    match need {
        Need::PatchRollouts => ("patch", "argoproj.io", "rollouts", None),
        Need::PatchRolloutsStatus => ("patch", "argoproj.io", "rollouts", Some("status")),
        Need::PatchDeployments => ("patch", "apps", "deployments", None),
        Need::PatchStatefulSets => ("patch", "apps", "statefulsets", None),
        Need::PatchDaemonSets => ("patch", "apps", "daemonsets", None),
        Need::PatchReplicaSets => ("patch", "apps", "replicasets", None),
        Need::CreateEvents => ("create", "", "events", None),
        Need::ReadLogs => ("get", "", "pods", Some("log")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::source::Answer as Said,
        providers::kubernetes::fake::{Answer, Fake},
    };

    #[tokio::test]
    async fn the_server_says_who_we_are() {
        let fake = Fake::start(|_| {
            let user = json!({"username": "alice\u{1b}[31m", "groups": ["sre"]});
            Answer::json(&json!({"status": {"userInfo": user}}))
        })
        .await;
        let who = who(&fake.client()).await.expect("who");
        assert_eq!(&*who.name, "alice");
        assert_eq!(who.groups.iter().map(|g| &**g).collect::<Vec<_>>(), ["sre"]);
    }

    #[tokio::test]
    async fn a_server_that_does_not_say_leaves_a_name_that_is_marked() {
        for status in [403, 404] {
            let fake = Fake::start(move |_| Answer::text(status, "no")).await;
            let who = who(&fake.client()).await.expect("who");
            assert!(who.name.contains("the server does not say"), "{}", who.name);
        }
        let fake = Fake::start(|_| Answer::text(500, "no")).await;
        assert!(
            who(&fake.client()).await.is_err(),
            "a failure is not an answer"
        );
    }

    #[tokio::test]
    async fn each_need_is_asked_for_by_itself_and_no_opinion_is_no() {
        let fake = Fake::start(|asked| {
            let body: serde_json::Value = serde_json::from_str(&asked.body).expect("json");
            let what = &body["spec"]["resourceAttributes"];
            assert_eq!(what["namespace"], "shop");
            let name = format!(
                "{} {}/{}",
                what["verb"], what["resource"], what["subresource"]
            );
            match name.replace('"', "").as_str() {
                "patch rollouts/status" => Answer::json(&json!({"status": {"allowed": true}})),
                "patch rollouts/null" => Answer::json(&json!({"status": {"allowed": false}})),
                "patch deployments/null" => {
                    Answer::json(&json!({"status": {"allowed": true, "denied": true}}))
                }
                "get pods/log" => {
                    let status = json!({"allowed": false, "evaluationError": "webhook down"});
                    Answer::json(&json!({"status": status}))
                }
                "create events/null" => Answer::json(&json!({})),
                _ => Answer::text(500, "no"),
            }
        })
        .await;
        let access = review(&fake.client(), &Namespace::new("shop"), &Need::ALL).await;
        assert_eq!(access.to(Need::PatchRolloutsStatus), Some(&Said::Allowed));
        assert_eq!(access.to(Need::PatchRollouts), Some(&Said::Denied));
        assert_eq!(access.to(Need::PatchDeployments), Some(&Said::Denied));
        assert_eq!(access.to(Need::CreateEvents), Some(&Said::Denied));
        for need in [Need::ReadLogs, Need::PatchDaemonSets] {
            assert!(
                matches!(access.to(need), Some(Said::NotAnswered(_))),
                "{need:?}"
            );
        }
    }
}
