//! One environment as this session uses it: its API server, who we are there, and what the configuration says of it.
//! The only place that joins a provider with the reducer's messages and the executor's needs.

use std::{cell::RefCell, rc::Rc, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::{
    execute::{Sight, System},
    served::Served as SeenServing,
};
use crate::{
    app::msg::{LogEvent, Msg},
    model::{
        detail::Revision,
        event::{DetailFact, SourceEvent},
        id::{EnvironmentName, Namespace, PodHash, ReleaseId, ResourceVersion, Uid},
        job_log::LogLine,
        rollout::{Phase, Rollout},
        source::{Access, Need, Tier, WhoAmI},
        text::{Safe, sanitise},
    },
    ops::{
        intent::Intent,
        machine::{Answer, ReadTrouble},
        plan::{Plan, Refusal},
        seen::Seen,
    },
    providers::kubernetes::{
        access, act,
        client::Client,
        detail,
        error::Error,
        logs,
        plan::{self, Served},
        read::{self, Observed},
        source,
    },
};

/// How many lines of a log are asked for at first.
const LOG_TAIL: u32 = 200;
/// Between two attempts to observe an object that cannot be read.
const OBSERVE_AGAIN_AFTER: Duration = Duration::from_millis(500);

pub struct Cluster {
    pub name: EnvironmentName,
    pub client: Client,
    pub tier: Tier,
    /// `None`: every one that may be listed.
    pub namespaces: Option<Vec<Namespace>>,
    /// Whether a note is left on the objects that are acted on.
    pub note: bool,
    /// The kubeconfig's name of us, where the server does not say.
    pub user: Option<Safe>,
    pub who: RefCell<Option<WhoAmI>>,
    /// Versions that were seen serving everything.
    pub evidence: Rc<RefCell<SeenServing>>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// Tells everything of this environment, until dropped.
    pub async fn watch(&self, sources: mpsc::Sender<Msg>) {
        let (sender, mut events) = mpsc::channel::<Vec<SourceEvent>>(16);
        let options = source::Options {
            environment: self.name.clone(),
            namespaces: self.namespaces.clone().unwrap_or_default(),
            seed: None,
        };
        let forward = async {
            while let Some(events) = events.recv().await {
                self.learn(&events);
                if sources.send(Msg::Source(events)).await.is_err() {
                    return;
                }
            }
        };
        tokio::join!(source::run(self.client.clone(), options, sender), forward);
    }

    /// What the session itself keeps of the facts.
    pub fn learn(&self, events: &[SourceEvent]) {
        use crate::model::event::Fact;
        for event in events {
            match &event.fact {
                Fact::Who(who) => *self.who.borrow_mut() = Some(who.clone()),
                Fact::Rollout(rollout) => self.saw(rollout),
                _ => {}
            }
        }
    }

    /// Asks the server who we are, where no watch has told.
    pub async fn ask_who(&self) {
        match access::who(&self.client).await {
            Ok(who) => *self.who.borrow_mut() = Some(who),
            // The kubeconfig's name stands in; that nobody confirmed it changes no permission.
            Err(error) => tracing::info!(error = %error.sentence(), "who we are is not known"),
        }
    }

    fn who_words(&self) -> String {
        match (&*self.who.borrow(), &self.user) {
            (Some(who), _) => who.name.to_string(),
            (None, Some(user)) => user.to_string(),
            (None, None) => "someone".to_owned(),
        }
    }

    /// Evidence for a back out: while an update runs, its stable version is the one that served everything last. Of a
    /// release that only ever rests nothing is kept: ten thousand of those would fill memory and say nothing.
    fn saw(&self, rollout: &Rollout) {
        let Some(argo) = rollout.argo() else { return };
        let mut evidence = self.evidence.borrow_mut();
        let hash = if rollout.fully_promoted() {
            let rests = rollout.phase == Phase::Healthy && rollout.generation_observed;
            let release = rollout.id.to_string();
            argo.current_hash
                .as_ref()
                .filter(|_| rests && !evidence.of(&release).is_empty())
        } else {
            argo.stable_hash.as_ref()
        };
        if let Some(hash) = hash {
            evidence.saw(
                &rollout.id.to_string(),
                hash.as_str(),
                None,
                &[],
                self.client.now(),
            );
        }
    }

    /// The versions of a release that were seen serving everything, the last one last.
    fn served(&self, id: &ReleaseId) -> Vec<Served> {
        let evidence = self.evidence.borrow();
        let seen = evidence.of(&id.to_string()).iter();
        seen.map(|seen| Served {
            hash: PodHash::new(&seen.hash),
            until: Some(seen.until),
            evidence: format!(
                "seen serving everything until {}",
                seen.until.strftime("%Y-%m-%d %H:%MZ")
            ),
        })
        .collect()
    }

    /// Reads afresh and makes the plan.
    pub async fn plan(&self, intent: &Intent) -> Result<Plan, Refusal> {
        let served = intent
            .target
            .release()
            .map(|id| self.served(id))
            .unwrap_or_default();
        let terms = act::Terms {
            tier: self.tier,
            who: self.who_words(),
            note: self.note,
            served,
        };
        let facts = act::facts(&self.client, intent, terms).await?;
        self.saw(&facts.release.rollout);
        plan::plan(intent, &facts)
    }

    /// Tells every state of one object from a version on, until dropped. Where it cannot be read, it is tried again: an
    /// effect that may be there is looked for until its time is over.
    pub async fn observe(
        &self,
        id: &ReleaseId,
        from: Option<ResourceVersion>,
        seen: mpsc::Sender<Sight>,
    ) {
        let (sender, mut states) = mpsc::channel(16);
        let forward = async {
            while let Some(state) = states.recv().await {
                let state = match state {
                    Observed::Seen(rollout) => {
                        self.saw(&rollout);
                        Sight::Seen(rollout.into())
                    }
                    Observed::Deleted { .. } => Sight::Deleted,
                    Observed::Trouble(_) | Observed::Mended => continue,
                };
                if seen.send(state).await.is_err() {
                    return;
                }
            }
        };
        let observe = async {
            let mut from = from;
            while let Err(error) =
                read::observe(&self.client, id, from.take(), sender.clone()).await
            {
                if matches!(error, Error::NotFound(_)) {
                    let _ = sender.send(Observed::Deleted { uid: None }).await;
                    return;
                }
                tracing::info!(%id, error = %error.sentence(), "cannot be observed");
                tokio::time::sleep(OBSERVE_AGAIN_AFTER).await;
            }
        };
        tokio::select! {
            () = forward => {}
            () = async { observe.await; std::future::pending::<()>().await } => {}
        }
    }

    /// What may be done in a namespace.
    pub async fn access(&self, namespace: &Namespace) -> Access {
        access::review(&self.client, namespace, &Need::ALL).await
    }

    pub async fn history(&self, id: &ReleaseId) -> Result<Vec<Revision>, Safe> {
        act::history(&self.client, id)
            .await
            .map_err(|error| error.sentence())
    }

    pub async fn yaml(&self, id: &ReleaseId) -> Result<Vec<Safe>, Safe> {
        act::yaml(&self.client, id)
            .await
            .map_err(|error| error.sentence())
    }

    pub async fn last_writer(&self, id: &ReleaseId) -> Option<Safe> {
        read::last_writer(&self.client, id)
            .await
            .ok()
            .flatten()
            .map(|writer| writer.manager)
    }

    /// Watches what belongs to one release, until dropped.
    pub async fn detail(&self, id: ReleaseId, uid: Uid, sources: mpsc::Sender<Msg>) {
        let (sender, mut facts) = mpsc::channel::<DetailFact>(16);
        let forward = async {
            while let Some(fact) = facts.recv().await {
                if sources
                    .send(Msg::Detail {
                        uid: uid.clone(),
                        fact,
                    })
                    .await
                    .is_err()
                {
                    return;
                }
            }
        };
        let failed = sources.clone();
        let told = async {
            if let Err(error) = detail::run(self.client.clone(), id, uid.clone(), sender).await {
                let fact = DetailFact::Failed {
                    part: "release",
                    why: error.sentence(),
                };
                // Only a screen that is gone does not take it.
                let _ = failed
                    .send(Msg::Detail {
                        uid: uid.clone(),
                        fact,
                    })
                    .await;
            }
        };
        tokio::join!(told, forward);
    }

    /// Follows the log of a pod to its end.
    pub async fn logs(
        &self,
        id: &ReleaseId,
        pod: &Safe,
        container: &Safe,
        results: mpsc::Sender<Msg>,
    ) {
        let (sender, mut facts) = mpsc::channel(16);
        let what = logs::Follow {
            namespace: id.namespace.clone(),
            pod: pod.to_string(),
            container: container.to_string(),
            tail: LOG_TAIL,
        };
        let forward = async {
            let told = |event| Msg::Log {
                pod: pod.clone(),
                event,
            };
            if results.send(told(LogEvent::Following)).await.is_err() {
                return;
            }
            while let Some(fact) = facts.recv().await {
                let event = match fact {
                    logs::LogFact::Lines(lines) => {
                        LogEvent::Lines(lines.into_iter().map(LogLine::plain).collect())
                    }
                    logs::LogFact::Ended => LogEvent::Ended,
                    logs::LogFact::Failed(error) => LogEvent::Failed(error.sentence()),
                };
                if results.send(told(event)).await.is_err() {
                    return;
                }
            }
        };
        tokio::join!(logs::follow(&self.client, &what, sender), forward);
    }
}

impl System for Cluster {
    async fn read(&self, plan: &Plan) -> Result<Seen, ReadTrouble> {
        let Some(id) = plan.intent.target.release() else {
            return Err(ReadTrouble::NotFound);
        };
        read::rollout(&self.client, id)
            .await
            .map(|rollout| Arc::new(rollout).into())
            .map_err(|error| act::trouble(&error))
    }

    /// The version is the precondition: a cluster refuses what rests on an older one, however late it comes.
    async fn send(
        &self,
        plan: &Plan,
        index: usize,
        version: ResourceVersion,
        _not_after: Timestamp,
    ) -> Answer {
        match plan.sends.get(index) {
            Some(sending) => act::send(&self.client, plan, sending, &version).await,
            None => Answer::NotSent(sanitise("the plan has no such request")),
        }
    }

    async fn observe(&self, plan: &Plan, from: Option<ResourceVersion>, seen: mpsc::Sender<Sight>) {
        if let Some(id) = plan.intent.target.release() {
            self.observe(id, from, seen).await;
        }
    }

    async fn note(&self, plan: &Plan) {
        if let Some(words) = &plan.note
            && let Err(error) = act::note(&self.client, plan, words).await
        {
            tracing::info!(error = %error.sentence(), "the note could not be left");
        }
    }
}
