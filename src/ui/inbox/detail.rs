//! What explains the selected entry of the Inbox: for a gate its run, who began it, which jobs an approval lets go and
//! which release it is joined to; for a rollout its versions and what comes next.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    super::{
        board::pods_words,
        figures::old,
        ink::{Ink, bold},
        pane::{self, Titles},
        strip::{Sheet, sheet},
        told::{job_mark, release_words, strip_of_jobs},
        words::{self, short_time},
    },
    fails_words, gate_line, rule,
};
use crate::{
    app::{
        beside::{SourceKind, WaitingGate},
        inbox::Waiting,
        names,
        state::State,
    },
    model::{pipeline::RunPhase, release::Release},
};

const LABEL: u16 = 10;

pub(super) fn draw(state: &State, area: Rect, wide: bool, buf: &mut Buffer, ink: &Ink) {
    let gate = state.selected_gate();
    let release = match &state.inbox.selected {
        Some(Waiting::Release(id)) => state.releases.find(id),
        _ => None,
    };
    let inner = if wide {
        let title = match (gate, release) {
            (Some(gate), _) => format!("{} #{}", gate.run.id.repository, gate.run.number),
            (None, Some(release)) => release.rollout.id.name.to_string(),
            (None, None) => String::new(),
        };
        let also = state
            .inbox
            .entry()
            .map_or("", |entry| entry.environment.as_str());
        let right = match (gate, release) {
            (Some(_), _) => "a approves, m says more",
            (None, Some(_)) => "Enter opens it",
            (None, None) => "",
        };
        let titles = Titles {
            left: &title,
            also,
            right,
        };
        pane::boxed(buf, area, titles, ink.line, ink)
    } else {
        rule(area, buf, ink);
        Rect {
            x: area.x + 1,
            y: area.y + 1,
            width: area.width.saturating_sub(2),
            height: area.height.saturating_sub(1),
        }
    };
    let beyond = sheet(buf, inner, 0, |sheet| match (gate, release) {
        (Some(gate), _) => one_gate(state, gate, sheet, ink),
        (None, Some(release)) => one_release(state, release, sheet, ink),
        (None, None) => {}
    });
    if wide {
        pane::beyond(buf, area, beyond, ink);
    }
}

fn one_gate(state: &State, gate: &WaitingGate, sheet: &mut Sheet<'_>, ink: &Ink) {
    let run = &gate.run;
    let label = |words| (words, ink.dim);
    sheet.line(|line| {
        let (page, commit) = (run.page(), run.page_of(&run.commit));
        line.link(commit.as_ref(), &ink.links, |line| {
            line.put(run.commit.short(), ink.ghost);
        });
        line.gap(2).link(page.as_ref(), &ink.links, |line| {
            line.put(&run.title, bold(ink.text));
        });
    });
    sheet.line(|line| {
        line.put("begun by", ink.dim).to(LABEL);
        let by = run.triggered_by.as_ref().or(run.actor.as_ref());
        line.put(by.map_or("nobody that is told", |by| by), ink.text);
        if let Some(started) = run.started.or(run.created) {
            line.put(" at ", ink.dim)
                .put(&short_time(state, started), ink.dim);
        }
        if run.attempt > 1 {
            line.gap(2)
                .put(&format!("attempt {}", run.attempt), ink.text);
        }
        let workflow = run.workflow_file.as_ref().unwrap_or(&run.workflow);
        line.gap(2).put(workflow, ink.ghost);
        if let Some(reference) = &run.reference {
            line.gap(2).put(reference, ink.dim);
        }
    });
    let waits = match gate.gate.may_decide {
        Some(true) => format!(
            "{}, and for {}",
            gate_line(state, gate),
            names(&gate.gate.reviewers)
        ),
        _ => gate_line(state, gate),
    };
    let waits = match gate.gate.deadline {
        Some(deadline) => format!("{waits}; {}", fails_words(state.now, deadline)),
        None => waits,
    };
    sheet.labelled(label("gate"), LABEL, &waits, ink.waiting);
    let releases: Vec<&str> = gate.gate.waiting_jobs.iter().map(|job| &**job).collect();
    let releases = if releases.is_empty() {
        "which jobs wait for it is not told".to_owned()
    } else {
        format!("an approval lets go {}", releases.join(", "))
    };
    sheet.labelled(label("jobs"), LABEL, &releases, ink.text);
    sheet.line(|line| {
        line.to(LABEL);
        let room = line.left();
        strip_of_jobs(run, room, line, ink);
        if run.phase != RunPhase::WaitsAtGate {
            line.gap(2)
                .put(job_mark(&run.phase), ink.job(&run.phase))
                .gap(1)
                .put(run.phase.words(), ink.job(&run.phase));
        }
    });
    joined(state, gate, sheet, ink);
    if !gate.known_environment {
        let words = format!(
            "{} is none of the environments here: it can be decided only under its own name",
            &*gate.gate.environment
        );
        sheet.labelled(("▲", ink.waiting), 2, &words, ink.text);
    }
    let age = old(words::seconds_since(state, gate.read_at));
    let live = state
        .beside
        .source(SourceKind::GitHub, &gate.environment)
        .is_some_and(|source| source.health.state.is_live());
    if live {
        sheet.wrapped(0, &format!("read {age} ago"), ink.ghost);
    } else {
        let words = format!("as of {age} ago: GitHub cannot be read now");
        sheet.labelled(("▲", ink.waiting), 2, &words, ink.text);
    }
}

/// Which release it holds, and why that is known.
fn joined(state: &State, gate: &WaitingGate, sheet: &mut Sheet<'_>, ink: &Ink) {
    let label = ("joined to", ink.dim);
    let Some(first) = gate.releases.first() else {
        sheet.labelled(label, LABEL, "no service", ink.text);
        return;
    };
    let because = state
        .releases
        .find(first)
        .and_then(|release| state.beside.services.pipeline(&release.rollout))
        .map_or_else(String::new, |joined| format!(" by {}", joined.because));
    let more = match gate.releases.len() {
        0 | 1 => String::new(),
        many => format!(" and {} more", many - 1),
    };
    let words = format!("{} in {}{more}{because}", first.name, first.environment);
    sheet.labelled(label, LABEL, &words, ink.text);
}

fn one_release(state: &State, release: &Release, sheet: &mut Sheet<'_>, ink: &Ink) {
    let rollout = &release.rollout;
    sheet.line(|line| {
        if let Some(before) = release.serving_before() {
            line.name(&before.label(), 20, ink.dim).put(" → ", ink.dim);
        }
        line.name(&release.current().label(), 20, bold(ink.text))
            .gap(3);
        line.put(rollout.id.kind.vendor(), ink.ghost)
            .put(" in ", ink.ghost)
            .put(rollout.id.namespace.as_str(), ink.ghost);
    });
    sheet.labelled(
        ("state", ink.dim),
        LABEL,
        &release_words(state, release),
        bold(ink.waiting),
    );
    sheet.labelled(
        ("pods", ink.dim),
        LABEL,
        &pods_words(rollout.replicas),
        ink.text,
    );
    if let Some(next) = release.next() {
        sheet.labelled(("next", ink.dim), LABEL, &next, ink.text);
    }
    if !rollout.message.is_empty() {
        sheet.labelled(("says", ink.dim), LABEL, &rollout.message, ink.text);
    }
}
