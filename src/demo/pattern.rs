//! Regular expressions, enough for the values of labels.
//!
//! What is understood of RE2: literals, `.`, classes, groups, `|`, `*`, `+`, `?`, `\d \w \s` and escapes. A pattern that
//! uses more is refused as if it were wrong, never taken for something else. Always anchored at both ends.

use std::str::Chars;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(Node);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Any,
    Letter(char),
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    Chain(Vec<Node>),
    Choice(Vec<Node>),
    Repeat {
        node: Box<Node>,
        least: usize,
        most: Option<usize>,
    },
}

struct Reader<'a> {
    rest: std::iter::Peekable<Chars<'a>>,
    depth: usize,
}

/// Deeper patterns are refused: reading and matching recurse.
const DEEPEST: usize = 30;

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader {
            rest: text.chars().peekable(),
            depth: 0,
        };
        let node = reader.choice()?;
        match reader.rest.next() {
            None => Ok(Self(node)),
            Some(_) => Err(format!("unexpected ): `{text}`")),
        }
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let letters: Vec<char> = text.chars().collect();
        matches(&self.0, &letters, 0, &mut |end| end == letters.len())
    }
}

impl Reader<'_> {
    fn choice(&mut self) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("expression nests too deeply".to_owned());
        }
        let mut ways = vec![self.chain()?];
        while self.rest.next_if_eq(&'|').is_some() {
            ways.push(self.chain()?);
        }
        self.depth -= 1;
        match ways.pop() {
            Some(only) if ways.is_empty() => Ok(only),
            Some(last) => {
                ways.push(last);
                Ok(Node::Choice(ways))
            }
            None => Ok(Node::Chain(Vec::new())),
        }
    }

    fn chain(&mut self) -> Result<Node, String> {
        let mut nodes = Vec::new();
        while let Some(next) = self.rest.peek().copied() {
            if matches!(next, '|' | ')') {
                break;
            }
            let node = self.one()?;
            let (least, most) = match self.rest.peek() {
                Some('*') => (0, None),
                Some('+') => (1, None),
                Some('?') => (0, Some(1)),
                _ => {
                    nodes.push(node);
                    continue;
                }
            };
            self.rest.next();
            nodes.push(Node::Repeat {
                node: Box::new(node),
                least,
                most,
            });
        }
        Ok(Node::Chain(nodes))
    }

    fn one(&mut self) -> Result<Node, String> {
        match self.rest.next() {
            Some('.') => Ok(Node::Any),
            Some('(') => {
                if self.rest.next_if_eq(&'?').is_some() && self.rest.next() != Some(':') {
                    return Err("invalid or unsupported Perl syntax: `(?`".to_owned());
                }
                let inner = self.choice()?;
                match self.rest.next() {
                    Some(')') => Ok(inner),
                    _ => Err("missing closing ): `(`".to_owned()),
                }
            }
            Some('[') => self.class(),
            Some('\\') => self.escape(),
            // Anchors where there are anchors already.
            Some('^' | '$') => Ok(Node::Chain(Vec::new())),
            Some(letter @ ('*' | '+' | '?')) => Err(format!(
                "missing argument to repetition operator: `{letter}`"
            )),
            Some('{') => Err("counted repetition is not understood: `{`".to_owned()),
            Some(letter) => Ok(Node::Letter(letter)),
            None => Err("unexpected end".to_owned()),
        }
    }

    fn escape(&mut self) -> Result<Node, String> {
        let class = |negated, ranges: &[(char, char)]| {
            Ok(Node::Class {
                negated,
                ranges: ranges.to_vec(),
            })
        };
        let word = [('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')];
        let space = [(' ', ' '), ('\t', '\t'), ('\n', '\n'), ('\r', '\r')];
        match self.rest.next() {
            Some('d') => class(false, &[('0', '9')]),
            Some('D') => class(true, &[('0', '9')]),
            Some('w') => class(false, &word),
            Some('W') => class(true, &word),
            Some('s') => class(false, &space),
            Some('S') => class(true, &space),
            Some('n') => Ok(Node::Letter('\n')),
            Some('t') => Ok(Node::Letter('\t')),
            Some(letter) if letter.is_ascii_alphanumeric() => {
                Err(format!("invalid escape sequence: `\\{letter}`"))
            }
            Some(letter) => Ok(Node::Letter(letter)),
            None => Err("trailing backslash at end of expression: ``".to_owned()),
        }
    }

    fn class(&mut self) -> Result<Node, String> {
        let missing = || "missing closing ]: `[`".to_owned();
        let negated = self.rest.next_if_eq(&'^').is_some();
        let mut ranges = Vec::new();
        loop {
            let mut from = self.rest.next().ok_or_else(missing)?;
            if from == ']' && !ranges.is_empty() {
                return Ok(Node::Class { negated, ranges });
            }
            if from == '\\' {
                match self.escape()? {
                    Node::Letter(letter) => from = letter,
                    Node::Class {
                        negated: false,
                        ranges: more,
                    } => {
                        ranges.extend(more);
                        continue;
                    }
                    _ => return Err("invalid character class range".to_owned()),
                }
            }
            let mut ahead = self.rest.clone();
            let to = match (ahead.next(), ahead.next()) {
                (Some('-'), Some(to)) if to != ']' => {
                    self.rest = ahead;
                    to
                }
                _ => from,
            };
            ranges.push((from, to));
        }
    }
}

/// Whether the rest, from `at`, can be matched so that what follows is content.
fn matches(node: &Node, text: &[char], at: usize, then: &mut dyn FnMut(usize) -> bool) -> bool {
    let here = text.get(at).copied();
    match node {
        Node::Any => here.is_some_and(|letter| letter != '\n') && then(at + 1),
        Node::Letter(wanted) => here == Some(*wanted) && then(at + 1),
        Node::Class { negated, ranges } => {
            let inside = |letter: char| {
                ranges
                    .iter()
                    .any(|(from, to)| (*from..=*to).contains(&letter))
            };
            here.is_some_and(|letter| inside(letter) != *negated) && then(at + 1)
        }
        Node::Chain(nodes) => chain(nodes, text, at, then),
        Node::Choice(ways) => ways.iter().any(|way| matches(way, text, at, then)),
        Node::Repeat { node, least, most } => repeat(node, *least, *most, text, at, then),
    }
}

fn chain(nodes: &[Node], text: &[char], at: usize, then: &mut dyn FnMut(usize) -> bool) -> bool {
    match nodes.split_first() {
        None => then(at),
        Some((first, rest)) => matches(first, text, at, &mut |end| chain(rest, text, end, then)),
    }
}

fn repeat(
    node: &Node,
    least: usize,
    most: Option<usize>,
    text: &[char],
    at: usize,
    then: &mut dyn FnMut(usize) -> bool,
) -> bool {
    let more = most != Some(0)
        && matches(node, text, at, &mut |end| {
            // What matches nothing would be repeated for ever.
            end > at
                && repeat(
                    node,
                    least.saturating_sub(1),
                    most.map(|most| most - 1),
                    text,
                    end,
                    then,
                )
        });
    more || (least == 0 && then(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_values_only() {
        let matches = |pattern: &str, text: &str| Pattern::parse(pattern).unwrap().matches(text);
        for (pattern, text) in [
            ("5..", "503"),
            ("pay.*|x", "payments"),
            ("pay.*|x", "x"),
            ("(abc|abd)+", "abcabd"),
            ("v[0-9]+\\.[0-9]+", "v12.3"),
            ("[^a]?b*", "cbb"),
            (".*", ""),
            ("(?:a|b)\\d", "b7"),
            ("(a*)*", "aaaa"),
            ("^abc$", "abc"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("5..", "5033"),
            ("pay", "payments"),
            ("a+", ""),
            ("[a-c]", "d"),
            ("a|b", "ab"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
        for wrong in ["(", "a)", "*", "[a", "\\", "\\q", "a{2}", "(?i)a"] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
        assert!(
            Pattern::parse(&"(".repeat(9_000)).is_err(),
            "and not a crash"
        );
    }
}
