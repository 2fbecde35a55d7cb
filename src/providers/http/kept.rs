//! Answers kept for conditional requests, per URL and form, of one credential, within bounds of bytes and entries. A
//! validator goes back byte for byte, weak ones too.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};

#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Kept {
    pub(super) fn etag(&self) -> Option<&HeaderValue> {
        self.headers.get(header::ETAG)
    }

    pub(super) fn modified(&self) -> Option<&HeaderValue> {
        self.headers.get(header::LAST_MODIFIED)
    }
}

#[derive(Debug)]
pub(super) struct Store {
    entries: BTreeMap<(String, String), (u64, Kept)>,
    bytes: usize,
    most_bytes: usize,
    most_entries: usize,
    clock: u64,
    /// Whose answers these are: an answer to one token is no answer to another (`Vary: Authorization`).
    credential: u64,
}

impl Store {
    pub(super) const fn new(most_bytes: usize, most_entries: usize) -> Self {
        Self {
            entries: BTreeMap::new(),
            bytes: 0,
            most_bytes,
            most_entries,
            clock: 0,
            credential: 0,
        }
    }

    pub(super) fn find(&mut self, credential: u64, url: &str, accept: &str) -> Option<Kept> {
        self.of(credential);
        self.clock += 1;
        let entry = self.entries.get_mut(&(url.to_owned(), accept.to_owned()))?;
        entry.0 = self.clock;
        Some(entry.1.clone())
    }

    pub(super) fn keep(&mut self, credential: u64, url: &str, accept: &str, kept: Kept) {
        self.of(credential);
        let key = (url.to_owned(), accept.to_owned());
        self.drop_entry(&key);
        let size = size(&key, &kept);
        // One huge answer must not throw out all the others.
        if (kept.etag().is_none() && kept.modified().is_none()) || size > self.most_bytes / 4 {
            return;
        }
        while self.bytes + size > self.most_bytes || self.entries.len() >= self.most_entries {
            let oldest = self.entries.iter().min_by_key(|(_, (used, _))| *used);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            self.drop_entry(&oldest);
        }
        self.clock += 1;
        self.bytes += size;
        self.entries.insert(key, (self.clock, kept));
    }

    fn of(&mut self, credential: u64) {
        if self.credential != credential {
            self.entries.clear();
            self.bytes = 0;
            self.credential = credential;
        }
    }

    fn drop_entry(&mut self, key: &(String, String)) {
        if let Some((_, kept)) = self.entries.remove(key) {
            self.bytes = self.bytes.saturating_sub(size(key, &kept));
        }
    }
}

/// With something for the headers, which are not counted one by one.
fn size(key: &(String, String), kept: &Kept) -> usize {
    key.0.len() + key.1.len() + kept.body.len() + 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(body: usize) -> Kept {
        let mut headers = HeaderMap::new();
        headers.insert(header::ETAG, HeaderValue::from_static("W/\"a\""));
        Kept {
            status: 200,
            headers,
            body: vec![0; body].into(),
        }
    }

    #[test]
    fn the_one_unused_for_longest_goes_first() {
        let mut store = Store::new(1 << 20, 2);
        store.keep(1, "/a", "json", kept(10));
        store.keep(1, "/b", "json", kept(10));
        assert!(store.find(1, "/a", "json").is_some());
        store.keep(1, "/c", "json", kept(10));
        assert!(store.find(1, "/b", "json").is_none());
        assert!(store.find(1, "/a", "json").is_some());
        assert!(store.find(1, "/a", "text").is_none());
    }

    #[test]
    fn the_bytes_have_a_bound_and_one_answer_never_takes_them_all() {
        let mut store = Store::new(100_000, 100);
        for n in 0..20 {
            store.keep(1, &format!("/{n}"), "json", kept(20_000));
        }
        assert!(store.bytes <= 100_000, "{}", store.bytes);
        assert!(store.entries.len() >= 4);
        store.keep(1, "/huge", "json", kept(90_000));
        assert!(store.find(1, "/huge", "json").is_none());
        assert!(store.find(1, "/19", "json").is_some());
    }

    #[test]
    fn what_one_token_was_told_is_not_told_to_another() {
        let mut store = Store::new(100_000, 100);
        store.keep(1, "/a", "json", kept(1));
        assert!(store.find(2, "/a", "json").is_none());
        assert!(store.find(1, "/a", "json").is_none());
    }
}
