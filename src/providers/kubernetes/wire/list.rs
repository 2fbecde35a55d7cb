//! Lists and watch lines. One object that cannot be read costs that object, never the list it came in.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{Meta, Status, lenient::Lenient, wire};

wire! {
    pub struct ListMeta {
        pub resource_version: String,
        #[serde(rename = "continue")]
        pub continue_token: String,
        pub remaining_item_count: Option<i64>,
    }

    pub struct Identity {
        pub metadata: Meta,
    }
}

/// One page of a list.
#[derive(Clone, Debug)]
pub struct List<T> {
    pub metadata: ListMeta,
    pub items: Vec<T>,
    /// Items that are not what they should be. Whoever shows the list says so.
    pub malformed: Vec<Malformed>,
}

/// An object that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Empty where not even this could be read.
    pub namespace: String,
    pub name: String,
    pub error: String,
}

/// One line of a watch.
#[derive(Clone, Debug)]
pub enum Watch<T> {
    Added(T),
    Modified(T),
    Deleted(T),
    /// Only a version; never an object to show. `initial_events_end` closes a streamed list.
    Bookmark {
        resource_version: String,
        initial_events_end: bool,
    },
    /// The watch has ended: `410` means list again.
    Error(Status),
    /// An object that cannot be read, in a line that can. `deleted` tells whether it is gone anyway.
    Malformed {
        malformed: Malformed,
        deleted: bool,
    },
    /// A type from the future.
    Unknown(String),
}

/// A body that is one object.
pub fn decode<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(bytes)
}

#[derive(Deserialize)]
struct RawList<'a> {
    #[serde(default, deserialize_with = "Lenient::lenient")]
    metadata: ListMeta,
    #[serde(borrow, default, deserialize_with = "raw_items")]
    items: Vec<&'a RawValue>,
}

fn raw_items<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<&'de RawValue>, D::Error> {
    Ok(Option::<Vec<&'de RawValue>>::deserialize(deserializer)?.unwrap_or_default())
}

/// Decodes a page. The items are found first and read one by one: a page of 500 must not fail for one of them.
pub fn decode_list<T: for<'de> Deserialize<'de>>(
    bytes: &[u8],
) -> Result<List<T>, serde_json::Error> {
    let raw: RawList<'_> = serde_json::from_slice(bytes)?;
    let mut list = List {
        metadata: raw.metadata,
        items: Vec::with_capacity(raw.items.len()),
        malformed: Vec::new(),
    };
    for item in raw.items {
        if item.get() == "null" {
            continue;
        }
        match serde_json::from_str(item.get()) {
            Ok(object) => list.items.push(object),
            Err(error) => list.malformed.push(malformed(item, &error)),
        }
    }
    Ok(list)
}

fn malformed(object: &RawValue, error: &serde_json::Error) -> Malformed {
    let identity = serde_json::from_str::<Identity>(object.get()).unwrap_or_default();
    Malformed {
        namespace: identity.metadata.namespace,
        name: identity.metadata.name,
        error: error.to_string(),
    }
}

#[derive(Deserialize)]
struct RawLine<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// Decodes one line of a watch. An error means that the line itself is broken, and with it the stream.
pub fn decode_watch_line<T: for<'de> Deserialize<'de>>(
    line: &[u8],
) -> Result<Watch<T>, serde_json::Error> {
    let raw: RawLine<'_> = serde_json::from_slice(line)?;
    let wrap = match raw.kind.as_str() {
        "ADDED" => Watch::Added,
        "MODIFIED" => Watch::Modified,
        "DELETED" => Watch::Deleted,
        "BOOKMARK" => {
            let Identity { metadata } = serde_json::from_str(raw.object.get())?;
            return Ok(Watch::Bookmark {
                resource_version: metadata.resource_version,
                initial_events_end: metadata.annotations.initial_events_end.as_deref()
                    == Some("true"),
            });
        }
        "ERROR" => return serde_json::from_str(raw.object.get()).map(Watch::Error),
        _ => return Ok(Watch::Unknown(raw.kind)),
    };
    Ok(match serde_json::from_str(raw.object.get()) {
        Ok(object) => wrap(object),
        Err(error) => Watch::Malformed {
            malformed: malformed(raw.object, &error),
            deleted: raw.kind == "DELETED",
        },
    })
}
