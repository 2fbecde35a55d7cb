//! What a terminal leaves behind where it erases: the one thing about it that the encoder has to know.

/// What the terminal leaves behind where it erases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Erase {
    /// The background colour of the pen ("bce").
    Background,
    /// Its own default background, or nobody knows.
    Default,
}

impl Erase {
    /// From `TERM`. GNU screen erases to the default background whatever is around it.
    pub(super) fn of_term(term: &str) -> Self {
        const BACKGROUND: [&str; 14] = [
            "xterm",
            "alacritty",
            "kitty",
            "foot",
            "wezterm",
            "ghostty",
            "rxvt",
            "linux",
            "konsole",
            "vte",
            "tmux",
            "st-",
            "gnome",
            "putty",
        ];
        if BACKGROUND.iter().any(|known| term.starts_with(known)) {
            Self::Background
        } else {
            Self::Default
        }
    }
}
