//! Keys: the topmost overlay takes them, then the view. Nothing here sends anything; verbs open plans.

use jiff::SignedDuration;

use super::{
    board::Counts,
    command::{COMMANDS, Command, Spec},
    dialog::SILENCE,
    key::{Code, Key},
    keymap::Keymap,
    msg::Effect,
    release_view::{OpenRelease, Pane},
    state::{HistoryPurpose, Loading, LogState, LogsOverlay, Overlay, Ring, State, Tone, View},
};
use crate::{
    model::{
        id::{EnvironmentName, IntentId, ReleaseId, Uid},
        text::{Safe, sanitise_line},
    },
    ops::{guard::Arming, intent::Verb, record},
};

/// An arming dialog expires like any other.
const ARM_EXPIRES: SignedDuration = SignedDuration::from_secs(60);

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

    fn later(&mut self) -> Vec<Effect> {
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

    pub(super) fn command(&mut self, command: Command) -> Vec<Effect> {
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

    fn act(&mut self, verb: Verb) -> Vec<Effect> {
        if matches!(verb, Verb::Approve | Verb::Reject) {
            return self.decide_gate(verb);
        }
        let marked = match self.view {
            View::Board => !self.board.marked.is_empty(),
            // Only what is listed here: a mark that is not on the screen is none.
            View::Inbox => self.inbox.entries.iter().any(|entry| {
                matches!(&entry.waiting, super::inbox::Waiting::Release(id) if self.board.marked.contains(id))
            }),
            _ => false,
        };
        if marked {
            return self.start_queue(verb);
        }
        let target = self.target();
        self.ask(verb, target)
    }

    fn push(&mut self, overlay: Overlay) -> Vec<Effect> {
        self.overlays.push(overlay);
        Vec::new()
    }

    fn nothing_selected(&mut self) -> Vec<Effect> {
        self.say(Tone::Plain, "no release is selected");
        Vec::new()
    }

    fn show(&mut self, view: View) -> Vec<Effect> {
        let leaves_release = self.view == View::Release && view != View::Release;
        self.view = view;
        if leaves_release {
            self.open = None;
            return vec![Effect::CloseRelease];
        }
        Vec::new()
    }

    fn page(&self) -> isize {
        isize::try_from(self.rows.saturating_sub(8).max(1)).unwrap_or(1)
    }

    fn move_by(&mut self, by: isize) -> Vec<Effect> {
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

    fn next_needing(&mut self, forward: bool) -> Vec<Effect> {
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

    /// Enter: the release that is selected; in the Inbox the one that waits or whose gate waits, else the gate's plan.
    fn open_what_is_meant(&mut self) -> Vec<Effect> {
        if self.view == View::Inbox && self.inbox_target().is_none() {
            return self.decide_gate(Verb::Approve);
        }
        self.open_selected()
    }

    /// Opens the selected release.
    pub(super) fn open_selected(&mut self) -> Vec<Effect> {
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

    fn back(&mut self) -> Vec<Effect> {
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

    fn switch_pane(&mut self, command: Command) {
        let configured = self.beside.is_configured();
        if let Some(open) = &mut self.open {
            open.pane = if command == Command::NextPane {
                open.pane.next(configured)
            } else {
                open.pane.previous(configured)
            };
        }
    }

    fn quit(&mut self) -> Vec<Effect> {
        if self.actions.any_in_flight() && !matches!(self.overlays.last(), Some(Overlay::Leaving)) {
            self.overlays.push(Overlay::Leaving);
            return Vec::new();
        }
        vec![Effect::Quit]
    }

    fn refresh(&mut self) -> Vec<Effect> {
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

    fn ring(&mut self) -> Vec<Effect> {
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

    fn mark(&mut self) -> Vec<Effect> {
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

    fn copy(&mut self) -> Vec<Effect> {
        let Some((id, _)) = self.target() else {
            return self.nothing_selected();
        };
        let text = id.to_string();
        self.say(Tone::Plain, format!("copied {text}"));
        vec![Effect::Copy(text)]
    }

    fn yaml(&mut self) -> Vec<Effect> {
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

    /// Logs of the jobs of the run that is shown, what failed or runs first.
    fn job_logs(&mut self) -> Vec<Effect> {
        let Some(id) = self.open.as_ref().map(|open| open.id.clone()) else {
            return Vec::new();
        };
        let Some(run) = self.run_shown(&id) else {
            self.say(Tone::Plain, "no run of its pipeline is known");
            return Vec::new();
        };
        let mut jobs: Vec<_> = run.jobs.iter().flatten().collect();
        jobs.sort_by_key(|job| (!job.phase.is_bad(), job.phase.has_ended(), job.id));
        let pods: Vec<(Safe, Box<[Safe]>)> = jobs
            .iter()
            .map(|job| (job.name.clone(), Box::default()))
            .collect();
        let ids: Vec<u64> = jobs.iter().map(|job| job.id).collect();
        let (Some((name, _)), Some(job)) = (pods.first().cloned(), ids.first().copied()) else {
            self.say(Tone::Plain, "its run has no jobs");
            return Vec::new();
        };
        let run = run.id.clone();
        self.overlays.push(Overlay::Logs(LogsOverlay {
            target: id,
            pod: name.clone(),
            pods,
            jobs: Some((run.clone(), ids)),
            container: None,
            lines: std::collections::VecDeque::new(),
            dropped: 0,
            follow: true,
            up: 0,
            state: LogState::Connecting,
            filter: String::new(),
            filtering: false,
        }));
        vec![Effect::JobLog { run, job, name }]
    }

    /// Logs of the release that is open: its pods are known there.
    fn logs(&mut self) -> Vec<Effect> {
        if self.view == View::Release
            && self
                .open
                .as_ref()
                .is_some_and(|open| open.pane == Pane::Pipeline)
        {
            return self.job_logs();
        }
        let mut effects = Vec::new();
        if self.view != View::Release {
            effects = self.open_selected();
        }
        let Some(open) = &self.open else {
            return effects;
        };
        let current = self
            .releases
            .find(&open.id)
            .and_then(|release| release.current().hash);
        let mut listed: Vec<_> = open.pods.iter().flatten().collect();
        // What is on trial is what one wants to read first.
        listed.sort_by_key(|pod| pod.hash != current);
        let pods: Vec<_> = listed
            .into_iter()
            .map(|pod| (pod.name.clone(), pod.containers.clone()))
            .collect();
        let target = open.id.clone();
        let Some((pod, containers)) = pods.first().cloned() else {
            let words = if open.pods.is_none() {
                "its pods are not known yet: l again in a moment"
            } else {
                "it has no pods"
            };
            self.say(Tone::Plain, words);
            return effects;
        };
        let container = containers.first().cloned();
        effects.push(Effect::Logs {
            id: target.clone(),
            pod: pod.clone(),
            container: container.clone(),
        });
        self.overlays.push(Overlay::Logs(LogsOverlay {
            target,
            pod,
            pods,
            jobs: None,
            container,
            lines: std::collections::VecDeque::new(),
            dropped: 0,
            follow: true,
            up: 0,
            state: LogState::Connecting,
            filter: String::new(),
            filtering: false,
        }));
        effects
    }

    fn open_arm(&mut self) -> Vec<Effect> {
        let Some((id, _)) = self.target() else {
            return self.nothing_selected();
        };
        let Some(environment) = self.environments.get_mut(&id.environment) else {
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
                    environment: id.environment,
                    opened: self.now,
                    shown: None,
                });
            }
        }
        Vec::new()
    }

    #[expect(clippy::too_many_lines, reason = "one arm an overlay")]
    fn overlay_key(&mut self, key: Key) -> Vec<Effect> {
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
    fn close_open_intents(&mut self) -> Vec<Effect> {
        let open = std::mem::take(&mut self.session.open_intents);
        let now = self.now;
        open.iter()
            .map(|intent| Effect::Record(record::looked_at(&IntentId::new(&intent.id), now)))
            .collect()
    }

    fn arm_key(&mut self, key: Key, name: &EnvironmentName, counts: bool) -> (Keep, Vec<Effect>) {
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

    fn menu_key(
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

    fn palette_key(
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

/// Whether an overlay stays after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    Yes,
    No,
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

fn logs_key(key: Key, logs: &mut LogsOverlay) -> (Keep, Vec<Effect>) {
    if logs.filtering {
        match key.code {
            Code::Enter => logs.filtering = false,
            Code::Esc => {
                logs.filtering = false;
                logs.filter.clear();
            }
            _ => edit(key, &mut logs.filter),
        }
        return (Keep::Yes, Vec::new());
    }
    let up = |logs: &mut LogsOverlay, by: usize| {
        logs.up = (logs.up + by).min(logs.lines.len().saturating_sub(1));
        logs.follow = logs.up == 0;
    };
    let down = |logs: &mut LogsOverlay, by: usize| {
        logs.up = logs.up.saturating_sub(by);
        logs.follow = logs.up == 0;
    };
    match key.code {
        Code::Esc | Code::Char('q') => return (Keep::No, vec![Effect::StopLogs]),
        Code::Char('k') | Code::Up => up(logs, 1),
        Code::Char('j') | Code::Down => down(logs, 1),
        Code::PageUp => up(logs, 20),
        Code::PageDown => down(logs, 20),
        Code::Char('g') | Code::Home => up(logs, usize::MAX / 2),
        Code::Char('G' | 'f') | Code::End => down(logs, usize::MAX),
        Code::Char('/') => logs.filtering = true,
        Code::Tab | Code::BackTab => return (Keep::Yes, next_pod(logs, key.code == Code::Tab)),
        _ => {}
    }
    (Keep::Yes, Vec::new())
}

fn next_pod(logs: &mut LogsOverlay, forward: bool) -> Vec<Effect> {
    let count = logs.pods.len();
    if count < 2 {
        return Vec::new();
    }
    let at = logs
        .pods
        .iter()
        .position(|(name, _)| *name == logs.pod)
        .unwrap_or(0);
    let to = if forward {
        (at + 1) % count
    } else {
        (at + count - 1) % count
    };
    let Some((pod, containers)) = logs.pods.get(to).cloned() else {
        return Vec::new();
    };
    logs.pod = pod.clone();
    logs.container = containers.first().cloned();
    logs.lines.clear();
    logs.dropped = 0;
    logs.up = 0;
    logs.follow = true;
    logs.state = LogState::Connecting;
    if let Some((run, jobs)) = &logs.jobs
        && let Some(job) = jobs.get(to)
    {
        return vec![Effect::JobLog {
            run: run.clone(),
            job: *job,
            name: pod,
        }];
    }
    vec![Effect::Logs {
        id: logs.target.clone(),
        pod,
        container: logs.container.clone(),
    }]
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
