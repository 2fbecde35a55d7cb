//! The rollout itself: its steps as a line with dots, where it stands, which versions share the traffic, and the
//! `ReplicaSet`s that are still there.

use super::super::{
    board::{bar, percent, pods_words},
    ink::{Ink, bold},
    strip::{Sheet, Strip},
    words::{self, action_words, run_mark},
};
use crate::{
    app::{actions::LineState, state::State},
    model::{
        id::PodHash,
        release::{Group, Release, duration_words},
        replica_set::{ReplicaSet, SetHealth},
        rollout::{Argo, ArgoStrategy, Canary, Rollout, Workload},
        step::Step,
        text::width,
    },
};
use ratatui::style::Style;

pub(super) fn title(release: &Release) -> &'static str {
    match &release.rollout.workload {
        Workload::ArgoRollout(argo) => match argo.strategy {
            ArgoStrategy::Canary(_) => "Canary",
            ArgoStrategy::BlueGreen(_) => "Blue-green",
            ArgoStrategy::Unknown => "Rollout",
        },
        Workload::Deployment { .. } => "Deployment",
        Workload::StatefulSet => "StatefulSet",
        Workload::DaemonSet => "DaemonSet",
    }
}

pub(super) fn subtitle(release: &Release) -> String {
    match release.rollout.canary() {
        Some(canary) if !canary.steps.is_empty() => {
            let step = canary
                .current_step()
                .map_or(canary.steps.len(), |(index, _)| index + 1);
            format!("Argo Rollouts, step {step} of {}", canary.steps.len())
        }
        Some(_) => "Argo Rollouts, no steps".to_owned(),
        None if release.rollout.argo().is_some() => "Argo Rollouts".to_owned(),
        None => release.rollout.phase.vendor().to_owned(),
    }
}

pub(super) fn content(
    state: &State,
    release: &Release,
    roomy: bool,
    sheet: &mut Sheet<'_>,
    ink: &Ink,
) {
    let rollout = &release.rollout;
    let group = group(state, release);
    if roomy {
        sheet.blank();
    }
    if let Some(canary) = rollout.canary().filter(|canary| !canary.steps.is_empty()) {
        let style = match group {
            Group::Quiet => ink.ok,
            other => ink.group(other),
        };
        steps(release, canary, style, sheet, ink);
        sheet.blank();
    }
    where_it_stands(state, release, group, sheet, ink);
    sheet.blank();
    versions(release, sheet, ink);
    said(rollout, sheet, ink);
    runs_in_force(rollout, sheet, ink);
    sets(state, release, sheet, ink);
    actions(state, release, sheet, ink);
}

fn group(state: &State, release: &Release) -> Group {
    let fresh = state
        .environment_of(&release.rollout.id)
        .is_some_and(crate::app::state::Environment::is_fresh);
    release.group(fresh)
}

/// The stops of the line: weights and analyses; pauses belong to the weight before them.
struct Stop {
    label: String,
    /// Steps from here to the next stop.
    first: usize,
}

fn stops(canary: &Canary) -> Vec<Stop> {
    let mut stops: Vec<Stop> = Vec::new();
    for (index, step) in canary.steps.iter().enumerate() {
        let label = match step {
            Step::SetWeight(weight) => weight.to_string(),
            Step::Analysis | Step::Experiment | Step::Plugin(_) | Step::Unknown => step.words(),
            // What only waits or prepares belongs to the stop before it; at the very beginning it is a stop of its own.
            Step::Pause | Step::PauseFor { .. } if stops.is_empty() => "pause".to_owned(),
            Step::Pause
            | Step::PauseFor { .. }
            | Step::SetCanaryScale(_)
            | Step::SetHeaderRoute(_)
            | Step::SetMirrorRoute(_) => continue,
        };
        stops.push(Stop {
            label,
            first: index,
        });
    }
    if !matches!(canary.steps.last(), Some(Step::SetWeight(weight)) if *weight >= canary.weight.of)
    {
        stops.push(Stop {
            label: "100".to_owned(),
            first: canary.steps.len(),
        });
    }
    stops
}

fn steps(release: &Release, canary: &Canary, style: Style, sheet: &mut Sheet<'_>, ink: &Ink) {
    let stops = stops(canary);
    let index = if release.rollout.fully_promoted() {
        usize::MAX
    } else {
        canary
            .current_step()
            .map_or(canary.steps.len(), |(index, _)| index)
    };
    let current = stops
        .iter()
        .rposition(|stop| stop.first <= index)
        .unwrap_or(0);
    let done = release.rollout.fully_promoted();
    let room = usize::from(sheet.width());
    let labels: usize = stops.iter().map(|stop| width(&stop.label) + 2).sum();
    if labels > room {
        crowded(release, canary, &stops, current, style, sheet, ink);
        return;
    }
    // What the labels leave is shared out between the dots, so that the line is as wide as the pane.
    let spare = (room - labels) / stops.len().max(1);
    let cells: Vec<u16> = stops
        .iter()
        .map(|stop| u16::try_from(width(&stop.label) + 2 + spare.min(6)).unwrap_or(8))
        .collect();
    let centre = |stop: &Stop| u16::try_from(width(&stop.label) / 2).unwrap_or(0);
    sheet.line(|line| {
        let mut x = 0;
        for (nth, (stop, cells)) in stops.iter().zip(&cells).enumerate() {
            let style = if nth == current && !done {
                bold(ink.text)
            } else {
                ink.dim
            };
            line.to(x).put(&stop.label, style);
            x += cells;
        }
    });
    sheet.line(|line| {
        let mut x = 0;
        for (nth, (stop, cells)) in stops.iter().zip(&cells).enumerate() {
            let at = x + centre(stop);
            let reached = nth <= current || done;
            let (track, track_style) = if reached {
                ("━", style)
            } else {
                ("─", ink.line)
            };
            if nth > 0 {
                let gap = at.saturating_sub(line.at());
                line.fill(track, gap, track_style);
            }
            line.to(at);
            match nth {
                _ if done => line.put("●", style),
                nth if nth < current => line.put("●", style),
                nth if nth == current => line.put("◉", style),
                _ => line.put("○", ink.dim),
            };
            x += cells;
        }
    });
}

/// Where the stops have no room side by side: a bar, and the current step in words.
fn crowded(
    release: &Release,
    canary: &Canary,
    stops: &[Stop],
    current: usize,
    style: Style,
    sheet: &mut Sheet<'_>,
    ink: &Ink,
) {
    sheet.line(|line| {
        if let Some(percent) = percent(release) {
            let cells = line.left().saturating_sub(16).min(40);
            bar(percent, cells, style, line, ink);
            line.gap(1).put(&format!("{percent} %"), bold(ink.text));
        }
        let step = canary
            .current_step()
            .map_or(canary.steps.len(), |(index, _)| index + 1);
        line.gap(2)
            .put(&format!("{step}/{}", canary.steps.len()), ink.ghost);
    });
    sheet.line(|line| {
        for (nth, stop) in stops.iter().enumerate().skip(current.saturating_sub(1)) {
            let (mark, text) = match nth {
                nth if nth < current => ("● ", ink.dim),
                nth if nth == current => ("◉ ", bold(ink.text)),
                _ => ("○ ", ink.dim),
            };
            if usize::from(line.left()) < width(&stop.label) + 4 {
                break;
            }
            line.put(mark, if nth <= current { style } else { ink.dim });
            line.put(&stop.label, text).gap(2);
        }
    });
}

fn where_it_stands(
    state: &State,
    release: &Release,
    group: Group,
    sheet: &mut Sheet<'_>,
    ink: &Ink,
) {
    let rollout = &release.rollout;
    let environment = state.environment_of(&rollout.id);
    let mut says = release.words(state.now, words::may_act(environment, release));
    if let Some(since) = release.since() {
        says.push(' ');
        says.push_str(&duration_words(words::seconds_since(state, since)));
    }
    let pods = pods_words(rollout.replicas);
    let next = release.next().map(|next| {
        if rollout.blue_green().is_some() {
            format!("p: {next}")
        } else {
            format!("next: {next}")
        }
    });
    let style = match group {
        Group::Unknown => bold(ink.dim),
        other => bold(ink.group(other)),
    };
    if group == Group::Unknown
        && let Some(environment) = environment.filter(|environment| !environment.is_fresh())
    {
        let failing = words::source_words(state, &environment.health);
        sheet.wrapped(
            0,
            &format!("{} {failing}", environment.name),
            bold(ink.waiting),
        );
        sheet.wrapped(0, &format!("it was: {says}"), ink.dim);
        sheet.wrapped(0, &pods, ink.dim);
        return;
    }
    let room = usize::from(sheet.width());
    let beside = width(&says) + 3 + width(&pods) <= room;
    if beside {
        let all = next
            .as_ref()
            .is_some_and(|next| width(&says) + width(&pods) + width(next) + 6 <= room);
        sheet.line(|line| {
            line.put(&says, style).gap(3).put(&pods, ink.text).gap(3);
            if all && let Some(next) = &next {
                line.put(next, ink.text);
            }
        });
        if !all && let Some(next) = &next {
            sheet.wrapped(0, next, ink.text);
        }
        return;
    }
    sheet.wrapped(0, &says, style);
    sheet.wrapped(0, &pods, ink.text);
    if let Some(next) = &next {
        sheet.wrapped(0, next, ink.text);
    }
}

/// Which versions share the traffic, in the vendor's roles.
fn versions(release: &Release, sheet: &mut Sheet<'_>, ink: &Ink) {
    let Some(argo) = release.rollout.argo() else {
        let current = release.current();
        role(
            release,
            "current",
            current.hash.as_ref(),
            None,
            bold(ink.text),
            sheet,
            ink,
        );
        if let Some(before) = release.serving_before() {
            role(
                release,
                "before",
                before.hash.as_ref(),
                None,
                ink.text,
                sheet,
                ink,
            );
        }
        return;
    };
    match &argo.strategy {
        ArgoStrategy::BlueGreen(blue_green) => {
            role(
                release,
                "preview",
                blue_green.preview.as_ref(),
                Some("0 %"),
                bold(ink.accent),
                sheet,
                ink,
            );
            role(
                release,
                "active",
                blue_green.active.as_ref(),
                Some("100 %"),
                ink.text,
                sheet,
                ink,
            );
        }
        ArgoStrategy::Canary(canary) => canary_roles(release, argo, canary, sheet, ink),
        ArgoStrategy::Unknown => {
            sheet.wrapped(
                0,
                "its strategy is not one that this program knows",
                ink.waiting,
            );
            role(
                release,
                "current",
                argo.current_hash.as_ref(),
                None,
                ink.text,
                sheet,
                ink,
            );
            role(
                release,
                "stable",
                argo.stable_hash.as_ref(),
                None,
                ink.text,
                sheet,
                ink,
            );
        }
    }
}

fn canary_roles(release: &Release, argo: &Argo, canary: &Canary, sheet: &mut Sheet<'_>, ink: &Ink) {
    if release.rollout.fully_promoted() {
        role(
            release,
            "stable",
            argo.stable_hash.as_ref(),
            Some("100 %"),
            bold(ink.text),
            sheet,
            ink,
        );
        return;
    }
    let percent = percent(release);
    let share = percent.map(|percent| format!("{percent} %"));
    let rest = percent.map(|percent| format!("{} %", 100 - percent));
    role(
        release,
        "canary",
        argo.current_hash.as_ref(),
        share.as_deref(),
        bold(ink.accent),
        sheet,
        ink,
    );
    role(
        release,
        "stable",
        argo.stable_hash.as_ref(),
        rest.as_deref(),
        ink.text,
        sheet,
        ink,
    );
    if let Some(actual) = canary.weight.actual
        && actual != canary.weight.set
    {
        let words = format!("wanted {} %, the router has {actual} %", canary.weight.set);
        sheet.wrapped(8, &words, ink.waiting);
    }
    if !canary.traffic_routed {
        sheet.wrapped(
            8,
            "no traffic router: the share is the share of pods",
            ink.ghost,
        );
    }
}

fn role(
    release: &Release,
    name: &str,
    hash: Option<&PodHash>,
    share: Option<&str>,
    style: Style,
    sheet: &mut Sheet<'_>,
    ink: &Ink,
) {
    let set = hash.and_then(|hash| release.set_with_hash(hash));
    let label = set.map_or_else(
        || hash.map_or_else(|| "none".to_owned(), ToString::to_string),
        |set| {
            crate::model::release::Version {
                revision: Some(set.revision),
                hash: set.hash.clone(),
                images: set.images.clone(),
            }
            .label()
        },
    );
    sheet.line(|line| {
        line.put(name, ink.dim).to(9);
        line.name(&label, 18, style).to(9 + 12);
        line.gap(1);
        if let Some(share) = share {
            line.put(share, ink.text);
        }
        line.to(9 + 12 + 8);
        if let Some(set) = set {
            line.put(&format!("{} of {} pods", set.ready, set.desired), ink.text)
                .gap(2);
            line.put(&format!("rev {}", set.revision), ink.dim).gap(2);
        }
        if let Some(hash) = hash {
            line.name(hash.as_str(), 12, ink.ghost);
        }
    });
    for image in set.iter().flat_map(|set| set.images.iter()) {
        sheet.line(|line| {
            line.gap(9);
            let room = line.left();
            line.name(image, room, ink.ghost);
        });
    }
}

fn said(rollout: &Rollout, sheet: &mut Sheet<'_>, ink: &Ink) {
    if !rollout.message.is_empty() {
        sheet.blank();
        sheet.labelled(("says", ink.dim), 9, &rollout.message, ink.text);
    }
    if !rollout.generation_observed {
        sheet.wrapped(
            9,
            "the controller has not seen the latest change of its spec yet",
            ink.waiting,
        );
    }
    if let Some(argo) = rollout.argo() {
        if argo.paused_by_hand {
            sheet.wrapped(
                9,
                "paused by hand: the canary keeps its share of the traffic; u resumes",
                ink.waiting,
            );
        }
        if argo.promote_full && !rollout.fully_promoted() {
            sheet.wrapped(
                9,
                "a full promotion was asked for: no pause or analysis stops it",
                ink.waiting,
            );
        }
    }
    if let Some(what) = &rollout.not_undone {
        sheet.labelled(("going back does not undo", ink.dim), 25, what, ink.waiting);
    }
}

fn runs_in_force(rollout: &Rollout, sheet: &mut Sheet<'_>, ink: &Ink) {
    for run in rollout
        .argo()
        .iter()
        .flat_map(|argo| argo.runs_in_force.iter())
    {
        sheet.line(|line| {
            line.put("analysis", ink.dim).to(9);
            line.put(run_mark(&run.phase), ink.run(&run.phase)).gap(1);
            line.put(run.phase.vendor(), ink.run(&run.phase)).gap(2);
            line.put(run.role.word(), ink.dim).gap(2);
            let room = line.left();
            line.name(&run.name, room, ink.ghost);
        });
        if !run.message.is_empty() {
            sheet.wrapped(11, &run.message, ink.text);
        }
    }
}

fn sets(state: &State, release: &Release, sheet: &mut Sheet<'_>, ink: &Ink) {
    sheet.blank();
    sheet.line(|line| {
        line.put("ReplicaSets", bold(ink.text));
    });
    if release.sets.is_empty() {
        sheet.wrapped(0, "none is kept, or none has been told yet", ink.ghost);
    }
    sheet.many(release.sets.len(), |nth, line| {
        if let Some(set) = release.sets.get(nth) {
            one_set(state, release, set, line, ink);
        }
    });
}

fn one_set(state: &State, release: &Release, set: &ReplicaSet, line: &mut Strip<'_>, ink: &Ink) {
    let style = match set.health {
        SetHealth::Healthy => ink.ok,
        SetHealth::Progressing => ink.moving,
        SetHealth::ScaledDown => ink.ghost,
        SetHealth::ReplicaFailure => ink.bad,
    };
    let mark = match set.health {
        SetHealth::Healthy => "✔",
        SetHealth::Progressing => "▸",
        SetHealth::ScaledDown => "·",
        SetHealth::ReplicaFailure => "✖",
    };
    line.put(mark, style).gap(1);
    line.put(&format!("rev {}", set.revision), ink.dim).to(10);
    let version = crate::model::release::Version {
        revision: Some(set.revision),
        hash: set.hash.clone(),
        images: set.images.clone(),
    };
    let text = if set.ready > 0 { ink.text } else { ink.dim };
    line.name(&version.label(), 14, text).to(26);
    line.put(&format!("{}/{}", set.ready, set.desired), text)
        .to(33);
    let role = role_of(release, set);
    if !role.is_empty() {
        line.put(role, ink.dim).gap(2);
    }
    if set.health == SetHealth::ReplicaFailure {
        line.put("cannot make its pods", ink.bad).gap(2);
    }
    if let Some(deadline) = set
        .scale_down_deadline
        .filter(|deadline| *deadline > state.now)
    {
        let left = deadline.duration_since(state.now).as_secs();
        line.put(&format!("back: instant {left} s"), ink.waiting)
            .gap(2);
    }
    if let Some(created) = set.created {
        line.right(&words::age(state, created), ink.ghost);
    }
}

fn role_of(release: &Release, set: &ReplicaSet) -> &'static str {
    let hash = set.hash.as_ref();
    let Some(argo) = release.rollout.argo() else {
        return if Some(set.revision) == release.rollout.revision {
            "current"
        } else {
            ""
        };
    };
    let is = |other: Option<&PodHash>| hash.is_some() && hash == other;
    match &argo.strategy {
        ArgoStrategy::BlueGreen(blue_green) if is(blue_green.active.as_ref()) => "active",
        ArgoStrategy::BlueGreen(blue_green) if is(blue_green.preview.as_ref()) => "preview",
        _ if is(argo.stable_hash.as_ref()) => "stable",
        _ if is(argo.current_hash.as_ref()) => "canary",
        _ => "",
    }
}

/// What this session has done to it.
fn actions(state: &State, release: &Release, sheet: &mut Sheet<'_>, ink: &Ink) {
    let mine = || {
        state
            .actions
            .lines
            .iter()
            .rev()
            .filter(|line| line.target == release.rollout.id)
            .take(5)
    };
    if mine().next().is_none() {
        return;
    }
    sheet.blank();
    for line in mine() {
        let (style, at) = match &line.state {
            LineState::UnderWay { .. } => (ink.moving, line.began),
            LineState::Over { outcome, at } => (ink.outcome(outcome.kind), *at),
            LineState::Reverted { at, .. } => (ink.bad, *at),
        };
        let time = words::clock_time(state, at);
        sheet.labelled((&time, ink.dim), 9, &action_words(line), bold(style));
    }
}
