//! One operator's program: the real reducer and the real execution of actions, with a loop around them that does what the
//! runtime does. Can be killed between any two things that it waits for, and started again from its journal.

use std::{
    cell::{Cell, RefCell},
    panic::AssertUnwindSafe,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use futures::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, spawn_local},
    time::sleep,
};
use windlass::{
    app::{
        key::Key,
        keymap::Keymap,
        msg::{ActionUpdate, Effect, Msg},
        state::{Environment, OpenIntent, Overlay, State},
        update,
    },
    model::{
        event::{Fact, SourceEvent},
        id::EnvironmentName,
        source::{Access, Answer, Need, SourceState},
        text::sanitise,
    },
    ops::{
        ceremony::Approved,
        intent::Intent,
        machine::{Machine, WaitFor},
        plan::Refusal,
    },
    providers::kubernetes::plan,
    runtime::{
        clock::Steady,
        execute::{Control, Recorder as _, Underway, execute},
    },
};

use super::{
    World,
    disk::{Disk, Journal},
    watch,
    way::Way,
};
use crate::reducer::{ENVIRONMENT, state};

pub(super) struct Seat {
    pub(super) world: Rc<World>,
    pub(super) number: usize,
    pub(super) disk: Rc<Disk>,
    pub(super) way: Way,
    pub(super) state: RefCell<State>,
    life: RefCell<Option<Life>>,
    lives: Cell<usize>,
}

struct Life {
    messages: mpsc::UnboundedSender<Msg>,
    tasks: Vec<AbortHandle>,
    watching: Option<AbortHandle>,
    controls: Vec<mpsc::UnboundedSender<Control>>,
}

impl Seat {
    pub(super) fn new(world: &Rc<World>, number: usize) -> Rc<Self> {
        let disk = Rc::new(Disk::new(number));
        world.judge.knows(&disk);
        Rc::new(Self {
            world: Rc::clone(world),
            number,
            disk,
            way: Way::new(world, number),
            state: RefCell::new(state(world.base, &EnvironmentName::new(ENVIRONMENT))),
            life: RefCell::new(None),
            lives: Cell::new(0),
        })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.world.clocks[self.number].now(&self.world)
    }

    pub(super) fn lives(&self) -> bool {
        self.life.borrow().is_some()
    }

    /// Starts the program: from nothing but the journal.
    pub(super) fn start(self: &Rc<Self>) {
        self.lives.set(self.lives.get() + 1);
        self.world.clocks[self.number].begins(&self.world);
        let mut fresh = state(self.now(), &EnvironmentName::new(ENVIRONMENT));
        fresh.session.id = format!("seat{}-life{}", self.number, self.lives.get());
        fresh.session.clock = false;
        // Keys for what has none by itself, so that it is reached.
        let keys = "[keys]\nretry = \"R\"\nabort = \"A\"\n";
        fresh.session.keys = Keymap::new(&windlass::config::parse(keys, "keys").unwrap().keys);
        let environment = fresh.environments.values_mut().next().unwrap();
        environment.health.state = SourceState::Connecting;
        if self.lives.get() > 1 {
            match self.disk.read_back() {
                Ok(open) => {
                    fresh.session.open_intents = open
                        .iter()
                        .map(|intent| OpenIntent {
                            id: sanitise(&intent.id),
                            at: Some(intent.at),
                            words: sanitise(&intent.words),
                        })
                        .collect();
                    if !open.is_empty() {
                        self.world.judge.count("found open");
                        fresh.overlays.push(Overlay::OpenIntents);
                    }
                }
                Err(why) => self.world.judge.complain(format!("P4: {why}")),
            }
        }
        self.state.replace(fresh);
        let (messages, receiver) = mpsc::unbounded_channel();
        self.life.replace(Some(Life {
            messages,
            tasks: Vec::new(),
            watching: None,
            controls: Vec::new(),
        }));
        self.world.note(&format!("{} starts", self.number));
        self.task(Rc::clone(self).turns(receiver));
        self.task(super::finger::works(Rc::clone(self)));
        self.watch();
    }

    pub(super) fn kill(&self) {
        let Some(life) = self.life.borrow_mut().take() else {
            return;
        };
        self.world.note(&format!("{} is killed", self.number));
        self.world.judge.count("kills");
        for task in life.tasks.iter().chain(&life.watching) {
            task.abort();
        }
        self.world.judge.killed(self.number);
    }

    /// The terminal is gone: the program finishes what it has begun, and ends.
    pub(super) fn abandon(&self) {
        if let Some(life) = &*self.life.borrow() {
            self.world.note(&format!("{} is left alone", self.number));
            for control in &life.controls {
                // Most of them are over.
                let _over = control.send(Control::Abandoned);
            }
        }
    }

    fn task(&self, work: impl Future<Output = ()> + 'static) -> AbortHandle {
        let world = Rc::clone(&self.world);
        let number = self.number;
        let task = spawn_local(async move {
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                world.judge.complain(format!("{number} panicked"));
            }
        });
        let handle = task.abort_handle();
        if let Some(life) = &mut *self.life.borrow_mut() {
            life.tasks.push(task.abort_handle());
        }
        handle
    }

    fn watch(self: &Rc<Self>) {
        let handle = self.task(watch::watches(Rc::clone(self)));
        if let Some(life) = &mut *self.life.borrow_mut()
            && let Some(old) = life.watching.replace(handle)
        {
            old.abort();
        }
    }

    pub(super) fn tell(&self, msg: Msg) {
        if let Some(life) = &*self.life.borrow() {
            // The loop lives as long as this.
            drop(life.messages.send(msg));
        }
    }

    pub(super) fn tell_fact(&self, fact: Fact) {
        self.tell(Msg::Source(vec![SourceEvent {
            environment: EnvironmentName::new(ENVIRONMENT),
            fact,
        }]));
    }

    pub(super) fn press(&self, key: Key) {
        self.world
            .note(&format!("{} presses {:?}", self.number, key.code));
        self.tell(Msg::Key(key));
    }

    /// The loop of the screen.
    async fn turns(self: Rc<Self>, mut messages: mpsc::UnboundedReceiver<Msg>) {
        loop {
            let wake = self.state.borrow().wake_at();
            let wait = wake.map_or(Duration::from_secs(3600), |wake| {
                Duration::try_from(wake.duration_since(self.now())).unwrap_or_default()
            });
            let msg = tokio::select! {
                biased;
                Some(msg) = messages.recv() => msg,
                () = sleep(wait + Duration::from_millis(1)) => Msg::Tick,
            };
            self.turn(msg);
        }
    }

    fn turn(self: &Rc<Self>, msg: Msg) {
        if let Msg::Action {
            intent,
            update: ActionUpdate::Over(outcome),
        } = &msg
        {
            self.world.note(&format!(
                "{} {intent}: {:?}, {}",
                self.number, outcome.kind, outcome.words
            ));
            self.world.judge.told(&self.world, intent, outcome);
        }
        let now = self.now();
        let mut effects = update(&mut self.state.borrow_mut(), now, msg);
        if std::mem::take(&mut self.state.borrow_mut().dirty) {
            self.state.borrow_mut().settle();
            effects.extend(update(&mut self.state.borrow_mut(), now, Msg::Shown(now)));
        }
        for effect in effects {
            self.start_effect(effect);
        }
    }

    fn start_effect(self: &Rc<Self>, effect: Effect) {
        let this = Rc::clone(self);
        match effect {
            Effect::Plan(intent) => {
                self.task(async move { this.plan(intent).await });
            }
            Effect::Execute(approved) => {
                let live = self
                    .state
                    .borrow()
                    .environments
                    .values()
                    .all(Environment::is_fresh);
                self.world.note(&format!(
                    "{} confirms {}",
                    self.number,
                    approved.plan().title
                ));
                self.world
                    .judge
                    .confirms(&self.world, self.number, &approved, live);
                self.execute(*approved);
            }
            Effect::Access { namespace, .. } => {
                self.task(async move {
                    let asked = this.way.exchange("ACCESS", |_| Ok(())).await;
                    let answer = match asked {
                        Ok(()) => Answer::Allowed,
                        Err(error) => Answer::NotAnswered(error.sentence()),
                    };
                    this.tell_fact(Fact::Access(Access {
                        namespace,
                        answers: Need::ALL.map(|need| (need, answer.clone())).to_vec(),
                        asked: this.now(),
                    }));
                });
            }
            Effect::Refresh(_) => self.watch(),
            Effect::Record(record) => {
                let journal = self.journal();
                // What becomes of it is said on the screen; nothing depends on it.
                self.task(async move { drop(journal.record(record).await) });
            }
            Effect::WhoReverted { intent, .. } => self.tell(Msg::RevertedBy { intent, by: None }),
            _ => {}
        }
    }

    fn journal(&self) -> Journal {
        Journal {
            disk: Rc::clone(&self.disk),
            world: Rc::clone(&self.world),
        }
    }

    async fn plan(&self, intent: Intent) {
        let world = Rc::clone(&self.world);
        let result = match self.way.read_object().await {
            Ok(rollout) => {
                let mut facts = world.server.facts(self.now());
                facts.release.rollout = Arc::clone(&rollout);
                let read = world.clocks[self.number].boot(&world);
                world.judge.planned(&intent.id, read, rollout);
                plan::plan(&intent, &facts)
            }
            Err(error) => Err(Refusal::unreachable(error.sentence().to_string())),
        };
        self.tell(Msg::Planned {
            intent: intent.id,
            result: Box::new(result),
        });
    }

    fn execute(self: &Rc<Self>, approved: Approved) {
        let intent = approved.plan().intent.id.clone();
        let (control, commands) = mpsc::unbounded_channel();
        if let Some(life) = &mut *self.life.borrow_mut() {
            life.controls.push(control);
        }
        let this = Rc::clone(self);
        self.task(async move {
            let machine = Machine::new(approved, WaitFor::Effect, None);
            let progress = |underway: Underway| {
                this.tell(Msg::Action {
                    intent: intent.clone(),
                    update: ActionUpdate::UnderWay {
                        words: underway.words,
                        may_send: underway.may_send,
                    },
                });
            };
            let journal = this.journal();
            let outcome = execute(
                machine,
                &this.way,
                &journal,
                || this.now(),
                commands,
                progress,
            )
            .await;
            this.tell(Msg::Action {
                intent,
                update: ActionUpdate::Over(outcome),
            });
        });
    }
}

/// A wall clock that jumps and a machine that sleeps.
pub(super) struct Clock {
    jumped: Cell<SignedDuration>,
    slept: Cell<Duration>,
    steady: Cell<Steady>,
}

impl Clock {
    pub(super) fn new(base: Timestamp) -> Self {
        Self {
            jumped: Cell::default(),
            slept: Cell::default(),
            steady: Cell::new(Steady::new(base, Duration::ZERO)),
        }
    }

    /// A program begins here: it looks at the wall once.
    fn begins(&self, world: &World) {
        let steady = Steady::new(self.wall(world), self.boot(world));
        self.steady.set(steady);
    }

    pub(super) fn jump(&self, by: SignedDuration) {
        self.jumped.set(self.jumped.get() + by);
    }

    pub(super) fn sleep(&self, by: Duration) {
        self.slept.set(self.slept.get() + by);
    }

    /// What has passed, asleep or awake.
    pub(super) fn boot(&self, world: &World) -> Duration {
        world.elapsed() + self.slept.get()
    }

    /// What it says on the wall.
    fn wall(&self, world: &World) -> Timestamp {
        world.base + SignedDuration::try_from(self.boot(world)).unwrap() + self.jumped.get()
    }

    /// What the program takes for the time.
    pub(super) fn now(&self, world: &World) -> Timestamp {
        self.steady.get().at(self.boot(world))
    }
}
