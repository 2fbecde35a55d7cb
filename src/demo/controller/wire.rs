//! The fields of a Rollout that its controller reads and writes.
//!
//! Numbers that are 0 and flags that are false are left out, as the vendor's types do. Must stay tolerant: a field
//! that is not modelled is not an error.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    pub(super) replicas: Option<i64>,
    pub(super) selector: Value,
    pub(super) template: Value,
    pub(super) paused: bool,
    pub(super) restart_at: Option<String>,
    pub(super) revision_history_limit: Option<usize>,
    pub(super) progress_deadline_seconds: Option<u64>,
    pub(super) rollback_window: Option<RollbackWindow>,
    pub(super) strategy: Strategy,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RollbackWindow {
    pub(super) revisions: usize,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Strategy {
    pub(super) canary: Option<Canary>,
    pub(super) blue_green: Option<BlueGreen>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_field_names, reason = "the vendor's field names")]
pub(super) struct Canary {
    pub(super) steps: Vec<Step>,
    pub(super) traffic_routing: Option<Value>,
    pub(super) canary_service: String,
    pub(super) stable_service: String,
    pub(super) max_surge: Option<Amount>,
    pub(super) max_unavailable: Option<Amount>,
    pub(super) analysis: Option<Analysis>,
    pub(super) scale_down_delay_seconds: Option<u64>,
    pub(super) abort_scale_down_delay_seconds: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct BlueGreen {
    pub(super) active_service: String,
    pub(super) preview_service: String,
    pub(super) auto_promotion_enabled: Option<bool>,
    pub(super) auto_promotion_seconds: u64,
    pub(super) scale_down_delay_seconds: Option<u64>,
    pub(super) abort_scale_down_delay_seconds: Option<u64>,
    pub(super) pre_promotion_analysis: Option<Analysis>,
    pub(super) post_promotion_analysis: Option<Analysis>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Analysis {
    pub(super) templates: Vec<TemplateRef>,
    pub(super) starting_step: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TemplateRef {
    pub(super) template_name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Step {
    pub(super) set_weight: Option<i64>,
    pub(super) pause: Option<Pause>,
    pub(super) analysis: Option<Analysis>,
    pub(super) set_canary_scale: Option<CanaryScale>,
    pub(super) experiment: Option<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Pause {
    pub(super) duration: Option<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CanaryScale {
    pub(super) weight: Option<i64>,
    pub(super) replicas: Option<i64>,
    pub(super) match_traffic_weight: bool,
}

/// A count or a percentage.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Amount {
    Count(i64),
    Percent(String),
}

impl Amount {
    pub(super) fn of(&self, whole: i64, round_up: bool) -> i64 {
        match self {
            Self::Count(count) => *count,
            Self::Percent(text) => {
                let percent: i64 = text.trim_end_matches('%').parse().unwrap_or(0);
                let rest = if round_up { 99 } else { 0 };
                (whole * percent + rest) / 100
            }
        }
    }
}

impl Step {
    /// As in the vendor's events: `setWeight: 25`, `pause: 10m`.
    pub(super) fn label(&self) -> String {
        if let Some(weight) = self.set_weight {
            return format!("setWeight: {weight}");
        }
        if let Some(pause) = &self.pause {
            return match &pause.duration {
                Some(Value::String(text)) => format!("pause: {text}"),
                Some(other) => format!("pause: {other}"),
                None => "pause".to_owned(),
            };
        }
        if self.experiment.is_some() {
            return "experiment".to_owned();
        }
        if self.analysis.is_some() {
            return "analysis".to_owned();
        }
        match &self.set_canary_scale {
            Some(CanaryScale {
                weight: Some(weight),
                ..
            }) => format!("setCanaryScale{{weight: {weight}}}"),
            Some(CanaryScale {
                replicas: Some(count),
                ..
            }) => format!("setCanaryScale{{replicas: {count}}}"),
            Some(_) => "setCanaryScale{matchTrafficWeight: true}".to_owned(),
            None => "invalid".to_owned(),
        }
    }
}

/// `10`, `"10"` or a Go duration such as `1h30m`; `None` is not a duration.
pub(in crate::demo) fn duration(value: &Value) -> Option<Duration> {
    if let Some(seconds) = value.as_u64() {
        return Some(Duration::from_secs(seconds));
    }
    let text = value.as_str()?;
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let (number, unit) = rest.split_at_checked(digits)?;
        let number: u64 = number.parse().ok()?;
        let width = unit
            .find(|letter: char| letter.is_ascii_digit())
            .unwrap_or(unit.len());
        let (unit, after) = unit.split_at_checked(width)?;
        let seconds = |each: u64| number.checked_mul(each).map(Duration::from_secs);
        let more = match unit {
            "ms" => Some(Duration::from_millis(number)),
            "s" => seconds(1),
            "m" => seconds(60),
            "h" => seconds(3600),
            "d" => seconds(86_400),
            _ => None,
        };
        total = total.checked_add(more?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn zero(number: &i64) -> bool {
    *number == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn no(flag: &bool) -> bool {
    !*flag
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    #[serde(skip_serializing_if = "no")]
    pub(super) abort: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) aborted_at: Option<String>,
    #[serde(skip_serializing_if = "no")]
    pub(super) promote_full: bool,
    #[serde(skip_serializing_if = "no")]
    pub(super) controller_pause: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pause_conditions: Option<Vec<PauseCondition>>,
    #[serde(rename = "stableRS", skip_serializing_if = "String::is_empty")]
    pub(super) stable: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) current_pod_hash: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) current_step_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) current_step_index: Option<i64>,
    #[serde(skip_serializing_if = "zero")]
    pub(super) replicas: i64,
    #[serde(skip_serializing_if = "zero")]
    pub(super) updated_replicas: i64,
    #[serde(skip_serializing_if = "zero")]
    pub(super) ready_replicas: i64,
    #[serde(skip_serializing_if = "zero")]
    pub(super) available_replicas: i64,
    #[serde(rename = "HPAReplicas", skip_serializing_if = "zero")]
    pub(super) hpa_replicas: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) selector: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) conditions: Vec<Condition>,
    pub(super) canary: CanaryStatus,
    pub(super) blue_green: BlueGreenStatus,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) observed_generation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) restarted_at: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) phase: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) message: String,
}

impl Status {
    pub(super) fn pauses(&self) -> &[PauseCondition] {
        self.pause_conditions.as_deref().unwrap_or_default()
    }

    pub(super) fn paused_for(&self, reason: &str) -> bool {
        self.pauses().iter().any(|pause| pause.reason == reason)
    }

    pub(super) fn fully_promoted(&self) -> bool {
        !self.stable.is_empty() && self.stable == self.current_pod_hash
    }
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PauseCondition {
    pub(super) reason: String,
    pub(super) start_time: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) status: String,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) last_update_time: String,
    pub(super) last_transition_time: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CanaryStatus {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) weights: Option<Weights>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) current_step_analysis_run_status: Option<RunStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) current_background_analysis_run_status: Option<RunStatus>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Weights {
    pub(super) canary: Destination,
    pub(super) stable: Destination,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Destination {
    pub(super) weight: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) service_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) pod_template_hash: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct RunStatus {
    pub(super) name: String,
    pub(super) status: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) message: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct BlueGreenStatus {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) active_selector: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) preview_selector: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pre_promotion_analysis_run_status: Option<RunStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) post_promotion_analysis_run_status: Option<RunStatus>,
}

#[cfg(test)]
mod unit {
    use serde_json::json;

    use super::*;

    #[test]
    fn durations_are_seconds_or_go_durations() {
        let seconds = |value: Value| duration(&value).map(|duration| duration.as_secs());
        assert_eq!(seconds(json!(10)), Some(10));
        assert_eq!(seconds(json!("10")), Some(10));
        assert_eq!(seconds(json!("1h30m5s")), Some(5405));
        assert_eq!(seconds(json!("10x")), None);
        assert_eq!(seconds(json!("")), None);
    }

    #[test]
    fn an_empty_status_is_written_as_the_vendor_writes_it() {
        assert_eq!(
            serde_json::to_value(Status::default()).unwrap(),
            json!({"canary": {}, "blueGreen": {}})
        );
    }
}
