//! Plans for Argo Rollouts: what each verb would send, and what would come of it. Sends nothing.
//!
//! forward: promote. hold: pause, resume, retry, restart. back: abort, roll back, back out.

mod back;
mod forward;
mod hold;

use back::{abort, back_out_finished, rollback};
use forward::{fully, promote};
use hold::{pause, restart, resume, retry};

use super::{Facts, finish, sending, words::pods_words};
use crate::{
    model::{
        release::Version,
        rollout::{Argo, Rollout},
    },
    ops::{
        intent::{Intent, Verb},
        plan::{Plan, Refusal, Sending, When},
    },
    providers::kubernetes::requests::{self, How},
};

const STEP_TIME_S: i64 = 60;
const PAUSE_TIME_S: i64 = 30;
const ABORT_TIME_S: i64 = 120;
const PROGRESS_DEADLINE_S: i64 = 600;

pub(super) fn plan(intent: &Intent, facts: &Facts) -> Result<Plan, Refusal> {
    let rollout = &*facts.release.rollout;
    let argo = rollout
        .argo()
        .ok_or_else(|| Refusal::guard("it is no Rollout"))?;
    let draft = match intent.verb {
        Verb::Promote => promote(intent, facts, rollout, argo)?,
        Verb::PromoteFull => fully(intent, facts, rollout, argo)?,
        Verb::Pause => pause(intent, facts, rollout, argo)?,
        Verb::Resume => resume(intent, facts, rollout, argo)?,
        Verb::Abort => abort(intent, facts, rollout, argo),
        Verb::BackOut if rollout.fully_promoted() => back_out_finished(intent, facts, rollout)?,
        Verb::BackOut => {
            let mut draft = abort(intent, facts, rollout, argo);
            draft.title = format!("Back out {}", rollout.id.name);
            draft
        }
        Verb::Retry => retry(intent, facts, rollout, argo),
        Verb::Rollback => rollback(intent, facts, rollout, argo)?,
        Verb::Restart => restart(intent, facts, rollout),
        _ => {
            return Err(Refusal::guard(format!(
                "{} is not asked of a Rollout",
                intent.verb.title()
            )));
        }
    };
    Ok(finish(intent, facts, draft))
}

fn deadline(rollout: &Rollout) -> i64 {
    rollout
        .progress_deadline_s
        .map_or(PROGRESS_DEADLINE_S, i64::from)
}

/// The vendor's own decision, as requests.
fn promotion(intent: &Intent, rollout: &Rollout, how: How) -> Result<Vec<Sending>, Refusal> {
    let promotion =
        requests::promote(rollout, how).map_err(|why| Refusal::guard(why.to_string()))?;
    if promotion.sends.is_empty() {
        return Err(Refusal::guard("there is nothing to promote"));
    }
    Ok(promotion
        .sends
        .into_iter()
        .map(|request| sending(request, intent, None, None, When::AtOnce))
        .collect())
}

fn stable_version(facts: &Facts) -> Version {
    facts
        .release
        .serving_before()
        .unwrap_or_else(|| facts.release.current())
}

/// `x: v2.30.4 serves everything again, its 9 pods are up`.
fn way_back(facts: &Facts, argo: &Argo) -> String {
    let Some(stable) = &argo.stable_hash else {
        return "none: no version has served everything yet".to_owned();
    };
    let set = facts.release.set_with_hash(stable);
    format!(
        "x: {} serves everything again, {}",
        stable_version(facts).label(),
        pods_words(set, facts.release.rollout.replicas.desired)
    )
}
