//! What the sources beside the clusters are asked for: which repositories, and the metrics of which releases. What is on
//! the screen or moving is asked often, the rest seldom, and what nobody's release is joined to not at all.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Beside, SourceKind};
use crate::{
    app::releases::Releases,
    model::{
        id::{EnvironmentName, ReleaseId},
        metrics::{About, MetricsWanted},
        pipeline::{Repository, RepositoryWanted},
        release::Release,
    },
};

/// A version that finished longer ago is not compared with what was before it.
const COMPARED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// Of one repository: many services can be built from it.
const COMPARED_AT_MOST: usize = 8;
/// Releases whose metrics are asked for without anybody looking at them.
pub const MOVING_ASKED_AT_MOST: usize = 20;

impl Beside {
    /// Which repositories are to be read; `None` where nothing changed since it was last asked for.
    pub fn want_repositories(
        &mut self,
        releases: &Releases,
        looked_at: &[ReleaseId],
    ) -> Option<Vec<RepositoryWanted>> {
        if !self.has(SourceKind::GitHub) {
            return None;
        }
        let mut wanted: BTreeMap<(Repository, Option<String>), RepositoryWanted> = BTreeMap::new();
        for (_, release) in releases.iter() {
            let id = &release.rollout.id;
            let Some(joined) = self.services.pipeline(&release.rollout) else {
                continue;
            };
            let rule = joined.to;
            let entry = wanted
                .entry((rule.repository.clone(), rule.workflow.clone()))
                .or_insert_with(|| RepositoryWanted {
                    repository: rule.repository,
                    workflow: rule.workflow,
                    closely: false,
                    environments: Vec::new(),
                    compare: Vec::new(),
                });
            entry.closely |= release.is_rolling() || looked_at.contains(id);
            if let Some(pair) = self.versions_to_compare(release)
                && !entry.compare.contains(&pair)
                && entry.compare.len() < COMPARED_AT_MOST
            {
                entry.compare.push(pair);
            }
            for theirs in self.services.their_names(&id.environment) {
                let pair = (theirs, id.environment.clone());
                if !entry.environments.contains(&pair) {
                    entry.environments.push(pair);
                }
            }
        }
        // A run that moves is worth looking at, whoever's it is.
        for entry in wanted.values_mut() {
            let moves = self
                .repositories
                .get(&entry.repository)
                .and_then(|view| view.facts.as_ref())
                .is_some_and(|facts| facts.runs.iter().any(|run| !run.phase.has_ended()));
            entry.closely |= moves;
        }
        let wanted: Vec<RepositoryWanted> = wanted.into_values().collect();
        (wanted != self.wanted_repositories).then(|| {
            self.wanted_repositories.clone_from(&wanted);
            wanted
        })
    }

    /// Whose metrics are to be read; `None` where nothing changed since it was last asked for.
    pub fn want_metrics<'a>(
        &mut self,
        now: Timestamp,
        closely: impl Iterator<Item = &'a Release>,
        seldom: impl Iterator<Item = &'a Release>,
    ) -> Option<Vec<MetricsWanted>> {
        if !self.has(SourceKind::Prometheus) {
            return None;
        }
        let mut wanted: Vec<MetricsWanted> = Vec::new();
        let with = closely
            .map(|release| (release, true))
            .chain(seldom.map(|release| (release, false)));
        for (release, closely) in with {
            let id = &release.rollout.id;
            if self
                .source(SourceKind::Prometheus, &id.environment)
                .is_none()
                || wanted.iter().any(|other| other.release == *id)
            {
                continue;
            }
            if let Some((about, since)) = about(release, now) {
                wanted.push(MetricsWanted {
                    release: id.clone(),
                    about,
                    since,
                    closely,
                });
            }
        }
        (wanted != self.wanted_metrics).then(|| {
            self.wanted_metrics.clone_from(&wanted);
            let keep: Vec<&ReleaseId> = wanted.iter().map(|wanted| &wanted.release).collect();
            // What nobody asks for any more would only grow old.
            self.metrics.retain(|id, _| keep.contains(&id));
            wanted
        })
    }
}

/// What is put beside what, and where the counting begins.
fn about(release: &Release, now: Timestamp) -> Option<(About, Timestamp)> {
    let current = release.current().hash;
    let before = release.serving_before().and_then(|version| version.hash);
    if let (Some(canary), Some(stable)) = (current, before)
        && canary != stable
    {
        let since = release
            .set_with_hash(&canary)
            .and_then(|set| set.created)
            .or_else(|| release.since())?;
        return Some((About::CanaryAndStable { canary, stable }, since));
    }
    let at = release.since()?;
    (now.duration_since(at) < COMPARED_FOR).then_some((About::BeforeAndAfter { at }, at))
}

impl crate::app::services::Services {
    /// What the CI host may call an environment of ours.
    pub fn their_names(&self, ours: &EnvironmentName) -> Vec<String> {
        let configured: Vec<String> = self.names_of(ours);
        if configured.is_empty() {
            vec![ours.to_string()]
        } else {
            configured
        }
    }
}
