//! The resources this API serves: names, groups, and the three facts that change how they are written.
//!
//! Must never hold behaviour beyond those facts; controllers and the API decide what follows from them.

/// A custom resource answers differently: no strategic-merge patch, and items of its lists carry their type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    BuiltIn,
    Custom,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    Namespace,
    ConfigMap,
    Pod,
    Event,
    Deployment,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    ControllerRevision,
    Rollout,
    AnalysisRun,
    AnalysisTemplate,
    ClusterAnalysisTemplate,
    Experiment,
}

#[derive(Debug)]
pub(super) struct Facts {
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) plural: &'static str,
    pub(super) kind: &'static str,
    pub(super) short: &'static str,
    pub(super) origin: Origin,
    pub(super) namespaced: bool,
    /// Has a `/status` subresource. Where there is none, generation rises with status changes too.
    pub(super) status: bool,
    pub(super) scale: bool,
}

const fn built_in(group: &'static str, plural: &'static str, kind: &'static str) -> Facts {
    Facts {
        group,
        version: "v1",
        plural,
        kind,
        short: "",
        origin: Origin::BuiltIn,
        namespaced: true,
        status: false,
        scale: false,
    }
}

const fn custom(plural: &'static str, kind: &'static str, short: &'static str) -> Facts {
    Facts {
        group: "argoproj.io",
        version: "v1alpha1",
        plural,
        kind,
        short,
        origin: Origin::Custom,
        namespaced: true,
        status: false,
        scale: false,
    }
}

static NAMESPACE: Facts = Facts {
    namespaced: false,
    short: "ns",
    ..built_in("", "namespaces", "Namespace")
};
static CONFIG_MAP: Facts = Facts {
    short: "cm",
    ..built_in("", "configmaps", "ConfigMap")
};
static POD: Facts = Facts {
    status: true,
    short: "po",
    ..built_in("", "pods", "Pod")
};
static EVENT: Facts = Facts {
    short: "ev",
    ..built_in("", "events", "Event")
};
static DEPLOYMENT: Facts = Facts {
    status: true,
    scale: true,
    short: "deploy",
    ..built_in("apps", "deployments", "Deployment")
};
static REPLICA_SET: Facts = Facts {
    status: true,
    scale: true,
    short: "rs",
    ..built_in("apps", "replicasets", "ReplicaSet")
};
static STATEFUL_SET: Facts = Facts {
    status: true,
    scale: true,
    short: "sts",
    ..built_in("apps", "statefulsets", "StatefulSet")
};
static DAEMON_SET: Facts = Facts {
    status: true,
    short: "ds",
    ..built_in("apps", "daemonsets", "DaemonSet")
};
static CONTROLLER_REVISION: Facts = built_in("apps", "controllerrevisions", "ControllerRevision");
static ROLLOUT: Facts = Facts {
    status: true,
    scale: true,
    ..custom("rollouts", "Rollout", "ro")
};
static ANALYSIS_RUN: Facts = custom("analysisruns", "AnalysisRun", "ar");
static ANALYSIS_TEMPLATE: Facts = custom("analysistemplates", "AnalysisTemplate", "at");
static CLUSTER_ANALYSIS_TEMPLATE: Facts = Facts {
    namespaced: false,
    ..custom("clusteranalysistemplates", "ClusterAnalysisTemplate", "cat")
};
static EXPERIMENT: Facts = custom("experiments", "Experiment", "exp");

impl Kind {
    pub(super) const ALL: [Self; 14] = [
        Self::Namespace,
        Self::ConfigMap,
        Self::Pod,
        Self::Event,
        Self::Deployment,
        Self::ReplicaSet,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::ControllerRevision,
        Self::Rollout,
        Self::AnalysisRun,
        Self::AnalysisTemplate,
        Self::ClusterAnalysisTemplate,
        Self::Experiment,
    ];

    pub(super) fn facts(self) -> &'static Facts {
        match self {
            Self::Namespace => &NAMESPACE,
            Self::ConfigMap => &CONFIG_MAP,
            Self::Pod => &POD,
            Self::Event => &EVENT,
            Self::Deployment => &DEPLOYMENT,
            Self::ReplicaSet => &REPLICA_SET,
            Self::StatefulSet => &STATEFUL_SET,
            Self::DaemonSet => &DAEMON_SET,
            Self::ControllerRevision => &CONTROLLER_REVISION,
            Self::Rollout => &ROLLOUT,
            Self::AnalysisRun => &ANALYSIS_RUN,
            Self::AnalysisTemplate => &ANALYSIS_TEMPLATE,
            Self::ClusterAnalysisTemplate => &CLUSTER_ANALYSIS_TEMPLATE,
            Self::Experiment => &EXPERIMENT,
        }
    }

    pub(super) fn of(group: &str, version: &str, plural: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| {
            let facts = kind.facts();
            facts.group == group && facts.version == version && facts.plural == plural
        })
    }

    /// By the name in `kind`, as owner references give it.
    pub(super) fn named(kind: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|known| known.facts().kind == kind)
    }

    /// `rollouts.argoproj.io`, or `pods` in the core group: how errors name a resource.
    pub(super) fn qualified(self) -> String {
        let facts = self.facts();
        match facts.group {
            "" => facts.plural.to_owned(),
            group => format!("{}.{group}", facts.plural),
        }
    }

    pub(super) fn api_version(self) -> String {
        let facts = self.facts();
        match facts.group {
            "" => facts.version.to_owned(),
            group => format!("{group}/{}", facts.version),
        }
    }
}
