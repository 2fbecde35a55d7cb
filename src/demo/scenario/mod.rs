//! Scenario files: which services there are, what happened to them before the world opened, and what happens after.
//!
//! The format is explained at the head of `assets/scenarios/canary.toml`. Must never hold a status: a scenario tells a
//! story, and the controllers make the status of it.

mod check;
#[cfg(test)]
mod noise;
mod shipped;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use self::check::{Mistake, bad_entry, check, line_at, line_of, service_at};
use self::shipped::SHIPPED;
use super::Error;
use super::clock::Moment;
use super::controller::pause_duration;
use super::fault::{Fault, Only, Server};
use super::score::Game;
use super::script::Verdict;

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
    /// What makes a game of it.
    pub(super) game: Option<WrittenGame>,
    /// What goes wrong on the way to the world, and when.
    #[serde(default, rename = "fault")]
    pub(super) faults: Vec<Outage>,
}

/// Whose new version is to be found, and how soon after it began to hurt.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct WrittenGame {
    culprit: String,
    notice: Span,
    act: Span,
    over: Span,
}

impl Scenario {
    /// None where it is no game.
    pub(super) fn game(&self) -> Option<Game> {
        let game = self.game.as_ref()?;
        let mut services = self.services.iter();
        let culprit = services.find(|service| service.name == game.culprit)?;
        Some(Game {
            namespace: culprit.namespace.clone(),
            culprit: culprit.name.clone(),
            notice: game.notice.0,
            act: game.act.0,
            over: game.over.0,
        })
    }
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

impl Workload {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Canary => "canary",
            Self::BlueGreen => "blue-green",
            Self::Deployment => "deployment",
            Self::StatefulSet => "stateful-set",
            Self::DaemonSet => "daemon-set",
        }
    }
}

/// One thing that happened before the world opened, or happens after.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub(super) struct Entry {
    pub(super) when: When,
    pub(super) what: What,
}

/// By the world's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// So long before the opening.
    Ago(Span),
    /// So long after it.
    In(Span),
}

impl When {
    pub(super) fn moment(self) -> Moment {
        match self {
            Self::Ago(span) => Moment::OPENING.before(span.0),
            Self::In(span) => Moment::OPENING.after(span.0),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Release(Release),
    Act(Act),
    /// A version that is on its way.
    Pipeline(Pipeline),
    /// Something was noticed.
    Alert(Alert),
}

/// An entry as it stands in the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Written {
    ago: Option<Span>,
    r#in: Option<Span>,
    release: Option<Release>,
    act: Option<Act>,
    pipeline: Option<Pipeline>,
    alert: Option<Alert>,
}

impl TryFrom<Written> for Entry {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, &'static str> {
        let when = match (written.ago, written.r#in) {
            (Some(ago), None) => When::Ago(ago),
            (None, Some(after)) => When::In(after),
            _ => {
                return Err(
                    "an entry says either ago = \"5m\" (before the world opens) or in = \"5m\" (after)",
                );
            }
        };
        let mut told = [
            written.release.map(What::Release),
            written.act.map(What::Act),
            written.pipeline.map(What::Pipeline),
            written.alert.map(What::Alert),
        ]
        .into_iter()
        .flatten();
        match (told.next(), told.next()) {
            (Some(what), None) => Ok(Self { when, what }),
            _ => Err("an entry tells one thing: release, act, pipeline or alert"),
        }
    }
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
    /// Only while it has more than so many percent of the service's requests.
    pub(super) above: Option<f64>,
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
    pub(super) above: Option<f64>,
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
    /// Over when this version serves nothing any more.
    pub(super) version: Option<String>,
    /// Over after so long; without either, never.
    pub(super) r#for: Option<Span>,
    /// Somebody silenced it, and said so.
    pub(super) silenced: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Act {
    Promote,
    PromoteFull,
    Pause,
    Resume,
    Abort,
    Retry,
}

/// Something that goes wrong on the way, from when and until when.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "WrittenFault")]
pub(super) struct Outage {
    pub(super) from: Duration,
    /// None: it does not heal by itself.
    pub(super) lasts: Option<Duration>,
    pub(super) fault: Fault,
}

/// A fault as it stands in the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct WrittenFault {
    r#in: Option<Span>,
    r#for: Option<Span>,
    /// As on the command line.
    kind: String,
    server: Option<String>,
    request: Option<String>,
    #[serde(default)]
    paths: Vec<String>,
}

impl TryFrom<WrittenFault> for Outage {
    type Error = String;

    fn try_from(written: WrittenFault) -> Result<Self, String> {
        let mut fault: Fault = written
            .kind
            .parse()
            .map_err(|why: super::BadFault| why.to_string())?;
        if let Some(word) = &written.server {
            let server = Server::named(word).ok_or_else(|| {
                format!("\"{word}\" is no server; servers are {}", Server::words())
            })?;
            fault = fault.at(server)?;
        }
        if let Some(word) = &written.request {
            let only = Only::named(word).ok_or_else(|| {
                format!("\"{word}\" is no kind of request; kinds are get, watch, patch, post")
            })?;
            fault.only = Some(only);
        }
        if let Some(path) = written.paths.iter().find(|path| !path.starts_with('/')) {
            return Err(format!(
                "\"{path}\" is no path; a path begins with / and means everything below it, /api/v1/query"
            ));
        }
        fault.paths = written.paths;
        if written.r#for.is_some_and(|span| span.0.is_zero()) {
            return Err("a fault for no time is none".to_owned());
        }
        Ok(Self {
            from: written.r#in.map_or(Duration::ZERO, |span| span.0),
            lasts: written.r#for.map(|span| span.0),
            fault,
        })
    }
}

/// A duration as `2d`, `90s` or `1h30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Span(pub(super) Duration);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        pause_duration(&serde_json::Value::from(text.as_str()))
            // No calendar goes back further than its beginning, and nobody's story does.
            .filter(|span| *span <= Duration::from_secs(3_650 * 86_400))
            .map(Self)
            .ok_or_else(|| {
                format!("\"{text}\" is not a duration such as 90s, 10m, 1h30m or 2d, of ten years at most")
            })
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
        let known: Vec<String> = shipped()
            .into_iter()
            .map(|(name, about)| format!("  {name:<12} {about}"))
            .collect();
        return Err(Error::UnknownScenario {
            name: name.to_owned(),
            known: known.join("\n"),
        });
    }
    let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(name, &text)
}

pub(super) fn parse(name: &str, text: &str) -> Result<Scenario, Error> {
    let wrong = |line: Option<usize>, why: &str| {
        let mut place = String::new();
        if let Some(line) = line {
            place = format!(" line {line}:");
            if let Some(service) = service_at(text, line) {
                place = format!("{place} service {service}:");
            }
        }
        Error::Scenario {
            name: name.to_owned(),
            why: format!("{place} {}", why.trim().replace('\n', "; "))
                .trim_start()
                .to_owned(),
        }
    };
    let scenario: Scenario = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| line_at(text, &span));
        // What an entry says of itself comes with the place of its whole story.
        wrong(bad_entry(text, error.message()).or(line), error.message())
    })?;
    check(&scenario).map_err(|Mistake { place, why }| wrong(line_of(text, place), &why))?;
    Ok(scenario)
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
        assert!(
            why(&pipeline("")).contains("either waits at an environment (waits = \"e\") or runs")
        );
        assert!(why(&pipeline(", waits = \"f\"")).contains("can wait only at e"));
        assert!(why(&text("", "")).contains("must begin with a release"));
        assert!(
            why(&text("{ ago = \"soon\", act = \"promote\" }", ""))
                .contains("\"soon\" is not a duration")
        );
    }

    const WHOLE: &str = r#"about = "x"
environment = "e"
[[namespace]]
name = "shop"
[[service]]
name = "calm"
namespace = "shop"
story = [{ ago = "1d", release = { version = "v1" } }]
[[service]]
name = "catalog"
namespace = "shop"
steps = ["weight 5", "pause"]
story = [
  { ago = "1d", release = { version = "v1" } },
  { in = "90s", release = { version = "v2", errors = 5.0, above = 30.0 } },
  { in = "3m", act = "promote" },
  { in = "4m", alert = { name = "A", severity = "warning", summary = "s", for = "2m" } },
]
[[fault]]
in = "60s"
for = "90s"
kind = "503"
server = "prometheus"
paths = ["/api/v1/query"]
"#;

    #[test]
    fn things_may_happen_after_the_opening() {
        let scenario = parse("x", WHOLE).unwrap();
        let story = &scenario.services[1].story;
        assert!(story[0].when.moment() < Moment::OPENING);
        let later = Moment::OPENING.after(Duration::from_secs(90));
        assert_eq!(story[1].when.moment(), later);
        let outage = &scenario.faults[0];
        assert_eq!(outage.from, Duration::from_secs(60));
        assert_eq!(outage.lasts, Some(Duration::from_secs(90)));
        assert_eq!(outage.fault.server, Some(Server::Prometheus));
        assert_eq!(outage.fault.paths, ["/api/v1/query"]);
    }

    #[test]
    fn a_mistake_is_told_with_its_line_its_service_and_what_is_valid() {
        let wrongs = [
            (
                "weight 5",
                "wheight 5",
                "line 9: service catalog: \"wheight 5\" is not a step; steps are",
            ),
            (
                "namespace = \"shop\"\nsteps",
                "namespace = \"ship\"\nsteps",
                "line 9: service catalog: no namespace ship is declared; declared are: shop",
            ),
            (
                "name = \"catalog\"",
                "name = \"calm\"",
                "line 9: service calm: another service is called so",
            ),
            (
                "name = \"catalog\"",
                "name = \"Catalog\"",
                "line 9: service Catalog: \"Catalog\" is no name of an object",
            ),
            (
                "in = \"90s\"",
                "inn = \"90s\"",
                "line 15: service catalog: unknown field `inn`, expected one of `ago`, `in`",
            ),
            (
                "in = \"90s\",",
                "",
                "line 15: service catalog: an entry says either ago",
            ),
            (
                "in = \"90s\"",
                "in = \"90s\", ago = \"1m\"",
                "line 15: service catalog: an entry says either ago",
            ),
            (
                "in = \"90s\"",
                "in = \"soon\"",
                "line 15: service catalog: \"soon\" is not a duration such as 90s",
            ),
            (
                "errors = 5.0",
                "errors = 95.0",
                "line 15: service catalog: errors = 95 is not between 0 and 90",
            ),
            ("errors = 5.0, ", "", "line 15: service catalog: above says"),
            (
                "above = 30.0",
                "stays = true",
                "line 15: service catalog: a release told with in stays",
            ),
            (
                "act = \"promote\"",
                "act = \"promot\"",
                "line 16: service catalog: unknown variant `promot`, expected one of `promote`",
            ),
            (
                "act = \"promote\"",
                "",
                "line 16: service catalog: an entry tells one thing",
            ),
            (
                "severity = \"warning\"",
                "severity = \"loud\"",
                "line 17: service catalog: \"loud\" is no severity; severities are",
            ),
            (
                "kind = \"503\"",
                "kind = \"504x\"",
                "line 19: \"504x\" is not a fault: \"504x\" is not known. Faults are",
            ),
            (
                "\"prometheus\"",
                "\"grafana\"",
                "line 19: \"grafana\" is no server; servers are kubernetes, github",
            ),
            (
                "\"/api/v1/query\"",
                "\"query\"",
                "line 19: \"query\" is no path",
            ),
            (
                "kind = \"503\"",
                "kind = \"conflict\"",
                "line 19: only kubernetes has it",
            ),
            (
                "[[fault]]",
                "[[faults]]",
                "unknown field `faults`, expected one of",
            ),
        ];
        told(&wrongs);
    }

    #[test]
    fn a_mistake_in_a_game_is_told_with_its_line_and_what_is_valid() {
        told(&[
            (
                "[[fault]]",
                "[game]\nculprit = \"cat\"\nnotice = \"1m\"\nact = \"2m\"\nover = \"3m\"\n[[fault]]",
                "line 19: the culprit \"cat\" is no service; services are calm, catalog",
            ),
            (
                "[[fault]]",
                "[game]\nculprit = \"calm\"\nnotice = \"1m\"\nact = \"2m\"\nover = \"3m\"\n[[fault]]",
                "line 19: the culprit calm never hurts",
            ),
            (
                "[[fault]]",
                "[game]\nculprit = \"catalog\"\nnotice = \"soon\"\n[[fault]]",
                "\"soon\" is not a duration",
            ),
        ]);
    }

    /// What is said where the one is written instead of the other.
    fn told(wrongs: &[(&str, &str, &str)]) {
        for (good, bad, said) in wrongs {
            let text = WHOLE.replacen(good, bad, 1);
            assert_ne!(text, WHOLE, "{good}");
            let error = parse("mine.toml", &text).unwrap_err().to_string();
            assert!(error.starts_with("scenario mine.toml"), "{error}");
            assert!(error.contains(said), "{bad}: {error}");
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = load("mourning").unwrap_err().to_string();
        assert!(
            shipped()
                .iter()
                .all(|(name, about)| error.contains(&format!("  {name:<12} {about}"))),
            "{error}"
        );
    }
}
