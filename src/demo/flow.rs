//! Who serves which part of a service's requests, and since when.
//!
//! Kept as spans, so that any counter of any time is worked out when somebody asks, and nothing counts along. A service
//! that nothing ever happened to needs no spans: its pods say it all. Must never be asked while the store is behind.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Deserialize;

use super::clock::{Clock, Moment};
use super::kind::Kind;
use super::store::{Key, Object, Store};

type Place = (Arc<str>, Arc<str>);

/// All flows that something happened to, by namespace and workload.
#[derive(Debug, Default)]
pub(super) struct Flows(HashMap<Place, Flow>);

#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub(super) kind: Kind,
    /// Oldest first; the last one lasts.
    pub(super) spans: Vec<Span>,
    ready: BTreeMap<Arc<str>, Server>,
    routing: Routing,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span {
    pub(super) from: Moment,
    pub(super) shares: Vec<Share>,
}

impl Span {
    /// What all pods of a version get together.
    pub(super) fn share_of(&self, version: &str) -> f64 {
        self.shares
            .iter()
            .filter(|share| *share.server.version == *version)
            .map(|share| share.part)
            .sum()
    }
}

/// What one pod gets.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Share {
    pub(super) pod: Arc<str>,
    pub(super) server: Server,
    /// Of all requests of the service, 0 to 1.
    pub(super) part: f64,
}

/// What stands behind a pod's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) hash: Arc<str>,
    pub(super) version: Arc<str>,
}

#[derive(Clone, Debug, Default, PartialEq)]
enum Routing {
    /// Every pod alike.
    #[default]
    Even,
    /// By hash, in percent.
    Weights(Vec<(String, f64)>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PodRead {
    metadata: PodMeta,
    spec: PodSpec,
    status: PodStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodMeta {
    deletion_timestamp: Option<String>,
    creation_timestamp: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PodSpec {
    containers: Vec<Container>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Container {
    image: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PodStatus {
    conditions: Vec<PodCondition>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PodCondition {
    r#type: String,
    status: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WorkloadRead {
    status: WorkloadStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WorkloadStatus {
    canary: CanaryStatus,
    blue_green: BlueGreenStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CanaryStatus {
    weights: Option<Weights>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Weights {
    canary: Weight,
    stable: Weight,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Weight {
    weight: f64,
    pod_template_hash: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct BlueGreenStatus {
    active_selector: String,
}

/// The label by which a workload's versions are told apart.
pub(super) fn hash_label(kind: Kind) -> &'static str {
    match kind {
        Kind::Deployment => "pod-template-hash",
        _ => "rollouts-pod-template-hash",
    }
}

fn serving(object: &Object, pod: &PodRead, kind: Kind) -> Option<Server> {
    let ready = pod
        .status
        .conditions
        .iter()
        .any(|condition| condition.r#type == "Ready" && condition.status == "True");
    if !ready || pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let image = &pod.spec.containers.first()?.image;
    Some(Server {
        hash: object.label(hash_label(kind))?.into(),
        version: image.rsplit_once(':')?.1.into(),
    })
}

impl Flow {
    /// As the store has it: its pods have served since they were made.
    fn found(store: &Store, clock: &Clock, workload: &Object) -> Self {
        let kind = workload.key.kind;
        let mut flow = Self {
            kind,
            spans: Vec::new(),
            ready: BTreeMap::new(),
            routing: routing(workload),
        };
        let mut from = None;
        for set in store.children(&workload.uid, Kind::ReplicaSet) {
            for object in store.children(&set.uid, Kind::Pod) {
                let pod: PodRead = serde_json::from_slice(object.raw()).unwrap_or_default();
                if let Some(server) = serving(&object, &pod, kind) {
                    let made = pod.metadata.creation_timestamp.unwrap_or_default();
                    let made = made
                        .parse()
                        .map_or(clock.now(), |stamp| clock.moment_of(stamp));
                    from = from.max(Some(made));
                    flow.ready.insert(Arc::clone(&object.key.name), server);
                }
            }
        }
        if let Some(from) = from {
            flow.turn(from);
        }
        flow
    }

    /// Works out who serves what, from then on.
    fn turn(&mut self, from: Moment) {
        let count = |hash: &str| {
            let pods = self.ready.values().filter(|server| &*server.hash == hash);
            f64::from(u32::try_from(pods.count()).unwrap_or(1)).max(1.0)
        };
        let all = f64::from(u32::try_from(self.ready.len()).unwrap_or(1)).max(1.0);
        let part = |hash: &str| match &self.routing {
            Routing::Even => 1.0 / all,
            Routing::Weights(weights) => {
                let named = weights.iter().filter(|(known, _)| known == hash);
                named.map(|(_, weight)| weight / 100.0).sum::<f64>() / count(hash)
            }
        };
        let shares: Vec<Share> = self
            .ready
            .iter()
            .map(|(pod, server)| Share {
                pod: Arc::clone(pod),
                server: server.clone(),
                part: part(&server.hash),
            })
            .collect();
        match self.spans.last_mut() {
            Some(last) if last.shares == shares => {}
            Some(last) if last.from >= from => last.shares = shares,
            None if shares.is_empty() => {}
            _ => self.spans.push(Span { from, shares }),
        }
    }

    /// Who serves something now.
    pub(super) fn now(&self) -> impl Iterator<Item = &Share> {
        let shares = self.spans.last().map(|span| &span.shares);
        shares
            .into_iter()
            .flatten()
            .filter(|share| share.part > 0.0)
    }
}

fn routing(workload: &Object) -> Routing {
    let read: WorkloadRead = serde_json::from_slice(workload.raw()).unwrap_or_default();
    let active = read.status.blue_green.active_selector;
    if !active.is_empty() {
        return Routing::Weights(vec![(active, 100.0)]);
    }
    match read.status.canary.weights {
        Some(weights) => Routing::Weights(vec![
            (weights.canary.pod_template_hash, weights.canary.weight),
            (weights.stable.pod_template_hash, weights.stable.weight),
        ]),
        None => Routing::Even,
    }
}

fn workload(store: &Store, namespace: &str, name: &str) -> Option<Arc<Object>> {
    [Kind::Rollout, Kind::Deployment]
        .into_iter()
        .find_map(|kind| store.get(&Key::new(kind, namespace, name)))
}

impl Flows {
    /// An object has changed.
    pub(super) fn touched(&mut self, store: &Store, clock: &Clock, object: &Object) {
        let namespace = &object.key.namespace;
        let name = match object.key.kind {
            Kind::Rollout | Kind::Deployment => Arc::clone(&object.key.name),
            Kind::Pod => object.label("app").unwrap_or_default().into(),
            _ => return,
        };
        let place = (Arc::clone(namespace), name);
        let flow = match self.0.entry(place) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                if let Some(workload) = workload(store, namespace, &free.key().1) {
                    free.insert(Flow::found(store, clock, &workload));
                }
                return;
            }
        };
        if object.key.kind == Kind::Pod {
            let pod: PodRead = serde_json::from_slice(object.raw()).unwrap_or_default();
            match serving(object, &pod, flow.kind) {
                Some(server) => flow.ready.insert(Arc::clone(&object.key.name), server),
                None => flow.ready.remove(&object.key.name),
            };
        } else {
            flow.routing = routing(object);
        }
        flow.turn(clock.now());
    }

    /// Those that something happened to.
    pub(super) fn known(&self) -> impl Iterator<Item = (&str, &str, &Flow)> {
        self.0
            .iter()
            .map(|((namespace, name), flow)| (&**namespace, &**name, flow))
    }

    /// The flow of any workload.
    pub(super) fn of(&self, store: &Store, clock: &Clock, workload: &Object) -> Flow {
        let place = (
            Arc::clone(&workload.key.namespace),
            Arc::clone(&workload.key.name),
        );
        match self.0.get(&place) {
            Some(flow) => flow.clone(),
            None => Flow::found(store, clock, workload),
        }
    }
}
