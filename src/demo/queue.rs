//! The one scheduler of the world: what is to be looked at, and when.
//!
//! Work is level-triggered (look at this object again), so asking twice means looking once, at the earlier time.
//! Must never hold a timer per object: an idle world has an empty queue and nothing wakes it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::clock::Moment;
use super::pipeline::RunRef;
use super::store::Key;

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Matter {
    Object(Key),
    Run(RunRef),
    /// What the story tells next, by its place in it.
    Story(usize),
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<(Moment, u64, Matter)>>,
    pending: HashMap<Matter, Moment>,
    /// First asked, first served among equals: the order must not depend on hashing.
    asked: u64,
}

impl Queue {
    pub(super) fn schedule(&mut self, key: Matter, due: Moment) {
        if self
            .pending
            .get(&key)
            .is_some_and(|earlier| *earlier <= due)
        {
            return;
        }
        self.asked += 1;
        self.pending.insert(key.clone(), due);
        self.heap.push(Reverse((due, self.asked, key)));
    }

    pub(super) fn pop_due(&mut self, now: Moment) -> Option<(Moment, Matter)> {
        while let Some(Reverse((due, _, _))) = self.heap.peek() {
            if *due > now {
                return None;
            }
            let Reverse((due, _, key)) = self.heap.pop()?;
            // An entry that was overtaken by an earlier one is stale.
            if self.pending.get(&key) == Some(&due) {
                self.pending.remove(&key);
                return Some((due, key));
            }
        }
        None
    }

    pub(super) fn next_due(&self) -> Option<Moment> {
        self.pending.values().min().copied()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::kind::Kind;
    use super::*;

    #[test]
    fn asking_twice_means_looking_once_at_the_earlier_time() {
        let mut queue = Queue::default();
        let key = Matter::Object(Key::new(Kind::Pod, "shop", "a"));
        let at = |seconds| Moment::OPENING.after(Duration::from_secs(seconds));
        queue.schedule(key.clone(), at(9));
        queue.schedule(key.clone(), at(3));
        queue.schedule(key.clone(), at(5));
        assert_eq!(queue.next_due(), Some(at(3)));
        assert_eq!(queue.pop_due(at(2)), None);
        assert_eq!(queue.pop_due(at(60)), Some((at(3), key)));
        assert_eq!(queue.pop_due(at(60)), None);
        assert_eq!(queue.next_due(), None);
    }
}
