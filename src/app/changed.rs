//! What changed before something broke: releases of every service, gates that were decided, silences and our own actions,
//! nearest first, with the time between. A list of facts by time; it ranks nothing and blames nothing.

use jiff::{SignedDuration, Timestamp};

use super::{actions::LineState, state::State};
use crate::model::{
    id::{EnvironmentName, ReleaseId},
    moment::Moment,
    pipeline::RunId,
    release::Release,
    rollout::Phase,
};

/// How far back is looked.
pub const WITHIN: SignedDuration = SignedDuration::from_hours(6);
/// What is listed at most.
const AT_MOST: usize = 50;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedBefore {
    pub at: Timestamp,
    /// Between it and what broke.
    pub before: SignedDuration,
    pub what: String,
    pub opens: Opens,
    /// Of the release that broke itself.
    pub own: bool,
}

/// What Enter on it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opens {
    Release(ReleaseId),
    Run(RunId),
    Nothing,
}

impl State {
    /// What changed in an environment in the hours before a time, nearest first. Costs a look at every release, so it is
    /// asked for when something is opened and not for each frame.
    pub fn changed_before(
        &self,
        environment: &EnvironmentName,
        about: Option<&ReleaseId>,
        until: Timestamp,
    ) -> Vec<ChangedBefore> {
        let mut all = Vec::new();
        let mut put = |at: Timestamp, what: String, opens: Opens, own: bool| {
            let before = until.duration_since(at);
            if before >= SignedDuration::ZERO && before <= WITHIN {
                all.push(ChangedBefore {
                    at,
                    before,
                    what,
                    opens,
                    own,
                });
            }
        };
        for (_, release) in self.releases.iter() {
            let id = &release.rollout.id;
            if id.environment != *environment {
                continue;
            }
            let own = about == Some(id);
            for (at, what) in moments(release) {
                put(
                    at,
                    format!("{} {what}", id.name),
                    Opens::Release(id.clone()),
                    own,
                );
            }
        }
        self.pipeline_moments(environment, &mut put);
        if let Some(facts) = self.beside.incidents.get(environment) {
            for silence in &facts.silences {
                let Some(at) = silence.starts_at else {
                    continue;
                };
                let matchers: Vec<String> = silence
                    .matchers
                    .iter()
                    .map(crate::model::incident::Matcher::words)
                    .collect();
                put(
                    at,
                    format!("silence {} by {}", matchers.join(" "), &*silence.created_by),
                    Opens::Nothing,
                    false,
                );
            }
        }
        for line in &self.actions.lines {
            if let (Some(id), LineState::Over { outcome, at }) =
                (line.target.release(), &line.state)
                && id.environment == *environment
                && outcome.sent
            {
                put(
                    *at,
                    format!("{}: {}", line.title, outcome.words),
                    Opens::Release(id.clone()),
                    about == Some(id),
                );
            }
        }
        all.sort_by(|a, b| (a.before, &a.what).cmp(&(b.before, &b.what)));
        all.dedup_by(|a, b| a.at == b.at && a.what == b.what);
        all.truncate(AT_MOST);
        all
    }

    /// Keeps what changed before the incident on the open release, or before now: its pane shows it in every frame.
    pub(super) fn remember_what_changed(&mut self) {
        let Some(id) = self.open.as_ref().map(|open| open.id.clone()) else {
            return;
        };
        if !self.beside.is_configured() {
            return;
        }
        let until = self.incident_began(&id).unwrap_or(self.now);
        let list = self.changed_before(&id.environment, Some(&id), until);
        if let Some(open) = &mut self.open {
            open.changed = list;
        }
    }

    /// Deployments into the environment, which is where a gate that was decided shows.
    fn pipeline_moments(
        &self,
        environment: &EnvironmentName,
        put: &mut impl FnMut(Timestamp, String, Opens, bool),
    ) {
        for (repository, view) in &self.beside.repositories {
            let Some(facts) = &view.facts else { continue };
            for deployed in &facts.deployed {
                let ours = self
                    .beside
                    .services
                    .environment(&deployed.environment, self.environments.keys());
                if ours.as_ref() != Some(environment) {
                    continue;
                }
                for (of, word) in [
                    (&deployed.live, "deployed"),
                    (&deployed.incoming, "began to deploy"),
                    (&deployed.failed_since, "failed to deploy"),
                ] {
                    let Some(of) = of else { continue };
                    let Some(at) = of.at else { continue };
                    let what = format!("{repository} {word} {}", of.commit.short());
                    let run = facts.runs.iter().find(|run| run.commit == of.commit);
                    let opens = run.map_or(Opens::Nothing, |run| Opens::Run(run.id.clone()));
                    put(at, what, opens, false);
                }
            }
        }
    }
}

/// What a release itself tells of its past: when its versions came up, and since when it is as it is.
fn moments(release: &Release) -> Vec<(Timestamp, String)> {
    let mut moments = Vec::new();
    let current = release.current();
    for set in &release.sets {
        if let Some(created) = set.created.map(Moment::time) {
            let version = crate::model::release::Version {
                revision: Some(set.revision),
                hash: set.hash.clone(),
                images: set.images.clone(),
            };
            moments.push((created, format!("{} came up", version.label())));
        }
    }
    if let Some(since) = release.since() {
        let words = match &release.rollout.phase {
            Phase::Healthy => Some(format!("{}, all traffic", current.label())),
            Phase::Degraded if release.rollout.aborted() => Some("aborted".to_owned()),
            Phase::Degraded => Some("degraded".to_owned()),
            Phase::Paused => Some(match release.actual_weight() {
                Some(weight) => format!("{} at {weight} %", current.label()),
                None => format!("{} paused", current.label()),
            }),
            Phase::Progressing | Phase::Unknown(_) => None,
        };
        moments.extend(words.map(|words| (since, words)));
    }
    moments
}
