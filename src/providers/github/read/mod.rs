//! Reading: one question each, with the pages and the harmless redirects that belong to it. Writes nothing; whoever asks
//! decides what a failure means.

mod access;
mod repository;
#[cfg(test)]
mod tests;

use serde::de::DeserializeOwned;

use super::{map, requests, wire};
use crate::{
    model::{
        pipeline::{Changes, Commit, DeployedTo, Job, Repository, Review, Run, RunId, RunRead},
        text::{Safe, sanitise},
    },
    providers::http::{Reply, Server, Trouble, Why},
};

pub use access::{Access, repository_access};
pub use repository::{Memory, changes_wanted, repository};

/// Of jobs: a run has at most a few hundred.
const PAGES: usize = 10;

/// Of a renamed repository: the old name leads to the new place, and that may have moved once more.
const REDIRECTS: usize = 2;

/// Deployments of one environment that are looked at.
const DEPLOYMENTS: u32 = 30;

/// Of these, how many are asked for their statuses at most.
const STATUSES: usize = 12;

/// A list as far as it was read.
#[derive(Debug)]
pub struct Listed<T> {
    pub all: Vec<T>,
    /// Elements that could not be read.
    pub unreadable: usize,
    /// Whether there are more pages than were asked for.
    pub goes_on: bool,
    pub reply: Reply,
}

impl<T> Listed<T> {
    /// What of it is not there, as words about `what`.
    pub fn gap(&self, what: &str) -> Option<String> {
        let unreadable = self.unreadable;
        match (unreadable > 0, self.goes_on) {
            (false, false) => None,
            (true, _) => Some(format!("{unreadable} {what} cannot be read")),
            (false, true) => Some(format!(
                "there are more than the {} {what} that were read",
                self.all.len()
            )),
        }
    }
}

/// A read. One whose connection broke is asked once more: balancers close connections, and it changes nothing. A renamed
/// repository answers with its new place: followed within the origin, which is no other host.
async fn get(server: &Server, path: &str) -> Result<Reply, Trouble> {
    let mut answered = server.get(path, requests::JSON).await;
    if matches!(&answered, Err(trouble) if matches!(trouble.why(), Why::Lost { .. })) {
        answered = server.get(path, requests::JSON).await;
    }
    for _ in 0..REDIRECTS {
        let Err(trouble) = &answered else { break };
        let (Some(301 | 302 | 307 | 308), Some(location)) = (trouble.status(), trouble.location())
        else {
            break;
        };
        answered = server.follow(location.url(), requests::JSON).await;
    }
    answered
}

async fn one<T: DeserializeOwned>(server: &Server, path: &str) -> Result<(T, Reply), Trouble> {
    let reply = get(server, path).await?;
    Ok((reply.json()?, reply))
}

/// All pages. Their links are followed verbatim: GitHub changes the path in them.
async fn pages<L: DeserializeOwned, T>(
    server: &Server,
    path: &str,
    of: impl Fn(L) -> wire::Each<T>,
) -> Result<Listed<T>, Trouble> {
    let reply = get(server, path).await?;
    let first = of(reply.json()?);
    let mut listed = Listed {
        all: first.all,
        unreadable: first.unreadable,
        goes_on: false,
        reply,
    };
    let mut next = listed.reply.link("next");
    for _ in 1..PAGES {
        let Some(link) = next else { break };
        let reply = server.follow(&link, requests::JSON).await?;
        next = reply.link("next");
        let more = of(reply.json()?);
        listed.all.extend(more.all);
        listed.unreadable += more.unreadable;
    }
    listed.goes_on = next.is_some();
    Ok(listed)
}

/// Who the token is of, and what the server says it is.
pub async fn user(server: &Server) -> Result<(Safe, Option<Safe>), Trouble> {
    let (user, reply): (wire::User, _) = one(server, requests::USER).await?;
    let version = reply.header("x-github-enterprise-version").map(sanitise);
    let name = map::name(&user).ok_or_else(|| reply.malformed("it does not say who we are"))?;
    Ok((name, version))
}

/// The API versions that the server knows; an older one does not tell.
pub async fn versions(server: &Server) -> Result<Vec<String>, Trouble> {
    Ok(one(server, requests::VERSIONS).await?.0)
}

pub async fn run(server: &Server, id: &RunId) -> Result<(Run, Reply), Trouble> {
    let (run, reply): (wire::Run, _) = one(server, &requests::run(id)).await?;
    let read = map::run(&run, &id.repository);
    match read.filter(|run| run.id.number == id.number) {
        Some(run) => Ok((run, reply)),
        None => {
            Err(reply.malformed("it is not the run that was asked for, or its commit is not told"))
        }
    }
}

async fn wire_jobs(server: &Server, run: &Run) -> Result<Listed<wire::Job>, Trouble> {
    let path = requests::jobs(&run.id, run.attempt);
    pages(server, &path, |jobs: wire::Jobs| jobs.jobs).await
}

pub async fn job(server: &Server, repository: &Repository, job: u64) -> Result<Job, Trouble> {
    let (job, _): (wire::Job, _) = one(server, &requests::job(repository, job)).await?;
    Ok(map::job(&job, 1))
}

async fn pending(server: &Server, id: &RunId) -> Result<Vec<wire::PendingDeployment>, Trouble> {
    let path = requests::pending_deployments(id);
    let (pending, reply): (wire::Each<wire::PendingDeployment>, _) = one(server, &path).await?;
    // A gate that cannot be read must not look like no gate.
    if pending.unreadable > 0 {
        return Err(reply.malformed("a gate of the run cannot be read"));
    }
    Ok(pending.all)
}

pub async fn approvals(server: &Server, id: &RunId) -> Result<Vec<Review>, Trouble> {
    let (reviews, _): (wire::Each<wire::Approval>, _) =
        one(server, &requests::approvals(id)).await?;
    Ok(reviews.all.iter().map(map::review).collect())
}

/// A run with its jobs and gates, and which of the jobs are not among them.
async fn filled(server: &Server, run: Run) -> Result<(Run, Option<String>), Trouble> {
    let (jobs, pending) = futures::try_join!(wire_jobs(server, &run), pending(server, &run.id))?;
    let gap = jobs.gap("of its jobs");
    let gates = map::gates(&run, &jobs.all, &pending);
    let mut run = map::with_jobs(run, &jobs.all);
    run.gates = Some(gates);
    Ok((run, gap))
}

/// The run as an action rests on it. What is asked for its gates says nothing of an attempt, so the run is read before
/// and after: one that was started again in between is read anew.
pub async fn run_read(server: &Server, id: &RunId) -> Result<RunRead, Trouble> {
    let server = &server.urgent();
    let (mut before, mut reply) = run(server, id).await?;
    for _ in 0..2 {
        let ((filled, gap), reviews) =
            futures::try_join!(filled(server, before.clone()), approvals(server, id))?;
        // What an approval releases and what a cancel breaks off is told before it is done, all of it.
        if let Some(gap) = gap {
            return Err(reply.malformed(&gap));
        }
        let (after, again) = run(server, id).await?;
        if (after.attempt, &after.commit, &after.phase)
            == (before.attempt, &before.commit, &before.phase)
        {
            return Ok(RunRead {
                run: filled,
                reviews,
                read_at: reply.at,
            });
        }
        (before, reply) = (after, again);
    }
    Err(reply.malformed("the run changes faster than it can be read; try again"))
}

/// The newest runs, of one workflow or of all.
pub async fn runs(
    server: &Server,
    repository: &Repository,
    workflow: Option<&str>,
    count: u32,
) -> Result<Listed<Run>, Trouble> {
    let path = requests::runs(repository, workflow, count);
    let (runs, reply): (wire::Runs, _) = one(server, &path).await?;
    let runs = runs.workflow_runs;
    // Older ones are not wanted, so there being more is no gap.
    let listed = Listed {
        all: runs.all,
        unreadable: runs.unreadable,
        goes_on: false,
        reply,
    };
    Ok(of_runs(listed, repository))
}

/// The runs that wait at a gate, whenever they began.
pub async fn waiting_runs(
    server: &Server,
    repository: &Repository,
    workflow: Option<&str>,
) -> Result<Listed<Run>, Trouble> {
    let path = requests::waiting_runs(repository, workflow);
    let listed = pages(server, &path, |runs: wire::Runs| runs.workflow_runs).await?;
    Ok(of_runs(listed, repository))
}

fn of_runs(listed: Listed<wire::Run>, repository: &Repository) -> Listed<Run> {
    let found = listed.all.len();
    let all: Vec<Run> = listed
        .all
        .iter()
        .filter_map(|run| map::run(run, repository))
        .collect();
    Listed {
        unreadable: listed.unreadable + found - all.len(),
        all,
        goes_on: listed.goes_on,
        reply: listed.reply,
    }
}

/// Ids and names.
pub async fn environments(
    server: &Server,
    repository: &Repository,
) -> Result<Listed<(u64, Safe)>, Trouble> {
    let path = requests::environments(repository);
    let listed = pages(server, &path, |page: wire::Environments| page.environments).await?;
    let name = |it: &wire::Environment| sanitise(it.name.as_deref().unwrap_or_default());
    Ok(Listed {
        all: listed.all.iter().map(|it| (it.id, name(it))).collect(),
        unreadable: listed.unreadable,
        goes_on: listed.goes_on,
        reply: listed.reply,
    })
}

/// What runs in one environment, and why that may not be all. Statuses are asked for from the deployment changed last,
/// until none of the rest can have succeeded later than the best one found.
pub async fn deployed_to(
    server: &Server,
    repository: &Repository,
    environment: &str,
) -> Result<(DeployedTo, Option<String>), Trouble> {
    let path = requests::deployments(repository, environment, DEPLOYMENTS);
    let (listed, reply): (wire::Each<wire::Deployment>, _) = one(server, &path).await?;
    if listed.unreadable > 0 {
        return Err(reply.malformed("a deployment cannot be read, and it may be the one that runs"));
    }
    let mut all = listed.all;
    // One whose change is not told may be the newest.
    all.sort_by_key(|it| std::cmp::Reverse((it.updated_at.is_none(), it.updated_at, it.id)));
    let mut seen: Vec<(wire::Deployment, Vec<wire::DeploymentStatus>)> = Vec::new();
    let (mut best, mut gap) = (None, None);
    let goes_on = reply.link("next").is_some() || all.len() > STATUSES;
    for deployment in all.into_iter().take(STATUSES) {
        if best.is_some() && deployment.updated_at.is_some() && deployment.updated_at < best {
            break;
        }
        let path = requests::deployment_statuses(repository, deployment.id);
        let of = |statuses: wire::Each<wire::DeploymentStatus>| statuses;
        let statuses = pages(server, &path, of).await?;
        gap = gap.or_else(|| statuses.gap("of the statuses of one"));
        best = best.max(map::succeeded_at(&statuses.all));
        seen.push((deployment, statuses.all));
    }
    if best.is_none() && goes_on {
        let words = format!(
            "none of the newest {} succeeded, and there are more",
            seen.len()
        );
        gap = gap.or(Some(words));
    }
    let to = map::deployed_to(&sanitise(environment), &seen, server.now());
    Ok((to, gap))
}

/// The commits from one version to another: of many, the newest two hundred.
pub async fn compare(
    server: &Server,
    repository: &Repository,
    from: &Commit,
    to: &Commit,
) -> Result<Changes, Trouble> {
    let path = requests::compare(repository, from, to);
    let (first, reply): (wire::Comparison, _) = one(server, &path).await?;
    let Some(last) = reply.link("last") else {
        return Ok(map::changes(from, to, &first, &first.commits.all));
    };
    // Pages are oldest first, so the newest are on the last one, and the one before may be this one.
    let reply = server.follow(&last, requests::JSON).await?;
    let mut newest: wire::Comparison = reply.json()?;
    let before = match reply.link("prev") {
        Some(link) => server.follow(&link, requests::JSON).await?.json()?,
        None => first,
    };
    let commits = [before.commits.all, std::mem::take(&mut newest.commits.all)].concat();
    Ok(map::changes(from, to, &newest, &commits))
}

/// A failure that is of the host and not of one repository: nothing else would fare better.
pub fn is_of_the_host(trouble: &Trouble) -> bool {
    matches!(
        trouble.why(),
        Why::Unreachable { .. }
            | Why::Login { .. }
            | Why::Held { .. }
            | Why::Unauthorized(_)
            | Why::RateLimited { .. }
    )
}
