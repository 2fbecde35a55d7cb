//! The systems beside the clusters as this session uses them: one CI host, a metrics server and an alert manager for each
//! environment. Joins their providers with the reducer's messages and the executor's needs, as `cluster` does for
//! Kubernetes. Each fails alone.

mod acting;
mod job_log;
mod watch;

pub use acting::Acting;
pub use job_log::job_log;
pub use watch::{Wishes, Work};

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc};

use jiff::SignedDuration;

use super::clock;
use crate::{
    app::{
        beside::{Source, SourceKind, is_incident},
        services::Services,
    },
    config::{Config, Server as ServerConfig},
    model::{
        id::{EnvironmentName, SourceId},
        incident::Alert,
        pipeline::Repository,
        source::{SourceHealth, SourceState, Tier, WhoAmI},
        text::{Safe, sanitise},
    },
    ops::subject::Subject,
    providers::{
        alertmanager::{self, read::Alertmanager},
        github,
        http::{Credential, Server, Setup, Trouble, Variables},
        prometheus::{self, read::Prometheus},
    },
};

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
    asked: Result<github::source::Host, Safe>,
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
        let host = self.asked.as_ref().map_err(Safe::clone)?;
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

/// How servers are made: to act on, or to look at.
type Make = fn(Setup) -> Result<Server, Trouble>;

fn server(
    make: Make,
    base: &str,
    credential: Credential,
    limits: crate::providers::http::Limits,
) -> Result<Server, Safe> {
    make(Setup {
        base: base.to_owned(),
        credential,
        headers: Vec::new(),
        authority: None,
        limits,
        clock: clock::shared(),
        variables: variables(),
    })
    .map(|server| match clock::is_still() {
        true => server.without_port(),
        false => server,
    })
    .map_err(|trouble| trouble.sentence())
}

fn configured(
    make: Make,
    config: &ServerConfig,
    limits: crate::providers::http::Limits,
) -> Result<Server, Safe> {
    let credential = match &config.token {
        Some(token) => Credential::Bearer(token.clone()),
        None => Credential::None,
    };
    server(make, &config.url, credential, limits)
}

impl Besides {
    /// What the configuration names, for the environments of this session.
    pub fn new(config: &Config, environments: &[EnvironmentName]) -> Self {
        Self::made(config, environments, Server::with, host(config))
    }

    /// The same to look at: each server is made without what sends a write.
    pub fn to_look_at(config: &Config, environments: &[EnvironmentName]) -> Self {
        let host = host(config).map(|mut host| {
            host.asked = host.asked.map(github::source::Host::to_look_at);
            host
        });
        Self::made(config, environments, Server::to_look_at, host)
    }

    fn made(
        config: &Config,
        environments: &[EnvironmentName],
        build: Make,
        host: Option<Host>,
    ) -> Self {
        let mut metrics = BTreeMap::new();
        let mut alerts = BTreeMap::new();
        for name in environments {
            let Some(described) = config.environments.get(name.as_str()) else {
                continue;
            };
            if let Some(at) = &described.prometheus {
                let made = configured(build, at, prometheus::read::limits()).map(|http| {
                    Prometheus::new(source_id(SourceKind::Prometheus, name.as_str()), http)
                });
                metrics.insert(name.clone(), made);
            }
            if let Some(at) = &described.alertmanager {
                let made = configured(build, at, alertmanager::read::limits()).map(|http| {
                    let id = source_id(SourceKind::Alertmanager, name.as_str());
                    Rc::new(Alertmanager::new(id, name.clone(), http))
                });
                alerts.insert(name.clone(), made);
            }
        }
        Self {
            services: Services::new(config),
            github: host.map(Rc::new),
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
            let why = host.asked.as_ref().err();
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
        Some(
            read.map_err(|trouble| trouble.sentence())
                .and_then(|facts| {
                    let titles: Vec<String> = facts
                        .alerts
                        .iter()
                        .filter(|alert| is_incident(alert) && is_meant(alert))
                        .map(|alert| alert.title().to_owned())
                        .collect();
                    // "Nothing" from one who says that it does not know all is no answer.
                    match facts.warnings.first() {
                        Some(warning) if titles.is_empty() => Err(warning.clone()),
                        _ => Ok(titles),
                    }
                }),
        )
    }

    /// The tier of an environment: what is not described is prod.
    fn tier(&self, environment: &EnvironmentName) -> Tier {
        self.config
            .environments
            .get(environment.as_str())
            .map_or(Tier::Prod, |described| described.tier)
    }

    /// What an action on something that is no release acts on.
    ///
    /// `who`: what the environment's own system calls us, where it said.
    pub fn acting(&self, target: &Subject, who: Option<&WhoAmI>) -> Result<Acting, String> {
        let tier = self.tier(target.environment());
        let user = who.map_or_else(|| self.user.clone(), |who| who.name.to_string());
        match target {
            Subject::Release(_) => Err("a release is acted on in its cluster".to_owned()),
            Subject::Gate(_) | Subject::Run(_) => match &self.github {
                Some(host) => Ok(Acting::Host {
                    host: Rc::clone(host),
                    tier,
                    user,
                }),
                None => Err("no CI host is configured: [sources.github]".to_owned()),
            },
            Subject::Silence(_) | Subject::Expire(_) => match self.alerts.get(target.environment())
            {
                Some(Ok(server)) => Ok(Acting::Alerts {
                    server: Rc::clone(server),
                    tier,
                    user,
                    longest: SignedDuration::from_hours(self.config.write.silence_hours),
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
fn host(config: &Config) -> Option<Host> {
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
        // The port of a world whose time stands still is another one each time.
        Ok(address) if clock::is_still() => {
            sanitise(address.name.split(':').next().unwrap_or_default())
        }
        Ok(address) => address.name.clone(),
        Err(_) => sanitise(&github.host),
    };
    Some(Host {
        source: source_id(SourceKind::GitHub, &name),
        asked: address.map(|address| {
            let id = source_id(SourceKind::GitHub, &name);
            let mut host = github::source::Host::new(id, address, clock::shared(), variables());
            host.token = github.token;
            host.beat = clock::beat();
            host
        }),
        name,
        who: RefCell::new(None),
    })
}
