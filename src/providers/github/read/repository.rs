//! Everything told of one repository, in one go. What has ended is asked for once; what fails of it is named in its
//! place, and only a failure of the host fails the whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::{deployed_to, environments, filled, is_of_the_host, runs, waiting_runs, wire_jobs};
use crate::{
    model::{
        pipeline::{
            Commit, Conclusion, DeployedTo, Missing, Repository, RepositoryFacts, RepositoryWanted,
            Run, RunPhase, Workflows,
        },
        text::{Safe, sanitise},
    },
    providers::{
        github::map,
        http::{Server, Trouble},
    },
};

/// Runs in the list.
const RUNS: u32 = 20;
/// Workflows that are asked for by name; of more the repository is asked as a whole, so that a look costs no more.
const WORKFLOWS: usize = 2;
/// Runs that are looked into, of those that have not ended and wait at no gate.
const ACTIVE: usize = 10;
/// Of those that wait at one: what they wait for is what somebody may be asked to decide, however many run meanwhile.
const WAITING: usize = 30;
/// Of those that have.
const ENDED: usize = 2;

/// What need not be asked again.
#[derive(Debug, Default)]
pub struct Memory {
    /// Ended, with its jobs, by number.
    ended: BTreeMap<u64, Arc<Run>>,
    /// Two commits never compare differently.
    pub compared: BTreeSet<(Commit, Commit)>,
}

impl Memory {
    /// The same attempt, not touched since.
    fn find(&self, run: &Run) -> Option<Arc<Run>> {
        let known = self.ended.get(&run.id.number)?;
        (known.attempt == run.attempt && known.updated == run.updated && known.phase == run.phase)
            .then(|| Arc::clone(known))
    }

    /// `partly`: those with jobs that could not be read, which have to be told again.
    fn keep(&mut self, runs: &[Arc<Run>], partly: &BTreeSet<u64>) {
        self.ended = runs
            .iter()
            .filter(|run| run.phase.has_ended() && run.jobs.is_some())
            .filter(|run| !partly.contains(&run.id.number))
            .map(|run| (run.id.number, Arc::clone(run)))
            .collect();
    }
}

pub async fn repository(
    server: &Server,
    wanted: &RepositoryWanted,
    memory: &mut Memory,
) -> Result<RepositoryFacts, Trouble> {
    let repository = &wanted.repository;
    let mut missing = Missing::default();
    let Runs {
        mut all,
        unreadable,
        read_at,
    } = of_workflows(server, repository, &wanted.workflows, &mut missing.runs).await?;
    if unreadable > 0 {
        let words = format!("runs: {unreadable} cannot be read");
        missing.runs.push(sanitise(&words));
    }
    all.sort_by_key(|run| std::cmp::Reverse((run.created, run.id.number)));
    let (runs, partly) = look_into(server, all, memory, &mut missing.runs).await?;
    memory.keep(&runs, &partly);
    let deployed = deployed(server, wanted, &mut missing.deployments).await?;
    Ok(RepositoryFacts {
        repository: repository.clone(),
        read_at,
        runs,
        deployed,
        missing,
    })
}

/// The newest runs and those that wait.
struct Runs {
    all: Vec<Run>,
    unreadable: usize,
    /// Of the oldest answer.
    read_at: Timestamp,
}

impl Runs {
    fn add(&mut self, run: Run) {
        // The later answer knows better.
        match self.all.iter_mut().find(|known| known.id == run.id) {
            Some(known) => *known = run,
            None => self.all.push(run),
        }
    }

    fn join(&mut self, other: Self) {
        self.unreadable += other.unreadable;
        self.read_at = self.read_at.min(other.read_at);
        for run in other.all {
            self.add(run);
        }
    }
}

/// One workflow of two that cannot be read is named; where none can, the repository cannot.
async fn of_workflows(
    server: &Server,
    repository: &Repository,
    workflows: &Workflows,
    missing: &mut Vec<Safe>,
) -> Result<Runs, Trouble> {
    let mut files = match workflows {
        Workflows::Only(files) if files.len() <= WORKFLOWS => files.iter(),
        Workflows::Only(_) | Workflows::All => {
            return of_workflow(server, repository, None, missing).await;
        }
    };
    let first = files.next().map(String::as_str);
    let mut read = of_workflow(server, repository, first, missing).await;
    for file in files {
        if matches!(&read, Err(trouble) if is_of_the_host(trouble)) {
            return read;
        }
        let other = of_workflow(server, repository, Some(file), missing).await;
        read = match (read, other) {
            (_, Err(trouble)) if is_of_the_host(&trouble) => return Err(trouble),
            (Ok(mut read), Ok(other)) => {
                read.join(other);
                Ok(read)
            }
            (Ok(read), Err(trouble)) => {
                missing.push(not_read(file, &trouble));
                Ok(read)
            }
            (Err(trouble), Ok(read)) => {
                missing.push(not_read(first.unwrap_or_default(), &trouble));
                Ok(read)
            }
            (Err(trouble), Err(_)) => Err(trouble),
        };
    }
    read
}

fn not_read(file: &str, trouble: &Trouble) -> Safe {
    sanitise(&format!("the runs of {file}: {}", trouble.sentence()))
}

async fn of_workflow(
    server: &Server,
    repository: &Repository,
    file: Option<&str>,
    missing: &mut Vec<Safe>,
) -> Result<Runs, Trouble> {
    let listed = runs(server, repository, file, RUNS).await?;
    let mut found = Runs {
        all: listed.all,
        unreadable: listed.unreadable,
        read_at: listed.reply.at,
    };
    let waiting = waiting_runs(server, repository, file).await;
    if let Some(waiting) = part(waiting, "the waiting runs", missing)? {
        found.unreadable += waiting.unreadable;
        if waiting.goes_on {
            let read = waiting.all.len();
            missing.push(sanitise(&format!(
                "the waiting runs: there are more than the {read} that were read"
            )));
        }
        for run in waiting.all {
            found.add(run);
        }
    }
    Ok(found)
}

async fn look_into(
    server: &Server,
    all: Vec<Run>,
    memory: &Memory,
    missing: &mut Vec<Safe>,
) -> Result<(Vec<Arc<Run>>, BTreeSet<u64>), Trouble> {
    let (mut active, mut waiting, mut ended) = (0, 0, 0);
    let mut partly = BTreeSet::new();
    let mut runs = Vec::with_capacity(all.len());
    for run in all {
        let number = run.number;
        let looked = match &run.phase {
            // It has none, and asking would say so every time.
            RunPhase::Ended(Conclusion::StartupFailure) => Ok((map::with_jobs(run, &[]), None)),
            RunPhase::Ended(_) => {
                if let Some(known) = memory.find(&run) {
                    runs.push(known);
                    ended += 1;
                    continue;
                }
                ended += 1;
                if ended > ENDED {
                    Ok((run, None))
                } else {
                    let jobs = wire_jobs(server, &run).await;
                    jobs.map(|jobs| {
                        let gap = jobs.gap("of its jobs");
                        (map::with_jobs(run.clone(), &jobs.all), gap)
                    })
                    .map_err(|trouble| (run, trouble))
                }
            }
            phase => {
                let (count, most, are) = match phase {
                    RunPhase::WaitsAtGate => (&mut waiting, WAITING, "wait"),
                    _ => (&mut active, ACTIVE, "are under way"),
                };
                *count += 1;
                if *count > most {
                    missing.push(sanitise(&format!(
                        "jobs and gates of #{number}: {most} newer runs {are}"
                    )));
                    Ok((run, None))
                } else {
                    filled(server, run.clone())
                        .await
                        .map_err(|trouble| (run, trouble))
                }
            }
        };
        runs.push(Arc::new(match looked {
            Ok((run, gap)) => {
                if let Some(gap) = gap {
                    missing.push(sanitise(&format!("jobs of #{number}: {gap}")));
                    partly.insert(run.id.number);
                }
                run
            }
            Err((run, trouble)) => {
                part::<()>(
                    Err(trouble),
                    &format!("jobs and gates of #{number}"),
                    missing,
                )?;
                run
            }
        }));
    }
    Ok((runs, partly))
}

async fn deployed(
    server: &Server,
    wanted: &RepositoryWanted,
    missing: &mut Vec<Safe>,
) -> Result<Vec<DeployedTo>, Trouble> {
    let names: BTreeSet<&str> = wanted
        .environments
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let known = environments(server, &wanted.repository).await;
    let known = part(known, "the list of environments", missing)?;
    let gap = known.as_ref().and_then(|known| known.gap("of them"));
    if let Some(gap) = &gap {
        missing.push(sanitise(&format!("the list of environments: {gap}")));
    }
    // Of a list with gaps a name that is not on it may be there.
    let known = known.filter(|_| gap.is_none()).map(|known| known.all);
    let mut deployed = Vec::with_capacity(names.len());
    for name in names {
        if let Some(known) = &known
            && !known
                .iter()
                .any(|(_, other)| other.eq_ignore_ascii_case(name))
        {
            missing.push(sanitise(&format!(
                "environment {name}: the host knows none of that name; it has {}",
                words(known)
            )));
            continue;
        }
        let to = deployed_to(server, &wanted.repository, name).await;
        let what = format!("deployments to {name}");
        if let Some((to, gap)) = part(to, &what, missing)? {
            missing.extend(gap.map(|gap| sanitise(&format!("{what}: {gap}"))));
            deployed.push(to);
        }
    }
    Ok(deployed)
}

fn words(known: &[(u64, Safe)]) -> String {
    if known.is_empty() {
        return "none at all".to_owned();
    }
    let names: Vec<&str> = known.iter().take(8).map(|(_, name)| &**name).collect();
    names.join(", ")
}

/// A part that failed is named and left out; a failure of the host is one of the whole.
fn part<T>(
    read: Result<T, Trouble>,
    what: &str,
    missing: &mut Vec<Safe>,
) -> Result<Option<T>, Trouble> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(trouble) if is_of_the_host(&trouble) => Err(trouble),
        Err(trouble) => {
            missing.push(sanitise(&format!("{what}: {}", trouble.sentence())));
            Ok(None)
        }
    }
}

/// Which commits somebody will want to see between: what runs, and what comes, waits or was built last.
pub fn changes_wanted(facts: &RepositoryFacts, memory: &Memory) -> Vec<(Commit, Commit)> {
    /// Of one repository in one go.
    const AT_ONCE: usize = 4;
    let mut pairs: Vec<(Commit, Commit)> = Vec::new();
    for to in &facts.deployed {
        let Some(live) = to.live.as_ref().filter(|_| !to.taken_down) else {
            continue;
        };
        let waiting = facts.runs.iter().filter(|run| {
            run.gates
                .iter()
                .flatten()
                .any(|gate| gate.environment.eq_ignore_ascii_case(&to.environment))
        });
        let incoming = to.incoming.iter().map(|incoming| &incoming.commit);
        let coming = incoming
            .chain(waiting.map(|run| &run.commit))
            .chain(facts.runs.first().map(|run| &run.commit));
        for commit in coming {
            let pair = (live.commit.clone(), commit.clone());
            if *commit != live.commit && !memory.compared.contains(&pair) && !pairs.contains(&pair)
            {
                pairs.push(pair);
            }
        }
    }
    pairs.truncate(AT_ONCE);
    pairs
}
