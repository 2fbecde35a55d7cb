//! Requests that change something: patches and creations.
//!
//! Must never write what a sealed namespace or a fault forbids.

use std::sync::Arc;

use serde_json::Value;

use super::route::Part;
use super::{Answer, Api, Asked};
use crate::demo::answer::Refusal;
use crate::demo::fault::What;
use crate::demo::json;
use crate::demo::kind::Kind;
use crate::demo::store::Key;
use crate::demo::write::{self, Format, Subresource};

fn dry_run(asked: &Asked, options: &str) -> Result<bool, Refusal> {
    match asked.parameter("dryRun") {
        "" => Ok(false),
        "All" => Ok(true),
        other => {
            let why = format!("Unsupported value: [\"{other}\"]: supported values: \"All\"");
            Err(Refusal::invalid_options(
                options,
                "dryRun",
                "FieldValueNotSupported",
                &why,
            ))
        }
    }
}

pub(super) fn patch(
    api: &Arc<Api>,
    asked: &Asked,
    key: &Key,
    part: Part,
    struck: &[What],
) -> Result<Answer, Refusal> {
    let subresource = match part {
        Part::Whole => Subresource::None,
        Part::Status => Subresource::Status,
        Part::Scale => Subresource::Scale,
        Part::Log => return Err(Refusal::method_not_allowed()),
    };
    let dry_run = dry_run(asked, "PatchOptions")?;
    let format = match asked.content_type().as_deref() {
        Some("application/merge-patch+json") => Format::Merge,
        Some("application/json-patch+json") => Format::Operations,
        Some("application/strategic-merge-patch+json") => Format::Strategic,
        _ => return Err(Refusal::unsupported_media_type(write::accepted(key.kind))),
    };
    let mut cluster = api.cluster();
    if cluster.sealed.contains(&*key.namespace) || struck.contains(&What::Forbidden) {
        return Err(Refusal::forbidden(
            key.kind,
            &key.namespace,
            &key.name,
            subresource.name(),
        ));
    }
    let body: Value = serde_json::from_slice(&asked.body)
        .map_err(|error| Refusal::bad_request(format!("error decoding patch: {error}")))?;
    if struck.contains(&What::Conflict) {
        let touched = cluster.clock.micro_stamp();
        cluster.edit(key, |value| {
            json::set(
                value,
                &["metadata", "annotations", "demo/touched-at"],
                touched,
            );
        });
    }
    let result = write::patch(&mut cluster, key, subresource, format, &body, dry_run);
    cluster.notice();
    drop(cluster);
    api.wake.notify_one();
    result.map(|value| Answer::Json(200, value))
}

pub(super) fn create(
    api: &Arc<Api>,
    asked: &Asked,
    kind: Kind,
    namespace: Option<&str>,
) -> Result<Answer, Refusal> {
    let dry_run = dry_run(asked, "CreateOptions")?;
    if kind.facts().namespaced && namespace.is_none() {
        return Err(Refusal::method_not_allowed());
    }
    let body = asked
        .json()
        .ok_or_else(|| Refusal::bad_request("the request body is not JSON"))?;
    let mut cluster = api.cluster();
    if cluster.sealed.contains(namespace.unwrap_or_default()) {
        let name = json::text(&body, &["metadata", "name"]).to_owned();
        return Err(Refusal::forbidden(
            kind,
            namespace.unwrap_or_default(),
            &name,
            "",
        ));
    }
    let result = write::create(
        &mut cluster,
        kind,
        namespace.unwrap_or_default(),
        body,
        dry_run,
    );
    cluster.notice();
    drop(cluster);
    api.wake.notify_one();
    result.map(|value| Answer::Json(201, value))
}
