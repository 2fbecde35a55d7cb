//! Everything that is not a query: labels, alerts, rules, targets, and what the server is.
//!
//! Must never list what a query would not find.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::eval::present;
use super::query::{self, Expression, Lines};
use super::{Parameters, Prometheus, Refused, Reply, bad_data, series, success};
use crate::demo::alarm::{Alarm, HOLDS, alarms, rules};
use crate::demo::api::Api;
use crate::demo::clock::Clock;
use crate::demo::matcher::Matcher;

pub(super) fn build() -> Reply {
    success(
        &json!({"version": "3.5.3", "revision": "demo", "branch": "HEAD", "buildUser": "root@demo",
        "buildDate": "20260929-11:59:39", "goVersion": "go1.27.1"}),
    )
}

pub(super) fn runtime(started: Timestamp, now: i64) -> Reply {
    let now = Timestamp::from_millisecond(now).unwrap_or(started);
    success(
        &json!({"startTime": started.to_string(), "CWD": "/prometheus", "hostname": "demo",
        "serverTime": now.to_string(), "reloadConfigSuccess": true, "lastConfigTime": started.to_string(),
        "corruptionCount": 0, "goroutineCount": 41, "GOMAXPROCS": 2, "GOMEMLIMIT": 3_751_936_000_u64, "GOGC": "75",
        "GODEBUG": "", "storageRetention": "15d"}),
    )
}

/// With nine digits of a second.
fn nanos(clock: &Clock, at: crate::demo::clock::Moment) -> String {
    clock
        .stamp_at(at)
        .strftime("%Y-%m-%dT%H:%M:%S.%9fZ")
        .to_string()
}

/// As Go writes a number with an exponent: `4.1e-02`.
fn exponent(value: f64) -> String {
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, power)) => {
            let (sign, power) = power
                .strip_prefix('-')
                .map_or(('+', power), |power| ('-', power));
            format!("{digits}e{sign}{power:0>2}")
        }
        None => text,
    }
}

fn alert(alarm: &Alarm, clock: &Clock) -> Value {
    // What all alerts of a server have in common is added when they leave it.
    let mut labels = alarm.labels.clone();
    labels.remove("cluster");
    labels.remove("environment");
    let state = if alarm.fires <= clock.now() {
        "firing"
    } else {
        "pending"
    };
    json!({"labels": labels, "annotations": alarm.annotations, "state": state,
        "activeAt": nanos(clock, alarm.active), "value": exponent(alarm.value)})
}

impl Prometheus {
    pub(super) fn alerts(&self) -> Reply {
        let cluster = self.api.cluster();
        let shown: Vec<Value> = alarms(&cluster)
            .iter()
            .map(|alarm| alert(alarm, &cluster.clock))
            .collect();
        success(&json!({"alerts": shown}))
    }

    pub(super) fn rules(&self, parameters: &Parameters) -> Reply {
        let cluster = self.api.cluster();
        let clock = &cluster.clock;
        let now = nanos(clock, clock.now());
        let all = alarms(&cluster);
        let mut shown = Vec::new();
        for rule in rules(&cluster) {
            let own: Vec<&Alarm> = all
                .iter()
                .filter(|alarm| alarm.name() == rule.name && alarm.query == rule.query)
                .collect();
            let fires = own.iter().any(|alarm| alarm.fires <= clock.now());
            let state = match (own.is_empty(), fires) {
                (true, _) => "inactive",
                (false, true) => "firing",
                (false, false) => "pending",
            };
            let alerts: Vec<Value> = own.iter().map(|alarm| alert(alarm, clock)).collect();
            let alerts = if parameters.get("exclude_alerts") == "true" {
                Value::Null
            } else {
                json!(alerts)
            };
            let hold = if rule.name == "Watchdog" {
                0
            } else {
                HOLDS.as_secs()
            };
            shown.push(json!({"state": state, "name": rule.name, "query": rule.query, "duration": hold,
                "keepFiringFor": 0, "labels": {"severity": rule.severity}, "annotations": {"summary": rule.summary},
                "alerts": alerts, "health": "ok", "evaluationTime": 0.000_211, "lastEvaluation": now,
                "type": "alerting"}));
        }
        let groups = if parameters.get("type") == "record" {
            json!([])
        } else {
            json!([{"name": "demo", "file": "/etc/prometheus/rules.yml", "rules": shown, "interval": 15, "limit": 0,
                "evaluationTime": 0.001_3, "lastEvaluation": now}])
        };
        success(&json!({"groups": groups}))
    }

    pub(super) fn targets(&self, skew: i64) -> Reply {
        let cluster = self.api.cluster();
        let now = self.api.time.now().as_millisecond();
        let up: Vec<Vec<Matcher>> = vec![
            Matcher::new("__name__", "up", true, false)
                .into_iter()
                .collect(),
        ];
        let asked = Timestamp::from_millisecond(now + skew).unwrap_or_default();
        let active: Vec<Value> = present(&cluster, &up, (now, now))
            .into_iter()
            .map(|mut labels| {
                labels.remove("__name__");
                let instance = labels.get("instance").cloned().unwrap_or_default();
                json!({"discoveredLabels": {"__address__": instance, "__metrics_path__": "/metrics",
                        "__scheme__": "http", "__scrape_interval__": "15s", "__scrape_timeout__": "10s", "job": "pods"},
                    "labels": labels, "scrapePool": "pods", "scrapeUrl": format!("http://{instance}/metrics"),
                    "globalUrl": format!("http://{instance}/metrics"), "lastError": "", "health": "up",
                    "lastScrape": asked.to_string(), "lastScrapeDuration": 0.004_2, "scrapeInterval": "15s",
                    "scrapeTimeout": "10s"})
            })
            .collect();
        success(
            &json!({"activeTargets": active, "droppedTargets": [], "droppedTargetCounts": {"pods": 0}}),
        )
    }

    pub(super) fn series(&self, parameters: &Parameters, skew: i64) -> Result<Reply, Refused> {
        let selectors = selectors(parameters)?;
        if selectors.is_empty() {
            return Err(bad_data("no match[] parameter provided"));
        }
        let found = present(
            &self.api.cluster(),
            &selectors,
            time(&self.api, parameters, skew)?,
        );
        Ok(limited(
            parameters,
            found.into_iter().map(|labels| json!(labels)).collect(),
        ))
    }

    pub(super) fn labels(&self, parameters: &Parameters, skew: i64) -> Result<Reply, Refused> {
        let names: BTreeSet<String> = self
            .matched(parameters, skew)?
            .into_iter()
            .flat_map(series::Labels::into_keys)
            .collect();
        Ok(limited(
            parameters,
            names.into_iter().map(Value::from).collect(),
        ))
    }

    pub(super) fn label_values(
        &self,
        parameters: &Parameters,
        name: &str,
        skew: i64,
    ) -> Result<Reply, Refused> {
        let values: BTreeSet<String> = self
            .matched(parameters, skew)?
            .into_iter()
            .filter_map(|mut labels| labels.remove(name))
            .collect();
        Ok(limited(
            parameters,
            values.into_iter().map(Value::from).collect(),
        ))
    }

    /// Without a selector: everything.
    fn matched(&self, parameters: &Parameters, skew: i64) -> Result<Vec<series::Labels>, Refused> {
        let mut selectors = selectors(parameters)?;
        if selectors.is_empty() {
            selectors = series::NAMES
                .into_iter()
                .map(|name| {
                    Matcher::new("__name__", name, true, false)
                        .into_iter()
                        .collect()
                })
                .collect();
        }
        Ok(present(
            &self.api.cluster(),
            &selectors,
            time(&self.api, parameters, skew)?,
        ))
    }
}

fn selectors(parameters: &Parameters) -> Result<Vec<Vec<Matcher>>, Refused> {
    let parsed = parameters
        .all("match[]")
        .map(|text| match query::parse(text)? {
            Expression::Lines(Lines {
                selector,
                grown: None,
            }) => Ok(selector),
            _ => Err(bad_data(format!(
                "invalid parameter \"match[]\": {text} is no series selector"
            ))),
        });
    parsed.collect()
}

/// In the world's time.
fn time(api: &Api, parameters: &Parameters, skew: i64) -> Result<(i64, i64), Refused> {
    // Far enough back for all that is kept.
    let now = api.time.now().as_millisecond();
    let earliest = now - 15 * 86_400_000;
    let from = parameters.time("start", Some(earliest))?;
    let to = parameters.time("end", Some(now + skew))?;
    Ok((from.saturating_sub(skew), to.saturating_sub(skew)))
}

fn limited(parameters: &Parameters, mut found: Vec<Value>) -> Reply {
    let limit = parameters.get("limit").parse::<usize>().unwrap_or(0);
    if limit == 0 || found.len() <= limit {
        return success(&Value::Array(found));
    }
    found.truncate(limit);
    super::json_reply(
        200,
        &json!({"status": "success", "data": found, "warnings": ["results truncated due to limit"]}),
    )
}

#[cfg(test)]
mod tests {
    use super::super::seconds;
    use super::*;

    #[test]
    fn values_of_alerts_have_an_exponent_of_two_digits() {
        for (value, text) in [
            (0.041, "4.1e-02"),
            (53.0, "5.3e+01"),
            (0.0, "0e+00"),
            (1.0, "1e+00"),
        ] {
            assert_eq!(exponent(value), text);
        }
        assert_eq!(seconds(1_795_215_228_380).to_string(), "1795215228.38");
        assert_eq!(seconds(1_795_215_228_000).to_string(), "1795215228");
    }
}
