//! Bytes from the terminal to [`Input`].
//!
//! Owns the state of a sequence that is split over reads. Must never panic, never grow with what is sent, never take
//! pasted text for keys, and never wait for ever: every unfinished state has a time after which it is given up
//! ([`Parser::patience`]), so that a lost byte cannot swallow the keys behind it.
//!
//! Written here and not taken from a crate because of the last two: the parsers at hand keep an unterminated paste or
//! answer for ever, grow with it, and hand over nothing meanwhile.

use std::time::Duration;

use crate::model::text;

use super::csi::{self, Sequence};
use super::key::{Code, Input, Key};
use super::paste::{Paste, Step};

/// How long a lone escape may be the beginning of a sequence. Terminals send a sequence in one write; a link may tear
/// it apart, a human cannot type one this fast.
const ESCAPE: Duration = Duration::from_millis(40);

/// How long an answer to a query may pause. We send none, so this only ends what somebody else has asked for.
const ANSWER: Duration = Duration::from_millis(500);

const PASTE: Duration = Duration::from_secs(1);

/// Longer parameters than any key has.
const PARAMETERS_MAX: usize = 32;

const ESC: u8 = 0x1b;
const CTRL_C: u8 = 0x03;

#[derive(Debug, Default)]
enum State {
    #[default]
    Ground,
    Escape,
    /// After `CSI`, with the parameters so far.
    Csi(Vec<u8>),
    /// After `CSI [`, where the Linux console's first function keys are.
    LinuxFunction,
    /// After `ESC O`.
    Ss3,
    /// In an answer (OSC, DCS, …) that began with this byte after the escape.
    Answer {
        introducer: u8,
        empty: bool,
        escaped: bool,
    },
    MouseReport {
        left: u8,
    },
    Character {
        bytes: Vec<u8>,
        alt: bool,
    },
    Paste(Paste),
}

/// See the module's head.
#[derive(Debug, Default)]
pub struct Parser {
    state: State,
}

impl Parser {
    /// Takes what one read gave.
    pub fn feed(&mut self, bytes: &[u8], inputs: &mut Vec<Input>) {
        if let (State::Paste(paste), [CTRL_C]) = (&self.state, bytes)
            && paste.is_deaf()
        {
            self.state = State::Ground;
        }
        for byte in bytes {
            self.byte(*byte, inputs);
        }
    }

    /// How long to wait for the next byte before [`Parser::give_up`]; `None` where nothing is unfinished.
    pub fn patience(&self) -> Option<Duration> {
        match &self.state {
            State::Ground => None,
            State::Answer { empty: false, .. } => Some(ANSWER),
            State::Paste(paste) if paste.is_deaf() => None,
            State::Paste(paste) if paste.is_left_by_escape() => Some(ESCAPE),
            State::Paste(_) => Some(PASTE),
            _ => Some(ESCAPE),
        }
    }

    /// The time is over: what is unfinished becomes the keys that it can be, or nothing.
    pub fn give_up(&mut self, inputs: &mut Vec<Input>) {
        let alt = |c| Input::Key(Key::plain(Code::Char(c)).with_alt(true));
        match std::mem::take(&mut self.state) {
            State::Escape => inputs.push(Input::Key(Key::plain(Code::Esc))),
            State::Csi(parameters) if parameters.is_empty() => inputs.push(alt('[')),
            State::Ss3 => inputs.push(alt('O')),
            State::Answer {
                introducer,
                empty: true,
                ..
            } => inputs.push(alt(char::from(introducer))),
            State::Paste(paste) if paste.is_left_by_escape() => {
                inputs.push(Input::Key(Key::plain(Code::Esc)));
            }
            State::Paste(mut paste) => {
                inputs.extend(paste.text().map(Input::Paste));
                paste.stall();
                self.state = State::Paste(paste);
            }
            _ => {}
        }
    }

    fn byte(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        self.state = match std::mem::take(&mut self.state) {
            State::Ground => ground(byte, false, inputs),
            State::Escape => escape(byte, inputs),
            State::Csi(parameters) => control(parameters, byte, inputs),
            State::LinuxFunction => {
                if let b'A'..=b'E' = byte {
                    inputs.push(Input::Key(Key::plain(Code::F(byte - b'A' + 1))));
                }
                State::Ground
            }
            State::Ss3 => match csi::letter(byte) {
                Some(code) => {
                    inputs.push(Input::Key(Key::plain(code)));
                    State::Ground
                }
                None if byte < b' ' => ground(byte, false, inputs),
                None => State::Ground,
            },
            State::Answer {
                introducer,
                escaped,
                ..
            } => match byte {
                0x07 | 0x18 | 0x1a => State::Ground,
                b'\\' if escaped => State::Ground,
                CTRL_C => ground(byte, false, inputs),
                _ if escaped => escape(byte, inputs),
                _ => State::Answer {
                    introducer,
                    empty: false,
                    escaped: byte == ESC,
                },
            },
            State::MouseReport { left } if left > 1 => State::MouseReport { left: left - 1 },
            State::MouseReport { .. } => State::Ground,
            State::Character { bytes, alt } => character(bytes, byte, alt, inputs),
            State::Paste(mut paste) => match paste.take(byte) {
                Step::Inside => State::Paste(paste),
                Step::Ended => {
                    inputs.extend(paste.text().map(Input::Paste));
                    State::Ground
                }
            },
        };
    }
}

fn ground(byte: u8, alt: bool, inputs: &mut Vec<Input>) -> State {
    let key = match byte {
        ESC => return State::Escape,
        0x80.. => return character(Vec::with_capacity(4), byte, alt, inputs),
        b'\r' => Key::plain(Code::Enter),
        b'\t' => Key::plain(Code::Tab),
        // Ctrl-h is given up for the terminals whose backspace sends it.
        0x08 | 0x7f => Key::plain(Code::Backspace),
        0x00 => Key::ctrl(' '),
        0x01..=0x1a => Key::ctrl(char::from(byte - 1 + b'a')),
        0x1c..=0x1f => Key::ctrl(char::from(byte - 0x1c + b'\\')),
        b' '..=b'~' => Key::plain(Code::Char(char::from(byte))),
    };
    inputs.push(Input::Key(key.with_alt(alt)));
    State::Ground
}

fn escape(byte: u8, inputs: &mut Vec<Input>) -> State {
    match byte {
        b'[' => State::Csi(Vec::new()),
        b'O' => State::Ss3,
        b']' | b'P' | b'X' | b'^' | b'_' => State::Answer {
            introducer: byte,
            empty: true,
            escaped: false,
        },
        ESC => {
            inputs.push(Input::Key(Key::plain(Code::Esc)));
            State::Escape
        }
        _ => ground(byte, true, inputs),
    }
}

fn control(mut parameters: Vec<u8>, byte: u8, inputs: &mut Vec<Input>) -> State {
    match byte {
        b'[' if parameters.is_empty() => State::LinuxFunction,
        0x20..=0x3f => {
            // A longer one means nothing to us, but is still read to its end; its last parameters do not matter.
            if parameters.len() < PARAMETERS_MAX {
                parameters.push(byte);
            }
            State::Csi(parameters)
        }
        0x40..=0x7e => match csi::decode(&parameters, byte) {
            Sequence::Input(input) => {
                inputs.push(input);
                State::Ground
            }
            Sequence::PasteBegins => State::Paste(Paste::default()),
            Sequence::MouseReport => State::MouseReport { left: 3 },
            Sequence::Nothing => State::Ground,
        },
        // The sequence was torn: what tore it is a key of its own, and Ctrl-C must always be one.
        _ => ground(byte, false, inputs),
    }
}

fn character(mut bytes: Vec<u8>, byte: u8, alt: bool, inputs: &mut Vec<Input>) -> State {
    if !bytes.is_empty() && !(0x80..=0xbf).contains(&byte) {
        return ground(byte, false, inputs);
    }
    bytes.push(byte);
    match std::str::from_utf8(&bytes) {
        Ok(text) => {
            let codes = text.chars().filter_map(typed);
            inputs.extend(codes.map(|code| Input::Key(Key::plain(code).with_alt(alt))));
            State::Ground
        }
        Err(error) if error.error_len().is_none() => State::Character { bytes, alt },
        Err(_) => State::Ground,
    }
}

/// The key of a character; none for one that nobody can see.
pub(super) fn typed(c: char) -> Option<Code> {
    (!text::is_forbidden(c)).then_some(Code::Char(c))
}

#[cfg(test)]
#[path = "parser_tests.rs"]
mod tests;
