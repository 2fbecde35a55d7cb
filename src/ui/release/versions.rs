//! Which versions share the traffic, in the vendor's roles, and the ReplicaSets that are still there.

use ratatui::style::Style;

use super::super::{
    board::percent,
    ink::{Ink, bold},
    strip::{Sheet, Strip},
    words,
};
use crate::{
    app::state::State,
    model::{
        id::PodHash,
        moment::Moment,
        release::{Release, Version},
        replica_set::{ReplicaSet, SetHealth},
        rollout::{Argo, ArgoStrategy, Canary},
    },
};

/// Which versions share the traffic, in the vendor's roles.
pub(super) fn versions(release: &Release, sheet: &mut Sheet<'_>, ink: &Ink) {
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
            Version {
                revision: Some(set.revision),
                hash: set.hash.clone(),
                images: set.images.clone(),
            }
            .label()
            .into_owned()
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

pub(super) fn sets(state: &State, release: &Release, sheet: &mut Sheet<'_>, ink: &Ink) {
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
    let version = Version {
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
        .map(Moment::time)
        .filter(|deadline| *deadline > state.now)
    {
        let left = deadline.duration_since(state.now).as_secs();
        line.put(&format!("back: instant {left} s"), ink.waiting)
            .gap(2);
    }
    if let Some(created) = set.created.map(Moment::time) {
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
