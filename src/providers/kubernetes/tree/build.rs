//! The rows: who hangs below whom.

use std::{cmp::Reverse, collections::BTreeSet};

use jiff::Timestamp;

use super::{
    Around, Info, Kind, Row, State, Tree,
    age::{age, human_duration},
    head::{self, Set, revision},
};
use crate::{
    model::text::{Safe, sanitise},
    providers::kubernetes::{
        status::{self, Icon, ReferencedWorkload},
        wire,
    },
};

pub fn rollout(object: &wire::Rollout, around: &Around<'_>) -> Tree {
    let uid = &object.metadata.uid;
    let sets = head::sets(uid, Some(object), around);
    let experiments = experiments(uid, around);
    let runs = runs(uid, around);
    let experiment_sets: Vec<Vec<Set<'_>>> = experiments
        .iter()
        .map(|experiment| head::sets(&experiment.metadata.uid, None, around))
        .collect();
    let phase = status::rollout_phase(object, ReferencedWorkload::NotAsked);
    let mut rows = Rows::new(around);
    let state = rows.state(
        Icon::of_rollout(&phase.phase),
        &phase.phase,
        &object.metadata,
    );
    rows.push(
        &Branch::root(),
        Kind::Rollout,
        &object.metadata.name,
        Some(state),
        Vec::new(),
    );

    let revisions: BTreeSet<Reverse<i64>> = (sets.iter().map(|set| &set.object.metadata))
        .chain(experiments.iter().map(|experiment| &experiment.metadata))
        .chain(runs.iter().map(|run| &run.metadata))
        .map(|meta| Reverse(revision(meta)))
        .collect();
    let mut of_root = Branch::root().children(revisions.len());
    for Reverse(number) in revisions {
        let at = of_root.next_branch();
        rows.push(
            &at,
            Kind::Revision,
            &format!("revision:{number}"),
            None,
            Vec::new(),
        );
        let sets: Vec<&Set<'_>> = of(number, &sets, |set| &set.object.metadata);
        let experiments: Vec<&&wire::Experiment> = of(number, &experiments, |e| &e.metadata);
        let runs: Vec<&&wire::AnalysisRun> = of(number, &runs, |run| &run.metadata);
        let mut children = at.children(sets.len() + experiments.len() + runs.len());
        for set in &sets {
            rows.set(&children.next_branch(), set);
        }
        for e in &experiments {
            rows.experiment(&children.next_branch(), e);
        }
        for run in &runs {
            rows.run(&children.next_branch(), run);
        }
    }
    Tree {
        head: head::rollout(object, &sets, &experiment_sets),
        rows: rows.rows,
    }
}

pub fn experiment(object: &wire::Experiment, around: &Around<'_>) -> Tree {
    let mut rows = Rows::new(around);
    rows.experiment(&Branch::root(), object);
    Tree {
        head: head::experiment(object, &head::sets(&object.metadata.uid, None, around)),
        rows: rows.rows,
    }
}

fn of<T>(number: i64, all: &[T], meta: impl Fn(&T) -> &wire::Meta) -> Vec<&T> {
    all.iter()
        .filter(|object| revision(meta(object)) == number)
        .collect()
}

/// Newest revision first, then oldest first.
fn experiments<'a>(owner: &str, around: &Around<'a>) -> Vec<&'a wire::Experiment> {
    let mut found: Vec<_> = around
        .experiments
        .iter()
        .filter(|experiment| experiment.metadata.is_owned_by(owner))
        .collect();
    found.sort_by_key(|experiment| {
        let meta = &experiment.metadata;
        (Reverse(revision(meta)), meta.creation_timestamp)
    });
    found
}

/// Newest revision first, then oldest first, then by name backwards.
fn runs<'a>(owner: &str, around: &Around<'a>) -> Vec<&'a wire::AnalysisRun> {
    let mut found: Vec<_> = around
        .analysis_runs
        .iter()
        .filter(|run| run.metadata.is_owned_by(owner))
        .collect();
    found.sort_by_key(|run| {
        let meta = &run.metadata;
        (
            Reverse(revision(meta)),
            meta.creation_timestamp,
            Reverse(&meta.name),
        )
    });
    found
}

/// A place in the tree: the lines in front of a row and those in front of its children.
struct Branch {
    prefix: String,
    below: String,
    depth: usize,
}

impl Branch {
    fn root() -> Self {
        Self {
            prefix: String::new(),
            below: String::new(),
            depth: 0,
        }
    }

    fn children(&self, count: usize) -> Children {
        Children {
            below: self.below.clone(),
            depth: self.depth + 1,
            left: count,
        }
    }
}

struct Children {
    below: String,
    depth: usize,
    left: usize,
}

impl Children {
    fn next_branch(&mut self) -> Branch {
        self.left = self.left.saturating_sub(1);
        let (prefix, below) = if self.left == 0 {
            ("└──", "   ")
        } else {
            ("├──", "│  ")
        };
        Branch {
            prefix: format!("{}{prefix}", self.below),
            below: format!("{}{below}", self.below),
            depth: self.depth,
        }
    }
}

struct Rows<'a> {
    around: &'a Around<'a>,
    rows: Vec<Row>,
}

impl<'a> Rows<'a> {
    fn new(around: &'a Around<'a>) -> Self {
        Self {
            around,
            rows: Vec::new(),
        }
    }

    fn state(&self, icon: Icon, words: &str, meta: &wire::Meta) -> State {
        self.state_since(icon, words, meta.creation_timestamp.0)
    }

    fn state_since(&self, icon: Icon, words: &str, since: Option<Timestamp>) -> State {
        State {
            icon,
            words: sanitise(words),
            age: age(since, self.around.now),
        }
    }

    fn push(&mut self, at: &Branch, kind: Kind, name: &str, state: Option<State>, info: Vec<Info>) {
        let name: Safe = sanitise(name);
        self.rows.push(Row {
            prefix: at.prefix.clone(),
            depth: at.depth,
            kind,
            name,
            state,
            info,
        });
    }

    fn set(&mut self, at: &Branch, set: &Set<'_>) {
        let meta = &set.object.metadata;
        let words = status::replica_set(set.object).vendor();
        let mut info: Vec<Info> = set.roles.iter().copied().map(Info::Role).collect();
        let deadline = meta.annotations.scale_down_deadline.as_deref();
        info.extend(
            deadline
                .filter(|text| !text.is_empty())
                .map(|text| Info::Delay(self.delay(text))),
        );
        let state = self.state(Icon::of_replica_set(words), words, meta);
        self.push(at, Kind::ReplicaSet, &meta.name, Some(state), info);
        let mut pods: Vec<&wire::Pod> = self
            .around
            .pods
            .iter()
            .filter(|pod| pod.metadata.is_owned_by(&meta.uid))
            .collect();
        pods.sort_by_key(|pod| (pod.metadata.creation_timestamp, &pod.metadata.name));
        let mut children = at.children(pods.len());
        for pod in pods {
            self.pod(&children.next_branch(), pod);
        }
    }

    /// Empty where the text is no time, as upstream has it.
    fn delay(&self, deadline: &str) -> String {
        match wire::Time::parse(deadline).0 {
            None => String::new(),
            Some(deadline) if deadline < self.around.now => "passed".to_owned(),
            Some(deadline) => human_duration(deadline.duration_since(self.around.now).as_secs()),
        }
    }

    fn pod(&mut self, at: &Branch, pod: &wire::Pod) {
        let words = status::pod(pod);
        let mut info = vec![Info::Ready {
            ready: words.ready,
            of: words.containers,
        }];
        if words.restarts > 0 {
            info.push(Info::Restarts(words.restarts));
        }
        let state = self.state(Icon::of_pod(&words.status), &words.status, &pod.metadata);
        self.push(at, Kind::Pod, &pod.metadata.name, Some(state), info);
    }

    fn experiment(&mut self, at: &Branch, experiment: &wire::Experiment) {
        let (meta, phase) = (&experiment.metadata, &experiment.status.phase);
        let state = self.state(Icon::of_run(phase), phase, meta);
        self.push(at, Kind::Experiment, &meta.name, Some(state), Vec::new());
        let sets = head::sets(&meta.uid, None, self.around);
        let runs = runs(&meta.uid, self.around);
        let mut children = at.children(sets.len() + runs.len());
        for set in &sets {
            self.set(&children.next_branch(), set);
        }
        for run in &runs {
            self.run(&children.next_branch(), run);
        }
    }

    fn run(&mut self, at: &Branch, run: &wire::AnalysisRun) {
        let (meta, status) = (&run.metadata, &run.status);
        let total = |of: fn(&wire::MetricResult) -> i32| {
            status
                .metric_results
                .iter()
                .fold(0_i32, |sum, result| sum.saturating_add(of(result)))
        };
        let counts = [
            (Icon::Ok, total(|result| result.successful)),
            (Icon::Bad, total(|result| result.failed)),
            (Icon::Unknown, total(|result| result.inconclusive)),
            (Icon::Warning, total(|result| result.error)),
        ];
        let info = counts
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(icon, count)| Info::Count(icon, count))
            .collect();
        let state = self.state(Icon::of_run(&status.phase), &status.phase, meta);
        self.push(at, Kind::AnalysisRun, &meta.name, Some(state), info);
        let jobs: Vec<(&str, &wire::Measurement)> = status
            .metric_results
            .iter()
            .flat_map(|result| &result.measurements)
            .filter_map(|m| Some((m.metadata.job_name.as_deref()?, m)))
            .collect();
        let mut children = at.children(jobs.len());
        for (name, measured) in jobs {
            let phase = &measured.phase;
            let state = self.state_since(Icon::of_run(phase), phase, measured.started_at.0);
            self.push(
                &children.next_branch(),
                Kind::Job,
                name,
                Some(state),
                Vec::new(),
            );
        }
    }
}
