//! When which repository is looked at again. Pure: told the time, asked what is due.
//!
//! What moves or is looked at is asked for every few seconds, the rest every minute or two, spread out so that a hundred
//! repositories are not asked for in one breath; less often what has been quiet, what fails, and everything when the
//! budget runs low.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use tokio::time::Instant;

use crate::model::pipeline::{Attention, Budget, Repository, RepositoryWanted};

const CLOSELY: (u64, u64) = (5_000, 10_000);
const ELSE: (u64, u64) = (60_000, 120_000);
/// The same answer so often makes it quiet.
const QUIET_AFTER: u32 = 10;
const FAILED: Duration = Duration::from_secs(30);
const FAILED_MAX: Duration = Duration::from_secs(300);
/// More of them share the host's patience (900 requests a minute, unchanged ones too).
const MANY: usize = 50;
/// More that move at the same time share it as well: at seven requests a look, so many cost it four hundred a minute.
const MOVING_MANY: usize = 8;
/// A first look costs seven requests or more, and a user has 900 a minute for all their tools together. So a few are
/// looked at in one breath, and those after them so many milliseconds apart each.
const FIRST_GAP: u64 = 150;
const FIRST_BREATH: u64 = 30;
const LATER_GAP: u64 = 1_200;

/// How a look ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Changed,
    Unchanged,
    Failed,
}

#[derive(Debug)]
struct Entry {
    wanted: RepositoryWanted,
    due: Instant,
    quiet: u32,
    failures: u32,
    reading: bool,
    /// Due again as soon as it was read.
    again: bool,
    read: Option<Instant>,
}

#[derive(Debug)]
pub struct Schedule {
    entries: BTreeMap<Repository, Entry>,
    held_until: Option<Instant>,
    /// Of the budget: how much slower everything is.
    slower: u32,
    chance: u64,
}

/// Milliseconds until the first look at the `nth` of them.
const fn first_wait(nth: u64) -> u64 {
    nth * FIRST_GAP + nth.saturating_sub(FIRST_BREATH) * (LATER_GAP - FIRST_GAP)
}

impl Schedule {
    pub fn new(seed: Option<u64>) -> Self {
        Self {
            entries: BTreeMap::new(),
            held_until: None,
            slower: 1,
            chance: seed.unwrap_or_else(|| RandomState::new().hash_one(0u8)),
        }
    }

    /// The wishes as they are now. What is newly looked at closely is due at once.
    pub fn want(&mut self, wanted: &[RepositoryWanted], now: Instant) {
        // It is asked on every turn: two wishes for one repository that took turns would make it due for ever.
        let mut each: Vec<RepositoryWanted> = Vec::with_capacity(wanted.len());
        let mut place: BTreeMap<&Repository, usize> = BTreeMap::new();
        for one in wanted {
            let nth = *place.entry(&one.repository).or_insert(each.len());
            match each.get_mut(nth) {
                Some(known) => known.join(one),
                None => each.push(one.clone()),
            }
        }
        self.entries
            .retain(|repository, _| place.contains_key(repository));
        let mut first = 0;
        for one in &each {
            match self.entries.get_mut(&one.repository) {
                Some(entry) => {
                    let closer = one.attention > entry.wanted.attention;
                    let other = entry.wanted.workflows != one.workflows
                        || entry.wanted.environments != one.environments;
                    entry.wanted = one.clone();
                    if closer || other {
                        let soon = entry.read.map_or(now, |read| {
                            read + Duration::from_millis(if other { 0 } else { CLOSELY.0 })
                        });
                        entry.due = entry.due.min(soon.max(now));
                        entry.quiet = 0;
                    }
                }
                None => {
                    let due = now + Duration::from_millis(first_wait(first));
                    first += u64::from(one.attention == Attention::Quiet);
                    self.entries.insert(
                        one.repository.clone(),
                        Entry {
                            due: match one.attention {
                                Attention::Quiet => due,
                                _ => now,
                            },
                            wanted: one.clone(),
                            quiet: 0,
                            failures: 0,
                            reading: false,
                            again: false,
                            read: None,
                        },
                    );
                }
            }
        }
    }

    pub fn has(&self, repository: &Repository) -> bool {
        self.entries.contains_key(repository)
    }

    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// When something is due next.
    pub fn next(&self) -> Option<Instant> {
        let next = self
            .entries
            .values()
            .filter(|entry| !entry.reading)
            .map(|entry| entry.due)
            .min()?;
        Some(self.held_until.map_or(next, |held| held.max(next)))
    }

    /// What is due now, the longest overdue first and at most so many; it counts as being read until it is done.
    pub fn due(&mut self, now: Instant, most: usize) -> Vec<RepositoryWanted> {
        if self.held_until.is_some_and(|held| held > now) {
            return Vec::new();
        }
        self.held_until = None;
        let mut due: Vec<&mut Entry> = self
            .entries
            .values_mut()
            .filter(|entry| !entry.reading && entry.due <= now)
            .collect();
        due.sort_by_key(|entry| (std::cmp::Reverse(entry.wanted.attention), entry.due));
        due.into_iter()
            .take(most)
            .map(|entry| {
                entry.reading = true;
                entry.wanted.clone()
            })
            .collect()
    }

    pub fn done(&mut self, repository: &Repository, outcome: Outcome, now: Instant) {
        let many = self.entries.len().div_ceil(MANY).max(1);
        let moving = self
            .entries
            .values()
            .filter(|entry| entry.wanted.attention == Attention::Moving)
            .count()
            .div_ceil(MOVING_MANY)
            .max(1);
        let (slower, draw) = (self.slower, self.draw());
        let Some(entry) = self.entries.get_mut(repository) else {
            return;
        };
        entry.reading = false;
        entry.read = Some(now);
        match outcome {
            Outcome::Changed => (entry.quiet, entry.failures) = (0, 0),
            Outcome::Unchanged => (entry.quiet, entry.failures) = (entry.quiet + 1, 0),
            Outcome::Failed => entry.failures += 1,
        }
        let between = |(low, high): (u64, u64)| Duration::from_millis(low + draw % (high - low));
        let wait = if entry.failures > 0 {
            FAILED
                .saturating_mul(2u32.saturating_pow(entry.failures.min(8) - 1))
                .min(FAILED_MAX)
                + between((0, 5_000))
        } else {
            let times = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            match entry.wanted.attention {
                Attention::LookedAt => between(CLOSELY),
                Attention::Moving => between(CLOSELY).saturating_mul(times(moving)),
                Attention::Quiet => {
                    let quiet = 1 + u32::from(entry.quiet >= QUIET_AFTER);
                    between(ELSE)
                        .saturating_mul(quiet)
                        .saturating_mul(times(many))
                }
            }
        };
        entry.due = match std::mem::take(&mut entry.again) {
            true => now,
            false => now + wait.saturating_mul(slower),
        };
    }

    /// Everything is due, whatever was asked when.
    pub fn again(&mut self, now: Instant) {
        self.held_until = None;
        for entry in self.entries.values_mut() {
            entry.again = entry.reading;
            entry.due = entry.due.min(now);
        }
    }

    /// It was not answered because nothing is: it is due as it was.
    pub fn not_asked(&mut self, repository: &Repository) {
        if let Some(entry) = self.entries.get_mut(repository) {
            entry.reading = false;
        }
    }

    /// Nothing is asked until then.
    pub fn hold(&mut self, until: Instant) {
        self.held_until = self.held_until.max(Some(until));
    }

    pub fn budget(&mut self, budget: &Budget) {
        self.slower = match (budget.limit, budget.remaining) {
            (Some(limit), Some(remaining)) if limit > 0 => match remaining * 100 / limit {
                0..=9 => 4,
                10..=24 => 2,
                _ => 1,
            },
            _ => 1,
        };
    }

    /// splitmix64.
    fn draw(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.chance;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::pipeline::Workflows;

    fn wish(name: &str, closely: bool) -> RepositoryWanted {
        RepositoryWanted {
            repository: Repository::new(name).expect("a repository"),
            workflows: Workflows::All,
            attention: if closely {
                Attention::Moving
            } else {
                Attention::Quiet
            },
            environments: Vec::new(),
            compare: Vec::new(),
        }
    }

    fn names(due: &[RepositoryWanted]) -> Vec<&str> {
        due.iter().map(|one| one.repository.as_str()).collect()
    }

    /// Seconds until the next look after `outcome`.
    fn after(schedule: &mut Schedule, outcome: Outcome, now: Instant) -> f64 {
        let repository = Repository::new("a/x").expect("a repository");
        schedule.done(&repository, outcome, now);
        let next = schedule.next().expect("due some time");
        (next - now).as_secs_f64()
    }

    #[test]
    fn what_moves_is_asked_for_every_few_seconds_and_the_rest_every_minute_or_two() {
        let now = Instant::now();
        let mut schedule = Schedule::new(Some(1));
        schedule.want(&[wish("a/x", true)], now);
        assert_eq!(names(&schedule.due(now, 9)), ["a/x"]);
        assert!(schedule.next().is_none(), "it is being read");
        for _ in 0..50 {
            let wait = after(&mut schedule, Outcome::Unchanged, now);
            assert!((5.0..10.0).contains(&wait), "{wait}");
        }
        schedule.want(&[wish("a/x", false)], now);
        let wait = after(&mut schedule, Outcome::Changed, now);
        assert!((60.0..120.0).contains(&wait), "{wait}");
        for _ in 0..QUIET_AFTER {
            after(&mut schedule, Outcome::Unchanged, now);
        }
        let wait = after(&mut schedule, Outcome::Unchanged, now);
        assert!((120.0..240.0).contains(&wait), "{wait}");
    }

    #[test]
    fn the_first_look_at_hundreds_leaves_the_host_its_patience() {
        let now = Instant::now();
        let mut schedule = Schedule::new(Some(1));
        let all: Vec<_> = (0..400).map(|n| wish(&format!("a/x{n}"), false)).collect();
        schedule.want(&all, now);
        let due_by = |schedule: &Schedule, seconds| {
            let by = now + Duration::from_secs(seconds);
            schedule
                .entries
                .values()
                .filter(|entry| entry.due <= by)
                .count()
        };
        assert_eq!(due_by(&schedule, 5), 31, "a screenful is there soon");
        assert!(
            due_by(&schedule, 60) <= 80,
            "each look is several requests, and there are 900 a minute"
        );
        assert_eq!(due_by(&schedule, 480), 400);
    }

    #[test]
    fn forty_that_move_share_the_hosts_patience_and_the_one_before_ones_eyes_does_not_wait() {
        let now = Instant::now();
        let mut schedule = Schedule::new(Some(1));
        let mut all: Vec<_> = (0..40).map(|n| wish(&format!("a/x{n}"), true)).collect();
        let mut opened = wish("a/opened", true);
        opened.attention = Attention::LookedAt;
        all.push(opened);
        schedule.want(&all, now);
        assert_eq!(names(&schedule.due(now, 1)), ["a/opened"]);
        let mut wait = |name: &str| {
            let repository = Repository::new(name).expect("a repository");
            schedule.done(&repository, Outcome::Changed, now);
            (schedule.entries[&repository].due - now).as_secs_f64()
        };
        assert!((5.0..10.0).contains(&wait("a/opened")));
        assert!((25.0..50.0).contains(&wait("a/x3")));
    }

    #[test]
    fn looking_closer_asks_at_once_but_not_twice_in_a_breath() {
        let now = Instant::now();
        let mut schedule = Schedule::new(Some(1));
        schedule.want(&[wish("a/x", false)], now);
        schedule.due(now, 9);
        after(&mut schedule, Outcome::Changed, now);
        let later = now + Duration::from_secs(30);
        schedule.want(&[wish("a/x", true)], later);
        assert_eq!(schedule.next(), Some(later));
        schedule.due(later, 9);
        schedule.want(&[wish("a/x", false)], later);
        after(&mut schedule, Outcome::Changed, later);
        schedule.want(&[wish("a/x", true)], later);
        assert_eq!(schedule.next(), Some(later + Duration::from_secs(5)));
    }

    #[test]
    fn failures_back_off_and_a_success_forgets_them() {
        let now = Instant::now();
        let mut schedule = Schedule::new(Some(1));
        schedule.want(&[wish("a/x", true)], now);
        let waits: Vec<f64> = (0..6)
            .map(|_| after(&mut schedule, Outcome::Failed, now))
            .collect();
        for (wait, least) in waits.iter().zip([30.0, 60.0, 120.0, 240.0, 300.0, 300.0]) {
            assert!((least..least + 5.0).contains(wait), "{waits:?}");
        }
        assert!(after(&mut schedule, Outcome::Changed, now) < 10.0);
    }

    #[test]
    fn a_low_budget_and_many_repositories_make_it_slower() {
        let now = Instant::now();
        let mut schedule = Schedule::new(Some(1));
        let all: Vec<_> = (0..150)
            .map(|n| wish(&format!("a/x{n}"), false))
            .chain([wish("a/x", true)])
            .collect();
        schedule.want(&all, now);
        assert_eq!(names(&schedule.due(now, 1)), ["a/x"]);
        assert_eq!(schedule.due(now, 9).len(), 1, "the others are spread out");
        let second = Repository::new("a/x0").expect("a repository");
        schedule.done(&second, Outcome::Changed, now);
        let due = schedule.entries[&second].due - now;
        assert!(due >= Duration::from_secs(240), "{due:?}");
        let budget = |remaining| Budget {
            limit: Some(5000),
            remaining: Some(remaining),
            resets: None,
            held_until: None,
            asked: 0,
            unchanged: 0,
        };
        schedule.budget(&budget(400));
        let closely = Repository::new("a/x").expect("a repository");
        schedule.done(&closely, Outcome::Changed, now);
        assert!(schedule.entries[&closely].due - now >= Duration::from_secs(20));
        schedule.budget(&budget(4000));
        schedule.done(&closely, Outcome::Changed, now);
        assert!(schedule.entries[&closely].due - now < Duration::from_secs(10));
    }

    #[test]
    fn while_held_nothing_is_due_and_afterwards_everything_is_as_it_was() {
        let now = Instant::now();
        let mut schedule = Schedule::new(Some(1));
        schedule.want(&[wish("a/x", true)], now);
        let due = schedule.due(now, 9);
        let until = now + Duration::from_secs(60);
        schedule.hold(until);
        schedule.not_asked(&due[0].repository);
        assert_eq!(schedule.next(), Some(until));
        assert!(schedule.due(now + Duration::from_secs(59), 9).is_empty());
        assert_eq!(names(&schedule.due(until, 9)), ["a/x"]);
    }

    #[test]
    fn two_wishes_for_one_repository_are_one_and_never_make_it_due_again_and_again() {
        let mut now = Instant::now();
        let end = now + Duration::from_secs(3600);
        let mut schedule = Schedule::new(Some(1));
        let of = |file: &str, environment: &str| RepositoryWanted {
            workflows: Workflows::of(Some(file)),
            environments: vec![(environment.to_owned(), environment.into())],
            ..wish("acme/mono", false)
        };
        let wishes = [of("a.yml", "staging"), of("b.yml", "prod")];
        let mut looks = 0;
        while now < end {
            schedule.want(&wishes, now);
            for due in schedule.due(now, 4) {
                looks += 1;
                assert!(looks < 100, "an hour of a quiet repository");
                assert_eq!(
                    due.workflows,
                    Workflows::Only(["a.yml".to_owned(), "b.yml".to_owned()].into())
                );
                assert_eq!(due.environments.len(), 2);
                schedule.want(&wishes, now);
                schedule.done(&due.repository, Outcome::Unchanged, now);
            }
            schedule.want(&wishes, now);
            now = schedule.next().expect("due some time");
        }
        assert!((15..=60).contains(&looks), "{looks} looks in an hour");
    }

    #[test]
    fn what_is_not_wanted_any_more_is_forgotten() {
        let now = Instant::now();
        let mut schedule = Schedule::new(Some(1));
        schedule.want(&[wish("a/x", false), wish("b/y", false)], now);
        schedule.want(&[wish("b/y", false)], now);
        assert!(!schedule.has(&Repository::new("a/x").expect("a repository")));
        assert_eq!(schedule.count(), 1);
    }
}
