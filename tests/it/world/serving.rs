//! What `windlass demo --serve` writes, says and leaves.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use rustix::process::Signal;
use serde_json::Value;

use super::served::Served;

fn windlass(served: &Served, line: &str) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_windlass"))
        .args(line.split_whitespace())
        .args([
            "--config",
            served.said("config"),
            "--kubeconfig",
            served.said("kubeconfig"),
        ])
        .env_clear()
        .env("HOME", served.home.path())
        .env("WINDLASS_STATE", served.home.path().join("state"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (
        output.status.code().unwrap_or(-1),
        format!("{words}{errors}"),
    )
}

#[test]
fn the_program_itself_works_through_the_files_that_it_writes() {
    let served = Served::start(&["--scenario", "gate", "--speed", "20"]);
    let (code, words) = windlass(&served, "config check");
    assert_eq!(code, 0, "{words}");
    let (code, words) = windlass(&served, "status");
    assert_eq!(code, 0, "{words}");
    assert!(
        words.contains("checkout") && words.contains("cart"),
        "{words}"
    );
    let (code, words) = windlass(&served, "inbox");
    assert_eq!(code, 0, "{words}");
    assert!(
        words.contains("acme/cart"),
        "the gate is found through the configuration: {words}"
    );
}

#[test]
fn every_server_answers_at_its_address_and_the_files_are_private() {
    let served = Served::start(&["--scenario", "canary"]);
    let (status, body) = served.get("kubernetes", "/apis/argoproj.io/v1alpha1/rollouts", &[]);
    let list: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (status, list["items"][0]["metadata"]["name"].as_str()),
        (200, Some("checkout"))
    );
    let login = [("authorization", "Bearer demo")];
    assert_eq!(served.get("github", "/repos/acme/checkout", &login).0, 200);
    assert_eq!(served.get("prometheus", "/-/ready", &[]).0, 200);
    assert_eq!(served.get("alertmanager", "/api/v2/alerts", &[]).0, 200);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&served.folder()), 0o700);
    let files: Vec<_> = fs::read_dir(served.folder())
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn it_ends_cleanly_and_leaves_nothing_behind() {
    for signal in [Signal::INT, Signal::TERM] {
        let served = Served::start(&["--scenario", "canary"]);
        let folder = served.folder();
        assert!(folder.exists());
        let (status, words, home) = served.end(signal);
        assert_eq!(status.code(), Some(0), "{signal:?}: {words}");
        assert!(!folder.exists(), "{}", folder.display());
        let left: Vec<_> = fs::read_dir(home.path()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn ports_are_those_that_were_asked_for_in_a_row() {
    // Some five that were free a moment ago: another program may take one in between, and then it says so.
    let free =
        |first: u16| (0..5).all(|more| TcpListener::bind(("127.0.0.1", first + more)).is_ok());
    let first = (21_400..23_400)
        .step_by(5)
        .find(|first| free(*first))
        .unwrap();
    let served = Served::start(&["--scenario", "canary", "--port", &first.to_string()]);
    for (place, name) in (0..).zip(["kubernetes", "github", "prometheus", "alertmanager"]) {
        assert_eq!(
            served.said(name),
            format!("http://127.0.0.1:{}", first + place)
        );
    }
    let again = Command::new(env!("CARGO_BIN_EXE_windlass"))
        .args([
            "demo",
            "--serve",
            "--scenario",
            "canary",
            "--port",
            &first.to_string(),
        ])
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(2));
    let words = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(words.contains(&format!("port {first}")), "{words}");
}

#[test]
fn scenarios_can_be_listed_and_an_unknown_one_is_answered_with_the_list() {
    let run = |name: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_windlass"))
            .args(["demo", "--scenario", name])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        (
            output.status.code(),
            out,
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (code, list, _) = run("list");
    assert_eq!(code, Some(0));
    let names: Vec<&str> = list
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "morning",
            "canary",
            "bad-canary",
            "blue-green",
            "analysis",
            "gate",
            "outage",
            "lost-answer",
            "game-day"
        ]
    );
    let (code, out, complaint) = run("mourning");
    assert_eq!((code, out.as_str()), (Some(2), ""));
    for line in list.lines() {
        assert!(complaint.contains(line), "{complaint}");
    }
}
