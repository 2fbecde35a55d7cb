//! The Release view: the one that is open, with its pods, runs, experiments and events. Owns which pane has the focus and
//! how far each is scrolled. Bound to an object: when another one takes its name, that is said.

use super::changed::ChangedBefore;
use crate::model::{
    detail::{AnalysisRun, Event, Experiment, Pod},
    event::DetailFact,
    id::{ReleaseId, Uid},
    text::Safe,
};

#[derive(Clone, Debug)]
pub struct OpenRelease {
    pub id: ReleaseId,
    pub uid: Uid,
    pub pane: Pane,
    /// `None` until told.
    pub pods: Option<Vec<Pod>>,
    pub runs: Option<Vec<AnalysisRun>>,
    pub experiments: Option<Vec<Experiment>>,
    /// Newest first.
    pub events: Option<Vec<Event>>,
    /// What cannot be told: part and why.
    pub failed: Vec<(&'static str, Safe)>,
    /// What changed before its incident, or before now. Costs a look at every release, so it is kept until the joins are
    /// made anew.
    pub changed: Vec<ChangedBefore>,
    pub scroll: [usize; 6],
}

/// The panes, in the order of Tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    Pipeline,
    Canary,
    Incidents,
    Pods,
    Runs,
    Events,
}

impl Pane {
    pub const ALL: [Self; 6] = [
        Self::Pipeline,
        Self::Canary,
        Self::Incidents,
        Self::Pods,
        Self::Runs,
        Self::Events,
    ];

    pub const fn index(self) -> usize {
        self as usize
    }

    /// The next one for Tab. Where no source beside the clusters is configured there is nothing in two of the panes, and
    /// they are passed over.
    #[must_use]
    pub fn next(self, configured: bool) -> Self {
        self.beside(1, configured)
    }

    #[must_use]
    pub fn previous(self, configured: bool) -> Self {
        self.beside(Self::ALL.len() - 1, configured)
    }

    pub const fn is_there(self, configured: bool) -> bool {
        configured || !matches!(self, Self::Pipeline | Self::Incidents)
    }

    fn beside(self, by: usize, configured: bool) -> Self {
        (1..=Self::ALL.len())
            .filter_map(|step| {
                let at = (self.index() + by * step) % Self::ALL.len();
                Self::ALL.get(at).copied()
            })
            .find(|pane| pane.is_there(configured))
            .unwrap_or(Self::Canary)
    }
}

impl OpenRelease {
    pub fn new(id: ReleaseId, uid: Uid) -> Self {
        Self {
            id,
            uid,
            pane: Pane::Canary,
            pods: None,
            runs: None,
            experiments: None,
            events: None,
            failed: Vec::new(),
            changed: Vec::new(),
            scroll: [0; 6],
        }
    }

    pub fn told(&mut self, fact: DetailFact) {
        match fact {
            DetailFact::Pods(pods) => {
                self.works("pods");
                self.pods = Some(pods);
            }
            DetailFact::Runs(runs) => {
                self.works("analysis runs");
                self.runs = Some(runs);
            }
            DetailFact::Experiments(experiments) => {
                self.works("experiments");
                self.experiments = Some(experiments);
            }
            DetailFact::Events(events) => {
                self.works("events");
                self.events = Some(events);
            }
            DetailFact::Failed { part, why } => {
                self.works(part);
                self.failed.push((part, why));
            }
        }
    }

    fn works(&mut self, part: &str) {
        self.failed.retain(|(failed, _)| *failed != part);
    }

    /// What is shown where there is room for all: at the left, in the middle, at the right and below. At the sides stands
    /// what is beside the rollout, unless the focus is on its pods or its analyses.
    pub fn side_by_side(&self, configured: bool) -> [Pane; 4] {
        let left = if !configured || self.pane == Pane::Pods {
            Pane::Pods
        } else {
            Pane::Pipeline
        };
        let right = if !configured || self.pane == Pane::Runs {
            Pane::Runs
        } else {
            Pane::Incidents
        };
        [left, Pane::Canary, right, Pane::Events]
    }

    pub fn scroll_by(&mut self, by: isize) {
        self.scroll_pane(self.pane, by);
    }

    /// A pane that need not have the focus.
    pub fn scroll_pane(&mut self, pane: Pane, by: isize) {
        if let Some(scroll) = self.scroll.get_mut(pane.index()) {
            *scroll = scroll.saturating_add_signed(by).min(10_000);
        }
    }

    pub fn scroll_of(&self, pane: Pane) -> usize {
        self.scroll.get(pane.index()).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tab_passes_over_panes_that_nothing_can_fill() {
        let round = |configured: bool| {
            let mut panes = vec![Pane::Canary];
            while panes.len() < 7 {
                panes.push(panes.last().unwrap().next(configured));
            }
            panes
        };
        assert_eq!(
            round(false).get(..5).unwrap(),
            [
                Pane::Canary,
                Pane::Pods,
                Pane::Runs,
                Pane::Events,
                Pane::Canary
            ]
        );
        assert!(Pane::ALL.iter().all(|pane| round(true).contains(pane)));
        for pane in Pane::ALL {
            assert_eq!(pane.next(true).previous(true), pane);
        }
        assert_eq!(Pane::Canary.previous(false), Pane::Events);
    }
}
