//! Somebody else writes between the read that an operator decided on and the write: nothing of theirs is overwritten, no
//! step is taken twice, and a request whose answer was lost is never sent again.

use std::sync::{Arc, Barrier};

use serde_json::json;

use super::{
    objects::{Subject, canary_at_a_pause, canary_object, step, word},
    program::User,
    proxy::{Proxy, Then},
    world::{World, shared},
};

/// The subject at a pause, as a test thread of its own can hold it.
fn at_a_pause(world: &World, name: &'static str) -> Subject<'static> {
    canary_at_a_pause(world, name)
}

#[test]
fn a_promotion_by_somebody_else_is_not_followed_by_a_second_one() {
    let Some(world) = shared() else { return };
    let subject = at_a_pause(world, "raced");
    let proxy = Proxy::before(world.operator, move |before, _| {
        if before == 0 {
            subject.status(&json!({ "pauseConditions": null }));
            subject.until_paused_at(3);
        }
        Then::Forward
    });
    User::behind(&proxy)
        .act("promote raced --yes")
        .refused_by_the_machine("step 2 to step 4");
    assert_eq!(proxy.written().len(), 1);
    assert_eq!(subject.step(), 3);
}

#[test]
fn noise_in_the_status_delays_a_promotion_and_does_not_double_it() {
    let Some(world) = shared() else { return };
    let subject = at_a_pause(world, "noisy");
    let proxy = Proxy::before(world.operator, move |before, _| {
        if before == 0 {
            noise(subject, before);
        }
        Then::Forward
    });
    User::behind(&proxy).act("promote noisy --yes").observed();
    assert_eq!(proxy.written().len(), 2);
    subject.until_paused_at(3);
    assert_eq!(world.verdict("noisy"), "Paused - CanaryPauseStep");
}

#[test]
fn a_release_that_never_holds_still_is_given_up() {
    let Some(world) = shared() else { return };
    let subject = at_a_pause(world, "restless");
    let proxy = Proxy::before(world.operator, move |before, _| {
        noise(subject, before);
        Then::Forward
    });
    User::behind(&proxy)
        .act("promote restless --yes")
        .refused_by_the_machine("keeps changing");
    assert!((2..10).contains(&proxy.written().len()));
    assert_eq!(subject.step(), 1);
}

/// A new resource version, and nothing else that anybody decides on.
fn noise(subject: Subject<'_>, count: usize) {
    subject.api.patch(
        &subject.path(),
        &json!({ "metadata": { "annotations": { "noise": count.to_string() } } }),
    );
}

#[test]
fn a_lost_answer_is_made_up_for_by_looking() {
    let Some(world) = shared() else { return };
    let subject = at_a_pause(world, "lost-answer");
    let proxy = Proxy::before(world.operator, |_, _| Then::LoseTheAnswer);
    User::behind(&proxy)
        .act("promote lost-answer --yes")
        .observed();
    assert_eq!(proxy.written().len(), 1);
    subject.until_paused_at(3);
}

#[test]
fn a_request_that_perhaps_arrived_is_unknown_and_not_sent_again() {
    let Some(world) = shared() else { return };
    let subject = at_a_pause(world, "lost-request");
    let proxy = Proxy::before(world.operator, |_, _| Then::LoseTheRequest);
    let user = User::behind(&proxy);
    let ran = user.act("promote lost-request --yes").exits(5);
    assert_eq!(ran.outcome(), "unknown");
    assert_eq!(proxy.written().len(), 1);
    assert_eq!(subject.step(), 1);
    user.run("audit verify").exits(0);
}

#[test]
fn a_release_that_was_deleted_and_made_again_is_left_alone() {
    let Some(world) = shared() else { return };
    let subject = at_a_pause(world, "reborn");
    let proxy = Proxy::before(world.operator, move |before, _| {
        if before == 0 {
            subject.api.delete(&subject.path());
            subject.api.until_gone(&subject.path());
            subject.api.create(&canary_object("shop", "reborn"));
            subject.until_healthy();
            subject.release("v2");
            subject.until_paused_at(1);
        }
        Then::Forward
    });
    User::behind(&proxy)
        .act("promote reborn --yes")
        .refused_by_the_machine("deleted");
    assert_eq!(proxy.written().len(), 1);
    assert_eq!(subject.step(), 1);
    assert_eq!(world.verdict("reborn"), "Paused - CanaryPauseStep");
}

/// The same in an emergency, which rests on less: a new object is another object all the same.
#[test]
fn an_emergency_does_not_reach_a_new_object_of_the_same_name() {
    let Some(world) = shared() else { return };
    let subject = at_a_pause(world, "reborn-emergency");
    let proxy = Proxy::before(world.operator, move |before, _| {
        if before == 0 {
            subject.api.delete(&subject.path());
            subject.api.until_gone(&subject.path());
            subject
                .api
                .create(&canary_object("shop", "reborn-emergency"));
            subject.until_healthy();
            subject.release("v2");
            subject.until_paused_at(1);
        }
        Then::Forward
    });
    User::behind(&proxy)
        .act("backout reborn-emergency --yes")
        .refused_by_the_machine("deleted");
    assert_ne!(subject.now()["status"]["abort"], true);
}

#[test]
fn two_at_once_take_one_step_together() {
    let Some(world) = shared() else { return };
    let subject = at_a_pause(world, "both");
    // Each has decided and is about to write before either has written.
    let both = Arc::new(Barrier::new(2));
    let proxies: Vec<Proxy> = (0..2)
        .map(|_| {
            let both = Arc::clone(&both);
            Proxy::before(world.operator, move |before, _| {
                if before == 0 {
                    both.wait();
                }
                Then::Forward
            })
        })
        .collect();
    let users: Vec<User> = proxies.iter().map(User::behind).collect();
    let running: Vec<_> = users
        .iter()
        .map(|user| user.start("promote both --yes --write --json"))
        .collect();
    let codes: Vec<i32> = running
        .into_iter()
        .map(|child| child.wait_with_output().unwrap().status.code().unwrap())
        .collect();
    assert!(codes.iter().all(|code| [0, 3].contains(code)), "{codes:?}");
    assert!(codes.contains(&0), "{codes:?}");
    let now = subject.until_phase("Paused");
    assert_eq!(step(&now), 3, "{codes:?}");
    assert_eq!(
        word(&now, "/status/pauseConditions/0/reason"),
        "CanaryPauseStep"
    );
}
