//! What acting needs of the API: consistent reads of the object itself, the facts of a plan, one request with its
//! precondition, every state of the object afterwards, and the note on it. Decides nothing and repeats no write.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    client::{ApiPath, Client},
    error::{Error, Fate},
    history::{self, Recorded},
    map::{self, Beside, Interner},
    plan::{Facts, GitPolicy, Holder, Served},
    requests::{self, Request},
    wire::{self, List, Watch},
};
use crate::{
    model::{
        detail::Revision,
        id::{EnvironmentName, Namespace, ReleaseId, ResourceVersion, Uid, WorkloadKind},
        release::Release,
        rollout::{FluxKind, ManagedBy, Rollout},
        source::Tier,
        text::{Safe, sanitise, sanitise_line, sanitise_lines},
    },
    ops::{
        intent::{Intent, Verb},
        machine::{Answer, ReadTrouble},
        plan::{Plan, Refusal, Sending},
    },
};

/// Between two attempts to watch an object whose connection broke.
const OBSERVE_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How long one watch of a single object is asked for.
const OBSERVE_SECONDS: &str = "120";

/// A state of the watched object.
#[derive(Clone, Debug)]
pub enum State {
    Rollout(Arc<Rollout>),
    Deleted,
}

/// What a plan is made with besides the object.
#[derive(Clone, Debug)]
pub struct Terms {
    pub tier: Tier,
    pub who: String,
    pub note: bool,
    pub served: Vec<Served>,
}

fn object_path(id: &ReleaseId) -> ApiPath {
    ApiPath::encoded(&requests::object_path(id))
}

/// Decodes an object of the release's kind.
fn decode(id: &ReleaseId, bytes: &[u8], beside: Beside) -> Result<Rollout, Error> {
    fn of<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Error> {
        wire::decode(bytes).map_err(|error| Error::malformed(&error.to_string()))
    }
    let environment: &EnvironmentName = &id.environment;
    let share = &mut Interner::default();
    Ok(match id.kind {
        WorkloadKind::ArgoRollout => map::rollout_beside(&of(bytes)?, environment, share, beside),
        WorkloadKind::Deployment => map::deployment(&of(bytes)?, environment, share),
        WorkloadKind::StatefulSet => map::stateful_set(&of(bytes)?, environment, share),
        WorkloadKind::DaemonSet => map::daemon_set(&of(bytes)?, environment, share),
    })
}

/// A consistent read of the object itself: never from a cache of ours or of the server's.
pub async fn read(client: &Client, id: &ReleaseId) -> Result<Rollout, Error> {
    let bytes = client.get_bytes(&object_path(id)).await?;
    decode(id, &bytes, Beside::default())
}

pub fn trouble(error: &Error) -> ReadTrouble {
    match error {
        Error::NotFound(_) => ReadTrouble::NotFound,
        Error::Unauthorized(_)
        | Error::Forbidden(_)
        | Error::Malformed { .. }
        | Error::TooLarge { .. } => ReadTrouble::Refused(error.sentence()),
        _ => ReadTrouble::Unreachable(error.sentence()),
    }
}

fn refusal(error: &Error) -> Refusal {
    match error {
        Error::NotFound(_) => Refusal::not_found("it is not there any more"),
        Error::Forbidden(_) => Refusal::guard(error.sentence().to_string()),
        _ => Refusal::unreachable(error.sentence().to_string()),
    }
}

/// The workloads of one name, of these kinds, in these namespaces (`None`: every one that may be listed, else the
/// context's own). One small request a kind: a command about one release does not list ten thousand.
pub async fn find(
    client: &Client,
    environment: &EnvironmentName,
    name: &str,
    kinds: &[WorkloadKind],
    namespaces: Option<&[Namespace]>,
) -> Result<Vec<Rollout>, Error> {
    let own = [Namespace::new(client.namespace())];
    let mut found = Vec::new();
    for kind in kinds {
        let selector = format!("metadata.name={name}");
        let wide = match namespaces {
            None => list_of(client, environment, *kind, None, Some(&selector)).await,
            Some(namespaces) => narrow(client, environment, *kind, namespaces, &selector).await,
        };
        match wide {
            Ok(rollouts) => found.extend(rollouts),
            Err(Error::Forbidden(_)) if namespaces.is_none() => {
                found.extend(narrow(client, environment, *kind, &own, &selector).await?);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

async fn narrow(
    client: &Client,
    environment: &EnvironmentName,
    kind: WorkloadKind,
    namespaces: &[Namespace],
    selector: &str,
) -> Result<Vec<Rollout>, Error> {
    let mut found = Vec::new();
    for namespace in namespaces {
        found.extend(list_of(client, environment, kind, Some(namespace), Some(selector)).await?);
    }
    Ok(found)
}

/// Every Rollout of a namespace: which Deployments belong to one is known only from these.
pub async fn rollouts_in(
    client: &Client,
    environment: &EnvironmentName,
    namespace: &Namespace,
) -> Result<Vec<Rollout>, Error> {
    list_of(
        client,
        environment,
        WorkloadKind::ArgoRollout,
        Some(namespace),
        None,
    )
    .await
}

/// An unknown kind (no Rollouts CRD) has no objects: an ordinary cluster.
async fn list_of(
    client: &Client,
    environment: &EnvironmentName,
    kind: WorkloadKind,
    namespace: Option<&Namespace>,
    selector: Option<&str>,
) -> Result<Vec<Rollout>, Error> {
    let (group, version, plural) = resource(kind);
    let mut path = match namespace {
        Some(namespace) => ApiPath::new(&[
            "apis",
            group,
            version,
            "namespaces",
            namespace.as_str(),
            plural,
        ]),
        None => ApiPath::new(&["apis", group, version, plural]),
    };
    if let Some(selector) = selector {
        path = path.query("fieldSelector", selector);
    }
    let bytes = match client.get_bytes(&path).await {
        Ok(bytes) => bytes,
        Err(Error::NotFound(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let share = &mut Interner::default();
    let unreadable = |error: serde_json::Error| Error::malformed(&error.to_string());
    Ok(match kind {
        WorkloadKind::ArgoRollout => wire::decode_list(&bytes)
            .map_err(unreadable)?
            .items
            .iter()
            .map(|object| map::rollout(object, environment, share))
            .collect(),
        WorkloadKind::Deployment => wire::decode_list(&bytes)
            .map_err(unreadable)?
            .items
            .iter()
            .map(|object| map::deployment(object, environment, share))
            .collect(),
        WorkloadKind::StatefulSet => wire::decode_list(&bytes)
            .map_err(unreadable)?
            .items
            .iter()
            .map(|object| map::stateful_set(object, environment, share))
            .collect(),
        WorkloadKind::DaemonSet => wire::decode_list(&bytes)
            .map_err(unreadable)?
            .items
            .iter()
            .map(|object| map::daemon_set(object, environment, share))
            .collect(),
    })
}

/// A rollout with its ReplicaSets, newest first.
pub async fn release(client: &Client, rollout: Rollout) -> Result<Release, Error> {
    let mut sets: Vec<_> = match rollout.id.kind {
        WorkloadKind::ArgoRollout | WorkloadKind::Deployment => {
            recorded(client, &rollout.id, &rollout.uid)
                .await?
                .iter()
                .filter_map(|set| map::replica_set(&set.object))
                .collect()
        }
        WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => Vec::new(),
    };
    sets.sort_by(|a, b| {
        b.revision
            .cmp(&a.revision)
            .then_with(|| a.name.cmp(&b.name))
    });
    Ok(Release {
        rollout: Arc::new(rollout),
        sets,
    })
}

/// Everything that a plan about `intent` is made from, read afresh.
pub async fn facts(client: &Client, intent: &Intent, terms: Terms) -> Result<Facts, Refusal> {
    let id = &intent.target;
    let bytes = client
        .get_bytes(&object_path(id))
        .await
        .map_err(|error| refusal(&error))?;
    let rollout = decode(id, &bytes, Beside::default()).map_err(|error| refusal(&error))?;
    let recorded = match id.kind {
        WorkloadKind::ArgoRollout | WorkloadKind::Deployment => recorded(client, id, &rollout.uid)
            .await
            .map_err(|error| refusal(&error))?,
        WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => Vec::new(),
    };
    let mut templates = HashMap::new();
    let mut sets = Vec::new();
    for set in &recorded {
        if let Some(mapped) = map::replica_set(&set.object) {
            templates.insert(mapped.uid.clone(), set.clean_template());
            sets.push(mapped);
        }
    }
    sets.sort_by(|a, b| {
        b.revision
            .cmp(&a.revision)
            .then_with(|| a.name.cmp(&b.name))
    });
    let (template_holder, current_template) =
        holder(client, id, &rollout, &bytes, intent.verb).await?;
    let current = recorded
        .iter()
        .find(|set| is_current(&rollout, set))
        .map(Recorded::clean_template);
    let git = git_policy(client, &rollout).await;
    Ok(Facts {
        release: Release {
            rollout: Arc::new(rollout),
            sets,
        },
        templates,
        current_template: current.or(current_template),
        template_holder,
        git,
        served: terms.served,
        tier: terms.tier,
        now: client.now(),
        who: terms.who,
        note: terms.note,
    })
}

fn is_current(rollout: &Rollout, set: &Recorded) -> bool {
    map::replica_set(&set.object).is_some_and(|mapped| match rollout.argo() {
        Some(argo) => mapped.hash.is_some() && mapped.hash == argo.current_hash,
        None => Some(mapped.revision) == rollout.revision,
    })
}

/// The ReplicaSets of a workload with their whole templates, by controlling owner: labels alone also match those of
/// experiments.
async fn recorded(client: &Client, id: &ReleaseId, uid: &Uid) -> Result<Vec<Recorded>, Error> {
    let mut all = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let mut path = ApiPath::new(&[
            "apis",
            "apps",
            "v1",
            "namespaces",
            id.namespace.as_str(),
            "replicasets",
        ])
        .query("limit", "250");
        if let Some(token) = &token {
            path = path.query("continue", token);
        }
        let bytes = client.get_bytes(&path).await?;
        let list: List<Recorded> =
            wire::decode_list(&bytes).map_err(|error| Error::malformed(&error.to_string()))?;
        all.extend(list.items.into_iter().filter(|set| {
            map::replica_set(&set.object).is_some_and(|mapped| mapped.owner == *uid)
        }));
        if list.metadata.continue_token.is_empty() {
            return Ok(all);
        }
        token = Some(list.metadata.continue_token);
    }
}

/// The object that a `workloadRef` names, and the template of the workload's own spec.
async fn holder(
    client: &Client,
    id: &ReleaseId,
    rollout: &Rollout,
    object: &[u8],
    verb: Verb,
) -> Result<(Option<Holder>, Option<Value>), Refusal> {
    let Some(reference) = rollout.argo().and_then(|argo| argo.workload_ref.as_ref()) else {
        let whole: Value = serde_json::from_slice(object).unwrap_or_default();
        return Ok((None, whole.pointer("/spec/template").cloned()));
    };
    let changes_template = matches!(verb, Verb::Rollback | Verb::BackOut);
    let Ok(place) = requests::holder(rollout) else {
        return Ok((None, None));
    };
    match client.get::<Value>(&ApiPath::encoded(place.path())).await {
        Ok(whole) => {
            let version = whole
                .pointer("/metadata/resourceVersion")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
            let template = whole.pointer("/spec/template").cloned();
            let holder = Holder {
                kind: reference.kind.to_string(),
                name: reference.name.to_string(),
                version,
            };
            Ok((Some(holder), template))
        }
        Err(error) if changes_template => Err(refusal(&error)),
        // The other verbs do not touch it.
        Err(error) => {
            tracing::info!(%id, error = %error.sentence(), "the object that workloadRef names cannot be read");
            Ok((None, None))
        }
    }
}

/// What the owner in git does by itself. Best effort: its words say when this could not be read.
async fn git_policy(client: &Client, rollout: &Rollout) -> Option<GitPolicy> {
    let unknown = GitPolicy {
        automatic: None,
        self_heal: None,
    };
    match rollout.managed_by.as_deref()? {
        ManagedBy::ArgoCd { application } => {
            // `namespace_name` where applications live in several namespaces, else the default one.
            let (namespace, name) = application
                .split_once('_')
                .unwrap_or(("argocd", application));
            let path = ApiPath::new(&[
                "apis",
                "argoproj.io",
                "v1alpha1",
                "namespaces",
                namespace,
                "applications",
                name,
            ]);
            let Ok(found) = client.get::<Value>(&path).await else {
                return Some(unknown);
            };
            let automated = found.pointer("/spec/syncPolicy/automated");
            let enabled = automated
                .is_some_and(|automated| automated.get("enabled") != Some(&Value::Bool(false)));
            let heals = automated
                .and_then(|automated| automated.get("selfHeal"))
                .and_then(Value::as_bool)
                .unwrap_or(false);
            Some(GitPolicy {
                automatic: Some(enabled),
                self_heal: Some(enabled && heals),
            })
        }
        ManagedBy::Flux {
            kind,
            name,
            namespace,
        } => {
            let (group, version, plural) = match kind {
                FluxKind::Kustomization => ("kustomize.toolkit.fluxcd.io", "v1", "kustomizations"),
                FluxKind::HelmRelease => ("helm.toolkit.fluxcd.io", "v2", "helmreleases"),
            };
            let namespace = namespace
                .as_deref()
                .unwrap_or(rollout.id.namespace.as_str());
            let path = ApiPath::new(&[
                "apis",
                group,
                version,
                "namespaces",
                namespace,
                plural,
                name,
            ]);
            let Ok(found) = client.get::<Value>(&path).await else {
                return Some(unknown);
            };
            let suspended = found
                .pointer("/spec/suspend")
                .and_then(Value::as_bool)
                .unwrap_or(false);
            Some(GitPolicy {
                automatic: Some(!suspended),
                self_heal: Some(!suspended),
            })
        }
    }
}

/// Sends one request of a plan, once, with its precondition.
pub async fn send(
    client: &Client,
    plan: &Plan,
    sending: &Sending,
    version: &ResourceVersion,
) -> Answer {
    let request = Request {
        method: sending.method,
        path: sending.path.clone(),
        content_type: sending.content_type,
        body: sending.body.clone(),
    };
    let precondition = sending.holder_version.as_ref().unwrap_or(version);
    let request = request.with_precondition(precondition, &plan.target.uid);
    let body = Bytes::from(request.body.to_string());
    match client
        .patch(&ApiPath::encoded(&request.path), request.content_type, body)
        .await
    {
        Ok(bytes) => applied(client, plan, sending, &bytes).await,
        Err(Error::Conflict(_)) => Answer::Conflict,
        Err(error) => match error.fate() {
            Fate::NotSent => Answer::NotSent(error.sentence()),
            Fate::Refused => Answer::Rejected {
                status: status_of(&error),
                message: error.sentence(),
            },
            Fate::Unknown => Answer::Lost(error.sentence()),
        },
    }
}

async fn applied(client: &Client, plan: &Plan, sending: &Sending, bytes: &[u8]) -> Answer {
    let id = &plan.intent.target;
    // The answer to a patch of another object says nothing about the target.
    let answered = match sending.holder_version {
        None => decode(id, bytes, Beside::default()),
        Some(_) => read(client, id).await,
    };
    match answered {
        Ok(rollout) => Answer::Applied(Arc::new(rollout)),
        // It was taken; what it made of the object is looked for.
        Err(error) => Answer::Lost(sanitise(&format!(
            "applied, but the answer cannot be read: {}",
            error.sentence()
        ))),
    }
}

const fn status_of(error: &Error) -> u16 {
    match error {
        Error::Unauthorized(said)
        | Error::Forbidden(said)
        | Error::NotFound(said)
        | Error::Conflict(said)
        | Error::Invalid(said)
        | Error::Gone(said) => said.status,
        Error::RateLimited { said, .. } | Error::Server { said, .. } => said.status,
        _ => 0,
    }
}

/// Tells every state of one object from a version on, until dropped. A broken connection resumes at the last version
/// that was seen, so that nothing in between is missed; where that is too old, or none is known, it is read.
pub async fn observe(
    client: &Client,
    id: &ReleaseId,
    from: Option<ResourceVersion>,
    seen: mpsc::Sender<State>,
) {
    let mut from = from;
    loop {
        let version = match from.take() {
            Some(version) => version,
            None => match read(client, id).await {
                Ok(rollout) => {
                    let version = rollout.version.clone();
                    if seen.send(State::Rollout(Arc::new(rollout))).await.is_err() {
                        return;
                    }
                    version
                }
                Err(Error::NotFound(_)) => {
                    let _ = seen.send(State::Deleted).await;
                    return;
                }
                Err(error) => {
                    tracing::info!(%id, error = %error.sentence(), "observing");
                    tokio::time::sleep(OBSERVE_AGAIN_AFTER).await;
                    continue;
                }
            },
        };
        match watch_one(client, id, version, &seen).await {
            Ended::At(version) => from = Some(version),
            Ended::TooOld => from = None,
            Ended::Broken(version) => {
                from = version;
                tokio::time::sleep(OBSERVE_AGAIN_AFTER).await;
            }
            Ended::NobodyListens => return,
        }
    }
}

enum Ended {
    At(ResourceVersion),
    TooOld,
    Broken(Option<ResourceVersion>),
    NobodyListens,
}

async fn watch_one(
    client: &Client,
    id: &ReleaseId,
    from: ResourceVersion,
    seen: &mpsc::Sender<State>,
) -> Ended {
    let path = collection_path(id)
        .query("watch", "1")
        .query("fieldSelector", &format!("metadata.name={}", id.name))
        .query("resourceVersion", from.as_str())
        .query("allowWatchBookmarks", "true")
        .query("timeoutSeconds", OBSERVE_SECONDS);
    let mut version = from;
    let mut lines = match client.lines(&path).await {
        Ok(lines) => lines,
        Err(Error::Gone(_)) => return Ended::TooOld,
        // Where only this object may be read, it may be that it may not be watched.
        Err(error) => {
            tracing::info!(%id, error = %error.sentence(), "observing by reading");
            return Ended::Broken(None);
        }
    };
    loop {
        let line = match lines.next().await {
            Ok(Some(line)) => line,
            Ok(None) => return Ended::At(version),
            Err(_) => return Ended::Broken(Some(version)),
        };
        let state = match wire::decode_watch_line::<Value>(&line) {
            Ok(Watch::Added(object) | Watch::Modified(object)) => {
                let Ok(rollout) = decode(id, object.to_string().as_bytes(), Beside::default())
                else {
                    return Ended::Broken(None);
                };
                version = rollout.version.clone();
                State::Rollout(Arc::new(rollout))
            }
            Ok(Watch::Deleted(_)) => State::Deleted,
            Ok(Watch::Bookmark {
                resource_version: at,
                ..
            }) => {
                version = ResourceVersion::new(&at);
                continue;
            }
            Ok(Watch::Error(_)) => return Ended::TooOld,
            Ok(_) => continue,
            Err(_) => return Ended::Broken(None),
        };
        if seen.send(state).await.is_err() {
            return Ended::NobodyListens;
        }
    }
}

fn collection_path(id: &ReleaseId) -> ApiPath {
    let (group, version, plural) = resource(id.kind);
    ApiPath::new(&[
        "apis",
        group,
        version,
        "namespaces",
        id.namespace.as_str(),
        plural,
    ])
}

const fn resource(kind: WorkloadKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        WorkloadKind::ArgoRollout => ("argoproj.io", "v1alpha1", "rollouts"),
        WorkloadKind::Deployment => ("apps", "v1", "deployments"),
        WorkloadKind::StatefulSet => ("apps", "v1", "statefulsets"),
        WorkloadKind::DaemonSet => ("apps", "v1", "daemonsets"),
    }
}

/// Leaves the note of a plan on its object as a Kubernetes Event, so that two people at one object see each other.
pub async fn note(client: &Client, plan: &Plan, words: &str) -> Result<(), Error> {
    let id = &plan.intent.target;
    let at = client.now();
    let api_version = match id.kind {
        WorkloadKind::ArgoRollout => "argoproj.io/v1alpha1",
        WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => "apps/v1",
    };
    let body = event(id, &plan.target.uid, api_version, words, at);
    let path = ApiPath::new(&["api", "v1", "namespaces", id.namespace.as_str(), "events"]);
    client
        .post(&path, Bytes::from(body.to_string()))
        .await
        .map(|_| ())
}

fn event(id: &ReleaseId, uid: &Uid, api_version: &str, words: &str, at: Timestamp) -> Value {
    let second = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    // Messages of Events are limited to 1024 bytes by the server.
    let message: String = words.chars().take(250).collect();
    json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": { "generateName": "windlass-", "namespace": id.namespace },
        "involvedObject": { "apiVersion": api_version, "kind": id.kind.vendor(), "namespace": id.namespace, "name": id.name, "uid": uid },
        "type": "Normal",
        "reason": "Windlass",
        "message": message,
        "source": { "component": "windlass" },
        "reportingComponent": "windlass",
        "firstTimestamp": second,
        "lastTimestamp": second,
        "count": 1,
    })
}

/// Who wrote the template last, as the object's own metadata says: `argocd-controller`.
pub async fn last_writer(client: &Client, id: &ReleaseId) -> Option<Safe> {
    let whole: Value = client.get(&object_path(id)).await.ok()?;
    let fields = whole.pointer("/metadata/managedFields")?.as_array()?;
    let newest = fields
        .iter()
        .filter(|entry| {
            entry.get("subresource").is_none() && entry.pointer("/fieldsV1/f:spec").is_some()
        })
        .max_by_key(|entry| {
            entry
                .get("time")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        })?;
    newest
        .get("manager")
        .and_then(Value::as_str)
        .map(|manager| sanitise_line(manager, 128))
}

/// Revisions and what differs.
pub async fn history(client: &Client, id: &ReleaseId) -> Result<Vec<Revision>, Error> {
    if !matches!(
        id.kind,
        WorkloadKind::ArgoRollout | WorkloadKind::Deployment
    ) {
        return Ok(Vec::new());
    }
    let bytes = client.get_bytes(&object_path(id)).await?;
    let rollout = decode(id, &bytes, Beside::default())?;
    let sets = recorded(client, id, &rollout.uid).await?;
    let whole: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    Ok(history::revisions(
        &rollout,
        whole.pointer("/spec/template"),
        &sets,
    ))
}

/// The object as it is stored, without what no reader wants: managed fields and the copy of the last apply, which may
/// hold what was once a secret (CVE-2023-40029). Values of environment variables are hidden.
pub async fn yaml(client: &Client, id: &ReleaseId) -> Result<Vec<Safe>, Error> {
    let mut whole: Value = client.get(&object_path(id)).await?;
    if let Some(metadata) = whole.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        if let Some(annotations) = metadata
            .get_mut("annotations")
            .and_then(Value::as_object_mut)
        {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
    }
    hide_values(&mut whole);
    let mut text = String::new();
    super::yaml::write(&whole, &mut text);
    Ok(text.lines().map(sanitise_lines).collect())
}

fn hide_values(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::Array(variables)) = map.get_mut("env") {
                for variable in variables {
                    if let Some(value) = variable.get_mut("value") {
                        *value = Value::String("(hidden)".to_owned());
                    }
                }
            }
            map.values_mut().for_each(hide_values);
        }
        Value::Array(items) => items.iter_mut().for_each(hide_values),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
