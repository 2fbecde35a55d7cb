//! The control plane: brought up once for all tests of this process (and apart for those that break it), taken down when
//! the process is gone. Never leaves a program behind.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use super::api::Api;

#[derive(Debug)]
pub(super) struct World {
    pub(super) dir: PathBuf,
    script: PathBuf,
    path: String,
    /// The API with an administrator's rights.
    pub(super) api: Api,
    /// The same with an operator's: what a proxy in the way forwards to.
    pub(super) operator: Api,
}

/// The one that the tests share. Each uses names of its own in it.
pub(super) fn shared() -> Option<&'static World> {
    static SHARED: OnceLock<Option<World>> = OnceLock::new();
    SHARED.get_or_init(own).as_ref()
}

/// One for a test that stops its programs.
pub(super) fn own() -> Option<World> {
    let script = script()?;
    let dir = tempfile::Builder::new()
        .prefix("windlass-real-")
        .tempdir()
        .unwrap()
        .keep();
    watch_over(&script, &dir);
    let up = Command::new(&script).arg("up").arg(&dir).output().unwrap();
    assert!(
        up.status.success(),
        "the control plane did not come up: {}",
        String::from_utf8_lossy(&up.stderr)
    );
    let bin = Command::new(&script).arg("bin").output().unwrap().stdout;
    let bin = String::from_utf8(bin).unwrap();
    let path = format!("{}:{}", bin.trim(), env::var("PATH").unwrap_or_default());
    let api = through_proxy(&dir, "admin");
    let operator = through_proxy(&dir, "operator");
    Some(World {
        dir,
        script,
        path,
        api,
        operator,
    })
}

fn script() -> Option<PathBuf> {
    let script = env::var_os("WINDLASS_REAL").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/real/cluster"),
        PathBuf::from,
    );
    if script.exists() {
        return Some(script);
    }
    assert!(
        env::var_os("WINDLASS_REQUIRE").is_none(),
        "there is no control plane: {} is not there",
        script.display()
    );
    eprintln!(
        "skipped: no control plane, {} is not there",
        script.display()
    );
    None
}

/// A static is never dropped and a test process may be killed: a process of its own waits for the end of this one and
/// takes down what it started, in a session of its own so that Ctrl-C does not reach it first.
#[expect(
    clippy::zombie_processes,
    reason = "it outlives this process, which is what it waits for"
)]
fn watch_over(script: &Path, dir: &Path) {
    let words = r#"while kill -0 "$1" 2>/dev/null; do sleep 1; done
        for p in $(cat "$3"/proxies 2>/dev/null); do kill "$p" 2>/dev/null; done
        "$2" down "$3" 2>/dev/null; rm -rf "$3""#;
    Command::new("setsid")
        .args(["sh", "-c", words, "sh", &std::process::id().to_string()])
        .arg(script)
        .arg(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
}

/// The vendor's own proxy speaks TLS and logs in; what is behind it is plain HTTP on loopback.
#[expect(
    clippy::zombie_processes,
    reason = "it is ended after this process, with everything else"
)]
fn through_proxy(dir: &Path, user: &str) -> Api {
    let mut child = Command::new("kubectl")
        .args(["proxy", "--port=0"])
        .env("KUBECONFIG", dir.join(format!("{user}.kubeconfig")))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let known = dir.join("proxies");
    let before = fs::read_to_string(&known).unwrap_or_default();
    fs::write(&known, format!("{before}{}\n", child.id())).unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let port = line.trim().rsplit(':').next().unwrap().parse().unwrap();
    Api::new(port)
}

impl Drop for World {
    /// Sooner than the watch over this process would do it: a control plane is a lot to leave running.
    fn drop(&mut self) {
        let down = Command::new(&self.script)
            .arg("down")
            .arg(&self.dir)
            .status();
        assert!(down.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

impl World {
    pub(super) fn kubeconfig(&self, user: &str) -> PathBuf {
        self.dir.join(format!("{user}.kubeconfig"))
    }

    /// An outage of one program, or its end.
    pub(super) fn cluster(&self, word: &str, program: &str) {
        let done = Command::new(&self.script)
            .arg(word)
            .arg(&self.dir)
            .arg(program)
            .output()
            .unwrap();
        assert!(done.status.success(), "{word} {program}");
    }

    /// The vendor's programs, as an administrator.
    pub(super) fn vendor(&self, arguments: &[&str]) -> String {
        let output = Command::new("kubectl")
            .args(arguments)
            .env("PATH", &self.path)
            .env("KUBECONFIG", self.kubeconfig("admin"))
            .output()
            .unwrap();
        format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    }

    /// Whether the vendor's plugin calls it aborted: a word on one stream, the reason on the other.
    pub(super) fn is_aborted(&self, name: &str) -> bool {
        let verdict = self.verdict(name);
        verdict.starts_with("Degraded") && verdict.contains("RolloutAborted")
    }

    /// What `kubectl argo rollouts status` says of a Rollout in `shop`: `Healthy`, `Paused - CanaryPauseStep`, ….
    pub(super) fn verdict(&self, name: &str) -> String {
        self.vendor(&[
            "argo",
            "rollouts",
            "status",
            name,
            "-n",
            "shop",
            "--watch=false",
        ])
        .trim()
        .to_owned()
    }
}
