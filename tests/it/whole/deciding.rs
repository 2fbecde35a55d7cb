//! Gates decided by command: the same plans, ceremonies and outcomes as on the screen, as exit codes.

use super::{gates::assert_decided, shop::Shop};

#[test]
fn an_approval_by_command_is_planned_confirmed_and_seen() {
    let shop = Shop::open("gate");
    let gate = shop.gate_of("cart");
    let id = gate.id();
    // Nothing is sent by looking.
    let ran = shop
        .run(&["approve", &id, "--dry-run", "--json"])
        .exits(0)
        .json();
    assert_eq!(ran["outcome"], "dry-run");
    let sends = ran["plan"].to_string();
    assert!(sends.contains(&gate.path()), "{sends}");
    assert!(shop.writes_to("github").is_empty());
    // Not armed.
    shop.run(&["approve", &id, "--yes"])
        .exits(3)
        .says("read-only");
    shop.run(&["approve", &id, "--yes", "--read-only"]).exits(3);
    // Not confirmed, or with another environment than this one.
    shop.act(&["approve", &id]).exits(4);
    shop.act(&["approve", &id, "--confirm", "prod-us"]).exits(4);
    assert!(shop.writes_to("github").is_empty());

    let ran = shop
        .act(&["approve", &id, "--yes", "--reason", "looked at it twice"])
        .exits(0)
        .json();
    assert_eq!(ran["outcome"], "observed");
    assert_decided(&shop, &gate, "approved");
    let body = shop.writes_to("github")[0].body.clone().unwrap();
    assert_eq!(body["comment"], "looked at it twice");
    let kinds: Vec<String> = shop
        .audited()
        .iter()
        .map(|record| record["kind"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["intent", "sending", "outcome"]);

    // The second one finds nothing that waits.
    shop.act(&["approve", &id, "--yes"])
        .exits(3)
        .says("nothing waits for prod-eu");
    assert_eq!(shop.writes_to("github").len(), 1);
}

#[test]
fn a_typed_environment_confirms_and_a_rejection_fails_the_run() {
    let shop = Shop::open("gate");
    let gate = shop.gate_of("cart");
    let ran = shop
        .act(&["reject", &gate.id(), "--confirm", "prod-eu"])
        .exits(0)
        .json();
    assert_eq!(ran["outcome"], "observed");
    assert_decided(&shop, &gate, "rejected");
    assert_eq!(shop.run_of("cart")["conclusion"], "failure");
}

#[test]
fn without_a_wait_accepted_is_the_word() {
    let shop = Shop::open("gate");
    let gate = shop.gate_of("cart");
    let ran = shop
        .act(&["approve", &gate.id(), "--yes", "--no-wait"])
        .exits(0)
        .json();
    assert_eq!(ran["outcome"], "accepted");
    assert_decided(&shop, &gate, "approved");
}

#[test]
fn a_token_that_github_does_not_take_decides_nothing() {
    let shop = Shop::open("gate").with_token("stolen");
    let gate = shop.gate_of("cart");
    let ran = shop.act(&["approve", &gate.id(), "--yes"]).exits(3);
    assert!(ran.err.contains("401"), "{}", ran.err);
    assert!(!ran.err.contains("stolen") && !ran.out.contains("stolen"));
    assert!(shop.writes_to("github").is_empty());
}
