//! The counters of the world: how many requests each pod has answered by when, and how.
//!
//! All follow from one number per pod, the requests that it has answered, so that they fit together to the last one.
//! Must never go down, and never be the same for two pods.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use crate::demo::clock::Moment;
use crate::demo::cluster::Cluster;
use crate::demo::flow::{Flow, hash_label};
use crate::demo::kind::Kind;
use crate::demo::matcher::Matcher;
use crate::demo::pipeline::number;
use crate::demo::script::Serves;

/// How often a pod is asked, in microseconds of the world.
pub(super) const SCRAPED: i64 = 15_000_000;

/// The share that is the client's own fault.
const CLIENT_ERRORS: f64 = 0.012;

const CODES: [&str; 3] = ["200", "404", "500"];

/// Upper bounds of the histogram in seconds; the share of good requests below each, and of slow ones.
const BUCKETS: [(&str, f64, f64); 12] = [
    ("0.005", 0.01, 0.0),
    ("0.01", 0.05, 0.0),
    ("0.025", 0.22, 0.0),
    ("0.05", 0.48, 0.0),
    ("0.1", 0.74, 0.0),
    ("0.25", 0.93, 0.0),
    ("0.5", 0.985, 0.0),
    ("1", 0.999, 0.0),
    ("2.5", 1.0, 0.6),
    ("5", 1.0, 0.95),
    ("10", 1.0, 1.0),
    ("+Inf", 1.0, 1.0),
];

pub(super) const NAMES: [&str; 5] = [
    "http_request_duration_seconds_bucket",
    "http_request_duration_seconds_count",
    "http_request_duration_seconds_sum",
    "http_requests_total",
    "up",
];

pub(super) type Labels = BTreeMap<String, String>;

/// A pod, and which part of its service's requests it had when.
#[derive(Debug)]
pub(super) struct Pod {
    labels: Labels,
    /// In a row, without gaps.
    lives: Vec<Life>,
    /// Requests of the whole service a second.
    rate: f64,
    shared_phase: f64,
    own_phase: f64,
    offset: i64,
}

/// A time in which a pod had one part of the requests, and answered them in one way.
#[derive(Clone, Copy, Debug)]
struct Life {
    from: i64,
    /// None: until now.
    to: Option<i64>,
    part: f64,
    serves: Serves,
}

/// What a pod has answered by some time.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    requests: f64,
    /// Those that did not go well.
    bad: f64,
    /// Those of them that were its own fault.
    errors: f64,
    /// Not rounded.
    slow: f64,
}

/// One thing that is counted.
#[derive(Clone, Copy, Debug)]
enum What {
    Up,
    Code(usize),
    Bucket(usize),
    Count,
    Sum,
}

/// One line: a pod, and what is counted of it.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) labels: Labels,
    pod: &'a Pod,
    what: What,
}

fn phase(drawn: u64) -> f64 {
    let part = u32::try_from(drawn & 0xffff).unwrap_or(0);
    f64::from(part) / 65536.0 * TAU
}

/// Pods that may have what the matchers want.
pub(super) fn pods(cluster: &Cluster, matchers: &[Matcher]) -> Vec<Pod> {
    let fits = |name: &str, value: &str| {
        let named = matchers.iter().filter(|matcher| matcher.name == name);
        named.into_iter().all(|matcher| matcher.matches(value))
    };
    let mut pods = Vec::new();
    for kind in [Kind::Rollout, Kind::Deployment] {
        for workload in cluster.store.list(kind, None) {
            let (namespace, name) = (&*workload.key.namespace, &*workload.key.name);
            // Before anything is read: there may be ten thousand.
            if fits("namespace", namespace) && fits("service", name) && fits("app", name) {
                let flow = cluster.flows.of(&cluster.store, &cluster.clock, &workload);
                pods.extend(of_flow(cluster, namespace, name, &flow));
            }
        }
    }
    pods
}

fn of_flow(cluster: &Cluster, namespace: &str, service: &str, flow: &Flow) -> Vec<Pod> {
    let script = cluster.script(namespace, service);
    let drawn = number(&format!("{namespace}/{service}"));
    let quiet = namespace == "fleet";
    let rate = u32::try_from(if quiet {
        2 + drawn % 28
    } else {
        60 + drawn % 340
    })
    .unwrap_or(60);
    let label = hash_label(flow.kind).replace('-', "_");
    let mut found: BTreeMap<&str, Pod> = BTreeMap::new();
    let ends = flow
        .spans
        .iter()
        .skip(1)
        .map(|span| Some(span.from))
        .chain([None]);
    for (span, to) in flow.spans.iter().zip(ends) {
        for share in &span.shares {
            let pod = found.entry(&share.pod).or_insert_with(|| {
                let drawn = number(&share.pod);
                let named = [
                    ("namespace", namespace),
                    ("app", service),
                    ("service", service),
                    ("pod", &*share.pod),
                    (label.as_str(), &*share.server.hash),
                    ("job", "pods"),
                ];
                let mut labels: Labels = named
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect();
                labels.insert("instance".to_owned(), format!("{}:8080", share.pod));
                Pod {
                    labels,
                    lives: Vec::new(),
                    rate: f64::from(rate),
                    shared_phase: phase(number(service)),
                    own_phase: phase(drawn),
                    offset: i64::try_from(drawn % 15_000_000).unwrap_or(0),
                }
            });
            let version = &share.server.version;
            pod.lives.push(Life {
                from: span.from.micros(),
                to: to.map(Moment::micros),
                part: share.part,
                serves: script.serves(version).under(span.share_of(version)),
            });
        }
    }
    found.into_values().collect()
}

impl Pod {
    fn alive(&self, at: i64) -> bool {
        self.lives
            .iter()
            .any(|life| life.from <= at && life.to.is_none_or(|to| at < to))
    }

    /// The last time at which it was asked, up to then.
    fn asked(&self, at: i64) -> i64 {
        (at - self.offset).div_euclid(SCRAPED) * SCRAPED + self.offset
    }

    /// Requests to the service until then, as this pod would have had them all: an integral, so that no time is too far
    /// away to be asked for.
    #[expect(clippy::cast_precision_loss, reason = "microseconds of some weeks fit")]
    fn integral(&self, at: i64) -> f64 {
        let seconds = at as f64 / 1e6;
        let wave = |period: f64, height: f64, phase: f64| {
            let speed = TAU / period;
            -height / speed * (speed * seconds + phase).cos()
        };
        self.rate
            * (seconds
                + wave(5_400.0, 0.12, self.shared_phase)
                + wave(37.0, 0.16, self.own_phase)
                + wave(149.0, 0.1, self.own_phase * 2.0))
    }

    /// Everything that it has answered by then. Each of the numbers grows by one at most when the requests do.
    fn tally(&self, at: i64) -> Tally {
        let mut all = Tally::default();
        let (mut answered, mut bad) = (0.0_f64, 0.0_f64);
        for life in self.lives.iter().filter(|life| life.from <= at) {
            let until = life.to.map_or(at, |to| to.min(at));
            answered += life.part * (self.integral(until) - self.integral(life.from));
            let requests = answered.max(0.0).floor();
            bad += self.bad(life.serves, requests) - self.bad(life.serves, all.requests);
            let whole = bad.max(0.0).floor();
            let fault = life.serves.errors / (life.serves.errors + CLIENT_ERRORS);
            all.errors += (whole - all.bad) * fault;
            all.slow += (requests - all.requests) * life.serves.slow;
            (all.requests, all.bad) = (requests, whole);
        }
        all.errors = all.errors.floor();
        all
    }

    /// Of the first so many requests, how many would not go well if all were served like this: unevenly, not one in so
    /// many. Not rounded.
    fn bad(&self, serves: Serves, requests: f64) -> f64 {
        let share = serves.errors + CLIENT_ERRORS;
        let uneven: f64 = [311.0, 1013.0]
            .into_iter()
            .map(|period| {
                let speed = TAU / period;
                0.4 * share / speed
                    * ((speed * requests + self.own_phase).sin() - self.own_phase.sin())
            })
            .sum();
        requests * share + uneven
    }

    fn value(&self, what: What, at: i64) -> f64 {
        let Tally {
            requests,
            bad,
            errors,
            slow,
        } = self.tally(at);
        match what {
            What::Up => 1.0,
            What::Count => requests,
            What::Sum => (requests - slow) * 0.085 + slow * 2.4,
            What::Bucket(place) => BUCKETS.get(place).map_or(requests, |(_, good, late)| {
                ((requests - slow) * good + slow * late).floor()
            }),
            What::Code(place) => match place {
                0 => requests - bad,
                1 => bad - errors,
                _ => errors,
            },
        }
    }

    /// Everything that is counted of it.
    fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let named = |name: &str, more: Option<(&str, &str)>, what| {
            let mut labels = self.labels.clone();
            labels.insert("__name__".to_owned(), name.to_owned());
            if let Some((name, value)) = more {
                labels.insert(name.to_owned(), value.to_owned());
            }
            Line {
                labels,
                pod: self,
                what,
            }
        };
        let codes = CODES.iter().enumerate().map(move |(place, code)| {
            named(
                "http_requests_total",
                Some(("code", code)),
                What::Code(place),
            )
        });
        let buckets = BUCKETS.iter().enumerate().map(move |(place, (le, ..))| {
            named(
                "http_request_duration_seconds_bucket",
                Some(("le", le)),
                What::Bucket(place),
            )
        });
        let others = [
            named("http_request_duration_seconds_count", None, What::Count),
            named("http_request_duration_seconds_sum", None, What::Sum),
            named("up", None, What::Up),
        ];
        codes.chain(buckets).chain(others)
    }
}

/// The lines that match.
pub(super) fn lines<'a>(pods: &'a [Pod], matchers: &[Matcher]) -> Vec<Line<'a>> {
    let fits = |labels: &Labels| {
        matchers.iter().all(|matcher| {
            let value = labels.get(&matcher.name).map_or("", String::as_str);
            matcher.matches(value)
        })
    };
    pods.iter()
        .flat_map(Pod::lines)
        .filter(|line| fits(&line.labels))
        .collect()
}

/// What a line was when it was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    /// In microseconds of the world.
    pub(super) at: i64,
    pub(super) value: f64,
}

impl Line<'_> {
    /// The last sample up to then; None where the pod was gone by then, or not yet there.
    pub(super) fn sample(&self, at: i64) -> Option<Sample> {
        let asked = self.pod.asked(at);
        self.pod.alive(asked).then(|| Sample {
            at: asked,
            value: self.pod.value(self.what, asked),
        })
    }

    /// The first and the last sample after one time and up to another, and how many there are.
    pub(super) fn between(&self, after: i64, to: i64) -> Option<(Sample, Sample, i64)> {
        let born = self.pod.lives.first()?.from;
        let mut first = self.pod.asked(after.max(born - 1)) + SCRAPED;
        let mut last = self.pod.asked(to);
        if let Some(died) = self.pod.lives.last().and_then(|life| life.to) {
            last = last.min(self.pod.asked(died - 1));
        }
        first = first.max(self.pod.asked(born - 1) + SCRAPED);
        let count = (last - first).div_euclid(SCRAPED) + 1;
        let sample = |at| Sample {
            at,
            value: self.pod.value(self.what, at),
        };
        (count >= 2).then(|| (sample(first), sample(last), count))
    }

    /// Whether there was any sample between the two times.
    pub(super) fn lived(&self, from: i64, to: i64) -> bool {
        self.pod
            .lives
            .iter()
            .any(|life| life.from <= to && life.to.is_none_or(|died| died > from))
    }
}
