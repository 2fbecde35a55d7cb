//! How many colours the terminal shows.
//!
//! Owns the reading of the environment's hints. Must not ask the terminal: an answer that never comes would delay the
//! first frame, and over SSH every answer costs a round trip.

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Bold, dim and reverse only.
    None,
    /// The 16 of the terminal's own palette.
    Ansi,
    /// The 256 of xterm.
    Indexed,
    /// 24 bits.
    True,
}

impl Depth {
    /// From the environment, which `variable` looks up.
    ///
    /// `NO_COLOR` goes before all, and counts when it is not empty (no-color.org). `CLICOLOR_FORCE` asks for colours
    /// where the terminal's name promises none. `COLORTERM` is often lost on the way through SSH, so terminals known to
    /// show 24 bits are known by their name as well.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        if set("NO_COLOR").is_some() {
            return Self::None;
        }
        let term = set("TERM").unwrap_or_default();
        let true_colour =
            set("COLORTERM").is_some_and(|value| matches!(value.as_str(), "truecolor" | "24bit"));
        // GNU screen before 5 reads the parameters of a 24-bit colour as attributes, and inherits COLORTERM from the
        // terminal around it. tmux goes by the same name and knows how to translate.
        let gnu_screen = term.starts_with("screen") && set("TMUX").is_none();
        let depth = match of_term(&term) {
            Self::None => Self::None,
            _ if true_colour && !gnu_screen => Self::True,
            by_name => by_name,
        };
        let forced = set("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        if forced { depth.max(Self::Ansi) } else { depth }
    }
}

fn of_term(term: &str) -> Depth {
    const TRUE: [&str; 7] = [
        "xterm-kitty",
        "alacritty",
        "foot",
        "wezterm",
        "xterm-ghostty",
        "ghostty",
        "contour",
    ];
    const NONE: [&str; 8] = [
        "", "dumb", "unknown", "vt52", "vt100", "vt102", "vt220", "vt320",
    ];
    if NONE.contains(&term) || term.ends_with("-m") || term.ends_with("-mono") {
        Depth::None
    } else if TRUE.iter().any(|known| term.starts_with(known)) || term.ends_with("-direct") {
        Depth::True
    } else if term.contains("256color") {
        Depth::Indexed
    } else {
        Depth::Ansi
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(environment: &[(&str, &str)]) -> Depth {
        Depth::detect(|name| {
            environment
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_terminal_s_name_and_colorterm_decide() {
        for (environment, expected) in [
            (&[("TERM", "xterm-256color")][..], Depth::Indexed),
            (
                &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")],
                Depth::True,
            ),
            (
                &[("TERM", "xterm-256color"), ("COLORTERM", "24bit")],
                Depth::True,
            ),
            (
                &[("TERM", "xterm-256color"), ("COLORTERM", "gnome-terminal")],
                Depth::Indexed,
            ),
            (&[("TERM", "xterm-kitty")], Depth::True),
            (&[("TERM", "xterm-direct")], Depth::True),
            (&[("TERM", "xterm")], Depth::Ansi),
            (&[("TERM", "linux")], Depth::Ansi),
            (&[("TERM", "vt100")], Depth::None),
            (&[("TERM", "dumb"), ("COLORTERM", "truecolor")], Depth::None),
            (&[], Depth::None),
            (
                &[("TERM", "screen-256color"), ("COLORTERM", "truecolor")],
                Depth::Indexed,
            ),
            (
                &[
                    ("TERM", "screen-256color"),
                    ("COLORTERM", "truecolor"),
                    ("TMUX", "/tmp/tmux"),
                ],
                Depth::True,
            ),
        ] {
            assert_eq!(depth(environment), expected, "{environment:?}");
        }
    }

    #[test]
    fn no_color_counts_when_it_is_not_empty_and_goes_before_all() {
        let rich = [
            ("TERM", "xterm-kitty"),
            ("COLORTERM", "truecolor"),
            ("CLICOLOR_FORCE", "1"),
        ];
        assert_eq!(
            depth(&[&rich[..], &[("NO_COLOR", "1")]].concat()),
            Depth::None
        );
        assert_eq!(
            depth(&[&rich[..], &[("NO_COLOR", "")]].concat()),
            Depth::True
        );
    }

    #[test]
    fn colours_can_be_forced_where_the_name_promises_none() {
        assert_eq!(
            depth(&[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")]),
            Depth::Ansi
        );
        assert_eq!(
            depth(&[("TERM", "dumb"), ("CLICOLOR_FORCE", "0")]),
            Depth::None
        );
        assert_eq!(
            depth(&[("TERM", "xterm-256color"), ("CLICOLOR_FORCE", "1")]),
            Depth::Indexed
        );
    }
}
