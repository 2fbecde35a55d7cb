//! How many releases there are in each group. Counts what it is told, and looks at no release.

use crate::model::release::Group;

/// How many releases are in each group, filter or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub broken: usize,
    pub needs_you: usize,
    pub moving: usize,
    pub unknown: usize,
    pub quiet: usize,
    pub all: usize,
    pub shown: usize,
}

impl Counts {
    pub const fn of(&self, group: Group) -> usize {
        match group {
            Group::Broken => self.broken,
            Group::NeedsYou => self.needs_you,
            Group::Moving => self.moving,
            Group::Unknown => self.unknown,
            Group::Quiet => self.quiet,
        }
    }

    const fn of_mut(&mut self, group: Group) -> &mut usize {
        match group {
            Group::Broken => &mut self.broken,
            Group::NeedsYou => &mut self.needs_you,
            Group::Moving => &mut self.moving,
            Group::Unknown => &mut self.unknown,
            Group::Quiet => &mut self.quiet,
        }
    }

    /// One release that was in one group is in another; `None` is where it has no row of its own.
    pub(super) fn moved(&mut self, from: Option<Group>, to: Option<Group>) {
        if let Some(from) = from {
            *self.of_mut(from) -= 1;
            self.all -= 1;
        }
        if let Some(to) = to {
            *self.of_mut(to) += 1;
            self.all += 1;
        }
    }
}
