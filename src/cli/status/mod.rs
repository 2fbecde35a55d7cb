//! `status`: what runs where, and how it is. Prints what it has; a source out of reach is named, and the exit code says so.
//!
//! picture: what is known. watch: what changes. words: one release for people.

mod picture;
mod watch;
mod words;

use serde_json::Value;

use super::{
    args::StatusArgs,
    beside::{Depth, gather},
    exit::Exit,
    find::Wanted,
    out::Out,
    report::{self, SourceReport},
    report_beside, target,
};
use crate::{
    app::{
        beside::{PipelineState, SourceKind},
        releases::Releases,
    },
    model::{
        event::Fact,
        id::EnvironmentName,
        replica_set::Owned,
        source::{SourceHealth, SourceState},
    },
    runtime::{
        clock::now,
        session::{Session, first_health},
    },
};

pub(super) use picture::{Picture, first_picture, watch_all};
use watch::watch;
use words::describe;

pub(super) async fn run(session: &Session, args: &StatusArgs, out: &mut Out) -> Exit {
    if let Some(service) = &args.service
        && !args.watch
    {
        return one(session, service, args, out).await;
    }
    let filter = args.env.as_deref().map(EnvironmentName::new);
    if let Some(environment) = &filter
        && !session
            .environments
            .iter()
            .any(|ready| ready.name == *environment)
    {
        return out.fail(
            Exit::NotFound,
            &format!("there is no environment {environment} in this session"),
        );
    }
    let wanted = match args
        .service
        .as_deref()
        .map(|service| Wanted::parse(service, args.env.as_deref()))
        .transpose()
    {
        Ok(wanted) => wanted,
        Err(why) => return out.fail(Exit::Usage, &why),
    };
    let mut picture = Picture::new(session);
    let (mut messages, tasks) = watch_all(session);
    first_picture(&mut picture, &mut messages).await;
    let only = match wanted.as_ref().map(|wanted| wanted.find(&picture.releases)) {
        None => None,
        Some(Ok(release)) => Some(release.rollout.id.clone()),
        Some(Err(why)) => {
            for task in tasks {
                task.abort();
            }
            // What is out of reach may have it.
            let exit = match picture.exit() {
                Exit::Done => Exit::NotFound,
                exit => exit,
            };
            return out.fail(exit, &why);
        }
    };
    let sources = picture.look_beside(session, only, out).await;
    let print = |picture: &Picture, out: &mut Out| match &wanted {
        Some(wanted) => print_one(picture, wanted, out),
        None => out.result(&picture.json(filter.as_ref()), || {
            picture.table(filter.as_ref())
        }),
    };
    print(&picture, out);
    if args.watch {
        watch(&mut picture, &mut messages, sources, out, print).await;
    }
    for task in tasks {
        task.abort();
    }
    picture.exit()
}

fn print_one(picture: &Picture, wanted: &Wanted, out: &mut Out) {
    match wanted.find(&picture.releases) {
        Ok(release) => {
            let now = now();
            let one: Vec<Value> = picture.one(now, release, None).into_iter().collect();
            out.result(
                &report::status(now, &picture.source_objects(now), &one),
                || describe(now, release, &picture.beside),
            );
        }
        Err(why) => out.error(&why),
    }
}

/// One service: one small request a kind instead of everything, and what may be done about it.
async fn one(session: &Session, service: &str, args: &StatusArgs, out: &mut Out) -> Exit {
    let wanted = match Wanted::parse(service, args.env.as_deref()) {
        Ok(wanted) => wanted,
        Err(why) => return out.fail(Exit::Usage, &why),
    };
    let (ready, release) = match target::find(session, &wanted).await {
        Ok(found) => found,
        Err((exit, why)) => return out.fail(exit, &why),
    };
    let Ok(cluster) = &ready.cluster else {
        return out.fail(Exit::Unreachable, "its environment is not connected");
    };
    let access = cluster.access(&release.rollout.id.namespace).await;
    let mut releases = Releases::default();
    releases.apply(
        &ready.name,
        &Fact::Rollout(std::sync::Arc::clone(&release.rollout)),
    );
    for set in &release.sets {
        let owned = Owned {
            owner: release.rollout.uid.clone(),
            set: set.clone(),
        };
        releases.apply(&ready.name, &Fact::ReplicaSet(owned));
    }
    let beside = gather(
        &session.besides,
        &releases,
        std::slice::from_ref(&ready.name),
        Depth::One,
    )
    .await;
    let now = now();
    let health = SourceHealth {
        state: SourceState::Live,
        since: now,
        heard: Some(now),
        ..first_health(ready.cluster.as_ref().err(), now)
    };
    let mut sources = vec![report::source(
        now,
        &SourceReport {
            id: format!("kubernetes/{}", ready.name),
            health: &health,
        },
    )];
    sources.extend(
        beside
            .sources
            .values()
            .map(|source| report_beside::source(now, source)),
    );
    let mut object = report::release(now, &release, ready.tier, &health, Some(&access));
    report_beside::fill(&mut object, &beside, &release, now);
    out.result(&report::status(now, &sources, &[object]), || {
        let mut text = describe(now, &release, &beside);
        for offer in crate::ops::offer::offers(&release, Some(&access)) {
            let because: Vec<&str> = offer
                .because
                .iter()
                .map(crate::ops::offer::Because::words)
                .collect();
            let words = if offer.offered() {
                "offered".to_owned()
            } else {
                because.join("; ")
            };
            text.push_str(&format!("\n  {:<14}{words}", offer.verb.word()));
        }
        text.push_str(&report_beside::words(&beside, &release, now));
        text
    });
    let told = beside
        .sources
        .values()
        .all(|source| source.health.state.is_live());
    let mut exit = if told { Exit::Done } else { Exit::Unreachable };
    for (repository, state, why) in beside.repositories_failing() {
        out.error(&format!("{repository}: {}: {why}", state.word()));
        exit = Exit::Unreachable;
    }
    let pipeline = beside.pipeline(&release);
    if let Some(pipeline) = &pipeline
        && beside.has(SourceKind::GitHub)
        && matches!(pipeline.state, PipelineState::Waiting)
    {
        let repository = &pipeline.rule.repository;
        out.error(&format!("{repository} was not read in time"));
        exit = Exit::Unreachable;
    }
    exit
}
