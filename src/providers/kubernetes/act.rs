//! What acting needs of the API: consistent reads of the object itself, the facts of a plan, one request with its
//! precondition, every state of the object afterwards, and the note on it. Decides nothing and repeats no write.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    client::{ApiPath, Client},
    error::{Error, Fate},
    history::{self, Recorded},
    map::{self, Beside, Interner},
    plan::{Facts, GitPolicy, Holder, Served},
    read::{self, Referenced},
    requests::{self, Request},
    wire,
};
use crate::{
    model::{
        detail::Revision,
        id::{EnvironmentName, ReleaseId, ResourceVersion, Uid, WorkloadKind},
        release::Release,
        replica_set::Owned,
        rollout::{FluxKind, ManagedBy, Rollout},
        source::Tier,
        text::{Safe, sanitise, sanitise_lines},
    },
    ops::{
        intent::{Intent, Verb},
        machine::{Answer, ReadTrouble},
        plan::{Plan, Refusal, Sending},
    },
};

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

/// A cluster acts on releases only.
fn release_of(intent: &Intent) -> Result<&ReleaseId, Refusal> {
    intent
        .target
        .release()
        .ok_or_else(|| Refusal::guard(format!("{} is nothing that a cluster holds", intent.target)))
}

/// Everything that a plan about `intent` is made from, read afresh.
pub async fn facts(client: &Client, intent: &Intent, terms: Terms) -> Result<Facts, Refusal> {
    let id = release_of(intent)?;
    let bytes = client
        .get_bytes(&object_path(id))
        .await
        .map_err(|error| refusal(&error))?;
    let rollout = decode(id, &bytes, Beside::default()).map_err(|error| refusal(&error))?;
    let recorded = match id.kind {
        WorkloadKind::ArgoRollout | WorkloadKind::Deployment => {
            read::recorded(client, id, &rollout.uid)
                .await
                .map_err(|error| refusal(&error))?
        }
        WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => Vec::new(),
    };
    let mut templates = HashMap::new();
    let mut sets = Vec::new();
    for set in &recorded {
        if let Some(owned) = map::replica_set(&set.object) {
            let mapped = owned.set;
            templates.insert(mapped.uid.clone(), set.clean_template());
            sets.push(mapped);
        }
    }
    sets.sort_by(|a, b| {
        b.revision
            .cmp(&a.revision)
            .then_with(|| a.hash.cmp(&b.hash))
    });
    let (template_holder, current_template) =
        holder(client, id, &rollout, &bytes, intent.verb).await?;
    let current = recorded
        .iter()
        .find(|set| is_current(&rollout, set))
        .map(Recorded::clean_template);
    let configuration = match (intent.verb, &current_template) {
        (Verb::BackOut | Verb::Rollback, Some(template)) => {
            changed_configuration(client, id, template).await
        }
        _ => Vec::new(),
    };
    let git = git_policy(client, &rollout).await;
    Ok(Facts {
        release: Release {
            rollout: Arc::new(rollout),
            sets,
        },
        templates,
        current_template: current.or(current_template),
        template_holder,
        configuration,
        git,
        served: terms.served,
        tier: terms.tier,
        now: client.now(),
        who: terms.who,
        note: terms.note,
    })
}

fn is_current(rollout: &Rollout, set: &Recorded) -> bool {
    map::replica_set(&set.object).is_some_and(|Owned { set, .. }| match rollout.argo() {
        Some(argo) => set.hash.is_some() && set.hash == argo.current_hash,
        None => Some(set.revision) == rollout.revision,
    })
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

/// The `ConfigMap`s and Secrets that the template names, and when they changed. Best effort: without them the plan says in
/// general what a roll back does not take back.
async fn changed_configuration(
    client: &Client,
    id: &ReleaseId,
    template: &Value,
) -> Vec<Referenced> {
    match read::configuration(client, &id.namespace, template).await {
        Ok(found) => found,
        Err(error) => {
            tracing::info!(%id, error = %error.sentence(), "configuration could not be looked at");
            Vec::new()
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

/// A request of a plan as it goes out: with the version of the read that was checked last as its precondition.
pub fn request(plan: &Plan, sending: &Sending, version: &ResourceVersion) -> Request {
    let request = Request {
        method: sending.method,
        path: sending.path.clone(),
        content_type: sending.content_type,
        body: sending.body.clone(),
    };
    let precondition = sending.holder_version.as_ref().unwrap_or(version);
    request.with_precondition(precondition, &plan.target.uid)
}

/// What an error says of a request that was to change something.
pub fn answer(error: &Error) -> Answer {
    match (error, error.fate()) {
        (Error::Conflict(_), _) => Answer::Conflict,
        (_, Fate::NotSent) => Answer::NotSent(error.sentence()),
        (_, Fate::Refused) => Answer::Rejected {
            status: status_of(error),
            message: error.sentence(),
        },
        (_, Fate::Unknown) => Answer::Lost(error.sentence()),
    }
}

/// Sends one request of a plan, once, with its precondition.
pub async fn send(
    client: &Client,
    plan: &Plan,
    sending: &Sending,
    version: &ResourceVersion,
) -> Answer {
    let request = request(plan, sending, version);
    let body = Bytes::from(request.body.to_string());
    match client
        .patch(&ApiPath::encoded(&request.path), request.content_type, body)
        .await
    {
        Ok(bytes) => applied(client, plan, sending, &bytes).await,
        Err(error) => answer(&error),
    }
}

async fn applied(client: &Client, plan: &Plan, sending: &Sending, bytes: &[u8]) -> Answer {
    let Ok(id) = release_of(&plan.intent) else {
        return Answer::Taken;
    };
    // The answer to a patch of another object says nothing about the target.
    let answered = match sending.holder_version {
        None => decode(id, bytes, Beside::default()),
        Some(_) => read::rollout(client, id).await,
    };
    match answered {
        Ok(rollout) => Answer::Applied(Arc::new(rollout).into()),
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

/// Leaves the note of a plan on its object as a Kubernetes Event, so that two people at one object see each other.
pub async fn note(client: &Client, plan: &Plan, words: &str) -> Result<(), Error> {
    let Some(id) = plan.intent.target.release() else {
        return Ok(());
    };
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
    let sets = read::recorded(client, id, &rollout.uid).await?;
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
