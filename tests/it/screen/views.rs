//! Every view and overlay opens and closes by its key, at every size, in colour and without.

use super::harness::{Demo, Windlass, text_of};

fn morning() -> Windlass {
    let windlass = Demo::of("morning").with(&["--speed", "20"]).live();
    windlass.until("checkout");
    windlass
}

#[test]
fn every_view_opens_by_its_digit_and_esc_leads_back_to_the_board() {
    let mut windlass = morning();
    for (key, text) in [
        ("2", "Story of this release"),
        ("8", "Audit log of this machine"),
        ("9", "everything that is watched is in sync"),
    ] {
        windlass.key(key);
        windlass.until(text);
        assert!(!windlass.text().contains("NEEDS YOU"));
        windlass.key("\x1b");
        windlass.until("NEEDS YOU");
        windlass.key(key);
        windlass.until(text);
        windlass.key("1");
        windlass.until("NEEDS YOU");
    }
    windlass.key("\r");
    windlass.until("Story of this release");
    windlass.key("\x1b");
    windlass.until("NEEDS YOU");
    windlass.key("d");
    windlass.until("Story of this release");
    windlass.leaves_without_a_change();
}

#[test]
fn every_overlay_opens_by_its_key_and_closes_by_esc() {
    let mut windlass = Demo::of("canary").with(&["--speed", "20"]).live();
    for (key, text) in [
        ("?", "made from the command table"),
        (":", "Enter does it"),
        ("m", "opens its plan"),
        ("h", "rolls back to one"),
        ("b", "opens the plan for it"),
        ("y", "apiVersion: argoproj.io/v1alpha1"),
        ("x", "Y backs out"),
    ] {
        windlass.key(key);
        windlass.until(text);
        windlass.key("\x1b");
        windlass.until_gone(text);
    }
    windlass.leaves_without_a_change();
}

#[test]
fn the_palette_does_what_is_named() {
    let mut windlass = morning();
    windlass.key(":");
    windlass.until("Enter does it");
    windlass.key("sourc");
    windlass.until("health of each source");
    windlass.key("\r");
    windlass.until("everything that is watched is in sync");
    windlass.leaves_without_a_change();
}

#[test]
fn the_filter_narrows_and_esc_clears_it() {
    let mut windlass = morning();
    windlass.key("/pay");
    windlass.until("1 of 40");
    assert!(!windlass.text().contains("catalog"));
    windlass.key("\r");
    windlass.until("▌  payments");
    windlass.key("\x1b");
    windlass.until("catalog");
    windlass.until_gone("1 of 40");
    windlass.leaves_without_a_change();
}

#[test]
fn n_jumps_from_one_that_needs_you_to_the_next() {
    let mut windlass = morning();
    // Where an alert fires, that lifts it.
    windlass.until("BROKEN  3");
    windlass.key("g");
    windlass.until("▌  images");
    // What is broken, then what waits, the oldest first; and back.
    for (key, service) in [
        ("n", "catalog"),
        ("n", "checkout"),
        ("n", "secrets"),
        ("n", "search"),
        ("N", "secrets"),
        ("N", "checkout"),
    ] {
        windlass.key(key);
        windlass.until(&format!("▌  {service}"));
    }
    windlass.leaves_without_a_change();
}

#[test]
fn logs_follow_the_pod_that_is_read() {
    let mut windlass = Demo::of("canary").with(&["--speed", "20"]).live();
    windlass.key("\r");
    windlass.until("Pods 15");
    windlass.key("\t\t");
    windlass.until("new  3");
    windlass.key("l");
    windlass.until("next pod");
    windlass.until("● following");
    let newest = |text: &str| {
        text.lines()
            .rfind(|line| line.contains("level="))
            .map(str::to_owned)
    };
    windlass.until_screen("a line", |screen| newest(&text_of(screen)).is_some());
    let first = newest(&windlass.text());
    windlass.until_screen("a newer line", |screen| newest(&text_of(screen)) != first);
    windlass.key("\x1b");
    windlass.until_gone("next pod");
    windlass.leaves_without_a_change();
}

#[test]
fn it_is_useful_at_every_size_and_alive_at_one_cell() {
    for (columns, rows) in [(160, 48), (120, 36), (80, 24), (40, 12)] {
        let mut windlass = Demo::of("canary")
            .with(&["--speed", "20"])
            .size(columns, rows)
            .until("checkout");
        windlass.until("25 %");
        windlass.key("x");
        windlass.until("Y backs out");
        windlass.until_listening();
        windlass.key("\x1b");
        windlass.until_gone("Y backs out");
        windlass.leaves_without_a_change();
    }
    let mut windlass = Demo::of("canary").size(1, 1).start();
    windlass.until_screen("a frame", vt100::Screen::alternate_screen);
    windlass.resize(80, 24);
    windlass.until("waits for you");
    windlass.resize(1, 1);
    windlass.resize(120, 36);
    windlass.until("Enter opens it");
    windlass.leaves_without_a_change();
}

#[test]
fn a_dialog_survives_being_resized_and_still_asks_to_be_seen() {
    let mut windlass = Demo::of("canary").with(&["--speed", "20"]).live();
    windlass.key("x");
    windlass.until("Y backs out");
    for (columns, rows) in [(80, 24), (40, 12), (1, 1), (160, 48)] {
        windlass.resize(columns, rows);
    }
    windlass.until("Back out checkout in prod-eu");
    windlass.until("Y backs out");
    windlass.until_listening();
    windlass.key("\x1b");
    windlass.until_gone("Y backs out");
    windlass.leaves_without_a_change();
}

#[test]
fn no_color_means_none() {
    let colours = |windlass: &Windlass| {
        let raw = windlass.raw();
        let text = String::from_utf8_lossy(&raw).into_owned();
        text.split("\x1b[")
            .skip(1)
            .filter_map(|rest| rest.split_once('m').map(|(sgr, _)| sgr.to_owned()))
            .filter(|sgr| {
                sgr.chars()
                    .all(|c| c.is_ascii_digit() || c == ';' || c == ':')
            })
            .filter(|sgr| {
                sgr.split([';', ':'])
                    .filter_map(|number| number.parse::<u16>().ok())
                    .any(|number| matches!(number, 30..=38 | 40..=48 | 90..=97 | 100..=107))
            })
            .collect::<Vec<_>>()
    };
    let tour = |demo: Demo| {
        let mut windlass = demo.live();
        windlass.until("waits for you");
        windlass.key("x");
        windlass.until("Y backs out");
        windlass.until_listening();
        windlass.key("\x1b");
        windlass.until_gone("Y backs out");
        windlass.key("\r");
        windlass.until("Story of this release");
        windlass
    };
    let plain = tour(Demo::of("canary").variable("NO_COLOR", "1"));
    assert_eq!(colours(&plain), Vec::<String>::new());
    // The same eye sees colour where there is some.
    let coloured = tour(Demo::of("canary"));
    assert!(!colours(&coloured).is_empty());
}
