//! When the reducer wants to be told the time: the only timer of the program.

use jiff::{SignedDuration, Timestamp};

use super::{
    actions::{LineState, WATCHED_FOR},
    board::{ORDER_RESTS, SELECTION_RESTS},
    state::{Overlay, State},
};
use crate::model::source::WATCH_LATE_AFTER;

impl State {
    /// When something is due without anything happening: the only timer of the program.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let mut due: Vec<Timestamp> = Vec::new();
        let now = self.now;
        if self.session.clock || self.session.game.is_some() {
            // While keys come their frames show the time; the second hand alone draws when they rest.
            let keys_rest = self
                .last_key
                .and_then(|key| key.checked_add(SELECTION_RESTS).ok());
            due.extend(keys_rest.max(Some(next_second(now))));
        } else {
            due.push(
                now.saturating_add(SignedDuration::from_secs(60))
                    .unwrap_or(now),
            );
        }
        if let Some(Overlay::Plan(dialog)) = self.overlays.last() {
            due.push(next_second(now));
            due.extend(dialog.listens_at().filter(|at| *at > now));
        }
        if self.board.explained != self.board.selected
            && let Some(moved) = self.board.moved
        {
            due.extend(moved.checked_add(SELECTION_RESTS).ok());
        }
        if (self.board.needs_order() || self.inbox.order_waits()) && self.order_rests() {
            due.extend(
                self.last_key
                    .and_then(|key| key.checked_add(ORDER_RESTS).ok()),
            );
        }
        if self.actions.lines.iter().any(|line| matches!(&line.state, LineState::Over { at, .. } if now.duration_since(*at) < WATCHED_FOR)) {
            due.push(now.saturating_add(SignedDuration::from_secs(30)).unwrap_or(now));
        }
        due.extend(self.beside.grows_old_at().filter(|at| *at > now));
        if self.beside.wants_are_stale() {
            due.push(
                now.saturating_add(SignedDuration::from_millis(50))
                    .unwrap_or(now),
            );
        }
        for environment in self.environments.values() {
            if let Some(heard) = environment.health.heard {
                due.extend(
                    heard
                        .checked_add(WATCH_LATE_AFTER + SignedDuration::from_secs(1))
                        .ok()
                        .filter(|at| *at > now),
                );
            }
        }
        due.into_iter().min()
    }
}

fn next_second(now: Timestamp) -> Timestamp {
    let next = SignedDuration::from_nanos(1_000_000_000 - i64::from(now.subsec_nanosecond()));
    now.saturating_add(next).unwrap_or(now)
}
