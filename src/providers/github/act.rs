//! Sending one write, once, and what became of it. Never repeats, never decides, and never calls success what was only
//! accepted: that is seen in a later read.

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use super::requests::JSON;
use crate::{
    model::text::{Safe, sanitise},
    providers::http::{Fate, Reply, Server, Trouble, Why},
};

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Accepted, in the form that is documented; which is not yet done.
    Taken { status: u16 },
    /// The run is in another state by now (409).
    Conflict { why: Safe },
    /// Refused for another reason.
    Rejected { status: u16, why: Safe },
    /// It never left.
    NotSent { why: Safe },
    /// It may have been applied: look, and never send it again.
    Lost { why: Safe },
}

pub async fn send(server: &Server, method: Method, path: &str, body: Bytes) -> Sent {
    let answered = server.send_once(method, path, JSON, body).await;
    sorted(path, &answered)
}

/// What the answer to a write to `path` means.
pub fn sorted(path: &str, answered: &Result<Reply, Trouble>) -> Sent {
    match answered {
        Ok(reply) if is_what_is_promised(path, reply) => Sent::Taken {
            status: reply.status,
        },
        // A login page or a proxy answers 200 as well.
        Ok(reply) => Sent::Lost {
            why: reply
                .malformed(&format!(
                    "it is none that this API promises ({}), so whether it was done is not known",
                    reply.status
                ))
                .sentence(),
        },
        Err(trouble) => refused(trouble),
    }
}

/// The status and the form that the vendor documents: a review brings the deployments that it released, the others
/// nothing or an empty object.
fn is_what_is_promised(path: &str, reply: &Reply) -> bool {
    let is_empty = || match reply.body.trim_ascii() {
        b"" => true,
        _ => matches!(reply.json(), Ok(Value::Object(_) | Value::Null)),
    };
    match (path.rsplit('/').next(), reply.status) {
        (Some("pending_deployments"), 200) => matches!(reply.json(), Ok(Value::Array(_))),
        (Some("rerun" | "rerun-failed-jobs"), 201) | (Some("cancel" | "force-cancel"), 202) => {
            is_empty()
        }
        _ => false,
    }
}

fn refused(trouble: &Trouble) -> Sent {
    let why = trouble.sentence();
    match (trouble.why(), trouble.fate()) {
        (Why::Conflict(_), _) => Sent::Conflict { why },
        // GitHub answers a write under an old name with the new place and does nothing itself. It is another name than
        // the one that was confirmed, so a human has to see it first.
        (
            Why::Redirected {
                status: status @ (301 | 307 | 308),
                ..
            },
            _,
        ) => Sent::Rejected {
            status: *status,
            why: sanitise(
                "the repository has another name by now, and nothing was changed: put its new name into the configuration",
            ),
        },
        (_, Fate::CertainlyNotSent) => Sent::NotSent { why },
        (_, Fate::Refused) => Sent::Rejected {
            status: trouble.status().unwrap_or(0),
            why,
        },
        (_, Fate::PerhapsSent) => Sent::Lost { why },
    }
}
