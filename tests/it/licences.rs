//! Every dependency's licence is one of those that were looked at, and why each of them is fine in an Apache-2.0 program.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::{collections::BTreeMap, process::Command};

const ALLOWED: &[(&str, &str)] = &[
    ("MIT", "permissive; its notice is kept"),
    ("MIT-0", "MIT without the notice"),
    ("Apache-2.0", "our own"),
    (
        "Apache-2.0 WITH LLVM-exception",
        "our own, with one more permission",
    ),
    ("BSD-2-Clause", "permissive; its notice is kept"),
    ("BSD-3-Clause", "permissive; its notice is kept"),
    ("ISC", "permissive; its notice is kept"),
    ("Zlib", "permissive"),
    ("0BSD", "permissive, without a notice"),
    ("BSL-1.0", "permissive; no notice in binaries"),
    ("Unlicense", "public domain"),
    ("CC0-1.0", "public domain"),
    ("Unicode-3.0", "permissive; for the tables of Unicode"),
    ("MPL-2.0", "per file; its files are used unchanged"),
    (
        "CDLA-Permissive-2.0",
        "permissive; for the list of root certificates",
    ),
];

fn is_allowed(licence: &str) -> bool {
    ALLOWED.iter().any(|(name, _)| *name == licence)
}

/// An SPDX expression without brackets inside brackets: every part of an AND needs one allowed part of its OR.
fn is_fine(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for word in expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .split_whitespace()
    {
        match word {
            "(" => depth += 1,
            ")" => depth -= 1,
            "AND" if depth == 0 => parts.push(String::new()),
            word => {
                let part = parts.last_mut().unwrap();
                if !part.is_empty() {
                    part.push(' ');
                }
                part.push_str(word);
            }
        }
    }
    // `A OR B AND C` means A or both: told apart only where there are brackets, so a mixture without them is refused.
    let mixed = parts.len() > 1
        && parts.iter().any(|part| part.contains(" OR "))
        && !expression.contains('(');
    !mixed
        && parts.iter().all(|part| {
            part.split(" OR ")
                .any(|one| one.split(" AND ").all(|one| is_allowed(one.trim())))
        })
}

#[test]
fn what_is_checked_before_a_release_lets_in_the_same_licences() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/.deny.toml");
    let deny: toml::Table = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let listed: Vec<&str> = deny["licenses"]["allow"]
        .as_array()
        .unwrap()
        .iter()
        .map(|licence| licence.as_str().unwrap())
        .collect();
    let looked_at: Vec<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed, looked_at);
}

#[test]
fn every_dependency_has_a_licence_that_was_looked_at() {
    // What is built for any system. The metadata of the lock file would have what optional dependencies could bring, too.
    let tree = [
        "tree",
        "--locked",
        "--target=all",
        "--edges=normal,build,dev",
        "--prefix=none",
        "--format={p}|{l}",
    ];
    let listed = |more: &[&str]| {
        Command::new(env!("CARGO"))
            .args(tree)
            .args(more)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap()
    };
    // Crates for other systems than this one are not there without a network; then they are fetched.
    let out = match listed(&["--offline"]) {
        out if out.status.success() => out,
        _ => listed(&[]),
    };
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let text = String::from_utf8(out.stdout).unwrap();
    let packages: BTreeMap<&str, &str> = text
        .lines()
        .map(|line| line.trim_end_matches(" (*)").split_once('|').unwrap())
        .collect();
    assert!(packages.len() > 100, "where are the dependencies?");
    let wrong: BTreeMap<&str, &str> = packages
        .into_iter()
        .filter(|(_, licence)| !is_fine(licence))
        .collect();
    assert!(
        wrong.is_empty(),
        "licences that nobody looked at: {wrong:#?}"
    );
}

#[test]
fn a_licence_that_was_not_looked_at_is_refused() {
    for fine in [
        "MIT",
        "MIT OR Apache-2.0",
        "MIT/Apache-2.0",
        "GPL-3.0-only OR MIT",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 AND ISC",
    ] {
        assert!(is_fine(fine), "{fine}");
    }
    for wrong in [
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "(MIT OR Apache-2.0) AND AGPL-3.0-only",
        "none is named",
        "MIT OR Apache-2.0 AND GPL-3.0-only",
        "",
    ] {
        assert!(!is_fine(wrong), "{wrong}");
    }
    assert!(ALLOWED.iter().all(|(_, why)| !why.is_empty()));
}
