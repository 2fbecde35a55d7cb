//! What is beside the sample fleet: pipelines, metrics and alerts, told through the same door as the real ones.

use std::sync::Arc;

use super::*;
use crate::{
    app::beside::{Beside, Source, SourceKind},
    app::services::Services,
    model::{
        event::{Tidings, Told},
        incident::{
            Alert, AlertState, Fingerprint, IncidentFacts, Matcher, Silence, SilenceId,
            SilenceState,
        },
        metrics::{Arm, Compared, Counts, Grid, Metrics, Reading},
        pipeline::{
            Budget, Change as CommitChange, Changes, Commit, Conclusion, Deployed, DeployedTo,
            DeploymentState, Gate, Job, JobStep, Missing, Repository, RepositoryFacts, Run, RunId,
            RunPhase as JobPhase,
        },
        rollout::Links,
    },
};

const CONFIG: &str = r#"
[environments.prod-eu]
github = ["production"]

[services."*"]
repository = "acme/{service}"
alerts = { service = "{service}" }

[services.cart]
repository = "acme/unread"

[services.billing]
repository = "acme/quiet"
"#;

/// The commit that each repository's newest version was made of.
pub(crate) const COMMIT: &str = "9f3c1e2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(crate) const BEFORE: &str = "75d9cf6bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
pub(crate) const NEXT: &str = "c08e7b1ccccccccccccccccccccccccccccccccc";

pub(crate) fn commit(text: &str) -> Commit {
    Commit::new(text).unwrap()
}

pub(crate) fn repository(name: &str) -> Repository {
    Repository::new(name).unwrap()
}

fn health(state: SourceState) -> SourceHealth {
    environment("x", state).health
}

fn source(kind: SourceKind, environment: Option<&str>, state: SourceState) -> Source {
    let name = environment.unwrap_or("api.github.com");
    let mut source = Source::new(kind, name, environment.map(Into::into), health(state));
    source.server = Some(safe(match kind {
        SourceKind::GitHub => "GitHub",
        SourceKind::Prometheus => "Prometheus 3.5.3",
        SourceKind::Alertmanager => "Alertmanager 0.28.1",
    }));
    source
}

pub(crate) fn job(name: &str, phase: JobPhase, from: i64, took: i64) -> Job {
    let ended = phase.has_ended();
    Job {
        id: 1,
        attempt: 1,
        name: safe(name),
        started: (!matches!(phase, JobPhase::Queued | JobPhase::WaitsAtGate)).then(|| ago(from)),
        ended: ended.then(|| ago(from - took)),
        phase,
        steps: Vec::new(),
        url: Some(safe(
            "https://github.com/acme/checkout/actions/runs/30437812/job/1",
        )),
    }
}

pub(crate) fn success() -> JobPhase {
    JobPhase::Ended(Conclusion::Success)
}

pub(crate) fn run(repository_name: &str, number: u64, commit_id: &str, phase: JobPhase) -> Run {
    Run {
        id: RunId {
            repository: repository(repository_name),
            number: 30_433_000 + number,
        },
        attempt: 1,
        number,
        workflow: safe("Release"),
        workflow_file: Some(safe("release.yml")),
        title: safe("Retry idempotent charges"),
        event: safe("push"),
        reference: Some(safe("main")),
        commit: commit(commit_id),
        ended: phase.has_ended().then(|| ago(900)),
        phase,
        actor: Some(safe("carol")),
        triggered_by: Some(safe("carol")),
        created: Some(ago(100_000 - i64::try_from(number).unwrap())),
        started: Some(ago(1_500)),
        updated: Some(ago(900)),
        url: Some(safe(&format!(
            "https://github.com/{repository_name}/actions/runs/{}",
            30_433_000 + number
        ))),
        jobs: Some(vec![
            job("build", success(), 1_500, 131),
            job("test", success(), 1_360, 362),
            job("scan", success(), 1_000, 48),
            job("deploy", success(), 940, 20),
            job("smoke", JobPhase::Running, 900, 0),
        ]),
        gates: Some(Vec::new()),
    }
}

pub(crate) fn gate(environment: &str, may_decide: Option<bool>) -> Gate {
    Gate {
        environment_id: 7,
        environment: safe(environment),
        reviewers: vec![safe("release-managers"), safe("bob")],
        may_decide,
        timer_minutes: 0,
        timer_started: None,
        waiting_jobs: vec![safe("deploy")],
        since: Some(ago(3_000)),
        deadline: Some(now() + SignedDuration::from_hours(29 * 24 + 3)),
    }
}

pub(crate) fn changes(total: u64, behind: u64) -> Changes {
    let change = |id: &str, title: &str, author: &str| CommitChange {
        commit: commit(&format!("{id}{}", "0".repeat(33))),
        title: safe(title),
        author: Some(safe(author)),
        at: Some(ago(9_000)),
    };
    Changes {
        from: commit(BEFORE),
        to: commit(COMMIT),
        commits: vec![
            change("9f3c1e2", "Retry idempotent charges", "carol"),
            change("51d0aa7", "Raise client timeout to 4 s", "dave"),
            change("c08e7b1", "Log the charge id", "carol"),
            change("a1b92f0", "Bump tokio", "bot"),
            change("77e0c4d", "Cache the tax table", "dave"),
            change("0d9f1aa", "Split the charge handler", "carol"),
        ],
        total,
        behind,
    }
}

pub(crate) fn deployed(id: &str, state: DeploymentState, at: i64) -> Deployed {
    Deployed {
        id: 1,
        commit: commit(id),
        reference: None,
        state,
        at: Some(ago(at)),
        by: Some(safe("bob")),
    }
}

pub(crate) fn facts(name: &str, runs: Vec<Run>, to: Vec<DeployedTo>) -> RepositoryFacts {
    RepositoryFacts {
        repository: repository(name),
        read_at: ago(12),
        runs: runs.into_iter().map(Arc::new).collect(),
        deployed: to,
        missing: Missing::default(),
    }
}

/// A wave of shares about `middle`, with a gap.
pub(crate) fn wave(middle: f64, points: usize) -> Vec<Option<f64>> {
    (0..points)
        .map(|nth| {
            let nth_f = f64::from(u32::try_from(nth).unwrap());
            let share = middle * (1.0 + 0.35 * (nth_f / 5.0).sin() + 0.1 * (nth_f / 1.7).cos());
            (!(30..34).contains(&nth)).then_some(share.max(0.0))
        })
        .collect()
}

pub(crate) fn arm(errors: (f64, f64), slow: f64, traffic: f64, middle: f64) -> Arm {
    let counts = |bad| Reading::Value(Counts { bad, all: errors.1 });
    Arm {
        hash: Some("9f3c1e2b".into()),
        errors: counts(errors.0),
        slow: counts(slow),
        traffic: Reading::Value(traffic),
        line: wave(middle, 56),
    }
}

pub(crate) fn metrics(release: ReleaseId, compared: Compared) -> Metrics {
    Metrics {
        release,
        read_at: ago(4),
        newest: Some(ago(12)),
        since: ago(840),
        grid: Grid {
            start: ago(840),
            step_s: 15,
            points: 56,
        },
        compared,
        warnings: Vec::new(),
    }
}

pub(crate) fn compared() -> Compared {
    Compared::CanaryAndStable {
        canary: arm((41.0, 10_212.0), 96.0, 11.2, 0.004),
        stable: arm((118.0, 31_004.0), 241.0, 34.5, 0.0035),
    }
}

pub(crate) fn finished(since: i64) -> Compared {
    Compared::BeforeAndAfter {
        at: ago(since),
        before: arm((93.0, 31_004.0), 241.0, 34.5, 0.003),
        after: arm((1_271.0, 31_004.0), 2_050.0, 33.9, 0.041),
    }
}

pub(crate) fn alert(environment: &str, service: &str, severity: &str, title: &str) -> Alert {
    let label = |name: &str, value: &str| (safe(name), safe(value));
    Alert {
        environment: environment.into(),
        fingerprint: Fingerprint(safe(&format!("{environment}-{service}-{title}"))),
        labels: [
            label("alertname", "ErrorShareHigh"),
            label("service", service),
            label("namespace", "shop"),
            label("severity", severity),
            label("pod", "checkout-9f3c1e2b-00003"),
        ]
        .into(),
        annotations: [
            label("summary", title),
            label("runbook_url", "https://runbooks.example/errors"),
            label("dashboard_url", "javascript:alert(1)"),
        ]
        .into(),
        state: AlertState::Firing,
        silenced_by: Vec::new(),
        inhibited_by: Vec::new(),
        muted_by: Vec::new(),
        starts_at: Some(ago(120)),
        receivers: vec![safe("payments-primary")],
        generator_url: Some(safe("https://prometheus.example/graph?g0.expr=errors")),
    }
}

pub(crate) fn silence(environment: &str, id: &str) -> Silence {
    Silence {
        environment: environment.into(),
        id: SilenceId(safe(id)),
        matchers: vec![
            Matcher::equal("alertname", "PodRestarts"),
            Matcher::equal("service", "checkout"),
        ],
        starts_at: Some(ago(4_000)),
        ends_at: Some(now() + SignedDuration::from_mins(52)),
        created_by: safe("bob"),
        comment: safe("known, fix in v2.31.1"),
        state: SilenceState::Active,
    }
}

fn incidents() -> Vec<IncidentFacts> {
    let facts = |environment: &str, alerts: Vec<Alert>, silences: Vec<Silence>| IncidentFacts {
        environment: environment.into(),
        read_at: ago(3),
        alerts: alerts.into_iter().map(Arc::new).collect(),
        silences: silences.into_iter().map(Arc::new).collect(),
        unread: Vec::new(),
        warnings: Vec::new(),
    };
    let mut silent = alert("prod-eu", "checkout", "warning", "Pods restart");
    silent.state = AlertState::Suppressed;
    silent.silenced_by = vec![SilenceId(safe("s-1"))];
    let mut inhibited = alert("prod-eu", "checkout", "info", "Queue grows");
    inhibited.state = AlertState::Suppressed;
    inhibited.inhibited_by = vec![Fingerprint(safe("prod-eu-checkout-p99 latency high"))];
    let mut muted = alert(
        "prod-eu",
        "checkout",
        "someday",
        "Certificate ends in 20 days",
    );
    muted.muted_by = vec![safe("out-of-hours")];
    let images = [
        alert("prod-us", "accounts-us", "critical", "Errors above 2 %"),
        alert("prod-us", "accounts-us", "warning", "Saturation"),
    ];
    vec![
        facts(
            "prod-eu",
            vec![
                alert("prod-eu", "checkout", "warning", "p99 latency high"),
                silent,
                inhibited,
                muted,
                alert("prod-eu", "nobody", "warning", "Disk of a node is full"),
            ],
            vec![silence("prod-eu", "s-1")],
        ),
        facts("prod-us", images.to_vec(), Vec::new()),
        facts("staging", Vec::new(), Vec::new()),
    ]
}

fn repositories() -> Vec<RepositoryFacts> {
    let mut before = run("acme/checkout", 4_790, BEFORE, success());
    before.reference = Some(safe("v2.30.4"));
    let checkout = facts(
        "acme/checkout",
        vec![
            run("acme/checkout", 4_812, COMMIT, JobPhase::Running),
            before,
        ],
        vec![DeployedTo {
            environment: safe("production"),
            live: Some(deployed(BEFORE, DeploymentState::Success, 90_000)),
            incoming: Some(deployed(COMMIT, DeploymentState::InProgress, 960)),
            failed_since: None,
            taken_down: false,
        }],
    );
    let mut waits = run("acme/accounts", 4_813, NEXT, JobPhase::WaitsAtGate);
    waits.title = safe("Accounts in two currencies");
    waits.reference = Some(safe("v6.3.0"));
    waits.jobs = Some(vec![
        job("build", success(), 3_500, 131),
        job("test", success(), 3_360, 262),
        job("deploy", JobPhase::WaitsAtGate, 0, 0),
        job("smoke", JobPhase::Queued, 0, 0),
    ]);
    waits.gates = Some(vec![gate("production", Some(false))]);
    let mut moving = run("acme/mail", 12, NEXT, JobPhase::Running);
    moving.jobs = Some(vec![
        job("build", success(), 300, 131),
        job("test", JobPhase::Running, 160, 0),
        job("deploy", JobPhase::Queued, 0, 0),
    ]);
    let mut other = run("acme/library", 9, NEXT, JobPhase::WaitsAtGate);
    other.title = safe("Publish 4.0.0");
    let mut soon = gate("registry", None);
    soon.deadline = Some(now() + SignedDuration::from_hours(30));
    soon.since = Some(ago(2_400_000));
    other.gates = Some(vec![soon]);
    vec![
        checkout,
        facts("acme/accounts", vec![waits], Vec::new()),
        search(),
        facts("acme/mail", vec![moving], Vec::new()),
        facts("acme/quiet", Vec::new(), Vec::new()),
        facts("acme/library", vec![other], Vec::new()),
    ]
}

/// A run that failed, after it one that waits at a gate, and a deployment that went wrong.
fn search() -> RepositoryFacts {
    let mut next = run("acme/search", 80, NEXT, JobPhase::WaitsAtGate);
    next.title = safe("Show the tax of each line");
    next.reference = Some(safe("v4.6.0"));
    next.jobs = Some(vec![
        job("build", success(), 700, 131),
        job("deploy", JobPhase::WaitsAtGate, 0, 0),
    ]);
    next.gates = Some(vec![gate("production", Some(true))]);
    let mut failed = run(
        "acme/search",
        77,
        COMMIT,
        JobPhase::Ended(Conclusion::Failure),
    );
    failed.attempt = 2;
    let mut broken = job(
        "integration tests",
        JobPhase::Ended(Conclusion::Failure),
        1_300,
        300,
    );
    let step = |number, name: &str, phase: JobPhase| JobStep {
        number,
        name: safe(name),
        phase,
        started: Some(ago(1_300)),
        ended: Some(ago(1_000)),
    };
    broken.steps = vec![
        step(1, "Set up job", success()),
        step(
            2,
            "Run the tests against the staging database",
            JobPhase::Ended(Conclusion::Failure),
        ),
        step(3, "Upload the report", JobPhase::Ended(Conclusion::Skipped)),
        step(
            4,
            "Notify",
            JobPhase::Ended(Conclusion::Unknown(safe("sideways"))),
        ),
    ];
    failed.jobs = Some(vec![
        job("build", success(), 1_500, 131),
        broken,
        job("deploy", JobPhase::Ended(Conclusion::Skipped), 900, 0),
        job("lint", JobPhase::Unknown(safe("warming_up")), 900, 0),
    ]);
    facts(
        "acme/search",
        vec![next, failed],
        vec![DeployedTo {
            environment: safe("production"),
            live: Some(deployed(BEFORE, DeploymentState::Success, 90_000)),
            incoming: None,
            failed_since: Some(deployed(COMMIT, DeploymentState::Failure, 960)),
            taken_down: true,
        }],
    )
}

pub(crate) fn tell(state: &mut State, source: &str, fact: Told) {
    state.beside.told(Tidings {
        source: crate::model::id::SourceId::new(source),
        fact,
    });
}

/// A finished release in prod-us on which alerts fire.
fn accounts_us(state: &mut State) {
    let mut sample = healthy("prod-us", "accounts-us", "v7.0.0", 2_280);
    sample.from = "v6.9.2";
    add(state, sample);
}

/// Joins, order and Inbox, as before a frame.
pub(crate) fn settle(state: &mut State) {
    state.beside.joins_are_stale();
    state.inbox_is_stale = true;
    state.board.order_is_stale();
    state.settle();
}

/// The fleet with everything beside it.
pub(crate) fn around() -> State {
    let mut state = fleet();
    accounts_us(&mut state);
    with_commits(&mut state);
    let config = crate::config::parse(CONFIG, "test").unwrap();
    let mut sources = vec![source(SourceKind::GitHub, None, SourceState::Live)];
    for name in ["prod-eu", "prod-us"] {
        sources.push(source(
            SourceKind::Prometheus,
            Some(name),
            SourceState::Live,
        ));
        sources.push(source(
            SourceKind::Alertmanager,
            Some(name),
            SourceState::Live,
        ));
    }
    sources[0].who = Some(WhoAmI {
        name: safe("alice-gh"),
        groups: Vec::new(),
    });
    sources[0].budget = Some(Budget {
        limit: Some(5_000),
        remaining: Some(4_812),
        resets: Some(now() + SignedDuration::from_mins(17)),
        held_until: None,
        asked: 2_310,
        unchanged: 1_409,
    });
    sources[1].ahead_ms = Some(3_200);
    state.beside = Beside::new(Services::new(&config), sources);
    for facts in repositories() {
        tell(
            &mut state,
            "github/api.github.com",
            Told::Repository(Arc::new(facts)),
        );
    }
    tell(
        &mut state,
        "github/api.github.com",
        Told::Changes {
            repository: repository("acme/checkout"),
            changes: Arc::new(changes(7, 0)),
        },
    );
    tell(
        &mut state,
        "github/api.github.com",
        Told::RepositoryFailed {
            repository: repository("acme/unread"),
            state: SourceState::Forbidden,
            why: safe("this token may not read acme/unread: it needs actions:read"),
            at: ago(20),
        },
    );
    for facts in incidents() {
        let source = format!("alertmanager/{}", facts.environment);
        tell(&mut state, &source, Told::Incidents(Arc::new(facts)));
    }
    tell(
        &mut state,
        "prometheus/prod-eu",
        Told::Metrics(Arc::new(metrics(
            id("prod-eu", "checkout", WorkloadKind::ArgoRollout),
            compared(),
        ))),
    );
    tell(
        &mut state,
        "prometheus/prod-us",
        Told::Metrics(Arc::new(metrics(
            id("prod-us", "accounts-us", WorkloadKind::Deployment),
            finished(2_280),
        ))),
    );
    settle(&mut state);
    select(&mut state, "prod-eu", "checkout");
    state
}

/// The releases of which somebody wrote down the commit.
fn with_commits(state: &mut State) {
    for name in ["checkout", "search"] {
        let id = id("prod-eu", name, WorkloadKind::ArgoRollout);
        let mut rollout = (*state.releases.find(&id).unwrap().rollout).clone();
        rollout.links = Some(Box::new(Links {
            commit: Some(commit(COMMIT)),
            ..Links::default()
        }));
        state
            .releases
            .apply(&id.environment, &Fact::Rollout(Arc::new(rollout)));
    }
}

/// A release of it, opened as a key would open it.
pub(crate) fn opened_around(environment: &str, name: &str) -> State {
    open_in(around(), environment, name)
}

pub(crate) fn open_in(mut state: State, environment: &str, name: &str) -> State {
    select(&mut state, environment, name);
    let (id, uid) = state.target().unwrap();
    let mut open = OpenRelease::new(id.clone(), uid.clone());
    open.pods = Some(pods(&id));
    open.runs = Some(vec![super::run(&uid)]);
    open.experiments = Some(Vec::new());
    open.events = Some(events(&id));
    let until = state.incident_began(&id).unwrap_or(state.now);
    open.changed = state.changed_before(&id.environment, Some(&id), until);
    state.open = Some(open);
    state.view = View::Release;
    state
}

/// Each source fails in its own way.
pub(crate) fn failing_around() -> State {
    let mut state = around();
    for (source, failing) in state.beside.sources.values_mut().zip([
        SourceState::Unreachable,
        SourceState::Stale,
        SourceState::Unauthorized,
        SourceState::RateLimited,
        SourceState::Malformed,
    ]) {
        source.health = health(failing);
    }
    state
}

/// The metrics of the canary have each outcome that is not a number.
pub(crate) fn without_numbers() -> State {
    let mut state = around();
    let canary = Arm {
        hash: None,
        errors: Reading::NaN,
        slow: Reading::Empty,
        traffic: Reading::Stale { last: ago(80) },
        line: Vec::new(),
    };
    let stable = Arm {
        errors: Reading::Failed(safe("bad_data: unknown function \"rat\"")),
        ..arm((1.0, 9.0), 2.0, 0.01, 0.002)
    };
    let mut metrics = metrics(
        id("prod-eu", "checkout", WorkloadKind::ArgoRollout),
        Compared::CanaryAndStable { canary, stable },
    );
    metrics.warnings = vec![safe("the store of 3 days was not asked")];
    tell(
        &mut state,
        "prometheus/prod-eu",
        Told::Metrics(Arc::new(metrics)),
    );
    open_in(state, "prod-eu", "checkout")
}

/// Backed out: the errors went down and the alert ended.
pub(crate) fn acted_around() -> State {
    let mut state = around();
    select(&mut state, "prod-us", "accounts-us");
    let mut plan = promotion(&state);
    plan.intent = intent(&state, Verb::BackOut);
    let firing = state.beside.firing(&state.target().unwrap().0)[0].clone();
    let followed = crate::app::actions::Followed {
        errors_before: Some(0.041),
        errors_after: Some(0.004),
        alerts: vec![(
            firing.fingerprint.clone(),
            firing.title().to_owned(),
            Some(ago(20)),
        )],
    };
    state.actions.begin(&plan, followed, ago(240));
    let line = state.actions.line_mut(&plan.intent.id).unwrap();
    line.state = LineState::Over {
        outcome: Outcome {
            kind: OutcomeKind::Observed,
            words: "v6.9.2 serves everything".to_owned(),
            second_place: None,
            sent: true,
        },
        at: ago(200),
    };
    state
}

/// What waits, with this place selected and the next one marked.
pub(crate) fn inbox(place: usize) -> State {
    let mut state = around();
    state.view = View::Inbox;
    let entries = &state.inbox.entries;
    state.inbox.selected = Some(entries[place].waiting.clone());
    if let crate::app::inbox::Waiting::Gate(gate) = &entries[1].waiting {
        state.inbox.marked.insert((**gate).clone());
    }
    state
}

pub(crate) fn empty_inbox() -> State {
    let mut state = empty_state();
    add(&mut state, healthy("prod-eu", "cart", "v2.2.1", 9_000));
    settle(&mut state);
    state.view = View::Inbox;
    state
}

/// Which of two gates.
pub(crate) fn choosing_a_gate() -> State {
    let mut state = around();
    let gates = state
        .beside
        .gates
        .iter()
        .take(2)
        .map(crate::app::inbox::subject)
        .collect();
    state.overlays.push(Overlay::ChooseGate {
        verb: Verb::Approve,
        gates,
        selected: 1,
    });
    state
}

pub(crate) fn what_changed() -> State {
    let mut state = around();
    let (id, _) = state.target().unwrap();
    let until = state.incident_began(&id).unwrap();
    let list = state.changed_before(&id.environment, Some(&id), until);
    state
        .overlays
        .push(Overlay::Changed(crate::app::state::ChangedOverlay {
            title: "What changed before p99 latency high".to_owned(),
            list,
            selected: 1,
        }));
    state
}

pub(crate) fn silencing(marked: bool) -> State {
    let mut state = around();
    let (id, _) = state.target().unwrap();
    let alert = state.beside.firing(&id)[0].clone();
    let labels = alert
        .labels
        .iter()
        .map(|(name, value)| {
            let lasting = [
                "alertname",
                "service",
                "namespace",
                "environment",
                "severity",
            ];
            let on = marked && lasting.contains(&name.as_str());
            (Matcher::equal(name, value), on)
        })
        .collect();
    state
        .overlays
        .push(Overlay::Silence(Box::new(crate::app::state::SilenceForm {
            environment: "prod-eu".into(),
            title: safe(alert.title()),
            labels,
            minutes: 60,
            comment: "checkout v2.31.0".to_owned(),
            selected: if marked { 6 } else { 2 },
            matches: if marked {
                vec![
                    safe("p99 latency high checkout"),
                    safe("Pods restart checkout"),
                ]
            } else {
                Vec::new()
            },
        })));
    state
}

/// The plan of an approval: no version changes, and the request has no precondition.
pub(crate) fn approving() -> State {
    let mut state = around();
    super::arm(&mut state, "prod-eu");
    let gate = state
        .beside
        .gates
        .iter()
        .find(|gate| gate.gate.may_decide == Some(true))
        .map(crate::app::inbox::subject)
        .unwrap();
    let mut plan = promotion(&state);
    plan.intent.verb = Verb::Approve;
    plan.intent.target = crate::ops::subject::Subject::Gate(gate);
    plan.title = "Approve acme/search #80 for production".to_owned();
    plan.next = "deploy runs, with commit c08e7b1".to_owned();
    plan.change = Change::Words {
        from: "waits".to_owned(),
        to: "approved".to_owned(),
    };
    let mut sends = sending(
        "/repos/acme/search/actions/runs/30433080/pending_deployments",
        json!({"environment_ids": [7], "state": "approved", "comment": ""}),
    );
    sends.method = "POST";
    plan.sends = vec![sends];
    plan.same_as = vec![
        "gh api -X POST repos/acme/search/actions/runs/30433080/pending_deployments".to_owned(),
    ];
    plan.way_back = "none: what the run does then is undone by its own means".to_owned();
    plan.git = None;
    plan.note = None;
    plan.expect = "deploy is queued or runs within 60 s".to_owned();
    let guards = vec![
        guard("fresh", Decision::Allow, "the run was read 2 s ago"),
        guard(
            "permitted",
            Decision::Allow,
            "GitHub says that you may decide",
        ),
    ];
    with_dialog(state, dialog(plan, guards))
}

pub(crate) fn menu_around(selected: usize) -> State {
    let mut state = around();
    let (target, uid) = state.target().unwrap();
    state.overlays.push(Overlay::Menu {
        target,
        uid,
        selected,
    });
    state
}

/// The sources view with this one selected; the CI host holds us back.
pub(crate) fn sources_around(selected: usize) -> State {
    let mut state = around();
    state.view = View::Sources;
    state.sources.selected = selected;
    for source in state.beside.sources.values_mut() {
        if let Some(budget) = &mut source.budget {
            budget.held_until = Some(now() + SignedDuration::from_secs(95));
        }
    }
    state
}

pub(crate) fn sources_of(mut state: State) -> State {
    state.view = View::Sources;
    state.sources.selected = 4;
    state
}
