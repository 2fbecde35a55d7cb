//! `approve`, `reject` and `silence`: the same plans, guards, execution, observation and audit as on the screen, about
//! what is beside a rollout.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    args::{ActArgs, DecideArgs, SilenceArgs},
    exit::Exit,
    out::{Out, plan_text},
    report,
    verb::{How, confirm_and_execute},
};
use crate::{
    model::{
        id::{EnvironmentName, IntentId},
        incident::{Matcher, SilenceId},
        pipeline::{GateId, GateName, Repository, RunRead},
        source::SourceState,
        text::sanitise,
    },
    ops::{
        guard::{Arming, Incidents, Situation, ask_all},
        intent::{Expects, Intent, Verb},
        plan::{Plan, Refusal, RefusalKind},
        subject::{ExpireSubject, GateSubject, SilenceSubject, Subject},
    },
    providers::{github, http::Trouble},
    runtime::{
        clock::now,
        session::{Ready, Session},
    },
};

pub(super) async fn gate(session: &Session, verb: Verb, args: &DecideArgs, out: &mut Out) -> Exit {
    let name = match GateName::parse(&args.id) {
        Ok(name) => name,
        Err(why) => return no_plan(out, verb, &args.id, Exit::Usage, &[why]),
    };
    let Some(host) = session.besides.github() else {
        let why = "no CI host is configured: [sources.github], or a service with a repository";
        return no_plan(out, verb, &args.id, Exit::Usage, &[why.to_owned()]);
    };
    let server = match host.server().await {
        Ok(server) => server,
        Err(why) => {
            let why = why.to_string();
            return no_plan(out, verb, &args.id, Exit::Unreachable, &[why]);
        }
    };
    // The id has all that a human saw but the environment's number, which only the host knows.
    let read = match github::read::run_read(&server.urgent(), &name.run).await {
        Ok(read) => read,
        Err(trouble) => {
            let exit = exit_of(&trouble);
            let why = trouble.sentence().to_string();
            return no_plan(out, verb, &args.id, exit, &[why]);
        }
    };
    let gate = match find(&name, &read) {
        Ok(gate) => gate,
        Err(why) => return no_plan(out, verb, &args.id, Exit::Refused, &[why]),
    };
    let known = session.environments.iter().map(|ready| &ready.name);
    let environment = session
        .besides
        .services
        .environment(&gate.environment, known)
        .unwrap_or_else(|| EnvironmentName::new(&gate.environment));
    let subject = Subject::Gate(GateSubject { environment, gate });
    act(session, verb, subject, &args.act, &args.id, out).await
}

/// A host that answered and does not let us is no outage: trying again later does not help.
fn exit_of(trouble: &Trouble) -> Exit {
    match (trouble.status(), trouble.state()) {
        (Some(404), _) => Exit::NotFound,
        (_, SourceState::Unauthorized | SourceState::Forbidden) => Exit::Refused,
        _ => Exit::Unreachable,
    }
}

/// The gate that an id means; any difference refuses.
fn find(name: &GateName, read: &RunRead) -> Result<GateId, String> {
    if read.run.attempt != name.attempt {
        return Err(format!(
            "the run is at attempt {} now, and the id says {}",
            read.run.attempt, name.attempt
        ));
    }
    if read.run.commit != name.commit {
        return Err(format!(
            "the commit of the run is {}, and the id says {}",
            read.run.commit, name.commit
        ));
    }
    let gate = read
        .run
        .gates
        .iter()
        .flatten()
        .find(|gate| &*gate.environment == name.environment.as_str())
        .ok_or_else(|| {
            format!(
                "nothing waits for {} in run {} (it is {})",
                name.environment,
                name.run,
                read.run.phase.words()
            )
        })?;
    Ok(GateId {
        run: name.run.clone(),
        attempt: name.attempt,
        environment_id: gate.environment_id,
        environment: gate.environment.clone(),
        commit: name.commit.clone(),
    })
}

pub(super) async fn silence(session: &Session, args: &SilenceArgs, out: &mut Out) -> Exit {
    let (asked, named) = match &args.expire {
        Some(id) => (Verb::Expire, id.clone()),
        None => (Verb::Silence, args.matchers.join(" ")),
    };
    let ready = match environment(session, args.env.as_deref()) {
        Ok(ready) => ready,
        Err((exit, why)) => return no_plan(out, asked, &named, exit, &[why]),
    };
    let (verb, subject) = match &args.expire {
        Some(id) if args.matchers.is_empty() => (
            Verb::Expire,
            Subject::Expire(ExpireSubject {
                environment: ready.name.clone(),
                silence: SilenceId(sanitise(id)),
            }),
        ),
        Some(_) => {
            let why = "--expire ends one silence and takes no matchers";
            return no_plan(out, asked, &named, Exit::Usage, &[why.to_owned()]);
        }
        None => match draft(args, &ready.name, now()) {
            Ok(subject) => (Verb::Silence, Subject::Silence(subject)),
            Err(why) => return no_plan(out, asked, &named, Exit::Usage, &[why]),
        },
    };
    let named = subject.to_string();
    act(session, verb, subject, &args.act, &named, out).await
}

fn draft(
    args: &SilenceArgs,
    environment: &EnvironmentName,
    now: Timestamp,
) -> Result<SilenceSubject, String> {
    if args.matchers.is_empty() {
        return Err(
            "a silence needs matchers, LABEL=VALUE; windlass silence --expire ID ends one"
                .to_owned(),
        );
    }
    let comment = args.comment.clone().unwrap_or_default();
    if comment.trim().is_empty() {
        return Err("a silence says why: --comment TEXT".to_owned());
    }
    let matchers = args
        .matchers
        .iter()
        .map(|text| matcher(text))
        .collect::<Result<Vec<Matcher>, String>>()?;
    let starts_at = Timestamp::from_second(now.as_second()).unwrap_or(now);
    Ok(SilenceSubject {
        environment: environment.clone(),
        matchers,
        starts_at,
        ends_at: starts_at
            .checked_add(SignedDuration::from_secs(args.duration))
            .map_err(|error| error.to_string())?,
        comment: comment.trim().to_owned(),
    })
}

/// `service=checkout` or `service="checkout"`. Equality only: what a regular expression would match cannot be previewed
/// here as its system evaluates it.
fn matcher(text: &str) -> Result<Matcher, String> {
    let wrong = || format!("{text:?} is no matcher: write LABEL=VALUE (equality only)");
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    if name.is_empty() || name.ends_with('!') || value.starts_with('~') {
        return Err(wrong());
    }
    let value = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value);
    Ok(Matcher::equal(name, value))
}

/// The environment that is meant: the only one with an alert manager, unless it is named.
fn environment<'a>(session: &'a Session, named: Option<&str>) -> Result<&'a Ready, (Exit, String)> {
    let with: Vec<&Ready> = session
        .environments
        .iter()
        .filter(|ready| {
            session
                .besides
                .alertmanagers()
                .any(|(name, _)| *name == ready.name)
        })
        .collect();
    let found = match named {
        Some(named) => with.iter().find(|ready| ready.name.as_str() == named),
        None if with.len() == 1 => with.first(),
        None => None,
    };
    found.copied().ok_or_else(|| {
        let known: Vec<&str> = with.iter().map(|ready| ready.name.as_str()).collect();
        match (named, known.as_slice()) {
            (_, []) => (
                Exit::Usage,
                "no alert manager is configured: [environments.NAME] alertmanager".to_owned(),
            ),
            (Some(named), known) => (
                Exit::NotFound,
                format!(
                    "{named} has no alert manager here; there is {}",
                    known.join(", ")
                ),
            ),
            (None, known) => (
                Exit::NotFound,
                format!("--env is needed: one of {}", known.join(", ")),
            ),
        }
    })
}

async fn act(
    session: &Session,
    verb: Verb,
    target: Subject,
    args: &ActArgs,
    named: &str,
    out: &mut Out,
) -> Exit {
    let acting = match session.besides.acting(&target, None) {
        Ok(acting) => acting,
        Err(why) => return no_plan(out, verb, named, Exit::Usage, &[why]),
    };
    let intent = Intent {
        id: IntentId::new(&format!("{}-1", session.id)),
        verb,
        seen: target.uid(),
        target,
        to_revision: None,
        expects: Expects::default(),
        reason: args.reason.clone(),
    };
    let plan = match acting.plan(&intent).await {
        Ok(plan) => plan,
        Err(refusal) => return refused(out, verb, named, &refusal),
    };
    let guards = guards(session, &plan, args.dry_run).await;
    if args.dry_run {
        out.result(
            &report::action(&plan, &guards, "dry-run", &Value::Null, None),
            || plan_text(&plan, &guards),
        );
        return Exit::Done;
    }
    let how = How::of(args);
    match confirm_and_execute(session, &acting, &plan, &guards, &how, out).await {
        Ok(outcome) => super::verb::finish(&plan, &guards, &outcome, out),
        Err(exit) => exit,
    }
}

async fn guards(
    session: &Session,
    plan: &Plan,
    dry_run: bool,
) -> Vec<crate::ops::guard::GuardAnswer> {
    let name = plan.intent.target.environment();
    let ready = session
        .environments
        .iter()
        .find(|ready| ready.name == *name);
    let nowhere = Arming::Forbidden {
        because: format!(
            "{name} is not an environment of this session: name it in [environments.ENV] github"
        ),
    };
    let dry = Arming::Armed { until: None };
    let arming = match (dry_run, ready) {
        (true, _) => &dry,
        (false, Some(ready)) => &ready.arming,
        (false, None) => &nowhere,
    };
    // An open incident on what a gate releases asks for more ceremony here too.
    let firing = match &plan.intent.target {
        Subject::Gate(subject) if plan.intent.verb == Verb::Approve => {
            firing(session, name, &subject.gate.run.repository).await
        }
        _ => None,
    };
    let incidents = firing.as_ref().map(|firing| match firing {
        Ok(titles) => Incidents::Known(titles.iter().map(String::as_str).collect()),
        Err(why) => Incidents::Unknown(why.clone()),
    });
    ask_all(
        plan,
        &Situation {
            now: now(),
            arming,
            access: None,
            source: None,
            in_flight: None,
            earlier_unknown: None,
            wrote_before: false,
            first_write_counts: false,
            changed: None,
            incidents,
            who: "you",
        },
    )
}

/// Titles of what fires on what a repository releases to an environment. `None`: nothing there would tell.
async fn firing(
    session: &Session,
    environment: &EnvironmentName,
    repository: &Repository,
) -> Option<Result<Vec<String>, String>> {
    let besides = &session.besides;
    match besides.services.alerts_of_repository(repository) {
        Ok(of) => {
            let firing = besides.firing(environment, |alert| of.has(alert)).await?;
            Some(firing.map_err(|why| why.to_string()))
        }
        Err(why) => besides
            .alertmanagers()
            .any(|(with, _)| with == environment)
            .then_some(Err(why)),
    }
}

fn refused(out: &mut Out, verb: Verb, named: &str, refusal: &Refusal) -> Exit {
    let exit = match refusal.kind {
        RefusalKind::Guard => Exit::Refused,
        RefusalKind::NotFound => Exit::NotFound,
        RefusalKind::Unreachable => Exit::Unreachable,
    };
    no_plan(out, verb, named, exit, &refusal.because)
}

fn no_plan(out: &mut Out, verb: Verb, named: &str, exit: Exit, because: &[String]) -> Exit {
    let guards: Vec<Value> = because
        .iter()
        .map(|because| json!({ "name": "state", "answer": "deny", "because": because }))
        .collect();
    out.json_only(&json!({
        "schema": "windlass.action/1",
        "id": null,
        "verb": verb,
        "target": { "id": named },
        "plan": null,
        "guards": guards,
        "outcome": "refused",
        "observed": null,
        "audit_id": null,
    }));
    for reason in because {
        out.error(reason);
    }
    exit
}
