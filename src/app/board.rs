//! The Board: every release, grouped by what it asks of a human, what hurts first. Owns order, filter, marks and the
//! selection, which is an identity. The row under the cursor never moves under a finger: the order rests for three
//! seconds after a key.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    layout,
    releases::{Releases, Slot},
};
use crate::model::{
    id::{EnvironmentName, ReleaseId},
    release::{Group, SortAge},
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
    /// What is shown, in order. Slots are valid until the next fact; rows look them up when drawn.
    order: Vec<Row>,
    /// Index of the first row shown.
    pub top: usize,
    pub counts: Counts,
    pub widest: Widest,
    stale_order: bool,
    /// No finger has chosen yet: the selection is the first row, whatever comes first.
    pub untouched: bool,
    /// When the selection last moved, for what is drawn after a rest.
    pub moved: Option<Timestamp>,
    /// What the rest explains: set when the selection has rested.
    pub explained: Option<ReleaseId>,
}

/// A row of the Board: a heading or a release. Headings cannot be selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub slot: Slot,
    pub group: Group,
}

/// How many releases are in each group, filter or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub broken: usize,
    pub needs_you: usize,
    pub moving: usize,
    pub unknown: usize,
    pub quiet: usize,
    pub all: usize,
    pub shown: usize,
}

/// The widest names among the rows, in cells: columns keep their places while the list is scrolled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Widest {
    pub service: usize,
    pub environment: usize,
}

impl Counts {
    pub const fn of(&self, group: Group) -> usize {
        match group {
            Group::Broken => self.broken,
            Group::NeedsYou => self.needs_you,
            Group::Moving => self.moving,
            Group::Unknown => self.unknown,
            Group::Quiet => self.quiet,
        }
    }

    fn count(&mut self, group: Group) {
        match group {
            Group::Broken => self.broken += 1,
            Group::NeedsYou => self.needs_you += 1,
            Group::Moving => self.moving += 1,
            Group::Unknown => self.unknown += 1,
            Group::Quiet => self.quiet += 1,
        }
        self.all += 1;
    }
}

impl Board {
    /// A Board that selects this release as soon as it is known.
    pub fn wanting(wanted: Option<ReleaseId>) -> Self {
        Self {
            selected: wanted.clone(),
            wanted,
            stale_order: true,
            untouched: true,
            ..Self::default()
        }
    }

    pub fn rows(&self) -> &[Row] {
        &self.order
    }

    /// Something changed that the order depends on.
    pub fn order_is_stale(&mut self) {
        self.stale_order = true;
    }

    pub const fn needs_order(&self) -> bool {
        self.stale_order
    }

    /// Makes the order anew from the facts, unless it rests. A filter that changed does not rest.
    pub fn arrange(
        &mut self,
        releases: &Releases,
        fresh: &BTreeMap<EnvironmentName, bool>,
        resting: bool,
    ) {
        if !self.stale_order {
            return;
        }
        if resting && !self.order.is_empty() {
            self.keep_rows(releases, fresh);
            return;
        }
        self.stale_order = false;
        let needle = self.filter.to_lowercase();
        let mut counts = Counts::default();
        let mut widest = Widest::default();
        let mut keyed: Vec<((Group, SortAge), Slot)> = Vec::with_capacity(releases.len());
        for (slot, release) in releases.iter() {
            let is_fresh = fresh
                .get(&release.rollout.id.environment)
                .copied()
                .unwrap_or(false);
            let key = release.sort_key(is_fresh);
            counts.count(key.0);
            if needle.is_empty() || matches(release, key.0, &needle) {
                keyed.push((key, slot));
                let id = &release.rollout.id;
                widest.service = widest.service.max(width(id.name.as_str()));
                widest.environment = widest.environment.max(width(id.environment.as_str()));
            }
        }
        keyed.sort_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| {
                let name = |slot| releases.get(slot).map(|release| &release.rollout.id);
                name(a.1)
                    .map(|id| (&id.name, &id.environment, &id.namespace, id.kind))
                    .cmp(&name(b.1).map(|id| (&id.name, &id.environment, &id.namespace, id.kind)))
            })
        });
        counts.shown = keyed.len();
        self.counts = counts;
        self.widest = widest;
        self.order = keyed
            .into_iter()
            .map(|((group, _), slot)| Row { slot, group })
            .collect();
        self.order.shrink_to(self.order.len().saturating_mul(2));
        if self.untouched && self.wanted.is_none() {
            self.selected = None;
        }
        if let Some(wanted) = &self.wanted
            && self.place_of(wanted, releases).is_some()
        {
            self.selected = self.wanted.take();
            self.untouched = false;
        }
        if self
            .selected
            .as_ref()
            .is_none_or(|id| self.place_of(id, releases).is_none())
        {
            // The selected release has gone or is filtered out: its place is told, not taken by another one silently.
            let had = self.selected.take();
            self.selected = self
                .order
                .first()
                .and_then(|row| releases.get(row.slot))
                .map(|release| release.rollout.id.clone());
            if had.is_some() {
                self.explained = None;
            }
        }
    }

    /// While the order rests, rows keep their places and groups; only releases that have gone leave.
    fn keep_rows(&mut self, releases: &Releases, fresh: &BTreeMap<EnvironmentName, bool>) {
        self.order.retain(|row| releases.get(row.slot).is_some());
        let mut counts = Counts {
            shown: self.order.len(),
            ..Counts::default()
        };
        for (_, release) in releases.iter() {
            counts.count(
                release.group(
                    fresh
                        .get(&release.rollout.id.environment)
                        .copied()
                        .unwrap_or(false),
                ),
            );
        }
        self.counts = counts;
    }

    /// Where a release is in the order.
    pub fn place_of(&self, id: &ReleaseId, releases: &Releases) -> Option<usize> {
        let slot = releases.slot_of(id)?;
        self.order.iter().position(|row| row.slot == slot)
    }

    pub fn selected_place(&self, releases: &Releases) -> Option<usize> {
        self.place_of(self.selected.as_ref()?, releases)
    }

    /// Moves the selection by rows. Returns whether it moved.
    pub fn move_by(&mut self, by: isize, releases: &Releases, now: Timestamp) -> bool {
        if self.order.is_empty() {
            return false;
        }
        let place = self.selected_place(releases).unwrap_or(0);
        let last = self.order.len() - 1;
        let to = place.saturating_add_signed(by).min(last);
        self.select_place(to, releases, now)
    }

    pub fn select_place(&mut self, place: usize, releases: &Releases, now: Timestamp) -> bool {
        let Some(release) = self.order.get(place).and_then(|row| releases.get(row.slot)) else {
            return false;
        };
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
        let count = self.order.len();
        let found = (1..=count).find_map(|step| {
            let from = place.unwrap_or(if forward { count - 1 } else { 0 });
            let at = if forward {
                (from + step) % count
            } else {
                (from + count - step % count) % count
            };
            self.order.get(at).filter(|row| asks(row)).map(|_| at)
        });
        found.is_some_and(|place| self.select_place(place, releases, now))
    }

    /// Where a group's rows are in the order.
    pub fn places_of(&self, group: Group) -> Range<usize> {
        // Rows keep their group while the order rests, so the order stays sorted by it.
        let start = self.order.partition_point(|row| row.group < group);
        let end = self.order.partition_point(|row| row.group <= group);
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
        let last = self.order.len().saturating_sub(1);
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

/// Whether a release matches the filter: by substring of what one would look for, any of several words all together.
fn matches(release: &crate::model::release::Release, group: Group, needle: &str) -> bool {
    let id = &release.rollout.id;
    needle.split_whitespace().all(|word| {
        let (negated, word) = match word.strip_prefix('!') {
            Some(rest) if !rest.is_empty() => (true, rest),
            _ => (false, word),
        };
        let found = id.name.as_str().to_lowercase().contains(word)
            || id.environment.as_str().to_lowercase().contains(word)
            || id.namespace.as_str().to_lowercase().contains(word)
            || id.kind.word().contains(word)
            || release.rollout.phase.word().contains(word)
            || group_words(group).contains(word)
            || release.current().label().to_lowercase().contains(word);
        found != negated
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
