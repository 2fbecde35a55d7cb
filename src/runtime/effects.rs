//! Does what the reducer asks for: starts the tasks that read, plan, execute, watch and write, and gives their results
//! back as messages. The only place that spawns. Every task is cut off with what it was for; actions alone outlive the
//! screen, because a plan that has begun is finished.

use std::{collections::BTreeMap, rc::Rc};

use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinHandle, spawn_local},
};

use super::{
    audit_view,
    beside::{self, Acting, Besides, Wishes},
    clock::now,
    cluster::Cluster,
    execute::{Control, System, Underway, execute},
    recorder::AuditRecorder,
};
use crate::{
    app::msg::{ActionUpdate, Effect, Msg},
    model::{
        event::{Fact, SourceEvent},
        id::{EnvironmentName, IntentId, ReleaseId, SourceId},
        pipeline::RunId,
        text::{Safe, sanitise},
    },
    ops::{
        ceremony::Approved,
        intent::Intent,
        machine::{Machine, Outcome, OutcomeKind, WaitFor},
        plan::Refusal,
        record::Record,
        subject::Subject,
    },
};

pub struct Effects {
    pub clusters: BTreeMap<EnvironmentName, Rc<Cluster>>,
    besides: Rc<Besides>,
    /// What the sources beside the clusters are asked for, once they run.
    wishes: Option<Wishes>,
    beside_watches: BTreeMap<SourceId, AbortHandle>,
    pub recorder: AuditRecorder,
    results: mpsc::Sender<Msg>,
    sources: mpsc::Sender<Msg>,
    actions: Vec<Running>,
    /// The watch of the release that is open, and the logs that are followed.
    detail: Option<AbortHandle>,
    logs: Option<AbortHandle>,
    watches: BTreeMap<EnvironmentName, AbortHandle>,
    /// Other reads and writes of records.
    others: Vec<JoinHandle<()>>,
}

struct Running {
    control: mpsc::UnboundedSender<Control>,
    task: JoinHandle<()>,
}

impl std::fmt::Debug for Effects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Effects")
            .field("actions", &self.actions.len())
            .finish_non_exhaustive()
    }
}

impl Effects {
    pub fn new(
        clusters: BTreeMap<EnvironmentName, Rc<Cluster>>,
        besides: Rc<Besides>,
        recorder: AuditRecorder,
        results: mpsc::Sender<Msg>,
        sources: mpsc::Sender<Msg>,
    ) -> Self {
        Self {
            clusters,
            besides,
            wishes: None,
            beside_watches: BTreeMap::new(),
            recorder,
            results,
            sources,
            actions: Vec::new(),
            detail: None,
            logs: None,
            watches: BTreeMap::new(),
            others: Vec::new(),
        }
    }

    /// Starts watching every environment.
    pub fn watch_all(&mut self) {
        let names: Vec<EnvironmentName> = self.clusters.keys().cloned().collect();
        for name in names {
            self.watch(&name);
        }
        let (wishes, work) = self.besides.work(&self.sources);
        self.wishes = Some(wishes);
        for (id, work) in work {
            let task = spawn_local(work);
            self.beside_watches.insert(id, task.abort_handle());
        }
    }

    /// Begins one source beside the clusters anew.
    fn watch_beside(&mut self, id: SourceId) {
        let Some(wishes) = &self.wishes else { return };
        if let Some(work) = self.besides.work_of(&id, wishes, &self.sources) {
            let task = spawn_local(work);
            if let Some(old) = self.beside_watches.insert(id, task.abort_handle()) {
                old.abort();
            }
        }
    }

    fn watch(&mut self, name: &EnvironmentName) {
        let Some(cluster) = self.clusters.get(name).cloned() else {
            return;
        };
        if let Some(old) = self.watches.remove(name) {
            old.abort();
        }
        let sources = self.sources.clone();
        let task = spawn_local(async move { cluster.watch(sources).await });
        self.watches.insert(name.clone(), task.abort_handle());
    }

    /// Starts one effect. What only the screen can do is not asked for here.
    pub fn start(&mut self, effect: Effect) {
        self.others.retain(|task| !task.is_finished());
        self.actions.retain(|action| !action.task.is_finished());
        match effect {
            Effect::Plan(intent) => self.plan(intent),
            Effect::Execute(approved) => self.execute(*approved),
            Effect::Open { id, uid } => self.open(id, uid),
            Effect::CloseRelease => stop(&mut self.detail),
            Effect::History { id, uid } => {
                let Some(cluster) = self.cluster(&id) else {
                    return;
                };
                self.reply(async move {
                    let result = cluster.history(&id).await;
                    Some(Msg::History { uid, result })
                });
            }
            Effect::Yaml { id, uid } => {
                let Some(cluster) = self.cluster(&id) else {
                    return;
                };
                self.reply(async move {
                    let result = cluster.yaml(&id).await;
                    Some(Msg::Yaml { uid, result })
                });
            }
            Effect::Logs { id, pod, container } => self.follow_logs(id, pod, container),
            Effect::StopLogs => stop(&mut self.logs),
            Effect::Access {
                environment,
                namespace,
            } => {
                let Some(cluster) = self.clusters.get(&environment).cloned() else {
                    return;
                };
                self.reply(async move {
                    let access = cluster.access(&namespace).await;
                    Some(Msg::Source(vec![SourceEvent {
                        environment,
                        fact: Fact::Access(access),
                    }]))
                });
            }
            Effect::Refresh(environment) => self.watch(&environment),
            Effect::ReadAudit => {
                let recorder = self.recorder.clone();
                self.reply(async move { Some(audit_view::read(&recorder).await) });
            }
            Effect::Record(record) => self.record(record),
            Effect::WhoReverted { intent, id } => {
                let Some(cluster) = self.cluster(&id) else {
                    return;
                };
                self.reply(async move {
                    let by = cluster.last_writer(&id).await;
                    Some(Msg::RevertedBy { intent, by })
                });
            }
            Effect::JobLog { run, job, name } => self.read_job_log(run, job, name),
            Effect::WantRepositories(wanted) => {
                if let Some(wishes) = &self.wishes {
                    wishes.repositories(wanted);
                }
            }
            Effect::WantMetrics(wanted) => {
                if let Some(wishes) = &self.wishes {
                    wishes.metrics(wanted);
                }
            }
            Effect::RefreshSource(id) => self.watch_beside(id),
            // The screen's own.
            Effect::Copy(_)
            | Effect::Ring(_)
            | Effect::Fault(_)
            | Effect::Later
            | Effect::Suspend
            | Effect::Quit => {}
        }
    }

    fn plan(&mut self, intent: Intent) {
        let id = intent.id.clone();
        let planned = |result| {
            Some(Msg::Planned {
                intent: id,
                result: Box::new(result),
            })
        };
        if intent.target.release().is_none() {
            let acting = self.acting(&intent.target);
            self.reply(async move {
                planned(match acting {
                    Ok(acting) => acting.plan(&intent).await,
                    Err(why) => Err(Refusal::guard(why)),
                })
            });
            return;
        }
        let cluster = self.cluster_of(&intent.target);
        self.reply(async move {
            planned(match cluster {
                Some(cluster) => cluster.plan(&intent).await,
                None => Err(Refusal::unreachable(format!(
                    "{} is not connected",
                    intent.target.environment()
                ))),
            })
        });
    }

    fn acting(&self, target: &Subject) -> Result<Acting, String> {
        let cluster = self.clusters.get(target.environment());
        let who = cluster.and_then(|cluster| cluster.who.borrow().clone());
        self.besides.acting(target, who.as_ref())
    }

    fn cluster_of(&self, target: &Subject) -> Option<Rc<Cluster>> {
        self.cluster(target.release()?)
    }

    fn cluster(&self, id: &ReleaseId) -> Option<Rc<Cluster>> {
        self.clusters.get(&id.environment).cloned()
    }

    fn reply(&mut self, work: impl Future<Output = Option<Msg>> + 'static) {
        let results = self.results.clone();
        self.others.push(spawn_local(async move {
            if let Some(msg) = work.await {
                // Only a screen that is gone does not take it.
                let _ = results.send(msg).await;
            }
        }));
    }

    fn execute(&mut self, approved: Approved) {
        let target = &approved.plan().intent.target;
        match target.release() {
            Some(_) => match self.cluster_of(target) {
                Some(cluster) => self.drive(approved, cluster),
                None => self.refuse(&approved, "its environment is not connected".to_owned()),
            },
            None => match self.acting(target) {
                Ok(acting) => self.drive(approved, Rc::new(acting)),
                Err(why) => self.refuse(&approved, why),
            },
        }
    }

    fn refuse(&mut self, approved: &Approved, words: String) {
        let intent = approved.plan().intent.id.clone();
        let outcome = Outcome {
            kind: OutcomeKind::Unreachable,
            words,
            second_place: None,
            sent: false,
        };
        self.reply(async move {
            Some(Msg::Action {
                intent,
                update: ActionUpdate::Over(outcome),
            })
        });
    }

    fn drive<S: System + 'static>(&mut self, approved: Approved, system: Rc<S>) {
        let intent: IntentId = approved.plan().intent.id.clone();
        let (control, commands) = mpsc::unbounded_channel();
        let recorder = self.recorder.clone();
        let results = self.results.clone();
        let task = spawn_local(async move {
            let machine = Machine::new(approved, WaitFor::Effect, None);
            let progress = |underway: Underway| {
                // A full queue loses a word of progress, never an outcome.
                let _ = results.try_send(Msg::Action {
                    intent: intent.clone(),
                    update: ActionUpdate::UnderWay {
                        words: underway.words,
                        may_send: underway.may_send,
                    },
                });
            };
            let outcome = execute(machine, &*system, &recorder, now, commands, progress).await;
            let _ = results
                .send(Msg::Action {
                    intent,
                    update: ActionUpdate::Over(outcome),
                })
                .await;
        });
        self.actions.push(Running { control, task });
    }

    fn open(&mut self, id: ReleaseId, uid: crate::model::id::Uid) {
        stop(&mut self.detail);
        let Some(cluster) = self.cluster(&id) else {
            return;
        };
        let sources = self.sources.clone();
        let task = spawn_local(async move { cluster.detail(id, uid, sources).await });
        self.detail = Some(task.abort_handle());
    }

    fn follow_logs(&mut self, id: ReleaseId, pod: Safe, container: Option<Safe>) {
        stop(&mut self.logs);
        let Some(cluster) = self.cluster(&id) else {
            return;
        };
        let results = self.results.clone();
        let task = spawn_local(async move {
            let container = container.unwrap_or_default();
            cluster.logs(&id, &pod, &container, results).await;
        });
        self.logs = Some(task.abort_handle());
    }

    fn read_job_log(&mut self, run: RunId, job: u64, name: Safe) {
        stop(&mut self.logs);
        let Some(host) = self.besides.github().cloned() else {
            return;
        };
        let results = self.results.clone();
        let task =
            spawn_local(async move { beside::job_log(&host, &run, job, &name, results).await });
        self.logs = Some(task.abort_handle());
    }

    fn record(&mut self, record: Record) {
        let recorder = self.recorder.clone();
        self.reply(async move {
            use super::execute::Recorder as _;
            match recorder.record(record).await {
                Ok(_) => None,
                Err(why) => Some(Msg::Said {
                    good: false,
                    words: sanitise(&format!("not recorded: {why}")).to_string(),
                }),
            }
        });
    }

    /// The screen is gone. Everything but actions ends at once; actions are finished, 30 seconds at most.
    pub async fn finish(mut self) {
        stop(&mut self.detail);
        stop(&mut self.logs);
        for watch in self.watches.values().chain(self.beside_watches.values()) {
            watch.abort();
        }
        for action in &self.actions {
            let _ = action.control.send(Control::Abandoned);
        }
        for action in self.actions {
            // A task that panicked has said so in the log; the others must still be waited for.
            let _ = action.task.await;
        }
        for other in self.others {
            let _ = tokio::time::timeout(std::time::Duration::from_secs(2), other).await;
        }
    }
}

fn stop(task: &mut Option<AbortHandle>) {
    if let Some(task) = task.take() {
        task.abort();
    }
}
