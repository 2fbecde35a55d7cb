//! The screen without a terminal: a state that holds so many releases, fingers, facts, and the bytes of each frame.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use ratatui::{Frame, buffer::Buffer};
use serde_json::Value;
use windlass::{
    app::{
        beside::Beside,
        key::Key,
        keymap::Keymap,
        msg::Msg,
        state::{Environment, Session, State},
        update,
    },
    model::{
        event::{Collection, CollectionKind, Fact, SourceEvent},
        id::{EnvironmentName, WorkloadKind},
        replica_set::Owned,
        rollout::{Rollout, Workload},
        source::{SourceHealth, SourceState, Tier},
        text::sanitise,
    },
    ops::guard::Arming,
    providers::kubernetes::{map, wire},
    runtime::terminal::Frames,
    ui::{
        self,
        theme::{BuiltIn, Depth, Theme},
    },
};

/// The size of `shared`'s measurements would be another for everybody; this one is a terminal over half a wide screen.
pub(crate) const SIZE: (u16, u16) = (160, 50);
/// Between two keys of a finger that rests on one.
pub(crate) const REPEAT: SignedDuration = SignedDuration::from_millis(33);
const ENVIRONMENT: &str = "prod-eu";
/// Recorded on a real cluster: what a release of each kind looks like.
const TREES: [&str; 4] = [
    "canary-analysis",
    "manual-pause",
    "canary-aborted",
    "bluegreen-paused",
];

struct Tree {
    rollout: wire::Rollout,
    sets: Vec<wire::ReplicaSet>,
}

pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    frames: Frames,
    theme: Theme,
    rollouts: Vec<Arc<Rollout>>,
}

impl World {
    /// So many releases, live, on the Board, its first frame drawn.
    pub(crate) fn of(count: usize) -> Self {
        let mut world = Self::empty();
        world.load(count);
        world.draw();
        world
    }

    pub(crate) fn empty() -> Self {
        let now: Timestamp = "2027-01-20T14:03:22.1Z".parse().unwrap();
        let name = EnvironmentName::new(ENVIRONMENT);
        let session = Session {
            demo: false,
            game: None,
            still: false,
            read_only: false,
            armed_minutes: 30,
            keys: Keymap::default(),
            clock: true,
            zone: jiff::tz::TimeZone::UTC,
            id: "s1".to_owned(),
            next_intent: 0,
            open_intents: Vec::new(),
        };
        let environment = Environment {
            name: name.clone(),
            context: sanitise(ENVIRONMENT),
            tier: Tier::Prod,
            arming: Arming::ReadOnly,
            health: SourceHealth {
                state: SourceState::Live,
                since: now,
                detail: sanitise(""),
                heard: Some(now),
                next_try: None,
            },
            who: None,
            access: HashMap::new(),
            asked: HashSet::new(),
            wrote: false,
            insecure: false,
            without_rollouts: false,
        };
        let state = State::new(
            now,
            SIZE,
            session,
            BTreeMap::from([(name, environment)]),
            Beside::default(),
        );
        Self {
            state,
            now,
            frames: Frames::new("xterm-256color", SIZE, true),
            theme: Theme::new(&BuiltIn::Dark.palette(), Depth::True),
            rollouts: Vec::new(),
        }
    }

    /// As a source tells them after it has listed them, in batches as the runtime hands them on.
    pub(crate) fn load(&mut self, count: usize) {
        let collection = |kind| Collection {
            kind,
            namespace: None,
        };
        let workloads = collection(CollectionKind::Workloads(WorkloadKind::ArgoRollout));
        let sets = collection(CollectionKind::ReplicaSets);
        self.tell(vec![
            Fact::Begin(workloads.clone()),
            Fact::Begin(sets.clone()),
        ]);
        let trees: Vec<Tree> = TREES.into_iter().map(tree).collect();
        let mut interner = map::Interner::default();
        let environment = EnvironmentName::new(ENVIRONMENT);
        let mut batch = Vec::new();
        for number in 0..count {
            let (rollout, replica_sets) = copy(
                &trees[number % trees.len()],
                number,
                &environment,
                &mut interner,
            );
            batch.push(Fact::Rollout(rollout));
            batch.extend(replica_sets.into_iter().map(Fact::ReplicaSet));
            if batch.len() > 500 {
                self.tell(std::mem::take(&mut batch));
            }
        }
        batch.extend([
            Fact::Complete(workloads),
            Fact::Complete(sets),
            Fact::Heard(self.now),
        ]);
        self.tell(batch);
        self.wait(SignedDuration::from_secs(5));
    }

    /// What a source would tell again, for whoever changes some of them.
    pub(crate) fn remember(&mut self) {
        let mut found: Vec<Arc<Rollout>> = self
            .state
            .releases
            .iter()
            .map(|(_, release)| Arc::clone(&release.rollout))
            .collect();
        found.sort_by(|a, b| a.id.name.cmp(&b.id.name));
        self.rollouts = found;
    }

    pub(crate) fn tell(&mut self, facts: Vec<Fact>) {
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

    /// These releases, by number, report a change that their rows show.
    pub(crate) fn changes(&self, numbers: impl Iterator<Item = usize>) -> Vec<Fact> {
        numbers
            .map(|number| {
                let mut rollout = Rollout::clone(&self.rollouts[number % self.rollouts.len()]);
                let minutes = i64::try_from(2 + number % 50).unwrap();
                if let Workload::ArgoRollout(argo) = &mut rollout.workload {
                    let at = self.now - SignedDuration::from_mins(minutes);
                    argo.aborted_at = Some(at.into());
                }
                rollout.replicas.ready = i32::try_from(number % 7).unwrap();
                Fact::Rollout(Arc::new(rollout))
            })
            .collect()
    }

    pub(crate) fn press(&mut self, key: Key) {
        self.happens(Msg::Key(key));
    }

    pub(crate) fn wait(&mut self, time: SignedDuration) {
        self.now += time;
        self.tell(vec![Fact::Heard(self.now)]);
        self.happens(Msg::Tick);
    }

    /// What is asked for is not done: nobody is there.
    fn happens(&mut self, msg: Msg) {
        drop(update(&mut self.state, self.now, msg));
    }

    /// Draws as the loop does, and answers how many bytes the terminal is sent.
    pub(crate) fn draw(&mut self) -> usize {
        self.render(|_| {})
    }

    /// The same, and what the frame looked like.
    pub(crate) fn picture(&mut self) -> (usize, Buffer) {
        let mut picture = Buffer::default();
        let bytes = self.render(|frame| picture = frame.buffer_mut().clone());
        (bytes, picture)
    }

    /// With something done to the finished frame.
    pub(crate) fn render(&mut self, after: impl FnOnce(&mut Frame<'_>)) -> usize {
        self.state.dirty = false;
        self.state.settle();
        let (state, theme) = (&self.state, &self.theme);
        let bytes = self
            .frames
            .draw(SIZE, |frame| {
                let linked = ui::draw_linked(state, theme, frame);
                after(frame);
                linked
            })
            .len();
        self.happens(Msg::Shown(self.now));
        bytes
    }
}

fn tree(name: &str) -> Tree {
    let path = format!(
        "{}/tests/fixtures/kubernetes/trees/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let recorded: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let target = recorded["target"]["name"].as_str().unwrap();
    let items = |kind: &str| recorded["lists"][kind]["items"].as_array().unwrap().clone();
    let rollout = items("rollouts")
        .into_iter()
        .find(|item| item["metadata"]["name"] == target)
        .unwrap();
    let rollout: wire::Rollout = serde_json::from_value(rollout).unwrap();
    let sets = items("replicasets")
        .into_iter()
        .map(|item| serde_json::from_value::<wire::ReplicaSet>(item).unwrap())
        .filter(|set| {
            let owners = &set.metadata.owner_references;
            owners.iter().any(|owner| owner.uid == rollout.metadata.uid)
        })
        .collect();
    Tree { rollout, sets }
}

/// Another release like this one, mapped from the wire as every other is.
fn copy(
    tree: &Tree,
    number: usize,
    environment: &EnvironmentName,
    interner: &mut map::Interner,
) -> (Arc<Rollout>, Vec<Owned>) {
    let mut object = tree.rollout.clone();
    object.metadata.name = format!("service-{number:06}");
    object.metadata.namespace = format!("team-{}", number % 40);
    object.metadata.uid = uid(number, 0);
    let sets = (1..)
        .zip(&tree.sets)
        .filter_map(|(place, set)| {
            let mut set = set.clone();
            set.metadata.uid = uid(number, place);
            for owner in &mut set.metadata.owner_references {
                owner.uid = uid(number, 0);
            }
            map::replica_set(&set)
        })
        .collect();
    (Arc::new(map::rollout(&object, environment, interner)), sets)
}

/// As long as the real ones.
fn uid(number: usize, place: usize) -> String {
    format!("00000000-0000-4000-8000-{place:02}{number:010}")
}
