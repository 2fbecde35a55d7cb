//! Everything that looks random, from one seed: same seed, same world.
//!
//! Must never draw from the system's randomness.

/// The letters Kubernetes uses in generated names: no vowels, so that no words appear.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// `SplitMix64`: small, seedable with any value, and good enough for names and jitter.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`, or 0 when there is nothing below it.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// Five letters, as at the end of a pod's name.
    pub(super) fn suffix(&mut self) -> String {
        (0..5).map(|_| letter(self.next())).collect()
    }

    pub(super) fn uid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            ((low >> 48) & 0x3fff) | 0x8000,
            low & 0xffff_ffff_ffff
        )
    }
}

fn letter(number: u64) -> char {
    let count = u64::try_from(LETTERS.len()).unwrap_or(1);
    usize::try_from(number % count)
        .ok()
        .and_then(|index| LETTERS.get(index))
        .map_or('x', |byte| char::from(*byte))
}

/// A short hash written as Kubernetes writes pod-template hashes: FNV-32a, its decimal digits mapped to letters.
pub(super) fn short_hash(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    });
    hash.to_string()
        .bytes()
        .map(|digit| letter(u64::from(digit)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_names() {
        let draw = |seed| {
            let mut chance = Chance::new(seed);
            (chance.suffix(), chance.uid(), chance.below(10))
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn hashes_use_the_letters_of_kubernetes() {
        // 0x811c9dc5 is 2166136261; SafeEncodeString maps each digit's byte modulo 27.
        assert_eq!(short_hash(b""), "65bb57b6b5");
    }
}
