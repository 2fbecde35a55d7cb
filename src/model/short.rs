//! A short text of a server, kept in place where it has room there: hashes and versions have, and there are several of
//! them of every release. Owns how it is kept, which nobody else sees.

use std::{cmp::Ordering, sync::Arc};

/// Bytes that have room in place.
const ROOM: usize = 14;

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Short(Kept);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Kept {
    Here { length: u8, bytes: [u8; ROOM] },
    Elsewhere(Arc<Box<str>>),
}

impl Short {
    pub(super) fn new(text: &str) -> Self {
        let mut bytes = [0; ROOM];
        let here = bytes
            .get_mut(..text.len())
            .zip(u8::try_from(text.len()).ok());
        Self(match here {
            Some((room, length)) => {
                room.copy_from_slice(text.as_bytes());
                Kept::Here { length, bytes }
            }
            None => Kept::Elsewhere(Arc::new(text.into())),
        })
    }

    pub(super) fn as_str(&self) -> &str {
        match &self.0 {
            Kept::Here { length, bytes } => bytes
                .get(..usize::from(*length))
                .and_then(|bytes| std::str::from_utf8(bytes).ok())
                .unwrap_or_default(),
            Kept::Elsewhere(text) => text,
        }
    }
}

impl PartialOrd for Short {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Short {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_hash_needs_no_room_elsewhere() {
        assert_eq!(size_of::<Option<Short>>(), 16);
        assert!(matches!(Short::new("7b9c8d5f6d").0, Kept::Here { .. }));
    }

    proptest! {
        #[test]
        fn a_text_comes_back_and_is_ordered_as_text(one in ".{0,20}", other in ".{0,20}") {
            let (a, b) = (Short::new(&one), Short::new(&other));
            prop_assert_eq!(a.as_str(), &one);
            prop_assert_eq!(a.cmp(&b), one.cmp(&other));
            prop_assert_eq!(a == b, one == other);
        }
    }
}
