//! What is joined to what, and never by likeness.

use std::sync::Arc;

use jiff::Timestamp;

use super::*;
use crate::{
    app::releases::LiftedBy,
    config,
    model::{
        event::Fact,
        id::{Namespace, ResourceVersion, ServiceName, Uid, WorkloadKind},
        incident::{AlertState, Fingerprint, Labels},
        pipeline::{Attention, Gate, Missing, RunId, RunPhase, Workflows},
        release::Group,
        rollout::{Links, Phase, Replicas, Rollout, Workload},
        source::SourceHealth,
        text::sanitise,
    },
};

const CONFIG: &str = r#"
[environments.prod-eu]
github = ["Production"]
[services."*"]
repository = "acme/{service}"
workflow = "release.yml"
alerts = { service = "{service}" }
[services.ledger]
repository = "bank/books"
"#;

pub(in crate::app) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn id(name: &str) -> ReleaseId {
    ReleaseId {
        environment: "prod-eu".into(),
        namespace: Namespace::new("shop"),
        kind: WorkloadKind::Deployment,
        name: ServiceName::new(name),
    }
}

pub(in crate::app) fn rollout(name: &str, image: &str, links: Links) -> Rollout {
    Rollout {
        id: id(name),
        uid: Uid::new(name),
        version: ResourceVersion::new("1"),
        generation: 1,
        generation_observed: true,
        revision: None,
        phase: Phase::Healthy,
        message: Safe::default(),
        replicas: Replicas::default(),
        images: Arc::new([sanitise(image)]),
        managed_by: None,
        since: Some(at(0).into()),
        progress_deadline_s: None,
        not_undone: None,
        links: Some(Box::new(links)),
        workload: Workload::Deployment { paused: false },
    }
}

fn releases(all: Vec<Rollout>) -> Releases {
    let mut releases = Releases::default();
    for rollout in all {
        releases.apply(&"prod-eu".into(), &Fact::Rollout(Arc::new(rollout)));
    }
    releases
}

fn commit(digit: char) -> Commit {
    Commit::new(&digit.to_string().repeat(40)).unwrap()
}

pub(in crate::app) fn run(
    repository: &str,
    number: u64,
    of: char,
    reference: &str,
    phase: RunPhase,
) -> Run {
    Run {
        id: RunId {
            repository: Repository::new(repository).unwrap(),
            number,
        },
        attempt: 1,
        number,
        workflow: sanitise("release"),
        workflow_file: Some(sanitise("release.yml")),
        title: sanitise("a title"),
        event: sanitise("push"),
        reference: Some(sanitise(reference)),
        commit: commit(of),
        phase,
        actor: None,
        triggered_by: None,
        created: Some(at(i64::try_from(number).unwrap())),
        started: None,
        ended: None,
        updated: None,
        url: None,
        jobs: Some(Vec::new()),
        gates: Some(Vec::new()),
    }
}

pub(in crate::app) fn gate(environment: &str) -> Gate {
    Gate {
        environment_id: 7,
        environment: sanitise(environment),
        reviewers: vec![sanitise("bob")],
        may_decide: Some(true),
        timer_minutes: 0,
        timer_started: None,
        waiting_jobs: vec![sanitise("deploy")],
        since: Some(at(5)),
        deadline: None,
    }
}

fn health() -> SourceHealth {
    SourceHealth {
        state: SourceState::Live,
        since: at(0),
        detail: Safe::default(),
        next_try: None,
        heard: None,
    }
}

pub(in crate::app) fn beside(runs: Vec<Run>, alerts: Vec<Alert>) -> Beside {
    let config = config::parse(CONFIG, "test").unwrap();
    let github = Source::new(SourceKind::GitHub, "github.com", None, health());
    let alertmanager = Source::new(
        SourceKind::Alertmanager,
        "prod-eu",
        Some("prod-eu".into()),
        health(),
    );
    let (of_github, of_alerts) = (github.id.clone(), alertmanager.id.clone());
    let mut beside = Beside::new(Services::new(&config), vec![github, alertmanager]);
    let mut by_repository: BTreeMap<Repository, Vec<Arc<Run>>> = BTreeMap::new();
    for run in runs {
        by_repository
            .entry(run.id.repository.clone())
            .or_default()
            .push(Arc::new(run));
    }
    for (repository, runs) in by_repository {
        beside.told(Tidings {
            source: of_github.clone(),
            fact: Told::Repository(Arc::new(RepositoryFacts {
                repository,
                read_at: at(9),
                runs,
                deployed: Vec::new(),
                missing: Missing::default(),
            })),
        });
    }
    beside.told(Tidings {
        source: of_alerts,
        fact: Told::Incidents(Arc::new(IncidentFacts {
            environment: "prod-eu".into(),
            read_at: at(9),
            alerts: alerts.into_iter().map(Arc::new).collect(),
            silences: Vec::new(),
            unread: Vec::new(),
            warnings: Vec::new(),
        })),
    });
    beside
}

fn alert(service: &str, state: AlertState) -> Alert {
    Alert {
        environment: "prod-eu".into(),
        fingerprint: Fingerprint(sanitise(service)),
        labels: Labels::from([
            (sanitise("alertname"), sanitise("HighErrorRate")),
            (sanitise("service"), sanitise(service)),
        ]),
        annotations: Labels::new(),
        state,
        silenced_by: Vec::new(),
        inhibited_by: Vec::new(),
        muted_by: Vec::new(),
        starts_at: Some(at(3)),
        receivers: Vec::new(),
        generator_url: None,
    }
}

fn pipeline_of<'a>(beside: &'a Beside, releases: &Releases, name: &str) -> Option<Pipeline<'a>> {
    beside.pipeline(releases.find(&id(name)).unwrap())
}

fn shown(pipeline: &Pipeline<'_>) -> (u64, Certainty, Option<u64>) {
    match &pipeline.state {
        PipelineState::Here {
            run,
            certainty,
            next,
            ..
        } => (run.number, certainty.clone(), next.map(|next| next.number)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_rule_of_its_own_comes_before_the_rule_for_everyone() {
    let releases = releases(vec![
        rollout("checkout", "x/checkout:v1", Links::default()),
        rollout("ledger", "x/ledger:v1", Links::default()),
    ]);
    let beside = beside(Vec::new(), Vec::new());
    let rule = |name| pipeline_of(&beside, &releases, name).unwrap();
    assert_eq!(rule("checkout").rule.repository.as_str(), "acme/checkout");
    assert!(rule("checkout").because.contains("\"*\""));
    // Its repository is its own; the workflow it says nothing of is everyone's.
    assert_eq!(rule("ledger").rule.repository.as_str(), "bank/books");
    assert_eq!(rule("ledger").rule.workflow.as_deref(), Some("release.yml"));
}

#[test]
fn the_run_of_exactly_the_commit_is_shown_and_then_that_of_exactly_the_tag() {
    let runs = || {
        vec![
            run(
                "acme/checkout",
                1,
                'a',
                "v1",
                RunPhase::Ended(crate::model::pipeline::Conclusion::Success),
            ),
            run(
                "acme/checkout",
                2,
                'b',
                "v2",
                RunPhase::Ended(crate::model::pipeline::Conclusion::Success),
            ),
        ]
    };
    let with = |image: &str, links: Links| {
        let releases = releases(vec![rollout("checkout", image, links)]);
        let beside = beside(runs(), Vec::new());
        let pipeline = pipeline_of(&beside, &releases, "checkout").unwrap();
        shown(&pipeline)
    };
    let named = Links {
        commit: Some(commit('a')),
        ..Links::default()
    };
    assert!(matches!(
        with("x/checkout:v2", named),
        (1, Certainty::Commit(_), None)
    ));
    let tag = format!("x/checkout:{}", commit('a'));
    assert!(matches!(
        with(&tag, Links::default()),
        (1, Certainty::Commit(_), None)
    ));
    assert_eq!(
        with("x/checkout:v1", Links::default()),
        (1, Certainty::Tag, None)
    );
    // A part of a commit is a likeness: the newest run is shown, and nothing says that it made this version.
    assert_eq!(
        with("x/checkout:aaaaaaa", Links::default()),
        (2, Certainty::Newest, None)
    );
}

#[test]
fn a_newer_run_is_told_while_it_is_on_its_way_and_when_it_failed() {
    let next = |phase: RunPhase| {
        let releases = releases(vec![rollout("checkout", "x/checkout:v1", Links::default())]);
        let ended = RunPhase::Ended(crate::model::pipeline::Conclusion::Success);
        let runs = vec![
            run("acme/checkout", 1, 'a', "v1", ended),
            run("acme/checkout", 2, 'b', "v2", phase),
        ];
        let beside = beside(runs, Vec::new());
        shown(&pipeline_of(&beside, &releases, "checkout").unwrap())
    };
    let ended = |conclusion| next(RunPhase::Ended(conclusion));
    assert_eq!(next(RunPhase::Running), (1, Certainty::Tag, Some(2)));
    assert_eq!(
        ended(crate::model::pipeline::Conclusion::Failure),
        (1, Certainty::Tag, Some(2))
    );
    assert_eq!(
        ended(crate::model::pipeline::Conclusion::Success),
        (1, Certainty::Tag, None),
        "what was built and is not here says nothing about this version"
    );
}

#[test]
fn a_release_that_nothing_names_has_a_pipeline_only_by_an_exact_commit() {
    let config = "[environments.prod-eu]\n[services.other]\nrepository = \"acme/other\"\n";
    let of = |links: Links| {
        let releases = releases(vec![rollout("stray", "x/stray:v1", links)]);
        let mut beside = beside(
            vec![run("acme/other", 1, 'a', "v1", RunPhase::Running)],
            Vec::new(),
        );
        beside.services = Services::new(&config::parse(config, "test").unwrap());
        pipeline_of(&beside, &releases, "stray").map(|pipeline| pipeline.because)
    };
    assert_eq!(
        of(Links::default()),
        None,
        "the same tag in another repository is a likeness"
    );
    let exact = Links {
        commit: Some(commit('a')),
        ..Links::default()
    };
    assert!(of(exact).unwrap().contains("commit"));
    let annotated = Links {
        repository: Some(sanitise("acme/other")),
        ..Links::default()
    };
    assert!(of(annotated).unwrap().contains("annotation"));
}

#[test]
fn an_alert_lifts_its_release_above_everything_and_a_gate_above_what_is_quiet() {
    let mut waiting = run("acme/cart", 9, 'c', "v9", RunPhase::WaitsAtGate);
    waiting.gates = Some(vec![gate("production")]);
    let mut releases = releases(vec![
        rollout("checkout", "x/checkout:v1", Links::default()),
        rollout("cart", "x/cart:v1", Links::default()),
        rollout("mail", "x/mail:v1", Links::default()),
        rollout("quiet", "x/quiet:v1", Links::default()),
    ]);
    let mut beside = beside(
        vec![waiting, run("acme/mail", 9, 'd', "v9", RunPhase::Running)],
        vec![
            alert("checkout", AlertState::Firing),
            alert("quiet", AlertState::Suppressed),
            alert("stranger", AlertState::Firing),
        ],
    );
    let environment = EnvironmentName::new("prod-eu");
    let lifts = beside.join(&releases, &std::iter::once(&environment));
    let by = |name| lifts.get(&id(name)).map(|lift| lift.by);
    assert_eq!(by("checkout"), Some(LiftedBy::Firing));
    assert_eq!(by("cart"), Some(LiftedBy::Gate));
    assert_eq!(by("mail"), Some(LiftedBy::Pipeline));
    assert_eq!(by("quiet"), None, "what is silent lifts nothing");
    assert_eq!(beside.unjoined.len(), 1, "what is nobody's stays visible");
    let gate = &beside.gates[0];
    assert_eq!(
        (&gate.environment, gate.known_environment),
        (&environment, true)
    );
    assert_eq!(gate.releases, [id("cart")]);

    releases.set_lifts(&lifts);
    let group = |name, fresh| {
        let slot = releases.slot_of(&id(name)).unwrap();
        releases.group(slot, releases.get(slot).unwrap(), fresh)
    };
    assert_eq!(group("checkout", true), Group::Broken);
    assert_eq!(
        group("checkout", false),
        Group::Broken,
        "an alert is known although the cluster is not"
    );
    assert_eq!(group("cart", true), Group::NeedsYou);
    assert_eq!(group("mail", true), Group::Moving);
    assert_eq!(
        group("mail", false),
        Group::Unknown,
        "what cannot be believed is not called moving"
    );
    assert_eq!(releases.since(&id("checkout")), Some(at(3)));
}

#[test]
fn a_gate_of_an_environment_that_is_none_of_ours_is_nobodys() {
    let mut waiting = run("acme/cart", 9, 'c', "v9", RunPhase::WaitsAtGate);
    waiting.gates = Some(vec![gate("prod-e")]);
    let releases = releases(vec![rollout("cart", "x/cart:v1", Links::default())]);
    let mut beside = beside(vec![waiting], Vec::new());
    let environment = EnvironmentName::new("prod-eu");
    let lifts = beside.join(&releases, &std::iter::once(&environment));
    assert!(
        lifts
            .get(&id("cart"))
            .is_none_or(|lift| lift.by != LiftedBy::Gate)
    );
    assert!(!beside.gates[0].known_environment && beside.gates[0].releases.is_empty());
}

#[test]
fn what_is_looked_at_is_asked_for_closely_and_what_nobody_owns_as_well() {
    let releases = releases(vec![
        rollout("checkout", "x/checkout:v1", Links::default()),
        rollout("mail", "x/mail:v1", Links::default()),
    ]);
    let mut beside = beside(Vec::new(), Vec::new());
    let wanted = beside
        .want_repositories(at(0), &releases, &[id("checkout")])
        .unwrap();
    let close: Vec<(&str, Attention)> = wanted
        .iter()
        .map(|wanted| (wanted.repository.as_str(), wanted.attention))
        .collect();
    assert_eq!(
        close,
        [
            ("acme/checkout", Attention::LookedAt),
            ("acme/mail", Attention::Quiet),
            ("bank/books", Attention::Quiet)
        ]
    );
    assert_eq!(
        wanted[0].environments,
        [("production".to_owned(), "prod-eu".into())]
    );
    assert_eq!(
        beside.want_repositories(at(1), &releases, &[id("checkout")]),
        None
    );
    assert!(
        beside
            .want_repositories(at(1), &releases, &[id("mail")])
            .is_some()
    );
}

#[test]
fn facts_that_fail_to_be_read_again_stay_and_say_so() {
    let releases = releases(vec![rollout("checkout", "x/checkout:v1", Links::default())]);
    let mut beside = beside(
        vec![run("acme/checkout", 1, 'a', "v1", RunPhase::Running)],
        Vec::new(),
    );
    beside.told(Tidings {
        source: SourceId::new("github/github.com"),
        fact: Told::RepositoryFailed {
            repository: Repository::new("acme/checkout").unwrap(),
            state: SourceState::Forbidden,
            why: sanitise("not found or no permission"),
            at: at(20),
        },
    });
    let pipeline = pipeline_of(&beside, &releases, "checkout").unwrap();
    match pipeline.state {
        PipelineState::Here {
            failing: Some((SourceState::Forbidden, _)),
            run,
            ..
        } => assert_eq!(run.number, 1),
        other => panic!("{other:?}"),
    }
}

#[test]
fn two_workflows_of_one_repository_are_one_wish_for_both() {
    let config = config::parse(
        r#"
[environments.prod-eu]
[services.a]
repository = "acme/mono"
workflow = "a.yml"
[services.b]
repository = "acme/mono"
workflow = "b.yml"
"#,
        "test",
    )
    .unwrap();
    let source = Source::new(SourceKind::GitHub, "github.com", None, health());
    let mut beside = Beside::new(Services::new(&config), vec![source]);
    let releases = releases(vec![
        rollout("a", "x/a:v1", Links::default()),
        rollout("b", "x/b:v1", Links::default()),
    ]);
    let wanted = beside
        .want_repositories(at(0), &releases, &[id("b")])
        .unwrap();
    let of = |file: &str| file.to_owned();
    assert_eq!(wanted.len(), 1, "{wanted:?}");
    assert_eq!(
        wanted[0].workflows,
        Workflows::Only([of("a.yml"), of("b.yml")].into())
    );
    assert_eq!(wanted[0].attention, Attention::LookedAt);
}

#[test]
fn an_alert_manager_that_falls_silent_is_not_believed_until_it_tells_again() {
    let mut beside = beside(Vec::new(), vec![alert("checkout", AlertState::Firing)]);
    let environment = EnvironmentName::new("prod-eu");
    let state = |beside: &Beside| {
        let source = beside.source(SourceKind::Alertmanager, &environment);
        source.unwrap().health.state
    };
    assert_eq!(beside.grows_old_at(), Some(at(9 + 76)));
    assert!(!beside.grow_old(at(9 + 75)));
    assert_eq!(state(&beside), SourceState::Live);
    assert!(beside.grow_old(at(9 + 76)));
    assert_eq!(state(&beside), SourceState::Stale);
    assert!(!beside.grow_old(at(9 + 77)), "once is enough");
    assert_eq!(beside.grows_old_at(), None);
    let of_github = beside.source(SourceKind::GitHub, &environment).unwrap();
    assert_eq!(
        of_github.health.state,
        SourceState::Live,
        "it is asked for what is wanted only"
    );
}

#[test]
fn what_could_not_be_read_of_the_alerts_is_news_although_the_alerts_are_the_same() {
    let mut beside = beside(Vec::new(), vec![alert("checkout", AlertState::Firing)]);
    let before = Arc::clone(&beside.incidents[&EnvironmentName::new("prod-eu")]);
    let mut tell = |facts: IncidentFacts| {
        beside.told(Tidings {
            source: SourceId::new("alertmanager/prod-eu"),
            fact: Told::Incidents(Arc::new(facts)),
        })
    };
    let same = IncidentFacts {
        read_at: at(20),
        ..IncidentFacts::clone(&before)
    };
    assert!(!tell(same).weighed);
    let fewer = IncidentFacts {
        unread: vec![crate::model::incident::Unread::SomeAlerts(2)],
        ..IncidentFacts::clone(&before)
    };
    assert!(tell(fewer.clone()).weighed);
    assert!(!tell(fewer).weighed);
}
