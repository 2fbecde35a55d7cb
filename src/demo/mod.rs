//! A simulated world that speaks the providers' own wire protocols on loopback.
//!
//! `World::start` opens a Kubernetes API server over a seeded cluster whose controllers go on working, and servers that
//! speak as GitHub, Prometheus and Alertmanager do over the same world. The ordinary providers connect to them, so what a newcomer sees is the
//! real program, and what the tests break is the real client.
//!
//! Inside: `scenario` and `seed` build the past, `cluster` holds the present, `controller` and `pipeline` make it move,
//! `write` says what a write may do; `front` is the way of every request, `api`, `github`, `prometheus` and
//! `alertmanager` speak for their systems.
//! Must never know another part of windlass, read a kubeconfig or a token, or listen on anything but loopback. The
//! tasks it spawns live behind `World` and end with it.

mod alarm;
mod alertmanager;
mod answer;
mod api;
mod chance;
mod clock;
mod cluster;
mod controller;
mod fault;
mod fleet;
mod flow;
mod front;
mod github;
mod json;
mod kind;
mod link;
mod matcher;
mod patch;
mod pattern;
mod pipeline;
mod prometheus;
mod queue;
mod requests;
mod scenario;
mod score;
mod script;
mod seed;
mod selector;
mod server;
mod store;
mod time;
mod write;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::time::Instant;

pub use fault::{BadFault, Fault, Only, Server, What};
pub use link::ServiceLink;
pub use requests::Request;
pub use score::{Mark, Score};

use alertmanager::Alertmanager;
use api::Api;
use clock::Moment;
use github::GitHub;
use prometheus::Prometheus;

/// Who every caller is.
const USER: &str = "you@demo";

/// What world to make.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name of a shipped scenario, or a path.
    pub scenario: String,
    /// Generated quiet Rollouts on top of the scenario's services.
    pub services: usize,
    pub seed: u64,
    /// How much faster than real time pods start and pauses end.
    pub speed: f64,
    pub faults: Vec<Fault>,
    /// Requests are appended here as JSON lines.
    pub request_log: Option<PathBuf>,
    /// The first of five in a row; None: whatever is free.
    pub port: Option<u16>,
    /// Its time begins at a fixed instant and passes only when it is told to.
    pub still: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            scenario: "morning".to_owned(),
            services: 0,
            seed: 1,
            speed: 1.0,
            faults: Vec::new(),
            request_log: None,
            port: None,
            still: false,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no scenario is called \"{name}\", and no file is there; there are:\n{known}")]
    UnknownScenario { name: String, known: String },
    #[error("cannot read {}", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("scenario {name}: {why}")]
    Scenario { name: String, why: String },
    #[error("the speed must be a positive number, not {0}")]
    Speed(f64),
    #[error("cannot write the request log {}", path.display())]
    RequestLog {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot listen on port {port} of loopback: {source}")]
    Listen { port: u16, source: std::io::Error },
    #[error("five ports in a row begin at {0}, and there are no more than 65535")]
    Port(u16),
    #[error("the world could not be built")]
    Build(#[source] tokio::task::JoinError),
}

/// A running world; it ends when this is dropped.
#[derive(Debug)]
pub struct World {
    api: Arc<Api>,
    server: String,
    github: String,
    prometheus: String,
    alertmanager: String,
    environment: String,
    services: Vec<ServiceLink>,
    game: Option<score::Game>,
}

impl World {
    pub async fn start(options: Options) -> Result<Self, Error> {
        if !(options.speed.is_finite() && options.speed > 0.0) {
            return Err(Error::Speed(options.speed));
        }
        let scenario = scenario::load(&options.scenario)?;
        let environment = scenario.environment.clone();
        let links = link::all(&scenario);
        let outages = scenario.faults.clone();
        let game = scenario.game();
        let log = requests::Log::new(options.request_log.as_deref()).map_err(|source| {
            Error::RequestLog {
                path: options.request_log.clone().unwrap_or_default(),
                source,
            }
        })?;
        let first = options.port;
        let door = async |place: u16| {
            let port = match first {
                Some(first) => first.checked_add(place).ok_or(Error::Port(first))?,
                None => 0,
            };
            let opened = server::Door::open(port).await;
            opened.map_err(|source| Error::Listen { port, source })
        };
        let (kubernetes, github, prometheus) = (door(0).await?, door(1).await?, door(2).await?);
        let (alertmanager, blobs) = (door(3).await?, door(4).await?);
        let Options {
            services,
            seed,
            speed,
            still,
            ..
        } = options;
        // Playing the past is pure computation, up to a second of it.
        let built = tokio::task::spawn_blocking(move || {
            let opened = time::Time::opening(still);
            let mut cluster = seed::build(&scenario, opened, speed, seed);
            fleet::plant(&mut cluster, services, opened, seed);
            cluster
        });
        let api = Arc::new(Api::new(built.await.map_err(Error::Build)?, log, still));
        for fault in options.faults {
            api.faults().add(fault);
        }
        for outage in outages {
            let from = Moment::OPENING.after(outage.from);
            let until = outage.lasts.map(|lasts| from.after(lasts));
            api.faults().plan(outage.fault, from, until);
        }
        tokio::spawn(drive(Arc::clone(&api)));
        let hub = Arc::new(GitHub::new(Arc::clone(&api), &github.url, &blobs.url));
        let world = Self {
            server: kubernetes.url.clone(),
            github: github.url.clone(),
            prometheus: prometheus.url.clone(),
            alertmanager: alertmanager.url.clone(),
            environment,
            services: links,
            game,
            api,
        };
        let closing = &world.api.closing;
        kubernetes.serve(
            axum::Router::new()
                .fallback(api::handle)
                .with_state(Arc::clone(&world.api)),
            closing,
        );
        github.serve(
            axum::Router::new()
                .fallback(github::handle)
                .with_state(Arc::clone(&hub)),
            closing,
        );
        blobs.serve(
            axum::Router::new()
                .fallback(github::handle_blob)
                .with_state(hub),
            closing,
        );
        let metrics = Arc::new(Prometheus::new(Arc::clone(&world.api)));
        let alerts = Alertmanager::new(Arc::clone(&world.api), &prometheus.url);
        prometheus.serve(
            axum::Router::new()
                .fallback(prometheus::handle)
                .with_state(metrics),
            closing,
        );
        alertmanager.serve(
            axum::Router::new()
                .fallback(alertmanager::handle)
                .with_state(Arc::new(alerts)),
            closing,
        );
        Ok(world)
    }

    /// `http://127.0.0.1:PORT`, to be used as an API server's address; any token is taken.
    pub fn server(&self) -> String {
        self.server.clone()
    }

    /// As `https://api.github.com` is: the base of GitHub's REST API. The token is `demo`.
    pub fn github(&self) -> String {
        self.github.clone()
    }

    /// The base of Prometheus' HTTP API.
    pub fn prometheus(&self) -> String {
        self.prometheus.clone()
    }

    /// The base of Alertmanager's HTTP API.
    pub fn alertmanager(&self) -> String {
        self.alertmanager.clone()
    }

    /// What a configuration would have to say about the scenario's services; generated ones are not in it.
    pub fn services(&self) -> Vec<ServiceLink> {
        self.services.clone()
    }

    /// What the scenario calls it, `prod-eu`.
    pub fn environment(&self) -> &str {
        &self.environment
    }

    /// Every request that arrived, in order; old reads may be missing, writes never are.
    pub fn requests(&self) -> Vec<Request> {
        self.api.log.all()
    }

    /// How it goes, where the scenario is a game; None where it is none.
    pub fn score(&self) -> Option<Score> {
        let game = self.game.as_ref()?;
        let cluster = self.api.cluster();
        let harm = alarm::harm(&cluster, &game.namespace, &game.culprit);
        let arrived: Vec<_> = self
            .api
            .log
            .all()
            .into_iter()
            .map(|request| (cluster.clock.moment_of(request.at), request))
            .collect();
        Some(score::score(game, &harm, &arrived))
    }

    /// From now on. `gone`, and a 503 without a count, also end the watches that are open.
    pub fn inject(&self, fault: Fault) {
        self.api.faults().add(fault);
        self.api.feel_faults();
    }

    /// Ends every fault that is just like this one.
    pub fn end(&self, fault: &Fault) {
        self.api.faults().end(fault);
    }

    /// What is in force now, in the order in which it began.
    pub fn faults(&self) -> Vec<Fault> {
        let now = self.api.moment();
        self.api.faults().in_force(now)
    }

    /// Its time, for a client that is to live in it; `None`: it is everybody's.
    pub fn still(&self) -> Option<Still> {
        let still = self.api.time.is_still();
        still.then(|| Still(Arc::clone(&self.api)))
    }

    /// Ends all faults.
    pub fn heal(&self) {
        self.api.faults().clear();
    }

    /// Name and one-line description of each shipped scenario.
    pub fn scenarios() -> Vec<(&'static str, String)> {
        scenario::shipped()
    }
}

/// The time of a world that stands still.
#[derive(Clone, Debug)]
pub struct Still(Arc<Api>);

impl Still {
    /// What time it is. A fraction of a second passes by itself after time was told to pass.
    pub fn now(&self) -> jiff::Timestamp {
        self.0.time.now_finely()
    }

    /// Without what passes by itself: what the world's servers call now.
    pub fn second(&self) -> jiff::Timestamp {
        self.0.time.now()
    }

    /// Nothing passes any more until it is told to.
    pub fn rests(&self) -> bool {
        self.0.time.rests()
    }

    pub fn pass(&self, seconds: u64) {
        self.0.time.pass(seconds);
        // What is due by then happens now, and is told to those who watch.
        self.0.wake.notify_one();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.api.closing.cancel();
    }
}

/// Lets due things happen. Sleeps until the next one; an idle world is not woken.
async fn drive(api: Arc<Api>) {
    loop {
        let next = api.next_due();
        tokio::select! {
            () = api.closing.cancelled() => return,
            () = api.wake.notified() => {}
            () = until(next) => {}
        }
    }
}

async fn until(next: Option<Instant>) {
    match next {
        Some(next) => tokio::time::sleep_until(next).await,
        None => std::future::pending().await,
    }
}
