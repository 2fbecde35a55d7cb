//! What the sources beside the clusters told, and what they are asked for next.

use super::{beside::MOVING_ASKED_AT_MOST, msg::Effect, state::State};
use crate::{
    model::{event::Tidings, release::Group},
    ops::intent::Verb,
};

impl State {
    /// A source beside the clusters told something.
    pub(super) fn beside(&mut self, tidings: Vec<Tidings>) {
        let mut weighed = false;
        for tidings in tidings {
            let news = self.beside.told(tidings);
            self.dirty |= news.drawn;
            weighed |= news.weighed;
        }
        self.follow_up();
        if weighed {
            self.ask_guards_again();
        }
    }

    /// What became of the errors and the alerts of releases that were acted on.
    fn follow_up(&mut self) {
        let now = self.now;
        for line in &mut self.actions.lines {
            let Some(id) = line.target.release() else {
                continue;
            };
            let aborted = self
                .releases
                .find(id)
                .is_some_and(|release| release.rollout.aborted());
            let goes_back = matches!(line.verb, Verb::Abort | Verb::BackOut);
            let share = if aborted && goes_back {
                self.beside.error_share_of_stable(id)
            } else {
                self.beside.error_share(id)
            };
            let firing: Vec<_> = self
                .beside
                .firing(id)
                .iter()
                .map(|alert| alert.fingerprint.clone())
                .collect();
            let known = self.beside.incidents.contains_key(&id.environment);
            line.follow_up(now, share, known.then_some(firing.as_slice()));
        }
    }

    /// Tells the sources beside the clusters what to ask for, where that changed.
    pub(super) fn want(&mut self) -> Vec<Effect> {
        if !self.beside.is_configured() {
            return Vec::new();
        }
        let mut closely: Vec<crate::model::id::ReleaseId> = Vec::new();
        closely.extend(self.open.as_ref().map(|open| open.id.clone()));
        closely.extend(self.board.explained.clone());
        closely.extend(
            self.actions
                .lines
                .iter()
                .filter(|line| line.is_followed_up(self.now))
                .filter_map(|line| line.target.release().cloned()),
        );
        let mut effects = Vec::new();
        // Which repositories there are changes with the releases and the runs, which is when joins are made anew.
        if !self.beside.needs_joins()
            && let Some(wanted) = self
                .beside
                .want_repositories(self.now, &self.releases, &closely)
        {
            effects.push(Effect::WantRepositories(wanted));
        }
        let moving = self
            .board
            .slots_in(|group| matches!(group, Group::Broken | Group::NeedsYou | Group::Moving))
            .take(MOVING_ASKED_AT_MOST)
            .filter_map(|slot| self.releases.get(slot));
        let looked_at = closely.iter().filter_map(|id| self.releases.find(id));
        if let Some(wanted) = self.beside.want_metrics(self.now, looked_at, moving) {
            effects.push(Effect::WantMetrics(wanted));
        }
        effects
    }
}
