//! The three ways to patch: RFC 7386 merge, RFC 6902 operations, and the strategic merge of built-in kinds.
//!
//! Pure. Must never look at who may patch what, or at versions: `write` does.

use serde_json::{Map, Value};

/// The patch cannot be applied; the server does not say more than that either.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unprocessable;

pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    let map = object(target);
    for (key, value) in patch {
        if value.is_null() {
            map.remove(key);
        } else {
            merge(map.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// As far as workloads go: lists whose items have a merge key are merged by it, all others are replaced.
pub(super) fn strategic(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if patch.get("$patch").and_then(Value::as_str) == Some("replace") {
        let mut whole = patch.clone();
        whole.remove("$patch");
        *target = Value::Object(whole);
        return;
    }
    let map = object(target);
    for (key, value) in patch {
        match (value, merge_key(key)) {
            (Value::Null, _) => {
                map.remove(key);
            }
            (Value::Array(items), Some(by)) => {
                merge_list(map.entry(key).or_insert(Value::Null), items, by);
            }
            _ => strategic(map.entry(key).or_insert(Value::Null), value),
        }
    }
}

/// From the struct tags of k8s.io/api: patchStrategy=merge, patchMergeKey=...
fn merge_key(list: &str) -> Option<&'static str> {
    match list {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "env"
        | "volumes"
        | "imagePullSecrets" => Some("name"),
        "ports" => Some("containerPort"),
        "volumeMounts" => Some("mountPath"),
        "conditions" => Some("type"),
        "ownerReferences" => Some("uid"),
        _ => None,
    }
}

fn merge_list(target: &mut Value, patch: &[Value], by: &str) {
    if !target.is_array() {
        *target = Value::Array(Vec::new());
    }
    let Value::Array(list) = target else { return };
    for item in patch {
        let same = |other: &Value| other.get(by).is_some() && other.get(by) == item.get(by);
        if item.get("$patch").and_then(Value::as_str) == Some("delete") {
            list.retain(|other| !same(other));
        } else if let Some(place) = list.iter_mut().find(|other| same(other)) {
            strategic(place, item);
        } else {
            list.push(item.clone());
        }
    }
}

fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        // Just made one.
        _ => unreachable!("a value that was made an object is an object"),
    }
}

/// Applies all operations or none.
pub(super) fn operations(target: &mut Value, patch: &Value) -> Result<(), Unprocessable> {
    let mut work = target.clone();
    for operation in patch.as_array().ok_or(Unprocessable)? {
        apply(&mut work, operation)?;
    }
    *target = work;
    Ok(())
}

fn apply(target: &mut Value, operation: &Value) -> Result<(), Unprocessable> {
    let part = |name: &str| operation.get(name).and_then(Value::as_str);
    let path = part("path").ok_or(Unprocessable)?;
    let value = || operation.get("value").cloned().ok_or(Unprocessable);
    match part("op").ok_or(Unprocessable)? {
        "test" => {
            let found = target.pointer(path).unwrap_or(&Value::Null);
            if *found == value()? {
                Ok(())
            } else {
                Err(Unprocessable)
            }
        }
        "replace" => {
            *target.pointer_mut(path).ok_or(Unprocessable)? = value()?;
            Ok(())
        }
        "add" => add(target, path, value()?),
        "remove" => remove(target, path).map(drop),
        "copy" => {
            let from = part("from").ok_or(Unprocessable)?;
            let copied = target.pointer(from).cloned().ok_or(Unprocessable)?;
            add(target, path, copied)
        }
        "move" => {
            let from = part("from").ok_or(Unprocessable)?;
            let moved = remove(target, from)?;
            add(target, path, moved)
        }
        _ => Err(Unprocessable),
    }
}

fn parent<'a>(target: &'a mut Value, path: &str) -> Result<(&'a mut Value, String), Unprocessable> {
    let (parent, last) = path.rsplit_once('/').ok_or(Unprocessable)?;
    let key = last.replace("~1", "/").replace("~0", "~");
    Ok((target.pointer_mut(parent).ok_or(Unprocessable)?, key))
}

fn add(target: &mut Value, path: &str, value: Value) -> Result<(), Unprocessable> {
    if path.is_empty() {
        *target = value;
        return Ok(());
    }
    match parent(target, path)? {
        (Value::Object(map), key) => {
            map.insert(key, value);
        }
        (Value::Array(list), key) if key == "-" => list.push(value),
        (Value::Array(list), key) => {
            let index: usize = key.parse().map_err(|_| Unprocessable)?;
            if index > list.len() {
                return Err(Unprocessable);
            }
            list.insert(index, value);
        }
        _ => return Err(Unprocessable),
    }
    Ok(())
}

fn remove(target: &mut Value, path: &str) -> Result<Value, Unprocessable> {
    match parent(target, path)? {
        (Value::Object(map), key) => map.remove(&key).ok_or(Unprocessable),
        (Value::Array(list), key) => {
            let index: usize = key.parse().map_err(|_| Unprocessable)?;
            if index < list.len() {
                Ok(list.remove(index))
            } else {
                Err(Unprocessable)
            }
        }
        _ => Err(Unprocessable),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_merge_patch_replaces_lists_and_removes_nulls() {
        let mut value = json!({"a": [1, 2], "b": {"c": 1, "d": 2}});
        merge(
            &mut value,
            &json!({"a": [3], "b": {"c": null, "e": {"f": null, "g": 1}}}),
        );
        assert_eq!(value, json!({"a": [3], "b": {"d": 2, "e": {"g": 1}}}));
    }

    #[test]
    fn a_strategic_merge_finds_containers_by_name() {
        let mut value = json!({"containers": [{"name": "app", "image": "a:1", "env": [{"name": "X", "value": "1"}]},
            {"name": "proxy", "image": "p:1"}], "args": ["a"]});
        strategic(
            &mut value,
            &json!({"containers": [{"name": "app", "image": "a:2"}, {"name": "proxy", "$patch": "delete"}],
                "args": ["b"]}),
        );
        assert_eq!(
            value,
            json!({"containers": [{"name": "app", "image": "a:2", "env": [{"name": "X", "value": "1"}]}],
                "args": ["b"]})
        );
        strategic(
            &mut value,
            &json!({"args": null, "containers": [{"name": "new", "image": "n:1"}]}),
        );
        assert_eq!(value.pointer("/containers/1/name"), Some(&json!("new")));
        assert_eq!(value.get("args"), None);
        strategic(&mut value, &json!({"$patch": "replace", "only": true}));
        assert_eq!(value, json!({"only": true}));
    }

    #[test]
    fn operations_apply_all_or_nothing() {
        let before = json!({"metadata": {"annotations": {"a/b": "1"}}, "list": [1, 3]});
        let mut value = before.clone();
        let patch = json!([
            {"op": "test", "path": "/metadata/annotations/a~1b", "value": "1"},
            {"op": "remove", "path": "/metadata/annotations/a~1b"},
            {"op": "add", "path": "/list/1", "value": 2},
            {"op": "add", "path": "/list/-", "value": 4},
            {"op": "replace", "path": "/list/0", "value": 0}
        ]);
        assert_eq!(operations(&mut value, &patch), Ok(()));
        assert_eq!(
            value,
            json!({"metadata": {"annotations": {}}, "list": [0, 2, 3, 4]})
        );
        let mut value = before.clone();
        let patch = json!([{"op": "add", "path": "/x", "value": 1},
            {"op": "replace", "path": "/missing", "value": 1}]);
        assert_eq!(operations(&mut value, &patch), Err(Unprocessable));
        assert_eq!(value, before);
    }
}
