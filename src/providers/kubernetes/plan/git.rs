//! What GitOps will do about an action, and when, in words.

use crate::{
    model::rollout::{ManagedBy, Rollout},
    ops::intent::Verb,
};

/// What the owner's own object says of automatic synchronisation, where it may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitPolicy {
    /// Whether it synchronises by itself. `None`: it could not be read.
    pub automatic: Option<bool>,
    /// Whether it puts back what differs even without a new commit.
    pub self_heal: Option<bool>,
}

pub(super) fn words(
    rollout: &Rollout,
    policy: Option<&GitPolicy>,
    spec_changes: bool,
    verb: Verb,
) -> Option<String> {
    let owner = rollout.managed_by.as_deref()?;
    if !spec_changes {
        return Some(format!(
            "{owner} owns it; this leaves the spec as git has it, so nothing is put back"
        ));
    }
    let undoes = match verb {
        Verb::Restart => "takes nothing back: the field is not in git",
        _ => "puts the version in git back",
    };
    Some(match (owner, policy) {
        (_, _) if verb == Verb::Restart => {
            format!("{owner} owns it and {undoes}, unless it prunes unknown fields")
        }
        (
            ManagedBy::ArgoCd { .. },
            Some(GitPolicy {
                automatic: Some(true),
                self_heal: Some(true),
            }),
        ) => {
            format!(
                "{owner} {undoes} within seconds (auto-sync with self-heal): switch auto-sync off or revert the commit"
            )
        }
        (
            ManagedBy::ArgoCd { .. },
            Some(GitPolicy {
                automatic: Some(true),
                ..
            }),
        ) => {
            format!("{owner} {undoes} at the next commit (auto-sync): revert the commit")
        }
        (
            ManagedBy::ArgoCd { .. },
            Some(GitPolicy {
                automatic: Some(false),
                ..
            }),
        ) => {
            format!("{owner} {undoes} at the next sync by hand (auto-sync is off)")
        }
        (ManagedBy::ArgoCd { .. }, _) => {
            format!(
                "{owner} {undoes} at its next sync; whether auto-sync is on could not be read: revert the commit"
            )
        }
        (
            ManagedBy::Flux { .. },
            Some(GitPolicy {
                automatic: Some(false),
                ..
            }),
        ) => format!("{owner} is suspended: {undoes} when it is resumed"),
        (ManagedBy::Flux { .. }, _) => format!(
            "{owner} {undoes} at its next reconciliation, minutes from now: suspend it or revert the commit"
        ),
    })
}
