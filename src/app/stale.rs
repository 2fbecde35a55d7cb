//! What changed since the Board was put in order: everything, or these few. Knows neither the rows nor the releases.

use super::releases::Slot;

/// Changes that are remembered while the order rests, which a held key can make last.
const CHANGES_KEPT: usize = 16_384;

/// What changed since something was made of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Stale {
    pub(super) order: Changes,
    /// Counts never rest, the order does.
    pub(super) counts: Changes,
    pub(super) filter: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    /// Which rows there are, or what all of them depend on.
    pub(super) all: bool,
    /// Only these, each as often as it changed.
    pub(super) slots: Vec<Slot>,
}

impl Changes {
    pub(super) fn everything(&mut self) {
        self.all = true;
        self.slots.clear();
    }

    pub(super) fn one(&mut self, slot: Slot) {
        if self.all {
            return;
        }
        if self.slots.len() < CHANGES_KEPT {
            self.slots.push(slot);
        } else {
            self.everything();
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        !self.all && self.slots.is_empty()
    }
}
