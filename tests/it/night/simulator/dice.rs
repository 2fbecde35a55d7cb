//! Chance, and the account of what it led to. A seed gives always the same row, and the same row the same account.

use std::{
    cell::{Cell, RefCell},
    hash::{DefaultHasher, Hasher as _},
    time::Duration,
};

/// splitmix64.
#[derive(Debug)]
pub(super) struct Dice(Cell<u64>);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    pub(super) fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(state);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn roll(&self, sides: u64) -> u64 {
        self.next() % sides
    }

    pub(super) fn one_in(&self, sides: u64) -> bool {
        self.roll(sides) == 0
    }

    /// Milliseconds, both ends included.
    pub(super) fn millis(&self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.roll(to - from + 1))
    }

    pub(super) fn pick<T: Copy>(&self, among: &[T]) -> T {
        among[usize::try_from(self.roll(among.len() as u64)).unwrap()]
    }
}

/// What happened, in order, and the hash of all of it.
#[derive(Default)]
pub(super) struct Trace {
    hasher: RefCell<DefaultHasher>,
    count: Cell<usize>,
    lines: RefCell<Vec<String>>,
}

impl Trace {
    pub(super) fn note(&self, line: String) {
        self.hasher.borrow_mut().write(line.as_bytes());
        self.count.set(self.count.get() + 1);
        self.lines.borrow_mut().push(line);
    }

    pub(super) fn count(&self) -> usize {
        self.count.get()
    }

    pub(super) fn hash(&self) -> u64 {
        self.hasher.borrow().finish()
    }

    /// The last of it.
    pub(super) fn tail(&self, lines: usize) -> String {
        let all = self.lines.borrow();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}
