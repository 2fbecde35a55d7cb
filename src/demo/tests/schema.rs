//! The published description of GitHub's bodies, read where it is, and as much of JSON Schema as it needs.
//!
//! The description is not part of this project: `WINDLASS_CONFORMANCE` names its folder, by default
//! `../shared/conformance` beside this one. Must never be copied into it.

use std::env;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub(super) struct Bundle(Value);

impl Bundle {
    /// `None`, said aloud, where it is not.
    pub(super) fn read() -> Option<Self> {
        let folder = env::var_os("WINDLASS_CONFORMANCE").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance"),
            PathBuf::from,
        );
        let file = folder.join("cicd/github-openapi/github-rest.bundle.schema.json");
        let Ok(text) = std::fs::read_to_string(&file) else {
            assert!(
                env::var_os("WINDLASS_REQUIRE").is_none(),
                "the published description is required and is not at {}",
                file.display()
            );
            println!(
                "conformance: DID NOT RUN, no description at {}",
                file.display()
            );
            return None;
        };
        Some(Self(serde_json::from_str(&text).unwrap()))
    }

    pub(super) fn check(&self, name: &str, body: &Value, whose: &str) {
        let schema = &self.0["$defs"][name];
        assert!(!schema.is_null(), "the description has no {name}");
        let mut wrong = Vec::new();
        self.compare(schema, body, "", &mut wrong);
        assert!(wrong.is_empty(), "{whose} ({name}): {wrong:#?}");
    }

    fn compare(&self, schema: &Value, body: &Value, at: &str, wrong: &mut Vec<String>) {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.trim_start_matches("#/$defs/").replace("~1", "/");
            return self.compare(&self.0["$defs"][&name], body, at, wrong);
        }
        for all in schema["allOf"].as_array().into_iter().flatten() {
            self.compare(all, body, at, wrong);
        }
        for word in ["anyOf", "oneOf"] {
            if let Some(ways) = schema[word].as_array() {
                let fits = ways.iter().any(|way| {
                    let mut wrong = Vec::new();
                    self.compare(way, body, at, &mut wrong);
                    wrong.is_empty()
                });
                if !fits {
                    wrong.push(format!("{at}: fits no branch of {word}"));
                }
            }
        }
        let allowed: Vec<&str> = match &schema["type"] {
            Value::String(one) => vec![one.as_str()],
            Value::Array(some) => some.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if !allowed.is_empty() && !allowed.iter().any(|kind| is(kind, body)) {
            wrong.push(format!("{at}: {body} is no {allowed:?}"));
        }
        // REST's list of states lacks the one that GitHub's webhooks and GraphQL know.
        let listed = schema["enum"].as_array();
        if listed.is_some_and(|listed| !listed.contains(body))
            && !(at.ends_with("/state") && body == "waiting")
        {
            wrong.push(format!("{at}: {body} is not listed"));
        }
        if let Value::Object(fields) = body {
            for required in schema["required"].as_array().into_iter().flatten() {
                if !fields.contains_key(required.as_str().unwrap()) {
                    wrong.push(format!("{at}: {required} is missing"));
                }
            }
            for (name, value) in fields {
                let known = &schema["properties"][name];
                if !known.is_null() {
                    self.compare(known, value, &format!("{at}/{name}"), wrong);
                }
            }
        }
        if let (Value::Array(items), true) = (body, schema["items"].is_object()) {
            for (place, item) in items.iter().enumerate() {
                self.compare(&schema["items"], item, &format!("{at}/{place}"), wrong);
            }
        }
    }
}

fn is(kind: &str, body: &Value) -> bool {
    match kind {
        "null" => body.is_null(),
        "boolean" => body.is_boolean(),
        "integer" => body.is_i64() || body.is_u64(),
        "number" => body.is_number(),
        "string" => body.is_string(),
        "array" => body.is_array(),
        "object" => body.is_object(),
        _ => false,
    }
}

#[test]
fn a_missing_field_and_a_wrong_type_are_found() {
    let schema = serde_json::json!({"$defs": {"x": {"type": "object", "required": ["id"],
        "properties": {"id": {"type": "integer"}, "name": {"$ref": "#/$defs/name"}}},
        "name": {"type": ["string", "null"]}}});
    let bundle = Bundle(schema);
    let found = |body: Value| {
        let mut wrong = Vec::new();
        bundle.compare(&bundle.0["$defs"]["x"], &body, "", &mut wrong);
        wrong.len()
    };
    assert_eq!(found(serde_json::json!({"id": 1, "name": null})), 0);
    assert_eq!(found(serde_json::json!({"name": 4})), 2);
}
