//! What differs between two pod templates, path by path. Everything that is not known to be a default is a difference:
//! this also decides whether a roll back would change anything, and a template that merely lacks a field is not the same
//! (the vendor's undo thinks so, and is skipped in silence).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    defaults::{is_default, same_amount},
    kept::{key, keys},
};
use crate::{
    model::{
        detail::{Difference, Shown},
        text::sanitise_line,
    },
    providers::kubernetes::requests::clean_template,
};

/// Enough to recognise a value by; a script in `args` is not read in a list of differences.
const VALUE_CHARS: usize = 512;
const PATH_CHARS: usize = 512;

/// What going from one template to the other changes. Hash labels do not count.
pub fn differences(from: &Value, to: &Value) -> Vec<Difference> {
    let (from, to) = (clean_template(from, None), clean_template(to, None));
    let mut walk = Walk { found: Vec::new() };
    for part in ["spec", "metadata"] {
        let path = Path {
            text: String::new(),
            field: part.to_owned(),
            secret: Secret::No,
        };
        walk.compare(&path, from.get(part), to.get(part), &Map::new());
    }
    walk.found
}

/// Whether a roll back to this template would change nothing.
pub fn same_template(a: &Value, b: &Value) -> bool {
    differences(a, b).is_empty()
}

/// What is known of the values below a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Secret {
    No,
    /// The value of an environment variable: always hidden.
    Always,
    /// Free text that people put passwords into: hidden where it looks like it.
    IfItLooksLikeOne,
}

#[derive(Clone)]
struct Path {
    text: String,
    /// The last field name, which says how a list below is keyed and what its defaults are.
    field: String,
    secret: Secret,
}

impl Path {
    fn field(&self, name: &str) -> Self {
        let secret = match (self.field.as_str(), name) {
            ("env", "value") => Secret::Always,
            (_, "args" | "command" | "annotations" | "httpHeaders") => Secret::IfItLooksLikeOne,
            _ => self.secret,
        };
        let text = match (self.field.as_str(), name) {
            // The variable is what people know; how its value is given is in the value.
            ("env", "value" | "valueFrom") => self.text.clone(),
            // Names of labels, annotations and resources have dots and slashes of their own.
            ("labels" | "annotations" | "nodeSelector" | "limits" | "requests", _) => {
                format!("{}[{name}]", self.text)
            }
            _ if self.text.is_empty() => name.to_owned(),
            _ => format!("{}.{name}", self.text),
        };
        Self {
            text,
            // The entries of a map of amounts are amounts.
            field: if matches!(self.field.as_str(), "limits" | "requests") {
                self.field.clone()
            } else {
                name.to_owned()
            },
            secret,
        }
    }

    fn item(&self, key: &str) -> Self {
        Self {
            text: format!("{}[{key}]", self.text),
            ..self.clone()
        }
    }
}

struct Walk {
    found: Vec<Difference>,
}

impl Walk {
    fn compare(
        &mut self,
        path: &Path,
        from: Option<&Value>,
        to: Option<&Value>,
        parent: &Map<String, Value>,
    ) {
        let is_absent = |value: Option<&Value>| {
            value.is_none_or(|value| is_default(&path.field, value, parent))
        };
        match (from, to) {
            (Some(a), Some(b)) if a == b || same_amount(&path.field, a, b) => {}
            (Some(Value::Object(a)), Some(Value::Object(b))) => self.objects(path, a, b),
            (Some(Value::Object(a)), None) if may_hold_defaults(path) => {
                self.objects(path, a, &Map::new());
            }
            (None, Some(Value::Object(b))) if may_hold_defaults(path) => {
                self.objects(path, &Map::new(), b);
            }
            (Some(Value::Array(a)), Some(Value::Array(b))) => self.lists(path, a, b),
            (Some(Value::Array(a)), None) => self.lists(path, a, &[]),
            (None, Some(Value::Array(b))) => self.lists(path, &[], b),
            (from, to) if is_absent(from) && is_absent(to) => {}
            (from, to) => self.report(path, from, to),
        }
    }

    fn objects(&mut self, path: &Path, from: &Map<String, Value>, to: &Map<String, Value>) {
        let names: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
        for name in names {
            let parent = if from.contains_key(name) { from } else { to };
            self.compare(&path.field(name), from.get(name), to.get(name), parent);
        }
    }

    fn lists(&mut self, path: &Path, from: &[Value], to: &[Value]) {
        let (Some(before), Some(after)) = (keys(&path.field, from), keys(&path.field, to)) else {
            return self.whole_lists(path, from, to);
        };
        let at = |list: &'_ [Value], wanted: &str| {
            list.iter()
                .find(|item| key(&path.field, item).as_deref() == Some(wanted))
                .cloned()
        };
        let added = after.iter().filter(|key| !before.contains(key));
        for name in before.iter().chain(added) {
            let item = path.item(name);
            match (at(from, name), at(to, name)) {
                (Some(Value::Object(a)), Some(Value::Object(b))) => self.objects(&item, &a, &b),
                (a, b) => self.report(&item, a.as_ref(), b.as_ref()),
            }
        }
        self.order(path, &before, &after);
    }

    /// The order of variables and containers means something, and makes another version.
    fn order(&mut self, path: &Path, before: &[String], after: &[String]) {
        let both = |these: &[String], those: &[String]| -> Vec<String> {
            these
                .iter()
                .filter(|key| those.contains(key))
                .cloned()
                .collect()
        };
        let (before, after) = (both(before, after), both(after, before));
        if before != after {
            let order = |keys: Vec<String>| Value::from(keys.join(", "));
            let path = Path {
                text: format!("{} (order)", path.text),
                field: "order".to_owned(),
                secret: Secret::No,
            };
            self.report(&path, Some(&order(before)), Some(&order(after)));
        }
    }

    fn whole_lists(&mut self, path: &Path, from: &[Value], to: &[Value]) {
        if from != to {
            let list = |items: &[Value]| (!items.is_empty()).then(|| Value::from(items.to_vec()));
            self.report(path, list(from).as_ref(), list(to).as_ref());
        }
    }

    fn report(&mut self, path: &Path, from: Option<&Value>, to: Option<&Value>) {
        let shown = |value: &Value| shown(path, value);
        self.found.push(Difference {
            path: sanitise_line(&path.text, PATH_CHARS),
            from: from.map(shown),
            to: to.map(shown),
        });
    }
}

/// Parts that the server creates in order to put a default into them.
fn may_hold_defaults(path: &Path) -> bool {
    matches!(
        path.field.as_str(),
        "spec"
            | "metadata"
            | "labels"
            | "annotations"
            | "securityContext"
            | "resources"
            | "limits"
            | "requests"
    )
}

fn shown(path: &Path, value: &Value) -> Shown {
    let text = if path.field == "valueFrom" {
        reference(value)
    } else {
        words(value)
    };
    let hidden = match path.secret {
        Secret::Always => true,
        Secret::IfItLooksLikeOne => looks_secret(&path.text) || looks_secret(&text),
        // A reference is a name, and is what one wants to know.
        Secret::No => (path.field == "env" && !is_reference(value)) || holds_variables(value),
    };
    let safe = sanitise_line(&text, VALUE_CHARS);
    if hidden {
        Shown::Hidden(safe)
    } else {
        Shown::Plain(safe)
    }
}

fn is_reference(variable: &Value) -> bool {
    variable.is_object() && variable.get("value").is_none()
}

/// A whole container, or a list of them, has its variables and arguments in it.
fn holds_variables(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(holds_variables),
        Value::Object(map) => map.iter().any(|(name, inner)| {
            matches!(name.as_str(), "env" | "args" | "command") || holds_variables(inner)
        }),
        _ => false,
    }
}

fn looks_secret(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    [
        "passw",
        "secret",
        "token",
        "apikey",
        "api-key",
        "api_key",
        "credential",
        "private",
    ]
    .iter()
    .any(|word| text.contains(word))
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items)
            if items
                .iter()
                .all(|item| item.is_string() || item.is_number()) =>
        {
            let words: Vec<String> = items.iter().map(words).collect();
            words.join(" ")
        }
        Value::Object(map) if map.len() <= 2 && map.contains_key("name") => {
            // A variable or reference by itself: its name is in the path already.
            map.iter()
                .find(|(name, _)| *name != "name")
                .map_or_else(|| words_of_name(map), |(_, inner)| reference(inner))
        }
        other => other.to_string(),
    }
}

fn words_of_name(map: &Map<String, Value>) -> String {
    map.get("name").map(words).unwrap_or_default()
}

/// `secret db/password` for a `valueFrom`.
fn reference(value: &Value) -> String {
    let named = |field: &str, word: &str| {
        let inner = value.get(field)?;
        let name = inner.get("name")?.as_str()?;
        let key = inner.get("key").and_then(Value::as_str).unwrap_or("");
        Some(format!("{word} {name}/{key}"))
    };
    named("secretKeyRef", "secret")
        .or_else(|| named("configMapKeyRef", "configMap"))
        .unwrap_or_else(|| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
}
