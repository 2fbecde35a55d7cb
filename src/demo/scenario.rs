//! Scenario files: which services there are, and what happened to them before the world opened.
//!
//! Must never hold a status: a scenario tells a story, and the controllers make the status of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::Error;
use super::controller::pause_duration;
use super::script::Verdict;

/// The scenarios that come with the program: name and text.
const SHIPPED: [(&str, &str); 5] = [
    (
        "morning",
        include_str!("../../assets/scenarios/morning.toml"),
    ),
    ("canary", include_str!("../../assets/scenarios/canary.toml")),
    (
        "bad-canary",
        include_str!("../../assets/scenarios/bad-canary.toml"),
    ),
    (
        "blue-green",
        include_str!("../../assets/scenarios/blue-green.toml"),
    ),
    ("gate", include_str!("../../assets/scenarios/gate.toml")),
];

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Scenario {
    /// One line, for a list of scenarios.
    pub(super) about: String,
    pub(super) environment: String,
    #[serde(default, rename = "namespace")]
    pub(super) namespaces: Vec<Namespace>,
    #[serde(default, rename = "service")]
    pub(super) services: Vec<Service>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Namespace {
    pub(super) name: String,
    /// Nobody may write here.
    #[serde(default)]
    pub(super) read_only: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Workload {
    #[default]
    Canary,
    BlueGreen,
    Deployment,
    StatefulSet,
    DaemonSet,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) namespace: String,
    #[serde(default)]
    pub(super) kind: Workload,
    #[serde(default = "two")]
    pub(super) replicas: i64,
    /// Of a canary: `weight 25`, `pause`, `pause 10m`, `analysis NAME`, `scale 2`.
    #[serde(default)]
    pub(super) steps: Vec<String>,
    /// Weights are kept by a traffic router instead of by counting pods.
    #[serde(default)]
    pub(super) routed: bool,
    /// The Argo CD application that owns it.
    pub(super) argo_cd: Option<String>,
    /// Revisions back to which a rollback skips the steps.
    pub(super) rollback_window: Option<u32>,
    /// How its pipeline is found.
    #[serde(default)]
    pub(super) join: Join,
    /// Blue-green only: how long the old version stays up after the switch.
    pub(super) scale_down_delay: Option<u64>,
    pub(super) ready_after: Option<Span>,
    pub(super) story: Vec<Entry>,
}

/// How one comes from a service to its repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Join {
    /// The configuration says it.
    #[default]
    Config,
    /// The objects carry annotations.
    Annotation,
    /// Not at all: it has no repository.
    Nothing,
}

fn two() -> i64 {
    2
}

/// One thing that happened, so long before the opening.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Entry {
    pub(super) ago: Span,
    #[serde(flatten)]
    pub(super) what: What,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum What {
    Release(Release),
    Act(Act),
    /// A version that is on its way.
    Pipeline(Pipeline),
    /// Something was noticed.
    Alert(Alert),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Release {
    pub(super) version: String,
    /// Environment variables that changed with it; they stay until changed again.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) analysis: Verdict,
    /// Left where its steps stop; otherwise it was promoted to the end.
    #[serde(default)]
    pub(super) stays: bool,
    /// Percent of its requests that fail; a version whose analysis fails has some anyway.
    pub(super) errors: Option<f64>,
    /// Percent of its requests that take seconds.
    pub(super) slow: Option<f64>,
}

/// `ago` is when it began to wait, or began to run.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Pipeline {
    pub(super) version: String,
    /// At the gate of this environment.
    pub(super) waits: Option<String>,
    #[serde(default)]
    pub(super) runs: bool,
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) analysis: Verdict,
    pub(super) errors: Option<f64>,
    pub(super) slow: Option<f64>,
}

/// `ago` is when it began to fire.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Alert {
    pub(super) name: String,
    pub(super) severity: String,
    pub(super) summary: String,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    /// Over when this version serves nothing any more; otherwise never.
    pub(super) version: Option<String>,
    /// Somebody silenced it, and said so.
    pub(super) silenced: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Act {
    Promote,
    PromoteFull,
    Pause,
    Abort,
}

/// A duration as `2d`, `90s` or `1h30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Span(pub(super) Duration);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        pause_duration(&serde_json::Value::from(text.as_str()))
            .map(Self)
            .ok_or_else(|| format!("\"{text}\" is not a duration such as 90s, 10m, 1h30m or 2d"))
    }
}

/// Name and one-line description of each shipped scenario.
pub(super) fn shipped() -> Vec<(&'static str, String)> {
    SHIPPED
        .into_iter()
        .filter_map(|(name, text)| Some((name, parse(name, text).ok()?.about)))
        .collect()
}

/// A shipped scenario by name, or a file by path.
pub(super) fn load(name: &str) -> Result<Scenario, Error> {
    if let Some((_, text)) = SHIPPED.into_iter().find(|(known, _)| *known == name) {
        return parse(name, text);
    }
    let path = Path::new(name);
    if !path.exists() {
        let known = SHIPPED.map(|(name, _)| name).join(", ");
        return Err(Error::UnknownScenario {
            name: name.to_owned(),
            known,
        });
    }
    let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(name, &text)
}

pub(super) fn parse(name: &str, text: &str) -> Result<Scenario, Error> {
    let wrong = |why: String| Error::Scenario {
        name: name.to_owned(),
        why,
    };
    let scenario: Scenario = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
    for service in &scenario.services {
        if !scenario
            .namespaces
            .iter()
            .any(|namespace| namespace.name == service.namespace)
        {
            return Err(wrong(format!(
                "{}: no namespace {} is declared",
                service.name, service.namespace
            )));
        }
        for step in &service.steps {
            super::seed::step(step).map_err(|why| wrong(format!("{}: {why}", service.name)))?;
        }
        check_pipelines(&scenario.environment, service)
            .map_err(|why| wrong(format!("{}: {why}", service.name)))?;
        if !matches!(
            service.story.first().map(|entry| &entry.what),
            Some(What::Release(_))
        ) {
            return Err(wrong(format!(
                "{}: its story must begin with a release",
                service.name
            )));
        }
    }
    Ok(scenario)
}

fn check_pipelines(environment: &str, service: &Service) -> Result<(), String> {
    for entry in &service.story {
        let What::Pipeline(pipeline) = &entry.what else {
            continue;
        };
        let (version, waits) = (&pipeline.version, pipeline.waits.as_deref());
        if service.join == Join::Nothing {
            return Err(format!(
                "{version} has a pipeline, but the service has no repository"
            ));
        }
        if waits.is_some() == pipeline.runs {
            return Err(format!("{version} either waits at an environment or runs"));
        }
        if waits.is_some_and(|waits| waits != environment) {
            return Err(format!("{version} can wait only at {environment}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_scenario_parses_and_says_what_it_is() {
        let shipped = shipped();
        assert_eq!(shipped.len(), SHIPPED.len());
        assert!(shipped.iter().all(|(_, about)| !about.is_empty()));
    }

    #[test]
    fn a_mistake_is_named() {
        let text = |story: &str, steps: &str| {
            format!(
                "about = \"x\"\nenvironment = \"e\"\n[[namespace]]\nname = \"shop\"\n[[service]]\nname = \"a\"\n\
                 namespace = \"shop\"\nsteps = [{steps}]\nstory = [{story}]\n"
            )
        };
        let why = |text: &str| parse("x", text).unwrap_err().to_string();
        let release = "{ ago = \"1d\", release = { version = \"v1\" } }";
        assert!(parse("x", &text(release, "\"weight 5\"")).is_ok());
        assert!(why(&text(release, "\"wait\"")).contains("\"wait\" is not a step"));
        let pipeline = |rest: &str| {
            let version =
                format!("{release}, {{ ago = \"5m\", pipeline = {{ version = \"v2\"{rest} }} }}");
            text(&version, "")
        };
        assert!(parse("x", &pipeline(", waits = \"e\"")).is_ok());
        assert!(why(&pipeline("")).contains("either waits at an environment or runs"));
        assert!(why(&pipeline(", waits = \"f\"")).contains("can wait only at e"));
        assert!(why(&text("", "")).contains("must begin with a release"));
        assert!(
            why(&text("{ ago = \"soon\", act = \"promote\" }", ""))
                .contains("\"soon\" is not a duration")
        );
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = load("mourning").unwrap_err().to_string();
        assert!(
            error.contains("morning, canary, bad-canary, blue-green, gate"),
            "{error}"
        );
    }
}
