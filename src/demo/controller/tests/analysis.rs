//! Analyses, and what their ends do to a release.

use super::*;

#[test]
fn a_failed_analysis_aborts_with_the_vendors_words() {
    let lab = Lab::scenario("analysis", Kind::Rollout, "shop", "catalog");
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
        &json!({"pauseConditions": null, "controllerPause": false, "currentStepIndex": next}),
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
    lab.patch_status(&json!({"pauseConditions": null, "currentStepIndex": 7}));
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
