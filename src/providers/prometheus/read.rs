//! Asking: what a server is, and everything about one release. Each question has its own answer and its own failure; the
//! way there is a form, because expressions are long and proxies cut long addresses, and a plain address where only
//! reading is let through.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::join;
use jiff::{SignedDuration, Timestamp};

use super::{
    arms::{self, Answers},
    outcome::{self, Answered, Failure, Kind},
    plan::{Plan, Scrapes},
    queries::{Asked, Expression, Question},
    wire::{Answer, BuildInfo, Sampled, Targets, duration_ms},
};
use crate::{
    model::{
        id::SourceId,
        metrics::{Measure, Metrics},
        pipeline::percent,
        text::{Safe, sanitise},
    },
    providers::http::{JSON, Limits, Reply, Server, Trouble},
};

/// Assumed where it is not told. Too long only makes the picture coarser; too short would call living series dead.
const SCRAPED_EVERY_S: i64 = 60;
/// A list of all targets that is longer is not worth what it tells.
const TARGETS_MOST: usize = 16 << 20;

/// One server, as one source.
#[derive(Clone, Debug)]
pub struct Prometheus {
    pub source: SourceId,
    http: Server,
    /// A proxy on the way lets no form through.
    by_address: Arc<AtomicBool>,
}

/// What a server is, as it said when it was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// `Prometheus 3.5.3`; `None`: it does not say.
    pub words: Option<Safe>,
    /// How far its clock is ahead of ours.
    pub ahead_ms: i64,
    every_s: BTreeMap<String, i64>,
    usual_s: Option<i64>,
    heeds_lookback: bool,
}

impl Known {
    fn scrapes(&self, namespace: &str) -> Scrapes {
        Scrapes {
            every_s: self
                .every_s
                .get(namespace)
                .copied()
                .or(self.usual_s)
                .unwrap_or(SCRAPED_EVERY_S),
            heeds_lookback: self.heeds_lookback,
        }
    }

    /// What is not known of it, in a sentence, or nothing.
    pub fn limits(&self) -> Safe {
        if self.usual_s.is_some() {
            Safe::default()
        } else {
            sanitise(&format!(
                "it does not say how often it scrapes; {SCRAPED_EVERY_S} s is assumed"
            ))
        }
    }
}

/// Nothing at all was answered about a release.
#[derive(Clone, Debug)]
pub struct Unanswered {
    pub failure: Failure,
    /// What is to be told if it is only this release that is not answered about: that it failed.
    pub metrics: Metrics,
}

/// What requests to such a server may cost, for whoever makes its [`Server`].
pub fn limits() -> Limits {
    Limits {
        header: Duration::from_secs(12),
        total: Duration::from_secs(12),
        // Nothing here is asked for with a validator.
        kept_bytes: 0,
        kept_entries: 0,
        ..Limits::default()
    }
}

impl Prometheus {
    pub fn new(source: SourceId, http: Server) -> Self {
        Self {
            source,
            by_address: Arc::new(AtomicBool::new(http.only_looks())),
            http,
        }
    }

    pub fn now(&self) -> Timestamp {
        self.http.now()
    }

    /// Asks what it is. Fails only where it does not answer the simplest of all queries.
    pub async fn meet(&self) -> Result<Known, Failure> {
        let ahead_ms = self.ahead_ms().await?;
        let (info, targets) = join!(self.build_info(), self.targets());
        let (every_s, usual_s) = targets
            .map(|targets| intervals(&targets))
            .unwrap_or_default();
        Ok(Known {
            words: info.as_ref().map(|info| sanitise(&info.words())),
            ahead_ms,
            every_s,
            usual_s,
            heeds_lookback: info.is_some_and(|info| heeds_lookback(&info.words())),
        })
    }

    /// The time of an evaluation is the server's own, to the millisecond; a `Date` is cut to seconds.
    pub async fn ahead_ms(&self) -> Result<i64, Failure> {
        let before = self.now();
        let timeout = self.timeout();
        let answered = self
            .query(
                "/api/v1/query",
                &[("query", "vector(1)"), ("timeout", &timeout)],
            )
            .await?;
        let after = self.now();
        let at = match &answered.answer {
            Answer::Vector(samples) => samples.first().and_then(|sample| match sample.sampled {
                Sampled::Number(point) => Some(point.at),
                Sampled::Histogram(..) => None,
            }),
            _ => None,
        };
        let at = at.ok_or_else(|| Failure::malformed("vector(1) is not one number"))?;
        let middle = before.as_millisecond().midpoint(after.as_millisecond());
        Ok(at.as_millisecond() - middle)
    }

    async fn build_info(&self) -> Option<BuildInfo> {
        let reply = self.http.get("/api/v1/status/buildinfo", JSON).await.ok()?;
        data(&reply).ok()
    }

    async fn targets(&self) -> Option<Targets> {
        let limits = Limits {
            body: TARGETS_MOST,
            ..self.http.limits()
        };
        let reply = self
            .http
            .with_limits(limits)
            .get("/api/v1/targets?state=active", JSON)
            .await
            .ok()?;
        data(&reply).ok()
    }

    /// A bit less than our own limit, so that the server says that it was too slow and stops working on it.
    fn timeout(&self) -> String {
        let total = self.http.limits().total;
        let server = total.saturating_sub(Duration::from_secs(1)).max(total / 2);
        format!("{}ms", server.as_millis())
    }

    async fn query(
        &self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<Answered<Answer>, Failure> {
        if self.by_address.load(Ordering::Relaxed) {
            return self.query_by_address(path, fields).await;
        }
        let first = read(self.http.form(path, fields).await);
        let Err(failure) = &first else { return first };
        if !matches!(failure.kind, Kind::Method | Kind::Forbidden) {
            return first;
        }
        let second = self.query_by_address(path, fields).await;
        match second {
            Ok(answered) => {
                self.by_address.store(true, Ordering::Relaxed);
                Ok(answered)
            }
            // That the query is wrong is news; that neither way is open is what the first said.
            Err(wrong) if wrong.kind == Kind::BadQuestion => {
                self.by_address.store(true, Ordering::Relaxed);
                Err(wrong)
            }
            Err(_) => first,
        }
    }

    async fn query_by_address(
        &self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<Answered<Answer>, Failure> {
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", percent(value)))
            .collect();
        let address = format!("{path}?{}", pairs.join("&"));
        read(self.http.get(&address, JSON).await)
    }

    async fn range(&self, query: &str, plan: &Plan) -> Result<Answered<Answer>, Failure> {
        let start = plan.start.as_second().to_string();
        let end = plan.end.as_second().to_string();
        let step = plan.step_s.to_string();
        let lookback = format!("{}s", plan.lookback_s());
        let timeout = self.timeout();
        self.query(
            "/api/v1/query_range",
            &[
                ("query", query),
                ("start", &start),
                ("end", &end),
                ("step", &step),
                ("timeout", &timeout),
                // A series that stops without a marker ends instead of standing still for five minutes.
                ("lookback_delta", &lookback),
                COMPLETE,
                UNSAMPLED,
            ],
        )
        .await
    }

    async fn instant(
        &self,
        query: &str,
        plan: &Plan,
        lookback: Option<&str>,
    ) -> Result<Answered<Answer>, Failure> {
        let time = format!("{:.3}", seconds(plan.now));
        let timeout = self.timeout();
        let mut fields = vec![
            ("query", query),
            ("time", &time),
            ("timeout", &timeout),
            COMPLETE,
            UNSAMPLED,
        ];
        fields.extend(lookback.map(|lookback| ("lookback_delta", lookback)));
        self.query("/api/v1/query", &fields).await
    }

    /// The series of one expression, from its beginning until now.
    async fn series(
        &self,
        expression: &Expression,
        plan: &Plan,
        warnings: &mut Vec<Safe>,
    ) -> Result<Vec<super::wire::Series>, Failure> {
        let query = expression.as_str();
        let lookback = format!("{}s", plan.lookback_s());
        let tail = async {
            if plan.wants_tail() {
                Some(self.instant(query, plan, Some(&lookback)).await)
            } else {
                None
            }
        };
        let (range, tail) = join!(self.range(query, plan), tail);
        arms::series(range, tail, warnings)
    }

    async fn answers(&self, question: &Question, plan: &Plan) -> Answers {
        let (all, part) = match question {
            Question::Impossible(why) => return Answers::Impossible(why.clone()),
            Question::Counted { all, part, .. } => (all, part.expression()),
        };
        let stamps = async {
            let query = all.timestamps()?;
            let answered = self.instant(&query, plan, None).await.ok()?;
            Some(arms::stamps(&answered))
        };
        let (mut warnings, mut of_part) = (Vec::new(), Vec::new());
        let (all, part, stamps) = join!(
            self.series(all, plan, &mut warnings),
            self.series(part, plan, &mut of_part),
            stamps
        );
        warnings.extend(of_part);
        Answers::Counted {
            all,
            part,
            stamps,
            warnings,
        }
    }

    /// Everything about one release. An error only where the server as a whole did not answer: what is wrong with one
    /// question is in the reading that it was for.
    pub async fn read(&self, known: &Known, asked: &Asked) -> Result<Metrics, Box<Unanswered>> {
        let here = self.now();
        let ahead = SignedDuration::from_millis(known.ahead_ms);
        let there = here.checked_add(ahead).unwrap_or(here);
        let scrapes = known.scrapes(asked.wanted.release.namespace.as_str());
        let plan = Plan::new(&asked.wanted, there, scrapes);
        // On the heap: each holds four requests and their ways there.
        let question = |measure| Box::pin(self.answers(asked.queries.question(measure), &plan));
        let (errors, slow) = join!(question(Measure::Errors), question(Measure::Slow));
        let metrics = arms::metrics(asked, &plan, &errors, &slow, self.now());
        match of_the_server(&[&errors, &slow]) {
            Some(failure) => Err(Box::new(Unanswered { failure, metrics })),
            None => Ok(metrics),
        }
    }
}

/// Thanos answers with what it has and a warning unless told otherwise; the others do not know these two.
const COMPLETE: (&str, &str) = ("partial_response", "false");
const UNSAMPLED: (&str, &str) = ("max_source_resolution", "0s");

fn read(reply: Result<Reply, Trouble>) -> Result<Answered<Answer>, Failure> {
    let reply = reply.map_err(|trouble| Failure::of(&trouble))?;
    let kind = reply.header("content-type").unwrap_or_default();
    outcome::query(reply.status, kind, &reply.body)
}

fn data<T: serde::de::DeserializeOwned>(reply: &Reply) -> Result<T, Failure> {
    let kind = reply.header("content-type").unwrap_or_default();
    outcome::data(reply.status, kind, &reply.body).map(|answered| answered.answer)
}

/// A failure of the server, if nothing at all was answered.
fn of_the_server(answers: &[&Answers]) -> Option<Failure> {
    let mut failure = None;
    for answers in answers {
        let Answers::Counted { all, part, .. } = answers else {
            continue;
        };
        for one in [all, part] {
            match one {
                Err(wrong) if wrong.kind.is_of_the_server() => {
                    failure.get_or_insert_with(|| wrong.clone());
                }
                // Refused for its own sake: it was answered.
                Ok(_) | Err(_) => return None,
            }
        }
    }
    failure
}

fn seconds(at: Timestamp) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 are within 53 bits"
    )]
    let millis = at.as_millisecond() as f64;
    millis / 1_000.0
}

/// The longest interval of each namespace, and the most frequent of all.
fn intervals(targets: &Targets) -> (BTreeMap<String, i64>, Option<i64>) {
    let mut of = BTreeMap::new();
    let mut frequent: BTreeMap<i64, usize> = BTreeMap::new();
    for target in &targets.active {
        let Some(every) = duration_ms(&target.scrape_interval)
            .and_then(|millis| i64::try_from(millis.div_ceil(1_000)).ok())
            .filter(|every| *every > 0)
        else {
            continue;
        };
        *frequent.entry(every).or_default() += 1;
        if let Some(namespace) = target.labels.get("namespace") {
            let longest = of.entry(namespace.clone()).or_insert(every);
            *longest = every.max(*longest);
        }
    }
    let usual = frequent
        .into_iter()
        .max_by_key(|(_, how_many)| *how_many)
        .map(|(every, _)| every);
    (of, usual)
}

/// Prometheus does since 2.38, and what is built from it later.
fn heeds_lookback(words: &str) -> bool {
    let Some(version) = words.strip_prefix("Prometheus ") else {
        return false;
    };
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(2), Some(minor)) => minor >= 38,
        (Some(major), _) => major > 2,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_namespace_is_its_longest_and_else_the_most_frequent() {
        let targets: Targets = serde_json::from_str(
            r#"{"activeTargets":[
                {"labels":{"namespace":"shop"},"scrapeInterval":"15s"},
                {"labels":{"namespace":"shop"},"scrapeInterval":"1m"},
                {"labels":{},"scrapeInterval":"15s"},
                {"labels":{"namespace":"old"}}]}"#,
        )
        .unwrap();
        let (of, usual) = intervals(&targets);
        assert_eq!(of.get("shop"), Some(&60));
        assert_eq!(of.get("old"), None);
        assert_eq!(usual, Some(15));
    }

    #[test]
    fn only_servers_that_are_known_to_end_a_series_when_told_are_believed() {
        assert!(heeds_lookback("Prometheus 3.5.3"));
        assert!(heeds_lookback("Prometheus 2.42.0"));
        assert!(!heeds_lookback("Prometheus 2.37.1"));
        assert!(!heeds_lookback("VictoriaMetrics"));
        assert!(!heeds_lookback("Thanos 0.37.2"));
    }
}
