//! Numbers as people read them: counts in groups of three, shares in percent, rates, durations. A number that is not
//! there has a word of its own for each reason. Says how much, never whether that is good.

use super::words::short_time;
use crate::{
    app::state::State,
    model::{
        metrics::{Counts, Reading},
        release::duration_words,
    },
};

/// Between groups of three digits.
const THIN: char = '\u{2009}';

/// `10 212`.
pub(super) fn grouped(number: f64) -> String {
    let plain = format!("{:.0}", number.abs());
    if !plain.bytes().all(|byte| byte.is_ascii_digit()) {
        return "?".to_owned();
    }
    in_threes(&plain)
}

/// The same for a number beyond what a float holds exactly.
pub(super) fn grouped_whole(number: u64) -> String {
    in_threes(&number.to_string())
}

fn in_threes(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() * 2);
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            out.push(THIN);
        }
        out.push(digit);
    }
    out
}

/// A share in percent, without the sign. What is there is never written as nothing.
fn percent(share: f64, decimals: usize) -> String {
    let least = if decimals > 1 { 0.01 } else { 0.1 };
    let percent = share * 100.0;
    if !percent.is_finite() {
        return "?".to_owned();
    }
    if percent > 0.0 && percent < least / 2.0 {
        return format!("<{least}");
    }
    format!("{percent:.decimals$}")
}

/// `0.40 %`, for a table.
pub(super) fn share(share: f64) -> String {
    format!("{} %", percent(share, 2))
}

/// `24.5 %`.
pub(super) fn rough_share(share: f64) -> String {
    format!("{} %", percent(share, 1))
}

/// `0.3 → 4.1 %`.
pub(super) fn from_to(from: f64, to: f64) -> String {
    format!("{} → {} %", percent(from, 1), percent(to, 1))
}

/// `0.4 / 0.3 %`.
pub(super) fn beside(one: f64, other: f64) -> String {
    format!("{} / {} %", percent(one, 1), percent(other, 1))
}

/// `41 / 10 212`.
pub(super) fn counts(counts: &Counts) -> String {
    format!("{} / {}", grouped(counts.bad), grouped(counts.all))
}

/// `11.2 /s`.
pub(super) fn rate(per_second: f64) -> String {
    match per_second {
        rate if !rate.is_finite() => "? /s".to_owned(),
        rate if rate > 0.0 && rate < 0.05 => "<0.1 /s".to_owned(),
        rate if rate < 100.0 => format!("{rate:.1} /s"),
        rate => format!("{} /s", grouped(rate)),
    }
}

/// Why there is no number: four reasons, four words.
pub(super) fn absent<T>(state: &State, reading: &Reading<T>) -> String {
    match reading {
        Reading::Value(_) => String::new(),
        Reading::NaN => "no traffic".to_owned(),
        Reading::Empty => "no such series".to_owned(),
        Reading::Stale { last } => format!("nothing since {}", short_time(state, *last)),
        Reading::Failed(_) => "failed".to_owned(),
    }
}

/// `2m11s`: how long something took, to the second while seconds matter.
pub(super) fn took(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..=59 => format!("{seconds}s"),
        seconds @ 60..=599 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        seconds => duration_words(seconds),
    }
}

/// `12 s`, `4m`: an age in a sentence.
pub(super) fn old(seconds: i64) -> String {
    match seconds {
        ..=0 => "0 s".to_owned(),
        1..=99 => format!("{seconds} s"),
        _ => duration_words(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_read_in_groups_of_three() {
        assert_eq!(grouped(41.0), "41");
        assert_eq!(grouped(10_212.0), "10\u{2009}212");
        assert_eq!(grouped(1_234_567.4), "1\u{2009}234\u{2009}567");
        assert_eq!(grouped(f64::NAN), "?");
        assert_eq!(grouped(f64::INFINITY), "?");
        assert_eq!(grouped(-0.0), "0");
        assert_eq!(
            grouped_whole(u64::MAX),
            "18\u{2009}446\u{2009}744\u{2009}073\u{2009}709\u{2009}551\u{2009}615"
        );
    }

    #[test]
    fn what_is_there_is_never_written_as_nothing() {
        assert_eq!(share(0.004_015), "0.40 %");
        assert_eq!(share(0.0), "0.00 %");
        assert_eq!(share(0.000_01), "<0.01 %");
        assert_eq!(from_to(0.003, 0.041), "0.3 → 4.1 %");
        assert_eq!(beside(0.000_1, 0.0), "<0.1 / 0.0 %");
        assert_eq!(rate(0.01), "<0.1 /s");
        assert_eq!(rate(0.0), "0.0 /s");
        assert_eq!(rate(11.2), "11.2 /s");
    }

    #[test]
    fn a_duration_keeps_its_seconds_while_they_matter() {
        assert_eq!(took(48), "48s");
        assert_eq!(took(131), "2m11s");
        assert_eq!(took(362), "6m02s");
        assert_eq!(took(900), "15m");
        assert_eq!(took(-5), "0s");
    }
}
