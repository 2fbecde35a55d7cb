//! GitHub's own examples, webhook payloads, recorded traffic and interface description, run against the provider.
//!
//! None of them is part of this project: `WINDLASS_CONFORMANCE` names their folder, by default `../shared/conformance`
//! beside the crate. Without them these tests say that they did not run; with `WINDLASS_REQUIRE` set that is a failure.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod described;
mod recorded;
mod said;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// The folder of the CI hosts' data, or `None`, said aloud.
fn root() -> Option<PathBuf> {
    let named = env::var_os("WINDLASS_CONFORMANCE").map(PathBuf::from);
    let root = named
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance"));
    let folder = root.join("cicd");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        env::var_os("WINDLASS_REQUIRE").is_none(),
        "conformance data is required and is not at {}",
        folder.display()
    );
    println!("conformance: DID NOT RUN, no data at {}", folder.display());
    None
}

fn json(path: &Path) -> Value {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All JSON files of a folder, by name.
fn files(folder: &Path) -> Vec<(String, Value)> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{}: no files", folder.display());
    paths
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, json(path))
        })
        .collect()
}

/// All failures of a table at once.
#[derive(Default)]
struct Report {
    ran: usize,
    failures: Vec<String>,
}

impl Report {
    fn check(&mut self, case: &str, holds: bool, why: impl FnOnce() -> String) {
        self.ran += 1;
        if !holds {
            self.failures.push(format!("{case}: {}", why()));
        }
    }

    fn finish(self, table: &str, least: usize) {
        println!("conformance {table}: {} checks", self.ran);
        assert!(
            self.ran >= least,
            "{table}: only {} checks of at least {least}",
            self.ran
        );
        assert!(
            self.failures.is_empty(),
            "{table}: {} of {} failed\n{}",
            self.failures.len(),
            self.ran,
            self.failures.join("\n")
        );
    }
}
