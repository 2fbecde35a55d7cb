//! Links of the terminal (OSC 8): whether they are sent, and what they are in bytes.
//!
//! Owns the sequence, the number under which the pieces of one link go, and which terminals do not know it. Must send
//! nothing but what came as an [`Address`], which has no byte that could end the sequence.
//!
//! Nothing here is wrapped for tmux or screen: from 3.4 on tmux keeps links itself and knows which cells are whose; a
//! wrapped one would be a link of the terminal around it, and would stay when tmux shows something else.

use std::num::NonZeroU32;

use crate::{model::address::Address, ui::links::Linked};

use super::passthrough::Within;

/// What a cell belongs to.
pub(super) type Link = Option<NonZeroU32>;

/// Ends whatever link is open, and does nothing where none is.
pub(super) const END: &[u8] = b"\x1b]8;;\x1b\\";

/// Kinds of terminals that show the sequence as text, or that nobody can ask. GNU screen keeps it for itself.
const PRINT_IT: [&str; 12] = [
    "dumb", "linux", "vt", "ansi", "cons", "wsvt", "sun", "emacs", "eterm", "hpterm", "screen",
    "unknown",
];

/// The first of VTE that has links and does not fall over them.
const VTE_FROM: u32 = 5_001;
/// The first tmux that knows them.
const TMUX_FROM: (u32, u32) = (3, 4);

/// Whether texts that have an address are sent as links.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Links {
    /// Unless the terminal is known not to take them.
    Auto,
    On,
    #[default]
    Off,
}

impl Links {
    pub(super) fn are_sent(
        self,
        within: Within,
        environment: impl Fn(&str) -> Option<String>,
    ) -> bool {
        match self {
            Self::On => true,
            Self::Off => false,
            Self::Auto => are_understood(within, environment),
        }
    }
}

fn are_understood(within: Within, environment: impl Fn(&str) -> Option<String>) -> bool {
    let value = |name: &str| environment(name).unwrap_or_default();
    match within {
        Within::Screen => false,
        // It says its version since 3.2; one that is written in no way that is known here is a newer one.
        Within::Tmux => {
            value("TERM_PROGRAM") == "tmux"
                && version(&value("TERM_PROGRAM_VERSION"))
                    .is_none_or(|version| version >= TMUX_FROM)
        }
        Within::Nothing => {
            let term = value("TERM");
            let old_vte = value("VTE_VERSION")
                .parse()
                .is_ok_and(|version: u32| version < VTE_FROM);
            !term.is_empty() && !old_vte && !PRINT_IT.iter().any(|kind| term.starts_with(kind))
        }
    }
}

/// `3.4`, `3.3a`, `next-3.5`.
fn version(text: &str) -> Option<(u32, u32)> {
    let text = text.strip_prefix("next-").unwrap_or(text);
    let (major, minor) = text.split_once('.')?;
    let digits = minor.trim_end_matches(|c: char| !c.is_ascii_digit());
    Some((major.parse().ok()?, digits.parse().ok()?))
}

/// The links of the frame that is being drawn, cell by cell.
#[derive(Debug, Default)]
pub(super) struct Cells {
    columns: usize,
    /// Empty where nothing is a link.
    of: Vec<Link>,
    /// Under which number an address goes: the same from frame to frame while it is on the screen, so that a cell need
    /// not be written again.
    numbers: Vec<(NonZeroU32, Address)>,
    last: u32,
}

impl Cells {
    pub(super) fn set(&mut self, columns: u16, rows: u16, linked: &Linked) {
        self.columns = usize::from(columns);
        self.of.clear();
        if !linked.is_empty() {
            self.of.resize(self.columns * usize::from(rows), None);
        }
        let mut here = Vec::new();
        for (span, address) in linked.spans() {
            let number = self.number(address);
            here.push(number);
            let row = usize::from(span.y) * self.columns;
            let cells =
                row + usize::from(span.from.min(columns))..row + usize::from(span.to.min(columns));
            if let Some(cells) = self.of.get_mut(cells) {
                cells.fill(Some(number));
            }
        }
        self.numbers.retain(|(number, _)| here.contains(number));
    }

    pub(super) fn at(&self, x: u16, y: u16) -> Link {
        let place = usize::from(y) * self.columns + usize::from(x);
        self.of.get(place).copied().flatten()
    }

    fn number(&mut self, address: &Address) -> NonZeroU32 {
        let known = self.numbers.iter().find(|(_, known)| known == address);
        if let Some((number, _)) = known {
            return *number;
        }
        self.last = self.last.wrapping_add(1);
        let number = NonZeroU32::new(self.last).unwrap_or(NonZeroU32::MIN);
        self.numbers.push((number, address.clone()));
        number
    }

    /// Makes what is written next a piece of this link, whichever was open before.
    pub(super) fn begin(&self, link: NonZeroU32, out: &mut Vec<u8>) {
        let found = self.numbers.iter().find(|(number, _)| *number == link);
        if let Some((_, address)) = found {
            out.extend_from_slice(
                format!("\x1b]8;id={link};{}\x1b\\", address.as_str()).as_bytes(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(set: &[(&str, &str)]) -> bool {
        let environment = |name: &str| {
            let found = set.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Links::Auto.are_sent(Within::of(environment), environment)
    }

    #[test]
    fn terminals_that_would_print_them_get_none_by_themselves() {
        for term in [
            "",
            "dumb",
            "linux",
            "vt100",
            "vt220",
            "eterm-color",
            "emacs",
            "cons25",
            "screen",
            "screen-256color",
            "ansi",
        ] {
            assert!(!auto(&[("TERM", term)]), "{term}");
        }
        for term in [
            "xterm-256color",
            "xterm-kitty",
            "alacritty",
            "foot",
            "tmux-256color",
            "wezterm",
            "rxvt-unicode-256color",
        ] {
            assert!(auto(&[("TERM", term)]), "{term}");
        }
        assert!(!auto(&[]));
        assert!(!auto(&[
            ("TERM", "xterm-256color"),
            ("VTE_VERSION", "5000")
        ]));
        assert!(auto(&[("TERM", "xterm-256color"), ("VTE_VERSION", "7600")]));
    }

    #[test]
    fn tmux_gets_them_from_the_version_on_that_knows_them_and_screen_never() {
        let tmux = |version| {
            auto(&[
                ("TMUX", "/tmp/tmux-0/default,1,0"),
                ("TERM", "screen-256color"),
                ("TERM_PROGRAM", "tmux"),
                ("TERM_PROGRAM_VERSION", version),
            ])
        };
        for (version, knows) in [
            ("3.2a", false),
            ("3.3a", false),
            ("3.4", true),
            ("3.10", true),
            ("4.0", true),
            ("next-3.6", true),
            ("next-3.3", false),
            ("openbsd-7.5", true),
        ] {
            assert_eq!(tmux(version), knows, "{version}");
        }
        // Older than what says its version; and the name is that of the terminal around it.
        let around = [
            ("TMUX", "x"),
            ("TERM", "tmux-256color"),
            ("TERM_PROGRAM", "iTerm.app"),
            ("TERM_PROGRAM_VERSION", "3.5.0"),
        ];
        assert!(!auto(&around));
        assert!(!auto(&[("STY", "1.pts"), ("TERM", "xterm-256color")]));
    }

    #[test]
    fn what_the_operator_says_counts_whatever_the_terminal_is() {
        let dumb = |_: &str| Some("dumb".to_owned());
        assert!(Links::On.are_sent(Within::Screen, dumb));
        let good = |_: &str| Some("xterm-kitty".to_owned());
        assert!(!Links::Off.are_sent(Within::Nothing, good));
    }

    #[test]
    fn an_address_keeps_its_number_while_it_is_on_the_screen() {
        let address = |name: &str| Address::new(&format!("https://a.example/{name}")).unwrap();
        let linked = |links: &[(u16, &str)]| {
            let mut linked = Linked::default();
            for (y, name) in links {
                linked.add(*y, 0, 4, &address(name));
            }
            linked
        };
        let mut cells = Cells::default();
        cells.set(10, 4, &linked(&[(0, "a"), (1, "b"), (2, "a")]));
        let (a, b) = (cells.at(0, 0), cells.at(0, 1));
        assert!(a.is_some() && b.is_some() && a != b);
        assert_eq!(cells.at(3, 2), a, "pieces of one link have one number");
        assert_eq!(cells.at(4, 0), None);
        cells.set(10, 4, &linked(&[(3, "b"), (0, "c")]));
        assert_eq!(cells.at(0, 3), b);
        assert!(cells.at(0, 0) != a, "a number is never given to another");
        cells.set(10, 4, &Linked::default());
        assert_eq!(cells.at(0, 3), None);
    }

    #[test]
    fn a_span_beyond_the_screen_is_cut_there() {
        let mut linked = Linked::default();
        let address = Address::new("https://a.example").unwrap();
        linked.add(0, 8, 14, &address);
        linked.add(7, 0, 14, &address);
        let mut cells = Cells::default();
        cells.set(10, 2, &linked);
        assert!(cells.at(9, 0).is_some());
        assert_eq!(cells.at(0, 1), None, "it does not go on in the next row");
    }
}
