//! A release as the Board shows it: a rollout with the versions that still have ReplicaSets, grouped by what it asks of
//! a human. Pure functions over facts; freshness and permission are passed in by those who know them.

use std::{borrow::Cow, cmp::Reverse, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use super::{
    id::{PodHash, Uid},
    moment::Moment,
    replica_set::ReplicaSet,
    rollout::{
        ArgoStrategy, PauseCondition, PauseReason, Phase, Rollout, RunPhase, RunRole, Workload,
    },
    step::{Step, what_comes_next},
    text::Safe,
};

/// A rollout and its ReplicaSets, newest revision first.
#[derive(Clone, Debug)]
pub struct Release {
    pub rollout: Arc<Rollout>,
    pub sets: Vec<ReplicaSet>,
}

/// What a release asks of a human. The order is the order on the Board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    Broken,
    NeedsYou,
    Moving,
    Unknown,
    Quiet,
}

impl Group {
    pub const ALL: [Self; 5] = [
        Self::Broken,
        Self::NeedsYou,
        Self::Moving,
        Self::Unknown,
        Self::Quiet,
    ];
}

/// A version as people name it: revision, hash and image tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub revision: Option<u64>,
    pub hash: Option<PodHash>,
    pub images: Arc<[Safe]>,
}

impl Version {
    /// The short name of a version: the tag of its first image, a short digest, the revision, or the hash.
    pub fn label(&self) -> Cow<'_, str> {
        if let Some(tag) = self.images.first().and_then(|image| tag_of(image)) {
            return tag.into();
        }
        match (&self.revision, &self.hash) {
            (Some(revision), _) => format!("revision {revision}").into(),
            (None, Some(hash)) => hash.as_str().into(),
            (None, None) => "unknown version".into(),
        }
    }
}

/// The tag of an image reference, or the first 12 digits of its digest where it has no tag.
/// `registry:5000/shop/checkout` has no tag: a colon before the last slash is a port.
pub fn tag_of(image: &str) -> Option<&str> {
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    let last = name.rsplit('/').next().unwrap_or(name);
    if let Some((_, tag)) = last.split_once(':') {
        return Some(tag);
    }
    let digest = digest?;
    let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
    let end = hex.char_indices().nth(12).map_or(hex.len(), |(at, _)| at);
    hex.get(..end)
}

impl Release {
    pub fn set_with_hash(&self, hash: &PodHash) -> Option<&ReplicaSet> {
        self.sets.iter().find(|set| set.hash.as_ref() == Some(hash))
    }

    fn version_of_hash(&self, hash: &PodHash) -> Version {
        match self.set_with_hash(hash) {
            Some(set) => Version {
                revision: Some(set.revision),
                hash: Some(hash.clone()),
                images: set.images.clone(),
            },
            None => Version {
                revision: None,
                hash: Some(hash.clone()),
                images: Arc::default(),
            },
        }
    }

    /// The version of the current template.
    pub fn current(&self) -> Version {
        let rollout = &self.rollout;
        match rollout.argo() {
            Some(argo) => {
                let mut version = argo.current_hash.as_ref().map_or(
                    Version {
                        revision: None,
                        hash: None,
                        images: Arc::default(),
                    },
                    |hash| self.version_of_hash(hash),
                );
                if version.images.is_empty() {
                    version.images.clone_from(&rollout.images);
                }
                version.revision = version.revision.or(rollout.revision);
                version
            }
            None => Version {
                revision: rollout.revision,
                hash: self
                    .sets
                    .first()
                    .filter(|set| Some(set.revision) == rollout.revision)
                    .and_then(|set| set.hash.clone()),
                images: rollout.images.clone(),
            },
        }
    }

    /// The version that serves now, where it is another one than the current template's.
    pub fn serving_before(&self) -> Option<Version> {
        match self.rollout.argo() {
            Some(argo) => {
                let stable = argo.stable_hash.as_ref()?;
                if argo.current_hash.as_ref() == Some(stable) {
                    return None;
                }
                Some(self.version_of_hash(stable))
            }
            None => {
                if self.rollout.phase == Phase::Healthy {
                    return None;
                }
                // While a Deployment rolls, the old version is the newest other ReplicaSet that still has pods.
                self.sets
                    .iter()
                    .find(|set| Some(set.revision) != self.rollout.revision && set.current > 0)
                    .map(|set| Version {
                        revision: Some(set.revision),
                        hash: set.hash.clone(),
                        images: set.images.clone(),
                    })
            }
        }
    }

    /// The newest revision before the current one: what a back out proposes where nothing better is known.
    pub fn previous(&self) -> Option<Version> {
        let current = self.current();
        self.sets
            .iter()
            .filter(|set| set.hash != current.hash && Some(set.revision) != current.revision)
            .max_by_key(|set| set.revision)
            .map(|set| Version {
                revision: Some(set.revision),
                hash: set.hash.clone(),
                images: set.images.clone(),
            })
    }

    /// Whether it is paused until a human decides.
    pub fn waits_for_human(&self) -> bool {
        let rollout = &self.rollout;
        if rollout.phase != Phase::Paused {
            return false;
        }
        if rollout.paused_by_hand() {
            return true;
        }
        let Some(argo) = rollout.argo() else {
            return false;
        };
        let timed = rollout.canary().is_some_and(|canary| {
            matches!(canary.current_step(), Some((_, Step::PauseFor { .. })))
        });
        let by_step = |condition: &PauseCondition| condition.reason == PauseReason::CanaryPauseStep;
        match argo.pause_conditions.as_slice() {
            [] => false,
            conditions => !timed || !conditions.iter().all(by_step),
        }
    }

    /// Which group it belongs to. `fresh` is whether its source is live enough to say so.
    pub fn group(&self, fresh: bool) -> Group {
        if !fresh {
            return Group::Unknown;
        }
        let rollout = &self.rollout;
        match &rollout.phase {
            Phase::Degraded => Group::Broken,
            Phase::Paused if self.waits_for_human() => Group::NeedsYou,
            Phase::Paused | Phase::Progressing => Group::Moving,
            Phase::Unknown(_) => Group::Unknown,
            Phase::Healthy => Group::Quiet,
        }
    }

    /// How much of the traffic the canary really has, in the vendor's units. Without traffic routing that is its share
    /// of the pods that can serve.
    pub fn actual_weight(&self) -> Option<i32> {
        let argo = self.rollout.argo()?;
        let weight = self.rollout.canary()?.weight;
        if weight.actual.is_some() {
            return weight.actual;
        }
        if self.rollout.fully_promoted() {
            return Some(0);
        }
        let canary = self.set_with_hash(argo.current_hash.as_ref()?)?;
        let share = i64::from(canary.available) * i64::from(weight.of);
        i32::try_from(share.checked_div(i64::from(self.rollout.replicas.available))?).ok()
    }

    /// Since when it is as it is.
    pub fn since(&self) -> Option<Timestamp> {
        let argo_since = self.rollout.argo().and_then(|argo| {
            if argo.aborted {
                argo.aborted_at
            } else {
                argo.pause_conditions
                    .iter()
                    .filter_map(|condition| condition.since)
                    .min()
            }
        });
        argo_since.or(self.rollout.since).map(Moment::time)
    }

    /// What the next promotion really does, in words; `None` where nothing can be promoted.
    pub fn next(&self) -> Option<String> {
        let argo = self.rollout.argo()?;
        if self.rollout.fully_promoted() {
            return None;
        }
        match &argo.strategy {
            ArgoStrategy::Canary(canary) => {
                let (index, _) = canary.current_step()?;
                Some(what_comes_next(
                    &canary.steps,
                    index + 1,
                    Some(canary.weight.set),
                ))
            }
            ArgoStrategy::BlueGreen(_) => {
                Some(format!("switch ALL traffic to {}", self.current().label()))
            }
            ArgoStrategy::Unknown => None,
        }
    }

    /// The state in words, without colour: what the Board's ROLLOUT column and the command line say.
    /// `may_act` decides between "waits for you" and "waits for a human".
    pub fn words(&self, now: Timestamp, may_act: bool) -> Cow<'_, str> {
        let rollout = &self.rollout;
        match &rollout.phase {
            Phase::Degraded if rollout.aborted() => match self.serving_before() {
                Some(version) => format!("aborted, {} serves 100 %", version.label()).into(),
                None => "aborted".into(),
            },
            Phase::Degraded => format!("degraded: {}", &*rollout.message).into(),
            Phase::Paused if rollout.paused_by_hand() => "paused by hand".into(),
            Phase::Paused => self.paused_words(now, may_act),
            Phase::Progressing => self.progressing_words(),
            Phase::Healthy => "healthy".into(),
            Phase::Unknown(said) if said.is_empty() => "unknown".into(),
            Phase::Unknown(said) => format!("unknown phase {}", &**said).into(),
        }
    }

    fn paused_words(&self, now: Timestamp, may_act: bool) -> Cow<'_, str> {
        let waits = if may_act {
            "waits for you"
        } else {
            "waits for a human"
        };
        let Some(argo) = self.rollout.argo() else {
            return waits.into();
        };
        if argo
            .pause_conditions
            .iter()
            .any(|c| c.reason == PauseReason::InconclusiveAnalysis)
        {
            return format!("analysis inconclusive, {waits}").into();
        }
        if argo
            .pause_conditions
            .iter()
            .any(|c| c.reason == PauseReason::InconclusiveExperiment)
        {
            return format!("experiment inconclusive, {waits}").into();
        }
        if let ArgoStrategy::BlueGreen(_) = argo.strategy {
            return format!("preview ready, 0 % of traffic, {waits}").into();
        }
        if let Some(canary) = self.rollout.canary()
            && let Some((
                _,
                Step::PauseFor {
                    seconds: Some(seconds),
                    ..
                },
            )) = canary.current_step()
            && let Some(started) = argo.pause_conditions.iter().filter_map(|c| c.since).min()
        {
            let end = started
                .time()
                .saturating_add(SignedDuration::from_secs(*seconds))
                .unwrap_or(now);
            let left = end.duration_since(now).as_secs().max(0);
            return format!(
                "{} left of {}",
                duration_words(left),
                duration_words(*seconds)
            )
            .into();
        }
        waits.into()
    }

    fn progressing_words(&self) -> Cow<'_, str> {
        let rollout = &self.rollout;
        if let Some(argo) = rollout.argo() {
            if argo.waiting_to_unpause() {
                return "going on".into();
            }
            if argo.promote_full {
                return format!(
                    "fully: {} of {} ready",
                    rollout.replicas.updated.min(rollout.replicas.available),
                    rollout.replicas.desired
                )
                .into();
            }
            if let Some(run) = argo.run(RunRole::Step)
                && !run.phase.is_final()
            {
                return "analysis runs".into();
            }
            if let Some(run) = argo.run(RunRole::Step)
                && run.phase == RunPhase::Inconclusive
            {
                return "analysis inconclusive".into();
            }
        }
        let replicas = rollout.replicas;
        if replicas.updated < replicas.desired || rollout.argo().is_none() {
            return format!(
                "{} of {} ready",
                replicas.updated.min(replicas.available),
                replicas.desired
            )
            .into();
        }
        if rollout.message.is_empty() {
            "progressing".into()
        } else {
            rollout.message.as_str().into()
        }
    }

    /// Sort key within the whole Board: group first, then the longest wait; quiet ones newest first.
    pub fn sort_key(&self, fresh: bool) -> (Group, SortAge) {
        let group = self.group(fresh);
        (group, self.age_in(group))
    }

    /// Its place within a group.
    pub fn age_in(&self, group: Group) -> SortAge {
        let since = self.since().map_or(i64::MAX, Timestamp::as_second);
        if group == Group::Quiet {
            SortAge::NewestFirst(Reverse(if since == i64::MAX { i64::MIN } else { since }))
        } else {
            SortAge::OldestFirst(since)
        }
    }

    /// The uid of the object, which is what an action is about.
    pub fn uid(&self) -> &Uid {
        &self.rollout.uid
    }

    pub fn is_rolling(&self) -> bool {
        match &self.rollout.workload {
            Workload::ArgoRollout(_) => !self.rollout.fully_promoted(),
            Workload::Deployment { .. } | Workload::StatefulSet | Workload::DaemonSet => {
                self.rollout.phase == Phase::Progressing
            }
        }
    }
}

/// Age as an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortAge {
    OldestFirst(i64),
    NewestFirst(Reverse<i64>),
}

/// `12s`, `4m`, `3h12m`, `2d`: short, for columns.
pub fn duration_words(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match seconds {
        0..=99 => format!("{seconds}s"),
        100..=5_999 => format!("{}m", seconds / 60),
        6_000..=35_999 => match (seconds % 3600) / 60 {
            0 => format!("{}h", seconds / 3600),
            minutes => format!("{}h{minutes}m", seconds / 3600),
        },
        36_000..=172_799 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}
