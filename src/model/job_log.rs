//! The lines of a log, of a pod or of a job, with their colours taken apart. Text only: nothing in them can command a
//! terminal.

use jiff::Timestamp;

use super::text::Safe;

/// What there is of a job's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobLog {
    /// The host keeps it back until the job has ended.
    NotYet,
    /// Expired, deleted, or not for us: the host answers the same to all of these.
    Gone(Safe),
    Lines {
        lines: Vec<LogLine>,
        /// How many earlier lines were left out, because there were too many.
        left_out: usize,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub at: Option<Timestamp>,
    pub kind: LogKind,
    pub spans: Vec<LogSpan>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogKind {
    Plain,
    /// The head of a part that can be folded, and its end.
    Group,
    EndGroup,
    Error,
    Warning,
    Command,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSpan {
    pub colour: Option<LogColour>,
    pub bold: bool,
    pub text: Safe,
}

/// As the job said it; what is shown of it is the theme's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogColour {
    Indexed(u8),
    Rgb(u8, u8, u8),
}

impl LogLine {
    /// A line without colours.
    pub fn plain(text: Safe) -> Self {
        Self {
            at: None,
            kind: LogKind::Plain,
            spans: vec![LogSpan {
                colour: None,
                bold: false,
                text,
            }],
        }
    }

    /// Whether it holds `needle`, which is in lower case. One span needs no copy of the line.
    pub fn contains(&self, needle: &str) -> bool {
        match self.spans.as_slice() {
            [one] => one.text.to_lowercase().contains(needle),
            _ => self.text().to_lowercase().contains(needle),
        }
    }

    pub fn text(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }
}

/// The numbers of the lines that hold `words`, whatever their case. Nothing is found by nothing.
pub fn search(lines: &[LogLine], words: &str) -> Vec<usize> {
    let words = words.trim().to_lowercase();
    if words.is_empty() {
        return Vec::new();
    }
    lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.text().to_lowercase().contains(&words))
        .map(|(nth, _)| nth)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(parts: &[&str]) -> LogLine {
        let span = |text: &&str| LogSpan {
            colour: None,
            bold: false,
            text: Safe::from(*text),
        };
        LogLine {
            at: None,
            kind: LogKind::Plain,
            spans: parts.iter().map(span).collect(),
        }
    }

    #[test]
    fn words_are_found_across_colours_and_whatever_their_case() {
        let lines = [
            line(&["Build ", "FAILED"]),
            line(&["ok"]),
            line(&["failed"]),
        ];
        assert_eq!(search(&lines, "build fail"), [0]);
        assert_eq!(search(&lines, "failed"), [0, 2]);
        assert_eq!(search(&lines, "  "), [0usize; 0]);
    }
}
