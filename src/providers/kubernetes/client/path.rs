//! Paths of the API, percent-encoded. A name from outside can never add a segment, a query or a host.

use std::fmt::{self, Write as _};

/// A path with its query, `/apis/apps/v1/namespaces/shop/deployments?limit=500`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiPath {
    text: String,
    has_query: bool,
}

impl ApiPath {
    /// Each segment is encoded by itself: a `/` in a name stays inside of its segment.
    pub fn new(segments: &[&str]) -> Self {
        let mut text = String::with_capacity(64);
        for segment in segments {
            text.push('/');
            encode(&mut text, segment);
        }
        Self {
            text,
            has_query: false,
        }
    }

    /// A path that is already encoded, as a plan holds it.
    pub fn encoded(path: &str) -> Self {
        Self {
            has_query: path.contains('?'),
            text: path.to_owned(),
        }
    }

    #[must_use]
    pub fn query(mut self, key: &str, value: &str) -> Self {
        self.text.push(if self.has_query { '&' } else { '?' });
        self.has_query = true;
        encode(&mut self.text, key);
        self.text.push('=');
        encode(&mut self.text, value);
        self
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for ApiPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn encode(into: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
    // "." and ".." are steps in a path, not names, for every proxy that normalises.
    if text == "." || text == ".." {
        let dots = text.len();
        into.truncate(into.len().saturating_sub(dots));
        into.push_str(&"%2E".repeat(dots));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_segment_or_add_a_query() {
        let path = ApiPath::new(&["api", "v1", "namespaces", "a/../b?x=1#y", "pods"]);
        assert_eq!(
            path.as_str(),
            "/api/v1/namespaces/a%2F..%2Fb%3Fx%3D1%23y/pods"
        );
        assert_eq!(ApiPath::new(&["a", "..", "."]).as_str(), "/a/%2E%2E/%2E");
    }

    #[test]
    fn query_values_are_encoded_and_joined() {
        let path = ApiPath::new(&["api"])
            .query("labelSelector", "app=x,tier!=y")
            .query("limit", "500");
        assert_eq!(
            path.as_str(),
            "/api?labelSelector=app%3Dx%2Ctier%21%3Dy&limit=500"
        );
        assert_eq!(
            ApiPath::encoded("/api?dryRun=All").query("a", "é").as_str(),
            "/api?dryRun=All&a=%C3%A9"
        );
    }
}
