//! Which expression asks for what: as configured for the service, else the usual counters found by the pod-template hash.
//! Pure. Must never put a name into an expression without escaping it, and must never ask for a rate: counts are made
//! from raw counters, per series, so a `sum` around a selector is taken off and added up here instead.

use crate::{
    config,
    model::{
        id::WorkloadKind,
        metrics::{About, Measure, MetricsWanted},
        text::{Safe, sanitise},
    },
};

/// Slower than this is slow, where nothing else is configured. It has to be the bound of a bucket.
pub const SLOW_S: &str = "0.5";

/// One wish, and how it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asked {
    pub wanted: MetricsWanted,
    pub queries: Queries,
}

impl Asked {
    /// `service`: what is configured for it, if anything is.
    pub fn new(wanted: MetricsWanted, service: Option<&config::Service>) -> Self {
        let queries = Queries::of(&wanted, service);
        Self { wanted, queries }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Queries {
    pub errors: Question,
    pub slow: Question,
}

/// How one measure is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    Counted {
        all: Expression,
        part: Part,
        /// Nobody said that it is measured like this: what cannot be found is no reason to believe a zero.
        guessed: bool,
    },
    /// It cannot be asked: why, and what to do.
    Impossible(Safe),
}

/// Which part of all is counted beside it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    Bad(Expression),
    /// Bad is the rest.
    Good(Expression),
}

impl Part {
    pub const fn expression(&self) -> &Expression {
        match self {
            Self::Bad(expression) | Self::Good(expression) => expression,
        }
    }
}

/// An expression of `PromQL` that gives raw counters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expression {
    text: String,
    is_selector: bool,
}

impl Expression {
    /// Takes a `sum` around a selector off.
    fn read(text: &str) -> Self {
        let text = text.trim();
        let bare = without_sum(text).filter(|inner| is_selector(inner));
        Self {
            text: bare.unwrap_or(text).to_owned(),
            is_selector: bare.is_some() || is_selector(text),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Asks for the times of the newest samples. Only of a selector: of anything that was computed it would be the time of
    /// the computation.
    pub fn timestamps(&self) -> Option<String> {
        self.is_selector
            .then(|| format!("timestamp({})", self.text))
    }
}

impl Queries {
    pub fn of(wanted: &MetricsWanted, service: Option<&config::Service>) -> Self {
        if let About::CanaryAndStable { canary, stable } = &wanted.about
            && canary == stable
        {
            let same =
                Question::Impossible("one version serves: there is nothing to compare".into());
            return Self {
                errors: same.clone(),
                slow: same,
            };
        }
        let question = |measure: Measure| {
            service
                .and_then(|service| service.metrics.get(measure.word()))
                .map_or_else(
                    || usual(measure, wanted),
                    |metric| configured(measure, metric),
                )
        };
        Self {
            errors: question(Measure::Errors),
            slow: question(Measure::Slow),
        }
    }

    pub const fn question(&self, measure: Measure) -> &Question {
        match measure {
            Measure::Errors => &self.errors,
            Measure::Slow => &self.slow,
        }
    }
}

fn configured(measure: Measure, metric: &config::Metric) -> Question {
    let (part, key): (fn(Expression) -> Part, _) = match &metric.part {
        config::Part::Bad(_) => (Part::Bad, "bad"),
        config::Part::Good(_) => (Part::Good, "good"),
    };
    let text = metric.part.query();
    for (key, text) in [("good_and_bad", &*metric.good_and_bad), (key, text)] {
        if asks_for_a_window(text) {
            return Question::Impossible(sanitise(&format!(
                "metrics.{}.{key} is about a window of time (a rate); the plain counter is wanted, and is counted here",
                measure.word()
            )));
        }
    }
    Question::Counted {
        all: Expression::read(&metric.good_and_bad),
        part: part(Expression::read(text)),
        guessed: false,
    }
}

/// The names that most libraries and meshes' examples use, found by what Kubernetes writes on the pods.
fn usual(measure: Measure, wanted: &MetricsWanted) -> Question {
    let of = matchers(wanted);
    let select = |name: &str, more: &str| Expression {
        text: format!("{name}{{{of}{more}}}"),
        is_selector: true,
    };
    let (all, part) = match measure {
        Measure::Errors => (
            select("http_requests_total", ""),
            Part::Bad(select("http_requests_total", ",code=~\"5..\"")),
        ),
        Measure::Slow => (
            select("http_request_duration_seconds_count", ""),
            Part::Good(select(
                "http_request_duration_seconds_bucket",
                &format!(",le=\"{SLOW_S}\""),
            )),
        ),
    };
    Question::Counted {
        all,
        part,
        guessed: true,
    }
}

fn matchers(wanted: &MetricsWanted) -> String {
    let release = &wanted.release;
    let namespace = escaped(release.namespace.as_str());
    match &wanted.about {
        About::CanaryAndStable { canary, stable } => {
            let label = hash_label(release.kind);
            let hashes = [canary, stable].map(|hash| escaped(&literal(hash.as_str())));
            format!(
                "namespace=\"{namespace}\",{label}=~\"{}\"",
                hashes.join("|")
            )
        }
        // Every version of this service: the pods are named after it, and of the hash and the rest of such a name the
        // alphabet and the length are known, so `checkout` is not taken for `checkout-api` as well.
        About::BeforeAndAfter { .. } => {
            let rest = match release.kind {
                WorkloadKind::ArgoRollout | WorkloadKind::Deployment => {
                    "-[a-z0-9]{1,10}-[a-z0-9]{5}"
                }
                WorkloadKind::StatefulSet => "-[0-9]+",
                WorkloadKind::DaemonSet => "-[a-z0-9]{5}",
            };
            let pod = escaped(&format!("{}{rest}", literal(release.name.as_str())));
            format!("namespace=\"{namespace}\",pod=~\"{pod}\"")
        }
    }
}

/// The pods' label as Prometheus writes it, where the scrape configuration maps the labels of pods.
pub const fn hash_label(kind: WorkloadKind) -> &'static str {
    match kind {
        WorkloadKind::ArgoRollout => "rollouts_pod_template_hash",
        WorkloadKind::Deployment => "pod_template_hash",
        WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => "controller_revision_hash",
    }
}

/// Within double quotes.
fn escaped(value: &str) -> String {
    let mut safe = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '\\' => safe.push_str("\\\\"),
            '"' => safe.push_str("\\\""),
            '\n' => safe.push_str("\\n"),
            other => safe.push(other),
        }
    }
    safe
}

/// Within a regular expression.
fn literal(value: &str) -> String {
    let mut safe = String::with_capacity(value.len());
    for character in value.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            safe.push('\\');
        }
        safe.push(character);
    }
    safe
}

/// What stands outside of quotes, as it is; what is quoted as blanks of the same length.
fn unquoted(text: &str) -> String {
    let mut quote: Option<char> = None;
    let mut escape = false;
    text.chars()
        .map(|character| {
            let blank = " ".repeat(character.len_utf8());
            match quote {
                Some(_) if escape => {
                    escape = false;
                    blank
                }
                Some(open) => {
                    escape = character == '\\' && open != '`';
                    if character == open {
                        quote = None;
                    }
                    blank
                }
                None if matches!(character, '"' | '\'' | '`') => {
                    quote = Some(character);
                    blank
                }
                None => character.to_string(),
            }
        })
        .collect()
}

/// Every function over time wants a range, and a range is the only use of this bracket.
fn asks_for_a_window(text: &str) -> bool {
    unquoted(text).contains('[')
}

fn is_selector(text: &str) -> bool {
    let bare = unquoted(text);
    let name = bare
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'))
        .count();
    let starts_like_a_name = !bare.starts_with(|first: char| first.is_ascii_digit());
    let rest = bare.get(name..).unwrap_or_default().trim();
    starts_like_a_name
        && match rest.strip_prefix('{') {
            None => name > 0 && rest.is_empty(),
            Some(matchers) => matchers
                .strip_suffix('}')
                .is_some_and(|matchers| !matchers.contains(['{', '}', '(', ')'])),
        }
}

/// What is inside of `sum(…)`, `sum by (…) (…)` or `sum(…) by (…)`, if that is all there is.
fn without_sum(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("sum")?.trim_start();
    let (rest, grouped) = match grouping(rest) {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let (inner, after) = parenthesised(rest)?;
    let after = after.trim();
    let nothing_more = after.is_empty() || (!grouped && grouping(after) == Some(""));
    nothing_more.then_some(inner.trim())
}

/// What follows `by (…)` or `without (…)`.
fn grouping(text: &str) -> Option<&str> {
    let rest = text
        .strip_prefix("by")
        .or_else(|| text.strip_prefix("without"))?;
    parenthesised(rest.trim_start()).map(|(_, rest)| rest.trim_start())
}

/// What is in the parentheses at the beginning, and what follows them.
fn parenthesised(text: &str) -> Option<(&str, &str)> {
    let bare = unquoted(text);
    if !bare.starts_with('(') {
        return None;
    }
    let mut depth = 0_usize;
    for (at, byte) in bare.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some((text.get(1..at)?, text.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::id::ReleaseId;

    fn wanted(kind: WorkloadKind, about: About) -> MetricsWanted {
        MetricsWanted {
            release: ReleaseId {
                environment: "prod".into(),
                namespace: "shop".into(),
                kind,
                name: "checkout".into(),
            },
            about,
            since: Timestamp::UNIX_EPOCH,
            closely: true,
        }
    }

    fn compared(canary: &str, stable: &str) -> About {
        About::CanaryAndStable {
            canary: canary.into(),
            stable: stable.into(),
        }
    }

    fn texts(question: &Question) -> (&str, &str) {
        match question {
            Question::Counted { all, part, .. } => (all.as_str(), part.expression().as_str()),
            Question::Impossible(why) => panic!("{why}"),
        }
    }

    fn service(text: &str) -> config::Service {
        let config = config::parse(&format!("[services.checkout]\n{text}"), "c").unwrap();
        config.services["checkout"].clone()
    }

    #[test]
    fn without_configuration_the_versions_are_found_by_their_hashes() {
        let about = compared("7f9b5d6c8", "6d4f8c7b9");
        let queries = Queries::of(&wanted(WorkloadKind::ArgoRollout, about.clone()), None);
        assert_eq!(
            texts(&queries.errors),
            (
                r#"http_requests_total{namespace="shop",rollouts_pod_template_hash=~"7f9b5d6c8|6d4f8c7b9"}"#,
                r#"http_requests_total{namespace="shop",rollouts_pod_template_hash=~"7f9b5d6c8|6d4f8c7b9",code=~"5.."}"#
            )
        );
        assert_eq!(
            texts(&queries.slow).1,
            r#"http_request_duration_seconds_bucket{namespace="shop",rollouts_pod_template_hash=~"7f9b5d6c8|6d4f8c7b9",le="0.5"}"#
        );
        let deployment = Queries::of(&wanted(WorkloadKind::Deployment, about), None);
        assert!(texts(&deployment.errors).0.contains(",pod_template_hash=~"));
    }

    #[test]
    fn names_cannot_break_out_of_an_expression() {
        let about = compared("x\"} or vector(1) #", "a.b|c");
        let queries = Queries::of(&wanted(WorkloadKind::ArgoRollout, about), None);
        let (all, _) = texts(&queries.errors);
        assert_eq!(
            all,
            r#"http_requests_total{namespace="shop",rollouts_pod_template_hash=~"x\"\\} or vector\\(1\\) #|a\\.b\\|c"}"#
        );
        assert!(is_selector(all));
    }

    #[test]
    fn all_versions_of_a_service_are_not_those_of_one_whose_name_begins_alike() {
        let about = About::BeforeAndAfter {
            at: Timestamp::UNIX_EPOCH,
        };
        let queries = Queries::of(&wanted(WorkloadKind::ArgoRollout, about), None);
        assert_eq!(
            texts(&queries.errors).0,
            r#"http_requests_total{namespace="shop",pod=~"checkout-[a-z0-9]{1,10}-[a-z0-9]{5}"}"#
        );
    }

    #[test]
    fn a_sum_around_a_selector_is_taken_off_because_a_sum_hides_restarts() {
        let service = service(
            "metrics.errors.good_and_bad = 'sum by (rollouts_pod_template_hash) (req{app=\"a)b\"})'\n\
             metrics.errors.bad = 'sum(req{code=~\"5..\"}) by (rollouts_pod_template_hash)'\n\
             metrics.slow.good_and_bad = 'sum(a) + sum(b)'\n\
             metrics.slow.good = 'sum(clamp_min(a, 0))'",
        );
        let queries = Queries::of(
            &wanted(WorkloadKind::ArgoRollout, compared("a", "b")),
            Some(&service),
        );
        assert_eq!(
            texts(&queries.errors),
            (r#"req{app="a)b"}"#, r#"req{code=~"5.."}"#)
        );
        assert_eq!(
            texts(&queries.slow),
            ("sum(a) + sum(b)", "sum(clamp_min(a, 0))")
        );
        let Question::Counted { all, part, guessed } = &queries.slow else {
            panic!("not counted")
        };
        assert!(all.timestamps().is_none() && matches!(part, Part::Good(_)) && !guessed);
    }

    #[test]
    fn a_rate_is_refused_and_one_in_a_name_is_not() {
        let rate = service(
            "metrics.errors = { good_and_bad = 'sum(rate(req[5m]))', bad = 'errors_total' }",
        );
        let queries = Queries::of(
            &wanted(WorkloadKind::ArgoRollout, compared("a", "b")),
            Some(&rate),
        );
        let Question::Impossible(why) = &queries.errors else {
            panic!("a rate was taken")
        };
        assert!(why.contains("metrics.errors.good_and_bad"), "{why}");
        assert!(!asks_for_a_window(r#"rate_limited_total{path=~"[a-z]+"}"#));
    }

    #[test]
    fn one_version_is_not_compared_with_itself() {
        let queries = Queries::of(&wanted(WorkloadKind::ArgoRollout, compared("a", "a")), None);
        assert!(matches!(queries.errors, Question::Impossible(_)));
    }

    #[test]
    fn selectors_are_told_from_computations() {
        for selector in ["up", "a:b:c", "{__name__=~\"a|b\"}", "x{y='}'}", "x {}"] {
            assert!(is_selector(selector), "{selector}");
        }
        for other in ["", "1", "a + b", "sum(a)", "a{} or b{}", "f(a{})", "{}}"] {
            assert!(!is_selector(other), "{other}");
        }
    }
}
