//! A complete answer, and reading it: JSON within a depth, never a login page taken for data.

use bytes::Bytes;
use http::{HeaderMap, header};
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{
    answer,
    trouble::{Trouble, Why},
};
use crate::model::text::{Safe, sanitise};

/// How deep a document may be nested. Nothing that is read here is deeper than ten.
pub const DEPTH: usize = 64;

/// An answer with a status of success.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The server said that it is still the same (304); the rest is what was kept.
    pub unchanged: bool,
    /// When it came: the age of what it says counts from here, also where it is unchanged.
    pub at: Timestamp,
    pub(super) server: Safe,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        answer::text(&self.headers, name)
    }

    /// The target of a pagination link, to be followed verbatim.
    pub fn link(&self, relation: &str) -> Option<String> {
        answer::link(&self.headers, relation)
    }

    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Trouble> {
        json(self)
    }

    /// An answer that is not what was asked for.
    pub fn malformed(&self, why: &str) -> Trouble {
        Trouble::malformed(&self.server, why)
    }
}

/// Reads JSON. The depth is looked at before anything is built from it.
pub fn json<T: DeserializeOwned>(reply: &Reply) -> Result<T, Trouble> {
    let said = reply.header(header::CONTENT_TYPE.as_str()).unwrap_or("");
    if said.to_ascii_lowercase().contains("html") || answer::is_markup(&reply.body) {
        return Err(reply.malformed(
            "this is not the API: it answered HTML (a login page or a proxy?); check the address",
        ));
    }
    if is_deeper_than(&reply.body, DEPTH) {
        return Err(reply.malformed(&format!("it is nested deeper than {DEPTH}")));
    }
    serde_json::from_slice(&reply.body).map_err(|error| {
        Trouble::new(
            &reply.server,
            Why::Malformed {
                why: sanitise(&format!("it is not the JSON expected: {error}")),
            },
        )
    })
}

fn is_deeper_than(text: &[u8], limit: usize) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for byte in text {
        match (quoted, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => quoted = !quoted,
            (false, b'{' | b'[') => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}
