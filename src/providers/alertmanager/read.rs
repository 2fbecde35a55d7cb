//! Asking an Alertmanager, and telling it to silence or to end a silence. What is sent is sent once, whatever becomes of
//! it.

use std::time::Duration;

use bytes::Bytes;
use futures::join;
use http::Method;

use super::{
    map::{self, Answers},
    requests::{self, Sent, SilenceDraft},
    wire::{self, List},
};
use crate::{
    model::{
        id::{EnvironmentName, SourceId},
        incident::{IncidentFacts, SilenceId},
        text::{Safe, sanitise},
    },
    providers::http::{Fate, JSON, Limits, Reply, Server, Trouble},
};

/// One server, as one source of one environment.
#[derive(Clone, Debug)]
pub struct Alertmanager {
    pub source: SourceId,
    pub environment: EnvironmentName,
    http: Server,
}

/// What requests to such a server may cost, for whoever makes its [`Server`]. There are no pages: a large installation
/// answers megabytes.
pub fn limits() -> Limits {
    Limits {
        header: Duration::from_secs(12),
        total: Duration::from_secs(20),
        body: 32 << 20,
        kept_bytes: 0,
        kept_entries: 0,
        ..Limits::default()
    }
}

/// What a server says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// `Alertmanager 0.27.0`; `None`: it does not say (Grafana).
    pub words: Option<Safe>,
    cluster: String,
}

impl Alertmanager {
    pub fn new(source: SourceId, environment: EnvironmentName, http: Server) -> Self {
        Self {
            source,
            environment,
            http,
        }
    }

    pub const fn http(&self) -> &Server {
        &self.http
    }

    /// Not every server of this API has it, so that it cannot be asked says nothing.
    pub(super) async fn meet(&self) -> Known {
        let Ok(reply) = self.http.get("/api/v2/status", JSON).await else {
            return Known::default();
        };
        let status: wire::Status = reply.json().unwrap_or_default();
        let version = status.version_info.version;
        Known {
            words: (!version.is_empty()).then(|| sanitise(&format!("Alertmanager {version}"))),
            cluster: status.cluster.status,
        }
    }

    /// Everything that it says now. Only the alerts themselves are needed; what else is missing is warned of.
    pub(super) async fn read(&self, known: &Known) -> Result<IncidentFacts, Trouble> {
        let (alerts, groups, silences) = join!(
            self.list::<wire::Alert>("/api/v2/alerts"),
            self.list::<wire::Group>("/api/v2/alerts/groups"),
            self.list::<wire::Silence>("/api/v2/silences"),
        );
        let answers = Answers {
            alerts: alerts?,
            groups: groups.map_err(|trouble| trouble.sentence()),
            silences: silences.map_err(|trouble| trouble.sentence()),
            cluster: known.cluster.clone(),
        };
        Ok(map::incidents(&self.environment, &answers, self.http.now()))
    }

    async fn list<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<List<T>, Trouble> {
        let reply = self.http.get(path, JSON).await?;
        list(&reply)
    }
}

fn list<T: serde::de::DeserializeOwned>(reply: &Reply) -> Result<List<T>, Trouble> {
    // Looks at the depth, and tells a login page from a broken answer.
    reply.json::<serde::de::IgnoredAny>()?;
    List::read(&reply.body).map_err(|error| {
        reply.malformed(&format!(
            "it is not a list of the Alertmanager API: {error}"
        ))
    })
}

/// A fresh read, before something is silenced and to see whether it was. A human waits for it.
pub async fn silences_and_alerts(server: &Alertmanager) -> Result<IncidentFacts, Trouble> {
    let urgent = Alertmanager {
        http: server.http.urgent(),
        ..server.clone()
    };
    urgent.read(&Known::default()).await
}

/// Makes a silence. The same one sent twice makes two, so it is never sent again.
pub async fn silence(server: &Alertmanager, draft: &SilenceDraft) -> Sent {
    let body = match requests::body(draft) {
        Ok(body) => body.to_string(),
        Err(wrong) => return Sent::NotSent(wrong),
    };
    let answered = server
        .http
        .send_once(Method::POST, requests::POST, JSON, body.into())
        .await;
    sorted(&answered, None)
}

/// Ends a silence. One that has ended already is ended.
pub async fn expire(server: &Alertmanager, id: &SilenceId) -> Sent {
    let Some(path) = requests::path(id) else {
        return Sent::NotSent("this is no name of a silence".into());
    };
    let answered = server
        .http
        .send_once(Method::DELETE, &path, JSON, Bytes::new())
        .await;
    sorted(&answered, Some(id))
}

/// What the answer to a new silence means, or to the end of this one.
pub fn sorted(answered: &Result<Reply, Trouble>, ended: Option<&SilenceId>) -> Sent {
    let read = |status: u16, body: &[u8]| match ended {
        Some(id) => requests::expired(status, body, id),
        None => requests::posted(status, body),
    };
    match answered {
        Ok(reply) => read(reply.status, &reply.body),
        Err(trouble) => refused(trouble, read),
    }
}

/// What the server itself said is read as it is; else what is known of the way.
fn refused(trouble: &Trouble, read: impl FnOnce(u16, &[u8]) -> Sent) -> Sent {
    match (trouble.said(), trouble.fate()) {
        (Some(said), _) => read(said.status, &said.body),
        (None, Fate::CertainlyNotSent) => Sent::NotSent(trouble.sentence()),
        (None, Fate::Refused) => Sent::Rejected(trouble.sentence()),
        (None, Fate::PerhapsSent) => Sent::Lost(trouble.sentence()),
    }
}
