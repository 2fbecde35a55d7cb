//! The filter of the Board: which releases have what is typed. Keeps no rows.

use super::board::group_words;
use crate::model::release::{Group, Release};

/// What is typed into the filter: substrings of what one would look for, all of which a release must have, or not have
/// where a word begins with `!`.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    lower: String,
}

impl Filter {
    pub(super) fn of(typed: &str) -> Self {
        Self {
            lower: typed.to_lowercase(),
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.lower.is_empty()
    }

    /// Whether it leaves nothing that the other one does not leave: one more letter of what is looked for.
    pub(super) fn narrows(&self, other: &Self) -> bool {
        !other.is_empty() && self.lower.starts_with(&other.lower) && !self.lower.contains('!')
    }

    pub(super) fn leaves(&self, release: &Release, group: Group) -> bool {
        let id = &release.rollout.id;
        self.lower.split_whitespace().all(|word| {
            let (negated, word) = match word.strip_prefix('!') {
                Some(rest) if !rest.is_empty() => (true, rest),
                _ => (false, word),
            };
            let found = has(id.name.as_str(), word)
                || has(id.environment.as_str(), word)
                || has(id.namespace.as_str(), word)
                || has(id.kind.word(), word)
                || has(release.rollout.phase.word(), word)
                || has(group_words(group), word)
                || has(&release.current().label(), word);
            found != negated
        })
    }
}

/// Whether a text has these letters, whatever their case. Gone through byte by byte, since a filter is typed over ten
/// thousand texts, each shorter than what a cleverer search begins with.
fn has(text: &str, lower: &str) -> bool {
    let Some((first, rest)) = lower.as_bytes().split_first() else {
        return true;
    };
    if !text.is_ascii() {
        return text.to_lowercase().contains(lower);
    }
    let bytes = text.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| {
        byte.to_ascii_lowercase() == *first
            && bytes
                .get(at + 1..at + 1 + rest.len())
                .is_some_and(|part| part.eq_ignore_ascii_case(rest))
    })
}
