//! What must hold whatever happens, checked by somebody who sees both ends: the operator's screen and the server. Knows the
//! promises P1 to P4 and no reason why one of them might be broken.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use windlass::{
    model::{
        id::IntentId,
        rollout::{Phase, Rollout},
    },
    ops::{
        ceremony::Approved,
        intent::Verb,
        machine::{Answer, Outcome, OutcomeKind},
        plan::Plan,
    },
};

use super::{World, disk::Disk};

/// Acting rests on a read that is younger than this; half a second is how long a key may take to arrive.
const FRESH: Duration = Duration::from_millis(10_500);
/// What reading, refusing and writing down may take besides the time that a plan gives its effect.
const PATIENCE: Duration = Duration::from_secs(75);

struct Case {
    seat: usize,
    plan: Plan,
    shown: Arc<Rollout>,
    /// When it was confirmed, read or answered last.
    moved: Duration,
    read_again: bool,
    left: BTreeMap<usize, u8>,
    /// Requests that have been applied as far as its sender can know.
    perhaps: BTreeSet<usize>,
    applied: BTreeMap<usize, usize>,
    outcome: Option<Outcome>,
    /// The program ended before it could tell.
    killed: bool,
}

#[derive(Default)]
pub(super) struct Judge {
    disks: RefCell<Vec<Rc<Disk>>>,
    /// When the plan of an intent was read, as its operator's machine has the time, and what was read.
    planned: RefCell<BTreeMap<String, (Duration, Arc<Rollout>)>>,
    cases: RefCell<BTreeMap<String, Case>>,
    complaints: RefCell<Vec<String>>,
    tally: RefCell<BTreeMap<String, usize>>,
}

impl Judge {
    pub(super) fn knows(&self, disk: &Rc<Disk>) {
        self.disks.borrow_mut().push(Rc::clone(disk));
    }

    pub(super) fn complain(&self, what: String) {
        self.complaints.borrow_mut().push(what);
    }

    pub(super) fn complaints(&self) -> Vec<String> {
        self.complaints.borrow().clone()
    }

    pub(super) fn count(&self, what: &str) {
        *self.tally.borrow_mut().entry(what.to_owned()).or_default() += 1;
    }

    pub(super) fn tally(&self) -> BTreeMap<String, usize> {
        self.tally.borrow().clone()
    }

    pub(super) fn planned(&self, intent: &IntentId, at: Duration, shown: Arc<Rollout>) {
        let mut planned = self.planned.borrow_mut();
        planned.insert(intent.to_string(), (at, shown));
    }

    /// P1: a confirmation rests on a read that is fresh and on a watch that is.
    pub(super) fn confirms(&self, world: &World, seat: usize, approved: &Approved, live: bool) {
        let plan = approved.plan();
        let id = plan.intent.id.to_string();
        let planned = self.planned.borrow();
        let Some((read, shown)) = planned.get(&id) else {
            return self.complain(format!("P1: {id} was confirmed without a plan"));
        };
        let age = world.clocks[seat].boot(world).saturating_sub(*read);
        if age > FRESH {
            self.complain(format!(
                "P1: {id} was confirmed on a read that is {} s old",
                age.as_secs()
            ));
        }
        if !live && !plan.intent.verb.is_emergency() {
            self.complain(format!(
                "P1: {id} was confirmed on a screen that is not live"
            ));
        }
        self.count(plan.intent.verb.word());
        let case = Case {
            seat,
            plan: plan.clone(),
            shown: Arc::clone(shown),
            moved: world.elapsed(),
            read_again: false,
            left: BTreeMap::new(),
            perhaps: BTreeSet::new(),
            applied: BTreeMap::new(),
            outcome: None,
            killed: false,
        };
        if self.cases.borrow_mut().insert(id.clone(), case).is_some() {
            self.complain(format!("P2: {id} was executed twice"));
        }
    }

    fn case(&self, intent: &IntentId, look: impl FnOnce(&mut Case)) {
        match self.cases.borrow_mut().get_mut(intent.as_str()) {
            Some(case) => look(case),
            None => self.complain(format!("{intent} was never confirmed")),
        }
    }

    pub(super) fn read_again(&self, intent: &IntentId, now: Duration) {
        self.case(intent, |case| {
            case.read_again = true;
            case.moved = now;
        });
    }

    /// P2 and P4: before a request leaves.
    pub(super) fn leaves(&self, world: &World, intent: &IntentId, index: usize) {
        self.count("requests");
        self.case(intent, |case| {
            let disk = Rc::clone(&self.disks.borrow()[case.seat]);
            if !case.read_again {
                self.complain(format!("P1: {intent} leaves without a second look"));
            }
            if case.perhaps.contains(&index) {
                self.complain(format!(
                    "P2: request {index} of {intent} leaves although it may have been applied"
                ));
            }
            let left = case.left.entry(index).or_default();
            *left += 1;
            // It may be asked for once more where it certainly never left, and that is not counted against it.
            let recorded = disk.count(intent.as_str(), "sending", |body| {
                body["request"] == index + 1
            });
            if disk.count(intent.as_str(), "intent", |_| true) == 0 || recorded < usize::from(*left)
            {
                self.complain(format!(
                    "P4: request {index} of {intent} leaves without its record"
                ));
            }
            case.moved = world.elapsed();
        });
    }

    /// P1 and P2: as the server does it.
    pub(super) fn applied(&self, world: &World, intent: &IntentId, index: usize, before: &Rollout) {
        self.count("applied");
        world.note(&format!("applied {intent} {index}"));
        self.case(intent, |case| {
            let times = case.applied.entry(index).or_default();
            *times += 1;
            if *times > 1 {
                self.complain(format!(
                    "P2: request {index} of {intent} was applied {times} times"
                ));
            }
            if index == 0
                && let Some(why) = case.plan.basis.changed_rollout(before)
            {
                self.complain(format!("P1: {intent} was applied although {why}"));
            }
            if let Some(outcome) = &case.outcome
                && !outcome.sent
            {
                self.complain(format!(
                    "P3: {intent} was applied after it was told as {outcome:?}"
                ));
            }
        });
    }

    pub(super) fn answered(&self, intent: &IntentId, index: usize, answer: &Answer, now: Duration) {
        self.case(intent, |case| {
            case.moved = now;
            if matches!(answer, Answer::Applied(_) | Answer::Taken | Answer::Lost(_)) {
                case.perhaps.insert(index);
            }
        });
    }

    /// P3: what is told is what happened.
    pub(super) fn told(&self, world: &World, intent: &IntentId, outcome: &Outcome) {
        self.count(outcome.kind.word());
        self.case(intent, |case| {
            let nothing = matches!(
                outcome.kind,
                OutcomeKind::Refused
                    | OutcomeKind::Rejected
                    | OutcomeKind::Unreachable
                    | OutcomeKind::Interrupted
            );
            if !case.applied.is_empty() && (nothing || !outcome.sent) {
                self.complain(format!(
                    "P3: {intent} was applied and is told as {outcome:?}"
                ));
            }
            if outcome.kind == OutcomeKind::Observed && !came_about(world, case) {
                self.complain(format!(
                    "P3: {intent} is told as done, and nothing of it can be seen: {outcome:?}"
                ));
            }
            if case.outcome.replace(outcome.clone()).is_some() {
                self.complain(format!("P3: {intent} ended twice"));
            }
            let took = world.elapsed().saturating_sub(case.moved);
            let time = Duration::from_secs(case.plan.time_s.unsigned_abs());
            if took > time + PATIENCE {
                self.complain(format!(
                    "P3: {intent} was given {time:?} and took {took:?} to say so"
                ));
            }
        });
    }

    /// The program of a seat is gone.
    pub(super) fn killed(&self, seat: usize) {
        let mut cases = self.cases.borrow_mut();
        for case in cases.values_mut().filter(|case| case.seat == seat) {
            case.killed |= case.outcome.is_none();
        }
    }

    pub(super) fn nothing_is_left(&self) {
        for (intent, case) in self.cases.borrow().iter() {
            if case.outcome.is_none() && !case.killed {
                self.complain(format!("P3: {intent} never ended"));
            }
        }
    }
}

/// Whether the server has ever been in the state that was asked for, since it was asked for.
fn came_about(world: &World, case: &Case) -> bool {
    let shown = &case.shown;
    let after: u64 = case.plan.target.version.as_str().parse().unwrap();
    let version = |rollout: &Rollout| {
        let argo = rollout.argo().unwrap();
        (argo.current_hash.clone(), argo.stable_hash.clone())
    };
    let (current, stable) = version(shown);
    let index = |rollout: &Rollout| {
        rollout
            .canary()
            .and_then(|canary| canary.index)
            .unwrap_or(0)
    };
    world.server.was(after.saturating_sub(1), |now| {
        let argo = now.argo().unwrap();
        // A pause by hand is of the whole Rollout; everything else is of the version that was shown.
        if version(now).0 != current && !matches!(case.plan.intent.verb, Verb::Pause | Verb::Resume)
        {
            return false;
        }
        let everything = version(now).1 == current;
        match case.plan.intent.verb {
            Verb::Promote => everything || index(now) > index(shown),
            Verb::PromoteFull => everything,
            Verb::Pause => argo.paused_by_hand,
            Verb::Resume => !argo.paused_by_hand,
            Verb::BackOut | Verb::Abort => {
                argo.aborted
                    && now.phase == Phase::Degraded
                    && now.replicas.updated == 0
                    && version(now).1 == stable
            }
            Verb::Retry => !argo.aborted && now.phase != Phase::Degraded,
            _ => false,
        }
    })
}
