//! The systems beside the clusters as this session uses them: one CI host, a metrics server and an alert manager for each
//! environment. Joins their providers with the reducer's messages and the executor's needs, as `cluster` does for
//! Kubernetes. Each fails alone.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc, time::Duration};

use tokio::sync::{mpsc, watch};

use super::{
    clock,
    execute::{Sight, System},
};
use crate::{
    app::{
        beside::{Source, SourceKind, is_incident},
        msg::{LogEvent, Msg},
        services::Services,
    },
    config::{Config, Server as ServerConfig},
    model::{
        event::{Tidings, Told},
        id::{EnvironmentName, ResourceVersion, SourceId},
        incident::Alert,
        job_log::JobLog,
        metrics::MetricsWanted,
        pipeline::{Repository, RepositoryWanted, RunId},
        source::{SourceHealth, SourceState, Tier, WhoAmI},
        text::{Safe, sanitise},
    },
    ops::{
        intent::Intent,
        machine::{Answer, ReadTrouble},
        plan::{Plan, Refusal},
        seen::Seen,
        subject::Subject,
    },
    providers::{
        alertmanager::{self, read::Alertmanager},
        github,
        http::{Credential, Fate, Server, Setup, Trouble, Variables},
        prometheus::{self, queries::Asked, read::Prometheus},
    },
};

/// Between two looks for the effect of an action. A CI host counts every one of them.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Messages of a source that wait for the screen.
const QUEUE: usize = 16;

/// Everything beside the clusters.
pub struct Besides {
    pub services: Services,
    config: Config,
    github: Option<Rc<Host>>,
    metrics: BTreeMap<EnvironmentName, Result<Prometheus, Safe>>,
    alerts: BTreeMap<EnvironmentName, Result<Rc<Alertmanager>, Safe>>,
    /// Who we are on this machine, where a system does not know us by a name of its own.
    user: String,
}

impl std::fmt::Debug for Besides {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Besides").finish_non_exhaustive()
    }
}

/// The CI host. Its token is looked for when it is first needed: `gh` may ask its keyring.
pub struct Host {
    pub source: SourceId,
    pub name: Safe,
    /// `Err`: what is configured is no host.
    host: Result<github::source::Host, Safe>,
    who: RefCell<Option<WhoAmI>>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl Host {
    /// The server, or why there is none.
    pub async fn server(&self) -> Result<Server, Safe> {
        let host = self.host.as_ref().map_err(Safe::clone)?;
        host.server().await.map_err(|trouble| trouble.sentence())
    }

    fn who(&self, user: &str) -> String {
        self.who
            .borrow()
            .as_ref()
            .map_or_else(|| user.to_owned(), |who| who.name.to_string())
    }
}

/// The variables of this process, as the token's place is looked for in them.
fn variables() -> Variables {
    Arc::new(|name| std::env::var(name).ok())
}

fn server(
    base: &str,
    credential: Credential,
    limits: crate::providers::http::Limits,
) -> Result<Server, Safe> {
    Server::with(Setup {
        base: base.to_owned(),
        credential,
        headers: Vec::new(),
        authority: None,
        limits,
        clock: clock::shared(),
        variables: variables(),
    })
    .map_err(|trouble| trouble.sentence())
}

fn configured(
    config: &ServerConfig,
    limits: crate::providers::http::Limits,
) -> Result<Server, Safe> {
    let credential = match &config.token {
        Some(token) => Credential::Bearer(token.clone()),
        None => Credential::None,
    };
    server(&config.url, credential, limits)
}

impl Besides {
    /// What the configuration names, for the environments of this session.
    pub fn new(config: &Config, environments: &[EnvironmentName]) -> Self {
        let mut metrics = BTreeMap::new();
        let mut alerts = BTreeMap::new();
        for name in environments {
            let Some(described) = config.environments.get(name.as_str()) else {
                continue;
            };
            if let Some(at) = &described.prometheus {
                let made = configured(at, prometheus::read::limits()).map(|http| {
                    Prometheus::new(source_id(SourceKind::Prometheus, name.as_str()), http)
                });
                metrics.insert(name.clone(), made);
            }
            if let Some(at) = &described.alertmanager {
                let made = configured(at, alertmanager::read::limits()).map(|http| {
                    let id = source_id(SourceKind::Alertmanager, name.as_str());
                    Rc::new(Alertmanager::new(id, name.clone(), http))
                });
                alerts.insert(name.clone(), made);
            }
        }
        Self {
            services: Services::new(config),
            github: host(config),
            config: config.clone(),
            metrics,
            alerts,
            user: std::env::var("USER")
                .or_else(|_| std::env::var("LOGNAME"))
                .unwrap_or_else(|_| "someone".to_owned()),
        }
    }

    /// Every source, before it has said anything.
    pub fn sources(&self) -> Vec<Source> {
        let now = clock::now();
        let health = |why: Option<&Safe>| SourceHealth {
            state: match why {
                None => SourceState::Connecting,
                Some(_) => SourceState::NotConfigured,
            },
            since: now,
            detail: why.cloned().unwrap_or_default(),
            next_try: None,
            heard: None,
        };
        let github = self.github.iter().map(|host| {
            let why = host.host.as_ref().err();
            Source::new(SourceKind::GitHub, &host.name, None, health(why))
        });
        let metrics = self.metrics.iter().map(|(name, made)| {
            let why = made.as_ref().err();
            Source::new(
                SourceKind::Prometheus,
                name.as_str(),
                Some(name.clone()),
                health(why),
            )
        });
        let alerts = self.alerts.iter().map(|(name, made)| {
            let why = made.as_ref().err();
            Source::new(
                SourceKind::Alertmanager,
                name.as_str(),
                Some(name.clone()),
                health(why),
            )
        });
        github.chain(metrics).chain(alerts).collect()
    }

    pub fn github(&self) -> Option<&Rc<Host>> {
        self.github.as_ref()
    }

    /// Every repository that the configuration names outright.
    pub fn repositories(&self) -> Vec<Repository> {
        let mut all: Vec<Repository> = self
            .config
            .services
            .values()
            .filter_map(|service| Repository::new(service.repository.as_deref()?))
            .collect();
        all.sort();
        all.dedup();
        all
    }

    pub fn alertmanager(&self, environment: &EnvironmentName) -> Option<&Rc<Alertmanager>> {
        self.alerts.get(environment)?.as_ref().ok()
    }

    pub fn alertmanagers(
        &self,
    ) -> impl Iterator<Item = (&EnvironmentName, &Result<Rc<Alertmanager>, Safe>)> {
        self.alerts.iter()
    }

    pub fn prometheuses(
        &self,
    ) -> impl Iterator<Item = (&EnvironmentName, &Result<Prometheus, Safe>)> {
        self.metrics.iter()
    }

    /// What is asked about a release's metrics, with the queries that the configuration names for it.
    pub fn asked(&self, wanted: MetricsWanted) -> Asked {
        let service = self.services.measured(&wanted.release, &self.config);
        Asked::new(wanted, service.as_ref())
    }

    /// Titles of what fires in an environment and is meant, or why that is not known. `None`: nothing there would tell.
    pub async fn firing(
        &self,
        environment: &EnvironmentName,
        is_meant: impl Fn(&Alert) -> bool,
    ) -> Option<Result<Vec<String>, Safe>> {
        let server = match self.alerts.get(environment)? {
            Ok(server) => server,
            Err(why) => return Some(Err(why.clone())),
        };
        let read = alertmanager::read::silences_and_alerts(server).await;
        Some(read.map_err(|trouble| trouble.sentence()).map(|facts| {
            facts
                .alerts
                .iter()
                .filter(|alert| is_incident(alert) && is_meant(alert))
                .map(|alert| alert.title().to_owned())
                .collect()
        }))
    }

    /// The tier of an environment: what is not described is prod.
    fn tier(&self, environment: &EnvironmentName) -> Tier {
        self.config
            .environments
            .get(environment.as_str())
            .map_or(Tier::Prod, |described| described.tier)
    }

    /// What an action on something that is no release acts on.
    pub fn acting(&self, target: &Subject) -> Result<Acting, String> {
        let tier = self.tier(target.environment());
        match target {
            Subject::Release(_) => Err("a release is acted on in its cluster".to_owned()),
            Subject::Gate(_) | Subject::Run(_) => match &self.github {
                Some(host) => Ok(Acting::Host {
                    host: Rc::clone(host),
                    tier,
                    user: self.user.clone(),
                }),
                None => Err("no CI host is configured: [sources.github]".to_owned()),
            },
            Subject::Silence(_) | Subject::Expire(_) => match self.alerts.get(target.environment())
            {
                Some(Ok(server)) => Ok(Acting::Alerts {
                    server: Rc::clone(server),
                    tier,
                    user: self.user.clone(),
                }),
                Some(Err(why)) => Err(why.to_string()),
                None => Err(format!(
                    "no alert manager is configured: [environments.{}] alertmanager",
                    target.environment()
                )),
            },
        }
    }
}

fn source_id(kind: SourceKind, name: &str) -> SourceId {
    SourceId::new(&format!("{}/{name}", kind.word()))
}

/// The CI host, where one is named or a service is built by one.
fn host(config: &Config) -> Option<Rc<Host>> {
    let named = config.sources.github.clone();
    let built = config
        .services
        .values()
        .any(|service| service.repository.is_some());
    if named.is_none() && !built {
        return None;
    }
    let github = named.unwrap_or_default();
    let address = github::host::Address::parse(&github.host).map_err(|why| sanitise(&why));
    let name = match &address {
        Ok(address) => address.name.clone(),
        Err(_) => sanitise(&github.host),
    };
    Some(Rc::new(Host {
        source: source_id(SourceKind::GitHub, &name),
        host: address.map(|address| {
            let id = source_id(SourceKind::GitHub, &name);
            let mut host = github::source::Host::new(id, address, clock::shared(), variables());
            host.token = github.token;
            host
        }),
        name,
        who: RefCell::new(None),
    }))
}

/// What the running sources are asked for, changed while they run.
#[derive(Debug)]
pub struct Wishes {
    repositories: watch::Sender<Vec<RepositoryWanted>>,
    metrics: BTreeMap<EnvironmentName, watch::Sender<Vec<Asked>>>,
}

impl Wishes {
    pub fn repositories(&self, wanted: Vec<RepositoryWanted>) {
        self.repositories.send_replace(wanted);
    }

    pub fn metrics(&self, besides: &Besides, wanted: Vec<MetricsWanted>) {
        let mut by_environment: BTreeMap<EnvironmentName, Vec<Asked>> = self
            .metrics
            .keys()
            .map(|name| (name.clone(), Vec::new()))
            .collect();
        for wanted in wanted {
            let name = wanted.release.environment.clone();
            if let Some(all) = by_environment.get_mut(&name) {
                all.push(besides.asked(wanted));
            }
        }
        for (name, asked) in by_environment {
            if let Some(sender) = self.metrics.get(&name) {
                sender.send_replace(asked);
            }
        }
    }
}

/// One source's work, to be spawned under its id.
pub type Work = std::pin::Pin<Box<dyn Future<Output = ()>>>;

impl Besides {
    /// Every source as work that runs until it is dropped, and what it is asked for.
    pub fn work(self: &Rc<Self>, sources: &mpsc::Sender<Msg>) -> (Wishes, Vec<(SourceId, Work)>) {
        let (repositories, _) = watch::channel(Vec::new());
        let wishes = Wishes {
            repositories,
            metrics: self
                .metrics
                .keys()
                .map(|name| (name.clone(), watch::channel(Vec::new()).0))
                .collect(),
        };
        let ids: Vec<SourceId> = self.sources().into_iter().map(|source| source.id).collect();
        let work = ids
            .into_iter()
            .filter_map(|id| {
                let work = self.work_of(&id, &wishes, sources)?;
                Some((id, work))
            })
            .collect();
        (wishes, work)
    }

    /// The work of one source, again: after a refresh it begins anew.
    pub fn work_of(
        self: &Rc<Self>,
        id: &SourceId,
        wishes: &Wishes,
        sources: &mpsc::Sender<Msg>,
    ) -> Option<Work> {
        let sources = sources.clone();
        if let Some(host) = self.github.as_ref().filter(|host| host.source == *id) {
            let (host, wanted) = (Rc::clone(host), wishes.repositories.subscribe());
            return Some(Box::pin(watch_host(host, wanted, sources)));
        }
        for (name, server) in &self.metrics {
            if source_id(SourceKind::Prometheus, name.as_str()) == *id
                && let Ok(server) = server
            {
                let (server, wanted) = (server.clone(), wishes.metrics.get(name)?.subscribe());
                return Some(Box::pin(forwarded(sources, |out| {
                    prometheus::source::run(server, wanted, out)
                })));
            }
        }
        for (name, server) in &self.alerts {
            if source_id(SourceKind::Alertmanager, name.as_str()) == *id
                && let Ok(server) = server
            {
                let server = (**server).clone();
                return Some(Box::pin(forwarded(sources, |out| {
                    alertmanager::source::run(server, out)
                })));
            }
        }
        None
    }
}

/// Runs a source and gives what it tells to the screen.
async fn forwarded<F: Future<Output = ()>>(
    sources: mpsc::Sender<Msg>,
    run: impl FnOnce(mpsc::Sender<Vec<Tidings>>) -> F,
) {
    let (sender, mut told) = mpsc::channel(QUEUE);
    let forward = async {
        while let Some(tidings) = told.recv().await {
            if sources.send(Msg::Beside(tidings)).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(run(sender), forward);
}

/// As [`forwarded`], and remembers who the host says we are.
async fn watch_host(
    host: Rc<Host>,
    wanted: watch::Receiver<Vec<RepositoryWanted>>,
    sources: mpsc::Sender<Msg>,
) {
    let Ok(asked) = host.host.clone() else {
        return;
    };
    let (sender, mut told) = mpsc::channel::<Vec<Tidings>>(QUEUE);
    let forward = async {
        while let Some(tidings) = told.recv().await {
            for one in &tidings {
                if let Told::Who(who) = &one.fact {
                    *host.who.borrow_mut() = Some(who.clone());
                }
            }
            if sources.send(Msg::Beside(tidings)).await.is_err() {
                return;
            }
        }
    };
    let run = github::source::run(asked, wanted, sender);
    tokio::join!(run, forward);
}

/// The system that an action acts on, for the executor.
#[derive(Clone)]
pub enum Acting {
    Host {
        host: Rc<Host>,
        tier: Tier,
        user: String,
    },
    Alerts {
        server: Rc<Alertmanager>,
        tier: Tier,
        user: String,
    },
}

impl std::fmt::Debug for Acting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Host { .. } => "Acting::Host",
            Self::Alerts { .. } => "Acting::Alerts",
        })
    }
}

/// The run that a plan is about.
fn run_of(target: &Subject) -> Option<&RunId> {
    match target {
        Subject::Gate(subject) => Some(&subject.gate.run),
        Subject::Run(subject) => Some(&subject.run),
        Subject::Release(_) | Subject::Silence(_) | Subject::Expire(_) => None,
    }
}

impl Acting {
    /// Reads afresh and makes the plan.
    pub async fn plan(&self, intent: &Intent) -> Result<Plan, Refusal> {
        let seen = self
            .look(&intent.target)
            .await
            .map_err(|trouble| match trouble {
                ReadTrouble::NotFound => {
                    Refusal::not_found("it is not there, or the token may not see it")
                }
                ReadTrouble::Unreachable(why) => Refusal::unreachable(why.to_string()),
                ReadTrouble::Refused(why) => Refusal::guard(why.to_string()),
            })?;
        match (self, &seen) {
            (Self::Host { host, tier, user }, Seen::Run(read)) => github::plan::plan(
                intent,
                read,
                &github::plan::Terms {
                    tier: *tier,
                    who: host.who(user),
                },
            ),
            (Self::Alerts { tier, user, .. }, Seen::Incidents(facts)) => alertmanager::plan::plan(
                intent,
                facts,
                &alertmanager::plan::Terms {
                    tier: *tier,
                    who: user.clone(),
                },
            ),
            _ => Err(Refusal::guard("it is another kind of thing than was meant")),
        }
    }

    async fn look(&self, target: &Subject) -> Result<Seen, ReadTrouble> {
        match self {
            Self::Host { host, .. } => {
                let run = run_of(target).ok_or(ReadTrouble::NotFound)?;
                let server = host.server().await.map_err(ReadTrouble::Refused)?;
                github::read::run_read(&server.urgent(), run)
                    .await
                    .map(|read| Arc::new(read).into())
                    .map_err(|trouble| read_trouble(&trouble))
            }
            Self::Alerts { server, .. } => alertmanager::read::silences_and_alerts(server)
                .await
                .map(|facts| Arc::new(facts).into())
                .map_err(|trouble| read_trouble(&trouble)),
        }
    }
}

fn read_trouble(trouble: &Trouble) -> ReadTrouble {
    match trouble.state() {
        SourceState::Forbidden if trouble.status() == Some(404) => ReadTrouble::NotFound,
        SourceState::Unauthorized | SourceState::Forbidden => {
            ReadTrouble::Refused(trouble.sentence())
        }
        _ => ReadTrouble::Unreachable(trouble.sentence()),
    }
}

impl System for Acting {
    async fn read(&self, plan: &Plan) -> Result<Seen, ReadTrouble> {
        self.look(&plan.intent.target).await
    }

    async fn send(&self, plan: &Plan, index: usize, _version: ResourceVersion) -> Answer {
        let Some(sending) = plan.sends.get(index) else {
            return Answer::NotSent(sanitise("the plan has no such request"));
        };
        let (server, of) = match self {
            Self::Host { host, .. } => match host.server().await {
                Ok(server) => (server.urgent(), SourceKind::GitHub),
                Err(why) => return Answer::NotSent(why),
            },
            Self::Alerts { server, .. } => (server.http().clone(), SourceKind::Alertmanager),
        };
        let body = match &sending.body {
            serde_json::Value::Null => bytes::Bytes::new(),
            body => bytes::Bytes::from(body.to_string()),
        };
        let Ok(method) = http::Method::from_bytes(sending.method.as_bytes()) else {
            return Answer::NotSent(sanitise("the plan has no such method"));
        };
        match server
            .send_once(method, &sending.path, sending.content_type, body)
            .await
        {
            // What it did is seen by reading, whatever the answer says.
            Ok(_) => Answer::Taken,
            Err(trouble) => answer_of(&trouble, of),
        }
    }

    async fn observe(
        &self,
        plan: &Plan,
        _from: Option<ResourceVersion>,
        seen: mpsc::Sender<Sight>,
    ) {
        loop {
            match self.look(&plan.intent.target).await {
                Ok(state) => {
                    if seen.send(Sight::Seen(state)).await.is_err() {
                        return;
                    }
                }
                // An effect that may be there is looked for until its time is over.
                Err(trouble) => tracing::info!(?trouble, "cannot be observed"),
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// These systems keep who did what themselves.
    async fn note(&self, _plan: &Plan) {}
}

fn answer_of(trouble: &Trouble, of: SourceKind) -> Answer {
    let why = trouble.sentence();
    match trouble.fate() {
        Fate::CertainlyNotSent => Answer::NotSent(why),
        Fate::Refused => Answer::Rejected {
            status: trouble.status().unwrap_or(0),
            message: why,
        },
        // An old alert manager says with 500 that there is no such silence: nothing was done.
        Fate::PerhapsSent
            if of == SourceKind::Alertmanager
                && trouble.status() == Some(500)
                && why.contains("not found") =>
        {
            Answer::Rejected {
                status: 500,
                message: why,
            }
        }
        Fate::PerhapsSent => Answer::Lost(why),
    }
}

/// Reads the log of a job to its end. Its host keeps it back until the job has ended; until then that is said.
pub async fn job_log(host: &Host, run: &RunId, job: u64, name: &Safe, results: mpsc::Sender<Msg>) {
    let told = |event| Msg::Log {
        pod: name.clone(),
        event,
    };
    let server = match host.server().await {
        Ok(server) => server,
        Err(why) => {
            // Only a screen that is gone does not take it.
            let _ = results.send(told(LogEvent::Failed(why))).await;
            return;
        }
    };
    let (sender, mut logs) = mpsc::channel(1);
    let forward = async {
        while let Some(log) = logs.recv().await {
            for event in log_events(log) {
                if results.send(told(event)).await.is_err() {
                    return;
                }
            }
        }
    };
    tokio::join!(
        github::logs::follow(&server, &run.repository, job, sender),
        forward
    );
}

fn log_events(log: Result<JobLog, Trouble>) -> Vec<LogEvent> {
    match log {
        Ok(JobLog::NotYet) => vec![LogEvent::NotYet(sanitise(
            "no log yet: its host keeps it back until the job has ended; its steps are in the pane",
        ))],
        Ok(JobLog::Gone(why)) => vec![LogEvent::Failed(why)],
        Ok(JobLog::Lines { lines, left_out }) => {
            let mut events = Vec::new();
            if left_out > 0 {
                let words = format!("({left_out} earlier lines are left out)");
                events.push(LogEvent::Lines(vec![sanitise(&words)]));
            }
            let lines = lines.iter().map(|line| sanitise(&line.text())).collect();
            events.push(LogEvent::Lines(lines));
            events.push(LogEvent::Ended);
            events
        }
        Err(trouble) => vec![LogEvent::Failed(trouble.sentence())],
    }
}
