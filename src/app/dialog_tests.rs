//! The dialog's rules: which keys can confirm, and which never do.

use jiff::{SignedDuration, Timestamp};

use super::{Dialog, READS_EVERY, Reaction, Stage};
use crate::{
    app::key::{Code, Key},
    model::source::Answer,
    ops::{
        ceremony::Ceremony,
        guard::{Arming, GuardAnswer, ask_all},
        intent::Verb,
        plan::{Plan, Risk},
        tests::fixture::{access, at, canary, plan, promoted, situation},
    },
};

fn guards(plan: &Plan) -> Vec<GuardAnswer> {
    let access = access(Answer::Allowed);
    let arming = Arming::Armed { until: None };
    ask_all(plan, &situation(&access, &arming))
}

fn millis(start: Timestamp, millis: i64) -> Timestamp {
    start + SignedDuration::from_millis(millis)
}

fn ready(plan: Plan) -> Dialog {
    let mut dialog = Dialog::new(plan.intent.clone(), at(0));
    let guards = guards(&plan);
    dialog.planned(Ok((plan, guards)));
    dialog
}

fn shown(plan: Plan) -> Dialog {
    let mut dialog = ready(plan);
    dialog.was_shown(at(0));
    dialog
}

fn typed(plan: Plan) -> Plan {
    Plan {
        risks: vec![Risk::BlueGreenSwitch],
        ..plan
    }
}

fn type_text(dialog: &mut Dialog, text: &str, from: Timestamp) {
    for (place, c) in text.chars().enumerate() {
        let place = i64::try_from(place).unwrap();
        assert_eq!(
            dialog.key(Key::char(c), millis(from, 50 * place)),
            Reaction::Redraw
        );
    }
}

#[test]
fn a_y_after_half_a_second_of_silence_confirms() {
    let mut dialog = shown(plan(Verb::Promote, &canary()));
    assert_eq!(
        dialog.key(Key::char('Y'), millis(at(0), 500)),
        Reaction::Confirm
    );
}

#[test]
fn a_key_that_could_have_been_typed_before_it_was_seen_does_nothing() {
    let mut dialog = ready(plan(Verb::Promote, &canary()));
    assert_ne!(
        dialog.key(Key::char('Y'), at(60)),
        Reaction::Confirm,
        "no frame has left for the terminal"
    );
    dialog.was_shown(at(61));
    assert_ne!(
        dialog.key(Key::char('Y'), millis(at(61), 499)),
        Reaction::Confirm
    );
    assert_ne!(
        dialog.key(Key::char('Y'), millis(at(61), 900)),
        Reaction::Confirm,
        "the key before began the silence anew"
    );
    assert_eq!(
        dialog.key(Key::char('Y'), millis(at(61), 1_401)),
        Reaction::Confirm
    );
}

#[test]
fn enter_a_held_key_and_an_alt_key_never_confirm() {
    let mut dialog = shown(plan(Verb::Promote, &canary()));
    let keys = [
        Key::plain(Code::Enter),
        Key::char('y'),
        Key {
            repeat: true,
            ..Key::char('Y')
        },
        Key {
            alt: true,
            ..Key::char('Y')
        },
        Key::ctrl('Y'),
    ];
    for (place, key) in keys.into_iter().enumerate() {
        let later = at(i64::try_from(place).unwrap() + 1);
        assert_ne!(dialog.key(key, later), Reaction::Confirm, "{key:?}");
    }
}

#[test]
fn the_environment_is_typed_quickly_after_one_silence_and_sent_by_enter() {
    let mut dialog = shown(typed(plan(Verb::Promote, &canary())));
    assert!(matches!(
        dialog.ceremony(),
        Some(Ceremony::Environment { .. })
    ));
    type_text(&mut dialog, "prod-eu", at(1));
    assert_eq!(
        dialog.key(Key::plain(Code::Enter), at(2)),
        Reaction::Confirm
    );
}

#[test]
fn another_text_is_not_confirmed_by_enter() {
    let mut dialog = shown(typed(plan(Verb::Promote, &canary())));
    type_text(&mut dialog, "prod-us", at(1));
    assert_eq!(dialog.key(Key::plain(Code::Enter), at(2)), Reaction::Redraw);
}

#[test]
fn the_strongest_ceremony_asks_for_a_reason_before_it_confirms() {
    let mut full = plan(Verb::PromoteFull, &canary());
    full.risks = vec![Risk::Fully];
    let mut dialog = shown(full);
    type_text(&mut dialog, "prod-eu/checkout", at(1));
    assert_eq!(dialog.key(Key::plain(Code::Enter), at(2)), Reaction::Redraw);
    type_text(&mut dialog, "fixes 4711", at(3));
    assert_eq!(
        dialog.key(Key::plain(Code::Enter), at(4)),
        Reaction::Confirm
    );
}

#[test]
fn a_reread_with_the_same_content_keeps_what_was_typed() {
    let mut dialog = shown(typed(plan(Verb::Promote, &canary())));
    type_text(&mut dialog, "prod", at(1));
    let again = typed(plan(Verb::Promote, &canary()));
    let answers = guards(&again);
    dialog.planned(Ok((again, answers)));
    assert_eq!(dialog.typed, "prod");
    assert!(dialog.shown.is_some());
}

#[test]
fn a_plan_that_is_no_longer_true_kills_the_dialog_whatever_is_typed() {
    let mut dialog = shown(typed(plan(Verb::Promote, &canary())));
    type_text(&mut dialog, "prod-eu", at(1));
    let other = plan(Verb::Promote, &promoted());
    let answers = guards(&other);
    dialog.planned(Ok((other, answers)));
    assert!(matches!(dialog.stage, Stage::Dead { .. }));
    assert_eq!(dialog.key(Key::char('Y'), at(60)), Reaction::Nothing);
}

#[test]
fn another_ceremony_under_the_finger_asks_for_silence_again() {
    let mut dialog = shown(typed(plan(Verb::Promote, &canary())));
    type_text(&mut dialog, "prod-eu", at(1));
    let easier = plan(Verb::Promote, &canary());
    let answers = guards(&easier);
    dialog.planned(Ok((easier, answers)));
    assert_eq!(dialog.ceremony(), Some(Ceremony::Yes));
    assert_ne!(dialog.key(Key::char('Y'), at(2)), Reaction::Confirm);
}

#[test]
fn it_expires_unless_it_is_an_emergencys_which_reads_again_instead() {
    let mut dialog = shown(plan(Verb::Promote, &canary()));
    assert!(!dialog.tick(at(60)));
    assert!(matches!(dialog.stage, Stage::Dead { .. }));
    let mut emergency = shown(plan(Verb::Abort, &canary()));
    assert!(emergency.tick(at(0) + READS_EVERY));
    assert!(emergency.tick(at(3_600)));
    assert!(matches!(emergency.stage, Stage::Ready { .. }));
}

#[test]
fn esc_leaves_at_once() {
    let mut dialog = ready(plan(Verb::Promote, &canary()));
    assert_eq!(dialog.key(Key::plain(Code::Esc), at(0)), Reaction::Close);
}
