//! Finding, reading and reporting tables.

use std::{
    env,
    fmt::Debug,
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use windlass::{
    model::{id::EnvironmentName, rollout::Rollout},
    providers::kubernetes::{map, wire},
};

/// The folder of the orchestrators' tables, or `None`, said aloud.
pub(super) fn root() -> Option<PathBuf> {
    let named = env::var_os("WINDLASS_CONFORMANCE").map(PathBuf::from);
    let root = named
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance"));
    let folder = root.join("orchestrators");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        env::var_os("WINDLASS_REQUIRE").is_none(),
        "conformance tables are required and are not at {}",
        folder.display()
    );
    println!(
        "conformance: DID NOT RUN, no tables at {}",
        folder.display()
    );
    None
}

/// What came out of one table.
pub(super) struct Report {
    table: String,
    ran: usize,
    excepted: Vec<String>,
    failures: Vec<String>,
}

impl Report {
    pub(super) fn new(table: &str) -> Self {
        Self {
            table: table.to_owned(),
            ran: 0,
            excepted: Vec::new(),
            failures: Vec::new(),
        }
    }

    pub(super) fn check<T: PartialEq + Debug>(&mut self, case: &str, got: &T, expected: &T) {
        self.ran += 1;
        if got != expected {
            self.failures.push(format!(
                "{case}\n  expected: {expected:?}\n  got:      {got:?}"
            ));
        }
    }

    pub(super) fn fail(&mut self, case: &str, why: &str) {
        self.ran += 1;
        self.failures.push(format!("{case}\n  {why}"));
    }

    pub(super) fn except(&mut self, case: &str, because: &str) {
        self.excepted.push(format!("{case}: {because}"));
    }

    pub(super) fn finish(self) {
        println!("conformance {}: {} cases", self.table, self.ran);
        if !self.excepted.is_empty() {
            println!(
                "conformance {}: {} exceptions",
                self.table,
                self.excepted.len()
            );
            for exception in &self.excepted {
                println!("  {exception}");
            }
        }
        assert!(
            self.ran + self.excepted.len() > 0,
            "{}: no cases found",
            self.table
        );
        assert!(
            self.failures.is_empty(),
            "{}: {} of {} cases failed\n{}",
            self.table,
            self.failures.len(),
            self.ran,
            self.failures.join("\n")
        );
    }
}

pub(super) fn json(path: &Path) -> Value {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cases of `cases.json`, which is a list.
pub(super) fn cases(folder: &Path) -> Vec<Value> {
    match json(&folder.join("cases.json")) {
        Value::Array(cases) => cases,
        other => panic!("{}: a list of cases, not {other}", folder.display()),
    }
}

/// What to call a case in a report.
pub(super) fn name(case: &Value, nth: usize) -> String {
    let id = case
        .get("id")
        .map_or_else(|| format!("#{nth}"), |id| format!("id {id}"));
    let name = case.get("name").or_else(|| case.get("input"));
    format!("{id} {}", name.and_then(Value::as_str).unwrap_or(""))
}

pub(super) fn yaml(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// An object as it would come from a server: through JSON text.
pub(super) fn decode<T: DeserializeOwned>(object: &Value) -> T {
    let text = serde_json::to_vec(object).unwrap();
    wire::decode(&text).unwrap_or_else(|error| panic!("{error}: {object}"))
}

pub(super) fn kind(object: &Value) -> &str {
    object.get("kind").and_then(Value::as_str).unwrap_or("")
}

pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

pub(super) fn rollout(object: &Value) -> Rollout {
    map::rollout(
        &decode(object),
        &EnvironmentName::new("test"),
        &mut map::Interner::default(),
    )
}

pub(super) fn now() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().unwrap()
}
