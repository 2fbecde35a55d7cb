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
        beside::{Certainty, PipelineState},
        layout::{self, Place},
        release_view::{OpenRelease, Pane},
        state::{State, View},
    },
    model::{
        pipeline::{Commit, RepositoryFacts, Run},
        release::Release,
        text::{Safe, width},
    },
};

pub(super) fn draw(state: &State, screen: Rect, buf: &mut Buffer, ink: &Ink) {
    debug_assert_eq!(state.view, View::Release);
    let (top, height) = layout::body(screen.width, screen.height);
    let area = Rect {
        y: screen.y + top,
        height,
        ..screen
    }
    .intersection(screen);
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
    match layout::release(screen.width, screen.height) {
        Some(places) => shown.side_by_side(places, buf, ink),
        None => shown.one_at_a_time(body, buf, ink),
    }
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
    if let Some(run) = known_run(state, release) {
        let page = run.page_of(&run.commit);
        line.link(page.as_ref(), &ink.links, |line| {
            line.put(run.commit.short(), ink.ghost)
                .gap(1)
                .put(&run.title, ink.dim);
        });
        return;
    }
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

/// The run that made the version, where something says so.
pub(super) fn known_run<'s>(state: &'s State, release: &Release) -> Option<&'s Run> {
    match state.beside.pipeline(release)?.state {
        PipelineState::Here {
            run,
            certainty: Certainty::Commit(_) | Certainty::Tag,
            ..
        } => Some(run),
        _ => None,
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
    fn side_by_side(&self, places: [Place; 4], buf: &mut Buffer, ink: &Ink) {
        let panes = self.open.side_by_side(self.state.beside.is_configured());
        for (pane, place) in panes.into_iter().zip(places) {
            let area = Rect::new(place.x, place.y, place.columns, place.rows);
            self.pane(pane, area, buf, ink);
        }
    }

    fn pane(&self, pane: Pane, area: Rect, buf: &mut Buffer, ink: &Ink) {
        let focused = self.open.pane == pane;
        let border = if focused { ink.accent } else { ink.line };
        let room = usize::from(area.width);
        let left = self.name(pane);
        // The pane that has the same column, so that one finds it.
        let also = self.shares_with(pane).map_or_else(String::new, |other| {
            let number = self
                .number(other)
                .map_or_else(String::new, |number| format!(" {number}"));
            format!("{}{number}", self.name(other))
        });
        let right = self
            .says(pane)
            .into_iter()
            .find(|right| width(left) + width(&also) + width(right) + 12 <= room)
            .unwrap_or_default();
        let titles = Titles {
            left,
            also: &also,
            right: &right,
        };
        let inner = pane::boxed(buf, area, titles, border, ink);
        let beyond = self.content(pane, inner, buf, ink);
        pane::beyond(buf, area, beyond, ink);
    }

    fn shares_with(&self, pane: Pane) -> Option<Pane> {
        if !self.state.beside.is_configured() {
            return None;
        }
        match pane {
            Pane::Pipeline => Some(Pane::Pods),
            Pane::Pods => Some(Pane::Pipeline),
            Pane::Incidents => Some(Pane::Runs),
            Pane::Runs => Some(Pane::Incidents),
            Pane::Canary | Pane::Events => None,
        }
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
            Pane::Pipeline => {
                let roomy = area.height >= 20;
                sheet(buf, area, scroll, |sheet| {
                    pipeline::content(self, roomy, sheet, ink);
                })
            }
            Pane::Incidents => sheet(buf, area, scroll, |sheet| {
                incidents::content(self, sheet, ink);
            }),
            Pane::Pods => sheet(buf, area, scroll, |sheet| pods::content(self, sheet, ink)),
            Pane::Runs => sheet(buf, area, scroll, |sheet| runs::content(self, sheet, ink)),
            Pane::Events => story::draw(self, area, scroll, buf, ink),
        }
    }

    fn name(&self, pane: Pane) -> &'static str {
        match pane {
            Pane::Canary => canary::title(self.release),
            Pane::Pipeline => "Pipeline",
            Pane::Incidents => "Incidents",
            Pane::Pods => "Pods",
            Pane::Runs => "Analysis",
            Pane::Events => "Story of this release",
        }
    }

    /// How much there is in a pane that is not looked at.
    fn number(&self, pane: Pane) -> Option<usize> {
        match pane {
            Pane::Pods => self.open.pods.as_ref().map(Vec::len),
            Pane::Runs => self.open.runs.as_ref().map(Vec::len),
            Pane::Events => self.open.events.as_ref().map(Vec::len),
            Pane::Incidents => {
                let firing = self.state.beside.firing(&self.open.id).len();
                (firing > 0).then_some(firing)
            }
            Pane::Canary | Pane::Pipeline => None,
        }
    }

    /// What stands at the right of a title, the longest first: the first that has room is taken.
    fn says(&self, pane: Pane) -> Vec<String> {
        match pane {
            Pane::Canary => vec![canary::subtitle(self.state, self.release)],
            Pane::Pipeline => pipeline::titles(self),
            Pane::Incidents => vec!["Alertmanager".to_owned()],
            Pane::Pods => self
                .open
                .pods
                .iter()
                .map(|pods| pods.len().to_string())
                .collect(),
            Pane::Runs => self
                .open
                .runs
                .iter()
                .filter(|runs| !runs.is_empty())
                .map(|runs| words::count(runs.len(), "run"))
                .collect(),
            Pane::Events => vec!["newest first".to_owned()],
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
        let configured = self.state.beside.is_configured();
        for pane in Pane::ALL {
            if !pane.is_there(configured) {
                continue;
            }
            let name = if pane == Pane::Events {
                "Story"
            } else {
                self.name(pane)
            };
            let style = if pane == self.open.pane {
                bold(ink.accent)
            } else {
                ink.dim
            };
            line.put(name, style);
            if let Some(number) = self.number(pane) {
                let style = if pane == Pane::Incidents {
                    ink.bad
                } else {
                    ink.ghost
                };
                line.gap(1).put(&number.to_string(), style);
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

/// The name of the version that a commit made, where something says so exactly; else the commit.
fn version_of(release: &Release, facts: &RepositoryFacts, commit: &Commit) -> String {
    let run = facts.runs.iter().find(|run| run.commit == *commit);
    [release.serving_before(), release.previous()]
        .into_iter()
        .flatten()
        .map(|version| version.label().into_owned())
        .find(|label| {
            label.contains(commit.as_str())
                || run.is_some_and(|run| run.reference.as_deref() == Some(label.as_str()))
        })
        .unwrap_or_else(|| commit.short().to_owned())
}
