//! The source of metrics: asks for what is wanted, as often as it is wanted, until nobody listens. One future, no tasks
//! of its own; keeps nothing but when it asked last. Fails alone.

use std::{collections::HashMap, pin::Pin, time::Duration};

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use super::{
    outcome::{Failure, Kind},
    queries::Asked,
    read::{Known, Prometheus, Unanswered},
};
use crate::{
    model::{
        event::{Tidings, Told},
        metrics::{Metrics, MetricsWanted},
        source::SourceHealth,
    },
    providers::{
        beat::Beat,
        pulse::{Pace, Pulse},
    },
};

/// Scrapes come no faster than this where people run Prometheus; more often would ask for the same again.
const CLOSELY: Duration = Duration::from_secs(12);
const SELDOM: Duration = Duration::from_secs(60);
/// What the server is can change under its address; and one that was just started does not know its targets yet.
const MEET_AGAIN: Duration = Duration::from_secs(600);
const MEET_AGAIN_SOON: Duration = Duration::from_secs(60);
/// Releases asked about at the same time. Each has a handful of expressions.
const AT_ONCE: usize = 3;

/// Nobody listens any more.
struct Closed;

enum Ended {
    Closed,
    Failed(Failure),
}

impl From<Closed> for Ended {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

type Reading<'a> =
    Pin<Box<dyn Future<Output = (MetricsWanted, Result<Metrics, Failure>)> + Send + 'a>>;

/// Asks until it is dropped, or the receiver is.
pub async fn run(
    server: Prometheus,
    wanted: watch::Receiver<Vec<Asked>>,
    out: mpsc::Sender<Vec<Tidings>>,
    beat: Beat,
) {
    let mut source = Source {
        pulse: Pulse::new(server.now()),
        server,
        wanted,
        out,
        pace: Pace::with(&beat),
        beat,
        read: HashMap::new(),
    };
    let connecting = source.pulse.connecting(source.server.now());
    if source.tell(vec![Told::Health(connecting)]).await.is_err() {
        return;
    }
    loop {
        match source.ask().await {
            Ended::Closed => return,
            Ended::Failed(failure) => {
                if source.leave_alone(&failure).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// A release whose queries are too heavy fails alone, while the server answers what is easy: otherwise one of them would
/// hide all others. Asked as a part of its reading, so that the others go on meanwhile.
async fn only_this_one(server: &Prometheus, unanswered: Unanswered) -> Result<Metrics, Failure> {
    let too_heavy = unanswered.failure.kind == Kind::Overloaded;
    if too_heavy && server.ahead_ms().await.is_ok() {
        Ok(unanswered.metrics)
    } else {
        Err(unanswered.failure)
    }
}

struct Source {
    server: Prometheus,
    wanted: watch::Receiver<Vec<Asked>>,
    out: mpsc::Sender<Vec<Tidings>>,
    pace: Pace,
    beat: Beat,
    pulse: Pulse,
    /// When each was read last.
    read: HashMap<MetricsWanted, Instant>,
}

impl Source {
    /// Until something fails that is not about one release only.
    async fn ask(&mut self) -> Ended {
        loop {
            let known = match self.meet().await {
                Ok(known) => known,
                Err(ended) => return ended,
            };
            // A clone, so that what is under way does not hold the source.
            let server = self.server.clone();
            let again = match known.limits().is_empty() {
                true => MEET_AGAIN,
                false => MEET_AGAIN_SOON,
            };
            if let Err(ended) = self
                .ask_until(&server, &known, Instant::now() + again)
                .await
            {
                return ended;
            }
        }
    }

    async fn meet(&mut self) -> Result<Known, Ended> {
        let met = tokio::select! {
            met = self.server.meet() => met,
            () = self.out.closed() => return Err(Ended::Closed),
        };
        let known = met.map_err(Ended::Failed)?;
        let mut told: Vec<Told> = known.words.clone().map(Told::Server).into_iter().collect();
        told.push(Told::Ahead(known.ahead_ms));
        told.push(Told::Health(self.live(&known)));
        self.tell(told).await?;
        Ok(known)
    }

    async fn ask_until(
        &mut self,
        server: &Prometheus,
        known: &Known,
        until: Instant,
    ) -> Result<(), Ended> {
        let mut under_way: FuturesUnordered<Reading<'_>> = FuturesUnordered::new();
        let mut asking: Vec<MetricsWanted> = Vec::new();
        // Told to ask again while they were under way.
        let mut again: Vec<MetricsWanted> = Vec::new();
        let mut ping = Instant::now() + self.pace.around(SELDOM);
        loop {
            let list = self.wanted.borrow_and_update().clone();
            self.forget(&list);
            let mut next = until.min(ping);
            for asked in list {
                let key = key(&asked.wanted);
                if asking.contains(&key) {
                    continue;
                }
                let due = self.due(&asked.wanted, &key);
                if due > Instant::now() {
                    next = next.min(due);
                } else if asking.len() < AT_ONCE && Instant::now() < until {
                    asking.push(key.clone());
                    under_way.push(Box::pin(async move {
                        let metrics = match server.read(known, &asked).await {
                            Ok(metrics) => Ok(metrics),
                            Err(unanswered) => only_this_one(server, *unanswered).await,
                        };
                        (key, metrics)
                    }));
                }
            }
            let may_end = under_way.is_empty() && Instant::now() >= until;
            if may_end {
                return Ok(());
            }
            tokio::select! {
                Some((key, metrics)) = under_way.next() => {
                    asking.retain(|one| *one != key);
                    ping = Instant::now() + self.pace.around(SELDOM);
                    let late = self.pace.around(Duration::from_secs(2));
                    if again.contains(&key) {
                        again.retain(|one| *one != key);
                    } else {
                        self.read.insert(key.clone(), Instant::now() + late);
                    }
                    self.told(known, &key, metrics.map_err(Ended::Failed)?).await?;
                }
                changed = self.wanted.changed() => changed.map_err(|_| Ended::Closed)?,
                () = self.beat.comes() => {
                    self.read.clear();
                    again.clone_from(&asking);
                    ping = Instant::now();
                }
                () = tokio::time::sleep_until(next.max(Instant::now())), if next > Instant::now() || under_way.is_empty() => {
                    // Nothing is asked here while readings are under way: they hold the places of the connection, and
                    // would not go on while this waits for one.
                    if Instant::now() >= ping && under_way.is_empty() {
                        ping = Instant::now() + self.pace.around(SELDOM);
                        self.still_there(known).await?;
                    }
                }
                () = self.out.closed() => return Err(Ended::Closed),
            }
        }
    }

    /// Nothing was asked for a while: whether it is still there is news all the same.
    async fn still_there(&mut self, known: &Known) -> Result<(), Ended> {
        let ahead = self.server.ahead_ms().await.map_err(Ended::Failed)?;
        let health = self.live(known);
        Ok(self
            .tell(vec![Told::Ahead(ahead), Told::Health(health)])
            .await?)
    }

    /// Not of what is no longer wanted: the answer of a pane that was closed would come back after it.
    async fn told(
        &mut self,
        known: &Known,
        key: &MetricsWanted,
        metrics: Metrics,
    ) -> Result<(), Closed> {
        let health = Told::Health(self.live(known));
        let wanted = |asked: &Asked| self::key(&asked.wanted) == *key;
        let told = if self.wanted.borrow().iter().any(wanted) {
            vec![Told::Metrics(metrics.into()), health]
        } else {
            vec![health]
        };
        self.tell(told).await
    }

    fn live(&mut self, known: &Known) -> SourceHealth {
        self.pace.succeeded();
        self.pulse.live(self.server.now(), known.limits())
    }

    fn due(&self, wanted: &MetricsWanted, key: &MetricsWanted) -> Instant {
        let every = if wanted.closely { CLOSELY } else { SELDOM };
        self.read
            .get(key)
            .map_or_else(Instant::now, |read| *read + every)
    }

    fn forget(&mut self, list: &[Asked]) {
        let keys: Vec<MetricsWanted> = list.iter().map(|asked| key(&asked.wanted)).collect();
        self.read.retain(|one, _| keys.contains(one));
    }

    async fn leave_alone(&mut self, failure: &Failure) -> Result<(), Closed> {
        let wait = self.pace.after_failure(failure.wait);
        let health = self.pulse.failing(
            failure.kind.state(),
            self.server.now(),
            failure.sentence.clone(),
            wait,
        );
        self.tell(vec![Told::Health(health)]).await?;
        tokio::select! {
            () = tokio::time::sleep(wait) => Ok(()),
            () = self.beat.comes() => Ok(()),
            () = self.out.closed() => Err(Closed),
        }
    }

    async fn tell(&self, told: Vec<Told>) -> Result<(), Closed> {
        let tidings = told
            .into_iter()
            .map(|fact| Tidings {
                source: self.server.source.clone(),
                fact,
            })
            .collect();
        self.out.send(tidings).await.map_err(|_| Closed)
    }
}

/// A wish without how often: looking at a release does not make it another one.
fn key(wanted: &MetricsWanted) -> MetricsWanted {
    MetricsWanted {
        closely: false,
        ..wanted.clone()
    }
}

#[cfg(test)]
mod tests;
