//! Objects by uid, with the rule of a list that is told anew: what is not told again is gone when it is complete.

use std::collections::{HashMap, HashSet};

use crate::model::id::Uid;

#[derive(Debug)]
pub(super) struct Kept<T> {
    items: HashMap<Uid, T>,
    told_again: Option<HashSet<Uid>>,
    /// Listed at least once: an empty one is empty, not unknown.
    pub(super) is_known: bool,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self {
            items: HashMap::new(),
            told_again: None,
            is_known: false,
        }
    }
}

impl<T> Kept<T> {
    pub(super) fn begin(&mut self) {
        self.told_again = Some(HashSet::new());
    }

    pub(super) fn put(&mut self, uid: Uid, item: T) {
        if let Some(told) = &mut self.told_again {
            told.insert(uid.clone());
        }
        self.items.insert(uid, item);
    }

    pub(super) fn remove(&mut self, uid: &Uid) {
        self.items.remove(uid);
    }

    pub(super) fn complete(&mut self) {
        if let Some(told) = self.told_again.take() {
            self.items.retain(|uid, _| told.contains(uid));
        }
        self.is_known = true;
    }

    pub(super) fn clear(&mut self) {
        self.items.clear();
        self.is_known = true;
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.items.values()
    }

    pub(super) fn items(&self) -> impl Iterator<Item = (&Uid, &T)> {
        self.items.iter()
    }

    pub(super) fn get(&self, uid: &Uid) -> Option<&T> {
        self.items.get(uid)
    }
}
