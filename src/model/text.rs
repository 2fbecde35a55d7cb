//! Text that is safe to show: [`Safe`] and the one door into it, [`sanitise`].
//!
//! Owns the rule of what may reach a terminal, a log or a clipboard. Must never be bypassed: there is no way to make
//! a [`Safe`] out of characters that were not looked at here, and nothing here reads the clock, a file or a terminal.
//!
//! What a hostile or careless server can do with text: move the cursor, set the clipboard or the title, answer
//! queries into our own input (`ESC`, C1), reverse what is read (bidi controls, "Trojan Source", CVE-2021-42574), hide
//! parts of a name (zero width, tags), and bury a terminal in combining marks (CVE-2021-27135). ratatui's widgets
//! filter only the control characters, and leave the payload of an escape sequence as text, so it is done here, once,
//! when text enters the model.

mod name;
mod shell;

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;

use serde::{Serialize, Serializer};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub use name::{looks_like_another, spelled};
pub use shell::{shell_quoted, shell_word};

/// The longest single line kept by [`sanitise`], in characters. Far more than any screen shows, far less than the
/// annotation of 300 MB that a server may send.
pub const LINE_MAX: usize = 4_096;

/// The longest text kept by [`sanitise_lines`], in characters.
pub const LINES_MAX: usize = 65_536;

/// Two marks serve every living orthography's decomposed letters and a Hangul syllable (vowel and final are marks on
/// the initial). More only serves to smear ink over neighbouring rows.
const MARKS_PER_BASE: u8 = 2;

const ELLIPSIS: char = '…';

/// Text without anything that could command or deceive: see the module's head for the list.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Safe(Box<str>);

impl Safe {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One line of at most [`LINE_MAX`] characters. Tabs and line ends become a space.
pub fn sanitise(text: &str) -> Safe {
    sanitise_line(text, LINE_MAX)
}

/// One line of at most `max_chars` characters; what is cut off ends in an ellipsis, which counts as one of them.
pub fn sanitise_line(text: &str, max_chars: usize) -> Safe {
    if text.len() <= max_chars && is_plain(text) {
        return Safe(text.into());
    }
    let mut kept = Kept::new(text.len(), max_chars);
    strip(text, &mut kept);
    kept.finish()
}

/// One line of whatever length: for what somebody will use and not look at, where a part would be worse than nothing.
/// Whoever takes it must have a limit of its own, and say so.
pub fn sanitise_whole(text: &str) -> Safe {
    // Nothing is added: there are never more characters than bytes came in.
    sanitise_line(text, text.len())
}

/// Several lines: line feeds stay, everything else as in [`sanitise`], at most [`LINES_MAX`] characters in all.
///
/// Each line is read on its own, so an escape sequence that is never ended hides the rest of its line and not the rest
/// of a log.
pub fn sanitise_lines(text: &str) -> Safe {
    let mut kept = Kept::new(text.len(), LINES_MAX);
    for (nth, line) in text.split('\n').enumerate() {
        if nth > 0 {
            kept.line_feed();
        }
        if kept.full() {
            break;
        }
        strip(line.strip_suffix('\r').unwrap_or(line), &mut kept);
    }
    kept.finish()
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Sends what remains of `text` without its escape sequences into `kept`.
fn strip(text: &str, kept: &mut Kept) {
    // A parser costs 1 KiB of set-up and an allocation for each OSC; most text has no escape sequence.
    if !text.chars().any(introduces) {
        text.chars().for_each(|c| kept.take(c));
        return;
    }
    let mut parser = vte::Parser::new();
    let mut rest = text;
    // vte knows only the 7-bit forms: it hands U+009B over as a control and its parameters as text. Rewriting the
    // introducer makes the 8-bit sequence disappear as a whole as well.
    while let Some((at, c1)) = rest.char_indices().find(|(_, c)| introduces_in_8_bit(*c)) {
        let (before, tail) = rest.split_at(at);
        parser.advance(kept, before.as_bytes());
        parser.advance(kept, &[0x1b, seven_bit_final(c1)]);
        let mut tail = tail.chars();
        tail.next();
        rest = tail.as_str();
    }
    parser.advance(kept, rest.as_bytes());
}

const fn introduces(c: char) -> bool {
    c == '\u{1b}' || introduces_in_8_bit(c)
}

/// DCS, SOS, CSI, ST, OSC, PM and APC.
const fn introduces_in_8_bit(c: char) -> bool {
    matches!(c, '\u{90}' | '\u{98}' | '\u{9b}'..='\u{9f}')
}

const fn seven_bit_final(c1: char) -> u8 {
    match c1 {
        '\u{90}' => b'P',
        '\u{98}' => b'X',
        '\u{9b}' => b'[',
        '\u{9d}' => b']',
        '\u{9e}' => b'^',
        '\u{9f}' => b'_',
        _ => b'\\',
    }
}

/// What becomes of one character.
enum Fate {
    Kept,
    /// Rests on the character before it: kept, up to [`MARKS_PER_BASE`].
    Mark,
    Space,
    Dropped,
}

/// Whether `c` is a control or a character that takes no cell and changes what is read: none of them is in a [`Safe`],
/// line feeds in [`sanitise_lines`] apart.
pub fn is_forbidden(c: char) -> bool {
    c.is_control() || is_invisible(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

/// JSON with whatever [`is_forbidden`] in its strings written by number: whoever parses it has it whole, and whoever prints
/// it is not commanded. Outside its strings JSON in one line has none of them.
pub fn escaped_json(json: String) -> String {
    if !json.chars().any(is_forbidden) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_forbidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

fn fate(c: char) -> Fate {
    match c {
        ' '..='~' => Fate::Kept,
        // Line ends and tabs; and every other space, which looks like a plain one and is none to whoever compares names.
        '\t'..='\r'
        | '\u{85}'
        | '\u{a0}'
        | '\u{1680}'
        | '\u{2000}'..='\u{200a}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{202f}'
        | '\u{205f}'
        | '\u{3000}' => Fate::Space,
        _ if is_forbidden(c) => Fate::Dropped,
        _ => match c.width() {
            Some(0) => Fate::Mark,
            Some(_) => Fate::Kept,
            None => Fate::Dropped,
        },
    }
}

/// Unicode's default-ignorable characters and the other format controls: they take no cell and change what is read.
/// The variation selectors are among them because terminals disagree on the width that U+FE0F asks for.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The result while it is made.
struct Kept {
    text: String,
    left: usize,
    cut: bool,
    /// Marks that the last character can still carry; none where there is no character to carry them, or the mark
    /// would land on whatever the screen shows to the left.
    marks: u8,
    after_carriage_return: bool,
}

impl Kept {
    fn new(bytes: usize, max_chars: usize) -> Self {
        Self {
            text: String::with_capacity(bytes.min(max_chars.saturating_mul(2))),
            left: max_chars,
            cut: false,
            marks: 0,
            after_carriage_return: false,
        }
    }

    const fn full(&self) -> bool {
        self.cut
    }

    fn take(&mut self, c: char) {
        let crlf = self.after_carriage_return && c == '\n';
        self.after_carriage_return = c == '\r';
        match fate(c) {
            Fate::Kept => {
                self.push(c);
                self.marks = MARKS_PER_BASE;
            }
            Fate::Mark if self.marks > 0 => {
                self.push(c);
                self.marks -= 1;
            }
            Fate::Space if !crlf => {
                self.push(' ');
                self.marks = 0;
            }
            Fate::Mark | Fate::Space | Fate::Dropped => {}
        }
    }

    fn line_feed(&mut self) {
        self.push('\n');
        self.marks = 0;
    }

    fn push(&mut self, c: char) {
        if self.left == 0 {
            self.cut = true;
        } else {
            self.left -= 1;
            self.text.push(c);
        }
    }

    fn finish(mut self) -> Safe {
        if self.cut && self.text.pop().is_some() {
            self.text.push(ELLIPSIS);
        }
        Safe(self.text.into_boxed_str())
    }
}

/// Only what is printed or executed survives; the other callbacks, which carry a sequence's payload, keep their empty
/// default.
impl vte::Perform for Kept {
    fn print(&mut self, c: char) {
        self.take(c);
    }

    fn execute(&mut self, byte: u8) {
        self.take(char::from(byte));
    }
}

/// The cells that `text` takes on the screen.
pub fn width(text: &str) -> usize {
    if is_plain(text) {
        return text.len();
    }
    text.graphemes(true).map(grapheme_width).sum()
}

fn grapheme_width(grapheme: &str) -> usize {
    if is_plain(grapheme) {
        grapheme.len()
    } else {
        grapheme.width()
    }
}

/// At most `cols` cells of `text`; what is cut off ends in an ellipsis.
pub fn clip(text: &str, cols: usize) -> Cow<'_, str> {
    if width(text) <= cols {
        return Cow::Borrowed(text);
    }
    let Some(room) = cols.checked_sub(1) else {
        return Cow::Borrowed("");
    };
    let mut clipped = String::with_capacity(text.len().min(cols * 4) + ELLIPSIS.len_utf8());
    clipped.push_str(head(text, room));
    clipped.push(ELLIPSIS);
    Cow::Owned(clipped)
}

/// At most `cols` cells of `text`, cut in the middle: names in a fleet share their beginning and differ at the end, or
/// the other way round, so both ends stay.
pub fn clip_middle(text: &str, cols: usize) -> Cow<'_, str> {
    if width(text) <= cols {
        return Cow::Borrowed(text);
    }
    let Some(room) = cols.checked_sub(1) else {
        return Cow::Borrowed("");
    };
    let start = head(text, room / 2);
    let end = tail(text, room - width(start));
    Cow::Owned(format!("{start}{ELLIPSIS}{end}"))
}

fn head(text: &str, cols: usize) -> &str {
    let mut used = 0;
    let end = text
        .grapheme_indices(true)
        .find(|(_, grapheme)| {
            used += grapheme_width(grapheme);
            used > cols
        })
        .map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or_default()
}

fn tail(text: &str, cols: usize) -> &str {
    let mut used = 0;
    let start = text
        .grapheme_indices(true)
        .rev()
        .find(|(_, grapheme)| {
            used += grapheme_width(grapheme);
            used > cols
        })
        .map_or(0, |(at, grapheme)| at + grapheme.len());
    text.get(start..).unwrap_or_default()
}

impl Deref for Safe {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Safe {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Safe {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Safe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Safe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for Safe {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl From<&str> for Safe {
    fn from(text: &str) -> Self {
        sanitise(text)
    }
}

impl PartialEq<str> for Safe {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Safe {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

#[cfg(test)]
mod tests;
