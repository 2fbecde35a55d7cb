//! Watches: what changed after a version, one JSON object a line, until the time is over.
//!
//! Must never repeat or skip a version: the cursor moves only with what was written to the client.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Answer, Api, Asked, BOOKMARK_EVERY, Shape};
use crate::demo::answer::Refusal;
use crate::demo::fault::What;
use crate::demo::kind::Kind;
use crate::demo::selector::Selector;
use crate::demo::store::{Change, Object, Verb};

/// Without `timeoutSeconds` the server closes a watch after half an hour at the latest.
const LONGEST: u64 = 1800;

/// A streaming list is sent in pieces of about this size.
const PIECE: usize = 64 * 1024;

pub(super) fn watch(
    api: &Arc<Api>,
    asked: &Asked,
    kind: Kind,
    namespace: Option<&str>,
    struck: &[What],
) -> Result<Answer, Refusal> {
    let selector = Selector::parse(
        kind,
        asked.parameter("labelSelector"),
        asked.parameter("fieldSelector"),
    )?;
    let streams_list = asked.flag("sendInitialEvents");
    if streams_list && asked.parameter("resourceVersionMatch") != "NotOlderThan" {
        let why =
            "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        return Err(Refusal::invalid_options(
            "ListOptions",
            "resourceVersionMatch",
            "FieldValueForbidden",
            why,
        ));
    }
    let asked_version = match asked.parameter("resourceVersion") {
        "" => 0,
        text => text
            .parse::<u64>()
            .map_err(|_| Refusal::bad_request(format!("Invalid value: \"{text}\"")))?,
    };
    let seconds = asked.parameter("timeoutSeconds").parse().unwrap_or(LONGEST);
    let bookmarks = asked.flag("allowWatchBookmarks");
    let shape = Shape::of(asked);
    let now = Instant::now();
    let mut watching = {
        let cluster = api.cluster();
        Watching {
            bell: cluster
                .store
                .subscribe(kind)
                .ok_or_else(Refusal::method_not_allowed)?,
            expiry: api.expiry.subscribe(),
            passing: api.time.passing(),
            api: Arc::clone(api),
            path: asked.path.clone(),
            kind,
            namespace: namespace.map(str::to_owned),
            selector,
            shape,
            cursor: if streams_list || asked_version == 0 {
                cluster.store.version()
            } else {
                asked_version
            },
            initial: if streams_list || asked_version == 0 {
                cluster.store.list(kind, namespace).into()
            } else {
                VecDeque::new()
            },
            announce: streams_list && bookmarks,
            bookmarks,
            bookmark_at: now + BOOKMARK_EVERY,
            ends: now + Duration::from_secs(seconds),
            truncate: struck.contains(&What::Truncate),
            over: false,
            first: None,
        }
    };
    if struck.contains(&What::Gone) {
        watching.expire();
    }
    let body = futures::stream::unfold(watching, |mut watching| async move {
        let piece = watching.next().await?;
        Some((Ok::<_, Infallible>(piece), watching))
    });
    Ok(Answer::Stream {
        kind: "application/json",
        body: Body::from_stream(body),
    })
}

struct Watching {
    api: Arc<Api>,
    path: String,
    kind: Kind,
    namespace: Option<String>,
    selector: Selector,
    shape: Shape,
    cursor: u64,
    /// What was there at the beginning and has not been sent yet.
    initial: VecDeque<Arc<Object>>,
    /// The end of the initial events is still to be announced.
    announce: bool,
    bookmarks: bool,
    bookmark_at: Instant,
    passing: tokio::sync::watch::Receiver<()>,
    ends: Instant,
    bell: tokio::sync::watch::Receiver<u64>,
    expiry: tokio::sync::watch::Receiver<u64>,
    truncate: bool,
    over: bool,
    /// To be sent before anything else, and last.
    first: Option<Vec<u8>>,
}

impl Watching {
    async fn next(&mut self) -> Option<Bytes> {
        let mut piece = self.next_piece().await?;
        if self.truncate {
            self.over = true;
            piece.truncate(piece.len() / 2);
        }
        Some(Bytes::from(piece))
    }

    async fn next_piece(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(last) = self.first.take() {
                return Some(last);
            }
            if self.over || Instant::now() >= self.ends {
                return None;
            }
            if let Some(piece) = self.initial_piece().or_else(|| self.changes()) {
                return Some(piece);
            }
            let until = if self.bookmarks {
                self.bookmark_at.min(self.ends)
            } else {
                self.ends
            };
            let api = Arc::clone(&self.api);
            tokio::select! {
                _ = self.bell.changed() => {}
                _ = self.expiry.changed() => self.feel_faults(),
                // Where time stands still, each time that it is told to pass is as long as that.
                _ = self.passing.changed() => self.bookmark_at = Instant::now(),
                () = tokio::time::sleep_until(until) => {}
                () = api.closing.cancelled() => return None,
            }
        }
    }

    /// A fault has begun that open watches feel. A server that is away says nothing more.
    fn feel_faults(&mut self) {
        let now = self.api.moment();
        let struck = self.api.faults().strike_watch(&self.path, now);
        if struck.contains(&What::Unavailable) {
            self.over = true;
        } else if struck.contains(&What::Gone) {
            self.expire();
        }
    }

    fn expire(&mut self) {
        let current = self.api.cluster().store.version();
        self.fail(&Refusal::compacted(self.cursor, current));
    }

    /// An error is the last line.
    fn fail(&mut self, refusal: &Refusal) {
        let mut line = Vec::new();
        value_line("ERROR", &refusal.body(), &mut line);
        self.over = true;
        self.first = Some(line);
    }

    fn initial_piece(&mut self) -> Option<Vec<u8>> {
        let mut piece = Vec::new();
        while piece.len() < PIECE {
            let Some(object) = self.initial.pop_front() else {
                break;
            };
            if self.selector.selects(&object) {
                self.line("ADDED", &object, &mut piece);
            }
        }
        if self.initial.is_empty() && std::mem::take(&mut self.announce) {
            self.bookmark(true, &mut piece);
        }
        (!piece.is_empty()).then_some(piece)
    }

    fn changes(&mut self) -> Option<Vec<u8>> {
        let (changes, current) = {
            let cluster = self.api.cluster();
            (
                cluster.store.changes_after(self.kind, self.cursor),
                cluster.store.version(),
            )
        };
        let mut piece = Vec::new();
        match changes {
            Err(compacted) => {
                self.fail(&Refusal::compacted(self.cursor, compacted.oldest));
                return self.first.take();
            }
            Ok(changes) => {
                for change in changes {
                    self.cursor = change.version;
                    self.change(&change, &mut piece);
                }
            }
        }
        if piece.is_empty() && self.bookmarks && Instant::now() >= self.bookmark_at {
            self.cursor = self.cursor.max(current);
            self.bookmark(false, &mut piece);
        }
        (!piece.is_empty()).then_some(piece)
    }

    /// As seen through the selector: what leaves the selection is deleted for this watch, what enters it is added.
    fn change(&self, change: &Change, out: &mut Vec<u8>) {
        if self
            .namespace
            .as_deref()
            .is_some_and(|namespace| *namespace != *change.object.key.namespace)
        {
            return;
        }
        let was = change
            .before
            .as_ref()
            .is_some_and(|before| self.selector.selects(before));
        let is = change.verb != Verb::Deleted && self.selector.selects(&change.object);
        let verb = match (was, is) {
            (false, false) => return,
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
        };
        self.line(verb, &change.object, out);
    }

    fn line(&self, verb: &str, object: &Object, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("{{\"type\":\"{verb}\",\"object\":").as_bytes());
        self.shape.write(object, out);
        out.extend_from_slice(b"}\n");
    }

    fn bookmark(&mut self, initial: bool, out: &mut Vec<u8>) {
        self.bookmark_at = Instant::now() + BOOKMARK_EVERY;
        let mut metadata = json!({"resourceVersion": self.cursor.to_string()});
        if initial {
            crate::demo::json::set(
                &mut metadata,
                &["annotations", "k8s.io/initial-events-end"],
                "true",
            );
        }
        let (kind, api_version) = match self.shape {
            Shape::Whole => (self.kind.facts().kind, self.kind.api_version()),
            Shape::Metadata => ("PartialObjectMetadata", "meta.k8s.io/v1".to_owned()),
            Shape::Table => ("Table", "meta.k8s.io/v1".to_owned()),
        };
        value_line(
            "BOOKMARK",
            &json!({"kind": kind, "apiVersion": api_version, "metadata": metadata}),
            out,
        );
    }
}

fn value_line(verb: &str, object: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(
        json!({"type": verb, "object": object})
            .to_string()
            .as_bytes(),
    );
    out.push(b'\n');
}
