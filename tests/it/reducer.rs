//! The reducer under any finger: whatever is pressed, pasted, read and drawn in whatever order, nothing panics, and
//! nothing is executed that was not seen for half a second.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::Value;
use windlass::{
    app::{
        actions::Actions,
        board::Board,
        dialog::SILENCE,
        key::{Code, Key},
        msg::{ActionUpdate, Effect, Msg},
        releases::Releases,
        state::{AuditView, Environment, Loading, Overlay, Session, SourcesView, State, View},
        update,
    },
    model::{
        event::{Collection, CollectionKind, Fact, SourceEvent},
        id::{EnvironmentName, IntentId, WorkloadKind},
        replica_set::Owned,
        rollout::Rollout,
        source::{Access, Answer, Need, SourceHealth, SourceState, Tier, WhoAmI},
        text::sanitise,
    },
    ops::{
        ceremony::Approved,
        guard::Arming,
        intent::{Expects, Intent, Verb},
        machine::{Outcome, OutcomeKind},
        plan::{Plan, Refusal},
    },
    providers::kubernetes::{
        map,
        plan::{self, Facts},
        wire,
    },
};

pub(crate) const ENVIRONMENT: &str = "prod-eu";

/// What may happen next.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Press(Key),
    Paste(String),
    Wait(i64),
    /// A frame is drawn and arrives.
    Draw,
    /// The oldest question for a plan is answered, truly or with an error.
    Answer(bool),
    /// The oldest action that is under way ends.
    End,
    /// The object is told again.
    Tell,
    Resize(u16, u16),
}

fn step() -> impl Strategy<Value = Step> {
    let verbs = prop::sample::select(vec!['p', 'z', 'u', 'x', 'b', 'W', 'm', 'q', 'h', ' ', 'n']);
    let key = prop_oneof![
        4 => Just(Key::char('Y')),
        3 => verbs.prop_map(Key::char),
        2 => prop::sample::select(vec![Code::Enter, Code::Esc, Code::Tab, Code::Down, Code::Backspace])
            .prop_map(Key::plain),
        1 => prop::sample::select(vec!['f', 'y', 'r', 'u', 'c']).prop_map(Key::ctrl),
        1 => any::<char>().prop_map(Key::char),
    ];
    let bent = (key, 0..20_u8).prop_map(|(key, bend)| Key {
        alt: bend == 0,
        repeat: bend == 1,
        ..key
    });
    prop_oneof![
        8 => bent.prop_map(Step::Press),
        // A whole ceremony: by chance alone it would never be typed.
        1 => Just(Step::Paste("Y\n".to_owned())),
        6 => prop::sample::select(vec![1, 100, 499, 500, 501, 700, 5_000, 61_000]).prop_map(Step::Wait),
        6 => Just(Step::Draw),
        6 => prop::bool::weighted(0.9).prop_map(Step::Answer),
        1 => Just(Step::End),
        1 => Just(Step::Tell),
        1 => (1..200_u16, 1..60_u16).prop_map(|(columns, rows)| Step::Resize(columns, rows)),
    ]
}

/// Steps, with whole ceremonies typed among them.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let typed = prop::sample::select(vec!["prod-eu", "prod-eu/checkout", "why\tprod-eu"]);
    let ceremony = typed.prop_map(|text| {
        text.chars()
            .map(|c| match c {
                '\t' => Key::plain(Code::Tab),
                c => Key::char(c),
            })
            .chain([Key::plain(Code::Enter)])
            .map(Step::Press)
            .collect::<Vec<_>>()
    });
    // The way through a dialog, by a finger that is sometimes too fast: by chance alone hardly anything would be
    // executed, and nothing could be judged.
    let waits = || prop::sample::select(vec![0, 100, 300, 499, 500, 501, 700]);
    let through = (
        prop::sample::select(vec!['x', 'z', 'p']),
        waits(),
        prop::option::of(Just(Step::Press(Key::char('j')))),
        waits(),
    );
    let through = through.prop_map(|(verb, first, between, second)| {
        let mut steps = vec![
            Step::Press(Key::plain(Code::Esc)),
            Step::Press(Key::plain(Code::Esc)),
            Step::Press(Key::char(verb)),
            Step::Answer(true),
            Step::Draw,
            Step::Wait(first),
        ];
        steps.extend(between);
        steps.extend([Step::Wait(second), Step::Press(Key::char('Y'))]);
        steps
    });
    prop::collection::vec(
        prop_oneof![
            12 => step().prop_map(|step| vec![step]),
            1 => ceremony,
            2 => through,
        ],
        1..60,
    )
    .prop_map(|parts| parts.concat())
}

/// What was seen of a dialog, kept by whoever watches from outside.
#[derive(Debug, Default)]
struct Seen {
    planned: bool,
    since: Option<Timestamp>,
}

pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    pub(crate) rollout: Arc<Rollout>,
    pub(crate) replica_sets: Vec<Owned>,
    questions: Vec<Intent>,
    under_way: Vec<IntentId>,
    seen: BTreeMap<String, Seen>,
    executed: BTreeSet<String>,
    /// What was confirmed, for whoever goes on from there.
    pub(crate) approved: Vec<Approved>,
    last_key: Option<Timestamp>,
}

impl World {
    pub(crate) fn new(name: &str) -> Self {
        let path = format!(
            "{}/tests/fixtures/kubernetes/trees/{name}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        let recorded: Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let target = recorded["target"]["name"].as_str().unwrap();
        let environment = EnvironmentName::new(ENVIRONMENT);
        let object = recorded["lists"]["rollouts"]["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|item| item["metadata"]["name"] == target)
            .unwrap();
        let object: wire::Rollout = serde_json::from_value(object.clone()).unwrap();
        let rollout = map::rollout(&object, &environment, &mut map::Interner::default());
        let replica_sets = recorded["lists"]["replicasets"]["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|item| {
                let set: wire::ReplicaSet = serde_json::from_value(item.clone()).unwrap();
                map::replica_set(&set)
            })
            .collect();
        let now: Timestamp = recorded["now"].as_str().unwrap().parse().unwrap();
        let mut world = Self {
            state: state(now, &environment),
            now,
            rollout: Arc::new(rollout),
            replica_sets,
            questions: Vec::new(),
            under_way: Vec::new(),
            seen: BTreeMap::new(),
            executed: BTreeSet::new(),
            approved: Vec::new(),
            last_key: None,
        };
        world.tell();
        world.now += SignedDuration::from_secs(5);
        world.happens(Msg::Tick);
        assert!(world.state.target().is_some(), "a release is selected");
        world
    }

    pub(crate) fn tell(&mut self) {
        let collection = |kind| Collection {
            kind,
            namespace: None,
        };
        let rollouts = collection(CollectionKind::Workloads(WorkloadKind::ArgoRollout));
        let sets = collection(CollectionKind::ReplicaSets);
        let mut facts = vec![
            Fact::Begin(rollouts.clone()),
            Fact::Rollout(Arc::clone(&self.rollout)),
            Fact::Complete(rollouts),
            Fact::Begin(sets.clone()),
        ];
        facts.extend(self.replica_sets.iter().cloned().map(Fact::ReplicaSet));
        facts.push(Fact::Complete(sets));
        facts.push(Fact::Heard(self.now));
        facts.push(Fact::Access(Access {
            namespace: self.rollout.id.namespace.clone(),
            answers: Need::ALL.map(|need| (need, Answer::Allowed)).to_vec(),
            asked: self.now,
        }));
        let environment = EnvironmentName::new(ENVIRONMENT);
        let events = facts
            .into_iter()
            .map(|fact| SourceEvent {
                environment: environment.clone(),
                fact,
            })
            .collect();
        self.happens(Msg::Source(events));
    }

    fn plan(&self, intent: &Intent) -> Result<Plan, Refusal> {
        let release = self.state.releases.find(&self.rollout.id).unwrap().clone();
        plan::plan(
            intent,
            &Facts {
                release,
                templates: HashMap::new(),
                current_template: None,
                template_holder: None,
                configuration: Vec::new(),
                git: None,
                served: Vec::new(),
                tier: Tier::Prod,
                now: self.now,
                who: "alice".to_owned(),
                note: true,
            },
        )
    }

    /// The plan of a verb, where the state has one.
    pub(crate) fn plan_of(&self, verb: Verb) -> Option<Plan> {
        self.plan(&Intent {
            id: IntentId::new("asked"),
            verb,
            target: self.rollout.id.clone().into(),
            seen: Some(self.rollout.uid.clone()),
            to_revision: None,
            expects: Expects::default(),
            reason: None,
        })
        .ok()
    }

    pub(crate) fn step(&mut self, step: &Step) {
        match step {
            Step::Press(key) => {
                self.happens(Msg::Key(*key));
                self.last_key = Some(self.now);
            }
            Step::Paste(text) => self.happens(Msg::Paste(text.clone())),
            Step::Wait(millis) => {
                self.now += SignedDuration::from_millis(*millis);
                self.happens(Msg::Tick);
            }
            Step::Draw => {
                self.state.dirty = false;
                self.state.settle();
                if let Some(Overlay::Plan(dialog)) = self.state.overlays.last() {
                    let seen = self.seen.entry(dialog.id().to_string()).or_default();
                    if seen.planned {
                        seen.since.get_or_insert(self.now);
                    }
                }
                self.happens(Msg::Shown(self.now));
            }
            Step::Answer(true) if !self.questions.is_empty() => {
                let intent = self.questions.remove(0);
                let result = self.plan(&intent);
                self.seen.entry(intent.id.to_string()).or_default().planned |= result.is_ok();
                self.happens(Msg::Planned {
                    intent: intent.id,
                    result: Box::new(result),
                });
            }
            Step::Answer(false) if !self.questions.is_empty() => {
                let intent = self.questions.remove(0);
                self.happens(Msg::Planned {
                    intent: intent.id,
                    result: Box::new(Err(Refusal::guard("it is gone"))),
                });
            }
            Step::End if !self.under_way.is_empty() => {
                let intent = self.under_way.remove(0);
                self.happens(Msg::Action {
                    intent,
                    update: ActionUpdate::Over(Outcome {
                        kind: OutcomeKind::Observed,
                        words: "it is so".to_owned(),
                        second_place: None,
                        sent: true,
                    }),
                });
            }
            Step::Answer(_) | Step::End => {}
            Step::Tell => self.tell(),
            Step::Resize(columns, rows) => self.happens(Msg::Resized {
                columns: *columns,
                rows: *rows,
            }),
        }
    }

    pub(crate) fn happens(&mut self, msg: Msg) {
        let key = match &msg {
            Msg::Key(key) => Some(*key),
            _ => None,
        };
        let armed = self
            .state
            .environments
            .values()
            .all(|environment| matches!(environment.arming, Arming::Armed { .. }));
        for effect in update(&mut self.state, self.now, msg) {
            match effect {
                Effect::Plan(intent) => self.questions.push(intent),
                Effect::Execute(approved) => {
                    let plan = approved.plan();
                    let id = plan.intent.id.to_string();
                    let key = key.expect("only a key executes");
                    assert!(!key.alt && !key.repeat && !key.ctrl, "{key:?} executed");
                    assert!(matches!(key.code, Code::Char('Y') | Code::Enter), "{key:?}");
                    assert!(armed, "executed where nothing is armed");
                    let since = self.seen.get(&id).and_then(|seen| seen.since);
                    let since = since.expect("executed what was never drawn");
                    assert!(self.now.duration_since(since) >= SILENCE, "too soon");
                    if key.code == Code::Char('Y') {
                        let quiet = self
                            .last_key
                            .is_none_or(|last| self.now.duration_since(last) >= SILENCE);
                        assert!(quiet, "a key before it was too close");
                    }
                    self.under_way.push(plan.intent.id.clone());
                    assert!(self.executed.insert(id), "executed twice");
                    self.approved.push(*approved);
                }
                _ => {}
            }
        }
    }
}

pub(crate) fn state(now: Timestamp, name: &EnvironmentName) -> State {
    let environment = Environment {
        name: name.clone(),
        context: sanitise("prod-eu"),
        tier: Tier::Prod,
        arming: Arming::Armed {
            until: now.checked_add(SignedDuration::from_mins(30)).ok(),
        },
        health: SourceHealth {
            state: SourceState::Live,
            since: now,
            detail: sanitise(""),
            heard: Some(now),
            next_try: None,
        },
        who: Some(WhoAmI {
            name: sanitise("alice"),
            groups: Vec::new(),
        }),
        access: HashMap::new(),
        asked: std::collections::HashSet::new(),
        wrote: false,
        insecure: false,
        without_rollouts: false,
    };
    State {
        now,
        columns: 120,
        rows: 36,
        session: Session {
            demo: false,
            game: None,
            still: false,
            read_only: false,
            armed_minutes: 30,
            clock: true,
            zone: jiff::tz::TimeZone::UTC,
            id: "s1".to_owned(),
            keys: windlass::app::keymap::Keymap::default(),
            next_intent: 0,
            open_intents: Vec::new(),
        },
        environments: BTreeMap::from([(name.clone(), environment)]),
        releases: Releases::default(),
        view: View::Board,
        board: Board::wanting(None),
        open: None,
        beside: windlass::app::beside::Beside::default(),
        inbox: windlass::app::inbox::Inbox::default(),
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
        faults: windlass::app::faults::InForce::default(),
        tour: None,
        last_key: None,
        clicked: None,
        dirty: true,
        leaving: false,
    }
}

pub(crate) const WORLDS: [&str; 4] = [
    "manual-pause",
    "canary-analysis",
    "canary-aborted",
    "bluegreen-paused",
];

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_is_executed_that_was_not_seen_for_half_a_second(
        name in prop::sample::select(WORLDS.to_vec()),
        steps in steps(),
    ) {
        let mut world = World::new(name);
        for step in &steps {
            world.step(step);
        }
    }
}

/// The property above would hold of a program that does nothing at all.
#[test]
fn a_careful_operator_gets_through() {
    let mut world = World::new("canary-analysis");
    for step in [
        Step::Press(Key::char('x')),
        Step::Answer(true),
        Step::Draw,
        Step::Wait(500),
        Step::Press(Key::char('Y')),
    ] {
        world.step(&step);
    }
    assert_eq!(world.executed.len(), 1);
}

/// What a link in a runbook names is opened, not only pointed at; and not into the hands of somebody who went elsewhere.
#[test]
fn what_the_command_line_names_opens_when_it_is_first_seen() {
    let opened = |view: View| {
        let known = World::new("manual-pause");
        let mut world = World::new("manual-pause");
        let id = known.rollout.id.clone();
        world.state = state(known.now, &id.environment);
        world.state.board = Board::wanting(Some(id));
        world.state.view = view;
        world.tell();
        (world.state.view, world.state.open.is_some())
    };
    assert_eq!(opened(View::Board), (View::Release, true));
    assert_eq!(opened(View::Sources), (View::Sources, false));
}
