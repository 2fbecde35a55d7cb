//! A bracketed paste while it comes in.
//!
//! Owns the rule that pasted bytes never become keys: not when the paste comes in pieces, not when it is longer than is
//! kept, and not when its end never comes. In the last case the text is handed on after a silence, and the terminal goes
//! on being read as a paste until its end is seen after all or the operator, to whom the program now looks deaf, presses
//! Esc or Ctrl-C: two keys that cannot confirm anything.

use crate::model::text::{self, Safe};

/// The bytes kept of one paste.
const KEPT: usize = 64 * 1024;

const END: &[u8] = b"\x1b[201~";

#[derive(Debug, Default)]
pub(super) struct Paste {
    kept: Vec<u8>,
    /// How much of [`END`] the last bytes were.
    matched: usize,
    room: Option<usize>,
    cut: bool,
    /// A silence has passed in the middle of the paste.
    stalled: bool,
}

pub(super) enum Step {
    Inside,
    Ended,
}

impl Paste {
    pub(super) fn take(&mut self, byte: u8) -> Step {
        if END.get(self.matched) == Some(&byte) {
            self.matched += 1;
            return if self.matched == END.len() {
                Step::Ended
            } else {
                Step::Inside
            };
        }
        let broken = std::mem::take(&mut self.matched);
        END.iter().take(broken).for_each(|byte| self.keep(*byte));
        // The end begins with the only escape in it, so a broken one can only begin again with this byte.
        if END.first() == Some(&byte) {
            self.matched = 1;
        } else {
            self.keep(byte);
        }
        Step::Inside
    }

    fn keep(&mut self, byte: u8) {
        let room = self.room.get_or_insert(KEPT);
        if *room == 0 {
            self.cut = true;
        } else {
            *room -= 1;
            self.kept.push(byte);
        }
    }

    /// What has come in since the last call.
    pub(super) fn text(&mut self) -> Option<Safe> {
        if self.kept.is_empty() {
            return None;
        }
        let mut text = String::from_utf8_lossy(&std::mem::take(&mut self.kept)).replace('\r', "\n");
        if std::mem::take(&mut self.cut) {
            text.push('…');
        }
        Some(text::sanitise_lines(&text))
    }

    pub(super) fn stall(&mut self) {
        self.stalled = true;
    }

    /// Whether nothing has come in since the stall, so that a key pressed now is the operator's.
    pub(super) fn is_deaf(&self) -> bool {
        self.stalled && self.kept.is_empty() && self.matched == 0
    }

    /// As [`Paste::is_deaf`], with a single escape seen since.
    pub(super) fn is_left_by_escape(&self) -> bool {
        self.stalled && self.kept.is_empty() && self.matched == 1
    }
}
