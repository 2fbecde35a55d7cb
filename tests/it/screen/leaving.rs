//! Leaving: the terminal is given back as it was found, and what has begun is finished.

use rustix::process::Signal;

use super::harness::{Demo, Windlass};

fn canary() -> Windlass {
    Demo::of("canary").with(&["--speed", "20"]).live()
}

/// Its last bytes switch off whatever was switched on, the alternate screen last; and nothing follows.
#[track_caller]
fn assert_given_back(windlass: &mut Windlass) {
    let raw = windlass.last_words();
    let text = String::from_utf8_lossy(&raw);
    assert!(text.contains("\x1b[?1049h"), "it had taken it");
    let last = |sequence: &str| {
        text.rfind(sequence)
            .unwrap_or_else(|| panic!("no {sequence:?}"))
    };
    for (off, on) in [
        ("\x1b[?1049l", "\x1b[?1049h"),
        ("\x1b[?25h", "\x1b[?25l"),
        ("\x1b[?2004l", "\x1b[?2004h"),
        ("\x1b[?1004l", "\x1b[?1004h"),
    ] {
        assert!(last(off) > last(on), "{off:?} comes before {on:?}");
    }
    assert!(
        text.ends_with("\x1b[?1049l"),
        "{:?}",
        text.get(text.len() - 80..)
    );
    windlass.screen(|screen| {
        assert!(!screen.alternate_screen());
        assert!(!screen.hide_cursor());
        assert!(!screen.bracketed_paste());
    });
    assert_eq!(windlass.left_behind(), Vec::<String>::new());
}

#[test]
fn q_gives_the_terminal_back() {
    let mut windlass = canary();
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
    assert_given_back(&mut windlass);
}

#[test]
fn ctrl_c_gives_the_terminal_back() {
    let mut windlass = canary();
    windlass.key("\x03");
    assert_eq!(windlass.ended().exit_code(), 0);
    assert_given_back(&mut windlass);
}

#[test]
fn signals_give_the_terminal_back() {
    for signal in [Signal::TERM, Signal::HUP, Signal::QUIT] {
        let mut windlass = canary();
        windlass.signal(signal);
        assert_eq!(windlass.ended().exit_code(), 130, "{signal:?}");
        assert_given_back(&mut windlass);
    }
}

#[test]
fn an_open_dialog_is_no_reason_to_stay() {
    let mut windlass = canary();
    windlass.key("x");
    windlass.until("Y backs out");
    windlass.signal(Signal::TERM);
    assert_eq!(windlass.ended().exit_code(), 130);
    assert_given_back(&mut windlass);
    assert!(windlass.patches().is_empty());
}

/// A back out of two requests, the second of which cannot be there at once.
fn between_two_requests() -> Windlass {
    let mut windlass = Demo::of("morning")
        .with(&["--speed", "20", "--fault", "latency:2000@patch"])
        .live();
    windlass.key("/images\r");
    windlass.until("1 of 40");
    windlass.until("▌  images");
    windlass.key("x");
    windlass.until("Y backs out");
    windlass.until_listening();
    windlass.key("Y");
    windlass.until("Why was it done?");
    windlass.key("\x1b");
    windlass.until_gone("Why was it done?");
    assert_eq!(windlass.until_patches(1).len(), 1);
    windlass
}

#[test]
fn leaving_with_an_action_under_way_asks_and_w_waits_for_it() {
    let mut windlass = between_two_requests();
    windlass.key("q");
    windlass.until("Something is under way");
    windlass.until("Back out images");
    windlass.key("\x1b");
    windlass.until_gone("Something is under way");
    windlass.key("q");
    windlass.until("Something is under way");
    windlass.key("w");
    assert_eq!(windlass.ended().exit_code(), 0);
    assert_eq!(windlass.taken().len(), 2);
    assert_given_back(&mut windlass);
}

#[test]
fn a_plan_that_has_begun_is_finished_when_the_terminal_vanishes() {
    let mut windlass = between_two_requests();
    windlass.hang_up();
    windlass.ended();
    let patches = windlass.taken();
    assert_eq!(patches.len(), 2, "{patches:#?}");
    assert!(patches[1].path.contains("/rollouts/images/status"));
    assert_eq!(patches[1].status, Some(200));
}

#[test]
fn a_terminal_that_vanishes_with_nothing_under_way_ends_it() {
    let mut windlass = canary();
    windlass.hang_up();
    windlass.ended();
    assert!(windlass.patches().is_empty());
}
