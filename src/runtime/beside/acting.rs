//! What an action on a gate, a run or a silence acts on: the read, the one request, and looking for its effect.

use std::{rc::Rc, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::Host;
use crate::{
    model::{
        id::ResourceVersion,
        pipeline::RunId,
        source::{SourceState, Tier},
        text::sanitise,
    },
    ops::{
        intent::Intent,
        machine::{Answer, ReadTrouble},
        plan::{Plan, Refusal},
        seen::Seen,
        subject::Subject,
    },
    providers::{
        alertmanager::{self, read::Alertmanager},
        github,
        http::Trouble,
    },
    runtime::execute::{Sight, System},
};

/// Between two looks for the effect of an action. A CI host counts every one of them.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The system that an action acts on, for the executor.
#[derive(Clone)]
pub enum Acting {
    Host {
        host: Rc<Host>,
        tier: Tier,
        user: String,
    },
    Alerts {
        server: Rc<Alertmanager>,
        tier: Tier,
        user: String,
        longest: SignedDuration,
    },
}

impl std::fmt::Debug for Acting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Host { .. } => "Acting::Host",
            Self::Alerts { .. } => "Acting::Alerts",
        })
    }
}

/// The run that a plan is about.
fn run_of(target: &Subject) -> Option<&RunId> {
    match target {
        Subject::Gate(subject) => Some(&subject.gate.run),
        Subject::Run(subject) => Some(&subject.run),
        Subject::Release(_) | Subject::Silence(_) | Subject::Expire(_) => None,
    }
}

impl Acting {
    /// Reads afresh and makes the plan.
    pub async fn plan(&self, intent: &Intent) -> Result<Plan, Refusal> {
        let seen = self
            .look(&intent.target)
            .await
            .map_err(|trouble| match trouble {
                ReadTrouble::NotFound => {
                    Refusal::not_found("it is not there, or the token may not see it")
                }
                ReadTrouble::Unreachable(why) => Refusal::unreachable(why.to_string()),
                ReadTrouble::Refused(why) => Refusal::guard(why.to_string()),
            })?;
        match (self, &seen) {
            (Self::Host { host, tier, user }, Seen::Run(read)) => github::plan::plan(
                intent,
                read,
                &github::plan::Terms {
                    tier: *tier,
                    who: host.who(user),
                },
            ),
            (
                Self::Alerts {
                    server,
                    tier,
                    user,
                    longest,
                },
                Seen::Incidents(facts),
            ) => alertmanager::plan::plan(
                intent,
                facts,
                &alertmanager::plan::Terms {
                    tier: *tier,
                    who: user.clone(),
                    // What was read just now told it.
                    ahead: ahead(server.http().ahead_ms()),
                    longest: *longest,
                },
            ),
            _ => Err(Refusal::guard("it is another kind of thing than was meant")),
        }
    }

    async fn look(&self, target: &Subject) -> Result<Seen, ReadTrouble> {
        match self {
            Self::Host { host, .. } => {
                let run = run_of(target).ok_or(ReadTrouble::NotFound)?;
                let server = host.server().await.map_err(ReadTrouble::Refused)?;
                github::read::run_read(&server.urgent(), run)
                    .await
                    .map(|read| Arc::new(read).into())
                    .map_err(|trouble| read_trouble(&trouble))
            }
            Self::Alerts { server, .. } => {
                let facts = alertmanager::read::silences_and_alerts(server)
                    .await
                    .map_err(|trouble| read_trouble(&trouble))?;
                // An action rests on all of it, and so does whoever says that a silence is gone.
                match facts.incomplete() {
                    Some(why) => Err(ReadTrouble::Unreachable(sanitise(&why))),
                    None => Ok(Arc::new(facts).into()),
                }
            }
        }
    }
}

/// A server tells its time in whole seconds, and an answer takes a moment: less than two seconds is no difference.
fn ahead(ms: Option<i64>) -> SignedDuration {
    let ahead = SignedDuration::from_millis(ms.unwrap_or(0));
    if ahead.abs() < SignedDuration::from_secs(2) {
        return SignedDuration::ZERO;
    }
    SignedDuration::from_secs(ahead.as_secs())
}

fn read_trouble(trouble: &Trouble) -> ReadTrouble {
    match trouble.state() {
        SourceState::Forbidden if trouble.status() == Some(404) => ReadTrouble::NotFound,
        SourceState::Unauthorized | SourceState::Forbidden => {
            ReadTrouble::Refused(trouble.sentence())
        }
        _ => ReadTrouble::Unreachable(trouble.sentence()),
    }
}

impl System for Acting {
    async fn read(&self, plan: &Plan) -> Result<Seen, ReadTrouble> {
        self.look(&plan.intent.target).await
    }

    async fn send(
        &self,
        plan: &Plan,
        index: usize,
        _version: ResourceVersion,
        not_after: Timestamp,
    ) -> Answer {
        let Some(sending) = plan.sends.get(index) else {
            return Answer::NotSent(sanitise("the plan has no such request"));
        };
        let server = match self {
            Self::Host { host, .. } => match host.server().await {
                Ok(server) => server.urgent(),
                Err(why) => return Answer::NotSent(why),
            },
            Self::Alerts { server, .. } => server.http().clone(),
        };
        let body = match &sending.body {
            serde_json::Value::Null => bytes::Bytes::new(),
            body => bytes::Bytes::from(body.to_string()),
        };
        let Ok(method) = http::Method::from_bytes(sending.method.as_bytes()) else {
            return Answer::NotSent(sanitise("the plan has no such method"));
        };
        let (path, content_type) = (sending.path.as_str(), sending.content_type);
        let answered = server
            .send_once_by(method, path, content_type, body, not_after)
            .await;
        match self {
            Self::Host { .. } => of_host(github::act::sorted(path, &answered)),
            Self::Alerts { .. } => {
                let ended = match &plan.intent.target {
                    Subject::Expire(subject) => Some(&subject.silence),
                    _ => None,
                };
                let status = answered.as_ref().err().and_then(Trouble::status);
                of_alerts(alertmanager::read::sorted(&answered, ended), status)
            }
        }
    }

    async fn observe(
        &self,
        plan: &Plan,
        _from: Option<ResourceVersion>,
        seen: mpsc::Sender<Sight>,
    ) {
        loop {
            match self.look(&plan.intent.target).await {
                Ok(state) => {
                    if seen.send(Sight::Seen(state)).await.is_err() {
                        return;
                    }
                }
                // An effect that may be there is looked for until its time is over.
                Err(trouble) => tracing::info!(?trouble, "cannot be observed"),
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// These systems keep who did what themselves.
    async fn note(&self, _plan: &Plan) {}
}

/// What it did is seen by reading, whatever the answer says.
fn of_host(sent: github::act::Sent) -> Answer {
    use github::act::Sent;
    match sent {
        Sent::Taken { .. } => Answer::Taken,
        // No precondition of ours failed that could be read again: the host says that it cannot be done now.
        Sent::Conflict { why } => Answer::Rejected {
            status: 409,
            message: why,
        },
        Sent::Rejected { status, why } => Answer::Rejected {
            status,
            message: why,
        },
        Sent::NotSent { why } => Answer::NotSent(why),
        Sent::Lost { why } => Answer::Lost(why),
    }
}

fn of_alerts(sent: alertmanager::requests::Sent, status: Option<u16>) -> Answer {
    use alertmanager::requests::Sent;
    match sent {
        Sent::Taken(_) => Answer::Taken,
        Sent::Rejected(message) => Answer::Rejected {
            status: status.unwrap_or(0),
            message,
        },
        Sent::NotSent(why) => Answer::NotSent(why),
        Sent::Lost(why) => Answer::Lost(why),
    }
}

#[cfg(test)]
mod tests;
