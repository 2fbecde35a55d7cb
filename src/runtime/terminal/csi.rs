//! The meaning of one complete control sequence that came from the keyboard.
//!
//! Owns the table of xterm, VT, rxvt, Linux console, kitty and `modifyOtherKeys` forms. Must answer nothing for a
//! sequence it does not know: answers to queries and future protocols are not keys.

use super::key::{Code, Focus, Input, Key, Mouse, MouseKind};

/// What a sequence turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sequence {
    Input(Input),
    PasteBegins,
    /// Three bytes of coordinates follow (`CSI M`, the oldest mouse report).
    MouseReport,
    Nothing,
}

/// `parameters` is all between `CSI` and the final byte.
pub(super) fn decode(parameters: &[u8], end: u8) -> Sequence {
    if let (Some(report), b'M') = (parameters.strip_prefix(b"<"), end) {
        return mouse(report).map_or(Sequence::Nothing, |mouse| {
            Sequence::Input(Input::Mouse(mouse))
        });
    }
    let Some(numbers) = Numbers::parse(parameters) else {
        return Sequence::Nothing;
    };
    match end {
        b'I' if parameters.is_empty() => Sequence::Input(Input::Focus(Focus::Gained)),
        b'O' if parameters.is_empty() => Sequence::Input(Input::Focus(Focus::Lost)),
        b'M' if parameters.is_empty() => Sequence::MouseReport,
        b'~' if numbers.first() == 200 => Sequence::PasteBegins,
        b'~' if numbers.first() == 27 => key(character(numbers.third), numbers),
        b'~' => key(tilde(numbers.first()), numbers),
        b'u' => key(character(numbers.first()), numbers),
        // With a row in front this is an answer to a cursor query and not F3.
        b'R' if numbers.first() > 1 => Sequence::Nothing,
        _ => key(letter(end), numbers),
    }
}

/// `button;column;row` of a report (1006). Only the left button and the wheel mean something here, and only alone: with
/// Shift terminals select text themselves, and a motion is no press.
fn mouse(report: &[u8]) -> Option<Mouse> {
    let mut numbers = std::str::from_utf8(report)
        .ok()?
        .split(';')
        .map(|number| number.parse::<u16>().ok());
    let kind = match numbers.next()?? {
        0 => MouseKind::Press,
        64 => MouseKind::WheelUp,
        65 => MouseKind::WheelDown,
        _ => return None,
    };
    let (column, row) = (numbers.next()??, numbers.next()??);
    if numbers.next().is_some() {
        return None;
    }
    Some(Mouse {
        kind,
        column: column.checked_sub(1)?,
        row: row.checked_sub(1)?,
    })
}

/// The key of `ESC O` and of `CSI` with this letter.
pub(super) fn letter(letter: u8) -> Option<Code> {
    Some(match letter {
        b'A' => Code::Up,
        b'B' => Code::Down,
        b'C' => Code::Right,
        b'D' => Code::Left,
        b'F' => Code::End,
        b'H' => Code::Home,
        b'M' => Code::Enter,
        b'P'..=b'S' => Code::F(letter - b'P' + 1),
        b'Z' => Code::BackTab,
        _ => return None,
    })
}

fn tilde(number: u32) -> Option<Code> {
    let function = |first: u32, number: u32| u8::try_from(number - first).ok().map(Code::F);
    match number {
        1 | 7 => Some(Code::Home),
        2 => Some(Code::Insert),
        3 => Some(Code::Delete),
        4 | 8 => Some(Code::End),
        5 => Some(Code::PageUp),
        6 => Some(Code::PageDown),
        11..=15 => function(10, number),
        17..=21 => function(11, number),
        23..=26 => function(12, number),
        28..=29 => function(13, number),
        31..=34 => function(14, number),
        _ => None,
    }
}

/// A key by its character, as kitty's protocol and xterm's `modifyOtherKeys` name it.
fn character(number: u32) -> Option<Code> {
    match number {
        8 | 127 => Some(Code::Backspace),
        9 => Some(Code::Tab),
        13 | 57_414 => Some(Code::Enter),
        27 => Some(Code::Esc),
        57_399..=57_408 => char::from_digit(number - 57_399, 10).map(Code::Char),
        // The private use area holds kitty's other keys: media, lone modifiers, the keypad's arrows.
        57_344..=63_743 => None,
        _ => super::parser::typed(char::from_u32(number)?),
    }
}

fn key(code: Option<Code>, numbers: Numbers) -> Sequence {
    const SHIFT: u32 = 1;
    const CTRL: u32 = 4;
    // Alt, super, hyper and meta: Caps Lock and Num Lock above them change nothing.
    const ALT_LIKE: u32 = 2 | 8 | 16 | 32;
    const REPEAT: u32 = 2;
    const RELEASE: u32 = 3;
    let Some(code) = code.filter(|_| numbers.event != RELEASE) else {
        return Sequence::Nothing;
    };
    let held = numbers.modifiers.saturating_sub(1);
    let shift = held & SHIFT != 0;
    let code = match code {
        Code::Char(c) if shift && c.is_lowercase() => {
            Code::Char(c.to_uppercase().next().unwrap_or(c))
        }
        Code::Tab if shift => Code::BackTab,
        code => code,
    };
    Sequence::Input(Input::Key(Key {
        code,
        ctrl: held & CTRL != 0,
        alt: held & ALT_LIKE != 0,
        shift: shift && !matches!(code, Code::Char(_) | Code::BackTab),
        repeat: numbers.event == REPEAT,
    }))
}

/// The parameters that any of the forms uses: `first;modifiers:event;third`.
#[derive(Clone, Copy)]
struct Numbers {
    first: Option<u32>,
    modifiers: u32,
    event: u32,
    third: u32,
}

impl Numbers {
    /// `None` for private parameters (`CSI ? …`, `CSI < …`): answers and mouse reports.
    fn parse(parameters: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(parameters).ok()?;
        if !text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b';' | b':'))
        {
            return None;
        }
        let number = |text: Option<&str>| text.and_then(|digits| digits.parse::<u32>().ok());
        let mut parts = text.split(';');
        let first = number(parts.next().and_then(|part| part.split(':').next()));
        let mut second = parts.next().unwrap_or_default().split(':');
        Some(Self {
            first,
            modifiers: number(second.next()).unwrap_or(1),
            event: number(second.next()).unwrap_or(1),
            third: number(parts.next()).unwrap_or_default(),
        })
    }

    fn first(self) -> u32 {
        self.first.unwrap_or(1)
    }
}
