//! An object as YAML for a reader: block style, keys in the server's order, texts quoted where YAML would read them as
//! something else. Written only; nothing is ever read back from it.

use std::fmt::Write as _;

use serde_json::Value;

/// Appends `value` to `out`.
pub(super) fn write(value: &Value, out: &mut String) {
    node(value, 0, out, Position::Top);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    Top,
    AfterKey,
    AfterDash,
}

fn node(value: &Value, indent: usize, out: &mut String, position: Position) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            if position == Position::AfterKey {
                out.push('\n');
            }
            for (place, (key, value)) in map.iter().enumerate() {
                if place > 0 || position != Position::AfterDash {
                    out.push_str(&" ".repeat(indent));
                }
                let _ = write!(out, "{}:", text(key));
                child(value, indent + 2, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            if position == Position::AfterKey {
                out.push('\n');
            }
            for item in items {
                out.push_str(&" ".repeat(indent));
                out.push_str("- ");
                node(item, indent + 2, out, Position::AfterDash);
            }
        }
        scalar => {
            let _ = writeln!(out, "{}", plain(scalar));
        }
    }
}

fn child(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => node(value, indent, out, Position::AfterKey),
        // kubectl puts the dashes of a list under its key.
        Value::Array(items) if !items.is_empty() => {
            node(value, indent - 2, out, Position::AfterKey);
        }
        scalar => {
            out.push(' ');
            node(scalar, indent, out, Position::AfterKey);
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(string) => text(string),
        Value::Object(_) => "{}".to_owned(),
        Value::Array(_) => "[]".to_owned(),
        other => other.to_string(),
    }
}

/// Quoted wherever a YAML reader could take it for something else than this text.
fn text(string: &str) -> String {
    let safe_start = string.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_');
    let safe_rest = string
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '@' | '+' | '='));
    let a_word = matches!(
        string.to_ascii_lowercase().as_str(),
        "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n"
    );
    if safe_start && safe_rest && !a_word {
        string.to_owned()
    } else {
        Value::String(string.to_owned()).to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn an_object_reads_like_the_ones_that_kubectl_prints() {
        let mut out = String::new();
        super::write(
            &json!({"kind": "Rollout", "spec": {"replicas": 3, "on": "yes", "steps": [{"setWeight": 25}, {"pause": {}}], "args": ["a: b"]}}),
            &mut out,
        );
        let expected = "kind: Rollout\nspec:\n  args:\n  - \"a: b\"\n  \"on\": \"yes\"\n  replicas: 3\n  steps:\n  - setWeight: 25\n  - pause: {}\n";
        assert_eq!(out, expected);
    }
}
