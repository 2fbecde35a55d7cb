//! The source against a server on loopback.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::{
    model::source::SourceState,
    providers::kubernetes::fake::{Answer, Asked, Fake, client, end_of_list, line},
};

fn rollout(name: &str, version: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop", "uid": format!("u-{name}"), "resourceVersion": version}})
}

fn set(name: &str, owner: &str) -> Value {
    let owners = json!([{"kind": owner, "uid": "o", "name": "x", "controller": true}]);
    json!({"metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": "5", "ownerReferences": owners}})
}

/// An ordinary server with nothing but what `rollouts` says.
fn ordinary(asked: &Asked, rollouts: impl Fn(&Asked) -> Answer) -> Answer {
    if asked.line.contains("selfsubjectreviews") {
        return Answer::json(&json!({"status": {"userInfo": {"username": "alice"}}}));
    }
    if asked.line.contains("/rollouts") {
        return rollouts(asked);
    }
    match asked.since() {
        Some(_) => Answer::hold(&[]),
        None => Answer::hold(&[end_of_list("10")]),
    }
}

fn forbidden() -> Answer {
    Answer::text(
        403,
        "{\"message\":\"rollouts is forbidden: User alice cannot list\"}",
    )
}

/// Facts until one says enough, in words.
async fn told(client: Client, until: impl Fn(&Fact) -> bool) -> Vec<String> {
    told_in(client, vec![], until).await
}

async fn told_in(
    client: Client,
    namespaces: Vec<Namespace>,
    until: impl Fn(&Fact) -> bool,
) -> Vec<String> {
    let (sender, mut receiver) = mpsc::channel::<Vec<SourceEvent>>(4);
    let options = Options {
        environment: EnvironmentName::new("test"),
        namespaces,
        seed: Some(3),
    };
    let read = async {
        let mut words = Vec::new();
        while let Some(batch) = receiver.recv().await {
            for event in batch {
                words.push(in_words(&event.fact));
                if until(&event.fact) {
                    return words;
                }
            }
        }
        words
    };
    let all = async {
        tokio::select! {
            words = read => words,
            () = run(client, options, sender) => panic!("it ended by itself"),
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all)
        .await
        .expect("enough was told")
}

fn in_words(fact: &Fact) -> String {
    let of = |collection: &Collection| match &collection.namespace {
        Some(namespace) => format!("{} in {namespace}", plural(collection.kind)),
        None => plural(collection.kind).to_owned(),
    };
    match fact {
        Fact::Begin(collection) => format!("begin {}", of(collection)),
        Fact::Complete(collection) => format!("complete {}", of(collection)),
        Fact::Absent(collection) => format!("absent {}", of(collection)),
        Fact::Rollout(rollout) => format!("rollout {}@{}", rollout.id.name, rollout.version),
        Fact::RolloutGone { id, uid } => format!("gone {} {uid}", id.name),
        Fact::ReplicaSet(owned) => format!("set {}", owned.set.uid),
        Fact::ReplicaSetGone { uid, .. } => format!("set gone {uid}"),
        Fact::Health(health) => format!("{}: {}", health.state.word(), health.detail),
        Fact::Who(who) => format!("who {}", who.name),
        Fact::Heard(_) => "heard".to_owned(),
        Fact::Access(_) => "access".to_owned(),
    }
}

fn is(state: SourceState) -> impl Fn(&Fact) -> bool {
    move |fact| matches!(fact, Fact::Health(health) if health.state == state)
}

fn of_rollouts(words: &[String]) -> Vec<&str> {
    words
        .iter()
        .map(String::as_str)
        .filter(|word| {
            word.ends_with("rollouts")
                || word.contains("rollouts in")
                || word.starts_with("rollout ")
                || word.starts_with("gone")
        })
        .collect()
}

#[tokio::test]
async fn a_collection_is_told_from_begin_to_complete_and_then_the_whole_is_live() {
    let fake = Fake::start(|asked| {
        if asked.line.contains("replicasets") {
            let sets = ["Rollout", "Deployment", "Experiment", "Somebody"];
            let mut lines: Vec<String> = sets
                .iter()
                .map(|kind| line("ADDED", &set(kind, kind)))
                .collect();
            lines.push(end_of_list("10"));
            return Answer::hold(&lines);
        }
        ordinary(asked, |_| {
            let lines = [
                line("ADDED", &rollout("a", "3")),
                line("ADDED", &rollout("b", "7")),
            ];
            Answer::hold(&[lines.to_vec(), vec![end_of_list("10")]].concat())
        })
    })
    .await;
    let words = told(fake.client(), is(SourceState::Live)).await;
    assert_eq!(
        of_rollouts(&words),
        [
            "begin rollouts",
            "rollout a@3",
            "rollout b@7",
            "complete rollouts"
        ]
    );
    let sets: Vec<_> = words
        .iter()
        .filter(|word| word.starts_with("set ") && !word.starts_with("set gone"))
        .collect();
    assert_eq!(
        sets,
        ["set Rollout", "set Deployment"],
        "only those of a release"
    );
    assert!(words.contains(&"who alice".to_owned()));
    assert!(words.contains(&"heard".to_owned()));
    assert_eq!(words.last().map(String::as_str), Some("live: "));
    assert_eq!(fake.requests().len(), 6, "{:?}", fake.requests());
}

#[tokio::test]
async fn a_broken_watch_goes_on_where_it_was_and_lists_nothing() {
    let fake = Fake::start(|asked| {
        ordinary(asked, |asked| match asked.since() {
            None => Answer::cut(&[line("ADDED", &rollout("a", "3")), end_of_list("10")], ""),
            Some("10") => Answer::cut(&[line("MODIFIED", &rollout("a", "12"))], "{\"type\":\"MODI"),
            Some("12") => Answer::end(&[line("DELETED", &rollout("a", "14"))]),
            Some("14") => Answer::hold(&[line("ADDED", &rollout("z", "15"))]),
            Some(other) => panic!("resumed at {other}"),
        })
    })
    .await;
    let words = told(fake.client(), |fact| in_words(fact) == "rollout z@15").await;
    assert_eq!(
        of_rollouts(&words),
        [
            "begin rollouts",
            "rollout a@3",
            "complete rollouts",
            "rollout a@12",
            "gone a u-a",
            "rollout z@15"
        ]
    );
}

#[tokio::test]
async fn a_line_of_error_410_lists_again() {
    let lists = AtomicUsize::new(0);
    let fake = Fake::start(move |asked| {
        ordinary(asked, |asked| match asked.since() {
            None if lists.fetch_add(1, Ordering::Relaxed) > 1 => panic!("listed too often"),
            None => Answer::end(&[line("ADDED", &rollout("a", "3")), end_of_list("10")]),
            Some(_) => {
                let gone = json!({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"});
                Answer::end(&[line("ERROR", &gone)])
            }
        })
    })
    .await;
    let completed = AtomicUsize::new(0);
    let words = told(fake.client(), |fact| {
        in_words(fact) == "complete rollouts" && completed.fetch_add(1, Ordering::Relaxed) == 1
    })
    .await;
    assert_eq!(
        of_rollouts(&words)
            .iter()
            .filter(|w| **w == "begin rollouts")
            .count(),
        2
    );
}

#[tokio::test]
async fn a_server_without_streamed_lists_is_read_by_pages() {
    let fake = Fake::start(|asked| {
        if asked.line.contains("sendInitialEvents") {
            return Answer::text(422, "{\"message\":\"sendInitialEvents is forbidden\"}");
        }
        let list = |items: Vec<Value>, token: &str| {
            Answer::json(
                &json!({"metadata": {"resourceVersion": "9", "continue": token}, "items": items}),
            )
        };
        if asked.since().is_some() {
            return Answer::hold(&[]);
        }
        if asked.line.contains("selfsubject") {
            return Answer::text(404, "404 page not found");
        }
        match (
            asked.line.contains("/rollouts"),
            asked.line.contains("continue=t"),
        ) {
            (true, false) => list(vec![rollout("a", "3")], "t"),
            (true, true) => list(vec![rollout("b", "4")], ""),
            _ => list(vec![], ""),
        }
    })
    .await;
    let words = told(fake.client(), is(SourceState::Live)).await;
    assert_eq!(
        of_rollouts(&words),
        [
            "begin rollouts",
            "rollout a@3",
            "rollout b@4",
            "complete rollouts"
        ]
    );
    let streams = fake
        .requests()
        .iter()
        .filter(|r| r.contains("sendInitialEvents"))
        .count();
    assert!(
        streams <= 2,
        "the first two find out, the others know: {streams}"
    );
    assert!(words.contains(&"who unknown (the server does not say)".to_owned()));
}

#[tokio::test]
async fn an_ordinary_cluster_without_rollouts_is_live() {
    let fake =
        Fake::start(|asked| ordinary(asked, |_| Answer::text(404, "404 page not found\n"))).await;
    let words = told(fake.client(), is(SourceState::Live)).await;
    assert_eq!(of_rollouts(&words), ["absent rollouts"]);
}

#[tokio::test]
async fn where_listing_across_namespaces_is_forbidden_the_own_namespace_is_watched() {
    let fake = Fake::start(|asked| {
        if asked.line.contains("/namespaces/") || asked.line.contains("selfsubject") {
            return ordinary(asked, |_| {
                Answer::hold(&[line("ADDED", &rollout("a", "3")), end_of_list("10")])
            });
        }
        forbidden()
    })
    .await;
    let words = told(fake.client(), is(SourceState::Live)).await;
    assert_eq!(
        of_rollouts(&words),
        [
            "begin rollouts in default",
            "rollout a@3",
            "complete rollouts in default"
        ]
    );
    let last = words.last().expect("words");
    assert!(last.contains("only namespace default"), "{last}");
}

#[tokio::test]
async fn one_kind_that_may_not_be_seen_does_not_hide_the_rest() {
    let fake = Fake::start(|asked| {
        if asked.line.contains("/daemonsets") {
            return forbidden();
        }
        ordinary(asked, |_| Answer::hold(&[end_of_list("10")]))
    })
    .await;
    let namespaces = vec![Namespace::new("shop")];
    let words = told_in(fake.client(), namespaces, is(SourceState::Live)).await;
    let last = words.last().expect("words");
    assert_eq!(last, "live: not permitted to see daemonsets");
}

#[tokio::test]
async fn all_forbidden_and_not_logged_in_are_two_different_states() {
    let fake = Fake::start(|_| forbidden()).await;
    let words = told(fake.client(), is(SourceState::Forbidden)).await;
    assert!(
        words
            .last()
            .is_some_and(|word| word.contains("User alice cannot list"))
    );
    let fake = Fake::start(|_| Answer::text(401, "{\"message\":\"Unauthorized\"}")).await;
    let words = told(fake.client(), is(SourceState::Unauthorized)).await;
    assert!(
        words
            .last()
            .is_some_and(|word| word.contains("log in again"))
    );
    assert!(
        !words.iter().any(|word| word.starts_with("begin")),
        "nothing is told as empty"
    );
}

#[tokio::test]
async fn something_else_that_answers_is_malformed_and_never_an_empty_cluster() {
    for answer in [
        || Answer::text(200, "<html>login</html>"),
        || Answer::text(200, "{}"),
        || Answer::text(200, "{}\n"),
        || Answer::text(404, "not here"),
    ] {
        let fake = Fake::start(move |asked| {
            if asked.line.contains("sendInitial") {
                return Answer::text(400, "no");
            }
            answer()
        })
        .await;
        let words = told(fake.client(), is(SourceState::Malformed)).await;
        assert!(
            !words.iter().any(|word| word.starts_with("complete")),
            "{words:?}"
        );
    }
}

#[tokio::test]
async fn an_object_that_cannot_be_read_costs_itself_and_is_said() {
    let fake = Fake::start(|asked| {
        ordinary(asked, |_| {
            let bad = json!({"metadata": {"name": "bad", "namespace": "shop"}, "spec": 7});
            let lines = vec![
                line("ADDED", &bad),
                line("ADDED", &rollout("a", "3")),
                end_of_list("10"),
            ];
            Answer::hold(&lines)
        })
    })
    .await;
    let words = told(fake.client(), is(SourceState::Live)).await;
    assert_eq!(
        of_rollouts(&words),
        ["begin rollouts", "rollout a@3", "complete rollouts"]
    );
    assert!(
        words.last().is_some_and(|word| word.contains("shop/bad")),
        "{words:?}"
    );
}

#[tokio::test]
async fn an_outage_is_told_with_the_next_try_and_ends_for_all_watches_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    drop(listener);
    let (sender, mut receiver) = mpsc::channel::<Vec<SourceEvent>>(4);
    let options = Options {
        environment: EnvironmentName::new("test"),
        namespaces: vec![],
        seed: Some(3),
    };
    let read = async {
        let mut server = None;
        while let Some(batch) = receiver.recv().await {
            for event in batch {
                if let Fact::Health(health) = event.fact {
                    if health.state == SourceState::Unreachable && server.is_none() {
                        assert!(health.next_try.is_some(), "{health:?}");
                        assert!(health.detail.contains("cannot be reached"), "{health:?}");
                        let listener = TcpListener::bind(address).await.expect("bind again");
                        server = Some(Fake::on(listener, |asked| {
                            ordinary(asked, |_| Answer::hold(&[end_of_list("10")]))
                        }));
                    }
                    if health.state == SourceState::Live {
                        return;
                    }
                }
            }
        }
    };
    let all = async {
        tokio::select! {
            () = read => {}
            () = run(client(address), options, sender) => panic!("it ended by itself"),
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all)
        .await
        .expect("live again");
}

#[tokio::test]
async fn while_a_server_fails_one_retry_is_under_way_at_a_time_and_none_before_it_wants_one() {
    let fake =
        Fake::start(|_| Answer::text(429, "{\"details\":{\"retryAfterSeconds\":200}}")).await;
    let words = told(fake.client(), is(SourceState::RateLimited)).await;
    assert!(
        words.last().is_some_and(|word| word.contains("429")),
        "{words:?}"
    );
    let (sender, _receiver) = mpsc::channel(64);
    let options = Options {
        environment: EnvironmentName::new("test"),
        namespaces: vec![Namespace::new("a"), Namespace::new("b")],
        seed: None,
    };
    let before = fake.requests().len();
    let running = run(fake.client(), options, sender);
    let _ = tokio::time::timeout(Duration::from_millis(1_500), running).await;
    let asked = fake.requests().len() - before;
    assert!(asked <= 11, "each once, and who we are: {asked}");
}

#[tokio::test]
async fn it_ends_when_nobody_listens() {
    let fake = Fake::start(|asked| ordinary(asked, |_| Answer::hold(&[end_of_list("10")]))).await;
    let (sender, receiver) = mpsc::channel(4);
    drop(receiver);
    let options = Options {
        environment: EnvironmentName::new("test"),
        namespaces: vec![],
        seed: None,
    };
    tokio::time::timeout(Duration::from_secs(5), run(fake.client(), options, sender))
        .await
        .expect("it ended");
}
