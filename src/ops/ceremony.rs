//! The ceremony that a plan asks for, and the one door to sending it: [`Approved`] has no constructor outside this
//! module, so a guard or a ceremony that was skipped does not compile.

use serde::Serialize;

use super::{
    guard::{Decision, GuardAnswer},
    intent::Verb,
    plan::{Plan, Risk},
};

/// What confirms a plan. It grows with the risk; what is typed is what people get wrong, the environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ceremony {
    Yes,
    /// Typing `prod-eu`; the longer text serves too.
    Environment {
        text: String,
        or: String,
    },
    /// Typing `prod-eu/checkout`, and a reason.
    Target {
        text: String,
    },
}

/// What the operator gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confirmation {
    pub yes: bool,
    pub typed: Option<String>,
    pub reason: Option<String>,
}

/// What still stands between a plan and its execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotYet {
    /// A guard refuses: all sentences.
    Refused(Vec<String>),
    Yes,
    Type(String),
    Reason,
}

/// A plan that every guard let through and a human confirmed. Made by [`approve`] only.
#[derive(Clone, Debug)]
pub struct Approved {
    plan: Plan,
    guards: Vec<GuardAnswer>,
    reason: Option<String>,
}

impl Approved {
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    pub fn guards(&self) -> &[GuardAnswer] {
        &self.guards
    }

    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

/// Which ceremony these guard answers ask for.
pub fn ceremony(plan: &Plan, guards: &[GuardAnswer]) -> Ceremony {
    let target = &plan.intent.target;
    let text = target.environment().to_string();
    let or = format!("{}/{}", target.environment(), target.name());
    // Whatever the guards say about risk: an emergency is confirmed by Y.
    if plan.intent.verb.is_emergency() {
        return Ceremony::Yes;
    }
    let worst = guards
        .iter()
        .map(|guard| guard.answer)
        .max()
        .unwrap_or(Decision::Allow);
    let strongest = worst >= Decision::Strongest
        || plan.intent.verb == Verb::PromoteFull
        || plan.risks.contains(&Risk::OnAborted);
    if strongest {
        Ceremony::Target { text: or }
    } else if worst >= Decision::Warn || matches!(plan.intent.verb, Verb::Rollback | Verb::Retry) {
        Ceremony::Environment { text, or }
    } else {
        Ceremony::Yes
    }
}

impl Ceremony {
    /// Whether `typed` is what was asked for: exactly, since what is nearly right is what people get wrong.
    pub fn accepts(&self, typed: &str) -> bool {
        match self {
            Self::Yes => false,
            Self::Environment { text, or } => typed == text || typed == or,
            Self::Target { text } => typed == text,
        }
    }

    pub const fn asks_reason(&self) -> bool {
        matches!(self, Self::Target { .. })
    }
}

/// The only way to [`Approved`].
pub fn approve(
    plan: Plan,
    guards: Vec<GuardAnswer>,
    confirmation: &Confirmation,
) -> Result<Approved, (Box<Plan>, NotYet)> {
    if let Some(not_yet) = missing(&plan, &guards, confirmation) {
        return Err((Box::new(plan), not_yet));
    }
    let reason = confirmation
        .reason
        .clone()
        .or_else(|| plan.intent.reason.clone())
        .filter(|reason| !reason.trim().is_empty());
    Ok(Approved {
        plan,
        guards,
        reason,
    })
}

/// What is still missing; `None` when the plan may be sent.
pub fn missing(plan: &Plan, guards: &[GuardAnswer], confirmation: &Confirmation) -> Option<NotYet> {
    let refused: Vec<String> = guards
        .iter()
        .filter(|guard| guard.answer == Decision::Deny)
        .map(|guard| guard.because.clone())
        .collect();
    if !refused.is_empty() {
        return Some(NotYet::Refused(refused));
    }
    let ceremony = ceremony(plan, guards);
    let typed = confirmation.typed.as_deref();
    match &ceremony {
        Ceremony::Yes
            if confirmation.yes || typed.is_some_and(|typed| names_target(plan, typed)) => {}
        Ceremony::Yes => return Some(NotYet::Yes),
        Ceremony::Environment { text, .. } | Ceremony::Target { text }
            if !typed.is_some_and(|typed| ceremony.accepts(typed)) =>
        {
            return Some(NotYet::Type(text.clone()));
        }
        Ceremony::Environment { .. } | Ceremony::Target { .. } => {}
    }
    let reason = confirmation
        .reason
        .as_deref()
        .or(plan.intent.reason.as_deref())
        .unwrap_or_default();
    if ceremony.asks_reason() && reason.trim().is_empty() {
        return Some(NotYet::Reason);
    }
    None
}

/// On a command line a typed target confirms what `--yes` would have confirmed; another target never does.
fn names_target(plan: &Plan, typed: &str) -> bool {
    let target = &plan.intent.target;
    typed == target.environment().as_str()
        || typed == format!("{}/{}", target.environment(), target.name())
}
