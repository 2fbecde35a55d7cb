//! Sending one write, once, and what became of it. Never repeats, never decides, and never calls success what was only
//! accepted: that is seen in a later read.

use bytes::Bytes;
use http::Method;

use super::requests::JSON;
use crate::{
    model::text::{Safe, sanitise},
    providers::http::{Fate, Server, Trouble, Why},
};

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Accepted (2xx), which is not yet done.
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
    match server.send_once(method, path, JSON, body).await {
        Ok(reply) => Sent::Taken {
            status: reply.status,
        },
        Err(trouble) => sorted(&trouble),
    }
}

fn sorted(trouble: &Trouble) -> Sent {
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
