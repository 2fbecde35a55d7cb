//! The releases that the tests act on, and the ways to bring them into a state. Images are words: nothing runs in a pod.

use serde_json::{Value, json};

use super::{api::Api, world::World};

/// A Rollout of a test, by name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) api: Api,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

fn template(name: &str, version: &str) -> Value {
    json!({
        "metadata": { "labels": { "app": name } },
        "spec": { "containers": [{ "name": "app", "image": format!("{name}:{version}") }] },
    })
}

fn object(kind: (&str, &str), namespace: &str, name: &str, replicas: i32) -> Value {
    json!({
        "apiVersion": kind.0,
        "kind": kind.1,
        "metadata": { "name": name, "namespace": namespace },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": name } },
            "template": template(name, "v1"),
        },
    })
}

/// Weights 25, 50 and 75, each with a pause that waits for somebody.
pub(super) fn canary_object(namespace: &str, name: &str) -> Value {
    let mut rollout = object(("argoproj.io/v1alpha1", "Rollout"), namespace, name, 4);
    rollout["spec"]["strategy"] = json!({ "canary": { "steps": [
        { "setWeight": 25 }, { "pause": {} },
        { "setWeight": 50 }, { "pause": {} },
        { "setWeight": 75 }, { "pause": {} },
    ] } });
    rollout
}

/// A canary at version 1, healthy.
pub(super) fn canary<'a>(world: &World, name: &'a str) -> Subject<'a> {
    canary_in(world, "shop", name)
}

pub(super) fn canary_in<'a>(world: &World, namespace: &'a str, name: &'a str) -> Subject<'a> {
    world.api.create(&canary_object(namespace, name));
    let subject = Subject {
        api: world.api,
        namespace,
        name,
    };
    subject.until_healthy();
    subject
}

/// A canary of version 2 over version 1, at its first pause.
pub(super) fn canary_at_a_pause<'a>(world: &World, name: &'a str) -> Subject<'a> {
    let subject = canary(world, name);
    subject.release("v2");
    subject.until_paused_at(1);
    subject
}

/// A canary whose version 2 has been promoted to the end.
pub(super) fn finished_canary<'a>(world: &World, name: &'a str) -> Subject<'a> {
    let subject = canary_at_a_pause(world, name);
    subject.status(&json!({ "promoteFull": true }));
    subject.until_healthy();
    subject
}

pub(super) fn blue_green<'a>(world: &World, name: &'a str) -> Subject<'a> {
    for role in ["active", "preview"] {
        world.api.create(&json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": format!("{name}-{role}"), "namespace": "shop" },
            "spec": { "selector": { "app": name }, "ports": [{ "port": 80 }] },
        }));
    }
    let mut rollout = object(("argoproj.io/v1alpha1", "Rollout"), "shop", name, 2);
    rollout["spec"]["strategy"] = json!({ "blueGreen": {
        "activeService": format!("{name}-active"),
        "previewService": format!("{name}-preview"),
        "autoPromotionEnabled": false,
    } });
    world.api.create(&rollout);
    let subject = Subject {
        api: world.api,
        namespace: "shop",
        name,
    };
    let first = subject.until_healthy();
    let made = first["metadata"]["creationTimestamp"]
        .as_str()
        .unwrap()
        .to_owned();
    // The controller compares the ages of ReplicaSets in whole seconds: two of one second are no older and newer.
    subject.until("a second old", |_| {
        let made: jiff::Timestamp = made.parse().unwrap();
        jiff::Timestamp::now().duration_since(made).as_secs() >= 2
    });
    subject.release("v2");
    subject.until("waiting for the switch", |rollout| {
        rollout["status"]["pauseConditions"][0]["reason"] == json!("BlueGreenPause")
    });
    subject
}

/// A workload of a built-in kind, complete.
pub(super) fn built_in(world: &World, kind: &str, name: &str, replicas: i32) -> String {
    let mut workload = object(("apps/v1", kind), "shop", name, replicas);
    if kind == "DaemonSet" {
        workload["spec"].as_object_mut().unwrap().remove("replicas");
    }
    world.api.create(&workload);
    let path = format!(
        "/apis/apps/v1/namespaces/shop/{}s/{name}",
        kind.to_lowercase()
    );
    world.api.until(&path, "complete", complete);
    path
}

/// The words of `kubectl rollout status`, for the kinds here.
pub(super) fn complete(workload: &Value) -> bool {
    let status = &workload["status"];
    let observed = status["observedGeneration"] == workload["metadata"]["generation"];
    let number = |name: &str| status[name].as_i64().unwrap_or(0);
    let desired = workload["spec"]["replicas"]
        .as_i64()
        .unwrap_or_else(|| number("desiredNumberScheduled"));
    let updated = number("updatedReplicas").max(number("updatedNumberScheduled"));
    let ready = number("availableReplicas").max(number("numberAvailable"));
    observed
        && desired > 0
        && updated == desired
        && ready == desired
        && number("replicas").max(desired) == desired
}

/// Another version of a workload of a built-in kind.
pub(super) fn released(version: &str, name: &str) -> Value {
    json!({ "spec": { "template": template(name, version) } })
}

impl Subject<'_> {
    pub(super) fn path(self) -> String {
        format!(
            "/apis/argoproj.io/v1alpha1/namespaces/{}/rollouts/{}",
            self.namespace, self.name
        )
    }

    pub(super) fn now(self) -> Value {
        self.api.get(&self.path())
    }

    pub(super) fn spec(self, spec: &Value) {
        self.api.patch(&self.path(), &json!({ "spec": spec }));
    }

    /// What the vendor's plugin writes.
    pub(super) fn status(self, status: &Value) {
        self.api.patch(
            &format!("{}/status", self.path()),
            &json!({ "status": status }),
        );
    }

    pub(super) fn release(self, version: &str) {
        self.spec(&json!({ "template": template(self.name, version) }));
    }

    pub(super) fn until(self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.api.until(&self.path(), what, |rollout| {
            observed(rollout) && wanted(rollout)
        })
    }

    pub(super) fn until_healthy(self) -> Value {
        self.until("healthy", |rollout| {
            rollout["status"]["phase"] == "Healthy"
                && rollout["status"]["currentPodHash"] == rollout["status"]["stableRS"]
        })
    }

    pub(super) fn until_paused_at(self, index: i64) -> Value {
        self.until(&format!("paused at step {index}"), |rollout| {
            rollout["status"]["phase"] == "Paused" && step(rollout) == index
        })
    }

    pub(super) fn until_phase(self, phase: &str) -> Value {
        self.until(phase, |rollout| rollout["status"]["phase"] == phase)
    }

    pub(super) fn step(self) -> i64 {
        step(&self.now())
    }

    /// The hash of the version that is stable.
    pub(super) fn stable(self) -> String {
        word(&self.now(), "/status/stableRS")
    }

    pub(super) fn image(self) -> String {
        word(&self.now(), "/spec/template/spec/containers/0/image")
    }
}

/// The controller has seen the spec: its status speaks of this template.
fn observed(rollout: &Value) -> bool {
    let generation = rollout["metadata"]["generation"].as_i64().unwrap_or(0);
    word(rollout, "/status/observedGeneration") == generation.to_string()
}

pub(super) fn step(rollout: &Value) -> i64 {
    rollout["status"]["currentStepIndex"].as_i64().unwrap_or(0)
}

pub(super) fn word(object: &Value, pointer: &str) -> String {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
