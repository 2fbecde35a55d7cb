//! What can be asked for about pipelines and alerts: which gate, which run, which alerts. Opens plans and forms, sends
//! nothing.

use jiff::{SignedDuration, Timestamp};

use super::{
    beside::{PipelineState, is_incident},
    changed::Opens,
    key::{Code, Key},
    msg::Effect,
    state::{ChangedOverlay, Overlay, SilenceForm, State, Tone, View},
};
use crate::{
    model::{
        id::{EnvironmentName, ReleaseId, Uid},
        incident::{Alert, Matcher, SilenceId, SilenceState, all_match},
        offered::offered,
        pipeline::Run,
        text::Safe,
    },
    ops::{
        intent::Verb,
        subject::{ExpireSubject, GateSubject, RunSubject, SilenceSubject, Subject},
    },
};

/// How long a silence may be asked to last, in minutes.
const MINUTES: [i64; 8] = [15, 30, 60, 120, 240, 480, 1_440, 4_320];
const DEFAULT_MINUTES: i64 = 60;

/// Why something that is not about a rollout is not offered for a release; empty: it is.
impl State {
    pub(super) fn reasons_beside(&self, verb: Verb, id: &ReleaseId) -> Vec<String> {
        match verb {
            Verb::Approve | Verb::Reject => {
                let waits = self
                    .beside
                    .gates
                    .iter()
                    .filter(|gate| gate.releases.contains(id));
                // One that somebody else decides does not hide one that is ours.
                let (others, ours): (Vec<_>, Vec<_>) =
                    waits.partition(|gate| gate.gate.may_decide == Some(false));
                if !ours.is_empty() {
                    return Vec::new();
                }
                if others.is_empty() {
                    return vec!["no gate of its pipeline waits".to_owned()];
                }
                others
                    .iter()
                    .map(|gate| format!("waits for {}", names(&gate.gate.reviewers)))
                    .collect()
            }
            Verb::Cancel | Verb::Rerun | Verb::RerunFailed => match self.run_meant(verb, id) {
                Ok(_) => Vec::new(),
                Err(why) => vec![why],
            },
            Verb::Silence => match self.beside.firing(id) {
                [] => vec!["no alert of it fires".to_owned()],
                _ => Vec::new(),
            },
            Verb::Expire => match self.silence_of(id) {
                None => vec!["no silence is in force on it".to_owned()],
                Some(_) => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// The run that a verb is about: the next one where the verb is about such a run, else the one of the version that is
    /// there. What failed on its way is what is run again, never the version that serves in its place.
    fn run_meant(&self, verb: Verb, id: &ReleaseId) -> Result<&std::sync::Arc<Run>, String> {
        let release = self.releases.find(id).ok_or("it is gone")?;
        // With a gate before one's eyes it is about the run of that gate, and not about a newer one.
        if let Some(gate) = self
            .selected_gate()
            .filter(|gate| self.view == View::Inbox && gate.releases.contains(id))
        {
            return match verb {
                Verb::Cancel => Ok(&gate.run),
                _ => Err(format!("run #{} has not ended", gate.run.number)),
            };
        }
        let pipeline = self
            .beside
            .pipeline(release)
            .ok_or("nothing joins a pipeline to it")?;
        let (run, next) = match pipeline.state {
            PipelineState::Here { run, next, .. } => (run, next),
            PipelineState::Waiting => return Err("its pipeline is not known yet".to_owned()),
            PipelineState::Failed { why, .. } => return Err(why.to_string()),
            PipelineState::NoRun { .. } => return Err("its workflow has no run".to_owned()),
        };
        let ended = |run: &&std::sync::Arc<Run>| run.phase.has_ended();
        if verb == Verb::Cancel {
            let newest = next.unwrap_or(run);
            let active = next.into_iter().chain([run]).find(|run| !ended(run));
            return active.ok_or_else(|| format!("run #{} has ended", newest.number));
        }
        let run = next.filter(ended).unwrap_or(run);
        if !ended(&run) {
            return Err(format!("run #{} has not ended", run.number));
        }
        if verb == Verb::RerunFailed && run.phase.is_success() {
            return Err(format!("nothing failed in run #{}", run.number));
        }
        Ok(run)
    }

    /// The environment whose arming, tier and name a verb about a run answers to. A run goes through all of them, so it is
    /// the strictest that any of its gates or releases is in, and the selected one only among its equals.
    fn environment_of_run(&self, id: &ReleaseId, run: &Run) -> EnvironmentName {
        let tier = |name: &EnvironmentName| {
            self.environments
                .get(name)
                .map_or(crate::model::source::Tier::Prod, |it| it.tier)
        };
        self.beside
            .environments_of_run(run, &self.releases)
            .into_iter()
            .filter(|name| self.environments.contains_key(name))
            .chain([id.environment.clone()])
            .max_by_key(|name| (tier(name), *name == id.environment))
            .unwrap_or_else(|| id.environment.clone())
    }

    /// The run that the pipeline pane is about.
    pub fn run_shown(&self, id: &ReleaseId) -> Option<&std::sync::Arc<Run>> {
        let release = self.releases.find(id)?;
        match self.beside.pipeline(release)?.state {
            PipelineState::Here { run, next, .. } => Some(next.unwrap_or(run)),
            _ => None,
        }
    }

    /// A silence that is in force on one of a release's alerts.
    fn silence_of(&self, id: &ReleaseId) -> Option<SilenceId> {
        let facts = self.beside.incidents.get(&id.environment)?;
        let of_alert = self
            .beside
            .alerts(id)
            .into_iter()
            .flat_map(|alert| alert.silenced_by.clone())
            .next();
        of_alert.filter(|id| {
            facts
                .silences
                .iter()
                .any(|silence| silence.id == *id && silence.state == SilenceState::Active)
        })
    }

    /// A verb that is not about the rollout itself.
    pub(super) fn ask_beside(&mut self, verb: Verb, id: &ReleaseId, _uid: &Uid) -> Vec<Effect> {
        match verb {
            Verb::Approve | Verb::Reject => self.decide_gate_of(verb, id),
            Verb::Cancel | Verb::Rerun | Verb::RerunFailed => match self.run_meant(verb, id) {
                Ok(run) => {
                    let subject = RunSubject {
                        environment: self.environment_of_run(id, run),
                        run: run.id.clone(),
                        attempt: run.attempt,
                        commit: run.commit.clone(),
                    };
                    self.open_plan_about(verb, Subject::Run(subject))
                }
                Err(why) => {
                    self.say(
                        Tone::Waiting,
                        format!("{} not offered: {why}", verb.title()),
                    );
                    Vec::new()
                }
            },
            Verb::Silence => {
                let alert = self.beside.firing(id).first().cloned();
                if let Some(alert) = alert {
                    let version = self
                        .releases
                        .find(id)
                        .map(|release| release.current().label().into_owned())
                        .unwrap_or_default();
                    let comment = format!("{} {version}", id.name);
                    self.open_silence(&alert, comment);
                } else {
                    self.say(Tone::Plain, "no alert of it fires");
                }
                Vec::new()
            }
            Verb::Expire => match self.silence_of(id) {
                Some(silence) => self.open_plan_about(
                    verb,
                    Subject::Expire(ExpireSubject {
                        environment: id.environment.clone(),
                        silence,
                    }),
                ),
                None => {
                    self.say(Tone::Plain, "no silence is in force on it");
                    Vec::new()
                }
            },
            _ => Vec::new(),
        }
    }

    pub(super) fn choose_gate(&mut self, verb: Verb, gates: Vec<GateSubject>) {
        self.overlays.push(Overlay::ChooseGate {
            verb,
            gates,
            selected: 0,
        });
        self.dirty = true;
    }

    fn open_silence(&mut self, alert: &Alert, comment: String) {
        let labels = match offered(alert) {
            Ok(offered) => offered
                .into_iter()
                .map(|one| (one.matcher, one.on))
                .collect(),
            Err(why) => {
                self.say(Tone::Bad, why.to_string());
                return;
            }
        };
        let mut form = SilenceForm {
            environment: alert.environment.clone(),
            title: crate::model::text::sanitise(alert.title()),
            labels,
            minutes: DEFAULT_MINUTES,
            comment,
            selected: 0,
            matches: Vec::new(),
        };
        self.preview(&mut form);
        self.overlays.push(Overlay::Silence(Box::new(form)));
        self.dirty = true;
    }

    fn preview(&self, form: &mut SilenceForm) {
        let matchers = form.matchers();
        form.matches = self
            .beside
            .incidents
            .get(&form.environment)
            .map(|facts| {
                facts
                    .alerts
                    .iter()
                    .filter(|alert| {
                        !matchers.is_empty() && all_match(&matchers, &alert.labels) == Some(true)
                    })
                    .map(|alert| {
                        let of = alert.label("service").or_else(|| alert.label("namespace"));
                        let of = of.map_or("", Safe::as_str);
                        crate::model::text::sanitise(&format!("{} {of}", alert.title()))
                    })
                    .collect()
            })
            .unwrap_or_default();
    }

    pub(super) fn silence_key(&mut self, key: Key, form: &mut SilenceForm) -> (bool, Vec<Effect>) {
        let (duration, comment) = (form.labels.len(), form.labels.len() + 1);
        let typing = form.selected == comment;
        match key.code {
            Code::Esc => return (false, Vec::new()),
            Code::Enter => return self.silence_entered(form),
            Code::Down | Code::Tab => form.selected = (form.selected + 1).min(comment),
            Code::Up | Code::BackTab => form.selected = form.selected.saturating_sub(1),
            _ if typing => super::input::edit(key, &mut form.comment),
            Code::Char('j') => form.selected = (form.selected + 1).min(comment),
            Code::Char('k') => form.selected = form.selected.saturating_sub(1),
            Code::Char('q') => return (false, Vec::new()),
            Code::Char(' ') => {
                if let Some((_, on)) = form.labels.get_mut(form.selected) {
                    *on = !*on;
                }
            }
            Code::Char('+' | 'l') | Code::Right if form.selected == duration => form.lasts(1),
            Code::Char('-' | 'h') | Code::Left if form.selected == duration => form.lasts(-1),
            _ => {}
        }
        self.preview(form);
        (true, Vec::new())
    }

    fn silence_entered(&mut self, form: &SilenceForm) -> (bool, Vec<Effect>) {
        let matchers = form.matchers();
        if matchers.is_empty() {
            self.say(
                Tone::Waiting,
                "a silence without a label would match everything: mark one",
            );
            return (true, Vec::new());
        }
        if form.comment.trim().is_empty() {
            self.say(Tone::Waiting, "a silence says why: type a comment");
            return (true, Vec::new());
        }
        // Whole seconds: that is how a silence is recognised again.
        let starts_at = Timestamp::from_second(self.now.as_second()).unwrap_or(self.now);
        let subject = SilenceSubject {
            environment: form.environment.clone(),
            matchers,
            starts_at,
            ends_at: starts_at
                .saturating_add(SignedDuration::from_mins(form.minutes))
                .unwrap_or(starts_at),
            comment: form.comment.trim().to_owned(),
        };
        (
            false,
            self.open_plan_about(Verb::Silence, Subject::Silence(subject)),
        )
    }

    /// `t`: what changed before the incident on the selected release, or before now.
    pub(super) fn what_changed(&mut self) -> Vec<Effect> {
        let Some((id, _)) = self.target() else {
            self.say(Tone::Plain, "no release is selected");
            return Vec::new();
        };
        let alert = self
            .beside
            .firing(&id)
            .first()
            .map(|alert| (alert.title().to_owned(), alert.starts_at));
        let (title, until) = match alert {
            Some((title, Some(began))) => (format!("What changed before {title}"), began),
            Some((title, None)) => (format!("What changed before {title}"), self.now),
            None => (format!("What changed around {}", id.name), self.now),
        };
        let list = self.changed_before(&id.environment, Some(&id), until);
        self.overlays.push(Overlay::Changed(ChangedOverlay {
            title,
            list,
            selected: 0,
        }));
        self.dirty = true;
        Vec::new()
    }

    /// Enter in the list of what changed.
    pub(super) fn open_changed(&mut self, opens: &Opens) -> Vec<Effect> {
        match opens {
            Opens::Release(id) => {
                self.board.selected = Some(id.clone());
                self.view = View::Board;
                self.open_selected()
            }
            Opens::Run(run) => {
                let of = self
                    .releases
                    .iter()
                    .map(|(_, release)| release)
                    .find(|release| {
                        self.beside
                            .services
                            .pipeline(&release.rollout)
                            .is_some_and(|joined| joined.to.repository == run.repository)
                    })
                    .map(|release| release.rollout.id.clone());
                match of {
                    Some(id) => self.open_changed(&Opens::Release(id)),
                    None => {
                        self.say(Tone::Plain, format!("run {run} is joined to no release"));
                        Vec::new()
                    }
                }
            }
            Opens::Nothing => Vec::new(),
        }
    }

    /// When the incident on a release began, for the pane.
    pub fn incident_began(&self, id: &ReleaseId) -> Option<Timestamp> {
        self.beside
            .firing(id)
            .iter()
            .filter_map(|alert| alert.starts_at)
            .min()
    }

    /// Alerts that fire in an environment and are joined to no release.
    pub fn unjoined_in(&self, environment: &EnvironmentName) -> usize {
        self.beside
            .unjoined
            .iter()
            .filter(|alert| alert.environment == *environment && is_incident(alert))
            .count()
    }
}

impl SilenceForm {
    pub fn matchers(&self) -> Vec<Matcher> {
        self.labels
            .iter()
            .filter(|(_, on)| *on)
            .map(|(matcher, _)| matcher.clone())
            .collect()
    }

    fn lasts(&mut self, by: isize) {
        let at = MINUTES
            .iter()
            .position(|minutes| *minutes >= self.minutes)
            .unwrap_or(MINUTES.len() - 1);
        if let Some(minutes) = MINUTES.get(at.saturating_add_signed(by).min(MINUTES.len() - 1)) {
            self.minutes = *minutes;
        }
    }
}

/// `release-managers or bob`.
pub fn names(of: &[Safe]) -> String {
    match of {
        [] => "a rule that is no person".to_owned(),
        [one] => one.to_string(),
        [first, .., last] if of.len() == 2 => format!("{} or {}", &**first, &**last),
        [first, second, rest @ ..] => {
            format!("{}, {} or {} more", &**first, &**second, rest.len())
        }
    }
}
