//! From when to when, and how finely, one release is asked about. Pure.

use jiff::{SignedDuration, Timestamp};

use super::counters::Window;
use crate::model::metrics::{About, Grid, MetricsWanted};

/// Points that are asked for.
const POINTS: i64 = 120;
/// What is drawn is counted over this many seconds, where there are ten times as many.
const BLOCK: i64 = 60;
/// Points of a line on the screen.
const BLOCKS: i64 = 60;
/// How much is fetched before the beginning, to know what is new in it.
const BEFORE: i64 = 300;
/// The span on either side of the end of a rollout, in seconds.
const SPAN_LEAST: i64 = 600;
const SPAN_MOST: i64 = 3_600;
/// What the newest traffic is measured over.
const TRAFFIC: i64 = 120;
/// Nobody counts for longer than a server would answer in one go.
const SPAN_EVER: i64 = 30 * 86_400;

/// All times of one reading, in whole steps, so that what is drawn does not shimmer and caches hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The first point that is asked for.
    pub start: Timestamp,
    /// Where counting begins.
    pub from: Timestamp,
    /// Where `before` ends and `after` begins, if that is the question.
    pub split: Option<Timestamp>,
    /// The last whole step.
    pub end: Timestamp,
    /// When the server is asked, by its own clock.
    pub now: Timestamp,
    pub step_s: i64,
    pub server: Scrapes,
}

/// What is known of how a server samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scrapes {
    /// Seconds between two samples of this service.
    pub every_s: i64,
    /// Whether it lets a series end when it is told how long one may go without a sample.
    pub heeds_lookback: bool,
}

impl Plan {
    /// `now` by the server's clock.
    pub fn new(wanted: &MetricsWanted, now: Timestamp, server: Scrapes) -> Self {
        let every_s = server.every_s.max(1);
        let second = now.as_second();
        let split = match wanted.about {
            About::CanaryAndStable { .. } => None,
            About::BeforeAndAfter { at } => Some(at.as_second().min(second)),
        };
        let begins = match split {
            None => wanted.since.as_second(),
            Some(at) => at - (second - at).clamp(SPAN_LEAST, SPAN_MOST),
        }
        .clamp(second - SPAN_EVER, second);
        let step_s = every_s.max((second - begins + POINTS - 1) / POINTS);
        let whole = |at: i64| at.div_euclid(step_s) * step_s;
        let at = |second: i64| Timestamp::from_second(second).unwrap_or(now);
        let from = whole(begins);
        Self {
            start: at(from - (BEFORE + step_s - 1) / step_s * step_s),
            from: at(from),
            split: split.map(|split| at(whole(split))),
            end: at(whole(second)),
            now,
            step_s,
            server: Scrapes { every_s, ..server },
        }
    }

    /// What came after the last whole step is asked for apart where a step is long: a number of twelve minutes ago is
    /// not of now. And where it has begun only now: the first requests of a canary are those that are waited for.
    pub fn wants_tail(&self) -> bool {
        let since_end = self.now.as_second() - self.end.as_second();
        let steps =
            (self.end.as_second() - self.split.unwrap_or(self.from).as_second()) / self.step_s;
        since_end > 2 * self.server.every_s || steps < 2
    }

    pub const fn whole(&self) -> Window {
        Window {
            from: self.from,
            to: self.now,
        }
    }

    pub fn before(&self) -> Window {
        Window {
            from: self.from,
            to: self.split.unwrap_or(self.from),
        }
    }

    pub fn after(&self) -> Window {
        Window {
            from: self.split.unwrap_or(self.from),
            to: self.now,
        }
    }

    /// The grid of what is drawn: blocks of whole steps, a minute at least. A share of a dozen requests says nothing, and
    /// a line of such shares is noise that looks like news.
    pub fn grid(&self) -> Grid {
        Grid {
            start: self.block(1),
            step_s: self.block_s(),
            points: usize::try_from(self.blocks()).unwrap_or(0),
        }
    }

    fn block_s(&self) -> i64 {
        let span = self.end.as_second() - self.from.as_second();
        let least = BLOCK.min(span / 10).max(span / BLOCKS).max(1);
        (least + self.step_s - 1) / self.step_s * self.step_s
    }

    /// Where the last block ends: at whole ones, so that the line does not shimmer while time passes.
    fn last_block(&self) -> i64 {
        self.end.as_second().div_euclid(self.block_s()) * self.block_s()
    }

    fn blocks(&self) -> i64 {
        ((self.last_block() - self.from.as_second()) / self.block_s()).max(0)
    }

    /// The end of the n-th block.
    pub fn block(&self, n: i64) -> Timestamp {
        let second = self.last_block() - (self.blocks() - n) * self.block_s();
        Timestamp::from_second(second).unwrap_or(self.end)
    }

    /// How old the newest sample may be.
    pub const fn fresh_for(&self) -> SignedDuration {
        SignedDuration::from_secs(2 * self.server.every_s + 15)
    }

    pub fn traffic_span(&self) -> i64 {
        TRAFFIC.max(self.step_s).max(4 * self.server.every_s)
    }

    /// A series that stops without a marker is over after this, in seconds: two scrapes, and half of one for lateness.
    pub const fn lookback_s(&self) -> i64 {
        (self.server.every_s * 5 + 1) / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{ReleaseId, WorkloadKind};

    const NOW: i64 = 1_795_215_237;

    fn wanted(about: About, since: i64) -> MetricsWanted {
        MetricsWanted {
            release: ReleaseId {
                environment: "prod".into(),
                namespace: "shop".into(),
                kind: WorkloadKind::ArgoRollout,
                name: "checkout".into(),
            },
            about,
            since: at(since),
            closely: true,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn scrapes(every_s: i64) -> Scrapes {
        Scrapes {
            every_s,
            heeds_lookback: true,
        }
    }

    fn canary() -> About {
        About::CanaryAndStable {
            canary: "a".into(),
            stable: "b".into(),
        }
    }

    #[test]
    fn a_step_is_a_scrape_and_begins_at_whole_ones() {
        let plan = Plan::new(&wanted(canary(), NOW - 600), at(NOW), scrapes(15));
        assert_eq!(plan.step_s, 15);
        assert_eq!(plan.end, at(1_795_215_225));
        assert_eq!(plan.from, at(1_795_214_625));
        assert_eq!(plan.start, at(1_795_214_325));
        assert!(!plan.wants_tail());
        let grid = plan.grid();
        // Ten whole minutes hold nine that begin and end with one.
        assert_eq!(
            (grid.start, grid.step_s, grid.points),
            (at(1_795_214_700), 60, 9)
        );
        assert_eq!(plan.block(9), at(1_795_215_180));
    }

    #[test]
    fn a_long_one_has_long_steps_and_its_end_asked_for_apart() {
        let plan = Plan::new(&wanted(canary(), NOW - 86_400), at(NOW), scrapes(15));
        assert_eq!(plan.step_s, 720);
        assert!((50..=61).contains(&plan.grid().points));
        assert!(plan.wants_tail());
        assert!(plan.start <= at(NOW - 86_400 - BEFORE));
    }

    #[test]
    fn before_is_as_long_as_what_has_passed_within_limits() {
        let ago = |seconds: i64| {
            Plan::new(
                &wanted(
                    About::BeforeAndAfter {
                        at: at(NOW - seconds),
                    },
                    NOW - seconds,
                ),
                at(NOW),
                scrapes(1),
            )
        };
        let span = |plan: Plan| {
            plan.before()
                .to
                .duration_since(plan.before().from)
                .as_secs()
        };
        assert!((595..=605).contains(&span(ago(60))), "{}", span(ago(60)));
        assert!((1_760..=1_840).contains(&span(ago(1_800))));
        assert!((3_400..=3_800).contains(&span(ago(20_000))));
        assert_eq!(ago(20_000).after().to, at(NOW));
    }

    #[test]
    fn a_clock_that_is_behind_the_beginning_counts_nothing_yet() {
        let plan = Plan::new(&wanted(canary(), NOW + 100), at(NOW), scrapes(15));
        assert_eq!(plan.grid().points, 0);
        assert!(plan.from <= plan.now);
    }
}
