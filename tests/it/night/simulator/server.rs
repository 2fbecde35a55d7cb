//! One API server with one Rollout, and the controller behind it: a model of Argo Rollouts that takes up to a minute to
//! look, follows its rules for pauses, aborts and full promotions, and is written from its documentation and not from the
//! program under test. Never lies by itself: what goes wrong on the way is `way`'s business.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    sync::Arc,
};

use serde_json::{Value, json};
use tokio::{
    sync::{Notify, futures::Notified},
    time::Instant,
};
use windlass::{
    model::{
        id::{EnvironmentName, PodHash, Uid},
        release::Release,
        replica_set::Owned,
        rollout::Rollout,
        source::Tier,
    },
    providers::kubernetes::{map, plan::Facts, wire},
};

use super::World;
use crate::reducer::ENVIRONMENT;

/// What a watch is told.
#[derive(Clone)]
pub(super) struct Change {
    pub(super) version: u64,
    pub(super) rollout: Arc<Rollout>,
    pub(super) gone: bool,
}

struct Inner {
    object: Value,
    rollout: Arc<Rollout>,
    sets: Vec<Owned>,
    version: u64,
    history: Vec<Change>,
    /// When the controller looks, and when the step at hand is done.
    look: Option<Instant>,
    done: Option<Instant>,
    releases: u64,
}

pub(super) struct Server {
    inner: RefCell<Inner>,
    /// Not a `watch` of tokio's: that wakes in an order of its own.
    bell: Notify,
    /// Versions before this are compacted away.
    compacted: Cell<u64>,
}

impl Server {
    pub(super) fn new() -> Self {
        let path = format!(
            "{}/tests/fixtures/kubernetes/trees/canary-analysis.json",
            env!("CARGO_MANIFEST_DIR")
        );
        let recorded: Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let mut object = recorded["lists"]["rollouts"]["items"][0].clone();
        object["metadata"]["managedFields"] = Value::Null;
        object["metadata"]["annotations"] = json!({"rollout.argoproj.io/revision": "2"});
        object["spec"]["strategy"]["canary"]["steps"] = json!([
            {"setWeight": 20}, {"pause": {}}, {"setWeight": 40}, {"pause": {}},
            {"setWeight": 60}, {"pause": {}}, {"setWeight": 80}, {"pause": {}},
        ]);
        object["status"]["currentStepIndex"] = json!(1);
        object["status"]["currentStepHash"] = json!("steps");
        let sets = recorded["lists"]["replicasets"]["items"]
            .as_array()
            .unwrap();
        let sets = sets
            .iter()
            .filter_map(|item| {
                let set: wire::ReplicaSet = serde_json::from_value(item.clone()).unwrap();
                map::replica_set(&set)
            })
            .collect();
        let rollout = mapped(&object);
        let mut inner = Inner {
            object,
            rollout,
            sets,
            version: 1_000,
            history: Vec::new(),
            look: None,
            done: None,
            releases: 0,
        };
        inner.release();
        inner.store();
        Self {
            inner: RefCell::new(inner),
            bell: Notify::new(),
            compacted: Cell::new(0),
        }
    }

    pub(super) fn rollout(&self) -> Arc<Rollout> {
        Arc::clone(&self.inner.borrow().rollout)
    }

    pub(super) fn version(&self) -> u64 {
        self.inner.borrow().version
    }

    pub(super) fn sets(&self) -> Vec<Owned> {
        self.inner.borrow().sets.clone()
    }

    pub(super) fn facts(&self, now: jiff::Timestamp) -> Facts {
        let inner = self.inner.borrow();
        Facts {
            release: Release {
                rollout: Arc::clone(&inner.rollout),
                sets: inner.sets.iter().map(|owned| owned.set.clone()).collect(),
            },
            templates: HashMap::new(),
            current_template: None,
            template_holder: None,
            configuration: Vec::new(),
            git: None,
            served: Vec::new(),
            tier: Tier::Prod,
            now,
            who: "alice".to_owned(),
            note: true,
        }
    }

    /// Whether any state after this version was like that.
    pub(super) fn was(&self, after: u64, like: impl Fn(&Rollout) -> bool) -> bool {
        let inner = self.inner.borrow();
        let mut later = inner.history.iter().filter(|change| change.version > after);
        later.any(|change| !change.gone && like(&change.rollout))
    }

    /// Something has changed since this was called.
    pub(super) fn rings(&self) -> Notified<'_> {
        self.bell.notified()
    }

    /// The changes after a version, or that it is too old.
    pub(super) fn since(&self, version: u64) -> Result<Vec<Change>, u16> {
        if version < self.compacted.get() {
            return Err(410);
        }
        let inner = self.inner.borrow();
        let later = inner.history.iter().filter(|it| it.version > version);
        Ok(later.cloned().collect())
    }

    pub(super) fn compact(&self) {
        self.compacted.set(self.version());
    }

    /// A merge patch of one half of the object, refused where it rests on another version.
    pub(super) fn patch(
        &self,
        world: &World,
        path: &str,
        body: &Value,
    ) -> Result<Arc<Rollout>, u16> {
        let mut inner = self.inner.borrow_mut();
        let metadata = &body["metadata"];
        let version = metadata["resourceVersion"].as_str();
        let uid = metadata["uid"].as_str();
        if version.is_some_and(|version| version != inner.version.to_string())
            || uid.is_some_and(|uid| inner.object["metadata"]["uid"] != *uid)
        {
            return Err(409);
        }
        let half = if path.ends_with("/status") {
            "status"
        } else {
            "spec"
        };
        let before = inner.object[half].clone();
        merge(&mut inner.object[half], &body[half]);
        if inner.object[half] != before {
            if half == "spec" {
                inner.next_generation();
            }
            inner.store();
            inner.looks_after(world);
            drop(inner);
            self.ring();
        }
        Ok(self.rollout())
    }

    fn ring(&self) {
        self.bell.notify_waiters();
    }

    /// What others do to it.
    pub(super) fn others(&self, world: &World, what: Others) {
        let mut inner = self.inner.borrow_mut();
        match what {
            Others::CountPods => {
                let seen = inner.object["status"]["HPAReplicas"] == 2;
                inner.object["status"]["HPAReplicas"] = json!(if seen { 3 } else { 2 });
            }
            Others::Release => inner.release(),
            Others::Recreate => {
                let gone = Change {
                    version: inner.version + 1,
                    rollout: Arc::clone(&inner.rollout),
                    gone: true,
                };
                inner.version += 1;
                inner.history.push(gone);
                inner.releases += 1;
                let uid = format!("recreated-{}", inner.releases);
                for set in &mut inner.sets {
                    set.owner = Uid::new(&uid);
                }
                inner.object["metadata"]["uid"] = json!(uid);
                inner.release();
            }
        }
        inner.store();
        inner.looks_after(world);
        drop(inner);
        self.ring();
    }

    /// Whatever is due is due now: eight hours have passed for everybody else.
    pub(super) fn leap(&self) {
        let mut inner = self.inner.borrow_mut();
        let now = Instant::now();
        inner.look = inner.look.map(|_| now);
        inner.done = inner.done.map(|_| now);
        drop(inner);
        self.ring();
    }

    /// The controller, for ever.
    pub(super) async fn control(&self, world: &World) {
        loop {
            let due = self.inner.borrow().look;
            match due {
                Some(due) if due <= Instant::now() => {
                    let mut inner = self.inner.borrow_mut();
                    inner.look = None;
                    let before = inner.object.clone();
                    inner.look(world);
                    let changed = inner.object != before;
                    if changed {
                        inner.store();
                        world.note(&format!("controller {}", inner.words()));
                    }
                    drop(inner);
                    if changed {
                        self.ring();
                    }
                }
                Some(due) => {
                    tokio::select! {
                        biased;
                        () = self.rings() => {}
                        () = tokio::time::sleep_until(due) => {}
                    }
                }
                None => self.rings().await,
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Others {
    CountPods,
    Release,
    Recreate,
}

impl Inner {
    fn store(&mut self) {
        self.version += 1;
        self.object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.rollout = mapped(&self.object);
        let rollout = Arc::clone(&self.rollout);
        self.history.push(Change {
            version: self.version,
            rollout,
            gone: false,
        });
    }

    fn next_generation(&mut self) {
        let generation = self.object["metadata"]["generation"].as_i64().unwrap_or(0);
        self.object["metadata"]["generation"] = json!(generation + 1);
    }

    fn looks_after(&mut self, world: &World) {
        // Usually it looks at once. Now and then its informer is behind, by a minute at most.
        let wait = if world.fails(6) {
            world.dice.millis(0, 60_000)
        } else {
            world.dice.millis(10, 2_000)
        };
        let at = Instant::now() + wait;
        self.look = Some(self.look.map_or(at, |look| look.min(at)));
    }

    /// A new version, waiting at its first pause.
    fn release(&mut self) {
        self.releases += 1;
        self.next_generation();
        let hash = format!("version{}", self.releases);
        if let Some(set) = self.sets.first_mut() {
            set.set.hash = Some(PodHash::new(&hash));
            set.set.revision = 10 + self.releases;
        }
        if let Some(set) = self.sets.get_mut(1) {
            set.set.hash = self.object["status"]["stableRS"].as_str().map(PodHash::new);
        }
        let generation = self.object["metadata"]["generation"].to_string();
        self.object["spec"]["paused"] = Value::Null;
        self.object["metadata"]["annotations"]["rollout.argoproj.io/revision"] =
            json!((10 + self.releases).to_string());
        let status = &mut self.object["status"];
        status["currentPodHash"] = json!(hash);
        status["observedGeneration"] = json!(generation);
        for flag in ["abort", "abortedAt", "promoteFull"] {
            status[flag] = Value::Null;
        }
        status["updatedReplicas"] = json!(1);
        self.arrive(1);
    }

    /// At a step: a pause stops it, another one takes its time.
    fn arrive(&mut self, index: i64) {
        let status = &mut self.object["status"];
        status["currentStepIndex"] = json!(index);
        if index % 2 == 1 {
            status["pauseConditions"] =
                json!([{"reason": "CanaryPauseStep", "startTime": "2026-11-21T04:31:27Z"}]);
            status["controllerPause"] = json!(true);
            status["phase"] = json!("Paused");
            status["message"] = json!("CanaryPauseStep");
        } else {
            status["pauseConditions"] = Value::Null;
            status["controllerPause"] = Value::Null;
            status["phase"] = json!("Progressing");
            status["message"] = json!("more replicas need to be updated");
        }
    }

    fn finish(&mut self) {
        let status = &mut self.object["status"];
        status["stableRS"] = status["currentPodHash"].clone();
        status["currentStepIndex"] = json!(8);
        for flag in [
            "abort",
            "abortedAt",
            "promoteFull",
            "pauseConditions",
            "controllerPause",
        ] {
            status[flag] = Value::Null;
        }
        status["updatedReplicas"] = status["replicas"].clone();
        status["phase"] = json!("Healthy");
        status["message"] = Value::Null;
    }

    /// One look of the controller.
    fn look(&mut self, world: &World) {
        let generation = self.object["metadata"]["generation"].to_string();
        self.object["status"]["observedGeneration"] = json!(generation);
        let by_hand = self.object["spec"]["paused"] == true;
        let status = &self.object["status"];
        let promoted = status["stableRS"] == status["currentPodHash"];
        let index = status["currentStepIndex"].as_i64().unwrap_or(0);
        let [full, aborted, held] =
            ["promoteFull", "abort", "controllerPause"].map(|flag| status[flag] == true);
        let let_go = status["pauseConditions"].is_null();
        if promoted || full {
            self.finish();
        } else if aborted {
            self.give_back(world);
            return;
        } else if by_hand {
            self.done = None;
        } else if status["phase"] == "Degraded" {
            // Tried again, from its first step.
            self.object["status"]["abortedAt"] = Value::Null;
            self.object["status"]["updatedReplicas"] = json!(1);
            self.arrive(0);
        } else if let_go {
            let done = self.done.is_some_and(|done| done <= Instant::now());
            self.go_on(if held || done { index + 1 } else { index });
        }
        if by_hand {
            self.object["status"]["phase"] = json!("Paused");
            self.object["status"]["message"] = json!("manually paused");
        } else if self.object["status"]["phase"] == "Paused" && !let_go {
            self.arrive(index);
        } else if self.object["status"]["phase"] == "Progressing" {
            let takes = world.dice.millis(500, 20_000);
            let done = *self.done.get_or_insert_with(|| Instant::now() + takes);
            self.look = Some(done);
        }
    }

    fn go_on(&mut self, index: i64) {
        if self.object["status"]["currentStepIndex"] != json!(index) {
            self.done = None;
        }
        if index >= 8 {
            self.finish();
        } else {
            self.arrive(index);
        }
    }

    /// Aborted: the canary's pods go, which takes a second look.
    fn give_back(&mut self, world: &World) {
        self.done = None;
        let status = &mut self.object["status"];
        let told = status["phase"] == "Degraded";
        for flag in ["pauseConditions", "controllerPause"] {
            status[flag] = Value::Null;
        }
        status["currentStepIndex"] = json!(0);
        status["phase"] = json!("Degraded");
        status["message"] = json!("RolloutAborted: Rollout aborted update");
        if told {
            status["updatedReplicas"] = json!(0);
        } else {
            status["abortedAt"] = json!("2026-11-21T04:31:27Z");
            self.look = Some(Instant::now() + world.dice.millis(500, 20_000));
        }
    }

    fn words(&self) -> String {
        let status = &self.object["status"];
        format!(
            "{} {} step {} of {} stable {}",
            self.version,
            status["phase"],
            status["currentStepIndex"],
            status["currentPodHash"],
            status["stableRS"]
        )
    }
}

fn mapped(object: &Value) -> Arc<Rollout> {
    let object: wire::Rollout = serde_json::from_value(object.clone()).unwrap();
    let environment = EnvironmentName::new(ENVIRONMENT);
    Arc::new(map::rollout(
        &object,
        &environment,
        &mut map::Interner::default(),
    ))
}

/// RFC 7386.
fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            into.as_object_mut().unwrap().remove(name);
        } else {
            merge(&mut into[name], value);
        }
    }
}
