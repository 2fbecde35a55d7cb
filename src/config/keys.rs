//! The keys of the screen as the configuration may change them: which commands there are, what a key is called, and which
//! changes are refused. The commands themselves are declared in `app`, which this must not know; a test there holds the two
//! tables to each other. Must never let a verb be reached by a key that hands press without looking.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use serde::{Deserialize, Deserializer};

/// Keys under the names of commands; what is not in here has its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(pub BTreeMap<String, Vec<String>>);

/// One command as far as the configuration knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    pub name: &'static str,
    /// Its own keys.
    pub keys: &'static [&'static str],
    /// Leads to a plan, or arms.
    pub acts: bool,
}

const fn acts(name: &'static str, keys: &'static [&'static str]) -> Named {
    Named {
        name,
        keys,
        acts: true,
    }
}

const fn reads(name: &'static str, keys: &'static [&'static str]) -> Named {
    Named {
        name,
        keys,
        acts: false,
    }
}

/// Every command, in the order of the command table.
pub const COMMANDS: &[Named] = &[
    acts("back-out", &["x"]),
    acts("pause", &["z"]),
    acts("resume", &["u"]),
    acts("promote", &["p"]),
    acts("roll-back", &["b"]),
    acts("promote-fully", &[]),
    acts("abort", &[]),
    acts("retry", &[]),
    acts("restart", &[]),
    acts("approve", &["a"]),
    acts("reject", &[]),
    acts("cancel", &[]),
    acts("re-run", &[]),
    acts("re-run-failed", &[]),
    acts("silence", &[]),
    acts("end-silence", &[]),
    acts("arm", &["W"]),
    reads("menu", &["m"]),
    reads("open", &["Enter"]),
    reads("logs", &["l"]),
    reads("what-changed", &["t"]),
    reads("history", &["h"]),
    reads("details", &["d"]),
    reads("yaml", &["y"]),
    reads("copy", &["c"]),
    reads("ring", &["."]),
    reads("mark", &["space"]),
    reads("next", &["n"]),
    reads("previous", &["N"]),
    reads("filter", &["/"]),
    reads("clear-filter", &["0"]),
    reads("refresh", &["r"]),
    reads("board", &["1"]),
    reads("release", &["2"]),
    reads("inbox", &["3"]),
    reads("audit", &["8"]),
    reads("sources", &["9"]),
    reads("palette", &[":"]),
    reads("help", &["?"]),
    reads("down", &["j", "Down"]),
    reads("up", &["k", "Up"]),
    reads("page-down", &["PageDown", "Ctrl-d"]),
    reads("page-up", &["PageUp", "Ctrl-u"]),
    reads("top", &["g", "Home"]),
    reads("bottom", &["G", "End"]),
    reads("next-pane", &["Tab"]),
    reads("previous-pane", &["BackTab"]),
    reads("back", &["Esc"]),
    reads("quit", &["q", "Ctrl-c"]),
    reads("suspend", &["Ctrl-z"]),
];

/// Keys that are pressed without looking, or that end a paste.
const BLIND: [&str; 5] = ["Enter", "Esc", "space", "Tab", "BackTab"];
/// Leaves at any time, whatever has the keys.
const ALWAYS_LEAVES: &str = "Ctrl-c";
const NAMES: [&str; 16] = [
    "Enter",
    "Esc",
    "space",
    "Tab",
    "BackTab",
    "Backspace",
    "Delete",
    "Up",
    "Down",
    "Left",
    "Right",
    "Home",
    "End",
    "PageUp",
    "PageDown",
    "F1 to F12",
];

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum OneOrMany {
            One(String),
            Many(Vec<String>),
        }
        let all = BTreeMap::<String, OneOrMany>::deserialize(deserializer)?;
        let keys = all.into_iter().map(|(name, keys)| match keys {
            OneOrMany::One(key) => (name, vec![key]),
            OneOrMany::Many(keys) => (name, keys),
        });
        Ok(Self(keys.collect()))
    }
}

/// Whether a text names a key that a terminal can send and that means something here.
pub(super) fn is_key(text: &str) -> Result<(), String> {
    let wrong = || {
        Err(format!(
            "{text:?} is no key; a key is one character (\"x\", \"G\", \"?\"), Ctrl- and a small letter (\"Ctrl-r\"), or one of {}",
            NAMES.join(", ")
        ))
    };
    if let Some(rest) = text.strip_prefix("Ctrl-") {
        let mut chars = rest.chars();
        let letter = chars.next().filter(char::is_ascii_lowercase);
        return match (letter, chars.next()) {
            // A terminal sends the same byte for these as for Backspace, Tab and Enter.
            (Some('h' | 'i' | 'j' | 'm'), None) => Err(format!(
                "{text:?} cannot be told from Backspace, Tab or Enter in a terminal"
            )),
            (Some(_), None) => Ok(()),
            _ => wrong(),
        };
    }
    if let Some(number) = text.strip_prefix('F').filter(|number| !number.is_empty()) {
        let good = !number.starts_with('0')
            && number
                .parse::<u8>()
                .is_ok_and(|number| (1..=12).contains(&number));
        return if good { Ok(()) } else { wrong() };
    }
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) if !c.is_control() && !c.is_whitespace() => Ok(()),
        _ if text != "F1 to F12" && NAMES.contains(&text) => Ok(()),
        _ => wrong(),
    }
}

/// One key that the file gives to a command, and where.
pub(super) struct Given<'a> {
    pub(super) command: &'static Named,
    pub(super) key: &'a str,
    pub(super) at: Range<usize>,
}

/// What is wrong with keys that are keys: verbs on keys that are pressed blindly, and two commands on one key.
pub(super) fn refused(
    given: &[Given<'_>],
    changed: &BTreeSet<&str>,
) -> Vec<(Range<usize>, String)> {
    let mut wrong = Vec::new();
    // Keys that nobody changed are where they are.
    let mut taken: BTreeMap<&str, &str> = COMMANDS
        .iter()
        .filter(|command| !changed.contains(command.name))
        .flat_map(|command| command.keys.iter().map(|key| (*key, command.name)))
        .collect();
    taken.insert(ALWAYS_LEAVES, "quit");
    for Given { command, key, at } in given {
        let name = command.name;
        if command.acts && BLIND.contains(key) {
            wrong.push((
                at.clone(),
                format!("keys.{name}: {key} is pressed without looking, and {name} acts; take another key"),
            ));
            continue;
        }
        match taken.get(key) {
            Some(other) if *other != name => wrong.push((
                at.clone(),
                format!("keys.{name}: {key:?} is the key of {other} too; a key means one command"),
            )),
            _ => drop(taken.insert(key, name)),
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_what_a_terminal_can_send() {
        for good in [
            "x", "G", "?", "é", "Ctrl-r", "F5", "F12", "F", "PageDown", "space", "-",
        ] {
            assert_eq!(is_key(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            " ",
            "xx",
            "ctrl-r",
            "Ctrl-R",
            "Ctrl-",
            "Ctrl-F5",
            "Alt-x",
            "F0",
            "F13",
            "F01",
            "F1 to F12",
            "pagedown",
            "paste",
            "\u{1b}",
            "Ctrl-m",
            "Ctrl-i",
        ] {
            assert!(is_key(bad).is_err(), "{bad:?}");
        }
    }
}
