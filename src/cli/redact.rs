//! What must not leave this machine is taken out of text that somebody sends away. Owns what a secret looks like and what
//! stands in its place. Must never let a doubtful word through for the sake of a nicer text: what is cut too much is
//! asked for again, what is sent is gone.

use regex_lite::{Captures, Error, Regex};
use toml::{Table, Value};

use crate::model::text::sanitise_line;

/// Stands where something was.
pub(super) const GONE: &str = "[removed]";

/// A shorter secret would be cut out of ordinary words.
const SHORTEST_KNOWN: usize = 6;

/// Longer lines are cut, after what is in them was looked at as a whole.
const LINE: usize = 4000;

/// Names whose values are secrets, wherever they stand, with what is before and after: `github_token`, `"client-secret":`.
const NAMES: &str = "passwd|password|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|key-data\
|certificate-data|credential";

/// In this order: what takes more with it comes first.
const SHAPES: &[(&str, &str)] = &[
    // Headers, to the end of the string or the line: a value may have several words.
    (
        r#"(?i)((?:authorization|cookie)["']?\s*[:=]\s*\\?["']?)[^"'\\\r\n]+"#,
        "${1}[removed]",
    ),
    (
        r"(?i)\b(bearer|basic)(\s+|%20)[A-Za-z0-9._~+/=-]+",
        "${1}${2}[removed]",
    ),
    // Options of a command.
    (
        r#"(?i)(--[\w-]*(?:passwd|password|passphrase|secret|token|key)\s+)[^\s"']+"#,
        "${1}[removed]",
    ),
    // Whoever logs in by URL. To the last @, since a password may have any character in it.
    (
        r#"([A-Za-z][A-Za-z0-9+.-]*://)[^\s"'<>]*@"#,
        "${1}[removed]@",
    ),
    (
        r#"([A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>?#]*)[?#][^\s"'<>]*"#,
        "${1}?[removed]",
    ),
    (
        r"\b(?:gh[a-z]_|github_pat_|glsa_|glc_|glpat-|xox[a-z]-|npm_|hvs\.|sha256~|sk-|sk_live_|AKIA|ASIA|AIza|k8s-aws-v1\.)[A-Za-z0-9_.=-]+",
        GONE,
    ),
    (r"\beyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)*", GONE),
];

/// Finds secrets by their looks, and those of this machine by their letters.
#[derive(Debug)]
pub(super) struct Redactor {
    known: Vec<String>,
    shapes: Vec<(Regex, &'static str)>,
    /// `name = value`, in every way of quoting.
    pairs: Regex,
    /// Long words without any sense: letters of both cases, and digits. Hashes of commits and images have one case.
    opaque: Regex,
    /// A key under which a secret, or its place, stands.
    name: Regex,
}

impl Redactor {
    /// `known` are secrets that may be in the text, whatever they look like.
    pub(super) fn new(mut known: Vec<String>) -> Result<Self, Error> {
        known.retain(|secret| secret.len() >= SHORTEST_KNOWN);
        // The longest first: one may be the beginning of another.
        known.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let mut shapes = Vec::new();
        for &(shape, instead) in SHAPES {
            shapes.push((Regex::new(shape)?, instead));
        }
        let pairs = format!(
            r#"(?i)((?:{NAMES})[\w-]*\\?["']?\s*[:=]\s*)(\\"[^"]*"|"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'{{\[,;&}}\]][^\s,;&}}\]]*)"#
        );
        Ok(Self {
            known,
            shapes,
            pairs: Regex::new(&pairs)?,
            opaque: Regex::new("[A-Za-z0-9_+=-]{32,}")?,
            name: Regex::new(&format!("(?i)(?:{NAMES})"))?,
        })
    }

    /// Several lines, without anything that a terminal obeys and without anything that looks like a secret.
    pub(super) fn text(&self, text: &str) -> String {
        let mut lines = Vec::new();
        let mut in_block = false;
        for line in text.lines() {
            // What cannot be seen goes first: it could part a token in two.
            let line = sanitise_line(line, line.len()).to_string();
            if in_block || line.contains("-----BEGIN ") {
                if !in_block {
                    lines.push(GONE.to_owned());
                }
                in_block = !line.contains("-----END ");
                continue;
            }
            lines.push(sanitise_line(&self.line(&line), LINE).to_string());
        }
        lines.join("\n")
    }

    fn line(&self, line: &str) -> String {
        let mut line = line.to_owned();
        for secret in &self.known {
            line = line.replace(secret, GONE);
        }
        for (shape, instead) in &self.shapes {
            line = shape.replace_all(&line, *instead).into_owned();
        }
        let line = self.pairs.replace_all(&line, |found: &Captures<'_>| {
            let part = |at| found.get(at).map_or("", |part| part.as_str());
            // A quoted value stays quoted, so that JSON and TOML stay readable.
            let quote = match part(2) {
                value if value.starts_with("\\\"") => "\\\"",
                value if value.starts_with('"') => "\"",
                value if value.starts_with('\'') => "'",
                _ => "",
            };
            format!("{}{quote}{GONE}{quote}", part(1))
        });
        let line = self.opaque.replace_all(&line, |found: &Captures<'_>| {
            let word = found.get(0).map_or("", |word| word.as_str());
            let has = |of: fn(&char) -> bool| word.chars().any(|c| of(&c));
            let is_opaque = has(char::is_ascii_lowercase)
                && has(char::is_ascii_uppercase)
                && has(char::is_ascii_digit);
            match is_opaque {
                true => GONE.to_owned(),
                false => word.to_owned(),
            }
        });
        line.into_owned()
    }

    /// A configuration by its keys: what stands under the name of a secret stays only where it says the place of one, and
    /// comments are gone. `[removed]` also for what a place should not have.
    pub(super) fn configuration(&self, table: &mut Table) {
        for (key, value) in table.iter_mut() {
            match value {
                place if self.name.is_match(key) => only_the_place(place),
                Value::Table(inner) => self.configuration(inner),
                Value::Array(values) => {
                    for inner in values.iter_mut().filter_map(Value::as_table_mut) {
                        self.configuration(inner);
                    }
                }
                _ => {}
            }
        }
    }
}

fn only_the_place(value: &mut Value) {
    let Value::Table(place) = value else {
        *value = Value::String(GONE.to_owned());
        return;
    };
    for (key, value) in place.iter_mut() {
        match (key.as_str(), &mut *value) {
            ("env" | "file", Value::String(_)) => {}
            // A program may be handed its secret as an argument.
            ("command", Value::Array(words)) if words.first().is_some_and(Value::is_str) => {
                for word in words.iter_mut().skip(1) {
                    *word = Value::String(GONE.to_owned());
                }
            }
            _ => *value = Value::String(GONE.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(text: &str) -> String {
        Redactor::new(vec!["hunter2-of-this-machine".to_owned()])
            .unwrap()
            .text(text)
    }

    #[test]
    fn what_looks_like_a_secret_is_gone() {
        for (text, secret) in [
            ("Authorization: Bearer ab.c-12", "ab.c-12"),
            ("authorization=Token one two three", "three"),
            (r#"{"Authorization":"Basic dXNlcjpwYXNz"}"#, "dXNlcjpwYXNz"),
            ("sent bearer q1w2", "q1w2"),
            ("with ghp_0aA and gho_1 ghs_2x ghu_3y", "ghp_0aA"),
            ("with ghp_0aA and gho_1zz", "gho_1zz"),
            ("ghs_22x!", "ghs_22x"),
            ("(ghu_33y)", "ghu_33y"),
            ("github_pat_11A_bc", "11A_bc"),
            ("glsa_abcDEF_12", "abcDEF"),
            ("a eyJhbGciOiJ.eyJzdWI.c2ln b", "c2ln"),
            ("a eyJhbGciOiJ.eyJzdWI.c2ln b", "eyJ"),
            ("password=hunter2", "hunter2"),
            ("DB_PASSWORD: 'two words'", "two words"),
            (r#"{"access_token": "a\"b c"}"#, "b c"),
            (r#"body="{\"token\":\"q1 w2\"}""#, "w2"),
            ("token=abc&x=y", "abc"),
            ("vault login --auth-token q1w2", "q1w2"),
            ("client-key-data: LS0tLS1", "LS0tLS1"),
            ("https://me:pa/ss@w@host.example/x", "pa/ss"),
            ("https://me:pa/ss@w@host.example/x", "me"),
            ("https://host.example/x?sig=q1", "q1"),
            ("seen hunter2-of-this-machine there", "hunter2"),
            ("a Zm9vYmFyQmF6MTIzNDU2Nzg5MGFiY2RlZg b", "Zm9v"),
            // A character that nobody sees does not part it.
            ("gh\u{200b}p_0aAxyz", "0aAxyz"),
            ("pass\u{1b}[0mword=hunter2", "hunter2"),
        ] {
            let left = redacted(text);
            assert!(!left.contains(secret), "{text:?}: {left:?}");
            assert!(left.contains(GONE), "{text:?}: {left:?}");
            assert_eq!(redacted(&left), left, "a second time");
        }
    }

    #[test]
    fn a_key_of_several_lines_is_gone_and_what_follows_stays() {
        let text = "before\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabcd\n-----END RSA PRIVATE KEY-----\nafter";
        assert_eq!(redacted(text), format!("before\n{GONE}\nafter"));
    }

    #[test]
    fn what_helps_stays() {
        for text in [
            "https://prometheus.example:9090/api",
            "commit 3f786850e387550fdab836ed7e6dc881de23001b",
            "image shop/checkout@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "2026-11-27T13:42:07Z  INFO windlass::runtime: environment=prod-eu connected",
            "the server says 401: the login has expired",
            "[environments.prod.prometheus.token]",
        ] {
            assert_eq!(redacted(text), text);
        }
    }

    #[test]
    fn of_a_configuration_the_places_of_secrets_stay_and_secrets_do_not() {
        let mut table: Table = toml::from_str(
            r#"
            # ghost
            [sources.github]
            token = { command = ["pass", "show", "q1w2"] }
            [environments.prod.prometheus]
            url = "https://me:q1w2@host.example/?a=q1w2"
            token = { env = "PROM_TOKEN", value = "q1w2" }
            [environments.prod.alertmanager]
            url = "https://host.example"
            token = "q1w2"
            "#,
        )
        .unwrap();
        let redactor = Redactor::new(Vec::new()).unwrap();
        redactor.configuration(&mut table);
        let text = redactor.text(&toml::to_string(&table).unwrap());
        for gone in ["q1w2", "ghost"] {
            assert!(!text.contains(gone), "{text}");
        }
        for kept in [
            "env = \"PROM_TOKEN\"",
            "\"pass\"",
            "https://[removed]@host.example/",
        ] {
            assert!(text.contains(kept), "{text}");
        }
        toml::from_str::<Table>(&text).unwrap();
    }
}
