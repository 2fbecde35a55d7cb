//! The guards: one small named rule each. Every guard answers allow, ask for more ceremony, or deny, with a sentence
//! that says why and what to do. All are asked, so that every reason is on the screen at once.

use jiff::Timestamp;
use serde::Serialize;

use super::{
    intent::Verb,
    plan::{Plan, Risk},
};
use crate::model::{
    id::IntentId,
    source::{ACT_WITHIN, Access, Answer, SourceHealth, Tier},
    text::looks_like_another,
};

/// The answer of one guard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GuardAnswer {
    pub name: &'static str,
    pub answer: Decision,
    pub because: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    Allow,
    /// More ceremony.
    Warn,
    /// The strongest ceremony: `ENV/SERVICE` and a reason.
    Strongest,
    Deny,
}

/// Whether this session may write, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arming {
    /// `--read-only`, or not listed in `[write] environments`: cannot be armed.
    Forbidden {
        because: String,
    },
    /// The quiet state: not armed.
    ReadOnly,
    Armed {
        until: Option<Timestamp>,
    },
}

/// What the guards look at besides the plan.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    pub now: Timestamp,
    pub arming: &'a Arming,
    pub access: Option<&'a Access>,
    /// State of the watch that shows the release. `None` on a command line, which rests on its own read alone.
    pub source: Option<&'a SourceHealth>,
    /// Another action on the same object that has no outcome yet.
    pub in_flight: Option<InFlight<'a>>,
    /// An earlier action of this session on this object ended unknown and no read since has shown its effect.
    pub earlier_unknown: Option<&'a IntentId>,
    /// Whether this session has written to this environment before.
    pub wrote_before: bool,
    /// A command line is a session of its own, whose first write needs no more ceremony than the case itself.
    pub first_write_counts: bool,
    /// What changed since the plan was made, if the watch has shown something.
    pub changed: Option<String>,
    /// What is known of incidents on the service. `None`: no system that would tell is configured.
    pub incidents: Option<Incidents<'a>>,
    /// Who is asking, for sentences.
    pub who: &'a str,
}

/// An action without an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InFlight<'a> {
    pub id: &'a IntentId,
    /// A request of it may still leave; afterwards it only looks.
    pub may_send: bool,
}

impl InFlight<'_> {
    /// Two actions that both send would be one that nobody planned. Where the earlier one only looks for its effect, which
    /// can take ten minutes, going back must not wait for it.
    pub const fn lets(self, verb: Verb) -> bool {
        verb.is_emergency() && !self.may_send
    }
}

/// What is wrong on the service that a plan is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incidents<'a> {
    /// Titles of what fires, worst first.
    Known(Vec<&'a str>),
    /// The system that would tell does not: why.
    Unknown(String),
}

/// `None` where it has nothing to say about this plan: all of them have one type, whether they can be silent or not.
type Guard = fn(&Plan, &Situation<'_>) -> Option<GuardAnswer>;

const GUARDS: [(&str, Guard); 11] = [
    ("fresh", fresh),
    ("unchanged", unchanged),
    ("name", name),
    ("permitted", permitted),
    ("armed", armed),
    ("in-flight", in_flight),
    ("state", state),
    ("risk", risk),
    ("gitops", gitops),
    ("incident", incident),
    ("tier", tier),
];

/// Asks every guard. A guard without anything to say about this plan is left out.
pub fn ask_all(plan: &Plan, situation: &Situation<'_>) -> Vec<GuardAnswer> {
    GUARDS
        .iter()
        .filter_map(|(_, guard)| guard(plan, situation))
        .collect()
}

/// The names of all guards, for documents.
pub fn names() -> impl Iterator<Item = &'static str> {
    GUARDS.iter().map(|(name, _)| *name)
}

fn answer(name: &'static str, answer: Decision, because: impl Into<String>) -> GuardAnswer {
    GuardAnswer {
        name,
        answer,
        because: because.into(),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the type of every guard")]
fn fresh(plan: &Plan, situation: &Situation<'_>) -> Option<GuardAnswer> {
    let age = situation.now.duration_since(plan.read_at);
    let seconds = age.as_secs().max(0);
    if age > ACT_WITHIN {
        return Some(answer(
            "fresh",
            Decision::Deny,
            format!("read {seconds} s ago, too old to act on: r reads it again"),
        ));
    }
    // A gate, a run or a silence is read anew as a whole for the plan, so only the age of that counts. Its source may
    // rest meanwhile, to leave the last requests of the host's patience to actions like this one.
    let of_cluster = plan.intent.target.release().is_some();
    if of_cluster
        && let Some(source) = situation.source
        && !source.state.is_live()
    {
        // The plan itself was read just now, so the source answers; the screen around it is old all the same.
        let word = source.state.word();
        return Some(match plan.intent.verb.is_emergency() {
            true => answer(
                "fresh",
                Decision::Allow,
                format!("read {seconds} s ago; the watch is {word}"),
            ),
            false => answer(
                "fresh",
                Decision::Deny,
                format!(
                    "the watch of this environment is {word}: {}",
                    &*source.detail
                ),
            ),
        });
    }
    Some(answer(
        "fresh",
        Decision::Allow,
        format!("seen {seconds} s ago, nothing changed since"),
    ))
}

fn unchanged(plan: &Plan, situation: &Situation<'_>) -> Option<GuardAnswer> {
    if let Some(seen) = &plan.intent.seen
        && *seen != plan.target.uid
    {
        return Some(answer(
            "unchanged",
            Decision::Deny,
            "it was deleted and created again under the same name since it was shown: look at the new one first",
        ));
    }
    let expects = &plan.intent.expects;
    if let Some(revision) = expects.revision
        && plan.target.revision != Some(revision)
    {
        let is = plan
            .target
            .revision
            .map_or_else(|| "unknown".to_owned(), |revision| revision.to_string());
        return Some(answer(
            "unchanged",
            Decision::Deny,
            format!("revision {revision} was expected, and it is {is}"),
        ));
    }
    if let Some(hash) = &expects.hash
        && plan.target.hash.as_ref() != Some(hash)
    {
        let is = plan
            .target
            .hash
            .as_ref()
            .map_or_else(|| "unknown".to_owned(), ToString::to_string);
        return Some(answer(
            "unchanged",
            Decision::Deny,
            format!("hash {hash} was expected, and it is {is}"),
        ));
    }
    situation.changed.as_ref().map(|what| {
        answer(
            "unchanged",
            Decision::Deny,
            format!("changed under you: {what}"),
        )
    })
}

/// What is confirmed by its name must not be taken for another one.
fn name(plan: &Plan, _: &Situation<'_>) -> Option<GuardAnswer> {
    let target = &plan.intent.target;
    let namespace = target.release().map(|id| id.namespace.as_str());
    let name = target.name();
    let odd: Vec<String> = [target.environment().as_str(), &name]
        .into_iter()
        .chain(namespace)
        .filter_map(looks_like_another)
        .collect();
    (!odd.is_empty()).then(|| answer("name", Decision::Warn, odd.join("; ")))
}

fn permitted(plan: &Plan, situation: &Situation<'_>) -> Option<GuardAnswer> {
    // Of a gate, a run or a silence the system was asked while the plan was made: a refusal left no plan.
    let namespace = &plan.intent.target.release()?.namespace;
    let Some(access) = situation.access else {
        return Some(answer(
            "permitted",
            Decision::Deny,
            format!(
                "not known yet whether {} may do this in {namespace}",
                situation.who
            ),
        ));
    };
    let mut missing = Vec::new();
    let mut unknown = Vec::new();
    for need in &plan.needs {
        match access.to(*need) {
            Some(Answer::Allowed) => {}
            Some(Answer::Denied) => missing.push(need.words()),
            Some(Answer::NotAnswered(why)) => unknown.push(format!("{}: {}", need.words(), &**why)),
            None => unknown.push(format!("{}: not asked", need.words())),
        }
    }
    if !missing.is_empty() {
        return Some(answer(
            "permitted",
            Decision::Deny,
            format!("not permitted: {} in {namespace}", missing.join(" and ")),
        ));
    }
    if !unknown.is_empty() {
        return Some(answer(
            "permitted",
            Decision::Deny,
            format!("not known whether it is permitted: {}", unknown.join("; ")),
        ));
    }
    let words: Vec<&str> = plan.needs.iter().map(|need| need.words()).collect();
    Some(answer(
        "permitted",
        Decision::Allow,
        format!(
            "{} may {} in {namespace}",
            situation.who,
            words.join(" and ")
        ),
    ))
}

fn armed(plan: &Plan, situation: &Situation<'_>) -> Option<GuardAnswer> {
    let environment = plan.intent.target.environment();
    match situation.arming {
        Arming::Forbidden { because } => Some(answer("armed", Decision::Deny, because.clone())),
        Arming::ReadOnly => Some(answer(
            "armed",
            Decision::Deny,
            format!("read-only: W arms {environment}, or start with --write={environment}"),
        )),
        Arming::Armed { until: Some(until) } if *until <= situation.now => Some(answer(
            "armed",
            Decision::Deny,
            format!("no longer armed: W arms {environment} again"),
        )),
        Arming::Armed { .. } => None,
    }
}

fn in_flight(plan: &Plan, situation: &Situation<'_>) -> Option<GuardAnswer> {
    if let Some(in_flight) = situation.in_flight {
        let id = in_flight.id;
        if in_flight.lets(plan.intent.verb) {
            return Some(answer(
                "in-flight",
                Decision::Allow,
                format!(
                    "{id} on this release was sent and has no outcome yet: this goes on top of it"
                ),
            ));
        }
        return Some(answer(
            "in-flight",
            Decision::Deny,
            format!(
                "{id} on this release has no outcome yet: wait for it, its line says how far it is"
            ),
        ));
    }
    let id = situation.earlier_unknown?;
    // A fresh read showed no effect of it, or there would be none to warn of.
    Some(match plan.intent.verb.is_emergency() {
        true => answer(
            "in-flight",
            Decision::Allow,
            format!("the outcome of {id} is unknown; this read shows no effect of it"),
        ),
        false => answer(
            "in-flight",
            Decision::Warn,
            format!("the outcome of {id} is unknown: its request may still arrive"),
        ),
    })
}

fn state(plan: &Plan, _: &Situation<'_>) -> Option<GuardAnswer> {
    plan.risks.iter().find_map(|risk| match risk {
        Risk::UnknownState { words } => Some(answer("state", Decision::Warn, words.clone())),
        Risk::SkipsStep { .. }
        | Risk::BlueGreenSwitch
        | Risk::ChosenRevision
        | Risk::RunsAbortedAgain
        | Risk::Fully
        | Risk::OnAborted
        | Risk::OverridesAnalysis { .. }
        | Risk::ResumesFullPromotion
        | Risk::TargetIsGuessed
        | Risk::SinglePod
        | Risk::Consequence { .. } => None,
    })
}

/// What the plan itself risks. Emergencies say it and ask for nothing more.
fn risk(plan: &Plan, _: &Situation<'_>) -> Option<GuardAnswer> {
    let mut worst = Decision::Allow;
    let mut words = Vec::new();
    for risk in &plan.risks {
        let (decision, sentence) = weigh(risk);
        if let Some(sentence) = sentence {
            words.push(sentence);
        }
        worst = worst.max(decision);
    }
    if words.is_empty() {
        return None;
    }
    let decision = if plan.intent.verb.is_emergency() && worst != Decision::Allow {
        Decision::Warn
    } else {
        worst
    };
    Some(answer("risk", decision, words.join("; ")))
}

fn weigh(risk: &Risk) -> (Decision, Option<String>) {
    let warn = |words: &str| (Decision::Warn, Some(words.to_owned()));
    let strongest = |words: &str| (Decision::Strongest, Some(words.to_owned()));
    match risk {
        Risk::SkipsStep { words }
        | Risk::OverridesAnalysis { words }
        | Risk::Consequence { words } => (Decision::Warn, Some(words.clone())),
        Risk::BlueGreenSwitch => warn("all traffic switches at once"),
        Risk::ChosenRevision => warn("a revision that you chose, not the one that served last"),
        Risk::RunsAbortedAgain => {
            warn("the version that was aborted starts again from its first step")
        }
        Risk::Fully => {
            strongest("to the end at once, without the pauses and analyses that are left")
        }
        Risk::OnAborted => {
            strongest("it was aborted, and this ships the aborted version to everybody")
        }
        Risk::ResumesFullPromotion => {
            strongest("a full promotion was asked for: resuming ships it to everybody")
        }
        Risk::TargetIsGuessed => warn(
            "which version served everything last is not known: the newest earlier revision is proposed",
        ),
        Risk::SinglePod => warn("it has one pod: while that restarts, nothing serves"),
        Risk::UnknownState { .. } => (Decision::Allow, None),
    }
}

fn gitops(plan: &Plan, _: &Situation<'_>) -> Option<GuardAnswer> {
    let git = plan.git.as_ref()?;
    // Only what changes the spec can be reverted by GitOps; an abort or a promotion leaves it as git has it.
    let reverts = matches!(
        plan.intent.verb,
        Verb::Pause | Verb::Resume | Verb::Rollback | Verb::BackOut | Verb::Restart
    ) && plan
        .sends
        .iter()
        .any(|send| !send.path.ends_with("/status"));
    Some(answer(
        "gitops",
        if reverts {
            Decision::Warn
        } else {
            Decision::Allow
        },
        git.clone(),
    ))
}

/// An open incident asks for more ceremony to go on, and never to go back.
fn incident(plan: &Plan, situation: &Situation<'_>) -> Option<GuardAnswer> {
    let goes_on = matches!(
        plan.intent.verb,
        Verb::Promote | Verb::PromoteFull | Verb::Resume | Verb::Retry | Verb::Approve
    );
    if !goes_on {
        return None;
    }
    match situation.incidents.as_ref()? {
        Incidents::Known(titles) => {
            let (first, others) = titles.split_first()?;
            let more = match others.len() {
                0 => String::new(),
                count => format!(" and {count} more"),
            };
            Some(answer(
                "incident",
                Decision::Warn,
                format!("an incident is open on it: {first}{more}"),
            ))
        }
        Incidents::Unknown(why) => Some(answer(
            "incident",
            Decision::Warn,
            format!("whether an incident is open on it is not known: {why}"),
        )),
    }
}

fn tier(plan: &Plan, situation: &Situation<'_>) -> Option<GuardAnswer> {
    if plan.target.tier != Tier::Prod || situation.wrote_before || !situation.first_write_counts {
        return None;
    }
    if plan.intent.verb.is_emergency() {
        return None;
    }
    Some(answer(
        "tier",
        Decision::Warn,
        format!(
            "the first write to {} in this session",
            plan.intent.target.environment()
        ),
    ))
}
