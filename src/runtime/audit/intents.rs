//! Intents that were begun and whose end nobody wrote down: the program was killed, or the machine was.

use std::{collections::BTreeMap, path::Path};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Entry, Error, read};

/// An intent without an outcome. Whether its requests had an effect is not known, and must be read from the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIntent {
    pub id: String,
    pub at: Timestamp,
    pub verb: String,
    /// The id of the release, as recorded.
    pub target: String,
    /// How many requests may have left: their records were written.
    pub sent: usize,
    /// The title of its plan, and where: `Back out checkout in prod-eu`.
    pub words: String,
}

/// Those of a log and its second place, oldest first. What a windlass beside this one is doing right now is not among them:
/// it will write down the outcome itself, and two outcomes of one intent would contradict each other.
pub fn open_intents(dir: &Path) -> Result<Vec<OpenIntent>, Error> {
    let mut open = open_among(&read(dir)?);
    open.retain(|intent| !session_process(&intent.id).is_some_and(runs_beside_us));
    Ok(open)
}

/// The process of an intent's session: ids are `TIME-PROCESS-NUMBER`. One that is written otherwise has none.
fn session_process(intent: &str) -> Option<u32> {
    let mut parts = intent.rsplitn(3, '-');
    let (_number, process) = (parts.next()?, parts.next()?);
    process.parse().ok()
}

/// Whether another windlass lives under that number. Where the system does not tell, nobody does: an intent that is shown
/// in vain is better than one that is not.
fn runs_beside_us(process: u32) -> bool {
    process != std::process::id()
        && std::fs::read_to_string(format!("/proc/{process}/comm"))
            .is_ok_and(|name| name.trim_end() == env!("CARGO_PKG_NAME"))
}

pub(super) fn open_among(entries: &[Entry]) -> Vec<OpenIntent> {
    let mut of_intent: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
    for entry in entries {
        let (sent, ended) = of_intent.entry(&entry.intent).or_default();
        *sent += usize::from(entry.kind == "sending");
        *ended |= entry.kind == "outcome";
    }
    // Taken from the map when it is listed: an intent whose record was written twice, to the failing disk and to the
    // second place, is one intent.
    let begun = entries.iter().filter(|entry| entry.kind == "intent");
    begun
        .filter_map(|entry| match of_intent.remove(entry.intent.as_str())? {
            (sent, false) => Some(open(entry, sent)),
            (_, true) => None,
        })
        .collect()
}

fn open(entry: &Entry, sent: usize) -> OpenIntent {
    let title = text(field(&entry.body, "plan", "title"));
    // One log is kept for every environment, and the same service is in several of them.
    let words = match text(field(&entry.body, "target", "env")).as_str() {
        "" => title,
        environment => format!("{title} in {environment}"),
    };
    OpenIntent {
        id: entry.intent.clone(),
        at: entry.at,
        verb: text(entry.body.get("verb")),
        target: text(field(&entry.body, "target", "id")),
        sent,
        words,
    }
}

pub(super) fn field<'a>(
    body: &'a Map<String, Value>,
    object: &str,
    name: &str,
) -> Option<&'a Value> {
    body.get(object)?.get(name)
}

/// A string as it is, nothing as nothing, and everything else as its JSON.
pub(super) fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_of_an_intent_is_in_its_id() {
        assert_eq!(session_process("20261127T123907-28751-1"), Some(28_751));
        assert_eq!(session_process("an-intent-1"), None);
        assert_eq!(session_process("i1"), None);
        assert!(
            !runs_beside_us(std::process::id()),
            "what is ours and open was left by us"
        );
        assert!(!runs_beside_us(1), "another program is no windlass");
    }
}
