//! Lists, whole or in pages. The pages of one list are of one version: they come from a snapshot.
//!
//! Must never serve a page from another version than the first: a token whose snapshot is gone is expired.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::{Answer, Api, Asked, Shape, table};
use crate::demo::answer::Refusal;
use crate::demo::kind::{Kind, Origin};
use crate::demo::selector::Selector;
use crate::demo::store::Object;

/// How long a continue token is good for.
const TOKEN_LIVES: Duration = Duration::from_secs(300);

/// More unfinished lists than this, and the oldest expires.
const MOST_SNAPSHOTS: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Pages {
    made: u64,
    snapshots: BTreeMap<u64, Snapshot>,
}

#[derive(Clone, Debug)]
struct Snapshot {
    at: Instant,
    version: u64,
    items: Arc<Vec<Arc<Object>>>,
}

impl Pages {
    fn keep(&mut self, snapshot: Snapshot) -> u64 {
        self.made += 1;
        self.snapshots.insert(self.made, snapshot);
        while self.snapshots.len() > MOST_SNAPSHOTS {
            self.snapshots.pop_first();
        }
        self.made
    }

    fn get(&self, id: u64) -> Option<Snapshot> {
        self.snapshots
            .get(&id)
            .filter(|snapshot| snapshot.at.elapsed() < TOKEN_LIVES)
            .cloned()
    }
}

/// Opaque to clients: which snapshot, and how far.
struct Token {
    id: u64,
    offset: usize,
}

impl Token {
    fn write(&self) -> String {
        let mut text = String::new();
        for byte in format!("{} {}", self.id, self.offset).bytes() {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    fn read(text: &str) -> Option<Self> {
        let bytes = text
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        let plain = String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()?;
        let (id, offset) = plain.split_once(' ')?;
        Some(Self {
            id: id.parse().ok()?,
            offset: offset.parse().ok()?,
        })
    }
}

pub(super) fn list(
    api: &Arc<Api>,
    asked: &Asked,
    kind: Kind,
    namespace: Option<&str>,
    gone: bool,
) -> Result<Answer, Refusal> {
    let selector = Selector::parse(
        kind,
        asked.parameter("labelSelector"),
        asked.parameter("fieldSelector"),
    )?;
    let limit = asked
        .parameter("limit")
        .parse::<usize>()
        .ok()
        .filter(|limit| *limit > 0);
    let token = asked.parameter("continue");
    let (snapshot, offset, id) = if token.is_empty() {
        (take(api, asked, kind, namespace, &selector)?, 0, None)
    } else {
        let wrong = || Refusal::bad_request("invalid continue token: continue key is not valid");
        let token = Token::read(token).ok_or_else(wrong)?;
        let kept = api
            .pages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(token.id)
            .filter(|_| !gone);
        let Some(snapshot) = kept else {
            // The way to go on is inconsistent: the rest of a newer list.
            let snapshot = take(api, asked, kind, namespace, &selector)?;
            let id = api
                .pages
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .keep(snapshot);
            return Err(Refusal::continue_expired(
                Token {
                    id,
                    offset: token.offset,
                }
                .write(),
            ));
        };
        (snapshot, token.offset, Some(token.id))
    };
    let end = limit.map_or(snapshot.items.len(), |limit| {
        offset.saturating_add(limit).min(snapshot.items.len())
    });
    let rest = snapshot.items.len() - end;
    let next = (rest > 0).then(|| {
        let mut pages = api.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let id = id.unwrap_or_else(|| pages.keep(snapshot.clone()));
        Token { id, offset: end }.write()
    });
    let items = snapshot.items.get(offset..end).unwrap_or_default();
    let remaining = (rest > 0 && selector.is_everything()).then_some(rest);
    let body = body(
        kind,
        Shape::of(asked),
        items,
        snapshot.version,
        next.as_deref(),
        remaining,
    );
    Ok(Answer::Raw {
        status: 200,
        kind: "application/json",
        body,
    })
}

fn take(
    api: &Arc<Api>,
    asked: &Asked,
    kind: Kind,
    namespace: Option<&str>,
    selector: &Selector,
) -> Result<Snapshot, Refusal> {
    let (version, mut items) = {
        let cluster = api.cluster();
        (cluster.store.version(), cluster.store.list(kind, namespace))
    };
    let wanted = asked.parameter("resourceVersion");
    if let Ok(wanted) = wanted.parse::<u64>() {
        if wanted > version {
            return Err(Refusal::version_too_large(wanted, version));
        }
    } else if !wanted.is_empty() {
        return Err(Refusal::bad_request(format!(
            "Invalid value: \"{wanted}\": resource version must be a number"
        )));
    }
    if !selector.is_everything() {
        items.retain(|object| selector.selects(object));
    }
    Ok(Snapshot {
        at: Instant::now(),
        version,
        items: Arc::new(items),
    })
}

fn body(
    kind: Kind,
    shape: Shape,
    items: &[Arc<Object>],
    version: u64,
    next: Option<&str>,
    remaining: Option<usize>,
) -> Bytes {
    let facts = kind.facts();
    let size: usize = items.iter().map(|object| object.raw().len() + 64).sum();
    let mut body = Vec::with_capacity(size + 256);
    let (list, api_version) = match shape {
        Shape::Whole => (format!("{}List", facts.kind), kind.api_version()),
        Shape::Metadata => (
            "PartialObjectMetadataList".to_owned(),
            "meta.k8s.io/v1".to_owned(),
        ),
        Shape::Table => ("Table".to_owned(), "meta.k8s.io/v1".to_owned()),
    };
    let mut head = format!(
        "{{\"kind\":\"{list}\",\"apiVersion\":\"{api_version}\",\"metadata\":{{\"resourceVersion\":\"{version}\""
    );
    if let Some(token) = next {
        head = format!("{head},\"continue\":\"{token}\"");
    }
    if let Some(remaining) = remaining {
        head = format!("{head},\"remainingItemCount\":{remaining}");
    }
    body.extend_from_slice(head.as_bytes());
    if shape == Shape::Table {
        let now = Timestamp::now();
        let rows: Vec<Value> = items.iter().map(|object| table::row(object, now)).collect();
        let columns = table::definitions(kind);
        let rest = format!(
            "}},\"columnDefinitions\":{columns},\"rows\":{}}}",
            Value::from(rows)
        );
        body.extend_from_slice(rest.as_bytes());
        return Bytes::from(body);
    }
    body.extend_from_slice(b"},\"items\":[");
    for (place, object) in items.iter().enumerate() {
        if place > 0 {
            body.push(b',');
        }
        // Items of a built-in kind's list carry no type of their own; a custom resource's do.
        match (shape, facts.origin) {
            (Shape::Whole, Origin::BuiltIn) => body.extend_from_slice(object.raw()),
            _ => shape.write(object, &mut body),
        }
    }
    body.extend_from_slice(b"]}");
    Bytes::from(body)
}
