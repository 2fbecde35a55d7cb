//! Plans about gates and runs, pure: from a fresh read of the run to everything that would be sent and shown.
//!
//! GitHub takes no precondition. An approval names a run and an environment and releases every job of that run which
//! waits there at that moment, in whatever attempt; a run again has the same id, an old commit and the privileges of the
//! one who caused it first. So the plan is held against what was on the screen, and the basis holds everything that is
//! compared once more immediately before the request leaves.

use jiff::Timestamp;

use super::requests::{self, Decision, Write};
use crate::{
    model::{
        id::ResourceVersion,
        pipeline::{Conclusion, Gate, GateId, ReviewState, Run, RunPhase, RunRead},
        release::duration_words,
        source::Tier,
        text::Safe,
    },
    ops::{
        basis::{Basis, Phase, RunBasis},
        goal::{Goal, said_of},
        intent::{Intent, Verb},
        plan::{Change, Plan, Refusal, Risk, Sending, Target, When},
        subject::{GateSubject, RunSubject, Subject, run_uid},
    },
};

const DECIDED_WITHIN_S: i64 = 60;
const STARTED_WITHIN_S: i64 = 60;
/// Steps with `if: always()` go on after a cancellation, and the host gives them five minutes.
const CANCELLED_WITHIN_S: i64 = 360;

/// What a plan is made from besides the run.
#[derive(Clone, Debug)]
pub struct Terms {
    pub tier: Tier,
    /// Who acts, for the comment.
    pub who: String,
}

pub fn plan(intent: &Intent, read: &RunRead, terms: &Terms) -> Result<Plan, Refusal> {
    match (&intent.target, intent.verb) {
        (Subject::Gate(subject), Verb::Approve | Verb::Reject) => {
            decision(intent, subject, read, terms)
        }
        (Subject::Run(subject), Verb::Cancel) => cancel(intent, subject, read, terms),
        (Subject::Run(subject), Verb::Rerun | Verb::RerunFailed) => {
            again(intent, subject, read, terms)
        }
        _ => Err(Refusal::guard(format!(
            "{} is nothing that GitHub does to {}",
            intent.verb.title(),
            intent.target
        ))),
    }
}

fn same_attempt(
    read: &RunRead,
    attempt: u64,
    commit: &crate::model::pipeline::Commit,
) -> Result<(), Refusal> {
    let run = &read.run;
    if run.attempt != attempt {
        return Err(Refusal::guard(format!(
            "the run was started again: it is attempt {} now, and attempt {attempt} was on the screen: look at that one first",
            run.attempt
        )));
    }
    if run.commit != *commit {
        return Err(Refusal::guard(format!(
            "the commit of the run is {}, and {} was on the screen",
            run.commit.short(),
            commit.short()
        )));
    }
    Ok(())
}

/// The gate as it is now, where it is still the one that was on the screen.
fn gate<'a>(read: &'a RunRead, id: &GateId) -> Result<&'a Gate, Refusal> {
    let Some(gates) = &read.run.gates else {
        return Err(Refusal::unreachable(
            "what waits in the run could not be read",
        ));
    };
    let Some(gate) = gates
        .iter()
        .find(|gate| gate.environment_id == id.environment_id)
    else {
        return Err(Refusal::guard(format!(
            "nothing waits for {} in this run: somebody decided, its timer ran out, or it was cancelled",
            &*id.environment
        )));
    };
    if gate.environment != id.environment {
        return Err(Refusal::guard(format!(
            "the environment is called {} now, and {} was on the screen",
            &*gate.environment, &*id.environment
        )));
    }
    Ok(gate)
}

fn decision(
    intent: &Intent,
    subject: &GateSubject,
    read: &RunRead,
    terms: &Terms,
) -> Result<Plan, Refusal> {
    let id = &subject.gate;
    same_attempt(read, id.attempt, &id.commit)?;
    let gate = gate(read, id)?;
    if !gate.waits_for_human() {
        return Err(Refusal::guard(
            "nobody is asked at this gate: it waits for its timer or for another rule",
        ));
    }
    if gate.may_decide == Some(false) {
        return Err(Refusal::guard(format!(
            "not permitted: {} may decide here, and the token's user is none of them",
            names(&gate.reviewers)
        )));
    }
    let approve = intent.verb == Verb::Approve;
    let run = &read.run;
    let jobs = names(&gate.waiting_jobs);
    let comment = intent
        .reason
        .clone()
        .unwrap_or_else(|| format!("{} by {} with windlass", word(approve), terms.who));
    let decision = if approve {
        Decision::Approve
    } else {
        Decision::Reject
    };
    let request = requests::review(&run.id, &[id.environment_id], decision, &comment);
    let mut risks = Vec::new();
    if approve && gate.waiting_jobs.len() > 1 {
        risks.push(Risk::Consequence {
            words: format!("one approval releases every job that waits there: {jobs}"),
        });
    }
    if gate.may_decide.is_none() {
        risks.push(Risk::UnknownState {
            words: "whether this token may decide here is not told".to_owned(),
        });
    }
    let timer = if gate.timer_minutes > 0 {
        format!(
            "; a timer of {} min has to pass as well",
            gate.timer_minutes
        )
    } else {
        String::new()
    };
    Ok(Plan {
        title: format!(
            "{} {} of {} #{}",
            if approve { "Approve" } else { "Reject" },
            &*gate.environment,
            run.id.repository,
            run.number
        ),
        next: if approve {
            format!(
                "{jobs} of {} runs and deploys {}{timer}",
                &*run.workflow,
                run.commit.short()
            )
        } else {
            format!("{jobs} of {} does not run, the run fails", &*run.workflow)
        },
        change: Change::Words {
            from: format!("waits at {}", &*gate.environment),
            to: word(approve).to_owned(),
        },
        same_as: vec![request.command.clone()],
        way_back: if approve {
            "cancel stops the jobs while they run; what they have deployed stays until it is rolled back".to_owned()
        } else {
            "re-run starts another attempt, and its gate asks again".to_owned()
        },
        skips: None,
        expect: if approve {
            format!("the gate is gone and {jobs} runs")
        } else {
            "the run ends as failed".to_owned()
        },
        goal: Goal::GateDecided {
            gate: id.clone(),
            approved: approve,
            approvals_before: said(read, id, &ReviewState::Approved),
            rejections_before: said(read, id, &ReviewState::Rejected),
        },
        time_s: DECIDED_WITHIN_S,
        basis: Basis::Run(Box::new(RunBasis::at_gate(run, gate))),
        risks,
        ..about(intent, read, terms, request)
    })
}

fn said(read: &RunRead, id: &GateId, state: &ReviewState) -> usize {
    said_of(read, id.environment_id, state).count()
}

const fn word(approve: bool) -> &'static str {
    if approve { "approved" } else { "rejected" }
}

fn cancel(
    intent: &Intent,
    subject: &RunSubject,
    read: &RunRead,
    terms: &Terms,
) -> Result<Plan, Refusal> {
    same_attempt(read, subject.attempt, &subject.commit)?;
    let run = &read.run;
    if run.phase.has_ended() {
        return Err(Refusal::guard(format!(
            "the run has ended: {}",
            run.phase.words()
        )));
    }
    let running: Vec<Safe> = jobs_in(run, |phase| matches!(phase, RunPhase::Running));
    let request = requests::cancel(&run.id);
    let risks = if running.is_empty() {
        Vec::new()
    } else {
        vec![Risk::Consequence {
            words: format!(
                "{} is running: what a deploy job has begun stays half done",
                names(&running)
            ),
        }]
    };
    Ok(Plan {
        title: format!("Cancel {} #{}", run.id.repository, run.number),
        next: format!(
            "steps of {} that always run still do, then it ends as cancelled",
            &*run.workflow
        ),
        change: Change::Words {
            from: run.phase.words().to_owned(),
            to: "cancelled".to_owned(),
        },
        same_as: vec![request.command.clone()],
        way_back: "re-run starts it again with the same commit".to_owned(),
        skips: None,
        expect: "the run ends as cancelled".to_owned(),
        goal: Goal::RunCancelled {
            attempt: run.attempt,
        },
        time_s: CANCELLED_WITHIN_S,
        basis: Basis::Run(Box::new(RunBasis::of(run, Phase::NotEnded))),
        risks,
        ..about(intent, read, terms, request)
    })
}

fn again(
    intent: &Intent,
    subject: &RunSubject,
    read: &RunRead,
    terms: &Terms,
) -> Result<Plan, Refusal> {
    same_attempt(read, subject.attempt, &subject.commit)?;
    let run = &read.run;
    if !run.phase.has_ended() {
        return Err(Refusal::guard(format!(
            "the run has not ended ({}): GitHub refuses to run it again before that",
            run.phase.words()
        )));
    }
    let only_failed = intent.verb == Verb::RerunFailed;
    if only_failed && run.phase == RunPhase::Ended(Conclusion::Success) {
        return Err(Refusal::guard("nothing failed in it"));
    }
    let failed = jobs_in(run, |phase| phase.has_ended() && !phase.is_success());
    let request = if only_failed {
        requests::rerun_failed(&run.id)
    } else {
        requests::rerun(&run.id)
    };
    let age = run.created.map_or_else(
        || "of unknown age".to_owned(),
        |created| format!("{} old", age(read.read_at, created)),
    );
    Ok(Plan {
        title: format!(
            "{} {} #{}",
            if only_failed {
                "Re-run what failed in"
            } else {
                "Re-run"
            },
            run.id.repository,
            run.number
        ),
        next: format!(
            "attempt {} of {} with commit {}{}",
            run.attempt + 1,
            &*run.workflow,
            run.commit.short(),
            if only_failed {
                format!(": {} and what depends on it", names(&failed))
            } else {
                String::new()
            }
        ),
        change: Change::Words {
            from: format!("attempt {} {}", run.attempt, run.phase.words()),
            to: format!("attempt {}", run.attempt + 1),
        },
        same_as: vec![request.command.clone()],
        way_back: "cancel stops it while it runs".to_owned(),
        skips: None,
        expect: format!("attempt {} exists", run.attempt + 1),
        goal: Goal::RunsAgain {
            after_attempt: run.attempt,
        },
        time_s: STARTED_WITHIN_S,
        basis: Basis::Run(Box::new(RunBasis::of(
            run,
            Phase::Exactly(run.phase.clone()),
        ))),
        risks: vec![Risk::Consequence {
            words: format!(
                "it deploys the commit of the run again, {} ({age}), not a newer one",
                run.commit.short()
            ),
        }],
        ..about(intent, read, terms, request)
    })
}

fn age(now: Timestamp, then: Timestamp) -> String {
    duration_words(now.duration_since(then).as_secs())
}

fn jobs_in(run: &Run, wanted: impl Fn(&RunPhase) -> bool) -> Vec<Safe> {
    run.jobs
        .iter()
        .flatten()
        .filter(|job| wanted(&job.phase))
        .map(|job| job.name.clone())
        .collect()
}

fn names(of: &[Safe]) -> String {
    if of.is_empty() {
        return "what waits".to_owned();
    }
    of.iter().map(|name| &**name).collect::<Vec<_>>().join(", ")
}

/// What every plan about a run has in common. The caller fills in the rest.
fn about(intent: &Intent, read: &RunRead, terms: &Terms, request: Write) -> Plan {
    let run = &read.run;
    Plan {
        intent: intent.clone(),
        target: Target {
            uid: run_uid(&run.id),
            version: ResourceVersion::new(&format!(
                "attempt {} of {}",
                run.attempt,
                run.commit.short()
            )),
            tier: terms.tier,
            revision: None,
            hash: None,
        },
        title: String::new(),
        next: String::new(),
        change: Change::Words {
            from: String::new(),
            to: String::new(),
        },
        sends: vec![Sending {
            says: None,
            method: "POST",
            path: request.path,
            content_type: requests::JSON,
            shown: request.body.clone().unwrap_or_default(),
            body: request.body.unwrap_or_default(),
            when: When::AtOnce,
            holder_version: None,
            // Nothing that GitHub answers proves that a request did nothing and may be sent again.
            resends: 0,
        }],
        same_as: Vec::new(),
        way_back: String::new(),
        git: None,
        not_undone: Vec::new(),
        skips: None,
        differs: Vec::new(),
        expect: String::new(),
        goal: Goal::RunCancelled {
            attempt: run.attempt,
        },
        time_s: DECIDED_WITHIN_S,
        basis: Basis::Run(Box::new(RunBasis::of(run, Phase::NotEnded))),
        risks: Vec::new(),
        note: None,
        needs: Vec::new(),
        read_at: read.read_at,
        serves_after: None,
    }
}
