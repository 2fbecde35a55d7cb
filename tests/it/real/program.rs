//! The program, run as a user runs it: the binary, a kubeconfig, a state directory of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use super::{proxy::Proxy, world::World};

/// One user at one machine: who they are to the cluster, and where their program keeps its things.
#[derive(Debug)]
pub(super) struct User {
    home: TempDir,
    kubeconfig: PathBuf,
}

/// What came of one run.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) code: i32,
    pub(super) out: String,
    pub(super) err: String,
}

impl User {
    fn with(kubeconfig: PathBuf) -> Self {
        Self {
            home: TempDir::new().unwrap(),
            kubeconfig,
        }
    }

    pub(super) fn of(world: &World, name: &str) -> Self {
        Self::with(world.kubeconfig(name))
    }

    pub(super) fn operator(world: &World) -> Self {
        Self::of(world, "operator")
    }

    /// Somebody whose way to the API goes through `proxy`.
    pub(super) fn behind(proxy: &Proxy) -> Self {
        Self::at(proxy.port)
    }

    /// Somebody whose API is said to be at this port of loopback, without a login.
    pub(super) fn at(port: u16) -> Self {
        let mut user = Self::with(PathBuf::new());
        user.kubeconfig = user.home.path().join("kubeconfig");
        let text = format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: real, cluster: {{server: \"http://127.0.0.1:{port}\"}}}}]\n\
             contexts: [{{name: real, context: {{cluster: real, user: me, namespace: shop}}}}]\ncurrent-context: real\nusers: [{{name: me, user: {{}}}}]\n"
        );
        fs::write(&user.kubeconfig, text).unwrap();
        user
    }

    /// Somebody with a kubeconfig of their own.
    pub(super) fn with_text(kubeconfig: &str) -> Self {
        let mut user = Self::with(PathBuf::new());
        user.kubeconfig = user.home.path().join("kubeconfig");
        fs::write(&user.kubeconfig, kubeconfig).unwrap();
        user
    }

    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    fn command(&self, line: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
        command
            .args(line.split_whitespace())
            .args(more)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home())
            .env("WINDLASS_STATE", self.home().join("state"))
            .env("KUBECONFIG", &self.kubeconfig)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(super) fn run(&self, line: &str) -> Ran {
        Ran::from(self.command(line, &[]).output().unwrap())
    }

    /// A verb that may write, with its answer as JSON.
    pub(super) fn act(&self, line: &str) -> Ran {
        self.run(&format!("{line} --write --json"))
    }

    /// The same with a reason, which may have spaces.
    pub(super) fn act_because(&self, line: &str, reason: &str) -> Ran {
        let command = &mut self.command(line, &["--write", "--json", "--reason", reason]);
        Ran::from(command.output().unwrap())
    }

    /// Started and left running.
    pub(super) fn start(&self, line: &str) -> Child {
        self.command(line, &[]).spawn().unwrap()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            // A program that died of a signal has no code; none of ours is negative.
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ran {
    #[track_caller]
    pub(super) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }

    #[track_caller]
    pub(super) fn outcome(&self) -> String {
        self.json()["outcome"].as_str().unwrap().to_owned()
    }

    /// Done, and observed: what the program saw, in its words.
    #[track_caller]
    pub(super) fn observed(self) -> String {
        let ran = self.exits(0);
        assert_eq!(ran.outcome(), "observed", "{}", ran.out);
        ran.json()["observed"]["words"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(super) fn refused(self, because: &str) -> Self {
        let ran = self.exits(3).says(because);
        assert_eq!(ran.outcome(), "refused", "{}", ran.out);
        ran
    }

    /// Refused after it was confirmed: on the read just before the write, or by the write itself.
    #[track_caller]
    pub(super) fn refused_by_the_machine(self, because: &str) {
        let ran = self.exits(3);
        assert_eq!(ran.outcome(), "refused", "{}", ran.out);
        let words = ran.json()["observed"]["words"].as_str().unwrap().to_owned();
        assert!(words.contains(because), "{words}");
    }

    /// On standard error, where a person reads it.
    #[track_caller]
    pub(super) fn says(self, words: &str) -> Self {
        assert!(
            self.err.contains(words),
            "{words:?} is not in:\n{}\n{}",
            self.err,
            self.out
        );
        self
    }
}
