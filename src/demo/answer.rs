//! Refusals, as the `Status` object that every Kubernetes error body is.
//!
//! Texts and shapes were taken from a running kube-apiserver 1.35.4. Must never carry a success.

use serde_json::{Value, json};

use super::kind::Kind;

#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) code: u16,
    reason: &'static str,
    pub(super) message: String,
    details: Option<Value>,
    /// Only a continue token that expired comes with a way to go on.
    go_on: Option<String>,
}

impl Refusal {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: None,
            go_on: None,
        }
    }

    fn about(mut self, kind: Kind, name: &str) -> Self {
        let facts = kind.facts();
        let mut details = json!({"name": name, "kind": facts.plural});
        if !facts.group.is_empty() {
            super::json::set(&mut details, &["group"], facts.group);
        }
        self.details = Some(details);
        self
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(super) fn not_found(kind: Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", kind.qualified());
        Self::new(404, "NotFound", message).about(kind, name)
    }

    pub(super) fn conflict(kind: Kind, name: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": the object has been modified; please apply your changes \
             to the latest version and try again",
            kind.qualified()
        );
        Self::new(409, "Conflict", message).about(kind, name)
    }

    pub(super) fn already_exists(kind: Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", kind.qualified());
        Self::new(409, "AlreadyExists", message).about(kind, name)
    }

    pub(super) fn forbidden(kind: Kind, namespace: &str, name: &str, subresource: &str) -> Self {
        let facts = kind.facts();
        let resource = match subresource {
            "" => facts.plural.to_owned(),
            sub => format!("{}/{sub}", facts.plural),
        };
        let message = format!(
            "{} \"{name}\" is forbidden: User \"{}\" cannot patch resource \"{resource}\" in API group \"{}\" in the \
             namespace \"{namespace}\"",
            kind.qualified(),
            super::USER,
            facts.group
        );
        Self::new(403, "Forbidden", message).about(kind, name)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// Any JSON patch that cannot be applied, a failed `test` included: the server does not say which.
    pub(super) fn unprocessable_patch() -> Self {
        let message = "the server rejected our request due to an error in our request";
        let mut refusal = Self::new(422, "Invalid", message);
        refusal.details = Some(json!({}));
        refusal
    }

    pub(super) fn immutable(kind: Kind, name: &str, field: &str, wrong: &str) -> Self {
        let facts = kind.facts();
        let full = match facts.group {
            "" => facts.kind.to_owned(),
            group => format!("{}.{group}", facts.kind),
        };
        let why = format!("Invalid value: \"{wrong}\": field is immutable");
        let message = format!("{full} \"{name}\" is invalid: {field}: {why}");
        let mut refusal = Self::new(422, "Invalid", message);
        refusal.details = Some(
            json!({"name": name, "group": facts.group, "kind": facts.kind,
            "causes": [{"reason": "FieldValueInvalid", "message": why, "field": field}]}),
        );
        refusal
    }

    pub(super) fn invalid_options(options: &str, field: &str, reason: &str, why: &str) -> Self {
        let message = format!("{options}.meta.k8s.io \"\" is invalid: {field}: {why}");
        let mut refusal = Self::new(422, "Invalid", message);
        refusal.details = Some(json!({"group": "meta.k8s.io", "kind": options,
            "causes": [{"reason": reason, "message": why, "field": field}]}));
        refusal
    }

    pub(super) fn unsupported_media_type(accepted: &str) -> Self {
        Self::new(
            415,
            "UnsupportedMediaType",
            format!(
                "the body of the request was in an unknown format - accepted media types include: {accepted}"
            ),
        )
    }

    pub(super) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        let mut refusal = Self::new(405, "MethodNotAllowed", message);
        refusal.details = Some(json!({}));
        refusal
    }

    pub(super) fn too_large() -> Self {
        Self::new(
            413,
            "RequestEntityTooLarge",
            "Request entity too large: limit is 3145728",
        )
    }

    pub(super) fn compacted(asked: u64, oldest: u64) -> Self {
        Self::new(
            410,
            "Expired",
            format!("too old resource version: {asked} ({oldest})"),
        )
    }

    pub(super) fn continue_expired(fresh: String) -> Self {
        let message = "The provided continue parameter is too old to display a consistent list result. You can start \
                       a new list without the continue parameter, or use the continue token in this response to \
                       retrieve the remainder of the results.";
        let mut refusal = Self::new(410, "Expired", message);
        refusal.go_on = Some(fresh);
        refusal
    }

    pub(super) fn version_too_large(asked: u64, current: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let mut refusal = Self::new(504, "Timeout", message);
        refusal.details = Some(json!({"retryAfterSeconds": 1, "causes": [
            {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]}));
        refusal
    }

    pub(super) fn too_many_requests() -> Self {
        let message =
            "the server has received too many requests and has asked us to try again later";
        let mut refusal = Self::new(429, "TooManyRequests", message);
        refusal.details = Some(json!({"retryAfterSeconds": 1}));
        refusal
    }

    pub(super) fn internal() -> Self {
        let message = "Internal error occurred: etcdserver: request timed out";
        let mut refusal = Self::new(500, "InternalError", message);
        refusal.details = Some(json!({"causes": [{"message": "etcdserver: request timed out"}]}));
        refusal
    }

    pub(super) fn unavailable() -> Self {
        Self::new(
            503,
            "ServiceUnavailable",
            "the server is currently unable to handle the request",
        )
    }

    pub(super) fn retry_after(&self) -> Option<i64> {
        let details = self.details.as_ref()?;
        details.get("retryAfterSeconds")?.as_i64()
    }

    pub(super) fn body(&self) -> Value {
        let mut body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code});
        if let Some(details) = &self.details {
            super::json::set(&mut body, &["details"], details.clone());
        }
        if let Some(token) = &self.go_on {
            super::json::set(&mut body, &["metadata", "continue"], token.as_str());
        }
        body
    }
}
