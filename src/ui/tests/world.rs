//! A small fleet in every state that a view must be able to say, made without a provider.

pub(crate) mod beside;
pub(crate) mod wild;

use std::{collections::HashMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::{
    app::{
        actions::{Actions, LineState},
        board::Board,
        dialog::{Dialog, Stage},
        release_view::OpenRelease,
        releases::Releases,
        state::{
            AuditLine, AuditView, Environment, HistoryOverlay, HistoryPurpose, Loading, LogState,
            LogsOverlay, OpenIntent, Overlay, Session, SourcesView, State, View,
        },
    },
    model::{
        detail::{
            AnalysisRun, Difference, Event, Measurement, Metric, Pod, PodIcon, Revision, RunCounts,
            Shown,
        },
        event::Fact,
        id::{EnvironmentName, ReleaseId, ResourceVersion, Uid, WorkloadKind},
        release::Version,
        replica_set::{Owned, ReplicaSet, SetHealth},
        rollout::{
            Argo, ArgoStrategy, BlueGreen, Canary, ManagedBy, PauseCondition, PauseReason, Phase,
            Replicas, Rollout, RunInForce, RunPhase, RunRole, Weight, Workload,
        },
        source::{Access, Answer, Need, SourceHealth, SourceState, Tier, WhoAmI},
        step::Step,
        text::{Safe, sanitise},
    },
    ops::{
        basis::Basis,
        goal::Goal,
        guard::{Arming, Decision, GuardAnswer},
        intent::{Expects, Intent, Verb},
        machine::{Outcome, OutcomeKind},
        plan::{Change, Plan, Refusal, Risk, Sending, Target, When},
    },
};

pub(crate) fn now() -> Timestamp {
    "2026-11-21T14:03:22Z".parse().unwrap()
}

pub(crate) fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

pub(crate) fn safe(text: &str) -> Safe {
    sanitise(text)
}

pub(crate) fn environment(name: &str, state: SourceState) -> Environment {
    let live = state == SourceState::Live;
    Environment {
        name: name.into(),
        context: safe(&format!("{name}-admin")),
        tier: if name.starts_with("prod") {
            Tier::Prod
        } else {
            Tier::Staging
        },
        arming: Arming::ReadOnly,
        health: SourceHealth {
            state,
            since: ago(if live { 4_000 } else { 260 }),
            detail: if live {
                Safe::default()
            } else {
                safe("connection refused")
            },
            next_try: (!live).then(|| now() + SignedDuration::from_secs(12)),
            heard: Some(ago(if live { 2 } else { 245 })),
        },
        who: Some(WhoAmI {
            name: safe("alice"),
            groups: vec![safe("release-managers"), safe("system:authenticated")],
        }),
        asked: std::collections::HashSet::new(),
        access: ["shop", "media"]
            .into_iter()
            .map(|namespace| {
                let answers = Need::ALL
                    .into_iter()
                    .map(|need| (need, Answer::Allowed))
                    .collect();
                let access = Access {
                    namespace: namespace.into(),
                    answers,
                    asked: ago(30),
                };
                (namespace.into(), access)
            })
            .collect(),
        wrote: false,
        insecure: false,
        without_rollouts: false,
    }
}

pub(crate) fn empty_state() -> State {
    State {
        now: now(),
        columns: 160,
        rows: 48,
        session: Session {
            demo: false,
            game: None,
            still: false,
            read_only: false,
            armed_minutes: 30,
            clock: true,
            zone: jiff::tz::TimeZone::UTC,
            id: "s1".to_owned(),
            keys: crate::app::keymap::Keymap::default(),
            next_intent: 1,
            open_intents: Vec::new(),
        },
        environments: [environment("prod-eu", SourceState::Live)]
            .into_iter()
            .map(|environment| (environment.name.clone(), environment))
            .collect(),
        releases: Releases::default(),
        view: View::Board,
        board: Board::default(),
        open: None,
        beside: crate::app::beside::Beside::default(),
        inbox: crate::app::inbox::Inbox::default(),
        inbox_is_stale: false,
        audit: AuditView {
            records: Loading::Waiting,
            selected: 0,
            verified: None,
        },
        sources: SourcesView::default(),
        overlays: Vec::new(),
        actions: Actions::default(),
        queue: None,
        notice: None,
        ringing: HashMap::new(),
        faults: crate::app::faults::InForce::default(),
        tour: None,
        last_key: None,
        clicked: None,
        dirty: false,
        leaving: false,
    }
}

/// What a release of the sample looks like; the rest is usual.
pub(crate) struct Sample {
    pub(crate) id: ReleaseId,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    pub(crate) phase: Phase,
    pub(crate) since: i64,
    pub(crate) message: &'static str,
    pub(crate) replicas: Replicas,
    pub(crate) workload: Workload,
}

pub(crate) fn id(environment: &str, name: &str, kind: WorkloadKind) -> ReleaseId {
    ReleaseId {
        environment: environment.into(),
        namespace: "shop".into(),
        kind,
        name: name.into(),
    }
}

pub(crate) const fn replicas(desired: i32, updated: i32, ready: i32) -> Replicas {
    Replicas {
        desired,
        current: desired,
        updated,
        ready,
        available: ready,
    }
}

pub(crate) fn steps() -> Arc<[Step]> {
    let wait = Step::PauseFor {
        text: safe("10m"),
        seconds: Some(600),
    };
    Arc::from([
        Step::SetWeight(5),
        Step::Pause,
        Step::SetWeight(10),
        wait.clone(),
        Step::SetWeight(25),
        Step::Pause,
        Step::Analysis,
        Step::SetWeight(50),
        wait,
        Step::Analysis,
        Step::SetWeight(80),
        Step::Pause,
        Step::SetWeight(100),
    ])
}

pub(crate) fn argo(strategy: ArgoStrategy, done: bool) -> Argo {
    Argo {
        strategy,
        current_hash: Some("9f3c1e2b".into()),
        stable_hash: Some(if done { "9f3c1e2b" } else { "75d9cf6a" }.into()),
        paused_by_hand: false,
        controller_pause: false,
        pause_conditions: Vec::new(),
        aborted: false,
        aborted_at: None,
        promote_full: false,
        runs_in_force: Box::default(),
        restart_at: None,
        restarted_at: None,
        workload_ref: None,
    }
}

pub(crate) fn canary(index: i32, weight: i32) -> ArgoStrategy {
    ArgoStrategy::Canary(Canary {
        steps: steps(),
        index: Some(index),
        step_hash: None,
        weight: Weight {
            set: weight,
            actual: Some(weight),
            of: 100,
        },
        traffic_routed: true,
    })
}

pub(crate) fn waits(mut argo: Argo, reason: PauseReason, since: i64) -> Workload {
    argo.pause_conditions = vec![PauseCondition {
        reason,
        since: Some(ago(since).into()),
    }];
    argo.controller_pause = true;
    Workload::ArgoRollout(Box::new(argo))
}

pub(crate) fn rollout(sample: &Sample) -> Rollout {
    let image = |tag: &str| safe(&format!("registry.example/shop/{}:{tag}", sample.id.name));
    Rollout {
        id: sample.id.clone(),
        uid: Uid::new(&format!("uid-{}", sample.id)),
        version: ResourceVersion::new("48121"),
        generation: 7,
        generation_observed: true,
        revision: Some(15),
        phase: sample.phase.clone(),
        message: safe(sample.message),
        replicas: sample.replicas,
        images: Arc::new([image(sample.to)]),
        managed_by: Some(Box::new(ManagedBy::ArgoCd {
            application: safe("shop"),
        })),
        since: Some(ago(sample.since).into()),
        progress_deadline_s: Some(600),
        not_undone: None,
        links: None,
        workload: sample.workload.clone(),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "every caller makes the sample in place"
)]
pub(crate) fn add(state: &mut State, sample: Sample) {
    let rollout = rollout(&sample);
    let environment = rollout.id.environment.clone();
    let owner = rollout.uid.clone();
    let set = |hash: &str, revision: u64, tag: &str, ready: i32, health| ReplicaSet {
        uid: Uid::new(&format!("{owner}-{hash}")),
        hash: Some(hash.into()),
        revision,
        images: Arc::new([safe(&format!(
            "registry.example/shop/{}:{tag}",
            sample.id.name
        ))]),
        desired: ready,
        current: ready,
        ready,
        available: ready,
        created: Some(ago(4_000 + i64::try_from(20 - revision).unwrap_or(0) * 90_000).into()),
        scale_down_deadline: None,
        health,
    };
    let rest = sample.replicas.ready - sample.replicas.updated;
    let sets = [
        set(
            "9f3c1e2b",
            15,
            sample.to,
            sample.replicas.updated.min(sample.replicas.ready),
            SetHealth::Healthy,
        ),
        set(
            "75d9cf6a",
            14,
            sample.from,
            rest.max(0),
            if rest > 0 {
                SetHealth::Healthy
            } else {
                SetHealth::ScaledDown
            },
        ),
        set("5c8ab012", 13, "v2.30.1", 0, SetHealth::ScaledDown),
    ];
    state
        .releases
        .apply(&environment, &Fact::Rollout(Arc::new(rollout)));
    for set in sets {
        let told = Fact::ReplicaSet(Owned {
            owner: owner.clone(),
            set,
        });
        state.releases.apply(&environment, &told);
    }
}

pub(crate) fn healthy(environment: &str, name: &str, version: &'static str, since: i64) -> Sample {
    Sample {
        id: id(environment, name, WorkloadKind::Deployment),
        from: version,
        to: version,
        phase: Phase::Healthy,
        since,
        message: "",
        replicas: replicas(4, 4, 4),
        workload: Workload::Deployment { paused: false },
    }
}

pub(crate) fn rolling(
    environment: &str,
    name: &str,
    versions: (&'static str, &'static str),
    phase: Phase,
    since: i64,
    workload: Workload,
) -> Sample {
    Sample {
        id: id(environment, name, WorkloadKind::ArgoRollout),
        from: versions.0,
        to: versions.1,
        phase,
        since,
        message: "",
        replicas: replicas(12, 3, 12),
        workload,
    }
}

/// The fleet of the sketches.
pub(crate) fn fleet() -> State {
    let mut state = empty_state();
    for (name, source) in [
        ("prod-us", SourceState::Live),
        ("prod-ap", SourceState::Unreachable),
        ("staging", SourceState::Live),
    ] {
        state
            .environments
            .insert(name.into(), environment(name, source));
    }
    broken(&mut state);
    needs_you(&mut state);
    moving(&mut state);
    add(&mut state, healthy("prod-ap", "profile", "v5.1.0", 90_000));
    for (name, version, since) in [
        ("accounts", "v6.2.0", 3_480),
        ("billing", "v3.3.3", 7_200),
        ("cart", "v2.2.1", 18_000),
        ("mail", "v1.4.0", 172_900),
    ] {
        add(&mut state, healthy("prod-eu", name, version, since));
    }
    for nth in 0..28 {
        let name = format!("worker-{nth:02}");
        add(
            &mut state,
            healthy("prod-us", &name, "v1.0.7", 200_000 + nth),
        );
    }
    arrange(&mut state);
    select(&mut state, "prod-eu", "checkout");
    state
}

fn broken(state: &mut State) {
    let mut aborted = argo(canary(4, 0), false);
    aborted.aborted = true;
    aborted.aborted_at = Some(ago(540).into());
    let mut sample = rolling(
        "staging",
        "catalog",
        ("v3.1.0", "v3.2.0"),
        Phase::Degraded,
        540,
        Workload::ArgoRollout(Box::new(aborted)),
    );
    sample.message = "RolloutAborted: metric \"error-rate\" assessed Failed due to failed (3) > failureLimit (2)";
    sample.replicas = replicas(12, 0, 12);
    add(state, sample);
    let mut sample = healthy("prod-us", "images", "v7.0.0", 300);
    sample.from = "v6.9.2";
    sample.phase = Phase::Degraded;
    sample.message = "ReplicaSet \"images-9f3c1e2b\" has timed out progressing.";
    sample.replicas = replicas(6, 2, 4);
    add(state, sample);
}

fn needs_you(state: &mut State) {
    for (name, versions, index, weight, since) in [
        ("search", ("v4.4.0", "v4.5.0"), 11, 80, 2_460),
        ("checkout", ("v2.30.4", "v2.31.0"), 5, 25, 240),
    ] {
        let workload = waits(
            argo(canary(index, weight), false),
            PauseReason::CanaryPauseStep,
            since,
        );
        let mut sample = rolling("prod-eu", name, versions, Phase::Paused, since, workload);
        sample.message = "CanaryPauseStep";
        add(state, sample);
    }
    add(state, blue_green("prod-us"));
}

pub(crate) fn blue_green(environment: &str) -> Sample {
    let strategy = ArgoStrategy::BlueGreen(BlueGreen {
        active: Some("75d9cf6a".into()),
        preview: Some("9f3c1e2b".into()),
        auto_promotion: false,
        scale_down_delay_s: 30,
        has_post_promotion_analysis: false,
    });
    let workload = waits(argo(strategy, false), PauseReason::BlueGreenPause, 180);
    let mut sample = rolling(
        environment,
        "payments",
        ("v1.9.1", "v1.9.2"),
        Phase::Paused,
        180,
        workload,
    );
    sample.message = "BlueGreenPause";
    sample.replicas = replicas(8, 4, 8);
    sample
}

fn moving(state: &mut State) {
    let mut analysing = argo(canary(6, 10), false);
    analysing.runs_in_force = Box::new([RunInForce {
        role: RunRole::Step,
        name: safe("ledger-9f3c1e2b-15-6"),
        phase: RunPhase::Running,
        message: Safe::default(),
    }]);
    add(
        state,
        rolling(
            "prod-eu",
            "ledger",
            ("v8.0.2", "v8.1.0"),
            Phase::Progressing,
            120,
            Workload::ArgoRollout(Box::new(analysing)),
        ),
    );
    let mut sample = rolling(
        "prod-us",
        "media",
        ("v5.5.1", "v5.6.0"),
        Phase::Progressing,
        360,
        Workload::ArgoRollout(Box::new(argo(canary(7, 50), false))),
    );
    sample.replicas = replicas(12, 6, 12);
    add(state, sample);
    let timed = waits(
        argo(canary(8, 50), false),
        PauseReason::CanaryPauseStep,
        480,
    );
    add(
        state,
        rolling(
            "prod-eu",
            "notify",
            ("v1.0.9", "v1.1.0"),
            Phase::Paused,
            480,
            timed,
        ),
    );
    let mut sample = healthy("prod-us", "gateway", "v4.0.0", 60);
    sample.from = "v3.9.0";
    sample.phase = Phase::Progressing;
    sample.replicas = replicas(6, 2, 6);
    add(state, sample);
}

pub(crate) fn arrange(state: &mut State) {
    let fresh = state
        .environments
        .iter()
        .map(|(name, environment)| (name.clone(), environment.is_fresh()))
        .collect();
    state.board.order_is_stale();
    state.board.arrange(&state.releases, &fresh, false);
}

pub(crate) fn sized(mut state: State, columns: u16, rows: u16) -> State {
    state.columns = columns;
    state.rows = rows;
    state
        .board
        .scroll_to_selection(&state.releases, columns, rows);
    state
}

pub(crate) fn select(state: &mut State, environment: &str, name: &str) {
    let place = state.board.rows().iter().position(|row| {
        state.releases.get(row.slot).is_some_and(|release| {
            let id = &release.rollout.id;
            id.name.as_str() == name && id.environment.as_str() == environment
        })
    });
    state
        .board
        .select_place(place.unwrap(), &state.releases, ago(10));
    state.board.explained = state.board.selected.clone();
}

pub(crate) fn arm(state: &mut State, name: &str) {
    let until = Some(now() + SignedDuration::from_mins(28));
    state
        .environments
        .get_mut(&EnvironmentName::from(name))
        .unwrap()
        .arming = Arming::Armed { until };
}

pub(crate) fn intent(state: &State, verb: Verb) -> Intent {
    let (target, uid) = state.target().unwrap();
    Intent {
        id: "s1-1".into(),
        verb,
        target: target.into(),
        seen: Some(uid),
        to_revision: None,
        expects: Expects::default(),
        reason: None,
    }
}

pub(crate) fn version(tag: &str, revision: u64, hash: &str) -> Version {
    Version {
        revision: Some(revision),
        hash: Some(hash.into()),
        images: Arc::new([safe(&format!("registry.example/shop/checkout:{tag}"))]),
    }
}

pub(crate) fn sending(path: &str, body: serde_json::Value) -> Sending {
    Sending {
        says: None,
        method: "PATCH",
        path: path.to_owned(),
        content_type: "application/merge-patch+json",
        body: body.clone(),
        shown: body,
        when: When::AtOnce,
        holder_version: None,
        resends: 1,
    }
}

pub(crate) fn promotion(state: &State) -> Plan {
    let intent = intent(state, Verb::Promote);
    let release = state
        .releases
        .find(intent.target.release().unwrap())
        .unwrap();
    let path = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/checkout/status";
    Plan {
        target: Target {
            uid: release.rollout.uid.clone(),
            version: "48121".into(),
            tier: Tier::Prod,
            revision: Some(15),
            hash: Some("9f3c1e2b".into()),
        },
        title: "Promote checkout".to_owned(),
        next: "analysis at 25 %, then 50 %".to_owned(),
        change: Change::Versions {
            from: version("v2.30.4", 14, "75d9cf6a"),
            to: version("v2.31.0", 15, "9f3c1e2b"),
        },
        sends: vec![sending(path, json!({"status":{"pauseConditions":null}}))],
        same_as: vec!["kubectl argo rollouts promote checkout -n shop".to_owned()],
        way_back: "x: v2.30.4 serves everything again in about 30 s, its 9 pods are up".to_owned(),
        git: Some("Argo CD asks for v2.31.0 already; nothing changes there".to_owned()),
        not_undone: Vec::new(),
        skips: None,
        differs: Vec::new(),
        expect: "the analysis runs within 60 s".to_owned(),
        goal: Goal::NextStep {
            hash: Some("9f3c1e2b".into()),
            index: Some(5),
            steps: 13,
        },
        time_s: 60,
        basis: Basis::full(&release.rollout),
        risks: Vec::new(),
        note: Some("alice promoted to analysis at 25 %".to_owned()),
        needs: vec![Need::PatchRolloutsStatus],
        read_at: ago(2),
        serves_after: None,
        intent,
    }
}

pub(crate) fn guard(name: &'static str, answer: Decision, because: &str) -> GuardAnswer {
    GuardAnswer {
        name,
        answer,
        because: because.to_owned(),
    }
}

pub(crate) fn allowed() -> Vec<GuardAnswer> {
    vec![
        guard(
            "fresh",
            Decision::Allow,
            "seen 2 s ago, nothing changed since",
        ),
        guard(
            "permitted",
            Decision::Allow,
            "alice may patch rollouts/status in shop",
        ),
    ]
}

pub(crate) fn dialog(plan: Plan, guards: Vec<GuardAnswer>) -> Dialog {
    let mut dialog = Dialog::new(plan.intent.clone(), ago(2));
    dialog.stage = Stage::Ready {
        plan: Box::new(plan),
        guards,
    };
    dialog.reading = false;
    dialog.shown = Some(ago(2));
    dialog.last_key = Some(ago(2));
    dialog
}

pub(crate) fn with_dialog(mut state: State, dialog: Dialog) -> State {
    state.overlays.push(Overlay::Plan(Box::new(dialog)));
    state
}

/// `Y` promotes.
pub(crate) fn promote_yes() -> State {
    let mut state = fleet();
    arm(&mut state, "prod-eu");
    let plan = promotion(&state);
    with_dialog(state, dialog(plan, allowed()))
}

/// The environment is being typed.
pub(crate) fn promote_typed() -> State {
    let mut state = fleet();
    arm(&mut state, "prod-eu");
    let plan = promotion(&state);
    let mut guards = allowed();
    guards.push(guard(
        "tier",
        Decision::Warn,
        "the first write to prod-eu in this session",
    ));
    guards.push(guard(
        "risk",
        Decision::Warn,
        "an analysis that did not pass is overridden: error-rate was inconclusive",
    ));
    let mut dialog = dialog(plan, guards);
    dialog.typed = "prod".to_owned();
    with_dialog(state, dialog)
}

/// To the end, with a reason.
pub(crate) fn promote_fully() -> State {
    let mut state = fleet();
    arm(&mut state, "prod-eu");
    let mut plan = promotion(&state);
    plan.intent.verb = Verb::PromoteFull;
    plan.title = "Promote checkout fully".to_owned();
    plan.next = "v2.31.0 serves 100 %".to_owned();
    plan.skips = Some("8 steps: 2 pauses, 2 analyses".to_owned());
    plan.risks = vec![Risk::Fully];
    let mut guards = allowed();
    guards.push(guard(
        "risk",
        Decision::Strongest,
        "to the end at once, without the pauses and analyses that are left",
    ));
    let mut dialog = dialog(plan, guards);
    dialog.typed = "prod-eu/checkout".to_owned();
    dialog.reason = "fixes the outage of".to_owned();
    dialog.field = crate::app::dialog::Field::Reason;
    with_dialog(state, dialog)
}

pub(crate) fn back_out() -> State {
    let mut state = fleet();
    arm(&mut state, "prod-us");
    select(&mut state, "prod-us", "images");
    let mut plan = promotion(&state);
    plan.intent = intent(&state, Verb::BackOut);
    plan.title = "Back out images".to_owned();
    plan.next = "v6.9.2 serves 100 % in about 50 s".to_owned();
    plan.change = Change::Versions {
        from: version("v7.0.0", 15, "9f3c1e2b"),
        to: version("v6.9.2", 14, "75d9cf6a"),
    };
    let base = "/apis/argoproj.io/v1alpha1/namespaces/media/rollouts/images";
    let mut first = sending(base, json!({"spec": {"template": "revision 14"}}));
    first.says = Some("template of revision 14".to_owned());
    let mut second = sending(
        &format!("{base}/status"),
        json!({"status":{"promoteFull":true}}),
    );
    second.when = When::CurrentIs {
        hash: "75d9cf6a".into(),
        words: "revision 14 is the current one".to_owned(),
    };
    plan.sends = vec![first, second];
    plan.same_as = vec![
        "kubectl argo rollouts undo images --to-revision=14 -n media".to_owned(),
        "kubectl argo rollouts promote images --full -n media".to_owned(),
    ];
    plan.skips = Some("8 steps, 2 analyses".to_owned());
    plan.git = Some("Argo CD puts v7.0.0 back at the next sync: revert the commit, too".to_owned());
    plan.not_undone = vec!["ConfigMap images-env, changed 13:10".to_owned()];
    plan.differs = vec![
        Difference {
            path: safe("containers[images].image"),
            from: Some(Shown::Plain(safe("shop/images:v7.0.0"))),
            to: Some(Shown::Plain(safe("shop/images:v6.9.2"))),
        },
        Difference {
            path: safe("containers[images].env[CACHE_MB]"),
            from: Some(Shown::Hidden(safe("512"))),
            to: Some(Shown::Hidden(safe("256"))),
        },
    ];
    plan.way_back = "b: revision 15 again, through its steps".to_owned();
    plan.expect = "v6.9.2 healthy and serving everything within 120 s".to_owned();
    plan.note = None;
    let mut guards = allowed();
    guards.push(guard(
        "gitops",
        Decision::Warn,
        "Argo CD puts v7.0.0 back at the next sync: revert the commit, too",
    ));
    with_dialog(state, dialog(plan, guards))
}

/// A preview that cannot be sent.
pub(crate) fn preview() -> State {
    let state = fleet();
    let plan = promotion(&state);
    let mut guards = allowed();
    guards.push(guard(
        "armed",
        Decision::Deny,
        "read-only: W arms prod-eu, or start with --write=prod-eu",
    ));
    with_dialog(state, dialog(plan, guards))
}

pub(crate) fn refused() -> State {
    let state = fleet();
    let mut dialog = Dialog::new(intent(&state, Verb::Retry), ago(1));
    dialog.stage = Stage::Refused(Refusal {
        kind: crate::ops::plan::RefusalKind::Guard,
        because: vec![
            "it is not aborted: there is nothing to retry".to_owned(),
            "not permitted: patch rollouts/status in shop".to_owned(),
        ],
    });
    with_dialog(state, dialog)
}

pub(crate) fn dead() -> State {
    let state = fleet();
    let mut dialog = Dialog::new(intent(&state, Verb::Promote), ago(1));
    dialog.die("it changed under you: open it again".to_owned());
    with_dialog(state, dialog)
}

pub(crate) fn opened(environment: &str, name: &str) -> State {
    let mut state = fleet();
    select(&mut state, environment, name);
    let (id, uid) = state.target().unwrap();
    let mut open = OpenRelease::new(id.clone(), uid.clone());
    open.pods = Some(pods(&id));
    open.runs = Some(vec![run(&uid)]);
    open.experiments = Some(Vec::new());
    open.events = Some(events(&id));
    state.open = Some(open);
    state.view = View::Release;
    state
}

fn pods(id: &ReleaseId) -> Vec<Pod> {
    let pod = |hash: &str, nth: usize, status: &str, icon, ready, restarts| Pod {
        uid: Uid::new(&format!("pod-{hash}-{nth}")),
        name: safe(&format!("{}-{hash}-{nth:05x}", id.name)),
        owner: None,
        hash: Some(hash.into()),
        status: safe(status),
        icon,
        ready,
        containers: Box::new([safe("app"), safe("proxy")]),
        restarts,
        created: Some(ago(240 + i64::try_from(nth).unwrap_or(0) * 1_000)),
    };
    let mut pods = vec![
        pod("9f3c1e2b", 1, "Running", PodIcon::Running, 2, 0),
        pod("9f3c1e2b", 2, "Running", PodIcon::Running, 2, 0),
        pod("9f3c1e2b", 3, "CrashLoopBackOff", PodIcon::Warning, 1, 4),
    ];
    pods.extend((10..19).map(|nth| pod("75d9cf6a", nth, "Running", PodIcon::Running, 2, 0)));
    pods
}

fn run(owner: &Uid) -> AnalysisRun {
    let measurement = |value: &str, phase: RunPhase, at: i64| Measurement {
        phase,
        value: safe(value),
        message: Safe::default(),
        started: Some(ago(at + 1)),
        finished: Some(ago(at)),
        job: None,
    };
    AnalysisRun {
        uid: "run-1".into(),
        name: safe("checkout-9f3c1e2b-15-2"),
        owner: Some(owner.clone()),
        revision: 15,
        role: safe("Step"),
        step_index: Some(2),
        phase: RunPhase::Running,
        message: Safe::default(),
        counts: RunCounts {
            successful: 4,
            failed: 1,
            inconclusive: 0,
            error: 0,
        },
        metrics: vec![
            Metric {
                name: safe("error-rate"),
                phase: RunPhase::Running,
                message: Safe::default(),
                dry_run: false,
                counts: RunCounts {
                    successful: 4,
                    failed: 1,
                    inconclusive: 0,
                    error: 0,
                },
                wanted: Some(10),
                success_condition: safe("result[0] <= 0.01"),
                failure_condition: Safe::default(),
                query: None,
                measurements: vec![
                    measurement("[0.0041]", RunPhase::Successful, 200),
                    measurement("[0.0039]", RunPhase::Successful, 140),
                    measurement("[0.0171]", RunPhase::Failed, 80),
                    measurement("[0.0044]", RunPhase::Successful, 20),
                ],
            },
            Metric {
                name: safe("p99-latency"),
                phase: RunPhase::Successful,
                message: Safe::default(),
                dry_run: true,
                counts: RunCounts {
                    successful: 5,
                    failed: 0,
                    inconclusive: 0,
                    error: 0,
                },
                wanted: None,
                success_condition: Safe::default(),
                failure_condition: safe("result[0] > 0.4"),
                query: None,
                measurements: vec![measurement("[0.212]", RunPhase::Successful, 22)],
            },
        ],
        created: Some(ago(230)),
        completed: None,
    }
}

fn events(id: &ReleaseId) -> Vec<Event> {
    let event = |nth: usize, at, reason: &str, message: &str, by: &str, warning| Event {
        uid: Uid::new(&format!("event-{nth}")),
        at: Some(ago(at)),
        warning,
        reason: safe(reason),
        message: safe(message),
        count: 1,
        object: safe(&format!("Rollout/{}", id.name)),
        by: safe(by),
    };
    vec![
        event(
            1,
            240,
            "RolloutPaused",
            "Rollout is paused (CanaryPauseStep)",
            "rollouts-controller",
            false,
        ),
        event(
            2,
            250,
            "RolloutStepCompleted",
            "Rollout step 5/13 completed (setWeight: 25)",
            "rollouts-controller",
            false,
        ),
        event(
            3,
            262,
            "Promoted",
            "bob promoted to 25 %",
            "windlass",
            false,
        ),
        event(
            4,
            300,
            "BackOff",
            "Back-off restarting failed container app in pod checkout-9f3c1e2b-00003",
            "kubelet",
            true,
        ),
        event(
            5,
            900,
            "RolloutUpdated",
            "Rollout updated to revision 15",
            "rollouts-controller",
            false,
        ),
    ]
}

pub(crate) fn revisions() -> Vec<Revision> {
    let revision = |number: u64, hash: &str, tag: &str, available| Revision {
        number,
        hash: Some(hash.into()),
        images: Arc::new([safe(&format!("registry.example/shop/checkout:{tag}"))]),
        change_cause: (number == 14).then(|| safe("nightly release")),
        created: Some(ago(i64::try_from(16 - number).unwrap_or(1) * 80_000)),
        is_stable: number == 14,
        is_current: number == 15,
        available,
        differs: if number == 15 {
            Vec::new()
        } else {
            vec![
                Difference {
                    path: safe("containers[app].image"),
                    from: Some(Shown::Plain(safe("checkout:v2.31.0"))),
                    to: Some(Shown::Plain(safe(&format!("checkout:{tag}")))),
                },
                Difference {
                    path: safe("containers[app].env[CACHE_MB]"),
                    from: Some(Shown::Hidden(safe("512"))),
                    to: Some(Shown::Hidden(safe("256"))),
                },
            ]
        },
    };
    vec![
        revision(15, "9f3c1e2b", "v2.31.0", 3),
        revision(14, "75d9cf6a", "v2.30.4", 9),
        revision(13, "5c8ab012", "v2.30.1", 0),
    ]
}

pub(crate) fn menu() -> State {
    let mut state = fleet();
    let (target, uid) = state.target().unwrap();
    state.overlays.push(Overlay::Menu {
        target,
        uid,
        selected: 3,
    });
    state
}

pub(crate) fn help() -> State {
    let mut state = fleet();
    state.overlays.push(Overlay::Help { scroll: 0 });
    state
}

pub(crate) fn palette() -> State {
    let mut state = fleet();
    state.overlays.push(Overlay::Palette {
        typed: "pro".to_owned(),
        selected: 1,
    });
    state
}

pub(crate) fn history() -> State {
    let mut state = fleet();
    let (target, uid) = state.target().unwrap();
    state.overlays.push(Overlay::History(HistoryOverlay {
        target,
        uid,
        revisions: Loading::Here(revisions()),
        selected: 1,
        reveal: false,
        purpose: HistoryPurpose::Read,
    }));
    state
}

pub(crate) fn logs() -> State {
    let mut state = opened("prod-eu", "checkout");
    let open = state.open.as_ref().unwrap();
    let pods: Vec<_> = open
        .pods
        .iter()
        .flatten()
        .map(|pod| (pod.name.clone(), pod.containers.clone()))
        .collect();
    state.overlays.push(Overlay::Logs(LogsOverlay {
        jobs: None,
        target: open.id.clone(),
        pod: pods[1].0.clone(),
        pods,
        container: Some(safe("app")),
        lines: (0..200)
            .map(|nth| {
                crate::model::job_log::LogLine::plain(safe(&format!(
                    "2026-11-21T14:0{}:{:02}Z INFO charge {nth} accepted in {} ms",
                    nth / 60,
                    nth % 60,
                    20 + nth % 37
                )))
            })
            .collect(),
        dropped: 312,
        follow: false,
        up: 12,
        state: LogState::Following,
        filter: String::new(),
        filtering: false,
    }));
    state
}

pub(crate) fn yaml() -> State {
    let mut state = fleet();
    let text = [
        "apiVersion: argoproj.io/v1alpha1",
        "kind: Rollout",
        "metadata:",
        "  name: checkout",
        "  namespace: shop",
        "spec:",
        "  replicas: 12",
    ];
    state.overlays.push(Overlay::Yaml {
        title: "prod-eu/shop/argo-rollout/checkout".to_owned(),
        text: Loading::Here(text.into_iter().map(safe).collect()),
        scroll: 0,
    });
    state
}

pub(crate) fn audit() -> State {
    let mut state = fleet();
    state.view = View::Audit;
    let line = |at: &str, kind: &str, words: &str| AuditLine {
        at: safe(at),
        kind: safe(kind),
        intent: safe("s1-1"),
        words: safe(words),
        detail: vec![
            safe("{"),
            safe("  \"verb\": \"promote\","),
            safe("  \"target\": \"prod-eu/shop/argo-rollout/checkout\""),
            safe("}"),
        ],
    };
    state.audit.records = Loading::Here(vec![
        line(
            "2026-11-21 13:59:04",
            "outcome",
            "promote prod-eu/checkout: observed, step 6 of 13: pause",
        ),
        line("2026-11-21 13:59:00", "sending", "request 1 of 1, try 1"),
        line(
            "2026-11-21 13:59:00",
            "intent",
            "promote prod-eu/checkout by alice",
        ),
    ]);
    state.audit.selected = 1;
    state.audit.verified = Some(Ok(safe("whole: 3 records, the chain holds")));
    state
}

pub(crate) fn sources() -> State {
    let mut state = fleet();
    state.view = View::Sources;
    state.sources.selected = 1;
    let media = state
        .environments
        .get_mut(&EnvironmentName::from("prod-eu"))
        .unwrap();
    let access = media.access.get_mut(&"media".into()).unwrap();
    access.answers[1].1 = Answer::Denied;
    access.answers[7].1 = Answer::NotAnswered(safe("the webhook did not answer in time"));
    state
}

pub(crate) fn arming() -> State {
    let mut state = fleet();
    state.overlays.push(Overlay::Arm {
        environment: "prod-eu".into(),
        opened: ago(2),
        shown: Some(ago(2)),
    });
    state
}

pub(crate) fn reason() -> State {
    let mut state = fleet();
    state.overlays.push(Overlay::Reason {
        intent: "s1-1".into(),
        title: "Back out images".to_owned(),
        typed: "errors since 13:58".to_owned(),
    });
    state
}

/// Under way on one release, over on two others.
pub(crate) fn acted() -> State {
    let mut state = fleet();
    let plan = promotion(&state);
    state
        .actions
        .begin(&plan, crate::app::actions::Followed::default(), ago(3));
    select(&mut state, "prod-eu", "search");
    let mut plan = promotion(&state);
    plan.intent.id = "s1-2".into();
    plan.intent.target = state.target().unwrap().0.into();
    state
        .actions
        .begin(&plan, crate::app::actions::Followed::default(), ago(20));
    let line = state.actions.line_mut(&"s1-2".into()).unwrap();
    line.state = LineState::Over {
        outcome: Outcome {
            kind: OutcomeKind::Unknown,
            words: "the answer was lost and no effect was seen".to_owned(),
            second_place: None,
            sent: true,
        },
        at: ago(8),
    };
    state.board.marked = state.board.selected.iter().cloned().collect();
    state.say(
        crate::app::state::Tone::Waiting,
        "Promote search: unknown, the answer was lost and no effect was seen",
    );
    state
}

pub(crate) fn leaving() -> State {
    let mut state = acted();
    state.overlays.push(Overlay::Leaving);
    state
}

pub(crate) fn open_intents() -> State {
    let mut state = fleet();
    state.session.open_intents = vec![OpenIntent {
        id: safe("s0-4"),
        at: Some(ago(7_000)),
        words: safe("back out prod-us/images by bob"),
    }];
    state.overlays.push(Overlay::OpenIntents);
    state
}

/// Nothing is shown and nothing is well: one environment in each state.
pub(crate) fn failing() -> State {
    let mut state = empty_state();
    state.environments.clear();
    for (name, source) in [
        ("a", SourceState::Connecting),
        ("b", SourceState::Live),
        ("c", SourceState::Forbidden),
        ("d", SourceState::Unauthorized),
        ("e", SourceState::Unreachable),
        ("f", SourceState::RateLimited),
        ("g", SourceState::Malformed),
        ("h", SourceState::Stale),
    ] {
        state
            .environments
            .insert(name.into(), environment(name, source));
    }
    state
}
