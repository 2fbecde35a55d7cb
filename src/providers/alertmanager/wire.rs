//! The JSON of API v2, for the fields that are read. Everything that can be missing may be.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Alert {
    #[serde(deserialize_with = "or_default")]
    pub labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    pub annotations: BTreeMap<String, String>,
    pub fingerprint: String,
    #[serde(deserialize_with = "or_default")]
    pub starts_at: String,
    #[serde(rename = "generatorURL", deserialize_with = "or_default")]
    pub generator_url: String,
    #[serde(deserialize_with = "or_default")]
    pub receivers: Vec<Receiver>,
    #[serde(deserialize_with = "or_default")]
    pub status: AlertStatus,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Receiver {
    pub name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AlertStatus {
    pub state: String,
    #[serde(deserialize_with = "or_default")]
    pub silenced_by: Vec<String>,
    /// Fingerprints.
    #[serde(deserialize_with = "or_default")]
    pub inhibited_by: Vec<String>,
    /// Names of time intervals. Not in old versions; and in newer ones not in `/alerts`, whatever is promised.
    #[serde(deserialize_with = "or_default")]
    pub muted_by: Vec<String>,
}

/// Alerts of one route: the same alert is in one group for each receiver.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Group {
    #[serde(deserialize_with = "or_default")]
    pub receiver: Receiver,
    #[serde(deserialize_with = "or_default")]
    pub alerts: Vec<Alert>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Silence {
    pub id: String,
    #[serde(deserialize_with = "or_default")]
    pub status: SilenceStatus,
    #[serde(deserialize_with = "or_default")]
    pub matchers: Vec<Matcher>,
    #[serde(deserialize_with = "or_default")]
    pub starts_at: String,
    #[serde(deserialize_with = "or_default")]
    pub ends_at: String,
    #[serde(deserialize_with = "or_default")]
    pub created_by: String,
    #[serde(deserialize_with = "or_default")]
    pub comment: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct SilenceStatus {
    pub state: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Matcher {
    pub name: String,
    pub value: String,
    #[serde(default)]
    pub is_regex: bool,
    /// Not there before 0.22, when there was only this.
    #[serde(default = "yes")]
    pub is_equal: bool,
}

const fn yes() -> bool {
    true
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Status {
    #[serde(deserialize_with = "or_default")]
    pub cluster: Cluster,
    #[serde(deserialize_with = "or_default")]
    pub version_info: VersionInfo,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Cluster {
    #[serde(deserialize_with = "or_default")]
    pub status: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct VersionInfo {
    #[serde(deserialize_with = "or_default")]
    pub version: String,
}

/// The answer to a silence that was taken.
#[derive(Clone, Debug, Deserialize)]
pub struct Posted {
    /// Grafana's own name for it is `id`.
    #[serde(rename = "silenceID", alias = "id")]
    pub silence_id: String,
}

/// A list, and how many of it cannot be read: one strange alert does not hide the others.
#[derive(Clone, Debug, PartialEq)]
pub struct List<T> {
    pub items: Vec<T>,
    pub unreadable: usize,
}

impl<T: DeserializeOwned> List<T> {
    pub fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        let raw: Vec<&RawValue> = serde_json::from_slice(body)?;
        let mut list = Self {
            items: Vec::with_capacity(raw.len()),
            unreadable: 0,
        };
        for item in raw {
            match serde_json::from_str(item.get()) {
                Ok(item) => list.items.push(item),
                Err(_) => list.unreadable += 1,
            }
        }
        Ok(list)
    }
}

/// `null` is what is not there.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alert_that_cannot_be_read_does_not_hide_the_others() {
        let body =
            br#"[{"fingerprint":"a"},{"fingerprint":7},"what",{"fingerprint":"b","labels":null}]"#;
        let list: List<Alert> = List::read(body).unwrap();
        assert_eq!(list.items.len(), 2);
        assert_eq!(list.unreadable, 2);
        assert!(List::<Alert>::read(br#"{"status":"deprecated"}"#).is_err());
    }

    #[test]
    fn a_matcher_of_an_old_server_means_equal() {
        let matcher: Matcher =
            serde_json::from_str(r#"{"name":"a","value":"b","isRegex":false}"#).unwrap();
        assert!(matcher.is_equal);
    }
}
