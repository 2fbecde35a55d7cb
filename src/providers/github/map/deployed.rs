//! What runs in an environment, by the time of the success and not by the time of creation: one that was created earlier
//! may be approved later, and a run again deploys an old commit anew. `inactive` is not relied on: in production GitHub
//! does not set it.

use jiff::{SignedDuration, Timestamp};

use super::{name, safe};
use crate::{
    model::{
        pipeline::{Commit, Deployed, DeployedTo, DeploymentState},
        text::{Safe, sanitise_line},
    },
    providers::github::wire,
};

/// GitHub fails what waits for longer; a deployment that still says so was forgotten.
const INCOMING_WITHIN: SignedDuration = super::GATE_WAITS;

struct Seen<'a> {
    wire: &'a wire::Deployment,
    /// Newest first.
    statuses: Vec<&'a wire::DeploymentStatus>,
    succeeded: Option<Timestamp>,
}

/// `all`: the deployments to one environment with the statuses that were read of each.
pub fn deployed_to(
    environment: &Safe,
    all: &[(wire::Deployment, Vec<wire::DeploymentStatus>)],
    now: Timestamp,
) -> DeployedTo {
    let seen: Vec<Seen<'_>> = all
        .iter()
        .map(|(one, statuses)| see(one, statuses))
        .collect();
    let live = seen
        .iter()
        .filter(|seen| seen.succeeded.is_some())
        .max_by_key(|seen| (seen.succeeded, seen.wire.id));
    let since = live.and_then(|live| live.succeeded);
    let incoming = seen
        .iter()
        .filter(|seen| seen.is_incoming(live, now))
        .max_by_key(|seen| (seen.at(), seen.wire.id));
    let failed = seen
        .iter()
        .filter(|seen| {
            matches!(
                seen.state(),
                DeploymentState::Failure | DeploymentState::Error
            )
        })
        .filter(|seen| since.is_none() || seen.at() > since)
        .max_by_key(|seen| (seen.at(), seen.wire.id));
    DeployedTo {
        environment: environment.clone(),
        taken_down: live.is_some_and(|live| live.state() == DeploymentState::Inactive),
        live: live.and_then(Seen::deployed),
        incoming: incoming.and_then(Seen::deployed),
        failed_since: failed.and_then(Seen::deployed),
    }
}

/// When it last succeeded.
pub fn succeeded_at(statuses: &[wire::DeploymentStatus]) -> Option<Timestamp> {
    statuses
        .iter()
        .filter(|status| status.state.as_deref() == Some("success"))
        .filter_map(|status| status.created_at)
        .max()
}

fn see<'a>(wire: &'a wire::Deployment, statuses: &'a [wire::DeploymentStatus]) -> Seen<'a> {
    let succeeded = succeeded_at(statuses);
    let mut statuses: Vec<&wire::DeploymentStatus> = statuses.iter().collect();
    statuses.sort_by_key(|status| std::cmp::Reverse((status.created_at, status.id)));
    Seen {
        wire,
        statuses,
        succeeded,
    }
}

impl Seen<'_> {
    /// Without any status it has only been asked for.
    fn state(&self) -> DeploymentState {
        self.statuses
            .first()
            .map_or(DeploymentState::Pending, |status| {
                state(status.state.as_deref())
            })
    }

    fn at(&self) -> Option<Timestamp> {
        self.statuses
            .first()
            .and_then(|status| status.created_at)
            .or(self.wire.created_at)
    }

    /// Not ended. One that waits at a gate may be older than what runs and still come; one that only says that it is in
    /// progress while something later has succeeded was abandoned.
    fn is_incoming(&self, live: Option<&Seen<'_>>, now: Timestamp) -> bool {
        let recent = self
            .at()
            .is_none_or(|at| now.duration_since(at) < INCOMING_WITHIN);
        let after_live = live.is_none_or(|live| {
            live.wire.id != self.wire.id
                && (self.wire.id > live.wire.id || self.at() > live.succeeded)
        });
        match self.state() {
            DeploymentState::Waiting => recent,
            DeploymentState::InProgress | DeploymentState::Queued | DeploymentState::Pending => {
                recent && after_live
            }
            _ => false,
        }
    }

    /// `None` where its commit is not told.
    fn deployed(&self) -> Option<Deployed> {
        let newest = self.statuses.first();
        Some(Deployed {
            id: self.wire.id,
            commit: Commit::new(self.wire.sha.as_deref()?)?,
            reference: safe(self.wire.reference.as_deref()),
            state: self.state(),
            at: self.at(),
            by: newest
                .and_then(|status| status.creator.as_ref())
                .or(self.wire.creator.as_ref())
                .and_then(name),
        })
    }
}

fn state(word: Option<&str>) -> DeploymentState {
    match word {
        Some("success") => DeploymentState::Success,
        Some("in_progress") => DeploymentState::InProgress,
        Some("queued") => DeploymentState::Queued,
        Some("pending") => DeploymentState::Pending,
        Some("waiting") => DeploymentState::Waiting,
        Some("failure") => DeploymentState::Failure,
        Some("error") => DeploymentState::Error,
        Some("inactive") => DeploymentState::Inactive,
        other => DeploymentState::Unknown(sanitise_line(other.unwrap_or_default(), 40)),
    }
}
