//! Keys while something lies over the view: the topmost overlay takes them, and says whether it stays. A plan has keys of
//! its own, in its dialog.

use jiff::SignedDuration;

use super::{
    super::{
        command::{COMMANDS, Command, Spec},
        dialog::SILENCE,
        key::{Code, Key},
        keymap::Keymap,
        msg::Effect,
        state::{HistoryPurpose, Loading, Overlay, State, Tone},
    },
    Keep, edit, list_key,
    logs::logs_key,
    scroll_key,
};
use crate::{
    model::id::{EnvironmentName, IntentId, ReleaseId, Uid},
    ops::{guard::Arming, intent::Verb, record},
};

/// An arming dialog expires like any other.
const ARM_EXPIRES: SignedDuration = SignedDuration::from_secs(60);

impl State {
    #[expect(clippy::too_many_lines, reason = "one arm an overlay")]
    pub(super) fn overlay_key(&mut self, key: Key) -> Vec<Effect> {
        let Some(mut overlay) = self.overlays.pop() else {
            return Vec::new();
        };
        let depth = self.overlays.len();
        let (keep, effects) = match &mut overlay {
            Overlay::Plan(_) => (Keep::Yes, Vec::new()),
            Overlay::Help { .. } if self.session.keys.means(key, Command::Help) => {
                (Keep::No, Vec::new())
            }
            Overlay::Help { scroll } => (scroll_key(key, scroll), Vec::new()),
            Overlay::Palette { typed, selected } => self.palette_key(key, typed, selected),
            Overlay::Menu {
                target,
                uid,
                selected,
            } => self.menu_key(key, target, uid, selected),
            Overlay::Arm {
                environment,
                opened,
                shown,
            } => {
                let quiet = shown.is_some_and(|shown| self.now.duration_since(shown) >= SILENCE);
                let expired = self.now.duration_since(*opened) >= ARM_EXPIRES;
                self.arm_key(key, environment, quiet && !expired)
            }
            Overlay::History(history) => {
                let picks =
                    history.purpose == HistoryPurpose::ChooseRevision && key.code == Code::Enter;
                let last = match &history.revisions {
                    Loading::Here(revisions) => revisions.len().saturating_sub(1),
                    Loading::Waiting | Loading::Failed(_) => 0,
                };
                let mut selected = history.selected;
                let keep = list_key(key, &mut selected, last);
                history.selected = selected;
                if key.ctrl && key.code == Code::Char('r') {
                    history.reveal = !history.reveal;
                }
                if key.code == Code::Char('b') {
                    history.purpose = HistoryPurpose::ChooseRevision;
                }
                match (&history.revisions, picks) {
                    (Loading::Here(revisions), true) => match revisions.get(history.selected) {
                        Some(revision) if revision.is_current => {
                            self.say(Tone::Plain, "that is the current revision");
                            (Keep::Yes, Vec::new())
                        }
                        Some(revision) => {
                            let (target, uid, number) =
                                (history.target.clone(), history.uid.clone(), revision.number);
                            (
                                Keep::No,
                                self.open_plan(Verb::Rollback, &target, uid, Some(number)),
                            )
                        }
                        None => (Keep::Yes, Vec::new()),
                    },
                    _ => (keep, Vec::new()),
                }
            }
            Overlay::Logs(logs) => logs_key(key, logs),
            Overlay::Yaml { scroll, text, .. } => {
                let last = match text {
                    Loading::Here(lines) => lines.len().saturating_sub(1),
                    Loading::Waiting | Loading::Failed(_) => 0,
                };
                (list_key(key, scroll, last), Vec::new())
            }
            Overlay::Reason { intent, typed, .. } => match key.code {
                Code::Esc => (Keep::No, Vec::new()),
                Code::Enter if typed.trim().is_empty() => (Keep::No, Vec::new()),
                Code::Enter => (
                    Keep::No,
                    vec![Effect::Record(record::reason(
                        intent,
                        typed.trim(),
                        self.now,
                    ))],
                ),
                _ => {
                    edit(key, typed);
                    (Keep::Yes, Vec::new())
                }
            },
            Overlay::ChooseGate {
                verb,
                gates,
                selected,
            } => match (key.code, gates.get(*selected)) {
                (Code::Enter, Some(gate)) => (Keep::No, self.ask_gate(*verb, gate.clone())),
                _ => (
                    list_key(key, selected, gates.len().saturating_sub(1)),
                    Vec::new(),
                ),
            },
            Overlay::Changed(changed) => match (key.code, changed.list.get(changed.selected)) {
                (Code::Enter, Some(entry)) => (Keep::No, self.open_changed(&entry.opens)),
                _ if self.session.keys.means(key, Command::Changed) => (Keep::No, Vec::new()),
                _ => {
                    let last = changed.list.len().saturating_sub(1);
                    (list_key(key, &mut changed.selected, last), Vec::new())
                }
            },
            Overlay::Silence(form) => {
                let (stays, effects) = self.silence_key(key, form);
                (if stays { Keep::Yes } else { Keep::No }, effects)
            }
            Overlay::Faults(faults) => self.faults_key(key, faults),
            Overlay::Leaving => match key.code {
                Code::Char('Y') => (Keep::No, vec![Effect::Quit]),
                Code::Char('w') => {
                    self.leaving = true;
                    self.say(Tone::Plain, "leaves when every action has its outcome");
                    (Keep::No, Vec::new())
                }
                Code::Esc | Code::Char('q' | 'n') => (Keep::No, Vec::new()),
                _ => (Keep::Yes, Vec::new()),
            },
            Overlay::OpenIntents => match key.code {
                Code::Char('Y') if !key.alt && !key.repeat => (Keep::No, self.close_open_intents()),
                Code::Esc | Code::Enter | Code::Char('q') => (Keep::No, Vec::new()),
                _ => (Keep::Yes, Vec::new()),
            },
        };
        match keep {
            // What the key opened lies on top of what it was pressed in.
            Keep::Yes => self
                .overlays
                .insert(depth.min(self.overlays.len()), overlay),
            Keep::No => {}
        }
        effects
    }

    /// An earlier session's intents were looked at by a human: that is their outcome, and they are not said again.
    pub(super) fn close_open_intents(&mut self) -> Vec<Effect> {
        let open = std::mem::take(&mut self.session.open_intents);
        let now = self.now;
        open.iter()
            .map(|intent| Effect::Record(record::looked_at(&IntentId::new(&intent.id), now)))
            .collect()
    }

    pub(super) fn arm_key(
        &mut self,
        key: Key,
        name: &EnvironmentName,
        counts: bool,
    ) -> (Keep, Vec<Effect>) {
        match key.code {
            Code::Char('Y') if counts && !key.alt && !key.repeat => {
                let until = self
                    .now
                    .checked_add(SignedDuration::from_mins(self.session.armed_minutes))
                    .ok();
                if let Some(environment) = self.environments.get_mut(name) {
                    environment.arming = Arming::Armed { until };
                }
                self.say(
                    Tone::Waiting,
                    format!(
                        "{name} is armed: {} minutes without a key end it",
                        self.session.armed_minutes
                    ),
                );
                (Keep::No, Vec::new())
            }
            Code::Esc | Code::Char('q' | 'n') => (Keep::No, Vec::new()),
            _ => (Keep::Yes, Vec::new()),
        }
    }

    pub(super) fn menu_key(
        &mut self,
        key: Key,
        target: &ReleaseId,
        uid: &Uid,
        selected: &mut usize,
    ) -> (Keep, Vec<Effect>) {
        let verbs = self.menu_verbs();
        if key.code == Code::Enter {
            let Some(verb) = verbs.get(*selected).copied() else {
                return (Keep::Yes, Vec::new());
            };
            if !self.offer(verb, target).can_be_planned() {
                // The reasons are on the screen already.
                return (Keep::Yes, Vec::new());
            }
            return (
                Keep::No,
                self.ask(verb, Some((target.clone(), uid.clone()))),
            );
        }
        if self.session.keys.means(key, Command::Menu) {
            return (Keep::No, Vec::new());
        }
        (
            list_key(key, selected, verbs.len().saturating_sub(1)),
            Vec::new(),
        )
    }

    pub(super) fn palette_key(
        &mut self,
        key: Key,
        typed: &mut String,
        selected: &mut usize,
    ) -> (Keep, Vec<Effect>) {
        match key.code {
            Code::Esc => return (Keep::No, Vec::new()),
            Code::Enter => {
                let command = palette_matches(typed, &self.session.keys)
                    .get(*selected)
                    .map(|spec| spec.command);
                return match command {
                    Some(command) => (Keep::No, self.command(command)),
                    None => (Keep::Yes, Vec::new()),
                };
            }
            Code::Down | Code::Tab => *selected += 1,
            Code::Up | Code::BackTab => *selected = selected.saturating_sub(1),
            _ => {
                edit(key, typed);
                *selected = 0;
            }
        }
        *selected = (*selected).min(
            palette_matches(typed, &self.session.keys)
                .len()
                .saturating_sub(1),
        );
        (Keep::Yes, Vec::new())
    }
}

/// The commands that the palette offers for what is typed: names that begin with it, then those that contain it.
pub fn palette_matches(typed: &str, keys: &Keymap) -> Vec<&'static Spec> {
    let typed = typed.trim().to_lowercase();
    let there = || COMMANDS.iter().filter(|spec| keys.has(spec));
    let mut found: Vec<&Spec> = there()
        .filter(|spec| spec.name.starts_with(&typed))
        .collect();
    found.extend(there().filter(|spec| {
        !spec.name.starts_with(&typed)
            && (spec.name.contains(&typed) || spec.words.to_lowercase().contains(&typed))
    }));
    found
}
