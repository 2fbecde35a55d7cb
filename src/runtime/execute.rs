//! Drives the machine of one approved action against a real system: does what it asks for, in its order, and tells it
//! what happened. Owns no decision. Used by the screen and by the command line alike.

use std::{future::Future, pin::Pin, time::Duration};

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::{
    model::{id::ResourceVersion, source::ACT_WITHIN},
    ops::{
        machine::{Answer, Do, Event, Machine, Outcome, Place, ReadTrouble},
        plan::Plan,
        record::Record,
        seen::Seen,
    },
};

/// What an action needs of the system it acts on. A provider's adapter implements it.
pub trait System {
    /// A consistent read of the object itself.
    fn read(&self, plan: &Plan) -> impl Future<Output = Result<Seen, ReadTrouble>>;
    /// Request `index` of the plan, once, with this version as its precondition. Where the system knows no precondition,
    /// it leaves by `not_after` or never.
    fn send(
        &self,
        plan: &Plan,
        index: usize,
        version: ResourceVersion,
        not_after: Timestamp,
    ) -> impl Future<Output = Answer>;
    /// Every state of the object from this version on, until dropped. Reconnects by itself.
    fn observe(
        &self,
        plan: &Plan,
        from: Option<ResourceVersion>,
        seen: mpsc::Sender<Sight>,
    ) -> impl Future<Output = ()>;
    /// The note on the object; nobody waits for it.
    fn note(&self, plan: &Plan) -> impl Future<Output = ()>;
}

/// What observing brings.
#[derive(Clone, Debug)]
pub enum Sight {
    Seen(Seen),
    Deleted,
}

/// Makes records durable.
pub trait Recorder {
    fn record(&self, record: Record) -> impl Future<Output = Result<Place, String>>;
}

/// How far an action is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Underway {
    /// What the line about it should say.
    pub words: String,
    /// Whether a request of it may still leave.
    pub may_send: bool,
}

/// From whoever waits for the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// The terminal vanished.
    Abandoned,
    /// The operator gave up waiting.
    Interrupted,
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Runs an action to its outcome. `now` is the clock, `progress` hears how far it is.
pub async fn execute<S: System, R: Recorder>(
    mut machine: Machine,
    system: &S,
    recorder: &R,
    now: impl Fn() -> Timestamp,
    mut control: mpsc::UnboundedReceiver<Control>,
    mut progress: impl FnMut(Underway),
) -> Outcome {
    let plan = machine.approved().plan().clone();
    let plan = &plan;
    let (seen_sender, mut seen) = mpsc::channel::<Sight>(64);
    let mut todo: std::collections::VecDeque<Do> = machine.start(now()).into();
    // What is under way. The machine asks for one record, read or request at a time.
    let mut step: Option<Boxed<'_, Event>> = None;
    let mut observing: Option<Boxed<'_, ()>> = None;
    let mut noting: Option<Boxed<'_, ()>> = None;
    let mut wake: Option<Timestamp> = None;
    // Of what the next request rests on.
    let mut read_at = Timestamp::UNIX_EPOCH;
    let mut said = None;
    let mut control_open = true;
    loop {
        while let Some(next) = todo.pop_front() {
            match next {
                Do::Record(record) => {
                    step = Some(Box::pin(async move {
                        Event::Recorded(recorder.record(record).await)
                    }));
                }
                Do::Read => {
                    step = Some(Box::pin(
                        async move { Event::Read(system.read(plan).await) },
                    ));
                }
                Do::Send { index, version } => {
                    observing = None;
                    let by = read_at.checked_add(ACT_WITHIN).unwrap_or(read_at);
                    step = Some(Box::pin(async move {
                        Event::Answered(system.send(plan, index, version, by).await)
                    }));
                }
                Do::Observe { from } => {
                    observing = Some(Box::pin(system.observe(plan, from, seen_sender.clone())));
                }
                Do::Note => noting = Some(Box::pin(system.note(plan))),
                Do::WakeAt(at) => wake = Some(at),
                Do::Finish(outcome) => {
                    // The note is best effort and small: it gets a moment, never the outcome.
                    if let Some(note) = noting.take() {
                        let _ = tokio::time::timeout(Duration::from_secs(3), note).await;
                    }
                    return outcome;
                }
            }
        }
        let underway = Underway {
            words: machine.words(),
            may_send: machine.may_send(),
        };
        if said.as_ref() != Some(&underway) {
            said = Some(underway.clone());
            progress(underway);
        }
        let sleep = wake.map(|at| {
            let left = at.duration_since(now());
            tokio::time::sleep(
                Duration::try_from(left).unwrap_or_default() + Duration::from_millis(1),
            )
        });
        let event = tokio::select! {
            biased;
            control = control.recv(), if control_open => match control {
                Some(Control::Abandoned) => Event::Abandoned,
                Some(Control::Interrupted) => Event::Interrupted,
                None => {
                    control_open = false;
                    continue;
                }
            },
            event = next(&mut step), if step.is_some() => {
                step = None;
                event
            }
            Some(seen) = seen.recv() => match seen {
                Sight::Seen(seen) => Event::Seen(seen),
                Sight::Deleted => Event::Deleted,
            },
            () = done(&mut observing), if observing.is_some() => {
                observing = None;
                continue;
            }
            () = done(&mut noting), if noting.is_some() => {
                noting = None;
                continue;
            }
            () = sleeping(sleep), if wake.is_some() => {
                wake = None;
                Event::Woke
            }
        };
        // An interruption must not wait for the request that is on its way, and must not be asked for twice.
        if matches!(event, Event::Interrupted) {
            step = None;
        }
        if let Event::Read(Ok(seen)) = &event {
            read_at = seen.read_at().unwrap_or_else(&now);
        }
        todo.extend(machine.step(now(), event));
    }
}

async fn next(step: &mut Option<Boxed<'_, Event>>) -> Event {
    match step {
        Some(step) => step.await,
        None => std::future::pending().await,
    }
}

async fn done(future: &mut Option<Boxed<'_, ()>>) {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

async fn sleeping(sleep: Option<tokio::time::Sleep>) {
    match sleep {
        Some(sleep) => sleep.await,
        None => std::future::pending().await,
    }
}
