//! One operator's way to the server, with everything that can go wrong on it: requests and answers that are dropped, late
//! or doubled, refusals by whatever is in between, watches that fall silent, end, repeat and change their order. A request
//! that has left goes on by itself, whatever becomes of who sent it.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::{mpsc, oneshot},
    task::spawn_local,
    time::{Instant, sleep, timeout},
};
use windlass::{
    model::{id::ResourceVersion, rollout::Rollout, text::sanitise},
    ops::{
        machine::{Answer, ReadTrouble},
        plan::Plan,
        seen::Seen,
    },
    providers::kubernetes::{
        act,
        error::{Error, Said},
    },
    runtime::execute::{Sight, System},
};

use super::{World, server::Server};

/// Until the head of an answer is here, as the client has it.
const HEADER: Duration = Duration::from_secs(10);

/// A line of a watch.
pub(super) enum Line {
    Changed(Arc<Rollout>),
    Gone(Arc<Rollout>),
    Bookmark { version: u64, ends_list: bool },
    Failed(u16),
    Ended,
}

#[derive(Clone)]
pub(super) struct Way {
    world: Rc<World>,
    seat: usize,
    /// Streams that can fall silent.
    streams: Rc<RefCell<Vec<Weak<Cell<bool>>>>>,
}

pub(super) fn error(status: u16) -> Error {
    let said = Said {
        status,
        reason: sanitise(""),
        message: sanitise("as simulated"),
    };
    match status {
        404 => Error::NotFound(said),
        409 => Error::Conflict(said),
        410 => Error::Gone(said),
        429 => Error::RateLimited {
            said,
            retry_after: Some(Duration::from_secs(2)),
        },
        _ => Error::Server {
            said,
            retry_after: None,
        },
    }
}

/// What becomes of one request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Fine,
    NoConnection,
    /// It never arrives.
    Dropped,
    /// Something in between answers, and the server never sees it.
    Refused(u16),
    /// The server does it, and then something answers for it.
    Spoilt(u16),
    /// The server does it, and its answer never arrives.
    Unanswered,
    /// It takes up to two minutes there, or back.
    Late,
    /// It arrives twice.
    Doubled,
}

impl Way {
    pub(super) fn new(world: &Rc<World>, seat: usize) -> Self {
        Self {
            world: Rc::clone(world),
            seat,
            streams: Rc::default(),
        }
    }

    /// Every open connection falls silent, as after a night's sleep or behind a firewall that forgets.
    pub(super) fn falls_silent(&self) {
        for stream in self.streams.borrow_mut().drain(..) {
            if let Some(silent) = stream.upgrade() {
                silent.set(true);
            }
        }
    }

    fn fate(&self) -> Fate {
        if !self.world.fails(5) {
            return Fate::Fine;
        }
        self.world.dice.pick(&[
            Fate::NoConnection,
            Fate::Dropped,
            Fate::Refused(409),
            Fate::Refused(429),
            Fate::Refused(503),
            Fate::Spoilt(502),
            Fate::Spoilt(504),
            Fate::Unanswered,
            Fate::Unanswered,
            Fate::Late,
            Fate::Late,
            Fate::Doubled,
        ])
    }

    /// One request and its answer.
    pub(super) async fn exchange<T: 'static>(
        &self,
        what: &str,
        serve: impl Fn(&World) -> Result<T, u16> + 'static,
    ) -> Result<T, Error> {
        let fate = self.fate();
        let world = &self.world;
        world.note(&format!("{} {what}: {fate:?}", self.seat));
        let quick = || world.dice.millis(2, 400);
        let (there, back) = match fate {
            Fate::Late if world.dice.one_in(2) => (world.dice.millis(0, 120_000), quick()),
            Fate::Late => (quick(), world.dice.millis(0, 120_000)),
            _ => (quick(), quick()),
        };
        match fate {
            Fate::NoConnection => {
                sleep(there).await;
                return Err(Error::Unreachable {
                    why: sanitise("connection refused"),
                });
            }
            Fate::Refused(status) => {
                sleep(there + back).await;
                return Err(error(status));
            }
            _ => {}
        }
        let (sender, receiver) = oneshot::channel();
        let (on_the_wire, what, seat) = (Rc::clone(world), what.to_owned(), self.seat);
        spawn_local(async move {
            let world = on_the_wire;
            sleep(there).await;
            // Whoever waits hears nothing, until it is tired of that.
            let silence = sleep(Duration::from_secs(600));
            if fate == Fate::Dropped {
                silence.await;
                drop(sender);
                return;
            }
            let served = serve(&world);
            let outcome = match &served {
                Ok(_) => "served".to_owned(),
                Err(status) => status.to_string(),
            };
            world.note(&format!("{seat} {what}: {outcome}"));
            match fate {
                Fate::Unanswered => {
                    silence.await;
                    drop(sender);
                    return;
                }
                Fate::Doubled => {
                    sleep(world.dice.millis(0, 2_000)).await;
                    let again = serve(&world).err();
                    world.note(&format!("{seat} {what} again: {again:?}"));
                }
                _ => {}
            }
            sleep(back).await;
            let answer = match fate {
                Fate::Spoilt(status) => Err(status),
                _ => served,
            };
            // Who asked may be gone.
            drop(sender.send(answer));
        });
        match timeout(HEADER, receiver).await {
            Ok(Ok(answer)) => answer.map_err(error),
            Ok(Err(_)) => Err(Error::Lost {
                why: sanitise("reset by peer"),
            }),
            Err(_) => Err(Error::Timeout { after: HEADER }),
        }
    }

    pub(super) async fn read_object(&self) -> Result<Arc<Rollout>, Error> {
        self.exchange("GET", |world| Ok(world.server.rollout()))
            .await
    }

    /// Opens a stream of changes from a version on, or of everything.
    pub(super) async fn stream(
        &self,
        from: Option<u64>,
    ) -> Result<mpsc::UnboundedReceiver<Line>, Error> {
        let opened = move |world: &World| match from {
            Some(version) => world.server.since(version).map(|_| version),
            None => Ok(world.server.version()),
        };
        let whole = from.is_none();
        let version = self.exchange("WATCH", opened).await?;
        let (sender, lines) = mpsc::unbounded_channel();
        let silent = Rc::new(Cell::new(false));
        self.streams.borrow_mut().push(Rc::downgrade(&silent));
        let pipe = Pipe {
            world: Rc::clone(&self.world),
            sender,
            silent,
            version,
        };
        spawn_local(pipe.run(whole));
        Ok(lines)
    }
}

/// The server's end of a watch.
struct Pipe {
    world: Rc<World>,
    sender: mpsc::UnboundedSender<Line>,
    silent: Rc<Cell<bool>>,
    version: u64,
}

impl Pipe {
    fn tell(&self, line: Line) {
        if !self.silent.get() {
            // Who watched may be gone.
            drop(self.sender.send(line));
        }
    }

    async fn run(mut self, whole: bool) {
        let server: &Server = &self.world.server;
        if whole {
            self.tell(Line::Changed(server.rollout()));
            self.version = server.version();
            self.tell(Line::Bookmark {
                version: self.version,
                ends_list: true,
            });
        }
        let ends = Instant::now() + self.world.dice.millis(300_000, 600_000);
        loop {
            if server.version() == self.version {
                tokio::select! {
                    biased;
                    () = self.sender.closed() => return,
                    () = server.rings() => {}
                    () = sleep(Duration::from_secs(60)) => self.tell(Line::Bookmark {
                        version: self.version,
                        ends_list: false,
                    }),
                }
            }
            if Instant::now() >= ends || self.world.fails(60) {
                return self.tell(Line::Ended);
            }
            if self.world.fails(60) {
                self.silent.set(true);
            }
            sleep(
                self.world
                    .dice
                    .millis(0, if self.world.fails(10) { 30_000 } else { 50 }),
            )
            .await;
            if self.world.fails(40) {
                self.world.note("a version is gone");
                return self.tell(Line::Failed(410));
            }
            let Ok(mut changes) = server.since(self.version) else {
                self.tell(Line::Failed(410));
                return;
            };
            self.version = server.version();
            if changes.len() > 1 && self.world.fails(4) {
                let last = changes.len() - 1;
                changes.swap(last, last - 1);
            }
            for change in changes {
                let line = |change: &super::server::Change| match change.gone {
                    true => Line::Gone(Arc::clone(&change.rollout)),
                    false => Line::Changed(Arc::clone(&change.rollout)),
                };
                if self.world.fails(10) {
                    self.tell(line(&change));
                }
                self.tell(line(&change));
            }
        }
    }
}

impl System for Way {
    async fn read(&self, plan: &Plan) -> Result<Seen, ReadTrouble> {
        let read = self.read_object().await;
        if read.is_ok() {
            self.world
                .judge
                .read_again(&plan.intent.id, self.world.elapsed());
        }
        read.map(Into::into).map_err(|error| act::trouble(&error))
    }

    async fn send(
        &self,
        plan: &Plan,
        index: usize,
        version: ResourceVersion,
        _not_after: Timestamp,
    ) -> Answer {
        let sending = plan.sends.get(index).expect("it is in the plan");
        let request = act::request(plan, sending, &version);
        let intent = plan.intent.id.clone();
        self.world.judge.leaves(&self.world, &intent, index);
        let what = format!("PATCH {intent} {index} at {version}");
        let answer = self
            .exchange(&what, move |world| {
                let before = world.server.rollout();
                let patched = world.server.patch(world, &request.path, &request.body)?;
                world.judge.applied(world, &intent, index, &before);
                Ok(patched)
            })
            .await;
        let answer = match answer {
            Ok(rollout) => Answer::Applied(rollout.into()),
            Err(error) => act::answer(&error),
        };
        self.world
            .judge
            .answered(&plan.intent.id, index, &answer, self.world.elapsed());
        answer
    }

    async fn observe(&self, _: &Plan, from: Option<ResourceVersion>, seen: mpsc::Sender<Sight>) {
        let mut from = from.and_then(|version| version.as_str().parse().ok());
        loop {
            let version = match from.take() {
                Some(version) => version,
                None => match self.read_object().await {
                    Ok(rollout) => {
                        let version = rollout.version.as_str().parse().unwrap();
                        if seen.send(Sight::Seen(rollout.into())).await.is_err() {
                            return;
                        }
                        version
                    }
                    Err(_) => {
                        sleep(Duration::from_millis(500)).await;
                        continue;
                    }
                },
            };
            let Ok(mut lines) = self.stream(Some(version)).await else {
                sleep(Duration::from_millis(500)).await;
                continue;
            };
            while let Ok(Some(line)) = timeout(Duration::from_secs(75), lines.recv()).await {
                let sight = match line {
                    Line::Changed(rollout) => Sight::Seen(rollout.into()),
                    Line::Gone(_) => Sight::Deleted,
                    Line::Bookmark { .. } => continue,
                    Line::Failed(_) | Line::Ended => break,
                };
                if seen.send(sight).await.is_err() {
                    return;
                }
            }
        }
    }

    async fn note(&self, plan: &Plan) {
        let what = format!("POST a note of {}", plan.intent.id);
        // Best effort: nobody waits for it.
        drop(self.exchange(&what, |_| Ok(())).await);
    }
}
