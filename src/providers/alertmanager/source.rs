//! The source of alerts: asks every quarter of a minute, until nobody listens. One future, no tasks of its own; keeps
//! only which heartbeats it has seen. Fails alone.

use std::{collections::BTreeSet, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

use super::read::{Alertmanager, Known};
use crate::{
    model::{
        event::{Tidings, Told},
        incident::IncidentFacts,
        text::{Safe, sanitise},
    },
    providers::{
        beat::Beat,
        http::Trouble,
        pulse::{Pace, Pulse},
    },
};

const EVERY: Duration = Duration::from_secs(15);
/// Its version and its cluster change seldom.
const MEET_AGAIN: Duration = Duration::from_secs(120);

/// Asks until it is dropped, or the receiver is.
pub async fn run(server: Alertmanager, out: mpsc::Sender<Vec<Tidings>>, mut beat: Beat) {
    let mut pace = Pace::with(&beat);
    let closed = out.clone();
    let mut source = Source {
        pulse: Pulse::new(server.http().now()),
        heartbeats: BTreeSet::new(),
        server_told: None,
        server,
        out,
    };
    let connecting = source.pulse.connecting(source.server.http().now());
    if !source.tell(vec![Told::Health(connecting)]).await {
        return;
    }
    let mut known: Option<(Known, Instant)> = None;
    loop {
        let turn = source.turn(&mut known, &mut pace);
        let wait = tokio::select! {
            wait = turn => wait,
            () = closed.closed() => return,
        };
        let Some(wait) = wait else { return };
        tokio::select! {
            () = sleep(wait) => {}
            () = beat.comes() => {}
            () = closed.closed() => return,
        }
    }
}

struct Source {
    server: Alertmanager,
    out: mpsc::Sender<Vec<Tidings>>,
    pulse: Pulse,
    /// Alerts that always fire, seen since this began.
    heartbeats: BTreeSet<Safe>,
    server_told: Option<Safe>,
}

impl Source {
    /// Asks once. How long to wait then; `None`: nobody listens.
    async fn turn(
        &mut self,
        known: &mut Option<(Known, Instant)>,
        pace: &mut Pace,
    ) -> Option<Duration> {
        let met = match known.take() {
            Some((met, at)) if at.elapsed() < MEET_AGAIN => (met, at),
            _ => (self.server.meet().await, Instant::now()),
        };
        match self.server.read(&met.0).await {
            Ok(facts) => {
                pace.succeeded();
                let told = self.answered(&met.0, facts);
                *known = Some(met);
                self.tell(told).await.then(|| pace.around(EVERY))
            }
            Err(trouble) => {
                let wait = self.wait(&trouble, pace);
                let health = self.pulse.failing(
                    trouble.state(),
                    self.server.http().now(),
                    trouble.sentence(),
                    wait,
                );
                self.tell(vec![Told::Health(health)]).await.then_some(wait)
            }
        }
    }

    fn wait(&self, trouble: &Trouble, pace: &mut Pace) -> Duration {
        let now = self.server.http().now();
        let held = trouble
            .held_until()
            .and_then(|until| Duration::try_from(until.duration_since(now)).ok());
        pace.after_failure(trouble.retry_after().or(held))
    }

    fn answered(&mut self, known: &Known, mut facts: IncidentFacts) -> Vec<Told> {
        let beating: BTreeSet<Safe> = facts
            .alerts
            .iter()
            .filter(|alert| alert.is_heartbeat())
            .map(|alert| sanitise(alert.name()))
            .collect();
        for missing in self.heartbeats.difference(&beating) {
            facts.warnings.push(sanitise(&format!(
                "{missing}, which always fires, has stopped: alerts may not arrive here"
            )));
        }
        self.heartbeats.extend(beating);
        let mut told = Vec::new();
        if known.words != self.server_told {
            self.server_told.clone_from(&known.words);
            told.extend(known.words.clone().map(Told::Server));
        }
        told.extend(self.server.http().ahead_ms().map(Told::Ahead));
        let detail = facts.warnings.first().cloned().unwrap_or_default();
        told.push(Told::Incidents(facts.into()));
        told.push(Told::Health(
            self.pulse.live(self.server.http().now(), detail),
        ));
        told
    }

    /// Whether anybody listens.
    async fn tell(&self, told: Vec<Told>) -> bool {
        let tidings = told
            .into_iter()
            .map(|fact| Tidings {
                source: self.server.source.clone(),
                fact,
            })
            .collect();
        self.out.send(tidings).await.is_ok()
    }
}

#[cfg(test)]
mod tests;
