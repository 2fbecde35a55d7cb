//! Puts a session together: configuration, contexts, clusters, state directory. Fails before anything is started, with
//! sentences that say what, where and what to do.

use std::{cell::RefCell, collections::BTreeMap, path::PathBuf, rc::Rc};

use jiff::Timestamp;

use super::{beside::Besides, clock, cluster::Cluster, recorder::AuditRecorder, served::Served};
use crate::{
    config::{self, Config},
    model::{
        id::{EnvironmentName, Namespace},
        source::{SourceHealth, SourceState, Tier},
        text::{Safe, sanitise},
    },
    ops::guard::Arming,
    providers::kubernetes::{
        client::{Client, Limits},
        kubeconfig::{self, Connection, Context},
    },
};

/// How environment variables are asked for.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What is asked for at the start, by whoever starts it.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub context: Vec<String>,
    pub namespace: Vec<String>,
    pub config: Option<PathBuf>,
    /// Environments that are armed at once; an empty one means all.
    pub write: Vec<String>,
    pub read_only: bool,
    pub kubeconfig: Option<PathBuf>,
}

/// Everything that a session works with.
pub struct Session {
    pub config: Config,
    pub warnings: Vec<String>,
    pub environments: Vec<Ready>,
    pub recorder: AuditRecorder,
    pub evidence: Rc<RefCell<Served>>,
    /// CI host, metrics and alerts.
    pub besides: Rc<Besides>,
    pub state_dir: PathBuf,
    pub id: String,
}

/// One environment, connected or with the reason why it cannot be.
pub struct Ready {
    pub name: EnvironmentName,
    pub context: Safe,
    pub tier: Tier,
    pub arming: Arming,
    pub insecure: bool,
    pub cluster: Result<Rc<Cluster>, Safe>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ready")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Wrong usage or configuration: exit code 2, nothing started.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Wrong(pub String);

impl Session {
    /// From the configuration and the kubeconfig.
    pub fn open(wanted: &Wanted, variables: Variables<'_>) -> Result<Self, Wrong> {
        let loaded = config::load(wanted.config.as_deref(), variables)
            .map_err(|problems| Wrong(problems.to_string()))?;
        let config = loaded.config;
        let contexts = contexts(wanted, variables)?;
        let chosen = choose(&contexts, wanted, &config)?;
        let state_dir =
            super::audit::state_dir(variables).map_err(|error| Wrong(error.to_string()))?;
        let evidence = Rc::new(RefCell::new(Served::load(&state_dir)));
        let mut environments = Vec::new();
        let mut warnings = loaded.warnings;
        for (name, context) in chosen {
            let connection = contexts
                .connection(context)
                .map_err(|problem| problem.sentence());
            environments.push(ready(name, context, connection, wanted, &config, &evidence));
        }
        warn_of_unknown(&mut warnings, &config, &contexts, &environments);
        check_write(wanted, &environments)?;
        let besides = Besides::new(&config, &names(&environments));
        Ok(Self {
            besides: Rc::new(besides),
            recorder: AuditRecorder::open(state_dir.clone(), variables),
            config,
            warnings,
            environments,
            evidence,
            state_dir,
            id: session_id(clock::now()),
        })
    }

    /// Over one API server on loopback that needs no login: the demo world. Reads no kubeconfig and no configuration.
    ///
    /// Armed from the start, so that a newcomer can try everything, unless it is to be looked at only.
    pub fn demo(
        environment: &str,
        address: std::net::SocketAddr,
        config: Config,
        read_only: bool,
        state_dir: PathBuf,
        variables: Variables<'_>,
    ) -> Result<Self, Wrong> {
        let name = EnvironmentName::new(environment);
        let connection = Connection::loopback(name.clone(), address);
        let evidence = Rc::new(RefCell::new(Served::load(&state_dir)));
        let client = Client::new(connection, Limits::default(), clock::shared())
            .map_err(|error| Wrong(error.sentence().to_string()))?;
        let cluster = Cluster {
            name: name.clone(),
            client,
            tier: Tier::Prod,
            namespaces: None,
            note: true,
            user: None,
            who: RefCell::new(None),
            evidence: Rc::clone(&evidence),
        };
        let minutes = config.write.minutes;
        Ok(Self {
            recorder: AuditRecorder::open(state_dir.clone(), variables),
            besides: Rc::new(Besides::new(&config, std::slice::from_ref(&name))),
            config,
            warnings: Vec::new(),
            environments: vec![Ready {
                name,
                context: sanitise("demo"),
                tier: Tier::Prod,
                arming: if read_only {
                    forbidden()
                } else {
                    armed(minutes)
                },
                insecure: false,
                cluster: Ok(Rc::new(cluster)),
            }],
            evidence,
            state_dir,
            id: session_id(clock::now()),
        })
    }

    /// With another theme than the configuration's.
    #[must_use]
    pub fn with_theme(mut self, theme: Option<&str>) -> Self {
        if let Some(theme) = theme {
            theme.clone_into(&mut self.config.ui.theme);
        }
        self
    }

    /// The clusters that can be asked.
    pub fn clusters(&self) -> BTreeMap<EnvironmentName, Rc<Cluster>> {
        self.environments
            .iter()
            .filter_map(|environment| {
                Some((
                    environment.name.clone(),
                    Rc::clone(environment.cluster.as_ref().ok()?),
                ))
            })
            .collect()
    }

    /// Writes down what was learnt.
    pub fn save(&self) {
        if let Err(error) = self.evidence.borrow_mut().save() {
            tracing::warn!(%error, "what was seen serving could not be kept");
        }
    }
}

fn names(environments: &[Ready]) -> Vec<EnvironmentName> {
    environments
        .iter()
        .map(|ready| ready.name.clone())
        .collect()
}

fn armed(minutes: i64) -> Arming {
    Arming::Armed {
        until: clock::now()
            .checked_add(jiff::SignedDuration::from_mins(minutes))
            .ok(),
    }
}

/// Short and unique enough to name intents by: the second and the process. Where time stands still, the same each time.
fn session_id(now: Timestamp) -> String {
    let process = if clock::is_still() {
        0
    } else {
        std::process::id()
    };
    format!("{}-{process}", now.strftime("%Y%m%dT%H%M%S"))
}

/// Everything that the kubeconfig names.
pub(super) fn contexts(
    wanted: &Wanted,
    variables: Variables<'_>,
) -> Result<kubeconfig::Contexts, Wrong> {
    let asked = |name: &str| match (name, &wanted.kubeconfig) {
        ("KUBECONFIG", Some(path)) => Some(path.display().to_string()),
        _ => variables(name),
    };
    if let Some(path) = &wanted.kubeconfig
        && !path.exists()
    {
        return Err(Wrong(format!(
            "{} does not exist (--kubeconfig)",
            path.display()
        )));
    }
    kubeconfig::read(&asked).map_err(|problem| Wrong(problem.sentence().to_string()))
}

/// Which contexts, under which names.
pub(super) fn choose<'a>(
    contexts: &'a kubeconfig::Contexts,
    wanted: &Wanted,
    config: &Config,
) -> Result<Vec<(EnvironmentName, &'a Context)>, Wrong> {
    let wrong = |problem: kubeconfig::Problem| Wrong(problem.sentence().to_string());
    let configured = |context: &Context| {
        config
            .environments
            .iter()
            .find(|(name, environment)| {
                environment.context.as_deref().unwrap_or(name) == context.name
            })
            .map(|(name, _)| EnvironmentName::new(name))
    };
    let mut chosen: Vec<(EnvironmentName, &Context)> = Vec::new();
    if wanted.context.is_empty() && !config.environments.is_empty() {
        for (name, environment) in &config.environments {
            let context = environment.context.as_deref().unwrap_or(name);
            let found = contexts.find(context).map_err(|problem| {
                Wrong(format!(
                    "[environments.{name}] names a context that cannot be used: {}",
                    problem.sentence()
                ))
            })?;
            chosen.push((EnvironmentName::new(name), found));
        }
        return Ok(chosen);
    }
    for asked in if wanted.context.is_empty() {
        vec![contexts.current().map_err(wrong)?]
    } else {
        select(contexts, wanted, config)?
    } {
        let name = configured(asked).unwrap_or_else(|| asked.environment.clone());
        if !chosen.iter().any(|(known, _)| *known == name) {
            chosen.push((name, asked));
        }
    }
    Ok(chosen)
}

/// `--context` takes a context's name, or that of an environment.
fn select<'a>(
    contexts: &'a kubeconfig::Contexts,
    wanted: &Wanted,
    config: &Config,
) -> Result<Vec<&'a Context>, Wrong> {
    let names: Vec<String> = wanted
        .context
        .iter()
        .map(|asked| {
            match config
                .environments
                .get(asked)
                .and_then(|environment| environment.context.clone())
            {
                Some(context) if contexts.find(asked).is_err() => context,
                _ => asked.clone(),
            }
        })
        .collect();
    contexts
        .select(&names)
        .map_err(|problem| Wrong(problem.sentence().to_string()))
}

fn ready(
    name: EnvironmentName,
    context: &Context,
    connection: Result<Connection, Safe>,
    wanted: &Wanted,
    config: &Config,
    evidence: &Rc<RefCell<Served>>,
) -> Ready {
    let described = config.environments.get(name.as_str());
    let tier = described.map_or(Tier::Prod, |environment| environment.tier);
    let insecure = connection
        .as_ref()
        .is_ok_and(|connection| connection.insecure);
    let cluster = connection.and_then(|connection| {
        let user = connection.user.clone();
        let client = Client::new(connection, Limits::default(), clock::shared())
            .map_err(|error| error.sentence())?;
        Ok(Rc::new(Cluster {
            name: name.clone(),
            client,
            tier,
            namespaces: namespaces(&name, wanted, config),
            note: config.actions.note,
            user,
            who: RefCell::new(None),
            evidence: Rc::clone(evidence),
        }))
    });
    Ready {
        arming: arming(&name, wanted, config),
        name,
        context: sanitise(&context.name),
        tier,
        insecure,
        cluster,
    }
}

/// Which namespaces are watched; `None` is every one that may be listed.
pub(super) fn namespaces(
    name: &EnvironmentName,
    wanted: &Wanted,
    config: &Config,
) -> Option<Vec<Namespace>> {
    let names = if wanted.namespace.is_empty() {
        let described = config.environments.get(name.as_str());
        described.and_then(|environment| environment.namespaces.clone())
    } else {
        Some(wanted.namespace.clone())
    };
    Some(names?.iter().map(|name| Namespace::new(name)).collect())
}

fn forbidden() -> Arming {
    Arming::Forbidden {
        because: "read-only: this session was started with --read-only".to_owned(),
    }
}

/// Quiet unless asked: read-only, unless `--write` names it, and never where the configuration does not list it.
fn arming(name: &EnvironmentName, wanted: &Wanted, config: &Config) -> Arming {
    if wanted.read_only {
        return forbidden();
    }
    if let Some(listed) = &config.write.environments
        && !listed.iter().any(|listed| listed == name.as_str())
    {
        return Arming::Forbidden {
            because: format!(
                "read-only: {name} is not listed in [write] environments of the configuration"
            ),
        };
    }
    let asked = wanted.write.iter().any(|write| {
        write.is_empty() || write.split(',').any(|asked| asked.trim() == name.as_str())
    });
    if asked {
        armed(config.write.minutes)
    } else {
        Arming::ReadOnly
    }
}

fn check_write(wanted: &Wanted, environments: &[Ready]) -> Result<(), Wrong> {
    for asked in wanted
        .write
        .iter()
        .flat_map(|write| write.split(','))
        .map(str::trim)
        .filter(|asked| !asked.is_empty())
    {
        if !environments
            .iter()
            .any(|environment| environment.name.as_str() == asked)
        {
            let known: Vec<&str> = environments
                .iter()
                .map(|environment| environment.name.as_str())
                .collect();
            return Err(Wrong(format!(
                "--write={asked}: no such environment in this session; there is {}",
                known.join(", ")
            )));
        }
    }
    Ok(())
}

fn warn_of_unknown(
    warnings: &mut Vec<String>,
    config: &Config,
    contexts: &kubeconfig::Contexts,
    environments: &[Ready],
) {
    for listed in config.write.environments.iter().flatten() {
        let known = environments
            .iter()
            .any(|environment| environment.name.as_str() == listed)
            || config.environments.contains_key(listed)
            || contexts
                .all()
                .iter()
                .any(|context| context.environment.as_str() == listed);
        if !known {
            warnings.push(format!(
                "[write] environments names {listed:?}, which is neither configured nor a context"
            ));
        }
    }
}

/// What an environment's health is before it has said anything. `why` it cannot be asked, where it cannot.
pub fn first_health(why: Option<&Safe>, now: Timestamp) -> SourceHealth {
    SourceHealth {
        state: match why {
            None => SourceState::Connecting,
            Some(_) => SourceState::NotConfigured,
        },
        since: now,
        detail: why.cloned().unwrap_or_default(),
        next_try: None,
        heard: None,
    }
}
