//! The log of a finished job, as a runner writes it: every line with its time, groups, and colours.
//!
//! Must never be clean: a client has to survive what build tools print.

use std::time::Duration;

use crate::demo::clock::{Clock, Moment};
use crate::demo::pipeline::{Job, Repo, Run};

pub(super) fn write(repo: &Repo, run: &Run, job: &Job, clock: &Clock) -> String {
    // Each log begins with a byte order mark.
    let mut log = String::from('\u{feff}');
    for step in job.steps(clock.now()) {
        let (Some(from), Some(to)) = (step.started, step.ended) else {
            continue;
        };
        if step.conclusion == Some("skipped") {
            continue;
        }
        let lines = lines(repo, run, step.name, step.conclusion.unwrap_or_default());
        let count = i64::try_from(lines.len()).unwrap_or(1).max(1);
        let pause = u64::try_from((to.micros() - from.micros()) / count).unwrap_or(0);
        let mut at = from;
        for line in lines {
            log.push_str(&format!("{} {line}\n", time(clock, at)));
            at = at.after(Duration::from_micros(pause));
        }
    }
    log
}

/// Seven digits of a second.
fn time(clock: &Clock, at: Moment) -> String {
    clock
        .stamp_at(at)
        .strftime("%Y-%m-%dT%H:%M:%S.%6f0Z")
        .to_string()
}

fn lines(repo: &Repo, run: &Run, step: &str, conclusion: &str) -> Vec<String> {
    let (name, of) = (&repo.name, &run.branch);
    let sha = repo
        .commit(run.commit)
        .map(|commit| commit.sha.as_str())
        .unwrap_or_default();
    let image = format!("registry.example/shop/{name}:{of}");
    let mut lines: Vec<String> = match step {
        "Set up job" => vec![
            "Current runner version: '2.329.0'".to_owned(),
            "##[group]Runner Image".to_owned(),
            "Image: ubuntu-24.04".to_owned(),
            "Version: 20261109.1.0".to_owned(),
            "##[endgroup]".to_owned(),
            "Prepare workflow directory".to_owned(),
        ],
        "Run actions/checkout@v5" => vec![
            "##[group]Run actions/checkout@v5".to_owned(),
            "with:".to_owned(),
            format!("  repository: acme/{name}"),
            format!("  ref: {of}"),
            "##[endgroup]".to_owned(),
            format!("HEAD is now at {}", sha.get(..7).unwrap_or(sha)),
        ],
        "Build image" => vec![
            format!("##[group]Run docker build --tag {image} ."),
            "##[endgroup]".to_owned(),
            "#1 [internal] load build definition from Dockerfile".to_owned(),
            "#7 [build 4/6] RUN cargo build --release --locked".to_owned(),
            format!("#7 41.20 \u{1b}[1m\u{1b}[32m   Compiling\u{1b}[0m {name} v0.1.0 (/src)"),
            "#7 88.02 \u{1b}[1m\u{1b}[33mwarning\u{1b}[0m: unused variable: `größe`".to_owned(),
            "#7 93.77 \u{1b}[1m\u{1b}[32m    Finished\u{1b}[0m `release` profile [optimized] target(s) in 1m 31s".to_owned(),
        ],
        "Run tests" => vec![
            "##[group]Run cargo nextest run --locked".to_owned(),
            "##[endgroup]".to_owned(),
            "\u{1b}[32;1m        PASS\u{1b}[0m [   0.012s] orders::across_midnight".to_owned(),
            "\u{1b}[32;1m        PASS\u{1b}[0m [   0.204s] api::pages_by_cursor".to_owned(),
            "\u{1b}[32;1m        PASS\u{1b}[0m [   1.730s] payment::keeps_the_key_日本語".to_owned(),
        ],
        "Scan image" => vec![
            format!("##[group]Run trivy image {image}"),
            "##[endgroup]".to_owned(),
            "Total: 2 (LOW: 2, MEDIUM: 0, HIGH: 0, CRITICAL: 0)".to_owned(),
            "##[warning]2 packages have no vendor advisory".to_owned(),
        ],
        "Apply manifests" => vec![
            format!("##[group]Run kubectl set image {name}={image}"),
            format!("  ENVIRONMENT: {}", repo.environment.name),
            "  TOKEN: ***".to_owned(),
            "##[endgroup]".to_owned(),
            format!("{name} image updated"),
        ],
        "Wait for the rollout" => vec![
            format!("##[group]Run kubectl argo rollouts status {name} --watch"),
            "##[endgroup]".to_owned(),
            "Progressing - more replicas need to be updated".to_owned(),
            "Paused - CanaryPauseStep".to_owned(),
        ],
        "Complete job" => vec!["Cleaning up orphan processes".to_owned()],
        other => vec![format!("##[group]Run {other}"), "##[endgroup]".to_owned()],
    };
    match conclusion {
        "failure" => lines.push("##[error]Process completed with exit code 1.".to_owned()),
        "cancelled" => lines.push("##[error]The operation was canceled.".to_owned()),
        _ => {}
    }
    lines
}
