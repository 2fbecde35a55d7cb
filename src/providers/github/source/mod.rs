//! The source of one host: looks at the wanted repositories again and again, until nobody wants or listens. One future,
//! no tasks of its own. It writes nothing; what it leaves of the host's budget is for whoever acts.
//!
//! States: connecting (a token is looked for, and who it is of), then rounds: what is due is read, a few at a time. A
//! failure of one repository is told of that one. A failure of the host holds everything until its time.

pub mod schedule;
mod tell;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, pin::Pin, sync::Arc, time::Duration};

use futures::{StreamExt, stream::FuturesUnordered};
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use tokio::{
    sync::{OnceCell, mpsc, watch},
    time::Instant,
};

use self::{
    schedule::{Outcome, Schedule},
    tell::{Closed, Teller},
};
use super::{
    host::{Address, Kind},
    read::{self, Memory},
    token::{self, NoToken},
};
use crate::{
    config::SecretSource,
    model::{
        event::{Tidings, Told},
        id::SourceId,
        pipeline::{Changes, Repository, RepositoryFacts, RepositoryWanted},
        source::{SourceState, WhoAmI},
        text::Safe,
    },
    providers::beat::{self, Beat},
    providers::http::{Clock, Limits, Server, Setup, Trouble, Variables, Why},
};

/// The version of the API that is asked for: the oldest that every supported server knows.
const API_VERSION: &str = "2022-11-28";

/// Repositories read at the same time; each asks for one thing after the other.
const AT_ONCE: usize = 4;

/// Requests of the budget that are left to actions.
const RESERVE: u64 = 100;

/// Pairs of commits that are remembered as told, of one repository.
const COMPARED: usize = 256;

const FIRST_HOLD: Duration = Duration::from_secs(5);
const LONGEST_HOLD: Duration = Duration::from_secs(60);
/// A login that was refused does not become good by asking; somebody has to do something first.
const LOGIN_HOLD: Duration = Duration::from_secs(30);

/// A host, as one user. Clones share the connection and its budget, so whoever acts uses a clone.
#[derive(Clone)]
pub struct Host {
    pub source: SourceId,
    pub address: Address,
    /// Where the configuration says that the token is.
    pub token: Option<SecretSource>,
    pub api_version: Option<String>,
    /// The only authorities to trust, as PEM.
    pub authority: Option<Vec<u8>>,
    pub limits: Limits,
    pub clock: Clock,
    pub variables: Variables,
    /// Seeds the jitter; `None` takes it from the system.
    pub seed: Option<u64>,
    /// When to look besides.
    pub beat: Beat,
    make: fn(Setup) -> Result<Server, Trouble>,
    server: Arc<OnceCell<Server>>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("source", &self.source)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Host {
    pub fn new(source: SourceId, address: Address, clock: Clock, variables: Variables) -> Self {
        Self {
            source,
            address,
            token: None,
            api_version: None,
            authority: None,
            limits: Limits {
                write_gap: Duration::from_secs(1),
                reserve: RESERVE,
                ..Limits::default()
            },
            clock,
            variables,
            seed: None,
            beat: Beat::default(),
            make: Server::with,
            server: Arc::default(),
        }
    }

    /// The same host, made without what sends a write ([`Server::to_look_at`]).
    #[must_use]
    pub fn to_look_at(self) -> Self {
        Self {
            make: Server::to_look_at,
            server: Arc::default(),
            ..self
        }
    }

    /// The connection; made when it is first asked for, and again where that failed.
    pub async fn server(&self) -> Result<Server, Trouble> {
        self.server
            .get_or_try_init(|| self.connect())
            .await
            .cloned()
    }

    async fn connect(&self) -> Result<Server, Trouble> {
        let fail = |why| Trouble::new(&self.address.name, why);
        let credential = token::find(&self.address, self.token.as_ref(), &self.variables)
            .await
            .map_err(|NoToken(why)| fail(Why::Login { why }))?;
        let version = self.api_version.as_deref().unwrap_or(API_VERSION);
        let version = HeaderValue::from_str(version).map_err(|_| {
            fail(Why::Request {
                why: "the API version is no header value".into(),
            })
        })?;
        (self.make)(Setup {
            base: self.address.api.clone(),
            credential,
            headers: vec![(HeaderName::from_static("x-github-api-version"), version)],
            authority: self.authority.clone(),
            limits: self.limits,
            clock: Arc::clone(&self.clock),
            variables: Arc::clone(&self.variables),
        })
        .map(|server| match self.beat.is_there() {
            true => server.without_port(),
            false => server,
        })
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

/// Looks until it is dropped, nobody listens, or nobody can wish any more.
pub async fn run(
    host: Host,
    wanted: watch::Receiver<Vec<RepositoryWanted>>,
    out: mpsc::Sender<Vec<Tidings>>,
) {
    let mut source = Source {
        schedule: Schedule::new(host.seed),
        teller: Teller::new(host.source.clone(), out, &host.beat),
        memories: BTreeMap::new(),
        holds: 0,
        host,
        wanted,
    };
    // Closed: there is nobody to tell it to.
    let _ = source.run().await;
}

struct Source {
    host: Host,
    wanted: watch::Receiver<Vec<RepositoryWanted>>,
    schedule: Schedule,
    teller: Teller,
    memories: BTreeMap<Repository, Known>,
    /// Failures of the host in a row.
    holds: u32,
}

/// What is known of a repository while it is not being read.
#[derive(Debug, Default)]
pub struct Known {
    memory: Memory,
    facts: Option<Arc<RepositoryFacts>>,
}

/// What came of one look at a repository.
#[derive(Debug)]
pub struct Look {
    pub repository: Repository,
    /// For the next look.
    pub known: Known,
    pub facts: Result<RepositoryFacts, Trouble>,
    pub changes: Vec<Changes>,
}

type Looking = Pin<Box<dyn Future<Output = Look> + Send>>;

impl Source {
    async fn run(&mut self) -> Result<(), Closed> {
        let server = self.connect().await?;
        let mut looking: FuturesUnordered<Looking> = FuturesUnordered::new();
        loop {
            let wanted = self.wanted.borrow_and_update().clone();
            self.schedule.want(&wanted, Instant::now());
            self.teller.keep(|one| self.schedule.has(one));
            self.memories.retain(|one, _| self.schedule.has(one));
            let room = AT_ONCE.saturating_sub(looking.len());
            for wanted in self.schedule.due(Instant::now(), room) {
                let known = self.memories.remove(&wanted.repository).unwrap_or_default();
                looking.push(Box::pin(look(server.clone(), wanted, known)));
            }
            let next = self.schedule.next().filter(|_| looking.len() < AT_ONCE);
            tokio::select! {
                changed = self.wanted.changed() => {
                    // Whoever wished is gone.
                    if changed.is_err() { return Ok(()) }
                }
                () = self.teller.closed() => return Err(Closed),
                () = until(next) => {}
                () = self.host.beat.comes() => self.schedule.again(Instant::now()),
                Some(look) = looking.next() => self.done(&server, look).await?,
            }
        }
    }

    /// A connection, and who we are to it.
    async fn connect(&mut self) -> Result<Server, Closed> {
        self.health(SourceState::Connecting, Safe::default(), None)
            .await?;
        loop {
            match self.introduced().await {
                Ok(server) => {
                    self.holds = 0;
                    return Ok(server);
                }
                Err(trouble) => {
                    let until = self.hold_for(&trouble);
                    let mut facts = Vec::new();
                    facts.extend(self.failed(&trouble, until));
                    self.teller.tell(facts).await?;
                    tokio::select! {
                        () = tokio::time::sleep(until) => {}
                        () = self.host.beat.comes() => {}
                        () = self.teller.closed() => return Err(Closed),
                    }
                }
            }
        }
    }

    async fn introduced(&mut self) -> Result<Server, Trouble> {
        let server = self.host.server().await?;
        let mut facts = Vec::new();
        match read::user(&server).await {
            Ok((name, version)) => {
                facts.push(Told::Who(WhoAmI {
                    name,
                    groups: Vec::new(),
                }));
                facts.push(Told::Server(version.map_or_else(
                    || Safe::from("GitHub"),
                    |version| Safe::from(&*format!("GitHub Enterprise Server {version}")),
                )));
            }
            // An app has no user, and so nobody who could be a reviewer.
            Err(trouble) if matches!(trouble.why(), Why::Forbidden(_)) => self.teller.note(
                "the token is of an app and not of a person: it cannot approve; use a personal token for that",
            ),
            // A test's server may be nobody's.
            Err(trouble) if self.host.address.kind == Kind::Loopback && trouble.status().is_some() => {}
            Err(trouble) => return Err(trouble),
        }
        self.teller.heard(self.host.now());
        facts.extend(self.teller.of_server(&server));
        facts.extend(self.teller.live(0, self.host.now()));
        // Whether somebody still listens is asked at the next telling.
        let _ = self.teller.tell(facts).await;
        Ok(server)
    }

    async fn done(&mut self, server: &Server, look: Look) -> Result<(), Closed> {
        let Look {
            repository,
            mut known,
            facts: answer,
            changes,
        } = look;
        let now = Instant::now();
        let mut facts = Vec::new();
        match answer {
            Ok(answer) => {
                self.holds = 0;
                self.teller.heard(self.host.now());
                self.teller.reads(&repository);
                let outcome = if known
                    .facts
                    .as_deref()
                    .is_some_and(|one| is_same(one, &answer))
                {
                    Outcome::Unchanged
                } else {
                    Outcome::Changed
                };
                let answer = Arc::new(answer);
                known.facts = Some(Arc::clone(&answer));
                self.schedule.done(&repository, outcome, now);
                // It may be wanted no more since it was asked.
                if self.schedule.has(&repository) {
                    facts.push(Told::Repository(answer));
                    facts.extend(changes.into_iter().map(|changes| Told::Changes {
                        repository: repository.clone(),
                        changes: Arc::new(changes),
                    }));
                }
                facts.extend(self.live());
            }
            Err(trouble) if read::is_of_the_host(&trouble) => {
                let wait = self.hold_for(&trouble);
                self.schedule.hold(now + wait);
                self.schedule.not_asked(&repository);
                facts.extend(self.failed(&trouble, wait));
            }
            Err(trouble) => {
                let (state, why) = (trouble.state(), trouble.sentence());
                self.schedule.done(&repository, Outcome::Failed, now);
                // A server that fails has told nothing of what it holds.
                if trouble.status().is_some_and(|status| status < 500) {
                    self.teller.heard(self.host.now());
                }
                self.teller.failing(&repository, (state, why.clone()));
                facts.push(Told::RepositoryFailed {
                    repository: repository.clone(),
                    state,
                    why,
                    at: self.host.now(),
                });
                facts.extend(self.live());
            }
        }
        if self.schedule.has(&repository) {
            self.memories.insert(repository, known);
        }
        self.schedule.budget(&server.budget());
        facts.extend(self.teller.of_server(server));
        self.teller.tell(facts).await
    }

    fn live(&mut self) -> Option<Told> {
        self.teller.live(self.schedule.count(), self.host.now())
    }

    fn failed(&mut self, trouble: &Trouble, wait: Duration) -> Option<Told> {
        let now = self.host.now();
        let next = trouble.held_until().or_else(|| now.checked_add(wait).ok());
        self.teller
            .health(trouble.state(), trouble.sentence(), next, now)
    }

    /// How long nothing is asked after a failure of the host.
    fn hold_for(&mut self, trouble: &Trouble) -> Duration {
        if self.host.beat.is_there() {
            return beat::WAIT;
        }
        let held = match trouble.why() {
            Why::Held { until, .. } => Some(*until),
            Why::RateLimited { .. } => self
                .host
                .server
                .get()
                .and_then(|server| server.budget().held_until),
            Why::Login { .. } | Why::Unauthorized(_) => return LOGIN_HOLD,
            _ => None,
        };
        if let Some(until) = held {
            let wait = until.duration_since(self.host.now());
            return Duration::try_from(wait).unwrap_or_default() + Duration::from_secs(1);
        }
        let wait = FIRST_HOLD.saturating_mul(2u32.saturating_pow(self.holds.min(8)));
        self.holds += 1;
        wait.min(LONGEST_HOLD)
    }

    async fn health(
        &mut self,
        state: SourceState,
        detail: Safe,
        next_try: Option<Timestamp>,
    ) -> Result<(), Closed> {
        let now = self.host.now();
        let told = self.teller.health(state, detail, next_try, now);
        self.teller.tell(told.into_iter().collect()).await
    }
}

/// One look: everything told of a repository, and the commits between versions that were not compared before.
pub async fn look(server: Server, wanted: RepositoryWanted, mut known: Known) -> Look {
    let facts = read::repository(&server, &wanted, &mut known.memory).await;
    let mut changes = Vec::new();
    if let Ok(facts) = &facts {
        let mut pairs = read::changes_wanted(facts, &known.memory);
        for pair in &wanted.compare {
            if !known.memory.compared.contains(pair) && !pairs.contains(pair) {
                pairs.push(pair.clone());
            }
        }
        for (from, to) in pairs {
            match read::compare(&server, &wanted.repository, &from, &to).await {
                Ok(found) => changes.push(found),
                // A commit that is gone (a branch was forced) does not come back.
                Err(trouble) if trouble.status() == Some(404) => {}
                // Another time; what was read is told now.
                Err(_) => continue,
            }
            if known.memory.compared.len() >= COMPARED {
                known.memory.compared.pop_first();
            }
            known.memory.compared.insert((from, to));
        }
    }
    Look {
        repository: wanted.repository,
        known,
        facts,
        changes,
    }
}

async fn until(next: Option<Instant>) {
    match next {
        Some(next) => tokio::time::sleep_until(next).await,
        None => std::future::pending().await,
    }
}

/// Apart from when.
pub fn is_same(one: &RepositoryFacts, other: &RepositoryFacts) -> bool {
    one.runs == other.runs && one.deployed == other.deployed && one.missing == other.missing
}
