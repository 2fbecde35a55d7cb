//! `inbox`: everything that waits for a human, oldest first: paused rollouts and gates of pipelines.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    beside::{Depth, gather},
    exit::Exit,
    out::Out,
    report, report_beside,
    status::{Picture, first_picture, watch_all},
    table::columns,
};
use crate::{
    app::{beside::WaitingGate, names},
    model::{
        id::EnvironmentName,
        release::{Release, duration_words},
    },
    runtime::{clock::now, session::Session},
};

/// One thing that waits.
enum Waits<'a> {
    Release(&'a Release),
    Gate(&'a WaitingGate),
}

impl Waits<'_> {
    fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Release(release) => release.since(),
            Self::Gate(gate) => gate.since,
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Release(release) => json!({
                "kind": "rollout",
                "id": release.rollout.id,
                "env": release.rollout.id.environment,
                "service": release.rollout.id.name,
                "since": release.since(),
                "deadline": null,
                "who": null,
                "next": release.next(),
            }),
            Self::Gate(gate) => report_beside::gate(gate),
        }
    }

    fn row(&self, now: Timestamp) -> [String; 5] {
        let since = self.since().map_or_else(
            || "-".to_owned(),
            |since| duration_words(now.duration_since(since).as_secs()),
        );
        match self {
            Self::Release(release) => [
                since,
                release.rollout.id.environment.to_string(),
                format!("{} {}", release.rollout.id.name, release.current().label()),
                release.words(now, false).into_owned(),
                release.rollout.id.to_string(),
            ],
            Self::Gate(gate) => [
                since,
                gate.environment.to_string(),
                format!(
                    "{} #{} {}",
                    gate.id.run.repository, gate.run.number, &*gate.run.title
                ),
                format!("waits for {}", names(&gate.gate.reviewers)),
                gate.id.to_string(),
            ],
        }
    }
}

pub(super) async fn run(session: &Session, out: &mut Out) -> Exit {
    let mut picture = Picture::new(session);
    let (mut messages, tasks) = watch_all(session);
    first_picture(&mut picture, &mut messages).await;
    for task in tasks {
        task.abort();
    }
    let environments: Vec<EnvironmentName> = session
        .environments
        .iter()
        .map(|ready| ready.name.clone())
        .collect();
    let beside = gather(
        &session.besides,
        &picture.releases,
        &environments,
        Depth::Gates,
    )
    .await;
    let now = now();
    let mut waiting: Vec<Waits<'_>> = picture
        .releases
        .iter()
        .map(|(_, release)| release)
        .filter(|release| release.waits_for_human())
        .map(Waits::Release)
        .chain(beside.gates.iter().map(Waits::Gate))
        .collect();
    waiting.sort_by_key(|waits| (waits.since().is_none(), waits.since()));
    let hosts: Vec<&crate::app::beside::Source> = beside
        .sources
        .values()
        .filter(|source| source.kind == crate::app::beside::SourceKind::GitHub)
        .collect();
    let mut sources: Vec<Value> = picture
        .sources()
        .iter()
        .map(|source| report::source(now, source))
        .collect();
    sources.extend(
        hosts
            .iter()
            .map(|source| report_beside::source(now, source)),
    );
    let object = json!({
        "schema": "windlass.inbox/1",
        "at": now,
        "sources": sources,
        "waiting": waiting.iter().map(Waits::json).collect::<Vec<_>>(),
    });
    out.result(&object, || {
        if waiting.is_empty() {
            return "nothing waits for a human".to_owned();
        }
        let mut rows = vec![["SINCE", "ENV", "WHAT", "STATE", "ID"].map(str::to_owned)];
        rows.extend(waiting.iter().map(|waits| waits.row(now)));
        columns(&rows)
    });
    let mut exit = picture.exit();
    for source in hosts.iter().filter(|source| !source.health.state.is_live()) {
        out.error(&format!(
            "{} is {}: {}; its gates are not known",
            source.id,
            source.health.state.word(),
            &*source.health.detail
        ));
        exit = Exit::Unreachable;
    }
    for (repository, view) in &beside.repositories {
        if let Some((state, why, _)) = &view.failed {
            out.error(&format!("{repository}: {}: {why}", state.word()));
            exit = Exit::Unreachable;
        }
        for missing in view.facts.iter().flat_map(|facts| &facts.missing.runs) {
            out.error(&format!("{repository}: {}", &**missing));
            exit = Exit::Unreachable;
        }
    }
    match beside.repositories_unread() {
        0 => {}
        unread => {
            let words = match unread {
                1 => "one repository was not read in time".to_owned(),
                many => format!("{many} repositories were not read in time"),
            };
            out.error(&format!("{words}; what waits there is not known"));
            exit = Exit::Unreachable;
        }
    }
    exit
}
