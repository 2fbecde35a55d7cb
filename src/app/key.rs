//! Keys as the reducer knows them, and how they become commands. Nothing past this module sees a key, except text
//! inputs and the ceremony of a dialog, which counts keys on purpose.

/// One key press. Plain data: the terminal's own types stay in `runtime`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub code: Code,
    pub ctrl: bool,
    pub alt: bool,
    /// The terminal said that the key is held down.
    pub repeat: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    Char(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    Function(u8),
}

impl Key {
    pub const fn plain(code: Code) -> Self {
        Self {
            code,
            ctrl: false,
            alt: false,
            repeat: false,
        }
    }

    pub const fn char(c: char) -> Self {
        Self::plain(Code::Char(c))
    }

    pub const fn ctrl(c: char) -> Self {
        Self {
            code: Code::Char(c),
            ctrl: true,
            alt: false,
            repeat: false,
        }
    }

    /// Whether `text` (`x`, `Ctrl-z`, `space`, `PageDown`) names this key.
    pub fn is(&self, text: &str) -> bool {
        if self.alt {
            return false;
        }
        let (ctrl, rest) = match text.strip_prefix("Ctrl-") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if ctrl != self.ctrl {
            return false;
        }
        match self.code {
            Code::Char(' ') => rest == "space",
            Code::Char(c) => {
                let mut chars = rest.chars();
                chars.next() == Some(c) && chars.next().is_none()
            }
            Code::Enter => rest == "Enter",
            Code::Esc => rest == "Esc",
            Code::Tab => rest == "Tab",
            Code::BackTab => rest == "BackTab",
            Code::Backspace => rest == "Backspace",
            Code::Delete => rest == "Delete",
            Code::Up => rest == "Up",
            Code::Down => rest == "Down",
            Code::Left => rest == "Left",
            Code::Right => rest == "Right",
            Code::Home => rest == "Home",
            Code::End => rest == "End",
            Code::PageUp => rest == "PageUp",
            Code::PageDown => rest == "PageDown",
            Code::Function(n) => rest.strip_prefix('F').and_then(|n| n.parse().ok()) == Some(n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{
        command::{COMMANDS, Command},
        keymap::Keymap,
    };

    fn command(key: Key) -> Option<Command> {
        Keymap::default().command(key)
    }

    #[test]
    fn no_key_means_two_commands() {
        let mut seen = std::collections::BTreeMap::new();
        for spec in COMMANDS {
            for key in spec.keys {
                assert_eq!(
                    seen.insert(*key, spec.name),
                    None,
                    "{key} means two commands"
                );
            }
        }
    }

    #[test]
    fn caps_lock_triggers_no_verb() {
        for spec in COMMANDS {
            if let Command::Act(_) = spec.command {
                for key in spec.keys {
                    assert_eq!(*key, key.to_lowercase());
                    let upper = key.to_uppercase().chars().next().unwrap();
                    let meant = command(Key::char(upper));
                    assert!(!matches!(meant, Some(Command::Act(_))), "{upper} acts");
                }
            }
        }
    }

    #[test]
    fn alt_modified_keys_mean_nothing() {
        assert_eq!(
            command(Key {
                alt: true,
                ..Key::char('x')
            }),
            None
        );
    }
}
