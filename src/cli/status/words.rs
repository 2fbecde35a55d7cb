//! One release in words: a row of the list, or a few lines. Owns no fact and asks nobody.

use jiff::Timestamp;

use crate::{
    app::beside::Beside,
    model::{
        release::{Release, duration_words},
        rollout::Phase,
    },
};

/// The state in words. What fires comes with it, and then it is never called healthy.
fn state_words(now: Timestamp, release: &Release, beside: &Beside) -> String {
    let words = release.words(now, false).into_owned();
    let words = match (
        beside.firing(&release.rollout.id).len(),
        &release.rollout.phase,
    ) {
        (0, _) => return words,
        (count, Phase::Healthy) => (count, "rolled out".to_owned()),
        (count, _) => (count, words),
    };
    match words {
        (1, words) => format!("{words}, 1 alert fires"),
        (count, words) => format!("{words}, {count} alerts fire"),
    }
}

pub(super) fn row(now: Timestamp, release: &Release, beside: &Beside, fresh: bool) -> [String; 7] {
    let id = &release.rollout.id;
    let version = match release.serving_before() {
        Some(before) => format!("{} -> {}", before.label(), release.current().label()),
        None => release.current().label().into_owned(),
    };
    let step = release
        .rollout
        .canary()
        .filter(|_| !release.rollout.fully_promoted())
        .map(|canary| {
            format!(
                "{} % {}/{} ",
                release.actual_weight().unwrap_or(canary.weight.set),
                canary.index.unwrap_or(0),
                canary.steps.len()
            )
        });
    let words = state_words(now, release, beside);
    let state = match fresh {
        true => format!("{}{words}", step.unwrap_or_default()),
        false => format!("unknown, was {words}"),
    };
    let since = release.since().map_or_else(
        || "-".to_owned(),
        |since| duration_words(now.duration_since(since).as_secs()),
    );
    [
        id.name.to_string(),
        id.environment.to_string(),
        id.namespace.to_string(),
        id.kind.to_string(),
        version,
        state,
        since,
    ]
}

/// A few lines about one release.
pub(super) fn describe(now: Timestamp, release: &Release, beside: &Beside) -> String {
    let rollout = &release.rollout;
    let version = match release.serving_before() {
        Some(before) => format!("{} -> {}", before.label(), release.current().label()),
        None => release.current().label().into_owned(),
    };
    let mut text = format!(
        "{}\n  {version}  {}",
        rollout.id,
        state_words(now, release, beside)
    );
    if let Some(canary) = rollout.canary()
        && !canary.steps.is_empty()
    {
        text.push_str(&format!(
            "\n  step {} of {}, weight {} (actual {})",
            canary.index.unwrap_or(0),
            canary.steps.len(),
            canary.weight.set,
            release
                .actual_weight()
                .map_or_else(|| "unknown".to_owned(), |weight| weight.to_string())
        ));
    }
    let replicas = rollout.replicas;
    text.push_str(&format!(
        "\n  {} desired, {} updated, {} ready, {} available",
        replicas.desired, replicas.updated, replicas.ready, replicas.available
    ));
    if !rollout.message.is_empty() {
        text.push_str(&format!(
            "\n  {}: {}",
            rollout.phase.vendor(),
            &*rollout.message
        ));
    }
    if let Some(owner) = &rollout.managed_by {
        text.push_str(&format!("\n  managed by {owner}"));
    }
    text
}
