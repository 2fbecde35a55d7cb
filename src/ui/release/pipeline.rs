//! The pipeline pane: the run that made this version, its jobs and what holds them, the next run on its way, what is
//! deployed, and which commits it brings. Says of each join why it was made.

use super::{
    super::{
        figures::{old, took},
        ink::{Ink, bold},
        strip::{Sheet, Strip},
        told::{deployment_words, gate_of, gate_words, job_mark, source_line},
        words::{self, short_time, source_mark},
    },
    Shown,
};
use crate::{
    app::beside::{Certainty, Pipeline, PipelineState, SourceKind},
    model::{
        address::Address,
        pipeline::{Change, Commit, Deployed, Gate, Job, RepositoryFacts, Run, RunPhase},
        text::width,
    },
};

/// Steps shown of one job.
const STEPS: usize = 8;

/// What stands at the right of the pane's title, the longest first.
pub(super) fn titles(shown: &Shown<'_>) -> Vec<String> {
    let Some(pipeline) = shown.state.beside.pipeline(shown.release) else {
        return Vec::new();
    };
    let repository = &pipeline.rule.repository;
    match pipeline.state {
        PipelineState::Here { run, .. } => {
            let number = run.number;
            vec![
                format!("GitHub {repository} #{number}"),
                format!("{repository} #{number}"),
                format!("#{number}"),
            ]
        }
        _ => vec![format!("GitHub {repository}"), repository.to_string()],
    }
}

pub(super) fn content(shown: &Shown<'_>, roomy: bool, sheet: &mut Sheet<'_>, ink: &Ink) {
    let state = shown.state;
    let Some(source) = source_line(state, SourceKind::GitHub, &shown.open.id, sheet, ink) else {
        return;
    };
    let Some(pipeline) = state.beside.pipeline(shown.release) else {
        sheet.wrapped(0, "nothing joins a pipeline to it", ink.dim);
        let hint = format!(
            "[services.{}] repository in the configuration would, or the annotation windlass.dev/repository",
            shown.open.id.name
        );
        sheet.wrapped(0, &hint, ink.ghost);
        return;
    };
    match &pipeline.state {
        PipelineState::Waiting => {
            let words = format!("asking for {}", pipeline.rule.repository);
            sheet.wrapped(0, &words, ink.dim);
        }
        PipelineState::Failed { state: failed, why } => {
            let style = ink.source(*failed);
            sheet.line(|line| {
                line.put(source_mark(*failed), style).gap(1);
                line.put(failed.word(), bold(style)).gap(2);
                let room = line.left();
                line.name(pipeline.rule.repository.as_str(), room, ink.dim);
            });
            sheet.wrapped(2, why, ink.text);
        }
        PipelineState::NoRun { facts } => {
            let words = match &pipeline.rule.workflow {
                Some(workflow) => {
                    format!("{workflow} of {} has no run", pipeline.rule.repository)
                }
                None => format!("{} has no run", pipeline.rule.repository),
            };
            sheet.wrapped(0, &words, ink.text);
            deployments(shown, facts, sheet, ink);
            missing(facts, sheet, ink);
        }
        PipelineState::Here {
            facts,
            run,
            certainty,
            next,
            failing,
        } => {
            // Not twice: a host on which everything fails has said why.
            if let Some((failed, why)) = failing
                && (source.health.state.is_live() || !source.health.detail.contains(why.as_str()))
            {
                let words = format!("{}: {why}", failed.word());
                let mark = (source_mark(*failed), ink.source(*failed));
                sheet.labelled(mark, 2, &words, bold(ink.source(*failed)));
            }
            if let Some(next) = next {
                on_its_way(shown, next, sheet, ink);
            }
            the_run(shown, run, sheet, ink);
            jobs(shown, run, roomy, sheet, ink);
            deployments(shown, facts, sheet, ink);
            changes(shown, &pipeline, run, facts, sheet, ink);
            missing(facts, sheet, ink);
            why(certainty, sheet, ink);
            let age = words::seconds_since(state, facts.read_at);
            sheet.wrapped(0, &format!("read {} ago", old(age)), ink.ghost);
        }
    }
    sheet.wrapped(0, &format!("joined by {}", pipeline.because), ink.ghost);
}

/// The seven digits that people read, and the page of all forty.
fn commit(commit: &Commit, page: Option<&Address>, line: &mut Strip<'_>, ink: &Ink) {
    line.link(page, &ink.links, |line| {
        line.put(commit.short(), ink.ghost);
    });
}

fn on_its_way(shown: &Shown<'_>, next: &Run, sheet: &mut Sheet<'_>, ink: &Ink) {
    let page = next.page();
    sheet.line(|line| {
        // The last one did not get here.
        let word = if next.phase.has_ended() {
            "last "
        } else {
            "next "
        };
        line.put(word, ink.dim)
            .put(job_mark(&next.phase), ink.job(&next.phase))
            .gap(1)
            .link(page.as_ref(), &ink.links, |line| {
                line.put(&format!("#{}", next.number), bold(ink.text));
            })
            .gap(1);
        if let Some(reference) = &next.reference {
            line.put(reference, ink.dim).gap(1);
        }
        line.put(next.phase.words(), ink.job(&next.phase));
    });
    if !next.title.is_empty() {
        sheet.line(|line| {
            line.gap(5);
            commit(&next.commit, next.page_of(&next.commit).as_ref(), line, ink);
            line.gap(1).put(&next.title, ink.text);
        });
    }
    for gate in next.gates.iter().flatten() {
        one_gate(shown, gate, 5, sheet, ink);
    }
    sheet.blank();
}

fn one_gate(shown: &Shown<'_>, gate: &Gate, indent: u16, sheet: &mut Sheet<'_>, ink: &Ink) {
    let words = format!("◆ {} {}", &*gate.environment, gate_words(shown.state, gate));
    sheet.wrapped(indent, &words, bold(ink.waiting));
}

fn the_run(shown: &Shown<'_>, run: &Run, sheet: &mut Sheet<'_>, ink: &Ink) {
    let page = run.page();
    sheet.line(|line| {
        commit(&run.commit, run.page_of(&run.commit).as_ref(), line, ink);
        line.gap(1).link(page.as_ref(), &ink.links, |line| {
            line.put(&run.title, bold(ink.text));
        });
    });
    sheet.line(|line| {
        line.link(page.as_ref(), &ink.links, |line| {
            line.put(job_mark(&run.phase), ink.job(&run.phase)).gap(1);
            line.put(run.phase.words(), ink.job(&run.phase));
        });
        let ended = run.phase.has_ended();
        let since = if ended {
            run.ended.or(run.updated)
        } else {
            run.started
        };
        if let Some(since) = since {
            let age = words::age(shown.state, since);
            let age = if ended { format!("{age} ago") } else { age };
            line.gap(1).put(&age, ink.dim);
        }
        if run.attempt > 1 {
            line.gap(2)
                .put(&format!("attempt {}", run.attempt), ink.text);
        }
        if let Some(by) = run.triggered_by.as_ref().or(run.actor.as_ref()) {
            line.gap(2).put("by ", ink.dim).put(by, ink.dim);
        }
        let workflow = run.workflow_file.as_ref().unwrap_or(&run.workflow);
        line.gap(2).put(workflow, ink.ghost);
    });
    sheet.blank();
}

fn jobs(shown: &Shown<'_>, run: &Run, roomy: bool, sheet: &mut Sheet<'_>, ink: &Ink) {
    let Some(jobs) = &run.jobs else {
        sheet.wrapped(0, "its jobs were not read", ink.dim);
        for gate in run.gates.iter().flatten() {
            one_gate(shown, gate, 0, sheet, ink);
        }
        return;
    };
    if jobs.is_empty() {
        sheet.wrapped(0, "it has no jobs", ink.dim);
    }
    let longest = jobs.iter().map(|job| width(&job.name)).max().unwrap_or(0);
    let most = usize::from(sheet.width() / 2).max(6);
    let name = u16::try_from(longest.clamp(5, most)).unwrap_or(12);
    for job in jobs {
        one_job(shown, run, job, name, sheet, ink);
        if roomy && (job.phase == RunPhase::Running || job.phase.is_bad()) {
            steps(shown, job, sheet, ink);
        }
    }
    let held = |gate: &&Gate| !jobs.iter().any(|job| gate.waiting_jobs.contains(&job.name));
    for gate in run.gates.iter().flatten().filter(held) {
        one_gate(shown, gate, 0, sheet, ink);
    }
}

fn one_job(shown: &Shown<'_>, run: &Run, job: &Job, name: u16, sheet: &mut Sheet<'_>, ink: &Ink) {
    let gate = (!job.phase.has_ended())
        .then(|| gate_of(run, job))
        .flatten();
    let words = match gate {
        Some(gate) => gate_words(shown.state, gate),
        None if job.phase.is_success() || job.phase == RunPhase::Running => String::new(),
        None => job.phase.words().to_owned(),
    };
    let style = match gate {
        Some(_) => bold(ink.waiting),
        None => ink.job(&job.phase),
    };
    let mark = match gate {
        Some(_) => ("◆", ink.waiting),
        None => (job_mark(&job.phase), ink.job(&job.phase)),
    };
    let text = if job.phase.is_success() || job.phase.has_ended() {
        ink.text
    } else {
        bold(ink.text)
    };
    // Mark, name, and a duration of six cells that ends where the words begin.
    let begins = 2 + name + 1 + 6 + 2;
    let beside = usize::from(begins) + width(&words) <= usize::from(sheet.width());
    sheet.line(|line| {
        line.put(mark.0, mark.1).gap(1);
        line.link(job.page().as_ref(), &ink.links, |line| {
            line.name(&job.name, name, text);
        });
        if let Some(seconds) = job.seconds(shown.state.now) {
            let took = took(seconds);
            let at = begins.saturating_sub(2 + u16::try_from(width(&took)).unwrap_or(6));
            line.to(at).put(&took, ink.dim);
        }
        if beside {
            line.to(begins).put(&words, style);
        }
    });
    if !beside {
        sheet.wrapped(2, &words, style);
    }
}

/// Of a job that runs or failed: where it is, or what failed in it.
fn steps(shown: &Shown<'_>, job: &Job, sheet: &mut Sheet<'_>, ink: &Ink) {
    let all = job.steps.len();
    let failed = job.phase.is_bad();
    let few = all <= STEPS;
    let worth = |phase: &RunPhase| {
        few || if failed {
            !phase.is_success()
        } else {
            !phase.has_ended()
        }
    };
    let steps = job
        .steps
        .iter()
        .filter(|step| worth(&step.phase))
        .take(STEPS);
    for step in steps {
        sheet.line(|line| {
            line.gap(2)
                .put(job_mark(&step.phase), ink.job(&step.phase))
                .gap(1);
            let text = if step.phase == RunPhase::Running || step.phase.is_bad() {
                ink.text
            } else {
                ink.dim
            };
            let seconds = step.started.map(|started| {
                let end = step.ended.unwrap_or(shown.state.now);
                end.duration_since(started).as_secs()
            });
            if let Some(seconds) = seconds {
                line.right(&took(seconds), ink.ghost);
            }
            let room = line.left();
            line.name(&step.name, room, text);
        });
    }
}

/// What the host says is in the release's environment.
fn deployments(shown: &Shown<'_>, facts: &RepositoryFacts, sheet: &mut Sheet<'_>, ink: &Ink) {
    let state = shown.state;
    let ours = &shown.open.id.environment;
    let here = facts.deployed.iter().filter(|deployed| {
        let known = state.environments.keys();
        state
            .beside
            .services
            .environment(&deployed.environment, known)
            .as_ref()
            == Some(ours)
    });
    for (nth, deployed) in here.enumerate() {
        if nth == 0 {
            rule(sheet, ink);
        }
        let place = &*deployed.environment;
        match &deployed.live {
            Some(live) => {
                let since = live.at.map_or_else(String::new, |at| {
                    format!(" since {}", short_time(state, at))
                });
                let words = format!("live in {place}{since}");
                one_deployed(live, &words, ink.text, sheet, ink);
            }
            None if deployed.taken_down => {}
            None => sheet.wrapped(0, &format!("never deployed to {place}"), ink.dim),
        }
        if let Some(incoming) = &deployed.incoming {
            let words = format!("on its way, {}", deployment_words(&incoming.state));
            one_deployed(incoming, &words, ink.moving, sheet, ink);
        }
        if let Some(failed) = &deployed.failed_since {
            let words = format!(
                "{} since then: what runs is probably mixed",
                deployment_words(&failed.state)
            );
            one_deployed(failed, &words, bold(ink.waiting), sheet, ink);
        }
        if deployed.taken_down {
            let words = format!("▲ the last one was taken down again in {place}");
            sheet.wrapped(0, &words, ink.waiting);
        }
    }
}

fn one_deployed(
    deployed: &Deployed,
    words: &str,
    style: ratatui::style::Style,
    sheet: &mut Sheet<'_>,
    ink: &Ink,
) {
    sheet.labelled((deployed.commit.short(), ink.ghost), 8, words, style);
}

/// The commits that this version brings.
fn changes(
    shown: &Shown<'_>,
    pipeline: &Pipeline<'_>,
    run: &Run,
    facts: &RepositoryFacts,
    sheet: &mut Sheet<'_>,
    ink: &Ink,
) {
    let state = shown.state;
    let to = state
        .beside
        .commit(shown.release)
        .unwrap_or_else(|| run.commit.clone());
    let Some(changes) = state.beside.changes(&pipeline.rule.repository, &to) else {
        return;
    };
    rule(sheet, ink);
    let since = super::version_of(shown.release, facts, &changes.from);
    let total = usize::try_from(changes.total).unwrap_or(usize::MAX);
    sheet.line(|line| {
        let count = words::count(total, "commit");
        let cells = u16::try_from(width(&count)).unwrap_or(u16::MAX);
        line.put("Changes since ", bold(ink.text));
        let room = line.left().saturating_sub(cells + 2);
        line.name(&since, room, bold(ink.text)).gap(2);
        line.put(&count, ink.dim);
    });
    if changes.behind > 0 {
        let behind = usize::try_from(changes.behind).unwrap_or(usize::MAX);
        let words = format!(
            "▲ it goes back: {} of {since} not in it",
            match behind {
                1 => "1 commit is".to_owned(),
                many => format!("{many} commits are"),
            }
        );
        sheet.wrapped(0, &words, ink.waiting);
    }
    sheet.many(changes.commits.len(), |nth, line| {
        if let Some(change) = changes.commits.get(nth) {
            let page = run.page_of(&change.commit);
            one_change(change, page.as_ref(), nth == 0, line, ink);
        }
    });
    let more = total.saturating_sub(changes.commits.len());
    if more > 0 {
        sheet.wrapped(8, &format!("{more} more"), ink.ghost);
    }
}

fn one_change(
    change: &Change,
    page: Option<&Address>,
    first: bool,
    line: &mut Strip<'_>,
    ink: &Ink,
) {
    commit(&change.commit, page, line, ink);
    line.gap(1);
    if let Some(author) = &change.author
        && usize::from(line.left()) > width(&change.title) + width(author) + 2
    {
        line.right(author, ink.ghost);
    }
    line.put(&change.title, if first { ink.text } else { ink.dim });
}

fn missing(facts: &RepositoryFacts, sheet: &mut Sheet<'_>, ink: &Ink) {
    for what in facts.missing.all() {
        sheet.labelled(
            ("▲", ink.waiting),
            2,
            &format!("not read: {what}"),
            ink.text,
        );
    }
}

fn why(certainty: &Certainty, sheet: &mut Sheet<'_>, ink: &Ink) {
    rule(sheet, ink);
    let style = match certainty {
        Certainty::Commit(_) | Certainty::Tag => ink.ghost,
        // Somebody could take it for the one that made what runs.
        Certainty::Newest => ink.dim,
    };
    sheet.wrapped(0, &certainty.words(), style);
}

fn rule(sheet: &mut Sheet<'_>, ink: &Ink) {
    let columns = sheet.width();
    sheet.line(|line| {
        line.fill("─", columns, ink.line);
    });
}
