//! Where a command's words go: data to standard output, everything else to standard error. Text from outside has been
//! sanitised where it entered, and what was typed on the command line is here, at the last door: nothing adds colour or
//! moves a cursor. The only place of the command line that prints.

use std::{borrow::Cow, fmt::Write as _, io::Write as _};

use serde_json::Value;

use super::exit::Exit;
use crate::{
    model::text::{escaped_json, is_forbidden, sanitise_line},
    ops::{
        ceremony::ceremony,
        guard::{Decision, GuardAnswer},
        plan::{Plan, When},
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Out {
    json: bool,
    /// Standard output has gone away: whoever read it has seen enough.
    closed: bool,
}

impl Out {
    pub(super) const fn new(json: bool) -> Self {
        Self {
            json,
            closed: false,
        }
    }

    pub(super) const fn is_json(self) -> bool {
        self.json
    }

    pub(super) const fn is_closed(self) -> bool {
        self.closed
    }

    /// The answer: the object, or its words.
    pub(super) fn result(&mut self, object: &Value, words: impl FnOnce() -> String) {
        if self.json {
            self.line(&escaped_json(object.to_string()));
        } else {
            self.line(&words());
        }
    }

    pub(super) fn json_only(&mut self, object: &Value) {
        if self.json {
            self.line(&escaped_json(object.to_string()));
        }
    }

    pub(super) fn line(&mut self, text: &str) {
        let mut out = std::io::stdout().lock();
        if writeln!(out, "{}", plain(text))
            .and_then(|()| out.flush())
            .is_err()
        {
            self.closed = true;
        }
    }

    /// To standard error.
    #[expect(
        clippy::unused_self,
        reason = "one place prints, whatever it needs for that"
    )]
    pub(super) fn note(&mut self, text: &str) {
        // Nothing is left to say it to where standard error is closed.
        let _ = writeln!(std::io::stderr(), "{}", plain(text));
    }

    pub(super) fn error(&mut self, text: &str) {
        self.note(&format!("windlass: {text}"));
    }

    pub(super) fn fail(&mut self, exit: Exit, text: &str) -> Exit {
        self.error(text);
        exit
    }
}

/// Lines for people, of any length.
fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c != '\n' && is_forbidden(c)) {
        return Cow::Borrowed(text);
    }
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| sanitise_line(line, line.len()).to_string())
        .collect();
    Cow::Owned(lines.join("\n"))
}

/// A plan for people: everything that the dialog says.
pub(super) fn plan_text(plan: &Plan, guards: &[GuardAnswer]) -> String {
    let mut text = String::new();
    let mut line = |label: &str, words: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {label:<11}{words}");
    };
    line("next", &plan.next);
    if !plan.change.is_one() {
        let label = match plan.change.versions() {
            Some(_) => "version",
            None => "change",
        };
        line(
            label,
            &format!("{} -> {}", plan.change.from(), plan.change.to()),
        );
    }
    for (index, send) in plan.sends.iter().enumerate() {
        let label = if plan.sends.len() == 1 {
            "sends".to_owned()
        } else {
            format!("sends {}", index + 1)
        };
        let when = match &send.when {
            // A gate, a run or a silence has no version that a request could be held to.
            When::AtOnce if plan.intent.target.release().is_none() => {
                "re-read and compared just before it is sent".to_owned()
            }
            When::AtOnce => format!(
                "only if still at version {}",
                send.holder_version.as_ref().unwrap_or(&plan.target.version)
            ),
            When::CurrentIs { words, .. } => words.clone(),
        };
        line(&label, &format!("{} {}", send.method, send.path));
        match send.shown.is_null() {
            true => line("", &when),
            false => line("", &format!("{}   {when}", send.shown)),
        }
    }
    for command in &plan.same_as {
        line("same as", command);
    }
    if let Some(skips) = &plan.skips {
        line("skips", skips);
    }
    line("way back", &plan.way_back);
    if let Some(git) = &plan.git {
        line("git", git);
    }
    for words in &plan.not_undone {
        line("not undone", words);
    }
    for difference in &plan.differs {
        line("changes", &difference.words());
    }
    line("expect", &plan.expect);
    if let Some(note) = &plan.note {
        line("note", &format!("{note} (Kubernetes Event, best effort)"));
    }
    for guard in guards {
        let mark = match guard.answer {
            Decision::Allow => "ok   ",
            Decision::Warn | Decision::Strongest => "WARN ",
            Decision::Deny => "DENY ",
        };
        line(mark, &guard.because);
    }
    let ceremony = match ceremony(plan, guards) {
        crate::ops::ceremony::Ceremony::Yes => "--yes".to_owned(),
        crate::ops::ceremony::Ceremony::Environment { text, .. } => format!("--confirm {text}"),
        crate::ops::ceremony::Ceremony::Target { text } => {
            format!("--confirm {text} --reason TEXT")
        }
    };
    line("confirm", &ceremony);
    format!(
        "{} in {}\n{}",
        plan.title,
        plan.intent.target.environment(),
        text.trim_end()
    )
}
