//! The wallboard: pages that turn by themselves, what hurts first and twice as long as the rest. Owns which page is shown
//! and since when. It takes facts, sizes and the time, and of all keys only the one that leaves; what it can ask for is a
//! type of its own that has no word for an action.

use std::{collections::BTreeSet, ops::ControlFlow};

use jiff::{SignedDuration, Timestamp};

use super::{
    key::{Code, Key},
    msg::{Effect, Msg},
    release_view::OpenRelease,
    state::State,
    update,
};
use crate::model::{
    id::ReleaseId, metrics::MetricsWanted, pipeline::RepositoryWanted, release::Group,
};

/// Releases that hurt and have a page of their own; the others are on the list of what is broken.
const PAGES_OF_RELEASES: usize = 6;
/// What hurts stays so many times as long.
const HURTS: i32 = 2;

/// What large letters are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letters {
    Blocks,
    /// For a terminal or a font that has no blocks.
    Ascii,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// Everything that is broken.
    Broken,
    /// One release that hurts.
    Release(ReleaseId),
    /// How many releases are in each group.
    Overview,
    /// What waits for a human, oldest first.
    Waits,
    Moving,
}

/// What a wallboard can ask for.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    Repositories(Vec<RepositoryWanted>),
    Metrics(Vec<MetricsWanted>),
}

#[derive(Debug)]
pub struct Wall {
    pub state: State,
    pub letters: Letters,
    pub page: Page,
    /// How long a page stays.
    every: SignedDuration,
    /// When the page came.
    turned: Timestamp,
    /// What was broken when it was last looked at: what comes new is shown at once.
    hurting: BTreeSet<ReleaseId>,
}

impl Wall {
    pub fn new(state: State, every: SignedDuration, letters: Letters) -> Self {
        Self {
            turned: state.now,
            every: every.max(SignedDuration::from_secs(1)),
            page: Page::Overview,
            hurting: BTreeSet::new(),
            state,
            letters,
        }
    }

    /// Takes one message. What is about keys, plans and actions is not taken.
    pub fn update(&mut self, now: Timestamp, msg: Msg) -> Vec<Ask> {
        match msg {
            Msg::Source(_) | Msg::Beside(_) | Msg::Resized { .. } | Msg::Tick => {
                let turns = matches!(msg, Msg::Tick);
                let effects = update(&mut self.state, now, msg);
                if turns {
                    self.settle();
                }
                effects.into_iter().filter_map(asked).collect()
            }
            Msg::Key(_)
            | Msg::Paste(_)
            | Msg::Mouse(_)
            | Msg::Shown(_)
            | Msg::Detail { .. }
            | Msg::Planned { .. }
            | Msg::Action { .. }
            | Msg::History { .. }
            | Msg::Yaml { .. }
            | Msg::Log { .. }
            | Msg::Audit { .. }
            | Msg::RevertedBy { .. }
            | Msg::Faults(_)
            | Msg::Said { .. } => Vec::new(),
        }
    }

    /// Whether a key leaves. No key does anything else.
    pub fn key(key: Key) -> ControlFlow<()> {
        let leaves = match key.code {
            Code::Char('q') => !key.ctrl && !key.alt,
            Code::Char('c') => key.ctrl,
            _ => false,
        };
        if leaves {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Before a frame: the rows in order, and a page that there is.
    pub fn settle(&mut self) {
        self.state.settle();
        let pages = self.pages();
        let now = self.state.now;
        let hurting: BTreeSet<ReleaseId> = self.of(Group::Broken).collect();
        let new = self
            .of(Group::Broken)
            .find(|id| !self.hurting.contains(id) && pages.contains(&Page::Release(id.clone())));
        let next = match (new, pages.iter().position(|page| *page == self.page)) {
            // The first of all: the list says how many there are.
            (Some(_), _) if self.hurting.is_empty() => Some(Page::Broken),
            (Some(id), _) => Some(Page::Release(id)),
            (None, None) => pages.first().cloned(),
            (None, Some(at)) if now.duration_since(self.turned) >= self.stays(&self.page) => {
                pages.get((at + 1) % pages.len()).cloned()
            }
            (None, Some(_)) => None,
        };
        self.hurting = hurting;
        if let Some(next) = next {
            self.turned = now;
            self.state.dirty |= self.page != next;
            self.page = next;
        }
        self.look_closely();
    }

    /// The metrics of the release that is shown are read as often as those of an open one.
    fn look_closely(&mut self) {
        let Page::Release(id) = &self.page else {
            self.state.open = None;
            return;
        };
        if self.state.open.as_ref().is_some_and(|open| open.id == *id) {
            return;
        }
        self.state.open = self
            .state
            .releases
            .find(id)
            .map(|release| OpenRelease::new(id.clone(), release.rollout.uid.clone()));
    }

    /// The pages that there are now, in their order.
    pub fn pages(&self) -> Vec<Page> {
        let mut pages = Vec::with_capacity(PAGES_OF_RELEASES + 4);
        let counts = &self.state.board.counts;
        if counts.broken > 0 {
            pages.push(Page::Broken);
            let broken = self.of(Group::Broken).take(PAGES_OF_RELEASES);
            pages.extend(broken.map(Page::Release));
        }
        pages.push(Page::Overview);
        if counts.needs_you > 0 || !self.state.inbox.entries.is_empty() {
            pages.push(Page::Waits);
        }
        if counts.moving > 0 {
            pages.push(Page::Moving);
        }
        pages
    }

    /// The releases of a group, in the order of the Board.
    pub fn of(&self, group: Group) -> impl Iterator<Item = ReleaseId> + '_ {
        let rows = self.state.board.rows().iter();
        rows.filter(move |row| row.group == group)
            .filter_map(|row| Some(self.state.releases.get(row.slot)?.rollout.id.clone()))
    }

    fn stays(&self, page: &Page) -> SignedDuration {
        match page {
            Page::Broken | Page::Release(_) => self.every.saturating_mul(HURTS),
            Page::Overview | Page::Waits | Page::Moving => self.every,
        }
    }

    /// When something is due without anything happening.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let turns = self.turned.checked_add(self.stays(&self.page)).ok();
        self.state.wake_at().into_iter().chain(turns).min()
    }
}

/// The questions among what the reducer wants. What it wants besides is about acting, and has no word here.
fn asked(effect: Effect) -> Option<Ask> {
    match effect {
        Effect::WantRepositories(wanted) => Some(Ask::Repositories(wanted)),
        Effect::WantMetrics(wanted) => Some(Ask::Metrics(wanted)),
        _ => None,
    }
}
