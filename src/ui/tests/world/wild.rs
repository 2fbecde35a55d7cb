//! Whatever a source could tell: texts of any width, numbers that are none, times far away, everything at once or nothing.

use super::beside::{
    BEFORE, COMMIT, NEXT, alert, changes, deployed, facts, gate, job, metrics, repository, run,
    silence, success, tell,
};
use super::*;
use crate::model::{
    event::Told,
    incident::{AlertState, Fingerprint, IncidentFacts, SilenceId, SilenceState},
    metrics::{Arm, Compared, Counts, Grid, Reading},
    pipeline::{
        Budget, Conclusion, DeployedTo, DeploymentState, Job, JobStep, RunPhase as JobPhase,
    },
};

pub(crate) fn go_wild(state: &mut State, text: &str, number: i64, pick: usize) {
    let far = [
        Timestamp::MIN,
        Timestamp::MAX,
        now(),
        ago(number),
        Timestamp::UNIX_EPOCH,
    ];
    let time = |nth: usize| far[(pick + nth) % far.len()];
    wild_pipeline(state, text, number, pick, time);
    wild_metrics(state, text, number, pick, time(3));
    wild_alerts(state, text, pick, time);
    let github = "github/api.github.com";
    tell(
        state,
        github,
        Told::Budget(Budget {
            limit: pick.is_multiple_of(2).then_some(u64::MAX),
            remaining: Some(u64::MAX),
            resets: Some(time(1)),
            held_until: Some(time(2)),
            asked: u64::MAX,
            unchanged: u64::MAX,
        }),
    );
    tell(state, "prometheus/prod-eu", Told::Ahead(i64::MIN));
}

fn wild_jobs(
    text: &str,
    number: i64,
    pick: usize,
    phase: impl Fn(usize) -> JobPhase,
    time: impl Fn(usize) -> Timestamp,
) -> Vec<Job> {
    (0..pick)
        .map(|nth| {
            let mut job = job(text, phase(nth), number, 5);
            job.started = Some(time(nth));
            job.steps = (0..nth % 12)
                .map(|step| JobStep {
                    number: u64::MAX,
                    name: safe(text),
                    phase: phase(step),
                    started: Some(time(step)),
                    ended: Some(time(step + 1)),
                })
                .collect();
            job
        })
        .collect()
}

fn wild_pipeline(
    state: &mut State,
    text: &str,
    number: i64,
    pick: usize,
    time: impl Fn(usize) -> Timestamp,
) {
    let phases = [
        JobPhase::Queued,
        JobPhase::WaitsForOther,
        JobPhase::WaitsAtGate,
        JobPhase::Running,
        success(),
        JobPhase::Ended(Conclusion::Failure),
        JobPhase::Ended(Conclusion::ActionRequired),
        JobPhase::Ended(Conclusion::StartupFailure),
        JobPhase::Ended(Conclusion::Unknown(safe(text))),
        JobPhase::Unknown(safe(text)),
    ];
    let phase = |nth: usize| phases[(pick + nth) % phases.len()].clone();
    let mut wild = run("acme/checkout", 4_999, NEXT, phase(0));
    wild.title = safe(text);
    wild.attempt = u64::MAX;
    wild.number = u64::MAX;
    wild.created = Some(time(1));
    wild.started = (pick.is_multiple_of(2)).then(|| time(2));
    wild.updated = Some(time(3));
    wild.reference = Some(safe(text));
    let mut held = gate(text, Some(pick.is_multiple_of(2)));
    held.since = Some(time(4));
    held.deadline = Some(time(1));
    let mut timer = gate("production", None);
    timer.reviewers.clear();
    timer.timer_minutes = u64::MAX;
    timer.timer_started = Some(time(2));
    wild.gates = (!pick.is_multiple_of(5)).then(|| vec![held, timer]);
    wild.jobs = (!pick.is_multiple_of(4)).then(|| wild_jobs(text, number, pick, phase, &time));
    let runs = match pick % 3 {
        0 => vec![wild],
        1 => vec![wild, run("acme/checkout", 4_812, COMMIT, phase(3))],
        _ => vec![run("acme/checkout", 4_812, COMMIT, phase(1))],
    };
    let place = DeployedTo {
        environment: safe("production"),
        live: (pick.is_multiple_of(2))
            .then(|| deployed(BEFORE, DeploymentState::Unknown(safe(text)), number)),
        incoming: Some(deployed(COMMIT, DeploymentState::Queued, number)),
        failed_since: Some(deployed(COMMIT, DeploymentState::Error, number)),
        taken_down: !pick.is_multiple_of(2),
    };
    let mut told = facts("acme/checkout", runs, vec![place]);
    told.read_at = time(0);
    told.missing.runs = vec![safe(text)];
    let github = "github/api.github.com";
    tell(state, github, Told::Repository(Arc::new(told)));
    let mut brings = changes(u64::MAX, u64::MAX);
    brings.commits.truncate(pick % 7);
    tell(
        state,
        github,
        Told::Changes {
            repository: repository("acme/checkout"),
            changes: Arc::new(brings),
        },
    );
}

fn wild_alerts(state: &mut State, text: &str, pick: usize, time: impl Fn(usize) -> Timestamp) {
    let mut one = alert("prod-eu", "checkout", text, text);
    one.state = [
        AlertState::Firing,
        AlertState::Suppressed,
        AlertState::Unprocessed,
        AlertState::Unknown(safe(text)),
    ][pick % 4]
        .clone();
    one.starts_at = Some(time(1));
    one.receivers.truncate(pick % 2);
    one.silenced_by = vec![SilenceId(safe("s-1")), SilenceId(safe(text))];
    one.inhibited_by = vec![Fingerprint(safe(text))];
    let mut end = silence("prod-eu", "s-1");
    end.ends_at = Some(time(2));
    end.state = SilenceState::Unknown(safe(text));
    tell(
        state,
        "alertmanager/prod-eu",
        Told::Incidents(Arc::new(IncidentFacts {
            environment: "prod-eu".into(),
            read_at: time(1),
            alerts: (0..pick % 9).map(|_| Arc::new(one.clone())).collect(),
            silences: vec![Arc::new(end)],
            unread: Vec::new(),
            warnings: vec![safe(text)],
        })),
    );
}

fn wild_metrics(state: &mut State, text: &str, number: i64, pick: usize, at: Timestamp) {
    let floats = [
        f64::NAN,
        f64::INFINITY,
        -1.0,
        0.0,
        f64::MAX,
        1e-12,
        f64::from(i32::try_from(number).unwrap_or(7)),
    ];
    let float = |nth: usize| floats[(pick + nth) % floats.len()];
    let reading = |nth: usize| match (pick + nth) % 5 {
        0 => Reading::NaN,
        1 => Reading::Empty,
        2 => Reading::Stale { last: at },
        3 => Reading::Failed(safe(text)),
        _ => Reading::Value(Counts {
            bad: float(nth),
            all: float(nth + 1),
        }),
    };
    let one_arm = |nth: usize| Arm {
        hash: None,
        errors: reading(nth),
        slow: reading(nth + 1),
        traffic: Reading::Value(float(nth)),
        line: (0..pick * 7)
            .map(|point| (!point.is_multiple_of(3)).then(|| float(point)))
            .collect(),
    };
    let compared = if pick.is_multiple_of(2) {
        Compared::CanaryAndStable {
            canary: one_arm(0),
            stable: one_arm(2),
        }
    } else {
        Compared::BeforeAndAfter {
            at,
            before: one_arm(1),
            after: one_arm(3),
        }
    };
    let mut metrics = metrics(
        id("prod-eu", "checkout", WorkloadKind::ArgoRollout),
        compared,
    );
    metrics.grid = Grid {
        start: at,
        step_s: [15, 0, -3, i64::MAX][pick % 4],
        points: [0, 56, usize::MAX][pick % 3],
    };
    metrics.newest = (pick.is_multiple_of(2)).then_some(at);
    metrics.since = at;
    metrics.warnings = vec![safe(text)];
    tell(
        state,
        "prometheus/prod-eu",
        Told::Metrics(Arc::new(metrics)),
    );
}
