//! From an intent and a fresh read to a plan: the exact requests, what will happen next, what is skipped, how it is
//! undone, what GitOps will do about it, what must be observed. Pure. Everything that will be sent is in the plan.

mod deployment;
mod git;
mod rollout;
mod words;

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;

pub use git::GitPolicy;

use super::{
    history,
    read::{Referenced, ReferencedKind},
    requests::Request,
};
use crate::{
    model::{
        detail::Difference,
        id::{PodHash, Uid, WorkloadKind},
        release::{Release, Version},
        replica_set::ReplicaSet,
        source::{Need, Tier},
    },
    ops::{
        basis::Basis,
        goal::Goal,
        intent::{Intent, Verb},
        offer,
        plan::{Change, Plan, Refusal, Risk, Sending, Target, When},
    },
};

/// How often a request may be sent again after a conflict, when nothing that the decision rests on has changed.
const RESENDS: u8 = 1;
/// An emergency against a busy controller gets a few more: each conflict proves that nothing was done.
const EMERGENCY_RESENDS: u8 = 5;

/// Everything that a plan is made from. Read afresh.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The rollout with its ReplicaSets.
    pub release: Release,
    /// Full pod templates of its ReplicaSets without what controllers added, where the verb needs them.
    pub templates: HashMap<Uid, Value>,
    /// The current template.
    pub current_template: Option<Value>,
    /// The object that holds the template, when it is not the workload itself (`workloadRef`).
    pub template_holder: Option<Holder>,
    /// `ConfigMap`s and Secrets that the template names, with the time of their last change.
    pub configuration: Vec<Referenced>,
    pub git: Option<GitPolicy>,
    /// Hashes that were seen serving everything, the last one last, and how that is known.
    pub served: Vec<Served>,
    pub tier: Tier,
    pub now: Timestamp,
    /// Who acts, for the note.
    pub who: String,
    /// Whether a note is left on the object.
    pub note: bool,
}

/// The object that a Rollout's `workloadRef` names.
#[derive(Clone, Debug)]
pub struct Holder {
    pub kind: String,
    pub name: String,
    pub version: String,
}

/// Evidence that a version served everything.
#[derive(Clone, Debug)]
pub struct Served {
    pub hash: PodHash,
    pub until: Option<Timestamp>,
    pub evidence: String,
}

/// Makes the plan, or says every reason why there is none.
pub fn plan(intent: &Intent, facts: &Facts) -> Result<Plan, Refusal> {
    // Another object under the name is refused before its state is talked about.
    if let Some(seen) = &intent.seen
        && *seen != facts.release.rollout.uid
    {
        return Err(Refusal::guard(
            "it was deleted and created again under the same name since it was shown: look at the new one first",
        ));
    }
    let mut reasons = offer::state(intent.verb, &facts.release);
    // A revision is named: whether one is kept is answered by looking for it.
    if intent.verb == Verb::Rollback && intent.to_revision.is_some() {
        reasons.retain(|reason| !reason.starts_with("no earlier revision"));
    }
    if !reasons.is_empty() {
        return Err(Refusal {
            kind: crate::ops::plan::RefusalKind::Guard,
            because: reasons,
        });
    }
    match facts.release.rollout.kind() {
        WorkloadKind::ArgoRollout => rollout::plan(intent, facts),
        WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => {
            deployment::plan(intent, facts)
        }
    }
}

/// What a verb adds to what all plans have in common.
struct Draft {
    title: String,
    next: String,
    to: Version,
    sends: Vec<Sending>,
    same_as: Vec<String>,
    way_back: String,
    not_undone: Vec<String>,
    skips: Option<String>,
    differs: Vec<Difference>,
    expect: String,
    goal: Goal,
    time_s: i64,
    risks: Vec<Risk>,
    needs: Vec<Need>,
    serves_after: Option<PodHash>,
}

fn finish(intent: &Intent, facts: &Facts, draft: Draft) -> Plan {
    let rollout = &facts.release.rollout;
    let spec_changes = draft
        .sends
        .iter()
        .any(|send| !send.path.contains("/status"));
    let mut risks = draft.risks;
    if let crate::model::rollout::Phase::Unknown(said) = &rollout.phase {
        risks.push(Risk::UnknownState {
            words: format!(
                "its phase is {:?}, which this program does not know",
                &**said
            ),
        });
    }
    Plan {
        intent: intent.clone(),
        target: Target {
            uid: rollout.uid.clone(),
            version: rollout.version.clone(),
            tier: facts.tier,
            revision: facts.release.current().revision,
            hash: facts.release.current().hash,
        },
        title: draft.title.clone(),
        next: draft.next,
        change: Change::Versions {
            from: facts.release.current(),
            to: draft.to,
        },
        sends: draft.sends,
        same_as: draft.same_as,
        way_back: draft.way_back,
        git: git::words(rollout, facts.git.as_ref(), spec_changes, intent.verb),
        not_undone: draft.not_undone,
        skips: draft.skips,
        differs: draft.differs,
        expect: draft.expect,
        goal: draft.goal,
        time_s: draft.time_s,
        basis: if intent.verb.is_emergency() {
            Basis::emergency(rollout)
        } else {
            Basis::full(rollout)
        },
        risks,
        note: facts.note.then(|| {
            format!(
                "{} by {} with windlass ({})",
                draft.title, facts.who, intent.id
            )
        }),
        needs: draft.needs,
        read_at: facts.now,
        serves_after: draft.serves_after,
    }
}

fn one(request: Option<Request>, intent: &Intent) -> Result<Vec<Sending>, Refusal> {
    let request =
        request.ok_or_else(|| Refusal::guard("this kind of workload cannot be paused"))?;
    Ok(vec![sending(request, intent, None, None, When::AtOnce)])
}

/// The vendor's restart times are whole seconds: two within one second are one.
fn whole_second(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

fn sending(
    request: Request,
    intent: &Intent,
    shown: Option<Value>,
    says: Option<String>,
    when: When,
) -> Sending {
    Sending {
        says,
        method: request.method,
        path: request.path,
        content_type: request.content_type,
        shown: shown.unwrap_or_else(|| request.body.clone()),
        body: request.body,
        when,
        holder_version: None,
        resends: if intent.verb.is_emergency() {
            EMERGENCY_RESENDS
        } else {
            RESENDS
        },
    }
}

/// The version that a back out or roll back goes to.
struct Chosen<'a> {
    set: &'a ReplicaSet,
    hash: PodHash,
    evidence: String,
    guessed: bool,
}

fn version_of(set: &ReplicaSet) -> Version {
    Version {
        revision: Some(set.revision),
        hash: set.hash.clone(),
        images: set.images.clone(),
    }
}

/// Which version served everything last, with the evidence for it: seen by windlass, still up, or else the newest
/// earlier revision, which is said to be a guess.
fn last_that_served(facts: &Facts) -> Result<Chosen<'_>, Refusal> {
    let current = facts.release.current();
    let earlier = |set: &&ReplicaSet| {
        set.hash.is_some() && set.hash != current.hash && Some(set.revision) != current.revision
    };
    for served in facts.served.iter().rev() {
        if let Some(set) = facts
            .release
            .sets
            .iter()
            .find(|set| set.hash.as_ref() == Some(&served.hash))
            .filter(earlier)
        {
            return Ok(Chosen {
                set,
                hash: served.hash.clone(),
                evidence: served.evidence.clone(),
                guessed: false,
            });
        }
    }
    let up = facts
        .release
        .sets
        .iter()
        .filter(earlier)
        .filter(|set| set.available > 0)
        .max_by_key(|set| set.revision);
    if let Some(set) = up
        && let Some(hash) = &set.hash
    {
        let evidence = format!("{} of its pods are still up", set.available);
        return Ok(Chosen {
            set,
            hash: hash.clone(),
            evidence,
            guessed: false,
        });
    }
    let newest = facts
        .release
        .sets
        .iter()
        .filter(earlier)
        .max_by_key(|set| set.revision);
    match newest.and_then(|set| set.hash.clone().map(|hash| (set, hash))) {
        Some((set, hash)) => Ok(Chosen {
            set,
            hash,
            evidence: "the newest earlier revision that is kept".to_owned(),
            guessed: true,
        }),
        None => Err(Refusal::guard("no earlier revision is kept")),
    }
}

/// The ReplicaSet of a chosen revision.
fn with_revision(facts: &Facts, revision: u64) -> Result<Chosen<'_>, Refusal> {
    let set = facts
        .release
        .sets
        .iter()
        .find(|set| set.revision == revision);
    match set.and_then(|set| set.hash.clone().map(|hash| (set, hash))) {
        Some((set, hash)) => Ok(Chosen {
            set,
            hash,
            evidence: "chosen".to_owned(),
            guessed: false,
        }),
        None => {
            let kept: Vec<String> = facts
                .release
                .sets
                .iter()
                .map(|set| set.revision.to_string())
                .collect();
            Err(Refusal::not_found(format!(
                "revision {revision} is not kept any more; kept are {}",
                kept.join(", ")
            )))
        }
    }
}

fn template_of<'a>(facts: &'a Facts, set: &ReplicaSet) -> Result<&'a Value, Refusal> {
    facts.templates.get(&set.uid).ok_or_else(|| {
        Refusal::not_found(format!(
            "the template of revision {} could not be read",
            set.revision
        ))
    })
}

fn differences(facts: &Facts, set: &ReplicaSet) -> Vec<Difference> {
    match (&facts.current_template, facts.templates.get(&set.uid)) {
        (Some(current), Some(target)) => history::differences(current, target),
        _ => Vec::new(),
    }
}

/// What a roll back of the template does not take back: what the object declares, and configuration that changed since
/// the version that it goes back to was made.
fn not_undone(facts: &Facts, chosen: &ReplicaSet) -> Vec<String> {
    let declared = facts
        .release
        .rollout
        .not_undone
        .iter()
        .map(ToString::to_string);
    let since = |changed: Timestamp| {
        chosen
            .created
            .is_none_or(|created| changed > created.time())
    };
    let changed = facts.configuration.iter().filter_map(|referenced| {
        let changed = referenced.changed.filter(|changed| since(*changed))?;
        let kind = match referenced.kind {
            ReferencedKind::ConfigMap => "ConfigMap",
            ReferencedKind::Secret => "Secret",
        };
        Some(format!(
            "{kind} {}, changed {}",
            &*referenced.name,
            changed.strftime("%d %b %H:%MZ")
        ))
    });
    let mut words: Vec<String> = declared.chain(changed).collect();
    if words.is_empty() {
        words.push("data and configuration that the newer version changed".to_owned());
    }
    words
}
