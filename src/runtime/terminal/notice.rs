//! Telling somebody who looks elsewhere: the bell, and the terminal's own notices (OSC 9, OSC 777).
//!
//! Owns the bytes and how often. Must never wrap the bell: tmux has to see it to mark the window.

use std::time::Duration;

use tokio::time::Instant;

use super::passthrough::Within;
use crate::model::text::{Safe, clip};

/// Between two of them: a fleet that breaks at once rings once.
const APART: Duration = Duration::from_secs(30);
const LONGEST: usize = 200;

/// Which notices the terminal is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Notices {
    #[default]
    Bell,
    /// The bell, and OSC 9.
    Osc9,
    /// The bell, and OSC 777.
    Osc777,
    Off,
}

/// Says whether it may ring at `now`, and remembers that it did.
pub(super) fn may_ring(last: &mut Option<Instant>, now: Instant) -> bool {
    let may = last.is_none_or(|last| now.duration_since(last) >= APART);
    if may {
        *last = Some(now);
    }
    may
}

/// The bytes of one notice.
pub(super) fn notice(words: &Safe, how: Notices, within: Within) -> Vec<u8> {
    let words = clip(words, LONGEST).into_owned();
    // Begins with a word of ours: digits and a semicolon at the beginning would be a progress bar.
    let sequence = match how {
        Notices::Off => return Vec::new(),
        Notices::Bell => return b"\x07".to_vec(),
        Notices::Osc9 => format!("\x1b]9;windlass: {words}\x07"),
        // A semicolon ends a field.
        Notices::Osc777 => {
            format!("\x1b]777;notify;windlass;{}\x07", words.replace(';', ","))
        }
    };
    let mut out = b"\x07".to_vec();
    out.extend(within.wrap(sequence.as_bytes()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::text::sanitise;

    fn bytes(words: &str, how: Notices, within: Within) -> String {
        String::from_utf8(notice(&sanitise(words), how, within)).unwrap()
    }

    #[test]
    fn the_bell_is_one_byte_and_nothing_is_nothing() {
        for within in [Within::Nothing, Within::Tmux, Within::Screen] {
            assert_eq!(bytes("x", Notices::Bell, within), "\x07");
            assert_eq!(bytes("x", Notices::Off, within), "");
        }
    }

    #[test]
    fn the_bell_is_never_wrapped_and_the_text_always_is() {
        assert_eq!(
            bytes("a", Notices::Osc9, Within::Tmux),
            "\x07\x1bPtmux;\x1b\x1b]9;windlass: a\x07\x1b\\"
        );
        assert_eq!(
            bytes("a", Notices::Osc777, Within::Screen),
            "\x07\x1bP\x1b]777;notify;windlass;a\x07\x1b\\"
        );
    }

    #[test]
    fn no_text_is_a_progress_bar_another_field_or_a_sequence() {
        assert_eq!(
            bytes("4;1;50", Notices::Osc9, Within::Nothing),
            "\x07\x1b]9;windlass: 4;1;50\x07"
        );
        assert_eq!(
            bytes("a;b;c", Notices::Osc777, Within::Nothing),
            "\x07\x1b]777;notify;windlass;a,b,c\x07"
        );
        let hostile = bytes("x\x07\x1b]52;c;aGk=\x07", Notices::Osc9, Within::Nothing);
        assert_eq!(hostile.matches('\x1b').count(), 1, "{hostile:?}");
        assert_eq!(hostile.matches('\x07').count(), 2, "{hostile:?}");
    }

    #[test]
    fn it_rings_once_in_half_a_minute() {
        let mut last = None;
        let begun = Instant::now();
        assert!(may_ring(&mut last, begun));
        assert!(!may_ring(&mut last, begun + Duration::from_secs(29)));
        assert!(may_ring(&mut last, begun + Duration::from_secs(30)));
        assert!(!may_ring(&mut last, begun + Duration::from_secs(31)));
    }
}
