//! `windlass demo --serve`, started as a user starts it and ended as a user ends it.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _},
    path::PathBuf,
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

/// A world that runs, and what it said of itself.
#[derive(Debug)]
pub(crate) struct Served {
    child: Child,
    said: BTreeMap<String, String>,
    complaints: Option<ChildStderr>,
    /// Its folder for temporary things, and its home.
    pub(crate) home: tempfile::TempDir,
}

impl Served {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::with(arguments, |_| {})
    }

    pub(crate) fn with(arguments: &[&str], more: impl FnOnce(&mut Command)) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
        command
            .args(["demo", "--serve"])
            .args(arguments)
            .env_clear()
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .current_dir(home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        more(&mut command);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = BTreeMap::new();
        while !said.contains_key("alertmanager") {
            let line = lines.next().expect("it ended before it was ready").unwrap();
            let (name, value) = line.split_once(' ').unwrap();
            said.insert(name.to_owned(), value.trim().to_owned());
        }
        Self {
            complaints: child.stderr.take(),
            child,
            said,
            home,
        }
    }

    /// What stands behind a name in what it printed.
    #[track_caller]
    pub(crate) fn said(&self, name: &str) -> &str {
        self.said
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not in {:?}", self.said))
    }

    pub(crate) fn folder(&self) -> PathBuf {
        PathBuf::from(self.said("kubeconfig"))
            .parent()
            .unwrap()
            .to_owned()
    }

    /// A GET, with what `curl` would print.
    pub(crate) fn get(&self, name: &str, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        use std::io::Write as _;
        let address = self.said(name).strip_prefix("http://").unwrap();
        let mut line = std::net::TcpStream::connect(address).unwrap();
        let more: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let more = more.concat();
        write!(
            line,
            "GET {path} HTTP/1.0\r\nhost: {address}\r\nuser-agent: test\r\n{more}\r\n"
        )
        .unwrap();
        let mut text = String::new();
        line.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (
            head.split(' ').nth(1).unwrap().parse().unwrap(),
            body.to_owned(),
        )
    }

    /// Ends it with this signal; how it ended, and what it wrote to standard error.
    pub(crate) fn end(mut self, signal: Signal) -> (ExitStatus, String, tempfile::TempDir) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
        let status = self.child.wait().unwrap();
        let mut words = String::new();
        if let Some(mut complaints) = self.complaints.take() {
            complaints.read_to_string(&mut words).unwrap();
        }
        let home = std::mem::replace(&mut self.home, tempfile::tempdir().unwrap());
        (status, words, home)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Ended already, or a test has failed: nothing may be left running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
