//! The plugin's icons. A state without one has none: it is never given that of another.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    Waiting,
    Progressing,
    Warning,
    Unknown,
    Ok,
    Bad,
    Paused,
    Neutral,
    None,
}

impl Icon {
    pub const fn glyph(self) -> &'static str {
        match self {
            Self::Waiting => "◷",
            Self::Progressing => "◌",
            Self::Warning => "⚠",
            Self::Unknown => "?",
            Self::Ok => "✔",
            Self::Bad => "✖",
            Self::Paused => "॥",
            Self::Neutral => "•",
            Self::None => " ",
        }
    }

    pub fn of_rollout(phase: &str) -> Self {
        match phase {
            "Progressing" => Self::Progressing,
            "Error" | "InvalidSpec" => Self::Warning,
            "Paused" => Self::Paused,
            "Healthy" => Self::Ok,
            "Degraded" => Self::Bad,
            "Unknown" => Self::Unknown,
            "ScaledDown" => Self::Neutral,
            _ => Self::None,
        }
    }

    pub fn of_replica_set(status: &str) -> Self {
        match status {
            "Progressing" => Self::Progressing,
            "Healthy" => Self::Ok,
            "ReplicaFailure" => Self::Bad,
            "ScaledDown" => Self::Neutral,
            _ => Self::None,
        }
    }

    /// Analysis runs, experiments and Jobs of a measurement.
    pub fn of_run(phase: &str) -> Self {
        match phase {
            "Successful" => Self::Ok,
            "Inconclusive" => Self::Unknown,
            "Failed" => Self::Bad,
            "Error" => Self::Warning,
            "Running" => Self::Progressing,
            "Pending" => Self::Waiting,
            _ => Self::None,
        }
    }

    pub fn of_pod(status: &str) -> Self {
        if status.starts_with("Init:") {
            return Self::Progressing;
        }
        if status.starts_with("Signal:") || status.starts_with("ExitCode:") {
            return Self::Bad;
        }
        if status.ends_with("Error") || status.starts_with("Err") {
            return Self::Warning;
        }
        match status {
            "Pending" | "Terminating" | "ContainerCreating" => Self::Progressing,
            "Running" | "Completed" => Self::Ok,
            "Failed" | "InvalidImageName" | "CrashLoopBackOff" => Self::Bad,
            "ImagePullBackOff" | "RegistryUnavailable" => Self::Warning,
            "Unknown" => Self::Unknown,
            _ => Self::None,
        }
    }
}
