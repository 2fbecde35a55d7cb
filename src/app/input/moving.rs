//! Moving: through rows and panes, from view to view, and into a release and back. Selection is an identity.

use super::super::{
    board::Counts,
    command::Command,
    msg::Effect,
    release_view::OpenRelease,
    state::{Loading, State, Tone, View},
};
use crate::ops::intent::Verb;

impl State {
    pub(super) fn page(&self) -> isize {
        isize::try_from(self.rows.saturating_sub(8).max(1)).unwrap_or(1)
    }

    pub(super) fn move_by(&mut self, by: isize) -> Vec<Effect> {
        match self.view {
            View::Board => {
                self.board.move_by(by, &self.releases, self.now);
            }
            View::Release => {
                if let Some(open) = &mut self.open {
                    open.scroll_by(by);
                }
            }
            View::Audit => {
                let last = match &self.audit.records {
                    Loading::Here(records) => records.len().saturating_sub(1),
                    Loading::Waiting | Loading::Failed(_) => 0,
                };
                self.audit.selected = self.audit.selected.saturating_add_signed(by).min(last);
            }
            View::Inbox => self.inbox.move_by(by),
            View::Sources => {
                let last = (self.environments.len() + self.beside.sources.len()).saturating_sub(1);
                self.sources.selected = self.sources.selected.saturating_add_signed(by).min(last);
            }
        }
        Vec::new()
    }

    pub(super) fn next_needing(&mut self, forward: bool) -> Vec<Effect> {
        let moved = self.board.next_needing(forward, &self.releases, self.now);
        if !moved {
            let Counts {
                broken, needs_you, ..
            } = self.board.counts;
            if broken + needs_you == 0 {
                self.say(Tone::Plain, "nothing needs you");
            }
            return Vec::new();
        }
        if self.view == View::Release {
            self.open_selected()
        } else {
            Vec::new()
        }
    }

    pub(super) fn show(&mut self, view: View) -> Vec<Effect> {
        let leaves_release = self.view == View::Release && view != View::Release;
        self.view = view;
        if leaves_release {
            self.open = None;
            return vec![Effect::CloseRelease];
        }
        Vec::new()
    }

    /// Enter: the release that is selected; in the Inbox the one that waits or whose gate waits, else the gate's plan.
    pub(super) fn open_what_is_meant(&mut self) -> Vec<Effect> {
        if self.view == View::Inbox && self.inbox_target().is_none() {
            return self.decide_gate(Verb::Approve);
        }
        self.open_selected()
    }

    /// Opens the selected release.
    pub(in crate::app) fn open_selected(&mut self) -> Vec<Effect> {
        let selected = match self.view {
            View::Inbox => self.inbox_target().map(|(id, _)| id),
            _ => self.board.selected.clone(),
        };
        let Some(id) = selected else {
            return self.nothing_selected();
        };
        self.board.selected = Some(id.clone());
        let Some(uid) = self
            .releases
            .find(&id)
            .map(|release| release.rollout.uid.clone())
        else {
            self.say(Tone::Bad, format!("{} is gone", id.name));
            return Vec::new();
        };
        self.view = View::Release;
        if self.open.as_ref().is_some_and(|open| open.uid == uid) {
            return Vec::new();
        }
        self.open = Some(OpenRelease::new(id.clone(), uid.clone()));
        self.remember_what_changed();
        let mut effects: Vec<Effect> = self.access_if_old(&id).into_iter().collect();
        effects.push(Effect::Open { id, uid });
        effects
    }

    pub(super) fn back(&mut self) -> Vec<Effect> {
        if self.view != View::Board {
            return self.show(View::Board);
        }
        if !self.board.filter.is_empty() {
            self.board.filter.clear();
            self.filter_changed();
        } else if !self.board.marked.is_empty() {
            self.board.marked.clear();
        }
        Vec::new()
    }

    pub(super) fn switch_pane(&mut self, command: Command) {
        let configured = self.beside.is_configured();
        if let Some(open) = &mut self.open {
            open.pane = if command == Command::NextPane {
                open.pane.next(configured)
            } else {
                open.pane.previous(configured)
            };
        }
    }
}
