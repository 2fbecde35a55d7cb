//! Decisions about gates, runs and silences: what they rest on, and what shows that they worked.

use std::sync::Arc;

use jiff::SignedDuration;

use super::fixture::at;
use crate::{
    model::{
        id::EnvironmentName,
        incident::{
            Alert, AlertState, Fingerprint, IncidentFacts, Labels, Matcher, Silence, SilenceId,
            SilenceState, Unread,
        },
        pipeline::{
            Commit, Conclusion, Gate, GateId, Repository, Review, ReviewState, Run, RunId,
            RunPhase, RunRead,
        },
        text::{Safe, sanitise},
    },
    ops::{
        basis::{Basis, RunBasis, SilenceBasis},
        goal::{Goal, Progress},
        seen::Seen,
    },
};

fn commit(digit: char) -> Commit {
    Commit::new(&digit.to_string().repeat(40)).unwrap()
}

fn gate() -> Gate {
    Gate {
        environment_id: 7,
        environment: sanitise("prod-eu"),
        reviewers: vec![sanitise("release-managers")],
        may_decide: Some(true),
        timer_minutes: 0,
        timer_started: None,
        waiting_jobs: vec![sanitise("deploy")],
        since: Some(at(0)),
        deadline: None,
    }
}

fn read() -> RunRead {
    RunRead {
        run: Run {
            id: RunId {
                repository: Repository::new("acme/checkout").unwrap(),
                number: 30_433_642,
            },
            attempt: 1,
            number: 4812,
            workflow: sanitise("release"),
            workflow_file: Some(sanitise("release.yml")),
            title: sanitise("v2.31.0"),
            event: sanitise("push"),
            reference: Some(sanitise("v2.31.0")),
            commit: commit('9'),
            phase: RunPhase::WaitsAtGate,
            actor: None,
            triggered_by: None,
            created: Some(at(0)),
            started: Some(at(0)),
            ended: None,
            updated: Some(at(0)),
            url: None,
            jobs: Some(Vec::new()),
            gates: Some(vec![gate()]),
        },
        reviews: Vec::new(),
        read_at: at(0),
    }
}

fn with(change: impl FnOnce(&mut RunRead)) -> RunRead {
    let mut read = read();
    change(&mut read);
    read
}

fn said(state: ReviewState) -> Review {
    Review {
        state,
        environments: vec![(7, sanitise("prod-eu"))],
        user: Some(sanitise("bob")),
        comment: Safe::default(),
    }
}

fn changed(now: RunRead) -> Option<String> {
    let was = read();
    let basis = Basis::Run(Box::new(RunBasis::at_gate(&was.run, &gate())));
    basis.changed(&Seen::Run(Arc::new(now)))
}

#[test]
fn an_approval_holds_while_nothing_that_was_on_the_screen_changed() {
    assert_eq!(changed(read()), None);
    // Who may decide was answered once; another answer to that is no other gate.
    assert_eq!(changed(with(|read| read.read_at = at(9))), None);
}

#[test]
fn every_difference_to_what_was_on_the_screen_refuses_an_approval() {
    let why = |change: fn(&mut RunRead)| changed(with(change)).unwrap();
    assert!(why(|read| read.run.attempt = 2).contains("attempt 2"));
    assert!(why(|read| read.run.commit = commit('a')).contains("commit"));
    assert!(why(|read| read.run.phase = RunPhase::Running).contains("running"));
    assert!(why(|read| read.run.gates = None).contains("could not be read"));
    assert!(why(|read| read.run.gates = Some(Vec::new())).contains("nothing waits"));
    assert!(
        why(|read| read.run.gates.as_mut().unwrap()[0].environment = sanitise("prod"))
            .contains("called prod")
    );
    assert!(
        why(|read| read.run.gates.as_mut().unwrap()[0]
            .waiting_jobs
            .push(sanitise("migrate")))
        .contains("other jobs")
    );
    assert!(
        why(|read| read.run.gates.as_mut().unwrap()[0].reviewers.clear()).contains("reviewers")
    );
    assert!(
        why(|read| read.run.gates.as_mut().unwrap()[0].environment_id = 8)
            .contains("nothing waits")
    );
}

fn decided(approved: bool, now: RunRead) -> Progress {
    let was = read();
    Goal::GateDecided {
        gate: GateId {
            run: was.run.id,
            attempt: 1,
            environment_id: 7,
            environment: sanitise("prod-eu"),
            commit: commit('9'),
        },
        approved,
        approvals_before: 0,
        rejections_before: 0,
    }
    .judge(&Seen::Run(Arc::new(now)))
}

#[test]
fn a_gate_that_is_gone_was_approved_only_if_somebody_approved_it() {
    let gone = |read: &mut RunRead| read.run.gates = Some(Vec::new());
    assert_eq!(
        decided(true, with(gone)),
        Progress::Unseen,
        "it may have been cancelled"
    );
    let approved = with(|read| {
        gone(read);
        read.run.phase = RunPhase::Running;
        read.reviews.push(said(ReviewState::Approved));
    });
    assert!(matches!(decided(true, approved), Progress::InEffect(_)));
    let rejected = with(|read| {
        gone(read);
        read.reviews.push(said(ReviewState::Rejected));
    });
    assert_eq!(
        decided(true, rejected),
        Progress::Failed("somebody rejected it".to_owned())
    );
}

#[test]
fn a_decision_that_the_host_has_not_acted_on_is_accepted_and_not_in_effect() {
    let said_so = with(|read| read.reviews.push(said(ReviewState::Approved)));
    assert_eq!(decided(true, said_so), Progress::Accepted);
}

#[test]
fn a_review_of_another_environment_or_attempt_is_not_ours() {
    let other = with(|read| {
        let mut review = said(ReviewState::Approved);
        review.environments = vec![(8, sanitise("staging"))];
        read.reviews.push(review);
        read.run.gates = Some(Vec::new());
    });
    assert_eq!(decided(true, other), Progress::Unseen);
    let again = with(|read| {
        read.run.attempt = 2;
        read.reviews.push(said(ReviewState::Approved));
    });
    assert!(matches!(decided(true, again), Progress::Failed(_)));
}

#[test]
fn a_run_is_cancelled_only_when_it_ended_as_cancelled() {
    let judge = |phase: RunPhase| {
        Goal::RunCancelled { attempt: 1 }
            .judge(&Seen::Run(Arc::new(with(|read| read.run.phase = phase))))
    };
    assert_eq!(judge(RunPhase::Running), Progress::Unseen);
    assert!(matches!(
        judge(RunPhase::Ended(Conclusion::Cancelled)),
        Progress::InEffect(_)
    ));
    assert!(matches!(
        judge(RunPhase::Ended(Conclusion::Success)),
        Progress::Failed(_)
    ));
}

fn environment() -> EnvironmentName {
    "prod-eu".into()
}

fn alert(service: &str, silenced_by: &[&str]) -> Arc<Alert> {
    Arc::new(Alert {
        environment: environment(),
        fingerprint: Fingerprint(sanitise(service)),
        labels: Labels::from([
            (sanitise("alertname"), sanitise("HighErrorRate")),
            (sanitise("service"), sanitise(service)),
        ]),
        annotations: Labels::new(),
        state: AlertState::Firing,
        silenced_by: silenced_by
            .iter()
            .map(|id| SilenceId(sanitise(id)))
            .collect(),
        inhibited_by: Vec::new(),
        muted_by: Vec::new(),
        starts_at: Some(at(0)),
        receivers: Vec::new(),
        generator_url: None,
    })
}

fn matchers() -> Vec<Matcher> {
    vec![Matcher::equal("service", "checkout")]
}

fn facts(alerts: Vec<Arc<Alert>>, state: Option<SilenceState>) -> Seen {
    let silences = state.map(|state| {
        Arc::new(Silence {
            environment: environment(),
            id: SilenceId(sanitise("s-1")),
            matchers: matchers(),
            starts_at: Some(at(0)),
            ends_at: at(0).checked_add(SignedDuration::from_mins(60)).ok(),
            created_by: sanitise("alice"),
            comment: sanitise("why"),
            state,
        })
    });
    Seen::Incidents(Arc::new(IncidentFacts {
        environment: environment(),
        read_at: at(0),
        alerts,
        silences: silences.into_iter().collect(),
        unread: Vec::new(),
        warnings: Vec::new(),
    }))
}

#[test]
fn a_silence_that_would_match_more_than_was_shown_is_refused() {
    let basis = Basis::Silence(Box::new(SilenceBasis::New {
        matchers: vec![Matcher::equal("alertname", "HighErrorRate")],
        shown: vec![Fingerprint(sanitise("checkout"))],
    }));
    assert_eq!(
        basis.changed(&facts(vec![alert("checkout", &[])], None)),
        None
    );
    assert_eq!(
        basis.changed(&facts(Vec::new(), None)),
        None,
        "one that ended changes nothing"
    );
    let more = facts(vec![alert("checkout", &[]), alert("ledger", &[])], None);
    assert!(
        basis
            .changed(&more)
            .unwrap()
            .contains("more than was shown")
    );
}

#[test]
fn the_same_silence_is_not_made_twice() {
    let basis = Basis::Silence(Box::new(SilenceBasis::New {
        matchers: matchers(),
        shown: vec![Fingerprint(sanitise("checkout"))],
    }));
    let there = facts(vec![alert("checkout", &[])], Some(SilenceState::Active));
    assert!(basis.changed(&there).unwrap().contains("exists already"));
    let over = facts(vec![alert("checkout", &[])], Some(SilenceState::Expired));
    assert_eq!(basis.changed(&over), None);
}

#[test]
fn a_silence_is_in_effect_when_its_alerts_are_silent_and_not_when_it_was_made() {
    let goal = Goal::Silenced {
        matchers: matchers(),
        ends_at: at(0).checked_add(SignedDuration::from_mins(60)).unwrap(),
    };
    let judge = |alerts, state| goal.judge(&facts(alerts, state));
    assert_eq!(judge(vec![alert("checkout", &[])], None), Progress::Unseen);
    assert_eq!(
        judge(vec![alert("checkout", &[])], Some(SilenceState::Active)),
        Progress::Accepted
    );
    assert!(matches!(
        judge(
            vec![alert("checkout", &["s-1"])],
            Some(SilenceState::Active)
        ),
        Progress::InEffect(_)
    ));
}

/// The same facts, of which something could not be read.
fn without(seen: Seen, unread: Unread) -> Seen {
    let Seen::Incidents(facts) = seen else {
        panic!("no incidents")
    };
    Seen::Incidents(Arc::new(IncidentFacts {
        unread: vec![unread],
        ..IncidentFacts::clone(&facts)
    }))
}

#[test]
fn silences_that_could_not_be_read_are_neither_gone_nor_a_basis() {
    let ended = Goal::SilenceEnded {
        silence: SilenceId(sanitise("s-1")),
    };
    assert!(matches!(
        ended.judge(&facts(Vec::new(), None)),
        Progress::InEffect(_)
    ));
    let end = Basis::Silence(Box::new(SilenceBasis::End {
        silence: SilenceId(sanitise("s-1")),
    }));
    let new = Basis::Silence(Box::new(SilenceBasis::New {
        matchers: matchers(),
        shown: Vec::new(),
    }));
    for unread in [
        Unread::Silences(sanitise("no answer")),
        Unread::SomeSilences(1),
    ] {
        let blind = without(facts(Vec::new(), None), unread);
        assert_eq!(ended.judge(&blind), Progress::Unseen);
        for basis in [&end, &new] {
            let why = basis.changed(&blind).unwrap();
            assert!(why.contains("could be read"), "{why}");
        }
    }
    let alerts = without(facts(Vec::new(), None), Unread::SomeAlerts(1));
    assert!(new.changed(&alerts).is_some());
}

#[test]
fn alerts_that_could_not_be_read_are_not_said_to_be_silent() {
    let goal = Goal::Silenced {
        matchers: matchers(),
        ends_at: at(0) + SignedDuration::from_mins(60),
    };
    let active = facts(Vec::new(), Some(SilenceState::Active));
    assert!(matches!(goal.judge(&active), Progress::InEffect(_)));
    let blind = without(active, Unread::SomeAlerts(1));
    assert_eq!(goal.judge(&blind), Progress::Accepted);
}
