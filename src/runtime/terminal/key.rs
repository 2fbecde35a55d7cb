//! What the terminal tells us, in our own words.
//!
//! Owns the vocabulary only. Must not know bytes: those are the parser's.

use crate::model::text::Safe;

/// One thing that happened on the terminal or to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    Key(Key),
    /// Text pasted in one piece. Never keys, whatever is in it.
    Paste(Safe),
    /// The terminal has another size now, in columns and rows.
    Resize(u16, u16),
    Focus(Focus),
    Mouse(Mouse),
    /// Every byte of this frame and of those before it was taken by the terminal.
    Written(FrameNo),
    /// Back from a suspension: the screen is ours again and has to be drawn in full.
    Resumed,
    Ended(Ended),
    /// The terminal is gone; nothing can be read or shown any more.
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    Gained,
    Lost,
}

/// What the mouse did at a cell, counted from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mouse {
    pub kind: MouseKind,
    pub column: u16,
    pub row: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseKind {
    /// The left button went down.
    Press,
    WheelUp,
    WheelDown,
}

/// Somebody asked the process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Interrupt,
    Terminate,
    HangUp,
    Quit,
}

/// Counts the frames sent to the terminal, so that a dialog can tell whether it has been shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameNo(pub(super) u64);

impl FrameNo {
    pub const fn get(self) -> u64 {
        self.0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    pub code: Code,
    pub ctrl: bool,
    /// Alt, or one of the modifiers that only some keyboards have (super, hyper, meta).
    pub alt: bool,
    /// Only on keys that are not characters: with a character it is already in it.
    pub shift: bool,
    /// Whether the key was held down. Terminals that cannot tell never say so.
    pub repeat: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    Char(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Insert,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    F(u8),
}

impl Key {
    pub const fn plain(code: Code) -> Self {
        Self {
            code,
            ctrl: false,
            alt: false,
            shift: false,
            repeat: false,
        }
    }

    pub const fn ctrl(character: char) -> Self {
        Self {
            ctrl: true,
            ..Self::plain(Code::Char(character))
        }
    }

    pub(super) const fn with_alt(self, alt: bool) -> Self {
        Self {
            alt: self.alt || alt,
            ..self
        }
    }
}
