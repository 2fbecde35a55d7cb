//! The watch of one seat: the real rules of keeping a collection in sync, over a way that breaks them.

use std::{rc::Rc, time::Duration};

use tokio::time::{Instant, sleep_until, timeout_at};
use windlass::{
    model::{
        event::{Collection, CollectionKind, Fact},
        id::WorkloadKind,
        rollout::Rollout,
        source::{SourceHealth, SourceState},
        text::sanitise,
    },
    providers::kubernetes::{
        client::ApiPath,
        watch::{Ask, Chance, Condition, Line as Read, StreamsLists, Watch},
    },
};

use super::{
    seat::Seat,
    way::{Line, error},
};

const ROLLOUTS: Collection = Collection {
    kind: CollectionKind::Workloads(WorkloadKind::ArgoRollout),
    namespace: None,
};

pub(super) async fn watches(seat: Rc<Seat>) {
    let path = ApiPath::new(&["apis", "argoproj.io", "v1alpha1", "rollouts"]);
    let mut watch = Watch::new(path, true, StreamsLists::default());
    let mut watching = Watching {
        start: Instant::now(),
        chance: Chance::seeded(seat.world.dice.next()),
        told: None,
        seat,
    };
    loop {
        watching.tell_health(watch.condition());
        match watch.next(watching.now(), &mut watching.chance) {
            Ask::Wait { until } => sleep_until(watching.start + until).await,
            Ask::Page(_) => watching.page(&mut watch).await,
            Ask::Stream(path) => {
                let from = path.as_str().split_once("&resourceVersion=");
                let from = from.map(|(_, version)| version.parse().unwrap());
                watching.stream(&mut watch, from).await;
            }
        }
    }
}

struct Watching {
    seat: Rc<Seat>,
    start: Instant,
    chance: Chance,
    told: Option<SourceState>,
}

impl Watching {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn tell_health(&mut self, condition: &Condition) {
        let (state, detail) = match condition {
            Condition::Connecting => (SourceState::Connecting, sanitise("")),
            Condition::Live => (SourceState::Live, sanitise("")),
            Condition::Late => (SourceState::Stale, sanitise("the connection was lost")),
            Condition::Absent => (SourceState::Malformed, sanitise("the kind is not there")),
            Condition::Failing { state, why, .. } => (*state, why.clone()),
        };
        // Told anew with every condition that lasts: a live watch that the reducer took for late is live again.
        if self.told.replace(state) == Some(state) && state != SourceState::Live {
            return;
        }
        let now = self.seat.now();
        self.seat.tell_fact(Fact::Health(SourceHealth {
            state,
            since: now,
            detail,
            heard: (state == SourceState::Live).then_some(now),
            next_try: None,
        }));
    }

    async fn page(&mut self, watch: &mut Watch) {
        let listed = |world: &super::World| Ok((world.server.rollout(), world.server.version()));
        match self.seat.way.exchange("LIST", listed).await {
            Ok((rollout, version)) => {
                let now = self.now();
                let marks = watch.page(now, &version.to_string(), "").unwrap();
                assert!(marks.begin && marks.complete, "one page is all");
                self.seat.tell_fact(Fact::Begin(ROLLOUTS));
                self.changed(&rollout);
                self.seat.tell_fact(Fact::Complete(ROLLOUTS));
                self.heard();
            }
            Err(error) => watch.failed(self.now(), &mut self.chance, &error),
        }
    }

    fn heard(&self) {
        self.seat.tell_fact(Fact::Heard(self.seat.now()));
    }

    fn changed(&self, rollout: &std::sync::Arc<Rollout>) {
        for set in self.seat.world.server.sets() {
            self.seat.tell_fact(Fact::ReplicaSet(set));
        }
        self.seat
            .tell_fact(Fact::Rollout(std::sync::Arc::clone(rollout)));
    }

    async fn stream(&mut self, watch: &mut Watch, from: Option<u64>) {
        let mut lines = match self.seat.way.stream(from).await {
            Ok(lines) => lines,
            Err(error) => {
                let now = self.now();
                return watch.failed(now, &mut self.chance, &error);
            }
        };
        if watch.opened(self.now()).begin {
            self.seat.tell_fact(Fact::Begin(ROLLOUTS));
        }
        loop {
            self.tell_health(watch.condition());
            let Ok(next) = timeout_at(self.start + watch.deadline(), lines.recv()).await else {
                return watch.overdue();
            };
            let now = self.now();
            match next {
                Some(Line::Changed(rollout)) => {
                    watch.line(
                        now,
                        Read::Change {
                            version: Some(rollout.version.as_str()),
                        },
                    );
                    self.changed(&rollout);
                }
                Some(Line::Gone(rollout)) => {
                    watch.line(now, Read::Change { version: None });
                    let (id, uid) = (rollout.id.clone(), rollout.uid.clone());
                    self.seat.tell_fact(Fact::RolloutGone { id, uid });
                }
                Some(Line::Bookmark { version, ends_list }) => {
                    let version = version.to_string();
                    let line = Read::Bookmark {
                        version: &version,
                        initial_events_end: ends_list,
                    };
                    if watch.line(now, line).complete {
                        self.seat.tell_fact(Fact::Complete(ROLLOUTS));
                    }
                }
                Some(Line::Failed(status)) => {
                    return watch.failed(now, &mut self.chance, &error(status));
                }
                Some(Line::Ended) | None => return watch.ended(now, &mut self.chance),
            }
            self.heard();
        }
    }
}
