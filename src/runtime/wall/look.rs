//! What a wallboard looks at. Made without anything that could write: each cluster is a [`Reader`], which sends nothing
//! but GET; each server beside them is made without what sends a write; there is no recorder, because there is nothing to
//! record. It can ask what [`Ask`] can say.

use std::collections::BTreeMap;

use tokio::{
    sync::mpsc,
    task::{AbortHandle, spawn_local},
};

use super::super::{
    beside::{Besides, Wishes},
    clock,
    session::{self, Variables, Wanted, Wrong},
};
use crate::{
    app::{
        beside::Beside,
        msg::Msg,
        state::{Environment, Session, State},
        wall::Ask,
    },
    config::{self, Config},
    model::{
        event::SourceEvent,
        id::{EnvironmentName, Namespace},
        source::Tier,
        text::{Safe, sanitise},
    },
    ops::guard::Arming,
    providers::kubernetes::{
        client::{Limits, Reader},
        kubeconfig::Connection,
        source,
    },
};

/// Messages of a cluster that wait for the screen.
const QUEUE: usize = 16;

/// Everything that is looked at, before it is.
pub struct Lookout {
    pub config: Config,
    pub warnings: Vec<String>,
    environments: Vec<Watched>,
    besides: Besides,
}

struct Watched {
    name: EnvironmentName,
    context: Safe,
    tier: Tier,
    insecure: bool,
    namespaces: Option<Vec<Namespace>>,
    cluster: Result<Reader, Safe>,
}

impl std::fmt::Debug for Lookout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lookout").finish_non_exhaustive()
    }
}

impl Lookout {
    /// From the configuration and the kubeconfig.
    pub fn open(wanted: &Wanted, variables: Variables<'_>) -> Result<Self, Wrong> {
        let loaded = config::load(wanted.config.as_deref(), variables)
            .map_err(|problems| Wrong(problems.to_string()))?;
        let config = loaded.config;
        let contexts = session::contexts(wanted, variables)?;
        let environments = session::choose(&contexts, wanted, &config)?
            .into_iter()
            .map(|(name, context)| {
                let connection = contexts
                    .connection(context)
                    .map_err(|problem| problem.sentence());
                let described = config.environments.get(name.as_str());
                Watched {
                    tier: described.map_or(Tier::Prod, |environment| environment.tier),
                    insecure: connection
                        .as_ref()
                        .is_ok_and(|connection| connection.insecure),
                    namespaces: session::namespaces(&name, wanted, &config),
                    context: sanitise(&context.name),
                    cluster: connection.and_then(reader),
                    name,
                }
            })
            .collect();
        Ok(Self::over(config, loaded.warnings, environments))
    }

    /// Over the demo world.
    pub fn demo(
        environment: &str,
        address: std::net::SocketAddr,
        config: Config,
    ) -> Result<Self, Wrong> {
        let name = EnvironmentName::new(environment);
        let cluster = reader(Connection::loopback(name.clone(), address))
            .map_err(|why| Wrong(why.to_string()))?;
        let watched = Watched {
            name,
            context: sanitise("demo"),
            tier: Tier::Prod,
            insecure: false,
            namespaces: None,
            cluster: Ok(cluster),
        };
        Ok(Self::over(config, Vec::new(), vec![watched]))
    }

    fn over(config: Config, warnings: Vec<String>, environments: Vec<Watched>) -> Self {
        let names: Vec<EnvironmentName> = environments
            .iter()
            .map(|watched| watched.name.clone())
            .collect();
        Self {
            besides: Besides::to_look_at(&config, &names),
            config,
            warnings,
            environments,
        }
    }

    /// With another theme than the configuration's.
    #[must_use]
    pub fn with_theme(mut self, theme: Option<&str>) -> Self {
        if let Some(theme) = theme {
            theme.clone_into(&mut self.config.ui.theme);
        }
        self
    }

    /// What is shown before anything was told.
    pub(super) fn first_state(&self, demo: bool, size: (u16, u16)) -> State {
        let now = clock::now();
        let environments = self
            .environments
            .iter()
            .map(|watched| {
                let environment = Environment {
                    name: watched.name.clone(),
                    context: watched.context.clone(),
                    tier: watched.tier,
                    arming: Arming::Forbidden {
                        because: "a wallboard cannot write".to_owned(),
                    },
                    health: session::first_health(watched.cluster.as_ref().err(), now),
                    who: None,
                    access: std::collections::HashMap::new(),
                    asked: std::collections::HashSet::new(),
                    wrote: false,
                    insecure: watched.insecure,
                    without_rollouts: false,
                };
                (watched.name.clone(), environment)
            })
            .collect();
        let session = Session {
            still: false,
            demo,
            game: None,
            read_only: true,
            armed_minutes: 0,
            clock: self.config.ui.clock,
            zone: jiff::tz::TimeZone::system(),
            id: String::new(),
            keys: crate::app::keymap::Keymap::default(),
            next_intent: 0,
            open_intents: Vec::new(),
        };
        let beside = Beside::new(self.besides.services.clone(), self.besides.sources());
        State::new(now, size, session, environments, beside)
    }

    /// Starts looking, until what is returned is dropped.
    pub(super) fn look(self, sources: &mpsc::Sender<Msg>) -> Looking {
        let mut tasks = Vec::new();
        for watched in self.environments {
            let Ok(reader) = watched.cluster else {
                continue;
            };
            let options = source::Options {
                environment: watched.name,
                namespaces: watched.namespaces.unwrap_or_default(),
                seed: None,
            };
            let work = watch(reader, options, sources.clone());
            tasks.push(spawn_local(work).abort_handle());
        }
        let besides = std::rc::Rc::new(self.besides);
        let (wishes, work) = besides.work(sources);
        tasks.extend(
            BTreeMap::from_iter(work)
                .into_values()
                .map(|work| spawn_local(work).abort_handle()),
        );
        Looking { wishes, tasks }
    }
}

fn reader(connection: Connection) -> Result<Reader, Safe> {
    Reader::new(connection, Limits::default(), clock::shared()).map_err(|error| error.sentence())
}

async fn watch(reader: Reader, options: source::Options, sources: mpsc::Sender<Msg>) {
    let (sender, mut events) = mpsc::channel::<Vec<SourceEvent>>(QUEUE);
    let forward = async {
        while let Some(events) = events.recv().await {
            if sources.send(Msg::Source(events)).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(source::look(reader, options, sender), forward);
}

/// What is being looked at. Dropping it ends that.
pub(super) struct Looking {
    wishes: Wishes,
    tasks: Vec<AbortHandle>,
}

impl Looking {
    pub(super) fn ask(&self, ask: Ask) {
        match ask {
            Ask::Repositories(wanted) => self.wishes.repositories(wanted),
            Ask::Metrics(wanted) => self.wishes.metrics(wanted),
        }
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
