//! What each command does, whichever key, menu or click gave it. Sends nothing: verbs open plans, and whoever has to ask a
//! system for something is told so by an effect.

use super::super::{
    command::Command,
    inbox::Waiting,
    msg::Effect,
    state::{HistoryPurpose, Loading, Overlay, Ring, State, Tone, View},
};
use crate::{
    model::id::EnvironmentName,
    ops::{guard::Arming, intent::Verb},
};

impl State {
    pub(in crate::app) fn command(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::Down => self.move_by(1),
            Command::Up => self.move_by(-1),
            Command::PageDown => self.move_by(self.page()),
            Command::PageUp => self.move_by(-self.page()),
            Command::Top => self.move_by(isize::MIN / 2),
            Command::Bottom => self.move_by(isize::MAX / 2),
            Command::Open => self.open_what_is_meant(),
            Command::Back => self.back(),
            Command::NextPane | Command::PreviousPane => {
                self.switch_pane(command);
                Vec::new()
            }
            Command::Filter => {
                if self.view == View::Board {
                    self.board.filtering = true;
                }
                Vec::new()
            }
            Command::ClearFilter => {
                self.board.filter.clear();
                self.board.marked.clear();
                self.filter_changed();
                Vec::new()
            }
            Command::Palette => self.push(Overlay::Palette {
                typed: String::new(),
                selected: 0,
            }),
            Command::Help => self.push(Overlay::Help { scroll: 0 }),
            Command::Quit => self.quit(),
            Command::NextThatNeedsYou | Command::PreviousThatNeedsYou => {
                self.next_needing(command == Command::NextThatNeedsYou)
            }
            Command::Board => self.show(View::Board),
            Command::Release => self.open_selected(),
            Command::Inbox => self.show(View::Inbox),
            Command::Changed => self.what_changed(),
            Command::Audit => {
                self.audit.records = Loading::Waiting;
                self.show(View::Audit);
                vec![Effect::ReadAudit]
            }
            Command::Sources => self.show(View::Sources),
            Command::Logs => self.logs(),
            Command::History => match self.target() {
                Some((id, uid)) => self.open_history(id, uid, HistoryPurpose::Read),
                None => self.nothing_selected(),
            },
            Command::Details => self.open_selected(),
            Command::Yaml => self.yaml(),
            Command::Copy => self.copy(),
            Command::Refresh => self.refresh(),
            Command::Later => self.later(),
            Command::Ring => self.ring(),
            Command::Mark => self.mark(),
            Command::Menu => match self.target() {
                Some((target, uid)) => {
                    let access = self.access_if_old(&target);
                    self.push(Overlay::Menu {
                        target,
                        uid,
                        selected: 0,
                    });
                    access.into_iter().collect()
                }
                None => self.nothing_selected(),
            },
            Command::Arm => self.open_arm(),
            Command::Act(verb) => self.act(verb),
            Command::Fault => self.open_faults(),
            Command::Tour => {
                self.switch_tour();
                Vec::new()
            }
            Command::Suspend => vec![Effect::Suspend],
        }
    }

    pub(super) fn act(&mut self, verb: Verb) -> Vec<Effect> {
        if matches!(verb, Verb::Approve | Verb::Reject) {
            return self.decide_gate(verb);
        }
        let marked = match self.view {
            View::Board => !self.board.marked.is_empty(),
            // Only what is listed here: a mark that is not on the screen is none.
            View::Inbox => self.inbox.entries.iter().any(|entry| {
                matches!(&entry.waiting, Waiting::Release(id) if self.board.marked.contains(id))
            }),
            _ => false,
        };
        if marked {
            return self.start_queue(verb);
        }
        let target = self.target();
        self.ask(verb, target)
    }

    pub(super) fn later(&mut self) -> Vec<Effect> {
        if self.session.still {
            return vec![Effect::Later];
        }
        let why = match self.session.demo {
            true => "time passes by itself: windlass demo --still makes it stand still",
            false => "only the demo's time can be made to pass",
        };
        self.say(Tone::Plain, why);
        Vec::new()
    }

    pub(super) fn push(&mut self, overlay: Overlay) -> Vec<Effect> {
        self.overlays.push(overlay);
        Vec::new()
    }

    pub(super) fn nothing_selected(&mut self) -> Vec<Effect> {
        self.say(Tone::Plain, "no release is selected");
        Vec::new()
    }

    pub(super) fn quit(&mut self) -> Vec<Effect> {
        if self.actions.any_in_flight() && !matches!(self.overlays.last(), Some(Overlay::Leaving)) {
            self.overlays.push(Overlay::Leaving);
            return Vec::new();
        }
        vec![Effect::Quit]
    }

    pub(super) fn refresh(&mut self) -> Vec<Effect> {
        let environments: Vec<EnvironmentName> = self
            .environments
            .values()
            .filter(|environment| !environment.is_fresh())
            .map(|environment| environment.name.clone())
            .collect();
        let words = if !self.beside.sources.is_empty() {
            "reading again"
        } else if environments.is_empty() {
            "every source is watched live: nothing to read again"
        } else {
            "connecting again"
        };
        self.say(Tone::Plain, words);
        let mut effects: Vec<Effect> = environments.into_iter().map(Effect::Refresh).collect();
        effects.extend(
            self.beside
                .sources
                .keys()
                .cloned()
                .map(Effect::RefreshSource),
        );
        if self.view == View::Audit {
            effects.push(Effect::ReadAudit);
        }
        if let Some((id, _)) = self.target() {
            effects.push(Effect::Access {
                environment: id.environment.clone(),
                namespace: id.namespace,
            });
        }
        effects
    }

    pub(super) fn ring(&mut self) -> Vec<Effect> {
        let Some((id, _)) = self.target() else {
            return self.nothing_selected();
        };
        if self.ringing.remove(&id).is_some() {
            self.say(Tone::Plain, format!("{} rings no more", id.name));
            return Vec::new();
        }
        let Some(was) = self
            .releases
            .find(&id)
            .map(|release| release.rollout.phase.word())
        else {
            return Vec::new();
        };
        self.say(
            Tone::Plain,
            format!("rings when {} waits, fails or is done", id.name),
        );
        self.ringing.insert(id, Ring { was });
        Vec::new()
    }

    pub(super) fn mark(&mut self) -> Vec<Effect> {
        if self.view == View::Inbox {
            self.mark_in_inbox();
            return Vec::new();
        }
        if self.view != View::Board {
            return Vec::new();
        }
        let Some(id) = self.board.selected.clone() else {
            return self.nothing_selected();
        };
        if !self.board.marked.remove(&id) {
            self.board.marked.insert(id);
        }
        self.move_by(1)
    }

    pub(super) fn copy(&mut self) -> Vec<Effect> {
        let Some((id, _)) = self.target() else {
            return self.nothing_selected();
        };
        let text = id.to_string();
        self.say(Tone::Plain, format!("copied {text}"));
        vec![Effect::Copy(text)]
    }

    pub(super) fn yaml(&mut self) -> Vec<Effect> {
        let Some((id, uid)) = self.target() else {
            return self.nothing_selected();
        };
        self.overlays.push(Overlay::Yaml {
            title: id.to_string(),
            text: Loading::Waiting,
            scroll: 0,
        });
        vec![Effect::Yaml { id, uid }]
    }

    pub(super) fn open_arm(&mut self) -> Vec<Effect> {
        // A gate that no release is joined to is decided in an environment all the same.
        let of_gate = self
            .selected_gate()
            .filter(|_| self.view == View::Inbox)
            .map(|gate| gate.environment.clone());
        let Some(name) = of_gate.or_else(|| Some(self.target()?.0.environment)) else {
            return self.nothing_selected();
        };
        let Some(environment) = self.environments.get_mut(&name) else {
            self.say(
                Tone::Waiting,
                format!("{name} is not an environment of this session: it cannot be armed"),
            );
            return Vec::new();
        };
        match &environment.arming {
            Arming::Forbidden { because } => {
                let because = because.clone();
                self.say(Tone::Waiting, because);
            }
            Arming::Armed { .. } => {
                environment.arming = Arming::ReadOnly;
                let words = format!("{} is read-only again", environment.name);
                self.say(Tone::Plain, words);
                self.ask_guards_again();
            }
            Arming::ReadOnly => {
                self.overlays.push(Overlay::Arm {
                    environment: name,
                    opened: self.now,
                    shown: None,
                });
            }
        }
        Vec::new()
    }
}
