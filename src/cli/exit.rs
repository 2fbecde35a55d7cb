//! Exit codes: what a script may rely on.

use crate::ops::machine::OutcomeKind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    Internal = 1,
    Usage = 2,
    Refused = 3,
    NeedsConfirmation = 4,
    Unknown = 5,
    Failed = 6,
    NotFound = 7,
    Unreachable = 8,
    TimedOut = 124,
    Interrupted = 130,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        // The discriminants are the codes.
        #[expect(
            clippy::as_conversions,
            reason = "repr(u8) makes this the documented code"
        )]
        Self::from(exit as u8)
    }
}

/// The exit code of an outcome.
pub const fn of_outcome(kind: OutcomeKind) -> Exit {
    match kind {
        OutcomeKind::Observed | OutcomeKind::Accepted => Exit::Done,
        OutcomeKind::Unknown | OutcomeKind::Partial => Exit::Unknown,
        OutcomeKind::Rejected | OutcomeKind::Failed | OutcomeKind::Reverted => Exit::Failed,
        OutcomeKind::Refused => Exit::Refused,
        OutcomeKind::Unreachable => Exit::Unreachable,
        OutcomeKind::Interrupted => Exit::Interrupted,
    }
}
