//! What the sources beside the clusters are asked for: which repositories, and the metrics of which releases. What is on
//! the screen or moving is asked often, the rest seldom, and what nobody's release is joined to not at all.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Beside, SourceKind};
use crate::{
    app::{releases::Releases, services::PipelineRule},
    model::{
        id::{EnvironmentName, ReleaseId},
        metrics::{About, MetricsWanted},
        pipeline::{Attention, Repository, RepositoryWanted, Workflows},
        release::Release,
    },
};

/// A version that finished longer ago is not compared with what was before it.
const COMPARED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// Between two looks at what is wanted of the CI host, where nothing asks for one.
const THOUGHT_OF_EVERY: SignedDuration = SignedDuration::from_secs(5);
/// Of one repository: many services can be built from it.
const COMPARED_AT_MOST: usize = 8;
/// Releases whose metrics are asked for without anybody looking at them.
pub const MOVING_ASKED_AT_MOST: usize = 20;

impl Beside {
    /// Which repositories are to be read; `None` where nothing changed since it was last asked for.
    pub fn want_repositories(
        &mut self,
        now: Timestamp,
        releases: &Releases,
        looked_at: &[ReleaseId],
    ) -> Option<Vec<RepositoryWanted>> {
        if !self.has(SourceKind::GitHub) {
            return None;
        }
        // It looks at every release, so not for each fact: when the joins are new, when something else is looked at, and
        // now and then, because a release that begins to move is worth asking for more often.
        if let Some((at, looked_at_then)) = &self.thought_of
            && now.duration_since(*at) < THOUGHT_OF_EVERY
            && looked_at_then == looked_at
        {
            return None;
        }
        self.thought_of = Some((now, looked_at.to_vec()));
        // What is configured and joined to no workload has gates too: they are shown, and are nobody's.
        // One wish for each repository: the host is asked for it once, whichever workflows matter to whom.
        let mut wanted: BTreeMap<Repository, RepositoryWanted> = BTreeMap::new();
        for rule in self.services.pipelines() {
            of_rule(&mut wanted, &rule);
        }
        for (_, release) in releases.iter() {
            let id = &release.rollout.id;
            let Some(joined) = self.services.pipeline(&release.rollout) else {
                continue;
            };
            let entry = of_rule(&mut wanted, &joined.to);
            entry.attention = entry.attention.max(match () {
                () if looked_at.contains(id) => Attention::LookedAt,
                () if release.is_rolling() => Attention::Moving,
                () => Attention::Quiet,
            });
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
            if moves {
                entry.attention = entry.attention.max(Attention::Moving);
            }
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

/// The wish for the repository of a rule, which is for its workflow too.
fn of_rule<'a>(
    wanted: &'a mut BTreeMap<Repository, RepositoryWanted>,
    rule: &PipelineRule,
) -> &'a mut RepositoryWanted {
    let workflows = Workflows::of(rule.workflow.as_deref());
    let entry = wanted
        .entry(rule.repository.clone())
        .or_insert_with(|| RepositoryWanted {
            repository: rule.repository.clone(),
            workflows: workflows.clone(),
            attention: Attention::Quiet,
            environments: Vec::new(),
            compare: Vec::new(),
        });
    entry.workflows.join(&workflows);
    entry
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
            .and_then(|set| Some(set.created?.time()))
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
