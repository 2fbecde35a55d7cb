//! Other names for what a company calls its things: `name-1`, `name-2`, the same for the same name throughout a text. Owns
//! which words are names. Must never be relied on for a secret: a name that nothing says is one stays.

use std::collections::BTreeSet;

use regex_lite::{Error, Regex};
use serde_json::Value;

use crate::model::id::WorkloadKind;

/// Whose values are names: of environments, namespaces, services, people and hosts.
const KEYS: &str = "environment|environments|services|env|namespace|namespaces|service|name|workload|context|user|who|groups|host\
|server|repository|workflow|github|alerts|release|source";

/// Said by everybody, and telling nothing of anybody.
const COMMON: &[&str] = &[
    "localhost",
    "127.0.0.1",
    "0.0.0.0",
    "github.com",
    "api.github.com",
    "root",
];

/// What the keys of our own configuration begin with: they have dots, and are no hosts.
const OUR_KEYS: &[&str] = &[
    "environments.",
    "services.",
    "sources.",
    "metrics.",
    "keys.",
    "ui.",
];

/// Names in the order in which they were met; that is their number.
#[derive(Debug)]
pub(super) struct Aliases {
    met: Vec<String>,
    seen: BTreeSet<String>,
    keys: Vec<&'static str>,
    shapes: Vec<Regex>,
}

impl Aliases {
    pub(super) fn new() -> Result<Self, Error> {
        let kinds = "argo-rollout|deployment|statefulset|daemonset";
        let shapes = [
            r#"://([^\s"'<>/:?#@\[\]]+)"#.to_owned(),
            r"\b([A-Za-z0-9._+-]+@[A-Za-z0-9.-]+)".to_owned(),
            r"\b([0-9]{1,3}(?:\.[0-9]{1,3}){3})\b".to_owned(),
            r"\b([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\.[A-Za-z]{2,})\b".to_owned(),
            format!(r#"\b(?:{KEYS})="?([^\s",}}\]]+)"#),
            format!(r"([\w.-]+/[\w.-]+)/(?:{kinds})/[\w.-]+"),
            format!(r"/(?:{kinds})/([\w.-]+)"),
            r#"/namespaces/([^/\s"?]+)"#.to_owned(),
        ];
        let mut ready = Vec::new();
        for shape in shapes {
            ready.push(Regex::new(&shape)?);
        }
        Ok(Self {
            met: Vec::new(),
            seen: BTreeSet::new(),
            keys: KEYS.split('|').collect(),
            shapes: ready,
        })
    }

    /// A name, or several parted by slashes: `shop/argo-rollout/checkout`.
    pub(super) fn note(&mut self, name: &str) {
        for part in name.split('/') {
            let is_name = part.len() > 1
                && part.chars().any(char::is_alphabetic) | part.contains('.')
                && !part.contains(super::redact::GONE)
                && WorkloadKind::from_word(part).is_none()
                && !COMMON.contains(&part)
                && !OUR_KEYS.iter().any(|key| part.starts_with(key));
            if is_name && self.seen.insert(part.to_owned()) {
                self.met.push(part.to_owned());
            }
        }
    }

    /// What has the key of a name in it.
    pub(super) fn note_values(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    if self.keys.contains(&key.as_str()) {
                        self.note_under(key, value);
                    }
                    self.note_values(value);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.note_values(value)),
            _ => {}
        }
    }

    fn note_under(&mut self, key: &str, value: &Value) {
        match value {
            Value::String(name) => self.note(name),
            Value::Array(values) => values.iter().for_each(|value| self.note_under("", value)),
            // A table of environments or services has them as its keys, and that of alerts has labels as its values.
            Value::Object(fields) if matches!(key, "environments" | "services") => {
                fields.keys().for_each(|name| self.note(name));
            }
            Value::Object(fields) if key == "alerts" => {
                fields.values().for_each(|value| self.note_under("", value));
            }
            _ => {}
        }
    }

    /// What looks like a host or a person, or is said to be a name.
    pub(super) fn note_text(&mut self, text: &str) {
        let found: Vec<String> = self
            .shapes
            .iter()
            .flat_map(|shape| shape.captures_iter(text))
            .filter_map(|found| Some(found.get(1)?.as_str().to_owned()))
            .collect();
        for name in &found {
            self.note(name);
        }
    }

    /// With every name by its number, where it stands as a word or as a part of one between hyphens or dots.
    pub(super) fn replace(&self, text: &str) -> String {
        let mut names: Vec<(usize, &String)> = self.met.iter().enumerate().collect();
        names.sort_by_key(|(_, name)| std::cmp::Reverse(name.len()));
        let mut replaced = String::with_capacity(text.len());
        let mut rest = text;
        let mut in_word = false;
        while let Some(next) = rest.chars().next() {
            let found = names.iter().find_map(|(number, name)| {
                let after = rest.strip_prefix(name.as_str())?;
                let ends = !after.starts_with(char::is_alphanumeric);
                (!in_word && ends).then_some((number, after))
            });
            if let Some((number, after)) = found {
                replaced.push_str(&format!("name-{}", number + 1));
                rest = after;
                in_word = true;
            } else {
                replaced.push(next);
                rest = rest.strip_prefix(next).unwrap_or_default();
                in_word = next.is_alphanumeric();
            }
        }
        replaced
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_has_one_number_wherever_it_stands() {
        let mut aliases = Aliases::new().unwrap();
        aliases.note("prod-eu/shop/argo-rollout/shop-api");
        assert_eq!(
            aliases.replace("prod-eu: shop-api-7d9 in shop, not in workshop; prod-eu/shop"),
            "name-1: name-3-7d9 in name-2, not in workshop; name-1/name-2"
        );
    }

    #[test]
    fn names_are_found_by_their_keys_and_by_their_looks() {
        let mut aliases = Aliases::new().unwrap();
        aliases.note_values(&json!({
            "environments": { "blue": { "tier": "prod", "namespaces": ["green"], "prometheus": { "url": "x" } } },
            "target": { "env": "red", "name": "white" },
            "sources": { "github": { "host": "black" } },
        }));
        aliases.note_text(
            "environments.blue.prometheus https://grey.example:80/x 10.1.2.3 jo@pink.org a.b.example.org namespace=brown /namespaces/gold/pods",
        );
        for name in [
            "blue",
            "green",
            "red",
            "white",
            "black",
            "grey.example",
            "10.1.2.3",
            "jo@pink.org",
            "a.b.example.org",
            "brown",
            "gold",
        ] {
            assert!(aliases.replace(name).starts_with("name-"), "{name}");
        }
        assert_eq!(
            aliases.replace("[environments.blue.prometheus]"),
            "[environments.name-1.prometheus]"
        );
        for word in ["tier", "prod", "prometheus", "https", "namespaces", "pods"] {
            assert_eq!(aliases.replace(word), word);
        }
    }
}
