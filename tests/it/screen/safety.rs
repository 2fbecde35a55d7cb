//! What must not be sent is not sent: keys that came too early, text that was pasted, words that were nearly right. And
//! what went wrong on the way is told as it is.

use super::harness::{Demo, Windlass};

fn canary() -> Windlass {
    Demo::of("canary").with(&["--speed", "20"]).live()
}

#[test]
fn keys_typed_before_the_dialog_was_seen_confirm_nothing() {
    for (keys, dialog) in [
        ("xY", "Y backs out"),
        ("xYYYY", "Y backs out"),
        ("zY", "Y pauses"),
    ] {
        let mut windlass = canary();
        windlass.key(keys);
        windlass.until(dialog);
        windlass.until_listening();
        assert!(windlass.patches().is_empty());
        windlass.key("\x1b");
        windlass.until_gone(dialog);
        windlass.leaves_without_a_change();
    }
}

#[test]
fn a_ceremony_typed_blindly_with_the_key_that_opens_it_confirms_nothing() {
    let mut windlass = canary();
    windlass.key("pprod-eu\r");
    windlass.until("Type prod-eu to promote");
    windlass.until_listening();
    windlass.key("\x1b");
    windlass.until_gone("Type prod-eu");
    windlass.leaves_without_a_change();
}

#[test]
fn a_key_held_down_confirms_nothing() {
    let mut windlass = canary();
    windlass.key("x");
    windlass.until("Y backs out");
    // Faster than the silence, for longer than it, as key repeat does: from before the dialog listens.
    for _ in 0..40 {
        windlass.key("Y");
        windlass.beat();
    }
    windlass.until("that key came too soon");
    windlass.until_listening();
    windlass.key("\x1b");
    windlass.until_gone("Y backs out");
    windlass.leaves_without_a_change();
}

#[test]
fn pasted_text_and_alt_keys_confirm_nothing() {
    let mut windlass = canary();
    windlass.key("x");
    windlass.until_listening();
    windlass.paste("Y\n");
    windlass.until("pasted text does not count here");
    windlass.until_listening();
    windlass.key("\x1bY");
    windlass.key("\r");
    windlass.until_listening();
    windlass.key("\x1b");
    windlass.until_gone("Y backs out");
    windlass.leaves_without_a_change();
}

#[test]
fn pasting_the_environment_is_not_typing_it() {
    let mut windlass = canary();
    windlass.key("p");
    windlass.until_listening();
    windlass.paste("prod-eu\r");
    windlass.until("pasted text does not count here");
    windlass.until_listening();
    windlass.key("\r");
    windlass.until("that is not what was asked for");
    windlass.key("\x1b");
    windlass.until_gone("Type prod-eu");
    windlass.leaves_without_a_change();
}

#[test]
fn pasting_over_the_board_opens_nothing() {
    let mut windlass = canary();
    windlass.paste("xYYY\n");
    windlass.until("pasted text is not taken as keys");
    windlass.leaves_without_a_change();
}

#[test]
fn enter_alone_never_confirms() {
    let mut windlass = canary();
    windlass.key("x");
    windlass.until("Y backs out");
    windlass.until_listening();
    windlass.key("\r");
    windlass.until_listening();
    windlass.key("\x1b");
    windlass.until_gone("Y backs out");
    windlass.key("p");
    windlass.until("Type prod-eu");
    windlass.until_listening();
    windlass.key("\r");
    windlass.until("that is not what was asked for");
    windlass.key("\x1b");
    windlass.until_gone("Type prod-eu");
    windlass.leaves_without_a_change();
}

#[test]
fn nearly_the_right_words_are_the_wrong_ones() {
    let mut windlass = canary();
    windlass.key("p");
    windlass.until_listening();
    for wrong in ["prod-us", "Prod-eu", "prod-eu ", "prod"] {
        windlass.key(&format!("{wrong}\r"));
        windlass.until("that is not what was asked for");
        windlass.key("\x15");
        windlass.until_gone("that is not what was asked for");
        windlass.until_listening();
    }
    windlass.key("\x1b");
    windlass.until_gone("Type prod-eu");
    windlass.leaves_without_a_change();
}

#[test]
fn a_read_only_session_shows_plans_and_sends_none() {
    let mut windlass = Demo::of("canary")
        .with(&["--speed", "20", "--read-only"])
        .live();
    windlass.until("read-only");
    windlass.key("x");
    windlass.until("cannot be sent: read-only: this session was started with --read-only");
    windlass.key("Y");
    windlass.until("came too soon");
    windlass.key("\x1b");
    windlass.until_gone("cannot be sent");
    windlass.key("W");
    windlass.until("── read-only: this session was started with --read-only");
    windlass.leaves_without_a_change();
}

#[test]
fn w_disarms_at_once_and_arms_by_y() {
    let mut windlass = canary();
    windlass.until("WRITE prod-eu");
    windlass.key("W");
    windlass.until("prod-eu is read-only again");
    windlass.until_gone("WRITE prod-eu");
    windlass.key("x");
    windlass.until("cannot be sent: read-only: W arms prod-eu");
    windlass.key("\x1b");
    windlass.until_gone("cannot be sent");
    // The one that opens it and the one that would confirm it, together: it was not seen.
    windlass.key("WY");
    windlass.until("Y arms prod-eu");
    windlass.until_listening();
    assert!(!windlass.text().contains("WRITE prod-eu"));
    windlass.key("Y");
    windlass.until("WRITE prod-eu");
    windlass.until_gone("Y arms");
    windlass.leaves_without_a_change();
}

/// Confirms a promotion.
fn promoted(windlass: &mut Windlass) {
    windlass.key("p");
    windlass.until_listening();
    windlass.key("prod-eu\r");
}

#[test]
fn a_lost_answer_is_unknown_or_observed_and_never_sent_again() {
    let mut windlass = Demo::of("canary")
        .with(&["--speed", "20", "--fault", "lost-answer:1"])
        .live();
    promoted(&mut windlass);
    windlass.until("Promote checkout: done, step 7 of 13: analysis");
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
    let patches = windlass.patches();
    assert_eq!(patches.len(), 1, "{patches:#?}");
    assert_eq!(patches[0].status, None, "its answer was lost");
}

#[test]
fn an_answer_that_never_comes_and_no_effect_is_called_unknown() {
    let mut windlass = Demo::of("canary")
        .with(&["--speed", "20", "--fault", "hang:1@patch"])
        .live();
    promoted(&mut windlass);
    windlass.until("unknown");
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
    assert_eq!(windlass.patches().len(), 1, "never sent again");
}

#[test]
fn a_conflict_is_read_again_and_nothing_is_overwritten() {
    let mut windlass = Demo::of("canary")
        .with(&["--speed", "20", "--fault", "conflict:1"])
        .live();
    promoted(&mut windlass);
    windlass.until_screen("an outcome", |screen| {
        let text = super::harness::text_of(screen);
        text.contains("Promote checkout: done") || text.contains("Promote checkout: refused")
    });
    let patches = windlass.patches();
    assert_eq!(patches[0].status, Some(409), "{patches:#?}");
    assert!(patches.len() <= 2);
    // If it went out once more, then with what was read after the other one had written.
    if let Some(second) = patches.get(1) {
        assert_ne!(
            patches[0].body["metadata"]["resourceVersion"],
            second.body["metadata"]["resourceVersion"]
        );
        assert_eq!(second.status, Some(200));
    }
}

#[test]
fn what_the_server_forbids_is_said_with_its_words() {
    let mut windlass = Demo::of("canary")
        .with(&["--speed", "20", "--fault", "forbidden@kubernetes"])
        .live();
    promoted(&mut windlass);
    windlass.until("Promote checkout: rejected");
    windlass.until("not permitted (403)");
    assert_eq!(windlass.patches().len(), 1);
    assert_eq!(windlass.patches()[0].status, Some(403));
}

#[test]
fn the_selection_is_a_release_and_not_a_row() {
    let mut windlass = Demo::of("morning").with(&["--speed", "40"]).live();
    windlass.until("  notify");
    windlass.walk_to("▌  notify");
    let row = row_of(&windlass, "  notify");
    // Its pause runs out, it goes on and is promoted in the end: it moves in the order, and the bar goes with it.
    windlass.until_screen("notify in another row, selected", |screen| {
        super::harness::text_of(screen)
            .lines()
            .position(|line| line.starts_with("▌  notify"))
            .is_some_and(|now| now != row)
    });
    windlass.leaves_without_a_change();
}

/// The first row is selected by itself, until somebody acts on it: then the next key must be about the same release,
/// although it is the best of all now and another one is the worst.
#[test]
fn what_was_acted_on_stays_selected_when_it_is_well_again() {
    let mut windlass = Demo::of("morning").with(&["--speed", "20"]).live();
    windlass.until("▌  images");
    let row = row_of(&windlass, "▌  images");
    windlass.key("x");
    windlass.until_listening();
    windlass.key("Y");
    windlass.until("Why was it done?");
    windlass.key("\x1b");
    // The order rests after a key: only when the row has moved can the mark be seen to have gone with it.
    let places = |screen: &vt100::Screen| {
        let text = super::harness::text_of(screen);
        let row = text.lines().position(|line| line.contains("  images "));
        row.zip(
            text.lines()
                .find(|line| line.contains("  images "))
                .map(str::to_owned),
        )
    };
    windlass.until_screen("images in another row", |screen| {
        places(screen).is_some_and(|(now, _)| now != row)
    });
    let line = windlass.screen(places).unwrap().1;
    assert!(line.starts_with('▌'), "{line}");
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
}

fn row_of(windlass: &Windlass, text: &str) -> usize {
    windlass
        .text()
        .lines()
        .position(|line| line.contains(text))
        .unwrap()
}
