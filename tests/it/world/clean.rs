//! The demo looks at nothing of the user's: no kubeconfig, no token, no configuration, no state directory.

use std::fs;

use rustix::process::Signal;

use super::served::Served;
use crate::screen::harness::Demo;

/// In every variable that names a secret; it must turn up nowhere.
const SECRET: &str = "poison-5f0c2a";

const TOKENS: [&str; 4] = [
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "PROM_TOKEN",
];

const FILES: [&str; 3] = ["KUBECONFIG", "WINDLASS_CONFIG", "KUBERNETES_SERVICE_HOST"];

#[test]
fn a_world_that_is_served_reads_no_file_of_the_users_and_shows_no_secret() {
    // A file that blocks whoever opens it: had it been read, the world would never have come up.
    let trap = tempfile::tempdir().unwrap();
    let pipe = trap.path().join("pipe");
    let made = std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .unwrap();
    assert!(made.success());
    let state = trap.path().join("state");
    let served = Served::with(&["--scenario", "canary"], |command| {
        command
            .envs(TOKENS.map(|name| (name, SECRET)))
            .envs(FILES.map(|name| (name, &pipe)))
            .env("WINDLASS_STATE", &state);
    });
    for file in fs::read_dir(served.folder()).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains(SECRET) && !text.contains("pipe"), "{text}");
    }
    assert!(!served.said("kubeconfig").contains("pipe"));
    let (status, words, _) = served.end(Signal::TERM);
    assert_eq!(status.code(), Some(0));
    assert!(!words.contains(SECRET), "{words}");
    assert!(!state.exists());
}

#[test]
fn the_demos_screen_reads_no_file_of_the_users_and_sends_no_token_of_theirs() {
    let trap = tempfile::tempdir().unwrap();
    let pipe = trap.path().join("pipe");
    let made = std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .unwrap();
    assert!(made.success());
    // The harness wants names that live as long as the program of the test.
    let pipe: &'static str = Box::leak(pipe.display().to_string().into_boxed_str());
    let state: &'static str = Box::leak(
        trap.path()
            .join("state")
            .display()
            .to_string()
            .into_boxed_str(),
    );
    let mut demo = Demo::of("gate").with(&["--speed", "20"]);
    for name in TOKENS {
        demo = demo.variable(name, SECRET);
    }
    for name in FILES {
        demo = demo.variable(name, pipe);
    }
    let mut windlass = demo.variable("WINDLASS_STATE", state).live();
    // The demo's GitHub takes no token but its own: a gate on the screen was asked for with that.
    windlass.until("cart");
    windlass.key("2");
    windlass.until("v2.3.0");
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
    assert!(
        !std::path::Path::new(state).exists(),
        "its audit belongs into its own folder"
    );
}
