//! Files of configuration, valid and invalid. An invalid one begins with what has to be said of it:
//! `#! expect: 3:1 unknown key "themes" in [ui]; did you mean "theme"?`, one line per sentence and nothing besides.

#![expect(clippy::unwrap_used, reason = "what fails here is the report")]

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use windlass::config;

fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/configs")
        .join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn every_valid_file_is_read() {
    let files = files("valid");
    assert!(files.len() >= 5, "there are {} files", files.len());
    for (path, text) in files {
        if let Err(problems) = config::parse(&text, "config.toml") {
            panic!("{}:\n{problems}", path.display());
        }
    }
}

#[test]
fn of_every_invalid_file_exactly_what_is_wrong_is_said() {
    let files = files("invalid");
    assert!(files.len() >= 15, "there are {} files", files.len());
    let mut differ = String::new();
    for (path, text) in files {
        let expected: Vec<String> = text
            .lines()
            .filter_map(|line| line.strip_prefix("#! expect: "))
            .map(|expected| {
                let (at, says) = expected.split_once(' ').unwrap();
                format!("config.toml:{at}: {says}")
            })
            .collect();
        let said = config::parse(&text, "config.toml")
            .map_or_else(|e| e.to_string(), |_| "valid".to_owned());
        if said != expected.join("\n") || expected.is_empty() {
            writeln!(differ, "{}:\n{said}\n", path.display()).unwrap();
        }
    }
    assert!(differ.is_empty(), "said otherwise:\n{differ}");
}

#[test]
fn the_sample_is_valid() {
    assert!(config::parse(config::sample(), "sample").is_ok());
}
