//! The wallboard as a team meets it: it turns its pages, takes no key but the one that leaves, and whatever is pressed, no
//! request that is not a GET arrives at the world.

use std::fmt::Write as _;

use super::harness::{Demo, Windlass};

fn wall() -> Windlass {
    Demo::of("morning")
        .with(&["--wall", "--every", "1s", "--speed", "20"])
        .until("looks only")
}

/// Every key of the keyboard, as the terminal sends it, but those that leave.
fn every_key() -> String {
    let mut keys = String::new();
    for byte in (b' '..=b'~').filter(|byte| *byte != b'q') {
        keys.push(char::from(byte));
    }
    for byte in (1_u8..=0x1a).filter(|byte| *byte != 3) {
        keys.push(char::from(byte));
    }
    for sequence in [
        "[A", "[B", "[C", "[D", "[H", "[F", "[Z", "OP", "OQ", "OR", "OS",
    ] {
        let _infallible = write!(keys, "\x1b{sequence}");
    }
    for number in 1..=24 {
        let _infallible = write!(keys, "\x1b[{number}~");
    }
    for letter in 'a'..='z' {
        let _infallible = write!(keys, "\x1b{letter}");
    }
    keys
}

#[test]
fn whatever_is_pressed_nothing_but_reading_arrives() {
    let mut windlass = wall();
    windlass.until("page 1 of");
    for _ in 0..3 {
        windlass.key(&every_key());
        windlass.paste("xYprod-eu\r");
        windlass.key("xY");
        windlass.beat();
    }
    // Pages go on turning: the keys neither stopped it nor opened anything over it.
    windlass.until("page 2 of");
    windlass.until("page 1 of");
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
    let sent = windlass.requests();
    assert!(!sent.is_empty(), "the world was read");
    let other: Vec<_> = sent.iter().filter(|sent| sent.method != "GET").collect();
    assert!(other.is_empty(), "{other:#?}");
}

#[test]
fn it_is_drawn_anew_at_another_size_and_leaves_the_terminal_as_it_was() {
    let mut windlass = wall();
    windlass.resize(40, 12);
    windlass.until_gone("looks only");
    windlass.until("broken");
    windlass.resize(120, 36);
    windlass.until("looks only");
    windlass.key("\x03");
    assert_eq!(windlass.ended().exit_code(), 0);
    let last = String::from_utf8_lossy(&windlass.last_words()).into_owned();
    assert!(last.rfind("\x1b[?1049l") > last.rfind("\x1b[?1049h"));
}
