//! Logs: of the pods of the release that is open or of the jobs of its run, and the keys while they are read. What is
//! followed is asked for by an effect; nothing here reads.

use super::{
    super::{
        key::{Code, Key},
        msg::Effect,
        release_view::Pane,
        state::{LogState, LogsOverlay, Overlay, State, Tone, View},
    },
    Keep, edit,
};
use crate::model::text::Safe;

impl State {
    /// Logs of the release that is open: its pods are known there.
    pub(super) fn logs(&mut self) -> Vec<Effect> {
        if self.view == View::Release
            && self
                .open
                .as_ref()
                .is_some_and(|open| open.pane == Pane::Pipeline)
        {
            return self.job_logs();
        }
        let mut effects = Vec::new();
        if self.view != View::Release {
            effects = self.open_selected();
        }
        let Some(open) = &self.open else {
            return effects;
        };
        let current = self
            .releases
            .find(&open.id)
            .and_then(|release| release.current().hash);
        let mut listed: Vec<_> = open.pods.iter().flatten().collect();
        // What is on trial is what one wants to read first.
        listed.sort_by_key(|pod| pod.hash != current);
        let pods: Vec<_> = listed
            .into_iter()
            .map(|pod| (pod.name.clone(), pod.containers.clone()))
            .collect();
        let target = open.id.clone();
        let Some((pod, containers)) = pods.first().cloned() else {
            let words = if open.pods.is_none() {
                "its pods are not known yet: l again in a moment"
            } else {
                "it has no pods"
            };
            self.say(Tone::Plain, words);
            return effects;
        };
        let container = containers.first().cloned();
        effects.push(Effect::Logs {
            id: target.clone(),
            pod: pod.clone(),
            container: container.clone(),
        });
        self.overlays.push(Overlay::Logs(LogsOverlay {
            target,
            pod,
            pods,
            jobs: None,
            container,
            lines: std::collections::VecDeque::new(),
            dropped: 0,
            follow: true,
            up: 0,
            state: LogState::Connecting,
            filter: String::new(),
            filtering: false,
        }));
        effects
    }

    /// Logs of the jobs of the run that is shown, what failed or runs first.
    pub(super) fn job_logs(&mut self) -> Vec<Effect> {
        let Some(id) = self.open.as_ref().map(|open| open.id.clone()) else {
            return Vec::new();
        };
        let Some(run) = self.run_shown(&id) else {
            self.say(Tone::Plain, "no run of its pipeline is known");
            return Vec::new();
        };
        let mut jobs: Vec<_> = run.jobs.iter().flatten().collect();
        jobs.sort_by_key(|job| (!job.phase.is_bad(), job.phase.has_ended(), job.id));
        let pods: Vec<(Safe, Box<[Safe]>)> = jobs
            .iter()
            .map(|job| (job.name.clone(), Box::default()))
            .collect();
        let ids: Vec<u64> = jobs.iter().map(|job| job.id).collect();
        let (Some((name, _)), Some(job)) = (pods.first().cloned(), ids.first().copied()) else {
            self.say(Tone::Plain, "its run has no jobs");
            return Vec::new();
        };
        let run = run.id.clone();
        self.overlays.push(Overlay::Logs(LogsOverlay {
            target: id,
            pod: name.clone(),
            pods,
            jobs: Some((run.clone(), ids)),
            container: None,
            lines: std::collections::VecDeque::new(),
            dropped: 0,
            follow: true,
            up: 0,
            state: LogState::Connecting,
            filter: String::new(),
            filtering: false,
        }));
        vec![Effect::JobLog { run, job, name }]
    }
}

pub(super) fn logs_key(key: Key, logs: &mut LogsOverlay) -> (Keep, Vec<Effect>) {
    if logs.filtering {
        match key.code {
            Code::Enter => logs.filtering = false,
            Code::Esc => {
                logs.filtering = false;
                logs.filter.clear();
            }
            _ => edit(key, &mut logs.filter),
        }
        return (Keep::Yes, Vec::new());
    }
    let up = |logs: &mut LogsOverlay, by: usize| {
        logs.up = (logs.up + by).min(logs.lines.len().saturating_sub(1));
        logs.follow = logs.up == 0;
    };
    let down = |logs: &mut LogsOverlay, by: usize| {
        logs.up = logs.up.saturating_sub(by);
        logs.follow = logs.up == 0;
    };
    match key.code {
        Code::Esc | Code::Char('q') => return (Keep::No, vec![Effect::StopLogs]),
        Code::Char('k') | Code::Up => up(logs, 1),
        Code::Char('j') | Code::Down => down(logs, 1),
        Code::PageUp => up(logs, 20),
        Code::PageDown => down(logs, 20),
        Code::Char('g') | Code::Home => up(logs, usize::MAX / 2),
        Code::Char('G' | 'f') | Code::End => down(logs, usize::MAX),
        Code::Char('/') => logs.filtering = true,
        Code::Tab | Code::BackTab => return (Keep::Yes, next_pod(logs, key.code == Code::Tab)),
        _ => {}
    }
    (Keep::Yes, Vec::new())
}

fn next_pod(logs: &mut LogsOverlay, forward: bool) -> Vec<Effect> {
    let count = logs.pods.len();
    if count < 2 {
        return Vec::new();
    }
    let at = logs
        .pods
        .iter()
        .position(|(name, _)| *name == logs.pod)
        .unwrap_or(0);
    let to = if forward {
        (at + 1) % count
    } else {
        (at + count - 1) % count
    };
    let Some((pod, containers)) = logs.pods.get(to).cloned() else {
        return Vec::new();
    };
    logs.pod = pod.clone();
    logs.container = containers.first().cloned();
    logs.lines.clear();
    logs.dropped = 0;
    logs.up = 0;
    logs.follow = true;
    logs.state = LogState::Connecting;
    if let Some((run, jobs)) = &logs.jobs
        && let Some(job) = jobs.get(to)
    {
        return vec![Effect::JobLog {
            run: run.clone(),
            job: *job,
            name: pod,
        }];
    }
    vec![Effect::Logs {
        id: logs.target.clone(),
        pod,
        container: logs.container.clone(),
    }]
}
