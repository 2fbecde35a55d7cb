//! From a key to an approved plan: opening a dialog, asking the guards, approving. Nothing leaves here but data.

use jiff::SignedDuration;

use super::{
    actions::Followed,
    beside::{ALERTS_HOLD, SourceKind},
    dialog::{Dialog, Field, Reaction, Stage},
    key::Key,
    msg::Effect,
    state::{Environment, HistoryOverlay, HistoryPurpose, Loading, Overlay, State, Tone},
};
use crate::{
    model::{
        id::{IntentId, ReleaseId, Uid},
        source::{Access, SourceHealth},
    },
    ops::{
        ceremony::{Confirmation, NotYet, approve},
        guard::{Arming, GuardAnswer, Incidents, Situation, ask_all},
        intent::{Expects, Intent, Verb},
        offer::{Because, Offer, offer},
        plan::{Plan, Refusal},
        subject::Subject,
    },
};

/// Answers of an access review are believed this long.
const ACCESS_HOLDS: SignedDuration = SignedDuration::from_mins(1);

impl State {
    /// Whether a verb is offered for a release here and now, with every reason against it.
    pub fn offer(&self, verb: Verb, id: &ReleaseId) -> Offer {
        let Some(release) = self.releases.find(id) else {
            return Offer {
                verb,
                because: vec![Because::State("it is gone".to_owned())],
            };
        };
        let environment = self.environment_of(id);
        let access = environment.and_then(|environment| environment.access.get(&id.namespace));
        let mut offer = offer(verb, release, access);
        offer.because.extend(
            self.reasons_beside(verb, id)
                .into_iter()
                .map(Because::State),
        );
        if let Some(environment) = environment {
            if verb.is_of_rollout() && !environment.is_fresh() {
                let mut words = format!(
                    "{} is {}",
                    environment.name,
                    environment.health.state.word()
                );
                // A source that has only begun to connect has nothing to add.
                if !environment.health.detail.is_empty() {
                    words.push_str(": ");
                    words.push_str(&environment.health.detail);
                }
                offer.because.push(Because::Source(words));
            }
            match &environment.arming {
                Arming::Forbidden { because } => {
                    offer.because.push(Because::ReadOnly(because.clone()));
                }
                Arming::ReadOnly => {
                    offer.because.push(Because::ReadOnly(format!(
                        "read-only: W arms {}",
                        environment.name
                    )));
                }
                Arming::Armed { .. } => {}
            }
        }
        if let Some(line) = self.actions.in_flight(&release.rollout.uid)
            && !self
                .actions
                .in_flight_for_guards(&release.rollout.uid)
                .is_some_and(|in_flight| in_flight.lets(verb))
        {
            offer
                .because
                .push(Because::State(format!("{} has no outcome yet", line.title)));
        }
        offer
    }

    /// The verbs of the menu, in its order: about pipelines and alerts only where a source of them is configured.
    pub fn menu_verbs(&self) -> Vec<Verb> {
        Verb::ALL
            .into_iter()
            .filter(|verb| match verb {
                Verb::Approve | Verb::Reject | Verb::Cancel | Verb::Rerun | Verb::RerunFailed => {
                    self.beside.has(SourceKind::GitHub)
                }
                Verb::Silence | Verb::Expire => self.beside.has(SourceKind::Alertmanager),
                _ => true,
            })
            .collect()
    }

    fn next_intent_id(&mut self) -> IntentId {
        self.session.next_intent += 1;
        IntentId::new(&format!("{}-{}", self.session.id, self.session.next_intent))
    }

    /// A verb was asked for: its plan is opened, or every reason against it is said.
    pub(super) fn ask(&mut self, verb: Verb, target: Option<(ReleaseId, Uid)>) -> Vec<Effect> {
        let Some((id, uid)) = target else {
            self.say(Tone::Plain, "no release is selected");
            return Vec::new();
        };
        let current = self
            .releases
            .find(&id)
            .map(|release| release.rollout.uid.clone());
        if current.as_ref() != Some(&uid) {
            self.say(
                Tone::Bad,
                format!(
                    "{} was deleted, or created again under the same name: look at it first",
                    id.name
                ),
            );
            return Vec::new();
        }
        let offer = self.offer(verb, &id);
        if !offer.can_be_planned() {
            let reasons: Vec<&str> = offer.because.iter().map(Because::words).collect();
            self.say(
                Tone::Waiting,
                format!("{} not offered: {}", verb.title(), reasons.join("; ")),
            );
            return Vec::new();
        }
        if !verb.is_of_rollout() {
            return self.ask_beside(verb, &id, &uid);
        }
        if verb == Verb::Rollback {
            return self.open_history(id, uid, HistoryPurpose::ChooseRevision);
        }
        self.open_plan(verb, &id, uid, None)
    }

    pub(super) fn open_history(
        &mut self,
        target: ReleaseId,
        uid: Uid,
        purpose: HistoryPurpose,
    ) -> Vec<Effect> {
        self.overlays.push(Overlay::History(HistoryOverlay {
            target: target.clone(),
            uid: uid.clone(),
            revisions: Loading::Waiting,
            selected: 0,
            reveal: false,
            purpose,
        }));
        self.dirty = true;
        vec![Effect::History { id: target, uid }]
    }

    pub(super) fn open_plan(
        &mut self,
        verb: Verb,
        target: &ReleaseId,
        uid: Uid,
        to_revision: Option<u64>,
    ) -> Vec<Effect> {
        let intent = Intent {
            id: self.next_intent_id(),
            verb,
            target: Subject::Release(target.clone()),
            seen: Some(uid),
            to_revision,
            expects: Expects::default(),
            reason: None,
        };
        self.overlays.push(Overlay::Plan(Box::new(Dialog::new(
            intent.clone(),
            self.now,
        ))));
        self.dirty = true;
        let mut effects = vec![Effect::Plan(intent)];
        effects.extend(self.access_if_old(target));
        effects
    }

    /// Opens the plan of an action on something that is no release: its identity holds all that was on the screen.
    pub(super) fn open_plan_about(&mut self, verb: Verb, target: Subject) -> Vec<Effect> {
        let intent = Intent {
            id: self.next_intent_id(),
            verb,
            seen: target.uid(),
            target,
            to_revision: None,
            expects: Expects::default(),
            reason: None,
        };
        self.overlays.push(Overlay::Plan(Box::new(Dialog::new(
            intent.clone(),
            self.now,
        ))));
        self.dirty = true;
        vec![Effect::Plan(intent)]
    }

    /// What the metrics and the alerts say as an action begins.
    fn followed(&self, plan: &Plan) -> Followed {
        let Some(id) = plan.intent.target.release() else {
            return Followed::default();
        };
        Followed {
            errors_before: self.beside.error_share(id),
            errors_after: None,
            alerts: self
                .beside
                .firing(id)
                .iter()
                .map(|alert| (alert.fingerprint.clone(), alert.title().to_owned(), None))
                .collect(),
        }
    }

    /// The state of the source that shows what an action is about.
    fn health_behind(&self, target: &Subject) -> Option<&SourceHealth> {
        let beside = |kind| {
            self.beside
                .source(kind, target.environment())
                .map(|source| &source.health)
        };
        match target {
            Subject::Release(id) => self
                .environment_of(id)
                .map(|environment| &environment.health),
            Subject::Gate(_) | Subject::Run(_) => beside(SourceKind::GitHub),
            Subject::Silence(_) | Subject::Expire(_) => beside(SourceKind::Alertmanager),
        }
    }

    /// What is known of incidents on what a plan is about. "Nothing fires" only where that was told, lately and whole.
    fn incidents_of(&self, target: &Subject) -> Option<Incidents<'_>> {
        let source = self
            .beside
            .source(SourceKind::Alertmanager, target.environment())?;
        let unknown = |why: String| Some(Incidents::Unknown(why));
        if !source.health.state.is_live() {
            return unknown(format!("{} is {}", source.id, source.health.state.word()));
        }
        let of: Vec<&ReleaseId> = match target {
            Subject::Release(id) => vec![id],
            Subject::Gate(subject) => match self.beside.gate(&subject.gate) {
                Some(gate) => gate.releases.iter().collect(),
                None => return unknown("the gate is not among what was read last".to_owned()),
            },
            Subject::Run(_) | Subject::Silence(_) | Subject::Expire(_) => {
                return Some(Incidents::Known(Vec::new()));
            }
        };
        let Some(facts) = self.beside.incidents.get(target.environment()) else {
            return unknown(format!("{} has not told its alerts yet", source.id));
        };
        if self.now.duration_since(facts.read_at) > ALERTS_HOLD {
            return unknown(format!("{} has not told its alerts lately", source.id));
        }
        let titles: Vec<&str> = of
            .into_iter()
            .flat_map(|id| self.beside.firing(id))
            .map(|alert| alert.title())
            .collect();
        match facts.warnings.first() {
            Some(warning) if titles.is_empty() => unknown(warning.to_string()),
            _ => Some(Incidents::Known(titles)),
        }
    }

    /// Asks what may be done in a release's namespace, unless that is known well enough.
    pub(super) fn access_if_old(&mut self, id: &ReleaseId) -> Option<Effect> {
        let now = self.now;
        let environment = self.environments.get(&id.environment)?;
        let known = environment.access.get(&id.namespace);
        let old = known.is_none_or(|access| now.duration_since(access.asked) > ACCESS_HOLDS);
        old.then(|| Effect::Access {
            environment: id.environment.clone(),
            namespace: id.namespace.clone(),
        })
    }

    /// A plan came, or the reasons why there is none.
    pub(super) fn planned(&mut self, intent: &IntentId, result: Result<Plan, Refusal>) {
        let answered = result.map(|plan| {
            let guards = self.guards(&plan);
            (plan, guards)
        });
        for overlay in &mut self.overlays {
            if let Overlay::Plan(dialog) = overlay
                && dialog.id() == intent
            {
                dialog.planned(answered);
                self.dirty = true;
                return;
            }
        }
    }

    /// What the guards say of a plan now.
    pub fn guards(&self, plan: &Plan) -> Vec<GuardAnswer> {
        let target = &plan.intent.target;
        let environment = self.environments.get(target.environment());
        let who = environment
            .and_then(|environment| environment.who.as_ref())
            .map_or("you", |who| &*who.name);
        let none = Arming::Forbidden {
            because: format!(
                "{} is not an environment of this session",
                target.environment()
            ),
        };
        let incidents = self.incidents_of(target);
        let situation = Situation {
            now: self.now,
            arming: environment.map_or(&none, |environment| &environment.arming),
            access: environment
                .zip(target.release())
                .and_then(|(environment, id)| known_access(environment, id)),
            source: self.health_behind(target),
            in_flight: self.actions.in_flight_for_guards(&plan.target.uid),
            earlier_unknown: self
                .actions
                .last_unknown(&plan.target.uid)
                .map(|line| &line.id),
            wrote_before: environment.is_some_and(|environment| environment.wrote),
            first_write_counts: true,
            changed: None,
            incidents,
            who,
        };
        ask_all(plan, &situation)
    }

    /// The guards of an open dialog are asked again whenever something that they look at may have changed.
    pub(super) fn ask_guards_again(&mut self) {
        let Some(Overlay::Plan(dialog)) = self.overlays.last() else {
            return;
        };
        let Stage::Ready { plan, guards } = &dialog.stage else {
            return;
        };
        let now = self.guards(plan);
        if now == *guards {
            return;
        }
        if let Some(Overlay::Plan(dialog)) = self.overlays.last_mut()
            && let Stage::Ready { guards, .. } = &mut dialog.stage
        {
            *guards = now;
            self.dirty = true;
        }
    }

    /// A key for the open dialog.
    pub(super) fn dialog_key(&mut self, key: Key) -> Vec<Effect> {
        let now = self.now;
        let Some(Overlay::Plan(dialog)) = self.overlays.last_mut() else {
            return Vec::new();
        };
        let reaction = dialog.key(key, now);
        self.dirty = true;
        match reaction {
            Reaction::Nothing | Reaction::Redraw => Vec::new(),
            Reaction::Close => {
                self.overlays.pop();
                self.queue_stopped("left");
                Vec::new()
            }
            Reaction::CopyCommand(command) => {
                self.say(Tone::Plain, "copied the vendor's command");
                vec![Effect::Copy(command)]
            }
            Reaction::ReadAgain => {
                let (verb, target, to) = (
                    dialog.intent.verb,
                    dialog.intent.target.clone(),
                    dialog.intent.to_revision,
                );
                self.overlays.pop();
                let Subject::Release(target) = target else {
                    return self.open_plan_about(verb, target);
                };
                let uid = self
                    .releases
                    .find(&target)
                    .map(|release| release.rollout.uid.clone());
                match uid {
                    Some(uid) => self.open_plan(verb, &target, uid, to),
                    None => Vec::new(),
                }
            }
            Reaction::Instead(verb) => {
                let target = (dialog.intent.target.clone(), dialog.intent.seen.clone());
                self.overlays.pop();
                match target {
                    (Subject::Release(id), Some(uid)) => self.ask(verb, Some((id, uid))),
                    _ => Vec::new(),
                }
            }
            Reaction::Confirm => self.confirm(),
        }
    }

    fn confirm(&mut self) -> Vec<Effect> {
        let Some(Overlay::Plan(dialog)) = self.overlays.pop() else {
            return Vec::new();
        };
        let mut dialog = *dialog;
        let Stage::Ready { plan, .. } = std::mem::replace(&mut dialog.stage, Stage::Reading) else {
            self.overlays.push(Overlay::Plan(Box::new(dialog)));
            return Vec::new();
        };
        // Asked once more at the moment of confirming: what was true when it was drawn may not be true now.
        let guards = self.guards(&plan);
        let confirmation = Confirmation {
            yes: true,
            typed: Some(dialog.typed.clone()).filter(|typed| !typed.is_empty()),
            reason: Some(dialog.reason.clone()).filter(|reason| !reason.trim().is_empty()),
        };
        match approve(*plan, guards.clone(), &confirmation) {
            Ok(approved) => self.execute(approved),
            Err((plan, not_yet)) => {
                dialog.hint = Some(match &not_yet {
                    NotYet::Refused(because) => because.join("; "),
                    NotYet::Yes => "Y confirms".to_owned(),
                    NotYet::Type(text) => format!("type {text}"),
                    NotYet::Reason => {
                        dialog.field = Field::Reason;
                        "a reason is asked for".to_owned()
                    }
                });
                dialog.stage = Stage::Ready { plan, guards };
                self.overlays.push(Overlay::Plan(Box::new(dialog)));
                Vec::new()
            }
        }
    }

    fn execute(&mut self, approved: crate::ops::ceremony::Approved) -> Vec<Effect> {
        let now = self.now;
        self.queue_approved(&approved);
        let plan = approved.plan();
        let beside = self.followed(plan);
        self.actions.begin(plan, beside, now);
        let environment = plan.intent.target.environment().clone();
        if let Some(environment) = self.environments.get_mut(&environment) {
            environment.wrote = true;
        }
        self.say(Tone::Plain, format!("{}: checking", plan.title));
        if plan.intent.verb.is_emergency() {
            // It is on its way; why it was needed is asked now that it costs no time.
            self.overlays.push(Overlay::Reason {
                intent: plan.intent.id.clone(),
                title: plan.title.clone(),
                typed: String::new(),
            });
        }
        vec![Effect::Execute(Box::new(approved))]
    }
}

fn known_access<'a>(environment: &'a Environment, target: &ReleaseId) -> Option<&'a Access> {
    environment.access.get(&target.namespace)
}
