//! What is wrong with a configuration: where, what, and what is wanted. Must never repeat a secret, nor a line of the
//! file (the snippet of a TOML error would show a token that stands in it).

use std::{fmt, ops::Range};

/// Everything that is wrong, in the order of the file. As text: one sentence per line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file as the operator named it.
    pub file: String,
    /// Line and column in characters, from one; none where the file as a whole is meant.
    pub at: Option<(usize, usize)>,
    pub says: String,
}

impl Problems {
    pub(super) fn of_file(file: &str, says: String) -> Self {
        Self(vec![Problem {
            file: file.to_owned(),
            at: None,
            says,
        }])
    }

    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some((line, column)) = self.at {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.says)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Collects the mistakes of one text.
#[derive(Debug)]
pub(super) struct Found<'a> {
    file: &'a str,
    text: &'a str,
    list: Vec<(usize, Problem)>,
}

impl<'a> Found<'a> {
    pub(super) const fn new(file: &'a str, text: &'a str) -> Self {
        Self {
            file,
            text,
            list: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, span: &Range<usize>, says: String) {
        self.list.push((
            span.start,
            Problem {
                file: self.file.to_owned(),
                at: Some(position(self.text, span.start)),
                says,
            },
        ));
    }

    /// One slip of syntax makes the parser stumble again on the rest of its line: only the first one of a line helps.
    pub(super) fn first_of_each_line(&mut self) {
        self.list.sort_by_key(|(start, _)| *start);
        self.list
            .dedup_by_key(|(_, problem)| problem.at.map(|(line, _)| line));
    }

    pub(super) fn finish(mut self) -> Result<(), Problems> {
        if self.list.is_empty() {
            return Ok(());
        }
        self.list.sort_by_key(|(start, _)| *start);
        Err(Problems(
            self.list.into_iter().map(|(_, problem)| problem).collect(),
        ))
    }
}

/// Line and column of a byte, in characters, from one.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = || text.char_indices().take_while(|(at, _)| *at < byte);
    let line = before().filter(|(_, c)| *c == '\n').count() + 1;
    let column = before().fold(0, |column, (_, c)| if c == '\n' { 0 } else { column + 1 }) + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_characters_from_one() {
        assert_eq!(position("", 0), (1, 1));
        assert_eq!(position("ab\ncd", 4), (2, 2));
        assert_eq!(position("é\né=", 5), (2, 2));
        assert_eq!(position("ab", 99), (1, 3));
    }
}
