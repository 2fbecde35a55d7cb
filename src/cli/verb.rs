//! A verb on the command line: the same plan, guards, execution, observation and audit as on the screen, in one process
//! that is a session of its own.

use std::{
    io::{IsTerminal, Write},
    rc::Rc,
};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    args::{ActArgs, VerbArgs},
    exit::{Exit, of_outcome},
    find::Wanted,
    out::{Out, plan_text},
    report, target,
};
use crate::{
    app::outcome_words,
    model::{
        id::{IntentId, PodHash},
        release::Release,
    },
    ops::{
        ceremony::{Confirmation, NotYet, approve, ceremony, missing},
        guard::{Arming, GuardAnswer, Incidents, Situation, ask_all},
        intent::{Expects, Intent, Verb},
        machine::{Machine, Outcome, OutcomeKind, WaitFor},
        plan::{Plan, Refusal, RefusalKind},
        subject::Subject,
    },
    runtime::{
        clock::now,
        cluster::Cluster,
        execute::{Control, System, execute},
        session::Session,
    },
};

/// Which verb, and what only some of them take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub verb: Verb,
    pub to: Option<u64>,
}

pub(super) async fn run(session: &Session, asked: Asked, args: &VerbArgs, out: &mut Out) -> Exit {
    let wanted = match Wanted::parse(&args.target.service, args.target.env.as_deref()) {
        Ok(wanted) => wanted,
        Err(why) => return out.fail(Exit::Usage, &why),
    };
    let (ready, release) = match target::find(session, &wanted).await {
        Ok(found) => found,
        Err((exit, why)) => return no_plan(out, asked.verb, args, exit, &[why]),
    };
    let cluster = match &ready.cluster {
        Ok(cluster) => Rc::clone(cluster),
        Err(why) => {
            return no_plan(out, asked.verb, args, Exit::Unreachable, &[why.to_string()]);
        }
    };
    let intent = intent(session, asked, args, &release);
    let (access, ()) = tokio::join!(
        cluster.access(&release.rollout.id.namespace),
        cluster.ask_who()
    );
    let plan = match cluster.plan(&intent).await {
        Ok(plan) => plan,
        Err(refusal) => return refused(out, &cluster, asked, args, &intent, refusal).await,
    };
    let who = cluster
        .who
        .borrow()
        .as_ref()
        .map_or_else(|| "you".to_owned(), |who| who.name.to_string());
    let id = &release.rollout.id;
    // Going back is never held up by a question about incidents.
    let firing = match asked.verb.is_emergency() {
        true => None,
        false => {
            let services = &session.besides.services;
            session
                .besides
                .firing(&id.environment, |alert| services.is_alert_of(id, alert))
                .await
        }
    };
    let dry = Arming::Armed { until: None };
    let guards = ask_all(
        &plan,
        &Situation {
            now: now(),
            // A dry run needs nothing.
            arming: if args.dry_run { &dry } else { &ready.arming },
            access: Some(&access),
            source: None,
            in_flight: None,
            earlier_unknown: None,
            wrote_before: false,
            first_write_counts: false,
            changed: None,
            incidents: firing.as_ref().map(|firing| match firing {
                Ok(titles) => Incidents::Known(titles.iter().map(String::as_str).collect()),
                Err(why) => Incidents::Unknown(why.to_string()),
            }),
            who: &who,
        },
    );
    if args.dry_run {
        out.result(
            &report::action(&plan, &guards, "dry-run", &Value::Null, None),
            || plan_text(&plan, &guards),
        );
        return Exit::Done;
    }
    let how = How {
        yes: args.yes,
        confirm: args.confirm.clone(),
        reason: args.reason.clone(),
        no_wait: args.no_wait,
        timeout: args.timeout,
    };
    let outcome = match confirm_and_execute(session, &*cluster, &plan, &guards, &how, out).await {
        Ok(outcome) => outcome,
        Err(exit) => return exit,
    };
    let outcome = match (outcome.kind, args.watch_after) {
        (OutcomeKind::Observed, Some(seconds)) => {
            super::aftermath::watch(&cluster, &session.recorder, &plan, outcome, seconds, out).await
        }
        _ => outcome,
    };
    finish(&plan, &guards, &outcome, out)
}

fn intent(session: &Session, asked: Asked, args: &VerbArgs, release: &Release) -> Intent {
    Intent {
        id: IntentId::new(&format!("{}-1", session.id)),
        verb: asked.verb,
        target: Subject::Release(release.rollout.id.clone()),
        // The object that the name meant when it was looked up.
        seen: Some(release.rollout.uid.clone()),
        to_revision: asked.to,
        expects: Expects {
            revision: args.expect_revision,
            hash: args.expect_hash.as_deref().map(PodHash::new),
        },
        reason: args.reason.clone(),
    }
}

/// There is no plan: every reason, and for a roll back without a target the history to choose from.
async fn refused(
    out: &mut Out,
    cluster: &Cluster,
    asked: Asked,
    args: &VerbArgs,
    intent: &Intent,
    refusal: Refusal,
) -> Exit {
    let exit = match refusal.kind {
        RefusalKind::Guard => Exit::Refused,
        RefusalKind::NotFound => Exit::NotFound,
        RefusalKind::Unreachable => Exit::Unreachable,
    };
    if asked.verb == Verb::Rollback
        && exit == Exit::NotFound
        && let Some(id) = intent.target.release()
        && let Ok(revisions) = cluster.history(id).await
    {
        out.note(&super::history::text(&revisions));
    }
    no_plan(out, asked.verb, args, exit, &refusal.because)
}

fn no_plan(out: &mut Out, verb: Verb, args: &VerbArgs, exit: Exit, because: &[String]) -> Exit {
    let guards: Vec<Value> = because
        .iter()
        .map(|because| json!({ "name": "state", "answer": "deny", "because": because }))
        .collect();
    let object = json!({
        "schema": "windlass.action/1",
        "id": null,
        "verb": verb,
        "target": { "service": args.target.service, "env": args.target.env },
        "plan": null,
        "guards": guards,
        "outcome": "refused",
        "observed": null,
        "audit_id": null,
    });
    out.json_only(&object);
    for reason in because {
        out.error(reason);
    }
    exit
}

/// How a plan is confirmed and waited for.
#[derive(Clone, Debug, Default)]
pub(super) struct How {
    yes: bool,
    confirm: Option<String>,
    reason: Option<String>,
    no_wait: bool,
    timeout: Option<i64>,
}

impl How {
    pub(super) fn of(args: &ActArgs) -> Self {
        Self {
            yes: args.yes,
            confirm: args.confirm.clone(),
            reason: args.reason.clone(),
            no_wait: args.no_wait,
            timeout: args.timeout,
        }
    }
}

/// Confirms and carries out; the error is the exit where nothing was carried out.
pub(super) async fn confirm_and_execute<S: System>(
    session: &Session,
    system: &S,
    plan: &Plan,
    guards: &[GuardAnswer],
    how: &How,
    out: &mut Out,
) -> Result<Outcome, Exit> {
    let mut confirmation = Confirmation {
        yes: how.yes,
        typed: how.confirm.clone(),
        reason: how.reason.clone(),
    };
    if let Some(not_yet) = missing(plan, guards, &confirmation) {
        if let NotYet::Refused(because) = &not_yet {
            out.json_only(&report::action(plan, guards, "refused", &Value::Null, None));
            for reason in because {
                out.error(reason);
            }
            return Err(Exit::Refused);
        }
        let interactive =
            !out.is_json() && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        if !interactive || !ask(plan, guards, &mut confirmation, out) {
            let not_yet = missing(plan, guards, &confirmation).unwrap_or(not_yet);
            out.json_only(&report::action(
                plan,
                guards,
                "needs-confirmation",
                &Value::Null,
                None,
            ));
            out.error(&report::missing(&not_yet, &ceremony(plan, guards)));
            return Err(Exit::NeedsConfirmation);
        }
    }
    // A human may have thought for minutes: the machine reads the object again before it sends.
    let approved = match approve(plan.clone(), guards.to_vec(), &confirmation) {
        Ok(approved) => approved,
        Err((_, not_yet)) => {
            out.error(&report::missing(&not_yet, &ceremony(plan, guards)));
            return Err(Exit::NeedsConfirmation);
        }
    };
    let wait = if how.no_wait {
        WaitFor::Acceptance
    } else {
        WaitFor::Effect
    };
    let machine = Machine::new(approved, wait, how.timeout);
    let (control, commands) = mpsc::unbounded_channel();
    let signals = tokio::task::spawn_local(forward_signals(control));
    let quiet = out.is_json();
    let mut said = String::new();
    let outcome = execute(
        machine,
        system,
        &session.recorder,
        now,
        commands,
        |underway| {
            if !quiet && underway.words != said {
                out.note(&underway.words);
                said = underway.words;
            }
        },
    )
    .await;
    signals.abort();
    Ok(outcome)
}

pub(super) fn finish(
    plan: &Plan,
    guards: &[GuardAnswer],
    outcome: &Outcome,
    out: &mut Out,
) -> Exit {
    let audit = plan.intent.id.as_str();
    let object = report::action(
        plan,
        guards,
        outcome.kind.word(),
        &report::observed(outcome),
        Some(audit),
    );
    out.result(&object, || outcome_words(&plan.title, outcome));
    of_outcome(outcome.kind)
}

/// Asks on the terminal. Only the exact text confirms; an empty line leaves.
fn ask(
    plan: &Plan,
    guards: &[GuardAnswer],
    confirmation: &mut Confirmation,
    out: &mut Out,
) -> bool {
    out.note(&plan_text(plan, guards));
    for _ in 0..3 {
        let Some(not_yet) = missing(plan, guards, confirmation) else {
            return true;
        };
        let prompt = match &not_yet {
            NotYet::Yes => "Y confirms: ".to_owned(),
            NotYet::Type(text) => format!("Type {text} to confirm: "),
            NotYet::Reason => "Why: ".to_owned(),
            NotYet::Refused(_) => return false,
        };
        let Some(answer) = prompted(&prompt) else {
            return false;
        };
        match not_yet {
            NotYet::Yes if answer == "Y" => confirmation.yes = true,
            NotYet::Type(_) => confirmation.typed = Some(answer),
            NotYet::Reason => confirmation.reason = Some(answer),
            NotYet::Yes | NotYet::Refused(_) => return false,
        }
    }
    missing(plan, guards, confirmation).is_none()
}

fn prompted(prompt: &str) -> Option<String> {
    let mut err = std::io::stderr();
    write!(err, "{prompt}").and_then(|()| err.flush()).ok()?;
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .ok()
        .filter(|read| *read > 0)?;
    let line = line.trim_end_matches(['\n', '\r']).to_owned();
    (!line.is_empty()).then_some(line)
}

/// Ctrl-C gives up waiting; a hang-up or an end finishes what has begun.
async fn forward_signals(control: mpsc::UnboundedSender<Control>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut hang_up), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::hangup()),
        signal(SignalKind::terminate()),
    ) else {
        return;
    };
    loop {
        let told = tokio::select! {
            Some(()) = interrupt.recv() => Control::Interrupted,
            Some(()) = hang_up.recv() => Control::Abandoned,
            Some(()) = terminate.recv() => Control::Abandoned,
            else => return,
        };
        if control.send(told).is_err() {
            return;
        }
    }
}
