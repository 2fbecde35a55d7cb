//! Credential plugins (`users[].user.exec`): `aws eks get-token`, `gke-gcloud-auth-plugin`, `kubelogin`.
//!
//! kube can run them, and does not here: it waits for them without a limit on a blocking thread, keeps a token without
//! an expiry for ever, and inherits stdin and stderr unless told otherwise (`client/auth/mod.rs`, `auth_exec`), which
//! smears the screen. Here a plugin has no terminal, its stderr becomes the error's sentence, and it is killed with
//! everything it started when it takes too long.

use std::{process::Stdio, time::Duration};

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    sync::Mutex,
    time::Instant,
};

use super::{super::error::Error, Clock};
use crate::config::withhold;

/// A plugin that has not answered by then is killed.
const RUN_LIMIT: Duration = Duration::from_secs(30);
/// A credential this close to its end is renewed first.
const RENEW_BEFORE: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);
/// Neither a failing plugin nor a refused token makes it run more often.
const RUN_AGAIN_AFTER: Duration = Duration::from_secs(15);
const OUTPUT_MAX: u64 = 1 << 20;

/// What the kubeconfig says about the plugin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plugin {
    pub(crate) command: String,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) install_hint: Option<String>,
    pub(crate) api_version: String,
    /// `KUBERNETES_EXEC_INFO.spec.cluster`, where the kubeconfig wants the plugin to know the cluster.
    pub(crate) cluster: Option<serde_json::Value>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Credential {
    pub(super) token: Option<SecretString>,
    /// Certificate and key as PEM.
    pub(super) certificate: Option<(String, SecretString)>,
    expires: Option<Timestamp>,
    /// Counts the credentials had: whoever built something from one can tell whether it is still that one.
    pub(super) number: u64,
}

/// The credential that is in use, shared by all requests: they wait for one run, they do not start one each.
pub(super) struct Login {
    plugin: Plugin,
    clock: Clock,
    state: Mutex<State>,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("command", &self.plugin.command)
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    credential: Option<Credential>,
    refused: bool,
    ran: Option<Instant>,
    failed: Option<Error>,
    number: u64,
}

impl Login {
    pub(super) fn new(plugin: Plugin, clock: Clock) -> Self {
        Self {
            plugin,
            clock,
            state: Mutex::new(State::default()),
        }
    }

    pub(super) fn command(&self) -> &str {
        &self.plugin.command
    }

    pub(super) async fn credential(&self) -> Result<Credential, Error> {
        let mut state = self.state.lock().await;
        let recently = state.ran.is_some_and(|ran| ran.elapsed() < RUN_AGAIN_AFTER);
        if let Some(credential) = &state.credential {
            let expired = credential
                .expires
                .is_some_and(|end| (self.clock)() + RENEW_BEFORE >= end);
            if !(expired || state.refused) || recently {
                return Ok(credential.clone());
            }
        }
        if let (Some(failed), true) = (&state.failed, recently) {
            return Err(failed.clone());
        }
        let outcome = self.plugin.run(RUN_LIMIT).await;
        state.ran = Some(Instant::now());
        state.refused = false;
        match outcome {
            Ok(mut credential) => {
                state.number += 1;
                credential.number = state.number;
                state.failed = None;
                state.credential = Some(credential.clone());
                Ok(credential)
            }
            Err(error) => {
                state.credential = None;
                state.failed = Some(error.clone());
                Err(error)
            }
        }
    }

    /// The server did not accept this credential: the next request asks for another one.
    pub(super) async fn refused(&self, number: u64) {
        let mut state = self.state.lock().await;
        if state.number == number {
            state.refused = true;
        }
    }
}

impl Plugin {
    /// Runs the plugin without a terminal. Dropping the future kills it and what it started.
    async fn run(&self, limit: Duration) -> Result<Credential, Error> {
        let mut command = Command::new(&self.command);
        withhold(&mut command);
        command
            .args(&self.args)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .env("KUBERNETES_EXEC_INFO", self.exec_info())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // A group of its own: so it can be ended with its children, and is no reader of our terminal.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|error| self.not_started(&error))?;
        let group = Group::of(&child);
        let answer = tokio::time::timeout(limit, output(&mut child)).await;
        drop(group);
        match answer {
            Err(_) => Err(Error::login(&format!(
                "the credential plugin {} did not answer within {} s and was ended",
                self.command,
                limit.as_secs()
            ))),
            Ok(Err(error)) => Err(Error::login(&format!(
                "the credential plugin {} failed: {error}",
                self.command
            ))),
            Ok(Ok((true, stdout, _))) => self.parse(&stdout),
            Ok(Ok((false, _, stderr))) => Err(Error::login(&format!(
                "the credential plugin {} failed: {}",
                self.command,
                last_words(&stderr)
            ))),
        }
    }

    fn exec_info(&self) -> String {
        let mut spec = serde_json::json!({ "interactive": false });
        if let (Some(cluster), Some(spec)) = (&self.cluster, spec.as_object_mut()) {
            spec.insert("cluster".to_owned(), cluster.clone());
        }
        serde_json::json!({ "apiVersion": self.api_version, "kind": "ExecCredential", "spec": spec })
            .to_string()
    }

    fn not_started(&self, error: &std::io::Error) -> Error {
        let hint = self.install_hint.as_deref().unwrap_or_default();
        Error::login(&format!(
            "the credential plugin {} cannot be started: {error}. {hint}",
            self.command
        ))
    }

    fn parse(&self, stdout: &[u8]) -> Result<Credential, Error> {
        let unreadable = || {
            Error::login(&format!(
                "the credential plugin {} answered something that is no ExecCredential",
                self.command
            ))
        };
        let text = std::str::from_utf8(stdout).map_err(|_| unreadable())?;
        // client-go takes YAML too, and some plugins print it. kube's kubeconfig type keeps the fields that it does
        // not know, which saves a second YAML dependency. Its error is dropped: it may quote the token.
        let parsed = kube::config::Kubeconfig::from_yaml(text).map_err(|_| unreadable())?;
        let status = parsed
            .other
            .get("status")
            .and_then(serde_json::Value::as_object)
            .ok_or_else(unreadable)?;
        let field = |name: &str| {
            status
                .get(name)
                .and_then(serde_json::Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let certificate = field("clientCertificateData")
            .zip(field("clientKeyData"))
            .map(|(certificate, key)| (certificate.to_owned(), SecretString::from(key)));
        let token = field("token").map(SecretString::from);
        if token.is_none() && certificate.is_none() {
            return Err(unreadable());
        }
        Ok(Credential {
            token,
            certificate,
            expires: field("expirationTimestamp").and_then(|text| text.parse().ok()),
            number: 0,
        })
    }
}

async fn output(child: &mut Child) -> std::io::Result<(bool, Vec<u8>, Vec<u8>)> {
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    let (stdout, stderr) = futures::try_join!(bounded(stdout), bounded(stderr))?;
    let status = child.wait().await?;
    Ok((status.success(), stdout, stderr))
}

async fn bounded(pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(OUTPUT_MAX).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// The last line is the one that says what to do ("run `aws sso login`").
fn last_words(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let mut lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let keep = lines.len().saturating_sub(3);
    lines.drain(..keep);
    if lines.is_empty() {
        "it said nothing".to_owned()
    } else {
        lines.join("; ")
    }
}

/// Ends a process group when dropped: also when the request that waited for it was given up.
struct Group(#[cfg(unix)] Option<rustix::process::Pid>);

impl Group {
    #[cfg(unix)]
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(rustix::process::Pid::from_raw))
    }

    #[cfg(not(unix))]
    fn of(_: &Child) -> Self {
        Self()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self.0 {
            // It has usually ended by itself, and then there is nobody to end.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn plugin(script: &str) -> Plugin {
        Plugin {
            command: "sh".to_owned(),
            args: vec!["-c".to_owned(), script.to_owned()],
            api_version: "client.authentication.k8s.io/v1".to_owned(),
            ..Plugin::default()
        }
    }

    #[tokio::test]
    async fn json_and_yaml_credentials_are_read() {
        let json = r#"echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t1","expirationTimestamp":"2030-01-01T00:00:00Z"}}'"#;
        let credential = plugin(json).run(RUN_LIMIT).await.expect("credential");
        assert_eq!(credential.token.expect("token").expose_secret(), "t1");
        assert!(credential.expires.is_some());
        let yaml = "printf 'kind: ExecCredential\\napiVersion: client.authentication.k8s.io/v1\\nstatus:\\n  token: t2\\n'";
        let credential = plugin(yaml).run(RUN_LIMIT).await.expect("credential");
        assert_eq!(credential.token.expect("token").expose_secret(), "t2");
    }

    #[tokio::test]
    async fn the_plugin_has_no_terminal_and_knows_it() {
        let script = r#"case "$KUBERNETES_EXEC_INFO" in *'"interactive":false'*) ;; *) exit 3;; esac
            if read x; then exit 4; fi
            echo '{"kind":"ExecCredential","status":{"token":"t"}}'"#;
        assert!(plugin(script).run(RUN_LIMIT).await.is_ok());
    }

    #[tokio::test]
    async fn what_it_said_on_stderr_is_the_error_and_never_its_output() {
        let script = "echo '{\"token\":\"SECRET\"}'; echo 'Error: session expired, run aws sso login' >&2; exit 1";
        let error = plugin(script).run(RUN_LIMIT).await.unwrap_err();
        assert!(error.to_string().contains("run aws sso login"), "{error}");
        assert!(!format!("{error:?}").contains("SECRET"));
        let error = plugin("echo 'token: [SECRET'")
            .run(RUN_LIMIT)
            .await
            .unwrap_err();
        assert!(!format!("{error:?}").contains("SECRET"), "{error:?}");
    }

    #[tokio::test]
    async fn one_that_hangs_is_ended_with_its_children() {
        let marker = tempfile::tempdir().expect("folder");
        let pid = marker.path().join("pid");
        let script = format!("sleep 600 & echo $! > {}; wait", pid.display());
        let error = plugin(&script)
            .run(Duration::from_millis(700))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("was ended"), "{error}");
        let child = std::fs::read_to_string(&pid).expect("pid");
        // Gone, or a zombie that its new parent has not collected yet: a signal takes its time.
        let ended = || match std::fs::read_to_string(format!("/proc/{}/stat", child.trim())) {
            Ok(stat) => stat.contains(") Z "),
            Err(_) => true,
        };
        let deadline = Instant::now() + Duration::from_secs(10);
        while !ended() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(ended());
    }

    #[tokio::test]
    async fn a_failing_plugin_is_not_run_again_at_once_and_requests_share_one_run() {
        let folder = tempfile::tempdir().expect("folder");
        let count = folder.path().join("count");
        let script = format!("echo run >> {}; exit 1", count.display());
        let login = Login::new(
            plugin(&script),
            std::sync::Arc::new(|| Timestamp::UNIX_EPOCH),
        );
        let (first, second) = futures::join!(login.credential(), login.credential());
        assert!(first.is_err() && second.is_err());
        assert!(login.credential().await.is_err());
        let runs = std::fs::read_to_string(&count).expect("count");
        assert_eq!(runs.lines().count(), 1);
    }

    #[tokio::test]
    async fn a_refused_token_is_asked_for_again_but_not_in_a_storm() {
        let folder = tempfile::tempdir().expect("folder");
        let count = folder.path().join("count");
        let script = format!(
            "echo run >> {}; echo '{{\"status\":{{\"token\":\"t\"}}}}'",
            count.display()
        );
        let login = Login::new(
            plugin(&script),
            std::sync::Arc::new(|| Timestamp::UNIX_EPOCH),
        );
        let credential = login.credential().await.expect("credential");
        login.refused(credential.number).await;
        login.credential().await.expect("credential");
        let runs = |path: &std::path::Path| {
            std::fs::read_to_string(path)
                .expect("count")
                .lines()
                .count()
        };
        assert_eq!(runs(&count), 1, "within 15 s the old one is used");
        login.state.lock().await.ran = None;
        login.credential().await.expect("credential");
        assert_eq!(runs(&count), 2);
    }
}
