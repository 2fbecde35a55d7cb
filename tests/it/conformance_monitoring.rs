//! Exchanges recorded from Prometheus and Alertmanager, in two versions each, their own descriptions of their APIs, and
//! counted time series: run against the two providers.
//!
//! The tables are not part of this project: `WINDLASS_CONFORMANCE` names their folder, by default `../shared/conformance`
//! beside the crate. Without them these tests say that they did not run; with `WINDLASS_REQUIRE` set that is a failure.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout
)]

mod alertmanager;
mod asking;
mod counting;
mod prometheus;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// A folder of the tables, or `None`, said aloud.
fn folder(name: &str) -> Option<PathBuf> {
    let root = env::var_os("WINDLASS_CONFORMANCE").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance"),
        PathBuf::from,
    );
    let folder = root.join(name);
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

fn json(path: &Path) -> Value {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// One request and what was answered.
struct Exchange {
    name: String,
    method: String,
    path: String,
    request: Option<String>,
    status: u16,
    content_type: String,
    body: Vec<u8>,
}

impl Exchange {
    /// Without the server's version.
    fn case(&self) -> &str {
        self.name.split_once('_').unwrap().1
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// All exchanges of a folder whose names begin like this.
fn exchanges(folder: &Path, prefixes: &[&str]) -> Vec<Exchange> {
    let mut all: Vec<Exchange> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            let file = json(&path);
            let text = |pointer: &str| {
                let found = file.pointer(pointer).and_then(Value::as_str);
                found.map(ToOwned::to_owned)
            };
            Exchange {
                name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
                method: text("/request/method").unwrap(),
                path: text("/request/path").unwrap(),
                request: text("/request/body"),
                status: u16::try_from(file["response"]["status"].as_u64().unwrap()).unwrap(),
                content_type: text("/response/headers/Content-Type").unwrap_or_default(),
                body: text("/response/body_text").unwrap().into_bytes(),
            }
        })
        .filter(|one| prefixes.iter().any(|prefix| one.name.starts_with(prefix)))
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!all.is_empty(), "no exchanges in {}", folder.display());
    all
}
