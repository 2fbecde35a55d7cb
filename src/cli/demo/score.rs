//! The score of a game in words. Must never judge: the world has done so.

use serde_json::json;

use crate::{
    cli::out::Out,
    demo::{Mark, Score, World},
};

/// Prints it, where the scenario is a game. The terminal must have been given back.
pub(super) fn print(world: &World, out: &mut Out) {
    let Some(score) = world.score() else { return };
    let object = json!({ "score": score });
    out.result(&object, || table(&score));
}

fn table(score: &Score) -> String {
    let mut lines = vec![format!("{:<15}{}", "culprit", score.culprit)];
    let Some(began) = score.began else {
        lines.push("it was left before anything hurt".to_owned());
        lines.extend(wrong(&score.wrong));
        return lines.join("\n");
    };
    lines.push(format!("{:<15}{}", "hurt from", clock(began)));
    for (name, mark) in [
        ("noticed", score.noticed),
        ("acted", score.acted),
        ("over", score.over),
    ] {
        lines.push(one(name, mark));
    }
    lines.extend(wrong(&score.wrong));
    lines.join("\n")
}

fn one(name: &str, mark: Mark) -> String {
    let after = mark.after.map_or_else(
        || "never".to_owned(),
        |after| format!("after {}", clock(after)),
    );
    let word = match mark.after {
        _ if mark.kept() => "in time",
        Some(_) => "late",
        None => "",
    };
    let line = format!(
        "{name:<15}{after:<14}{:<18}{word}",
        format!("wanted in {}", clock(mark.target))
    );
    line.trim_end().to_owned()
}

fn wrong(wrong: &[String]) -> Vec<String> {
    let mut lines = vec![format!("{:<15}{}", "wrong actions", wrong.len())];
    lines.extend(wrong.iter().map(|what| format!("{:<15}{what}", "")));
    lines
}

/// `03:12`
fn clock(seconds: u64) -> String {
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(after: Option<u64>) -> Mark {
        Mark { after, target: 120 }
    }

    #[test]
    fn a_score_is_a_small_table() {
        let score = Score {
            culprit: "shop/payments".to_owned(),
            began: Some(101),
            noticed: mark(Some(48)),
            acted: mark(Some(130)),
            over: mark(None),
            wrong: vec!["PATCH shop/rollouts/checkout/status".to_owned()],
        };
        assert_eq!(
            table(&score),
            "culprit        shop/payments\n\
             hurt from      01:41\n\
             noticed        after 00:48   wanted in 02:00   in time\n\
             acted          after 02:10   wanted in 02:00   late\n\
             over           never         wanted in 02:00\n\
             wrong actions  1\n\
             \u{20}              PATCH shop/rollouts/checkout/status"
        );
    }

    #[test]
    fn what_never_hurt_has_no_times() {
        let score = Score {
            culprit: "shop/payments".to_owned(),
            began: None,
            noticed: mark(None),
            acted: mark(None),
            over: mark(None),
            wrong: Vec::new(),
        };
        assert_eq!(
            table(&score),
            "culprit        shop/payments\nit was left before anything hurt\nwrong actions  0"
        );
    }
}
