//! Each source fails alone: the Board goes on, the one that fails is named with its own word, what it told is not a zero
//! and not an empty list, and its recovery is seen.

use serde_json::Value;

use super::{
    between::{Between, Then},
    shop::{Hosts, Shop},
};

const KINDS: [&str; 3] = ["github", "prometheus", "alertmanager"];

/// With something between the program and one of the three.
fn behind(shop: Shop, kind: &str) -> (Shop, Between) {
    let mut between = None;
    let shop = shop.behind(|hosts: &mut Hosts| {
        let host = match kind {
            "github" => &mut hosts.github,
            "prometheus" => &mut hosts.prometheus,
            _ => &mut hosts.alertmanager,
        };
        let made = Between::to(host);
        *host = made.address();
        between = Some(made);
    });
    (shop, between.unwrap())
}

fn source<'a>(answer: &'a Value, kind: &str) -> &'a Value {
    answer["sources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|source| source["id"].as_str().unwrap().starts_with(kind))
        .unwrap()
}

/// What a release says of one of them.
fn told(answer: &Value, kind: &str) -> Value {
    let field = match kind {
        "github" => "pipeline",
        "prometheus" => "metrics",
        _ => "incidents",
    };
    answer["releases"][0][field].clone()
}

/// The one that fails is named and says nothing; the others are as they were.
#[track_caller]
fn assert_alone(shop: &Shop, kind: &str, word: &str) {
    let ran = shop.run(&["status", "checkout", "--json"]);
    assert_eq!(ran.code, 8, "{kind}: {}{}", ran.out, ran.err);
    let answer = ran.json();
    let failing = source(&answer, kind);
    assert_eq!(failing["state"], word, "{failing}");
    assert!(
        failing["detail"]
            .as_str()
            .is_some_and(|why| !why.is_empty()),
        "{failing}"
    );
    let nothing = told(&answer, kind);
    assert!(
        nothing.is_null() || nothing["run"].is_null() && nothing["state"] != "live",
        "{kind} failed, and still: {nothing:#}"
    );
    for other in KINDS.into_iter().filter(|other| *other != kind) {
        assert_eq!(source(&answer, other)["state"], "live", "{answer:#}");
        assert!(!told(&answer, other).is_null(), "{other}");
    }
    assert_eq!(source(&answer, "kubernetes")["state"], "live");
    // For people too.
    let ran = shop.run(&["status"]);
    assert!(ran.out.contains("checkout"), "{}", ran.out);
    assert!(
        ran.out.contains(word) && ran.out.contains(kind),
        "{kind} {word}: {}",
        ran.out
    );
    let ran = shop.run(&["doctor", "--json"]);
    assert_eq!(ran.code, 8, "{}", ran.out);
    assert_eq!(source(&ran.json(), kind)["state"], word, "{}", ran.out);
}

#[test]
fn a_login_that_is_not_taken_is_called_so() {
    for kind in KINDS {
        let (shop, between) = behind(Shop::open("canary"), kind);
        between.now(|_| {
            Then::Say(
                401,
                "application/json",
                "{\"message\":\"Bad credentials\"}".to_owned(),
            )
        });
        assert_alone(&shop, kind, "unauthorized");
    }
}

#[test]
fn a_server_that_is_down_is_unreachable() {
    for kind in KINDS {
        let (shop, between) = behind(Shop::open("canary"), kind);
        between.now(|_| Then::Close);
        assert_alone(&shop, kind, "unreachable");
    }
}

#[test]
fn a_page_for_people_is_no_answer() {
    for kind in KINDS {
        let (shop, between) = behind(Shop::open("canary"), kind);
        between.now(|_| {
            Then::Say(
                200,
                "text/html",
                "<!doctype html><title>Sign in</title><h1>Welcome</h1>".to_owned(),
            )
        });
        let ran = shop.run(&["status", "checkout", "--json"]);
        assert_eq!(ran.code, 8, "{kind}: {}", ran.out);
        let answer = ran.json();
        assert_ne!(source(&answer, kind)["state"], "live", "{kind}");
        assert!(!ran.out.contains("<h1>"));
        let nothing = told(&answer, kind);
        assert!(
            nothing.is_null() || nothing["run"].is_null(),
            "{kind}: {nothing:#}"
        );
    }
}

#[test]
fn half_an_answer_is_no_answer() {
    for kind in KINDS {
        let shop = Shop::open("canary");
        shop.inject(&format!("truncate@{kind}"));
        let ran = shop.run(&["status", "checkout", "--json"]);
        assert_eq!(ran.code, 8, "{kind}: {}", ran.out);
        let answer = ran.json();
        assert_ne!(source(&answer, kind)["state"], "live", "{kind}");
        let nothing = told(&answer, kind);
        assert!(
            nothing.is_null() || nothing["run"].is_null(),
            "{kind}: {nothing:#}"
        );
    }
}

#[test]
fn too_many_requests_is_called_rate_limited() {
    for kind in KINDS {
        let shop = Shop::open("canary");
        shop.inject(&format!("429@{kind}"));
        let ran = shop.run(&["status", "checkout", "--json"]);
        assert_eq!(ran.code, 8, "{kind}: {}", ran.out);
        let answer = ran.json();
        assert_eq!(source(&answer, kind)["state"], "rate-limited", "{answer:#}");
        let nothing = told(&answer, kind);
        assert!(
            nothing.is_null() || nothing["run"].is_null(),
            "{kind}: {nothing:#}"
        );
    }
}

#[test]
fn a_source_that_fails_is_named_on_the_screen_and_the_board_goes_on() {
    for kind in KINDS {
        let (shop, between) = behind(Shop::open("canary"), kind);
        between.now(|_| {
            Then::Say(
                401,
                "application/json",
                "{\"message\":\"Bad credentials\"}".to_owned(),
            )
        });
        let mut windlass = shop.screen();
        windlass.until("▌  checkout");
        windlass.until("25 %");
        windlass.key("9");
        windlass.until_screen("the word of the source that fails", |screen| {
            crate::screen::harness::text_of(screen)
                .lines()
                .any(|line| line.contains(kind) && line.contains("unauthorized"))
        });
        // It comes back by itself or when it is asked for.
        between.now(|_| Then::Forward);
        windlass.key("r");
        windlass.until_screen("its recovery", |screen| {
            crate::screen::harness::text_of(screen)
                .lines()
                .any(|line| line.contains(kind) && line.contains("live"))
        });
        windlass.key("q");
        assert_eq!(windlass.ended().exit_code(), 0);
    }
}

#[test]
fn gates_that_cannot_be_read_are_no_empty_inbox() {
    for fault in ["500@github", "429@github", "truncate@github"] {
        let shop = Shop::open("gate");
        shop.inject(fault);
        let ran = shop.run(&["inbox"]);
        assert_eq!(ran.code, 8, "{fault}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains("github"), "{fault}: {}", ran.err);
        assert!(ran.err.contains("not known"), "{fault}: {}", ran.err);
        shop.heal();
        let ran = shop.run(&["inbox"]).exits(0);
        assert!(ran.out.contains("acme/cart #"), "{}", ran.out);
    }
}

#[test]
fn a_source_that_never_answers_holds_up_nothing_else() {
    for kind in KINDS {
        let shop = Shop::open("canary");
        shop.inject(&format!("hang@{kind}"));
        let mut windlass = shop.screen();
        windlass.until("▌  checkout");
        windlass.until("25 %");
        windlass.key("x");
        windlass.until("Y backs out");
        windlass.until_listening();
        windlass.key("Y");
        windlass.until("Why was it done?");
        windlass.key("\x1b");
        windlass.until("Back out checkout: done");
        windlass.key("q");
        assert_eq!(windlass.ended().exit_code(), 0);
    }
}
