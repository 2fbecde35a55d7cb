//! How a list is compared: by the key that the vendor merges it by, so that one container more is one difference and
//! not a changed list.

use serde_json::Value;

/// The text that identifies an item of the list at `field`, or `None` when the list has to be compared as a whole.
pub(super) fn key(field: &str, item: &Value) -> Option<String> {
    let text = |name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
    match field {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "env"
        | "volumes"
        | "imagePullSecrets"
        | "resourceClaims"
        | "sysctls" => text("name"),
        "volumeMounts" => text("mountPath"),
        "volumeDevices" => text("devicePath"),
        "hostAliases" => text("ip"),
        "ports" => {
            let port = item.get("containerPort")?;
            let protocol = text("protocol").unwrap_or_else(|| "TCP".to_owned());
            Some(format!("{port}/{protocol}"))
        }
        "items" => text("key").or_else(|| text("path")),
        "envFrom" | "sources" => source(item),
        _ => None,
    }
}

/// What a reference refers to: `configMap/settings`.
fn source(item: &Value) -> Option<String> {
    let kinds = [
        ("configMapRef", "configMap"),
        ("secretRef", "secret"),
        ("configMap", "configMap"),
        ("secret", "secret"),
    ];
    kinds.into_iter().find_map(|(field, word)| {
        let name = item.get(field)?.get("name")?.as_str()?;
        let prefix = item.get("prefix").and_then(Value::as_str).unwrap_or("");
        Some(if prefix.is_empty() {
            format!("{word}/{name}")
        } else {
            format!("{word}/{name} as {prefix}")
        })
    })
}

/// The keys of a list; `None` unless every item has one and no two have the same.
pub(super) fn keys(field: &str, list: &[Value]) -> Option<Vec<String>> {
    let keys: Vec<String> = list
        .iter()
        .map(|item| key(field, item))
        .collect::<Option<_>>()?;
    let distinct: std::collections::HashSet<&String> = keys.iter().collect();
    (distinct.len() == keys.len()).then_some(keys)
}
