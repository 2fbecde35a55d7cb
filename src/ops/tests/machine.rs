//! The machine, told as stories: what it asks for, in which order, and how it ends.

use super::fixture::{approved, at, canary, plan, promoted, with};
use crate::{
    model::{
        id::{PodHash, ResourceVersion, Uid},
        rollout::{Phase, Rollout},
        text::sanitise,
    },
    ops::{
        intent::Verb,
        machine::{Answer, Do, Event, Machine, Outcome, OutcomeKind, Place, ReadTrouble, WaitFor},
        plan::Plan,
        seen::Seen,
    },
};

fn seen(rollout: Rollout) -> Seen {
    std::sync::Arc::new(rollout).into()
}

/// A machine and everything that it has asked for, by name.
struct Story {
    machine: Machine,
    second: i64,
    asked: Vec<String>,
    outcome: Option<Outcome>,
}

impl Story {
    fn of(verb: Verb, rollout: &Rollout) -> Self {
        Self::about(plan(verb, rollout))
    }

    fn about(plan: Plan) -> Self {
        let machine = Machine::new(approved(plan), WaitFor::Effect, None);
        let mut story = Self {
            machine,
            second: 1,
            asked: Vec::new(),
            outcome: None,
        };
        let first = story.machine.start(at(1));
        story.note(first);
        story
    }

    fn note(&mut self, asked: Vec<Do>) {
        for next in asked {
            self.asked.push(match next {
                Do::Record(record) => format!("record {}", record.kind),
                Do::Read => "read".to_owned(),
                Do::Send { index, version } => format!("send {index} at {version}"),
                Do::Observe { .. } => "observe".to_owned(),
                Do::Note => "note".to_owned(),
                Do::WakeAt(_) => continue,
                Do::Finish(outcome) => {
                    let name = format!("finish {}", outcome.kind.word());
                    self.outcome = Some(outcome);
                    name
                }
            });
        }
    }

    fn then(mut self, event: Event) -> Self {
        let asked = self.machine.step(at(self.second), event);
        self.note(asked);
        self
    }

    fn after(mut self, seconds: i64) -> Self {
        self.second += seconds;
        self
    }

    fn recorded(self) -> Self {
        self.then(Event::Recorded(Ok(Place::Audit)))
    }

    fn reads(self, rollout: Rollout) -> Self {
        self.then(Event::Read(Ok(seen(rollout))))
    }

    fn sees(self, rollout: Rollout) -> Self {
        self.then(Event::Seen(seen(rollout)))
    }

    fn sent(self) -> Self {
        self.recorded().reads(canary()).recorded()
    }

    fn ends(self, kind: OutcomeKind) -> Self {
        let story = self.recorded();
        assert_eq!(
            story.outcome.as_ref().map(|outcome| outcome.kind),
            Some(kind),
            "{:?}",
            story.outcome
        );
        story
    }

    fn sends(&self) -> usize {
        self.asked
            .iter()
            .filter(|asked| asked.starts_with("send"))
            .count()
    }
}

#[test]
fn a_promotion_is_recorded_read_recorded_sent_observed_and_recorded() {
    let story = Story::of(Verb::Promote, &canary())
        .recorded()
        .reads(canary())
        .recorded()
        .then(Event::Answered(Answer::Applied(seen(with(|_, argo| {
            argo.pause_conditions.clear();
        })))))
        .sees(promoted())
        .ends(OutcomeKind::Observed);
    assert_eq!(
        story.asked,
        [
            "record intent",
            "read",
            "record sending",
            "send 0 at 100",
            "observe",
            "record outcome",
            "finish observed"
        ]
    );
}

#[test]
fn an_effect_that_was_too_quick_to_be_seen_in_between_is_a_success() {
    // Paused to paused, with another index.
    Story::of(Verb::Promote, &canary())
        .sent()
        .then(Event::Answered(Answer::Applied(seen(promoted()))))
        .ends(OutcomeKind::Observed);
}

#[test]
fn a_rollout_that_was_recreated_under_the_name_gets_nothing() {
    let other = with(|rollout, _| rollout.uid = Uid::new("uid-2"));
    let story = Story::of(Verb::Promote, &canary())
        .recorded()
        .reads(other)
        .ends(OutcomeKind::Refused);
    assert_eq!(story.sends(), 0);
}

#[test]
fn a_promotion_is_refused_when_what_it_rests_on_changed() {
    for changed in [
        with(|_, argo| argo.current_hash = Some(PodHash::new("newer"))),
        with(|_, argo| argo.aborted = true),
        with(|_, argo| argo.pause_conditions.clear()),
        with(|_, argo| argo.promote_full = true),
        promoted(),
    ] {
        let story = Story::of(Verb::Promote, &canary())
            .recorded()
            .reads(changed)
            .ends(OutcomeKind::Refused);
        assert_eq!(story.sends(), 0);
    }
}

#[test]
fn pod_counts_and_versions_that_move_do_not_refuse_it() {
    let busy = with(|rollout, _| {
        rollout.version = ResourceVersion::new("117");
        rollout.replicas.ready = 3;
    });
    let story = Story::of(Verb::Promote, &canary())
        .recorded()
        .reads(busy)
        .recorded();
    assert!(
        story.asked.contains(&"send 0 at 117".to_owned()),
        "{:?}",
        story.asked
    );
}

#[test]
fn after_a_conflict_it_reads_again_and_sends_once_more_only() {
    let story = Story::of(Verb::Promote, &canary())
        .sent()
        .then(Event::Answered(Answer::Conflict))
        .reads(canary())
        .recorded()
        .then(Event::Answered(Answer::Conflict))
        .ends(OutcomeKind::Refused);
    assert_eq!(story.sends(), 2);
    assert!(
        !story.outcome.unwrap().sent,
        "a failed precondition did nothing"
    );
}

#[test]
fn after_a_conflict_that_changed_the_decision_nothing_is_sent_again() {
    let story = Story::of(Verb::Promote, &canary())
        .sent()
        .then(Event::Answered(Answer::Conflict))
        .reads(promoted())
        .ends(OutcomeKind::Refused);
    assert_eq!(story.sends(), 1);
}

#[test]
fn a_lost_answer_is_unknown_and_never_sent_again() {
    let story = Story::of(Verb::Promote, &canary())
        .sent()
        .then(Event::Answered(Answer::Lost(sanitise("connection reset"))))
        .sees(canary())
        .after(11)
        .then(Event::Woke)
        .ends(OutcomeKind::Unknown);
    assert_eq!(story.sends(), 1);
}

#[test]
fn a_lost_answer_whose_effect_is_seen_is_a_success() {
    Story::of(Verb::Promote, &canary())
        .sent()
        .then(Event::Answered(Answer::Lost(sanitise("connection reset"))))
        .sees(promoted())
        .ends(OutcomeKind::Observed);
}

#[test]
fn accepted_and_never_in_effect_is_not_a_success() {
    let story = Story::of(Verb::Promote, &canary())
        .sent()
        .then(Event::Answered(Answer::Applied(seen(with(|_, argo| {
            argo.pause_conditions.clear();
        })))))
        .after(61)
        .then(Event::Woke)
        .ends(OutcomeKind::Unknown);
    assert_eq!(story.sends(), 1);
}

#[test]
fn without_a_record_nothing_is_sent() {
    let story =
        Story::of(Verb::Promote, &canary()).then(Event::Recorded(Err("disk full".to_owned())));
    assert_eq!(
        story.outcome.as_ref().map(|outcome| outcome.kind),
        Some(OutcomeKind::Refused)
    );
    assert_eq!(story.sends(), 0);
}

#[test]
fn an_emergency_goes_on_with_its_record_in_a_second_place_and_says_so() {
    let story = Story::of(Verb::Abort, &canary())
        .then(Event::Recorded(Ok(Place::Second(
            "/run/windlass".to_owned(),
        ))))
        .reads(canary())
        .then(Event::Recorded(Ok(Place::Second(
            "/run/windlass".to_owned(),
        ))));
    assert_eq!(story.sends(), 1);
}

#[test]
fn a_promotion_does_not_go_on_with_its_record_in_a_second_place() {
    let story = Story::of(Verb::Promote, &canary()).then(Event::Recorded(Ok(Place::Second(
        "/run/windlass".to_owned(),
    ))));
    assert_eq!(story.sends(), 0);
    assert!(story.outcome.is_some());
}

#[test]
fn an_unreachable_system_is_said_as_that() {
    Story::of(Verb::Promote, &canary())
        .recorded()
        .then(Event::Read(Err(ReadTrouble::Unreachable(sanitise(
            "refused",
        )))))
        .ends(OutcomeKind::Unreachable);
}

/// A release that has finished: backing out takes two requests.
fn finished() -> Rollout {
    with(|rollout, argo| {
        rollout.phase = Phase::Healthy;
        argo.stable_hash = Some(PodHash::new("new"));
        argo.pause_conditions.clear();
        argo.controller_pause = false;
    })
}

fn old_is_current() -> Rollout {
    with(|rollout, argo| {
        rollout.version = ResourceVersion::new("140");
        argo.stable_hash = Some(PodHash::new("new"));
        argo.current_hash = Some(PodHash::new("old"));
    })
}

fn old_serves() -> Rollout {
    with(|rollout, argo| {
        rollout.phase = Phase::Healthy;
        argo.stable_hash = Some(PodHash::new("old"));
        argo.current_hash = Some(PodHash::new("old"));
        argo.pause_conditions.clear();
    })
}

fn first_of_two() -> Story {
    Story::of(Verb::BackOut, &finished())
        .recorded()
        .reads(finished())
        .recorded()
        .then(Event::Answered(Answer::Applied(seen(finished()))))
}

#[test]
fn the_second_request_waits_until_the_target_is_the_current_version() {
    let story = first_of_two();
    assert_eq!(story.sends(), 1);
    let story = story.sees(finished());
    assert_eq!(
        story.sends(),
        1,
        "the controller has not seen the template yet: a full promotion would be lost"
    );
    let story = story.sees(old_is_current()).recorded();
    assert!(
        story.asked.contains(&"send 1 at 140".to_owned()),
        "{:?}",
        story.asked
    );
    let story = story
        .then(Event::Answered(Answer::Applied(seen(old_is_current()))))
        .sees(old_serves())
        .ends(OutcomeKind::Observed);
    assert_eq!(story.sends(), 2);
}

#[test]
fn the_second_request_is_left_out_when_the_first_was_enough() {
    // A rollback window: the template alone serves everything.
    let story = first_of_two()
        .sees(old_serves())
        .ends(OutcomeKind::Observed);
    assert_eq!(story.sends(), 1);
}

#[test]
fn a_plan_whose_second_request_is_refused_is_partial() {
    first_of_two()
        .sees(old_is_current())
        .recorded()
        .then(Event::Answered(Answer::Rejected {
            status: 403,
            message: sanitise("no"),
        }))
        .ends(OutcomeKind::Partial);
}

#[test]
fn a_second_request_that_certainly_never_left_is_sent_when_the_system_is_back() {
    let story = first_of_two()
        .sees(old_is_current())
        .recorded()
        .then(Event::Answered(Answer::NotSent(sanitise("refused"))));
    let story = story.sees(old_is_current()).recorded();
    assert_eq!(
        story.sends(),
        3,
        "the second was asked for twice, because it never left the first time"
    );
}

/// A promotion of a release that is also paused by hand: two requests at once, one after the other.
fn both_at_once() -> Story {
    let mut plan = plan(Verb::Promote, &canary());
    plan.sends.push(plan.sends[0].clone());
    Story::about(plan)
        .sent()
        .then(Event::Answered(Answer::Applied(seen(let_go()))))
        .recorded()
}

/// What our own first request made of it.
fn let_go() -> Rollout {
    with(|rollout, argo| {
        rollout.version = ResourceVersion::new("120");
        argo.pause_conditions.clear();
        argo.controller_pause = false;
    })
}

#[test]
fn a_second_request_that_meets_a_conflict_is_held_against_what_the_first_one_made() {
    let story = both_at_once().then(Event::Answered(Answer::Conflict));
    let story = story.reads(let_go()).recorded();
    assert_eq!(story.sends(), 3, "{:?}", story.asked);
    assert_eq!(
        story.asked.last().map(String::as_str),
        Some("send 1 at 120")
    );
}

#[test]
fn a_second_request_is_not_sent_to_another_version() {
    let story = both_at_once().then(Event::Answered(Answer::Conflict));
    let story = story
        .reads(with(|_, argo| {
            argo.pause_conditions.clear();
            argo.current_hash = Some(PodHash::new("newer"));
        }))
        .ends(OutcomeKind::Partial);
    assert_eq!(story.sends(), 2);
}

#[test]
fn a_terminal_that_vanishes_before_anything_was_sent_lets_it_go() {
    let story = Story::of(Verb::Promote, &canary())
        .recorded()
        .then(Event::Abandoned)
        .ends(OutcomeKind::Interrupted);
    assert_eq!(story.sends(), 0);
}

#[test]
fn a_plan_that_has_begun_is_finished_without_a_terminal_thirty_seconds_at_most() {
    let story = first_of_two()
        .then(Event::Abandoned)
        .sees(old_is_current())
        .recorded();
    assert_eq!(story.sends(), 2);
    story
        .then(Event::Answered(Answer::Applied(seen(old_is_current()))))
        .after(31)
        .then(Event::Woke)
        .ends(OutcomeKind::Unknown);
}

#[test]
fn an_object_that_is_deleted_while_observed_is_unknown() {
    Story::of(Verb::Promote, &canary())
        .sent()
        .then(Event::Answered(Answer::Applied(seen(canary()))))
        .then(Event::Deleted)
        .ends(OutcomeKind::Unknown);
}

/// A new release takes the abort away and is aborted by somebody else: stable serves everything again, and not because of
/// this.
#[test]
fn the_abort_of_another_version_is_not_the_effect_of_this_one() {
    let aborted = |hash: &'static str| {
        with(move |rollout, argo| {
            rollout.phase = Phase::Degraded;
            rollout.replicas.updated = 0;
            argo.current_hash = Some(PodHash::new(hash));
            argo.aborted = true;
            argo.pause_conditions.clear();
        })
    };
    let sent = || {
        Story::of(Verb::Abort, &canary())
            .sent()
            .then(Event::Answered(Answer::Lost(sanitise("reset"))))
    };
    sent().sees(aborted("new")).ends(OutcomeKind::Observed);
    sent().sees(aborted("newer")).ends(OutcomeKind::Failed);
}
