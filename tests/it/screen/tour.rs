//! The guided tour as a newcomer takes it: every step by the key that it names, at a large and at a small terminal, and
//! left in the middle. Behind it is the ordinary demo, and nothing was sent by looking.

use std::time::Duration;

use windlass::app::tour::STEPS;

use super::harness::{Demo, Windlass, text_of};

const SIZES: [(u16, u16); 2] = [(160, 48), (80, 24)];
/// Leaves it, from anywhere.
const CTRL_T: &str = "\x14";

fn begun(columns: u16, rows: u16) -> Windlass {
    let windlass = Demo::of("morning")
        .size(columns, rows)
        .with(&["--tour", "--speed", "20"])
        .until("checkout");
    // The light of a small header counts no sources; it is lit when all of them are live.
    windlass.until_screen("every source to be live", |screen| {
        let text = text_of(screen);
        let header = text.lines().next().unwrap();
        header.contains(" ● ") && header.contains("WRITE")
    });
    at_step(&windlass, 1);
    windlass
}

/// The tour says which step it is at, what to press, and why, in its own lines at the bottom.
#[track_caller]
fn at_step(windlass: &Windlass, number: usize) {
    let step = &STEPS[number - 1];
    let says = format!("tour {number}/{}  {} {}", STEPS.len(), step.key, step.what);
    // What does not fit ends in an ellipsis.
    let why: String = step.why.chars().take(60).collect();
    windlass.until_screen(&format!("{says:?} at the bottom"), |screen| {
        let text = text_of(screen);
        let mut lines = text.lines().rev();
        let (last, before) = (lines.next().unwrap(), lines.next().unwrap());
        last.contains(&why) && before.contains(&says) && before.ends_with("Ctrl-t leaves it")
    });
}

/// The demo as it is without a tour: all of the screen is its own, its keys in the last line.
#[track_caller]
fn is_the_ordinary_demo(windlass: &Windlass) {
    windlass.until_screen("the demo without a tour", |screen| {
        let text = text_of(screen);
        let first = text.lines().next().unwrap();
        let last = text.lines().next_back().unwrap();
        first.contains("DEMO") && last.contains("? keys") && !text.contains("Ctrl-t leaves it")
    });
}

/// A gate is what can be approved; what else waits in the Inbox cannot.
#[track_caller]
fn select_a_gate(windlass: &mut Windlass) {
    let is_gate = |row: &Option<String>| row.as_ref().is_some_and(|row| row.contains(" #"));
    // The repositories are read one after another.
    windlass.until(" #");
    for _ in 0..30 {
        let before = marked(&windlass.text());
        if is_gate(&before) {
            return;
        }
        windlass.key("j");
        windlass.until_screen("the mark to move", |screen| {
            let now = marked(&text_of(screen));
            now.is_some() && now != before
        });
    }
    panic!("no gate waits\n{}", windlass.text());
}

/// What is broken comes first; nothing of that waits.
#[track_caller]
fn until_one_waits(windlass: &mut Windlass) {
    let second = format!("tour 2/{}", STEPS.len());
    for _ in 0..12 {
        let before = marked(&windlass.text());
        windlass.key("n");
        windlass.until_screen("another to be selected", |screen| {
            let now = marked(&text_of(screen));
            now.is_some() && now != before
        });
        let there = |screen: &_| text_of(screen).contains(&second);
        windlass.for_a_while(Duration::from_millis(500), there);
        if windlass.screen(there) {
            return at_step(windlass, 2);
        }
    }
    panic!("nothing waits\n{}", windlass.text());
}

/// The row that is selected, as far as it does not change by itself.
fn marked(text: &str) -> Option<String> {
    let row = text.lines().find(|line| line.starts_with('▌'))?;
    Some(row.chars().take(24).collect())
}

/// Esc, and until the dialog is gone: a key right behind it would be another one, with Alt.
#[track_caller]
fn leave(windlass: &mut Windlass) {
    let named = |text: &str| text.matches("Esc").count();
    let before = named(&windlass.text());
    windlass.key("\x1b");
    // A dialog names the key that leaves it; a view may do so too.
    windlass.until_screen("the dialog to be gone", |screen| {
        named(&text_of(screen)) < before
    });
}

#[test]
fn every_step_of_the_tour_is_done_by_the_key_that_it_names() {
    for (columns, rows) in SIZES {
        let mut windlass = begun(columns, rows);
        until_one_waits(&mut windlass);
        windlass.key("\r");
        at_step(&windlass, 3);
        windlass.key("p");
        at_step(&windlass, 4);
        windlass.key("\x1b");
        at_step(&windlass, 5);
        windlass.key("x");
        at_step(&windlass, 6);
        leave(&mut windlass);
        windlass.key("3");
        at_step(&windlass, 7);
        select_a_gate(&mut windlass);
        windlass.key("a");
        at_step(&windlass, 8);
        leave(&mut windlass);
        windlass.key("1t");
        at_step(&windlass, 9);
        leave(&mut windlass);
        windlass.key("?");
        windlass.until_gone("Ctrl-t leaves it");
        windlass.until("made from the command table");
        windlass.key("\x1b");
        windlass.until_gone("made from the command table");
        windlass.until("checkout");
        is_the_ordinary_demo(&windlass);
        windlass.leaves_without_a_change();
    }
}

#[test]
fn in_the_middle_esc_is_the_views_own_and_the_tours_key_leaves_the_ordinary_demo() {
    for (columns, rows) in SIZES {
        let mut windlass = begun(columns, rows);
        until_one_waits(&mut windlass);
        windlass.key("\r");
        at_step(&windlass, 3);
        // Esc leads back to the Board, as without a tour, which stays where it was.
        windlass.until("Story");
        windlass.key("\x1b");
        windlass.until_gone("Story");
        at_step(&windlass, 3);
        // Left from under what lies on top.
        windlass.key("?");
        windlass.until("made from the command table");
        windlass.key(CTRL_T);
        windlass.until_gone("Ctrl-t leaves it");
        windlass.until("made from the command table");
        windlass.key("\x1b");
        windlass.until_gone("made from the command table");
        is_the_ordinary_demo(&windlass);
        // And begun again, it begins at the beginning.
        windlass.key(CTRL_T);
        at_step(&windlass, 1);
        windlass.key(CTRL_T);
        is_the_ordinary_demo(&windlass);
        windlass.leaves_without_a_change();
    }
}
