//! Guards, ceremony and the door to sending, told as a table of cases.

use super::fixture::{access, at, canary, id, plan, situation};
use crate::{
    model::{
        id::{PodHash, Uid},
        source::{Answer, SourceHealth, SourceState},
        text::Safe,
    },
    ops::{
        ceremony::{Ceremony, Confirmation, NotYet, approve, ceremony, missing},
        guard::{Arming, Decision, InFlight, Situation, ask_all},
        intent::Verb,
        plan::{Plan, Risk},
    },
};

fn decide(plan: &Plan, change: impl FnOnce(&mut Situation<'_>)) -> (Decision, Ceremony) {
    let access = access(Answer::Allowed);
    let arming = Arming::Armed { until: None };
    let mut situation = situation(&access, &arming);
    change(&mut situation);
    let guards = ask_all(plan, &situation);
    let worst = guards.iter().map(|guard| guard.answer).max().unwrap();
    (worst, ceremony(plan, &guards))
}

fn typed_environment() -> Ceremony {
    Ceremony::Environment {
        text: "prod-eu".to_owned(),
        or: "prod-eu/checkout".to_owned(),
    }
}

fn typed_target() -> Ceremony {
    Ceremony::Target {
        text: "prod-eu/checkout".to_owned(),
    }
}

#[test]
fn one_step_that_every_guard_allows_takes_a_y() {
    assert_eq!(
        decide(&plan(Verb::Promote, &canary()), |_| {}),
        (Decision::Allow, Ceremony::Yes)
    );
}

#[test]
fn the_first_write_to_prod_is_typed() {
    let (_, ceremony) = decide(&plan(Verb::Promote, &canary()), |situation| {
        situation.wrote_before = false;
    });
    assert_eq!(ceremony, typed_environment());
}

#[test]
fn on_a_command_line_the_first_write_needs_no_more() {
    let (_, ceremony) = decide(&plan(Verb::Promote, &canary()), |situation| {
        situation.wrote_before = false;
        situation.first_write_counts = false;
    });
    assert_eq!(ceremony, Ceremony::Yes);
}

#[test]
fn every_risk_has_the_ceremony_of_the_design() {
    let words = || "words".to_owned();
    let cases = [
        (Risk::SkipsStep { words: words() }, typed_environment()),
        (Risk::BlueGreenSwitch, typed_environment()),
        (Risk::ChosenRevision, typed_environment()),
        (Risk::RunsAbortedAgain, typed_environment()),
        (
            Risk::OverridesAnalysis { words: words() },
            typed_environment(),
        ),
        (Risk::TargetIsGuessed, typed_environment()),
        (Risk::UnknownState { words: words() }, typed_environment()),
        (Risk::Fully, typed_target()),
        (Risk::OnAborted, typed_target()),
        (Risk::ResumesFullPromotion, typed_target()),
    ];
    for (risk, expected) in cases {
        let mut plan = plan(Verb::Promote, &canary());
        plan.risks = vec![risk.clone()];
        assert_eq!(decide(&plan, |_| {}).1, expected, "{risk:?}");
    }
}

#[test]
fn an_emergency_takes_a_y_whatever_the_guards_say_about_risk() {
    for verb in [Verb::BackOut, Verb::Abort, Verb::Pause] {
        let mut plan = plan(verb, &canary());
        plan.git = Some("Argo CD puts it back".to_owned());
        plan.sends[0].path = "/rollouts/checkout".to_owned();
        plan.risks = vec![Risk::TargetIsGuessed, Risk::Fully, Risk::OnAborted];
        let (_, ceremony) = decide(&plan, |situation| situation.wrote_before = false);
        assert_eq!(ceremony, Ceremony::Yes, "{verb:?}");
    }
}

#[test]
fn each_guard_that_denies_keeps_it_from_being_sent() {
    let promote = plan(Verb::Promote, &canary());
    let denies =
        |change: &dyn Fn(&mut Situation<'_>)| decide(&promote, |s| change(s)).0 == Decision::Deny;
    let (forbidden, read_only) = (
        Arming::Forbidden {
            because: "--read-only".to_owned(),
        },
        Arming::ReadOnly,
    );
    let expired = Arming::Armed { until: Some(at(0)) };
    let refused = access(Answer::Denied);
    let intent = crate::model::id::IntentId::new("other");
    let late_watch = SourceHealth {
        state: SourceState::Stale,
        since: at(0),
        detail: Safe::default(),
        next_try: None,
        heard: None,
    };
    assert!(!denies(&|_| {}));
    for arming in [&forbidden, &read_only, &expired] {
        let access = access(Answer::Allowed);
        let guards = ask_all(&promote, &situation(&access, arming));
        assert!(
            guards.iter().any(|guard| guard.answer == Decision::Deny),
            "{arming:?}"
        );
    }
    assert!(
        denies(&|situation| situation.access = None),
        "not asked is not allowed"
    );
    assert!(denies(&|situation| situation.now = at(11)), "too old");
    assert!(denies(
        &|situation| situation.changed = Some("moved".to_owned())
    ));
    let with_access = |access: &crate::model::source::Access| {
        let arming = Arming::Armed { until: None };
        ask_all(&promote, &situation(access, &arming))
            .iter()
            .any(|guard| guard.answer == Decision::Deny)
    };
    assert!(with_access(&refused));
    assert!(with_access(&access(Answer::NotAnswered(Safe::default()))));
    let allowed = access(Answer::Allowed);
    let arming = Arming::Armed { until: None };
    let mut in_flight = situation(&allowed, &arming);
    let abort = plan(Verb::Abort, &canary());
    let waits_for_it = |plan: &Plan, in_flight: &Situation<'_>| {
        ask_all(plan, in_flight)
            .iter()
            .any(|guard| guard.name == "in-flight" && guard.answer == Decision::Deny)
    };
    for may_send in [true, false] {
        in_flight.in_flight = Some(InFlight {
            id: &intent,
            may_send,
        });
        assert!(waits_for_it(&promote, &in_flight));
        // Going back waits only while something is being sent, not while somebody looks what became of it.
        assert_eq!(waits_for_it(&abort, &in_flight), may_send);
    }
    let mut watched = situation(&allowed, &arming);
    watched.source = Some(&late_watch);
    assert!(
        ask_all(&promote, &watched)
            .iter()
            .any(|guard| guard.answer == Decision::Deny)
    );
    // An emergency rests on its own fresh read.
    let abort = plan(Verb::Abort, &canary());
    assert!(
        ask_all(&abort, &watched)
            .iter()
            .all(|guard| guard.answer != Decision::Deny)
    );
}

#[test]
fn another_object_than_the_one_that_was_seen_is_refused() {
    let mut promote = plan(Verb::Promote, &canary());
    promote.intent.seen = Some(Uid::new("uid-0"));
    assert_eq!(decide(&promote, |_| {}).0, Decision::Deny);
}

#[test]
fn another_revision_or_hash_than_the_caller_expects_is_refused() {
    let mut promote = plan(Verb::Promote, &canary());
    promote.intent.expects.revision = Some(8);
    assert_eq!(decide(&promote, |_| {}).0, Decision::Deny);
    promote.intent.expects.revision = Some(7);
    assert_eq!(decide(&promote, |_| {}).0, Decision::Allow);
    promote.intent.expects.hash = Some(PodHash::new("other"));
    assert_eq!(decide(&promote, |_| {}).0, Decision::Deny);
}

#[test]
fn a_typed_ceremony_is_not_confirmed_by_yes_by_another_environment_or_nearly() {
    let mut promote = plan(Verb::Promote, &canary());
    promote.risks = vec![Risk::BlueGreenSwitch];
    let allowed = access(Answer::Allowed);
    let arming = Arming::Armed { until: None };
    let guards = ask_all(&promote, &situation(&allowed, &arming));
    let confirm = |yes, typed: Option<&str>| Confirmation {
        yes,
        typed: typed.map(str::to_owned),
        reason: None,
    };
    for wrong in [
        confirm(true, None),
        confirm(true, Some("prod-us")),
        confirm(false, Some("prod-eu ")),
        confirm(false, Some("PROD-EU")),
    ] {
        assert_eq!(
            missing(&promote, &guards, &wrong),
            Some(NotYet::Type("prod-eu".to_owned())),
            "{wrong:?}"
        );
    }
    for right in [
        confirm(false, Some("prod-eu")),
        confirm(false, Some("prod-eu/checkout")),
    ] {
        assert_eq!(missing(&promote, &guards, &right), None, "{right:?}");
    }
}

#[test]
fn the_strongest_ceremony_asks_for_a_reason_as_well() {
    let mut full = plan(Verb::PromoteFull, &canary());
    full.risks = vec![Risk::Fully];
    let allowed = access(Answer::Allowed);
    let arming = Arming::Armed { until: None };
    let guards = ask_all(&full, &situation(&allowed, &arming));
    let mut confirmation = Confirmation {
        yes: true,
        typed: Some("prod-eu/checkout".to_owned()),
        reason: Some("  ".to_owned()),
    };
    assert_eq!(missing(&full, &guards, &confirmation), Some(NotYet::Reason));
    confirmation.reason = Some("fixes 4711".to_owned());
    let approved = approve(full, guards, &confirmation)
        .map_err(|(_, not_yet)| not_yet)
        .unwrap();
    assert_eq!(approved.reason(), Some("fixes 4711"));
    assert_eq!(approved.plan().intent.target.release(), Some(&id()));
}

#[test]
fn nothing_that_is_denied_can_be_approved() {
    let promote = plan(Verb::Promote, &canary());
    let refused = access(Answer::Denied);
    let arming = Arming::Armed { until: None };
    let guards = ask_all(&promote, &situation(&refused, &arming));
    let everything = Confirmation {
        yes: true,
        typed: Some("prod-eu/checkout".to_owned()),
        reason: Some("please".to_owned()),
    };
    assert!(matches!(
        approve(promote, guards, &everything),
        Err((_, NotYet::Refused(_)))
    ));
}
