//! `windlass report`, as somebody runs it whose machine is full of secrets: none of them is in the file, and what helps is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Output},
};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use windlass::runtime::audit::Log;

/// What must not be in the file. They have nothing in common with what a token of their place looks like, wherever the
/// place alone has to be enough.
const CANARIES: &[&str] = &[
    "canary-of-the-environment",
    "canary-of-the-token-file",
    "canary-of-the-kubeconfig",
    "canary-of-the-client-key",
    "canary-in-the-userinfo",
    "canary-in-the-query",
    "canary-in-a-comment",
    "canary-of-a-command",
    "canary-in-the-log",
    "canaryInTheLogs0",
    "canary-of-the-reason",
    "canary-of-a-change",
    "canary-of-a-request",
    "canary-at-the-end",
];

struct Machine(TempDir);

impl Machine {
    /// Its cluster is a port of this machine at which nobody listens, so that nothing leaves it.
    fn new() -> Self {
        let home = TempDir::new().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::write(at("token"), "canary-of-the-token-file\n").unwrap();
        fs::write(
            at("config.toml"),
            r#"
# ghp_canary-in-a-comment and canary-in-a-comment
[ui]
theme = "light"
[environments.prod-eu]
context = "eks-blue"
tier = "staging"
namespaces = ["shop"]
alertmanager = { url = "http://127.0.0.1:9/", token = { file = "token" } }
prometheus = { url = "http://127.0.0.1:9/", token = { env = "PROM_TOKEN" } }
[sources.github]
host = "127.0.0.1:9"
token = { command = ["false", "canary-of-a-command"] }
[services.checkout]
repository = "acme/checkout"
"#,
        )
        .unwrap();
        fs::write(
            at("kubeconfig"),
            r#"
apiVersion: v1
kind: Config
current-context: eks-blue
clusters: [{ name: blue, cluster: { server: "http://127.0.0.1:9" } }]
contexts: [{ name: eks-blue, context: { cluster: blue, user: jo, namespace: shop } }]
users: [{ name: jo, user: { token: canary-of-the-kubeconfig, password: canary-of-the-client-key } }]
"#,
        )
        .unwrap();
        let mut log = String::new();
        for nth in 0..300 {
            log.push_str(&format!("line {nth} of the log\n"));
        }
        log.push_str(
            "INFO windlass: environment=prod-eu server=blue.shop.example.org a line that helps\n\
             header authorization: Bearer canary-in-the-log\n\
             gh\u{200b}p_canaryInTheLogs0 and {\"password\":\"canary-in-the-log\"} \u{1b}]0;title\u{7}\n\
             https://me:canary-in-the-userinfo@host.example/?sig=canary-in-the-query\n\
             a server that repeats canary-of-the-environment and canary-of-the-token-file\n",
        );
        fs::write(at("log"), log).unwrap();
        record(&at("state"));
        Self(home)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_windlass"))
            .arg("report")
            .args(arguments)
            .env_clear()
            .env("HOME", self.0.path())
            .env("KUBECONFIG", self.at("kubeconfig"))
            .env("WINDLASS_CONFIG", self.at("config.toml"))
            .env("WINDLASS_STATE", self.at("state"))
            .env("WINDLASS_LOG", self.at("log"))
            .env("PROM_TOKEN", "canary-of-the-environment")
            .env("TERM", "xterm-of-a-test")
            .env("TMUX", "canary-at-the-end")
            .current_dir(self.0.path())
            .output()
            .unwrap()
    }

    /// The file that it writes, and what it says of it.
    #[track_caller]
    fn report(&self, arguments: &[&str]) -> (String, String) {
        let mut all = vec!["--output", "report.txt"];
        all.extend(arguments);
        let out = self.run(&all);
        let said = String::from_utf8(out.stdout).unwrap();
        let complaints = String::from_utf8(out.stderr).unwrap();
        assert!(out.status.success(), "{said}{complaints}");
        let path = self.at("report.txt");
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        (fs::read_to_string(path).unwrap(), said + &complaints)
    }
}

/// An intent that ended, and one that did not.
fn record(dir: &std::path::Path) {
    fs::create_dir(dir).unwrap();
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).unwrap();
    let mut log = Log::open(dir).unwrap();
    let at: Timestamp = "2026-11-27T10:00:00Z".parse().unwrap();
    let target = json!({ "id": "prod-eu/shop/deployment/checkout", "env": "prod-eu", "namespace": "shop", "name": "checkout" });
    let body = json!({
        "verb": "rollback",
        "target": target,
        "plan": { "title": "Roll back checkout", "sends": [{ "shown": { "value": "canary-of-a-request" } }], "differs": ["LEVEL: canary-of-a-change"] },
        "reason": "canary-of-the-reason",
    });
    let Value::Object(body) = body else { panic!() };
    for (intent, kind, body) in [
        ("i-1", "intent", body.clone()),
        (
            "i-1",
            "outcome",
            of(&json!({ "outcome": "refused", "words": "refused: token=canary-in-the-log" })),
        ),
        (
            "i-1",
            "reason",
            of(&json!({ "reason": "canary-of-the-reason" })),
        ),
        ("i-2", "intent", body),
    ] {
        log.append(at, intent, kind, body).unwrap();
    }
}

fn of(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn no_secret_of_the_machine_is_in_it_and_what_helps_is() {
    let machine = Machine::new();
    let (text, said) = machine.report(&[]);
    for canary in CANARIES {
        assert!(!text.contains(canary), "{canary}:\n{text}");
        assert!(!said.contains(canary), "{canary}:\n{said}");
    }
    for helps in [
        concat!("windlass ", env!("CARGO_PKG_VERSION")),
        "TERM=xterm-of-a-test",
        "TMUX is set",
        "STY is not set",
        "theme = \"light\"",
        "[environments.prod-eu",
        "env = \"PROM_TOKEN\"",
        "file = \"token\"",
        "repository = \"acme/checkout\"",
        "kubernetes/prod-eu",
        "a line that helps",
        "line 299 of the log",
        "\"verb\":\"rollback\"",
        "\"outcome\":\"refused\"",
        "i-2: Roll back checkout in prod-eu",
    ] {
        assert!(text.contains(helps), "{helps}:\n{text}");
    }
    // The last 200 lines, and text that no terminal obeys.
    assert!(!text.contains("line 90 of the log"), "{text}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    assert!(said.contains("report.txt"), "{said}");
    assert!(said.contains("read the file before you send it"), "{said}");
    assert!(said.contains("the last lines of the log"), "{said}");
}

#[test]
fn anonymous_means_that_no_name_of_the_company_is_in_it() {
    let machine = Machine::new();
    let (text, _) = machine.report(&["--anonymous"]);
    for name in [
        "prod-eu",
        "shop",
        "checkout",
        "acme",
        "eks-blue",
        "blue.",
        "example.org",
    ] {
        assert!(!text.contains(name), "{name}:\n{text}");
    }
    for canary in CANARIES {
        assert!(!text.contains(canary), "{canary}:\n{text}");
    }
    // The same one everywhere: in the configuration, in what is found, in the log.
    let (_, after) = text.split_once("[environments.").unwrap();
    let name = &after[..after.find(['.', ']']).unwrap()];
    assert!(name.starts_with("name-"), "{name}");
    assert!(text.contains(&format!("kubernetes/{name}")), "{text}");
    assert!(text.contains(&format!("environment={name} ")), "{text}");
    assert!(text.contains("a line that helps"));
}

#[test]
fn a_configuration_with_a_secret_in_it_is_told_without_it() {
    let machine = Machine::new();
    let config = machine.at("config.toml");
    fs::write(
        &config,
        "[environments.prod-eu]\nprometheus = { url = \"https://me:canary-in-the-userinfo@host.example/?a=canary-in-the-query\", token = \"canary-of-the-reason\" }\n",
    )
    .unwrap();
    let (text, _) = machine.report(&[]);
    assert!(text.contains("host.example"), "{text}");
    assert!(text.contains("no session can be opened"), "{text}");
    for canary in CANARIES {
        // The secret at this place is known no more, and stands in the log without a sign of being one.
        let is_bare = ["canary-of-the-environment", "canary-of-the-token-file"].contains(canary);
        assert!(is_bare || !text.contains(canary), "{canary}:\n{text}");
    }
    fs::remove_file(machine.at("report.txt")).unwrap();
    fs::write(&config, "token = canary-of-the-reason\n").unwrap();
    let (text, _) = machine.report(&[]);
    assert!(text.contains("is no TOML"), "{text}");
    assert!(!text.contains("canary-of-the-reason"), "{text}");
}

#[test]
fn it_writes_over_nothing_and_follows_no_link() {
    let machine = Machine::new();
    fs::write(machine.at("mine"), "mine").unwrap();
    std::os::unix::fs::symlink("elsewhere", machine.at("link")).unwrap();
    for name in ["mine", "link"] {
        let out = machine.run(&["--output", name]);
        assert_eq!(out.status.code(), Some(2));
    }
    assert_eq!(fs::read_to_string(machine.at("mine")).unwrap(), "mine");
    assert!(!machine.at("elsewhere").exists());
}
