//! `status`: what runs where, and how it is. Prints what it has; a source out of reach is named, and the exit code says so.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::Value;
use tokio::{sync::mpsc, task::JoinHandle, time::Instant};

use super::{
    args::StatusArgs,
    beside::{Depth, REPOSITORIES_AT_MOST, Sources, begin, gather},
    exit::Exit,
    find::Wanted,
    out::Out,
    report::{self, SourceReport},
    report_beside, target,
};
use crate::{
    app::{
        beside::{Beside, PipelineState, SourceKind},
        msg::Msg,
        releases::{Releases, Slot},
    },
    model::{
        event::{Collection, Fact, SourceEvent, Told},
        id::{EnvironmentName, ReleaseId},
        release::{Release, duration_words},
        replica_set::Owned,
        rollout::Phase,
        source::{SourceHealth, SourceState, Tier},
    },
    runtime::{
        clock::now,
        session::{Session, first_health},
    },
};

/// How long the first picture may take before it is printed as far as it has come.
const FIRST_PICTURE: Duration = Duration::from_secs(30);
/// A source that fails is given this long to recover before the others are printed without it.
const FAILING: Duration = Duration::from_secs(3);
/// Changes that come together are printed together.
const SETTLE: Duration = Duration::from_millis(100);

/// The picture that facts add up to, without a screen.
pub(super) struct Picture {
    pub releases: Releases,
    pub health: BTreeMap<EnvironmentName, SourceHealth>,
    tiers: BTreeMap<EnvironmentName, Tier>,
    /// Pipelines, metrics and incidents, where they were asked for.
    pub beside: Beside,
    /// Collections that began and are not complete yet, by environment.
    begun: BTreeSet<(EnvironmentName, Collection)>,
    heard: BTreeSet<EnvironmentName>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture")
            .field("releases", &self.releases.len())
            .finish_non_exhaustive()
    }
}

impl Picture {
    pub(super) fn new(session: &Session) -> Self {
        let now = now();
        Self {
            releases: Releases::default(),
            health: session
                .environments
                .iter()
                .map(|ready| {
                    (
                        ready.name.clone(),
                        first_health(ready.cluster.as_ref().err(), now),
                    )
                })
                .collect(),
            tiers: session
                .environments
                .iter()
                .map(|ready| (ready.name.clone(), ready.tier))
                .collect(),
            beside: Beside::default(),
            begun: BTreeSet::new(),
            heard: BTreeSet::new(),
        }
    }

    /// Whether anything of a release changed.
    pub(super) fn take(&mut self, event: &SourceEvent) -> bool {
        let name = &event.environment;
        match &event.fact {
            Fact::Health(health) => {
                self.health.insert(name.clone(), health.clone());
            }
            Fact::Heard(at) => {
                if let Some(health) = self.health.get_mut(name) {
                    health.heard = Some(*at);
                }
            }
            Fact::Begin(collection) => {
                self.heard.insert(name.clone());
                self.begun.insert((name.clone(), collection.clone()));
            }
            Fact::Complete(collection) | Fact::Absent(collection) => {
                self.begun.remove(&(name.clone(), collection.clone()));
            }
            _ => {}
        }
        self.releases.apply(name, &event.fact) != crate::app::releases::Changed::Nothing
    }

    /// Whether this environment has told everything that it will tell at first.
    fn is_whole(&self, name: &EnvironmentName) -> bool {
        self.health
            .get(name)
            .is_some_and(|health| health.state == SourceState::Live)
            && self.heard.contains(name)
            && !self.begun.iter().any(|(of, _)| of == name)
    }

    fn is_hopeless(&self, name: &EnvironmentName) -> bool {
        self.health.get(name).is_some_and(|health| {
            !matches!(
                health.state,
                SourceState::Connecting | SourceState::Live | SourceState::Stale
            )
        })
    }

    pub(super) fn exit(&self) -> Exit {
        let beside = self.beside.sources.values().map(|source| &source.health);
        if self
            .health
            .values()
            .chain(beside)
            .all(|health| health.state == SourceState::Live)
        {
            Exit::Done
        } else {
            Exit::Unreachable
        }
    }

    fn json(&self, filter: Option<&EnvironmentName>) -> Value {
        let now = now();
        let mut sorted: Vec<&Release> = self
            .releases
            .iter()
            .map(|(_, release)| release)
            .filter(|release| fits(release, filter))
            .collect();
        sorted.sort_by(|a, b| a.rollout.id.cmp(&b.rollout.id));
        let releases: Vec<Value> = sorted
            .iter()
            .filter_map(|release| self.one(now, release, None))
            .collect();
        report::status(now, &self.source_objects(now), &releases)
    }

    fn source_objects(&self, now: Timestamp) -> Vec<Value> {
        let clusters = self.sources();
        clusters
            .iter()
            .map(|source| report::source(now, source))
            .chain(
                self.beside
                    .sources
                    .values()
                    .map(|source| report_beside::source(now, source)),
            )
            .collect()
    }

    pub(super) fn sources(&self) -> Vec<SourceReport<'_>> {
        self.health
            .iter()
            .map(|(name, health)| SourceReport {
                id: format!("kubernetes/{name}"),
                health,
            })
            .collect()
    }

    fn one(
        &self,
        now: Timestamp,
        release: &Release,
        access: Option<&crate::model::source::Access>,
    ) -> Option<Value> {
        let name = &release.rollout.id.environment;
        let mut object = report::release(
            now,
            release,
            *self.tiers.get(name)?,
            self.health.get(name)?,
            access,
        );
        report_beside::fill(&mut object, &self.beside, release, now);
        Some(object)
    }

    /// Reads what is beside the rollouts; the sources go on telling.
    async fn look_beside(
        &mut self,
        session: &Session,
        only: Option<ReleaseId>,
        out: &mut Out,
    ) -> Option<Sources> {
        let depth = match only {
            Some(_) => Depth::One,
            None => Depth::List,
        };
        let environments: Vec<EnvironmentName> = self.health.keys().cloned().collect();
        let (beside, sources) =
            begin(&session.besides, &self.releases, &environments, depth, only).await;
        self.beside = beside;
        self.join();
        if self.beside.repositories.is_empty()
            && depth == Depth::List
            && self.beside.repositories_wanted() > REPOSITORIES_AT_MOST
        {
            out.note(&format!(
                "windlass: more than {REPOSITORIES_AT_MOST} repositories: their pipelines are left out of a list; name a service"
            ));
        }
        sources
    }

    fn join(&mut self) {
        let environments: Vec<EnvironmentName> = self.health.keys().cloned().collect();
        let lifts = self.beside.join(&self.releases, &environments.iter());
        self.releases.set_lifts(&lifts);
    }

    fn table(&self, filter: Option<&EnvironmentName>) -> String {
        let now = now();
        let fresh = |name: &EnvironmentName| {
            self.health
                .get(name)
                .is_some_and(|health| health.state.is_live())
        };
        let mut sorted: Vec<(Slot, &Release)> = self
            .releases
            .iter()
            .filter(|(_, release)| fits(release, filter))
            .collect();
        // As on the Board: what fires comes first, whatever its phase says.
        sorted.sort_by_cached_key(|(slot, release)| {
            let fresh = fresh(&release.rollout.id.environment);
            let key = self.releases.sort_key(*slot, release, fresh);
            (key, release.rollout.id.clone())
        });
        let mut rows = vec![
            [
                "SERVICE",
                "ENV",
                "NAMESPACE",
                "KIND",
                "VERSION",
                "STATE",
                "SINCE",
            ]
            .map(str::to_owned),
        ];
        rows.extend(sorted.iter().map(|(_, release)| {
            let fresh = fresh(&release.rollout.id.environment);
            row(now, release, &self.beside, fresh)
        }));
        let mut text = columns(&rows);
        for (name, health) in self
            .health
            .iter()
            .filter(|(_, health)| !health.state.is_live())
        {
            text.push_str(&format!(
                "\n{name}: {}: {}",
                health.state.word(),
                &*health.detail
            ));
        }
        for source in self
            .beside
            .sources
            .values()
            .filter(|source| !source.health.state.is_live())
        {
            text.push_str(&format!(
                "\n{}: {}: {}",
                source.id,
                source.health.state.word(),
                &*source.health.detail
            ));
        }
        text
    }
}

fn fits(release: &Release, filter: Option<&EnvironmentName>) -> bool {
    filter.is_none_or(|environment| release.rollout.id.environment == *environment)
}

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

fn row(now: Timestamp, release: &Release, beside: &Beside, fresh: bool) -> [String; 7] {
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

/// Left-aligned columns, two spaces apart.
pub(super) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0_usize; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(crate::model::text::width(cell));
        }
    }
    let lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths) {
                line.push_str(cell);
                line.push_str(
                    &" ".repeat((width + 2).saturating_sub(crate::model::text::width(cell))),
                );
            }
            line.trim_end().to_owned()
        })
        .collect();
    lines.join("\n")
}

/// Starts watching every environment; what they tell comes out of the receiver.
pub(super) fn watch_all(session: &Session) -> (mpsc::Receiver<Msg>, Vec<JoinHandle<()>>) {
    let (sender, messages) = mpsc::channel(64);
    let tasks = session
        .clusters()
        .into_values()
        .map(|cluster| {
            let sender = sender.clone();
            tokio::task::spawn_local(async move { cluster.watch(sender).await })
        })
        .collect();
    (messages, tasks)
}

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

pub(super) async fn first_picture(picture: &mut Picture, messages: &mut mpsc::Receiver<Msg>) {
    let start = Instant::now();
    loop {
        let names: Vec<EnvironmentName> = picture.health.keys().cloned().collect();
        let settled = |name: &EnvironmentName| {
            picture.is_whole(name)
                || picture
                    .health
                    .get(name)
                    .is_some_and(|health| health.state == SourceState::NotConfigured)
                || picture.is_hopeless(name) && start.elapsed() >= FAILING
        };
        if names.iter().all(settled) {
            return;
        }
        let limit = if names.iter().any(|name| picture.is_hopeless(name)) {
            FAILING
        } else {
            FIRST_PICTURE
        };
        let deadline = (start + limit).max(Instant::now() + Duration::from_millis(50));
        match tokio::time::timeout_at(deadline, messages.recv()).await {
            Ok(Some(Msg::Source(events))) => {
                for event in &events {
                    picture.take(event);
                }
            }
            Ok(Some(_)) => {}
            Ok(None) => return,
            Err(_) if start.elapsed() >= FIRST_PICTURE => return,
            Err(_) => {}
        }
    }
}

async fn watch(
    picture: &mut Picture,
    messages: &mut mpsc::Receiver<Msg>,
    mut sources: Option<Sources>,
    out: &mut Out,
    mut print: impl FnMut(&Picture, &mut Out),
) {
    while let Some(message) = next(messages, &mut sources).await {
        let mut changed = took(picture, &message);
        let until = Instant::now() + SETTLE;
        while let Ok(Some(message)) =
            tokio::time::timeout_at(until, next(messages, &mut sources)).await
        {
            changed |= took(picture, &message);
        }
        if picture.beside.needs_joins() {
            picture.join();
        }
        if let Some(sources) = &sources {
            sources.want(&mut picture.beside, &picture.releases);
        }
        if changed {
            print(picture, out);
        }
        if out.is_closed() {
            return;
        }
    }
}

/// What comes next, of the clusters or of what is beside them. `None`: no cluster will tell anything more.
async fn next(messages: &mut mpsc::Receiver<Msg>, sources: &mut Option<Sources>) -> Option<Msg> {
    loop {
        let Some(beside) = sources else {
            return messages.recv().await;
        };
        tokio::select! {
            message = messages.recv() => return message,
            message = beside.next() => match message {
                Some(message) => return Some(message),
                None => *sources = None,
            },
        }
    }
}

fn took(picture: &mut Picture, message: &Msg) -> bool {
    if let Msg::Beside(tidings) = message {
        // Another age of the same facts is no change; other metrics are, where they were asked for.
        return tidings.iter().fold(false, |changed, tidings| {
            let metrics = matches!(tidings.fact, Told::Metrics(_));
            let news = picture.beside.told(tidings.clone());
            changed | news.weighed | metrics
        });
    }
    let Msg::Source(events) = message else {
        return false;
    };
    let mut changed = false;
    for event in events {
        let health = matches!(&event.fact, Fact::Health(health) if picture.health.get(&event.environment).is_none_or(|old| old.state != health.state));
        let moved = picture.take(event);
        if moved {
            picture.beside.joins_are_stale();
        }
        changed |= moved | health;
    }
    changed
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
