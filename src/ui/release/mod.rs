//! The Release view: the rollout in the middle, its pods beside it, the measurements of its analyses, and what happened.
//! Side by side where there is room, else one pane at a time. Bound to an object: when another one took its name, that is
//! said and nothing of the old one is shown as new.

mod canary;
mod incidents;
mod pipeline;
mod pods;
mod runs;
mod steps;
mod story;
mod versions;

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    ink::{Ink, bold},
    pane::{self, Titles},
    strip::{Beyond, Sheet, Strip, sheet},
    words::{self, source_mark},
};
use crate::{
    app::{
        layout,
        release_view::{OpenRelease, Pane},
        state::{State, View},
    },
    model::{release::Release, text::Safe},
};

pub(super) fn draw(state: &State, area: Rect, buf: &mut Buffer, ink: &Ink) {
    debug_assert_eq!(state.view, View::Release);
    let (top, height) = layout::body(area.width, area.height);
    let area = Rect {
        y: area.y + top,
        height,
        ..area
    }
    .intersection(area);
    let Some(open) = &state.open else {
        Strip::new(buf, area, 0)
            .gap(1)
            .put("no release is open: Enter on the Board opens one", ink.dim);
        return;
    };
    let release = state.releases.find(&open.id);
    head(state, open, release, area, buf, ink);
    let body = Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1),
        ..area
    };
    let Some(release) = release else {
        let words = format!(
            "{} is gone: it was deleted, or its source does not tell of it any more",
            open.id.name
        );
        sheet(buf, inset(body), 0, |sheet| {
            sheet.wrapped(0, &words, bold(ink.waiting));
        });
        return;
    };
    if release.rollout.uid != open.uid {
        sheet(buf, inset(body), 0, |sheet| {
            sheet.wrapped(
                0,
                "It was deleted, and another object has its name now. Nothing can be done to it from here.",
                bold(ink.waiting),
            );
            sheet.wrapped(
                0,
                "Esc goes back to the Board; Enter there opens the new one.",
                ink.dim,
            );
        });
        return;
    }
    let shown = Shown {
        state,
        open,
        release,
    };
    if layout::is_wide(area.width, state_rows(area)) && area.width >= 110 {
        shown.side_by_side(body, buf, ink);
    } else {
        shown.one_at_a_time(body, buf, ink);
    }
}

const fn state_rows(area: Rect) -> u16 {
    // The header and the key bar are not part of the area.
    area.height + 5
}

fn inset(area: Rect) -> Rect {
    Rect {
        x: area.x + 1.min(area.width),
        width: area.width.saturating_sub(2),
        ..area
    }
}

fn head(
    state: &State,
    open: &OpenRelease,
    release: Option<&Release>,
    area: Rect,
    buf: &mut Buffer,
    ink: &Ink,
) {
    let mut line = Strip::new(buf, area, 0);
    line.gap(1).keep_right(1);
    let environment = state.environment_of(&open.id);
    let mut right = Vec::new();
    if let Some(environment) = environment {
        let health = &environment.health;
        let age = match (health.state.is_live(), health.heard) {
            (true, Some(heard)) => format!("{} s", words::seconds_since(state, heard)),
            (_, Some(heard)) => {
                format!(
                    "{}, as of {} ago",
                    health.state.word(),
                    words::age(state, heard)
                )
            }
            (_, None) => health.state.word().to_owned(),
        };
        right.push((
            format!("{} {age}", source_mark(health.state)),
            ink.source(health.state),
        ));
    }
    if let Some(managed) = release.and_then(|release| release.rollout.managed_by.as_ref())
        && area.width >= 100
    {
        right.push((format!("git: {managed}  "), ink.dim));
    }
    for (text, style) in &right {
        line.right(text, *style);
    }
    let room = line.left() / 3;
    line.name(open.id.name.as_str(), room, bold(ink.text))
        .gap(2);
    let room = line.left() / 3;
    line.name(open.id.environment.as_str(), room, ink.dim)
        .gap(if area.width >= 60 { 3 } else { 1 });
    let Some(release) = release else { return };
    let current = release.current();
    if let Some(before) = release.serving_before() {
        line.name(&before.label(), 16, ink.dim).put(" → ", ink.dim);
    }
    line.name(&current.label(), 16, bold(ink.text)).gap(3);
    if let Some(hash) = &current.hash
        && line.left() > 12
    {
        line.name(hash.as_str(), 12, ink.ghost).gap(1);
    }
    if line.left() > 20 {
        line.put(open.id.kind.vendor(), ink.ghost)
            .put(" in ", ink.ghost);
        let room = line.left();
        line.name(open.id.namespace.as_str(), room, ink.ghost);
    }
}

/// What the panes show.
#[derive(Clone, Copy)]
struct Shown<'s> {
    state: &'s State,
    open: &'s OpenRelease,
    release: &'s Release,
}

impl Shown<'_> {
    fn side_by_side(&self, area: Rect, buf: &mut Buffer, ink: &Ink) {
        let story = (area.height / 4).clamp(6, 11);
        let upper = area.height.saturating_sub(story);
        // The sides hold pods and measurements; the middle is what is looked at.
        let side = (area.width * 27 / 100).clamp(34, 48);
        let middle = area.width - 2 * side;
        let column = |x: u16, width: u16| Rect {
            x: area.x + x,
            width,
            height: upper,
            ..area
        };
        self.pane(Pane::Pods, column(0, side), buf, ink);
        self.pane(Pane::Canary, column(side, middle), buf, ink);
        self.pane(Pane::Runs, column(side + middle, side), buf, ink);
        let below = Rect {
            y: area.y + upper,
            height: area.height - upper,
            ..area
        };
        self.pane(Pane::Events, below, buf, ink);
    }

    fn pane(&self, pane: Pane, area: Rect, buf: &mut Buffer, ink: &Ink) {
        let focused = self.open.pane == pane;
        let border = if focused { ink.accent } else { ink.line };
        let (left, right) = self.titles(pane);
        let inner = pane::boxed(buf, area, Titles::new(left, &right), border, ink);
        let beyond = self.content(pane, inner, buf, ink);
        pane::beyond(buf, area, beyond, ink);
    }

    fn content(&self, pane: Pane, area: Rect, buf: &mut Buffer, ink: &Ink) -> Beyond {
        let scroll = self.open.scroll_of(pane);
        match pane {
            Pane::Canary => {
                let roomy = area.height >= 24;
                sheet(buf, area, scroll, |sheet| {
                    canary::content(self.state, self.release, roomy, sheet, ink);
                })
            }
            Pane::Pipeline => sheet(buf, area, scroll, |sheet| {
                pipeline::content(self, sheet, ink);
            }),
            Pane::Incidents => sheet(buf, area, scroll, |sheet| {
                incidents::content(self, sheet, ink);
            }),
            Pane::Pods => sheet(buf, area, scroll, |sheet| pods::content(self, sheet, ink)),
            Pane::Runs => sheet(buf, area, scroll, |sheet| runs::content(self, sheet, ink)),
            Pane::Events => story::draw(self, area, scroll, buf, ink),
        }
    }

    fn titles(&self, pane: Pane) -> (&'static str, String) {
        match pane {
            Pane::Canary => (canary::title(self.release), canary::subtitle(self.release)),
            Pane::Pipeline => ("Pipeline", String::new()),
            Pane::Incidents => ("Incidents", String::new()),
            Pane::Pods => (
                "Pods",
                self.open
                    .pods
                    .as_ref()
                    .map_or_else(String::new, |pods| pods.len().to_string()),
            ),
            Pane::Runs => (
                "Analysis",
                self.open
                    .runs
                    .as_ref()
                    .map_or_else(String::new, |runs| match runs.len() {
                        0 => String::new(),
                        many => words::count(many, "run"),
                    }),
            ),
            Pane::Events => ("Story of this release", "newest first".to_owned()),
        }
    }

    fn one_at_a_time(&self, area: Rect, buf: &mut Buffer, ink: &Ink) {
        let gap = if area.height >= 14 { 2 } else { 1 };
        let body = inset(Rect {
            y: area.y + gap,
            height: area.height.saturating_sub(gap),
            ..area
        });
        let beyond = self.content(self.open.pane, body.intersection(area), buf, ink);
        let mut line = Strip::new(buf, area, 0);
        line.gap(1);
        if beyond.above > 0 {
            line.right(&format!("▴{}", beyond.above), ink.ghost);
        }
        if beyond.below > 0 {
            line.right(&format!("▾{}", beyond.below), ink.ghost);
        }
        for pane in Pane::ALL {
            let (name, number) = match pane {
                Pane::Canary => (canary::title(self.release), None),
                Pane::Pipeline => ("Pipeline", None),
                Pane::Incidents => ("Incidents", None),
                Pane::Pods => ("Pods", self.open.pods.as_ref().map(Vec::len)),
                Pane::Runs => ("Analysis", self.open.runs.as_ref().map(Vec::len)),
                Pane::Events => ("Story", self.open.events.as_ref().map(Vec::len)),
            };
            let style = if pane == self.open.pane {
                bold(ink.accent)
            } else {
                ink.dim
            };
            line.put(name, style);
            if let Some(number) = number {
                line.gap(1).put(&number.to_string(), ink.ghost);
            }
            line.gap(2);
        }
    }

    /// Why a part cannot be told, or that it has not been told yet. Returns whether it is there.
    fn is_there(&self, part: &'static str, told: bool, sheet: &mut Sheet<'_>, ink: &Ink) -> bool {
        let failed: Option<&Safe> = self
            .open
            .failed
            .iter()
            .find(|(failed, _)| *failed == part)
            .map(|(_, why)| why);
        if let Some(why) = failed {
            sheet.labelled(
                ("✖", ink.bad),
                2,
                &format!("{part} cannot be told: {why}"),
                ink.text,
            );
        } else if !told {
            sheet.wrapped(0, &format!("asking for {part}"), ink.ghost);
        }
        told
    }
}
