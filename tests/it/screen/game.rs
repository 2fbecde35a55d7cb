//! The game day: an incident that begins by itself is handled, and leaving says how well.

use serde_json::Value;

use super::harness::Demo;

#[test]
fn a_game_day_that_is_handled_ends_with_its_score() {
    let mut windlass = Demo::of("game-day")
        .size(160, 48)
        .with(&["--speed", "20", "--json"])
        .live();
    windlass.until("game day 0");
    // By then it hurts, and no alert tells of it.
    windlass.until("game day 02:");
    windlass.key("/payments\r");
    windlass.until_gone("checkout");
    windlass.key("\r");
    windlass.until("Story of this release");
    windlass.key("x");
    windlass.until("Y backs out");
    windlass.until_listening();
    windlass.key("Y");
    windlass.until("Why was it done?");
    windlass.key("\x1b");
    windlass.until("Back out payments: done");
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
    let words = windlass.last_words();
    let words = String::from_utf8_lossy(&words);
    // After the terminal was given back, on the screen that was there before.
    let (_, after) = words.rsplit_once("\x1b[?1049l").unwrap();
    let line = after
        .lines()
        .find_map(|line| line.find("{\"score\"").map(|at| &line[at..]));
    let score: Value = serde_json::from_str(line.unwrap().trim()).unwrap();
    let score = &score["score"];
    assert_eq!(score["culprit"], "shop/payments");
    assert!(score["began_seconds"].as_u64().unwrap() < 120, "{score}");
    for mark in ["noticed", "acted", "over"] {
        assert!(score[mark]["after_seconds"].is_u64(), "{mark}: {score}");
    }
    assert_eq!(score["wrong"], serde_json::json!([]));
}
