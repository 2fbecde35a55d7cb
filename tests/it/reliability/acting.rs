//! T2 and T4: nothing is done twice, whatever is lost, repeated or pressed by two people at once; and what was accepted is
//! not done until its effect was seen. The machine runs against a model of the server and of a controller that may take a
//! minute, in a time that costs nothing; a few runs go through the whole program.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};
use windlass::{
    app::key::{Code, Key},
    model::{
        id::ResourceVersion,
        rollout::{ArgoStrategy, Phase, Rollout, Workload},
        text::sanitise,
    },
    ops::{
        ceremony::Approved,
        machine::{Answer, Machine, Outcome, OutcomeKind, Place, ReadTrouble, WaitFor},
        plan::Plan,
        record::Record,
        seen::Seen,
    },
    runtime::execute::{Recorder, Sight, System, execute},
};

use crate::{
    reducer::{Step, World},
    screen::harness::Demo,
    whole::{between::Then, shop::Shop},
};

const WORLD: &str = "canary-analysis";

/// A promotion, confirmed by a careful operator, and what it was decided on.
fn promotion() -> (Approved, Arc<Rollout>) {
    let mut world = World::new(WORLD);
    world.step(&Step::Press(Key::char('p')));
    world.step(&Step::Answer(true));
    world.step(&Step::Draw);
    world.step(&Step::Wait(500));
    for character in "prod-eu".chars() {
        world.step(&Step::Press(Key::char(character)));
    }
    world.step(&Step::Press(Key::plain(Code::Enter)));
    let approved = world.approved.pop().expect("it was confirmed");
    (approved, Arc::clone(&world.rollout))
}

fn index_of(rollout: &Rollout) -> i64 {
    let Workload::ArgoRollout(argo) = &rollout.workload else {
        panic!("not a rollout");
    };
    let ArgoStrategy::Canary(canary) = &argo.strategy else {
        panic!("not a canary");
    };
    i64::from(canary.index.unwrap())
}

/// Another state of it, under the next version.
fn changed(rollout: &Rollout, promoted: bool, step: bool) -> Arc<Rollout> {
    let mut next = rollout.clone();
    let version: u64 = next.version.as_str().parse().unwrap();
    next.version = ResourceVersion::new(&(version + 1).to_string());
    let Workload::ArgoRollout(argo) = &mut next.workload else {
        panic!("not a rollout");
    };
    if promoted {
        argo.pause_conditions.clear();
    }
    if step {
        let ArgoStrategy::Canary(canary) = &mut argo.strategy else {
            panic!("not a canary");
        };
        canary.index = canary.index.map(|index| index + 1);
        next.phase = Phase::Progressing;
    }
    Arc::new(next)
}

/// What happens to a request on its way, by chance.
struct Dice(Cell<u64>);

impl Dice {
    fn roll(&self, sides: u64) -> u64 {
        let next = self
            .0
            .get()
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0.set(next);
        (next >> 33) % sides
    }
}

/// The API server and the controller behind it, as far as they matter here.
struct Server {
    object: RefCell<Arc<Rollout>>,
    /// When the controller takes the next step, which a promotion asks for.
    due: Cell<Option<Instant>>,
    dice: Dice,
    /// Whether it does what it accepts.
    works: bool,
    /// Whether connections break, and others write meanwhile.
    breaks: bool,
}

impl Server {
    /// As kubectl-argo-rollouts has it: the pause is taken away, and the controller goes on when it gets to it.
    fn promote(&self, version: &ResourceVersion) -> Option<Arc<Rollout>> {
        let mut object = self.object.borrow_mut();
        if object.version != *version {
            return None;
        }
        *object = changed(&object, self.works, false);
        if self.works {
            let wait = Duration::from_secs(self.dice.roll(60));
            self.due.set(Some(Instant::now() + wait));
        }
        Some(Arc::clone(&object))
    }

    async fn control(&self) {
        loop {
            sleep(Duration::from_millis(500)).await;
            let step = self.due.get().is_some_and(|due| due <= Instant::now());
            // Now and then it counts its pods, which is another version and nothing else.
            if step || self.breaks && self.dice.roll(4) == 0 {
                let mut object = self.object.borrow_mut();
                *object = changed(&object, false, step);
            }
            if step {
                self.due.set(None);
            }
        }
    }
}

/// One operator's way to the server.
struct Line {
    server: Rc<Server>,
    sent: Cell<usize>,
    applied: Cell<usize>,
}

impl Line {
    fn to(server: &Rc<Server>) -> Self {
        Self {
            server: Rc::clone(server),
            sent: Cell::new(0),
            applied: Cell::new(0),
        }
    }

    async fn travels(&self) {
        sleep(Duration::from_millis(self.server.dice.roll(2_000))).await;
    }
}

impl System for Line {
    async fn read(&self, _plan: &Plan) -> Result<Seen, ReadTrouble> {
        self.travels().await;
        if self.server.breaks && self.server.dice.roll(10) == 0 {
            return Err(ReadTrouble::Unreachable(sanitise("reset by peer")));
        }
        Ok(Arc::clone(&self.server.object.borrow()).into())
    }

    async fn send(
        &self,
        _plan: &Plan,
        _index: usize,
        version: ResourceVersion,
        _read_at: Timestamp,
    ) -> Answer {
        self.sent.set(self.sent.get() + 1);
        self.travels().await;
        let lost = || Answer::Lost(sanitise("reset by peer"));
        if self.server.breaks && self.server.dice.roll(4) == 0 {
            return lost();
        }
        let Some(now) = self.server.promote(&version) else {
            return Answer::Conflict;
        };
        self.applied.set(self.applied.get() + 1);
        self.travels().await;
        if self.server.breaks && self.server.dice.roll(2) == 0 {
            return lost();
        }
        Answer::Applied(now.into())
    }

    async fn observe(
        &self,
        _plan: &Plan,
        _from: Option<ResourceVersion>,
        seen: mpsc::Sender<Sight>,
    ) {
        let mut told = None;
        loop {
            let now = Arc::clone(&self.server.object.borrow());
            if told.as_ref() != Some(&now.version) {
                told = Some(now.version.clone());
                if seen.send(Sight::Seen(now.into())).await.is_err() {
                    return;
                }
            }
            sleep(Duration::from_millis(300)).await;
        }
    }

    async fn note(&self, _plan: &Plan) {}
}

#[derive(Default)]
struct Journal(RefCell<Vec<Record>>);

impl Recorder for Journal {
    async fn record(&self, record: Record) -> Result<Place, String> {
        sleep(Duration::from_millis(1)).await;
        self.0.borrow_mut().push(record);
        Ok(Place::Audit)
    }
}

impl Journal {
    fn kinds(&self) -> Vec<&'static str> {
        self.0.borrow().iter().map(|record| record.kind).collect()
    }
}

async fn acts(approved: &Approved, line: &Line, journal: &Journal, from: Timestamp) -> Outcome {
    let since = Instant::now();
    let now = move || from + SignedDuration::try_from(since.elapsed()).unwrap();
    let (_hold, control) = mpsc::unbounded_channel();
    let machine = Machine::new(approved.clone(), WaitFor::Effect, None);
    execute(machine, line, journal, now, control, |_underway| {}).await
}

#[tokio::test(start_paused = true)]
async fn t02_one_intent_is_applied_once_and_two_operators_promote_one_step() {
    let (approved, rollout) = promotion();
    let read_at = approved.plan().read_at;
    let mut ends: BTreeMap<&'static str, usize> = BTreeMap::new();
    for seed in 0..1_000 {
        let server = Rc::new(Server {
            object: RefCell::new(Arc::clone(&rollout)),
            due: Cell::new(None),
            dice: Dice(Cell::new(seed)),
            works: true,
            breaks: true,
        });
        let lines = [Line::to(&server), Line::to(&server)];
        let journals = [Journal::default(), Journal::default()];
        let both = async {
            let late = async {
                sleep(Duration::from_millis(server.dice.roll(5_000))).await;
                acts(&approved, &lines[1], &journals[1], read_at).await
            };
            let first = acts(&approved, &lines[0], &journals[0], read_at);
            let (first, second) = futures::join!(first, late);
            // What was accepted late takes its effect late.
            sleep(Duration::from_secs(70)).await;
            [first, second]
        };
        let outcomes = tokio::select! {
            outcomes = both => outcomes,
            () = server.control() => unreachable!("it goes on for ever"),
        };
        let taken: usize = lines.iter().map(|line| line.applied.get()).sum();
        assert!(taken <= 1, "seed {seed}: applied {taken} times");
        let steps = index_of(&server.object.borrow()) - index_of(&rollout);
        assert_eq!(steps, i64::try_from(taken).unwrap(), "seed {seed}");
        for ((outcome, line), journal) in outcomes.iter().zip(&lines).zip(&journals) {
            let what = format!("seed {seed}: {outcome:?}, sent {}", line.sent.get());
            *ends.entry(outcome.kind.word()).or_default() += 1;
            let resends = usize::from(approved.plan().sends[0].resends);
            assert!(line.sent.get() <= 1 + resends, "{what}");
            // What was done is never called refused, and what never happened is never called done.
            if line.applied.get() == 1 {
                let told = matches!(outcome.kind, OutcomeKind::Observed | OutcomeKind::Unknown);
                assert!(told, "{what}");
            }
            if outcome.kind == OutcomeKind::Observed {
                assert_eq!(taken, 1, "{what}");
            }
            let kinds = journal.kinds();
            let count = |kind| kinds.iter().filter(|known| **known == kind).count();
            assert_eq!(count("sending"), line.sent.get(), "{what}: {kinds:?}");
            assert_eq!(count("intent") + count("outcome"), 2, "{what}: {kinds:?}");
        }
    }
    // They went every way there is.
    for word in ["observed", "unknown", "refused"] {
        assert!(ends.get(word).is_some_and(|count| *count > 20), "{ends:?}");
    }
}

#[test]
fn t02_a_held_key_and_a_double_confirmation_confirm_once() {
    for seed in 0..300_u64 {
        let dice = Dice(Cell::new(seed));
        let mut world = World::new(WORLD);
        world.step(&Step::Press(Key::char('x')));
        world.step(&Step::Answer(true));
        world.step(&Step::Draw);
        // A finger that rests on the key at thirty a second, with the terminal saying so or not, and a confirmation that
        // comes twice in one read.
        let quiet = dice.roll(3) == 0;
        world.step(&Step::Wait(if quiet { 500 } else { 33 }));
        for _ in 0..=dice.roll(60) {
            let key = Key {
                repeat: dice.roll(2) == 0,
                ..Key::char('Y')
            };
            world.step(&Step::Press(key));
            if dice.roll(3) == 0 {
                world.step(&Step::Draw);
            }
            if dice.roll(4) > 0 {
                world.step(&Step::Wait(33));
            }
        }
        assert!(world.approved.len() <= 1, "seed {seed}");
        // Without half a second of silence not even once: a held key is never silent.
        assert!(quiet || world.approved.is_empty(), "seed {seed}");
    }
}

#[test]
fn t02_two_confirmations_in_one_read_and_a_lost_answer_send_one_request() {
    let mut windlass = Demo::of("canary")
        .with(&["--speed", "20", "--fault", "lost-answer:1@patch"])
        .live();
    windlass.key("p");
    windlass.until_listening();
    windlass.key("prod-eu\r\r\rYY");
    windlass.until("Promote checkout: done");
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
    let patches = windlass.patches();
    assert_eq!(patches.len(), 1, "{patches:#?}");
    assert_eq!(patches[0].status, None, "its answer was lost");
}

#[test]
fn t02_two_operators_who_confirm_the_same_step_promote_it_once() {
    let shop = Shop::open("canary");
    let mut screens = [shop.screen(), shop.screen()];
    for screen in &mut screens {
        screen.until_live();
        screen.key("p");
        screen.until_listening();
    }
    for screen in &mut screens {
        screen.key("prod-eu\r");
    }
    for screen in &mut screens {
        screen.until_screen("an outcome", |screen| {
            let text = crate::screen::harness::text_of(screen);
            text.contains("Promote checkout: ")
                && (text.contains("done") || text.contains("refused"))
                || text.contains("no longer true")
        });
        screen.key("\x1b");
    }
    let taken: Vec<_> = shop
        .writes_to("kubernetes")
        .into_iter()
        .filter(|sent| sent.path.contains("/rollouts/") && sent.status == Some(200))
        .collect();
    assert_eq!(taken.len(), 1, "{taken:#?}");
}

#[tokio::test(start_paused = true)]
async fn t04_what_was_accepted_and_takes_no_effect_is_unknown_at_its_time() {
    let (approved, rollout) = promotion();
    let plan = approved.plan();
    for seed in 0..50 {
        let server = Rc::new(Server {
            object: RefCell::new(Arc::clone(&rollout)),
            due: Cell::new(None),
            dice: Dice(Cell::new(seed)),
            works: false,
            breaks: false,
        });
        let (line, journal) = (Line::to(&server), Journal::default());
        let since = Instant::now();
        let outcome = tokio::select! {
            outcome = acts(&approved, &line, &journal, plan.read_at) => outcome,
            () = server.control() => unreachable!("it goes on for ever"),
        };
        assert_eq!(outcome.kind, OutcomeKind::Unknown, "{outcome:?}");
        assert!(!outcome.words.contains("done"), "{outcome:?}");
        assert_eq!(line.applied.get(), 1, "it was accepted");
        assert_eq!(line.sent.get(), 1, "and never sent again");
        // Counted from the answer: the ways before it took up to six seconds.
        let took = i64::try_from(since.elapsed().as_secs()).unwrap();
        assert!(
            (plan.time_s..=plan.time_s + 7).contains(&took),
            "{took} s of {}",
            plan.time_s
        );
    }
}

/// A host that says yes and does nothing.
#[test]
fn t04_an_approval_that_is_accepted_and_changes_nothing_is_unknown() {
    let (shop, between) = Shop::open("gate").behind_github();
    let gate = shop.gate_of("cart");
    between.now(|seen| match &*seen.method {
        "GET" => Then::Forward,
        _ => Then::Say(200, "application/json", "[]".to_owned()),
    });
    let ran = shop
        .act(&["approve", &gate.id(), "--yes", "--timeout", "2s"])
        .exits(5);
    assert_eq!(ran.json()["outcome"], "unknown", "{}", ran.out);
    assert_eq!(between.posted().len(), 1, "{:#?}", between.posted());
}
