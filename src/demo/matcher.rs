//! Label matchers, as Prometheus and Alertmanager write them.
//!
//! Must never tell an empty label from one that is not there: neither of them does.

use super::pattern::Pattern;

/// How a value is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Matcher {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) equal: bool,
    pattern: Option<Pattern>,
}

impl Matcher {
    pub(super) fn new(name: &str, value: &str, equal: bool, regex: bool) -> Result<Self, String> {
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
            equal,
            pattern: regex.then(|| Pattern::parse(value)).transpose()?,
        })
    }

    pub(super) fn is_regex(&self) -> bool {
        self.pattern.is_some()
    }

    /// A label that is not there has the empty value.
    pub(super) fn matches(&self, value: &str) -> bool {
        let same = match &self.pattern {
            Some(pattern) => pattern.matches(value),
            None => self.value == value,
        };
        same == self.equal
    }

    /// Alertmanager's way to write one: `name="value"`, quoted or not.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let bad = || format!("bad matcher format: {text}");
        let text_trimmed = text.trim();
        let end = text_trimmed
            .find(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '_' | '.' | ':')))
            .ok_or_else(bad)?;
        let (name, rest) = text_trimmed.split_at_checked(end).ok_or_else(bad)?;
        let rest = rest.trim_start();
        let signs = [
            ("=~", true, true),
            ("!~", false, true),
            ("!=", false, false),
            ("=", true, false),
        ];
        let found = signs
            .into_iter()
            .find_map(|(sign, equal, regex)| Some((rest.strip_prefix(sign)?, equal, regex)));
        let (value, equal, regex) = found.filter(|_| !name.is_empty()).ok_or_else(bad)?;
        Self::new(name, &unquoted(value.trim()), equal, regex)
    }
}

fn unquoted(text: &str) -> String {
    let Some(inner) = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
    else {
        return text.to_owned();
    };
    unescaped(inner)
}

/// `\"`, `\\` and `\n` as what they stand for.
pub(super) fn unescaped(text: &str) -> String {
    let mut letters = text.chars();
    let mut plain = String::new();
    while let Some(letter) = letters.next() {
        match (letter, letter == '\\') {
            (_, true) => match letters.next() {
                Some('n') => plain.push('\n'),
                Some('t') => plain.push('\t'),
                Some(other) => plain.push(other),
                None => {}
            },
            (letter, false) => plain.push(letter),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matcher_may_be_quoted_and_a_missing_label_is_empty() {
        let matcher = |text: &str| Matcher::parse(text).unwrap();
        assert!(matcher("service=\"pay \\\"x\\\"\"").matches("pay \"x\""));
        assert!(matcher("service=payments").matches("payments"));
        assert!(matcher("severity!=warning").matches(""));
        assert!(matcher("team=\"\"").matches(""));
        assert!(matcher("service=~\"pay.*|x\"").matches("payments"));
        assert!(!matcher("a!~\"x.*\"").matches("xy"));
        assert_eq!(
            Matcher::parse("service"),
            Err("bad matcher format: service".to_owned())
        );
    }
}
