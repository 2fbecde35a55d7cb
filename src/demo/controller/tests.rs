//! Sequences that an operator causes, stepped through simulated time; expectations were seen on Argo Rollouts 1.10.1.

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

    fn patch(&mut self, subresource: Subresource, body: Value) -> Value {
        write::patch(
            &mut self.cluster,
            &self.key,
            subresource,
            Format::Merge,
            &body,
            false,
        )
        .unwrap()
    }

    fn patch_status(&mut self, status: Value) -> Value {
        self.patch(Subresource::Status, json!({"status": status}))
    }

    fn promote(&mut self) -> Value {
        self.patch_status(json!({"pauseConditions": null}))
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
        self.patch(Subresource::None, json!({"spec": {"template": template}}));
    }

    fn sets(&self) -> Vec<Value> {
        let uid = self.cluster.store.get(&self.key).unwrap().uid.clone();
        let sets = self.cluster.store.children(&uid, Kind::ReplicaSet);
        sets.iter().map(|set| set.value()).collect()
    }

    /// Version, revision and replicas of each ReplicaSet, oldest revision first.
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

#[test]
fn the_story_leads_to_a_canary_that_waits_at_its_third_pause() {
    let lab = checkout();
    assert!(lab.is("Paused", "CanaryPauseStep"), "{:?}", lab.phase());
    let status = lab.status();
    assert_eq!(lab.index(), 5);
    assert_eq!(status["canary"]["weights"]["canary"]["weight"], 25);
    assert_eq!(status["controllerPause"], true);
    assert_eq!(status["pauseConditions"][0]["reason"], "CanaryPauseStep");
    assert_eq!(
        (
            status["updatedReplicas"].as_i64(),
            status["replicas"].as_i64()
        ),
        (Some(3), Some(15))
    );
    assert_eq!(
        status["observedGeneration"],
        lab.object()["metadata"]["generation"].to_string()
    );
    assert_eq!(lab.serving(), "v2.30.4");
    let versions: Vec<_> = lab
        .history()
        .into_iter()
        .map(|(version, revision, _)| (version, revision))
        .collect();
    let expected = [
        ("v2.29.1", 1),
        ("v2.30.0", 2),
        ("v2.30.4", 3),
        ("v2.31.0", 4),
    ];
    assert_eq!(
        versions,
        expected.map(|(version, revision)| (version.to_owned(), revision))
    );
    assert!(
        lab.events("RolloutStepCompleted")
            .contains(&"Rollout step 4/13 completed (pause)".to_owned())
    );
}

#[test]
fn the_same_seed_makes_the_same_world() {
    let dump = || {
        let lab = checkout();
        Kind::ALL.map(|kind| {
            let objects = lab.cluster.store.list(kind, None);
            objects
                .iter()
                .map(|object| object.value().to_string())
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(dump(), dump());
}

#[test]
fn an_idle_world_has_nothing_to_wake_up_for() {
    let mut lab = checkout();
    lab.seconds(3600);
    let version = lab.cluster.store.version();
    assert_eq!(lab.cluster.next_due(), None);
    lab.seconds(86_400);
    assert_eq!(lab.cluster.store.version(), version);
}

#[test]
fn promoting_a_paused_canary_goes_on_to_the_next_stop() {
    let mut lab = guestbook();
    assert!(lab.is("Paused", "CanaryPauseStep"));
    assert_eq!(lab.index(), 1);
    let before = lab.cluster.store.version();
    let answer = lab.promote();
    // The answer is stale on purpose: phase Paused, nothing to wait for, and the controller not there yet.
    assert_eq!(answer["status"]["phase"], "Paused");
    assert_eq!(answer["status"].get("pauseConditions"), None);
    assert_eq!(answer["status"]["controllerPause"], true);
    lab.seconds(60);
    assert!(lab.is("Paused", "CanaryPauseStep"));
    assert_eq!(lab.index(), 3);
    let more = "more replicas need to be updated";
    let seen = lab.seen_since(before);
    let expected = [
        ("Paused", "CanaryPauseStep", 1),
        ("Progressing", more, 1),
        ("Progressing", more, 2),
        ("Progressing", more, 3),
        ("Paused", "CanaryPauseStep", 3),
    ];
    assert_eq!(
        seen,
        expected.map(|(phase, message, step)| (phase.to_owned(), message.to_owned(), step))
    );
}

#[test]
fn clearing_controller_pause_too_pauses_again_at_the_same_step() {
    let mut lab = guestbook();
    lab.patch_status(json!({"pauseConditions": null, "controllerPause": false}));
    lab.seconds(60);
    assert!(lab.is("Paused", "CanaryPauseStep"));
    assert_eq!(lab.index(), 1);
}

#[test]
fn a_timed_pause_ends_by_itself() {
    let mut lab = Lab::service(
        Kind::Rollout,
        "replicas = 4\nsteps = [\"weight 25\", \"pause 10m\", \"weight 50\"]\nstory = [\n\
         { ago = \"2d\", release = { version = \"v1\" } },\n\
         { ago = \"8m\", release = { version = \"v2\", stays = true } }]",
    );
    assert!(lab.is("Paused", "CanaryPauseStep"));
    lab.seconds(100);
    assert!(lab.is("Paused", "CanaryPauseStep"));
    lab.seconds(60);
    assert!(lab.is("Healthy", ""), "{:?}", lab.phase());
    assert_eq!(lab.serving(), "v2");
}

#[test]
fn an_abort_gives_everything_back_to_stable_and_stays_degraded() {
    let mut lab = guestbook();
    lab.patch_status(json!({"abort": true}));
    lab.seconds(1);
    assert!(
        lab.is(
            "Degraded",
            "RolloutAborted: Rollout aborted update to revision 3"
        ),
        "{:?}",
        lab.phase()
    );
    let status = lab.status();
    assert_eq!((status["abort"].as_bool(), lab.index()), (Some(true), 0));
    assert!(status["abortedAt"].is_string());
    assert_eq!(status.get("pauseConditions"), None);
    lab.seconds(60);
    let sizes: Vec<_> = lab.history().into_iter().map(|(_, _, size)| size).collect();
    assert_eq!(sizes, [0, 4, 0]);
    assert!(lab.phase().0 == "Degraded");
    assert_eq!(
        lab.events("RolloutAborted"),
        ["Rollout aborted update to revision 3"]
    );
}

#[test]
fn a_routed_canary_keeps_its_pods_for_thirty_seconds_after_an_abort() {
    let mut lab = checkout();
    lab.patch_status(json!({"abort": true}));
    lab.seconds(10);
    assert_eq!(lab.status()["canary"]["weights"]["canary"]["weight"], 0);
    assert_eq!(lab.history()[3].2, 3);
    lab.seconds(30);
    assert_eq!(lab.history()[3].2, 0);
}

#[test]
fn a_retry_starts_again_from_the_first_step() {
    let mut lab = guestbook();
    lab.patch_status(json!({"abort": true}));
    lab.seconds(60);
    lab.patch_status(json!({"abort": false}));
    lab.step(Duration::from_millis(15));
    assert!(
        lab.is("Progressing", "more replicas need to be updated"),
        "{:?}",
        lab.phase()
    );
    lab.seconds(60);
    assert!(lab.is("Paused", "CanaryPauseStep"));
    assert_eq!(
        (lab.index(), lab.status().get("abortedAt").cloned()),
        (1, None)
    );
}

#[test]
fn a_full_promotion_skips_what_is_left_and_is_healthy_when_all_pods_are() {
    let mut lab = guestbook();
    lab.patch_status(json!({"promoteFull": true}));
    lab.step(Duration::from_millis(50));
    assert_eq!(lab.phase().0, "Progressing");
    assert_eq!(lab.index(), 4);
    lab.seconds(60);
    assert!(lab.is("Healthy", ""), "{:?}", lab.phase());
    assert_eq!(lab.serving(), "v3");
    assert_eq!(lab.status().get("promoteFull"), None);
    let completed = lab.events("RolloutCompleted");
    assert!(
        completed
            .iter()
            .any(|message| message.ends_with("Full promotion requested")),
        "{completed:?}"
    );
}

#[test]
fn an_abort_is_ignored_while_a_full_promotion_runs_unless_both_are_patched_at_once() {
    let mut lab = guestbook();
    lab.patch_status(json!({"promoteFull": true}));
    lab.step(Duration::from_millis(50));
    lab.patch_status(json!({"abort": true}));
    lab.step(Duration::from_millis(50));
    assert_eq!(lab.status().get("abort"), None);
    lab.patch_status(json!({"promoteFull": false, "abort": true}));
    lab.seconds(4);
    assert_eq!(lab.phase().0, "Degraded");
    assert_eq!(lab.index(), 0);
}

#[test]
fn a_full_promotion_of_an_aborted_release_ships_it() {
    let mut lab = Lab::scenario("bad-canary", Kind::Rollout, "shop", "catalog");
    assert_eq!(lab.phase().0, "Degraded");
    lab.patch_status(json!({"promoteFull": true}));
    lab.seconds(60);
    assert!(lab.is("Healthy", ""), "{:?}", lab.phase());
    assert_eq!(lab.serving(), "v3.2.0");
}

#[test]
fn an_abort_of_what_is_fully_promoted_is_dropped() {
    let mut lab = guestbook();
    lab.patch_status(json!({"promoteFull": true}));
    lab.seconds(60);
    lab.patch_status(json!({"abort": true}));
    lab.seconds(5);
    assert!(lab.is("Healthy", ""));
    assert_eq!(lab.status().get("abort"), None);
}

#[test]
fn backing_out_a_finished_release_is_a_new_canary_of_the_old_one_and_then_a_full_promotion() {
    let mut lab = guestbook();
    lab.patch_status(json!({"promoteFull": true}));
    lab.seconds(60);
    lab.roll_back_to("v2");
    lab.seconds(30);
    assert!(lab.is("Paused", "CanaryPauseStep"), "{:?}", lab.phase());
    let history: Vec<_> = lab
        .history()
        .into_iter()
        .map(|(version, revision, _)| (version, revision))
        .collect();
    assert_eq!(
        history,
        [("v1".into(), 1), ("v3".into(), 3), ("v2".to_owned(), 4)],
        "renumbered to the newest"
    );
    let reused = lab
        .sets()
        .into_iter()
        .find(|set| image(set).ends_with("v2"))
        .unwrap();
    assert_eq!(
        reused["metadata"]["annotations"]["rollout.argoproj.io/revision-history"],
        "2"
    );
    lab.patch_status(json!({"promoteFull": true}));
    lab.seconds(60);
    assert!(lab.is("Healthy", ""));
    assert_eq!(lab.serving(), "v2");
}

#[test]
fn a_full_promotion_asked_for_before_the_template_is_seen_is_lost() {
    let mut lab = guestbook();
    lab.patch_status(json!({"promoteFull": true}));
    lab.seconds(60);
    lab.roll_back_to("v2");
    lab.patch_status(json!({"promoteFull": true}));
    lab.seconds(60);
    assert!(lab.is("Paused", "CanaryPauseStep"), "{:?}", lab.phase());
    assert_eq!(lab.status().get("promoteFull"), None);
}

#[test]
fn going_back_to_stable_in_the_middle_skips_the_steps() {
    let mut lab = guestbook();
    lab.roll_back_to("v2");
    lab.seconds(60);
    assert!(lab.is("Healthy", ""), "{:?}", lab.phase());
    assert_eq!((lab.serving(), lab.index()), ("v2".to_owned(), 4));
    assert_eq!(lab.events("SkipSteps"), ["Rollback to stable ReplicaSets"]);
}

#[test]
fn within_the_rollback_window_the_template_alone_brings_the_old_version_back() {
    let mut lab = Lab::service(
        Kind::Rollout,
        "replicas = 4\nrollback-window = 3\nsteps = [\"weight 25\", \"pause\"]\nstory = [\n\
         { ago = \"3d\", release = { version = \"v1\" } },\n{ ago = \"1d\", release = { version = \"v2\" } }]",
    );
    assert!(lab.is("Healthy", ""));
    lab.roll_back_to("v1");
    lab.seconds(60);
    assert!(lab.is("Healthy", ""), "{:?}", lab.phase());
    assert_eq!(lab.serving(), "v1");
}

#[test]
fn editing_the_steps_starts_an_aborted_release_again() {
    let mut lab = guestbook();
    lab.patch_status(json!({"abort": true}));
    lab.seconds(60);
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    lab.patch(
        Subresource::None,
        json!({"spec": {"strategy": {"canary": {"steps": steps}}}}),
    );
    lab.seconds(60);
    assert!(lab.is("Paused", "CanaryPauseStep"), "{:?}", lab.phase());
}

#[test]
fn a_failed_analysis_aborts_with_the_vendors_words() {
    let lab = Lab::scenario("bad-canary", Kind::Rollout, "shop", "catalog");
    let message = "RolloutAborted: Rollout aborted update to revision 3: Step-based analysis phase error/failed: \
                   Metric \"error-share\" assessed Failed due to failed (2) > failureLimit (1)";
    assert!(lab.is("Degraded", message), "{:?}", lab.phase());
    assert_eq!(lab.serving(), "v3.1.0");
    let hash = lab.status()["currentPodHash"].as_str().unwrap().to_owned();
    let name = format!("catalog-{hash}-3-1");
    let run = lab
        .cluster
        .store
        .get(&Key::new(Kind::AnalysisRun, "shop", &name))
        .unwrap()
        .value();
    assert_eq!(run["status"]["phase"], "Failed");
    assert_eq!(run["status"]["metricResults"][0]["failed"], 2);
    assert_eq!(run["metadata"]["labels"]["step-index"], "1");
    let told = lab.events("AnalysisRunFailed");
    assert!(
        told.iter()
            .any(|message| message.contains("Status New: 'Failed' Previous: 'Running'")),
        "{told:?}"
    );
}

#[test]
fn measurements_appear_one_by_one_and_a_passed_step_forgets_its_run() {
    let mut lab = checkout();
    lab.promote();
    let count = |lab: &Lab| {
        let name = lab.status()["canary"]["currentStepAnalysisRunStatus"]["name"].clone();
        let key = Key::new(Kind::AnalysisRun, "shop", name.as_str().unwrap_or_default());
        lab.cluster
            .store
            .get(&key)
            .map(|run| json::int(&run.value()["status"]["metricResults"][0], &["count"]))
    };
    let mut counts = Vec::new();
    for _ in 0..4 {
        lab.seconds(58);
        counts.push(count(&lab));
    }
    assert_eq!(counts, [Some(1), Some(2), Some(3), Some(4)]);
    lab.seconds(60);
    assert!(lab.index() > 6);
    assert_eq!(
        lab.status()["canary"].get("currentStepAnalysisRunStatus"),
        None
    );
}

#[test]
fn an_inconclusive_analysis_pauses_and_clearing_the_pause_runs_it_again() {
    let mut lab = Lab::service(
        Kind::Rollout,
        "replicas = 4\nsteps = [\"weight 25\", \"analysis success-rate\", \"weight 50\", \"pause\"]\nstory = [\n\
         { ago = \"2d\", release = { version = \"v1\" } },\n\
         { ago = \"8m\", release = { version = \"v2\", analysis = \"inconclusive\", stays = true } }]",
    );
    assert!(
        lab.is("Paused", "InconclusiveAnalysisRun"),
        "{:?}",
        lab.phase()
    );
    let run = |lab: &Lab| {
        lab.status()["canary"]["currentStepAnalysisRunStatus"]["name"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let first = run(&lab);
    lab.promote();
    lab.seconds(5);
    assert_eq!(run(&lab), format!("{first}.1"));
    lab.seconds(300);
    assert!(lab.is("Paused", "InconclusiveAnalysisRun"));
    let next = lab.index() + 1;
    lab.patch_status(
        json!({"pauseConditions": null, "controllerPause": false, "currentStepIndex": next}),
    );
    lab.seconds(60);
    assert!(lab.is("Paused", "CanaryPauseStep"), "{:?}", lab.phase());
    assert_eq!(lab.index(), 3);
}

#[test]
fn skipping_the_step_of_a_running_analysis_ends_it() {
    let mut lab = checkout();
    lab.promote();
    lab.seconds(30);
    assert_eq!(lab.index(), 6);
    let name = lab.status()["canary"]["currentStepAnalysisRunStatus"]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    lab.patch_status(json!({"pauseConditions": null, "currentStepIndex": 7}));
    lab.seconds(60);
    let run = lab
        .cluster
        .store
        .get(&Key::new(Kind::AnalysisRun, "shop", &name))
        .unwrap()
        .value();
    assert_eq!(run["spec"]["terminate"], true);
    assert_eq!(lab.index(), 8);
}

#[test]
fn a_manual_pause_covers_the_pause_of_a_step_and_ends_where_it_was() {
    let mut lab = guestbook();
    lab.patch(Subresource::None, json!({"spec": {"paused": true}}));
    lab.seconds(5);
    assert!(lab.is("Paused", "manually paused"));
    lab.patch(Subresource::None, json!({"spec": {"paused": false}}));
    lab.seconds(60);
    assert!(lab.is("Paused", "CanaryPauseStep"));
    assert_eq!(lab.index(), 1);
}

#[test]
fn a_manual_pause_stops_a_rollout_between_two_steps() {
    let mut lab = guestbook();
    lab.promote();
    lab.step(Duration::from_millis(60));
    lab.patch(Subresource::None, json!({"spec": {"paused": true}}));
    lab.seconds(60);
    assert!(lab.is("Paused", "manually paused"));
    assert_eq!(lab.index(), 2);
    lab.patch(Subresource::None, json!({"spec": {"paused": false}}));
    lab.seconds(60);
    assert_eq!(lab.index(), 3);
}

#[test]
fn a_restart_replaces_every_pod_without_a_new_revision() {
    let mut lab = guestbook();
    lab.seconds(5);
    let at = lab.cluster.clock.stamp();
    let revision = lab.object()["metadata"]["annotations"]["rollout.argoproj.io/revision"].clone();
    lab.patch(Subresource::None, json!({"spec": {"restartAt": at}}));
    lab.step(Duration::from_millis(15));
    lab.seconds(120);
    assert_eq!(lab.status()["restartedAt"], at);
    let pods = lab.cluster.store.list(Kind::Pod, Some("shop"));
    assert_eq!(pods.len(), 4);
    assert!(
        pods.iter()
            .all(|pod| json::text(&pod.value(), &["metadata", "creationTimestamp"]) >= at.as_str())
    );
    assert_eq!(
        lab.object()["metadata"]["annotations"]["rollout.argoproj.io/revision"],
        revision
    );
    assert!(lab.is("Paused", "CanaryPauseStep"), "{:?}", lab.phase());
}

#[test]
fn a_preview_waits_and_the_switch_keeps_the_old_version_for_a_while() {
    let mut lab = Lab::scenario("blue-green", Kind::Rollout, "shop", "payments");
    assert!(lab.is("Paused", "BlueGreenPause"), "{:?}", lab.phase());
    let status = lab.status();
    assert_ne!(
        status["blueGreen"]["activeSelector"],
        status["blueGreen"]["previewSelector"]
    );
    assert_eq!(
        status["blueGreen"]["previewSelector"],
        status["currentPodHash"]
    );
    lab.promote();
    lab.seconds(2);
    assert!(lab.is("Healthy", ""), "{:?}", lab.phase());
    let status = lab.status();
    assert_eq!(
        status["blueGreen"]["activeSelector"],
        status["currentPodHash"]
    );
    assert_eq!(lab.serving(), "v1.9.2");
    assert_eq!(lab.history()[1].2, 3, "the old version still runs");
    let old = lab
        .sets()
        .into_iter()
        .find(|set| image(set).ends_with("v1.9.1"))
        .unwrap();
    assert!(old["metadata"]["annotations"]["scale-down-deadline"].is_string());
    lab.seconds(40);
    assert_eq!(lab.history()[1].2, 0);
}

#[test]
fn a_blue_green_rollback_is_instant_while_the_old_version_runs() {
    let mut lab = Lab::scenario("blue-green", Kind::Rollout, "shop", "payments");
    lab.promote();
    lab.seconds(5);
    lab.roll_back_to("v1.9.1");
    lab.seconds(2);
    assert!(lab.is("Healthy", ""), "{:?}", lab.phase());
    assert_eq!(lab.serving(), "v1.9.1");
    let completed = lab.events("RolloutCompleted");
    assert!(
        completed
            .iter()
            .any(|message| message.ends_with("Fast rollback")),
        "{completed:?}"
    );
}

#[test]
fn a_later_blue_green_rollback_is_a_preview_until_it_is_promoted_fully() {
    let mut lab = Lab::scenario("blue-green", Kind::Rollout, "shop", "payments");
    lab.promote();
    lab.seconds(60);
    lab.roll_back_to("v1.9.1");
    lab.seconds(30);
    assert!(lab.is("Paused", "BlueGreenPause"), "{:?}", lab.phase());
    lab.patch_status(json!({"promoteFull": true}));
    lab.seconds(5);
    assert!(lab.is("Healthy", ""), "{:?}", lab.phase());
    assert_eq!(lab.serving(), "v1.9.1");
}

#[test]
fn a_blue_green_abort_before_the_switch_leaves_the_active_version_alone() {
    let mut lab = Lab::scenario("blue-green", Kind::Rollout, "shop", "payments");
    let active = lab.status()["blueGreen"]["activeSelector"].clone();
    lab.patch_status(json!({"abort": true}));
    lab.seconds(2);
    assert!(
        lab.is(
            "Degraded",
            "RolloutAborted: Rollout aborted update to revision 3"
        ),
        "{:?}",
        lab.phase()
    );
    assert_eq!(lab.status()["blueGreen"]["activeSelector"], active);
    lab.seconds(40);
    assert_eq!(lab.history()[2].2, 0, "the preview goes after its delay");
}

fn deployment() -> Lab {
    Lab::service(
        Kind::Deployment,
        "kind = \"deployment\"\nreplicas = 4\nstory = [\n{ ago = \"3d\", release = { version = \"v1\" } },\n\
         { ago = \"1d\", release = { version = \"v2\" } }]",
    )
}

#[test]
fn a_deployment_rolls_by_itself_and_a_rollback_reuses_and_renumbers() {
    let mut lab = deployment();
    let complete = |lab: &Lab| {
        let status = lab.status();
        status["updatedReplicas"] == 4
            && status["replicas"] == 4
            && status["availableReplicas"] == 4
            && status["observedGeneration"] == lab.object()["metadata"]["generation"]
    };
    assert!(complete(&lab), "{}", lab.status());
    lab.release("v3");
    lab.seconds(2);
    assert!(!complete(&lab));
    assert_eq!(lab.status()["conditions"][1]["reason"], "ReplicaSetUpdated");
    lab.seconds(60);
    assert!(complete(&lab), "{}", lab.status());
    lab.roll_back_to("v2");
    lab.seconds(60);
    assert!(complete(&lab));
    let history: Vec<_> = lab.history();
    assert_eq!(
        history,
        [
            ("v1".into(), 1, 0),
            ("v3".into(), 3, 0),
            ("v2".to_owned(), 4, 4)
        ]
    );
    assert_eq!(
        lab.object()["metadata"]["annotations"]["deployment.kubernetes.io/revision"],
        "4"
    );
}

#[test]
fn a_paused_deployment_makes_no_replica_set_and_counts_none_updated() {
    let mut lab = deployment();
    lab.patch(Subresource::None, json!({"spec": {"paused": true}}));
    lab.release("v3");
    lab.seconds(60);
    assert_eq!(lab.history().len(), 2);
    assert_eq!(lab.status().get("updatedReplicas"), None);
    assert_eq!(lab.status()["conditions"][1]["reason"], "DeploymentPaused");
    lab.patch(Subresource::None, json!({"spec": {"paused": null}}));
    lab.seconds(60);
    assert_eq!(lab.history().last().unwrap().0, "v3");
}

#[test]
fn a_stateful_set_restarts_one_pod_at_a_time() {
    let mut lab = Lab::service(
        Kind::StatefulSet,
        "kind = \"stateful-set\"\nreplicas = 3\nstory = [{ ago = \"1d\", release = { version = \"v1\" } }]",
    );
    assert_eq!(lab.status()["readyReplicas"], 3);
    let at = json!({"kubectl.kubernetes.io/restartedAt": "2027-01-15T08:00:00Z"});
    lab.patch(
        Subresource::None,
        json!({"spec": {"template": {"metadata": {"annotations": at}}}}),
    );
    let mut least = 3;
    for _ in 0..120 {
        lab.step(Duration::from_millis(500));
        least = least.min(json::int(&lab.status(), &["readyReplicas"]));
    }
    assert_eq!(least, 2);
    let status = lab.status();
    assert_eq!(
        (
            status["updatedReplicas"].as_i64(),
            status["readyReplicas"].as_i64()
        ),
        (Some(3), Some(3))
    );
    assert_eq!(status["currentRevision"], status["updateRevision"]);
}

#[test]
fn pods_that_never_become_ready_exceed_the_progress_deadline() {
    let mut lab = Lab::service(
        Kind::Rollout,
        "replicas = 2\nready-after = \"5h\"\nsteps = [\"weight 50\", \"pause\"]\nstory = [\n\
         { ago = \"3d\", release = { version = \"v1\" } }]",
    );
    lab.release("v2");
    lab.seconds(700);
    let (phase, message) = lab.phase();
    assert_eq!(phase, "Degraded");
    assert!(
        message.starts_with("ProgressDeadlineExceeded: ReplicaSet \"web-"),
        "{message}"
    );
}

#[test]
fn the_morning_has_every_story_that_it_promises() {
    let lab = Lab::scenario("morning", Kind::Rollout, "shop", "checkout");
    let phase = |namespace: &str, name: &str| {
        let value = lab
            .cluster
            .store
            .get(&Key::new(Kind::Rollout, namespace, name))
            .unwrap()
            .value();
        json::text(&value, &["status", "message"]).to_owned()
    };
    assert_eq!(phase("shop", "checkout"), "CanaryPauseStep");
    assert!(phase("shop", "catalog").starts_with("RolloutAborted"));
    assert_eq!(phase("shop", "payments"), "BlueGreenPause");
    assert_eq!(phase("shop", "search"), "manually paused");
    assert_eq!(phase("shop", "images"), "");
    assert_eq!(phase("platform", "gateway"), "CanaryPauseStep");
    let ledger = lab
        .cluster
        .store
        .get(&Key::new(Kind::Rollout, "shop", "ledger"))
        .unwrap()
        .value();
    let run = json::text(
        &ledger,
        &["status", "canary", "currentStepAnalysisRunStatus", "name"],
    )
    .to_owned();
    let run = lab
        .cluster
        .store
        .get(&Key::new(Kind::AnalysisRun, "shop", &run))
        .unwrap()
        .value();
    assert_eq!(run["status"]["phase"], "Running");
    assert_eq!(run["status"]["metricResults"][0]["count"], 3);
    let media = lab
        .cluster
        .store
        .get(&Key::new(Kind::Deployment, "shop", "media"))
        .unwrap()
        .value();
    let updated = json::int(&media, &["status", "updatedReplicas"]);
    assert!((1..12).contains(&updated), "{updated}");
    let services: usize = [
        Kind::Rollout,
        Kind::Deployment,
        Kind::StatefulSet,
        Kind::DaemonSet,
    ]
    .map(|kind| lab.cluster.store.list(kind, None).len())
    .iter()
    .sum();
    assert_eq!(services, 18);
}

#[test]
fn moments_before_the_opening_are_in_the_past() {
    let lab = checkout();
    assert_eq!(lab.cluster.clock.now(), Moment::OPENING);
    let since = json::text(&lab.status()["pauseConditions"][0], &["startTime"]).to_owned();
    let waited = lab
        .cluster
        .clock
        .stamp_at(Moment::OPENING)
        .duration_since(since.parse().unwrap());
    assert!((200..260).contains(&waited.as_secs()), "{waited:?}");
}
