//! What is known of the parts of one release, whose each object is, and what of it is news.

use std::{collections::HashSet, marker::PhantomData};

use super::{Detail, Kept};
use crate::{
    model::{
        detail::{AnalysisRun, Event, Experiment, Pod},
        event::DetailFact,
        id::{ReleaseId, Uid},
        text::Safe,
    },
    providers::kubernetes::{
        map,
        watch::{Closed, Condition, Listener, News, Object},
        wire,
    },
};

/// Events kept before the owners are known: the newest count, and there are never that many for one release.
const EVENTS_SHOWN: usize = 200;
/// Names of pods are cut by their controllers at 58 characters and get a suffix.
const COMMON_NAME: usize = 50;

/// One of the watched parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Name {
    Pods,
    ReplicaSets,
    Runs,
    Experiments,
    Events,
}

impl Name {
    const fn words(self) -> &'static str {
        match self {
            Self::Pods => "pods",
            Self::ReplicaSets => "replica sets",
            Self::Runs => "analysis runs",
            Self::Experiments => "experiments",
            Self::Events => "events",
        }
    }
}

#[derive(Debug)]
struct Owned<T> {
    item: T,
    owner: Option<Uid>,
}

#[derive(Debug)]
pub(super) struct Parts {
    uid: Uid,
    name: String,
    pods: Kept<Pod>,
    sets: Kept<Owned<()>>,
    runs: Kept<AnalysisRun>,
    experiments: Kept<Experiment>,
    /// With the object that the event is about.
    events: Kept<Owned<Event>>,
    failed: Vec<(Name, Safe)>,
    failures_told: Vec<(Name, Safe)>,
    dirty: HashSet<Name>,
    pods_told: Option<Vec<Pod>>,
    runs_told: Option<Vec<AnalysisRun>>,
    experiments_told: Option<Vec<Experiment>>,
    events_told: Option<Vec<Event>>,
}

impl Parts {
    pub(super) fn new(target: &ReleaseId, uid: Uid) -> Self {
        Self {
            uid,
            name: target.name.as_str().to_owned(),
            pods: Kept::default(),
            sets: Kept::default(),
            runs: Kept::default(),
            experiments: Kept::default(),
            events: Kept::default(),
            failed: Vec::new(),
            failures_told: Vec::new(),
            dirty: HashSet::new(),
            pods_told: None,
            runs_told: None,
            experiments_told: None,
            events_told: None,
        }
    }

    /// The facts that are new since the last time.
    pub(super) fn news(&mut self) -> Vec<DetailFact> {
        let mut facts = Vec::new();
        if self.failed != self.failures_told {
            for (part, why) in &self.failed {
                if !self.failures_told.contains(&(*part, why.clone())) {
                    facts.push(DetailFact::Failed {
                        part: part.words(),
                        why: why.clone(),
                    });
                }
            }
            self.failures_told.clone_from(&self.failed);
        }
        if self.dirty.is_empty() {
            return facts;
        }
        // Whose a pod is may change with a ReplicaSet or an experiment: all lists are made again, and told where they
        // differ.
        self.dirty.clear();
        let experiments = self.own_experiments();
        let owners = self.owners(&experiments);
        if self.experiments.is_known && self.experiments_told.as_ref() != Some(&experiments) {
            facts.push(DetailFact::Experiments(experiments.clone()));
            self.experiments_told = Some(experiments);
        }
        // Without ReplicaSets to be seen, only pods that the workload owns itself can be told.
        let sets_failed = self
            .failed
            .iter()
            .any(|(part, _)| *part == Name::ReplicaSets);
        if self.pods.is_known && (self.sets.is_known || sets_failed) {
            let pods = self.own_pods(&owners);
            if self.pods_told.as_ref() != Some(&pods) {
                facts.push(DetailFact::Pods(pods.clone()));
                self.pods_told = Some(pods);
            }
        }
        if self.runs.is_known {
            let runs = self.own_runs(&owners);
            if self.runs_told.as_ref() != Some(&runs) {
                facts.push(DetailFact::Runs(runs.clone()));
                self.runs_told = Some(runs);
            }
        }
        if self.events.is_known {
            let events = self.own_events(&owners);
            if self.events_told.as_ref() != Some(&events) {
                facts.push(DetailFact::Events(events.clone()));
                self.events_told = Some(events);
            }
        }
        facts
    }

    /// The workload, its experiments, and the ReplicaSets of all of them.
    fn owners(&self, experiments: &[Experiment]) -> HashSet<Uid> {
        let mut owners: HashSet<Uid> = experiments.iter().map(|e| e.uid.clone()).collect();
        owners.insert(self.uid.clone());
        let sets: Vec<Uid> = self
            .sets
            .items()
            .filter(|(_, set)| {
                set.owner
                    .as_ref()
                    .is_some_and(|owner| owners.contains(owner))
            })
            .map(|(uid, _)| uid.clone())
            .collect();
        owners.extend(sets);
        owners
    }

    fn own_experiments(&self) -> Vec<Experiment> {
        let mut own: Vec<Experiment> = self
            .experiments
            .values()
            .filter(|experiment| experiment.owner.as_ref() == Some(&self.uid))
            .cloned()
            .collect();
        own.sort_by(|a, b| (a.revision, a.created, &a.name).cmp(&(b.revision, b.created, &b.name)));
        own
    }

    fn own_pods(&self, owners: &HashSet<Uid>) -> Vec<Pod> {
        let mut own: Vec<Pod> = self
            .pods
            .values()
            .filter(|pod| is_of(pod.owner.as_ref(), owners))
            .cloned()
            .collect();
        own.sort_by(|a, b| (a.created, &a.name).cmp(&(b.created, &b.name)));
        own
    }

    fn own_runs(&self, owners: &HashSet<Uid>) -> Vec<AnalysisRun> {
        let mut own: Vec<AnalysisRun> = self
            .runs
            .values()
            .filter(|run| is_of(run.owner.as_ref(), owners))
            .cloned()
            .collect();
        own.sort_by(|a, b| (a.revision, a.created, &a.name).cmp(&(b.revision, b.created, &b.name)));
        own
    }

    fn own_events(&self, owners: &HashSet<Uid>) -> Vec<Event> {
        let about = |uid: Option<&Uid>| {
            let pod = uid.and_then(|uid| self.pods.get(uid));
            let run = uid.and_then(|uid| self.runs.get(uid));
            is_of(uid, owners)
                || pod.is_some_and(|pod| is_of(pod.owner.as_ref(), owners))
                || run.is_some_and(|run| is_of(run.owner.as_ref(), owners))
        };
        let mut own: Vec<Event> = self
            .events
            .values()
            .filter(|event| about(event.owner.as_ref()))
            .map(|event| event.item.clone())
            .collect();
        own.sort_by(|a, b| (b.at, &b.uid).cmp(&(a.at, &a.uid)));
        own.truncate(EVENTS_SHOWN);
        own
    }

    /// Whether an event about an object of this name can be ours: a coarse sieve, so that a busy namespace's other
    /// events are not kept. The uid decides later.
    fn may_be_ours(&self, name: &str) -> bool {
        let common: String = self.name.chars().take(COMMON_NAME).collect();
        name.starts_with(&common)
    }

    fn set_failure(&mut self, part: Name, why: Option<Safe>) {
        self.failed.retain(|(failed, _)| *failed != part);
        if let Some(why) = why {
            self.failed.push((part, why));
        }
    }
}

fn is_of(owner: Option<&Uid>, owners: &HashSet<Uid>) -> bool {
    owner.is_some_and(|owner| owners.contains(owner))
}

/// A kind of object that is part of a release.
pub(super) trait Part: Send + Sized {
    const NAME: Name;

    fn put(self, parts: &mut Parts);

    fn begin(parts: &mut Parts);

    fn complete(parts: &mut Parts);

    fn absent(parts: &mut Parts);

    fn remove(parts: &mut Parts, uid: &Uid);
}

macro_rules! parts {
    ($($object:ident: $name:ident, $field:ident, |$this:ident, $parts:ident| $put:expr;)*) => {$(
        impl Part for wire::$object {
            const NAME: Name = Name::$name;

            fn put(self, $parts: &mut Parts) {
                let $this = self;
                $put
            }

            fn begin(parts: &mut Parts) {
                parts.$field.begin();
            }

            fn complete(parts: &mut Parts) {
                parts.$field.complete();
            }

            fn absent(parts: &mut Parts) {
                parts.$field.clear();
            }

            fn remove(parts: &mut Parts, uid: &Uid) {
                parts.$field.remove(uid);
            }
        }
    )*};
}
parts! {
    Pod: Pods, pods, |this, parts| {
        let pod = map::pod(&this);
        parts.pods.put(pod.uid.clone(), pod);
    };
    ReplicaSet: ReplicaSets, sets, |this, parts| {
        let owner = this.metadata.controller().map(|owner| Uid::new(&owner.uid));
        parts.sets.put(Uid::new(&this.metadata.uid), Owned { item: (), owner });
    };
    AnalysisRun: Runs, runs, |this, parts| {
        // A run of another rollout never becomes one of this; an experiment may be told later than its runs.
        let controller = this.metadata.controller();
        if controller.is_some_and(|owner| owner.kind == "Experiment" || parts.uid.is(&owner.uid)) {
            let run = map::analysis_run(&this);
            parts.runs.put(run.uid.clone(), run);
        }
    };
    Experiment: Experiments, experiments, |this, parts| {
        if this.metadata.is_owned_by(&parts.uid.to_string()) {
            let experiment = map::experiment(&this);
            parts.experiments.put(experiment.uid.clone(), experiment);
        }
    };
    Event: Events, events, |this, parts| {
        if parts.may_be_ours(&this.involved_object.name) {
            let event = map::event(&this);
            let owner = Some(Uid::new(&this.involved_object.uid));
            parts.events.put(event.uid.clone(), Owned { item: event, owner });
        }
    };
}

/// Listens to the watch of one part.
pub(super) struct PartListener<'a, T> {
    detail: &'a Detail,
    told: bool,
    kind: PhantomData<fn(T)>,
}

impl<'a, T> PartListener<'a, T> {
    pub(super) fn new(detail: &'a Detail) -> Self {
        Self {
            detail,
            told: false,
            kind: PhantomData,
        }
    }
}

impl<T: Part + Object> Listener<T> for PartListener<'_, T> {
    fn tell(&mut self, news: News<T>) {
        let mut parts = self.detail.parts();
        self.told = true;
        match news {
            News::Begin => {
                T::begin(&mut parts);
                return;
            }
            News::Object(object) => object.put(&mut parts),
            News::Deleted(object) => {
                let uid = Uid::new(&object.metadata().uid);
                T::remove(&mut parts, &uid);
            }
            News::Unreadable(_) => return,
            News::Complete => T::complete(&mut parts),
            News::Absent => T::absent(&mut parts),
        }
        parts.dirty.insert(T::NAME);
    }

    fn is_full(&self) -> bool {
        false
    }

    async fn flush(&mut self, condition: &Condition, _: bool) -> Result<(), Closed> {
        let mut parts = self.detail.parts();
        match condition {
            Condition::Failing { why, .. } => parts.set_failure(T::NAME, Some(why.clone())),
            Condition::Live | Condition::Absent => {
                let failed = parts.failed.iter().any(|(part, _)| *part == T::NAME);
                if failed {
                    // Told again although nothing differs: the last word about this part was that it failed.
                    parts.set_failure(T::NAME, None);
                    parts.forget_told(T::NAME);
                    self.told = true;
                }
            }
            Condition::Connecting | Condition::Late => return Ok(()),
        }
        let news = std::mem::take(&mut self.told) || parts.failed != parts.failures_told;
        drop(parts);
        if news {
            self.detail.changed.notify_one();
        }
        Ok(())
    }
}

impl Parts {
    fn forget_told(&mut self, part: Name) {
        self.dirty.insert(part);
        match part {
            Name::Pods | Name::ReplicaSets => self.pods_told = None,
            Name::Runs => self.runs_told = None,
            Name::Experiments => self.experiments_told = None,
            Name::Events => self.events_told = None,
        }
    }
}
