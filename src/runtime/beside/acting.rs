//! What an action on a gate, a run or a silence acts on: the read, the one request, and looking for its effect.

use std::{rc::Rc, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use super::Host;
use crate::{
    app::beside::SourceKind,
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
        http::{Fate, Trouble},
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
            (Self::Alerts { tier, user, .. }, Seen::Incidents(facts)) => alertmanager::plan::plan(
                intent,
                facts,
                &alertmanager::plan::Terms {
                    tier: *tier,
                    who: user.clone(),
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
            Self::Alerts { server, .. } => alertmanager::read::silences_and_alerts(server)
                .await
                .map(|facts| Arc::new(facts).into())
                .map_err(|trouble| read_trouble(&trouble)),
        }
    }
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

    async fn send(&self, plan: &Plan, index: usize, _version: ResourceVersion) -> Answer {
        let Some(sending) = plan.sends.get(index) else {
            return Answer::NotSent(sanitise("the plan has no such request"));
        };
        let (server, of) = match self {
            Self::Host { host, .. } => match host.server().await {
                Ok(server) => (server.urgent(), SourceKind::GitHub),
                Err(why) => return Answer::NotSent(why),
            },
            Self::Alerts { server, .. } => (server.http().clone(), SourceKind::Alertmanager),
        };
        let body = match &sending.body {
            serde_json::Value::Null => bytes::Bytes::new(),
            body => bytes::Bytes::from(body.to_string()),
        };
        let Ok(method) = http::Method::from_bytes(sending.method.as_bytes()) else {
            return Answer::NotSent(sanitise("the plan has no such method"));
        };
        match server
            .send_once(method, &sending.path, sending.content_type, body)
            .await
        {
            // What it did is seen by reading, whatever the answer says.
            Ok(_) => Answer::Taken,
            Err(trouble) => answer_of(&trouble, of),
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

fn answer_of(trouble: &Trouble, of: SourceKind) -> Answer {
    let why = trouble.sentence();
    match trouble.fate() {
        Fate::CertainlyNotSent => Answer::NotSent(why),
        Fate::Refused => Answer::Rejected {
            status: trouble.status().unwrap_or(0),
            message: why,
        },
        // An old alert manager says with 500 that there is no such silence: nothing was done.
        Fate::PerhapsSent
            if of == SourceKind::Alertmanager
                && trouble.status() == Some(500)
                && why.contains("not found") =>
        {
            Answer::Rejected {
                status: 500,
                message: why,
            }
        }
        Fate::PerhapsSent => Answer::Lost(why),
    }
}
