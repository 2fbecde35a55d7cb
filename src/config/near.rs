//! The nearest valid word to a mistaken one. Must never guess: a far word is no suggestion.

/// The nearest of `words`, when it is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = word.to_lowercase();
    words
        .into_iter()
        .filter_map(|candidate| Some((closeness(&wanted, candidate)?, candidate)))
        .min_by_key(|(closeness, _)| *closeness)
        .map(|(_, candidate)| candidate)
}

/// Smaller is nearer. A word that begins the other one is near whatever its length (`production`, `namespace`).
fn closeness(wanted: &str, candidate: &str) -> Option<usize> {
    let longer = wanted.chars().count().max(candidate.chars().count());
    let distance = distance(wanted, candidate);
    let begins = wanted.chars().count().min(candidate.chars().count()) >= 3
        && (wanted.starts_with(candidate) || candidate.starts_with(wanted));
    if begins {
        return Some(1);
    }
    (distance <= longer.div_ceil(3).min(3)).then_some(distance)
}

/// Edits between two words; two letters that changed places count as one.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, x) in a.chars().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let mut cost = (at(&row, j) + 1)
                .min(at(&last, j + 1) + 1)
                .min(at(&last, j) + usize::from(x != *y));
            let swapped = j > 0 && previous == Some(*y) && b.get(j - 1) == Some(&x);
            if swapped {
                cost = cost.min(at(&before_last, j - 1) + 1);
            }
            row.push(cost);
        }
        before_last = std::mem::replace(&mut last, row);
        previous = Some(x);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_word_that_was_meant() {
        let words = ["theme", "clock"];
        assert_eq!(nearest("themes", words), Some("theme"));
        assert_eq!(nearest("tehme", words), Some("theme"));
        assert_eq!(nearest("THEME", words), Some("theme"));
        assert_eq!(
            nearest("production", ["dev", "staging", "prod"]),
            Some("prod")
        );
    }

    #[test]
    fn a_far_word_is_no_suggestion() {
        assert_eq!(nearest("colour", ["theme", "clock"]), None);
        assert_eq!(nearest("", ["theme", "clock"]), None);
        assert_eq!(nearest("qa", ["dev", "staging", "prod"]), None);
    }

    #[test]
    fn two_letters_that_changed_places_are_one_edit() {
        assert_eq!(distance("tier", "tire"), 1);
        assert_eq!(distance("tier", ""), 4);
        assert_eq!(distance("", "tier"), 4);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
