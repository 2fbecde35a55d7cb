//! The order of the Inbox under a finger, and what its keys are about.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use super::*;
use crate::{
    app::{
        beside::{
            Beside,
            tests::{at, beside, gate, rollout, run},
        },
        key::{Code, Key},
        keymap::Keymap,
        msg::Msg,
        state::{Environment, Overlay, Session},
        update,
    },
    model::{
        event::{Fact, SourceEvent, Tidings, Told},
        id::{IntentId, SourceId},
        pipeline::{Missing, Repository, RepositoryFacts, Run, RunPhase},
        rollout::Links,
        source::{SourceHealth, SourceState, Tier},
        text::Safe,
    },
    ops::{guard::Arming, machine::OutcomeKind},
};

/// A run of this repository that has waited at the gate of production since `since`.
fn waits(repository: &str, since: i64) -> Run {
    let mut waiting = run(repository, 1, 'a', "v1", RunPhase::WaitsAtGate);
    let mut gate = gate("production");
    gate.since = Some(at(since));
    waiting.gates = Some(vec![gate]);
    waiting
}

fn state(beside: Beside) -> State {
    let session = Session {
        demo: false,
        game: None,
        still: false,
        read_only: false,
        armed_minutes: 30,
        keys: Keymap::default(),
        clock: false,
        zone: jiff::tz::TimeZone::UTC,
        id: "s1".to_owned(),
        next_intent: 0,
        open_intents: Vec::new(),
    };
    let environment = Environment {
        name: "prod-eu".into(),
        context: Safe::default(),
        tier: Tier::Prod,
        arming: Arming::ReadOnly,
        health: SourceHealth {
            state: SourceState::Live,
            since: at(0),
            detail: Safe::default(),
            next_try: None,
            heard: None,
        },
        who: None,
        access: HashMap::new(),
        asked: HashSet::new(),
        wrote: false,
        insecure: false,
        without_rollouts: false,
    };
    let environments = BTreeMap::from([("prod-eu".into(), environment)]);
    let mut state = State::new(at(100), (120, 36), session, environments, beside);
    press(&mut state, 100, Key::char('3'));
    state
}

fn press(state: &mut State, second: i64, key: Key) {
    update(state, at(second), Msg::Key(key));
}

/// The repository of each that waits, in the order shown.
fn shown(state: &State) -> Vec<&str> {
    state
        .inbox
        .entries
        .iter()
        .map(|entry| match &entry.waiting {
            Waiting::Gate(gate) => gate.run.repository.as_str(),
            Waiting::Release(_) => "a release",
        })
        .collect()
}

fn selected(state: &State) -> Option<&str> {
    let gate = state.selected_gate()?;
    Some(gate.id.run.repository.as_str())
}

/// All runs of one repository, newest first.
fn told(state: &mut State, second: i64, runs: Vec<Run>) {
    let facts = RepositoryFacts {
        repository: Repository::new(runs[0].id.repository.as_str()).unwrap(),
        read_at: at(second),
        runs: runs.into_iter().map(Arc::new).collect(),
        deployed: Vec::new(),
        missing: Missing::default(),
    };
    let tidings = Tidings {
        source: SourceId::new("github/github.com"),
        fact: Told::Repository(Arc::new(facts)),
    };
    update(state, at(second), Msg::Beside(vec![tidings]));
    state.settle();
}

fn ended(repository: &str) -> Run {
    let success = crate::model::pipeline::Conclusion::Success;
    run(repository, 1, 'a', "v1", RunPhase::Ended(success))
}

fn two() -> State {
    state(beside(
        vec![waits("acme/mail", 10), waits("acme/cart", 20)],
        Vec::new(),
    ))
}

#[test]
fn the_order_rests_for_three_seconds_after_a_key_and_is_made_anew_without_another() {
    let mut state = two();
    assert_eq!(shown(&state), ["acme/mail", "acme/cart"]);
    press(&mut state, 101, Key::char('j'));
    assert_eq!(selected(&state), Some("acme/cart"));
    told(&mut state, 102, vec![waits("acme/older", 5)]);
    assert_eq!(shown(&state), ["acme/mail", "acme/cart", "acme/older"]);
    // The sources are told what is wanted of them now.
    update(&mut state, at(102), Msg::Tick);
    assert_eq!(state.wake_at(), Some(at(104)), "nothing else would wake it");
    update(&mut state, at(104), Msg::Tick);
    assert_eq!(shown(&state), ["acme/older", "acme/mail", "acme/cart"]);
    assert_eq!(selected(&state), Some("acme/cart"));
}

#[test]
fn nothing_takes_the_place_of_a_selected_one_that_is_gone() {
    let mut state = two();
    press(&mut state, 101, Key::char('j'));
    told(&mut state, 102, vec![ended("acme/cart")]);
    assert_eq!((shown(&state), selected(&state)), (vec!["acme/mail"], None));
    press(&mut state, 103, Key::char('a'));
    assert!(
        state.overlays.is_empty(),
        "a key that meant the one meets no other"
    );
    press(&mut state, 104, Key::char('j'));
    assert_eq!(selected(&state), Some("acme/mail"));
}

#[test]
fn until_a_finger_has_chosen_the_oldest_is_selected_whatever_comes() {
    let mut state = two();
    assert_eq!(selected(&state), Some("acme/mail"));
    told(&mut state, 110, vec![waits("acme/older", 5)]);
    assert_eq!(selected(&state), Some("acme/older"));
    press(&mut state, 111, Key::char('a'));
    press(&mut state, 112, Key::plain(Code::Esc));
    told(&mut state, 120, vec![waits("acme/oldest", 1)]);
    assert_eq!(selected(&state), Some("acme/older"), "`a` was about it");
}

#[test]
fn the_environment_of_a_gate_that_no_release_is_joined_to_can_be_armed() {
    let mut state = two();
    assert!(state.selected_gate().unwrap().releases.is_empty());
    press(&mut state, 101, Key::char('W'));
    match state.overlays.as_slice() {
        [Overlay::Arm { environment, .. }] => assert_eq!(environment.as_str(), "prod-eu"),
        other => panic!("{other:?}"),
    }
}

/// A workload that its repository releases to this environment.
fn there(state: &mut State, name: &str, environment: &str) -> (ReleaseId, Uid) {
    let mut rollout = rollout(name, "x/y:v1", Links::default());
    rollout.id.environment = environment.into();
    let is = (rollout.id.clone(), rollout.uid.clone());
    let event = SourceEvent {
        environment: environment.into(),
        fact: Fact::Rollout(Arc::new(rollout)),
    };
    update(state, at(100), Msg::Source(vec![event]));
    state.settle();
    is
}

/// The run that the plan asked for last is about, and the environment that it answers to.
fn asked(effects: &[Effect]) -> (u64, &str) {
    match effects {
        [Effect::Plan(intent)] => match &intent.target {
            Subject::Run(subject) => (subject.run.number, subject.environment.as_str()),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_cancel_in_the_inbox_is_about_the_run_of_the_selected_gate_and_elsewhere_about_the_newest() {
    let mut state = two();
    let target = there(&mut state, "mail", "prod-eu");
    let newer = run("acme/mail", 2, 'b', "v2", RunPhase::Running);
    told(&mut state, 101, vec![newer, waits("acme/mail", 10)]);
    assert_eq!(selected(&state), Some("acme/mail"));
    assert_eq!(state.target(), Some(target.clone()));
    let effects = state.ask(Verb::Cancel, Some(target.clone()));
    assert_eq!(asked(&effects), (1, "prod-eu"));
    state.overlays.clear();
    state.view = View::Board;
    let effects = state.ask(Verb::Cancel, Some(target));
    assert_eq!(asked(&effects), (2, "prod-eu"));
}

#[test]
fn a_run_that_goes_through_several_environments_answers_to_the_strictest_of_them() {
    let mut state = two();
    let prod = state.environments[&EnvironmentName::new("prod-eu")].clone();
    let staging = Environment {
        name: "staging".into(),
        tier: Tier::Staging,
        ..prod
    };
    state.environments.insert("staging".into(), staging);
    let target = there(&mut state, "mail", "staging");
    state.view = View::Board;
    let effects = state.ask(Verb::Cancel, Some(target.clone()));
    assert_eq!(asked(&effects), (1, "prod-eu"), "its gate is of production");
    state.overlays.clear();
    let of_staging = run("acme/mail", 3, 'c', "v3", RunPhase::Running);
    told(&mut state, 101, vec![of_staging]);
    let effects = state.ask(Verb::Cancel, Some(target));
    assert_eq!(asked(&effects), (3, "staging"));
}

#[test]
fn the_marked_ones_go_on_only_when_the_action_that_they_wait_for_has_ended() {
    let mut state = two();
    press(&mut state, 101, Key::char(' '));
    press(&mut state, 102, Key::char(' '));
    let effects = update(&mut state, at(103), Msg::Key(Key::char('a')));
    let first = effects.iter().find_map(|effect| match effect {
        Effect::Plan(intent) => Some(intent.id.clone()),
        _ => None,
    });
    let first = first.unwrap();
    state.overlays.clear();
    let foreign = IntentId::new("s1-99");
    assert!(
        state
            .queue_goes_on(&foreign, OutcomeKind::Observed)
            .is_empty()
    );
    assert!(
        state
            .queue_goes_on(&foreign, OutcomeKind::Failed)
            .is_empty()
    );
    assert_eq!(state.queue.as_ref().unwrap().done, 0);
    assert_eq!(state.inbox.marked.len(), 2);
    let next = state.queue_goes_on(&first, OutcomeKind::Observed);
    assert!(matches!(next.as_slice(), [Effect::Plan(_)]), "{next:?}");
    assert_eq!(state.queue.as_ref().unwrap().done, 1);
    assert_eq!(
        state.inbox.marked.len(),
        1,
        "what is done is not marked any more"
    );
    assert!(state.queue_goes_on(&first, OutcomeKind::Failed).is_empty());
    assert!(
        state.queue.is_some(),
        "told twice, it is still the first one's"
    );
}
