//! `wait`: until a release is in a state, or time runs out.

use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;

use super::{
    args::{WaitArgs, WaitState},
    exit::Exit,
    find::Wanted,
    out::Out,
    target,
};
use crate::{
    model::rollout::{Phase, Rollout},
    ops::seen::Seen,
    runtime::{clock::now, execute::Sight, session::Session},
};

pub(super) async fn run(session: &Session, args: &WaitArgs, out: &mut Out) -> Exit {
    let wanted = match Wanted::parse(&args.target.service, args.target.env.as_deref()) {
        Ok(wanted) => wanted,
        Err(why) => return out.fail(Exit::Usage, &why),
    };
    let (ready, release) = match target::find(session, &wanted).await {
        Ok(found) => found,
        Err((Exit::NotFound, _)) if args.state == WaitState::Gone => {
            return said(out, args, None, "gone");
        }
        Err((exit, why)) => return out.fail(exit, &why),
    };
    let Ok(cluster) = &ready.cluster else {
        return out.fail(Exit::Unreachable, "its environment is not connected");
    };
    let (sender, mut states) = mpsc::channel(16);
    let id = release.rollout.id.clone();
    let observing = cluster.observe(&id, None, sender);
    let mut last: Option<Rollout> = Some((*release.rollout).clone());
    let judging = async {
        while let Some(state) = states.recv().await {
            match state {
                Sight::Seen(Seen::Rollout(rollout)) => {
                    let reached = reached(args.state, &rollout);
                    last = Some((*rollout).clone());
                    if reached {
                        return true;
                    }
                }
                // Only a rollout is observed here.
                Sight::Seen(Seen::Run(_) | Seen::Incidents(_)) => {}
                Sight::Deleted => {
                    last = None;
                    return args.state == WaitState::Gone;
                }
            }
        }
        false
    };
    let limit = Duration::from_secs(u64::try_from(args.timeout).unwrap_or(0));
    let ended = tokio::select! {
        reached = judging => Some(reached),
        () = observing => None,
        () = tokio::time::sleep(limit) => None,
    };
    match ended {
        Some(true) => {
            let word = last.as_ref().map_or("gone", |rollout| rollout.phase.word());
            said(out, args, last.as_ref(), word)
        }
        Some(false) => out.fail(
            Exit::NotFound,
            &format!("{id} was deleted while it was waited for"),
        ),
        None => {
            let words = last
                .as_ref()
                .map_or_else(|| "nothing was seen of it".to_owned(), words);
            out.json_only(&object(args, last.as_ref(), false));
            out.error(&format!("{} s ran out; {id} is {words}", args.timeout));
            Exit::TimedOut
        }
    }
}

fn reached(state: WaitState, rollout: &Rollout) -> bool {
    if !rollout.generation_observed {
        return false;
    }
    match state {
        WaitState::Healthy => rollout.phase == Phase::Healthy,
        WaitState::Paused => rollout.phase == Phase::Paused,
        WaitState::Degraded => rollout.phase == Phase::Degraded,
        WaitState::Step(step) => rollout
            .canary()
            .is_some_and(|canary| canary.index.unwrap_or(0) >= step),
        WaitState::Gone => false,
    }
}

fn words(rollout: &Rollout) -> String {
    let step = rollout.canary().map(|canary| {
        format!(
            ", step {} of {}",
            canary.index.unwrap_or(0),
            canary.steps.len()
        )
    });
    let message = if rollout.message.is_empty() {
        String::new()
    } else {
        format!(": {}", &*rollout.message)
    };
    format!(
        "{}{}{message}",
        rollout.phase.word(),
        step.unwrap_or_default()
    )
}

fn object(args: &WaitArgs, rollout: Option<&Rollout>, reached: bool) -> serde_json::Value {
    json!({
        "schema": "windlass.wait/1",
        "at": now(),
        "service": args.target.service,
        "reached": reached,
        "id": rollout.map(|rollout| rollout.id.to_string()),
        "phase": rollout.map(|rollout| rollout.phase.word()),
        "message": rollout.map(|rollout| rollout.message.to_string()),
        "step": rollout.and_then(|rollout| rollout.canary()).map(|canary| canary.index.unwrap_or(0)),
    })
}

fn said(out: &mut Out, args: &WaitArgs, rollout: Option<&Rollout>, word: &str) -> Exit {
    out.result(&object(args, rollout, true), || {
        rollout.map_or_else(|| word.to_owned(), words)
    });
    Exit::Done
}
