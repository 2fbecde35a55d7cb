//! Keys: the topmost overlay takes them, then the view. Nothing here sends anything; verbs open plans.
//!
//! Owns where a key goes and what is typed or pasted; what a command does, how one moves, what an overlay does with a key
//! and how logs are read lie beside each other in here.

mod commands;
mod logs;
mod moving;
mod overlays;

use jiff::SignedDuration;

use super::{
    command::Command,
    key::{Code, Key},
    msg::Effect,
    state::{Overlay, State, Tone, View},
};
use crate::{model::text::sanitise_line, ops::guard::Arming};

pub use overlays::palette_matches;

impl State {
    pub(super) fn key(&mut self, key: Key) -> Vec<Effect> {
        self.last_key = Some(self.now);
        self.stay_armed();
        if !matches!(self.overlays.last(), Some(Overlay::Plan(_))) {
            self.notice = None;
        }
        self.dirty = true;
        if key.ctrl && key.code == Code::Char('c') {
            return self.quit();
        }
        // Before whatever lies on top: it can be left at any moment.
        if self.tour.is_some() && self.session.keys.means(key, Command::Tour) {
            self.switch_tour();
            return Vec::new();
        }
        match self.overlays.last() {
            Some(Overlay::Plan(_)) => self.dialog_key(key),
            Some(_) => self.overlay_key(key),
            None if self.view == View::Board && self.board.filtering => self.filter_key(key),
            None => match self.session.keys.command(key) {
                Some(command) => {
                    // Until then the selection is the first row, whichever that is. What a finger was about stays selected:
                    // the next key must not meet another release because this one is better now.
                    if !matches!(command, Command::Filter | Command::ClearFilter) {
                        match self.view {
                            View::Inbox => self.inbox.touch(),
                            _ => self.board.untouched &= self.board.selected.is_none(),
                        }
                    }
                    self.command(command)
                }
                None => Vec::new(),
            },
        }
    }

    /// Armed until so many minutes have passed without a key.
    fn stay_armed(&mut self) {
        let until = self
            .now
            .checked_add(SignedDuration::from_mins(self.session.armed_minutes))
            .ok();
        for environment in self.environments.values_mut() {
            if let Arming::Armed { until: Some(_) } = environment.arming {
                environment.arming = Arming::Armed { until };
            }
        }
    }

    /// Pasted text reaches the filter and the reason of an emergency, and nothing else: never a ceremony.
    pub(super) fn paste(&mut self, text: &str) {
        let line = sanitise_line(text, 200);
        match self.overlays.last_mut() {
            Some(Overlay::Plan(dialog)) => {
                dialog.last_key = Some(self.now);
                dialog.hint = Some("pasted text does not count here".to_owned());
            }
            Some(Overlay::Reason { typed, .. } | Overlay::Palette { typed, .. }) => {
                typed.push_str(&line);
            }
            Some(Overlay::Logs(logs)) if logs.filtering => logs.filter.push_str(&line),
            Some(_) => {}
            None if self.board.filtering => {
                self.board.filter.push_str(&line);
                self.filter_changed();
            }
            None => self.say(Tone::Plain, "pasted text is not taken as keys"),
        }
        self.dirty = true;
    }

    fn filter_key(&mut self, key: Key) -> Vec<Effect> {
        match key.code {
            Code::Enter => {
                self.board.filtering = false;
                // What was looked for has been chosen.
                self.board.untouched = false;
            }
            Code::Esc => {
                self.board.filtering = false;
                self.board.filter.clear();
                self.filter_changed();
            }
            Code::Backspace => {
                self.board.filter.pop();
                self.filter_changed();
            }
            Code::Char('u') if key.ctrl => {
                self.board.filter.clear();
                self.filter_changed();
            }
            Code::Char(c) if !key.ctrl && !key.alt => {
                self.board.filter.push(c);
                self.filter_changed();
            }
            Code::Down => drop(self.command(Command::Down)),
            Code::Up => drop(self.command(Command::Up)),
            _ => {}
        }
        Vec::new()
    }

    /// A filter is asked for by a finger: it does not wait until the order has rested.
    fn filter_changed(&mut self) {
        self.board.filter_is_stale();
        self.last_key = None;
        self.board.top = 0;
    }
}

/// Whether an overlay stays after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    Yes,
    No,
}

pub(super) fn list_key(key: Key, selected: &mut usize, last: usize) -> Keep {
    match key.code {
        Code::Esc | Code::Char('q') => return Keep::No,
        Code::Char('j') | Code::Down => *selected += 1,
        Code::Char('k') | Code::Up => *selected = selected.saturating_sub(1),
        Code::PageDown => *selected += 10,
        Code::PageUp => *selected = selected.saturating_sub(10),
        Code::Char('g') | Code::Home => *selected = 0,
        Code::Char('G') | Code::End => *selected = last,
        _ => {}
    }
    *selected = (*selected).min(last);
    Keep::Yes
}

fn scroll_key(key: Key, scroll: &mut u16) -> Keep {
    match key.code {
        Code::Esc | Code::Char('q') => return Keep::No,
        Code::Char('j') | Code::Down => *scroll = scroll.saturating_add(1),
        Code::Char('k') | Code::Up => *scroll = scroll.saturating_sub(1),
        Code::PageDown => *scroll = scroll.saturating_add(10),
        Code::PageUp => *scroll = scroll.saturating_sub(10),
        Code::Char('g') | Code::Home => *scroll = 0,
        _ => {}
    }
    *scroll = (*scroll).min(200);
    Keep::Yes
}

pub(super) fn edit(key: Key, text: &mut String) {
    match key.code {
        Code::Backspace => {
            text.pop();
        }
        Code::Char('u') if key.ctrl => text.clear(),
        Code::Char(c) if !key.ctrl && !key.alt && text.chars().count() < 500 => text.push(c),
        _ => {}
    }
}
