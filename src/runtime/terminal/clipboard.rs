//! Copying through the terminal (OSC 52), which works over SSH.
//!
//! Owns the encoding. Must take nothing but [`Safe`] text: what is copied is pasted into a shell.

use std::fmt::Write;

use crate::model::text::Safe;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The sequence that makes the terminal put `text` on its clipboard.
///
/// Inside tmux it is sent twice, bare and wrapped: which of the two arrives depends on `set-clipboard` and
/// `allow-passthrough`, and arriving twice does no harm.
pub(super) fn copy(text: &Safe, in_tmux: bool) -> Vec<u8> {
    let mut sequence = String::from("\x1b]52;c;");
    base64(text.as_bytes(), &mut sequence);
    sequence.push('\x07');
    if in_tmux {
        let wrapped = sequence.replace('\x1b', "\x1b\x1b");
        // Writing to a String cannot fail.
        let _infallible = write!(sequence, "\x1bPtmux;{wrapped}\x1b\\");
    }
    sequence.into_bytes()
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
    fn a_copy_is_one_sequence_and_twice_inside_tmux() {
        assert_eq!(copy(&sanitise("foo"), false), b"\x1b]52;c;Zm9v\x07");
        assert_eq!(
            copy(&sanitise("foo"), true),
            b"\x1b]52;c;Zm9v\x07\x1bPtmux;\x1b\x1b]52;c;Zm9v\x07\x1b\\"
        );
    }
}
