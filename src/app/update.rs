//! The reducer's door: routes every message to what owns its state and says what is to be done.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    actions::{LineState, outcome_words},
    board::{ORDER_RESTS, SELECTION_RESTS},
    dialog::Stage,
    msg::{ActionUpdate, Effect, LogEvent, Msg},
    releases::Changed,
    state::{LOG_LINES, Loading, LogState, Overlay, State, Tone, View},
};
use crate::{
    model::{
        event::{CollectionKind, Fact, SourceEvent},
        id::{EnvironmentName, IntentId, ReleaseId, WorkloadKind},
        text::Safe,
    },
    ops::{guard::Arming, machine::OutcomeKind, record},
};

/// Namespaces whose access is asked for without anybody looking at them.
const ASKED_AT_MOST: usize = 30;

/// Takes one message at a time `now`. Returns what is to be done about it.
pub fn update(state: &mut State, now: Timestamp, msg: Msg) -> Vec<Effect> {
    // A clock that was set back must not make ages negative or deadlines endless: time here only goes on.
    state.now = state.now.max(now);
    let facts = matches!(msg, Msg::Source(_) | Msg::Beside(_));
    if !facts {
        // What a finger does is about the rows as the facts have them.
        state.arrange();
    }
    let mut effects = match msg {
        Msg::Key(key) => state.key(key),
        Msg::Paste(text) => {
            state.paste(&text);
            Vec::new()
        }
        Msg::Mouse(mouse) => state.mouse(mouse),
        Msg::Resized { columns, rows } => {
            state.columns = columns;
            state.rows = state.rows_without_tour(rows);
            state.dirty = true;
            Vec::new()
        }
        Msg::Tick => Vec::new(),
        Msg::Shown(at) => {
            state.shown(at);
            Vec::new()
        }
        Msg::Source(events) => state.facts(events),
        Msg::Beside(tidings) => {
            state.beside(tidings);
            Vec::new()
        }
        Msg::Detail { uid, fact } => {
            if let Some(open) = state.open.as_mut().filter(|open| open.uid == uid) {
                open.told(fact);
                state.dirty |= state.view == View::Release;
            }
            Vec::new()
        }
        Msg::Planned { intent, result } => {
            state.planned(&intent, *result);
            Vec::new()
        }
        Msg::Action { intent, update } => state.action(&intent, update),
        Msg::History { uid, result } => {
            state.history(&uid, &result);
            Vec::new()
        }
        Msg::Yaml { uid: _, result } => {
            if let Some(Overlay::Yaml { text, .. }) = state.overlays.last_mut() {
                *text = result.map_or_else(Loading::Failed, Loading::Here);
                state.dirty = true;
            }
            Vec::new()
        }
        Msg::Log { pod, event } => {
            state.log(&pod, &event);
            Vec::new()
        }
        Msg::Audit { records, verified } => {
            state.audit.records = records.map_or_else(Loading::Failed, Loading::Here);
            state.audit.verified = Some(verified);
            state.dirty = true;
            Vec::new()
        }
        Msg::Faults(told) => {
            state.faults_told(told);
            Vec::new()
        }
        Msg::RevertedBy { intent, by } => state.reverted_by(&intent, by),
        Msg::Said { good, words } => {
            state.say(if good { Tone::Plain } else { Tone::Bad }, words);
            Vec::new()
        }
    };
    state.tour_goes_on();
    effects.extend(state.time_passed());
    effects.extend(state.want());
    if !facts {
        state.arrange();
    }
    effects
}

impl State {
    fn facts(&mut self, events: Vec<SourceEvent>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for event in events {
            effects.extend(self.fact(&event));
        }
        effects
    }

    fn fact(&mut self, event: &SourceEvent) -> Vec<Effect> {
        let SourceEvent {
            environment: name,
            fact,
        } = event;
        let Some(environment) = self.environments.get_mut(name) else {
            return Vec::new();
        };
        match fact {
            Fact::Health(health) => {
                let was = environment.health.state;
                environment.health = health.clone();
                self.dirty = true;
                if was != health.state {
                    self.all_is_stale();
                }
                self.ask_guards_again();
            }
            Fact::Heard(at) => {
                if environment.was_heard(*at, self.now) {
                    self.all_is_stale();
                    self.dirty = true;
                    self.ask_guards_again();
                }
            }
            Fact::Who(who) => {
                environment.who = Some(who.clone());
                self.dirty = true;
            }
            Fact::Access(access) => {
                environment
                    .access
                    .insert(access.namespace.clone(), access.clone());
                self.dirty = true;
                self.ask_guards_again();
            }
            Fact::Absent(collection)
                if collection.kind == CollectionKind::Workloads(WorkloadKind::ArgoRollout) =>
            {
                environment.without_rollouts = true;
                self.releases.apply(name, fact);
                self.all_is_stale();
                self.dirty = true;
            }
            Fact::Rollout(rollout) => {
                let rollout = std::sync::Arc::clone(rollout);
                self.changed(name, fact);
                return self.seen(&rollout);
            }
            Fact::Begin(_)
            | Fact::RolloutGone { .. }
            | Fact::ReplicaSet(_)
            | Fact::ReplicaSetGone { .. }
            | Fact::Complete(_)
            | Fact::Absent(_) => self.changed(name, fact),
        }
        Vec::new()
    }

    fn changed(&mut self, name: &EnvironmentName, fact: &Fact) {
        let waited = self.waits_since(fact);
        match self.releases.apply(name, fact) {
            Changed::Nothing => {}
            Changed::Release(slot) => {
                self.board.place_is_stale(slot);
                // Of a thousand changes a second few are about what waits.
                self.inbox_is_stale |= waited != self.waits_since(fact);
                self.dirty = true;
            }
            Changed::Set => {
                self.all_is_stale();
                self.beside.joins_are_stale();
                self.dirty = true;
            }
        }
    }

    /// "Waits for you" is said only to someone who may act: where something waits, that is asked once.
    fn access_where_it_waits(
        &mut self,
        rollout: &crate::model::rollout::Rollout,
    ) -> Option<Effect> {
        let waits = self
            .releases
            .find(&rollout.id)
            .is_some_and(crate::model::release::Release::waits_for_human);
        let environment = self.environments.get_mut(&rollout.id.environment)?;
        let namespace = &rollout.id.namespace;
        let known =
            environment.access.contains_key(namespace) || environment.asked.len() >= ASKED_AT_MOST;
        if !waits || known || !environment.asked.insert(namespace.clone()) {
            return None;
        }
        Some(Effect::Access {
            environment: rollout.id.environment.clone(),
            namespace: namespace.clone(),
        })
    }

    /// The watch showed an object: dialogs, lines and bells may have something to say.
    fn seen(&mut self, rollout: &crate::model::rollout::Rollout) -> Vec<Effect> {
        let mut effects: Vec<Effect> = self.access_where_it_waits(rollout).into_iter().collect();
        effects.extend(self.open_what_was_named(&rollout.id));
        for overlay in &mut self.overlays {
            if let Overlay::Plan(dialog) = overlay {
                dialog.seen(rollout);
            }
        }
        for intent in self.actions.undone_by(rollout, self.now) {
            effects.push(Effect::WhoReverted {
                intent,
                id: rollout.id.clone(),
            });
        }
        if let Some(ring) = self.ringing.get(&rollout.id)
            && ring.was != rollout.phase.word()
            && rollout.generation_observed
        {
            let word = rollout.phase.word();
            if word != "progressing" {
                self.ringing.remove(&rollout.id);
                let words = format!("{} in {}: {word}", rollout.id.name, rollout.id.environment);
                self.say(Tone::Waiting, words.clone());
                effects.push(Effect::Ring(words));
            }
        }
        effects
    }

    /// The release of the command line opens when it is first seen, unless somebody is at something else by then.
    fn open_what_was_named(&mut self, id: &ReleaseId) -> Vec<Effect> {
        if self.board.wanted.as_ref() != Some(id)
            || self.view != View::Board
            || self.board.filtering
        {
            return Vec::new();
        }
        self.board.wanted = None;
        self.board.selected = Some(id.clone());
        self.board.untouched = false;
        self.open_selected()
    }

    fn action(&mut self, intent: &IntentId, update: ActionUpdate) -> Vec<Effect> {
        self.dirty = true;
        let now = self.now;
        let outcome = match update {
            ActionUpdate::UnderWay { words, may_send } => {
                if let Some(line) = self.actions.line_mut(intent)
                    && let LineState::UnderWay {
                        words: old,
                        may_send: before,
                    } = &mut line.state
                {
                    let was = std::mem::replace(before, may_send);
                    let same = *old == words;
                    old.clone_from(&words);
                    if was != may_send {
                        self.ask_guards_again();
                    }
                    if same {
                        return Vec::new();
                    }
                    let Some(line) = self.actions.line(intent) else {
                        return Vec::new();
                    };
                    let title = line.title.clone();
                    self.say(Tone::Plain, format!("{title}: {words}"));
                }
                return Vec::new();
            }
            ActionUpdate::Over(outcome) => outcome,
        };
        if let Some(line) = self.actions.line_mut(intent) {
            line.state = LineState::Over {
                outcome: outcome.clone(),
                at: now,
            };
            let title = line.title.clone();
            self.say(tone_of(outcome.kind), outcome_words(&title, &outcome));
        }
        self.ask_guards_again();
        let mut effects = self.queue_goes_on(intent, outcome.kind);
        if self.view == View::Audit {
            effects.push(Effect::ReadAudit);
        }
        if self.leaving && !self.actions.any_in_flight() {
            effects.push(Effect::Quit);
        }
        effects
    }

    fn reverted_by(&mut self, intent: &IntentId, by: Option<Safe>) -> Vec<Effect> {
        let now = self.now;
        let Some(line) = self.actions.line_mut(intent) else {
            return Vec::new();
        };
        let words = match by {
            Some(by) => format!("reverted by {}", &*by),
            None => "reverted; by whom is not known".to_owned(),
        };
        line.state = LineState::Reverted {
            words: words.clone(),
            at: now,
        };
        let title = line.title.clone();
        self.say(Tone::Bad, format!("{title}: {words}"));
        vec![
            Effect::Record(record::reverted(intent, &words, now)),
            Effect::Ring(format!("{title}: {words}")),
        ]
    }

    fn history(
        &mut self,
        uid: &crate::model::id::Uid,
        result: &Result<Vec<crate::model::detail::Revision>, Safe>,
    ) {
        for overlay in &mut self.overlays {
            if let Overlay::History(history) = overlay
                && history.uid == *uid
            {
                history.revisions = match result {
                    Ok(revisions) => Loading::Here(revisions.clone()),
                    Err(why) => Loading::Failed(why.clone()),
                };
                // The first that is not the current one is what one would go back to.
                if let Loading::Here(revisions) = &history.revisions {
                    history.selected = revisions
                        .iter()
                        .position(|revision| !revision.is_current)
                        .unwrap_or(0);
                }
                self.dirty = true;
            }
        }
    }

    fn log(&mut self, pod: &Safe, event: &LogEvent) {
        for overlay in &mut self.overlays {
            let Overlay::Logs(logs) = overlay else {
                continue;
            };
            if logs.pod != *pod {
                continue;
            }
            self.dirty = true;
            match event {
                LogEvent::NotYet(why) => logs.state = LogState::NotYet(why.clone()),
                LogEvent::Following => logs.state = LogState::Following,
                LogEvent::Ended => logs.state = LogState::Ended,
                LogEvent::Failed(why) => logs.state = LogState::Failed(why.clone()),
                LogEvent::Lines(lines) => {
                    for line in lines {
                        if logs.lines.len() >= LOG_LINES {
                            logs.lines.pop_front();
                            logs.dropped += 1;
                        }
                        logs.lines.push_back(line.clone());
                        if !logs.follow {
                            // What is being read stays where it is.
                            logs.up += 1;
                        }
                    }
                }
            }
        }
    }

    /// A frame with the present state was written out.
    fn shown(&mut self, at: Timestamp) {
        match self.overlays.last_mut() {
            Some(Overlay::Plan(dialog)) => dialog.was_shown(at),
            Some(Overlay::Arm { shown, .. }) => {
                shown.get_or_insert(at);
            }
            _ => {}
        }
    }

    /// Whatever depends on time alone.
    fn time_passed(&mut self) -> Vec<Effect> {
        let now = self.now;
        let mut effects = Vec::new();
        let mut stale = false;
        for environment in self.environments.values_mut() {
            if let Arming::Armed { until: Some(until) } = environment.arming
                && until <= now
            {
                environment.arming = Arming::ReadOnly;
                self.dirty = true;
            }
            stale |= environment.doubt(now);
        }
        self.dirty |= self.beside.grow_old(now);
        if stale {
            self.all_is_stale();
            self.dirty = true;
        }
        if let Some(Overlay::Plan(dialog)) = self.overlays.last_mut() {
            let was_ready = matches!(dialog.stage, Stage::Ready { .. });
            if dialog.tick(now) {
                dialog.reading = true;
                effects.push(Effect::Plan(dialog.intent.clone()));
                if let Some(target) = dialog.intent.target.release().cloned() {
                    effects.extend(self.access_if_old(&target));
                }
            } else if was_ready && !matches!(dialog.stage, Stage::Ready { .. }) {
                self.dirty = true;
            }
            self.ask_guards_again();
        }
        if self.board.explained != self.board.selected
            && self
                .board
                .moved
                .is_none_or(|moved| now.duration_since(moved) >= SELECTION_RESTS)
        {
            self.board.explained.clone_from(&self.board.selected);
            self.dirty = true;
            if let Some(id) = self.board.selected.clone() {
                effects.extend(self.access_if_old(&id));
            }
        }
        effects
    }

    /// Puts the Board in order where that is due. Facts wait for it until a frame or a key: they come by the hundred.
    pub(super) fn arrange(&mut self) {
        if self.beside.needs_joins() {
            let lifts = self.beside.join(&self.releases, &self.environments.keys());
            for slot in self.releases.set_lifts(&lifts) {
                self.board.place_is_stale(slot);
            }
            self.inbox_is_stale = true;
            self.remember_what_changed();
        }
        self.arrange_board();
        let rested = self.inbox.order_waits() && !self.order_rests();
        if rested || std::mem::take(&mut self.inbox_is_stale) {
            self.collect_inbox();
        }
    }

    fn arrange_board(&mut self) {
        if !self.board.needs_order() {
            return;
        }
        let fresh: BTreeMap<EnvironmentName, bool> = self
            .environments
            .iter()
            .map(|(name, environment)| (name.clone(), environment.is_fresh()))
            .collect();
        let resting = self.order_rests();
        self.board.arrange(&self.releases, &fresh, resting);
    }

    pub(super) fn order_rests(&self) -> bool {
        self.last_key
            .is_some_and(|key| self.now.duration_since(key) < ORDER_RESTS)
    }
}

fn tone_of(kind: OutcomeKind) -> Tone {
    match kind {
        OutcomeKind::Observed | OutcomeKind::Accepted => Tone::Good,
        OutcomeKind::Partial | OutcomeKind::Unknown | OutcomeKind::Interrupted => Tone::Waiting,
        OutcomeKind::Reverted
        | OutcomeKind::Rejected
        | OutcomeKind::Failed
        | OutcomeKind::Refused
        | OutcomeKind::Unreachable => Tone::Bad,
    }
}
