//! What the guards make of incidents that are not known.

use std::sync::Arc;

use super::world::beside as around;
use crate::{
    app::{dialog::Stage, state::Overlay, state::State},
    model::event::Told,
    ops::{guard::Decision, plan::Plan},
};

fn plan(state: &State) -> Plan {
    let Some(Overlay::Plan(dialog)) = state.overlays.last() else {
        panic!("a dialog is open");
    };
    let Stage::Ready { plan, .. } = &dialog.stage else {
        panic!("it has a plan");
    };
    Plan::clone(plan)
}

/// What the guard of incidents says, if anything.
fn incident(state: &State, plan: &Plan) -> Option<(Decision, String)> {
    let answers = state.guards(plan);
    let answer = answers.iter().find(|answer| answer.name == "incident")?;
    Some((answer.answer, answer.because.clone()))
}

fn is_not_known(state: &State, plan: &Plan, why: &str) {
    let (decision, because) = incident(state, plan).expect("it says so");
    assert_eq!(decision, Decision::Warn);
    assert!(because.contains("is not known"), "{because}");
    assert!(because.contains(why), "{because}");
}

#[test]
fn nothing_fires_is_believed_only_where_it_was_told_lately_and_whole() {
    let mut state = around::approving();
    let plan = plan(&state);
    assert_eq!(incident(&state, &plan), None, "nothing fires on it");

    let environment = plan.intent.target.environment().clone();
    let told = Arc::clone(&state.beside.incidents[&environment]);
    let source = format!("alertmanager/{environment}");
    let mut facts = (*told).clone();
    facts.warnings = vec!["3 of the alerts cannot be read".into()];
    around::tell(&mut state, &source, Told::Incidents(Arc::new(facts)));
    is_not_known(&state, &plan, "3 of the alerts cannot be read");

    let mut facts = (*told).clone();
    facts.read_at = super::ago(80);
    around::tell(&mut state, &source, Told::Incidents(Arc::new(facts)));
    is_not_known(&state, &plan, "lately");

    state.beside.incidents.remove(&environment);
    is_not_known(&state, &plan, "yet");
}

#[test]
fn a_gate_that_a_poll_could_not_read_is_not_one_without_incidents() {
    let mut state = around::approving();
    let plan = plan(&state);
    state.beside.gates.clear();
    is_not_known(&state, &plan, "the gate is not among what was read last");
}
