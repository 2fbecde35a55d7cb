//! What is wrong in the world: alerts that follow from who serves what, and those of the story.
//!
//! Worked out when somebody asks; nothing watches. Must never keep an alert: it is there as long as its reason is.

use std::collections::BTreeMap;
use std::time::Duration;

use super::clock::Moment;
use super::cluster::Cluster;
use super::flow::{Flow, Span};
use super::scenario::{Alert, Scenario, What};
use super::score::Harm;
use super::script::Script;

/// More than this share of a service's requests failing is an alert.
pub(super) const TOO_MANY: f64 = 0.02;

/// How long it has to be so.
pub(super) const HOLDS: Duration = Duration::from_secs(60);

/// How long the watchdog has been barking when the world opens.
const WATCHED: Duration = Duration::from_secs(9 * 86_400);

#[derive(Debug, Default)]
pub(super) struct Alarms {
    environment: String,
    told: Vec<Told>,
}

#[derive(Debug)]
struct Told {
    namespace: String,
    service: String,
    at: Moment,
    /// None: as long as its version serves, or for ever.
    until: Option<Moment>,
    alert: Alert,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Alarm {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) query: String,
    /// When its reason began.
    pub(super) active: Moment,
    /// When it has held long enough.
    pub(super) fires: Moment,
    pub(super) value: f64,
    /// Somebody silenced it before the world opened, and said this.
    pub(super) silenced: Option<String>,
}

impl Alarm {
    pub(super) fn name(&self) -> &str {
        self.labels.get("alertname").map_or("", String::as_str)
    }
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

impl Alarms {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let told = scenario.services.iter().flat_map(|service| {
            service.story.iter().filter_map(|entry| match &entry.what {
                What::Alert(alert) => Some(Told {
                    namespace: service.namespace.clone(),
                    service: service.name.clone(),
                    at: entry.when.moment(),
                    until: alert.r#for.map(|span| entry.when.moment().after(span.0)),
                    alert: alert.clone(),
                }),
                _ => None,
            })
        });
        Self {
            environment: scenario.environment.clone(),
            told: told.collect(),
        }
    }

    fn labels(
        &self,
        name: &str,
        severity: &str,
        namespace: &str,
        service: &str,
    ) -> BTreeMap<String, String> {
        pairs([
            ("alertname", name),
            ("severity", severity),
            ("namespace", namespace),
            ("service", service),
            ("environment", &self.environment),
            ("cluster", &self.environment),
            ("team", namespace),
        ])
    }
}

/// Everything that is wrong now, what has not held long enough included; by name and service.
pub(super) fn alarms(cluster: &Cluster) -> Vec<Alarm> {
    let mut all = vec![watchdog(cluster)];
    all.extend(
        cluster
            .alarms
            .told
            .iter()
            .filter_map(|told| still(cluster, told)),
    );
    for (namespace, service, flow) in cluster.flows.known() {
        all.extend(failing(cluster, namespace, service, flow));
    }
    all.sort_by(|one, other| one.labels.cmp(&other.labels));
    all
}

fn watchdog(cluster: &Cluster) -> Alarm {
    let environment = &cluster.alarms.environment;
    let since = Moment::OPENING.before(WATCHED);
    Alarm {
        labels: pairs([
            ("alertname", "Watchdog"),
            ("severity", "none"),
            ("environment", environment),
            ("cluster", environment),
        ]),
        annotations: pairs([("summary", "Always firing, so that its absence is noticed")]),
        query: "vector(1)".to_owned(),
        active: since,
        fires: since,
        value: 1.0,
        silenced: None,
    }
}

/// As the story has it, in its time, as long as the version that it is about serves anything.
fn still(cluster: &Cluster, told: &Told) -> Option<Alarm> {
    let (alert, now) = (&told.alert, cluster.clock.now());
    if now < told.at.before(HOLDS) || told.until.is_some_and(|until| until <= now) {
        return None;
    }
    if let Some(version) = &alert.version {
        let serves = cluster.flows.known().any(|(namespace, service, flow)| {
            (namespace, service) == (&told.namespace, &told.service)
                && flow.now().any(|share| *share.server.version == **version)
        });
        if !serves {
            return None;
        }
    }
    let (namespace, service) = (&told.namespace, &told.service);
    let mut labels = cluster
        .alarms
        .labels(&alert.name, &alert.severity, namespace, service);
    labels.extend(alert.labels.clone());
    Some(Alarm {
        labels,
        annotations: notes(
            &alert.name,
            &alert.summary,
            alert.description.as_deref().unwrap_or(&alert.summary),
        ),
        query: query_of(told),
        active: told.at.before(HOLDS),
        fires: told.at,
        value: 1.0,
        silenced: alert.silenced.clone(),
    })
}

fn notes(name: &str, summary: &str, description: &str) -> BTreeMap<String, String> {
    let page = format!("https://runbooks.example/{name}");
    pairs([
        ("summary", summary),
        ("description", description),
        ("runbook_url", &page),
    ])
}

/// The share of a version's requests that fails.
fn errors_of(script: &Script, span: &Span, version: &str) -> f64 {
    script.serves(version).under(span.share_of(version)).errors
}

/// The share of all requests of a service that fails.
fn failed(script: &Script, span: &Span) -> f64 {
    let shares = span.shares.iter();
    shares
        .map(|share| share.part * errors_of(script, span, &share.server.version))
        .sum()
}

/// How many of a service's requests failed, and from when.
pub(super) fn harm(cluster: &Cluster, namespace: &str, service: &str) -> Vec<Harm> {
    let script = cluster.script(namespace, service);
    let mut known = cluster.flows.known();
    let flow = known.find(|(place, name, _)| (*place, *name) == (namespace, service));
    let spans = flow.into_iter().flat_map(|(_, _, flow)| &flow.spans);
    let harm = spans.map(|span| Harm {
        from: span.from,
        failed: failed(&script, span),
    });
    harm.collect()
}

/// Too many of a service's requests fail, as the rule counts them: over all versions that serve it.
fn failing(cluster: &Cluster, namespace: &str, service: &str, flow: &Flow) -> Option<Alarm> {
    let script = cluster.script(namespace, service);
    let errors_of = |span: &Span, version: &str| errors_of(&script, span, version);
    let failed = |span: &Span| failed(&script, span);
    let last = flow.spans.last()?;
    let value = failed(last);
    if value <= TOO_MANY {
        return None;
    }
    let serving = last.shares.iter().filter(|share| share.part > 0.0);
    let (errors, version) = serving
        .map(|share| {
            let version = &share.server.version;
            (errors_of(last, version), version.to_string())
        })
        .max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    let mut spans = flow.spans.iter().rev();
    let active = spans
        .by_ref()
        .take_while(|span| failed(span) > TOO_MANY)
        .last()?
        .from;
    let percent = errors * 100.0;
    Some(Alarm {
        labels: cluster
            .alarms
            .labels("HighErrorRate", "critical", namespace, service),
        annotations: notes(
            "HighErrorRate",
            &format!("{percent:.1} % of the requests to {service} {version} fail"),
            &format!(
                "{service} {version} answers {percent:.1} % of its requests with 5xx; 2 % are too many"
            ),
        ),
        query: high_error_rate().to_owned(),
        active,
        fires: active.after(HOLDS),
        value,
        silenced: None,
    })
}

pub(super) fn high_error_rate() -> &'static str {
    "sum by (namespace, service) (rate(http_requests_total{code=~\"5..\"}[1m])) / sum by (namespace, service) \
     (rate(http_requests_total[1m])) > 0.02"
}

/// What is watched for.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) query: String,
    pub(super) severity: String,
    pub(super) summary: String,
}

/// All rules, whether they find something or not.
pub(super) fn rules(cluster: &Cluster) -> Vec<Rule> {
    let rule = |name: &str, query: &str, severity: &str, summary: &str| Rule {
        name: name.to_owned(),
        query: query.to_owned(),
        severity: severity.to_owned(),
        summary: summary.to_owned(),
    };
    let mut rules = vec![
        rule(
            "HighErrorRate",
            high_error_rate(),
            "critical",
            "{{ $value | humanizePercentage }} of the requests to {{ $labels.service }} fail",
        ),
        rule(
            "Watchdog",
            "vector(1)",
            "none",
            "Always firing, so that its absence is noticed",
        ),
    ];
    for told in &cluster.alarms.told {
        let alert = &told.alert;
        rules.push(rule(
            &alert.name,
            &query_of(told),
            &alert.severity,
            &alert.summary,
        ));
    }
    rules
}

fn query_of(told: &Told) -> String {
    let name = told.alert.name.to_lowercase();
    format!("demo:{name}:active{{service=\"{}\"}} > 0", told.service)
}
