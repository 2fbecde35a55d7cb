//! The objects, their versions, and what changed: what etcd and the watch cache are to a real API server.
//!
//! Objects are kept as the bytes they are sent as, because ten thousand services must fit and list quickly; a
//! controller parses the few it works on. Must never decide whether a write is allowed: that is `write`'s business.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::watch;

use super::json;
use super::kind::Kind;

/// How many changes of one kind a watch may be behind before its version is compacted away.
const HISTORY: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) kind: Kind,
    /// Empty for cluster-scoped kinds.
    pub(super) namespace: Arc<str>,
    pub(super) name: Arc<str>,
}

impl Key {
    pub(super) fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        Self {
            kind,
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

/// The owner reference that says `controller: true`.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) uid: Box<str>,
    pub(super) key: Option<Key>,
}

#[derive(Debug)]
pub(super) struct Object {
    pub(super) key: Key,
    pub(super) uid: Box<str>,
    pub(super) owner: Option<Owner>,
    pub(super) version: u64,
    labels: Vec<(Box<str>, Box<str>)>,
    /// Without apiVersion and kind: items of a built-in kind's list carry none.
    raw: Bytes,
}

impl Object {
    pub(super) fn label(&self, name: &str) -> Option<&str> {
        self.labels
            .iter()
            .find(|(key, _)| &**key == name)
            .map(|(_, value)| &**value)
    }

    pub(super) fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// With apiVersion and kind.
    pub(super) fn write_full(&self, out: &mut Vec<u8>) {
        let facts = self.key.kind.facts();
        out.extend_from_slice(b"{\"apiVersion\":\"");
        out.extend_from_slice(self.key.kind.api_version().as_bytes());
        out.extend_from_slice(b"\",\"kind\":\"");
        out.extend_from_slice(facts.kind.as_bytes());
        out.extend_from_slice(b"\",");
        out.extend_from_slice(self.raw.get(1..).unwrap_or_default());
    }

    /// Without apiVersion and kind, as kept.
    pub(super) fn value(&self) -> Value {
        // The bytes were written from a Value by `Store::put`, so they parse.
        serde_json::from_slice(&self.raw).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Added,
    Modified,
    Deleted,
}

#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) version: u64,
    pub(super) verb: Verb,
    pub(super) object: Arc<Object>,
    /// What the object was before: a watch with a selector needs it to tell "left the selection" from "never in it".
    pub(super) before: Option<Arc<Object>>,
}

/// The asked-for version is older than the history reaches.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Compacted {
    pub(super) oldest: u64,
}

#[derive(Debug)]
struct Drawer {
    objects: BTreeMap<(Arc<str>, Arc<str>), Arc<Object>>,
    history: VecDeque<Change>,
    compacted: u64,
    bell: watch::Sender<u64>,
}

#[derive(Debug)]
pub(super) struct Store {
    version: u64,
    drawers: HashMap<Kind, Drawer>,
    children: HashMap<Box<str>, BTreeSet<Key>>,
    touched: Vec<Arc<Object>>,
}

impl Store {
    pub(super) fn new(version: u64) -> Self {
        let drawer = || Drawer {
            objects: BTreeMap::new(),
            history: VecDeque::new(),
            compacted: version,
            bell: watch::Sender::new(version),
        };
        Self {
            version,
            drawers: Kind::ALL.into_iter().map(|kind| (kind, drawer())).collect(),
            children: HashMap::new(),
            touched: Vec::new(),
        }
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<Object>> {
        let place = (Arc::clone(&key.namespace), Arc::clone(&key.name));
        self.drawers.get(&key.kind)?.objects.get(&place).cloned()
    }

    pub(super) fn list(&self, kind: Kind, namespace: Option<&str>) -> Vec<Arc<Object>> {
        let Some(drawer) = self.drawers.get(&kind) else {
            return Vec::new();
        };
        let Some(namespace) = namespace else {
            return drawer.objects.values().cloned().collect();
        };
        let first: (Arc<str>, Arc<str>) = (namespace.into(), "".into());
        drawer
            .objects
            .range((Bound::Included(first), Bound::Unbounded))
            .take_while(|((at, _), _)| &**at == namespace)
            .map(|(_, object)| Arc::clone(object))
            .collect()
    }

    /// What the object with this uid controls.
    pub(super) fn children(&self, owner: &str, kind: Kind) -> Vec<Arc<Object>> {
        self.children
            .get(owner)
            .into_iter()
            .flatten()
            .filter(|key| key.kind == kind)
            .filter_map(|key| self.get(key))
            .collect()
    }

    /// Stores the value under a new version, whatever was there.
    pub(super) fn put(&mut self, kind: Kind, mut value: Value) -> Arc<Object> {
        self.version += 1;
        let version = self.version;
        json::set(
            &mut value,
            &["metadata", "resourceVersion"],
            version.to_string(),
        );
        json::unset(&mut value, &["apiVersion"]);
        json::unset(&mut value, &["kind"]);
        let object = Arc::new(object(kind, version, &value));
        self.keep(Arc::clone(&object));
        object
    }

    /// Takes over an object made from another one's bytes, without parsing them: ten thousand services are planted so.
    /// The bytes must carry `version()` + 1 as their version.
    pub(super) fn plant(&mut self, like: &Object, raw: String, fill: impl Fn(&str) -> String) {
        self.version += 1;
        let object = Object {
            key: planted_key(&like.key, &fill),
            uid: fill(&like.uid).into(),
            owner: like.owner.as_ref().map(|owner| Owner {
                uid: fill(&owner.uid).into(),
                key: owner.key.as_ref().map(|key| planted_key(key, &fill)),
            }),
            version: self.version,
            labels: like
                .labels
                .iter()
                .map(|(name, value)| (name.clone(), fill(value).into()))
                .collect(),
            raw: Bytes::from(raw),
        };
        self.keep(Arc::new(object));
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Arc<Object>> {
        let last = self.get(key)?;
        self.version += 1;
        let mut value = last.value();
        json::set(
            &mut value,
            &["metadata", "resourceVersion"],
            self.version.to_string(),
        );
        let gone = Arc::new(object(key.kind, self.version, &value));
        if let Some(owner) = &last.owner
            && let Some(siblings) = self.children.get_mut(&owner.uid)
        {
            siblings.remove(key);
        }
        if let Some(drawer) = self.drawers.get_mut(&key.kind) {
            let place = (Arc::clone(&key.namespace), Arc::clone(&key.name));
            drawer.objects.remove(&place);
            drawer.record(Change {
                version: self.version,
                verb: Verb::Deleted,
                object: Arc::clone(&gone),
                before: Some(last),
            });
        }
        self.touched.push(Arc::clone(&gone));
        Some(gone)
    }

    /// Everything that was written since the last call, for the controllers.
    pub(super) fn take_touched(&mut self) -> Vec<Arc<Object>> {
        std::mem::take(&mut self.touched)
    }

    pub(super) fn changes_after(&self, kind: Kind, version: u64) -> Result<Vec<Change>, Compacted> {
        let Some(drawer) = self.drawers.get(&kind) else {
            return Ok(Vec::new());
        };
        if version < drawer.compacted {
            return Err(Compacted {
                oldest: drawer.compacted,
            });
        }
        let from = drawer
            .history
            .partition_point(|change| change.version <= version);
        Ok(drawer.history.range(from..).cloned().collect())
    }

    /// Rings with the version of each change of this kind.
    pub(super) fn subscribe(&self, kind: Kind) -> Option<watch::Receiver<u64>> {
        self.drawers
            .get(&kind)
            .map(|drawer| drawer.bell.subscribe())
    }

    /// Forgets how the world came to be: nobody has watched it yet.
    pub(super) fn forget_history(&mut self) {
        self.touched.clear();
        for drawer in self.drawers.values_mut() {
            drawer.history.clear();
            drawer.compacted = self.version;
        }
    }

    fn keep(&mut self, object: Arc<Object>) {
        if let Some(owner) = &object.owner {
            self.children
                .entry(owner.uid.clone())
                .or_default()
                .insert(object.key.clone());
        }
        if let Some(drawer) = self.drawers.get_mut(&object.key.kind) {
            let place = (
                Arc::clone(&object.key.namespace),
                Arc::clone(&object.key.name),
            );
            let before = drawer.objects.insert(place, Arc::clone(&object));
            drawer.record(Change {
                version: object.version,
                verb: if before.is_some() {
                    Verb::Modified
                } else {
                    Verb::Added
                },
                object: Arc::clone(&object),
                before,
            });
        }
        self.touched.push(object);
    }
}

impl Drawer {
    fn record(&mut self, change: Change) {
        let version = change.version;
        self.history.push_back(change);
        if self.history.len() > HISTORY
            && let Some(oldest) = self.history.pop_front()
        {
            self.compacted = oldest.version;
        }
        self.bell.send_replace(version);
    }
}

fn planted_key(key: &Key, fill: &impl Fn(&str) -> String) -> Key {
    Key {
        kind: key.kind,
        namespace: Arc::clone(&key.namespace),
        name: fill(&key.name).into(),
    }
}

fn object(kind: Kind, version: u64, value: &Value) -> Object {
    let owner = json::at(value, &["metadata", "ownerReferences"])
        .and_then(Value::as_array)
        .and_then(|owners| {
            owners
                .iter()
                .find(|owner| json::flag(owner, &["controller"]))
        })
        .map(|owner| Owner {
            uid: json::text(owner, &["uid"]).into(),
            key: Kind::named(json::text(owner, &["kind"])).map(|kind| {
                let namespace = json::text(value, &["metadata", "namespace"]);
                Key::new(kind, namespace, json::text(owner, &["name"]))
            }),
        });
    let labels = json::at(value, &["metadata", "labels"])
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            (
                name.as_str().into(),
                value.as_str().unwrap_or_default().into(),
            )
        })
        .collect();
    Object {
        key: Key::new(
            kind,
            json::text(value, &["metadata", "namespace"]),
            json::text(value, &["metadata", "name"]),
        ),
        uid: json::text(value, &["metadata", "uid"]).into(),
        owner,
        version,
        labels,
        raw: Bytes::from(value.to_string()),
    }
}
