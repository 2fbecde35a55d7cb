//! One line of a job's log: its time, what GitHub's runner marked it as, and its colours. Pure. Every sequence that is
//! not a colour is dropped, and what is text is sanitised: a log is what anybody may have written.

use jiff::Timestamp;

use crate::model::{
    job_log::{LogColour, LogKind, LogLine, LogSpan},
    text::sanitise,
};

pub fn parse(line: &str) -> LogLine {
    let line = line.trim_start_matches('\u{feff}').trim_end_matches('\r');
    let (at, rest) = time(line);
    let (kind, rest) = marked(rest);
    LogLine {
        at,
        kind,
        spans: spans(rest),
    }
}

/// `2024-01-01T00:00:00.0000000Z text`
fn time(line: &str) -> (Option<Timestamp>, &str) {
    let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
    let looks_like_one = first.len() >= 20 && first.ends_with('Z');
    match first.parse::<Timestamp>() {
        Ok(at) if looks_like_one => (Some(at), rest),
        _ => (None, line),
    }
}

/// The runner writes `##[word]`, a job's own output may say `::word parameters::`, and its toolkit `[command]`.
fn marked(text: &str) -> (LogKind, &str) {
    let kind = |word: &str| match word {
        "group" => Some(LogKind::Group),
        "endgroup" => Some(LogKind::EndGroup),
        "error" => Some(LogKind::Error),
        "warning" => Some(LogKind::Warning),
        "command" => Some(LogKind::Command),
        "notice" | "debug" | "section" => Some(LogKind::Plain),
        _ => None,
    };
    if let Some(rest) = text.strip_prefix("[command]") {
        return (LogKind::Command, rest);
    }
    let runner = text
        .strip_prefix("##[")
        .and_then(|rest| rest.split_once(']'));
    let own = text.strip_prefix("::").and_then(|rest| {
        let (head, rest) = rest.split_once("::")?;
        Some((head.split(' ').next().unwrap_or(head), rest))
    });
    runner
        .or(own)
        .and_then(|(word, rest)| Some((kind(word)?, rest)))
        .unwrap_or((LogKind::Plain, text))
}

fn spans(text: &str) -> Vec<LogSpan> {
    let mut ink = Ink::default();
    vte::Parser::new().advance(&mut ink, text.as_bytes());
    ink.end_span();
    ink.spans
}

#[derive(Default)]
struct Ink {
    spans: Vec<LogSpan>,
    text: String,
    colour: Option<LogColour>,
    bold: bool,
}

impl Ink {
    fn end_span(&mut self) {
        let text = std::mem::take(&mut self.text);
        let text = sanitise(&text);
        if !text.is_empty() {
            self.spans.push(LogSpan {
                colour: self.colour,
                bold: self.bold,
                text,
            });
        }
    }

    fn set(&mut self, codes: &[u16]) {
        let mut codes = codes.iter().copied();
        while let Some(code) = codes.next() {
            let small = u8::try_from(code).unwrap_or(u8::MAX);
            match code {
                0 => (self.colour, self.bold) = (None, false),
                1 => self.bold = true,
                22 => self.bold = false,
                30..=37 => self.colour = Some(LogColour::Indexed(small - 30)),
                90..=97 => self.colour = Some(LogColour::Indexed(small - 90 + 8)),
                39 => self.colour = None,
                38 => {
                    if let Some(colour) = extended(&mut codes) {
                        self.colour = Some(colour);
                    }
                }
                // A background's numbers must not be read as codes of their own.
                48 => {
                    extended(&mut codes);
                }
                _ => {}
            }
        }
    }
}

/// `5;n` or `2;r;g;b`.
fn extended(codes: &mut impl Iterator<Item = u16>) -> Option<LogColour> {
    let byte = |codes: &mut dyn Iterator<Item = u16>| u8::try_from(codes.next()?).ok();
    match codes.next()? {
        5 => Some(LogColour::Indexed(byte(codes)?)),
        2 => Some(LogColour::Rgb(byte(codes)?, byte(codes)?, byte(codes)?)),
        _ => None,
    }
}

impl vte::Perform for Ink {
    fn print(&mut self, c: char) {
        self.text.push(c);
    }

    fn execute(&mut self, byte: u8) {
        if byte == b'\t' {
            self.text.push_str("    ");
        }
    }

    fn csi_dispatch(&mut self, params: &vte::Params, intermediates: &[u8], _: bool, action: char) {
        if action != 'm' || !intermediates.is_empty() {
            return;
        }
        self.end_span();
        // `38:5:n` comes as one parameter with parts, `38;5;n` as three.
        let codes: Vec<u16> = params.iter().flatten().copied().collect();
        if codes.is_empty() {
            self.set(&[0]);
        } else {
            self.set(&codes);
        }
    }
}
