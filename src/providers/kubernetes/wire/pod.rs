//! Pods: what is needed to say what `kubectl get pods` says.

use super::{Meta, Time, wire};

wire! {
    pub struct Pod {
        pub metadata: Meta,
        pub spec: PodSpec,
        pub status: PodStatus,
    }

    pub struct PodSpec {
        pub containers: Vec<PodContainer>,
        pub init_containers: Vec<PodContainer>,
        pub restart_policy: String,
        pub node_name: String,
    }

    pub struct PodContainer {
        pub name: String,
        /// `Always` on an init container makes it a sidecar.
        pub restart_policy: Option<String>,
    }

    pub struct PodStatus {
        pub phase: String,
        pub reason: String,
        pub message: String,
        pub start_time: Time,
        pub conditions: Vec<super::Condition>,
        pub init_container_statuses: Vec<ContainerStatus>,
        pub container_statuses: Vec<ContainerStatus>,
    }

    pub struct ContainerStatus {
        pub name: String,
        pub ready: bool,
        pub started: Option<bool>,
        pub restart_count: i32,
        pub state: ContainerState,
        pub last_state: ContainerState,
    }

    pub struct ContainerState {
        pub waiting: Option<Waiting>,
        pub running: Option<serde::de::IgnoredAny>,
        pub terminated: Option<Terminated>,
    }

    pub struct Waiting {
        pub reason: String,
        pub message: String,
    }

    pub struct Terminated {
        pub reason: String,
        pub message: String,
        pub exit_code: i32,
        pub signal: i32,
    }
}
