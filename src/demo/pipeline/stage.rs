//! The stages of the two workflows, and the steps inside.
//!
//! Must never hold state: how far a step is follows from the times of its job.

use std::time::Duration;

use super::{Conclusion, Job, State, Workflow, number};
use crate::demo::clock::Moment;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) enum Stage {
    Build,
    Test,
    Scan,
    Deploy,
    Smoke,
    Check,
}

/// A step as it is shown.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::demo) struct StepView {
    pub(in crate::demo) name: &'static str,
    pub(in crate::demo) started: Option<Moment>,
    pub(in crate::demo) ended: Option<Moment>,
    /// None where it has not ended; a step that was not reached is skipped.
    pub(in crate::demo) conclusion: Option<&'static str>,
}

impl Stage {
    pub(in crate::demo) fn name(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Test => "test",
            Self::Scan => "scan",
            Self::Deploy => "deploy",
            Self::Smoke => "smoke",
            Self::Check => "check",
        }
    }

    pub(super) fn after(workflow: Workflow, stage: Option<Self>) -> Option<Self> {
        match (workflow, stage) {
            (Workflow::Release, None) => Some(Self::Build),
            (Workflow::Ci, None) => Some(Self::Check),
            (_, Some(Self::Build)) => Some(Self::Test),
            (_, Some(Self::Test)) => Some(Self::Scan),
            (_, Some(Self::Scan)) => Some(Self::Deploy),
            (_, Some(Self::Deploy)) => Some(Self::Smoke),
            (_, Some(Self::Smoke | Self::Check)) => None,
        }
    }

    /// None: until something else ends it.
    pub(super) fn length(self, repository: &str) -> Option<Duration> {
        let drawn = number(repository);
        let seconds = match self {
            Self::Build => 95 + drawn % 70,
            Self::Test => 120 + (drawn >> 8) % 90,
            Self::Scan => 35 + (drawn >> 16) % 30,
            Self::Deploy => 12,
            Self::Check => 70 + (drawn >> 24) % 120,
            Self::Smoke => return None,
        };
        Some(Duration::from_secs(seconds))
    }

    /// With the share of the job's time that each takes.
    fn steps(self) -> &'static [(&'static str, i64)] {
        match self {
            Self::Build => &[
                ("Set up job", 2),
                ("Run actions/checkout@v5", 2),
                ("Restore cache", 5),
                ("Build image", 70),
                ("Push image", 19),
                ("Complete job", 2),
            ],
            Self::Test => &[
                ("Set up job", 2),
                ("Run actions/checkout@v5", 2),
                ("Start database", 12),
                ("Run tests", 80),
                ("Complete job", 4),
            ],
            Self::Scan => &[
                ("Set up job", 4),
                ("Scan image", 80),
                ("Upload results", 12),
                ("Complete job", 4),
            ],
            Self::Deploy => &[
                ("Set up job", 10),
                ("Run actions/checkout@v5", 10),
                ("Apply manifests", 70),
                ("Complete job", 10),
            ],
            Self::Smoke => &[
                ("Set up job", 1),
                ("Wait for the rollout", 98),
                ("Complete job", 1),
            ],
            Self::Check => &[
                ("Set up job", 3),
                ("Run actions/checkout@v5", 3),
                ("Lint", 24),
                ("Run tests", 66),
                ("Complete job", 4),
            ],
        }
    }

    /// The step in which it goes wrong when it goes wrong.
    fn breaks_in(self) -> &'static str {
        match self {
            Self::Build => "Build image",
            Self::Test | Self::Check => "Run tests",
            Self::Scan => "Scan image",
            Self::Deploy => "Apply manifests",
            Self::Smoke => "Wait for the rollout",
        }
    }
}

impl Job {
    /// None before a runner took it.
    pub(in crate::demo) fn steps(&self, now: Moment) -> Vec<StepView> {
        let steps = self.stage.steps();
        match self.state {
            State::Queued { .. } | State::Waiting | State::Ended { since: None, .. } => Vec::new(),
            State::Running {
                since,
                until: Some(until),
            } => laid_out(steps, since, until, now),
            // How long it takes nobody knows: it is in its second step.
            State::Running { since, until: None } => laid_out(
                steps,
                since,
                since.after(Duration::from_secs(300)),
                since.after(Duration::from_secs(10)),
            ),
            State::Ended {
                since: Some(since),
                at,
                conclusion,
            } => {
                let mut views = laid_out(steps, since, at, at);
                if conclusion != Conclusion::Success {
                    break_off(&mut views, self.stage.breaks_in(), at, conclusion);
                }
                views
            }
        }
    }
}

fn laid_out(
    steps: &[(&'static str, i64)],
    since: Moment,
    until: Moment,
    now: Moment,
) -> Vec<StepView> {
    let whole = until.micros() - since.micros();
    let total: i64 = steps.iter().map(|(_, share)| share).sum();
    let mut done = 0;
    let mut views = Vec::new();
    for (name, share) in steps {
        let moment = |part: i64| Moment::from_micros(since.micros() + whole / total * part);
        let (start, mut end) = (moment(done), moment(done + share));
        done += share;
        if done == total {
            end = until;
        }
        let (begun, over) = (now >= start, now >= end);
        views.push(StepView {
            name,
            started: begun.then_some(start),
            ended: over.then_some(end),
            conclusion: over.then_some("success"),
        });
    }
    views
}

fn break_off(views: &mut [StepView], broken: &str, at: Moment, conclusion: Conclusion) {
    let mut after = false;
    for view in views {
        if view.name == broken {
            view.ended = Some(at);
            view.conclusion = Some(conclusion.word());
            after = true;
        } else if after && view.name != "Complete job" {
            view.started = Some(at);
            view.ended = Some(at);
            view.conclusion = Some("skipped");
        } else if after {
            view.started = Some(at);
            view.ended = Some(at);
        }
    }
}
