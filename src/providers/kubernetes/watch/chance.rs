//! Chance for jitter, and the waits made from it. Not for secrets.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

/// Before a first failure has been repeated.
const FIRST_WAIT: Duration = Duration::from_millis(800);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A small generator (splitmix64): a seed gives always the same row, which is what a test wants.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// From the operating system's randomness, by way of the hasher that has it already.
    pub fn from_system() -> Self {
        Self(RandomState::new().hash_one(0u8))
    }

    /// Another row, as good as this one.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self(self.next())
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high.saturating_sub(low) + 1)
    }

    /// How long to wait before try number `attempt` (from 0): anything up to a bound that doubles. The whole span is
    /// open ("full jitter"): a thousand clients of a server that comes back must not come back together.
    pub(super) fn wait(&mut self, attempt: u32) -> Duration {
        let bound = FIRST_WAIT
            .saturating_mul(2u32.saturating_pow(attempt.min(16)))
            .min(LONGEST_WAIT);
        let millis = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.between(1, millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_bound_and_spread_over_the_whole_of_it() {
        let mut chance = Chance::seeded(7);
        for (attempt, bound) in [
            (0, 800),
            (1, 1_600),
            (3, 6_400),
            (9, 30_000),
            (4_000, 30_000),
        ] {
            let waits: Vec<u128> = (0..1_000)
                .map(|_| chance.wait(attempt).as_millis())
                .collect();
            assert!(waits.iter().all(|wait| (1..=bound).contains(wait)));
            for quarter in 0..4 {
                let part = bound / 4;
                let inside = waits
                    .iter()
                    .filter(|w| **w > part * quarter && **w <= part * (quarter + 1));
                let count = inside.count();
                assert!(
                    (180..=320).contains(&count),
                    "{attempt}: {count} in quarter {quarter}"
                );
            }
        }
    }
}
