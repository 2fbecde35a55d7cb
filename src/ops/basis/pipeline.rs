//! What a decision about a run rests on. A CI host takes no precondition: an approval names a run and an environment and
//! releases whatever waits there at that moment, in whatever attempt. So every fact that was on the screen is compared
//! again immediately before the request, and any difference refuses.

use crate::model::{
    pipeline::{Commit, Gate, Run, RunPhase, RunRead},
    text::Safe,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunBasis {
    pub attempt: u64,
    pub commit: Commit,
    /// Where the run must still be. A gate is about a run that waits; a run again about one that has ended as it did.
    pub phase: Phase,
    pub gate: Option<GateBasis>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    Exactly(RunPhase),
    /// Anything but ended: a cancellation means the same wherever it is.
    NotEnded,
}

/// The gate, with everything that an approval of it releases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateBasis {
    pub environment_id: u64,
    pub environment: Safe,
    /// Sorted.
    pub waiting_jobs: Vec<Safe>,
    pub reviewers: Vec<Safe>,
}

impl GateBasis {
    pub fn of(gate: &Gate) -> Self {
        let mut waiting_jobs = gate.waiting_jobs.clone();
        waiting_jobs.sort();
        let mut reviewers = gate.reviewers.clone();
        reviewers.sort();
        Self {
            environment_id: gate.environment_id,
            environment: gate.environment.clone(),
            waiting_jobs,
            reviewers,
        }
    }
}

impl RunBasis {
    pub fn at_gate(run: &Run, gate: &Gate) -> Self {
        Self {
            attempt: run.attempt,
            commit: run.commit.clone(),
            phase: Phase::Exactly(run.phase.clone()),
            gate: Some(GateBasis::of(gate)),
        }
    }

    pub fn of(run: &Run, phase: Phase) -> Self {
        Self {
            attempt: run.attempt,
            commit: run.commit.clone(),
            phase,
            gate: None,
        }
    }

    pub(super) fn changed(&self, read: &RunRead) -> Option<String> {
        let run = &read.run;
        if run.attempt != self.attempt {
            return Some(format!(
                "the run was started again: it is attempt {} now, and attempt {} was on the screen",
                run.attempt, self.attempt
            ));
        }
        if run.commit != self.commit {
            return Some(format!(
                "the commit is {} now, and {} was on the screen",
                run.commit.short(),
                self.commit.short()
            ));
        }
        let as_it_was = match &self.phase {
            Phase::Exactly(phase) => run.phase == *phase,
            Phase::NotEnded => !run.phase.has_ended(),
        };
        if !as_it_was {
            return Some(format!("the run is {} now", run.phase.words()));
        }
        self.gate
            .as_ref()
            .and_then(|gate| gate_changed(gate, run.gates.as_deref()))
    }
}

fn gate_changed(was: &GateBasis, gates: Option<&[Gate]>) -> Option<String> {
    let Some(gates) = gates else {
        return Some("what waits in it could not be read".to_owned());
    };
    let Some(gate) = gates
        .iter()
        .find(|gate| gate.environment_id == was.environment_id)
    else {
        return Some(format!(
            "nothing waits for {} any more: somebody decided, or its timer ran out",
            &*was.environment
        ));
    };
    let is = GateBasis::of(gate);
    if is.environment != was.environment {
        return Some(format!(
            "the environment is called {} now",
            &*is.environment
        ));
    }
    if is.waiting_jobs != was.waiting_jobs {
        let names: Vec<&str> = is.waiting_jobs.iter().map(|name| &**name).collect();
        return Some(format!("other jobs wait there now: {}", names.join(", ")));
    }
    (is.reviewers != was.reviewers).then(|| "its reviewers were changed".to_owned())
}
