//! The repositories of a scenario's services, and when their pipelines ran.
//!
//! Must never move a release: a pipeline begins as long before it as its stages take.

use std::sync::Arc;
use std::time::Duration;

use super::{Deed, Line, kind};
use crate::demo::clock::Moment;
use crate::demo::cluster::Cluster;
use crate::demo::pipeline::{self, Founding, number};
use crate::demo::scenario::{Scenario, Service, What};
use crate::demo::store::Key;

/// How many runs of branches there are for each repository.
const CI_RUNS: u64 = 3;

fn gated(service: &Service) -> bool {
    service
        .story
        .iter()
        .any(|entry| matches!(&entry.what, What::Pipeline(pipeline) if pipeline.waits.is_some()))
}

/// When the run of each version begins, oldest first.
fn versions(service: &Service) -> Vec<(String, Moment)> {
    let mut versions: Vec<(String, Moment)> = service
        .story
        .iter()
        .filter_map(|entry| {
            let at = entry.when.moment();
            match &entry.what {
                What::Release(release) => {
                    let lead = pipeline::lead(&service.name, &release.version, gated(service));
                    Some((release.version.clone(), at.before(lead)))
                }
                What::Pipeline(wanted) if wanted.waits.is_some() => Some((
                    wanted.version.clone(),
                    at.before(pipeline::until_gate(&service.name)),
                )),
                What::Pipeline(wanted) => Some((wanted.version.clone(), at)),
                What::Act(_) | What::Alert(_) => None,
            }
        })
        .collect();
    versions.sort_by_key(|(_, at)| *at);
    versions
}

pub(super) fn found(cluster: &mut Cluster, scenario: &Scenario, service: &Service, hostile: bool) {
    cluster.pipelines.found(&Founding {
        name: &service.name,
        environment: &scenario.environment,
        gated: gated(service),
        workload: Key::new(kind(service.kind), &service.namespace, &service.name),
        versions: &versions(service),
        hostile,
    });
}

pub(super) fn tell(service: &Arc<Service>, told: &mut Vec<(Moment, Line)>) {
    let line = |what: Deed| Line {
        service: Arc::clone(service),
        what,
    };
    for entry in &service.story {
        let at = entry.when.moment();
        let (begins, what) = match &entry.what {
            What::Release(release) => {
                let lead = pipeline::lead(&service.name, &release.version, gated(service));
                (at.before(lead), Deed::Begin(release.version.clone(), at))
            }
            What::Pipeline(wanted) if wanted.waits.is_some() => {
                let lead = pipeline::until_gate(&service.name);
                (at.before(lead), Deed::Pipeline(wanted.clone()))
            }
            What::Pipeline(wanted) => (at, Deed::Pipeline(wanted.clone())),
            What::Act(_) | What::Alert(_) => continue,
        };
        told.push((begins, line(what)));
    }
    let drawn = number(&service.name);
    for run in 0..CI_RUNS {
        let minutes =
            25 + drawn.rotate_left(u32::try_from(run * 9).unwrap_or(0)) % (900 * (run + 1));
        let at = Moment::OPENING.before(Duration::from_secs(minutes * 60));
        let what = Deed::Ci(drawn.wrapping_add(run));
        told.push((at, line(what)));
    }
}
