//! T30: the two roles in `assets/rbac` are enough, and nothing in them is too much. The program runs against the demo's API
//! server, and an authoriser that knows nothing but the roles looks at every request that arrived. What a role does not
//! allow is said before a key is pressed. Needs no night; what a real authoriser says of them is in `real::rbac`.

use std::collections::BTreeSet;

use serde_json::Value;
use windlass::{
    app::msg::Msg,
    model::{
        event::{Fact, SourceEvent},
        id::EnvironmentName,
        source::{Access, Answer, Need},
    },
    ops::{guard::Decision, intent::Verb},
};

use crate::{
    reducer::{ENVIRONMENT, WORLDS, World},
    whole::shop::Shop,
};

/// `(group, resource, verb)`, as a role lists it.
type Right = (String, String, String);

fn role(name: &str) -> BTreeSet<Right> {
    let path = format!("{}/assets/rbac/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let role: Value = serde_saphyr::from_str(&text).unwrap();
    assert_eq!(role["kind"], "ClusterRole");
    assert_eq!(role["metadata"]["name"], format!("windlass-{name}"));
    let texts = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it.as_str().unwrap().to_owned())
            .collect()
    };
    let mut rights = BTreeSet::new();
    for rule in role["rules"].as_array().unwrap() {
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                for verb in texts(&rule["verbs"]) {
                    rights.insert((group.clone(), resource.clone(), verb));
                }
            }
        }
    }
    rights
}

fn right(group: &str, resource: &str, verb: &str) -> Right {
    (group.to_owned(), resource.to_owned(), verb.to_owned())
}

/// What a need asks for, as its own words have it: `patch rollouts/status`.
fn right_of(need: Need) -> Right {
    let (verb, resource) = need.words().split_once(' ').unwrap();
    let group = match resource.split('/').next().unwrap() {
        "rollouts" => "argoproj.io",
        "events" | "pods" => "",
        _ => "apps",
    };
    right(group, resource, verb)
}

#[test]
fn t30_the_roles_name_what_they_allow_and_allow_no_secret() {
    let (viewer, operator) = (role("viewer"), role("operator"));
    for (group, resource, verb) in viewer.iter().chain(&operator) {
        for word in [group, resource, verb] {
            assert!(!word.contains('*'), "{group} {resource} {verb}");
        }
        assert!(!resource.starts_with("secrets"), "{resource}");
    }
    for (_, resource, verb) in &viewer {
        assert!(
            ["get", "list", "watch"].contains(&verb.as_str()),
            "{verb} {resource}"
        );
    }
    // What a key can need and what the role has are the same, in both directions.
    let needed: BTreeSet<Right> = Need::ALL.into_iter().map(right_of).collect();
    let (reads, writes): (BTreeSet<Right>, BTreeSet<Right>) =
        needed.into_iter().partition(|(_, _, verb)| verb == "get");
    assert_eq!(operator, writes);
    assert!(reads.is_subset(&viewer), "{reads:?}");
}

/// What an authoriser makes of a request.
fn asked(method: &str, path: &str) -> Option<Right> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (group, rest) = match parts.as_slice() {
        ["api", _, rest @ ..] => ("", rest),
        ["apis", group, _, rest @ ..] => (*group, rest),
        // Versions and discovery, which everybody may read.
        _ => return None,
    };
    let rest = match rest {
        ["namespaces", _, rest @ ..] if !rest.is_empty() => rest,
        rest => rest,
    };
    let (resource, name) = match rest {
        [] => return None,
        [resource] => ((*resource).to_owned(), None),
        [resource, name] => ((*resource).to_owned(), Some(name)),
        [resource, name, part, ..] => (format!("{resource}/{part}"), Some(name)),
    };
    let verb = match (method, name) {
        ("GET", Some(_)) => "get",
        ("GET", None) if query.contains("watch=") => "watch",
        ("GET", None) => "list",
        ("PATCH", _) => "patch",
        ("POST", _) => "create",
        _ => panic!("nothing sends {method}"),
    };
    Some(right(group, &resource, verb))
}

#[test]
fn t30_the_program_asks_for_nothing_that_the_roles_do_not_allow() {
    let shop = Shop::open("canary");
    let service = "checkout";
    shop.run(&["status"]).exits(0);
    shop.run(&["history", service]).exits(0);
    let mut screen = shop.screen();
    screen.until_live();
    screen.key("\r");
    screen.until("Pods 15");
    screen.key("\t\t");
    screen.until("new  3");
    screen.key("l");
    screen.until("● following");
    screen.key("\x1b");
    screen.until_gone("● following");
    screen.key("q");
    screen.ended();
    for verb in ["pause", "resume", "promote", "abort"] {
        // Which of them the state allows is not the matter here; each reads, and some write.
        shop.act(&[
            verb,
            service,
            "--yes",
            "--confirm",
            "prod-eu",
            "--timeout",
            "2s",
        ]);
    }
    let (viewer, operator) = (role("viewer"), role("operator"));
    let mut used = BTreeSet::new();
    for request in shop.requests_to("kubernetes") {
        let Some(wanted) = asked(&request.method, &request.path) else {
            continue;
        };
        // Everybody who is logged in may ask who they are and what they may do (system:basic-user).
        if wanted.1.starts_with("selfsubject") {
            continue;
        }
        let may = viewer.contains(&wanted) || operator.contains(&wanted);
        assert!(may, "{} {} needs {wanted:?}", request.method, request.path);
        let writes = request.method != "GET";
        assert_eq!(
            writes,
            operator.contains(&wanted),
            "{} {}",
            request.method,
            request.path
        );
        used.insert(wanted);
    }
    // It would hold of a program that asks for nothing.
    for wanted in [
        right("argoproj.io", "rollouts", "watch"),
        right("argoproj.io", "rollouts", "patch"),
        right("argoproj.io", "rollouts/status", "patch"),
        right("", "events", "create"),
        right("", "pods", "watch"),
        right("", "pods/log", "get"),
        right("apps", "replicasets", "list"),
    ] {
        assert!(
            used.contains(&wanted),
            "{wanted:?} was never needed: {used:#?}"
        );
    }
}

#[test]
fn t30_what_is_forbidden_is_said_before_a_key_is_pressed_and_never_sent() {
    for name in WORLDS {
        for missing in Need::ALL {
            let mut world = World::new(name);
            let access = Access {
                namespace: world.rollout.id.namespace.clone(),
                answers: Need::ALL
                    .map(|need| {
                        (
                            need,
                            if need == missing {
                                Answer::Denied
                            } else {
                                Answer::Allowed
                            },
                        )
                    })
                    .to_vec(),
                asked: world.now,
            };
            world.happens(Msg::Source(vec![SourceEvent {
                environment: EnvironmentName::new(ENVIRONMENT),
                fact: Fact::Access(access),
            }]));
            let words = format!("not permitted: {}", missing.words());
            for verb in Verb::OF_ROLLOUT {
                let id = &world.rollout.id;
                let release = world.state.releases.find(id).unwrap();
                let needed = windlass::ops::offer::needs(verb, release).any(|need| need == missing);
                let offer = world.state.offer(verb, id);
                let said = offer
                    .because
                    .iter()
                    .any(|why| why.words().starts_with(&words));
                assert_eq!(
                    said, needed,
                    "{name} {verb:?} without {missing:?}: {offer:?}"
                );
                // And what was asked beforehand is asked of the plan: its own needs are no more than what was said.
                if let Some(plan) = world.plan_of(verb) {
                    let denied =
                        world.state.guards(&plan).iter().any(|guard| {
                            guard.name == "permitted" && guard.answer == Decision::Deny
                        });
                    assert_eq!(
                        denied,
                        plan.needs.contains(&missing),
                        "{name} {verb:?} without {missing:?}"
                    );
                    assert!(
                        !denied || said,
                        "{name} {verb:?} needs {missing:?}, and nobody said so"
                    );
                }
            }
        }
    }
}
