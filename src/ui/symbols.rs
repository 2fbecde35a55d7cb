//! What the screen is drawn with where the terminal cannot show everything: no braille in its font, or nothing but ASCII
//! in its locale. Owns the replacement of drawn cells; the views draw as if there were no limits.
//!
//! Must keep every column where it was, and every mark of a state apart from the others: without colours they are what
//! tells broken from well.

use ratatui::buffer::Buffer;

/// What may be sent to the terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Symbols {
    #[default]
    Unicode,
    /// Lines of charts are drawn with blocks and dots.
    WithoutBraille,
    /// Names from outside are spelled with `?` where they are not ASCII.
    Ascii,
}

impl Symbols {
    /// From the environment, which `variable` looks up. A locale that says it is no UTF-8 is believed; none at all says
    /// nothing, as in containers. The console of Linux has UTF-8 and 256 or 512 glyphs: braille is never among them.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let locale = set("LC_ALL")
            .or_else(|| set("LC_CTYPE"))
            .or_else(|| set("LANG"))
            .map(|locale| locale.to_lowercase());
        if locale.is_some_and(|locale| !locale.contains("utf-8") && !locale.contains("utf8")) {
            return Self::Ascii;
        }
        match set("TERM").as_deref() {
            Some("linux") => Self::WithoutBraille,
            Some("vt100" | "vt102" | "vt220" | "vt320") => Self::Ascii,
            _ => Self::Unicode,
        }
    }

    /// Replaces what cannot be shown. A wide character becomes one `?` and the empty cell behind it stays.
    pub(super) fn apply(self, buf: &mut Buffer) {
        if self == Self::Unicode {
            return;
        }
        for cell in &mut buf.content {
            let symbol = cell.symbol();
            if symbol.is_ascii() {
                continue;
            }
            let mut all = symbol.chars();
            let (Some(first), rest) = (all.next(), all.next()) else {
                continue;
            };
            let instead = match (self, rest) {
                (Self::WithoutBraille, None) => braille(first, ["▔", "─", "·", "▁", "▏"]),
                (Self::WithoutBraille, Some(_)) | (Self::Unicode, _) => None,
                (Self::Ascii, None) => {
                    Some(braille(first, ["\"", "-", ".", "_", "|"]).unwrap_or_else(|| ascii(first)))
                }
                (Self::Ascii, Some(_)) => Some("?"),
            };
            if let Some(instead) = instead {
                cell.set_symbol(instead);
            }
        }
    }
}

/// A cell of a chart: a line at the top, in the middle or at the bottom, dots, or a line upwards; `None` is no braille.
fn braille(
    c: char,
    [top, middle, dots, bottom, upwards]: [&'static str; 5],
) -> Option<&'static str> {
    let bits = u32::from(c)
        .checked_sub(0x2800)
        .filter(|bits| *bits < 0x100)?;
    // Rows from the top; dots 7 and 8 came later and lie below the others.
    let rows = [0x09, 0x12, 0x24, 0xc0].map(|row| bits & row);
    let mut drawn = rows.iter().enumerate().filter(|(_, row)| **row != 0);
    let Some((row, bits)) = drawn.next() else {
        return Some(" ");
    };
    Some(match (drawn.next(), bits.count_ones(), row) {
        (Some(_), _, _) => upwards,
        (None, 1, _) => dots,
        (None, _, 0) => top,
        (None, _, 3) => bottom,
        (None, _, _) => middle,
    })
}

/// Marks of states stay apart; frames and bars keep their shape.
const fn ascii(c: char) -> &'static str {
    match c {
        '✔' => "v",
        '✖' | '×' => "x",
        '◆' | '◇' | '•' => "*",
        '▲' | '▴' => "^",
        '▾' => "v",
        '▸' | '→' => ">",
        '■' | '█' | '▄' | '▀' | '▟' | '▞' | '▜' | '▛' | '▚' | '▙' => "#",
        '▝' | '▘' => "'",
        '▗' | '▖' | '·' => ".",
        '●' => "@",
        '◉' => "O",
        '○' | '◌' => "o",
        '━' | '╸' => "=",
        '─' | '–' | '—' => "-",
        '┅' => "~",
        '│' | '┊' | '▌' | '▐' | '▏' => "|",
        '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' => "+",
        '░' => ":",
        '…' => "~",
        '↻' => "r",
        '“' | '”' => "\"",
        '‘' | '’' => "'",
        // A thin space groups the digits of a number.
        '\u{2009}' | '\u{202f}' | '\u{a0}' => " ",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;

    fn shown(symbols: Symbols, text: &str) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, 24, 1));
        buf.set_string(0, 0, text, ratatui::style::Style::new());
        symbols.apply(&mut buf);
        let line: String = buf
            .content
            .iter()
            .map(ratatui::buffer::Cell::symbol)
            .collect();
        line.trim_end().to_owned()
    }

    #[test]
    fn in_ascii_nothing_else_is_left_and_every_column_stays() {
        assert_eq!(
            shown(Symbols::Ascii, "┌─ ✔ ✖ ◆ ▸ ●━━╸ 10\u{2009}212 …"),
            "+- v x * > @=== 10 212 ~"
        );
        assert_eq!(shown(Symbols::Ascii, "東京|é"), "? ? |?");
        let marks = ['✔', '✖', '◆', '▲', '▸', '■', '●'].map(ascii);
        for (nth, mark) in marks.iter().enumerate() {
            assert!(
                !marks[..nth].contains(mark),
                "{mark} twice: states look alike"
            );
        }
    }

    #[test]
    fn a_line_of_a_chart_stays_a_line_and_dots_stay_dots() {
        assert_eq!(shown(Symbols::Ascii, "⠉⠒⣀⠁⡇⠀x"), "\"-_.| x");
        assert_eq!(shown(Symbols::WithoutBraille, "⠉⣀⠁ ✔ 東"), "▔▁· ✔ 東");
        assert_eq!(shown(Symbols::Unicode, "⠉✔"), "⠉✔");
    }

    #[test]
    fn a_locale_is_believed_and_its_absence_says_nothing() {
        let of = |environment: &'static [(&'static str, &'static str)]| {
            Symbols::detect(move |name| {
                let found = environment.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(
            of(&[("LANG", "C.UTF-8"), ("TERM", "xterm")]),
            Symbols::Unicode
        );
        assert_eq!(
            of(&[("LANG", "en_GB.UTF-8"), ("LC_ALL", "C")]),
            Symbols::Ascii
        );
        assert_eq!(of(&[("TERM", "xterm-256color")]), Symbols::Unicode);
        assert_eq!(
            of(&[("LANG", "C.UTF-8"), ("TERM", "linux")]),
            Symbols::WithoutBraille
        );
        assert_eq!(of(&[("TERM", "vt220")]), Symbols::Ascii);
    }
}
