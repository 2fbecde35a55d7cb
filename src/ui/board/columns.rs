//! Where the columns of the Board begin at a width. What is beside the rollouts has columns only where a source of it is
//! configured and the words of the rollout keep enough room.

use crate::app::{
    beside::{Beside, SourceKind},
    board::Widest,
};

/// Where the columns begin, in cells from the left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    pub(super) service: u16,
    pub(super) environment: u16,
    /// Only at wide sizes; elsewhere the versions of quiet releases stand in their words.
    pub(super) version: Option<u16>,
    pub(super) state: u16,
    /// Shares of errors; begin and cells, as for the next two.
    pub(super) errors: Option<(u16, u16)>,
    pub(super) pipeline: Option<(u16, u16)>,
    pub(super) alerts: Option<(u16, u16)>,
    /// Cells of a version.
    pub(super) version_cells: u16,
    /// Cells of the bar, where one is drawn.
    pub(super) bar: u16,
    /// Groups are marked in front of each name instead of by headings.
    pub(super) marks: bool,
    pub(super) wide: bool,
    /// There is no room for the number of the step.
    pub(super) narrow: bool,
}

/// Cells at the right end for how long it has been so.
const SINCE: u16 = 9;

impl Columns {
    pub(super) fn new(width: u16, headings: bool, widest: Widest, beside: &Beside) -> Self {
        let cells = |wanted: usize, least: u16, most: u16| {
            u16::try_from(wanted).unwrap_or(most).clamp(least, most)
        };
        let wide = width >= 100;
        let service = 3;
        if wide {
            let names = cells(widest.service, 11, width / 5) + 3;
            let environments = cells(widest.environment, 7, width / 8) + 3;
            let version_cells = if width >= 140 { 9 } else { 8 };
            let version = service + names + environments;
            return Self {
                service,
                environment: service + names,
                version: Some(version),
                state: version + 2 * version_cells + 5,
                errors: None,
                pipeline: None,
                alerts: None,
                version_cells,
                bar: if width >= 140 { 14 } else { 8 },
                marks: !headings,
                wide,
                narrow: false,
            }
            .with_what_is_beside(width, beside);
        }
        let gap = if width >= 60 { 2 } else { 1 };
        let names = cells(widest.service, 7, (width / 3).max(7)) + gap;
        let environments = cells(widest.environment, 3, (width / 5).max(3)) + gap;
        Self {
            service,
            environment: service + names,
            version: None,
            state: service + names + environments,
            errors: None,
            pipeline: None,
            alerts: None,
            version_cells: 10,
            bar: 0,
            marks: !headings,
            wide,
            narrow: width < 60,
        }
    }

    /// From the right, what hurts first, while the words of the rollout keep the room that they need.
    fn with_what_is_beside(mut self, width: u16, beside: &Beside) -> Self {
        let roomy = width >= 140;
        let least = self.state + if roomy { 44 } else { 36 };
        let mut end = width.saturating_sub(SINCE);
        let mut take = |wanted: bool, cells: u16| {
            let begin = end.saturating_sub(cells + 2);
            (wanted && begin >= least).then(|| {
                end = begin;
                (begin, cells)
            })
        };
        self.alerts = take(
            beside.has(SourceKind::Alertmanager),
            if roomy { 13 } else { 6 },
        );
        self.pipeline = take(beside.has(SourceKind::GitHub), if roomy { 10 } else { 9 });
        self.errors = take(
            beside.has(SourceKind::Prometheus) && roomy,
            if width >= 156 { 23 } else { 15 },
        );
        // A bar is looked at, words are read: it gives way until the longest of them, "waits for a human", fits beside it.
        self.bar = self.bar.min(end.saturating_sub(self.state + 34)).max(8);
        self
    }

    pub(super) const fn room_of_environment(&self) -> u16 {
        let next = match self.version {
            Some(version) => version,
            None => self.state,
        };
        next - self.environment - 1
    }
}
