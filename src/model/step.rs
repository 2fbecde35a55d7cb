//! The steps of a canary and the words for them. Never decides which step is current: the status says that.

use std::fmt;

use super::text::Safe;

/// One step of a canary, as the vendor's spec has it. A kind that this program does not know is kept by name:
/// it must be shown, never dropped, or every later index would be wrong.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    SetWeight(i32),
    /// Waits for a human.
    Pause,
    /// Waits by itself. The text is the vendor's (`10`, `10s`, `1h`).
    PauseFor {
        text: Safe,
        seconds: Option<i64>,
    },
    Analysis,
    Experiment,
    SetCanaryScale(CanaryScale),
    SetHeaderRoute(Safe),
    SetMirrorRoute(Safe),
    Plugin(Safe),
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CanaryScale {
    Weight(i32),
    Replicas(i32),
    MatchTrafficWeight,
    Unset,
}

impl fmt::Display for Step {
    /// The vendor's label (`CanaryStepString` of Argo Rollouts).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetWeight(weight) => write!(f, "setWeight: {weight}"),
            Self::Pause => f.write_str("pause"),
            Self::PauseFor { text, .. } => write!(f, "pause: {}", &**text),
            Self::Analysis => f.write_str("analysis"),
            Self::Experiment => f.write_str("experiment"),
            Self::SetCanaryScale(CanaryScale::Weight(weight)) => {
                write!(f, "setCanaryScale{{weight: {weight}}}")
            }
            Self::SetCanaryScale(CanaryScale::Replicas(replicas)) => {
                write!(f, "setCanaryScale{{replicas: {replicas}}}")
            }
            Self::SetCanaryScale(CanaryScale::MatchTrafficWeight) => {
                f.write_str("setCanaryScale{matchTrafficWeight: true}")
            }
            Self::SetHeaderRoute(name) => write!(f, "setHeaderRoute: {}", &**name),
            Self::SetMirrorRoute(name) => write!(f, "setMirrorRoute: {}", &**name),
            Self::Plugin(name) => write!(f, "plugin: {}", &**name),
            // Upstream's word for a scale that says nothing, too.
            Self::SetCanaryScale(CanaryScale::Unset) | Self::Unknown => f.write_str("invalid"),
        }
    }
}

impl Step {
    /// Short words for a sentence: "50 %", "analysis", "pause", "wait 10m".
    pub fn words(&self) -> String {
        match self {
            Self::SetWeight(weight) => format!("{weight} %"),
            Self::Pause => "pause".to_owned(),
            Self::PauseFor { text, .. } => format!("wait {}", with_unit(text)),
            Self::Analysis => "analysis".to_owned(),
            Self::Experiment => "experiment".to_owned(),
            Self::SetCanaryScale(_) => "scale".to_owned(),
            Self::SetHeaderRoute(_) => "header route".to_owned(),
            Self::SetMirrorRoute(_) => "mirror".to_owned(),
            Self::Plugin(name) => format!("plugin {}", &**name),
            Self::Unknown => "unknown step".to_owned(),
        }
    }

    /// Whether the rollout stays at this step until something else happens: a human, a clock, a measurement.
    pub const fn stops(&self) -> bool {
        matches!(
            self,
            Self::Pause
                | Self::PauseFor { .. }
                | Self::Analysis
                | Self::Experiment
                | Self::Plugin(_)
                | Self::Unknown
        )
    }
}

fn with_unit(text: &str) -> String {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        format!("{text}s")
    } else {
        text.to_owned()
    }
}

/// What really happens next when step `from` is left, in words: `analysis at 25 %, then 50 %`.
/// `weight` is the weight set when leaving.
pub fn what_comes_next(steps: &[Step], from: usize, weight: Option<i32>) -> String {
    let mut words: Vec<String> = Vec::new();
    for step in steps.iter().skip(from) {
        match step {
            Step::SetWeight(_) => words.push(step.words()),
            Step::Analysis | Step::Experiment if words.is_empty() => match weight {
                Some(weight) => words.push(format!("{} at {weight} %", step.words())),
                None => words.push(step.words()),
            },
            Step::Analysis
            | Step::Experiment
            | Step::Plugin(_)
            | Step::PauseFor { .. }
            | Step::Unknown => words.push(step.words()),
            Step::Pause => {
                if words.is_empty() {
                    words.push("pause".to_owned());
                }
                break;
            }
            Step::SetCanaryScale(_) | Step::SetHeaderRoute(_) | Step::SetMirrorRoute(_) => {}
        }
        if words.len() == 2 {
            break;
        }
    }
    match words.len() {
        0 => "all traffic".to_owned(),
        _ => words.join(", then "),
    }
}
