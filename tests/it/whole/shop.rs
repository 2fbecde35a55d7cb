//! A shop in the test process: the demo's world, written down in a configuration of ten lines and a kubeconfig, and the
//! program as somebody starts it who has only those.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::{Command, Output, Stdio},
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use windlass::demo::{Options, Request, World};

use super::between::Between;
use crate::screen::harness::{Program, Windlass};

/// How much faster than real time pods start and pauses end: quick, and slow enough to see a state before it is over.
const SPEED: f64 = 20.0;

const PATIENCE: Duration = Duration::from_secs(40);

/// A world, its configuration, and what was sent to it.
pub(crate) struct Shop {
    world: Arc<World>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    home: TempDir,
    /// What is named in the configuration: the world's servers, or something between.
    hosts: Hosts,
    token: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    pub(crate) github: String,
    pub(crate) prometheus: String,
    pub(crate) alertmanager: String,
}

/// What came of one command.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Shop {
    pub(crate) fn open(scenario: &str) -> Self {
        Self::at_speed(scenario, SPEED)
    }

    /// Of a scenario that is no shipped one.
    pub(crate) fn told(text: &str) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        Self::open(file.path().to_str().unwrap())
    }

    pub(crate) fn at_speed(scenario: &str, speed: f64) -> Self {
        let home = TempDir::new().unwrap();
        let options = Options {
            scenario: scenario.to_owned(),
            speed,
            request_log: Some(home.path().join("requests.jsonl")),
            ..Options::default()
        };
        let (stop, ended) = tokio::sync::oneshot::channel::<()>();
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let world = Arc::new(World::start(options).await.unwrap());
                tell.send(Arc::clone(&world)).unwrap();
                // An error is the end of the test as well.
                let _ = ended.await;
            });
        });
        let world = told.recv_timeout(PATIENCE).unwrap();
        let hosts = Hosts {
            github: world.github(),
            prometheus: world.prometheus(),
            alertmanager: world.alertmanager(),
        };
        let made = Self {
            world,
            stop: Some(stop),
            thread: Some(thread),
            home,
            hosts,
            token: "demo".to_owned(),
        };
        made.write_down();
        made
    }

    /// With something between the program and the world.
    pub(crate) fn behind(mut self, name: impl FnOnce(&mut Hosts)) -> Self {
        name(&mut self.hosts);
        self.write_down();
        self
    }

    /// With something between the program and GitHub, which lets everything through at first.
    pub(crate) fn behind_github(self) -> (Self, Between) {
        let between = Between::to(&self.hosts.github);
        let address = between.address();
        (self.behind(|hosts| hosts.github = address), between)
    }

    pub(crate) fn with_token(mut self, token: &str) -> Self {
        token.clone_into(&mut self.token);
        self
    }

    /// Everything that somebody has to write down.
    pub(crate) fn configuration(&self) -> String {
        let Hosts {
            github,
            prometheus,
            alertmanager,
        } = &self.hosts;
        format!(
            "[environments.prod-eu]\n\
             prometheus = {{ url = \"{prometheus}\" }}\n\
             alertmanager = {{ url = \"{alertmanager}\" }}\n\
             [sources.github]\n\
             host = \"{github}\"\n\
             token = {{ env = \"SHOP_TOKEN\" }}\n\
             [services.\"*\"]\n\
             repository = \"acme/{{service}}\"\n\
             workflow = \"release.yml\"\n\
             alerts = {{ service = \"{{service}}\" }}\n"
        )
    }

    fn write_down(&self) {
        fs::write(self.place("windlass.toml"), self.configuration()).unwrap();
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "prod-eu",
            "clusters": [{"name": "shop", "cluster": {"server": self.world.server()}}],
            "contexts": [{"name": "prod-eu", "context": {"cluster": "shop", "user": "me", "namespace": "shop"}}],
            "users": [{"name": "me", "user": {"token": "demo"}}],
        });
        fs::write(self.place("kubeconfig"), kubeconfig.to_string()).unwrap();
    }

    /// The address of the cluster itself.
    pub(crate) fn cluster(&self) -> String {
        self.world.server()
    }

    pub(crate) fn hosts(&self) -> Hosts {
        self.hosts.clone()
    }

    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let place = |name: &str| self.place(name).display().to_string();
        [
            ("HOME", self.home.path().display().to_string()),
            ("WINDLASS_STATE", place("state")),
            ("WINDLASS_CONFIG", place("windlass.toml")),
            ("KUBECONFIG", place("kubeconfig")),
            ("SHOP_TOKEN", self.token.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
        command
            .args(arguments)
            .env_clear()
            .envs(self.variables())
            .current_dir(self.home.path())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// A command that may write, with its answer as JSON.
    pub(crate) fn act(&self, arguments: &[&str]) -> Ran {
        self.run(&[arguments, &["--write", "--json"]].concat())
    }

    /// The screen, in a terminal of its own, armed.
    pub(crate) fn screen(&self) -> Windlass {
        self.screen_with(&["--write=prod-eu"])
    }

    pub(crate) fn screen_with(&self, arguments: &[&str]) -> Windlass {
        let program = Program {
            columns: 140,
            rows: 44,
            arguments: arguments
                .iter()
                .map(|&argument| argument.to_owned())
                .collect(),
            variables: self.variables(),
        };
        program.start(TempDir::new().unwrap(), self.place("requests.jsonl"))
    }

    pub(crate) fn inject(&self, fault: &str) {
        self.world.inject(fault.parse().unwrap());
    }

    pub(crate) fn heal(&self) {
        self.world.heal();
    }

    /// What arrived at one of its servers and could have changed something.
    pub(crate) fn writes_to(&self, server: &str) -> Vec<Request> {
        let mut all = self.world.requests();
        all.retain(|request| request.server == server && request.is_write());
        all
    }

    /// All that arrived at one of its servers.
    pub(crate) fn requests_to(&self, server: &str) -> Vec<Request> {
        let mut all = self.world.requests();
        all.retain(|request| request.server == server);
        all
    }

    /// Asks GitHub as somebody else would.
    pub(crate) fn github(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        ask(&self.world.github(), method, path, body)
    }

    pub(crate) fn alertmanager(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        ask(&self.world.alertmanager(), method, path, body)
    }

    /// The newest release run of a repository, as GitHub tells it.
    pub(crate) fn run_of(&self, repository: &str) -> Value {
        let runs = self.github(
            "GET",
            &format!("/repos/acme/{repository}/actions/workflows/release.yml/runs?per_page=1"),
            None,
        );
        runs["workflow_runs"][0].clone()
    }

    /// Waits until the newest run is so.
    #[track_caller]
    pub(crate) fn until_run(
        &self,
        repository: &str,
        what: &str,
        holds: impl Fn(&Value) -> bool,
    ) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let run = self.run_of(repository);
            if holds(&run) {
                return run;
            }
            assert!(
                Instant::now() < deadline,
                "waited for the run of {repository} to be {what}: {run:#}"
            );
            std::thread::yield_now();
        }
    }

    /// The one gate of a run that waits: what an approval has to name.
    pub(crate) fn gate_of(&self, repository: &str) -> Gate {
        let run = self.run_of(repository);
        let id = run["id"].as_u64().unwrap();
        let waits = self.github(
            "GET",
            &format!("/repos/acme/{repository}/actions/runs/{id}/pending_deployments"),
            None,
        );
        Gate {
            repository: repository.to_owned(),
            run: id,
            attempt: run["run_attempt"].as_u64().unwrap(),
            commit: run["head_sha"].as_str().unwrap().to_owned(),
            number: run["run_number"].as_u64().unwrap(),
            environment_id: waits[0]["environment"]["id"].as_u64().unwrap(),
        }
    }

    /// The kinds of records in the audit log, oldest first.
    pub(crate) fn audited(&self) -> Vec<Value> {
        let ran = self.run(&["audit", "list", "--json"]).exits(0);
        let value: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| {
            ran.out
                .lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap())
                .collect()
        });
        match value {
            Value::Array(records) => records,
            other => other["records"].as_array().cloned().unwrap_or(vec![other]),
        }
    }
}

/// A gate as GitHub knows it.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    pub(crate) repository: String,
    pub(crate) run: u64,
    pub(crate) attempt: u64,
    pub(crate) commit: String,
    pub(crate) number: u64,
    pub(crate) environment_id: u64,
}

impl Gate {
    /// As `windlass inbox` prints it.
    pub(crate) fn id(&self) -> String {
        let Self {
            repository,
            run,
            attempt,
            commit,
            ..
        } = self;
        format!("acme/{repository}/{run}/{attempt}/prod-eu/{commit}")
    }

    pub(crate) fn path(&self) -> String {
        format!(
            "/repos/acme/{}/actions/runs/{}/pending_deployments",
            self.repository, self.run
        )
    }

    pub(crate) fn answer(&self, state: &str) -> Value {
        json!({"environment_ids": [self.environment_id], "state": state, "comment": "by somebody else"})
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It panicked only if the world did, and then the test has failed already.
            let _ = thread.join();
        }
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
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }

    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(
            self.err.contains(words) || self.out.contains(words),
            "{words:?} is not in:\n{}\n{}",
            self.err,
            self.out
        );
        self
    }
}

/// One request on a connection of its own, as somebody else would send it; null where the answer has no JSON.
fn ask(base: &str, method: &str, path: &str, body: Option<&Value>) -> Value {
    let address = base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let body = body.map(ToString::to_string).unwrap_or_default();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nUser-Agent: somebody\r\n\
         Authorization: Bearer demo\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8(answer).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(status < 300, "{method} {path}: {text}");
    serde_json::from_str(body).unwrap_or_default()
}
