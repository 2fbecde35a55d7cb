//! The styles of a theme under the names that the views use, copied once a frame, and what they mark as links in it. The one
//! place that knows the theme.

use ratatui::style::{Modifier, Style};

use super::{
    links::Marks,
    theme::{Role, Theme},
};
use crate::{
    app::state::Tone,
    model::{
        incident::Severity,
        pipeline::{Conclusion, RunPhase as JobPhase},
        release::Group,
        rollout::RunPhase,
        source::SourceState,
    },
    ops::{guard::Decision, machine::OutcomeKind},
};

#[derive(Clone, Debug)]
pub(super) struct Ink {
    pub(super) base: Style,
    pub(super) head: Style,
    pub(super) selection: Style,
    pub(super) text: Style,
    pub(super) dim: Style,
    pub(super) ghost: Style,
    /// For rules and boxes, never for text.
    pub(super) line: Style,
    pub(super) accent: Style,
    pub(super) ok: Style,
    pub(super) moving: Style,
    pub(super) waiting: Style,
    pub(super) bad: Style,
    pub(super) links: Marks,
}

/// For what needs a decision. Many terminals show bold and dim together as dim.
pub(super) const fn bold(style: Style) -> Style {
    style
        .remove_modifier(Modifier::DIM)
        .add_modifier(Modifier::BOLD)
}

/// Loud: the colour becomes the ground.
pub(super) const fn inverse(style: Style) -> Style {
    style
        .add_modifier(Modifier::REVERSED)
        .add_modifier(Modifier::BOLD)
}

impl Ink {
    pub(super) fn of(theme: &Theme) -> Self {
        Self {
            base: theme.style(Role::Background),
            head: theme.style(Role::Head),
            selection: theme.style(Role::Selection),
            text: theme.style(Role::Text),
            dim: theme.style(Role::Dim),
            ghost: theme.style(Role::Ghost),
            line: theme.style(Role::Line),
            accent: theme.style(Role::Accent),
            ok: theme.style(Role::Ok),
            moving: theme.style(Role::Moving),
            waiting: theme.style(Role::Waiting),
            bad: theme.style(Role::Bad),
            links: Marks::default(),
        }
    }

    pub(super) const fn group(&self, group: Group) -> Style {
        match group {
            Group::Broken => self.bad,
            Group::NeedsYou => self.waiting,
            Group::Moving => self.moving,
            Group::Unknown => self.dim,
            Group::Quiet => self.ok,
        }
    }

    pub(super) const fn tone(&self, tone: Tone) -> Style {
        match tone {
            Tone::Plain => self.text,
            Tone::Good => self.ok,
            Tone::Waiting => self.waiting,
            Tone::Bad => self.bad,
        }
    }

    pub(super) const fn run(&self, phase: &RunPhase) -> Style {
        match phase {
            RunPhase::Pending | RunPhase::Running => self.moving,
            RunPhase::Successful => self.ok,
            RunPhase::Failed | RunPhase::Error => self.bad,
            RunPhase::Inconclusive => self.waiting,
            RunPhase::Unknown(_) => self.dim,
        }
    }

    /// Of a run, a job or a step of a pipeline: green is success and nothing else.
    pub(super) const fn job(&self, phase: &JobPhase) -> Style {
        match phase {
            JobPhase::Queued | JobPhase::WaitsForOther => self.dim,
            JobPhase::WaitsAtGate | JobPhase::Ended(Conclusion::ActionRequired) => self.waiting,
            JobPhase::Running => self.moving,
            JobPhase::Ended(Conclusion::Success) => self.ok,
            JobPhase::Ended(
                Conclusion::Failure | Conclusion::TimedOut | Conclusion::StartupFailure,
            ) => self.bad,
            JobPhase::Ended(
                Conclusion::Cancelled
                | Conclusion::Skipped
                | Conclusion::Neutral
                | Conclusion::Stale
                | Conclusion::Unknown(_),
            )
            | JobPhase::Unknown(_) => self.dim,
        }
    }

    pub(super) const fn severity(&self, severity: &Severity) -> Style {
        match severity {
            Severity::Critical => self.bad,
            Severity::Unknown(_) | Severity::Warning => self.waiting,
            Severity::Info | Severity::None => self.dim,
        }
    }

    pub(super) const fn outcome(&self, kind: OutcomeKind) -> Style {
        match kind {
            OutcomeKind::Observed => self.ok,
            OutcomeKind::Accepted => self.moving,
            OutcomeKind::Partial | OutcomeKind::Unknown | OutcomeKind::Interrupted => self.waiting,
            OutcomeKind::Reverted
            | OutcomeKind::Rejected
            | OutcomeKind::Failed
            | OutcomeKind::Refused
            | OutcomeKind::Unreachable => self.bad,
        }
    }

    pub(super) const fn source(&self, state: SourceState) -> Style {
        match state {
            SourceState::Live => self.ok,
            SourceState::Connecting | SourceState::NotConfigured => self.dim,
            SourceState::Stale | SourceState::RateLimited => self.waiting,
            SourceState::Unreachable
            | SourceState::Unauthorized
            | SourceState::Forbidden
            | SourceState::Malformed => self.bad,
        }
    }

    pub(super) const fn decision(&self, decision: Decision) -> Style {
        match decision {
            Decision::Allow => self.ok,
            Decision::Warn | Decision::Strongest => self.waiting,
            Decision::Deny => self.bad,
        }
    }
}
