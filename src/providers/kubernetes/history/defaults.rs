//! What the server fills in. A ReplicaSet is stored with its defaults and in canonical units, a Rollout as it was
//! written: a field that one side lacks and that has its default on the other is no difference.

use serde_json::{Map, Value};

/// Whether `value` of `field` in `object` says no more than its absence would.
pub(super) fn is_default(field: &str, value: &Value, object: &Map<String, Value>) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        // An empty volume source is what makes it a volume of that kind.
        Value::Object(map) => map.is_empty() && !matches!(field, "emptyDir"),
        Value::String(text) => text_default(field, text, object),
        Value::Bool(flag) => match field {
            "enableServiceLinks" => *flag,
            "hostNetwork" | "hostPID" | "hostIPC" | "readOnly" | "stdin" | "stdinOnce" | "tty"
            | "optional" => !flag,
            _ => false,
        },
        Value::Number(number) => number_default(field, number.as_i64()),
    }
}

fn text_default(field: &str, text: &str, object: &Map<String, Value>) -> bool {
    match field {
        "restartPolicy" => text == "Always" && !object.contains_key("image"),
        "dnsPolicy" => text == "ClusterFirst",
        "schedulerName" => text == "default-scheduler",
        // The old name of the same field; the server writes both.
        "serviceAccount" => object.get("serviceAccountName").and_then(Value::as_str) == Some(text),
        "terminationMessagePath" => text == "/dev/termination-log",
        "terminationMessagePolicy" => text == "File",
        "protocol" => text == "TCP",
        "scheme" => text == "HTTP",
        "apiVersion" => text == "v1",
        "imagePullPolicy" => text == pull_policy(object),
        "divisor" => text == "0",
        // `env: [{name: X}]` is stored without a value.
        "value" | "service" | "type" | "medium" => text.is_empty(),
        _ => false,
    }
}

fn pull_policy(container: &Map<String, Value>) -> &'static str {
    let image = container.get("image").and_then(Value::as_str).unwrap_or("");
    let latest = match crate::model::release::tag_of(image) {
        _ if image.contains('@') => false,
        Some(tag) => tag == "latest",
        None => true,
    };
    if latest { "Always" } else { "IfNotPresent" }
}

fn number_default(field: &str, number: Option<i64>) -> bool {
    let default = match field {
        "terminationGracePeriodSeconds" => 30,
        "periodSeconds" => 10,
        "timeoutSeconds" | "successThreshold" => 1,
        "failureThreshold" => 3,
        "defaultMode" => 420,
        "expirationSeconds" => 3607,
        "initialDelaySeconds" => 0,
        _ => return false,
    };
    number == Some(default)
}

/// The same amount, `1000m` and `1`; compared only where `field` holds amounts.
pub(super) fn same_amount(field: &str, a: &Value, b: &Value) -> bool {
    if !matches!(
        field,
        "limits" | "requests" | "emptyDir" | "resourceFieldRef" | "overhead"
    ) {
        return false;
    }
    match (amount(a), amount(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

/// In billionths, exactly. `None` for what is no quantity or too large to be one of a pod.
fn amount(value: &Value) -> Option<i128> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let suffix = text.strip_prefix(digits)?;
    let scale: i128 = match suffix {
        "n" => 1,
        "u" => 1_000,
        "m" => 1_000_000,
        "" => 1_000_000_000,
        "k" => 1_000_000_000_000,
        "M" => 1_000_000_000_000_000,
        "G" => 1_000_000_000_000_000_000,
        "T" => 1_000_000_000_000_000_000_000,
        "Ki" => 1_024 * 1_000_000_000,
        "Mi" => 1_048_576 * 1_000_000_000,
        "Gi" => 1_073_741_824 * 1_000_000_000,
        "Ti" => 1_099_511_627_776 * 1_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let places = u32::try_from(fraction.len()).ok()?;
    let number: i128 = format!("{whole}{fraction}").parse().ok()?;
    number
        .checked_mul(scale)?
        .checked_div(10_i128.checked_pow(places)?)
}
