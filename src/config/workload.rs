//! A reference to a workload, `[namespace/]kind/name`. Must never reach a cluster: whether it exists is not known here.

use std::{fmt, str::FromStr};

use serde::Deserialize;

use crate::model::id::{Namespace, ServiceName, WorkloadKind};

use super::{near::nearest, rule::kinds};

/// Which workload a service is, in whatever environment. Without a namespace: wherever one of that kind and name is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Workload {
    pub namespace: Option<Namespace>,
    pub kind: WorkloadKind,
    pub name: ServiceName,
}

/// Why a text is no reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAWorkload(String);

impl FromStr for Workload {
    type Err = NotAWorkload;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('/').collect();
        let (namespace, kind, name) = match parts.as_slice() {
            [kind, name] => (None, *kind, *name),
            [namespace, kind, name] => (Some(*namespace), *kind, *name),
            _ => {
                return Err(NotAWorkload(format!(
                    "[namespace/]kind/name is wanted, such as \"shop/argo-rollout/checkout\", not {text:?}"
                )));
            }
        };
        let kind = named_kind(kind)?;
        if let Some(namespace) = namespace.filter(|n| !is_label(n)) {
            return Err(NotAWorkload(format!(
                "{namespace:?} is no name of a namespace"
            )));
        }
        if name.is_empty() || !name.split('.').all(is_label) {
            return Err(NotAWorkload(format!("{name:?} is no name of a workload")));
        }
        Ok(Self {
            namespace: namespace.map(Namespace::new),
            kind,
            name: ServiceName::new(name),
        })
    }
}

/// Only our own word, although a command line takes the short ones too: a file is read by others.
fn named_kind(word: &str) -> Result<WorkloadKind, NotAWorkload> {
    if let Some(kind) = WorkloadKind::ALL
        .into_iter()
        .find(|kind| kind.word() == word)
    {
        return Ok(kind);
    }
    let near = WorkloadKind::from_word(word)
        .map(WorkloadKind::word)
        .or_else(|| nearest(word, kinds()));
    let advice = near.map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
    Err(NotAWorkload(format!(
        "there is no kind {word:?}; valid are {}{advice}",
        kinds().join(", ")
    )))
}

/// A DNS label (RFC 1123), which Kubernetes wants of the names of namespaces and, joined by dots, of most others.
pub(super) fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=63).contains(&text.len())
        && text.chars().all(|c| inner(c) || c == '-')
        && text.starts_with(inner)
        && text.ends_with(inner)
}

impl TryFrom<String> for Workload {
    type Error = NotAWorkload;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        write!(f, "{}/{}", self.kind, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_and_written_alike() {
        for text in [
            "shop/argo-rollout/checkout",
            "deployment/a.b",
            "x/statefulset/db",
            "daemonset/agent",
        ] {
            assert_eq!(text.parse::<Workload>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_reference_is_told_why() {
        let why = |text: &str| text.parse::<Workload>().unwrap_err().to_string();
        assert!(why("checkout").starts_with("[namespace/]kind/name is wanted"));
        assert!(why("a/b/c/d").starts_with("[namespace/]kind/name is wanted"));
        assert!(why("rollout/checkout").ends_with("did you mean \"argo-rollout\"?"));
        assert!(why("shop/deploymnt/x").ends_with("did you mean \"deployment\"?"));
        assert!(why("shop/cronjob/x").ends_with("statefulset, daemonset"));
        assert_eq!(
            why("Shop/deployment/x"),
            "\"Shop\" is no name of a namespace"
        );
        assert_eq!(why("shop/deployment/"), "\"\" is no name of a workload");
        assert_eq!(why("shop/deployment/-x"), "\"-x\" is no name of a workload");
    }
}
