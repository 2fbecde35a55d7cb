//! Identities. Everything that is pointed at, selected, acted on or recorded is named by one of these,
//! never by a row number and never by a bare string. Cloning is cheap: the text is shared.

use std::{fmt, sync::Arc};

use serde::{Serialize, Serializer};

use super::short::Short;
pub use super::uid::Uid;

macro_rules! text_as {
    ($kept:ty, $(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($kept);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
    };
}

macro_rules! shared_text {
    ($(#[$doc:meta])* $name:ident) => {
        text_as!(Arc<str>, $(#[$doc])* $name);

        impl $name {
            pub fn new(text: &str) -> Self {
                Self(Arc::from(text))
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

macro_rules! short_text {
    ($(#[$doc:meta])* $name:ident) => {
        text_as!(Short, $(#[$doc])* $name);

        impl $name {
            pub fn new(text: &str) -> Self {
                Self(Short::new(text))
            }
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }
    };
}

shared_text!(
    /// An environment, `prod-eu`: a name of ours, from the configuration or from the kubeconfig context.
    EnvironmentName
);
shared_text!(
    /// A Kubernetes namespace.
    Namespace
);
shared_text!(
    /// The name of a workload object, unique per namespace and kind.
    ServiceName
);
shared_text!(
    /// A source of facts, `kubernetes/prod-eu`.
    SourceId
);
short_text!(
    /// A `resourceVersion`. Opaque: compared for equality only.
    ResourceVersion
);
short_text!(
    /// A pod-template hash, which names one version of a workload's template.
    PodHash
);
shared_text!(
    /// One intent, from the key press to its outcome in the audit log.
    IntentId
);

/// What kind of object carries a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkloadKind {
    ArgoRollout,
    Deployment,
    StatefulSet,
    DaemonSet,
}

impl WorkloadKind {
    pub const ALL: [Self; 4] = [
        Self::ArgoRollout,
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
    ];

    /// The word in identities, JSON and the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ArgoRollout => "argo-rollout",
            Self::Deployment => "deployment",
            Self::StatefulSet => "statefulset",
            Self::DaemonSet => "daemonset",
        }
    }

    /// The vendor's name of the kind, as in `involvedObject.kind`.
    pub const fn vendor(self) -> &'static str {
        match self {
            Self::ArgoRollout => "Rollout",
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
        }
    }

    /// Accepts our word and the usual spellings of a command line (`rollout`, `deploy`, `sts`, `ds`).
    pub fn from_word(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "argo-rollout" | "rollout" | "rollouts" | "ro" => Some(Self::ArgoRollout),
            "deployment" | "deployments" | "deploy" => Some(Self::Deployment),
            "statefulset" | "statefulsets" | "sts" => Some(Self::StatefulSet),
            "daemonset" | "daemonsets" | "ds" => Some(Self::DaemonSet),
            _ => None,
        }
    }
}

impl fmt::Display for WorkloadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Serialize for WorkloadKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// Which workload in which environment: `prod-eu/shop/argo-rollout/checkout`.
///
/// It names a place, not an object: a deleted and recreated workload has the same `ReleaseId` and another [`Uid`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReleaseId {
    pub environment: EnvironmentName,
    pub namespace: Namespace,
    pub kind: WorkloadKind,
    pub name: ServiceName,
}

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}/{}/{}",
            self.environment, self.namespace, self.kind, self.name
        )
    }
}

impl Serialize for ReleaseId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
