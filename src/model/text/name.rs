//! Names that look like other names: what is invisible in one is written by its number, and what looks like a letter of
//! another script is said. Owns the sentence about a name; whoever shows a target asks for it.
//!
//! The scripts are those of Unicode's report on security (UTS 39), as far as their letters can be taken for Latin ones or
//! for each other. Han, kana, Hangul and Bopomofo are written among Latin letters everywhere, and that is no warning.

use std::borrow::Cow;

use super::is_forbidden;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Cherokee,
    /// Letters drawn as Latin ones that are none: full width, mathematical, enclosed.
    Styled,
}

impl Script {
    const fn word(self) -> &'static str {
        match self {
            Self::Latin => "Latin",
            Self::Greek => "Greek",
            Self::Cyrillic => "Cyrillic",
            Self::Armenian => "Armenian",
            Self::Cherokee => "Cherokee",
            Self::Styled => "a styled form",
        }
    }
}

fn script(c: char) -> Option<Script> {
    if !c.is_alphanumeric() {
        return None;
    }
    Some(match c {
        'a'..='z'
        | 'A'..='Z'
        | '\u{aa}'
        | '\u{ba}'
        | '\u{c0}'..='\u{24f}'
        | '\u{1e00}'..='\u{1eff}' => Script::Latin,
        '\u{250}'..='\u{2af}'
        | '\u{1d00}'..='\u{1dbf}'
        | '\u{2c60}'..='\u{2c7f}'
        | '\u{a720}'..='\u{a7ff}' => Script::Styled,
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Script::Greek,
        '\u{400}'..='\u{52f}'
        | '\u{1c80}'..='\u{1c8f}'
        | '\u{2de0}'..='\u{2dff}'
        | '\u{a640}'..='\u{a69f}' => Script::Cyrillic,
        '\u{530}'..='\u{58f}' => Script::Armenian,
        '\u{13a0}'..='\u{13ff}' | '\u{ab70}'..='\u{abbf}' => Script::Cherokee,
        '\u{2100}'..='\u{218f}'
        | '\u{2460}'..='\u{24ff}'
        | '\u{ff10}'..='\u{ff5a}'
        | '\u{1d400}'..='\u{1d7ff}' => Script::Styled,
        _ => return None,
    })
}

/// Small letters of other scripts that are drawn like Latin ones; of each, its capital too.
const LIKE_LATIN: &str = "аеорсухіјѕԁһԛԝԍкмтвнгьпαονρικτυχγωօոսցհզ";

fn is_like_latin(c: char) -> bool {
    c.to_lowercase().all(|c| LIKE_LATIN.contains(c))
}

/// A name as it is told apart from others: whatever takes no cell, or looks like a plain space at either end, by its
/// number, `prod<U+200B>`.
pub fn spelled(name: &str) -> Cow<'_, str> {
    let inner = name.trim_matches(char::is_whitespace);
    let odd = |c: char| is_forbidden(c) || (c.is_whitespace() && c != ' ');
    if inner.len() == name.len() && !name.chars().any(odd) {
        return Cow::Borrowed(name);
    }
    let begins = name.len() - name.trim_start().len();
    let ends = begins + inner.len();
    let mut spelled = String::with_capacity(name.len() + 16);
    for (at, c) in name.char_indices() {
        if odd(c) || at < begins || at >= ends {
            spelled.push_str(&number(c));
        } else {
            spelled.push(c);
        }
    }
    Cow::Owned(spelled)
}

fn number(c: char) -> String {
    format!("<U+{:04X}>", u32::from(c))
}

/// Why a name may be taken for another one. `None`: it reads as it is written.
pub fn looks_like_another(name: &str) -> Option<String> {
    let shown = spelled(name);
    if shown != name {
        return Some(format!("{shown} has characters in it that are not seen"));
    }
    let foreign = name.chars().find_map(|c| {
        script(c)
            .filter(|script| *script != Script::Latin)
            .map(|script| (c, script))
    });
    let (letter, of) = foreign?;
    let mixed = name.chars().filter_map(script).any(|script| script != of);
    let drawn_alike = name
        .chars()
        .filter(|c| script(*c).is_some())
        .all(is_like_latin);
    if mixed || of == Script::Styled {
        return Some(format!(
            "{shown} mixes scripts: its {letter} is {} ({})",
            of.word(),
            number(letter).trim_matches(['<', '>'])
        ));
    }
    drawn_alike.then(|| {
        format!(
            "{shown} is written in {} letters that look like Latin ones",
            of.word()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_in_a_name_is_written_by_its_number() {
        for (name, shown) in [
            ("prod-eu", "prod-eu"),
            ("prod\u{200b}-eu", "prod<U+200B>-eu"),
            ("prod-eu ", "prod-eu<U+0020>"),
            (" prod eu", "<U+0020>prod eu"),
            ("prod\u{a0}eu", "prod<U+00A0>eu"),
            ("\u{202e}ue-dorp", "<U+202E>ue-dorp"),
            ("prod\u{e0041}", "prod<U+E0041>"),
            ("prod\u{fe0f}", "prod<U+FE0F>"),
            ("   ", "<U+0020><U+0020><U+0020>"),
        ] {
            assert_eq!(spelled(name), shown);
        }
    }

    #[test]
    fn a_name_in_two_scripts_or_in_a_disguise_is_said_to_be_one() {
        for (name, because) in [
            (
                "prоd-eu",
                "prоd-eu mixes scripts: its о is Cyrillic (U+043E)",
            ),
            ("ρrod", "ρrod mixes scripts: its ρ is Greek (U+03C1)"),
            (
                "рор",
                "рор is written in Cyrillic letters that look like Latin ones",
            ),
            (
                "ｐｒｏｄ",
                "ｐｒｏｄ mixes scripts: its ｐ is a styled form (U+FF50)",
            ),
            (
                "prod\u{200b}",
                "prod<U+200B> has characters in it that are not seen",
            ),
        ] {
            assert_eq!(looks_like_another(name).as_deref(), Some(because));
        }
    }

    #[test]
    fn names_in_one_script_are_names() {
        for name in [
            "prod-eu",
            "größe",
            "прод",
            "παραγωγή",
            "本番-eu",
            "프로덕션",
            "eu-west-1",
            "",
        ] {
            assert_eq!(looks_like_another(name), None, "{name}");
        }
    }
}
