//! `--watch-after`: stays once an effect was observed, to see whether something puts the old version back.

use tokio::sync::mpsc;

use super::out::Out;
use crate::{
    app::actions::Actions,
    ops::{
        machine::{Outcome, OutcomeKind},
        plan::Plan,
        record,
        seen::Seen,
    },
    runtime::{
        clock::now,
        cluster::Cluster,
        execute::{Recorder as _, Sight},
        recorder::AuditRecorder,
    },
};

pub(super) async fn watch(
    cluster: &Cluster,
    recorder: &AuditRecorder,
    plan: &Plan,
    outcome: Outcome,
    seconds: i64,
    out: &mut Out,
) -> Outcome {
    let mut actions = Actions::default();
    actions.begin(plan, crate::app::actions::Followed::default(), now());
    if let Some(line) = actions.line_mut(&plan.intent.id) {
        line.state = crate::app::actions::LineState::Over {
            outcome: outcome.clone(),
            at: now(),
        };
    }
    let (sender, mut states) = mpsc::channel(16);
    let Some(id) = plan.intent.target.release() else {
        return outcome;
    };
    let observing = cluster.observe(id, None, sender);
    let judging = async {
        while let Some(state) = states.recv().await {
            if let Sight::Seen(Seen::Rollout(rollout)) = state
                && !actions.undone_by(&rollout, now()).is_empty()
            {
                return true;
            }
        }
        false
    };
    let limit = std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    let undone = tokio::select! {
        undone = judging => undone,
        () = observing => false,
        () = tokio::time::sleep(limit) => false,
    };
    if !undone {
        return outcome;
    }
    let by = cluster.last_writer(id).await;
    let words = by.map_or_else(
        || "reverted; by whom is not known".to_owned(),
        |by| format!("reverted by {}", &*by),
    );
    if let Err(why) = recorder
        .record(record::reverted(&plan.intent.id, &words, now()))
        .await
    {
        out.error(&format!("not recorded: {why}"));
    }
    Outcome {
        kind: OutcomeKind::Reverted,
        words,
        ..outcome
    }
}
