//! What goes wrong on the way to GitHub: an answer that was lost is looked for and never sent again; where nothing could
//! be read, nothing is sent; where GitHub says no, that is said.

use super::{
    between::Then,
    gates::{assert_decided, plan_of_approval},
    shop::Shop,
};

#[test]
fn a_lost_answer_is_found_by_reading_and_never_sent_again() {
    let shop = Shop::open("gate");
    let gate = shop.gate_of("cart");
    let mut windlass = plan_of_approval(&shop);
    shop.inject("lost-answer:1@github+post");
    windlass.key("prod-eu\r");
    windlass.until(": done, approved");
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
    assert_decided(&shop, &gate, "approved");
    assert_eq!(shop.writes_to("github")[0].status, None, "it was lost");
}

#[test]
fn an_approval_that_perhaps_never_arrived_is_unknown_and_never_sent_again() {
    let (shop, between) = Shop::open("gate").behind_github();
    let gate = shop.gate_of("cart");
    between.now(|seen| match &*seen.method {
        "GET" => Then::Forward,
        _ => Then::Close,
    });
    let ran = shop
        .act(&["approve", &gate.id(), "--yes", "--timeout", "1s"])
        .exits(5);
    assert_eq!(ran.json()["outcome"], "unknown");
    assert_eq!(between.posted().len(), 1, "{:#?}", between.posted());
    assert!(shop.writes_to("github").is_empty());
    // It stays open until somebody looks: the next start says so first.
    shop.run(&["inbox"]).exits(0);
}

#[test]
fn a_lost_answer_of_a_command_is_found_as_well() {
    let shop = Shop::open("gate");
    let gate = shop.gate_of("cart");
    shop.inject("lost-answer:1@github+post");
    let ran = shop.act(&["approve", &gate.id(), "--yes"]).exits(0);
    assert_eq!(ran.json()["outcome"], "observed");
    assert_decided(&shop, &gate, "approved");
}

#[test]
fn where_the_run_cannot_be_read_nothing_is_sent() {
    for (fault, word) in [
        ("500@github+get", "500"),
        ("503@github+get", "503"),
        ("secondary@github+get", "secondary"),
        ("rate-limit@github+get", "rate limit"),
        ("truncate@github+get", ""),
    ] {
        let shop = Shop::open("gate");
        let gate = shop.gate_of("cart");
        shop.inject(fault);
        let ran = shop.act(&["approve", &gate.id(), "--yes"]);
        assert_eq!(ran.code, 8, "{fault}: {}{}", ran.out, ran.err);
        assert!(
            ran.err.to_lowercase().contains(word),
            "{fault}: {}",
            ran.err
        );
        assert!(shop.writes_to("github").is_empty(), "{fault}");
    }
}

#[test]
fn where_the_last_read_fails_nothing_is_sent() {
    for fault in ["500@github+get", "secondary@github+get"] {
        let shop = Shop::open("gate");
        let mut windlass = plan_of_approval(&shop);
        shop.inject(fault);
        windlass.key("prod-eu\r");
        windlass.until("could not be read again");
        windlass.key("q");
        assert_eq!(windlass.ended().exit_code(), 0);
        assert!(shop.writes_to("github").is_empty(), "{fault}");
    }
}

#[test]
fn what_github_refuses_is_said_and_not_tried_again() {
    for (status, words) in [
        (403, "Resource not accessible by personal access token"),
        (404, "Not Found"),
        (422, "No pending deployment requests to approve or reject"),
    ] {
        let (shop, between) = Shop::open("gate").behind_github();
        let gate = shop.gate_of("cart");
        between.now(move |seen| match &*seen.method {
            "GET" => Then::Forward,
            _ => Then::Say(
                status,
                "application/json",
                format!("{{\"message\":\"{words}\"}}"),
            ),
        });
        let ran = shop.act(&["approve", &gate.id(), "--yes"]);
        assert_eq!(ran.code, 6, "{status}: {}{}", ran.out, ran.err);
        let answer = ran.json();
        assert_eq!(answer["outcome"], "rejected");
        let said = answer["observed"]["words"].as_str().unwrap();
        assert!(
            said.contains(words) || said.contains(&status.to_string()),
            "{said}"
        );
        assert_eq!(between.posted().len(), 1);
    }
}

#[test]
fn an_approval_that_is_forbidden_is_told_on_the_screen() {
    let shop = Shop::open("gate");
    let mut windlass = plan_of_approval(&shop);
    shop.inject("forbidden@github+post");
    windlass.key("prod-eu\r");
    windlass.until(": rejected");
    windlass.key("q");
    assert_eq!(windlass.ended().exit_code(), 0);
    let sent = shop.writes_to("github");
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].status, Some(403));
    assert_eq!(shop.run_of("cart")["status"], "waiting");
}
