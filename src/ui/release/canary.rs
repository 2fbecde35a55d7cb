//! The rollout itself: where it stands, what the vendor says, and what this session did to it.

use super::{
    super::{
        board::pods_words,
        ink::{Ink, bold},
        measured,
        strip::Sheet,
        told::{group_of_words, release_words},
        words::{self, run_mark},
    },
    steps, versions,
};
use crate::{
    app::{actions::LineState, command::Command, state::State},
    model::{
        release::{Group, Release, duration_words},
        rollout::{ArgoStrategy, Phase, Rollout, Workload},
        text::width,
    },
    ops::intent::Verb,
};
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

pub(super) fn subtitle(state: &State, release: &Release) -> String {
    let lifted = state.releases.lift(&release.rollout.id).is_some();
    match release.rollout.canary() {
        Some(canary) if !canary.steps.is_empty() => match canary.current_step() {
            Some((index, _)) => {
                format!(
                    "Argo Rollouts, step {} of {}",
                    index + 1,
                    canary.steps.len()
                )
            }
            None => format!("Argo Rollouts, all {} steps done", canary.steps.len()),
        },
        Some(_) => "Argo Rollouts, no steps".to_owned(),
        None if release.rollout.argo().is_some() => "Argo Rollouts".to_owned(),
        // The vendor's word for it is about pods, and no word for a release on which something fires.
        None if lifted => String::new(),
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
        steps::steps(release, canary, style, sheet, ink);
        sheet.blank();
    }
    where_it_stands(state, release, group, sheet, ink);
    measured::content(state, release, if roomy { 9 } else { 5 }, sheet, ink);
    sheet.blank();
    versions::versions(release, sheet, ink);
    said(rollout, sheet, ink);
    runs_in_force(rollout, sheet, ink);
    versions::sets(state, release, sheet, ink);
    actions(state, release, sheet, ink);
}

fn group(state: &State, release: &Release) -> Group {
    let id = &release.rollout.id;
    let fresh = state
        .environment_of(id)
        .is_some_and(crate::app::state::Environment::is_fresh);
    let lifted = match state.releases.slot_of(id) {
        Some(slot) => state.releases.group(slot, release, fresh),
        None => release.group(fresh),
    };
    group_of_words(state, release, lifted)
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
    let mut says = release_words(state, release).into_owned();
    let lifted = state.releases.lift(&rollout.id).is_some() && rollout.phase == Phase::Healthy;
    if !lifted && let Some(since) = release.since() {
        says.push(' ');
        says.push_str(&duration_words(words::seconds_since(state, since)));
    }
    let pods = pods_words(rollout.replicas);
    let next = release.next().map(|next| {
        if rollout.blue_green().is_some() {
            let promote = Command::Act(Verb::Promote);
            match state.session.keys.first(promote) {
                Some(key) => format!("{key}: {next}"),
                None => next,
            }
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

/// What this session has done to it.
fn actions(state: &State, release: &Release, sheet: &mut Sheet<'_>, ink: &Ink) {
    let mine = || {
        state
            .actions
            .lines
            .iter()
            .rev()
            .filter(|line| line.target.release() == Some(&release.rollout.id))
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
        sheet.labelled(
            (&time, ink.dim),
            9,
            &words::whole_words(state, line),
            bold(style),
        );
    }
}
