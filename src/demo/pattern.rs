//! Regular expressions as label matchers have them: anchored at both ends, a dot is any character.
//!
//! `regex-lite` understands all of RE2 that people write into matchers, in time that is linear in the text; what it does
//! not know is refused as if it were wrong, never taken for something else.

use regex_lite::{Regex, RegexBuilder};

/// Larger ones are refused: nobody writes them, and compiling one costs memory.
const LARGEST: usize = 1 << 20;

#[derive(Clone, Debug)]
pub(super) struct Pattern(Regex);

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        // By itself first: a text that ends the group early must not become another expression.
        build(text)?;
        build(&format!("^(?s:{text})$")).map(Self)
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

fn build(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text)
        .size_limit(LARGEST)
        .build()
        .map_err(|error| match error.to_string() {
            // In the words of the real server, which clients may know.
            words if words.contains("open group without") => {
                format!("missing closing ): `{text}`")
            }
            words => words,
        })
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
            ("a-[a-z0-9]{1,3}", "a-b2"),
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
        for wrong in ["(", "a)", "*", "[a", "\\", "\\q", "(?P<a", "a{9999999}"] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
        assert!(
            Pattern::parse(&"(".repeat(9_000)).is_err(),
            "and not a crash"
        );
    }
}
