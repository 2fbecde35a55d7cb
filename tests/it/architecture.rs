//! Holds the source to its own rules: which way imports point, who may start tasks, who may look at the clock, and that
//! every module says what it owns.
//!
//! It reads the text of `src`, without comments, literals and what is compiled for tests only. It follows `crate::`,
//! `super::` and `self::` paths, in `use` trees and in the middle of code, and knows nothing about types: a rule that
//! needs to know more belongs into a visibility, not in here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Who may know whom. Whoever is not in here knows everybody.
const KNOWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("ops", &["model"]),
    ("config", &["model"]),
    ("app", &["model", "ops", "config"]),
    ("ui", &["app", "ops", "model"]),
    ("providers", &["model", "ops", "config"]),
    ("demo", &[]),
];

/// Nobody may know the command line but itself: it is the outermost layer, and `main` is its only caller.
const OUTERMOST: &str = "cli";

/// Long files that are one thing, and why cutting them would not make them easier to read.
const LONG: &[(&str, &str)] = &[
    (
        "ops/machine.rs",
        "one state machine: its transitions are read together or not at all",
    ),
    (
        "providers/kubernetes/act.rs",
        "a plan's way from the read to the request and back: one sequence for every verb",
    ),
];

const LINES: usize = 500;

/// Where tasks are started: they must end with whoever started them, and only these own a loop that can see to it.
const MAY_SPAWN: &[&str] = &["runtime/", "cli/", "demo/"];

/// Single calls elsewhere, with the reason.
const SPAWNS: &[(&str, &str)] = &[(
    "config/secret.rs",
    "a secret's file may lie on a file system that hangs; it is read on a thread that is waited for",
)];

struct Source {
    /// Under `src`, with slashes.
    path: String,
    text: String,
    tokens: Vec<Token>,
    /// Modules of this one that exist in tests only.
    test_modules: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Token {
    line: usize,
    text: String,
}

#[test]
fn imports_point_down_only() {
    let mut wrong = Vec::new();
    for source in sources() {
        let here = module_of(&source.path);
        let Some(layer) = here.first() else { continue };
        for (line, path) in references(&source.tokens, &here) {
            let Some(other) = path.first() else { continue };
            if other == layer {
                if layer == "providers" && here.len() > 1 && crosses(&here, &path) {
                    wrong.push(format!(
                        "{}:{line}: one provider knows another: {}",
                        source.path,
                        path.join("::")
                    ));
                }
                continue;
            }
            let allowed = KNOWS
                .iter()
                .find(|(name, _)| name == layer)
                .is_none_or(|(_, knows)| knows.contains(&other.as_str()));
            if !allowed || other == OUTERMOST {
                wrong.push(format!(
                    "{}:{line}: {layer} must not know {other}: {}",
                    source.path,
                    path.join("::")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn tasks_and_threads_are_started_by_whoever_ends_them() {
    let mut wrong = Vec::new();
    for source in sources() {
        let known = SPAWNS.iter().any(|(path, _)| *path == source.path);
        if known || MAY_SPAWN.iter().any(|place| source.path.starts_with(place)) {
            continue;
        }
        for at in 0..source.tokens.len() {
            let token = &source.tokens[at];
            let spawns = match token.text.as_str() {
                "spawn_local" | "spawn_blocking" => true,
                "spawn" => ["tokio", "task", "thread"].contains(&qualifier(&source.tokens, at)),
                _ => false,
            };
            if spawns {
                wrong.push(format!("{}:{}: {}", source.path, token.line, token.text));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn only_the_runtime_and_the_demo_look_at_the_clock() {
    let mut wrong = Vec::new();
    for source in sources() {
        if source.path.starts_with("runtime/") || source.path.starts_with("demo/") {
            continue;
        }
        // A deadline of a request is measured where the request is awaited, with the clock that tests can hold.
        let may_time = source.path.starts_with("providers/") || source.path.starts_with("cli/");
        let tokio = imports_of(&source.tokens).contains("tokio::time::Instant");
        for at in 0..source.tokens.len() {
            let token = &source.tokens[at];
            if token.text != "now" {
                continue;
            }
            let looks = match qualifier(&source.tokens, at) {
                "Timestamp" | "SystemTime" | "Zoned" | "Utc" | "Local" => true,
                "Instant" => !(may_time && tokio),
                _ => false,
            };
            if looks {
                wrong.push(format!(
                    "{}:{}: {}::now",
                    source.path,
                    token.line,
                    qualifier(&source.tokens, at)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_module_says_what_it_owns() {
    let wrong: Vec<_> = sources()
        .into_iter()
        .filter(|source| !source.text.starts_with("//!"))
        .map(|source| source.path)
        .collect();
    assert!(wrong.is_empty(), "without a first line //!: {wrong:?}");
}

#[test]
fn files_stay_short() {
    let mut wrong = Vec::new();
    for source in sources() {
        // The tests at the end of a file are read by themselves.
        let lines = source
            .text
            .lines()
            .take_while(|line| *line != "#[cfg(test)]")
            .count();
        if lines > LINES && !LONG.iter().any(|(path, _)| *path == source.path) {
            wrong.push(format!("{}: {lines} lines", source.path));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_exception_outlives_its_file() {
    let paths: BTreeSet<_> = sources().into_iter().map(|source| source.path).collect();
    for (path, why) in LONG.iter().chain(SPAWNS) {
        assert!(paths.contains(*path), "{path} is gone");
        assert!(!why.is_empty());
    }
}

#[test]
fn the_reader_sees_through_groups_parents_and_what_is_no_code() {
    let text = r##"
        use super::{a::{B, c::D}, super::e as f};
        // use crate::comment;
        const S: &str = "crate::string"; const R: &str = r#"a " crate::raw"#; const C: char = '"';
        fn x<'a>() { crate::code::y::<u8>(); }
        mod inner { use super::z; }
        #[cfg(test)] mod tests { use crate::only_in_tests; }
        #[cfg(test)]
        mod far;
        pub(crate) fn last() {}
    "##;
    let (tokens, tests) = without_tests(&tokens(text));
    let here = ["m".to_owned(), "n".to_owned()];
    let found: Vec<_> = references(&tokens, &here)
        .into_iter()
        .map(|(_, path)| path.join("::"))
        .collect();
    assert_eq!(found, ["m::a::B", "m::a::c::D", "e", "code::y", "m::n::z"]);
    assert_eq!(tests, ["tests", "far"]);
}

/// What serves all providers although it is a folder: it knows none of them.
const FOR_ALL_PROVIDERS: &str = "http";

/// `providers::one` and `providers::other`. What lies next to the folders serves all of them.
fn crosses(here: &[String], path: &[String]) -> bool {
    let (Some(mine), Some(other)) = (here.get(1), path.get(1)) else {
        return false;
    };
    mine != other && other != FOR_ALL_PROVIDERS && root().join("providers").join(other).is_dir()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Everything under `src` that is not compiled for tests only.
fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    collect(&root(), &mut paths);
    let mut all: Vec<Source> = paths
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).unwrap();
            let (tokens, test_modules) = without_tests(&tokens(&text));
            let path = path.strip_prefix(root()).unwrap();
            Source {
                path: path.to_str().unwrap().replace('\\', "/"),
                text,
                tokens,
                test_modules,
            }
        })
        .collect();
    let tests: Vec<Vec<String>> = all
        .iter()
        .flat_map(|source| {
            let here = module_of(&source.path);
            source.test_modules.iter().map(move |name| {
                let mut module = here.clone();
                module.push(name.clone());
                module
            })
        })
        .collect();
    all.retain(|source| {
        let module = module_of(&source.path);
        // `#[path]` gives a module's tests a name of their own next to it.
        !source.path.ends_with("tests.rs") && !tests.iter().any(|test| module.starts_with(test))
    });
    assert!(all.len() > 100, "where is the source?");
    all
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|end| end == "rs") {
            paths.push(path);
        }
    }
    paths.sort();
}

/// `a/b/mod.rs` and `a/b.rs` are both `a::b`.
fn module_of(path: &str) -> Vec<String> {
    let stem = path.trim_end_matches(".rs");
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    match stem {
        "lib" | "main" => Vec::new(),
        _ => stem.split('/').map(str::to_owned).collect(),
    }
}

/// Identifiers and punctuation; `::` is one token. Comments and literals are left out.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    let is = |at: usize, c: char| chars.get(at) == Some(&c);
    while let Some(&c) = chars.get(at) {
        let start = at;
        if c == '/' && is(at + 1, '/') {
            while at < chars.len() && !is(at, '\n') {
                at += 1;
            }
        } else if c == '/' && is(at + 1, '*') {
            let mut depth = 0;
            loop {
                if is(at, '/') && is(at + 1, '*') {
                    depth += 1;
                    at += 2;
                } else if is(at, '*') && is(at + 1, '/') {
                    depth -= 1;
                    at += 2;
                } else {
                    at += 1;
                }
                if depth == 0 || at >= chars.len() {
                    break;
                }
            }
        } else if c == '"' {
            at = after_string(&chars, at);
        } else if c == '\'' {
            at = after_quote(&chars, at);
        } else if c.is_alphabetic() || c == '_' {
            while chars
                .get(at)
                .is_some_and(|c| c.is_alphanumeric() || *c == '_')
            {
                at += 1;
            }
            let word: String = chars[start..at].iter().collect();
            let raw = word.ends_with('r') && word.len() <= 2 && (is(at, '"') || is(at, '#'));
            if raw && let Some(end) = after_raw_string(&chars, at) {
                at = end;
            } else {
                found.push(Token { line, text: word });
            }
        } else if c == ':' && is(at + 1, ':') {
            at += 2;
            found.push(Token {
                line,
                text: "::".to_owned(),
            });
        } else {
            at += 1;
            if !c.is_whitespace() {
                found.push(Token {
                    line,
                    text: c.to_string(),
                });
            }
        }
        line += chars[start..at.min(chars.len())]
            .iter()
            .filter(|c| **c == '\n')
            .count();
    }
    found
}

fn after_string(chars: &[char], mut at: usize) -> usize {
    at += 1;
    while let Some(c) = chars.get(at) {
        match c {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// A character, or the tick of a lifetime.
fn after_quote(chars: &[char], at: usize) -> usize {
    if chars.get(at + 1) == Some(&'\\') {
        let mut end = at + 3;
        while chars.get(end).is_some_and(|c| *c != '\'') {
            end += 1;
        }
        end + 1
    } else if chars.get(at + 2) == Some(&'\'') {
        at + 3
    } else {
        at + 1
    }
}

fn after_raw_string(chars: &[char], mut at: usize) -> Option<usize> {
    let mut hashes = 0;
    while chars.get(at) == Some(&'#') {
        hashes += 1;
        at += 1;
    }
    if chars.get(at) != Some(&'"') {
        return None;
    }
    at += 1;
    while at < chars.len() {
        let closes = chars[at] == '"'
            && chars[at + 1..]
                .iter()
                .take(hashes)
                .filter(|c| **c == '#')
                .count()
                == hashes;
        at += 1;
        if closes {
            return Some(at + hashes);
        }
    }
    Some(at)
}

/// Leaves out every item under `#[cfg(test)]`, and says which modules were among them.
fn without_tests(tokens: &[Token]) -> (Vec<Token>, Vec<String>) {
    let texts: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    let (mut kept, mut modules, mut at) = (Vec::new(), Vec::new(), 0);
    while at < tokens.len() {
        if texts[at..].starts_with(&["#", "[", "cfg", "(", "test", ")", "]"]) {
            at += 7;
            if let Some(name) = texts[at..]
                .iter()
                .position(|text| *text == "mod")
                .filter(|place| *place < 6)
            {
                modules.push(texts[at + name + 1].to_owned());
            }
            at = after_item(&texts, at);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    (kept, modules)
}

/// Behind the `;` or the closing brace that ends an item.
fn after_item(texts: &[&str], mut at: usize) -> usize {
    let mut depth = 0;
    while let Some(text) = texts.get(at) {
        at += 1;
        match *text {
            "{" | "(" | "[" => depth += 1,
            "}" => {
                depth -= 1;
                if depth == 0 && !matches!(texts.get(at), Some(&";")) {
                    return at;
                }
            }
            ")" | "]" => depth -= 1,
            ";" if depth == 0 => return at,
            _ => {}
        }
    }
    at
}

/// `tokio` in `tokio::spawn`.
fn qualifier(tokens: &[Token], at: usize) -> &str {
    match at {
        2.. if tokens[at - 1].text == "::" => &tokens[at - 2].text,
        _ => "",
    }
}

/// Every path that begins in this crate, from the crate's root, with its line.
fn references(tokens: &[Token], here: &[String]) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    // Inline modules that are open, and how many braces were open when each began.
    let mut inline: Vec<(String, usize)> = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                if inline.last().is_some_and(|(_, opened)| *opened == depth) {
                    inline.pop();
                }
            }
            "mod" if tokens.get(at + 2).is_some_and(|token| token.text == "{") => {
                inline.push((tokens[at + 1].text.clone(), depth));
            }
            "crate" | "super" | "self"
                if qualifier(tokens, at).is_empty()
                    && tokens.get(at + 1).is_some_and(|next| next.text == "::") =>
            {
                let mut paths = Vec::new();
                at = tree(tokens, at, &[], &mut paths);
                let mut module = here.to_vec();
                module.extend(inline.iter().map(|(name, _)| name.clone()));
                let line = token.line;
                found.extend(
                    paths
                        .into_iter()
                        .map(|path| (line, absolute(&path, &module)))
                        .filter(|(_, path)| !path.is_empty()),
                );
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Reads a path or a `use` tree that begins at `at`; answers where it ends.
fn tree(tokens: &[Token], mut at: usize, prefix: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let mut path = prefix.to_vec();
    while let Some(token) = tokens.get(at) {
        if token.text == "{" {
            at += 1;
            while tokens.get(at).is_some_and(|token| token.text != "}") {
                at = match tokens[at].text.as_str() {
                    "," => at + 1,
                    "as" => at + 2,
                    _ => tree(tokens, at, &path, paths),
                };
            }
            return at + 1;
        }
        if token
            .text
            .starts_with(|c: char| c.is_alphabetic() || c == '_')
        {
            path.push(token.text.clone());
        }
        at += 1;
        if tokens.get(at).is_none_or(|next| next.text != "::") {
            break;
        }
        at += 1;
        // `::<T>` ends what can be a module.
        if tokens.get(at).is_some_and(|next| next.text == "<") {
            break;
        }
    }
    paths.push(path);
    at
}

fn absolute(path: &[String], module: &[String]) -> Vec<String> {
    let mut base = module.to_vec();
    let mut rest = path;
    if let Some(("crate", after)) = split(rest) {
        base.clear();
        rest = after;
    }
    while let Some((word @ ("super" | "self"), after)) = split(rest) {
        if word == "super" {
            base.pop();
        }
        rest = after;
    }
    base.extend(rest.iter().cloned());
    base
}

fn split(path: &[String]) -> Option<(&str, &[String])> {
    path.split_first()
        .map(|(first, rest)| (first.as_str(), rest))
}

/// Full paths of everything that is imported, from other crates too.
fn imports_of(tokens: &[Token]) -> BTreeSet<String> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        if tokens[at].text == "use" {
            tree(tokens, at + 1, &[], &mut found);
        }
    }
    found.into_iter().map(|path| path.join("::")).collect()
}
