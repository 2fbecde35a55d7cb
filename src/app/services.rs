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

/// The rules that find the alerts of a repository's services; a namespace that no rule says is whatever an alert says.
#[derive(Clone, Debug)]
pub struct AlertsOf(Vec<Vec<(String, String)>>);

impl AlertsOf {
    pub fn has(&self, alert: &Alert) -> bool {
        let namespace = alert.label("namespace").map_or("", |namespace| namespace);
        self.0.iter().any(|rule| {
            let matchers: Vec<Matcher> = rule
                .iter()
                .map(|(name, value)| Matcher::equal(name, &value.replace("{namespace}", namespace)))
                .collect();
            all_match(&matchers, &alert.labels) == Some(true)
        })
    }
}

/// Whose a repository is by the rule for everyone.
enum Everyones {
    Nobody,
    One(String),
    /// The rule fits, and does not say whom.
    Any,
}

fn everyones(written: &str, repository: &Repository) -> Everyones {
    if written.contains("{namespace}") {
        return Everyones::Any;
    }
    let Some((before, _)) = written.split_once("{service}") else {
        return match written == repository.as_str() {
            true => Everyones::Any,
            false => Everyones::Nobody,
        };
    };
    let Some(rest) = repository.as_str().strip_prefix(before) else {
        return Everyones::Nobody;
    };
    // A name is no longer than the next slash, and the one that the rule makes this repository of is it.
    (1..=rest.len())
        .filter_map(|end| rest.get(..end))
        .find(|name| {
            !name.contains('/') && written.replace("{service}", name) == repository.as_str()
        })
        .map_or(Everyones::Nobody, |name| Everyones::One(name.to_owned()))
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

    /// How the alerts of all that a repository releases are found, or why that is not known. For a command line that has a
    /// gate and no releases at hand: what only an annotation joins is not known to it.
    pub fn alerts_of_repository(&self, repository: &Repository) -> Result<AlertsOf, String> {
        let mut found = Vec::new();
        for (service, namespace) in self.services_of(repository)? {
            // Of rules about a workload every one of that name: a namespace and a kind are not known here.
            let of_workloads = self.rules.iter().filter(|rule| {
                let workload = rule.workload.as_ref();
                workload.is_some_and(|workload| workload.name.as_str() == service)
            });
            let of_name = self.rules.iter().find(|rule| {
                rule.workload.is_none()
                    && (rule.name == EVERYONE || rule.name == service)
                    && !rule.alerts.is_empty()
            });
            let before = found.len();
            for rule in of_workloads.chain(of_name) {
                let filled = |value: &String| {
                    let value = value.replace("{service}", &service);
                    match &namespace {
                        Some(namespace) => value.replace("{namespace}", namespace),
                        None => value,
                    }
                };
                let alerts = rule.alerts.iter();
                let matchers: Vec<(String, String)> = alerts
                    .map(|(name, value)| (name.clone(), filled(value)))
                    .collect();
                if !matchers.is_empty() {
                    found.push(matchers);
                }
            }
            if found.len() == before {
                return Err(format!("no rule in [services] joins alerts to {service}"));
            }
        }
        Ok(AlertsOf(found))
    }

    /// The services that the rules release from a repository, each with its namespace where a rule says it. Never empty.
    fn services_of(
        &self,
        repository: &Repository,
    ) -> Result<Vec<(String, Option<String>)>, String> {
        let mut services = Vec::new();
        for rule in &self.rules {
            let Some(written) = rule.repository.as_deref().map(str::to_ascii_lowercase) else {
                continue;
            };
            if rule.name == EVERYONE && rule.workload.is_none() {
                let own = |service: &str| {
                    self.rules.iter().any(|rule| {
                        rule.name == service && rule.workload.is_none() && rule.repository.is_some()
                    })
                };
                match everyones(&written, repository) {
                    Everyones::Nobody => {}
                    Everyones::One(service) if own(&service) => {}
                    Everyones::One(service) => services.push((service, None)),
                    Everyones::Any => {
                        return Err(format!(
                            "[services.\"*\"] does not say which services are released from {repository}"
                        ));
                    }
                }
                continue;
            }
            let (service, namespace) = match &rule.workload {
                Some(workload) => (
                    workload.name.to_string(),
                    workload.namespace.as_ref().map(ToString::to_string),
                ),
                None => (rule.name.clone(), None),
            };
            let filled = written.replace("{service}", &service);
            let filled = match &namespace {
                Some(namespace) => filled.replace("{namespace}", namespace),
                None => filled,
            };
            if filled.contains("{namespace}") {
                return Err(format!(
                    "[services.{}] does not say from which repository it is released without its namespace",
                    rule.name
                ));
            }
            if filled == repository.as_str() {
                services.push((service, namespace));
            }
        }
        if services.is_empty() {
            return Err(format!(
                "no rule in [services] says which service is released from {repository}"
            ));
        }
        Ok(services)
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
    let current = release.current();
    let tag = tag_of(current.images.first()?)?;
    // Only a whole commit: a part of one is a likeness.
    [
        Some(tag),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        incident::{AlertState, Fingerprint, Labels},
        text::sanitise,
    };

    fn alert(labels: &[(&str, &str)]) -> Alert {
        Alert {
            environment: "prod-eu".into(),
            fingerprint: Fingerprint(sanitise("1")),
            labels: labels
                .iter()
                .map(|(name, value)| (sanitise(name), sanitise(value)))
                .collect::<Labels>(),
            annotations: Labels::new(),
            state: AlertState::Firing,
            silenced_by: Vec::new(),
            inhibited_by: Vec::new(),
            muted_by: Vec::new(),
            starts_at: None,
            receivers: Vec::new(),
            generator_url: None,
        }
    }

    /// Whether an alert of the service `service` is of `repository`, or why that is not known.
    fn fires(config: &str, repository: &str, service: &str) -> Result<bool, String> {
        let config = config::parse(config, "test").unwrap();
        let repository = Repository::new(repository).unwrap();
        let alert = alert(&[("service", service), ("namespace", "shop")]);
        Services::new(&config)
            .alerts_of_repository(&repository)
            .map(|of| of.has(&alert))
    }

    #[test]
    fn a_gates_alerts_are_found_by_the_rule_for_everyone() {
        let config = r#"
[services."*"]
repository = "acme/{service}"
alerts = { service = "{service}", namespace = "{namespace}" }
[services.ledger]
repository = "bank/books"
"#;
        assert_eq!(fires(config, "acme/checkout", "checkout"), Ok(true));
        assert_eq!(fires(config, "acme/checkout", "cart"), Ok(false));
        assert_eq!(fires(config, "bank/books", "ledger"), Ok(true));
        assert!(
            fires(config, "acme/ledger", "ledger").is_err(),
            "its repository is another"
        );
    }

    #[test]
    fn a_gates_alerts_are_found_where_repository_and_alerts_are_in_different_rules() {
        let config = r#"
[services."*"]
alerts = { service = "{service}" }
[services.checkout]
repository = "acme/mono"
[services.till]
repository = "acme/mono"
alerts = { service = "pos" }
"#;
        assert_eq!(fires(config, "acme/mono", "checkout"), Ok(true));
        assert_eq!(fires(config, "acme/mono", "pos"), Ok(true));
        assert_eq!(fires(config, "acme/mono", "till"), Ok(false));
        let workload = r#"
[services.front]
repository = "acme/front"
workload = "shop/deployment/web"
[services."*"]
alerts = { service = "{service}", namespace = "{namespace}" }
"#;
        assert_eq!(fires(workload, "acme/front", "web"), Ok(true));
        assert_eq!(fires(workload, "acme/front", "front"), Ok(false));
    }

    #[test]
    fn what_only_an_annotation_or_nothing_joins_is_not_known_and_never_nothing() {
        let annotated = "[services.\"*\"]\nalerts = { service = \"{service}\" }\n";
        assert!(fires(annotated, "acme/checkout", "checkout").is_err());
        let unjoined = "[services.checkout]\nrepository = \"acme/checkout\"\n";
        assert!(fires(unjoined, "acme/checkout", "checkout").is_err());
        let everything =
            "[services.\"*\"]\nrepository = \"acme/mono\"\nalerts = { service = \"{service}\" }\n";
        assert!(fires(everything, "acme/mono", "checkout").is_err());
    }
}
