mod chain;
mod elsewhere;
mod file;

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::{
    Broken, Entry, Environment, Error, Log, Place, Torn, Unfit, Verified,
    log::{FILE, put, read_with, verify_with},
    record::{GENESIS, MAX_LINE},
};

const NOWHERE: Environment<'static> = &|_| None;

fn body(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other}"),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// Where an fsync is cheap: these tests make thousands.
fn quick_dir() -> TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

fn log_of(records: i64) -> (TempDir, Log) {
    let dir = quick_dir();
    let mut log = Log::open(dir.path()).unwrap();
    for number in 0..records {
        log.append(at(number), "i1", "sending", body(json!({ "n": number })))
            .unwrap();
    }
    (dir, log)
}

fn verified(dir: &Path) -> Result<Verified, Broken> {
    verify_with(dir, NOWHERE)
}

fn entries(dir: &Path) -> Vec<Entry> {
    read_with(dir, NOWHERE).unwrap()
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}
