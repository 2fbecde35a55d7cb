//! Which clusters there are and how to log in to them: kubeconfig as kubectl reads it, or the pod's own service
//! account. Reads files (discovery of configuration), connects to nothing, runs nothing.

pub(crate) mod base64;
mod connect;
mod names;
mod policy;
mod x509;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use kube::config as file;

use crate::model::{
    id::{EnvironmentName, Namespace},
    text::{Safe, sanitise},
};

pub use connect::Connection;

/// How environment variables are asked for.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// What is wrong with the configuration of access, in one or two sentences: where, what, what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error(
        "no kubeconfig: {looked}; set KUBECONFIG or log in to a cluster first (nothing else is needed)"
    )]
    Missing { looked: Safe },
    #[error("{file} cannot be read: {why}")]
    Unreadable { file: Safe, why: Safe },
    #[error("{file}{}: {why}; kubectl config view reads the same file", line.map(|line| format!(", line {line}")).unwrap_or_default())]
    Malformed {
        file: Safe,
        line: Option<u64>,
        why: Safe,
    },
    #[error("the kubeconfig has no current context; name one with --context ({})", known.join(", "))]
    NoCurrentContext { known: Vec<String> },
    #[error("there is no context \"{asked}\" in the kubeconfig{}", nearest(near))]
    UnknownContext { asked: Safe, near: Vec<String> },
    /// The context exists and cannot be used.
    #[error("context {context}: {why}")]
    Unusable { context: Safe, why: Safe },
}

fn nearest(near: &[String]) -> String {
    if near.is_empty() {
        String::new()
    } else {
        format!("; the nearest: {}", near.join(", "))
    }
}

impl Problem {
    pub fn sentence(&self) -> Safe {
        sanitise(&self.to_string())
    }

    fn unusable(context: &str, why: &str) -> Self {
        Self::Unusable {
            context: sanitise(context),
            why: sanitise(why),
        }
    }
}

/// One context, as it is chosen from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// As the kubeconfig has it.
    pub name: String,
    /// Our name for it: the context's, or its last part where that is unique.
    pub environment: EnvironmentName,
    /// The context's own namespace, `default` where it has none.
    pub namespace: Namespace,
    /// The kubeconfig's name of the user: who we are where the server does not say.
    pub user: Option<Safe>,
}

/// Everything that can be connected to.
#[derive(Clone)]
pub struct Contexts {
    known: Vec<Context>,
    current: Option<String>,
    origin: Origin,
    proxy: connect::ProxyVariables,
    policy: policy::PluginPolicy,
}

#[derive(Clone)]
enum Origin {
    Files(Box<file::Kubeconfig>),
    InCluster { server: String, folder: PathBuf },
}

impl fmt::Debug for Contexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contexts")
            .field("known", &self.known)
            .field("current", &self.current)
            .finish_non_exhaustive()
    }
}

/// Reads the kubeconfig that kubectl would: the files of `KUBECONFIG` in their order, or `~/.kube/config`; inside of a
/// pod without either, its service account.
pub fn read(variables: Variables<'_>) -> Result<Contexts, Problem> {
    let paths = files(variables);
    let mut merged: Option<file::Kubeconfig> = None;
    for path in &paths {
        if let Some(next) = read_file(path)? {
            merged = Some(match merged {
                None => next,
                Some(before) => before.merge(next).map_err(|error| Problem::Malformed {
                    file: shown(path),
                    line: None,
                    why: sanitise(&error.to_string()),
                })?,
            });
        }
    }
    let policy = policy::read(variables)?;
    let proxy = connect::ProxyVariables::read(variables);
    match merged {
        Some(merged) => Ok(from_files(merged, proxy, policy)),
        None => in_cluster(variables, Path::new(SERVICE_ACCOUNT), proxy).ok_or_else(|| {
            Problem::Missing {
                looked: sanitise(&if paths.is_empty() {
                    "neither KUBECONFIG nor HOME is set".to_owned()
                } else {
                    let paths: Vec<_> = paths.iter().map(|p| p.display().to_string()).collect();
                    format!("{} does not exist", paths.join(", "))
                }),
            }
        }),
    }
}

fn files(variables: Variables<'_>) -> Vec<PathBuf> {
    let listed: Vec<PathBuf> = variables("KUBECONFIG")
        .map(|list| {
            std::env::split_paths(&list)
                .filter(|path| !path.as_os_str().is_empty())
                .collect()
        })
        .unwrap_or_default();
    if !listed.is_empty() {
        return listed;
    }
    home(variables)
        .map(|home| home.join(".kube").join("config"))
        .into_iter()
        .collect()
}

fn home(variables: Variables<'_>) -> Option<PathBuf> {
    variables("HOME")
        .or_else(|| variables("USERPROFILE"))
        .filter(|home| !home.is_empty())
        .map(PathBuf::from)
}

/// `None` where there is no such file: kubectl skips it, and so do the tools that write lists of them.
fn read_file(path: &Path) -> Result<Option<file::Kubeconfig>, Problem> {
    match file::Kubeconfig::read_from(path) {
        Ok(read) => Ok(Some(read)),
        Err(file::KubeconfigError::ReadConfig(error, _))
            if error.kind() == std::io::ErrorKind::NotFound =>
        {
            Ok(None)
        }
        Err(file::KubeconfigError::ReadConfig(error, _)) => Err(Problem::Unreadable {
            file: shown(path),
            why: sanitise(&error.to_string()),
        }),
        Err(file::KubeconfigError::Parse(error)) => Err(Problem::Malformed {
            file: shown(path),
            line: error.location().map(|location| location.line()),
            why: sanitise(&first_line(&error.without_snippet().to_string())),
        }),
        Err(error) => Err(Problem::Malformed {
            file: shown(path),
            line: None,
            why: sanitise(&error.to_string()),
        }),
    }
}

/// The parser's further lines quote the file, and a kubeconfig is full of secrets.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn shown(path: &Path) -> Safe {
    sanitise(&path.display().to_string())
}

fn from_files(
    merged: file::Kubeconfig,
    proxy: connect::ProxyVariables,
    policy: policy::PluginPolicy,
) -> Contexts {
    let known: Vec<&str> = merged.contexts.iter().map(|c| c.name.as_str()).collect();
    let contexts = merged
        .contexts
        .iter()
        .map(|named| {
            let context = named.context.as_ref();
            let text = |text: Option<&String>| text.filter(|text| !text.is_empty()).cloned();
            Context {
                name: named.name.clone(),
                environment: EnvironmentName::new(&sanitise(names::environment(
                    &named.name,
                    &known,
                ))),
                namespace: Namespace::new(
                    &text(context.and_then(|c| c.namespace.as_ref()))
                        .unwrap_or_else(|| "default".to_owned()),
                ),
                user: text(context.and_then(|c| c.user.as_ref())).map(|user| sanitise(&user)),
            }
        })
        .collect();
    Contexts {
        known: contexts,
        current: merged
            .current_context
            .clone()
            .filter(|name| !name.is_empty()),
        origin: Origin::Files(Box::new(merged)),
        proxy,
        policy,
    }
}

fn in_cluster(
    variables: Variables<'_>,
    folder: &Path,
    proxy: connect::ProxyVariables,
) -> Option<Contexts> {
    let host = variables("KUBERNETES_SERVICE_HOST").filter(|host| !host.is_empty())?;
    let port = variables("KUBERNETES_SERVICE_PORT").filter(|port| !port.is_empty())?;
    if !folder.join("token").exists() {
        return None;
    }
    let namespace = std::fs::read_to_string(folder.join("namespace")).unwrap_or_default();
    let namespace = match namespace.trim() {
        "" => "default",
        name => name,
    };
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host
    };
    Some(Contexts {
        known: vec![Context {
            name: "in-cluster".to_owned(),
            environment: EnvironmentName::new("in-cluster"),
            namespace: Namespace::new(namespace),
            user: None,
        }],
        current: Some("in-cluster".to_owned()),
        origin: Origin::InCluster {
            server: format!("https://{host}:{port}"),
            folder: folder.to_owned(),
        },
        proxy,
        policy: policy::PluginPolicy::AllowAll,
    })
}

impl Contexts {
    pub fn all(&self) -> &[Context] {
        &self.known
    }

    /// The contexts asked for, by their own name or by that of the environment; the current one where none is.
    pub fn select(&self, asked: &[String]) -> Result<Vec<&Context>, Problem> {
        if asked.is_empty() {
            return self.current().map(|context| vec![context]);
        }
        let mut chosen: Vec<&Context> = Vec::new();
        for name in asked {
            let context = self.find(name)?;
            if !chosen.contains(&context) {
                chosen.push(context);
            }
        }
        Ok(chosen)
    }

    pub fn current(&self) -> Result<&Context, Problem> {
        match &self.current {
            Some(name) => self.find(name),
            None => Err(Problem::NoCurrentContext {
                known: self.known.iter().map(|c| c.name.clone()).collect(),
            }),
        }
    }

    pub fn find(&self, name: &str) -> Result<&Context, Problem> {
        self.known
            .iter()
            .find(|context| context.name == name)
            .or_else(|| {
                self.known
                    .iter()
                    .find(|context| context.environment.as_str() == name)
            })
            .ok_or_else(|| Problem::UnknownContext {
                asked: sanitise(name),
                near: names::nearest(name, self.known.iter().map(|c| c.name.as_str())),
            })
    }

    /// How to connect to one of them. Reads certificate files; runs no plugin.
    pub fn connection(&self, context: &Context) -> Result<Connection, Problem> {
        match &self.origin {
            Origin::Files(merged) => connect::from_file(merged, context, &self.proxy, &self.policy),
            Origin::InCluster { server, folder } => connect::in_cluster(server, folder, context),
        }
    }
}
