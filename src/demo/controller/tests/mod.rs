//! Sequences that an operator causes, stepped through simulated time; expectations were seen on Argo Rollouts 1.10.1.

mod analysis;
mod blue_green;
mod canary;
mod others;
mod undo;
mod world;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::demo::clock::Moment;
use crate::demo::cluster::Cluster;
use crate::demo::json;
use crate::demo::kind::Kind;
use crate::demo::store::Key;
use crate::demo::write::{self, Format, Subresource};
use crate::demo::{scenario, seed};

/// A cluster with one service to look at.
struct Lab {
    cluster: Cluster,
    key: Key,
}

impl Lab {
    fn scenario(name: &str, kind: Kind, namespace: &str, service: &str) -> Self {
        Self::build(
            &scenario::load(name).unwrap(),
            Key::new(kind, namespace, service),
        )
    }

    /// One service `web` in `shop`, from the middle of a scenario file.
    fn service(kind: Kind, rest: &str) -> Self {
        let text = format!(
            "about = \"x\"\nenvironment = \"e\"\n[[namespace]]\nname = \"shop\"\n[[service]]\nname = \"web\"\n\
             namespace = \"shop\"\n{rest}"
        );
        Self::build(
            &scenario::parse("test", &text).unwrap(),
            Key::new(kind, "shop", "web"),
        )
    }

    fn build(scenario: &scenario::Scenario, key: Key) -> Self {
        let opened = Timestamp::from_second(1_800_000_000).unwrap();
        let cluster = seed::build(scenario, opened, 1.0, 1);
        Self { cluster, key }
    }

    fn object(&self) -> Value {
        self.cluster.store.get(&self.key).unwrap().value()
    }

    fn status(&self) -> Value {
        self.object()["status"].clone()
    }

    fn phase(&self) -> (String, String) {
        let status = self.status();
        (
            json::text(&status, &["phase"]).to_owned(),
            json::text(&status, &["message"]).to_owned(),
        )
    }

    fn is(&self, phase: &str, message: &str) -> bool {
        self.phase() == (phase.to_owned(), message.to_owned())
    }

    fn index(&self) -> i64 {
        json::int(&self.status(), &["currentStepIndex"])
    }

    fn step(&mut self, by: Duration) {
        let to = self.cluster.clock.now().after(by);
        self.cluster.advance(to);
    }

    fn seconds(&mut self, seconds: u64) {
        self.step(Duration::from_secs(seconds));
    }

    fn patch(&mut self, subresource: Subresource, body: &Value) -> Value {
        write::patch(
            &mut self.cluster,
            &self.key,
            subresource,
            Format::Merge,
            body,
            false,
        )
        .unwrap()
    }

    fn patch_status(&mut self, status: &Value) -> Value {
        self.patch(Subresource::Status, &json!({"status": status}))
    }

    fn promote(&mut self) -> Value {
        self.patch_status(&json!({"pauseConditions": null}))
    }

    /// As the undo of the vendor's plugin sends it.
    fn roll_back_to(&mut self, version: &str) {
        let sets = self.sets();
        let set = sets
            .iter()
            .find(|set| image(set).ends_with(version))
            .unwrap();
        let mut template = set["spec"]["template"].clone();
        json::unset(
            &mut template,
            &["metadata", "labels", "rollouts-pod-template-hash"],
        );
        json::unset(&mut template, &["metadata", "labels", "pod-template-hash"]);
        let body = json!([{"op": "replace", "path": "/spec/template", "value": template}]);
        write::patch(
            &mut self.cluster,
            &self.key,
            Subresource::None,
            Format::Operations,
            &body,
            false,
        )
        .unwrap();
    }

    fn release(&mut self, version: &str) {
        let mut template = self.object()["spec"]["template"].clone();
        template["spec"]["containers"][0]["image"] =
            json!(format!("registry.example/shop/web:{version}"));
        self.patch(Subresource::None, &json!({"spec": {"template": template}}));
    }

    fn sets(&self) -> Vec<Value> {
        let uid = self.cluster.store.get(&self.key).unwrap().uid.clone();
        let sets = self.cluster.store.children(&uid, Kind::ReplicaSet);
        sets.iter().map(|set| set.value()).collect()
    }

    /// Version, revision and replicas of each `ReplicaSet`, oldest revision first.
    fn history(&self) -> Vec<(String, i64, i64)> {
        let mut history: Vec<_> = self
            .sets()
            .iter()
            .map(|set| {
                let annotations = &set["metadata"]["annotations"];
                let revision = annotations["rollout.argoproj.io/revision"]
                    .as_str()
                    .or_else(|| annotations["deployment.kubernetes.io/revision"].as_str());
                let version = image(set).rsplit_once(':').unwrap().1.to_owned();
                (
                    version,
                    revision.unwrap().parse().unwrap(),
                    json::int(set, &["spec", "replicas"]),
                )
            })
            .collect();
        history.sort_by_key(|(_, revision, _)| *revision);
        history
    }

    fn serving(&self) -> String {
        let status = self.status();
        let stable = json::text(&status, &["stableRS"]).to_owned();
        let sets = self.sets();
        let set = sets.iter().find(|set| {
            json::text(set, &["metadata", "labels", "rollouts-pod-template-hash"]) == stable
        });
        image(set.unwrap()).rsplit_once(':').unwrap().1.to_owned()
    }

    fn events(&self, reason: &str) -> Vec<String> {
        let events = self.cluster.store.list(Kind::Event, Some("shop"));
        let mut said: Vec<_> = events.iter().map(|event| event.value()).collect();
        said.retain(|event| json::text(event, &["reason"]) == reason);
        said.retain(|event| json::text(event, &["involvedObject", "name"]) == &*self.key.name);
        said.iter()
            .map(|event| json::text(event, &["message"]).to_owned())
            .collect()
    }

    /// The distinct phases, messages and steps that a watch has seen since the version.
    fn seen_since(&self, version: u64) -> Vec<(String, String, i64)> {
        let changes = self
            .cluster
            .store
            .changes_after(Kind::Rollout, version)
            .unwrap();
        let mut seen: Vec<_> = changes
            .iter()
            .filter(|change| change.object.key == self.key)
            .map(|change| {
                let value = change.object.value();
                let status = |name: &str| json::text(&value, &["status", name]).to_owned();
                (
                    status("phase"),
                    status("message"),
                    json::int(&value, &["status", "currentStepIndex"]),
                )
            })
            .collect();
        seen.dedup();
        seen
    }
}

fn image(set: &Value) -> String {
    json::text(
        &set["spec"]["template"]["spec"]["containers"][0],
        &["image"],
    )
    .to_owned()
}

fn checkout() -> Lab {
    Lab::scenario("canary", Kind::Rollout, "shop", "checkout")
}

/// Four pods, as in the recorded sequences.
fn guestbook() -> Lab {
    Lab::service(
        Kind::Rollout,
        "replicas = 4\nsteps = [\"weight 25\", \"pause\", \"weight 50\", \"pause\"]\nstory = [\n\
         { ago = \"3d\", release = { version = \"v1\" } },\n{ ago = \"2d\", release = { version = \"v2\" } },\n\
         { ago = \"10m\", release = { version = \"v3\", stays = true } }]",
    )
}
