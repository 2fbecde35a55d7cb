//! Reading and editing JSON by path, for objects whose full schema is the client's business and not ours.
//!
//! Paths are slices of keys, because annotation keys contain the `/` that a JSON pointer would need to escape.
//! Must never panic on a surprising shape: what is missing reads as empty, what is in the way is replaced.

use serde_json::{Map, Value};

pub(super) fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

pub(super) fn text<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    at(value, path).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn int(value: &Value, path: &[&str]) -> i64 {
    at(value, path).and_then(Value::as_i64).unwrap_or_default()
}

pub(super) fn flag(value: &Value, path: &[&str]) -> bool {
    at(value, path).and_then(Value::as_bool).unwrap_or_default()
}

/// Makes the path exist as far as objects go, and puts the value at its end.
pub(super) fn set(value: &mut Value, path: &[&str], new: impl Into<Value>) {
    let mut place = value;
    for key in path {
        place = member(place, key);
    }
    *place = new.into();
}

pub(super) fn unset(value: &mut Value, path: &[&str]) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let parent = parents
        .iter()
        .try_fold(value, |value, key| value.get_mut(key));
    if let Some(Value::Object(map)) = parent {
        map.remove(*last);
    }
}

fn member<'a>(value: &'a mut Value, key: &str) -> &'a mut Value {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map.entry(key).or_insert(Value::Null),
        other => other,
    }
}
