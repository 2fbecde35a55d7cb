//! How a figure is printed: what it is, what it came to, and the goal. Keeps count of the goals that were missed.

use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::time::{ClockId, clock_gettime};

static MISSED: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn head(title: &str) {
    println!("\n{title}");
}

/// `reached`: whether the goal is kept; a figure without a goal has none.
pub(crate) fn figure(what: &str, value: &str, goal: Option<(&str, bool)>) {
    match goal {
        Some((goal, reached)) => {
            let mark = if reached { "ok" } else { "MISSED" };
            MISSED.fetch_add(usize::from(!reached), Ordering::Relaxed);
            println!("  {what:<58} {value:>12}   goal {goal:<12} {mark}");
        }
        None => println!("  {what:<58} {value:>12}"),
    }
}

/// One whose goal is known to be missed: said at every run, and only what gets worse than it is counts as missed.
pub(crate) fn known_missed(what: &str, value: &str, goal: (&str, bool), worse: bool) {
    let (goal, reached) = goal;
    let mark = match (reached, worse) {
        (true, _) => "ok",
        (false, false) => "MISSED (known)",
        (false, true) => "MISSED, and worse than it was",
    };
    MISSED.fetch_add(usize::from(worse), Ordering::Relaxed);
    println!("  {what:<58} {value:>12}   goal {goal:<12} {mark}");
}

/// Nanoseconds for which this thread has computed: what others do on the machine is not in it.
pub(crate) fn computed() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap()
}

/// How many goals have been missed so far.
pub(crate) fn missed() -> usize {
    MISSED.load(Ordering::Relaxed)
}

/// The value at this share of all, 0.5 for the median.
pub(crate) fn quantile(values: &mut [u64], share: f64) -> u64 {
    values.sort_unstable();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss
    )]
    let at = ((values.len().saturating_sub(1)) as f64 * share).round() as usize;
    values.get(at).copied().unwrap_or(0)
}

/// One number in terms of another.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn ratio(value: u64, of: u64) -> f64 {
    value as f64 / of.max(1) as f64
}
