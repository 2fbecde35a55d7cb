//! What the machine holds under every order of events, lost answers and double deliveries.

use std::sync::Arc;

use proptest::prelude::*;

use super::fixture::{approved, at, canary, plan, promoted, with};
use crate::{
    model::{
        id::{PodHash, ResourceVersion, Uid},
        rollout::{Phase, Rollout},
        text::sanitise,
    },
    ops::{
        intent::Verb,
        machine::{Answer, Do, Event, Machine, Place, ReadTrouble, WaitFor},
    },
};

fn finished() -> Rollout {
    with(|rollout, argo| {
        rollout.phase = Phase::Healthy;
        argo.stable_hash = Some(PodHash::new("new"));
        argo.pause_conditions.clear();
    })
}

fn states() -> impl Strategy<Value = Arc<Rollout>> {
    prop_oneof![
        Just(canary()),
        Just(promoted()),
        Just(finished()),
        Just(with(|_, argo| argo.pause_conditions.clear())),
        Just(with(|rollout, argo| {
            argo.current_hash = Some(PodHash::new("old"));
            rollout.version = ResourceVersion::new("140");
        })),
        Just(with(|_, argo| argo.aborted = true)),
        Just(with(|rollout, argo| {
            rollout.phase = Phase::Healthy;
            argo.current_hash = Some(PodHash::new("old"));
        })),
        Just(with(|rollout, _| rollout.uid = Uid::new("uid-2"))),
    ]
    .prop_map(Arc::new)
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => Just(Event::Recorded(Ok(Place::Audit))),
        1 => Just(Event::Recorded(Ok(Place::Second("second".to_owned())))),
        1 => Just(Event::Recorded(Err("disk".to_owned()))),
        5 => states().prop_map(|rollout| Event::Read(Ok(rollout.into()))),
        1 => Just(Event::Read(Err(ReadTrouble::NotFound))),
        4 => states().prop_map(|rollout| Event::Answered(Answer::Applied(rollout.into()))),
        2 => Just(Event::Answered(Answer::Conflict)),
        2 => Just(Event::Answered(Answer::Lost(sanitise("lost")))),
        1 => Just(Event::Answered(Answer::NotSent(sanitise("refused")))),
        1 => Just(Event::Answered(Answer::Rejected { status: 422, message: sanitise("no") })),
        5 => states().prop_map(|rollout| Event::Seen(rollout.into())),
        1 => Just(Event::Deleted),
        2 => Just(Event::Woke),
        1 => Just(Event::Abandoned),
        1 => Just(Event::Interrupted),
    ]
}

/// What is outstanding, so that a test can tell an answer from a stray one.
#[derive(Default)]
struct Ledger {
    intent_recorded: bool,
    /// The record of the next request is durable.
    send_recorded: bool,
    pending: Option<&'static str>,
    asked: Vec<usize>,
    /// Requests that may have had an effect: applied or lost.
    perhaps_applied: Vec<usize>,
    finished: usize,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_sent_twice_or_without_a_durable_record(
        verb in prop_oneof![Just(Verb::Promote), Just(Verb::Abort), Just(Verb::BackOut), Just(Verb::Retry)],
        from_finished in any::<bool>(),
        stream in prop::collection::vec((events(), 0_i64..20), 1..60),
    ) {
        let rollout = if from_finished { finished() } else { canary() };
        let plan = plan(verb, &rollout);
        let resends = usize::from(plan.sends.first().map_or(0, |send| send.resends));
        let mut machine = Machine::new(approved(plan), WaitFor::Effect, None);
        let mut ledger = Ledger::default();
        let mut second = 1;
        let mut last = machine.start(at(second));
        let mut queue = stream.into_iter();
        loop {
            for asked in last {
                match asked {
                    Do::Record(record) => {
                        ledger.send_recorded = false;
                        ledger.pending = Some(record.kind);
                    }
                    Do::Read => prop_assert!(ledger.intent_recorded, "read before the intent was recorded"),
                    Do::Send { index, .. } => {
                        prop_assert!(ledger.intent_recorded && ledger.send_recorded, "sent without a durable record");
                        prop_assert!(!ledger.perhaps_applied.contains(&index), "request {index} sent after it may have been applied");
                        ledger.asked.push(index);
                        ledger.send_recorded = false;
                        ledger.pending = Some("answer");
                    }
                    Do::Finish(_) => ledger.finished += 1,
                    Do::Observe { .. } | Do::Note | Do::WakeAt(_) => {}
                }
            }
            let Some((event, seconds)) = queue.next() else { break };
            second += seconds;
            if let Event::Recorded(result) = &event {
                let good = match result {
                    Ok(Place::Audit) => true,
                    Ok(Place::Second(_)) => verb.is_emergency(),
                    Err(_) => false,
                };
                match ledger.pending {
                    Some("intent") if good => ledger.intent_recorded = true,
                    Some("sending") if good => ledger.send_recorded = true,
                    _ => {}
                }
                if ledger.pending != Some("answer") {
                    ledger.pending = None;
                }
            }
            if let (Event::Answered(Answer::Applied(_) | Answer::Lost(_)), Some("answer"), Some(index)) =
                (&event, ledger.pending, ledger.asked.last())
            {
                ledger.perhaps_applied.push(*index);
                ledger.pending = None;
            } else if matches!(event, Event::Answered(_)) && ledger.pending == Some("answer") {
                ledger.pending = None;
            }
            last = machine.step(at(second), event);
        }
        prop_assert!(ledger.finished <= 1, "announced {} times", ledger.finished);
        let firsts = ledger.asked.iter().filter(|index| **index == 0).count();
        prop_assert!(firsts <= 1 + resends, "the first request was sent {firsts} times");
    }
}
