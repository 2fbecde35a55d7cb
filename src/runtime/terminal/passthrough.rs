//! Getting a sequence through what stands between us and the terminal: tmux and screen keep what they do not know for
//! themselves, unless it is wrapped.
//!
//! Owns the wrapping. Must be given whole sequences that end with BEL: the other terminator would end the wrapping.

/// GNU screen drops a string that is longer.
const SCREEN_MOST: usize = 768;

/// What stands between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    Nothing,
    Tmux,
    Screen,
}

impl Within {
    /// tmux sets `TMUX`, screen `STY`. Of one inside the other the nearer one answers to `TERM`, and it is tmux that calls
    /// itself screen: so `TMUX` counts first.
    pub(super) fn of(environment: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| environment(name).is_some_and(|value| !value.is_empty());
        if set("TMUX") {
            Self::Tmux
        } else if set("STY") {
            Self::Screen
        } else {
            Self::Nothing
        }
    }

    /// The bytes that bring `sequence` to the terminal.
    pub(super) fn wrap(self, sequence: &[u8]) -> Vec<u8> {
        match self {
            Self::Nothing => sequence.to_vec(),
            Self::Tmux => {
                let mut out = b"\x1bPtmux;".to_vec();
                for byte in sequence {
                    if *byte == 0x1b {
                        out.push(0x1b);
                    }
                    out.push(*byte);
                }
                out.extend(b"\x1b\\");
                out
            }
            Self::Screen => {
                let mut out = Vec::new();
                // What is around a piece counts too.
                for piece in sequence.chunks(SCREEN_MOST - 4) {
                    out.extend(b"\x1bP");
                    out.extend(piece);
                    out.extend(b"\x1b\\");
                }
                out
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_is_told_by_its_own_variable() {
        let of = |set: &[&str]| Within::of(|name| set.contains(&name).then(|| "1".to_owned()));
        assert_eq!(of(&[]), Within::Nothing);
        assert_eq!(of(&["TMUX"]), Within::Tmux);
        assert_eq!(of(&["STY"]), Within::Screen);
        assert_eq!(of(&["STY", "TMUX"]), Within::Tmux);
        assert_eq!(Within::of(|_| Some(String::new())), Within::Nothing);
    }

    #[test]
    fn tmux_gets_every_escape_twice() {
        assert_eq!(
            Within::Tmux.wrap(b"\x1b]9;a\x07"),
            b"\x1bPtmux;\x1b\x1b]9;a\x07\x1b\\"
        );
    }

    #[test]
    fn screen_gets_pieces_that_it_takes_and_that_make_the_whole() {
        let long = [b"\x1b]52;c;".as_slice(), &[b'A'; 2_000], b"\x07"].concat();
        let wrapped = Within::Screen.wrap(&long);
        let mut whole: Vec<u8> = Vec::new();
        let mut rest = wrapped.as_slice();
        let mut pieces = 0;
        while !rest.is_empty() {
            let end = rest.windows(2).position(|pair| pair == b"\x1b\\").unwrap() + 2;
            assert!(end <= SCREEN_MOST, "{end}");
            assert!(rest.starts_with(b"\x1bP"));
            whole.extend_from_slice(&rest[2..end - 2]);
            rest = &rest[end..];
            pieces += 1;
        }
        assert_eq!(whole, long);
        assert_eq!(pieces, 3);
    }
}
