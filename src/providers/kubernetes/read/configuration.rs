//! Configuration that a template names and a roll back does not take back: `ConfigMap`s and Secrets, and when they were
//! changed. Only their metadata is asked for; no value of a Secret ever comes near this program.

use std::collections::BTreeSet;

use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::Value;

use super::writer::last_write;
use crate::{
    model::{
        id::Namespace,
        text::{Safe, sanitise},
    },
    providers::kubernetes::{
        client::{ApiPath, Client},
        error::Error,
    },
};

/// A template that names more of them is not looked through to its end.
const MOST: usize = 24;
const AT_ONCE: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReferencedKind {
    ConfigMap,
    Secret,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referenced {
    pub kind: ReferencedKind,
    pub name: Safe,
    pub changed: Option<Timestamp>,
}

/// What the template names and is there and may be seen, by name. One that is not there, and a Secret that may not be
/// seen, is left out: the latter is the usual case and no news.
pub async fn configuration(
    client: &Client,
    namespace: &Namespace,
    template: &Value,
) -> Result<Vec<Referenced>, Error> {
    let names: Vec<_> = referenced(template).into_iter().take(MOST).collect();
    let reads = stream::iter(names).map(|(kind, name)| async move {
        let plural = match kind {
            ReferencedKind::ConfigMap => "configmaps",
            ReferencedKind::Secret => "secrets",
        };
        let segments = ["api", "v1", "namespaces", namespace.as_str(), plural, &name];
        match client.get_metadata(&ApiPath::new(&segments)).await {
            Ok(object) => Ok(Some(Referenced {
                kind,
                name: sanitise(&name),
                changed: last_write(&object),
            })),
            Err(Error::NotFound(_) | Error::Forbidden(_)) => Ok(None),
            Err(error) => Err(error),
        }
    });
    let found: Vec<Result<Option<Referenced>, Error>> = reads.buffered(AT_ONCE).collect().await;
    let found: Result<Vec<_>, Error> = found.into_iter().collect();
    Ok(found?.into_iter().flatten().collect())
}

/// Every ConfigMap and Secret that a pod template names: volumes, projected volumes, `envFrom`, `valueFrom`.
fn referenced(template: &Value) -> BTreeSet<(ReferencedKind, String)> {
    let mut names = BTreeSet::new();
    collect(template, &mut names);
    names
}

fn collect(value: &Value, names: &mut BTreeSet<(ReferencedKind, String)>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                let (kind, name) = match key.as_str() {
                    "configMap" | "configMapRef" | "configMapKeyRef" => {
                        (ReferencedKind::ConfigMap, "name")
                    }
                    // A volume says `secretName`, a projected volume and the environment say `name`.
                    "secret" if field.get("secretName").is_some() => {
                        (ReferencedKind::Secret, "secretName")
                    }
                    "secret" | "secretRef" | "secretKeyRef" => (ReferencedKind::Secret, "name"),
                    _ => {
                        collect(field, names);
                        continue;
                    }
                };
                if let Some(name) = field.get(name).and_then(Value::as_str) {
                    names.insert((kind, name.to_owned()));
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_place_of_a_template_that_names_configuration_is_found() {
        let template = json!({"spec": {
            "volumes": [
                {"name": "a", "configMap": {"name": "map-volume"}},
                {"name": "b", "secret": {"secretName": "secret-volume"}},
                {"name": "c", "projected": {"sources": [{"secret": {"name": "projected"}}, {"configMap": {"name": "map-volume"}}]}},
                {"name": "d", "emptyDir": {}},
            ],
            "containers": [{
                "envFrom": [{"configMapRef": {"name": "from"}}, {"secretRef": {"name": "from"}}],
                "env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "key", "key": "k"}}}, {"name": "Y", "value": "configMap"}],
            }],
        }});
        let names: Vec<String> = referenced(&template)
            .into_iter()
            .map(|(kind, name)| format!("{kind:?} {name}"))
            .collect();
        assert_eq!(
            names,
            [
                "ConfigMap from",
                "ConfigMap map-volume",
                "Secret from",
                "Secret key",
                "Secret projected",
                "Secret secret-volume",
            ]
        );
    }
}
