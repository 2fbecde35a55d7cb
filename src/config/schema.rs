//! The description of the keys as a JSON schema, for editors. Made from what the check walks, so the two cannot differ.

use serde_json::{Map, Value, json};

use super::{
    describe::{Empty, Key, Needed, ROOT, SECRET, Shape},
    keys,
};

/// The JSON schema (2020-12) of the configuration.
pub fn schema() -> Value {
    let mut schema = table(ROOT);
    if let Some(fields) = schema.as_object_mut() {
        fields.insert(
            "$schema".to_owned(),
            json!("https://json-schema.org/draft/2020-12/schema"),
        );
        fields.insert("title".to_owned(), json!("windlass configuration"));
    }
    schema
}

fn table(keys: &[Key]) -> Value {
    let properties: Map<String, Value> = keys
        .iter()
        .map(|key| {
            let mut value = of(&key.shape);
            if let Some(fields) = value.as_object_mut() {
                fields.insert("description".to_owned(), json!(key.says));
            }
            (key.name.to_owned(), value)
        })
        .collect();
    let needed: Vec<&str> = keys
        .iter()
        .filter(|key| key.needed == Needed::Yes)
        .map(|key| key.name)
        .collect();
    let mut schema =
        json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if let (Some(fields), false) = (schema.as_object_mut(), needed.is_empty()) {
        fields.insert("required".to_owned(), json!(needed));
    }
    let one_of: Vec<Value> = keys
        .iter()
        .filter(|key| key.needed == Needed::OneOfThese)
        .map(|key| json!({ "required": [key.name] }))
        .collect();
    if let (Some(fields), false) = (schema.as_object_mut(), one_of.is_empty()) {
        fields.insert("oneOf".to_owned(), json!(one_of));
    }
    schema
}

fn of(shape: &Shape) -> Value {
    match shape {
        Shape::Text(_) => json!({ "type": "string" }),
        Shape::Word(words) => json!({ "type": "string", "enum": words }),
        Shape::Yes => json!({ "type": "boolean" }),
        Shape::Whole { least, most } => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Shape::Texts { empty, .. } => {
            let least = usize::from(matches!(empty, Empty::Refused(_)));
            json!({ "type": "array", "items": { "type": "string" }, "minItems": least })
        }
        Shape::Keys => {
            let of_one = json!({ "oneOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": "string" } },
            ] });
            let properties: Map<String, Value> = keys::COMMANDS
                .iter()
                .map(|command| (command.name.to_owned(), of_one.clone()))
                .collect();
            json!({ "type": "object", "properties": properties, "additionalProperties": false })
        }
        Shape::Labels => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        Shape::Table(keys) => table(keys),
        Shape::Named(keys) => json!({ "type": "object", "additionalProperties": table(keys) }),
        Shape::Secret => {
            let mut source = table(SECRET);
            if let Some(fields) = source.as_object_mut() {
                fields.insert("minProperties".to_owned(), json!(1));
                fields.insert("maxProperties".to_owned(), json!(1));
            }
            source
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_says_what_the_check_wants() {
        let schema = schema();
        let at = |pointer: &str| schema.pointer(pointer).cloned().unwrap_or_default();
        assert_eq!(at("/properties/write/properties/minutes/maximum"), 480);
        let environment = "/properties/environments/additionalProperties/properties";
        assert_eq!(
            at(&format!("{environment}/tier/enum")),
            json!(["dev", "staging", "prod"])
        );
        assert_eq!(
            at(&format!("{environment}/prometheus/required")),
            json!(["url"])
        );
        assert_eq!(
            at(&format!(
                "{environment}/prometheus/properties/token/maxProperties"
            )),
            1
        );
        assert_eq!(at("/properties/ui/additionalProperties"), false);
        let metric =
            "/properties/services/additionalProperties/properties/metrics/additionalProperties";
        assert_eq!(at(&format!("{metric}/required")), json!(["good_and_bad"]));
        assert_eq!(
            at(&format!("{metric}/oneOf")),
            json!([{ "required": ["bad"] }, { "required": ["good"] }])
        );
    }
}
