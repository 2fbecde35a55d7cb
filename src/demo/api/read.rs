//! One object, or one part of it.

use std::sync::Arc;

use axum::body::Bytes;
use serde_json::Value;

use super::route::Part;
use super::{Answer, Api, Asked, Shape, log_lines};
use crate::demo::answer::Refusal;
use crate::demo::store::Key;
use crate::demo::write;

pub(super) fn item(
    api: &Arc<Api>,
    asked: &Asked,
    key: &Key,
    part: Part,
) -> Result<Answer, Refusal> {
    let object = api.cluster().store.get(key);
    let facts = key.kind.facts();
    let served = match part {
        Part::Whole | Part::Log => true,
        Part::Status => facts.status,
        Part::Scale => facts.scale,
    };
    let object = object
        .filter(|_| served)
        .ok_or_else(|| Refusal::not_found(key.kind, &key.name))?;
    match part {
        Part::Whole | Part::Status => {
            let mut body = Vec::new();
            Shape::of(asked).write(&object, &mut body);
            Ok(Answer::Raw {
                status: 200,
                kind: "application/json",
                body: Bytes::from(body),
            })
        }
        Part::Scale => Ok(Answer::Json(200, Value::clone(&write::scale(&object)))),
        Part::Log => log_lines::log(api, asked, &object),
    }
}
