//! What the server says about itself and about the caller: version, discovery, reviews.

use std::sync::Arc;

use axum::body::Bytes;
use serde_json::{Value, json};

use super::route::{Review, Route};
use super::{Answer, Api, Asked};
use crate::demo::USER;
use crate::demo::json;
use crate::demo::kind::Kind;

pub(super) fn discovery(route: &Route) -> Result<Answer, ()> {
    let value = match route {
        Route::Health => {
            return Ok(Answer::Raw {
                status: 200,
                kind: "text/plain; charset=utf-8",
                body: Bytes::from_static(b"ok"),
            });
        }
        Route::Version => {
            json!({"major": "1", "minor": "35", "gitVersion": "v1.35.4", "gitCommit": "demo",
            "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "go1.26.8",
            "compiler": "gc", "platform": "linux/amd64"})
        }
        Route::CoreVersions => {
            json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
        }
        Route::Groups => json!({"kind": "APIGroupList", "apiVersion": "v1",
            "groups": GROUPS.map(|(name, version)| group(name, version))}),
        Route::Group(name) => {
            let (name, version) = GROUPS
                .into_iter()
                .find(|(known, _)| known == name)
                .ok_or(())?;
            let mut group = group(name, version);
            json::set(&mut group, &["kind"], "APIGroup");
            json::set(&mut group, &["apiVersion"], "v1");
            group
        }
        Route::Resources { group, version } => resources(group, version).ok_or(())?,
        _ => return Err(()),
    };
    Ok(Answer::Json(200, value))
}

const GROUPS: [(&str, &str); 4] = [
    ("apps", "v1"),
    ("argoproj.io", "v1alpha1"),
    ("authentication.k8s.io", "v1"),
    ("authorization.k8s.io", "v1"),
];

fn group(name: &str, version: &str) -> Value {
    let version = json!({"groupVersion": format!("{name}/{version}"), "version": version});
    json!({"name": name, "versions": [version], "preferredVersion": version})
}

fn resources(group: &str, version: &str) -> Option<Value> {
    let mut listed = Vec::new();
    for kind in Kind::ALL {
        let facts = kind.facts();
        if (facts.group, facts.version) != (group, version) {
            continue;
        }
        let short: Vec<&str> = if facts.short.is_empty() {
            Vec::new()
        } else {
            vec![facts.short]
        };
        listed.push(
            json!({"name": facts.plural, "singularName": facts.kind.to_lowercase(),
            "namespaced": facts.namespaced, "kind": facts.kind, "shortNames": short,
            "verbs": ["create", "get", "list", "patch", "watch"]}),
        );
        for (part, served) in [("status", facts.status), ("scale", facts.scale)] {
            if served {
                listed.push(
                    json!({"name": format!("{}/{part}", facts.plural), "singularName": "",
                    "namespaced": facts.namespaced, "kind": facts.kind, "verbs": ["get", "patch"]}),
                );
            }
        }
    }
    let reviews: &[(&str, &str)] = match group {
        "authentication.k8s.io" => &[("selfsubjectreviews", "SelfSubjectReview")],
        "authorization.k8s.io" => &[
            ("selfsubjectaccessreviews", "SelfSubjectAccessReview"),
            ("selfsubjectrulesreviews", "SelfSubjectRulesReview"),
        ],
        _ => &[],
    };
    for (name, kind) in reviews {
        listed.push(
            json!({"name": name, "singularName": kind.to_lowercase(), "namespaced": false, "kind": kind,
            "verbs": ["create"]}),
        );
    }
    let group_version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    let known = !listed.is_empty() || GROUPS.contains(&(group, version));
    known.then(|| {
        json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": listed})
    })
}

pub(super) fn review(api: &Arc<Api>, asked: &Asked, review: Review) -> Answer {
    let mut body = asked.json().unwrap_or_else(|| json!({}));
    match review {
        Review::Identity => {
            let status =
                json!({"userInfo": {"username": USER, "groups": ["demo", "system:authenticated"]}});
            json::set(&mut body, &["status"], status);
        }
        Review::Rules => {
            let verbs = rules(api, json::text(&body, &["spec", "namespace"]));
            let status = json!({"incomplete": false, "nonResourceRules": [],
                "resourceRules": [{"verbs": verbs, "apiGroups": ["*"], "resources": ["*"]}]});
            json::set(&mut body, &["status"], status);
        }
        Review::Access => {
            let status = access(api, &body);
            json::set(&mut body, &["status"], status);
        }
    }
    Answer::Json(201, body)
}

fn reads(verb: &str) -> bool {
    matches!(verb, "get" | "list" | "watch")
}

fn rules(api: &Api, namespace: &str) -> Vec<&'static str> {
    if api.cluster().sealed.contains(namespace) {
        vec!["get", "list", "watch"]
    } else {
        vec!["*"]
    }
}

fn access(api: &Api, body: &Value) -> Value {
    let attribute = |name: &str| json::text(body, &["spec", "resourceAttributes", name]);
    let namespace = attribute("namespace");
    let sealed = {
        let cluster = api.cluster();
        // No namespace means all of them.
        if namespace.is_empty() {
            !cluster.sealed.is_empty()
        } else {
            cluster.sealed.contains(namespace)
        }
    };
    if sealed && !reads(attribute("verb")) {
        return json!({"allowed": false, "reason": "the demo's namespace is read-only"});
    }
    json!({"allowed": true, "reason": "the demo allows everything else"})
}
