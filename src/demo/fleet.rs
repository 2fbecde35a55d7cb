//! Many quiet services, cheaply: one is played through the controllers, the others are copies with names of their own.
//!
//! Hashes are worked out for each, so a copy behaves like any other Rollout as soon as somebody touches it. Must never
//! leave a copy with work to do: an idle fleet costs no wake-up.

use std::{cell::RefCell, collections::HashMap, sync::Arc};

use jiff::Timestamp;

use super::chance::{Chance, short_hash};
use super::cluster::Cluster;
use super::json;
use super::kind::Kind;
use super::scenario::{
    Entry, Join, Namespace, Release, Scenario, Service, Span, What, When, Workload,
};
use super::script::Verdict;
use super::seed;
use super::store::Object;

const NAMESPACE: &str = "fleet";
const MODEL: &str = "model-of-the-fleet";
const BEFORE: &str = "v0.0.1-before";
const NOW: &str = "v0.0.2-now";

const FIRST: [&str; 12] = [
    "amber", "birch", "coral", "delta", "ember", "fjord", "grove", "harbor", "indigo", "juniper",
    "krill", "lagoon",
];
const SECOND: [&str; 12] = [
    "api", "batch", "cache", "feed", "index", "jobs", "loader", "proxy", "queue", "stream", "sync",
    "worker",
];

pub(super) fn plant(cluster: &mut Cluster, count: usize, opened: Timestamp, seed: u64) {
    if count == 0 {
        return;
    }
    let model = seed::build(&model(), opened, 1.0, seed);
    let kinds = [Kind::Rollout, Kind::ReplicaSet, Kind::Pod];
    let objects: Vec<Arc<Object>> = kinds
        .into_iter()
        .flat_map(|kind| model.store.list(kind, None))
        .collect();
    for namespace in model.store.list(Kind::Namespace, None) {
        cluster.create(Kind::Namespace, namespace.value());
    }
    let mould = Mould::new(&objects);
    // Names, identities and labels are the same few texts in every copy: cut once.
    let known: RefCell<HashMap<String, Vec<Piece>>> = RefCell::default();
    let mut chance = Chance::new(seed ^ 0x0066_6c65_6574);
    for number in 0..count {
        let mut words = mould.words(number, &mut chance);
        for (object, pieces) in objects.iter().zip(&mould.pieces) {
            if let Some(version) = words.last_mut() {
                *version = format!("\"resourceVersion\":\"{}\"", cluster.store.version() + 1);
            }
            let raw = fill(pieces, &words);
            cluster.store.plant(object, raw, |text| {
                let mut known = known.borrow_mut();
                if !known.contains_key(text) {
                    known.insert(text.to_owned(), mould.cut(text));
                }
                let pieces = known.get(text).map(Vec::as_slice);
                fill(pieces.unwrap_or_default(), &words)
            });
        }
    }
    cluster.store.forget_history();
}

/// A text, cut where something of the copy's own goes.
enum Piece {
    Text(String),
    Word(usize),
}

/// The model, cut once, so that filling it in ten thousand times is copying.
struct Mould {
    /// What is replaced in the model; versions, which differ from object to object, share the last place.
    olds: Vec<(String, usize)>,
    pieces: Vec<Vec<Piece>>,
    /// The model's pod templates as hashed, cut.
    templates: Vec<Vec<Piece>>,
    uids: usize,
}

impl Mould {
    fn new(objects: &[Arc<Object>]) -> Self {
        let templates = templates(objects);
        let mut olds = vec![MODEL.to_owned(), BEFORE.to_owned(), NOW.to_owned()];
        olds.extend(templates.iter().map(|(_, hash)| hash.clone()));
        olds.extend(objects.iter().map(|object| object.uid.to_string()));
        let last = olds.len();
        let mut olds: Vec<(String, usize)> = olds.into_iter().zip(0..).collect();
        for object in objects {
            olds.push((format!("\"resourceVersion\":\"{}\"", object.version), last));
        }
        let mut mould = Self {
            olds,
            pieces: Vec::new(),
            templates: Vec::new(),
            uids: objects.len(),
        };
        let text = |object: &Arc<Object>| String::from_utf8_lossy(object.raw()).into_owned();
        mould.pieces = objects
            .iter()
            .map(|object| mould.cut(&text(object)))
            .collect();
        mould.templates = templates
            .iter()
            .map(|(template, _)| mould.cut(template))
            .collect();
        mould
    }

    /// One pass over the text; the earliest word wins.
    fn cut(&self, text: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut rest = text;
        loop {
            let found = self
                .olds
                .iter()
                .filter_map(|(old, word)| Some((rest.find(old.as_str())?, old.len(), *word)))
                .min();
            let Some((place, length, word)) = found else {
                pieces.push(Piece::Text(rest.to_owned()));
                return pieces;
            };
            let (before, after) = rest.split_at(place);
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Word(word));
            rest = after.split_at(length).1;
        }
    }

    /// The words of one copy, in the order of what they replace; the version is filled in later.
    fn words(&self, number: usize, chance: &mut Chance) -> Vec<String> {
        let pick = |words: &[&'static str], place: usize| {
            words.get(place % words.len()).copied().unwrap_or("x")
        };
        let name = format!(
            "{}-{}-{number:05}",
            pick(&FIRST, number),
            pick(&SECOND, number / FIRST.len())
        );
        let (major, minor) = (1 + chance.below(6), chance.below(30));
        let mut words = vec![
            name,
            format!("v{major}.{minor}.{}", chance.below(9)),
            format!("v{major}.{}.0", minor + 1),
        ];
        let hashes: Vec<String> = self
            .templates
            .iter()
            .map(|template| short_hash(fill(template, &words).as_bytes()))
            .collect();
        words.extend(hashes);
        words.extend((0..self.uids).map(|_| chance.uid()));
        words.push(String::new());
        words
    }
}

fn fill(pieces: &[Piece], words: &[String]) -> String {
    let parts = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => text.as_str(),
        Piece::Word(word) => words.get(*word).map(String::as_str).unwrap_or_default(),
    });
    parts.collect()
}

fn model() -> Scenario {
    let release = |days: u64, version: &str| Entry {
        when: When::Ago(Span(std::time::Duration::from_secs(days * 86_400))),
        what: What::Release(Release {
            version: version.to_owned(),
            env: [("REVISION".to_owned(), version.to_owned())].into(),
            analysis: Verdict::Successful,
            stays: false,
            errors: None,
            slow: None,
            above: None,
        }),
    };
    let service = Service {
        name: MODEL.to_owned(),
        namespace: NAMESPACE.to_owned(),
        kind: Workload::Canary,
        replicas: 2,
        steps: ["weight 50", "pause", "weight 75", "pause 5m"]
            .map(str::to_owned)
            .to_vec(),
        routed: false,
        argo_cd: None,
        rollback_window: None,
        join: Join::Nothing,
        scale_down_delay: None,
        ready_after: None,
        story: vec![release(9, BEFORE), release(2, NOW)],
    };
    Scenario {
        about: String::new(),
        environment: String::new(),
        namespaces: vec![Namespace {
            name: NAMESPACE.to_owned(),
            read_only: false,
        }],
        services: vec![service],
        faults: Vec::new(),
        game: None,
    }
}

/// The model's pod templates as hashed, with the hash.
fn templates(objects: &[Arc<Object>]) -> Vec<(String, String)> {
    let label = "rollouts-pod-template-hash";
    objects
        .iter()
        .filter(|object| object.key.kind == Kind::ReplicaSet)
        .map(|object| {
            let value = object.value();
            let mut template = json::at(&value, &["spec", "template"])
                .cloned()
                .unwrap_or_default();
            json::unset(&mut template, &["metadata", "labels", label]);
            (
                template.to_string(),
                object.label(label).unwrap_or_default().to_owned(),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::clock::Moment;
    use super::super::controller;
    use super::super::store::Key;
    use super::*;

    #[test]
    fn a_planted_fleet_is_idle_until_it_is_touched_and_then_behaves() {
        let opened = Timestamp::from_second(1_800_000_000).unwrap();
        let mut cluster = Cluster::new(opened, 1.0, 1, Moment::OPENING);
        plant(&mut cluster, 30, opened, 1);
        let rollouts = cluster.store.list(Kind::Rollout, None);
        assert_eq!(rollouts.len(), 30);
        assert_eq!(cluster.store.list(Kind::Pod, None).len(), 60);
        assert_eq!(cluster.next_due(), None);
        let version = cluster.store.version();
        for rollout in &rollouts {
            controller::look(&mut cluster, &rollout.key);
        }
        cluster.advance(Moment::OPENING.after(Duration::from_secs(60)));
        assert_eq!(
            cluster.store.version(),
            version,
            "a look at a quiet service changes nothing"
        );
        let key: Key = rollouts[7].key.clone();
        cluster.edit(&key, |value| {
            json::set(
                value,
                &["spec", "template", "metadata", "annotations", "touched"],
                "yes",
            );
        });
        cluster.advance(Moment::OPENING.after(Duration::from_secs(120)));
        let value = cluster.store.get(&key).unwrap().value();
        assert_eq!(json::text(&value, &["status", "phase"]), "Paused");
        assert_eq!(
            json::text(
                &value,
                &["metadata", "annotations", "rollout.argoproj.io/revision"]
            ),
            "3"
        );
    }
}
