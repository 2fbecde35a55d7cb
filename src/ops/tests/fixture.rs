//! A canary of `checkout` in `prod-eu/shop`, waiting at 25 %, and plans about it.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use crate::{
    model::{
        id::{IntentId, PodHash, ReleaseId, ResourceVersion, Uid, WorkloadKind},
        release::Version,
        rollout::{
            Argo, ArgoStrategy, Canary, PauseCondition, PauseReason, Phase, Replicas, Rollout,
            Weight, Workload,
        },
        source::{Access, Answer, Need, Tier},
        step::Step,
        text::Safe,
    },
    ops::{
        basis::Basis,
        ceremony::{Approved, Confirmation, approve},
        goal::Goal,
        guard::{Arming, Situation, ask_all},
        intent::{Expects, Intent, Verb},
        plan::{Change, Plan, Sending, Target, When},
        subject::Subject,
    },
};

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub(crate) fn id() -> ReleaseId {
    ReleaseId {
        environment: "prod-eu".into(),
        namespace: "shop".into(),
        kind: WorkloadKind::ArgoRollout,
        name: "checkout".into(),
    }
}

pub(crate) fn canary() -> Rollout {
    Rollout {
        id: id(),
        uid: Uid::new("uid-1"),
        version: ResourceVersion::new("100"),
        generation: 7,
        generation_observed: true,
        revision: Some(7),
        phase: Phase::Paused,
        message: Safe::default(),
        replicas: Replicas {
            desired: 4,
            current: 5,
            updated: 1,
            ready: 5,
            available: 5,
        },
        images: Arc::default(),
        managed_by: None,
        since: None,
        progress_deadline_s: Some(600),
        not_undone: None,
        links: None,
        workload: Workload::ArgoRollout(Box::new(Argo {
            strategy: ArgoStrategy::Canary(Canary {
                steps: Arc::from(vec![
                    Step::SetWeight(25),
                    Step::Pause,
                    Step::SetWeight(50),
                    Step::Pause,
                ]),
                index: Some(1),
                step_hash: None,
                weight: Weight {
                    set: 25,
                    actual: None,
                    of: 100,
                },
                traffic_routed: false,
            }),
            current_hash: Some(PodHash::new("new")),
            stable_hash: Some(PodHash::new("old")),
            paused_by_hand: false,
            controller_pause: true,
            pause_conditions: vec![PauseCondition {
                reason: PauseReason::CanaryPauseStep,
                since: None,
            }],
            aborted: false,
            aborted_at: None,
            promote_full: false,
            runs_in_force: Box::default(),
            restart_at: None,
            restarted_at: None,
            workload_ref: None,
        })),
    }
}

pub(crate) fn with(change: impl FnOnce(&mut Rollout, &mut Argo)) -> Rollout {
    let mut rollout = canary();
    let Workload::ArgoRollout(mut argo) = rollout.workload.clone() else {
        unreachable!()
    };
    change(&mut rollout, &mut argo);
    rollout.workload = Workload::ArgoRollout(argo);
    rollout
}

/// The canary after `promote` was taken and the next pause was reached.
pub(crate) fn promoted() -> Rollout {
    with(|rollout, argo| {
        rollout.version = ResourceVersion::new("120");
        if let ArgoStrategy::Canary(canary) = &mut argo.strategy {
            canary.index = Some(3);
        }
    })
}

fn version(hash: &str) -> Version {
    Version {
        revision: None,
        hash: Some(PodHash::new(hash)),
        images: Arc::default(),
    }
}

fn sending(path: &str, when: When, resends: u8) -> Sending {
    Sending {
        says: None,
        method: "PATCH",
        path: path.to_owned(),
        content_type: "application/merge-patch+json",
        body: json!({}),
        shown: json!({}),
        when,
        holder_version: None,
        resends,
    }
}

pub(crate) fn plan(verb: Verb, rollout: &Rollout) -> Plan {
    let two = verb == Verb::BackOut && rollout.fully_promoted();
    let hash = PodHash::new("old");
    let mut sends = vec![sending("/rollouts/checkout/status", When::AtOnce, 1)];
    if two {
        let when = When::CurrentIs {
            hash: hash.clone(),
            words: "once old is current".to_owned(),
        };
        sends.push(sending("/rollouts/checkout/status", when, 1));
    }
    Plan {
        intent: Intent {
            id: IntentId::new("i-1"),
            verb,
            target: Subject::Release(id()),
            seen: Some(rollout.uid.clone()),
            to_revision: None,
            expects: Expects::default(),
            reason: None,
        },
        target: Target {
            uid: rollout.uid.clone(),
            version: rollout.version.clone(),
            tier: Tier::Prod,
            revision: rollout.revision,
            hash: Some(PodHash::new("new")),
        },
        title: format!("{} checkout", verb.title()),
        next: String::new(),
        change: Change::Versions {
            from: version("new"),
            to: version("old"),
        },
        sends,
        same_as: Vec::new(),
        way_back: String::new(),
        git: None,
        not_undone: Vec::new(),
        skips: None,
        differs: Vec::new(),
        expect: String::new(),
        goal: match verb {
            Verb::BackOut if two => Goal::Template { hash, fully: true },
            Verb::BackOut | Verb::Abort => Goal::Aborted {
                canary: Some(PodHash::new("new")),
                stable: Some(hash),
            },
            _ => Goal::NextStep {
                hash: Some(PodHash::new("new")),
                index: Some(1),
                steps: 4,
            },
        },
        time_s: 60,
        basis: if verb.is_emergency() {
            Basis::emergency(rollout)
        } else {
            Basis::full(rollout)
        },
        risks: Vec::new(),
        note: None,
        needs: vec![Need::PatchRolloutsStatus],
        read_at: at(0),
        serves_after: None,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "reads better at its calls")]
pub(crate) fn access(answer: Answer) -> Access {
    Access {
        namespace: "shop".into(),
        answers: Need::ALL
            .into_iter()
            .map(|need| (need, answer.clone()))
            .collect(),
        asked: at(0),
    }
}

pub(crate) fn situation<'a>(access: &'a Access, arming: &'a Arming) -> Situation<'a> {
    Situation {
        now: at(1),
        arming,
        access: Some(access),
        source: None,
        in_flight: None,
        earlier_unknown: None,
        wrote_before: true,
        first_write_counts: true,
        changed: None,
        incidents: None,
        who: "alice",
    }
}

pub(crate) fn approved(plan: Plan) -> Approved {
    let access = access(Answer::Allowed);
    let arming = Arming::Armed { until: None };
    let guards = ask_all(&plan, &situation(&access, &arming));
    let confirmation = Confirmation {
        yes: true,
        typed: Some("prod-eu/checkout".to_owned()),
        reason: Some("test".to_owned()),
    };
    approve(plan, guards, &confirmation)
        .map_err(|(_, not_yet)| not_yet)
        .unwrap()
}
