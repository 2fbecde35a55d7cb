//! Somebody at a machine whose way to the world is bent: a kubeconfig and a configuration of their own over the shop's
//! world, variables, and the program as they run it.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    screen::harness::{Program, Windlass, text_of},
    whole::shop::{Ran, Shop},
};

/// What must never be seen anywhere but on its way to its own server.
pub(super) const TOKEN: &str = "canary-token-7d1c";

pub(super) struct User {
    pub(super) shop: Shop,
    variables: Vec<(String, String)>,
}

impl User {
    pub(super) fn of(shop: Shop) -> Self {
        let variables = shop.variables();
        Self { shop, variables }
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The cluster is said to be at `server`, with whatever else is said of it, and this is the login.
    pub(super) fn at(self, server: &str, more: &Value, login: &Value) -> Self {
        let mut cluster = json!({ "server": server });
        let fields = more.as_object().unwrap().clone();
        cluster.as_object_mut().unwrap().extend(fields);
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "prod-eu",
            "clusters": [{"name": "shop", "cluster": cluster}],
            "contexts": [{"name": "prod-eu", "context": {"cluster": "shop", "user": "me", "namespace": "shop"}}],
            "users": [{"name": "me", "user": login}],
        });
        fs::write(self.place("kubeconfig"), kubeconfig.to_string()).unwrap();
        self
    }

    /// With this configuration instead of the shop's.
    pub(super) fn configured(self, text: &str) -> Self {
        fs::write(self.place("windlass.toml"), text).unwrap();
        self
    }

    pub(super) fn place(&self, name: &str) -> PathBuf {
        self.shop.place(name)
    }

    pub(super) fn variables(&self) -> Vec<(String, String)> {
        self.variables.clone()
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.around(env!("CARGO_BIN_EXE_windlass"));
        command.args(arguments);
        command
    }

    /// Another program, which starts ours.
    pub(super) fn around(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.variables.iter().cloned())
            .current_dir(self.place(""))
            .stdin(Stdio::null());
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// What a command says of one source.
    #[track_caller]
    pub(super) fn source(&self, command: &str, kind: &str) -> Value {
        let answer = self.run(&[command, "--json"]).json();
        let sources = answer["sources"].as_array().unwrap();
        let found = sources
            .iter()
            .find(|source| source["id"].as_str().unwrap().starts_with(kind));
        found
            .unwrap_or_else(|| panic!("no {kind} in {answer:#}"))
            .clone()
    }

    pub(super) fn screen(&self, arguments: &[&str]) -> Windlass {
        self.screen_of(env!("CARGO_BIN_EXE_windlass"), arguments, (140, 44))
    }

    /// In a terminal of its own; `program` is ours, or one that starts ours.
    pub(super) fn screen_of(
        &self,
        program: &str,
        arguments: &[&str],
        (columns, rows): (u16, u16),
    ) -> Windlass {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut variables = vec![("PATH".to_owned(), path)];
        variables.extend(self.variables());
        let program_of = Program {
            columns,
            rows,
            arguments: arguments.iter().map(|&word| word.to_owned()).collect(),
            variables,
        };
        let requests = self.place("requests.jsonl");
        program_of.start_as(program.as_ref(), TempDir::new().unwrap(), requests)
    }
}

/// A key and its answer, twice: whoever is wedged fails here.
#[track_caller]
pub(super) fn opens_and_leaves_help(windlass: &mut Windlass) {
    windlass.key("?");
    windlass.until("made from the command table");
    windlass.key("\x1b");
    windlass.until_gone("made from the command table");
}

/// Backs out by keys, and sees it done: an emergency goes through whatever else is wrong.
#[track_caller]
pub(super) fn backs_out(windlass: &mut Windlass) {
    windlass.key("x");
    windlass.until("Y backs out");
    windlass.until_listening();
    windlass.key("Y");
    windlass.until("Why was it done?");
    windlass.key("\x1b");
    windlass.until_gone("Why was it done?");
    // Which of the two depends on what the metrics say by then.
    windlass.until_screen("the end of it", |screen| {
        let text = text_of(screen);
        text.contains("back out: done") || text.contains("backed out")
    });
}

/// A script of one's own that can be run.
pub(super) fn script(path: &std::path::Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Base64, as a kubeconfig holds certificates.
pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let at = |place: usize| u32::from(three.get(place).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let letter = LETTERS[usize::try_from(bits >> (18 - 6 * place) & 63).unwrap()];
            text.push(if place <= three.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    text
}
