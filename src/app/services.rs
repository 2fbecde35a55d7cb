//! What belongs together: which repository, workflow, alerts and CI environments are a release's. By configuration, then
//! by an annotation on the workload, then by an exact commit; never by likeness. Says for each why it was joined.
//!
//! A `[services."*"]` stands for every service that has no entry of its own for a key; `{service}` and `{namespace}` in
//! it are replaced. That is a rule which somebody wrote down, not a guess.

use std::collections::BTreeMap;

use crate::{
    config::{self, Config, Workload},
    model::{
        id::{EnvironmentName, ReleaseId},
        incident::{Alert, Matcher, all_match},
        pipeline::{Commit, Repository},
        release::{Release, tag_of},
        rollout::Rollout,
    },
};

/// The rules of this session.
#[derive(Clone, Debug, Default)]
pub struct Services {
    rules: Vec<Rule>,
    /// Ours by the CI host's name of it, in lower case.
    environments: BTreeMap<String, EnvironmentName>,
}

#[derive(Clone, Debug)]
struct Rule {
    /// As the configuration names it; `*` is everyone.
    name: String,
    workload: Option<Workload>,
    repository: Option<String>,
    workflow: Option<String>,
    alerts: BTreeMap<String, String>,
}

/// Something that was joined, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined<T> {
    pub to: T,
    /// `[services.checkout] in the configuration`.
    pub because: String,
}

/// The pipeline of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineRule {
    pub repository: Repository,
    /// The file of the workflow that releases it; `None`: any.
    pub workflow: Option<String>,
}

impl Services {
    pub fn new(config: &Config) -> Self {
        let mut rules: Vec<Rule> = config
            .services
            .iter()
            .map(|(name, service)| Rule {
                name: name.clone(),
                workload: service.workload.clone(),
                repository: service.repository.clone(),
                workflow: service.workflow.clone(),
                alerts: service.alerts.clone(),
            })
            .collect();
        // A rule about one workload comes before one about a name, and that before the one about everyone.
        rules.sort_by_key(|rule| (rule.name == EVERYONE, rule.workload.is_none()));
        let environments = config
            .environments
            .iter()
            .flat_map(|(ours, environment)| {
                environment
                    .github
                    .iter()
                    .map(move |theirs| (theirs.to_lowercase(), EnvironmentName::new(ours)))
            })
            .collect();
        Self {
            rules,
            environments,
        }
    }

    fn of<'a>(&'a self, id: &'a ReleaseId) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().filter(move |rule| rule.is_about(id))
    }

    /// Our environment that one of the CI host stands for: as configured, else the one of exactly its name.
    pub fn environment<'a>(
        &self,
        theirs: &str,
        mut known: impl Iterator<Item = &'a EnvironmentName>,
    ) -> Option<EnvironmentName> {
        self.environments
            .get(&theirs.to_lowercase())
            .cloned()
            .or_else(|| known.find(|ours| ours.as_str() == theirs).cloned())
    }

    /// The CI host's names of an environment of ours, as configured.
    pub fn names_of(&self, ours: &EnvironmentName) -> Vec<String> {
        self.environments
            .iter()
            .filter(|(_, of)| *of == ours)
            .map(|(theirs, _)| theirs.clone())
            .collect()
    }

    pub fn pipeline(&self, rollout: &Rollout) -> Option<Joined<PipelineRule>> {
        let workflow = || {
            self.of(&rollout.id)
                .find_map(|rule| rule.workflow.clone())
                .or_else(|| {
                    let links = rollout.links.as_deref()?;
                    links.workflow.as_ref().map(ToString::to_string)
                })
        };
        let configured = self.of(&rollout.id).find_map(|rule| {
            let text = fill(rule.repository.as_deref()?, &rollout.id);
            Some(Joined {
                to: Repository::new(&text)?,
                because: format!("[services.{}] in the configuration", quoted(&rule.name)),
            })
        });
        let annotated = || {
            let text = rollout.links.as_deref()?.repository.as_ref()?;
            Some(Joined {
                to: Repository::new(text)?,
                because: "annotation windlass.dev/repository of the workload".to_owned(),
            })
        };
        configured.or_else(annotated).map(|joined| Joined {
            to: PipelineRule {
                repository: joined.to,
                workflow: workflow(),
            },
            because: joined.because,
        })
    }

    /// Every pipeline that the configuration names outright, whether a workload of it is there or not.
    pub fn pipelines(&self) -> impl Iterator<Item = PipelineRule> {
        let everyones = self
            .rules
            .iter()
            .filter(|rule| rule.name == EVERYONE)
            .find_map(|rule| rule.workflow.clone());
        self.rules.iter().filter_map(move |rule| {
            Some(PipelineRule {
                repository: Repository::new(rule.repository.as_deref()?)?,
                workflow: rule.workflow.clone().or_else(|| everyones.clone()),
            })
        })
    }

    /// The matchers that find a release's alerts.
    pub fn alerts(&self, id: &ReleaseId) -> Option<Joined<Vec<Matcher>>> {
        self.of(id)
            .find(|rule| !rule.alerts.is_empty())
            .map(|rule| Joined {
                to: rule
                    .alerts
                    .iter()
                    .map(|(name, value)| Matcher::equal(name, &fill(value, id)))
                    .collect(),
                because: format!(
                    "[services.{}] alerts in the configuration",
                    quoted(&rule.name)
                ),
            })
    }

    /// Whether an alert is of a service that this repository releases, as far as a rule names both. For a command line
    /// that has a gate and no releases at hand.
    pub fn is_alert_of_repository(&self, repository: &Repository, alert: &Alert) -> bool {
        self.rules.iter().any(|rule| {
            let Some(service) = rule.service_of(repository) else {
                return false;
            };
            // A namespace is not known here; a rule that asks for it is held against whatever the alert says.
            let namespace = alert.label("namespace").map_or("", |namespace| namespace);
            let matchers: Vec<Matcher> = rule
                .alerts
                .iter()
                .map(|(name, value)| {
                    let value = value
                        .replace("{service}", &service)
                        .replace("{namespace}", namespace);
                    Matcher::equal(name, &value)
                })
                .collect();
            !matchers.is_empty() && all_match(&matchers, &alert.labels) == Some(true)
        })
    }

    /// The rules of measuring a release, with the names filled in.
    pub fn measured(&self, id: &ReleaseId, config: &Config) -> Option<config::Service> {
        self.of(id)
            .filter_map(|rule| config.services.get(&rule.name))
            .find(|service| !service.metrics.is_empty())
            .map(|service| {
                let mut service = service.clone();
                for metric in service.metrics.values_mut() {
                    metric.good_and_bad = fill(&metric.good_and_bad, id);
                    metric.part = match &metric.part {
                        config::Part::Bad(query) => config::Part::Bad(fill(query, id)),
                        config::Part::Good(query) => config::Part::Good(fill(query, id)),
                    };
                }
                service
            })
    }

    /// Whether any rule could join an alert to anything.
    pub fn join_alerts(&self) -> bool {
        self.rules.iter().any(|rule| !rule.alerts.is_empty())
    }

    pub fn is_alert_of(&self, id: &ReleaseId, alert: &Alert) -> bool {
        alert.environment == id.environment
            && self
                .alerts(id)
                .is_some_and(|joined| all_match(&joined.to, &alert.labels) == Some(true))
    }
}

/// The name of the rule that is about every service.
pub const EVERYONE: &str = "*";

impl Rule {
    /// The service that a repository releases by this rule.
    fn service_of(&self, repository: &Repository) -> Option<String> {
        let written = self.repository.as_deref()?.to_ascii_lowercase();
        if self.name != EVERYONE {
            return (written == repository.as_str()).then(|| self.name.clone());
        }
        let (before, after) = written.split_once("{service}")?;
        let name = repository
            .as_str()
            .strip_prefix(before)?
            .strip_suffix(after)?;
        (!name.is_empty() && !name.contains('/')).then(|| name.to_owned())
    }

    fn is_about(&self, id: &ReleaseId) -> bool {
        match &self.workload {
            Some(workload) => {
                workload.kind == id.kind
                    && workload.name == id.name
                    && workload
                        .namespace
                        .as_ref()
                        .is_none_or(|namespace| *namespace == id.namespace)
            }
            None => self.name == EVERYONE || self.name == id.name.as_str(),
        }
    }
}

fn quoted(name: &str) -> String {
    if name == EVERYONE {
        "\"*\"".to_owned()
    } else {
        name.to_owned()
    }
}

fn fill(text: &str, id: &ReleaseId) -> String {
    text.replace("{service}", id.name.as_str())
        .replace("{namespace}", id.namespace.as_str())
}

/// The commit that a release's current version was made of, and where that is written.
pub fn commit_of(release: &Release) -> Option<Joined<Commit>> {
    let rollout = &release.rollout;
    if let Some(commit) = rollout
        .links
        .as_deref()
        .and_then(|links| links.commit.clone())
    {
        return Some(Joined {
            to: commit,
            because: "the commit that its pod template names".to_owned(),
        });
    }
    let tag = tag_of(release.current().images.first()?)?;
    // Only a whole commit: a part of one is a likeness.
    [
        Some(tag.as_str()),
        tag.strip_prefix("sha-"),
        tag.rsplit_once('-').map(|(_, last)| last),
    ]
    .into_iter()
    .flatten()
    .find_map(Commit::new)
    .map(|commit| Joined {
        to: commit,
        because: "the commit in its image tag".to_owned(),
    })
}
