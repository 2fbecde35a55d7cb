//! The pods of a release, new ones first, as `kubectl get pods` says them.

use super::{
    super::{
        ink::{Ink, bold},
        strip::{Sheet, Strip},
        words,
    },
    Shown,
};
use crate::model::{
    detail::{Pod, PodIcon},
    id::PodHash,
};

pub(super) fn content(shown: &Shown<'_>, sheet: &mut Sheet<'_>, ink: &Ink) {
    if !shown.is_there("pods", shown.open.pods.is_some(), sheet, ink) {
        return;
    }
    let pods = shown.open.pods.as_deref().unwrap_or_default();
    if pods.is_empty() {
        sheet.wrapped(0, "no pods", ink.dim);
        return;
    }
    let current = shown.release.current().hash;
    let (new, old): (Vec<&Pod>, Vec<&Pod>) = pods
        .iter()
        .partition(|pod| current.is_some() && pod.hash == current);
    group(shown, "new", current.as_ref(), &new, sheet, ink);
    if !new.is_empty() && !old.is_empty() {
        sheet.blank();
    }
    let name = if new.is_empty() { "pods" } else { "other" };
    group(shown, name, None, &old, sheet, ink);
}

fn group(
    shown: &Shown<'_>,
    name: &str,
    hash: Option<&PodHash>,
    pods: &[&Pod],
    sheet: &mut Sheet<'_>,
    ink: &Ink,
) {
    if pods.is_empty() {
        return;
    }
    sheet.line(|line| {
        line.put(name, bold(ink.text))
            .gap(2)
            .put(&pods.len().to_string(), ink.dim)
            .gap(2);
        if let Some(hash) = hash {
            line.name(hash.as_str(), 12, ink.ghost);
        }
    });
    sheet.many(pods.len(), |nth, line| {
        if let Some(pod) = pods.get(nth) {
            one(shown, hash, pod, line, ink);
        }
    });
}

fn one(shown: &Shown<'_>, hash: Option<&PodHash>, pod: &Pod, line: &mut Strip<'_>, ink: &Ink) {
    let (mark, style) = match pod.icon {
        PodIcon::Running => ("✔", ink.ok),
        PodIcon::Progressing => ("▸", ink.moving),
        PodIcon::Warning => ("▲", ink.waiting),
        PodIcon::Failed => ("✖", ink.bad),
        PodIcon::Unknown => ("?", ink.dim),
    };
    line.put(mark, style).gap(1);
    if let Some(created) = pod.created {
        line.right(&words::age(shown.state, created), ink.ghost);
    }
    let ready = format!("{}/{}", pod.ready, pod.containers.len());
    line.right(&ready, ink.dim);
    if pod.restarts > 0 {
        line.right(&format!("↻{}", pod.restarts), ink.waiting);
    }
    if pod.icon != PodIcon::Running {
        let room = line.left() / 2;
        let status = crate::model::text::clip(&pod.status, usize::from(room));
        line.right(&status, style);
    }
    // What all pods of a release have in common says nothing; their ends are what tells them apart.
    let name = pod
        .name
        .strip_prefix(shown.open.id.name.as_str())
        .and_then(|rest| rest.strip_prefix('-'))
        .unwrap_or(&pod.name);
    let name = hash
        .and_then(|hash| name.strip_prefix(hash.as_str()))
        .and_then(|rest| rest.strip_prefix('-'))
        .unwrap_or(name);
    let room = line.left();
    line.name(name, room, ink.text);
}
