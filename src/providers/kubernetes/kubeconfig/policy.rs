//! Which credential plugins may be run: kuberc's `credentialPluginPolicy` (Kubernetes 1.35), honoured where present, so
//! that a kubeconfig from elsewhere starts no more programs here than under kubectl.

use std::path::Path;

use kube::config as file;

use super::{Problem, Variables, home, read_file, shown};
use crate::model::text::sanitise;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PluginPolicy {
    AllowAll,
    DenyAll,
    Allow(Vec<String>),
}

/// `KUBERC` names the file (`off`: none); `~/.kube/kuberc` otherwise.
pub(super) fn read(variables: Variables<'_>) -> Result<PluginPolicy, Problem> {
    let path = match variables("KUBERC").filter(|path| !path.is_empty()) {
        Some(path) if path == "off" => return Ok(PluginPolicy::AllowAll),
        Some(path) => Some(path.into()),
        None => home(variables).map(|home| home.join(".kube").join("kuberc")),
    };
    let Some(path) = path else {
        return Ok(PluginPolicy::AllowAll);
    };
    match read_file(&path)? {
        Some(kuberc) => parse(&kuberc, &path),
        None => Ok(PluginPolicy::AllowAll),
    }
}

/// The file is read as a kubeconfig, which keeps the fields it does not know.
fn parse(kuberc: &file::Kubeconfig, path: &Path) -> Result<PluginPolicy, Problem> {
    let word = kuberc
        .other
        .get("credentialPluginPolicy")
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default();
    match word {
        "" | "AllowAll" => Ok(PluginPolicy::AllowAll),
        "DenyAll" => Ok(PluginPolicy::DenyAll),
        "Allowlist" => Ok(PluginPolicy::Allow(
            kuberc
                .other
                .get("credentialPluginAllowlist")
                .and_then(serde_json::Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|entry| {
                    let name = entry.get("command").or_else(|| entry.get("name"))?;
                    Some(name.as_str()?.to_owned())
                })
                .collect(),
        )),
        other => Err(Problem::Malformed {
            file: shown(path),
            line: None,
            why: sanitise(&format!(
                "credentialPluginPolicy {other:?} is none of AllowAll, DenyAll, Allowlist"
            )),
        }),
    }
}

impl PluginPolicy {
    pub(super) fn allows(&self, command: &str) -> bool {
        match self {
            Self::AllowAll => true,
            Self::DenyAll => false,
            // A bare name in the list stands for whatever PATH finds; a path stands for itself.
            Self::Allow(list) => list.iter().any(|allowed| {
                allowed == command
                    || (!allowed.contains('/')
                        && Path::new(command)
                            .file_name()
                            .is_some_and(|name| name == allowed.as_str()))
            }),
        }
    }
}
