//! Where each release is in the store, by one of its names, in some fifteen bytes a release: the names themselves are in the store
//! already, and a second copy of ten thousand of them is a megabyte. Holds hashes; must always be asked together with
//! whoever can tell whether the release in a slot is the one that is meant.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::{BuildHasher as _, Hash},
};

use super::releases::Slot;

#[derive(Debug)]
pub(super) struct Index<K> {
    hasher: RandomState,
    /// By half of the hash: more of it would be mostly room.
    slots: HashMap<u32, Slot>,
    /// Names whose half another one has: one or two in a hundred thousand.
    crowded: HashMap<K, Slot>,
}

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            slots: HashMap::new(),
            crowded: HashMap::new(),
        }
    }
}

impl<K: Hash + Eq + Clone> Index<K> {
    /// `is` tells whether the release in a slot has this name.
    pub(super) fn get(&self, key: &K, is: impl Fn(Slot) -> bool) -> Option<Slot> {
        let by_hash = self.slots.get(&self.half(key)).copied();
        by_hash
            .filter(|slot| is(*slot))
            .or_else(|| self.crowded.get(key).copied())
    }

    /// Of a name that is not in it.
    pub(super) fn insert(&mut self, key: &K, slot: Slot) {
        self.insert_hashed(self.half(key), key, slot);
    }

    #[expect(clippy::cast_possible_truncation, reason = "half of it is wanted")]
    fn half(&self, key: &K) -> u32 {
        self.hasher.hash_one(key) as u32
    }

    fn insert_hashed(&mut self, hash: u32, key: &K, slot: Slot) {
        match self.slots.entry(hash) {
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(slot);
            }
            std::collections::hash_map::Entry::Occupied(_) => {
                self.crowded.insert(key.clone(), slot);
            }
        }
    }

    /// The name of the release in this slot.
    pub(super) fn remove(&mut self, key: &K, slot: Slot) {
        if self.crowded.remove(key).is_none() {
            let hash = self.half(key);
            if self.slots.get(&hash) == Some(&slot) {
                self.slots.remove(&hash);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len() + self.crowded.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_the_same_hash_are_told_apart() {
        let names = ["cart", "checkout"];
        let is = |name: &'static str| move |slot: Slot| names[slot as usize] == name;
        let mut index: Index<&str> = Index::default();
        let hash = index.half(&"cart");
        index.insert(&"cart", 0);
        index.insert_hashed(hash, &"checkout", 1);
        assert_eq!(index.get(&"cart", is("cart")), Some(0));
        assert_eq!(index.get(&"checkout", is("checkout")), Some(1));
        assert_eq!(index.len(), 2);
        index.remove(&"checkout", 1);
        assert_eq!(index.get(&"checkout", is("checkout")), None);
        assert_eq!(index.get(&"cart", is("cart")), Some(0));
        index.remove(&"cart", 0);
        assert_eq!(index.len(), 0);
    }
}
