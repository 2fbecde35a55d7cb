//! The Board: every release, grouped by what it asks of a human, what hurts first. Owns order, filter, marks and the
//! selection, which is an identity. The row under the cursor never moves under a finger: the order rests for three
//! seconds after a key.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use jiff::{SignedDuration, Timestamp};

pub use super::counts::Counts;
use super::{
    filter::Filter,
    layout,
    releases::{Releases, Slot},
    stale::Stale,
};
use crate::model::{
    id::{EnvironmentName, ReleaseId},
    release::{Group, Release, SortAge},
    text::width,
};

/// How long the order rests after a key.
pub const ORDER_RESTS: SignedDuration = SignedDuration::from_secs(3);
/// How long a selection rests before it is explained below and its access is asked for.
pub const SELECTION_RESTS: SignedDuration = SignedDuration::from_millis(150);

#[derive(Clone, Debug, Default)]
pub struct Board {
    pub selected: Option<ReleaseId>,
    /// Named on the command line: selected as soon as it is known, until then nothing else is.
    pub wanted: Option<ReleaseId>,
    pub filter: String,
    /// The filter line has the cursor.
    pub filtering: bool,
    pub marked: BTreeSet<ReleaseId>,
    /// Every row, in order. Slots are valid until the next fact; rows look them up when drawn.
    order: Vec<Row>,
    /// What the filter leaves of it; `None` without a filter.
    filtered: Option<Vec<Row>>,
    /// The filter that left it.
    laid: Filter,
    /// Where the selection was found last: it is there most of the time, and is not looked for among all of them.
    place: usize,
    /// Index of the first row shown.
    pub top: usize,
    pub counts: Counts,
    pub widest: Widest,
    stale: Stale,
    /// The group in which each slot is counted.
    groups: Vec<Option<Group>>,
    /// No finger has chosen yet: the selection is the first row, whatever comes first.
    pub untouched: bool,
    /// When the selection last moved, for what is drawn after a rest.
    pub moved: Option<Timestamp>,
    /// What the rest explains: set when the selection has rested.
    pub explained: Option<ReleaseId>,
}

/// From this many changes on, making the whole order anew is no more work.
const CHANGES: usize = 1_000;

/// Fresh environments.
type Fresh = BTreeMap<EnvironmentName, bool>;

/// What the order is by, before the name.
type Key = (Group, SortAge);

/// A row of the Board: a heading or a release. Headings cannot be selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub slot: Slot,
    pub group: Group,
}

/// The widest names among the rows, in cells: columns keep their places while the list is scrolled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Widest {
    pub service: usize,
    pub environment: usize,
}

impl Widest {
    fn see(&mut self, release: &Release) {
        let id = &release.rollout.id;
        self.service = self.service.max(width(id.name.as_str()));
        self.environment = self.environment.max(width(id.environment.as_str()));
    }
}

impl Board {
    /// A Board that selects this release as soon as it is known.
    pub fn wanting(wanted: Option<ReleaseId>) -> Self {
        let mut board = Self {
            selected: wanted.clone(),
            wanted,
            untouched: true,
            ..Self::default()
        };
        board.order_is_stale();
        board
    }

    /// What is shown, in order.
    pub fn rows(&self) -> &[Row] {
        self.filtered.as_deref().unwrap_or(&self.order)
    }

    /// Something changed that every place in the order may depend on.
    pub fn order_is_stale(&mut self) {
        self.stale.order.everything();
        self.stale.counts.everything();
    }

    /// Another filter, over the same order.
    pub const fn filter_is_stale(&mut self) {
        self.stale.filter = true;
    }

    /// One release changed, and its place with it. A hundred of those a second are put in their places one by one:
    /// sorting ten thousand rows for each frame would be most of what the program does.
    pub fn place_is_stale(&mut self, slot: Slot) {
        self.stale.order.one(slot);
        self.stale.counts.one(slot);
    }

    pub const fn needs_order(&self) -> bool {
        !self.stale.order.is_empty() || self.stale.filter
    }

    /// Makes the order anew from the facts, unless it rests. A filter that changed does not rest.
    pub fn arrange(&mut self, releases: &Releases, fresh: &Fresh, resting: bool) {
        if !self.needs_order() {
            return;
        }
        let gone = self.stale.counts.all;
        self.count(releases, fresh);
        let resting = resting && !self.order.is_empty();
        if resting && !gone && !self.stale.filter {
            return;
        }
        if resting {
            // Rows keep their places and groups; only releases that have gone leave.
            let there = |row: &Row| releases.get(row.slot).is_some();
            self.order.retain(there);
            if let Some(filtered) = &mut self.filtered {
                filtered.retain(there);
            }
        } else {
            let stale = std::mem::take(&mut self.stale.order);
            if stale.all || stale.slots.len() > CHANGES {
                self.arrange_all(releases, fresh);
            } else if !stale.slots.is_empty() {
                self.arrange_some(stale.slots, releases, fresh);
            }
        }
        if std::mem::take(&mut self.stale.filter) {
            self.narrow(releases);
        }
        self.counts.shown = self.rows().len();
        if !resting {
            self.select_what_is_there(releases);
        }
        self.place = self.selected_place(releases).unwrap_or(0);
    }

    /// What the filter leaves, and how wide that is.
    fn narrow(&mut self, releases: &Releases) {
        let filter = Filter::of(&self.filter);
        let mut widest = Widest::default();
        let mut left = |row: &Row| {
            let release = releases.get(row.slot);
            let left = release.filter(|release| filter.leaves(release, row.group));
            left.inspect(|release| widest.see(release)).is_some()
        };
        match self.filtered.take().filter(|_| filter.narrows(&self.laid)) {
            Some(mut rows) => {
                rows.retain(left);
                self.filtered = Some(rows);
            }
            None if filter.is_empty() => {
                for row in &self.order {
                    left(row);
                }
            }
            None => {
                let rows = self.order.iter().filter(|row| left(row)).cloned();
                self.filtered = Some(rows.collect());
            }
        }
        self.widest = widest;
        self.laid = filter;
    }

    fn arrange_all(&mut self, releases: &Releases, fresh: &Fresh) {
        let mut keyed: Vec<(Key, Slot)> = Vec::with_capacity(releases.len());
        for (slot, release) in releases.iter() {
            let key = releases.sort_key(slot, release, is_fresh(release, fresh));
            keyed.push((key, slot));
        }
        keyed.sort_unstable_by(|a, b| compare(*a, *b, releases));
        self.stale.filter = true;
        self.filtered = None;
        self.order.clear();
        self.order.reserve_exact(keyed.len());
        self.order.extend(
            keyed
                .into_iter()
                .map(|((group, _), slot)| Row { slot, group }),
        );
        self.order.shrink_to(self.order.len().saturating_mul(2));
    }

    /// The rest of the order is as it was: these leave their places and take new ones.
    fn arrange_some(&mut self, mut slots: Vec<Slot>, releases: &Releases, fresh: &Fresh) {
        slots.sort_unstable();
        slots.dedup();
        let others = |row: &Row| slots.binary_search(&row.slot).is_err();
        self.order.retain(others);
        if let Some(filtered) = &mut self.filtered {
            filtered.retain(others);
        }
        let filter = Filter::of(&self.filter);
        let key_of = |slot| -> Option<Key> {
            let release = releases.get(slot)?;
            Some(releases.sort_key(slot, release, is_fresh(release, fresh)))
        };
        for slot in slots {
            let (Some(release), Some(key)) = (with_a_row(slot, releases), key_of(slot)) else {
                continue;
            };
            let put = |rows: &mut Vec<Row>| {
                let place = rows.partition_point(|row| {
                    key_of(row.slot).is_some_and(|other| {
                        compare((other, row.slot), (key, slot), releases) == Ordering::Less
                    })
                });
                rows.insert(place, Row { slot, group: key.0 });
            };
            put(&mut self.order);
            if filter.leaves(release, key.0) {
                self.widest.see(release);
                if let Some(filtered) = &mut self.filtered {
                    put(filtered);
                }
            }
        }
    }

    fn select_what_is_there(&mut self, releases: &Releases) {
        if self.untouched && self.wanted.is_none() {
            self.selected = None;
        }
        if let Some(wanted) = &self.wanted
            && self.place_of(wanted, releases).is_some()
        {
            self.selected = self.wanted.take();
            self.untouched = false;
        }
        if self.selected_place(releases).is_none() {
            // The selected release has gone or is filtered out: its place is told, not taken by another one silently.
            let had = self.selected.take();
            self.selected = self
                .rows()
                .first()
                .and_then(|row| releases.get(row.slot))
                .map(|release| release.rollout.id.clone());
            if had.is_some() {
                self.explained = None;
            }
        }
    }

    fn count(&mut self, releases: &Releases, fresh: &Fresh) {
        let stale = std::mem::take(&mut self.stale.counts);
        if stale.all {
            self.count_all(releases, fresh);
        } else {
            self.recount(&stale.slots, releases, fresh);
        }
    }

    fn count_all(&mut self, releases: &Releases, fresh: &Fresh) {
        self.counts = Counts {
            shown: self.counts.shown,
            ..Counts::default()
        };
        self.groups.clear();
        self.groups.resize(releases.slots(), None);
        for (slot, release) in releases.iter() {
            let group = Some(releases.group(slot, release, is_fresh(release, fresh)));
            if let Some(counted) = self.groups.get_mut(slot as usize) {
                *counted = group;
                self.counts.moved(None, group);
            }
        }
    }

    fn recount(&mut self, slots: &[Slot], releases: &Releases, fresh: &Fresh) {
        for slot in slots {
            let group = with_a_row(*slot, releases)
                .map(|release| releases.group(*slot, release, is_fresh(release, fresh)));
            if let Some(counted) = self.groups.get_mut(*slot as usize) {
                self.counts.moved(*counted, group);
                *counted = group;
            }
        }
    }

    /// Slots of the releases that are in these groups, whatever the filter hides.
    pub fn slots_in(&self, wanted: impl Fn(Group) -> bool) -> impl Iterator<Item = Slot> {
        self.groups
            .iter()
            .enumerate()
            .filter(move |(_, group)| group.is_some_and(&wanted))
            .filter_map(|(slot, _)| Slot::try_from(slot).ok())
    }

    /// Where a release is in the order.
    pub fn place_of(&self, id: &ReleaseId, releases: &Releases) -> Option<usize> {
        let slot = releases.slot_of(id)?;
        let rows = self.rows();
        if rows.get(self.place).is_some_and(|row| row.slot == slot) {
            return Some(self.place);
        }
        rows.iter().position(|row| row.slot == slot)
    }

    pub fn selected_place(&self, releases: &Releases) -> Option<usize> {
        self.place_of(self.selected.as_ref()?, releases)
    }

    /// Moves the selection by rows. Returns whether it moved.
    pub fn move_by(&mut self, by: isize, releases: &Releases, now: Timestamp) -> bool {
        let Some(last) = self.rows().len().checked_sub(1) else {
            return false;
        };
        let place = self.selected_place(releases).unwrap_or(0);
        let to = place.saturating_add_signed(by).min(last);
        self.select_place(to, releases, now)
    }

    pub fn select_place(&mut self, place: usize, releases: &Releases, now: Timestamp) -> bool {
        let row = self.rows().get(place);
        let Some(release) = row.and_then(|row| releases.get(row.slot)) else {
            return false;
        };
        self.place = place;
        let id = release.rollout.id.clone();
        let moved = self.selected.as_ref() != Some(&id);
        self.untouched = false;
        self.selected = Some(id);
        if moved {
            self.moved = Some(now);
            self.explained = None;
        }
        moved
    }

    /// The next or previous release that is broken or needs a human.
    pub fn next_needing(&mut self, forward: bool, releases: &Releases, now: Timestamp) -> bool {
        let asks = |row: &Row| matches!(row.group, Group::Broken | Group::NeedsYou);
        let place = self.selected_place(releases);
        let rows = self.rows();
        let count = rows.len();
        let found = (1..=count).find_map(|step| {
            let from = place.unwrap_or(if forward { count - 1 } else { 0 });
            let at = if forward {
                (from + step) % count
            } else {
                (from + count - step % count) % count
            };
            rows.get(at).filter(|row| asks(row)).map(|_| at)
        });
        found.is_some_and(|place| self.select_place(place, releases, now))
    }

    /// Where a group's rows are in the order.
    pub fn places_of(&self, group: Group) -> Range<usize> {
        // Rows keep their group while the order rests, so the order stays sorted by it.
        let rows = self.rows();
        let start = rows.partition_point(|row| row.group < group);
        let end = rows.partition_point(|row| row.group <= group);
        start..end
    }

    /// The line of the list at which row `place` is drawn when `top` is the first row. With headings, the first line is
    /// the heading of the group that `top` is in, and a blank line and a heading are between two groups.
    pub fn line_of(&self, top: usize, place: usize, headings: bool) -> usize {
        let rows = place.saturating_sub(top);
        if !headings {
            return rows;
        }
        let begun = Group::ALL
            .into_iter()
            .map(|group| self.places_of(group))
            .filter(|places| !places.is_empty() && places.start > top && places.start <= place)
            .count();
        rows + 1 + 2 * begun
    }

    /// Keeps the selection on the screen. Scrolls by half a page at an edge, so that a held key does not repaint the
    /// whole list at every row: over a slow link that is what a key costs.
    pub fn scroll_to_selection(&mut self, releases: &Releases, columns: u16, rows: u16) {
        let layout = layout::board(columns, rows);
        let lines = usize::from(layout.lines);
        let Some(place) = self.selected_place(releases) else {
            self.top = 0;
            return;
        };
        self.place = place;
        let last = self.rows().len().saturating_sub(1);
        let half = (lines / 2).max(1);
        let beyond = |top| self.line_of(top, place, layout.headings) >= lines;
        let mut top = self.top.min(last);
        if place < top {
            top = place.saturating_sub(half);
        }
        if top < place && beyond(top) {
            // Far away (`G`): not page by page, since each is a search through the groups.
            top = top.max(place.saturating_sub(lines));
            while top < place && beyond(top) {
                top += half.min(place - top);
            }
        }
        // A list that fits from its beginning begins there.
        if top > 0 && self.line_of(0, last, layout.headings) < lines {
            top = 0;
        }
        self.top = top;
    }
}

fn is_fresh(release: &Release, fresh: &Fresh) -> bool {
    fresh
        .get(&release.rollout.id.environment)
        .copied()
        .unwrap_or(false)
}

/// The release there, if it has a row of its own.
fn with_a_row(slot: Slot, releases: &Releases) -> Option<&Release> {
    releases
        .get(slot)
        .filter(|release| !releases.is_claimed(&release.rollout.id))
}

/// The order of two rows. No two releases are equal in it, so it does not depend on the order of the facts.
fn compare(a: (Key, Slot), b: (Key, Slot), releases: &Releases) -> Ordering {
    a.0.cmp(&b.0).then_with(|| {
        let name = |slot| {
            let id = &releases.get(slot)?.rollout.id;
            Some((&id.name, &id.environment, &id.namespace, id.kind))
        };
        name(a.1).cmp(&name(b.1))
    })
}

/// The heading of a group.
pub const fn group_words(group: Group) -> &'static str {
    match group {
        Group::Broken => "broken",
        Group::NeedsYou => "needs you",
        Group::Moving => "moving",
        Group::Unknown => "unknown",
        Group::Quiet => "quiet",
    }
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
