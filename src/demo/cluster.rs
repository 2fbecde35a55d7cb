//! The simulated cluster: objects, time, chance, and what its controllers remember between looks.
//!
//! Everything happens inside `advance`, at simulated moments, so the same code plays the past at full tilt while the
//! world is built, runs live behind the server, and is stepped by tests. Must never await, sleep or read a clock.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::alarm::Alarms;
use super::chance::{Chance, short_hash};
use super::clock::{Clock, Moment};
use super::controller;
use super::flow::Flows;
use super::json;
use super::kind::Kind;
use super::pipeline::{self, Pipelines, RunRef};
use super::queue::{Matter, Queue};
use super::script::Script;
use super::seed::{self, Story};
use super::store::{Key, Object, Store};

/// Etcd drops events after an hour.
const EVENTS_LIVE: Duration = Duration::from_secs(3600);

/// How long a controller takes to notice a change: measured on real ones, 10 ms from patch to first answer.
const NOTICE: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) chance: Chance,
    pub(super) memory: Memory,
    /// How each workload behaves: by namespace and name.
    pub(super) scripts: HashMap<(String, String), Script>,
    /// Namespaces in which nobody may write.
    pub(super) sealed: HashSet<String>,
    pub(super) pipelines: Pipelines,
    pub(super) flows: Flows,
    pub(super) alarms: Alarms,
    /// What happens by itself after the opening.
    pub(super) story: Story,
    queue: Queue,
}

/// What the controllers know beyond the objects, by uid. Stamps on objects are cut to whole seconds, which is too
/// coarse to wait by in a world that runs a thousand times too fast.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) paused_since: HashMap<String, Moment>,
    pub(super) progressed_at: HashMap<String, Moment>,
    pub(super) scale_down_at: HashMap<String, Moment>,
    pub(super) pod_ready_at: HashMap<String, Moment>,
    pub(super) pod_gone_at: HashMap<String, Moment>,
    pub(super) measured_at: HashMap<String, Moment>,
    /// Event objects by what they say, so that a repetition is counted instead of listed.
    events: BTreeMap<(String, String, String), Key>,
}

impl Cluster {
    pub(super) fn new(opened: Timestamp, pace: f64, seed: u64, past: Moment) -> Self {
        Self {
            store: Store::new(100_000),
            clock: Clock::new(opened, pace, past),
            chance: Chance::new(seed),
            memory: Memory::default(),
            scripts: HashMap::new(),
            sealed: HashSet::new(),
            pipelines: Pipelines::default(),
            flows: Flows::default(),
            alarms: Alarms::default(),
            story: Story::default(),
            queue: Queue::default(),
        }
    }

    /// Lets everything happen that is due until then.
    pub(super) fn advance(&mut self, to: Moment) {
        self.work(to, to);
    }

    /// Lets everything happen that is due by `until`; then it is `at`, or later by what happened last.
    pub(super) fn work(&mut self, at: Moment, until: Moment) {
        loop {
            self.notice();
            let Some((due, matter)) = self.queue.pop_due(until) else {
                break;
            };
            self.clock.set(due);
            match matter {
                Matter::Object(key) => controller::look(self, &key),
                Matter::Run(run) => pipeline::look(self, run),
                Matter::Story(place) => seed::go_on(self, place),
            }
        }
        self.clock.set(at);
    }

    pub(super) fn next_due(&self) -> Option<Moment> {
        self.queue.next_due()
    }

    /// Looks at the object again then.
    pub(super) fn wake(&mut self, key: &Key, due: Moment) {
        self.queue.schedule(Matter::Object(key.clone()), due);
    }

    pub(super) fn wake_run(&mut self, run: RunRef, due: Moment) {
        self.queue.schedule(Matter::Run(run), due);
    }

    pub(super) fn wake_story(&mut self, place: usize, due: Moment) {
        self.queue.schedule(Matter::Story(place), due);
    }

    /// Every write is noticed by the controller of the object and by that of its owner.
    pub(super) fn notice(&mut self) {
        let due = self.clock.now().after(NOTICE);
        for object in self.store.take_touched() {
            self.flows.touched(&self.store, &self.clock, &object);
            for run in self.pipelines.watching(&object.key) {
                self.queue.schedule(Matter::Run(run), due);
            }
            if controller::looks_after(object.key.kind) {
                self.queue.schedule(Matter::Object(object.key.clone()), due);
            }
            if let Some(owner) = object.owner.as_ref().and_then(|owner| owner.key.clone()) {
                self.queue.schedule(Matter::Object(owner), due);
            }
        }
    }

    pub(super) fn script(&self, namespace: &str, workload: &str) -> Script {
        let key = (namespace.to_owned(), workload.to_owned());
        self.scripts.get(&key).cloned().unwrap_or_default()
    }

    /// Creates with the metadata that the server fills in.
    pub(super) fn create(&mut self, kind: Kind, mut value: Value) -> std::sync::Arc<Object> {
        let uid = self.chance.uid();
        json::set(&mut value, &["metadata", "uid"], uid);
        json::set(
            &mut value,
            &["metadata", "creationTimestamp"],
            self.clock.stamp(),
        );
        if !matches!(kind, Kind::Event | Kind::ConfigMap | Kind::Namespace) {
            json::set(&mut value, &["metadata", "generation"], 1);
        }
        self.store.put(kind, value)
    }

    /// Edits an object that is known to be there; nothing is written when nothing changed.
    pub(super) fn edit(&mut self, key: &Key, edit: impl FnOnce(&mut Value)) {
        let Some(object) = self.store.get(key) else {
            return;
        };
        let before = object.value();
        let mut after = before.clone();
        edit(&mut after);
        if after == before {
            return;
        }
        if after.get("spec") != before.get("spec") {
            let generation = json::int(&before, &["metadata", "generation"]) + 1;
            json::set(&mut after, &["metadata", "generation"], generation);
        }
        self.store.put(key.kind, after);
    }

    /// Writes a Kubernetes Event about the object, as its controller would.
    pub(super) fn tell(
        &mut self,
        about: &Object,
        by: &str,
        warning: bool,
        reason: &str,
        message: &str,
    ) {
        if self.clock.now() < Moment::OPENING.before(EVENTS_LIVE) {
            return;
        }
        let said = (about.uid.to_string(), reason.to_owned(), message.to_owned());
        let stamp = self.clock.stamp();
        if let Some(key) = self.memory.events.get(&said).cloned()
            && self.store.get(&key).is_some()
        {
            self.edit(&key, |event| {
                let count = json::int(event, &["count"]) + 1;
                json::set(event, &["count"], count);
                json::set(event, &["lastTimestamp"], stamp);
            });
            return;
        }
        let facts = about.key.kind.facts();
        let mark = self.chance.next();
        let event = json!({
            "metadata": {"name": format!("{}.{mark:016x}", about.key.name), "namespace": &*about.key.namespace},
            "involvedObject": {"apiVersion": about.key.kind.api_version(), "kind": facts.kind,
                "name": &*about.key.name, "namespace": &*about.key.namespace, "uid": &*about.uid,
                "resourceVersion": about.version.to_string()},
            "type": if warning { "Warning" } else { "Normal" }, "reason": reason, "message": message, "count": 1,
            "firstTimestamp": stamp, "lastTimestamp": stamp, "eventTime": null,
            "source": {"component": by}, "reportingComponent": by, "reportingInstance": "",
        });
        let event = self.create(Kind::Event, event);
        self.memory.events.insert(said, event.key.clone());
    }
}

/// The hash of a pod template, without the label in which its `ReplicaSet` repeats it.
pub(super) fn template_hash(template: &Value, label: &str) -> String {
    let mut template = template.clone();
    json::unset(&mut template, &["metadata", "labels", label]);
    short_hash(template.to_string().as_bytes())
}
