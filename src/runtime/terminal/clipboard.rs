//! Copying through the terminal (OSC 52), which works over SSH.
//!
//! Owns the encoding. Must take nothing but [`Safe`] text: what is copied is pasted into a shell.

use super::passthrough::Within;
use crate::model::text::Safe;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What terminals take: 100,000 characters when encoded.
const LONGEST: usize = 74_994;

/// The bytes that make the terminal put `text` on its clipboard; `None` where it is longer than terminals take.
///
/// Inside tmux it is sent twice, bare and wrapped: which of the two arrives depends on `set-clipboard` and
/// `allow-passthrough`, and arriving twice does no harm.
pub(super) fn copy(text: &Safe, within: Within) -> Option<Vec<u8>> {
    if !fits(text.len()) {
        return None;
    }
    let mut sequence = String::from("\x1b]52;c;");
    base64(text.as_bytes(), &mut sequence);
    sequence.push('\x07');
    let wrapped = within.wrap(sequence.as_bytes());
    Some(match within {
        Within::Tmux => [sequence.as_bytes(), &wrapped].concat(),
        Within::Nothing | Within::Screen => wrapped,
    })
}

const fn fits(bytes: usize) -> bool {
    bytes <= LONGEST
}

fn base64(bytes: &[u8], out: &mut String) {
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| {
            bits << 8 | u32::from(group.get(at).copied().unwrap_or_default())
        });
        for sextet in 0..4 {
            let index = (bits >> (18 - 6 * sextet)) & 0x3f;
            let digit = usize::try_from(index)
                .ok()
                .and_then(|index| ALPHABET.get(index))
                .copied()
                .unwrap_or(b'A');
            out.push(if sextet > group.len() {
                '='
            } else {
                char::from(digit)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::text::sanitise;

    fn encoded(text: &str) -> String {
        let mut out = String::new();
        base64(text.as_bytes(), &mut out);
        out
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encoded(text), expected);
        }
        assert_eq!(encoded("ü?>"), "w7w/Pg==");
    }

    #[test]
    fn a_copy_is_one_sequence_twice_inside_tmux_and_wrapped_inside_screen() {
        let copied = |within| copy(&sanitise("foo"), within).unwrap();
        assert_eq!(copied(Within::Nothing), b"\x1b]52;c;Zm9v\x07");
        assert_eq!(
            copied(Within::Tmux),
            b"\x1b]52;c;Zm9v\x07\x1bPtmux;\x1b\x1b]52;c;Zm9v\x07\x1b\\"
        );
        assert_eq!(copied(Within::Screen), b"\x1bP\x1b]52;c;Zm9v\x07\x1b\\");
    }

    #[test]
    fn a_long_command_is_copied_whole_and_clean_or_not_at_all() {
        let command = format!("kubectl patch -p '{}\x1b[31m\u{202e}'", "x".repeat(9_000));
        let text = crate::model::text::sanitise_whole(&command);
        assert_eq!(*text, *format!("kubectl patch -p '{}'", "x".repeat(9_000)));
        assert!(copy(&text, Within::Nothing).unwrap().len() > 12_000);
        let longer = crate::model::text::sanitise_whole(&"x".repeat(LONGEST + 1));
        assert_eq!(copy(&longer, Within::Nothing), None);
    }

    #[test]
    fn what_no_terminal_takes_is_not_sent() {
        let most = encoded(&"x".repeat(LONGEST));
        assert!(most.len() <= 100_000, "{}", most.len());
        assert!(fits(LONGEST) && !fits(LONGEST + 1));
    }
}
