//! Label and field selectors of lists and watches.
//!
//! Must never let a selector that it does not understand select everything: it is refused, as the server does.

use serde_json::Value;

use super::answer::Refusal;
use super::json;
use super::kind::Kind;
use super::store::Object;

#[derive(Clone, Debug, Default)]
pub(super) struct Selector {
    labels: Vec<Label>,
    fields: Vec<Field>,
}

#[derive(Clone, Debug)]
enum Label {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

#[derive(Clone, Debug)]
struct Field {
    path: Vec<String>,
    value: String,
    equal: bool,
}

impl Selector {
    pub(super) fn parse(kind: Kind, labels: &str, fields: &str) -> Result<Self, Refusal> {
        Ok(Self {
            labels: requirements(labels).map(label).collect::<Result<_, _>>()?,
            fields: fields
                .split(',')
                .filter(|field| !field.is_empty())
                .map(|text| field(kind, text))
                .collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(super) fn selects(&self, object: &Object) -> bool {
        self.labels.iter().all(|label| label.selects(object)) && self.fields_select(object)
    }

    fn fields_select(&self, object: &Object) -> bool {
        let mut parsed = None;
        self.fields.iter().all(|field| {
            let path: Vec<&str> = field.path.iter().map(String::as_str).collect();
            let equal = match path.as_slice() {
                ["metadata", "name"] => *object.key.name == *field.value,
                ["metadata", "namespace"] => *object.key.namespace == *field.value,
                path => {
                    let value: &Value = parsed.get_or_insert_with(|| object.value());
                    json::text(value, path) == field.value
                }
            };
            equal == field.equal
        })
    }
}

impl Label {
    fn selects(&self, object: &Object) -> bool {
        let among = |name: &str, values: &[String]| {
            object
                .label(name)
                .is_some_and(|label| values.iter().any(|value| value == label))
        };
        match self {
            Self::In(name, values) => among(name, values),
            Self::NotIn(name, values) => !among(name, values),
            Self::Exists(name) => object.label(name).is_some(),
            Self::Absent(name) => object.label(name).is_none(),
        }
    }
}

/// Splits at commas outside of parentheses.
fn requirements(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_u32;
    text.split(move |letter| {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
}

fn label(text: &str) -> Result<Label, Refusal> {
    let name = |name: &str| name.trim().to_owned();
    if let Some((key, values)) = text.split_once(" notin ") {
        return Ok(Label::NotIn(name(key), set(values)?));
    }
    if let Some((key, values)) = text.split_once(" in ") {
        return Ok(Label::In(name(key), set(values)?));
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Ok(Label::NotIn(name(key), vec![name(value)]));
    }
    if let Some((key, value)) = text.split_once('=') {
        return Ok(Label::In(
            name(key),
            vec![name(value.trim_start_matches('='))],
        ));
    }
    if text.contains(char::is_whitespace) {
        return Err(Refusal::bad_request(format!(
            "unable to parse requirement: {text}"
        )));
    }
    match text.strip_prefix('!') {
        Some(key) => Ok(Label::Absent(name(key))),
        None => Ok(Label::Exists(name(text))),
    }
}

fn set(text: &str) -> Result<Vec<String>, Refusal> {
    text.trim()
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
        .map(|inner| {
            inner
                .split(',')
                .map(|value| value.trim().to_owned())
                .collect()
        })
        .ok_or_else(|| Refusal::bad_request("unable to parse requirement: found '' expected: '('"))
}

fn field(kind: Kind, text: &str) -> Result<Field, Refusal> {
    let (name, value, equal) = if let Some((name, value)) = text.split_once("!=") {
        (name, value, false)
    } else if let Some((name, value)) = text.split_once('=') {
        (name, value.trim_start_matches('='), true)
    } else {
        return Err(Refusal::bad_request(format!(
            "invalid field selector: {text}; can't understand '{text}'"
        )));
    };
    let known = matches!(name, "metadata.name" | "metadata.namespace")
        || match kind {
            Kind::Event => matches!(name, "reason" | "type") || name.starts_with("involvedObject."),
            Kind::Pod => matches!(
                name,
                "spec.nodeName" | "spec.restartPolicy" | "status.phase"
            ),
            _ => false,
        };
    if !known {
        return Err(Refusal::bad_request(format!(
            "field label not supported: {name}"
        )));
    }
    Ok(Field {
        path: name.split('.').map(str::to_owned).collect(),
        value: value.to_owned(),
        equal,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::store::Store;
    use super::*;

    fn selected(labels: &str, fields: &str) -> Vec<String> {
        let mut store = Store::new(1);
        for (name, tier, phase) in [("a", "web", "Running"), ("b", "data", "Pending")] {
            store.put(
                Kind::Pod,
                json!({"metadata": {"name": name, "namespace": "shop", "labels": {"tier": tier}},
                    "status": {"phase": phase}}),
            );
        }
        let selector = Selector::parse(Kind::Pod, labels, fields).unwrap();
        store
            .list(Kind::Pod, None)
            .iter()
            .filter(|object| selector.selects(object))
            .map(|object| object.key.name.to_string())
            .collect()
    }

    #[test]
    fn labels_select_by_equality_sets_and_existence() {
        assert_eq!(selected("tier=web", ""), ["a"]);
        assert_eq!(selected("tier!=web", ""), ["b"]);
        assert_eq!(selected("tier in (web, data)", ""), ["a", "b"]);
        assert_eq!(selected("tier notin (web),tier", ""), ["b"]);
        assert_eq!(selected("!tier", ""), Vec::<String>::new());
    }

    #[test]
    fn fields_select_by_name_and_by_what_the_kind_indexes() {
        assert_eq!(selected("", "metadata.name=b"), ["b"]);
        assert_eq!(
            selected("", "status.phase=Running,metadata.namespace=shop"),
            ["a"]
        );
    }

    #[test]
    fn a_selector_that_is_not_understood_is_refused() {
        assert_eq!(
            Selector::parse(Kind::Pod, "", "spec.x=1").unwrap_err().code,
            400
        );
        assert_eq!(
            Selector::parse(Kind::Pod, "tier in", "").unwrap_err().code,
            400
        );
    }
}
