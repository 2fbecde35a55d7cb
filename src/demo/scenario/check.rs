//! What is wrong with a scenario that its types cannot say, and where it stands in the file.
//!
//! Pure. Must never let a scenario through that the world could not play as it is written.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::{Act, Entry, Join, Scenario, Service, Verdict, What, When, Workload, WrittenGame};

/// So many pods of one service are a world to look at; more would only be slow.
const MOST_REPLICAS: i64 = 200;

/// Where in the file something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Service(usize),
    Entry(usize, usize),
    Game,
}

/// A mistake, where it is, and whose it is.
pub(super) struct Mistake {
    pub(super) place: Place,
    pub(super) why: String,
}

/// The places of the tables, read once more where a mistake has to be pointed at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Places {
    service: Vec<Spanned<Stories>>,
    game: Option<Spanned<toml::Value>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stories {
    story: Vec<Spanned<toml::Value>>,
}

/// The line of the place, counted from one; None where the text cannot tell.
pub(super) fn line_of(text: &str, place: Place) -> Option<usize> {
    let places: Places = toml::from_str(text).ok()?;
    let span = match place {
        Place::Game => places.game?.span(),
        Place::Service(service) => places.service.get(service)?.span(),
        Place::Entry(service, entry) => {
            let stories = places.service.get(service)?.get_ref();
            stories.story.get(entry)?.span()
        }
    };
    Some(line_at(text, &span))
}

/// The line of the first entry that is refused with these words.
pub(super) fn bad_entry(text: &str, why: &str) -> Option<usize> {
    let places: Places = toml::from_str(text).ok()?;
    let mut entries = places
        .service
        .iter()
        .flat_map(|service| &service.get_ref().story);
    let found = entries.find(|entry| {
        let read: Result<Entry, toml::de::Error> = entry.get_ref().clone().try_into();
        read.is_err_and(|error| error.message() == why)
    })?;
    Some(line_at(text, &found.span()))
}

/// The line in which a span begins, counted from one.
pub(super) fn line_at(text: &str, span: &Range<usize>) -> usize {
    let before = text.get(..span.start).unwrap_or(text);
    before.matches('\n').count() + 1
}

/// The name of the service in whose table a line stands.
pub(super) fn service_at(text: &str, line: usize) -> Option<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let head = lines
        .iter()
        .take(line)
        .rposition(|line| line.starts_with('['))?;
    if lines.get(head) != Some(&"[[service]]") {
        return None;
    }
    let own = lines
        .iter()
        .skip(head + 1)
        .take_while(|line| !line.starts_with("[["));
    let named = own
        .filter_map(|line| line.strip_prefix("name"))
        .find_map(|rest| rest.trim_start().strip_prefix('='))?;
    Some(named.trim().trim_matches('"').to_owned()).filter(|name| !name.is_empty())
}

pub(super) fn check(scenario: &Scenario) -> Result<(), Mistake> {
    let declared: Vec<&str> = scenario
        .namespaces
        .iter()
        .map(|namespace| namespace.name.as_str())
        .collect();
    let mut names = BTreeSet::new();
    for (place, service) in scenario.services.iter().enumerate() {
        let wrong = |why: String| Mistake {
            place: Place::Service(place),
            why,
        };
        if !declared.contains(&service.namespace.as_str()) {
            return Err(wrong(format!(
                "no namespace {} is declared; declared are: {}",
                service.namespace,
                listed(&declared)
            )));
        }
        // Its repository has its name, and so must be one of its own.
        if !names.insert(service.name.as_str()) {
            return Err(wrong(
                "another service is called so already; a name is one service, whatever its namespace".to_owned(),
            ));
        }
        of_service(service).map_err(wrong)?;
        of_story(&scenario.environment, service).map_err(|(entry, why)| Mistake {
            place: Place::Entry(place, entry),
            why,
        })?;
    }
    if let Some(game) = &scenario.game {
        of_game(game, &scenario.services, &names).map_err(|why| Mistake {
            place: Place::Game,
            why,
        })?;
    }
    Ok(())
}

fn of_game(game: &WrittenGame, services: &[Service], names: &BTreeSet<&str>) -> Result<(), String> {
    let Some(culprit) = services.iter().find(|service| service.name == game.culprit) else {
        let names: Vec<&str> = names.iter().copied().collect();
        return Err(format!(
            "the culprit \"{}\" is no service; services are {}",
            game.culprit,
            names.join(", ")
        ));
    };
    let hurts = culprit.story.iter().any(|entry| match &entry.what {
        What::Release(release) => release.errors.is_some() || release.analysis == Verdict::Failed,
        What::Pipeline(pipeline) => {
            pipeline.errors.is_some() || pipeline.analysis == Verdict::Failed
        }
        What::Act(_) | What::Alert(_) => false,
    });
    if hurts {
        Ok(())
    } else {
        Err(format!(
            "the culprit {} never hurts: give one of its versions errors = 9.0",
            game.culprit
        ))
    }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        "none; write [[namespace]] with a name".to_owned()
    } else {
        names.join(", ")
    }
}

fn of_service(service: &Service) -> Result<(), String> {
    if !is_name(&service.name) {
        return Err(format!(
            "\"{}\" is no name of an object: small letters, digits and -, beginning with a letter, at most 40",
            service.name
        ));
    }
    if !(0..=MOST_REPLICAS).contains(&service.replicas) {
        return Err(format!(
            "replicas = {} is not between 0 and {MOST_REPLICAS}",
            service.replicas
        ));
    }
    let word = service.kind.word();
    if service.kind != Workload::Canary && !service.steps.is_empty() {
        return Err(format!("a {word} has no steps; only a canary has"));
    }
    if service.kind != Workload::Canary && service.routed {
        return Err(format!("a {word} is not routed; only a canary can be"));
    }
    if service.kind != Workload::BlueGreen && service.scale_down_delay.is_some() {
        return Err(format!(
            "a {word} has no scale-down-delay; only a blue-green has"
        ));
    }
    if service.story.is_empty() {
        return Err("its story is empty; it must begin with a release, told with ago".to_owned());
    }
    for step in &service.steps {
        super::super::seed::step(step)?;
    }
    Ok(())
}

/// What an object may be called, with room for the suffixes that controllers add.
fn is_name(text: &str) -> bool {
    let inner =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    text.len() <= 40
        && text.starts_with(|letter: char| letter.is_ascii_lowercase())
        && text.chars().all(inner)
        && !text.ends_with('-')
}

fn of_story(environment: &str, service: &Service) -> Result<(), (usize, String)> {
    for (place, entry) in service.story.iter().enumerate() {
        let first = place == 0;
        of_entry(environment, service, entry, first).map_err(|why| (place, why))?;
    }
    let releases = service
        .story
        .iter()
        .enumerate()
        .filter(|(_, entry)| matches!(entry.what, What::Release(_)));
    let Some(When::Ago(first)) = service.story.first().map(|entry| entry.when) else {
        return Ok(());
    };
    for (place, entry) in releases {
        if let When::Ago(ago) = entry.when
            && ago.0 > first.0
        {
            let why = "it is older than the first release of the story; write the oldest first";
            return Err((place, why.to_owned()));
        }
    }
    Ok(())
}

fn of_entry(
    environment: &str,
    service: &Service,
    entry: &Entry,
    first: bool,
) -> Result<(), String> {
    if first && !matches!((entry.when, &entry.what), (When::Ago(_), What::Release(_))) {
        return Err("its story must begin with a release, told with ago".to_owned());
    }
    match &entry.what {
        What::Release(release) => {
            if matches!(entry.when, When::In(_)) && release.stays {
                return Err(
                    "a release told with in stays where its steps stop anyway; leave stays out, and promote it with acts"
                        .to_owned(),
                );
            }
            share("errors", release.errors)?;
            share("slow", release.slow)?;
            above(release.above, release.errors, release.slow)
        }
        What::Pipeline(pipeline) => {
            let (version, waits) = (&pipeline.version, pipeline.waits.as_deref());
            if service.join == Join::Nothing {
                return Err(format!(
                    "{version} has a pipeline, but the service has no repository (join = \"nothing\")"
                ));
            }
            if waits.is_some() == pipeline.runs {
                return Err(format!(
                    "{version} either waits at an environment (waits = \"{environment}\") or runs (runs = true)"
                ));
            }
            if waits.is_some_and(|waits| waits != environment) {
                return Err(format!("{version} can wait only at {environment}"));
            }
            share("errors", pipeline.errors)?;
            share("slow", pipeline.slow)?;
            above(pipeline.above, pipeline.errors, pipeline.slow)
        }
        What::Act(act) => of_act(service.kind, *act),
        What::Alert(alert) => match alert.severity.as_str() {
            "critical" | "warning" | "info" | "none" => Ok(()),
            other => Err(format!(
                "\"{other}\" is no severity; severities are critical, warning, info, none"
            )),
        },
    }
}

fn of_act(kind: Workload, act: Act) -> Result<(), String> {
    let rolls_by_itself = matches!(
        kind,
        Workload::Deployment | Workload::StatefulSet | Workload::DaemonSet
    );
    let paused = kind == Workload::Deployment && matches!(act, Act::Pause | Act::Resume);
    if rolls_by_itself && !paused {
        let valid = if kind == Workload::Deployment {
            "; it can be paused and resumed"
        } else {
            ""
        };
        return Err(format!("a {} rolls by itself{valid}", kind.word()));
    }
    Ok(())
}

/// Percentages of requests.
fn share(name: &str, percent: Option<f64>) -> Result<(), String> {
    match percent {
        Some(percent) if !(0.0..=90.0).contains(&percent) => Err(format!(
            "{name} = {percent} is not between 0 and 90 percent of the requests"
        )),
        _ => Ok(()),
    }
}

fn above(above: Option<f64>, errors: Option<f64>, slow: Option<f64>) -> Result<(), String> {
    match above {
        Some(percent) if !(0.0..100.0).contains(&percent) => Err(format!(
            "above = {percent} is not between 0 and 100 percent of the requests"
        )),
        Some(_) if errors.is_none() && slow.is_none() => {
            Err("above says from which share of the requests on there are errors or slow answers: say which".to_owned())
        }
        _ => Ok(()),
    }
}
