//! A day with a hundred repositories: what it costs the host's budget, and how old a fact gets. The looks, the client
//! with its conditional requests and the schedule are the program's own; the time is simulated, so a day is a minute.

mod github;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::Instant;
use windlass::{
    config::SecretSource,
    model::pipeline::{Attention, Repository, RepositoryFacts, RepositoryWanted, Workflows},
    providers::{
        github::source::{
            Known, is_same, look,
            schedule::{Outcome, Schedule},
        },
        http::{Credential, Limits, Server, Setup},
    },
};

use self::github::{GitHub, OPENING, Release, releases};
use crate::table::{figure, head};

const REPOSITORIES: u64 = 100;
const DAY: i64 = 24 * 3600;
/// As the program reads them.
const AT_ONCE: usize = 4;
/// What is left to a human, as the program leaves it.
const RESERVE: u64 = 100;
/// So long a rollout goes on after its run has ended.
const ROLLS_FOR: i64 = 20 * 60;
/// Somebody has this one open all day.
const OPENED: u64 = 17;

/// The longest time between two looks, in seconds: of the one that is open, while something moved, and otherwise.
#[derive(Default)]
struct Ages {
    open: i64,
    moving: i64,
    other: i64,
}

struct Day {
    server: Server,
    github: GitHub,
    clock: Arc<AtomicI64>,
    schedule: Schedule,
    begun: Instant,
    known: BTreeMap<Repository, Known>,
    facts: BTreeMap<Repository, RepositoryFacts>,
    /// When each was looked at last, and whether closely.
    looked: BTreeMap<u64, (i64, bool)>,
    ages: Ages,
    looks: u64,
    held: u64,
    /// Gates: how long each had waited when it was first seen.
    unseen: Vec<i64>,
}

pub(crate) fn print() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let day = runtime.block_on(async {
        let mut day = Day::begin().await;
        while day.goes_on().await {}
        day
    });
    day.report();
}

fn name(repository: u64) -> Repository {
    Repository::new(&format!("acme/service-{repository}")).unwrap()
}

impl Day {
    async fn begin() -> Self {
        let (github, base) = GitHub::start().await;
        let clock = Arc::new(AtomicI64::new(0));
        let ours = Arc::clone(&clock);
        let server = Server::with(Setup {
            base,
            credential: Credential::Bearer(SecretSource::Env("TOKEN".to_owned())),
            headers: Vec::new(),
            authority: None,
            limits: Limits {
                reserve: RESERVE,
                ..Limits::default()
            },
            clock: Arc::new(move || {
                Timestamp::from_second(OPENING + ours.load(Ordering::Relaxed)).unwrap()
            }),
            variables: Arc::new(|_| Some("token".to_owned())),
        })
        .unwrap();
        Self {
            server,
            github,
            clock,
            schedule: Schedule::new(Some(1)),
            begun: Instant::now(),
            known: BTreeMap::new(),
            facts: BTreeMap::new(),
            looked: BTreeMap::new(),
            ages: Ages::default(),
            looks: 0,
            held: 0,
            unseen: Vec::new(),
        }
    }

    fn at(&self, instant: Instant) -> i64 {
        i64::try_from((instant - self.begun).as_secs()).unwrap()
    }

    /// What the screen would ask for: closely what is open, has a run that moves, or rolls out.
    fn wanted(&self, now: i64) -> Vec<RepositoryWanted> {
        (0..REPOSITORIES)
            .map(|repository| {
                let repository_name = name(repository);
                let moves = self
                    .facts
                    .get(&repository_name)
                    .is_some_and(|facts| facts.runs.iter().any(|run| !run.phase.has_ended()));
                let rolls = releases(repository)
                    .iter()
                    .any(|release| (release.ends()..release.ends() + ROLLS_FOR).contains(&now));
                RepositoryWanted {
                    repository: repository_name,
                    workflows: Workflows::of(Some("release.yml")),
                    attention: match repository {
                        OPENED => Attention::LookedAt,
                        _ if moves || rolls => Attention::Moving,
                        _ => Attention::Quiet,
                    },
                    environments: vec![("prod-eu".to_owned(), "prod-eu".into())],
                    compare: Vec::new(),
                }
            })
            .collect()
    }

    /// To the next thing that is due.
    async fn goes_on(&mut self) -> bool {
        let instant = self
            .schedule
            .next()
            .unwrap_or(self.begun)
            .max(self.begun + Duration::from_secs(self.now()));
        let now = self.at(instant);
        if now >= DAY {
            return false;
        }
        self.clock.store(now, Ordering::Relaxed);
        self.github.counted.lock().unwrap().now = now;
        let wanted = self.wanted(now);
        self.schedule.want(&wanted, instant);
        let due = self.schedule.due(instant, AT_ONCE);
        let looks = due.into_iter().map(|wanted| {
            let known = self.known.remove(&wanted.repository).unwrap_or_default();
            look(self.server.clone(), wanted, known)
        });
        for look in futures::future::join_all(looks).await {
            self.looked(look, now, instant, &wanted);
        }
        true
    }

    fn now(&self) -> u64 {
        u64::try_from(self.clock.load(Ordering::Relaxed)).unwrap()
    }

    fn looked(
        &mut self,
        look: windlass::providers::github::source::Look,
        now: i64,
        instant: Instant,
        wanted: &[RepositoryWanted],
    ) {
        self.looks += 1;
        let repository = look.repository;
        self.known.insert(repository.clone(), look.known);
        match look.facts {
            Ok(facts) => {
                assert_eq!(facts.missing.all().count(), 0, "{:?}", facts.missing);
                let same = self
                    .facts
                    .get(&repository)
                    .is_some_and(|one| is_same(one, &facts));
                let outcome = if same {
                    Outcome::Unchanged
                } else {
                    Outcome::Changed
                };
                self.schedule.done(&repository, outcome, instant);
                self.aged(&repository, now, wanted);
                self.facts.insert(repository, facts);
            }
            Err(trouble) => {
                // Only the budget can be the reason here: what else fails is a mistake of this figure.
                let until = self.server.budget().held_until;
                let until = until.unwrap_or_else(|| panic!("{}", trouble.sentence()));
                self.held += 1;
                let wait = (until.as_second() - OPENING - now).max(1);
                let wait = Duration::from_secs(u64::try_from(wait).unwrap());
                self.schedule.hold(instant + wait);
                self.schedule.not_asked(&repository);
            }
        }
        self.schedule.budget(&self.server.budget());
    }

    /// How old what was known had become, just before this look, and since when a gate has waited unseen.
    fn aged(&mut self, repository: &Repository, now: i64, wanted: &[RepositoryWanted]) {
        let number: u64 = repository
            .as_str()
            .rsplit('-')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let closely = wanted
            .iter()
            .any(|one| one.repository == *repository && one.attention > Attention::Quiet);
        if let Some((before, was_closely)) = self.looked.insert(number, (now, closely)) {
            let age = now - before;
            // One that begins to move was known as old as a quiet one.
            if number == OPENED {
                self.ages.open = self.ages.open.max(age);
            } else if was_closely && closely {
                self.ages.moving = self.ages.moving.max(age);
            } else {
                self.ages.other = self.ages.other.max(age);
            }
            let waits_since = |release: &Release| {
                (before < release.waits_from() && release.waits_from() <= now)
                    .then(|| now - release.waits_from())
            };
            self.unseen
                .extend(releases(number).iter().filter_map(waits_since));
        }
    }

    fn report(&self) {
        let counted = self.github.counted.lock().unwrap().clone();
        let asked: u64 = counted.hours.iter().map(|(asked, _)| asked).sum();
        let cost: u64 = counted.hours.iter().map(|(_, cost)| cost).sum();
        let hours = u64::try_from(counted.hours.len()).unwrap();
        let worst = counted
            .hours
            .iter()
            .map(|(_, cost)| *cost)
            .max()
            .unwrap_or(0);
        let begun: usize = (0..REPOSITORIES)
            .map(|one| releases(one).iter().filter(|it| it.begins >= 0).count())
            .sum();
        head(&format!(
            "A day of {REPOSITORIES} repositories with {begun} releases, one of them open all day"
        ));
        let per_hour = |all: u64| (all / hours).to_string();
        figure("looks", &self.looks.to_string(), None);
        figure(
            "requests an hour, unchanged ones too",
            &per_hour(asked),
            None,
        );
        figure(
            "of these answered with 304, percent",
            &format!(
                "{}.{}",
                (asked - cost) * 100 / asked,
                (asked - cost) * 1_000 / asked % 10
            ),
            Some((">= 90", cost * 10 <= asked)),
        );
        figure("requests an hour that count", &per_hour(cost), None);
        figure(
            "the same in the worst hour",
            &worst.to_string(),
            Some(("<= 4900", worst <= 4_900)),
        );
        figure(
            "requests in the busiest minute",
            &counted.busiest_minute.to_string(),
            Some(("<= 900", counted.busiest_minute <= 900)),
        );
        figure(
            "refused by the host",
            &counted.refused.to_string(),
            Some(("0", counted.refused == 0)),
        );
        figure(
            "held back by the budget",
            &self.held.to_string(),
            Some(("0", self.held == 0)),
        );
        figure(
            "worst age of the one that is open, seconds",
            &self.ages.open.to_string(),
            Some(("<= 15", self.ages.open <= 15)),
        );
        figure(
            "worst age while it moves, seconds",
            &self.ages.moving.to_string(),
            Some(("<= 30", self.ages.moving <= 30)),
        );
        figure(
            "worst age of the others, seconds",
            &self.ages.other.to_string(),
            Some(("<= 480", self.ages.other <= 480)),
        );
        let late = self.unseen.iter().max().copied().unwrap_or(0);
        let mut unseen = self.unseen.clone();
        unseen.sort_unstable();
        let median = unseen.get(unseen.len() / 2).copied().unwrap_or(0);
        figure(
            "gates that waited unseen, seconds: median",
            &median.to_string(),
            None,
        );
        figure(
            "the longest",
            &late.to_string(),
            Some(("<= 480", late <= 480)),
        );
    }
}
